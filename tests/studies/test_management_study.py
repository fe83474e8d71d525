"""The study of the page and the guidelines, from its case to its report."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import rnetstats as rn
from reproduced import reproduced_synthetic
from rnetstats.evidence.facts import read_facts
from rnetstats.prediction.risk_model import risk_model
from rnetstats.studies.management.analysis import _between, analyse
from rnetstats.studies.management.case import (
    MARGIN_MODEL,
    answers_to_the_case,
    page_case,
    refusal,
)
from rnetstats.studies.management.decide import Answer
from rnetstats.studies.management.figures import figures
from rnetstats.studies.management.page_verdicts import PAGE_RULES, judge_step
from rnetstats.studies.management.sections import glossary, sections
from rnetstats.studies.management.vocabulary import ADVICE
from rnetstats.studies.study_result import StudyResult

FACTS = read_facts("management")
CASE = page_case(FACTS)


def study() -> StudyResult:
    return reproduced_synthetic("management")


def step(code: str, open_: str = "") -> Answer:
    return Answer("step", step=code, words=code, rule="r", open=open_)


# the case


def test_the_case_is_read_from_the_facts() -> None:
    row = CASE.iloc[0]
    assert (row["age"], row["size_mm"], row["ki67"]) == (78, 60, 1.5)
    assert (row["t_stage"], row["grade"], row["margin"], row["lvi"]) == ("pT2", "G1", "R1", 1)


def test_two_guidelines_give_the_page_s_step_and_ask_for_more_first() -> None:
    answers = answers_to_the_case(CASE)
    assert list(answers) == ["The page", "ENETS 2023", "NCCN 2025", "ENETS 2012/2016"]
    for name in ("The page", "ENETS 2023", "NCCN 2025"):
        assert answers[name].step == "radical resection"
    assert answers["The page"].rule == "the_case"
    assert answers["The page"].open == ""
    assert answers["ENETS 2023"].rule == "r1_high_risk"
    assert answers["NCCN 2025"].rule == "t2_t4_over_20_or_n"
    for name in ("ENETS 2023", "NCCN 2025"):
        assert answers[name].open.split("; ") == [
            "exclude distant metastases",
            "judge fitness for surgery",
            "tumour board",
        ]
    # by either reason alone: 60 mm, or lymphovascular invasion
    for change in ({"lvi": 0}, {"size_mm": 15.0, "t_stage": None}):
        other = rn.classify(CASE.assign(**change)).patients.iloc[0]
        assert other["rule"] == "r1_high_risk"


@pytest.mark.slow
def test_the_margin_model_refuses_60_mm() -> None:
    told = refusal(CASE)
    assert told.reason.startswith("size_mm is 60, outside ")
    assert "The model does not hold for 1 of 1 patients" in told.message
    assert told.exhibit.numbers["risk"].isna().all()
    assert not told.exhibit.numbers["in_domain"].any()
    assert set(told.exhibit.shown["Probability"]) == {"none"}
    # the same patient with a tumour that the model knows has a probability
    cohort = rn.load_cohort("duan2024")
    model = risk_model(rn.logistic(cohort, MARGIN_MODEL))
    small = {"size_mm": [10.0], "method": ["ESD"], "location": ["middle"], "nlr": [2.0]}
    assert 0.0 < model.predict(small)["risk"].iloc[0] < 1.0


# verdicts


@pytest.mark.parametrize(
    ("page", "others", "rule"),
    [
        (step("radical resection"), {"A": step("radical resection")}, "same step"),
        (step("radical resection"), {"A": step("radical resection", "x")}, "more comes first"),
        (step("radical resection", "x"), {"A": step("radical resection", "x")}, "same step"),
        (
            step("radical resection"),
            {"A": step("radical resection", "x"), "B": step("surveillance")},
            "another step",
        ),
        (step("radical resection"), {"A": Answer("no rule", why="w")}, "no rule"),
        (step("radical resection"), {}, "no rule"),
        (Answer("no rule", why="w"), {"A": step("surveillance")}, "no rule"),
    ],
)
def test_the_rules_for_the_page(page: Answer, others: dict[str, Answer], rule: str) -> None:
    verdict = judge_step(page, others)
    assert verdict.rule == rule
    assert verdict.words == {r.name: r.words for r in PAGE_RULES}[rule]
    assert verdict.because.endswith(".")


@pytest.mark.slow
def test_the_page_sentence_by_sentence() -> None:
    claims = study().claims.set_index("claim")
    assert dict(claims["rule"]) == {
        "tme": "more comes first",
        "adjuvant": "no rule",
        "follow_up": "transferred",
    }
    assert not claims["judged"].any()
    assert "exclude distant metastases" in claims.loc["tme", "because"]
    assert FACTS["page_label"].value in claims.loc["follow_up", "sentence"]
    assert FACTS["case_preference"].value in claims.loc["tme", "sentence"]


# the study


def test_it_runs_on_the_synthetic_cohort_and_says_so() -> None:
    result = study()
    assert result.synthetic
    assert "synthetic cohort of 527" in result.source
    assert ADVICE in result.notes
    assert "refuses" in result.answer[2]
    told = result.analysis("disagreement, 1-2 cm").glance().iloc[0]
    assert f"{told['n_disagree']} of {told['n_compared']}" in result.answer[3]
    assert result.facts["n"] == 527
    assert result.facts["n_between"] == told["n_compared"]
    assert result.skipped == ()


def test_tables_are_those_of_the_verbs() -> None:
    result = study()
    cohort = rn.load_cohort("duan2024")
    assumed = {"invasion": "submucosa", "n_stage": "N0"}
    answers = result.tables["answers"].set_index(["guideline", "situation"])
    assert (answers.drop(columns="name").sum(axis=1) == len(cohort)).all()
    alone = rn.classify(cohort, guideline="nccn2025", assume=assumed)
    counts = alone.bands.groupby("answer")["n"].sum()
    for word, n in counts.items():
        assert answers.loc[("nccn2025", "after resection"), word] == n
    changed = result.tables["definitions_change"].set_index("definition")
    # by hand: patients of exactly 10 mm lose their place among those of 1 to 2 cm
    at_ten = cohort["size_mm"] == 10
    assert changed.loc["10 mm counts with the smaller", "CNETS, 1-2 cm"] == at_ten.sum()
    assert changed.loc["10 mm counts with the larger", "ENETS 2023, primary"] == at_ten.sum()
    g2 = (cohort["grade"] == "G2") & (cohort["margin_positive"] == 1) & (cohort["lvi"] == 0)
    assert changed.loc["no G2 is a higher one", "ENETS 2023, after resection"] == g2.sum()
    invaded = (cohort["lvi"] == 1) & (cohort["margin_positive"] == 0)
    row = changed.loc["lymphovascular invasion is incomplete"]
    assert row["ENETS 2023, after resection"] == invaded.sum()
    assert len(result.tables["rules"]) == len(rn.guidelines())


def test_sections_figures_and_words_fit_together() -> None:
    result = study()
    made = sections(result)
    drawn = {figure.name for figure in figures(result)}
    assert {name for section in made for name in section.figures} == drawn
    assert {name for section in made for name in section.exhibits} == set(result.tables)
    words = [word for word, _ in glossary()]
    assert len(words) == len(set(words))
    assert words == sorted(words, key=str.casefold)


def own_file(folder: Path) -> Path:
    path = folder / "mine.csv"
    rows = [
        "patient_id,size_mm,margin,grade,ki67,lvi,t_stage,n_stage,distant_metastases",
        "A1,8,R1,G1,,0,T1a,N0,0",
        "A2,15,Rx,,5,0,T1b,N0,0",
        "A3,60,R1,G1,1.5,1,T2,,",
        "A4,12,R0,G2,4,1,T2,N1,1",
        *(f"B{i},9,R0,G1,1,0,T1a,N0,0" for i in range(6)),
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.slow
def test_on_a_file_of_ones_own(tmp_path: Path) -> None:
    result = rn.reproduce("management", data=own_file(tmp_path))
    assert not result.synthetic
    assert "In these data" in result.answer[3]
    after = result.analysis("enets2023, after resection")
    assert list(after.patients["answer"])[:4] == ["step", "no rule", "step", "no rule"]
    nccn = result.analysis("nccn2025, after resection").patients
    assert list(nccn["answer"])[:4] == ["no rule", "no rule", "step", "no rule"]


@pytest.mark.slow
def test_the_report_is_written_without_patients(tmp_path: Path) -> None:
    rn.reproduce("management", data=own_file(tmp_path), output=tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert ADVICE in page
    assert "A3" not in page
    assert "A3" not in (tmp_path / "report" / "results.json").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_cohort_with_sizes_alone_is_taken() -> None:
    frame = pd.DataFrame({"size_mm": [5.0, 25.0]})
    result = analyse(frame, seed=1, source="two sizes")
    assert "there is no tumour of 1 to 2 cm" in result.answer[-1]
    after = result.tables["answers"].set_index(["guideline", "situation"])
    assert after.loc[("enets2023", "after resection"), "cannot be applied"] == 2
    assert len(figures(result)) == 4


def test_rules_after_resection_are_not_said_to_be_skipped_where_the_other_column_is_there() -> None:
    frame = pd.DataFrame({"size_mm": [5.0, 12.0], "margin_positive": [0, 1]})
    notes = rn.reproduce("management", data=frame).notes
    (said,) = (note for note in notes if "'margin'" in note)
    assert said.endswith(
        "skipped without it: rules after resection, unless margin_positive is there."
    )


@pytest.mark.parametrize(
    ("some", "many", "said"),
    [
        (1, 1, "the one patient with a tumour of 1 to 2 cm is given different next steps by 5"),
        (0, 1, "the one patient with a tumour of 1 to 2 cm is given the same next step by 5"),
        (1, 4, "1 of 4 patients with a tumour of 1 to 2 cm (25.0 %) is given different next steps"),
        (3, 4, "3 of 4 patients with a tumour of 1 to 2 cm (75.0 %) are given different next"),
        (0, 0, "there is no tumour of 1 to 2 cm, where 5 guidelines give different steps"),
    ],
)
def test_one_patient_is_given_steps_in_the_singular(some: int, many: int, said: str) -> None:
    row = {"n_disagree": some, "n_compared": many, "share": some / max(many, 1)}
    told = SimpleNamespace(glance=lambda: pd.DataFrame([row]), guidelines=range(5))
    cohort: Any = SimpleNamespace(compared={"1-2 cm": told})
    assert f"In these data {said}" in _between(cohort, synthetic=False)
