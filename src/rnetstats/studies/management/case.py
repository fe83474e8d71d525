"""The page's case as a patient: what it says of him, what guidelines say, what a model refuses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from rnetstats.data.embedded import load_cohort
from rnetstats.errors import DataError
from rnetstats.evidence.facts import FactSheet
from rnetstats.prediction.model import RiskModel
from rnetstats.prediction.risk_model import risk_model
from rnetstats.regression.logistic import logistic
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.management.classify import classify
from rnetstats.studies.management.decide import Answer
from rnetstats.studies.management.vocabulary import ADVICE, NO_RULE, STEP

__all__ = ["Refusal", "answers_to_the_case", "case_answers", "case_table", "page_case", "refusal"]

GUIDELINES = ("page", "enets2023", "nccn2025", "enets2016")
MARGIN_MODEL = "margin_positive ~ method + location + nlr + size_mm"
_CASE = (
    "case_age",
    "case_size",
    "case_t",
    "case_grade",
    "case_ki67",
    "case_margin",
    "case_lvi",
    "case_esd_hours",
    "case_comorbidity",
    "case_preference",
)


def page_case(sheet: FactSheet) -> pd.DataFrame:
    """Return the case as one row of a cohort, read from the printed figures.

    Parameters
    ----------
    sheet : FactSheet
        Of this study.

    Returns
    -------
    DataFrame
        ``age, size_mm, t_stage, grade, ki67, margin, lvi``.
    """
    return pd.DataFrame(
        {
            "age": [sheet["case_age"].number],
            "size_mm": [sheet["case_size_mm"].number],
            "t_stage": [sheet["case_t"].value],
            "grade": [sheet["case_grade"].value],
            "ki67": [sheet["case_ki67"].number],
            "margin": ["R1" if "positive" in sheet["case_margin"].value else None],
            "lvi": [1 if sheet["case_lvi"].known else None],
        },
        index=pd.Index(["the case"], name="patient"),
    )


def answers_to_the_case(case: pd.DataFrame) -> dict[str, Answer]:
    """Return what the page and each guideline for resected patients say of the case, by name."""
    found = {}
    for key in GUIDELINES:
        result = classify(case, guideline=key)
        assert result.patients is not None
        row = result.patients.iloc[0]
        found[result.name] = Answer(**{str(name): str(text) for name, text in row.items()})
    return found


def case_table(sheet: FactSheet) -> Exhibit:
    """Return the case as the page describes it."""
    facts = [sheet[key] for key in _CASE]
    return Exhibit(
        name="case",
        title="The case",
        caption="As the page describes it.",
        numbers=pd.DataFrame(
            {
                "key": [fact.key for fact in facts],
                "value": [fact.value for fact in facts],
                "unit": [fact.unit for fact in facts],
            }
        ),
        shown=pd.DataFrame(
            {"What": [fact.label for fact in facts], "Value": [fact.text for fact in facts]}
        ),
        from_print=True,
    )


def case_answers(answers: dict[str, Answer]) -> Exhibit:
    """Return what the page and the guidelines say of the case, side by side."""
    return Exhibit(
        name="case_rules",
        title="The case by the page and by guidelines",
        caption="The same patient, each rule sheet in turn. Guidelines are second-hand.",
        numbers=pd.DataFrame([{"by": name, **vars(a)} for name, a in answers.items()]),
        shown=pd.DataFrame([_shown(name, answer) for name, answer in answers.items()]),
        from_print=True,
        notes=(
            *(f"Left out, {name}: {a.omits}." for name, a in answers.items() if a.omits),
            *(f"Follow-up, {name}: {a.follow_up}." for name, a in answers.items() if a.follow_up),
            ADVICE,
        ),
    )


def _shown(name: str, answer: Answer) -> dict[str, str]:
    said = {STEP: answer.words, NO_RULE: f"no rule: {answer.why}"}
    return {
        "By": name,
        "Next step": said.get(answer.answer, f"cannot be applied: needs {answer.needs}"),
        "To be established first": answer.open or "–",
        "Evidence": answer.evidence or "–",
        "Standing": answer.standing or "–",
    }


@dataclass(frozen=True)
class Refusal:
    """What the margin model says when it is asked about the case.

    Attributes
    ----------
    reason : str
        Why the case is outside its domain, with ``outside="flag"``.
    message : str
        What it raises with ``outside="raise"``.
    exhibit : Exhibit
    """

    reason: str
    message: str
    exhibit: Exhibit


@cache
def _margin_model() -> tuple[RiskModel, dict[str, Any]]:
    """Return the margin model, and the middle of the cohort that it is fitted on."""
    cohort = load_cohort("duan2024")
    location, nlr = cohort["location"].mode().iloc[0], float(cohort["nlr"].median())
    return risk_model(logistic(cohort, MARGIN_MODEL)), {"location": location, "nlr": nlr}


def refusal(case: pd.DataFrame) -> Refusal:
    """Ask the margin model of the 527-patient study for the case's probability.

    The model is refitted on the embedded synthetic cohort. What the page does not tell of the case
    (location and neutrophil-to-lymphocyte ratio) is taken from the middle of that cohort, so that
    the size alone decides.
    """
    model, middle = _margin_model()
    known = case[["size_mm"]].assign(method="ESD", **middle)
    unfilled = known.assign(nlr=float("nan"))
    rows = pd.concat({"filled with the cohort’s middle": known, "as the page tells it": unfilled})
    flagged = model.predict(rows.reset_index(drop=True), outside="flag")
    try:
        model.predict(known, outside="raise")
    except DataError as error:
        message = str(error)
    else:
        message = ""
    numbers = flagged.assign(patient=rows.index.get_level_values(0).to_numpy(str))
    exhibit = Exhibit(
        name="refusal",
        title="The margin model, asked about the case",
        caption="The model of the 527-patient study with size, location, method and "
        "neutrophil-to-lymphocyte ratio, refitted on its synthetic cohort.",
        numbers=numbers,
        shown=pd.DataFrame(
            {
                "The case": numbers["patient"],
                "Probability": ["none" if pd.isna(r) else f"{r:.2f}" for r in numbers["risk"]],
                "Reason": numbers["reason"],
            }
        ),
        notes=(f"With outside='raise' it stops: {message}",) if message else (),
    )
    return Refusal(reason=str(flagged["reason"].iloc[0]), message=message, exhibit=exhibit)
