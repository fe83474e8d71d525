"""From two arms to the contrasts of a measure: which method, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats._core.options import choice
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.treatment.margin_contrast import Contrast, ScoreDifference, SquareAndAdd
from rnetstats.treatment.margin_exact import BUDGET, ExactDifference, score_level
from rnetstats.treatment.margin_hazard import profile_hazard
from rnetstats.treatment.margin_options import Question
from rnetstats.treatment.margin_size import (
    POWER,
    patients_for_difference,
    patients_for_hazard,
)
from rnetstats.treatment.margin_survival import (
    ENOUGH_EVENTS,
    arm_curve,
    mean_arm,
    risk_arm,
)
from rnetstats.treatment.two_arms import FEW_EVENTS, TwoArms

__all__ = ["Compared", "compare"]


@dataclass(frozen=True)
class Compared:
    """The contrasts of a measure; the first is the one that decides.

    Attributes
    ----------
    values : pair of float
        What is contrasted, in the new arm and in the reference; missing for a hazard ratio.
    events : pair of int
        Events by the time up to which the measure looks.
    trusted : bool
        Whether the deciding method is valid at these events.
    patients : float
        Needed in each arm, missing where it cannot be told.
    assumed : str
        What that number rests on.
    """

    contrasts: tuple[Contrast, ...]
    values: tuple[float, float]
    events: tuple[int, int]
    trusted: bool
    patients: float
    assumed: str
    notes: tuple[str, ...] = ()


def compare(arms: TwoArms, question: Question, until: float | None, method: str | None) -> Compared:
    """Contrast the arms by the method asked for, or by the one that their events allow."""
    if question.measure == "hr":
        _only("method", method, (None,))
        return _hazards(arms, question)
    if question.measure == "rmst":
        _only("method", method, (None,))
        assert until is not None
        return _means(arms, question, until)
    if arms.stop is None:
        choice("method", method, (None, "score", "exact"))
        return _risks(arms, question, method)
    choice("method", method, (None, "greenwood", "bpcp"))
    assert until is not None
    return _risks_at(arms, question, until, method)


def _only(name: str, value: str | None, allowed: tuple[None]) -> None:
    if value not in allowed:
        raise OptionError(f"{name}= has one meaning for this measure; leave it out.")


def _size(
    risk: float, variance: float, question: Question, source: str, unit: str
) -> tuple[float, str]:
    two = question.aim == "equivalence"
    if not variance > 0.0:
        return float("nan"), "not computed: the data tell no variance"
    patients = patients_for_difference(variance, question.nearest, question.alpha, two_margins=two)
    known = f"{source} of {fmt_percent(risk)}" if unit == "risk" else source
    return patients, (
        f"{known} in both arms, no true difference, {100 * POWER:g} % power, "
        f"{'two one-sided tests' if two else 'a one-sided test'} at {question.alpha:g}, "
        "everybody followed"
    )


def _risks(arms: TwoArms, question: Question, method: str | None) -> Compared:
    (x1, x2), (m, n) = arms.events, arms.sizes
    rarest = min(x1, x2, m - x1, n - x2)
    feasible = (m + 1) * (n + 1) <= BUDGET
    if method == "exact" and not feasible:
        raise OptionError(
            f"The exact test of {m} and {n} patients has too many tables "
            f"({(m + 1) * (n + 1):,}; at most {BUDGET:,}); use method='score'."
        )
    score: Contrast = ScoreDifference(x1, m, x2, n)
    use_exact = method == "exact" or (method is None and rarest < FEW_EVENTS and feasible)
    notes = [_level_note(m, n, question, feasible)]
    if use_exact and method is None:
        notes.append(
            f"An arm has fewer than {FEW_EVENTS} events (or patients without one): the exact "
            "unconditional test decides, the score stands beside it."
        )
    if method is None and rarest < FEW_EVENTS and not feasible:
        notes.append(
            f"An arm has fewer than {FEW_EVENTS} events (or patients without one), and the exact "
            "test has too many tables: the score decides, whose level is approximate."
        )
    risk, source = (x1 + x2) / (m + n), "a risk"
    if x1 + x2 in (0, m + n):
        bound = 1.0 - 0.05 ** (1.0 / (m + n))
        risk, source = bound, "the upper 95 % bound of the risk, no event having been seen,"
        if x1:
            risk, source = 1.0 - bound, "the lower 95 % bound of the risk, all having the event,"
    patients, assumed = _size(risk, risk * (1.0 - risk), question, source, "risk")
    return Compared(
        contrasts=(ExactDifference(x1, m, x2, n), score) if use_exact else (score,),
        values=(x1 / m, x2 / n),
        events=(x1, x2),
        trusted=True,
        patients=patients,
        assumed=assumed,
        notes=tuple(note for note in notes if note),
    )


def _level_note(m: int, n: int, question: Question, feasible: bool) -> str:
    """The score test's largest real level against the margins that are asked for."""
    if not feasible:
        return ""
    levels = []
    if question.high < 1.0:
        levels.append(score_level(m, n, question.high, question.alpha))
    if question.low > -1.0:  # events of one arm mirror those of the other
        levels.append(score_level(n, m, -question.low, question.alpha))
    if not levels:
        return ""
    return (
        f"The score test's largest real level at {m} and {n} patients is "
        f"{fmt_percent(max(levels))} (nominal {fmt_percent(question.alpha)}), by enumeration."
    )


def _risks_at(arms: TwoArms, question: Question, until: float, method: str | None) -> Compared:
    curves = [
        arm_curve(*arms.survival_of(new=new), until, arms.names[0 if new else 1])
        for new in (True, False)
    ]
    events = (curves[0].events, curves[1].events)
    normal = method == "greenwood" or (method is None and min(events) >= ENOUGH_EVENTS)
    if normal and min(events) == 0:
        raise OptionError(
            f"An arm has no event by {until:g}: Greenwood's variance would be 0. Use method='bpcp'."
        )
    notes = [
        f"The risk at {until:g} is 1 less the Kaplan-Meier estimate: whatever else ends follow-up "
        "is taken as censoring."
    ]
    named = {True: "Kaplan-Meier, Greenwood", False: "Kaplan-Meier, square-and-add of beta product"}

    def contrast(greenwood: bool) -> Contrast:
        new, reference = (risk_arm(curve, normal=greenwood) for curve in curves)
        return SquareAndAdd(new, reference, named[greenwood])

    if not normal and method is None:
        notes.append(
            f"An arm has fewer than {ENOUGH_EVENTS} events by {until:g}: limits are built from the "
            "beta product limits of each arm, which hold with any number of events. P inverts "
            "them; it is 1 where they do not exclude the margin at any level."
        )
    if normal and min(events) < FEW_EVENTS:
        notes.append(f"Greenwood's limits with fewer than {FEW_EVENTS} events are too narrow.")
    pooled = arm_curve(arms.stop, arms.event, until, "all")  # type: ignore[arg-type]
    risk, source = 1.0 - float(pooled.survival[-1]), "a risk"
    if pooled.events == 0:
        risk = 1.0 - pooled.bounds(until, 0.05)[0]
        source = "the upper 95 % bound of the risk, no event having been seen,"
    patients, assumed = _size(risk, risk * (1.0 - risk), question, source, "risk")
    return Compared(
        contrasts=(contrast(normal),),
        values=(1.0 - float(curves[0].survival[-1]), 1.0 - float(curves[1].survival[-1])),
        events=events,
        trusted=not normal or min(events) >= FEW_EVENTS,
        patients=patients,
        assumed=assumed,
        notes=tuple(notes),
    )


def _means(arms: TwoArms, question: Question, until: float) -> Compared:
    curves = [
        arm_curve(*arms.survival_of(new=new), until, arms.names[0 if new else 1])
        for new in (True, False)
    ]
    events = (curves[0].events, curves[1].events)
    few = min(events) < FEW_EVENTS
    notes = []
    if few:
        notes.append(
            f"An arm has fewer than {FEW_EVENTS} events by {until:g}: its restricted mean has no "
            "normal limits but bounds (from beta product limits of survival), which are wide. P "
            "inverts them; it is 1 where they do not exclude the margin at any level."
        )
    pooled = arm_curve(arms.stop, arms.event, until, "all")  # type: ignore[arg-type]
    patients, assumed = _size(
        np.nan,
        len(arms.event) * pooled.mean_error**2,
        question,
        "the variance of all patients",
        "mean",
    )
    kind = "bounds from beta product limits" if few else "delta method (Greenwood)"
    return Compared(
        contrasts=(SquareAndAdd(mean_arm(curves[0]), mean_arm(curves[1]), kind),),
        values=(curves[0].mean, curves[1].mean),
        events=events,
        trusted=True,
        patients=patients,
        assumed=assumed,
        notes=tuple(notes),
    )


def _hazards(arms: TwoArms, question: Question) -> Compared:
    contrast = profile_hazard(arms)
    share = sum(arms.events) / sum(arms.sizes)
    two = question.aim == "equivalence"
    events, patients = patients_for_hazard(
        share, float(np.exp(question.nearest)), question.alpha, two_margins=two
    )
    notes = []
    if min(arms.events) == 0:
        notes.append("An arm has no event: the estimate is finite by Firth's penalty alone.")
    return Compared(
        contrasts=(contrast,),
        values=(float("nan"), float("nan")),
        events=arms.events,
        trusted=min(arms.events) >= FEW_EVENTS,
        patients=patients,
        assumed=(
            f"{fmt_number(events, 0)} events in all; events in {fmt_percent(share)} as here, no "
            f"true difference, {100 * POWER:g} % power, "
            f"{'two one-sided tests' if two else 'a one-sided test'} at {question.alpha:g}"
        ),
        notes=tuple(notes),
    )
