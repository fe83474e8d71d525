"""Options of the simulations of immortal time, and what they are checked against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnetstats._core.options import draw_count, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.treatment.null_cohorts import FollowUpShape, Sizes
from rnetstats.treatment.patients import Patients

__all__ = ["both_arms", "checked_delays", "outcome_only", "sizes_of", "within_follow_up"]


def outcome_only(formula: str) -> str:
    """Return the formula with nothing on its right, or say that covariates have no place."""
    if not isinstance(formula, str):
        raise FormulaError(f"formula must be text, not {formula!r}.")
    left, tilde, right = formula.partition("~")
    if tilde and right.strip() not in ("1", "0"):
        raise FormulaError(
            f"{formula!r} has covariates; immortal_time takes the outcome alone, {left.strip()!r}."
        )
    return f"{left.strip()} ~ 1"


def both_arms(read: Patients, name: str) -> None:
    """Refuse data in which nobody or everybody is treated; ``name`` is the column of times."""
    if not read.treated.any():
        raise DataError(
            f"Nobody is treated during follow-up ({name!r}): there is no immortal time."
        )
    if read.treated.all():
        raise DataError(
            f"Everybody is treated during follow-up ({name!r}): there is nobody to compare with."
        )


def within_follow_up(horizon: float, shape: FollowUpShape) -> float:
    """Return a horizon before the end of the longest follow-up."""
    value = real("horizon", horizon, low=0.0, high=np.inf)
    if not 0.0 < value < shape.longest:
        raise OptionError(
            f"horizon={value:g} must lie between 0 and the longest follow-up, {shape.longest:g}; "
            "it has the unit of the data."
        )
    return value


def checked_delays(delays: Sequence[float], shape: FollowUpShape) -> tuple[float, ...]:
    """Return the delays, none of them negative or past the longest follow-up."""
    given: list[Any] = [delays] if np.ndim(delays) == 0 else list(delays)
    if not given:
        raise OptionError("delays is empty; give at least one, as delays=(1, 3, 12).")
    values = tuple(real("delays", delay, low=0.0) for delay in given)
    late = [f"{delay:g}" for delay in values if delay >= shape.longest]
    if late:
        raise OptionError(
            f"delays {', '.join(late)} are past the longest follow-up, {shape.longest:g}: nobody "
            "would be treated."
        )
    return values


def sizes_of(cohorts: int, patients: int, seed: int | None) -> Sizes:
    """Return how much is simulated: at least 2 cohorts of at least 100 patients."""
    return Sizes(
        draw_count("cohorts", cohorts, minimum=2),
        draw_count("patients", patients, minimum=100),
        resolve_seed(seed),
    )
