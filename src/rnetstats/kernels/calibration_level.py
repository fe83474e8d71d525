"""Calibration in the large: how far predicted risks are too high or too low as a whole.

One coefficient a replicate, each with its own risks: Newton's steps on the odds, kept within what
the smallest and the largest risk allow.

References
----------
Cox DR (1958). Two further applications of a model for binary regression. Biometrika 45:562-565.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.logits import Logits, logit_blocks
from rnetstats.kernels.newton import FloatArray

__all__ = ["InTheLarge", "calibration_in_the_large", "level_of"]


@dataclass(frozen=True, eq=False)
class InTheLarge:
    """Calibration in the large of B replicates.

    Attributes
    ----------
    intercept, variance : arrays of shape (B,)
        The intercept with the slope held at 1. Without any event it is minus infinite, without
        any non-event infinite; NaN where an outcome contradicts a risk of exactly 0 or 1.
    """

    intercept: FloatArray
    variance: FloatArray


def calibration_in_the_large(
    y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None
) -> InTheLarge:
    """Fit logit P(y = 1) = intercept + logit(risk) in each replicate.

    Parameters
    ----------
    y, risk, freq
        As in :func:`rnetstats.kernels.calibration_line.calibration_line`.

    Returns
    -------
    InTheLarge
    """
    return level_of(logit_blocks(y, risk, freq))


def level_of(blocks: list[Logits]) -> InTheLarge:
    """Do the same with the logits at hand."""
    parts = [_in_the_large(block) for block in blocks]
    return InTheLarge(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _in_the_large(rows: Logits) -> tuple[FloatArray, FloatArray]:
    lp, odds, weight, events = rows.lp, rows.odds, rows.w, rows.events
    total = weight.sum(axis=1)
    intercept = np.where(events == 0.0, -np.inf, np.inf)
    variance = np.full(len(lp), np.nan)
    none = rows.wrong | (total == 0.0)
    intercept[none] = np.nan
    inside = np.flatnonzero(~none & (events > 0.0) & (events < total))
    if not inside.size:
        return intercept, variance
    level = np.log(events[inside] / (total[inside] - events[inside]))
    if inside.size < len(lp):
        lp, odds, weight, events = (part[inside] for part in (lp, odds, weight, events))
    # The root lies where the smallest (largest) risk alone would put the mean.
    low, high = level - lp.max(axis=1), level - lp.min(axis=1)
    now = np.clip(0.0, low, high)
    for _ in range(100):
        score, information = _step(odds, weight, events, now)
        low, high = np.where(score > 0.0, now, low), np.where(score < 0.0, now, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = score / information
        to = now + step
        now = np.where((to >= low) & (to <= high), to, 0.5 * (low + high))
        if (np.abs(step) <= 1e-10).all():  # the next one would be of the order of its square
            break
    intercept[inside], variance[inside] = now, 1.0 / information
    return intercept, variance


@np.errstate(over="ignore")  # a risk of nil
def _step(
    odds: FloatArray, weight: FloatArray, events: FloatArray, now: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Score and information (b,) at intercepts (b,)."""
    p = odds + np.exp(-now)[:, None]
    np.divide(odds, p, out=p)
    score = events - np.vecdot(weight, p)
    p -= p * p
    return score, np.vecdot(weight, p)
