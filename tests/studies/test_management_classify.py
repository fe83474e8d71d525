"""Each cell of the guidelines, worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, GuidelineError, OptionError
from rnetstats.studies.management.vocabulary import ADVICE, CANNOT, NO_RULE, STEP


def ask(guideline: str = "enets2023", situation: str = "after resection", **patient: Any) -> Any:
    """One patient's answer; definitions are passed under ``how``."""
    how = patient.pop("how", {})
    data = {name: [value] for name, value in patient.items()}
    result = rn.classify(data, guideline=guideline, situation=situation, **how)
    return result.patients.iloc[0]


R1 = {"margin": "R1", "grade": "G1", "lvi": 0}
IMAGED = {"distant_metastases": 0, "fit_for_surgery": 1}


# ENETS 2023, primary


@pytest.mark.parametrize(
    ("size", "step", "open_"),
    [
        (4.0, "local resection", ""),
        (10.0, "local resection", ""),  # "<= 10"
        (10.1, "tumour board", ""),
        (19.9, "tumour board", ""),
        (20.0, "radical resection", "exclude distant metastases"),  # ">= 20"
        (60.0, "radical resection", "exclude distant metastases"),
    ],
)
def test_enets_primary(size: float, step: str, open_: str) -> None:
    told = ask(situation="primary", size_mm=size)
    assert (told["answer"], told["step"], told["open"]) == (STEP, step, open_)
    assert told["standing"] == "second-hand"
    assert "Rinke 2023" in told["source"]


def test_enets_primary_with_metastases_has_no_rule() -> None:
    told = ask(situation="primary", size_mm=30, distant_metastases=1)
    assert told["answer"] == NO_RULE
    assert "without distant metastases" in told["why"]
    assert ask(situation="primary", size_mm=30, distant_metastases="M0")["open"] == ""


# ENETS 2023, after resection


@pytest.mark.parametrize(
    ("patient", "rule", "step"),
    [
        ({"size_mm": 8}, "r1_under_10", "local resection"),
        ({"size_mm": 10}, "r1_10_20", "local resection"),  # "< 1 cm" leaves 10 mm to "1-2 cm"
        ({"size_mm": 20}, "r1_10_20", "local resection"),  # "> 2 cm" leaves 20 mm to "1-2 cm"
        ({"size_mm": 20.5}, "r1_high_risk", "radical resection"),
        ({"size_mm": 8, "lvi": 1}, "r1_high_risk", "radical resection"),
        ({"size_mm": 8, "grade": "G3"}, "r1_high_risk", "radical resection"),
        ({"size_mm": 8, "margin": "R2"}, "r1_under_10", "local resection"),
    ],
)
def test_enets_after_r1(patient: dict[str, Any], rule: str, step: str) -> None:
    told = ask(**{**R1, **IMAGED, **patient})
    assert (told["answer"], told["rule"], told["step"]) == (STEP, rule, step)
    assert told["evidence"] == "3 / C"


def test_enets_r1_under_10_may_watch_after_negative_work_up() -> None:
    told = ask(**R1, size_mm=8)
    assert told["alternative"].startswith("surveillance: watch and wait")
    assert told["words"] == "second endoscopic resection, or TAMIS"


def test_enets_r1_10_20_watches_the_unfit() -> None:
    told = ask(**R1, size_mm=15, fit_for_surgery=0)
    assert (told["step"], told["rule"]) == ("surveillance", "r1_10_20")
    assert "risk that is not known" in told["words"]
    assert ask(**R1, size_mm=15)["open"] == "judge fitness for surgery"
    assert ask(**R1, size_mm=15, fit_for_surgery=1)["open"] == ""


def test_enets_radical_needs_metastases_excluded_and_fitness() -> None:
    told = ask(**{**R1, "lvi": 1}, size_mm=15)
    assert told["open"] == "exclude distant metastases; judge fitness for surgery; tumour board"
    assert ask(**{**R1, "lvi": 1}, size_mm=15, **IMAGED)["open"] == "tumour board"
    for failed in ({"distant_metastases": 1}, {"fit_for_surgery": 0}):
        assert ask(**{**R1, "lvi": 1}, size_mm=15, **failed)["answer"] == NO_RULE


def test_enets_higher_g2_is_unknown_until_told() -> None:
    g2 = {**R1, "grade": "G2", "size_mm": 8, "ki67": 4.0}
    told = ask(**g2)
    assert told["answer"] == CANNOT
    assert told["needs"] == "higher_g2 (the Ki-67 from which a G2 is higher)"
    assert told["step"] == ""
    assert told["rule"] == ""
    assert ask(**g2, how={"higher_g2": "all"})["step"] == "radical resection"
    assert ask(**g2, how={"higher_g2": "none"})["step"] == "local resection"
    assert ask(**g2, how={"higher_g2": 4.0})["step"] == "radical resection"
    assert ask(**g2, how={"higher_g2": 4.5})["step"] == "local resection"
    without = {name: value for name, value in g2.items() if name != "ki67"}
    assert ask(**without, how={"higher_g2": 10.0})["needs"] == "ki67"
    # above 2 cm the grade does not matter
    assert ask(**{**g2, "size_mm": 25})["step"] == "radical resection"


def test_enets_says_nothing_after_r0_and_has_no_cell_for_rx() -> None:
    for margin, word in (("R0", "not known"), ("Rx", "no cell")):
        told = ask(margin=margin, size_mm=8, grade="G1", lvi=0)
        assert told["answer"] == NO_RULE
        assert word in told["why"]


@pytest.mark.parametrize(
    ("missing", "needs"),
    [("size_mm", "size_mm"), ("margin", "margin"), ("grade", "grade"), ("lvi", "lvi")],
)
def test_enets_names_what_is_missing(missing: str, needs: str) -> None:
    patient = {**R1, "size_mm": 8.0}
    patient[missing] = np.nan
    told = ask(**patient)
    assert (told["answer"], told["needs"]) == (CANNOT, needs)
    del patient[missing]
    assert ask(**patient)["needs"] == needs


def test_a_missing_input_that_changes_nothing_is_not_asked_for() -> None:
    assert ask(margin="R1", size_mm=25)["step"] == "radical resection"
    assert ask(margin="R0")["answer"] == NO_RULE


# ENETS 2012/2016


def test_enets_2016_has_one_sentence() -> None:
    one = {"margin": "R1", "grade": "G1", "size_mm": 9, "invasion": "submucosa"}
    assert ask("enets2016", **one)["words"] == "yearly follow-up without end"
    for other in ({"size_mm": 10}, {"grade": "G2"}, {"margin": "R0"}, {"invasion": "MP"}):
        told = ask("enets2016", **{**one, **other})
        assert told["answer"] == NO_RULE
        assert "No cell of ENETS 2012/2016" in told["why"]


# NCCN 2025

LOCAL = {"t_stage": "T1", "n_stage": "N0"}


@pytest.mark.parametrize(
    ("patient", "rule", "step"),
    [
        ({"margin": "R0"}, "incidental_r0", "no follow-up"),
        ({"margin": "Rx", "grade": "G1"}, "incidental_rx_g1", "surveillance"),
        ({"margin": "Rx", "grade": "G2"}, "incidental_rx_g2 > t1", "local resection"),
    ],
)
def test_nccn_incidental_under_1_cm(patient: dict[str, Any], rule: str, step: str) -> None:
    told = ask("nccn2025", size_mm=9, incidental=1, **LOCAL, **patient)
    assert (told["rule"], told["step"]) == (rule, step)


def test_nccn_other_path_follows_the_t_stage() -> None:
    t2 = {"t_stage": "T2", "n_stage": "N0", "incidental": 1, "margin": "Rx", "grade": "G2"}
    told = ask("nccn2025", size_mm=9, **t2)
    assert told["rule"] == "incidental_rx_g2 > t2_t4_to_20_muscle"
    assert told["step"] == "radical resection"
    unknown = {**t2, "t_stage": None}
    assert "t_stage or invasion" in ask("nccn2025", size_mm=9, **unknown)["needs"]


@pytest.mark.parametrize(
    ("patient", "rule", "step"),
    [
        ({"t_stage": "T1", "size_mm": 8, "n_stage": "N0"}, "t1", "local resection"),
        ({"t_stage": "T1", "size_mm": 8, "n_stage": "N1"}, "t2_t4_over_20_or_n", "radical"),
        ({"t_stage": "T2", "size_mm": 25, "n_stage": "N0"}, "t2_t4_over_20_or_n", "radical"),
        ({"t_stage": "T4", "size_mm": 25, "n_stage": None}, "t2_t4_over_20_or_n", "radical"),
        ({"t_stage": "T2", "size_mm": 18, "n_stage": "N0"}, "t2_t4_to_20_muscle", "radical"),
        ({"t_stage": "T2", "size_mm": 20, "n_stage": "N0"}, "t2_t4_to_20_muscle", "radical"),
        ({"t_stage": "T3", "size_mm": 18, "n_stage": "N0"}, "t2_t4_to_20_muscle", "radical"),
    ],
)
def test_nccn_primary(patient: dict[str, Any], rule: str, step: str) -> None:
    told = ask("nccn2025", "primary", **patient)
    assert told["rule"] == rule
    assert told["step"].startswith(step)


def test_nccn_t2_within_2_cm_without_muscle_is_nearly_empty() -> None:
    """Only a record that contradicts the T stage falls into it."""
    odd = {"t_stage": "T2", "invasion": "submucosa", "size_mm": 18, "n_stage": "N0"}
    told = ask("nccn2025", "primary", **odd)
    assert told["rule"] == "t2_t4_to_20"
    assert told["step"] == "local resection"


@pytest.mark.parametrize(
    ("size", "step"), [(9, "no follow-up"), (10, "surveillance"), (20, "surveillance")]
)
def test_nccn_follow_up_after_local_excision(size: float, step: str) -> None:
    told = ask("nccn2025", margin="R0", size_mm=size, incidental=0, **LOCAL)
    assert told["step"] == step
    # whether it was found incidentally does not matter: both cells say the same
    told = ask("nccn2025", margin="R0", size_mm=size, **LOCAL)
    assert told["step"] == step
    if size < 10:
        assert told["rule"] == "incidental_r0 or local_under_10"


def test_nccn_true_r1_has_no_cell_of_its_own() -> None:
    told = ask("nccn2025", margin="R1", size_mm=8, **LOCAL)
    assert told["answer"] == NO_RULE
    assert told["why"] == "A true R1 has no cell of its own in NCCN."
    # above 2 cm the T cells act, whatever the margin
    told = ask("nccn2025", margin="R1", size_mm=60, t_stage="pT2")
    assert (told["answer"], told["step"]) == (STEP, "radical resection")


def test_nccn_rx_outside_its_cells_has_no_rule() -> None:
    for patient in ({"size_mm": 12, "grade": "G1"}, {"size_mm": 8, "grade": "G3"}):
        told = ask("nccn2025", margin="Rx", incidental=1, **LOCAL, **patient)
        assert told["answer"] == NO_RULE
        assert "incidental tumours under 1 cm" in told["why"]


# 1 to 2 cm


@pytest.mark.parametrize(
    ("guideline", "patient", "step"),
    [
        ("jnets", {}, "radical resection"),
        ("enets2023", {}, "tumour board"),
        ("cnets", {"lvi": 0, "invasion": "SM", "grade": "G1"}, "local resection"),
        ("cnets", {"lvi": 1}, "radical resection"),
        ("cnets", {"grade": "G2"}, "radical resection"),
        ("cnets", {"invasion": "muscularis propria"}, "radical resection"),
        ("nccn2025", {}, "local resection"),
        ("csco", {"t_stage": "T1", "n_stage": 0}, "local resection"),
        ("csco", {"t_stage": "T2"}, "radical resection"),
        ("csco", {"n_stage": "N1"}, "radical resection"),
    ],
)
@pytest.mark.parametrize("size", [10, 15, 20])
def test_five_guidelines_for_1_to_2_cm(
    guideline: str, patient: dict[str, Any], step: str, size: int
) -> None:
    told = ask(guideline, "1-2 cm", size_mm=size, **patient)
    assert told["step"] == step
    assert "WJGO 2026;18(1):114818" in told["source"]
    outside = ask(guideline, "1-2 cm", size_mm=9.9 if size == 10 else 20.1, **patient)
    assert outside["answer"] == NO_RULE


def test_risk_factors_are_a_definition() -> None:
    g2 = {"size_mm": 15, "grade": "G2", "lvi": 0}
    how = {"risk_factors": ["lvi"]}
    assert ask("cnets", "1-2 cm", **g2, how=how)["step"] == "local resection"
    assert ask("cnets", "1-2 cm", size_mm=15)["needs"] == "lvi, t_stage or invasion, grade"


# the page


def test_the_page_answers_its_case() -> None:
    told = ask("page", size_mm=60, t_stage="pT2", margin="positive", lvi=1)
    assert (told["rule"], told["step"], told["standing"]) == (
        "the_case",
        "radical resection",
        "printed",
    )
    assert told["omits"] == "exclusion of distant metastases"
    assert told["open"] == ""
    assert "adenocarcinoma guideline, transferred" in told["follow_up"]
    assert "PMC9657704" in told["follow_up"]


def test_the_page_by_its_sentence_on_t2_is_inferred() -> None:
    told = ask("page", t_stage="T2", margin="R0", lvi=0)
    assert (told["rule"], told["standing"]) == ("t2", "inferred")
    assert ask("page", t_stage="T2")["rule"] == "the_case or t2"
    assert "one case" in ask("page", t_stage="T1a")["why"]
    assert ask("page", size_mm=8, margin="R0")["needs"] == "t_stage or invasion"


# the cohort


def test_every_patient_is_counted_once_and_the_rows_keep_their_labels() -> None:
    cohort = rn.load_cohort("duan2024").set_index("patient_id", drop=False)
    result = rn.classify(cohort)
    assert result.patients.index.equals(cohort.index)
    assert result.rules["n"].sum() == len(cohort) == result.bands["n"].sum()
    assert result.rules["share"].sum() == pytest.approx(1.0)
    seen = result.patients.value_counts(["answer", "step", "rule", "open"]).to_dict()
    told = result.rules.set_index(["answer", "step", "rule", "open"])["n"].to_dict()
    assert seen == told
    # by hand from the columns: a positive margin, and LVI or not, G1 or not, by size
    r1, g1, lvi = cohort["margin_positive"] == 1, cohort["grade"] == "G1", cohort["lvi"] == 1
    small = cohort["size_mm"] < 10
    counts = result.rules.set_index("rule")["n"]
    assert counts["r1_high_risk"] == (r1 & lvi).sum()
    assert counts["r1_under_10"] == (r1 & ~lvi & g1 & small).sum()
    assert counts["r1_10_20"] == (r1 & ~lvi & g1 & ~small).sum()
    glance = result.glance().iloc[0]
    assert glance["n_cannot"] == (r1 & ~lvi & ~g1).sum()
    assert glance["n_no_rule"] == (~r1).sum()


def test_columns_of_other_names() -> None:
    data = {"diameter": [8, 25], "resection": ["positive", "negative"], "size_mm": [25, 8]}
    how = {"size_mm": "diameter", "margin": "resection"}
    result = rn.classify(data, situation="primary", columns=how)
    assert list(result.patients["step"]) == ["local resection", "radical resection"]
    assert result.options["columns"] == how


def test_cells_of_every_kind_are_read() -> None:
    frame = pd.DataFrame(
        {
            "size_mm": pd.array([8, 15, None], dtype="Int64"),
            "margin": pd.Categorical(["positive", "Negative", None]),
            "grade": ["g1", 2, np.nan],
            "lvi": pd.array([False, True, None], dtype="boolean"),
            "t_stage": ["ypT1", "TX", "pT2"],
            "n_stage": [0.0, "NX", "pN1"],
            "distant_metastases": ["M0", "M1b", "MX"],
        }
    )
    told = rn.classify(frame).patients
    assert list(told["answer"]) == [STEP, NO_RULE, CANNOT]
    nccn = rn.classify(frame, guideline="nccn2025", situation="primary").patients
    assert list(nccn["answer"]) == [STEP, CANNOT, STEP]
    assert list(nccn["open"])[2].startswith("exclude distant metastases")


def test_what_is_assumed_is_said() -> None:
    data = {"size_mm": [8, 8], "margin": ["R1", "R1"], "grade": ["G1", None], "lvi": [0, 0]}
    result = rn.classify(data, assume={"grade": "G1"})
    assert list(result.patients["rule"]) == ["r1_under_10"] * 2
    assert any("grade: not recorded for 1 of 2" in note for note in result.notes)
    assert result.options["assume"] == {"grade": "G1"}


def test_nothing_is_assumed_where_another_input_tells_as_much() -> None:
    data = {
        "size_mm": [15, 15, 15],
        "t_stage": ["T2", None, None],
        "invasion": [None, "muscularis propria", None],
        "n_stage": ["N0", "N0", None],
    }
    how = {"invasion": "submucosa", "n_stage": "N0"}
    told = rn.classify(data, guideline="nccn2025", situation="primary", assume=how)
    assert list(told.patients["rule"]) == ["t2_t4_to_20_muscle"] * 2 + ["t1"]
    assert any("invasion: not recorded for 1 of 3" in note for note in told.notes)
    graded = {"size_mm": [8], "margin": ["R1"], "lvi": [0], "ki67": [30.0]}
    assert rn.classify(graded, assume={"grade": "G1"}).patients["rule"].iloc[0] == "r1_high_risk"


def test_it_is_never_advice() -> None:
    result = rn.classify({"size_mm": [8, 30]}, situation="primary")
    assert result.notes[-1] == ADVICE
    assert result.display().iloc[-1, 0] == ADVICE
    told = result.explain(0)
    assert ADVICE in set(told["says"])
    assert "cannot" not in " ".join(told["what"])


def test_explaining_one_patient() -> None:
    result = rn.classify(pd.DataFrame({"size_mm": [8, 15]}, index=["a", "a"]), situation="primary")
    with pytest.raises(OptionError, match="label of 2 rows"):
        result.explain("a")
    with pytest.raises(OptionError, match="label of 0 rows"):
        result.explain("b")


def test_metastases_are_noted_where_rules_do_not_ask() -> None:
    result = rn.classify({"size_mm": [8], "distant_metastases": [1]}, situation="primary")
    assert result.patients["step"].iloc[0] == "local resection"
    assert any("Distant metastases are recorded for 1" in note for note in result.notes)


# bad input


@pytest.mark.parametrize(
    ("data", "how", "error", "match"),
    [
        ({"size_mm": [0.0]}, {}, DataError, "'size_mm'.*above 0.*row 1"),
        ({"size_mm": [-3.0]}, {}, DataError, "above 0"),
        ({"size_mm": [np.inf]}, {}, DataError, "must hold numbers"),
        ({"size_mm": ["large"]}, {}, DataError, "'large'"),
        ({"size_mm": [True]}, {}, DataError, "not bool values"),
        ({"size_mm": [pd.Timestamp("2024-01-01")]}, {}, DataError, "not datetime64"),
        ({"size_mm": [8.0]}, {"columns": {"size_mm": 5}}, ColumnError, "no column '5'"),
        ({"size_mm": [8.0]}, {"columns": {"size_mm": None}}, OptionError, "must name a column"),
        ({"margin": ["R3"]}, {}, DataError, "'R3' in row 1.*R0, Rx, R1"),
        ({"margin_positive": [2]}, {}, DataError, "holds '2'"),
        ({"grade": ["G4"]}, {}, DataError, "G1, G2, G3"),
        ({"ki67": [120.0]}, {}, DataError, "at most 100"),
        ({"t_stage": ["T5"]}, {}, DataError, "holds 'T5'"),
        ({"invasion": ["muscularis"], "lvi": ["maybe"]}, {}, DataError, "maybe"),
        ({"diameter": [8.0]}, {}, ColumnError, "none of the inputs"),
        ({"size_mm": []}, {}, DataError, "no rows"),
        ({"size_mm": [8.0]}, {"columns": {"size": "size_mm"}}, OptionError, "no input 'size'"),
        ({"size_mm": [8.0]}, {"columns": {"lvi": "L"}}, ColumnError, "no column 'L'"),
        ({"size_mm": [8.0]}, {"columns": ["size_mm"]}, OptionError, "must map inputs"),
        ({"size_mm": [8.0]}, {"guideline": "enets203"}, OptionError, "Did you mean .enets2023"),
        ({"size_mm": [8.0]}, {"guideline": None}, OptionError, "is not known"),
        ({"size_mm": [8.0]}, {"guideline": "no/such.toml"}, GuidelineError, "cannot be read"),
        ({"size_mm": [8.0]}, {"situation": "before"}, GuidelineError, "no rules for"),
        ({"size_mm": [8.0]}, {"situation": pd.NA}, OptionError, "situation must be text"),
        ({"size_mm": [8.0]}, {"situation": np.array([1, 2])}, OptionError, "not array"),
        (
            {"size_mm": [8.0]},
            {"guideline": "jnets"},
            GuidelineError,
            "JNETS has no rules for the situation 'after resection'.*'1-2 cm'",
        ),
        ({"size_mm": [8.0]}, {"edge_10": "lower"}, OptionError, "edge_10='lower'"),
        ({"size_mm": [8.0]}, {"indeterminate": None}, OptionError, "indeterminate=None"),
        ({"size_mm": [8.0]}, {"positive_rim_mm": -1}, OptionError, "positive_rim_mm"),
        ({"size_mm": [8.0]}, {"higher_g2": "some"}, OptionError, "higher_g2='some'"),
        ({"size_mm": [8.0]}, {"higher_g2": 30}, OptionError, "between 3 and 20"),
        ({"size_mm": [8.0]}, {"risk_factors": "lvi"}, OptionError, "risk_factors must be a list"),
        ({"size_mm": [8.0]}, {"risk_factors": ["age"]}, OptionError, "'age' is not allowed"),
        ({"size_mm": [8.0]}, {"risk_factors": []}, OptionError, "at least one"),
        ({"size_mm": [8.0]}, {"assume": {"size": 8}}, OptionError, "no input 'size'"),
        ({"size_mm": [8.0]}, {"assume": {"grade": "G9"}}, OptionError, "grade='G9'"),
        ({"size_mm": [8.0]}, {"assume": {"grade": None}}, OptionError, "grade=None"),
        ({"size_mm": [8.0]}, {"assume": {"ki67": "low"}}, OptionError, "ki67"),
        ({"size_mm": [8.0]}, {"assume": "invasion"}, OptionError, "assume must map"),
        ({"size_mm": [8.0]}, {"grade_from": "ki67"}, OptionError, "grade_from"),
        ({"size_mm": [8.0]}, {"lvi_as_positive": "yes"}, OptionError, "lvi_as_positive"),
    ],
)
def test_bad_input_is_refused_in_words(
    data: dict[str, Any], how: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        rn.classify(data, **how)
