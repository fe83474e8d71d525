"""The study of 322 patients: no recurrence, and treatment that was almost determined."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from reproduced import reproduced_synthetic
from rnetstats.errors import ColumnError, DataError, OptionError
from rnetstats.evidence.facts import read_facts
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.cha2019.analysis import _answer, _how_many
from rnetstats.studies.cha2019.bounds import bounds_of
from rnetstats.studies.cha2019.claims import factor_findings, overlap_sentence
from rnetstats.studies.cha2019.cohort import prepare
from rnetstats.studies.cha2019.definitions import (
    DEFAULT,
    DEFINITIONS,
    Definition,
    by_definition,
)
from rnetstats.studies.cha2019.figures import _methods, _sides, figures
from rnetstats.studies.cha2019.treatment_model import (
    TreatmentModel,
    fit_treatment_model,
    model_table,
)
from rnetstats.studies.finding import frames
from rnetstats.studies.study_result import StudyResult

BOUNDS = bounds_of(read_facts("cha2019"), read_facts("duan2024"))


def study(truth: str | None = None) -> StudyResult:
    return reproduced_synthetic("cha2019", truth)


def rule(result: StudyResult, key: str) -> str:
    return str(result.claims.set_index("claim").loc[key, "rule"])


def test_bounds_are_those_of_the_printed_counts() -> None:
    """0 of n: the two-sided Clopper-Pearson limit is 1 - 0.025^(1/n)."""
    for n, high in BOUNDS.risks.values():
        assert high == pytest.approx(1.0 - 0.025 ** (1.0 / n), rel=1e-10)
    assert [n for n, _ in BOUNDS.risks.values()] == [322, 98, 44]
    assert [round(100 * high, 1) for _, high in BOUNDS.risks.values()] == [1.1, 3.7, 8.0]
    years = 161 * 40.49 / 12
    assert BOUNDS.least_years == pytest.approx(years)
    assert BOUNDS.rate == pytest.approx(-math.log(0.025) / years * 100)
    assert (math.floor(BOUNDS.least_years), round(BOUNDS.rate, 2)) == (543, 0.68)


def test_the_two_studies_conflict_by_hand() -> None:
    expected = 12 / (527 * 72) * 322 * 40.49
    assert BOUNDS.expected == pytest.approx(expected)
    assert BOUNDS.chance_of_none == pytest.approx(math.exp(-expected))
    assert round(BOUNDS.chance_of_none, 3) == 0.016
    # given 12 events in all, each falls here with the share of the time: none has (1 - share)^12
    share = BOUNDS.years / (BOUNDS.years + BOUNDS.other_years)
    assert BOUNDS.chance_allowing == pytest.approx(2 * (1 - share) ** 12, rel=1e-9)
    table = study().tables["conflict"]
    assert table["probability"].sum() == pytest.approx(1.0, abs=1e-3)
    assert table.loc[0, "probability"] == pytest.approx(BOUNDS.chance_of_none)


@pytest.mark.slow
def test_claims_and_rules_under_each_truth() -> None:
    published, null, recurring = study(), study("null"), study("duan_rate")
    assert rule(published, "no_recurrence") == "bound only"
    assert rule(published, "regardless") == "not comparable"
    assert rule(null, "regardless") == "bound only"
    assert rule(recurring, "no_recurrence") == "differs"
    factors = published.claims["claim"].str.startswith("treated_")
    assert (published.claims.loc[factors, "rule"] == "confirmed").all()
    assert "confirmed" not in set(null.claims["rule"])
    assert published.claims["judged"].sum() == 7
    assert "nan" not in " ".join(published.claims["sentence"])


def test_the_model_is_that_of_the_verbs_and_the_methods_differ_in_size_only() -> None:
    cohort = rn.load_cohort("cha2019")
    cohort["treated"] = (cohort["additional_treatment"] != "none").astype(int)
    cohort = cohort[by_definition(cohort) == 1]
    formula = 'treated ~ C(detection, ref="polyp") + C(margin, ref="negative") + lvi'
    table = study().tables["treatment_model"]
    firth = rn.logistic(cohort, formula).to_frame().set_index(["term", "level"])
    for row in table[table["fit"] == "firth"].itertuples():
        assert row.estimate == pytest.approx(firth.loc[(row.term, row.level), "estimate"])
    side = table.assign(above=table["estimate"] > 1).groupby("factor")["above"].nunique()
    assert (side == 1).all()
    assert set(table["fit"]) == {"ml", "firth", "log_f", "exact"}
    distance = table.assign(size=np.abs(np.log(table["estimate"]))).groupby("fit")["size"].sum()
    assert distance["ml"] > distance["firth"] > distance["log_f"]


def test_the_embedded_cohort_meets_the_print() -> None:
    cohort = rn.load_cohort("cha2019")
    flag = by_definition(cohort)
    treated = cohort["additional_treatment"] != "none"
    assert (len(cohort), int(flag.sum()), int(treated.sum())) == (322, 142, 44)
    assert not (treated & (flag == 0)).any()
    assert cohort["recurrence"].sum() == 0
    assert cohort["follow_up_months"].median() == pytest.approx(40.49, abs=0.01)
    assert cohort["first_method"].value_counts()[["cEMR", "mEMR", "ESD"]].tolist() == [97, 122, 103]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (Definition("m", margins=("positive",), lvi=False), [0, 0, 1, 0, 0, 0]),
        (Definition("mi", lvi=False), [0, 1, 1, 0, 0, 0]),
        (Definition("mil"), [0, 1, 1, 1, 0, 0]),
        (Definition("mils", above_mm=10), [0, 1, 1, 1, 1, 0]),
        (DEFAULT, [0, 1, 1, 1, 1, 1]),
    ],
)
def test_definitions_by_hand(definition: Definition, expected: list[int]) -> None:
    frame = pd.DataFrame(
        {
            "margin": ["negative", "indeterminate", "positive", "negative", "negative", "negative"],
            "lvi": [0, 0, 0, 1, 0, 0],
            "size_mm": [10.0, 5.0, 5.0, 5.0, 10.5, 5.0],
            "grade": ["G1", "G1", "G1", "G1", "G1", "G2"],
        }
    )
    assert by_definition(frame, definition).tolist() == expected


def test_a_wider_definition_never_makes_fewer_by_definition() -> None:
    cohort = rn.load_cohort("cha2019")
    flags = [by_definition(cohort, definition) for definition in DEFINITIONS]
    for narrow, wide in itertools.pairwise(flags):
        assert (wide >= narrow).all()


@pytest.mark.slow
def test_missing_values_decide_only_where_nothing_else_does() -> None:
    frame = pd.DataFrame({"margin": [None, "negative", "positive"], "lvi": [1, None, None]})
    flag = by_definition(frame, Definition("margin or invasion"))
    assert flag.isna().tolist() == [False, True, False]
    cohort = rn.load_cohort("cha2019")
    cohort.loc[cohort.index[:5], "margin"] = None
    cohort.loc[cohort.index[:5], ["lvi", "size_mm", "grade"]] = [0, 5.0, "G1"]
    found = rn.reproduce("cha2019", data=cohort)
    assert any(note.startswith("5 patients are left out") for note in found.notes)


def test_what_is_refused() -> None:
    cohort = rn.load_cohort("cha2019")
    with pytest.raises(ColumnError, match="margin"):
        rn.reproduce("cha2019", data=cohort.drop(columns="margin"))
    blank = pd.DataFrame(cohort).assign(margin=None, lvi=0, size_mm=5.0, grade="G1")
    with pytest.raises(DataError, match="of no patient it is known"):
        prepare(blank)
    with pytest.raises(OptionError, match="indeterminate"):
        by_definition(cohort, Definition("x", margins=("close",)))
    with pytest.raises(ColumnError, match="size_mm"):
        by_definition(cohort.drop(columns="size_mm"), DEFAULT)
    with pytest.raises(OptionError, match="at least one reason"):
        rn.not_curative(cohort, margins=[], lvi=False, above_mm=None, grades=[])
    assert rn.not_curative(cohort).equals(by_definition(cohort))
    fewer = rn.reproduce("cha2019", data=cohort.drop(columns=["size_mm", "grade"]))
    assert any("Size or grade is not in the file" in note for note in fewer.notes)


def test_the_answer_does_not_take_the_other_rate_for_exact() -> None:
    said = study().answer[1]
    # 0 of 12 in the share of the time at risk that is this study's, twice the tail
    share = 322 * 40.49 / (322 * 40.49 + 527 * 72)
    assert f"P {2 * (1 - share) ** 12:.3f} with that rate taken as an estimate" in said
    assert said.endswith("or it is chance.")


def test_the_caption_of_table_one_keeps_the_spelling_of_a_grade() -> None:
    caption = {item.name: item.caption for item in study().exhibits}["table_one"]
    assert caption.startswith("Not curative: margin not negative")
    assert "G2" in caption


@pytest.mark.slow
def test_the_answer_says_first_when_the_file_holds_recurrences() -> None:
    cohort = rn.load_cohort("cha2019")
    assert not study().answer[0].startswith("The data hold")
    cohort.loc[cohort.index[:2], "recurrence"] = 1
    first = rn.reproduce("cha2019", data=cohort).answer[0]
    assert first.startswith(f"The data hold 2 recurrences in {len(cohort)} patients")


def test_predictors_that_cannot_be_judged_are_not_called_unconfirmed() -> None:
    data = rn.load_cohort("cha2019")
    treatment = data["additional_treatment"]
    nobody = data.assign(additional_treatment=treatment.where(treatment == "none", "none"))
    nobody.attrs = data.attrs
    result = rn.reproduce("cha2019", data=nobody, resamples=20)
    assert "none of the 5 printed predictors of additional treatment can be judged" in " ".join(
        result.answer
    )


def test_a_factor_that_does_not_vary_leaves_the_others_in_the_model() -> None:
    data = rn.load_cohort("cha2019").assign(lvi=0)
    cohort, attempts = prepare(data), Attempts()
    model = fit_treatment_model(cohort, attempts)
    reasons = [line for line in attempts.skipped if "in the model of additional" in line]
    assert reasons == [
        "Lymphovascular invasion in the model of additional treatment: all patients have the same "
        "value"
    ]
    frame = cohort.open_ended
    alone = rn.logistic(frame, 'treated ~ C(detection, ref="polyp") + C(margin, ref="negative")')
    pd.testing.assert_frame_equal(model.fits["firth"].to_frame(), alone.to_frame())
    claims = {f.key: f for f in factor_findings(model, read_facts("cha2019"))}
    assert claims["treated_lvi"].fixed is not None
    assert claims["treated_lvi"].fixed.because == "No patient of the model has it."
    assert claims["treated_margin_positive"].fixed is None
    assert claims["treated_lvi"].in_family, "the family's size does not depend on the data"
    table, _ = frames(list(claims.values()), where="In these data")
    assert table["judged"].all(), "the report counts the family that Holm's method adjusts for"


@pytest.mark.parametrize(
    ("worth", "words"),
    [
        (19.0, "Hardly anybody is left to compare."),
        (35.0, "So the factors almost decided who was treated, and the groups cannot be compared."),
    ],
)
def test_what_is_left_to_compare_is_said_by_the_rule_that_fits(worth: float, words: str) -> None:
    row = {"c_statistic": 0.9, "n_treated": 40, "n_control": 50, "ess_treated": worth}
    score: Any = SimpleNamespace(glance=lambda: pd.DataFrame([{**row, "ess_control": 45.0}]))
    model = TreatmentModel(frame=pd.DataFrame(), fits={}, separated=None, score=score)
    assert model.comparable is False
    claims = pd.DataFrame({"claim": ["treated_lvi"], "rule": ["confirmed"]})
    assert _answer(BOUNDS, model, claims, synthetic=False)[-1].endswith(words)


def test_the_rarer_of_treated_and_untreated_is_counted_per_parameter() -> None:
    data = rn.load_cohort("cha2019")
    none = data["additional_treatment"] == "none"
    data["additional_treatment"] = data["additional_treatment"].where(~none, "radical")
    data.loc[data.index[none][::4], "additional_treatment"] = "none"
    model = fit_treatment_model(prepare(data), Attempts())
    row = model.fits["firth"].glance().iloc[0]
    assert row["n_events"] > row["n"] / 2
    table = model_table(model, read_facts("cha2019"))
    assert table is not None
    per = (row["n"] - row["n_events"]) / row["df"]
    assert f"{per:.1f} not treated per parameter." in " ".join(table.notes)


def test_an_exact_odds_ratio_that_does_not_exist_is_said_in_words() -> None:
    data = rn.load_cohort("cha2019")
    open_ended = prepare(data).everyone["not_curative"] == 1
    chosen = data["additional_treatment"].astype(object).where(~open_ended, "radical")
    cohort = prepare(
        data.assign(additional_treatment=chosen.where(data["margin"] != "negative", "none"))
    )
    model = fit_treatment_model(cohort, Attempts())
    said = [f.said for f in factor_findings(model, read_facts("cha2019"))]
    exact = model.fits["exact"].to_frame()
    assert exact["estimate"].isna().any()
    assert not any("–" in text for text in said)
    assert any("(none by the exact method" in text for text in said)
    table = model_table(model, read_facts("cha2019"))
    assert table is not None
    assert "–" in set(table.shown["Exact conditional"])
    assert not any("– (–)" in str(cell) for cell in table.shown.to_numpy().ravel())
    assert any(note.startswith("A dash under the exact method") for note in table.notes)
    whole = study().table("treatment_model")
    assert not any(note.startswith("A dash") for note in whole.notes)


def test_words_in_the_figure_of_the_conflict_stand_on_no_bar() -> None:
    from matplotlib.figure import Figure

    drawn = next(figure for figure in figures(study()) if figure.name == "conflict")
    canvas = Figure(figsize=drawn.size)
    axes = drawn.draw(canvas)
    canvas.draw_without_rendering()
    words = axes.get_legend().get_window_extent()
    assert not any(bar.get_window_extent().overlaps(words) for bar in axes.patches)


def test_confirmed_predictors_are_counted_in_words() -> None:
    assert [_how_many(some, 5) for some in (0, 1, 5)] == ["none of the 5", "1 of the 5", "all 5"]
    assert "all 5 printed predictors of additional treatment are confirmed" in study().answer[-1]


def test_an_exact_method_that_gives_nothing_is_not_said_to_stand_beside() -> None:
    model = fit_treatment_model(prepare(rn.load_cohort("cha2019")), Attempts())
    sheet = read_facts("cha2019")
    without = replace(model, fits=model.fits | {"exact": None})
    for made, there in ((model, True), (without, False)):
        table = model_table(made, sheet)
        assert table is not None
        assert ("approximates nothing" in table.notes[0]) is there
        assert ("A dash: no exact result" in table.notes[0]) is not there
        methods = {finding.method for finding in factor_findings(made, sheet)}
        assert all(method.endswith("exact conditional beside it") is there for method in methods)


def test_recurrences_are_counted_where_they_are_known() -> None:
    frame = pd.DataFrame(rn.load_cohort("cha2019")).assign(recurrence=0.0)
    frame.attrs = {}
    classed = frame.index[frame["margin"].astype(object) == "positive"]
    untreated = classed[frame.loc[classed, "additional_treatment"].astype(object) == "none"]
    frame.loc[untreated[:2], "recurrence"] = np.nan
    last = frame.index[prepare(frame).everyone["not_curative"] == 0][-1]
    frame["margin"] = frame["margin"].astype(object)
    frame.loc[last, ["margin", "recurrence"]] = [None, 1.0]
    cohort = prepare(frame)
    assert (cohort.recurrences, cohort.followed) == (1, len(frame) - 2)
    assert len(cohort.everyone) == len(frame) - 1
    text = " ".join(cohort.notes)
    assert "1 patient is left out: margin" in text
    assert "2 patients are left out wherever recurrences are counted" in text
    claims = rn.reproduce("cha2019", data=frame).claims.set_index("claim")
    row = claims.loc["no_recurrence"]
    arm = int((cohort.open_ended["treated"] == 0).sum()) - 2
    assert row["events"].startswith(f"recurrences: 1 of {len(frame) - 2}; ")
    assert row["events"].endswith(f"0 of {arm} without additional treatment")
    assert row["because"] == "1 recurrence in the file, none in print."


def test_where_nobody_was_treated_that_is_the_reason() -> None:
    frame = pd.DataFrame(rn.load_cohort("cha2019")).assign(additional_treatment="none")
    frame.attrs = {}
    row = rn.reproduce("cha2019", data=frame).claims.set_index("claim").loc["regardless"]
    assert row["rule"] == "not judged"
    assert row["because"].startswith("Nobody had additional treatment")


def test_methods_that_differ_in_the_side_are_not_said_to_differ_in_size_alone() -> None:
    result = reproduced_synthetic("cha2019", None)
    (drawn,) = (f for f in figures(result) if f.name == "treatment_methods")
    assert drawn.caption.endswith("size of an odds ratio, not on its side.")
    table = result.tables["treatment_model"].copy()
    table.loc[table.index[0], "estimate"] = 1.0 / table.loc[table.index[0], "estimate"]
    assert _sides(table) == "here even on its side"


@pytest.mark.parametrize(("kept", "words"), [(0, "curative"), (1, "not curative")])
def test_resections_all_of_one_kind_leave_what_needs_no_comparison(kept: int, words: str) -> None:
    cohort = rn.load_cohort("cha2019")
    alike = cohort[by_definition(cohort) == kept]
    result = rn.reproduce("cha2019", data=alike)
    claims = result.claims.set_index("claim")
    assert f"every resection is {words}: there is nobody to compare with" in " ".join(result.answer)
    for key in ("polyp", "conventional"):
        assert claims.loc[key, "rule"] == "not judged"
        assert f"every resection is {words}" in claims.loc[key, "because"]
        assert f"of {len(alike)} (" in claims.loc[key, "sentence"]
    table = next(item for item in result.exhibits if item.name == "table_one")
    assert list(table.shown.columns)[1:] == [f"Overall (n = {len(alike)})", "Missing"]
    assert f"every resection is {words}" in table.caption
    assert claims.loc["share", "estimate_text"] == f"{100 * kept}.0 %"
    judged = claims.loc[claims.index.str.startswith("treated_"), "rule"] != "not judged"
    assert judged.all() if kept else not judged.any()
    assert ("Model of additional treatment: No resection" in " ".join(result.skipped)) is not kept


def test_the_recurrences_of_the_file_have_exact_limits_in_each_group() -> None:
    from scipy import stats

    cohort = rn.load_cohort("cha2019")
    arm = cohort.index[
        (by_definition(cohort) == 1) & (cohort["additional_treatment"].astype(object) == "none")
    ]
    cohort.loc[arm[:6], "recurrence"] = 1
    cohort.loc[arm[6:10], "follow_up_months"] = np.nan
    result = rn.reproduce("cha2019", data=cohort)
    seen = result.tables["recurrences_seen"].set_index("group")
    row = seen.loc["not curative, no additional treatment"]
    n, years = len(arm), cohort.loc[arm, "follow_up_months"].sum() / 12
    assert (row["events"], row["n"]) == (6, n)
    assert row["low"] == pytest.approx(stats.beta.ppf(0.025, 6, n - 5), rel=1e-9)
    assert row["high"] == pytest.approx(stats.beta.ppf(0.975, 7, n - 6), rel=1e-9)
    assert row["years"] == pytest.approx(years)
    assert seen["untimed"].tolist() == [4, 0, 4, 0]
    notes = result.table("recurrences_seen").notes
    assert notes == (
        "The rates leave out 4 patients whose follow-up is not known, with their recurrences.",
    )
    assert not study().table("recurrences_seen").notes
    assert row["rate_low"] == pytest.approx(100 * stats.chi2.ppf(0.025, 12) / 2 / years, rel=1e-9)
    assert row["rate_high"] == pytest.approx(100 * stats.chi2.ppf(0.975, 14) / 2 / years, rel=1e-9)
    free = seen.loc["curative"]
    assert free["high"] == pytest.approx(1 - 0.025 ** (1 / free["n"]), rel=1e-9)
    assert free["rate_high"] == pytest.approx(-100 * math.log(0.025) / free["years"], rel=1e-9)
    claim = result.claims.set_index("claim").loc["no_recurrence"]
    assert claim["estimate_text"].startswith("1.9 % (0.7 % to 4.0 %) in these data; in print")
    said = result.claims.set_index("claim").loc["regardless", "sentence"]
    assert f"6 of {n} without additional treatment, 6.1 % (2.3 % to 12.9 %); 0 of 44 with" in said
    whole = study().claims.set_index("claim").loc["regardless", "sentence"]
    assert "Recurrences in these data" not in whole


def test_a_file_of_fewer_patients_bounds_less_than_the_print() -> None:
    """0 of 40 bounds the risk at 8.8 %, whatever 0 of 322 bounds."""
    few = rn.load_cohort("cha2019").iloc[:40]
    result = rn.reproduce("cha2019", data=few)
    high = f"{100 * (1 - 0.025 ** (1 / 40)):.1f} %"
    assert result.answer[0].startswith(
        f"The data hold no recurrence in 40 patients: a risk of at most {high}"
    )
    claim = result.claims.set_index("claim").loc["no_recurrence"]
    assert claim["estimate_text"] == f"at most {high} in these data; in print at most 1.1 %"
    assert rule(result, "no_recurrence") == "bound only"
    assert rule(study(), "no_recurrence") == "bound only"
    assert not study().answer[0].startswith("The data hold")


def test_one_patient_of_an_arm_is_not_several() -> None:
    cohort = rn.load_cohort("cha2019")
    open_ended = by_definition(cohort) == 1
    chosen = cohort["additional_treatment"].astype(object).where(~open_ended, "none")
    chosen[cohort.index[open_ended & (cohort["lvi"] == 1)][0]] = "radical"
    model = fit_treatment_model(prepare(cohort.assign(additional_treatment=chosen)), Attempts())
    assert "the 1 treated is worth 1 patient and the" in overlap_sentence(model)


def test_every_column_of_a_table_has_a_name() -> None:
    for item in study().exhibits:
        assert all(str(name).strip() for name in item.display().columns), item.name


def test_a_method_without_an_estimate_has_no_row_in_the_figure() -> None:
    from matplotlib.figure import Figure

    result = study()
    table = result.tables["treatment_model"].copy()
    table.loc[table["fit"] == "exact", ["estimate", "conf_low", "conf_high"]] = np.nan
    canvas = Figure()
    axes = _methods(table).draw(canvas)
    words = [label.get_text() for label in axes.get_yticklabels()]
    words += [text.get_text() for text in axes.texts]
    assert any("Firth" in word for word in words)
    assert not any("Exact" in word or "– (–)" in word for word in words)


def test_the_share_not_curative_has_bounds_where_some_cannot_be_classified() -> None:
    cohort = rn.load_cohort("cha2019")
    margin = cohort["margin"].astype(object)
    margin[margin.index % 2 == 0] = None
    blurred = cohort.assign(margin=margin)
    flag = by_definition(blurred)
    no, unknown, n = int((flag == 1).sum()), int(flag.isna().sum()), len(cohort)
    assert no / (n - unknown) > 0.5 > by_definition(cohort).mean()  # of the classified: too high
    result = rn.reproduce("cha2019", data=blurred)
    claim = result.claims.set_index("claim").loc["share"]
    low, high = (f"{100 * share / n:.1f} %" for share in (no, no + unknown))
    assert claim["estimate_text"] == f"{low} to {high}"
    assert claim["events"] == f"not curative: {no} of {n}, {unknown} more not known"
    assert claim["rule"] == "not judged"
    table = next(item for item in result.exhibits if item.name == "definitions")
    known = margin.notna()
    first = table.numbers.iloc[0]
    assert (first["n"], first["not_curative"]) == (known.sum(), (margin == "positive").sum())
    assert "too high" in table.notes[0]
    assert any("no random sample" in note for note in result.notes)
    assert not next(item for item in study().exhibits if item.name == "definitions").notes
    small = cohort.assign(margin="negative", lvi=0, grade="G1", size_mm=5.0)
    small.loc[small.index[:3], "size_mm"] = np.nan
    claim = rn.reproduce("cha2019", data=small).claims.set_index("claim").loc["share"]
    assert (claim["rule"], claim["estimate_text"]) == ("differs", "0.0 % to 0.9 %")
