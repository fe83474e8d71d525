"""The study's analyses on cohorts of several shapes."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from reproduced import raw
from reproduced import reproduced as study
from rnetstats.errors import ColumnError, DataError
from rnetstats.evidence.facts import read_facts
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.analysis import _share_positive, judge_cohort
from rnetstats.studies.duan2024.answer import _numbers, answer
from rnetstats.studies.duan2024.arithmetic import PrintedNumbers
from rnetstats.studies.duan2024.claims import outcome_claim, predictor_claims
from rnetstats.studies.duan2024.cohort import MARGIN_LEVELS, prepare
from rnetstats.studies.duan2024.cutoffs import cutoff_row, half_millimetres, youden_cutoff
from rnetstats.studies.duan2024.figures import figures
from rnetstats.studies.duan2024.follow_up import follow_up_rows
from rnetstats.studies.duan2024.incidence import _of_100, incidence_by_margin
from rnetstats.studies.duan2024.margin_models import fit_margin_models, predictors
from rnetstats.studies.duan2024.margin_tables import _model_notes, risk_table
from rnetstats.studies.duan2024.outcome_tables import outcome_table, salvage_table
from rnetstats.studies.duan2024.outcomes import ENDPOINTS, Comparison, compare_groups
from rnetstats.studies.duan2024.salvage import NaiveSalvage, _group, naive_salvage
from rnetstats.studies.duan2024.sections import _methods
from rnetstats.studies.duan2024.table_one import table_one_exhibit
from rnetstats.studies.finding import Contrast, Finding, frames
from rnetstats.studies.study_result import StudyResult
from rnetstats.studies.treatment_verdicts import TREATMENT_RULES
from support import data_path

COHORTS = ("rnet_like_a", "rnet_like_a_missing", "rnet_like_b", "rnet_zero_events")
PREDICTORS = ["method", "lower", "nlr", "size"]


def again(data: object = None, **options: object) -> StudyResult:
    """The study on a cohort, with few resamples: the tests are of what is made of them."""
    return rn.reproduce("duan2024", data=data, resamples=30, **options)  # type: ignore[arg-type]


def claim(result: StudyResult, key: str) -> pd.Series:
    return result.claims.set_index("claim").loc[key]


@pytest.mark.parametrize("name", COHORTS)
def test_every_claim_has_what_a_reader_needs(name: str) -> None:
    claims = study(name).claims
    assert claims["claim"].tolist() == [
        "margin_recurrence",
        "margin_dfs",
        "margin_os",
        *PREDICTORS,
        "model_accuracy",
        "salvage_recurrence",
        "salvage_dfs",
        "salvage_kinds",
        "percent",
        "follow_up",
    ]
    for column in ("statement", "endpoint", "estimand", "events", "method", "verdict", "because"):
        assert claims[column].str.len().gt(0).all()
    assert claims["judged"].sum() == 6


@pytest.mark.parametrize("name", COHORTS)
def test_counts_are_those_of_the_file(name: str) -> None:
    data, result = raw(name), study(name)
    positive = data["margin_positive"] == 1
    either = (data["recurrence"] == 1) | (data["death"] == 1)
    for key, event in (("margin_recurrence", data["recurrence"]), ("margin_dfs", either)):
        row = claim(result, key)
        assert f"{event[positive].sum()} of {positive.sum()}" in row["events"]
        assert f"{event[~positive].sum()} of {(~positive).sum()}" in row["events"]
        assert row["n_events"] == event.sum()


@pytest.mark.parametrize("name", ["rnet_like_a", "rnet_like_b"])
def test_estimates_are_those_of_the_verbs(name: str) -> None:
    data = rn.read_cohort(data_path(f"{name}.csv"), codebook="duan2024")
    fit = rn.cox(data, "Surv(dfs_months, recurrence) ~ margin_positive").to_frame().iloc[0]
    found = study(name).estimates.set_index("claim").loc["margin_recurrence"]
    columns = ["estimate", "conf_low", "conf_high"]
    np.testing.assert_allclose(
        found[columns].to_numpy(float), fit[columns].to_numpy(float), rtol=1e-8
    )
    kept = data[data["method"].astype(object) != "other"].copy()
    formula = (
        'margin_positive ~ method + I(location == "lower") + I(nlr > 4.44) + I(size_mm > 14.89)'
    )
    model = rn.logistic(kept, formula).to_frame().set_index("term")
    for key, term in (("nlr", "I(nlr > 4.44)"), ("size", "I(size_mm > 14.89)")):
        found = study(name).estimates.set_index("claim").loc[key]
        np.testing.assert_allclose(
            found[columns].to_numpy(float), model.loc[term, columns].to_numpy(float), rtol=1e-8
        )


def test_patients_with_another_method_are_left_out_of_the_models_and_said_so() -> None:
    data, result = raw(), study("rnet_like_a")
    assert (data["method"] == "other").sum() == 2
    assert "2 patients with method “other” left out" in claim(result, "nlr")["estimand"]
    fit = result.analysis("multi_firth")
    assert fit is not None
    assert fit.glance()["n"].iloc[0] == len(data) - 2
    assert "left out" not in claim(study("rnet_like_b"), "nlr")["estimand"]


@pytest.mark.parametrize(("others", "words"), [(1, "1 patient with"), (2, "2 patients with")])
def test_one_patient_with_another_method_is_one(others: int, words: str) -> None:
    sheet, attempts = read_facts("duan2024"), Attempts()
    cohort = prepare(rn.read_cohort(raw(), codebook="duan2024"))
    models = fit_margin_models(cohort, sheet, attempts, full=False)
    method, *_ = predictor_claims(models, predictors(sheet), others, attempts)
    assert f"; {words} method “other” left out" in method.estimand
    result: Any = SimpleNamespace(facts={"excluded_method": others})
    text = " ".join(paragraph.text for paragraph in _methods(result).paragraphs)
    said = {1: "The one patient whose", 2: "The 2 patients whose"}[others]
    assert f"{said} resection method is “other” {'is' if others == 1 else 'are'} left out" in text


def test_missing_values_are_counted_and_named() -> None:
    data, result = raw("rnet_like_a_missing"), study("rnet_like_a_missing")
    gone = data.loc[data["method"] != "other", "nlr"].isna().sum()
    assert f"{gone} left out" in claim(result, "nlr")["estimand"]
    notes = " ".join(result.table("margin_models").notes)
    assert f"nlr: {gone} missing" in notes
    assert "Complete-case" in notes


def test_no_recurrence_is_bounded_not_modelled() -> None:
    result = study("rnet_zero_events")
    assert claim(result, "margin_recurrence")["rule"] == "too few"
    assert result.analysis("margin_recurrence_cox_firth") is None
    assert any("no events at all" in reason for reason in result.skipped)
    table = result.table("outcomes_by_margin").to_frame()
    rates = table[table["endpoint"] == "Time to recurrence"]
    assert (rates["rate"] == 0).all()
    assert (rates["rate_high"] > 0).all()
    assert (rates["survival_low"] < 1).all()
    tests = result.table("comparisons_by_margin").to_frame()
    assert np.isnan(tests.loc[0, "logrank_p"])
    assert tests.loc[1, "logrank_p"] > 0


@pytest.mark.slow
def test_an_arm_without_events_gets_the_exact_ratio_of_rates() -> None:
    data = raw()
    none = (data["margin_positive"] == 0) & (data["recurrence"] == 1)
    data.loc[none, "event_type"] = np.where(data.loc[none, "death"] == 1, 2, 0)
    data.loc[none, "dfs_months"] = data.loc[none, "os_months"]
    data.loc[none, "recurrence"] = 0
    result = again(data)
    row = result.estimates.set_index("claim").loc["margin_recurrence"]
    assert row["measure"] == "rate ratio"
    assert np.isinf(row["estimate"])
    assert np.isinf(row["conf_high"])
    assert claim(result, "margin_recurrence")["rule"] == "confirmed"


@pytest.mark.parametrize("name", COHORTS)
def test_salvage_is_never_confirmed(name: str) -> None:
    data, result = raw(name), study(name)
    for key in ("salvage_kinds", "margin_os"):
        assert claim(result, key)["rule"] == "not judged"
    for key in ("salvage_recurrence", "salvage_dfs"):
        row = claim(result, key)
        assert row["rule"] in {rule.name for rule in TREATMENT_RULES}
        assert "confirmed" not in row["sentence"] + row["verdict"]
    treated = data[data["salvage"].isin(["endoscopic", "radical"])]
    before = np.minimum(treated["salvage_days"] / 30.4375, treated["dfs_months"]).sum()
    table = result.table("salvage_naive").to_frame()
    assert table["months_before"].sum() == pytest.approx(before)
    assert table.set_index("salvage").loc["none", "months_before"] == 0
    counted = f"{before:.0f} person-months before salvage as salvaged"
    assert counted in claim(result, "salvage_recurrence")["sentence"]


@pytest.mark.slow
def test_column_order_row_order_and_extra_columns_change_nothing() -> None:
    data = raw()
    odd = data.sample(frac=1, random_state=3)[list(data.columns)[::-1]].assign(remark="x")
    left = study("rnet_like_a").estimates
    right = again(odd).estimates
    pd.testing.assert_frame_equal(left, right, rtol=1e-7)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"margin_positive": 1, "salvage": "none"}, ColumnError, "all margins are positive"),
        ({"method": "other"}, DataError, "every patient has the method 'other'"),
    ],
)
def test_nothing_to_compare_is_refused(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    data = raw().assign(**change)
    if "salvage" in change:
        data["salvage_days"] = np.nan
    with pytest.raises(error, match=message):
        again(data)


@pytest.mark.slow
def test_a_predictor_without_variation_is_left_out_and_said_so() -> None:
    result = again(raw().assign(nlr=2.0))
    assert claim(result, "nlr")["rule"] == "not judged"
    assert "the same value" in claim(result, "nlr")["sentence"]
    assert "too few" not in claim(result, "nlr")["sentence"]
    assert any("NLR > 4.44" in reason for reason in result.skipped)
    assert claim(result, "method")["rule"] == "confirmed"
    family = ["margin_recurrence", "margin_dfs", "method", "lower", "nlr", "size"]
    rows = result.claims.set_index("claim").loc[family]
    larger = rows[["p_value", "p_exact"]].max(axis=1)
    assert math.isnan(larger["nlr"])
    assert math.isnan(rows.loc["nlr", "p_adjusted"])
    smallest = larger.idxmin()
    np.testing.assert_allclose(
        rows.loc[smallest, "p_adjusted"], 6 * larger[smallest], rtol=1e-12
    )  # a claim that cannot be estimated stays in the family
    assert result.claims["judged"].sum() == 6, "the report names the family's size"


def test_own_cutoff_is_the_best_of_all_and_shown_without_p() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert youden_cutoff(values, np.array([0, 0, 0, 1, 0, 1])) == 3.5
    assert np.isnan(youden_cutoff(values, np.ones(6)))
    assert np.isnan(youden_cutoff(np.ones(6), np.array([0, 0, 0, 1, 0, 1])))
    table = study("rnet_like_a").table("cutoffs")
    assert not [name for name in table.to_frame().columns if "p_value" in name or "conf" in name]
    for _, part in table.to_frame().groupby("variable"):
        own, printed = (
            part[part["source"] == s]["youden"].iloc[0] for s in ("best in this cohort", "printed")
        )
        assert own >= printed
    assert "optimistic" in table.notes[0]


def test_a_cutoff_above_everybody_has_no_odds_ratio() -> None:
    data = pd.DataFrame({"nlr": [1.0, 2.0, 3.0], "margin_positive": [0, 1, 1]})
    assert math.isnan(cutoff_row(data, "nlr", 3.0)["odds_ratio"])
    assert math.isnan(cutoff_row(data, "nlr", 0.5)["odds_ratio"])
    assert cutoff_row(data, "nlr", 2.0)["odds_ratio"] == 1.5 * 1.5 / (0.5 * 1.5)


def test_cutoff_counts_by_hand() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan], "margin_positive": [0, 1, 1, 1]})
    row = cutoff_row(frame, "x", 1.5)
    assert (row["positive_above"], row["n_above"], row["positive_below"], row["n_below"]) == (
        2,
        2,
        0,
        1,
    )
    assert row["youden"] == 1.0
    assert row["odds_ratio"] == pytest.approx(2.5 * 1.5 / (0.5 * 0.5))
    assert half_millimetres(pd.Series([1.0, 2.5, np.nan]))
    assert not half_millimetres(pd.Series([1.2]))


@pytest.mark.slow
def test_synthetic_cohorts_say_so_and_users_files_do_not() -> None:
    drawn = again(seed=3, truth="smooth")
    assert drawn.synthetic
    assert "synthetic" in drawn.source
    assert drawn.seed == 3
    assert drawn.options["truth"] == "smooth"
    assert "drawn by a computer" in drawn.answer[-1]
    assert not study("rnet_like_a").synthetic
    assert "synthetic" not in " ".join(study("rnet_like_a").answer)


@pytest.mark.slow
def test_the_result_survives_json() -> None:
    result = study("rnet_like_a")
    again = StudyResult.from_dict(result.to_dict())
    pd.testing.assert_frame_equal(again.claims, result.claims)
    assert again.answer == result.answer
    assert list(again.tables) == list(result.tables)


def test_the_event_of_disease_free_survival_is_derived_where_it_is_missing() -> None:
    frame = rn.read_cohort(data_path("rnet_like_a.csv"), codebook="duan2024")
    expected = frame["dfs_event"]
    cohort = prepare(frame.drop(columns="dfs_event"))
    assert cohort.everyone["dfs_event"].tolist() == expected.tolist()
    assert any("dfs_event was derived" in note for note in cohort.notes)


def moved(to_negative: int, n: int = 12) -> pd.DataFrame:
    """Twelve early recurrences, so many of them among negative margins; the times are alike."""
    data = raw().assign(recurrence=0, dfs_months=lambda d: d["os_months"])
    event = np.where(data["death"] == 1, 2, 0)
    for margin, count in ((1, n - to_negative), (0, to_negative)):
        rows = data.index[data["margin_positive"] == margin]
        chosen = rows[np.argsort(data.loc[rows, "os_months"])[::-1][:count]]
        data.loc[chosen, "recurrence"] = 1
        data.loc[chosen, "dfs_months"] = 12.0 + np.arange(count)
        event[chosen] = 1
    return data.assign(event_type=event)


@pytest.mark.parametrize(
    ("negative", "rule"),
    [(0, "confirmed"), (1, "confirmed"), (3, "confirmed"), (4, "compatible"), (6, "compatible")],
)
def test_a_sparse_arm_is_judged_by_an_exact_test_too(negative: int, rule: str) -> None:
    cohort = rn.read_cohort(moved(negative), codebook="duan2024")
    row = judge_cohort(cohort).set_index("claim").loc["margin_recurrence"]
    assert (row["n_events"], row["fewest_events"]) == (12, min(negative, 12 - negative))
    assert row["rule"] == rule
    assert math.isnan(row["p_exact"]) is (negative >= 5)
    if 0 < negative < 5:
        assert row["p_adjusted"] >= row["p_exact"], "the larger P is the one adjusted"
        assert (f"{negative} event" in row["because"]) is (rule == "confirmed")
    if negative == 1:
        assert "with 1 event in one arm the size of the effect is not known" in row["sentence"]
    if negative == 0:
        assert "no event in one arm the size has one bound only" in row["sentence"]


def test_an_exact_test_that_does_not_agree_lowers_the_verdict() -> None:
    contrast = Contrast("a against b", "HR", 9.0, 1.5, 80.0, 6, 100, 1, 100)
    sparse = Finding(
        key="claim",
        statement="A is worse",
        endpoint="Recurrence",
        estimand="A against B",
        method="Cox model",
        events="6 and 1",
        said="Said.",
        direction="greater",
        n_events=7,
        smallest=100,
        fewest=1,
        contrasts=(contrast,),
        p_value=0.004,
        p_exact=0.12,
    )
    lowered, _ = frames([sparse], where="Here")
    assert lowered["rule"].item() == "sparse arm"
    assert lowered["p_adjusted"].item() == 0.12
    assert "suggested only: one arm has too few events" in lowered["sentence"].item()
    several = replace(sparse, fewest=6, p_exact=math.nan)
    assert frames([several], where="Here")[0]["rule"].item() == "confirmed"
    both, _ = frames([sparse, replace(several, key="other")], where="Here")
    assert both["p_adjusted"].tolist() == [0.12, 0.008], "the family takes the larger P"


@pytest.mark.slow
def test_completeness_of_follow_up_by_hand_and_only_where_dates_allow() -> None:
    assert "Completeness" not in study("rnet_like_a").table("follow_up").display()
    data = raw().assign(enrolment_date="2015-01-01")
    data.loc[data.index[::2], "enrolment_date"] = "2014-07-01"
    table = again(data).table("follow_up")
    row = table.to_frame().iloc[0]
    days = (pd.to_datetime(data["enrolment_date"]) - pd.Timestamp("2014-07-01")).dt.days
    months = data["os_months"]
    end = (days + months * 30.4375).round().max()
    assert row["closing"] == str((pd.Timestamp("2014-07-01") + pd.Timedelta(days=end)).date())
    possible = np.where(data["death"] == 1, months, (end - days) / 30.4375)
    expected = months.sum() / np.maximum(possible, months).sum()
    assert row["completeness"] == pytest.approx(expected, rel=1e-3)
    assert row["closing"] in table.caption
    assert not table.notes


@pytest.mark.slow
def test_patients_without_a_date_are_left_out_of_completeness_and_counted() -> None:
    data = raw().assign(enrolment_date="2015-01-01")
    dead = data.index[data["death"] == 1][:2]
    data.loc[dead, "enrolment_date"] = None
    found = again(data)
    table = found.table("follow_up")
    row = table.to_frame().iloc[0]
    dated = data.drop(index=dead)
    months, end = dated["os_months"], (dated["os_months"] * 30.4375).round().max() / 30.4375
    possible = np.where(dated["death"] == 1, months, end)
    assert row["completeness"] == pytest.approx(
        months.sum() / np.maximum(possible, months).sum(), rel=1e-3
    )
    assert int(row["n"]) == len(data)
    assert table.notes == (
        f"Completeness is that of the {len(data) - 2} of {len(data)} patients whose date of "
        "enrolment is known.",
    )
    assert not any("ompleteness" in line for line in found.skipped)


@pytest.mark.slow
def test_the_curves_name_their_endpoint() -> None:
    drawn = {}
    for made in figures(study("rnet_like_a")):
        if made.name.startswith("km_"):
            figure = plt.figure()
            made.draw(figure)
            drawn[made.name] = figure.axes[0].get_xlabel()
    plt.close("all")
    assert drawn == {
        "km_recurrence": "Months to recurrence (deaths censored)",
        "km_dfs": "Months to recurrence or death",
        "km_os": "Months to death",
        "km_salvage_naive": "Months to recurrence (deaths censored)",
    }


def test_patients_without_an_outcome_are_counted_as_left_out() -> None:
    data = raw()
    data.loc[data.index[:7], "recurrence"] = np.nan
    data.loc[data.index[5:9], "dfs_months"] = np.nan
    data.loc[data.index[20:22], "margin_positive"] = np.nan
    data.loc[data.index[20:22], "salvage"] = np.nan
    cohort = prepare(rn.read_cohort(data, codebook="duan2024"))
    frame = cohort.by_margin()
    found = [
        compare_groups(frame, "margin", endpoint, seed=1, attempts=Attempts(), full=False)
        for endpoint in ENDPOINTS[::2]
    ]
    assert [comparison.n_missing for comparison in found] == [11, 2]
    first = outcome_claim(found[0])
    assert "patients whose margin and outcome are known (11 left out)" in first.estimand
    assert first.events.endswith(" (of 11 more the margin or the outcome is not known)")
    plain = [replace(comparison, fits=comparison.fits | {"km": None}) for comparison in found]
    table = outcome_table(plain)
    assert table.caption.startswith("Patients whose margin and outcome are known.")
    assert "missing: 11 (time to recurrence), 2 (overall survival)." in table.notes[-1]
    whole = [replace(comparison, n_missing=0) for comparison in plain]
    assert outcome_table(whole).caption.startswith("All patients.")
    assert "all patients" in outcome_claim(whole[0]).estimand
    rows = follow_up_rows(cohort, Attempts())
    assert (rows[0]["group"], rows[0]["n"]) == ("all with known margin and follow-up", 525)
    patients = table_one_exhibit(cohort)
    assert patients.caption.endswith("patients whose margin is known.")


def test_a_group_of_whom_no_outcome_is_known_has_no_share_and_no_ratio() -> None:
    data = raw().astype({"dfs_months": float})
    data.loc[data["margin_positive"] == 0, "dfs_months"] = np.nan
    cohort, attempts = prepare(rn.read_cohort(data, codebook="duan2024")), Attempts()
    found = compare_groups(cohort.by_margin(), "margin", ENDPOINTS[0], seed=1, attempts=attempts)
    assert found.fits.get("cox_firth") is None
    assert found.fits.get("rate_ratio") is None
    finding = outcome_claim(found)
    assert finding.contrasts == ()
    assert finding.said == (
        "Of no patient with a negative margin is the outcome known, so that there is nothing to "
        "compare."
    )
    assert finding.method == "not estimated"
    assert any("of one group no outcome is known" in reason for reason in attempts.skipped)


def test_naive_counts_name_what_is_not_known() -> None:
    data = rn.read_cohort(raw(), codebook="duan2024")
    rows = data[(data["margin_positive"] == 1) & (data["salvage"] == "none")].copy()
    rows["recurrence"] = rows["recurrence"].astype(float)
    rows.loc[rows.index[:3], "recurrence"] = np.nan
    groups = pd.DataFrame([_group(rows, "none")])
    assert groups["n_outcome_unknown"].tolist() == [3]
    assert groups["n"].tolist() == [len(rows)]
    note = salvage_table(NaiveSalvage(groups, {}, {}, None)).notes[-1]
    assert note.startswith("Whether 3 patients had an event")
    data.loc[data["margin_positive"] == 1, "salvage"] = np.nan
    attempts = Attempts()
    assert naive_salvage(prepare(data), seed=1, attempts=attempts) is None
    assert attempts.skipped[0].startswith("181 patients with a positive margin in all analyses")


def test_a_size_has_one_bound_only_where_the_other_is_infinite() -> None:
    ends = {"events_1": 31, "n_1": 31, "events_0": 80, "n_0": 494}
    for high, said in ((math.inf, "one bound only"), (9.7e5, "the size of the effect is not")):
        contrast = Contrast("size", "OR", 3228.6, 180.5, high, **ends)
        counts = {"n_events": 111, "smallest": 31, "fewest": 0, "p_value": 1e-9, "p_exact": 1e-9}
        found = Finding(
            "k", "s", "e", "q", "m", "x", "y.", "greater", contrasts=(contrast,), **counts
        )
        claims, _ = frames([found], where="Here")
        assert said in claims["sentence"].iloc[0]


def test_a_column_in_another_unit_is_asked_about() -> None:
    data = rn.read_cohort(raw(), codebook="duan2024")
    assert not any("Please check" in note for note in prepare(data).notes)
    for name, per in (("size_mm", 10.0), ("os_months", 12.0)):
        other = data.assign(**{name: data[name] / per})
        first = prepare(other).notes[0]
        assert first.startswith(f"Please check: the largest {name} of 527 patients is ")
        assert "nothing was converted" in first
        few = other.head(49)
        assert not any("Please check" in note for note in prepare(few).notes)


def test_the_share_of_follow_up_is_that_of_the_printed_groups() -> None:
    sheet = read_facts("rnetstats.studies.duan2024")
    printed = PrintedNumbers.of(sheet)
    groups = pd.DataFrame({"group": MARGIN_LEVELS, "n": [100, 10], "months": [5000.0, 500.0]})
    even = Comparison(ENDPOINTS[0], groups, {}, {})
    assert _share_positive(even, printed) == pytest.approx(181 / 527)
    longer = replace(even, groups=groups.assign(months=[5000.0, 1000.0]))
    assert _share_positive(longer, printed) == pytest.approx(362 / (362 + 346))
    assert _share_positive(replace(even, groups=groups.assign(n=[100, 0])), printed) is None


def test_limits_of_risks_are_doubted_where_an_odds_ratio_is_infinite() -> None:
    data = rn.read_cohort(raw(), codebook="duan2024")
    above = data["size_mm"] > 14.89
    cohort = prepare(data.assign(margin_positive=data["margin_positive"].where(~above, 1)))
    sheet, attempts = read_facts("rnetstats.studies.duan2024"), Attempts()
    models = fit_margin_models(cohort, sheet, attempts)
    table = risk_table(models, predictors(sheet), attempts)
    assert table is not None
    assert "infinite by maximum likelihood" in table.notes[0]
    plain = fit_margin_models(prepare(data), sheet, attempts)
    sound = risk_table(plain, predictors(sheet), attempts)
    assert sound is not None
    assert sound.notes == ()


def test_a_death_is_an_event_of_disease_free_survival_whatever_is_known_of_recurrence() -> None:
    data = raw().assign(recurrence=lambda d: d["recurrence"].astype(float))
    died, lives = (data.index[data["death"] == k][0] for k in (1, 0))
    data.loc[[died, lives], "recurrence"] = np.nan
    for columns in ([], ["event_type"]):
        frame = prepare(rn.read_cohort(data.drop(columns=columns), codebook="duan2024")).everyone
        assert frame.loc[died, "dfs_event"] == 1
        assert math.isnan(frame.loc[lives, "dfs_event"])
        assert frame["dfs_event"].isna().sum() == 1


def test_incidence_and_table_one_take_columns_of_one_value() -> None:
    data = rn.read_cohort(raw(), codebook="duan2024")
    everybody = data.assign(recurrence=1, event_type=1, dfs_event=1, size_mm=10.0)
    everybody.attrs = data.attrs
    cohort, attempts = prepare(everybody), Attempts()
    found = incidence_by_margin(cohort, attempts)
    assert attempts.skipped == []
    assert found.curves is not None
    assert found.curves.to_frame()["incidence"].max() == pytest.approx(1.0)
    shown = table_one_exhibit(cohort).shown
    assert shown.loc[shown["Characteristic"] == "Tumour size (mm), mean (SD)"].iloc[0, 1] == (
        "10.0 (0.0)"
    )


def test_a_model_without_predictors_has_no_outcomes_per_parameter() -> None:
    data = rn.read_cohort(raw(), codebook="duan2024")
    alike = data.assign(method="ESD", location="lower", nlr=2.0, size_mm=10.0)
    alike.attrs = data.attrs
    sheet, attempts = read_facts("rnetstats.studies.duan2024"), Attempts()
    for frame, many in ((data, 1), (alike, 0)):
        models = fit_margin_models(prepare(frame), sheet, attempts)
        notes = " ".join(_model_notes(models))
        assert notes.count("outcomes per parameter") == many
        assert "–" not in notes


def test_two_methods_are_compared_by_name() -> None:
    data = rn.read_cohort(raw(), codebook="duan2024")
    two = data.assign(method=data["method"].astype(object).where(data["method"] == "ESD", "cEMR"))
    two["method"] = pd.Categorical(two["method"], categories=["cEMR", "ESD"])
    two.attrs = data.attrs
    sheet, attempts = read_facts("rnetstats.studies.duan2024"), Attempts()
    models = fit_margin_models(prepare(two), sheet, attempts)
    method, *_ = predictor_claims(models, predictors(sheet), 0, attempts)
    assert [c.label for c in method.contrasts] == ["ESD against cEMR"]
    assert method.said.startswith("ESD against cEMR: ")


def test_the_answer_reads_as_sentences() -> None:
    rules = {"margin_recurrence": "too few", "margin_dfs": "compatible"}
    rules |= dict.fromkeys((*PREDICTORS, "model_accuracy", "salvage_kinds"), "not judged")
    rules |= {"salvage_recurrence": "too few", "salvage_dfs": "association against"}
    claims = pd.DataFrame(
        {
            "claim": name,
            "rule": rule,
            "verdict": rule,
            "events": "none of them",
            "estimate_text": "none",
            "fewest_events": 9,
            "n_events": 9,
        }
        for name, rule in rules.items()
    )
    ways = {"printed": {"auc": {"apparent": 0.6, "corrected": 0.5}}}
    printed = PrintedNumbers.of(read_facts("rnetstats.studies.duan2024"))
    text = " ".join(answer(claims, printed, {"ways": ways}, synthetic=False))
    assert "All four printed predictors of a positive margin are not judged here." in text
    assert "That the prediction model is highly accurate is not judged here. Of 100" in text
    assert (
        "is beyond judging (too few events) for the time to recurrence, and met by an association "
        "the other way (no effect either) for recurrence or death."
    ) in text


@pytest.mark.parametrize(
    ("rule", "p", "said"),
    [
        ("compatible", 0.025, "; P 0.025 taken alone, 0.098 after allowance for all claims."),
        ("compatible", 0.06, "HR 1.58 (1.06 to 2.33)."),
        ("confirmed", 0.001, "HR 1.58 (1.06 to 2.33)."),
    ],
)
def test_the_answer_says_why_an_interval_beside_no_effect_shows_nothing(
    rule: str, p: float, said: str
) -> None:
    row = {
        "rule": rule,
        "events": "recurrences or deaths: 43 of 181 with, 59 of 346 without",
        "estimate_text": "HR 1.58 (1.06 to 2.33)",
        "fewest_events": 43,
        "p_value": p,
        "p_text": "0.025",
        "p_adjusted_text": "0.098",
    }
    assert _numbers(row).endswith(said)


@pytest.mark.parametrize(
    ("rule", "p", "exact", "said"),
    [
        ("compatible", 0.016, "0.067", "P 0.016 (exact test 0.067) taken alone, 0.20 after "
         "allowance for all claims, and with 3 events in one arm the size is not known."),
        ("too few", 0.016, "–", "P 0.016 taken alone, 0.20 after allowance for all claims, and "
         "with 3 events in one arm the size is not known."),
        ("compatible", 0.06, "0.067", "with 3 events in one arm neither the direction nor the size "
         "is known."),
        ("confirmed", 0.001, "0.002", "an exact test shows the direction, but the size is not "
         "known."),
    ],
)  # fmt: skip
def test_few_events_do_not_contradict_the_interval(
    rule: str, p: float, exact: str, said: str
) -> None:
    """An interval that leaves no effect out does show a direction, taken alone."""
    row = {
        "rule": rule,
        "events": "recurrences: 8 of 181 with, 3 of 346 without",
        "estimate_text": "HR 3.90 (1.29 to 13.53)",
        "fewest_events": 3,
        "p_value": p,
        "p_text": f"{p:g}",
        "p_exact_text": exact,
        "p_adjusted_text": "0.20",
    }
    assert _numbers(row).endswith(said)


def test_an_exact_ratio_confirmed_has_one_bound() -> None:
    row = {
        "rule": "confirmed",
        "events": "recurrences: 63 of 166 with, 0 of 361 without",
        "estimate_text": "rate ratio ∞ (44.58 to ∞)",
        "fewest_events": 0,
        "p_value": 1e-9,
    }
    assert _numbers(row).endswith("shows the direction, and the size has one bound only.")


def test_an_incidence_beyond_the_follow_up_is_not_shown_as_a_number() -> None:
    row = {"incidence": 0.0349, "conf_low": 0.011, "conf_high": 0.082}
    assert _of_100(row) == "3.5 (1.1 to 8.2)"
    assert _of_100(row | {"conf_low": math.nan, "conf_high": math.nan}) == "3.5 (no interval)"
    assert _of_100(dict.fromkeys(row, math.nan)) == "– (not followed that long)"


def test_a_group_without_time_at_risk_has_no_rate_and_the_reason_is_in_words() -> None:
    rows = raw().assign(dfs_months=0.0, os_months=0.0)
    rows["salvage_days"] = rows["salvage_days"].where(rows["salvage_days"].isna(), 0)
    cohort, attempts = prepare(rn.read_cohort(rows, codebook="duan2024")), Attempts()
    frame = cohort.by_margin()
    found = compare_groups(frame, "margin", ENDPOINTS[0], seed=1, attempts=attempts)
    assert found.fits.get("rate_ratio") is None
    reason = next(line for line in attempts.skipped if "rate ratio" in line)
    assert reason.endswith("a group has no time at risk (every time is 0), so that it has no rate")
