"""What guidelines say of a cohort, how often they differ, and what a definition changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_count, fmt_percent
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.management.classify import ClassificationResult, classify
from rnetstats.studies.management.disagreement import DisagreementResult, guideline_disagreement
from rnetstats.studies.management.disagreement_result import EVERYBODY
from rnetstats.studies.management.tables import ANSWERS
from rnetstats.studies.management.vocabulary import ADVICE

__all__ = ["ASSUMED", "CohortAnswers", "cohort_answers"]

# chosen, for cohorts of endoscopic resections that do not record them
ASSUMED = {"invasion": "submucosa", "n_stage": "N0"}

ASKED = (
    ("enets2023", "primary"),
    ("nccn2025", "primary"),
    ("enets2023", "after resection"),
    ("nccn2025", "after resection"),
    ("jnets", "1-2 cm"),
    ("enets2023", "1-2 cm"),
    ("cnets", "1-2 cm"),
    ("nccn2025", "1-2 cm"),
    ("csco", "1-2 cm"),
)
CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("10 mm counts with the smaller", {"edge_10": "smaller"}),
    ("10 mm counts with the larger", {"edge_10": "larger"}),
    ("20 mm counts with the smaller", {"edge_20": "smaller"}),
    ("20 mm counts with the larger", {"edge_20": "larger"}),
    ("an indeterminate margin is positive", {"indeterminate": "positive"}),
    ("an indeterminate margin is negative", {"indeterminate": "negative"}),
    ("lymphovascular invasion is incomplete", {"lvi_as_positive": True}),
    ("every G2 is a higher one", {"higher_g2": "all"}),
    ("no G2 is a higher one", {"higher_g2": "none"}),
    ("only lymphovascular invasion is a risk factor", {"risk_factors": ("lvi",)}),
    ("nothing is assumed", {"assume": None}),
)


@dataclass(frozen=True)
class CohortAnswers:
    """Guidelines applied to a cohort.

    Attributes
    ----------
    classified : dict of ClassificationResult
        By guideline and situation.
    compared : dict of DisagreementResult
        By situation.
    exhibits : tuple of Exhibit
    notes : tuple of str
    """

    classified: dict[tuple[str, str], ClassificationResult]
    compared: dict[str, DisagreementResult]
    exhibits: tuple[Exhibit, ...]
    notes: tuple[str, ...]


def cohort_answers(frame: pd.DataFrame) -> CohortAnswers:
    """Apply the guidelines to a cohort, with what it does not record assumed as in ``ASSUMED``."""
    classified = {
        place: classify(frame, guideline=place[0], situation=place[1], assume=ASSUMED)
        for place in ASKED
    }
    compared = {
        situation: guideline_disagreement(frame, situation=situation, assume=ASSUMED)
        for situation in ("primary", "after resection", "1-2 cm")
    }
    told = dict.fromkeys(
        note
        for result in compared.values()
        for note in result.notes
        if "assumed" in note or "contradicts" in note
    )
    return CohortAnswers(
        classified=classified,
        compared=compared,
        exhibits=(
            _answers(classified),
            _rules(classified),
            _pairs(compared),
            _changes(frame, classified),
        ),
        notes=tuple(told),
    )


def _answers(classified: dict[tuple[str, str], ClassificationResult]) -> Exhibit:
    """Patients by guideline and answer."""
    rows = []
    for (key, situation), result in classified.items():
        counts = result.bands.groupby("answer")["n"].sum()
        rows.append(
            {"guideline": key, "name": result.name, "situation": situation}
            | {answer: int(counts.get(answer, 0)) for answer in ANSWERS}
        )
    numbers = pd.DataFrame(rows)
    head = numbers[["name", "situation"]].rename(
        columns={"name": "Guideline", "situation": "Situation"}
    )
    body = numbers[list(ANSWERS)].map(fmt_count).rename(columns=str.capitalize)
    return Exhibit(
        name="answers",
        title="Next steps across the cohort",
        caption="Patients by the next step that each guideline gives them. Why there is none "
        "stands in the next table.",
        numbers=numbers,
        shown=pd.concat([head, body], axis=1),
        notes=(ADVICE,),
    )


def _rules(classified: dict[tuple[str, str], ClassificationResult]) -> Exhibit:
    """The rules that fired, and why there is none, after resection."""
    after = [result for (_, s), result in classified.items() if s == "after resection"]
    tables = [result.to_frame().assign(guideline=result.guideline) for result in after]
    shown = [result.display().iloc[:-1] for result in after]
    return Exhibit(
        name="fired",
        title="The rules that fired after resection",
        caption="“First”: what must still be established before the step.",
        numbers=pd.concat(tables, ignore_index=True),
        shown=pd.concat(
            [
                table.rename(columns={result.name: "Next step"}).assign(Guideline=result.name)
                for table, result in zip(shown, after, strict=True)
            ],
            ignore_index=True,
        )[["Guideline", "Next step", "Patients", "First", "Evidence", "Standing"]],
    )


def _pairs(compared: dict[str, DisagreementResult]) -> Exhibit:
    """Pairs of guidelines that both give a step to somebody."""
    numbers = pd.concat(
        [result.to_frame().assign(situation=name) for name, result in compared.items()],
        ignore_index=True,
    )
    names = {
        key: name
        for result in compared.values()
        for key, name in zip(result.guidelines, result.names, strict=True)
    }
    rows = numbers[(numbers["band"] == EVERYBODY) & (numbers["n_both"] > 0)]
    columns = ["situation", "guideline_1", "guideline_2", "n_both", "n_disagree", "share"]
    shown = pd.DataFrame(
        [
            {
                "Situation": situation,
                "Guidelines": f"{names[first]} / {names[second]}",
                "Patients with two steps": fmt_count(both),
                "Steps differ": f"{fmt_count(differ)} ({fmt_percent(share)})",
            }
            for situation, first, second, both, differ, share in zip(
                *(rows[name] for name in columns), strict=True
            )
        ],
        columns=["Situation", "Guidelines", "Patients with two steps", "Steps differ"],
    )
    return Exhibit(
        name="disagreement",
        title="How often two guidelines differ",
        caption="Among patients to whom both give a step. Pairs that never both do are left out.",
        numbers=numbers,
        shown=shown,
    )


def _changes(frame: pd.DataFrame, base: dict[tuple[str, str], ClassificationResult]) -> Exhibit:
    """How many patients' answers change with each definition."""
    places = [place for place in base if place[1] != "1-2 cm"] + [("cnets", "1-2 cm")]
    rows = []
    for words, change in CHANGES:
        how = {"assume": ASSUMED, **change}
        row: dict[str, Any] = {"definition": words}
        for place in places:
            other = classify(frame, guideline=place[0], situation=place[1], **how)
            row[_column(base[place])] = _changed(base[place], other)
        rows.append(row)
    numbers = pd.DataFrame(rows)
    shown = numbers.map(lambda cell: cell if isinstance(cell, str) else fmt_count(cell))
    return Exhibit(
        name="definitions_change",
        title="What a definition changes",
        caption="Patients whose next step, or the lack of one, changes when one definition is "
        "another.",
        numbers=numbers,
        shown=shown.rename(columns={"definition": "Definition"}),
    )


def _column(result: ClassificationResult) -> str:
    return f"{result.name}, {result.situation}"


def _changed(one: ClassificationResult, other: ClassificationResult) -> int:
    assert one.patients is not None
    assert other.patients is not None
    said = ["answer", "step"]
    return int((one.patients[said] != other.patients[said]).any(axis=1).sum())
