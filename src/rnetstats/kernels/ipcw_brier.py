"""Brier score at a time under censoring, by inverse probability of censoring weights.

References
----------
Graf E, Schmoor C, Sauerbrei W, Schumacher M (1999). Assessment and comparison of prognostic
classification schemes for survival data. Statistics in Medicine 18:2529-2545.
Gerds TA, Schumacher M (2006). Consistent estimation of the expected Brier score in general
survival models with right-censored event times. Biometrical Journal 48:1029-1040.
Blanche P, Proust-Lima C, Loubere L, Berr C, Dartigues JF, Jacqmin-Gadda H (2015). Quantifying and
comparing dynamic predictive accuracy of joint models. Biometrics 71:102-113.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.censoring import censoring_survival, ipcw_weights
from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["censoring_part", "ipcw_brier", "ipcw_brier_differences"]


def ipcw_brier(
    stop: ArrayLike,
    code: ArrayLike,
    risk: ArrayLike,
    horizon: float,
    freq: ArrayLike | None = None,
    *,
    cause: int = 1,
) -> tuple[FloatArray, FloatArray]:
    """Brier score of the risk of a cause by a time.

    Parameters
    ----------
    stop : array of shape (n,)
    code : int array of shape (n,)
        0 for censored, else the cause.
    risk : array of shape (n,) or (m, n)
    horizon : float
    freq : array of shape (n,), optional
        Whole numbers.
    cause : int

    Returns
    -------
    score, std_error : arrays of shape (m,)
        The standard error counts the estimation of the censoring distribution; it divides by
        n - 1. NaN where nobody is followed past the horizon and some are censored by it: what
        became of these is known of no one.
    """
    score, influence, copies = _scores(stop, code, risk, horizon, freq, cause)
    total = copies.sum()
    variance = (influence**2) @ copies / (total * max(total - 1.0, 1.0))
    return score, np.sqrt(variance)


def ipcw_brier_differences(
    stop: ArrayLike,
    code: ArrayLike,
    risk: ArrayLike,
    horizon: float,
    freq: ArrayLike | None = None,
    *,
    cause: int = 1,
) -> tuple[FloatArray, FloatArray]:
    """Differences of Brier scores on the same rows; parameters as :func:`ipcw_brier`.

    Returns
    -------
    difference, std_error : arrays of shape (m, m)
        Of the row's risk less the column's. The standard error is that of the differences of
        what each row adds to the two scores.
    """
    score, influence, copies = _scores(stop, code, risk, horizon, freq, cause)
    total = copies.sum()
    apart = influence[:, None] - influence[None, :]
    variance = (apart**2) @ copies / (total * max(total - 1.0, 1.0))
    return score[:, None] - score[None, :], np.sqrt(variance)


def _scores(
    stop: ArrayLike,
    code: ArrayLike,
    risk: ArrayLike,
    horizon: float,
    freq: ArrayLike | None,
    cause: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scores (m,), what each row adds to them (m, n), and how many rows it stands for (n,)."""
    ends = np.asarray(stop, dtype=np.float64)
    codes = np.asarray(code)
    copies = np.ones(ends.size) if freq is None else np.asarray(freq, dtype=np.float64)
    curve = censoring_survival(ends, codes > 0, copies)
    weight = ipcw_weights(ends, codes > 0, horizon, curve)
    event = (codes == cause) & (ends <= horizon)
    squares = weight * (event - np.atleast_2d(np.asarray(risk, dtype=np.float64))) ** 2
    if curve.at(horizon) <= 0.0:
        return np.full(len(squares), np.nan), np.full(squares.shape, np.nan), copies
    score = squares @ copies / copies.sum()
    influence = squares - score[:, None]
    influence += censoring_part(ends, codes == 0, squares, copies, horizon)
    return score, influence, copies


def censoring_part(
    ends: FloatArray, censored: BoolArray, squares: FloatArray, copies: FloatArray, horizon: float
) -> FloatArray:
    """What each row adds (m, n) by its part in the censoring distribution.

    The integral, over times u up to the horizon, of the weighted squares of the rows beyond u
    over the number at risk at u, by the row's martingale of censoring: its own censoring at u,
    less, while it is at risk, the share censored there.
    """
    times, place = np.unique(ends, return_inverse=True)
    size = len(times)
    left = np.bincount(place, copies * censored, size) * (times <= horizon)
    at_risk = np.cumsum(np.bincount(place, copies, size)[::-1])[::-1]
    late = np.array([np.bincount(place, row, size) for row in squares * copies])
    beyond = np.cumsum(late[:, ::-1], axis=1)[:, ::-1] - late
    ratio = beyond / at_risk
    drift = np.cumsum(ratio * (left / at_risk), axis=1)
    own = censored & (ends <= horizon)
    return np.asarray(ratio[:, place] * own - drift[:, place])
