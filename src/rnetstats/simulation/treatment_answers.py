"""What the methods for a treatment answer on one cohort: estimate and 95 % limits.

Ratios are on the log scale. A method that refuses, or has no estimate, answers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from rnetstats.errors import RnetError
from rnetstats.regression.cox import cox
from rnetstats.regression.fine_gray import fine_gray
from rnetstats.simulation.treatment_cohort import Arrays, Scene
from rnetstats.simulation.treatment_truth import World, world_of
from rnetstats.survival.cumulative_incidence import cumulative_incidence
from rnetstats.survival.rmst import rmst
from rnetstats.treatment.adjusted_survival import adjusted_survival
from rnetstats.treatment.effect import treatment_effect
from rnetstats.treatment.hazards import Effect, hazard_ratio, landmark_rows, naive_rows, split_rows
from rnetstats.treatment.patients import read_patients
from rnetstats.treatment.propensity import PropensityResult, propensity

__all__ = [
    "HORIZON",
    "Answers",
    "Limits",
    "Question",
    "at_start",
    "at_start_resampled",
    "during",
    "during_resampled",
    "grace_of",
    "incidence_ratio",
]

HORIZON = 60.0
"""Months at which risks and restricted means are compared."""

Role = Literal["nominal", "at least", "naive"]
Limits = tuple[float, float, float]
NOTHING: Limits = (np.nan, np.nan, np.nan)

_OUTCOME = "Surv(months, recurrence)"


class Question(NamedTuple):
    """A method, what it estimates, the true value, and what is required of its intervals.

    Attributes
    ----------
    method, estimand, limits : str
    target : float
        What it tends to in an unlimited cohort; of a naive method what it is read as.
    role : str
        Coverage must be ``nominal``, or ``at least`` that; of a ``naive`` method nothing is
        required.
    ratio : bool
        On the log scale.
    tested : bool
        Whether limits without 0 speak of an effect.
    """

    method: str
    estimand: str
    limits: str
    target: float
    role: Role = "nominal"
    ratio: bool = True
    tested: bool = True


Answers = Iterator[tuple[Question, Limits]]


def grace_of(scene: Scene) -> float:
    """Months by which most of those ever treated are: the landmark and the grace period."""
    assert scene.delay is not None
    return 6.0 if scene.delay.median < 6.0 else 24.0


def _effect(effect: Effect) -> Limits:
    values = np.log([effect.estimate, effect.conf_low, effect.conf_high])
    return float(values[0]), float(values[1]), float(values[2])


def _row(row: pd.Series, *, log: bool) -> Limits:
    values = row[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)
    with np.errstate(divide="ignore"):
        shown = np.log(values) if log else values
    return float(shown[0]), float(shown[1]), float(shown[2])


def _measure(table: pd.DataFrame | None, measure: str) -> Limits:
    if table is None:
        return NOTHING
    return _row(table[table["measure"] == measure].iloc[0], log=False)


def during(scene: Scene, arrays: Arrays, _seed: int, _resamples: int) -> Answers:
    """Hazard ratios of a treatment during follow-up, adjusted for the confounder."""
    world, landmark = world_of(scene), grace_of(scene)
    patients = read_patients(arrays, f"{_OUTCOME} ~ x", "treated_at")
    now = "treated against not yet treated"
    limits = "Firth, profile"
    asked = (
        (Question("naive", now, limits, scene.log_hazard_ratio, "naive"), naive_rows(patients)),
        (Question("time-dependent Cox", now, limits, scene.log_hazard_ratio), split_rows(patients)),
        (
            Question(
                f"landmark at {landmark:g}",
                f"treated by month {landmark:g} against not",
                limits,
                world.landmark(landmark),
            ),
            landmark_rows(patients, landmark),
        ),
    )
    for question, rows in asked:
        yield question, _effect(hazard_ratio(rows, 0.95))


def during_resampled(scene: Scene, arrays: Arrays, seed: int, resamples: int) -> Answers:
    """Both strategies compared by cloning, censoring and weighting."""
    world, grace = world_of(scene), grace_of(scene)
    curves = world.strategies(grace)
    table: pd.DataFrame | None = None
    with suppress(RnetError):
        table = treatment_effect(
            arrays,
            f"{_OUTCOME} ~ x",
            treatment_time="treated_at",
            methods=["clone-censor-weight"],
            grace=grace,
            horizon=HORIZON,
            resamples=resamples,
            seed=seed,
        ).table
    for measure in ("risk difference", "RMST difference"):
        question = Question(
            "clone-censor-weight",
            f"{measure} at {HORIZON:g}: all treated by month {grace:g} against nobody",
            "bootstrap",
            world.difference(curves, HORIZON, mean=measure.startswith("RMST")),
            ratio=False,
        )
        yield question, _measure(table, measure)


def at_start(scene: Scene, arrays: Arrays, _seed: int, _resamples: int) -> Answers:
    """Methods for a treatment chosen at the start that have limits in closed form."""
    world, data = world_of(scene), pd.DataFrame(arrays)
    conditional = "hazard ratio at the same confounder"
    marginal = "hazard ratio in the whole cohort"
    effect = world.marginal()
    for name, right, penalty, estimand, target in (
        ("naive", "treated", "firth", marginal, effect),
        ("Cox, Firth", "treated + x", "firth", conditional, scene.log_hazard_ratio),
        ("Cox, log-F", "treated + x", "log-f", conditional, scene.log_hazard_ratio),
    ):
        question = Question(
            name, estimand, "profile", target, "naive" if name == "naive" else "nominal"
        )
        yield question, _cox(data, right, penalty)
    yield from _observed(world, data)


def _cox(data: pd.DataFrame, right: str, penalty: str) -> Limits:
    try:
        fit = cox(data, f"{_OUTCOME} ~ {right}", penalty=penalty)
    except RnetError:
        return NOTHING
    return _row(fit.to_frame().iloc[0], log=True)


def _score(data: pd.DataFrame) -> PropensityResult | None:
    try:
        return propensity(data, "treated ~ x")
    except RnetError:
        return None


def _weighted(world: World, score: PropensityResult | None, resamples: int, seed: int) -> Answers:
    """Weighted comparisons, by the sandwich with the score as known and by the bootstrap."""
    risk = world.difference(world.assigned(), HORIZON)
    for name, estimand, measure, target in (
        ("Cox", "hazard ratio in the whole cohort", "hazard ratio", world.marginal()),
        ("curves", f"risk difference at {HORIZON:g}", "risk difference", risk),
    ):
        ratio = measure == "hazard ratio"
        rows = [NOTHING, NOTHING]
        with suppress(RnetError):
            if score is not None:
                if ratio:
                    found = score.cox(_OUTCOME, resamples=resamples, seed=seed)
                else:
                    found = score.risk(_OUTCOME, horizon=HORIZON, resamples=resamples, seed=seed)
                table = found.table[found.table["measure"] == measure]
                # without limits there is one row, for both
                rows = [_row(table.iloc[k], log=ratio) for k in (0, -1)]
        method = f"propensity-weighted {name}"
        known = Question(method, estimand, "robust", target, "at least", ratio)
        yield known, rows[0]
        yield known._replace(limits="bootstrap", role="nominal"), rows[1]


def _observed(world: World, data: pd.DataFrame) -> Answers:
    """Groups as they are: restricted means, and the incidence of those treated."""
    mean = Question(
        "RMST",
        f"difference up to {HORIZON:g}, groups as they are",
        "delta method",
        world.difference(world.observed(), HORIZON, mean=True),
        ratio=False,
        tested=False,
    )
    try:
        table = rmst(data, f"{_OUTCOME} ~ treated", tau=HORIZON).contrasts()
        yield mean, _row(table[table["measure"] == "RMST difference"].iloc[0], log=False)
    except RnetError:
        yield mean, NOTHING
    incidence = Question(
        "Aalen-Johansen",
        f"incidence at {HORIZON:g}, treated",
        "log-log",
        world.incidence(HORIZON),
        ratio=False,
        tested=False,
    )
    try:
        treated = data[data["treated"] == 1.0]
        found = cumulative_incidence(treated, "Surv(months, code) ~ 1", cause=1).at(HORIZON)
        row = found.iloc[0].rename({"incidence": "estimate"})
        yield incidence, _row(row, log=False)
    except RnetError:
        yield incidence, NOTHING


def at_start_resampled(scene: Scene, arrays: Arrays, seed: int, resamples: int) -> Answers:
    """Methods for a treatment chosen at the start with limits by the bootstrap."""
    world, data = world_of(scene), pd.DataFrame(arrays)
    yield from _weighted(world, _score(data), resamples, seed)
    table: pd.DataFrame | None = None
    with suppress(RnetError):
        table = adjusted_survival(
            data,
            f"{_OUTCOME} ~ treated + x",
            treatment="treated",
            times=HORIZON,
            resamples=resamples,
            seed=seed,
        ).contrasts()
    for measure in ("risk difference", "RMST difference"):
        mean = measure.startswith("RMST")
        target = world.difference(world.assigned(), HORIZON, mean=mean)
        question = Question(
            "g-formula (Cox)", f"{measure} at {HORIZON:g}", "bootstrap", target, ratio=False
        )
        yield question, _measure(table, measure)


def incidence_ratio(scene: Scene, arrays: Arrays, _seed: int, _resamples: int) -> Answers:
    """Fine and Gray's model where hazards of the subdistribution are proportional."""
    question = Question(
        "Fine-Gray",
        "subdistribution hazard ratio at the same confounder",
        "sandwich",
        scene.log_hazard_ratio,
    )
    data = pd.DataFrame(arrays)
    try:
        found = fine_gray(data, "Surv(months, code) ~ treated + x", cause=1).to_frame()
        yield question, _row(found.iloc[0], log=True)
    except RnetError:
        yield question, NOTHING
