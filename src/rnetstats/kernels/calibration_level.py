"""Calibration in the large: how far predicted risks are too high or too low as a whole.

One coefficient a replicate, each with its own risks: steps of the fourth order on the odds, kept
within what the smallest and the largest risk allow.

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

__all__ = ["InTheLarge", "calibration_in_the_large", "counts_of", "level_of"]

_NEAR = 2e-4  # a step this short leaves less than 2e-15


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


def counts_of(rows: Logits) -> tuple[FloatArray, FloatArray]:
    """Rows, and those with the outcome, of each replicate: two arrays (b,)."""
    if not rows.alike:
        return rows.w.sum(axis=1), rows.events
    size, n = rows.lp.shape
    return np.full(size, float(n)), np.array(np.broadcast_to(rows.y.sum(axis=-1), size))


def _in_the_large(rows: Logits) -> tuple[FloatArray, FloatArray]:
    lp, odds, weight = rows.lp, rows.odds, rows.w
    total, events = counts_of(rows)
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
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # a risk of nil
        for _ in range(100):
            score, rise = _derivatives(odds, weight, rows.alike, events, now)
            low, high = np.where(score > 0.0, now, low), np.where(score < 0.0, now, high)
            step = _step(score, rise)
            information = rise[0] + step * (rise[1] + 0.5 * step * rise[2])
            to, near = now + step, np.abs(step) <= _NEAR
            held = (to >= low) & (to <= high)
            now = np.where(held | near, to, 0.5 * (low + high))
            if near.all():
                break
    intercept[inside], variance[inside] = now, 1.0 / information
    return intercept, variance


def _derivatives(
    odds: FloatArray, weight: FloatArray, alike: bool, events: FloatArray, now: FloatArray
) -> tuple[FloatArray, tuple[FloatArray, FloatArray, FloatArray]]:
    """Score (b,) at intercepts (b,), and three derivatives of the number of events expected."""
    p = odds + np.exp(-now)[:, None]
    np.divide(odds, p, out=p)
    square = p * p
    weighted = square if alike else weight * square
    one, two = np.vecdot(weight, p), np.vecdot(weight, square)
    three, four = np.vecdot(weighted, p), np.vecdot(weighted, square)
    rise = (one - two, one - 3.0 * two + 2.0 * three, one - 7.0 * two + 12.0 * three - 6.0 * four)
    return events - one, rise


def _step(score: FloatArray, rise: tuple[FloatArray, FloatArray, FloatArray]) -> FloatArray:
    """Step (b,) to where the number expected, a cubic in the step, is that of the events.

    Newton's step, put into the series that turns the cubic round; what it leaves is of the order
    of the step's fourth power. A long step is Newton's alone.
    """
    first, second, third = rise
    step = score / first
    bend, turn = 0.5 * second / first, third / (6.0 * first)
    turned = step * (1.0 - step * (bend - step * (2.0 * bend * bend - turn)))
    return np.asarray(np.where(np.abs(step) < 1.0, turned, step))
