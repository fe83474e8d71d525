"""From two arms and a question to the result: rows, verdict, reason and notes."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rnetstats.treatment.margin_compare import Compared, compare
from rnetstats.treatment.margin_contrast import Contrast
from rnetstats.treatment.margin_options import Question, check_times
from rnetstats.treatment.margin_result import (
    MarginResult,
    reason_why_not,
    size_note,
    smallest_note,
    verdict_words,
)
from rnetstats.treatment.two_arms import FEW_EVENTS, TwoArms

__all__ = ["answer"]

_NOT_EQUAL = (
    "A difference that is not significant is not equality: only an interval inside a margin chosen "
    "beforehand shows equivalence, and 'not shown' means neither different nor equal."
)
_ON_THE_MARGIN = (
    "The verdict holds for the margin given, and only if that margin was chosen on clinical "
    "grounds before the data were seen."
)
_NOT_ADJUSTED = "The arms are compared as they are, without adjustment for confounding."
_NAIVE = (
    "Times count from the time zero of the data: a treatment that was given later makes this the "
    "naive comparison, which credits the person-time before it to the treated."
)


def answer(
    arms: TwoArms,
    question: Question,
    horizon: float | None,
    tau: float | None,
    method: str | None,
    missing: str,
) -> MarginResult:
    """Compare the arms and put the result together.

    Parameters
    ----------
    arms : TwoArms
    question : Question
    horizon, tau, method, missing
        As given by the caller.
    """
    until = check_times(arms, question.measure, horizon, tau)
    found = compare(arms, question, until, method)
    rows = [
        _row(contrast, question, decides=k == 0, tested=found.trusted)
        for k, contrast in enumerate(found.contrasts)
    ]
    first = rows[0]
    shown = bool(first["p_value"] < question.alpha)
    few = "" if found.trusted else _few(found)
    zone = (question.low, question.high)
    reason = "" if shown else reason_why_not(first, zone=zone, few=few)
    smallest = _smallest(first, question) if found.trusted else math.inf
    return MarginResult(
        contrasts=pd.DataFrame(rows),
        arms=_arms_frame(arms, found),
        aim=question.aim,
        measure=question.measure,
        better=question.better,
        endpoint=arms.endpoint if until is None else f"{arms.endpoint} up to {until:g}",
        group=arms.group,
        margin_low=question.low,
        margin_high=question.high,
        alpha=question.alpha,
        verdict=verdict_words(question.aim, shown=shown),
        reason=reason,
        smallest_margin=smallest,
        patients_per_arm=found.patients,
        assumed=found.assumed,
        n_missing=arms.n_missing,
        synthetic=arms.synthetic,
        notes=_notes(arms, found, question, reason, smallest),
        options={
            "formula": arms.formula,
            "measure": question.measure,
            "new": arms.names[0],
            "horizon": horizon,
            "tau": tau,
            "alpha": question.alpha,
            "method": method,
            "missing": missing,
        },
    )


def _row(contrast: Contrast, question: Question, *, decides: bool, tested: bool) -> dict[str, Any]:
    """One method's estimate, interval and P values on the measure's scale."""
    low, high = contrast.limits(question.alpha)
    values = (contrast.estimate, low, high)
    p_lower = p_upper = math.nan
    if tested:
        if question.better != "lower":
            p_lower = contrast.p_above(question.scaled(question.low))
        if question.better != "higher":
            p_upper = contrast.p_below(question.scaled(question.high))
    known = [p for p in (p_lower, p_upper) if not math.isnan(p)]
    estimate, low, high = map(math.exp, values) if question.ratio else values
    return {
        "measure": question.measure,
        "method": contrast.method,
        "decides": decides,
        "estimate": estimate,
        "conf_low": low,
        "conf_high": high,
        "p_lower": p_lower,
        "p_upper": p_upper,
        "p_value": max(known) if known else math.nan,
    }


def _few(found: Compared) -> str:
    return (
        f"An arm has fewer than {FEW_EVENTS} events ({found.events[0]} and {found.events[1]}): no "
        "P is given and nothing can be shown."
    )


def _smallest(row: dict[str, Any], question: Question) -> float:
    """The margin at which the interval would just lie inside."""
    low, high = float(row["conf_low"]), float(row["conf_high"])
    if question.ratio:
        inverse = math.inf if low <= 0.0 else 1.0 / low
        if question.aim == "equivalence":
            return max(inverse, high)
        return max(high, 1.0) if question.better == "lower" else min(low, 1.0)
    if question.aim == "equivalence":
        return max(-low, high)
    return max(high if question.better == "lower" else -low, 0.0)


def _arms_frame(arms: TwoArms, found: Compared) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": arms.names,
            "role": ["new", "reference"],
            "n": arms.sizes,
            "n_events": found.events,
            "value": found.values,
        }
    )


def _notes(
    arms: TwoArms, found: Compared, question: Question, reason: str, smallest: float
) -> tuple[str, ...]:
    compared = (
        f"{arms.group}: {arms.names[0]!r} (new) is compared with {arms.names[1]!r} (reference); "
        f"{found.events[0]} and {found.events[1]} events of {arms.endpoint}."
    )
    timed = [] if arms.stop is None else [_NAIVE]
    return (
        *arms.notes,
        compared,
        *([reason] if reason else []),
        *found.notes,
        smallest_note(smallest, question.measure),
        size_note(found.patients, found.assumed),
        _NOT_EQUAL,
        _ON_THE_MARGIN,
        _NOT_ADJUSTED,
        *timed,
    )
