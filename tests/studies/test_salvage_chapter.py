"""The salvage chapter: its numbers are those of the methods, and it says what is missing."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from reproduced import raw, reproduced
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import prepare
from rnetstats.studies.duan2024.figures import figures
from rnetstats.studies.duan2024.salvage import NaiveSalvage
from rnetstats.studies.duan2024.salvage_claims import (
    _ever_and_never,
    _naive_events,
    _none_seen,
    _support,
    salvage_claims,
)
from rnetstats.studies.duan2024.salvage_comparisons import _without_empty_arms
from rnetstats.studies.duan2024.salvage_effects import _confounders, _rows
from rnetstats.studies.duan2024.salvage_facts import salvage_facts
from rnetstats.studies.duan2024.salvage_margins import (
    HORIZON,
    MARGINS,
    compare_kinds,
    horizon_within,
)
from rnetstats.studies.duan2024.salvage_paragraphs import kinds
from rnetstats.studies.duan2024.salvage_section import _complete
from rnetstats.studies.duan2024.salvage_tables import _reasons
from rnetstats.studies.duan2024.salvage_words import (
    counted,
    fewer_or_more,
    limits_of_100,
    plain_reason,
)
from rnetstats.studies.duan2024.sections import sections
from rnetstats.studies.study_result import StudyResult
from rnetstats.studies.treatment_verdicts import TreatmentEvidence
from support import data_path

FIGURES = {"salvage_lanes", "salvage_changing", "salvage_strategies", "salvage_biases"}


def words(result: StudyResult) -> str:
    chapter = next(section for section in sections(result) if section.id == "salvage")
    return " ".join(f"{p.lead} {p.text}" for p in chapter.paragraphs)


def claim(result: StudyResult, key: str) -> pd.Series:
    return result.claims.set_index("claim").loc[key]


def positives(data: pd.DataFrame) -> pd.DataFrame:
    rows = data[data["margin_positive"] == 1].copy()
    rows.attrs = data.attrs
    return rows.assign(salvage_months=rows["salvage_days"] / 30.4375)


@pytest.fixture(scope="module")
def cohort() -> StudyResult:
    return reproduced("rnet_like_a")


@pytest.mark.slow
def test_effects_are_those_of_the_method(cohort: StudyResult) -> None:
    table = cohort.table("salvage_effects").to_frame()
    data = rn.read_cohort(data_path("rnet_like_a.csv"), codebook="duan2024")
    for endpoint, reading in (
        ("recurrence", "Time to recurrence"),
        ("dfs_event", "Disease-free survival"),
    ):
        alone = rn.treatment_effect(
            positives(data),
            f"Surv(dfs_months, {endpoint}) ~ size_mm + lvi + age",
            treatment_time="salvage_months",
            resamples=30,
            seed=cohort.seed,
        ).to_frame()
        mine = {
            (row["method"], row["measure"], str(row["landmark"])): row
            for row in table[table["reading"] == reading].to_dict("records")
        }
        for row in alone[alone["measure"].isin(["HR", "risk difference"])].to_dict("records"):
            found = mine[row["method"], row["measure"], str(row["landmark"])]
            for name in ("estimate", "conf_low", "conf_high", "p_value", "events_treated"):
                np.testing.assert_allclose(found[name], row[name], rtol=1e-9, err_msg=name)


def test_the_verdict_rests_on_the_time_dependent_ratio(cohort: StudyResult) -> None:
    table = cohort.table("salvage_effects").to_frame()
    row = table[(table["reading"] == "Disease-free survival")].set_index("method")
    changing = row.loc["time-dependent Cox"]
    found = claim(cohort, "salvage_dfs")
    assert f"{changing['events_treated']} after salvage" in found["events"]
    assert f"{changing['estimate']:.2f}" in found["estimate_text"]
    if min(changing["events_treated"], changing["events_untreated"]) < 5:
        assert found["rule"] == "too few"


def test_margins_are_a_demonstration_and_decide_nothing(cohort: StudyResult) -> None:
    table = cohort.table("salvage_margins").to_frame()
    assert set(table["margin_high"].round(6)) == set(MARGINS)
    assert claim(cohort, "salvage_kinds")["rule"] == "not judged"
    # a margin above the smallest that the data support, and only such a one, is met
    supported = table["margin_high"] > table["smallest_margin"]
    assert (supported == (table["verdict"] == "non-inferior")).all()
    few = table[["events_new", "events_reference"]].min(axis=1) < 5
    assert few.any()
    assert table.loc[few, ["conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    assert (table.loc[few, "verdict"] == "too few events to say").all()
    assert not few.all()
    assert table.loc[~few, ["conf_low", "conf_high", "p_value"]].notna().all(axis=None)


def test_risks_are_said_of_100_patients(cohort: StudyResult) -> None:
    table = cohort.table("salvage_risks").to_frame()
    text = words(cohort)
    for row in table[table["reading"] == "Disease-free survival"].to_dict("records"):
        assert f"{100 * row['risk']:.0f} of 100" in text
    difference = 100 * (table.loc[2, "risk"] - table.loc[3, "risk"])
    assert f"if nobody were: {abs(difference):.0f} fewer, and anything from" in text
    assert f"by month {HORIZON:g}" in text
    assert "never confirms" in text


def test_immortal_time_is_the_minor_bias_at_the_delays_of_this_cohort(
    cohort: StudyResult,
) -> None:
    by_delay = cohort.table("salvage_immortal").to_frame()
    early = by_delay[(by_delay["law"] == "fixed") & (by_delay["delay"] <= 3)]
    assert (early.loc[early["delay"] <= 2, "size"] == "minor").all()
    assert (early["hazard_ratio"] > 0.85).all()
    late = by_delay[(by_delay["law"] == "fixed") & (by_delay["delay"] >= 12)]
    assert (late["hazard_ratio"] < early["hazard_ratio"].min()).all()
    biases = cohort.table("salvage_biases").to_frame().set_index("bias")
    larger = biases["rank"].between(1, biases.loc["immortal", "rank"] - 1)
    assert {"residual", "surveillance"} <= set(biases.index[larger])


def test_every_figure_is_there_and_can_be_drawn(cohort: StudyResult) -> None:
    from matplotlib.figure import Figure

    made = {figure.name: figure for figure in figures(cohort)}
    assert set(made) >= FIGURES
    for name in FIGURES:
        canvas = Figure(figsize=made[name].size)
        made[name].draw(canvas)
        assert canvas.axes


@pytest.mark.slow
def test_without_the_day_of_salvage_only_the_naive_comparison_stands() -> None:
    result = rn.reproduce("duan2024", data=raw().drop(columns="salvage_days"), resamples=20)
    assert any("salvage_days" in reason for reason in result.skipped)
    assert "salvage_effects" not in result.tables
    assert "salvage_naive" in result.tables
    assert claim(result, "salvage_dfs")["rule"] == "not judged"
    assert "no verdict rests on them" in words(result)
    assert "Does salvage help?" not in words(result)
    # that nobody was salvaged, or that no time before salvage was misclassified, would be untrue
    naive = result.table("salvage_naive").to_frame().set_index("salvage")
    treated = naive.loc[["endoscopic", "radical"]]
    for key, column in (("salvage_recurrence", "recurrences"), ("salvage_dfs", "dfs_events")):
        counts = f"{treated[column].sum()} of {treated['n'].sum()} salvaged at some time"
        assert counts in claim(result, key)["events"]
        assert f"{treated['n'].sum()} of 181" in claim(result, key)["because"]
        assert "naive" not in claim(result, key)["sentence"]
        assert any(counts in sentence for sentence in result.answer)
    assert treated["months_before"].isna().all()
    assert "the day of salvage is not known" in words(result)


@pytest.mark.slow
def test_a_salvaged_patient_without_a_day_is_left_out_and_counted() -> None:
    data = raw()
    salvaged = data.index[data["salvage"] == "endoscopic"]
    data.loc[salvaged[:2], "salvage_days"] = np.nan
    result = rn.reproduce("duan2024", data=data, resamples=20)
    assert any(reason.startswith("2 salvaged patients") for reason in result.skipped)
    assert " 2 more were salvaged on a day that is not known, and are left out." in words(result)
    lanes = result.analysis("salvage_lanes")
    assert lanes is not None
    assert lanes.glance()["n"].iloc[0] == (data["margin_positive"] == 1).sum() - 2


def test_salvage_after_the_recurrence_counts_as_none() -> None:
    data = rn.read_cohort(raw(), codebook="duan2024")
    attempts = Attempts()
    before = _rows(prepare(data), attempts)
    assert before is not None
    assert not attempts.skipped
    chosen = before.index[before["salvaged"] == 1][:2]
    late = data.copy()
    late.attrs = data.attrs
    late.loc[chosen, "salvage_months"] = late.loc[chosen, "dfs_months"] + [0.1, 30.0]
    rows = _rows(prepare(late), attempts)
    assert rows is not None
    assert len(rows) == len(before)
    assert rows["salvaged"].sum() == before["salvaged"].sum() - 2
    assert rows.loc[chosen, "salvage"].tolist() == ["none", "none"]
    assert rows.loc[chosen, "salvage_months"].isna().all()
    assert attempts.skipped[0].startswith("The salvage of 2 patients in the analyses of salvage")
    on_the_day = data.copy()  # the event came first: (start, stop]
    on_the_day.loc[chosen[0], "salvage_months"] = on_the_day.loc[chosen[0], "dfs_months"]
    rows = _rows(prepare(on_the_day), Attempts())
    assert rows is not None
    assert rows.loc[chosen[0], "salvaged"] == 1


def test_who_is_not_followed_past_the_day_of_resection_is_left_out_and_counted() -> None:
    data = rn.read_cohort(raw(), codebook="duan2024")
    before = _rows(prepare(data), Attempts())
    assert before is not None
    free = before.index[(before["salvaged"] == 0) & (before["dfs_event"] == 0)][0]
    died = before.index[(before["salvaged"] == 0) & (before["death"] == 1)][0]
    at_once = data.copy()
    at_once.attrs = data.attrs
    at_once.loc[[free, died], ["dfs_months", "os_months"]] = 0.0
    attempts = Attempts()
    rows = _rows(prepare(at_once), attempts)
    assert rows is not None
    assert len(rows) == len(before) - 2
    (said,) = attempts.skipped
    assert said.startswith("2 patients in the analyses of salvage as it began: the last visit")
    effect = rn.treatment_effect(
        rows, "Surv(dfs_months, dfs_event) ~ 1", treatment_time="salvage_months", resamples=0
    )
    assert effect.glance()["n"].iloc[0] == len(rows)


def test_one_salvaged_patient_has_no_standardised_difference() -> None:
    data = positives(rn.read_cohort(raw(), codebook="duan2024"))
    first = (np.arange(len(data)) == 0).astype(int)
    chapter: Any = SimpleNamespace(
        n=len(data),
        n_treated=1,
        n_undated=0,
        median_delay=1.0,
        confounders=("size_mm", "age"),
        effects={},
        kinds={},
        immortal=None,
        biases=None,
        detectable=None,
        score=rn.propensity(data.assign(salvaged=first), "salvaged ~ size_mm + age"),
    )
    facts = salvage_facts(chapter)
    assert facts is not None
    assert "most_unlike" not in facts
    several = np.arange(len(data)) % 3 == 0
    chapter.score = rn.propensity(data.assign(salvaged=several), "salvaged ~ size_mm + age")
    again = salvage_facts(chapter)
    assert again is not None
    assert again["most_unlike"]["name"] in ("tumour size", "age")
    table = _reasons(chapter)
    assert table is not None
    notes = table.notes
    assert f"the {several.sum()} patients salvaged are worth " in notes[0]


def evidently(evidence: TreatmentEvidence, *, used: int, n: int = 100, undated: int = 0) -> Any:
    """A chapter with the same evidence for both endpoints, of ``used`` among ``n`` patients."""
    effect = SimpleNamespace(glance=lambda: pd.DataFrame({"n": [used]}))
    return SimpleNamespace(
        evidence=lambda key: evidence,
        effects=dict.fromkeys(("recurrence", "dfs"), effect),
        n=n,
        n_undated=undated,
        kinds={},
        confounders=(),
    )


def test_patients_left_out_are_counted_beside_the_events() -> None:
    seven = TreatmentEvidence(7, 9, 0.8, 0.4, 1.6)
    for used, said in ((100, ""), (75, " (complete cases, 75 of 100)")):
        for found in salvage_claims(evidently(seven, used=used), None)[:2]:
            assert found.events.endswith(f": 7 after salvage, 9 before or without it{said}")
    for undated, them in ((1, "1 salvaged patient"), (3, "3 salvaged patients")):
        (found, *_) = salvage_claims(evidently(seven, used=100, undated=undated), None)
        assert found.events.endswith(f" ({them} left out, the day not being known)")


def test_limits_below_no_difference_meet_any_margin() -> None:
    """Of risks that are lower beyond chance "0 more of 100" would be no margin."""
    lower = {"events_new": 9, "n_new": 60, "events_reference": 20, "n_reference": 30}
    row = {**lower, "sparse": False, "smallest_margin": 0.0, "horizon": 60, "needed": ""}
    (paragraph,) = kinds({"kinds": {"dfs": row}})
    assert "and any margin above 0 would have shown “no worse”" in paragraph.text
    assert "0 more" not in paragraph.text
    arms = {"events_new": [9], "events_reference": [20]}
    result: Any = SimpleNamespace(smallest_margin=0.0, glance=lambda: pd.DataFrame(arms))
    assert _support({"dfs": result}) == (
        "For recurrence or death these patients would have met any margin above 0."
    )


def test_an_arm_without_events_has_no_hazard_ratio(cohort: StudyResult) -> None:
    table = cohort.table("salvage_effects").to_frame()
    empty = table[["events_treated", "events_untreated"]].min(axis=1) == 0
    ratios = table["measure"] == "HR"
    assert table.loc[ratios & empty, "estimate"].isna().all()
    assert table.loc[ratios & ~empty, "estimate"].notna().all()
    made = _without_empty_arms(table.assign(events_treated=0, estimate=0.17))
    assert made.loc[ratios, "estimate"].isna().all()
    assert (made.loc[~ratios, "estimate"] == 0.17).all()
    nobody = TreatmentEvidence(0, 6, 0.17, math.nan, math.nan)
    chapter = evidently(nobody, used=100)
    found = {claim.key: claim for claim in salvage_claims(chapter, None)}
    assert found["salvage_recurrence"].shown == "no hazard ratio"
    assert "0.17" not in found["salvage_recurrence"].said


def test_no_event_at_all_leaves_counts_and_bounds() -> None:
    result = reproduced("rnet_zero_events")
    assert claim(result, "salvage_recurrence")["rule"] in {"not judged", "too few"}
    table = result.table("salvage_margins")
    assert math.isinf(table.to_frame()["smallest_margin"].iloc[0])
    assert set(table.display()["Endoscopic salvage is"]) == {"too few events to say"}
    assert "No recurrence was seen among the 74 patients" in words(result)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (9, "No recurrence was seen among the 9 patients with a positive margin."),
        (7, "among the 9 patients with a positive margin, of whom it is known for 7."),
        (0, "Of none of the 9 patients with a positive margin is it known whether there was a rec"),
    ],
)
def test_no_event_seen_is_said_of_those_of_whom_it_is_known(known: int, said: str) -> None:
    groups = pd.DataFrame({"n": [5, 4], "n_recurrences": [known, 0]})
    assert said in _none_seen("recurrence", groups)


@pytest.mark.slow
def test_nobody_salvaged_is_said() -> None:
    data = raw()
    chosen = data["margin_positive"] == 1
    data.loc[chosen, "salvage"] = "none"
    data["salvage_days"] = np.nan
    result = rn.reproduce("duan2024", data=data, resamples=20)
    assert claim(result, "salvage_dfs")["rule"] == "not judged"
    assert "None of the 181 patients with a positive margin was salvaged" in words(result)
    assert "salvage_effects" not in result.tables


@pytest.mark.slow
def test_everybody_salvaged_leaves_no_risk_of_the_others() -> None:
    data = raw()
    chosen = (data["margin_positive"] == 1) & (data["salvage"] == "none")
    data.loc[chosen, "salvage"] = "endoscopic"
    last = 30.4375 * data.loc[chosen, "dfs_months"] - 5
    data.loc[chosen, "salvage_days"] = np.minimum(60, last).clip(lower=1).round()
    text = words(rn.reproduce("duan2024", data=data, resamples=20))
    assert "All 181 patients with a positive margin were salvaged" in text
    assert "the two strategies cannot be compared" in text
    assert "if nobody were" not in text
    assert "4.86" not in text


@pytest.mark.slow
def test_salvage_on_the_first_day_has_no_immortal_time() -> None:
    data = raw()
    data.loc[data["salvage_days"].notna(), "salvage_days"] = 0
    result = rn.reproduce("duan2024", data=data, resamples=20)
    assert "half of them on the day of the first resection" in words(result)
    assert "so there is none. With a delay (months) of 1" in words(result)
    assert "months on average" not in words(result)


def test_no_text_of_the_chapter_holds_raw_numbers_or_columns(cohort: StudyResult) -> None:
    chapter = next(section for section in sections(cohort) if section.id == "salvage")
    texts = [words(cohort)]
    for name in chapter.exhibits:
        table = cohort.table(name)
        texts += [table.title, table.caption, *table.notes, *table.display().astype(str).stack()]
    together = " ".join(texts)
    odd = r"\bnan\b|\binf\b|dfs_months|size_mm|Surv\(|[-−]0(\.0+)?\b(?!\.)|\b1 patients\b"
    assert not re.findall(odd, together)


def test_the_outcome_section_shows_the_incidence_that_it_speaks_of(cohort: StudyResult) -> None:
    outcome = next(section for section in sections(cohort) if section.id == "outcome")
    assert "incidence_by_margin" in outcome.exhibits
    assert "incidence_by_margin" in outcome.figures


def test_a_power_of_nothing_is_not_said_to_exaggerate(cohort: StudyResult) -> None:
    salvage = cohort.facts["salvage"]
    none = salvage["detectable"] | {"power": 0.001, "low": math.nan, "events": 1}
    text = words(replace(cohort, facts=cohort.facts | {"salvage": salvage | {"detectable": none}}))
    assert "With 1 recurrence, and" in text
    assert "no hazard ratio below 1, however low" in text
    assert "almost none of them would find a significant difference." in text


def test_words() -> None:
    assert counted(1, "recurrence") == "1 recurrence"
    assert counted(0, "dfs") == "0 recurrences or deaths"
    assert fewer_or_more(-0.034) == "3 fewer"
    assert fewer_or_more(-1e-17, 1) == "0.0 more"
    assert limits_of_100(-0.225, -0.002) == "22 fewer to 0.2 fewer", "it leaves 0 out"
    assert fewer_or_more(-0.00496) == "0.5 fewer"
    assert limits_of_100(-0.476, 0.146, 1) == "47.6 fewer to 14.6 more"
    given = (
        "1 event in the treated arm by month 60, besides 1 that stand in both arms, fewer than 5"
    )
    assert plain_reason(f"{given}: no interval and no P") == (
        "1 event among the salvaged by month 60, besides 1 counted under both strategies"
    )
    assert plain_reason(
        "follow-up of the untreated arm ends at month 4.86242, before the horizon"
    ) == ("follow-up under “nobody is salvaged” ends at month 4.9, before the horizon")


def test_patients_needed_say_that_an_unseen_risk_is_its_bound() -> None:
    seen = {"events_new": 3, "n_new": 60, "events_reference": 2, "n_reference": 29}
    row = {**seen, "sparse": True, "smallest_margin": math.nan, "horizon": 60, "needed": "500"}
    none = {**row, "events_new": 0, "events_reference": 0}
    bound = "its upper 95 % bound where nobody had the event"
    assert bound in kinds({"kinds": {"recurrence": none, "dfs": row}})[0].text
    assert bound not in kinds({"kinds": {"recurrence": row, "dfs": row}})[0].text


def test_a_shorter_follow_up_has_a_shorter_horizon() -> None:
    asked = (126.0, 60.0, 59.9, 48.0, 36.0, 30.1, 12.0, 6.0, 5.0)
    found = [horizon_within(longest) for longest in asked]
    assert found == [60.0, 60.0, 48.0, 36.0, 24.0, 24.0, 6.0, None, None]


@pytest.mark.slow
def test_three_years_of_follow_up_still_compare_salvage() -> None:
    data = raw()
    for time, event in (("dfs_months", "recurrence"), ("os_months", "death")):
        data.loc[data[time] > 40.0, event] = 0
        data[time] = data[time].clip(upper=40.0)
    data["event_type"] = np.where(data["recurrence"] == 1, 1, np.where(data["death"] == 1, 2, 0))
    result = rn.reproduce("duan2024", data=data.drop(columns="dfs_event", errors="ignore"))
    text = words(result)
    assert "by month 36 in" in text
    assert "month 60" not in text
    assert claim(result, "salvage_dfs")["rule"] != "not judged"
    assert "within 36 months" in claim(result, "salvage_kinds")["endpoint"]
    assert "by month 36 (95 % CI)" in " ".join(result.table("salvage_risks").display().columns)


def shortened(months: float) -> StudyResult:
    """The study where all of it happened faster, so that the events are still there."""
    data = raw()
    scale = months / data[["dfs_months", "os_months"]].max().max()
    for time in ("dfs_months", "os_months", "salvage_days"):
        data[time] = data[time] * scale
    return rn.reproduce("duan2024", data=data, resamples=20)


@pytest.mark.slow
@pytest.mark.parametrize(("months", "kinds"), [(5.0, False), (8.0, True)])
def test_a_follow_up_too_short_for_salvage_is_said_in_the_words_of_the_report(
    months: float, kinds: bool
) -> None:
    result = shortened(months)
    for key in ("salvage_recurrence", "salvage_dfs"):
        assert claim(result, key)["rule"] == "not judged"
        assert "for more than 12 months" in claim(result, key)["because"]
        assert claim(result, key)["because"] in words(result)
    said = " ".join(result.skipped)
    assert "Salvage as it began, and immortal time: no patient" in said
    assert ("after endoscopic or radical salvage nobody is followed" in said) != kinds
    assert ("salvage_margins" in result.tables) == kinds
    for raised in ("horizon", "grace period", "60", "choose", "delays"):
        assert raised not in said
    # what needs no such time stands
    assert {"salvage_detectable", "salvage_naive"} <= set(result.tables)
    assert "salvage_lanes" in {figure.name for figure in figures(result)}


@pytest.mark.slow
@pytest.mark.parametrize("months", [12.5, 20.0])
def test_immortal_time_is_shown_of_delays_before_the_horizon(months: float) -> None:
    result = shortened(months)
    assert not any("mmortal" in line for line in result.skipped)
    asked = result.table("salvage_immortal").to_frame()["delay"]
    assert {1.0, 2.0, 3.0, 6.0, 9.0} <= set(asked)
    assert asked.max() < 12.0
    assert "by month 12" in words(result)


def test_kinds_of_salvage_followed_for_too_short_are_named() -> None:
    data = rn.read_cohort(raw(), codebook="duan2024")
    rows = _rows(prepare(data), Attempts())
    assert rows is not None
    radical = rows["salvage"] == "radical"
    rows.loc[radical, "dfs_months"] = rows.loc[radical, "salvage_months"] + 5.0
    attempts = Attempts()
    assert compare_kinds(rows, attempts) == {}
    (said,) = attempts.skipped
    assert "after radical salvage nobody is followed" in said
    rows.loc[radical, "dfs_months"] += 2.0
    (first, *_), _ = compare_kinds(rows, attempts).values()
    assert first.options["horizon"] == 6.0
    assert len(attempts.skipped) == 1


def test_each_reading_has_its_own_number_of_patients() -> None:
    def said(recurrence: int, dfs: int) -> str:
        return _complete(
            {"n": 181, "effects": {"recurrence": {"n": recurrence}, "dfs": {"n": dfs}}}
        )

    end = " for whom every factor and the outcome are known."
    assert said(181, 181) == ""
    assert said(167, 167) == f" The comparisons are of the 167{end}"
    both = "167 (recurrence) and the 170 (recurrence or death)"
    assert said(167, 170) == f" The comparisons are of the {both}{end}"


def test_a_factor_that_does_not_vary_among_complete_cases_is_left_out_alone() -> None:
    cohort = prepare(rn.read_cohort(raw(), codebook="duan2024"))
    rows = cohort.positives.copy()
    rows["lvi"] = rows["lvi"].astype(float)
    rows["age"] = rows["age"].astype(float).where(rows["lvi"] == 0.0)
    attempts = Attempts()
    # whoever has an invasion has no age, so that no complete patient has one
    assert _confounders(cohort, rows, attempts) == ("size_mm", "age")
    assert len(attempts.skipped) == 1
    complete = int((rows["lvi"] == 0.0).sum())
    assert attempts.skipped[0].startswith("Adjusting the analyses of salvage for lymphovascular")
    assert f"({complete} of {len(rows)})" in attempts.skipped[0]
    whole = Attempts()
    assert _confounders(cohort, cohort.positives, whole) == ("size_mm", "lvi", "age")
    assert not whole.skipped


def test_events_by_salvage_are_of_patients_of_whom_it_is_known() -> None:
    groups = pd.DataFrame(
        {
            "salvage": ["none", "endoscopic", "radical"],
            "n": [80, 33, 8],
            "recurrences": [4, 1, 0],
            "n_recurrences": [70, 30, 8],
            "dfs_events": [10, 5, 1],
            "n_dfs_events": [80, 25, 8],
        }
    )
    naive = NaiveSalvage(groups, {}, {}, None)
    assert _ever_and_never("recurrence", naive) == (
        "recurrences: 1 of 38 (of 3 more it is not known) salvaged at some time, "
        "4 of 70 (of 10 more it is not known) never salvaged"
    )
    assert _naive_events(naive) == (
        "recurrences: 1 of 30 (of 3 more it is not known) (endoscopic salvage at some time), "
        "0 of 8 (radical salvage at some time); recurrences or deaths: 5 of 25 (of 8 more it is "
        "not known) (endoscopic salvage at some time), 1 of 8 (radical salvage at some time)"
    )


def test_where_everybody_was_salvaged_nobody_is_left_to_compare_with() -> None:
    data = raw()
    positive = data["margin_positive"] == 1
    data.loc[positive & (data["salvage"] == "none"), "salvage"] = "endoscopic"
    late = np.minimum(30, (data["dfs_months"] * 30).astype(int))
    data.loc[positive, "salvage_days"] = late[positive]
    result = rn.reproduce("duan2024", data=data, resamples=20)
    for key in ("salvage_recurrence", "salvage_dfs"):
        row = claim(result, key)
        assert (row["rule"], row["estimate_text"]) == ("not judged", "none")
        assert row["because"].startswith("All 181 patients with a positive margin were salvaged")
        assert "of 181 salvaged at some time" in row["events"]
        assert "never salvaged" not in row["events"]
