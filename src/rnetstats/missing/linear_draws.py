"""Imputing a number: a Bayesian linear model, by the nearest predictions or by normal draws.

References
----------
van Buuren S (2018). Flexible Imputation of Missing Data, 2nd ed., algorithms 3.1 and 3.3.
Chapman & Hall.
Little RJA (1988). Missing-data adjustments in large surveys. J Bus Econ Stat 6:287-296.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnetstats.missing.definite import normal_noise, solve_definite

__all__ = ["draw_normal", "draw_pmm", "linear_model", "nearest_donors"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

_PRIOR = 0.1  # of a row: keeps collinear columns from a singular fit, and shrinks hardly anything


def linear_model(
    y: Floats, X: Floats, freq: Floats | None, rng: np.random.Generator
) -> tuple[Floats, Floats, float]:
    """Fit by least squares, and draw coefficients and residual SD from their posterior.

    Parameters
    ----------
    y : array of shape (n,)
    X : array of shape (n, p)
        The first column is 1, the others are standardised.
    freq : array of shape (n,), optional
        Whole numbers: how often each row counts.
    rng : Generator

    Returns
    -------
    beta, drawn : arrays of shape (p,)
    sigma : float
        Drawn.
    """
    n, p = float(len(y) if freq is None else freq.sum()), X.shape[1]
    weighted = X if freq is None else X * freq[:, None]
    information = X.T @ weighted
    empty = np.diag(information) < 1e-8 * n  # a level that none of these rows has
    information[range(1, p), range(1, p)] += _PRIOR
    beta = solve_definite(information, weighted.T @ y)
    residual = y - X @ beta
    squares = float(residual @ (residual if freq is None else freq * residual))
    sigma = float(np.sqrt(squares / rng.chisquare(max(n - p, 1.0))))
    noise = normal_noise(information, rng)
    noise[empty] = 0.0
    return beta, beta + sigma * noise, sigma


def draw_pmm(
    y: Floats,
    X: Floats,
    X_new: Floats,
    freq: Floats | None,
    rng: np.random.Generator,
    donors: int,
) -> Floats:
    """Predictive mean matching of type 1: donors by the fit, recipients by drawn coefficients.

    Parameters
    ----------
    y, X, freq, rng
        As in :func:`linear_model`.
    X_new : array of shape (k, p)
        The rows to impute.
    donors : int
        Each value is that of one of so many rows with the nearest predictions.

    Returns
    -------
    array of shape (k,)
        Values of `y`.
    """
    beta, drawn, _ = linear_model(y, X, freq, rng)
    fitted = X @ beta
    if freq is not None:  # each copy of a row is a donor of its own
        copies = np.repeat(np.arange(len(y)), freq.astype(np.intp))
        y, fitted = y[copies], fitted[copies]
    return np.asarray(y[nearest_donors(fitted, X_new @ drawn, donors, rng)])


def draw_normal(
    y: Floats, X: Floats, X_new: Floats, freq: Floats | None, rng: np.random.Generator
) -> Floats:
    """Draw from the linear model itself; the values need not have been observed."""
    _, drawn, sigma = linear_model(y, X, freq, rng)
    return np.asarray(X_new @ drawn + sigma * rng.standard_normal(len(X_new)))


def nearest_donors(fitted: Floats, wanted: Floats, k: int, rng: np.random.Generator) -> Integers:
    """Choose, for each wanted prediction, one of the k rows nearest to it; ties at random.

    Parameters
    ----------
    fitted : array of shape (n,)
    wanted : array of shape (m,)
    k : int

    Returns
    -------
    int array of shape (m,)
        Places in `fitted`.
    """
    n, m = len(fitted), len(wanted)
    k = min(k, n)
    order = rng.permutation(n)  # rows with equal predictions come in random order
    order = order[np.argsort(fitted[order], kind="stable")]
    ranked = fitted[order]
    window = np.searchsorted(ranked, wanted)[:, None] + np.arange(-k, k)
    inside = (window >= 0) & (window < n)
    window = np.clip(window, 0, n - 1)
    distance = np.where(inside, np.abs(ranked[window] - wanted[:, None]), np.inf)
    nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
    rows = np.arange(m)
    chosen = nearest[rows, rng.integers(0, k, size=m)]
    return np.asarray(order[window[rows, chosen]], dtype=np.intp)
