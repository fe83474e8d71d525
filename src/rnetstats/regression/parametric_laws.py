"""The laws of parametric survival models: fitting each, and survival with its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.gompertz import fit_gompertz, growth_integrals
from rnetstats.regression.aft import ERROR_LAWS, fit_aft
from rnetstats.regression.generalised_gamma import fit_generalised_gamma, log_survival

__all__ = ["DISTRIBUTIONS", "FittedLaw", "fit_law", "log_cumulative_hazard"]

Floats = NDArray[np.float64]

DISTRIBUTIONS = (
    "weibull",
    "exponential",
    "log-normal",
    "log-logistic",
    "generalised gamma",
    "gompertz",
)
_STEP = 1e-5


@dataclass(frozen=True, eq=False)
class FittedLaw:
    """One maximum likelihood fit.

    Attributes
    ----------
    distribution : str
    coef, covariance : arrays of shape (p + k,) and (p + k, p + k)
        Coefficients of the columns, then those named by ``extra``.
    extra : tuple of str
        ``log(scale)``, ``shape`` or ``growth``.
    natural, natural_covariance : arrays
        In the coordinates in which survival is computed.
    log_likelihood : float
    status : int
    """

    distribution: str
    coef: Floats
    covariance: Floats
    extra: tuple[str, ...]
    natural: Floats
    natural_covariance: Floats
    log_likelihood: float
    status: int

    @property
    def df(self) -> int:
        """Number of parameters."""
        return len(self.coef)


def fit_law(distribution: str, X: Floats, **rows: Any) -> FittedLaw:
    """Fit one law; ``rows`` are ``stop, event, start, freq`` of the kernels."""
    p = X.shape[1]
    if distribution == "gompertz":
        found = fit_gompertz(X, **rows)
        coef, covariance = found.coef[0], found.covariance[0]
        value, status = float(found.log_likelihood[0]), int(found.status[0])
        return FittedLaw(
            distribution, coef, covariance, ("growth",), coef, covariance, value, status
        )
    if distribution == "generalised gamma":
        fit = fit_generalised_gamma(X, **rows)
        names = ("log(scale)", "shape")
        parts = fit.coef, fit.covariance
        return FittedLaw(distribution, *parts, names, *parts, fit.log_likelihood, fit.status)
    aft = fit_aft(X, law=distribution, **rows)
    kept = p if distribution == "exponential" else p + 1
    return FittedLaw(
        distribution=distribution,
        coef=aft.coef[0][:kept],
        covariance=aft.covariance[0][:kept, :kept],
        extra=("log(scale)",)[: kept - p],
        natural=aft.natural[0],
        natural_covariance=aft.natural_covariance[0],
        log_likelihood=float(aft.log_likelihood[0]),
        status=int(aft.status[0]),
    )


def log_cumulative_hazard(law: FittedLaw, X: Floats, times: Floats) -> tuple[Floats, Floats]:
    """Return log(-log S) and its standard error at times above 0.

    Parameters
    ----------
    law : FittedLaw
    X : array of shape (m, p)
    times : array of shape (k,)

    Returns
    -------
    value, std_error : arrays of shape (m, k)
        The error by the delta method.
    """
    value, slopes = _with_slopes(law, X, times)
    variance = np.einsum("mki,ij,mkj->mk", slopes, law.natural_covariance, slopes)
    return value, np.sqrt(np.maximum(variance, 0.0))


def _with_slopes(law: FittedLaw, X: Floats, times: Floats) -> tuple[Floats, Floats]:
    """log(-log S) (m, k) and its derivatives by the natural coordinates (m, k, q)."""
    m, k, p = len(X), len(times), X.shape[1]
    columns = np.broadcast_to(X[:, None, :], (m, k, p))
    if law.distribution == "gompertz":
        nothing = np.zeros(k)
        whole, first, _ = growth_integrals(law.natural[-1:], nothing, times)[:, 0]
        value = (X @ law.natural[:-1])[:, None] + np.log(whole)
        last = np.broadcast_to(first / whole, (m, k))
        return value, np.concatenate([columns, last[..., None]], axis=2)
    if law.distribution == "generalised gamma":
        return _gamma_slopes(law.natural, X, times)
    log_time = np.broadcast_to(np.log(times), (m, k))
    u = law.natural[-1] * log_time - (X @ law.natural[:-1])[:, None]
    _, (left, slope, _) = ERROR_LAWS[law.distribution](u)
    factor = (slope / left)[..., None]  # of log(-log S) by u
    return np.log(-left), factor * np.concatenate([-columns, log_time[..., None]], axis=2)


def _gamma_slopes(natural: Floats, X: Floats, times: Floats) -> tuple[Floats, Floats]:
    """By central differences: the shape's derivative has no closed form."""

    def value(eta: Floats, log_scale: float, q: float) -> Floats:
        w = (np.log(times) - eta[:, None]) / np.exp(log_scale)
        return np.asarray(np.log(-log_survival(w, q)))

    eta, log_scale, q = X @ natural[:-2], float(natural[-2]), float(natural[-1])
    ends = [
        (value(eta + s, log_scale, q), value(eta, log_scale + s, q), value(eta, log_scale, q + s))
        for s in (_STEP, -_STEP)
    ]
    by_eta, by_scale, by_q = ((up - down) / (2.0 * _STEP) for up, down in zip(*ends, strict=True))
    slopes = [by_eta[..., None] * X[:, None, :], by_scale[..., None], by_q[..., None]]
    return value(eta, log_scale, q), np.concatenate(slopes, axis=2)
