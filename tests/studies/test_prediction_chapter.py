"""The prediction chapter: what is validated, on whom, and what is said of it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import rnetstats as rn
from reproduced import raw, reproduced_synthetic
from reproduced import reproduced as study
from rnetstats.evidence.facts import read_facts
from rnetstats.prediction.stability import StabilityResult
from rnetstats.prediction.validation_result import ValidationResult
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cutoff_search import _equally_good, halfway
from rnetstats.studies.duan2024.cutoffs import youden_cutoff
from rnetstats.studies.duan2024.figures import figures
from rnetstats.studies.duan2024.model_claim import pairs
from rnetstats.studies.duan2024.prediction_section import _chosen
from rnetstats.studies.duan2024.prediction_support import support_table
from rnetstats.studies.duan2024.sections import sections
from rnetstats.studies.study_result import StudyResult
from support import data_path

COHORTS = ("rnet_like_a", "rnet_like_a_missing", "rnet_like_b")
TABLES = {
    "model_performance",
    "model_net_benefit",
    "model_equation",
    "model_inclusion",
    "model_selection",
    "cutoff_search",
    "dichotomising",
    "sample_size_support",
}
FIGURES = {
    "model_calibration",
    "model_net_benefit",
    "model_nomogram",
    "cutoff_distribution",
    "model_instability",
}


def validation(result: StudyResult, way: str) -> ValidationResult:
    found = result.analysis(f"model_{way}_validation")
    assert isinstance(found, ValidationResult)
    return found


def words(result: StudyResult) -> str:
    (section,) = (s for s in sections(result) if s.id == "prediction")
    return " ".join(f"{p.lead} {p.text}" for p in section.paragraphs)


@pytest.mark.parametrize("name", COHORTS)
def test_the_chapter_is_complete(name: str) -> None:
    result = study(name)
    assert set(result.tables) >= TABLES
    assert ("missing_values" in result.tables) is (name == "rnet_like_a_missing")
    assert {figure.name for figure in figures(result)} >= FIGURES
    for table in TABLES:
        shown = result.table(table).display()
        assert not shown.isin(["nan", "NaN", "None"]).any().any(), table


@pytest.mark.parametrize("name", COHORTS)
def test_every_model_rests_on_the_same_patients_and_says_how_many(name: str) -> None:
    data, result = raw(name), study(name)
    kept = data[(data["method"] != "other") & data["nlr"].notna()]
    counts = (len(kept), int(kept["margin_positive"].sum()))
    for way in ("printed", "repeated", "smooth", "before"):
        row = validation(result, way).glance().iloc[0]
        assert (row["n"], row["n_events"]) == counts
        assert row["design"] == "repeated"
    said = f"{counts[1]} positive margins among {counts[0]} patients"
    for table in ("model_performance", "model_inclusion", "dichotomising", "cutoff_search"):
        text = result.table(table)
        assert said in " ".join((text.caption, *text.notes)).replace("(", "") or (
            table == "model_inclusion" and f"{counts[1]} positive margins" in text.caption
        )


def test_the_numbers_are_those_of_the_verbs() -> None:
    data = rn.read_cohort(data_path("rnet_like_b.csv"), codebook="duan2024")
    data = data[data["method"].astype(object) != "other"].copy()
    data["method"] = data["method"].cat.remove_unused_categories()
    data["lower_rectum"] = (data["location"].astype(object) == "lower").astype(float)
    made = rn.recipe(
        "margin_positive ~ method + lower_rectum + nlr + size_mm",
        cut={"nlr": 4.44, "size_mm": 14.89},
    )
    expected = rn.validate(made, data, resamples=30, seed=527).to_frame()
    found = study("rnet_like_b").table("model_performance").to_frame()
    found = found[found["model"] == "printed"].reset_index(drop=True)
    columns = ["apparent", "optimism", "corrected", "conf_low", "conf_high"]
    np.testing.assert_allclose(found[columns], expected[columns], rtol=1e-8, atol=1e-10)
    model = made.fit(data, seed=527).to_frame()
    table = study("rnet_like_b").table("model_equation").to_frame()
    np.testing.assert_allclose(table["coef"], model["coef"], rtol=1e-8)


@pytest.mark.slow
def test_searching_costs_more_optimism_than_taking_the_cutoffs_as_fixed() -> None:
    result = rn.reproduce("duan2024", resamples=40)
    optimism = {}
    for way in ("printed", "repeated"):
        table = validation(result, way).to_frame().set_index("index")
        optimism[way] = float(table.loc["auc", "optimism"])
    assert optimism["repeated"] > 2.0 * optimism["printed"] > 0.0
    assert "cut-offs" in words(result)


def test_the_model_without_the_method_does_not_know_it() -> None:
    formula = validation(study("rnet_like_a"), "before").options["formula"]
    assert "method" not in formula
    assert "rcs(nlr, 3)" in formula
    text = words(study("rnet_like_a"))
    assert "The resection method is itself the decision" in text
    assert "within days" in text
    assert "refer, before any resection" in text


@pytest.mark.parametrize("name", ["rnet_like_a", "rnet_like_b"])
def test_net_benefit_is_said_with_where_it_harms(name: str) -> None:
    """The best of many thresholds flatters, and what is lost elsewhere is counted."""
    result = study(name)
    curve = result.table("model_net_benefit").to_frame().query("model == 'before'")
    gains = (curve["corrected"] - curve[["treat_all", "treat_none"]].max(axis=1)).to_numpy()
    worse = int((gains <= -0.001).sum())
    text = words(result)
    if gains.max() < 0.001:
        assert "at no threshold better" in text
        return
    assert worse > 0
    assert f"at {worse} of the {len(gains)} thresholds it does worse" in text
    assert f"The largest of {len(gains)} gains flatters" in text


def test_the_sentences_are_made_from_the_numbers() -> None:
    result = study("rnet_like_a")
    table = validation(result, "printed").to_frame().set_index("index")
    own, new = (100 * table.loc["auc", name] for name in ("apparent", "corrected"))
    (sentence,) = (s for s in result.answer if "prediction model" in s)
    assert f"in {own:.0f} on the patients it was made from" in sentence
    assert f"in about {new:.0f} in new patients" in sentence
    row = result.claims.set_index("claim").loc["model_accuracy"]
    assert row["rule"] == "contradicted"
    assert not row["judged"], "it stands outside the family of P values"
    assert "is contradicted" in sentence
    assert f"{table.loc['auc', 'corrected']:.2f}" in row["estimate_text"]
    slopes = [
        f"{validation(result, way).to_frame().set_index('index').loc['slope', 'corrected']:.2f}"
        for way in ("printed", "repeated")
    ]
    assert f"about {slopes[0]} with the printed" in row["sentence"], "each slope with its reading"
    assert f"and {slopes[1]} with every step repeated" in row["sentence"]


def test_both_readings_are_told_apart_only_where_they_differ() -> None:
    def said(*readings: tuple[float, float]) -> str:
        ways = {
            way: {"auc": {"apparent": own, "corrected": new}}
            for way, (own, new) in zip(("printed", "repeated"), readings, strict=False)
        }
        return pairs({"ways": ways})

    assert "whether" in said((0.70, 0.651), (0.702, 0.649))
    different = said((0.7, 0.65), (0.72, 0.6))
    assert "in 70 on the patients it was made from and in about 65 in new" in different
    assert "in 72 and about 60 if they and the predictors were searched" in different
    assert "poor" in different
    assert "acceptable" in said((0.7, 0.65), (0.75, 0.71))
    alone = said((0.7, 0.65))
    assert "about 65 in new patients (poor" in alone
    assert "if" not in alone.split()


def test_cutoffs_searched_have_an_adjusted_p_and_a_spread_but_no_limits() -> None:
    table = study("rnet_like_a").table("cutoff_search")
    numbers = table.to_frame()
    assert sorted(numbers["marker"] + numbers["method"]) == [
        "nlrmaxstat",
        "nlryouden",
        "size_mmmaxstat",
        "size_mmyouden",
    ]
    assert not [name for name in numbers.columns if "conf" in name]
    assert (numbers["q025"] <= numbers["q975"]).all()
    data = raw()
    data = data[data["method"] != "other"]
    found = rn.cutpoint(data, "margin_positive ~ nlr", permutations=1999, seed=527)
    row = numbers[(numbers["marker"] == "nlr") & (numbers["method"] == "youden")].iloc[0]
    assert row["p_value"] == found.to_frame()["p_value"].item()
    notes = " ".join(table.notes)
    assert "14.5 and 15" in notes
    assert "14.89 cannot be" in notes
    assert "14.89 mm cannot come from sizes in half millimetres" in words(study("rnet_like_a"))


@pytest.mark.parametrize("coarse", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_cutoffs_are_written_and_drawn_halfway_between_two_values(coarse: bool) -> None:
    """The best cut-off is found as "at least 15"; the report says "> 14.5" of it throughout."""
    result = reproduced_synthetic("duan2024") if coarse else study("rnet_like_a")
    table = result.table("cutoff_search")
    numbers = table.to_frame()
    shown = dict(zip(table.display()["Search"], table.display().to_dict("records"), strict=True))
    cohort = rn.load_cohort("duan2024") if coarse else raw()
    sizes = np.sort(cohort.loc[cohort["method"] != "other", "size_mm"].unique())
    middles = {round(float(m), 6) for m in (sizes[1:] + sizes[:-1]) / 2}
    for end in shown["Size, Youden’s index"]["Middle 95 % of resamples"].split(" to "):
        assert float(end) in middles
    (drawn,) = (figure for figure in figures(result) if figure.name == "cutoff_distribution")
    figure = Figure(figsize=drawn.size)
    drawn.draw(figure)
    for ax, column in zip(figure.axes, ("nlr", "size_mm"), strict=True):
        row = numbers[(numbers["marker"] == column) & (numbers["method"] == "youden")].iloc[0]
        best, printed = (float(line.get_xdata()[0]) for line in ax.lines)
        assert (best, printed) == (row["midpoint"], row["printed"])
        bars = ax.patches
        assert min(bar.get_width() for bar in bars) > 0.0
        assert sum(bar.get_height() for bar in bars) == pytest.approx(1.0)


def test_cutoffs_that_are_equally_good_are_named() -> None:
    """Above 8: 9 of 20 and 11 of 40, an index of 0.175; above 12: 5 of 20 and 3 of 40, the same."""
    size = np.repeat([5.0, 11.0, 13.0], [40, 12, 8])
    positive = np.concatenate([np.arange(n) < k for n, k in ((40, 11), (12, 4), (8, 5))])
    rows = pd.DataFrame({"size_mm": size, "margin_positive": positive.astype(int)})
    found = rn.cutpoint(rows, "margin_positive ~ size_mm", permutations=99, seed=1)
    assert found.estimate == 12.0
    assert halfway(found, [11.0, 12.0, 13.0, 14.0]) == [8.0, 12.0, 12.0, 14.0]
    assert youden_cutoff(size, positive.astype(int)) == 8.0
    search: Any = SimpleNamespace(name="Size", method="youden", found=found)
    (note,) = _equally_good([search])
    assert note.startswith("Size: cut-offs at 8 and 12 have the same Youden index")
    downward = rn.cutpoint(
        rows.assign(margin_positive=1 - rows["margin_positive"]),
        "margin_positive ~ size_mm",
        permutations=99,
        seed=1,
    )
    assert "<=" in downward.to_frame()["rule"].iloc[0]
    assert halfway(downward, [5.0, 11.0]) == [8.0, 12.0]


def test_the_equation_has_a_note_for_each_line() -> None:
    result = study("rnet_like_b")
    odds, risk, where, _ = result.table("model_equation").notes
    model = result.analysis("model")
    assert isinstance(model, rn.RiskModel)
    assert odds.startswith("log odds of margin_positive = ")
    assert odds.count(" * ") == len(model.to_frame()) - 1
    assert risk.endswith("= 1 / (1 + exp(-(log odds)))")
    assert where.startswith("where [condition]")


def test_no_candidate_kept_is_said_in_a_word() -> None:
    rows = pd.DataFrame({"kind": ["term"] * 3, "choice": ["a", "b", "c"], "frequency": [0.5] * 3})
    result: Any = SimpleNamespace(
        tables={"model_inclusion"}, table=lambda _: SimpleNamespace(to_frame=lambda: rows)
    )
    for frequency, said in ((0.5, "none is kept"), (0.9, "3 are kept")):
        rows["frequency"] = frequency
        (paragraph,) = _chosen(result, {"resamples": 60})
        assert f"Of 3 candidates, {said} in at least 90 % of 60 resamples" in paragraph.text


def test_the_printed_events_support_few_coefficients() -> None:
    table = support_table(read_facts("rnetstats.studies.duan2024"), Attempts())
    assert table is not None
    assert table.from_print
    numbers = table.to_frame()
    assert set(zip(numbers["n"], numbers["events"], strict=True)) == {(527, 181), (527, 12)}
    margin = numbers[numbers["events"] == 181]["parameters"]
    assert margin.is_monotonic_increasing, "the better the model, the more it may look at"
    first = numbers.iloc[0]
    direct = rn.supported_parameters(527, 181, c_statistic=0.65)
    assert first["parameters"] == direct.parameters
    assert numbers[numbers["events"] == 12]["parameters"].max() < 5


def test_complete_cases_stand_beside_imputed_data() -> None:
    data, table = raw("rnet_like_a_missing"), study("rnet_like_a_missing").table("missing_values")
    data = data[data["method"] != "other"]
    complete = data[data["nlr"].notna()]
    assert f"{complete['margin_positive'].sum()} positive margins among {len(complete)}" in (
        table.caption
    )
    assert f"{data['margin_positive'].sum()} among {len(data)}" in table.caption
    assert {"Predictor", "Complete cases", "Imputed"} == set(table.display().columns)
    fit = study("rnet_like_a_missing").analysis("multi_firth")
    assert fit is not None
    numbers = table.to_frame()
    own = numbers[numbers["analysis"] == "complete cases"]["estimate"].to_numpy(float)
    np.testing.assert_allclose(own, fit.to_frame()["estimate"].to_numpy(float), rtol=1e-6)


def test_the_saved_model_predicts_and_carries_its_performance(tmp_path: Path) -> None:
    result = study("rnet_like_b")
    model = result.analysis("model")
    assert isinstance(model, rn.RiskModel)
    model.save(tmp_path / "model.json")
    again = rn.RiskModel.load(tmp_path / "model.json")
    patient = {"method": ["ESD"], "lower_rectum": [1.0], "nlr": [2.0], "size_mm": [8.0]}
    risk = again.predict(patient)["risk"].item()
    assert risk == pytest.approx(model.predict(patient)["risk"].item())
    assert 0.0 < risk < 1.0
    assert again.performance is not None
    auc = validation(result, "printed").corrected("auc")
    assert again.performance["auc"]["corrected"] == pytest.approx(auc)
    assert any("searched in these patients" in note for note in again.notes)


@pytest.mark.slow
def test_results_hold_no_patient_rows() -> None:
    stored = study("rnet_like_b").to_dict()
    text = json.dumps(stored, allow_nan=False)
    unstable = StudyResult.from_dict(json.loads(text)).analysis("model_instability")
    assert isinstance(unstable, StabilityResult)
    assert unstable.patient_table is None
    assert "model_instability" not in {
        figure.name for figure in figures(StudyResult.from_dict(json.loads(text)))
    }


@pytest.mark.slow
def test_too_few_positive_margins_are_said_so() -> None:
    data = raw()
    data = pd.concat([data[data["margin_positive"] == m].head(k) for m, k in ((1, 4), (0, 90))])
    result = rn.reproduce("duan2024", data=data.reset_index(drop=True), resamples=20)
    row = result.claims.set_index("claim").loc["model_accuracy"]
    assert row["rule"] == "not judged"
    assert any("4 positive margins" in reason for reason in result.skipped)
    assert "model_performance" not in result.tables
    assert "do not carry a prediction model" in " ".join(result.answer)
    assert "No model." in words(result)
    assert result.analysis("model") is None


@pytest.mark.slow
def test_what_does_not_vary_is_left_out_of_every_model() -> None:
    data = raw().assign(nlr=2.0, location="lower")
    result = rn.reproduce("duan2024", data=data, resamples=20)
    for way in ("printed", "repeated", "smooth", "before"):
        formula = validation(result, way).options["formula"]
        assert "nlr" not in formula
        assert "lower_rectum" not in formula
    assert "cutoff_distribution" in {figure.name for figure in figures(result)}
    assert math.isfinite(validation(result, "printed").corrected("auc"))


@pytest.mark.slow
def test_incomplete_candidates_do_not_change_the_patients() -> None:
    data = raw("rnet_like_b")
    data["lvi"] = data["lvi"].astype(float).where(np.arange(len(data)) % 9 > 0)
    result = rn.reproduce("duan2024", data=data.drop(columns="grade"), resamples=20)
    formula = validation(result, "repeated").options["formula"]
    assert "lvi" not in formula
    assert "grade" not in formula
    assert "age" in formula
    assert any("lvi as a candidate" in reason for reason in result.skipped)


@pytest.mark.slow
def test_a_model_without_predictors_and_limits_beside_their_figure_are_said_to_be_so() -> None:
    data = rn.draw_cohort("duan2024", patients=150, seed=3, truth="smooth").data
    result = rn.reproduce("duan2024", data=data, resamples=20)
    row = validation(result, "repeated").to_frame().set_index("index").loc["auc"]
    assert row["apparent"] == 0.5
    assert row["corrected"] < row["conf_low"]
    notes = result.table("model_performance").notes
    (without,) = [note for note in notes if "no predictor was kept" in note]
    assert without.startswith("The study’s steps repeated")
    (beside,) = [note for note in notes if "leave the corrected figure out" in note]
    assert "The study’s steps repeated" in beside
    assert "AUC" in beside
    calm = study("rnet_like_b").table("model_performance").notes
    assert not any("no predictor was kept" in note for note in calm)


@pytest.mark.parametrize(
    ("fixed", "again", "usual"),
    [(0.86, 0.76, "acceptable to excellent"), (0.65, 0.61, "poor"), (0.72, 0.69, "poor to accep")],
)
def test_both_readings_of_the_auc_have_their_usual_word(
    fixed: float, again: float, usual: str
) -> None:
    ways = {
        way: {"auc": {"apparent": 0.9, "optimism": 0.9 - value, "corrected": value}}
        for way, value in (("printed", fixed), ("repeated", again))
    }
    assert f"({usual}" in pairs({"ways": ways})


def test_a_model_without_a_printed_predictor_says_which() -> None:
    data = raw().assign(method="cEMR")
    result = rn.reproduce("duan2024", data=data, resamples=20)
    said = "Resection method does not vary in these patients, so that the printed model is one of"
    claim = result.claims.set_index("claim").loc["model_accuracy"]
    assert said in claim["sentence"]
    assert any(said in sentence for sentence in result.answer)
    assert not any("does not vary" in sentence for sentence in study("rnet_like_a").answer)
    ways = {"printed": {"auc": {"apparent": 0.7, "optimism": 0.1, "corrected": 0.6}}}
    two = pairs({"ways": ways, "alike": ["NLR > 4.44", "Size > 14.89 mm"]})
    assert two.endswith(
        " NLR > 4.44 and size > 14.89 mm do not vary in these patients, so that the printed "
        "model is one of the others alone."
    )
