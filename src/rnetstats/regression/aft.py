"""Accelerated failure time models of many replicates at once, by maximum likelihood.

With ``u = phi log t - x a`` the log-likelihood of a log-concave error law is concave in (a, phi)
together, so that Newton's method needs no start. The model's own coefficients are ``b = a / phi``
and the scale is ``1 / phi``.

References
----------
Burridge J (1981). A note on maximum likelihood estimation for regression models using grouped data.
JRSS B 43:41-45. Kalbfleisch JD, Prentice RL (2002). The Statistical Analysis of Failure Time Data,
2nd ed. Wiley, chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray, NewtonFit, maximise
from rnetstats.kernels.standard_columns import standard_columns

__all__ = ["ERROR_LAWS", "AftFit", "Pieces", "fit_aft"]

Pieces = tuple[FloatArray, FloatArray, FloatArray]
Law = Callable[[FloatArray], tuple[Pieces, Pieces]]


def _extreme(u: FloatArray) -> tuple[Pieces, Pieces]:
    """Smallest extreme value: the logarithm of a Weibull time."""
    hazard = np.exp(u)
    return (u - hazard, 1.0 - hazard, hazard), (-hazard, -hazard, hazard)


def _logistic(u: FloatArray) -> tuple[Pieces, Pieces]:
    p = 0.5 * (1.0 + np.tanh(0.5 * u))
    left = -np.logaddexp(0.0, u)
    slope = p * (1.0 - p)
    return (u + 2.0 * left, 1.0 - 2.0 * p, 2.0 * slope), (left, -p, slope)


def _normal(u: FloatArray) -> tuple[Pieces, Pieces]:
    from scipy.special import log_ndtr

    density = -0.5 * u**2 - 0.5 * np.log(2.0 * np.pi)
    left = log_ndtr(-u)
    hazard = np.exp(density - left)
    return (density, -u, np.ones_like(u)), (left, -hazard, hazard * (hazard - u))


ERROR_LAWS: dict[str, Law] = {
    "exponential": _extreme,
    "weibull": _extreme,
    "log-normal": _normal,
    "log-logistic": _logistic,
}
"""Of each law, from u: log density and log survival, each with slope and minus curvature."""


@dataclass(frozen=True, eq=False)
class AftFit:
    """Fits of B replicates, p columns each.

    Attributes
    ----------
    natural : array of shape (B, p + 1)
        (a, phi); for the exponential law phi is 1.
    natural_root : array of shape (B, p + 1, p + 1)
        A square root of its covariance: that is R R'.
    log_likelihood : array of shape (B,)
        On the scale of time.
    status : int array of shape (B,)
        See :data:`rnetstats.kernels.newton.STATUS_TEXT`.
    """

    natural: FloatArray
    natural_root: FloatArray
    log_likelihood: FloatArray
    status: IntArray

    @property
    def coef(self) -> FloatArray:
        """Coefficients b and log scale (B, p + 1)."""
        phi = self.natural[:, -1:]
        return np.concatenate([self.natural[:, :-1] / phi, -np.log(phi)], axis=1)

    @property
    def natural_covariance(self) -> FloatArray:
        """Of ``natural`` (B, p + 1, p + 1)."""
        return np.asarray(self.natural_root @ self.natural_root.transpose(0, 2, 1))

    @property
    def covariance(self) -> FloatArray:
        """Of ``coef`` (B, p + 1, p + 1), by the delta method."""
        a, phi = self.natural[:, :-1], self.natural[:, -1:]
        p = a.shape[1]
        slope = np.zeros((len(a), p + 1, p + 1))
        slope[:, np.arange(p), np.arange(p)] = 1.0 / phi
        slope[:, :p, p] = -a / phi**2
        slope[:, p, p] = -1.0 / phi[:, 0]
        root = slope @ self.natural_root
        return np.asarray(root @ root.transpose(0, 2, 1))


def fit_aft(
    X: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    law: str,
    *,
    start: ArrayLike | None = None,
    freq: ArrayLike | None = None,
) -> AftFit:
    """Fit B accelerated failure time models.

    Parameters
    ----------
    X : array of shape (n, p)
        The first column is the constant.
    stop, event : arrays of shape (n,)
        Times above 0, and whether they end in an event.
    law : str
        One of :data:`ERROR_LAWS`.
    start : array of shape (n,), optional
        Entry times (left truncation).
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.

    Returns
    -------
    AftFit
    """
    rows = np.asarray(X, dtype=np.float64)
    time = np.asarray(stop, dtype=np.float64)
    entry = None if start is None else np.asarray(start, dtype=np.float64)
    flags = np.asarray(event, dtype=bool)
    weight = np.atleast_2d(np.ones(time.size) if freq is None else np.asarray(freq, np.float64))
    columns = standard_columns(rows)
    Z = columns.Z
    shift = float(np.log(time).mean())
    likelihood = _Likelihood(Z, np.log(time) - shift, flags, ERROR_LAWS[law], weight, entry, shift)
    begin = np.zeros((len(weight), Z.shape[1] + 1))
    begin[:, -1] = 1.0
    free = np.ones(begin.shape, dtype=bool)
    free[:, -1] = law != "exponential"
    found = maximise(likelihood, begin, free=free, retry=False)
    back = columns.back(1)
    back[0, -1] = shift  # from shifted times to the caller's
    return AftFit(
        natural=found.coef @ back.T,
        natural_root=back @ _inverse_root(found, free),
        log_likelihood=found.log_likelihood - (weight * flags) @ np.log(time),
        status=found.status,
    )


def _inverse_root(found: NewtonFit, free: BoolArray) -> FloatArray:
    """Return R with R R' the inverse information.

    0 for what was held fixed, missing where there is no maximum. Products of R with itself keep
    the digits that those of the inverse lose where columns nearly determine each other.
    """
    root = np.zeros_like(found.information)
    for b, information in enumerate(found.information):
        kept = np.ix_(free[b], free[b])
        try:
            root[b][kept] = np.linalg.inv(np.linalg.cholesky(information[kept])).T
        except np.linalg.LinAlgError:
            root[b][kept] = np.nan
    return root


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """The log-likelihood of log times, ready to be evaluated at (a, phi)."""

    Z: FloatArray
    log_time: FloatArray
    event: BoolArray
    law: Law
    weight: FloatArray
    entry: FloatArray | None
    shift: float

    def __call__(self, beta: FloatArray, index: IntArray) -> Pieces:
        weight = self.weight[index] if len(self.weight) > 1 else self.weight
        a, phi = beta[:, :-1], beta[:, -1:]
        with np.errstate(all="ignore"):
            u = phi * self.log_time - a @ self.Z.T
            dead, left = self.law(u)
            value, slope, curve = (
                np.where(self.event, one, two) for one, two in zip(dead, left, strict=True)
            )
            value = value + self.event * np.log(np.where(phi > 0.0, phi, np.nan))
            found = self._sums(value * weight, slope * weight, curve * weight, self.log_time)
            deaths = (weight * self.event).sum(axis=1)
            found[1][:, -1] += deaths / phi[:, 0]
            found[2][:, -1, -1] += deaths / phi[:, 0] ** 2
            if self.entry is not None:
                self._truncate(found, a, phi, weight)
        value = np.where(np.isfinite(found[0]), found[0], -np.inf)
        return value, found[1], found[2]

    def _sums(
        self, value: FloatArray, slope: FloatArray, curve: FloatArray, log_time: FloatArray
    ) -> Pieces:
        """Sums over rows: u falls with a and rises with phi."""
        p = self.Z.shape[1]
        columns = np.column_stack([-self.Z, log_time])
        score = slope @ columns
        information = np.einsum("bn,ni,nj->bij", curve, columns, columns, optimize=True)
        assert score.shape[1] == p + 1
        return value.sum(axis=1), score, information

    def _truncate(self, found: Pieces, a: FloatArray, phi: FloatArray, weight: FloatArray) -> None:
        """Condition on having been free of the event at entry, in place."""
        assert self.entry is not None
        late = self.entry > 0.0
        log_entry = np.where(late, np.log(np.where(late, self.entry, 1.0)) - self.shift, 0.0)
        _, left = self.law(phi * log_entry - a @ self.Z.T)
        share = weight * late
        parts = self._sums(left[0] * share, left[1] * share, left[2] * share, log_entry)
        for whole, part in zip(found, parts, strict=True):
            np.subtract(whole, part, out=whole)
