"""The variance between studies: estimators by moments, likelihood and generalised Q."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.meta_pool import Projection, Studies, projection, studies

__all__ = ["TAU2_METHODS", "q_profile", "tau_squared", "tau_squared_error"]

Floats: TypeAlias = NDArray[np.float64]
Slope: TypeAlias = Callable[[Floats], tuple[Floats, Floats]]

TAU2_METHODS = ("REML", "DL", "PM", "ML", "SJ", "EB", "HE", "HS")

_GRID = 48
_MOST_STEPS = 200
_MOST_NUMBERS = 1_000_000  # of the grid, held at once
_LOST = 1e-11  # of the squares of the weights: information below this is their rounding


def tau_squared(
    y: ArrayLike,
    v: ArrayLike,
    method: str = "REML",
    *,
    x: ArrayLike | None = None,
    mask: ArrayLike | None = None,
) -> Floats:
    """Estimate the variance between studies.

    Parameters
    ----------
    y, v : (k,) or (..., k)
        Estimates and their sampling variances, positive.
    method : {"REML", "DL", "PM", "ML", "SJ", "EB", "HE", "HS"}
        Restricted maximum likelihood, DerSimonian-Laird, Paule-Mandel, maximum likelihood,
        Sidik-Jonkman, empirical Bayes (the same equation as Paule-Mandel), Hedges-Olkin,
        Hunter-Schmidt.
    x : (k, p) or (..., k, p), optional
        Moderators of full rank with their intercept; the intercept alone by default.
    mask : (..., k) of bool, optional
        The studies of each set.

    Returns
    -------
    (...)
        Not below 0; a scalar for one set. 0 where there are no more studies than coefficients.

    Notes
    -----
    Likelihoods may have several maxima: the slope's sign is looked at on a grid, from 0 to a bound
    above which it must be negative, and the highest maximum is taken. Roots are Newton's, kept
    within their bracket.

    References
    ----------
    Viechtbauer W (2005) Bias and efficiency of meta-analytic variance estimators in the
    random-effects model. J Educ Behav Stat 30:261-293. Veroniki AA et al (2016) Methods to
    estimate the between-study variance and its uncertainty in meta-analysis. Res Synth Methods
    7:55-79.
    """
    sets = studies(y, v, x=x, mask=mask)
    if method in ("DL", "HE", "HS", "SJ"):
        found = _by_moments(sets, method)
    elif method in ("PM", "EB"):
        found = _q_root(sets, np.maximum(sets.df, 1.0))
    elif method in ("REML", "ML"):
        found = _by_likelihood(sets, restricted=method == "REML")
    else:
        raise ValueError(f"method must be one of {TAU2_METHODS}, not {method!r}")
    return np.where(sets.df >= 1.0, np.maximum(found, 0.0), 0.0)[()]


def tau_squared_error(
    y: ArrayLike,
    v: ArrayLike,
    tau2: ArrayLike,
    method: str = "REML",
    *,
    x: ArrayLike | None = None,
    mask: ArrayLike | None = None,
) -> Floats:
    """Return the asymptotic standard error of an estimate of tau2 by :func:`tau_squared`.

    Parameters
    ----------
    y, v, method, x, mask
        As in :func:`tau_squared`.
    tau2 : (...)
        What it gave.

    Returns
    -------
    (...)
        From the expected information for the likelihoods, from the variance of the quadratic form
        for the estimators by moments; missing where there are no more studies than coefficients, or
        where with moderators one study's weight is so far above the others' that rounding hides
        them (REML).
    """
    sets = studies(y, v, x=x, mask=mask)
    t = np.asarray(tau2, dtype=float)
    df = np.where(sets.df >= 1.0, sets.df, np.nan)  # sets without one come out missing
    at = projection(sets, 1.0 / (sets.v + t[..., None]))
    total = at.w.sum(axis=-1)
    if method == "REML":
        information = at.trace_of_two()
        known = information > _LOST * np.square(at.w).sum(axis=-1)
        known |= at.others is not None
        square = 2.0 / (np.where(known, information, np.nan) + 0.0 * df)
    elif method == "ML":
        square = 2.0 / np.square(at.w).sum(axis=-1)
    elif method in ("PM", "EB"):
        square = 2.0 * np.square(sets.held.sum(axis=-1)) / df / np.square(total)
    else:
        form, _, scale = _moments(sets, method)
        square = _variance_of_form(form, sets.v, t) / np.square(scale + 0.0 * df)
    return np.asarray(np.sqrt(square + 0.0 * df))[()]


def q_profile(
    y: ArrayLike,
    v: ArrayLike,
    critical: ArrayLike,
    *,
    x: ArrayLike | None = None,
    mask: ArrayLike | None = None,
) -> Floats:
    """Return the tau2 at which the generalised Q statistic falls to ``critical``.

    Parameters
    ----------
    y, v, x, mask
        As in :func:`tau_squared`.
    critical : scalar or (...)
        Positive.

    Returns
    -------
    (...)
        0 where Q is below ``critical`` already without variance between studies.

    References
    ----------
    Viechtbauer W (2007) Confidence intervals for the amount of heterogeneity in meta-analysis.
    Stat Med 26:37-52.
    """
    return _q_root(studies(y, v, x=x, mask=mask), np.asarray(critical, dtype=float))[()]


def _at(sets: Studies, t: Floats) -> Projection:
    return projection(sets, 1.0 / (sets.v + t[..., None]))


def _moments(sets: Studies, method: str) -> tuple[Projection, Floats, Floats]:
    """The quadratic form of an estimator (form - expected) / scale, expected at tau2 = 0."""
    df = np.maximum(sets.df, 1.0)
    if method == "HE":
        form = projection(sets, sets.held)
        return form, form.trace(sets.v), df
    if method == "SJ":
        start = _spread(sets)
        form = _at(sets, start)
        return form, np.zeros_like(df), df / np.where(start > 0.0, start, 1.0)
    form = projection(sets, 1.0 / sets.v)
    if method == "HS":
        return form, sets.held.sum(axis=-1), form.w.sum(axis=-1)
    return form, df, form.trace()


def _by_moments(sets: Studies, method: str) -> Floats:
    form, expected, scale = _moments(sets, method)
    return np.asarray((form.quadratic - expected) / np.where(sets.df >= 1.0, scale, 1.0))


def _spread(sets: Studies) -> Floats:
    """Variance of the estimates with the divisor k, as Sidik and Jonkman's first guess."""
    k = sets.held.sum(axis=-1)
    centre = sets.y.sum(axis=-1) / k
    return np.asarray((sets.held * np.square(sets.y - centre[..., None])).sum(axis=-1) / k)


def _variance_of_form(form: Projection, v: Floats, t: Floats) -> Floats:
    """Variance of y'Py for normal y with covariance diag(v) + t."""
    return np.asarray(
        2.0 * form.trace_of_two(v, v)
        + 4.0 * t * form.trace_of_two(v)
        + 2.0 * t * t * form.trace_of_two()
    )


def _plain_residuals(sets: Studies) -> Floats:
    """Residual sum of squares without weights."""
    return projection(sets, sets.held).quadratic


def _q_root(sets: Studies, critical: Floats) -> Floats:
    """The t at which y'P(t)y = critical; it falls in t, and is at most RSS/t."""
    zero = np.zeros(np.broadcast_shapes(sets.df.shape, critical.shape))
    most = _plain_residuals(sets) / critical + zero

    def slope(t: Floats) -> tuple[Floats, Floats]:
        at = _at(sets, t)
        return at.quadratic - critical, -np.square(at.py).sum(axis=-1)

    above = slope(zero)[0] > 0.0
    return np.where(above, _root(slope, zero, np.where(above, most, 0.0)), 0.0)


def _by_likelihood(sets: Studies, *, restricted: bool) -> Floats:
    """The highest maximum among 0 and the points where the slope turns negative."""

    def score(t: Floats) -> tuple[Floats, Projection]:
        at = _at(sets, t)
        trace = at.trace() if restricted else at.w.sum(axis=-1)
        return np.square(at.py).sum(axis=-1) - trace, at

    def slope(t: Floats) -> tuple[Floats, Floats]:
        value, at = score(t)
        again = at.apply(at.py)
        change = at.trace_of_two() if restricted else np.square(at.w).sum(axis=-1)
        return value, change - 2.0 * (at.py * again).sum(axis=-1)

    def likelihood(t: Floats) -> Floats:
        at = _at(sets, t)
        logs = (sets.held * np.log(sets.v + t[..., None])).sum(axis=-1)
        return np.asarray(-0.5 * (logs + at.quadratic + (at.log_det if restricted else 0.0)))

    grid = _grid(sets, sets.df if restricted else sets.held.sum(axis=-1))
    at_once = max(1, _MOST_NUMBERS // sets.v.size)
    parts = [grid[i : i + at_once] for i in range(0, len(grid), at_once)]
    rises = np.concatenate([score(part)[0] > 0.0 for part in parts])
    best = grid[0]
    top = np.where(rises[0], -np.inf, likelihood(best))
    for i in np.flatnonzero((rises[:-1] & ~rises[1:]).reshape(_GRID, -1).any(axis=1)):
        turns = rises[i] & ~rises[i + 1]
        found = _root(slope, grid[i], np.where(turns, grid[i + 1], grid[i]))
        height = np.where(turns, likelihood(found), -np.inf)
        best, top = np.where(height > top, found, best), np.maximum(height, top)
    return np.asarray(best)


def _grid(sets: Studies, counted: Floats) -> Floats:
    """0, then equal steps of the logarithm up to where the slope must be negative."""
    rss, widest = _plain_residuals(sets), (sets.v * sets.held).max(axis=-1)
    half = rss / (2.0 * np.maximum(counted, 1.0))
    most = half + np.sqrt(half * (half + 2.0 * widest))
    narrowest = np.where(sets.held > 0.0, sets.v, np.inf).min(axis=-1)
    first = 1e-3 * np.minimum(narrowest, np.where(most > 0.0, most, 1.0))
    ratio = np.maximum(most / first, 1.0) * (1.0 + 1e-9)
    steps = [first * ratio ** (i / (_GRID - 1)) for i in range(_GRID)]
    return np.stack([np.zeros_like(first), *steps])


def _root(slope: Slope, low: Floats, high: Floats) -> Floats:
    """Newton's root of a function positive at ``low``, not at ``high``, bisecting if it leaves."""
    low, high = low.copy(), high.copy()
    t = 0.5 * (low + high)
    for _ in range(_MOST_STEPS):
        value, change = slope(t)
        low, high = np.where(value > 0.0, t, low), np.where(value > 0.0, high, t)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = t - value / change
        inside = (newton > low) & (newton < high)
        after = np.where(value == 0.0, t, np.where(inside, newton, 0.5 * (low + high)))
        still = np.abs(after - t) > 2e-16 * np.abs(after)
        t = after
        if not (still & (high > low)).any():
            break
    return t
