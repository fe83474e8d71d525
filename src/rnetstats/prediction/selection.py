"""Selection of terms in many replicates at once: univariable screening or backward elimination.

Replicates that hold the same terms are fitted together.

References
----------
Heinze G, Wallisch C, Dunkler D (2018). Variable selection: a review and recommendations for the
practicing statistician. Biometrical Journal 60:431-449.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, chdtri

from rnetstats.kernels.cox import CoxFit
from rnetstats.kernels.logistic import LogisticFit

__all__ = ["Fitter", "Selection", "backward", "groups", "univariable_screen"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Fitter = Callable[[Floats, NDArray[np.intp], bool], LogisticFit | CoxFit]
"""``(X, replicates, null) -> fit``: the model of columns X (with its own intercept, if it has one)
in some replicates; ``null`` holds all slopes at zero under the penalty of the full model."""


@dataclass(frozen=True)
class Selection:
    """How terms are selected.

    Attributes
    ----------
    method : {"univariable", "backward"}
    alpha : float
        The P at or below which a term is kept; ``nan`` for Akaike's criterion (backward).
    """

    method: str
    alpha: float

    def threshold(self, df: NDArray[np.intp]) -> Floats:
        """Return the chi-square that a term of so many degrees of freedom must reach."""
        if np.isnan(self.alpha):
            return np.asarray(2.0 * df, dtype=np.float64)
        return np.asarray(chdtri(np.maximum(df, 1), self.alpha))


def univariable_screen(
    X: Floats, places: tuple[slice, ...], size: int, fit: Fitter, selection: Selection
) -> Flags:
    """Keep each term whose own (penalised) likelihood ratio test reaches the threshold.

    Parameters
    ----------
    X : array of shape (n, p) or (B, n, p)
        Columns of all candidates, without intercept.
    places : tuple of slices
        The columns of each term.
    size : int
        Replicates B.
    fit : Fitter
    selection : Selection

    Returns
    -------
    bool array of shape (B, T)
    """
    everyone = np.arange(size)
    kept = np.zeros((size, len(places)), dtype=bool)
    for t, place in enumerate(places):
        columns = X[..., place]
        full, null = fit(columns, everyone, False), fit(columns, everyone, True)
        statistic = 2.0 * (_value(full) - _value(null))
        width = np.full(1, place.stop - place.start)
        kept[:, t] = statistic >= selection.threshold(width)
    return kept


def backward(
    X: Floats,
    places: tuple[slice, ...],
    within: Flags,
    size: int,
    fit: Fitter,
    selection: Selection,
) -> Flags:
    """Leave out the term with the largest P (Wald) until all that stay reach the threshold.

    Parameters
    ----------
    within : bool array of shape (T, T)
        Whether term i is part of the interaction j, so that it stays as long as j does.

    Returns
    -------
    bool array of shape (B, T)
    """
    kept = np.ones((size, len(places)), dtype=bool)
    running = np.ones(size, dtype=bool)
    while running.any():
        for rows, terms in groups(kept, running):
            if not terms.size:
                running[rows] = False
                continue
            columns = np.concatenate([np.arange(places[t].start, places[t].stop) for t in terms])
            found = fit(part_design(X, rows)[..., columns], rows, False)
            worst, out = _weakest(found, [places[t] for t in terms], terms, within, selection)
            running[rows[~out]] = False
            kept[rows[out], terms[worst[out]]] = False
    return kept


def groups(kept: Flags, running: Flags) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the replicates (b,) that hold the same terms, and these terms (t,)."""
    rows = np.flatnonzero(running)
    if not rows.size:
        return
    patterns, code = np.unique(kept[rows], axis=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        yield rows[code.ravel() == k], np.flatnonzero(pattern)


def part_design(X: Floats, rows: NDArray[np.intp]) -> Floats:
    """Return the designs of some replicates; a shared one as it is."""
    return X[rows] if X.ndim == 3 else X


def _value(fit: LogisticFit | CoxFit) -> Floats:
    """The penalised log-likelihood; under maximum likelihood the log-likelihood."""
    penalised = fit.log_likelihood_penalized
    return fit.log_likelihood if penalised is None else penalised


def _weakest(
    fit: LogisticFit | CoxFit,
    places: list[slice],
    terms: NDArray[np.intp],
    within: Flags,
    selection: Selection,
) -> tuple[NDArray[np.intp], Flags]:
    """Return the term (its place among `terms`) that falls furthest short, and whether any does."""
    slopes = sum(place.stop - place.start for place in places)
    coef = fit.coef[:, fit.coef.shape[1] - slopes :]
    covariance = fit.covariance[:, -slopes:, -slopes:]
    short = np.full((len(coef), len(terms)), -np.inf)
    start = 0
    for j, place in enumerate(places):
        width = place.stop - place.start
        columns = slice(start, start + width)
        start += width
        if any(within[terms[j], other] for other in terms):
            continue
        statistic, df = _wald(coef[:, columns], covariance[:, columns, columns])
        if np.isnan(selection.alpha):
            short[:, j] = selection.threshold(df) - statistic
        else:
            p = chdtrc(np.maximum(df, 1), np.maximum(statistic, 0.0))
            short[:, j] = np.where(df > 0, p, 2.0) - selection.alpha
    worst = short.argmax(axis=1)
    return worst, np.asarray(short.max(axis=1) > 0.0)


def _wald(coef: Floats, covariance: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Wald statistics (B,) and their degrees of freedom; a lost column does not count."""
    present = np.einsum("bii->bi", covariance) > 0.0
    eye = np.eye(coef.shape[1])
    both = present[:, :, None] & present[:, None, :]
    safe = np.where(both, covariance, eye)
    solved = np.linalg.solve(safe, np.where(present, coef, 0.0)[:, :, None])[:, :, 0]
    return np.vecdot(np.where(present, coef, 0.0), solved), present.sum(axis=1)
