"""Where logistic fits begin: near the estimate, by derivatives found elsewhere or roughly.

Convergence is judged by double precision alone, so a start need not be exact. From one point that
all replicates share, derivatives up to the third lead to where the estimate is to second order
(Chebyshev's step). Without a penalty replicates go on from there by a second step of the kind,
whose derivatives are found in single precision, at half the cost.

References
----------
Traub JF (1964). Iterative Methods for the Solution of Equations. Prentice-Hall, section 5.2.
Higham NJ (2002). Accuracy and Stability of Numerical Algorithms, 2nd ed. SIAM, chapter 12.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.blocks import pieces
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import FloatArray, Found, IntArray, rows_of, solve_symmetric
from rnetstats.kernels.packing import packing
from rnetstats.kernels.rank import lost_columns

__all__ = ["RoughLikelihood", "at_start", "near_maximum", "nearer"]

Single = NDArray[np.float32]

_STEPS = 3  # what needs more is separated, or nearly, and is better known exactly
_NEAR = 1e-4  # a decrement: a hundredth of a standard error, before the step


def at_start(likelihood: LogisticLikelihood, begin: FloatArray) -> tuple[Found, bool]:
    """Evaluate where fits begin.

    Parameters
    ----------
    likelihood : LogisticLikelihood
    begin : array of shape (B, p)
        Coefficients of its scaled columns.

    Returns
    -------
    found : tuple of arrays
    near : bool
        Whether replicates begin at one point and differ there by the weights of rows alone, so
        that :func:`nearer` can move them.
    """
    weights = likelihood.weights
    one = len(begin) == 1
    same = not one and weights is not None and len(weights) == len(begin)
    same = same and bool((begin == begin[0]).all())
    alike = likelihood.shared and likelihood.sign.size == 1
    if likelihood.offset is not None:
        alike = alike and len(likelihood.offset) == 1
    if same and alike and not likelihood.firth:
        return likelihood.at_one_point(begin[:1]), True
    found = likelihood.scaled_expected(begin[:1] if same else begin, np.arange(len(begin)))
    return found, (same or one) and alike


def nearer(
    likelihood: LogisticLikelihood, begin: FloatArray, first: Found, rows: IntArray
) -> tuple[FloatArray, Found, FloatArray | None]:
    """Begin nearer to the estimate, and evaluate there.

    Parameters
    ----------
    likelihood : LogisticLikelihood
        Of replicates that differ by the weights of rows alone.
    begin : array of shape (B, p)
        The same for all.
    first : tuple of arrays
        What was found there.
    rows : int array
        The replicates to move, in order.

    Returns
    -------
    begin : array of shape (B, p)
        As it was where a step leads downhill.
    found : tuple of arrays
    observed : array of shape (1, p, p) or None
        Minus the second derivatives, of a single replicate with a penalty.
    """
    start, begin = begin, np.array(np.broadcast_to(begin, first[1].shape))
    everyone, observed = np.arange(len(begin)), None
    if len(begin) == 1:
        along = partial(likelihood.third_along, start)
        begin[rows] += _second_order(first[1][rows], first[2][rows], along)
    else:
        _roughly_nearer(likelihood, begin, first, rows)
    if likelihood.firth and len(begin) == 1:
        value, score, observed, information = likelihood.scaled_both(begin, everyone)
        found = value, score, information
    else:
        found = likelihood.scaled_expected(begin, everyone)
    lower = ~(found[0] >= first[0])
    if lower.any():
        begin, observed = np.where(lower[:, None], start, begin), None
        for part, old in zip(found, first, strict=True):
            part[lower] = old[lower]
    return begin, found, observed


def near_maximum(likelihood: LogisticLikelihood) -> FloatArray | None:
    """Take a few steps from zero, of a single replicate without a penalty.

    Returns
    -------
    array of shape (1, p) or None
        Coefficients of the columns as given; None if the maximum is not near after these steps,
        or a column is lost.
    """
    alone = np.zeros(1, dtype=np.int64)
    begin = np.zeros((1, likelihood.p))
    first, _ = at_start(likelihood, begin)
    if lost_columns(likelihood.X, likelihood.weights, first[2]) is not None:
        return None
    begin, (_, score, information), _ = nearer(likelihood, begin, first, alone)
    for _ in range(_STEPS):
        step, singular = solve_symmetric(information, score)
        if singular[0]:
            return None
        begin = begin + step
        if abs(np.vecdot(score, step)[0]) < _NEAR:
            return np.asarray(begin / likelihood.scale)
        _, score, information = likelihood.scaled(begin, alone)
    return None


def _second_order(
    score: FloatArray, information: FloatArray, third_along: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Step to where the maximum is to second order (A, p).

    None where the second order is not small beside the first, or leads downhill.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        step, _ = solve_symmetric(information, score)
        third = third_along(step)
        second, _ = solve_symmetric(information, third)
        small = np.vecdot(third, second) < np.vecdot(score, step)
        return np.where(small[:, None], step + 0.5 * second, 0.0)


@np.errstate(over="ignore", invalid="ignore")  # a step that is not a number is not taken
def _roughly_nearer(
    likelihood: LogisticLikelihood, begin: FloatArray, first: Found, rows: IntArray
) -> None:
    """Move replicates from the one point where they are, by numbers of single precision."""
    rough = RoughLikelihood(likelihood)
    fitted, residual = rough.probabilities(begin[:1])
    bend = fitted * residual * (fitted - residual)
    for part in pieces(len(rows), likelihood.n):
        own = rows[part]
        weights = rough.weights(own)
        found = first[1][own], first[2][own]
        begin[own] += _second_order(*found, rough.third_along(bend * weights))
        if not likelihood.firth:
            begin[own] += _second_order(*rough.derivatives(begin[own], weights))


class RoughLikelihood:
    """Derivatives of replicates' log-likelihoods in single precision, without a penalty.

    Of a shared design that carries the sign of the outcome.
    """

    def __init__(self, likelihood: LogisticLikelihood) -> None:
        self._of = likelihood
        self.X: Single = likelihood.X.astype(np.float32)
        self.against: Single = np.ascontiguousarray(-self.X.T)
        assert likelihood.products is not None
        self.products: Single = likelihood.products.astype(np.float32)

    def weights(self, index: IntArray) -> Single:
        """Those of some replicates (A, n), in single precision."""
        weights = self._of.weights
        assert weights is not None
        return rows_of(weights, index).astype(np.float32)

    def probabilities(self, gamma: FloatArray) -> tuple[Single, Single]:
        """Of the outcome seen and of the other, (A, n) each."""
        other: Single = gamma.astype(np.float32) @ self.against
        if self._of.offset is not None:
            other -= self._of.offset.astype(np.float32)
        np.exp(other, out=other)
        fitted = np.reciprocal(other + np.float32(1.0))
        other *= fitted
        return fitted, other

    def derivatives(
        self, gamma: FloatArray, weights: Single
    ) -> tuple[FloatArray, FloatArray, Callable[[FloatArray], FloatArray]]:
        """Score (A, p), information (A, p, p), and what gives the third along steps."""
        fitted, residual = self.probabilities(gamma)
        bend = fitted - residual
        residual *= weights
        fitted *= residual
        bend *= fitted
        score = residual @ self.X
        information = (fitted @ self.products)[:, packing(self._of.p).place]
        return score.astype(float), information.astype(float), self.third_along(bend)

    def third_along(self, bend: Single) -> Callable[[FloatArray], FloatArray]:
        """Third derivatives along steps (A, p) twice, (A, p), of what the rows have each."""

        def third(step: FloatArray) -> FloatArray:
            away = step.astype(np.float32) @ self.against
            away *= away
            away *= bend
            return (away @ self.X).astype(float)

        return third
