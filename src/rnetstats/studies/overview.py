"""The questions that several documents answer, side by side."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import RnetError
from rnetstats.evidence.audit_result import AuditResult
from rnetstats.evidence.facts import FactSheet, read_facts
from rnetstats.studies.print_verdicts import print_verdict
from rnetstats.studies.records import records
from rnetstats.studies.study_result import StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OverviewResult", "Question", "Says", "assemble", "questions"]

SILENT = "Silent"
_SYNTHETIC = (
    "Reanalyses marked as synthetic say what a study of this size could show, and nothing of "
    "patients."
)


@dataclass(frozen=True)
class Says:
    """What one document says on a question; ``facts`` and ``claims`` are keys of its study."""

    study: str
    sentence: str
    facts: tuple[str, ...]
    strength: str
    limits: str
    claims: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether the document says nothing on the question."""
        return self.strength.startswith(SILENT)


@dataclass(frozen=True)
class Question:
    """A question and what each document says on it."""

    id: str
    text: str
    says: tuple[Says, ...]


def _says(raw: Mapping[str, Any]) -> Says:
    listed = {name: tuple(raw.get(name, ())) for name in ("facts", "claims")}
    return Says(**{**raw, **listed})


@cache
def questions() -> tuple[Question, ...]:
    """Read ``questions.toml``.

    Raises
    ------
    RnetError
        If a document has no such fact.
    """
    text = files("rnetstats.studies").joinpath("questions.toml").read_text(encoding="utf-8")
    made = []
    for raw in tomllib.loads(text)["question"]:
        says = tuple(_says(one) for one in raw["says"])
        for one in says:
            sheet = read_facts(one.study)
            lacking = [key for key in one.facts if key not in sheet.facts]
            if lacking:
                raise RnetError(f"questions.toml: {one.study} has no facts {lacking}.")
        made.append(Question(raw["id"], raw["text"], says))
    return tuple(made)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OverviewResult(Result):
    """What each document says on each question, and what is left of it.

    Attributes
    ----------
    answers : DataFrame
        One row a question and document: ``question, text, study, title, says, silent, strength,
        limits, print_verdict, print_rule, print_because, audit, reanalysis, synthetic``.
    conclusions : DataFrame
        One row a question: ``question, text, speak, documents, sentence``.
    """

    answers: pd.DataFrame
    conclusions: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the answers (a copy)."""
        return self.answers.copy()

    def glance(self) -> pd.DataFrame:
        """Count questions, documents and answers."""
        return pd.DataFrame(
            {
                "questions": [len(self.conclusions)],
                "documents": [self.answers["study"].nunique()],
                "answers": [int((~self.answers["silent"]).sum())],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return question, document, answer and what is left, as text."""
        speak = self.answers[~self.answers["silent"]]
        return pd.DataFrame(
            {
                "Question": speak["text"],
                "Document": speak["study"],
                "Says": speak["says"],
                "By print alone": speak["print_verdict"],
                "Reanalysis": speak["reanalysis"],
            }
        ).reset_index(drop=True)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a table of questions by documents with the verdict by print alone."""
        from rnetstats.plots.style import marked
        from rnetstats.plots.text_table import text_table

        rows = self.answers.assign(
            shown=self.answers["print_verdict"].where(~self.answers["silent"], "silent")
        )
        wide = rows.pivot(index="study", columns="text", values="shown")
        wide = wide.loc[list(dict.fromkeys(rows["study"])), list(dict.fromkeys(rows["text"]))]
        table = wide.rename_axis("Document").reset_index()
        return marked(text_table(table, title="", ax=ax), self.synthetic)


def assemble(
    results: Mapping[str, StudyResult], audits: Mapping[str, AuditResult]
) -> OverviewResult:
    """Put what each document says beside what audit and reanalysis leave of it.

    Parameters
    ----------
    results : mapping of str to StudyResult
        Per study its reanalysis.
    audits : mapping of str to AuditResult
        Per study its audit.
    """
    rows = [
        _row(question, says, results.get(says.study), audits[says.study])
        for question in questions()
        for says in question.says
    ]
    answers = pd.DataFrame(rows)
    conclusions = pd.DataFrame([_conclusion(q, answers) for q in questions()])
    synthetic = any(result.synthetic for result in results.values())
    notes = (_SYNTHETIC,) if synthetic else ()
    return OverviewResult(
        answers=answers,
        conclusions=conclusions,
        synthetic=synthetic,
        notes=notes,
        options={"studies": sorted(results)},
    )


def _row(
    question: Question, says: Says, result: StudyResult | None, audit: AuditResult
) -> dict[str, Any]:
    sheet: FactSheet = read_facts(says.study)
    verdict = print_verdict(question.id, sheet)
    return {
        "question": question.id,
        "text": question.text,
        "study": says.study,
        "title": sheet.short_title,
        "says": says.sentence,
        "silent": says.silent,
        "strength": says.strength,
        "limits": says.limits,
        "print_verdict": "silent" if says.silent else verdict.words,
        "print_rule": "silent" if says.silent else verdict.rule,
        "print_because": "" if says.silent else verdict.because,
        "audit": _audited(says, audit),
        "reanalysis": _reanalysed(says, result),
        "synthetic": bool(result is not None and result.synthetic and says.claims),
    }


def _audited(says: Says, audit: AuditResult) -> str:
    """Say what the audit found among the checks that hold these figures."""
    table = audit.to_frame()
    keys = set(says.facts)
    concerned = [bool(keys & {k.strip() for k in str(row).split(",")}) for row in table["facts"]]
    found = table[concerned]
    if not len(found):
        return "no check concerns these figures"
    counts = found["verdict"].value_counts()
    order = ("consistent", "rounding", "inconsistent", "cannot be checked")
    return "; ".join(f"{int(counts[name])} {name}" for name in order if name in counts)


def _reanalysed(says: Says, result: StudyResult | None) -> str:
    """Return the verdicts of the study's own claims on the question."""
    if result is None or not says.claims:
        return "none"
    rows = {row["claim"]: row for row in records(result.claims)}
    found = [rows[key] for key in says.claims if key in rows]
    return "; ".join(f"{row['statement']}: {row['verdict']}" for row in found)


def _conclusion(question: Question, answers: pd.DataFrame) -> dict[str, Any]:
    """Make the sentence on a question from the verdicts by print alone."""
    rows = records(answers[(answers["question"] == question.id) & ~answers["silent"]])
    parts = [f"{row['title'].split(',')[0]}: {row['print_verdict']}" for row in rows]
    settled = [row for row in rows if row["print_rule"] == "follows"]
    closing = (
        "The printed figures carry the answer, as a statement on those patients."
        if settled
        else "None of them settles it by what is printed."
    )
    return {
        "question": question.id,
        "text": question.text,
        "speak": len(rows),
        "documents": len(question.says),
        "sentence": f"{len(rows)} of {len(question.says)} documents speak to it ("
        + "; ".join(parts)
        + f"). {closing}",
    }
