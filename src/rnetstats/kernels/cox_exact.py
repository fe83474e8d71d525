"""The exact (discrete) partial likelihood for tied event times, for a single fit.

At a time with d events among the rows at risk, the denominator is the sum over all subsets of d
rows of the product of their risks: an elementary symmetric polynomial, which the recursion of
Gail et al. builds row by row, with its first and second derivatives. Since rows only join as time
runs backwards, one pass over the rows of a stratum serves all its event times; with late entry
each time has its own pass.

References
----------
Cox DR (1972). Regression models and life-tables. JRSS B 34, 187-220.
Gail MH, Lubin JH, Rubinstein LV (1981). Likelihood calculations for matched case-control studies
and survival studies with tied death times. Biometrika 68, 703-707.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from rnetstats.kernels.cox_design import CoxDesign
from rnetstats.kernels.cox_likelihood import CoxLikelihood
from rnetstats.kernels.cox_weights import CoxWeights
from rnetstats.kernels.newton import FloatArray, IntArray
from rnetstats.kernels.risksets import Ints, RiskSets

Term = tuple[float, FloatArray, FloatArray]
Stops = list[tuple[int, int]]

BUDGET = 4e8
"""Most numbers that one evaluation may touch."""


class ExactTooLargeError(ValueError):
    """One evaluation would touch more than :data:`BUDGET` numbers.

    Parameters
    ----------
    events
        Most events of one time.
    rows
        Rows, each as often as its weight says.
    """

    def __init__(self, events: int, rows: int) -> None:
        super().__init__(
            f"the exact likelihood of up to {events:,} tied events among {rows:,} rows is too large"
        )
        self.events, self.rows = events, rows


class Polynomials:
    """Elementary symmetric polynomials of the risks, of order 0 ... d, with two derivatives.

    The polynomial of order j is the sum over all subsets of j rows, and a new row splits these
    into those with it and those without. Held are the logarithm, and the mean and covariance of
    the subsets' sums of x, which are those of this mixture: no number can leave its range, and
    no covariance its sign.

    Parameters
    ----------
    order
        Highest order d.
    p
        Number of coefficients.
    """

    def __init__(self, order: int, p: int) -> None:
        self.log = np.full(order + 1, -np.inf)
        self.log[0] = 0.0
        self.mean = np.zeros((order + 1, p))
        self.second = np.zeros((order + 1, p, p))

    def add(self, eta: float, x: FloatArray) -> None:
        """Take in one row, of linear predictor `eta` and x (p,)."""
        extended = self.log[:-1] + eta
        log = np.logaddexp(self.log[1:], extended)
        share = np.exp(extended - np.where(log > -np.inf, log, 0.0))  # of the subsets with it
        mean = self.mean[:-1]
        crossed = (mean + 0.5 * x)[:, :, None] * x
        crossed = crossed + crossed.swapaxes(1, 2)
        crossed += self.second[:-1]
        crossed -= self.second[1:]
        crossed *= share[:, None, None]
        self.second[1:] += crossed
        self.mean[1:] += share[:, None] * (mean + x - self.mean[1:])
        self.log[1:] = log

    def term(self, order: int) -> Term:
        """Log of the polynomial of this order, and its gradient and Hessian."""
        mean = self.mean[order]
        return float(self.log[order]), mean, self.second[order] - np.outer(mean, mean)


class ExactCoxLikelihood(CoxLikelihood):
    """The exact likelihood of one replicate; an ``Evaluate`` like `CoxLikelihood`.

    Parameters
    ----------
    design, sets, weights, offset
        As in `CoxLikelihood`; frequencies repeat rows.

    Raises
    ------
    ValueError
        If there is more than one replicate, or an evaluation is over the budget.
    """

    def __init__(
        self,
        design: CoxDesign,
        sets: RiskSets,
        weights: CoxWeights,
        *,
        offset: FloatArray | None = None,
    ) -> None:
        super().__init__(design, sets, weights, offset=offset, efron=False)
        if not design.shared or len(weights.counts) > 1:
            msg = "the exact likelihood is fitted one replicate at a time"
            raise ValueError(msg)
        ones = np.ones(sets.rows.size, dtype=np.intp)
        self._copies = ones if weights.rows is None else weights.rows[0].astype(np.intp)
        self._orders = weights.counts[0].astype(np.intp)
        self._passes = _passes(sets, self._copies, self._orders)
        work = sum(self._copies[rows].sum() * order for rows, order, _ in self._passes)
        largest = int(self._orders.max(initial=0))
        rows = int(self._copies.sum())
        work *= design.p**2
        if work > BUDGET:
            raise ExactTooLargeError(largest, rows)

    def _evaluate(
        self, gamma: FloatArray, index: IntArray, firth: bool, *, wide: bool = True
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            parts = [self._evaluate_one(row) for row in gamma]
        value, score, information = (np.array(part) for part in zip(*parts, strict=True))
        return value, score, information

    def null_log_likelihood(self) -> FloatArray:
        """Log-likelihood with all coefficients zero, (1,); the offset stays."""
        return np.array([self._evaluate_one(np.zeros(self.design.p))[0]])

    def _evaluate_one(self, gamma: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        eta = self.design.linear_predictor(gamma[None])[0]
        if self.offset is not None:
            eta = eta + self.offset
        events_x = self._events_x[0]
        value = float(gamma @ events_x + self._events_offset[0])
        score, information = events_x.copy(), np.zeros((gamma.size, gamma.size))
        for rows, order, stops in self._passes:
            single = order == 1 and len(stops) == 1
            run = self._single_event if single else self._run
            for log, mean, spread in run(eta, rows, order, stops):
                value -= log
                score -= mean
                information += spread
        return value, score, information

    def _run(self, eta: FloatArray, rows: Ints, order: int, stops: Stops) -> Iterator[Term]:
        """Take in rows one by one; at each stop, the term of its event time."""
        copies, x = self._copies[rows], self.design.x[:, rows].T
        polynomials = Polynomials(order, x.shape[1])
        begin = 0
        for column, end in stops:
            for i in range(begin, end):
                for _ in range(copies[i]):
                    polynomials.add(float(eta[rows[i]]), x[i])
            begin = end
            yield polynomials.term(int(self._orders[column]))

    def _single_event(
        self, eta: FloatArray, rows: Ints, order: int, stops: Stops
    ) -> Iterator[Term]:
        """The term of one time with one event."""
        del order, stops
        top = float(np.max(eta[rows]))
        risks = np.exp(eta[rows] - top) * self._copies[rows]
        x, total = self.design.x[:, rows], risks.sum()
        mean = x @ risks / total
        yield top + float(np.log(total)), mean, (x * risks) @ x.T / total - np.outer(mean, mean)


def _passes(sets: RiskSets, copies: Ints, orders: Ints) -> list[tuple[Ints, int, Stops]]:
    """What to run: rows in the order they join, the highest order, and where to read off.

    The last is a list of (column, number of rows in by then), for columns with events.
    """
    passes: list[tuple[Ints, int, Stops]] = []
    for a, b in pairwise(sets.stratum_bounds):
        columns = [int(k) for k in range(a, b) if orders[k] > 0]
        if not columns:
            continue
        if sets.intervals is None:
            begin, last = np.searchsorted(sets.joins, (a, columns[-1] + 1))
            ends = np.searchsorted(sets.joins, columns, side="right") - begin
            stops = list(zip(columns, ends.tolist(), strict=True))
            passes.append((np.arange(begin, last), int(orders[columns].max()), stops))
            continue
        for k in columns:
            rows = np.flatnonzero((sets.joins <= k) & (sets.leaves > k) & (copies > 0))
            passes.append((rows, int(orders[k]), [(k, rows.size)]))
    return passes
