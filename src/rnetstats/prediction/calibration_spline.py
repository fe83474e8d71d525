"""Logistic regression on the logit of a risk, straight or as a spline: one kind of curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from rnetstats._core.distributions import normal_quantile
from rnetstats.formula.splines import restricted_basis, restricted_knots
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import LOST_TERM, OK

__all__ = ["Curve", "Smoother", "SplineBasis", "spline", "straight_note"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Smoother:
    """How a curve is made.

    Attributes
    ----------
    name
        "loess", "loess-interpolated", "lowess", "rcs", "logistic" or (times) "cloglog".
    span
        Share of the rows in a neighbourhood.
    degree
        Of loess's local polynomials.
    delta
        Of lowess; None for 1 % of the range.
    knots
        Of the restricted cubic spline.
    """

    name: str
    span: float
    degree: int = 2
    delta: float | None = None
    knots: int = 4


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A calibration curve.

    Attributes
    ----------
    at, observed, low, high
        Predicted risk, smoothed outcome and its pointwise limits (m,).
    fitted
        The curve at each row (n,).
    notes
    """

    at: Floats
    observed: Floats
    low: Floats
    high: Floats
    fitted: Floats
    notes: tuple[str, ...] = ()


def spline(
    y: Floats, risk: Floats, freq: Floats | None, how: Smoother, at: Floats, conf_level: float
) -> Curve:
    """Logistic regression of a 0/1 outcome on logit(risk), straight or as a spline.

    Rows with a risk of exactly 0 or 1 take no part and keep their risk as the curve's value.
    """
    inner = (risk > 0.0) & (risk < 1.0)
    fitted = risk.astype(np.float64).copy()
    shape = np.full(at.shape, np.nan)
    if not inner.any():
        return Curve(at, at.copy(), shape, shape, fitted)
    lp, weight = logit(risk[inner]), None if freq is None else freq[inner]
    basis = SplineBasis(lp, weight, how)
    fit = fit_logistic(basis(lp), y[inner], freq=weight)
    if fit.status[0] not in (OK, LOST_TERM):
        fitted[inner] = np.nan
        note = (
            f"The {how.name} curve does not exist: the risks separate events from non-events. "
            "smoother='loess' has one."
        )
        return Curve(at, shape, shape, shape, fitted, (note,))
    fitted[inner] = expit(basis(lp) @ fit.coef[0])
    open_ = (at > 0.0) & (at < 1.0)
    observed, low, high = at.copy(), shape.copy(), shape.copy()
    X = basis(logit(at[open_]))
    eta = X @ fit.coef[0]
    reach = normal_quantile(conf_level) * np.sqrt(np.einsum("ij,jk,ik->i", X, fit.covariance[0], X))
    observed[open_], low[open_], high[open_] = expit(eta), expit(eta - reach), expit(eta + reach)
    return Curve(at, observed, low, high, fitted, straight_note(how, lp, basis.knots))


def straight_note(how: Smoother, values: Floats, knots: Floats | None) -> tuple[str, ...]:
    """Say that a line stands where a spline was asked for; of one value only there is neither."""
    if how.name != "rcs" or knots is not None or np.ptp(values) == 0.0:
        return ()
    return (
        f"The risks are too few, or too often alike, for a spline of {how.knots} knots: the curve "
        "is a straight line on its scale. Fewer knots, or smoother='loess', may show its shape.",
    )


class SplineBasis:
    """The design of a spline curve: knots are set once, at the values of the fit."""

    def __init__(self, values: Floats, freq: Floats | None, how: Smoother) -> None:
        self.knots: Floats | None = None
        if how.name == "rcs":
            knots = restricted_knots(values, how.knots, freq)
            self.knots = knots if (np.diff(knots) > 0.0).all() else None

    def __call__(self, values: Floats) -> Floats:
        """Return columns (n, p), the first of ones."""
        straight = np.column_stack([np.ones(len(values)), values])
        if self.knots is None:
            return straight
        return np.column_stack([straight[:, 0], restricted_basis(values, self.knots)])
