"""Calibration line: logistic regression of the outcome on the logit of its predicted risk.

Two coefficients a replicate, each with its own risks: Newton's steps in closed form. What does not
settle in a few steps (separated outcomes above all) goes to the general, safeguarded ascent.

A risk of exactly 0 or 1 that the outcome agrees with fits every intercept and every positive
slope, so that it adds nothing and is left out; without a positive slope among the other rows, or
where an outcome contradicts such a risk, the replicate has no line.

References
----------
Cox DR (1958). Two further applications of a model for binary regression. Biometrika 45:562-565.
Miller ME, Hui SL, Tierney WM (1991). Validation techniques for logistic regression models.
Statistics in Medicine 10:1213-1226.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import block_size, part_of
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.newton import DIVERGED, FAILED, LOST_TERM, OK, BoolArray, FloatArray

__all__ = ["CalibrationLine", "InTheLarge", "calibration_in_the_large", "calibration_line"]

_STEPS = 12
_DECREMENT = 1e-18
_NEAR = 1.0  # log odds of the events, from the mean of the risks' logits


@dataclass(frozen=True, eq=False)
class CalibrationLine:
    """Calibration lines of B replicates.

    Attributes
    ----------
    intercept, slope : arrays of shape (B,)
        Under separation the slope is infinite (negative where higher risks have fewer events) and
        the intercept NaN. Both are NaN with identical risks, without both outcomes, or where an
        outcome contradicts a risk of exactly 0 or 1.
    covariance : array of shape (B, 2, 2)
    status : int array of shape (B,)
        ``OK``, ``LOST_TERM`` (identical risks), ``DIVERGED`` (separation) or ``FAILED``.
    """

    intercept: FloatArray
    slope: FloatArray
    covariance: FloatArray
    status: np.ndarray


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


def calibration_line(
    y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None
) -> CalibrationLine:
    """Fit logit P(y = 1) = intercept + slope logit(risk) in each replicate.

    Parameters
    ----------
    y : array of shape (n,)
        0 or 1.
    risk : array of shape (n,) or (B, n)
    freq : array of shape (n,) or (B, n), optional
        Whole numbers; zero leaves a row out.

    Returns
    -------
    CalibrationLine
    """
    parts = [_line(*block) for block in _blocks(y, risk, freq)]
    line = CalibrationLine(*(np.concatenate(values) for values in zip(*parts, strict=True)))
    risks = np.asarray(risk, dtype=np.float64)
    edge = (risks == 0.0) | (risks == 1.0)
    if edge.any():
        counts = np.ones(risks.shape[-1]) if freq is None else np.asarray(freq)
        held = (np.atleast_2d(edge) & (np.atleast_2d(counts) > 0)).any(axis=1)
        none = held & ~(line.slope > 0.0)
        line.slope[none], line.intercept[none], line.covariance[none] = np.nan, np.nan, np.nan
    return line


def calibration_in_the_large(
    y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None
) -> InTheLarge:
    """Fit logit P(y = 1) = intercept + logit(risk) in each replicate.

    Parameters
    ----------
    y, risk, freq
        As in :func:`calibration_line`.

    Returns
    -------
    InTheLarge
    """
    parts = [_in_the_large(*block) for block in _blocks(y, risk, freq)]
    return InTheLarge(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _blocks(
    y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray, BoolArray]]:
    """Yield outcome (n,), logit (b, n), 0 for rows left out, weight, contradictions (b,)."""
    keep_freed_memory()
    outcome, given = np.asarray(y, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    counts = None if freq is None else np.asarray(freq, dtype=np.float64)
    size = max(len(a) if a is not None and a.ndim == 2 else 1 for a in (given, counts))
    step = block_size(outcome.size)
    for start in range(0, size, step):
        rows = slice(start, min(start + step, size))
        shape = (rows.stop - rows.start, outcome.size)
        part = np.atleast_2d(part_of(given, rows))
        weight = part_of(counts, rows)
        lp = 1.0 - part
        with np.errstate(divide="ignore"):
            np.divide(part, lp, out=lp)
            np.log(lp, out=lp)
        weight = np.ones((1, outcome.size)) if weight is None else np.atleast_2d(weight)
        wrong = np.zeros(shape[0], dtype=bool)
        edge = ~np.isfinite(lp)
        if edge.any():
            wrong = (edge & (part != outcome) & (weight > 0.0)).any(axis=1) & np.ones_like(wrong)
            weight = np.where(edge, 0.0, weight)
            lp = np.where(edge, 0.0, lp)
        yield outcome, np.broadcast_to(lp, shape), np.broadcast_to(weight, shape), wrong


@dataclass(eq=False)
class _Moments:
    """What the steps of some replicates need: x (b, n), and it times the weights."""

    x: FloatArray
    w: FloatArray
    wx: FloatArray
    wxx: FloatArray
    events: FloatArray
    events_x: FloatArray

    @classmethod
    def of(cls, y: FloatArray, x: FloatArray, w: FloatArray) -> _Moments:
        wx = w * x
        return cls(x, w, wx, wx * x, w @ y, wx @ y)

    def keep(self, rows: BoolArray) -> _Moments:
        return _Moments(*(part[rows] for part in vars(self).values()))


def _line(
    y: FloatArray, lp: FloatArray, weight: FloatArray, wrong: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray, np.ndarray]:
    size = len(lp)
    coef = np.full((size, 2), np.nan)
    covariance = np.full((size, 2, 2), np.nan)
    status = np.full(size, FAILED)
    total = weight.sum(axis=1)
    events = weight @ y
    usable = ~wrong & (events > 0.0) & (events < total)
    centre = np.vecdot(weight, lp) / np.where(usable, total, 1.0)
    rows = _Moments.of(y, lp - centre[:, None], weight)
    same = _constant(lp, weight, centre, rows.wxx.sum(axis=1))
    status[usable & same] = LOST_TERM
    running = np.flatnonzero(usable & ~same)
    if running.size:
        if running.size < size:
            rows = rows.keep(usable & ~same)
        begin = _start((events / total)[running], centre[running])
        running = _newton(rows, begin, running, coef, covariance, status)
    for row in running:  # few: separated, or far from any line
        X = np.column_stack([np.ones(lp.shape[1]), lp[row] - centre[row]])
        fit = fit_logistic(X, y, freq=weight[row])
        coef[row], covariance[row], status[row] = fit.coef[0], fit.covariance[0], fit.status[0]
        if fit.status[0] != OK:
            coef[row], covariance[row] = (np.nan, np.nan), np.nan
        if fit.status[0] == DIVERGED:
            coef[row, 1] = np.copysign(np.inf, fit.coef[0, 1])
    intercept = coef[:, 0] - np.where(np.isfinite(coef[:, 1]), coef[:, 1], 0.0) * centre
    shift = np.tile(np.eye(2), (size, 1, 1))
    shift[:, 0, 1] = -centre
    return intercept, coef[:, 1], shift @ covariance @ shift.transpose(0, 2, 1), status


def _constant(
    lp: FloatArray, weight: FloatArray, centre: FloatArray, squares: FloatArray
) -> BoolArray:
    """Whether the rows of a replicate all have one risk; `squares` sums them around the centre."""
    width = 1e-12 * np.maximum(np.abs(centre), 1.0)
    same = squares <= 4.0 * width**2 * weight.sum(axis=1)
    for row in np.flatnonzero(same):
        seen = lp[row, weight[row] > 0.0]
        same[row] = np.ptp(seen) <= 1e-12 * max(abs(seen.max()), 1.0) if seen.size else True
    return np.asarray(same)


def _start(share: FloatArray, centre: FloatArray) -> FloatArray:
    """Coefficients (b, 2) to begin at, x centred: risks as they are if right by and large."""
    level = np.log(share / (1.0 - share))
    near = np.abs(level - centre) < _NEAR
    return np.column_stack([np.where(near, centre, level), np.ones(len(share))])


def _newton(
    rows: _Moments,
    now: FloatArray,
    running: np.ndarray,
    coef: FloatArray,
    covariance: FloatArray,
    status: np.ndarray,
) -> np.ndarray:
    """Step until the replicates `running` settle; return what has not."""
    last = np.full(len(running), np.inf)
    failed: list[np.ndarray] = []
    for _ in range(_STEPS):
        step, information, decrement = _step(rows, now)
        good = _sound(information, rows.w) & (decrement <= last)
        now[good] += step[good]
        done = good & (decrement < _DECREMENT)
        there = running[done]
        coef[there], status[there], covariance[there] = now[done], OK, _inverse(information[done])
        failed.append(running[~good])
        keep = good & ~done
        last = decrement[keep]
        if not keep.all():
            running, rows, now = running[keep], rows.keep(keep), now[keep]
        if not running.size:
            break
    return np.concatenate([running, *failed])


def _sound(information: FloatArray, w: FloatArray) -> BoolArray:
    """Whether the information is far from singular: risks not all 0 or 1, and not all one."""
    a, b, c = information.T
    return np.asarray((a > 1e-9 * w.sum(axis=1)) & (a * c - b * b > 1e-12 * a * c))


@np.errstate(over="ignore")  # a risk of nil
def _step(rows: _Moments, now: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Newton step (b, 2), information (b, 3) and decrement (b,) at the coefficients."""
    p = rows.x * -now[:, 1:]
    p -= now[:, :1]
    np.exp(p, out=p)
    p += 1.0
    np.reciprocal(p, out=p)
    score = np.column_stack(
        [rows.events - np.vecdot(rows.w, p), rows.events_x - np.vecdot(rows.wx, p)]
    )
    spread = 1.0 - p
    spread *= p
    information = np.column_stack([np.vecdot(part, spread) for part in (rows.w, rows.wx, rows.wxx)])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        step = np.einsum("bij,bj->bi", _inverse(information), score)
    return step, information, np.vecdot(step, score)


def _inverse(information: FloatArray) -> FloatArray:
    a, b, c = information.T
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.array([[c, -b], [-b, a]]) / (a * c - b * b)
    return np.asarray(inverse.transpose(2, 0, 1))


def _in_the_large(
    y: FloatArray, lp: FloatArray, weight: FloatArray, wrong: BoolArray
) -> tuple[FloatArray, FloatArray]:
    events, total = weight @ y, weight.sum(axis=1)
    intercept = np.where(events == 0.0, -np.inf, np.inf)
    variance = np.full(len(lp), np.nan)
    none = wrong | (total == 0.0)
    intercept[none] = np.nan
    inside = np.flatnonzero(~none & (events > 0.0) & (events < total))
    if not inside.size:
        return intercept, variance
    level = np.log(events[inside] / (total[inside] - events[inside]))
    if inside.size < len(lp):
        lp, weight, events = lp[inside], weight[inside], events[inside]
    # The root lies where the smallest (largest) risk alone would put the mean.
    low, high = level - lp.max(axis=1), level - lp.min(axis=1)
    now = np.clip(0.0, low, high)
    for _ in range(100):
        score, information = _level_step(lp, weight, events, now)
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
def _level_step(
    lp: FloatArray, weight: FloatArray, events: FloatArray, now: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Score and information (b,) at intercepts (b,)."""
    p = -now[:, None] - lp
    np.exp(p, out=p)
    p += 1.0
    np.reciprocal(p, out=p)
    score = events - np.vecdot(weight, p)
    p -= p * p
    return score, np.vecdot(weight, p)
