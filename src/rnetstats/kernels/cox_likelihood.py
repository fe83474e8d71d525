"""Cox's partial likelihood of many replicates at once, with score and information.

With S0, S1 the sums over a risk set of the risks and of the risks times x, every sum over rows is
rewritten so that only S0 and S1 are needed at each event time: the first part of the information
is one weighted cross product of all rows, each row weighted by its risk times the cumulative
hazard that it was exposed to. Firth's term is likewise free of third-order sums a time.

References
----------
Cox DR (1972). Regression models and life-tables. JRSS B 34, 187-220.
Heinze G, Schemper M (2001). A solution to the problem of monotone likelihood in Cox regression.
Biometrics 57, 114-119.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.cox_design import CoxDesign
from rnetstats.kernels.cox_firth import penalty_score
from rnetstats.kernels.cox_point import CoxPoint
from rnetstats.kernels.cox_ties import Levels, efron_sums, tie_levels, untied_sums
from rnetstats.kernels.firth import half_log_det, inverse_information, without
from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray
from rnetstats.kernels.risksets import RiskSets

_LARGE = 30.0  # a linear predictor that is shifted before the exponential


@dataclass(frozen=True, eq=False)
class CoxWeights:
    """Weights of kept rows and what follows from them; the first axis is B, or 1 if shared.

    Attributes
    ----------
    rows
        (B, m) frequency times sampling weight, or None for ones.
    counts
        (B, E) events of each time, each as often as its frequency.
    total, mean
        (B, E) weight of these events, and its mean, the weight of one term.
    """

    rows: FloatArray | None
    counts: FloatArray
    total: FloatArray
    mean: FloatArray


class CoxLikelihood:
    """Log partial likelihood, score and information of B replicates; an ``Evaluate`` for Newton.

    Calling it takes coefficients of the columns as given; :meth:`scaled` those of the columns
    divided by their standard deviation, ``scale``, in which Newton's method works.

    Parameters
    ----------
    design
        Sorted, centred and scaled columns.
    sets
        Risk sets.
    weights
        From `cox_weights`.
    offset
        (m,) of the kept rows, or None.
    efron
        Efron's rule for ties; Breslow's otherwise.
    firth
        Add half the log-determinant of the information of all columns.
    lost
        (B, p) columns that the penalty leaves out.
    """

    def __init__(
        self,
        design: CoxDesign,
        sets: RiskSets,
        weights: CoxWeights,
        *,
        offset: FloatArray | None = None,
        efron: bool = True,
        firth: bool = False,
        lost: BoolArray | None = None,
    ) -> None:
        self.design, self.sets, self.weights = design, sets, weights
        self.offset, self.firth, self.lost = offset, firth, lost
        self.levels: Levels | None = None
        if efron and weights.counts.max(initial=0) > 1:
            self.levels = tie_levels(weights.counts)
        deaths = sets.deaths
        died = np.ones((1, deaths.size)) if weights.rows is None else weights.rows[:, deaths]
        columns = design.x[..., deaths]
        self._events_x = (columns @ died[..., None])[..., 0]
        self._events_offset = died @ (np.zeros(deaths.size) if offset is None else offset[deaths])
        self._everyone = np.arange(max(len(self._events_x), len(died)))

    @property
    def scale(self) -> FloatArray:
        """(1, p) what the columns were divided by."""
        return self.design.scale[None]

    def log_scale(self, index: IntArray) -> FloatArray:
        """What the penalty of the given columns has over that of the scaled ones, (A,)."""
        logs = np.log(self.design.scale)
        if self.lost is None:
            return np.broadcast_to(logs.sum(), index.shape)
        total: FloatArray = np.where(self._rows(self.lost, index), 0.0, logs).sum(axis=1)
        return total

    def __call__(
        self, beta: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate at coefficients (A, p) of the columns as given."""
        scale = self.scale
        value, score, information = self.scaled(beta * scale, index)
        if self.firth:
            value = value + self.log_scale(index)
        return value, score * scale, information * (scale[:, :, None] * scale[:, None, :])

    def scaled(
        self, gamma: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate at coefficients (A, p) of the scaled columns."""
        return self._evaluate(gamma, index, self.firth)

    def unpenalised(
        self, gamma: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate as `scaled` does, without the penalty."""
        return self._evaluate(gamma, index, False)

    def _evaluate(
        self, gamma: FloatArray, index: IntArray, firth: bool
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        design = self._design(index)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            point = self.point(gamma, index, order=3 if firth else 2)
            value = self._value(gamma, index, point)
            exposed = self.exposed_risk(point)
            information = design.cross(exposed) - self._between(point)
            score = self._rows(self._events_x, index) - self._expected(point)
            if firth:
                lost = None if self.lost is None else self._rows(self.lost, index)
                kept = without(information, lost)
                value = value + half_log_det(kept)
                inverse = inverse_information(kept)
                score = score + penalty_score(design, self.sets, point, exposed, inverse)
        return value, score, information

    def point(self, gamma: FloatArray, index: IntArray, *, order: int = 2) -> CoxPoint:
        """Risks and their sums at coefficients (A, p) of the scaled columns."""
        design, sets = self._design(index), self.sets
        eta = design.linear_predictor(gamma)
        if self.offset is not None:
            eta = eta + self.offset
        top = eta.max(axis=1, initial=-np.inf)
        shift = np.where(np.abs(top) > _LARGE, top, 0.0)
        if shift.any():
            eta = eta - shift[:, None]
        risk = np.exp(eta)
        if self.weights.rows is not None:
            risk = risk * self._rows(self.weights.rows, index)
        sums = design.risk_sums(risk, sets)
        counts, mean = self._rows(self.weights.counts, index), self._rows(self.weights.mean, index)
        if self.levels is None:
            tied = np.zeros((1, 1 + design.p, 1))
            ties = untied_sums(sums[:, 0], self._rows(self.weights.total, index), order)
        else:
            tied = design.death_sums(risk[:, sets.deaths], sets)
            ties = efron_sums(sums[:, 0], tied[:, 0], counts, mean, self.levels, order)
        return CoxPoint(risk, shift, sums[:, 0], sums[:, 1:], tied[:, 0], tied[:, 1:], ties)

    def exposed_risk(self, point: CoxPoint) -> FloatArray:
        """Each row's weighted risk times the hazard it was exposed to, (A, m)."""
        return point.risk * self.exposure(point.ties.powers[0])

    def exposure(self, sums: tuple[FloatArray, ...]) -> FloatArray:
        """Per row, the sum over its times at risk, (A, m).

        `sums` holds (A, E) what each time adds and, with ties, what its own events lack of it.
        """
        hazard = self.sets.spread(self.sets.accumulate_forward(sums[0]))
        if len(sums) > 1:
            hazard[..., self.sets.deaths] -= sums[1][..., self.sets.death_columns]
        return hazard

    def null_log_likelihood(self) -> FloatArray:
        """Log-likelihood with all coefficients zero, (B,); the offset stays."""
        sets, weights = self.sets, self.weights
        offset = np.zeros(sets.rows.size) if self.offset is None else self.offset
        shift = float(offset.max(initial=0.0))
        risk = np.exp(offset - shift)[None]
        if weights.rows is not None:
            risk = risk * weights.rows
        s0 = sets.risk_sums(risk)
        if self.levels is None:
            ties = untied_sums(s0, weights.total, 1)
        else:
            t0 = sets.death_sums(risk[:, sets.deaths])
            ties = efron_sums(s0, t0, weights.counts, weights.mean, self.levels, 1)
        value = self._events_offset - ties.log - shift * weights.total.sum(axis=1)
        return np.broadcast_to(value, self._everyone.shape)

    def _value(self, gamma: FloatArray, index: IntArray, point: CoxPoint) -> FloatArray:
        total = self._rows(self.weights.total, index).sum(axis=1)
        events = (gamma * self._rows(self._events_x, index)).sum(axis=1)
        events = events + self._rows(self._events_offset, index)
        value: FloatArray = events - point.ties.log - point.shift * total
        return value

    def _expected(self, point: CoxPoint) -> FloatArray:
        """Sum over terms of the mean of x, (A, p)."""
        powers = point.ties.powers[0]
        expected: FloatArray = np.matmul(point.s1, powers[0][..., None])[..., 0]
        if point.ties.tied:
            expected = expected - np.matmul(point.t1, powers[1][..., None])[..., 0]
        return expected

    def _between(self, point: CoxPoint) -> FloatArray:
        """Sum over terms of the mean of x times its transpose, (A, p, p)."""
        first, second = point.moments()
        between: FloatArray = first @ np.swapaxes(point.s1, 1, 2)
        if point.ties.tied:
            between = between - second @ np.swapaxes(point.t1, 1, 2)
        return between

    def _design(self, index: IntArray) -> CoxDesign:
        if self.design.shared or np.array_equal(index, self._everyone):
            return self.design
        return self.design.take(index)

    def _rows(self, values: FloatArray, index: IntArray) -> FloatArray:
        if len(values) == 1 or np.array_equal(index, self._everyone):
            return values
        return values[index]


def cox_weights(
    sets: RiskSets, freq: FloatArray | None = None, case: FloatArray | None = None
) -> CoxWeights:
    """Weights of the kept rows.

    Parameters
    ----------
    sets
        Risk sets.
    freq
        (n,) or (B, n) whole numbers: how often each row stands in the replicate.
    case
        (n,) or (B, n) sampling weights. A term of Efron's likelihood has the mean weight of the
        tied events.
    """
    given = [sets.sort(np.atleast_2d(part)) for part in (freq, case) if part is not None]
    one = np.ones((1, sets.deaths.size))
    died = one if freq is None else given[0][:, sets.deaths]
    counts = sets.death_sums(died)
    if not given:
        return CoxWeights(None, counts, counts, np.ones_like(counts))
    rows = given[0] if len(given) == 1 else given[0] * given[1]
    if case is None:
        return CoxWeights(rows, counts, counts, np.ones_like(counts))
    total = sets.death_sums(rows[:, sets.deaths])
    counts = np.broadcast_to(counts, total.shape)
    return CoxWeights(rows, counts, total, total / np.where(counts > 0, counts, 1.0))
