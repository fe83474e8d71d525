"""Scores of predicted risks against 0/1 outcomes, in many replicates at once.

All functions take y and risk, each (n,) or (B, n), and freq None, (n,) or (B, n), whole numbers
that stand for replicated rows, zero allowed; they give arrays (B,). The calibration line and the
distances from a smooth curve stand in modules of their own and are imported here.

References
----------
Brier GW (1950). Verification of forecasts expressed in terms of probability. Monthly Weather
Review 78:1-3.
Nagelkerke NJD (1991). A note on a general definition of the coefficient of determination.
Biometrika 78:691-692.
Spiegelhalter DJ (1986). Probabilistic prediction in patient management and clinical trials.
Statistics in Medicine 5:421-433.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.calibration_error import ici
from rnetstats.kernels.calibration_level import InTheLarge, calibration_in_the_large
from rnetstats.kernels.calibration_line import CalibrationLine, calibration_line
from rnetstats.kernels.newton import FloatArray

__all__ = [
    "CalibrationLine",
    "InTheLarge",
    "LogLikelihoods",
    "brier",
    "brier_scaled",
    "calibration_in_the_large",
    "calibration_line",
    "ici",
    "log_likelihoods",
    "spiegelhalter",
]


@dataclass(frozen=True, eq=False)
class LogLikelihoods:
    """Log-likelihoods of B replicates.

    Attributes
    ----------
    risk : array of shape (B,)
        Of the risks as they are; minus infinite where an outcome contradicts a risk of 0 or 1.
    null : array of shape (B,)
        Of the replicate's own share of events; 0 without both outcomes.
    n : array of shape (B,)
        Rows, replicated ones counted.
    """

    risk: FloatArray
    null: FloatArray
    n: FloatArray

    @property
    def cox_snell(self) -> FloatArray:
        """R2 of Cox and Snell, 1 - (L0 / L)^(2 / n)."""
        return self._share(self.risk)

    @property
    def nagelkerke(self) -> FloatArray:
        """R2 of Cox and Snell over its largest value; NaN without both outcomes."""
        return self.nagelkerke_of(self.risk)

    def nagelkerke_of(self, log_likelihood: FloatArray) -> FloatArray:
        """Nagelkerke's R2 of another log-likelihood of the same outcomes (B,)."""
        largest = self._share(np.zeros_like(self.null))
        share = np.full_like(largest, np.nan)
        np.divide(self._share(log_likelihood), largest, out=share, where=self.null < 0.0)
        return share

    @property
    def mcfadden(self) -> FloatArray:
        """R2 of McFadden, 1 - log L / log L0; NaN without both outcomes."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(self.null < 0.0, self.risk / self.null, np.nan)
        return np.asarray(1.0 - ratio)

    def _share(self, log_likelihood: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            return np.asarray(-np.expm1(2.0 * (self.null - log_likelihood) / self.n))


def brier(y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None) -> FloatArray:
    """Mean squared difference of outcome and risk, (B,); NaN without any row."""
    outcome, risks, weight = _arrays(y, risk, freq)
    return _mean((risks - outcome) ** 2, weight)


def brier_scaled(y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None) -> FloatArray:
    """1 - Brier score / that of the replicate's share of events; NaN without both outcomes."""
    outcome, risks, weight = _arrays(y, risk, freq)
    share = _mean(np.atleast_2d(outcome), weight)
    score = _mean((risks - outcome) ** 2, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = share * (1.0 - share)
        return np.asarray(np.where(spread > 0.0, 1.0 - score / spread, np.nan))


def log_likelihoods(y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None) -> LogLikelihoods:
    """Log-likelihoods of the risks as they are and of no model."""
    outcome, risks, weight = _arrays(y, risk, freq)
    each = np.abs((1.0 - outcome) - risks)  # the risk of what was seen, exactly
    size = max(len(each), len(weight))
    with np.errstate(divide="ignore"):
        np.log(each, out=each)
    if not np.isfinite(each).all():  # minus infinite, in rows that are not there
        each = np.where(weight > 0.0, each, 0.0)
    total = np.broadcast_to(weight.sum(axis=1), (size,)).astype(np.float64)
    events = _sum(np.atleast_2d(outcome), weight, size)
    null = np.zeros(size)
    for count in (events, total - events):
        held = count > 0.0
        null[held] += count[held] * np.log(count[held] / total[held])
    return LogLikelihoods(_sum(each, weight, size), null, total)


def spiegelhalter(y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None) -> FloatArray:
    """Spiegelhalter's z, (B,): standard normal if the risks are right.

    NaN where the score has no variance: all risks 0, 1/2 or 1.
    """
    outcome, risks, weight = _arrays(y, risk, freq)
    lean = 1.0 - 2.0 * risks
    gap = (outcome - risks) * lean
    size = max(len(gap), len(weight))
    above = _sum(gap, weight, size)
    variance = _sum(lean**2 * risks * (1.0 - risks), weight, size)
    z = np.full(size, np.nan)
    np.divide(above, np.sqrt(variance), out=z, where=variance > 0.0)
    return z


def _arrays(
    y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Outcome (n,) or (B, n), risks (1 or B, n) and weights (1 or B, n)."""
    outcome = np.asarray(y, dtype=np.float64)
    weight = np.ones(outcome.shape[-1]) if freq is None else np.asarray(freq, dtype=np.float64)
    return outcome, np.atleast_2d(np.asarray(risk, dtype=np.float64)), np.atleast_2d(weight)


def _sum(values: FloatArray, weight: FloatArray, size: int) -> FloatArray:
    """Weighted sums (B,) over rows of values (1 or B, n), weights (1 or B, n)."""
    if len(weight) == 1:
        sums = values @ weight[0]
    elif len(values) == 1:
        sums = weight @ values[0]
    else:
        sums = np.einsum("bn,bn->b", values, weight)
    return np.array(np.broadcast_to(sums, (size,)), dtype=np.float64)


def _mean(values: FloatArray, weight: FloatArray) -> FloatArray:
    size = max(len(values), len(weight))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_sum(values, weight, size) / weight.sum(axis=1))
