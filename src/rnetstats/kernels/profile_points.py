"""Points of a profile, one coefficient held; and where ascents from elsewhere lead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from rnetstats.kernels.newton import (
    DIVERGED,
    FAILED,
    BoolArray,
    Evaluate,
    FloatArray,
    Found,
    IntArray,
    Known,
    NewtonFit,
    maximise,
)

__all__ = ["Fitted", "ProfilePoint", "ascents", "fit_points", "known_starts", "tangent"]


@dataclass
class ProfilePoint:
    """A point of a profile.

    Attributes
    ----------
    column : int
        The coefficient that is held.
    at : float
        Its value.
    beta : array of shape (p,)
        All coefficients.
    height : float
        Log-likelihood above the target.
    slope : float
        Of the profile.
    information : array of shape (p, p)
    """

    column: int
    at: float
    beta: FloatArray
    height: float
    slope: float
    information: FloatArray

    @cached_property
    def tangent(self) -> FloatArray:
        """How all coefficients follow the one along the profile, (p,)."""
        return tangent(self.information, self.column)


class Fitted(NamedTuple):
    """A point, the log-likelihood that the fit gained over its start, and whether it failed."""

    point: ProfilePoint
    gain: float
    failed: bool


def fit_points(
    evaluate: Evaluate,
    start: FloatArray,
    column: IntArray,
    target: float,
    *,
    first: Found | None = None,
    retry: bool = False,
    max_iter: int = 100,
    known: Known | None = None,
) -> list[Fitted]:
    """Fit all coefficients but one, from each of A starts.

    Parameters
    ----------
    evaluate : Evaluate
        Of one data set.
    start : array of shape (A, p)
    column : int array of shape (A,)
        The coefficient that keeps its value.
    target : float
        Log-likelihood from which heights are measured.
    first : tuple of arrays, optional
        What `evaluate` returns at the starts, where it is known.
    retry : bool
        Whether to try what failed once more, from zero.
    max_iter : int
    known : Known, optional
        Points of the profile that are not looked for.

    Returns
    -------
    list of Fitted
    """
    rows = np.arange(len(column))
    free = np.ones(start.shape, dtype=bool)
    free[rows, column] = False
    first = evaluate(start, rows) if first is None else first
    fit = maximise(
        evaluate, start, free=free, first=first, retry=retry, max_iter=max_iter, known=known
    )
    finite = np.isfinite(fit.log_likelihood) & np.isfinite(fit.information).all(axis=(1, 2))
    finite &= np.isfinite(fit.score).all(axis=1)
    information = np.where(finite[:, None, None], fit.information, np.eye(start.shape[1]))
    out: list[Fitted] = []
    for i in rows:
        height = float(fit.log_likelihood[i]) - target
        at, slope = float(start[i, column[i]]), float(fit.score[i, column[i]])
        point = ProfilePoint(int(column[i]), at, fit.coef[i], height, slope, information[i])
        failed = bool(fit.status[i] == FAILED) or not finite[i]
        begun = not failed and bool(np.isfinite(first[0][i]))
        gain = float(fit.log_likelihood[i] - first[0][i]) if begun else 0.0
        out.append(Fitted(point, gain if fit.status[i] != DIVERGED else 0.0, failed))
    return out


def known_starts(evaluate: Evaluate, start: FloatArray) -> tuple[IntArray, Found]:
    """Return which of the starts (A, p) can be evaluated, and what was found there."""
    value, score, information = evaluate(start, np.arange(len(start)))
    known = np.isfinite(value) & np.isfinite(score).all(axis=1)
    known &= np.isfinite(information).all(axis=(1, 2))
    return np.flatnonzero(known), (value[known], score[known], information[known])


def ascents(
    evaluate: Evaluate,
    start: FloatArray,
    *,
    max_iter: int,
    free: BoolArray | None = None,
    known: Known | None = None,
) -> tuple[IntArray, NewtonFit] | None:
    """Take some steps from points that may be anywhere, to see where they lead.

    Parameters
    ----------
    evaluate : Evaluate
        Of one data set.
    start : array of shape (A, p)
    max_iter : int
    free : bool array of shape (A, p), optional
        Coefficients that move; all by default.
    known : Known, optional
        Maxima that are not looked for.

    Returns
    -------
    which : int array of shape (K,)
        The starts that can be evaluated.
    fit : NewtonFit
        Of K ascents. In place of both None, where there is no such start or a matrix on the way
        cannot be decomposed: it is a check of what was found already.
    """
    usable, first = known_starts(evaluate, start)
    if not usable.size:
        return None
    own = None if free is None else free[usable]
    known = None if known is None else known._replace(which=known.which[usable])
    begin = start[usable]
    try:
        fit = maximise(
            evaluate, begin, free=own, first=first, max_iter=max_iter, retry=False, known=known
        )
    except np.linalg.LinAlgError:
        return None
    return usable, fit


def tangent(information: FloatArray, column: int) -> FloatArray:
    """How all coefficients follow one of them along its profile, whatever the columns' origins.

    Parameters
    ----------
    information : array of shape (p, p)
    column : int

    Returns
    -------
    array of shape (p,)
    """
    free = np.arange(len(information)) != column
    found = np.ones(len(information))
    found[free] = np.linalg.lstsq(
        information[free][:, free], -information[free, column], rcond=1e-10
    )[0]
    return found
