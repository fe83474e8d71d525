"""Calibration line: logistic regression of the outcome on the logit of its predicted risk.

Two coefficients a replicate, each with its own risks: Newton's steps in closed form. What does not
settle in a few steps (separated outcomes above all) goes to the general, safeguarded ascent.

A risk of exactly 0 or 1 that the outcome agrees with is left out; without a positive slope among
the other rows, or where an outcome contradicts such a risk, the replicate has no line.

References
----------
Cox DR (1958). Two further applications of a model for binary regression. Biometrika 45:562-565.
Miller ME, Hui SL, Tierney WM (1991). Validation techniques for logistic regression models.
Statistics in Medicine 10:1213-1226.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.calibration_level import counts_of
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logits import Logits, logit_blocks
from rnetstats.kernels.newton import DIVERGED, FAILED, LOST_TERM, OK, BoolArray, FloatArray

__all__ = ["CalibrationLine", "calibration_line", "line_of"]

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


def calibration_line(
    y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None
) -> CalibrationLine:
    """Fit logit P(y = 1) = intercept + slope logit(risk) in each replicate.

    Parameters
    ----------
    y : array of shape (n,) or (B, n)
        0 or 1.
    risk : array of shape (n,) or (B, n)
    freq : array of shape (n,) or (B, n), optional
        Whole numbers; zero leaves a row out.

    Returns
    -------
    CalibrationLine
    """
    return line_of(logit_blocks(y, risk, freq))


def line_of(blocks: list[Logits]) -> CalibrationLine:
    """Do the same with the logits at hand."""
    parts = [_line(block) for block in blocks]
    line = CalibrationLine(*(np.concatenate(values) for values in zip(*parts, strict=True)))
    none = np.concatenate([block.edge for block in blocks]) & ~(line.slope > 0.0)
    line.slope[none], line.intercept[none], line.covariance[none] = np.nan, np.nan, np.nan
    return line


@dataclass(eq=False)
class _Moments:
    """What the steps of b replicates need.

    Attributes
    ----------
    columns : array of shape (b, 2, n)
        1 and x, the centred logit.
    w, wx, wxx : arrays of shape (b, n)
        Weights, and them times x and x squared.
    total, events, events_x : arrays of shape (b,)
        Sums of the weights, and over the events of them and of them times x.
    """

    columns: FloatArray
    w: FloatArray
    wx: FloatArray
    wxx: FloatArray
    total: FloatArray
    events: FloatArray
    events_x: FloatArray

    @classmethod
    def of(
        cls, rows: Logits, total: FloatArray, events: FloatArray, centre: FloatArray
    ) -> _Moments:
        columns = np.empty((len(rows.lp), 2, rows.lp.shape[1]))
        columns[:, 0] = 1.0
        x = np.subtract(rows.lp, centre[:, None], out=columns[:, 1])
        wx = x if rows.alike else rows.w * x
        by_y = wx @ rows.y if rows.y.ndim == 1 else np.vecdot(wx, rows.y)
        return cls(columns, rows.w, wx, wx * x, total, events, by_y)

    def keep(self, rows: BoolArray) -> _Moments:
        return _Moments(*(part[rows] for part in vars(self).values()))


def _line(rows: Logits) -> tuple[FloatArray, FloatArray, FloatArray, np.ndarray]:
    size = len(rows.lp)
    coef = np.full((size, 2), np.nan)
    covariance = np.full((size, 2, 2), np.nan)
    status = np.full(size, FAILED)
    total, events = counts_of(rows)
    usable = ~rows.wrong & (events > 0.0) & (events < total)
    centre = np.vecdot(rows.w, rows.lp) / np.where(usable, total, 1.0)
    moments = _Moments.of(rows, total, events, centre)
    same = _constant(rows, centre, moments.wxx.sum(axis=1) / np.maximum(total, 1.0))
    status[usable & same] = LOST_TERM
    begun = usable & ~same
    running = np.flatnonzero(begun)
    if running.size:
        odds = rows.odds
        if running.size < size:
            moments, odds = moments.keep(begun), odds[begun]
        now = _start((events / total)[running], centre[running])
        risk = _shifted(odds, now[:, 0] - centre[running])
        running = _newton(moments, now, risk, running, coef, covariance, status)
    for row in running:  # few: separated, or far from any line
        X = np.column_stack([np.ones(rows.lp.shape[1]), rows.lp[row] - centre[row]])
        fit = fit_logistic(X, rows.y if rows.y.ndim == 1 else rows.y[row], freq=rows.w[row])
        coef[row], covariance[row], status[row] = fit.coef[0], fit.covariance[0], fit.status[0]
        if fit.status[0] != OK:
            coef[row], covariance[row] = (np.nan, np.nan), np.nan
        if fit.status[0] == DIVERGED:
            coef[row, 1] = np.copysign(np.inf, fit.coef[0, 1])
    intercept = coef[:, 0] - np.where(np.isfinite(coef[:, 1]), coef[:, 1], 0.0) * centre
    shift = np.tile(np.eye(2), (size, 1, 1))
    shift[:, 0, 1] = -centre
    return intercept, coef[:, 1], shift @ covariance @ shift.transpose(0, 2, 1), status


def _constant(rows: Logits, centre: FloatArray, spread: FloatArray) -> BoolArray:
    """Whether the rows of a replicate all have one risk; `spread` is the logits' variance."""
    width = 1e-12 * np.maximum(np.abs(centre), 1.0)
    same = spread <= 4.0 * width**2
    for row in np.flatnonzero(same):
        seen = rows.lp[row, rows.w[row] > 0.0]
        same[row] = np.ptp(seen) <= 1e-12 * max(abs(seen.max()), 1.0) if seen.size else True
    return np.asarray(same)


def _start(share: FloatArray, centre: FloatArray) -> FloatArray:
    """Coefficients (b, 2) to begin at, x centred: risks as they are if right by and large."""
    level = np.log(share / (1.0 - share))
    near = np.abs(level - centre) < _NEAR
    return np.column_stack([np.where(near, centre, level), np.ones(len(share))])


def _shifted(odds: FloatArray, shift: FloatArray) -> FloatArray:
    """Risks (b, n) whose log odds are so much (b,) higher; no logarithm is needed for it."""
    with np.errstate(over="ignore"):
        risk = odds + np.exp(-shift)[:, None]
    return np.divide(odds, risk, out=risk)


def _newton(
    rows: _Moments,
    now: FloatArray,
    risk: FloatArray,
    running: np.ndarray,
    coef: FloatArray,
    covariance: FloatArray,
    status: np.ndarray,
) -> np.ndarray:
    """Step from risks at hand until the replicates `running` settle; return what has not."""
    last = np.full(len(running), np.inf)
    failed: list[np.ndarray] = []
    for count in range(_STEPS):
        step, information, decrement = _step(rows, _risk(rows, now) if count else risk)
        a, b, c = information
        # far from singular: risks not all 0 or 1, and not all one
        good = (a > 1e-9 * rows.total) & (a * c - b * b > 1e-12 * a * c) & (decrement <= last)
        now += np.where(good[:, None], step, 0.0)
        settled = decrement < _DECREMENT
        if good.all() and not settled.any():
            last = decrement
            continue
        done = good & settled
        there = running[done]
        coef[there], status[there] = now[done], OK
        covariance[there] = _inverse(a[done], b[done], c[done])
        failed.append(running[~good])
        keep = good & ~done
        running, last = running[keep], decrement[keep]
        if not running.size:
            break
        rows, now = rows.keep(keep), now[keep]
    return np.concatenate([running, *failed])


@np.errstate(over="ignore")  # a risk of nil
def _risk(rows: _Moments, now: FloatArray) -> FloatArray:
    """Risks (b, n) at the coefficients (b, 2)."""
    p: FloatArray = np.matmul(-now[:, None, :], rows.columns)[:, 0]
    np.exp(p, out=p)
    p += 1.0
    return np.reciprocal(p, out=p)


@np.errstate(divide="ignore", invalid="ignore", over="ignore")  # a singular information
def _step(
    rows: _Moments, p: FloatArray
) -> tuple[FloatArray, tuple[FloatArray, FloatArray, FloatArray], FloatArray]:
    """Newton step (b, 2), information (three of b) and decrement (b,) where risks are `p`."""
    level, tilt = rows.events - np.vecdot(rows.w, p), rows.events_x - np.vecdot(rows.wx, p)
    spread = 1.0 - p
    spread *= p
    a, b, c = (np.vecdot(part, spread) for part in (rows.w, rows.wx, rows.wxx))
    size = a * c - b * b
    step = np.empty((len(a), 2))
    step[:, 0], step[:, 1] = (c * level - b * tilt) / size, (a * tilt - b * level) / size
    return step, (a, b, c), step[:, 0] * level + step[:, 1] * tilt


def _inverse(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Inverse (b, 2, 2) of the information [[a, b], [b, c]]."""
    return np.asarray((np.array([[c, -b], [-b, a]]) / (a * c - b * b)).transpose(2, 0, 1))
