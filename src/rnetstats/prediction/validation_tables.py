"""Curves of a validation: calibration and net benefit, apparent and corrected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import OptionError
from rnetstats.prediction.corrected import mean_known
from rnetstats.prediction.judges import Judge

__all__ = ["FEW", "benefit_table", "curve_table", "inner_thresholds", "risk_grid"]

Floats = NDArray[np.float64]
Correct = Callable[[Floats], Floats]
"""From an apparent curve to the corrected one."""

FEW: Final = 5
"""Patients of the rarer outcome below which resampling gives no limits."""


def inner_thresholds(thresholds: Any) -> Floats:
    """Return ascending thresholds above 0 and below 1; by default .01 to .99.

    Raises
    ------
    OptionError
        If they are no numbers, or one is out of range.
    """
    if thresholds is None:
        return np.arange(1, 100) / 100.0
    try:
        values = np.atleast_1d(np.asarray(thresholds))
    except ValueError:  # sequences of unequal lengths
        values = np.empty(0)
    fit = values.dtype.kind in "fiu" and values.ndim == 1 and values.size > 0
    if not fit or not ((values > 0.0) & (values < 1.0)).all():
        raise OptionError(
            "thresholds are probabilities above 0 and below 1, one or a sequence of them, not "
            f"{thresholds!r}: at 0 everybody is treated, at 1 a false positive would outweigh "
            "everything."
        )
    return np.unique(values.astype(np.float64))


def risk_grid(judge: Judge, risk: Floats, points: int) -> Floats:
    """Return predicted risks over the central 98 % of patients; none where all are alike."""
    if not judge.has_curves:
        return np.empty(0)
    low, high = np.quantile(risk, [0.01, 0.99])
    return np.linspace(low, high, points) if high > low else np.empty(0)


def curve_table(judge: Judge, risk: Floats, grid: Floats, correct: Correct) -> dict[str, Any]:
    """Return ``predicted, apparent, corrected`` of the model's own risks (m, n).

    Of several imputations the apparent curve is the mean.

    Empty where no curve can be fitted, as to risks that separate the outcomes.
    """
    if not grid.size:
        return {}
    first = mean_known(judge.curve(risk, None, grid), grid.size)
    if not np.isfinite(first).any():
        return {}
    return {"predicted": grid, "apparent": first, "corrected": correct(first)}


def benefit_table(
    judge: Judge, risk: Floats, thresholds: Floats, correct: Correct
) -> dict[str, Any]:
    """Return ``threshold, apparent, corrected, treat_all, treat_none``."""
    if not thresholds.size:
        return {}
    first = mean_known(judge.net_benefit(risk, None, thresholds), thresholds.size)
    return {
        "threshold": thresholds,
        "apparent": first,
        "corrected": correct(first),
        "treat_all": judge.net_benefit(np.ones_like(risk[:1]), None, thresholds)[0],
        "treat_none": np.zeros(thresholds.size),
    }
