"""The study of 81 patients with liver metastases: late treatment, seven patients, truncation."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

import rnetstats as rn
from reproduced import reproduced_synthetic
from rnetstats.errors import ColumnError
from rnetstats.evidence.facts import read_facts
from rnetstats.simulation.cohort_file import read_cohort_file
from rnetstats.simulation.drawers import drawn_parts
from rnetstats.simulation.nelm2024 import seen_intervals
from rnetstats.simulation.nelm2024_truth import interval_law
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.nelm2024.analysis import _answer
from rnetstats.studies.nelm2024.cohort import prepare
from rnetstats.studies.nelm2024.intervals import surveillance_table
from rnetstats.studies.nelm2024.resection import resections
from rnetstats.studies.nelm2024.resection_findings import resection_findings
from rnetstats.studies.nelm2024.rules import _lives, rules_finding, rules_of
from rnetstats.studies.nelm2024.sections import sections
from rnetstats.studies.nelm2024.types import type_finding, type_table, types_of
from rnetstats.studies.study_result import StudyResult

SHEET = read_facts("nelm2024")
KEYS = ["os_primary", "os_liver", "types", "grade", "interval", "surveillance", "rules"]


def study(truth: str | None = None) -> StudyResult:
    return reproduced_synthetic("nelm2024", truth)


def claim(result: StudyResult, key: str) -> pd.Series:
    return result.claims.set_index("claim").loc[key]


@pytest.mark.parametrize("truth", [None, "null"])
def test_every_claim_has_what_a_reader_needs(truth: str | None) -> None:
    claims = study(truth).claims
    assert claims["claim"].tolist() == KEYS
    for column in ("statement", "endpoint", "estimand", "events", "method", "verdict", "because"):
        assert claims[column].str.len().gt(0).all()
    assert not set(claims["rule"]) & {"confirmed", "contradicted"}
    assert set(claims.set_index("claim").loc[["interval", "surveillance", "rules"], "rule"]) == {
        "design"
    }
    assert "nan" not in " ".join(claims["sentence"]).split()


@pytest.mark.slow
def test_estimates_and_counts_are_those_of_the_verbs() -> None:
    cohort = rn.load_cohort("nelm2024")
    start = cohort[cohort["timing"].astype(object) == "synchronous"]
    start = start.assign(
        disseminated=(start["metastasis_type"].astype(object) == "III").astype(int)
    )
    effect = rn.treatment_effect(
        start,
        "Surv(os_months, death) ~ disseminated",
        treatment_time="primary_resection_months",
        methods=["naive", "time-dependent Cox"],
    ).to_frame()
    table = study().tables["survival_by_resection"]
    found = table[table["resection"] == "the primary"].iloc[:2]
    np.testing.assert_allclose(found["estimate"], effect["estimate"], rtol=1e-10)
    late = cohort[cohort["timing"].astype(object) == "asynchronous"]
    counts = pd.crosstab(late["primary"].astype(object), late["metastasis_type"].astype(object))
    types = study().tables["types"].set_index("primary")
    assert types.loc["rectum"].tolist() == counts.loc["rectum"].tolist()
    assert types.to_numpy().sum() == len(late)


def test_five_of_seven_is_the_only_count_that_prints_so() -> None:
    sheet = read_facts("nelm2024")
    most = sheet["rectum"].count
    pairs = [
        (k, n)
        for n, k in product(range(1, most + 1), range(most + 1))
        if k <= n and f"{100 * k / n:.1f}" == sheet["rectal_g2_percent"].value
    ]
    assert pairs == [(sheet["rectal_g2"].count, sheet["rectal_asynchronous"].count)]
    assert "29 % to 96 %" in claim(study(), "grade")["estimate_text"]


def test_what_seven_patients_can_show_by_hand() -> None:
    """Every number of type III among seven, each tested by Fisher."""
    table = study().tables["support"]
    others = int(table["others"].iloc[0])
    for row in table.itertuples():
        hits = [
            k
            for k in range(8)
            if k / 7 > row.others_type_iii / others
            and fisher_exact([[k, 7 - k], [row.others_type_iii, others - row.others_type_iii]])[1]
            < 0.05
        ]
        assert row.fewest == (min(hits) if hits else 0)


@pytest.mark.slow
def test_immortal_time_and_selection_show_a_benefit_where_there_is_none() -> None:
    frames = [drawn_parts("nelm2024", "null", seed, fixed=True)[1].data for seed in range(60)]
    pooled = pd.concat(frames, ignore_index=True)
    pooled = pooled[pooled["timing"] == "synchronous"]
    effect = rn.treatment_effect(
        pooled,
        "Surv(os_months, death) ~ 1",
        treatment_time="primary_resection_months",
        methods=["naive", "time-dependent Cox"],
    ).to_frame()
    naive, changing = effect.itertuples()
    assert naive.conf_high < changing.conf_low < changing.conf_high < 1.0


@pytest.mark.slow
def test_truncation_shortens_what_is_seen_and_reverse_time_puts_it_right() -> None:
    values = read_cohort_file("nelm2024").under("as_published")
    rng = np.random.default_rng(5)
    interval, window = seen_intervals(values, "rectum", 3000, rng)
    assert (interval <= window).all()
    law = interval_law(values, "rectum")
    within = float(law.ppf(0.5 * law.cdf(180.0)))
    frame = {"interval": interval, "window": window}
    row = rn.right_truncated(frame, "interval ~ 1", truncation="window").groups.iloc[0]
    assert row["naive_median"] < 0.8 * within
    assert row["conf_low"] < within < row["conf_high"]
    table = study().tables["truncation"]
    assert (np.diff(table["naive_median"]) > 0).all()
    assert (table["naive_median"] < table["true_median_within"]).all()


def test_one_law_of_the_interval_goes_with_any_risk_still_to_come() -> None:
    table = surveillance_table().numbers
    at_start = 1.0 / (1.0 + (1.0 / 0.10 - 1.0))
    ten = table[table["ever"] == 0.10].set_index("years")["still_to_come"]
    assert (ten < at_start).all()
    assert (np.diff(ten) < 0).all()
    scale = 60.0 / np.log(2.0) ** (1 / 1.2)
    rest = np.exp(-((12.0 / scale) ** 1.2))
    assert ten[1] == pytest.approx(0.1 * rest / (1 - 0.1 + 0.1 * rest))


@pytest.mark.slow
def test_files_with_less_are_analysed_as_far_as_they_go() -> None:
    cohort = rn.load_cohort("nelm2024")
    fewer = cohort.drop(columns=["window_months", "primary_resection_months", "rules_followed"])
    result = rn.reproduce("nelm2024", data=fewer)
    assert len(result.skipped) == 3
    assert claim(result, "os_primary")["rule"] == "not judged"
    with pytest.raises(ColumnError, match="timing"):
        rn.reproduce("nelm2024", data=cohort.drop(columns="timing"))
    alone = cohort[cohort["primary"].astype(object) == "pancreas"]
    assert claim(rn.reproduce("nelm2024", data=alone), "types")["rule"] == "not judged"


def test_a_chosen_law_is_not_said_to_be_printed() -> None:
    table = {item.name: item for item in study().exhibits}["surveillance"]
    assert not table.from_print
    assert "chosen" in table.caption


def test_sentences_on_resection_read_well() -> None:
    liver = str(claim(study(), "os_liver"))
    assert "all patients had" not in liver
    assert "hazard of HR" not in liver


@pytest.mark.parametrize(
    ("followed", "said"),
    [
        ([0, 32], "Whoever followed the rules lives in one country"),
        ([3, 32], "where the two nearly always come together"),
        ([0, 0], "Nobody followed the rules"),
        ([5], "The data hold one country"),
    ],
)
def test_the_table_of_rules_says_where_those_live_who_followed_them(
    followed: list[int], said: str
) -> None:
    assert said in _lives(pd.DataFrame({0: [34, 15][: len(followed)], 1: followed}))


def test_patients_whose_resection_is_not_known_are_left_out_and_counted() -> None:
    data = rn.load_cohort("nelm2024")
    start = data.index[data["timing"].astype(object) == "synchronous"]
    resected = [i for i in start if data.loc[i, "primary_resected"] == 1]
    others = [i for i in start if data.loc[i, "primary_resected"] == 0]
    holed = data.assign(primary_resected=data["primary_resected"].astype(float))
    holed.loc[others[0], "primary_resected"] = np.nan
    holed.loc[resected[0], "primary_resection_months"] = np.nan
    holed.loc[others[1], "os_months"] = 0.0
    attempts = Attempts()
    primary, _ = resections(prepare(holed), attempts)
    assert primary.effect is not None
    left_out = data.loc[[i for i in start if i not in (others[0], resected[0], others[1])]]
    assert primary.effect.glance()["n"].iloc[0] == len(left_out)
    alone, _ = resections(prepare(left_out), Attempts())
    assert alone.effect is not None
    pd.testing.assert_frame_equal(primary.effect.to_frame(), alone.effect.to_frame())
    assert [line.split(":")[0] for line in attempts.skipped[:2]] == [
        "2 patients in survival by resection of the primary",
        "1 patient in survival by resection of the primary",
    ]


def test_a_type_that_all_have_is_neither_adjusted_for_nor_tested() -> None:
    data = rn.load_cohort("nelm2024").assign(metastasis_type="I")
    attempts = Attempts()
    found = resections(prepare(data), attempts)
    assert attempts.skipped == []
    assert all(r.effect is not None for r in found)
    types = types_of(prepare(data), attempts)
    assert types is not None
    assert "so that there is nothing to test" in type_finding(types).said
    assert "nothing to test" in type_table(types).caption
    unknown = rn.load_cohort("nelm2024")
    unknown["metastasis_type"] = unknown["metastasis_type"].where(np.arange(len(unknown)) > 9)
    effect = resections(prepare(unknown), Attempts())[1].effect
    assert effect is not None
    assert effect.glance()["n"].iloc[0] == len(unknown) - 10


def test_a_missing_hazard_ratio_is_said_in_words() -> None:
    data = rn.load_cohort("nelm2024")
    data["death"] = data["death"].astype(float).where(data["primary_resected"] == 1)
    found = resections(prepare(data), Attempts())
    said = resection_findings(found)[0].said
    assert "seem to have no hazard ratio (naive)" in said
    assert "Counted as resected from the day of resection on: no hazard ratio." in said
    assert "–" not in said
    assert not any("hazard ratio" in text for text in _answer(SHEET, found, synthetic=True))


def repeated(times: int) -> pd.DataFrame:
    """The cohort several times over, so that no cell is small."""
    data = rn.load_cohort("nelm2024")
    parts = [data.assign(patient_id=data["patient_id"] + f"-{k}") for k in range(times)]
    whole = pd.concat(parts, ignore_index=True)
    whole.attrs = data.attrs
    return whole


def test_an_exact_test_stands_apart_only_where_an_arm_has_few() -> None:
    for times, few in ((1, True), (6, False)):
        types = types_of(prepare(repeated(times)), Attempts())
        assert types is not None
        found = type_finding(types)
        assert (found.fewest < 5) is few
        assert found.p_value == types.p_three
        assert np.isnan(found.p_exact) != few


def test_a_difference_that_shows_is_not_said_not_to() -> None:
    words = "That no difference is shown is not equality"
    _, liver = resection_findings(resections(prepare(repeated(6)), Attempts()))
    assert liver.fixed is not None
    assert liver.fixed.rule == "association only"
    assert words not in liver.said
    _, liver = resection_findings(resections(prepare(rn.load_cohort("nelm2024")), Attempts()))
    assert words in liver.said


def test_a_file_without_dates_and_rules_says_why_nothing_is_compared() -> None:
    data = rn.load_cohort("nelm2024")
    bare = data.drop(columns=["primary_resection_months", "rules_followed"])
    bare.attrs = data.attrs
    result = rn.reproduce("nelm2024", data=bare)
    said = claim(result, "os_primary")
    assert "no months in primary_resection_months: without the month of" in said["because"]
    assert said["because"] in said["sentence"]
    rules = claim(result, "rules")
    assert rules["sentence"].startswith("The file does not hold who followed the rules")
    assert "none" not in rules["sentence"].split()
    (section,) = (s for s in sections(result) if s.id == "observation")
    assert "the table shows" not in section.paragraphs[0].text


def test_country_and_rules_are_called_entangled_only_where_they_are() -> None:
    cohort, apart = rn.load_cohort("nelm2024"), "can hardly be told apart"
    mixed = cohort.assign(rules_followed=np.arange(len(cohort)) % 2)
    for data, entangled in ((cohort, True), (mixed, False)):
        found = rules_finding(rules_of(prepare(data), Attempts()), "longer")
        assert (apart in found.said) is entangled
        assert found.fixed is not None
        assert ("largely by country" in found.fixed.because) is entangled


def plain_cohort() -> pd.DataFrame:
    frame = pd.DataFrame(rn.load_cohort("nelm2024"))
    frame.attrs = {}
    texts = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(texts, object))


def test_a_file_of_one_country_is_not_said_to_compare_two() -> None:
    frame = plain_cohort()
    result = rn.reproduce("nelm2024", data=frame[frame["country"] == "Japan"])
    said = str(claim(result, "rules")["sentence"])
    assert said.startswith("The data hold one country, Japan: HR ")
    assert "both countries" not in said


def test_a_file_of_one_primary_names_it_and_counts_nobody_of_the_other() -> None:
    frame = plain_cohort()
    result = rn.reproduce("nelm2024", data=frame[frame["primary"] == "pancreas"])
    grade = str(claim(result, "grade")["sentence"])
    assert grade.endswith("The data at hand hold no asynchronous rectal patient.")
    interval = claim(result, "interval")
    assert "months: pancreas " in str(interval["sentence"]).split("Corrected")[1]
    assert str(interval["events"]).startswith("pancreas: 29 metastases")


def test_where_nobody_was_resected_or_died_that_is_the_reason() -> None:
    data = rn.load_cohort("nelm2024")
    none = data.assign(liver_resected=0)
    for name in ("liver_resection_months", "relapse_months", "relapse"):
        none[name] = np.nan
    result = rn.reproduce("nelm2024", data=none)
    said = claim(result, "os_liver")
    assert "Nobody had the liver metastases resected" in said["because"]
    assert "month of the resection" not in said["sentence"]
    rules = str(claim(result, "rules")["sentence"])
    assert rules.startswith("Nobody had the liver metastases resected")
    said = claim(rn.reproduce("nelm2024", data=data.assign(death=0)), "os_primary")
    assert said["because"].startswith("Nobody died")


def test_a_report_stands_where_all_were_resected_on_the_first_day(tmp_path: Path) -> None:
    data = rn.load_cohort("nelm2024").assign(primary_resected=1, primary_resection_months=0.0)
    result = rn.reproduce("nelm2024", data=data, output=tmp_path / "report")
    assert (tmp_path / "report" / "report.html").exists()
    assert not (tmp_path / "report" / "figures" / "os_primary.svg").exists()
    why = "Survival by resection of the primary: Everybody had the primary resected"
    assert any(line.startswith(why) for line in result.skipped)


def test_curves_that_hold_resected_patients_alone_are_left_out_with_the_reason() -> None:
    data = rn.load_cohort("nelm2024").assign(primary_resection_months=0.0)
    data["primary_resection_months"] = data["primary_resection_months"].where(
        data["primary_resected"] == 1
    )
    data["death"] = data["death"].astype(float).where(data["primary_resected"] == 1)
    attempts = Attempts()
    assert resections(prepare(data), attempts)[0].effect is not None
    assert any(line.startswith("Curves of survival by res") for line in attempts.skipped)


def test_a_share_of_few_others_stands_once_in_the_table_of_what_can_be_shown() -> None:
    frame = plain_cohort()
    kept = (frame["primary"] == "rectum") | (frame["timing"] == "synchronous")
    few = frame[kept | (frame.groupby("primary").cumcount() < 15)]
    shown = rn.reproduce("nelm2024", data=few).tables["support"]
    assert shown["others"].iloc[0] < 10
    assert shown["others_type_iii"].is_unique


def test_an_unknown_grade_is_not_counted_as_low() -> None:
    frame = plain_cohort()
    rectal = frame.index[(frame["primary"] == "rectum") & (frame["timing"] == "asynchronous")]
    frame.loc[rectal[frame.loc[rectal, "grade"] == "G1"][:1], "grade"] = None
    said = str(claim(rn.reproduce("nelm2024", data=frame), "grade")["sentence"])
    assert said.endswith("In the data at hand 5 of 6 are G2. The grade of 1 more is not known.")


def test_a_country_without_a_comparison_has_no_hazard_ratio() -> None:
    frame = plain_cohort()
    said = claim(rn.reproduce("nelm2024", data=frame[frame["country"] == "China"]), "rules")
    start = "The data hold one country, China: no hazard ratio can be given."
    assert str(said["sentence"]).startswith(start)


def test_deaths_are_counted_where_they_are_known() -> None:
    frame = plain_cohort()
    start = frame.index[frame["timing"] == "synchronous"]
    frame.loc[start[:3], "death"] = np.nan
    died, known = int(frame.loc[start, "death"].sum()), len(start) - 3
    row = claim(rn.reproduce("nelm2024", data=frame), "os_primary")
    assert f"; {died} died, and of 3 it is not known. " in row["sentence"]
    assert row["events"].startswith(f"deaths: {died} of {known} patients")


def test_where_everybody_was_resected_there_is_nobody_to_compare_with() -> None:
    frame = plain_cohort()
    frame["liver_resected"] = 1
    frame["liver_resection_months"] = frame["liver_resection_months"].fillna(0.0)
    result = rn.reproduce("nelm2024", data=frame)
    row = claim(result, "os_liver")
    assert (row["rule"], row["estimate_text"]) == ("not judged", "none")
    assert f"{len(frame)} of {len(frame)} patients had the liver metastases" in row["sentence"]
    assert row["because"].startswith("Everybody had the liver metastases resected")
    assert "hazard ratio" not in row["sentence"]
    assert claim(result, "os_primary")["rule"] == claim(study(), "os_primary")["rule"]


def test_resections_are_counted_where_they_are_known_and_the_comparison_names_its_own() -> None:
    frame = plain_cohort()
    frame.loc[frame.index[:6], ["liver_resected", "liver_resection_months"]] = np.nan
    frame.loc[frame.index[6:20], "metastasis_type"] = None
    result = rn.reproduce("nelm2024", data=frame)
    row, used = claim(result, "os_liver"), frame.iloc[20:]
    known = frame["liver_resected"].notna()
    resected = int((frame.loc[known, "liver_resected"] == 1).sum())
    start = f"{resected} of {len(frame) - 6} patients had the liver metastases resected (of 6 more"
    assert row["sentence"].startswith(start)
    died = int(used["death"].sum())
    holds = f"The comparison holds {len(used)} of these {len(frame)} patients, {died} of whom died"
    assert holds in row["sentence"]
    late = int(used.loc[used["liver_resected"] == 1, "death"].sum())
    assert row["events"].endswith(
        f"; in the comparison {late} after the resection, {died - late} before or without it"
    )
    assert "The comparison holds" not in claim(study(), "os_liver")["sentence"]


def test_notes_of_two_resections_name_the_resection() -> None:
    notes = next(item for item in study().exhibits if item.name == "survival_by_resection").notes
    before = [note for note in notes if "months before treatment" in note]
    assert [note.split(": ")[0] for note in before] == [
        "Resection of the primary",
        "Resection of the liver metastases",
    ]
    assert len(set(notes)) == len(notes)
    assert any(note.startswith("Adjustment is for baseline") for note in notes)


def test_medians_as_seen_and_corrected_are_of_the_same_patients() -> None:
    frame = plain_cohort()
    late = frame.index[frame["interval_months"] > 30.0]
    frame.loc[late[::2], "window_months"] = np.nan
    used = frame[frame["window_months"].notna() & frame["interval_months"].notna()]
    result = rn.reproduce("nelm2024", data=frame)
    said = claim(result, "interval")["sentence"]
    for name, median in used.groupby("primary")["interval_months"].median().items():
        assert f"{name} {median:.1f}" in said.split("Corrected")[0]
    notes = next(item for item in result.exhibits if item.name == "intervals").notes
    lost = int((frame["timing"] == "asynchronous").sum() - len(used))
    assert notes[0].startswith(f"{lost} of {lost + len(used)} rows left out for missing values")


def test_an_arm_without_a_death_has_no_hazard_ratio() -> None:
    frame = plain_cohort()
    frame.loc[frame["liver_resected"] == 1, "death"] = 0
    result = rn.reproduce("nelm2024", data=frame)
    row = claim(result, "os_liver")
    assert (row["rule"], row["estimate_text"]) == ("too few", "no hazard ratio")
    table = next(item for item in result.exhibits if item.name == "survival_by_resection")
    liver = table.numbers["resection"] == "the liver metastases"
    assert (table.numbers.loc[liver, "events_treated"] == 0).all()
    assert table.numbers.loc[liver, "estimate"].isna().all()
    assert set(table.shown.loc[liver.to_numpy(), "Hazard ratio"]) == {"–"}
    assert any("no hazard ratio where an arm has no death" in note for note in table.notes)
    assert not any("where an arm has no" in n for item in study().exhibits for n in item.notes)


def test_the_smaller_of_both_groups_is_looked_at() -> None:
    data = repeated(6)
    pancreas = data.index[(data["primary"] == "pancreas") & (data["timing"] == "asynchronous")]
    few = data.drop(index=pancreas[4:])
    few.attrs = data.attrs
    types = types_of(prepare(few), Attempts())
    assert type_finding(types).smallest == 4
