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

from typing import NamedTuple

import numpy as np

from rnetstats.kernels.cox_design import CoxDesign
from rnetstats.kernels.cox_firth import penalty_score
from rnetstats.kernels.cox_point import CoxPoint
from rnetstats.kernels.cox_ties import TieTerms, efron_sums, tie_terms, untied_sums
from rnetstats.kernels.cox_weights import CoxWeights
from rnetstats.kernels.cox_wide import BUDGET, WideRow, evaluate_wide, penalty_wide
from rnetstats.kernels.firth import half_log_det, inverse_information, without
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray
from rnetstats.kernels.risksets import RiskSets

_LARGE = 30.0  # a linear predictor that is shifted before the exponential
_SMALL = 1e-100  # risk of a risk set beside the largest: the cube of its inverse is a number


class CoxBlock(NamedTuple):
    """What stays the same from step to step for the replicates being evaluated.

    Attributes
    ----------
    design
        Their design.
    rows
        (A, m) or (1, m) weights of the kept rows, or None for ones.
    counts, events, mean
        (A, E) or (1, E): number and total weight of the events of each time, and mean weight.
    terms
        The terms of Efron's likelihood, or None where no events tie.
    events_x, events_offset, events_all
        (A, p) or (1, p), (A,) or (1,): weighted sums of x, of the offset and of 1 over the events.
    lost
        (A, p) columns that the penalty leaves out, or None.
    """

    design: CoxDesign
    rows: FloatArray | None
    counts: FloatArray
    events: FloatArray
    mean: FloatArray
    terms: TieTerms | None
    events_x: FloatArray
    events_offset: FloatArray
    events_all: FloatArray
    lost: BoolArray | None


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
    prior
        Log-F priors on the coefficients of the columns as given, or None.
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
        prior: LogF | None = None,
    ) -> None:
        self.design, self.sets, self.weights = design, sets, weights
        self.offset, self.firth, self.prior = offset, firth, prior
        self.tied = efron and bool(weights.counts.max(initial=0) > 1)
        deaths = sets.deaths
        died = np.ones((1, deaths.size)) if weights.rows is None else weights.rows[:, deaths]
        self._events_x = (design.x.take(deaths, axis=-1) @ died[..., None])[..., 0]
        self._events_offset = died @ (np.zeros(deaths.size) if offset is None else offset[deaths])
        self._lost: BoolArray | None = None
        self._last: tuple[IntArray, CoxBlock] | None = None

    @property
    def scale(self) -> FloatArray:
        """(1, p) what the columns were divided by."""
        return self.design.scale[None]

    def leave_out(self, lost: BoolArray) -> None:
        """Leave columns (B, p) of each replicate out of the penalty."""
        self._lost, self._last = lost, None

    def log_scale(self, index: IntArray) -> FloatArray:
        """What the penalty of the given columns has over that of the scaled ones, (A,) or (1,)."""
        logs = np.log(self.scale)
        lost = self.block(index).lost
        return np.asarray((logs if lost is None else np.where(lost, 0.0, logs)).sum(axis=1))

    def __call__(
        self, beta: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate at coefficients (A, p) of the columns as given."""
        return self._as_given(index, self.scaled(beta * self.scale, index))

    def within_range(
        self, beta: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Do the same for a search, without a value where risks differ beyond a number's range.

        A penalised likelihood is slow there, and a search asks for many points.
        """
        if not self.firth:
            return self(beta, index)
        found = self._evaluate(beta * self.scale, index, firth=True, wide=False)
        return self._as_given(index, found)

    def _as_given(
        self, index: IntArray, found: tuple[FloatArray, FloatArray, FloatArray]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Turn what was found for scaled columns into that of the columns as given."""
        value, score, information = found
        scale = self.scale
        if self.firth:
            value = value + self.log_scale(index)
        return value, score * scale, information * (scale[:, :, None] * scale[:, None, :])

    def scaled(
        self, gamma: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate at coefficients (A, p) of the scaled columns."""
        found = self._evaluate(gamma, index, self.firth)
        return found if self.prior is None else self.prior.add(found, gamma, self.scale)

    def unpenalised(
        self, gamma: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate as `scaled` does, without the penalty."""
        return self._evaluate(gamma, index, False)

    def _evaluate(
        self, gamma: FloatArray, index: IntArray, firth: bool, *, wide: bool = True
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        block = self.block(index)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            point = self.point(gamma, block, order=3 if firth else 2)
            value = self._value(gamma, block, point)
            exposed = None
            if firth or point.segments is None:
                exposed = self.exposure(point.ties.powers[0])
                exposed *= point.risk
            moments = point.moments()
            information = self._total(block, point, exposed) - point.between(moments)
            score = block.events_x - point.expected()
            rows = self._widen(gamma, block, point, value, score, information) if wide else []
            if exposed is not None and firth:
                kept = without(information, block.lost)
                value = value + half_log_det(kept)
                inverse = inverse_information(kept)
                if block.lost is not None:
                    either = block.lost[:, :, None] | block.lost[:, None, :]
                    inverse = np.where(either, 0.0, inverse)
                slope = penalty_score(
                    block.design,
                    self.sets,
                    point=point,
                    moments=moments,
                    exposed=exposed,
                    inverse=inverse,
                )
                for i, row in rows:
                    slope[i] = penalty_wide(row, self.sets, inverse[i])
                score += slope
        return value, score, information

    def _widen(
        self,
        gamma: FloatArray,
        block: CoxBlock,
        point: CoxPoint,
        value: FloatArray,
        score: FloatArray,
        information: FloatArray,
    ) -> list[tuple[int, WideRow]]:
        """Put in the place of what lies outside a number's range the values set by set.

        The replicates that it is so with are returned.
        """
        rows: list[tuple[int, WideRow]] = []
        if point.s0.min(initial=np.inf) >= _SMALL:
            return rows
        least = np.where(block.events > 0, point.s0, np.inf).min(axis=1)
        m, times = self.sets.rows.size, self.sets.n_times
        for i in np.flatnonzero(least < _SMALL).tolist() if m * times <= BUDGET else ():
            eta = block.design.linear_predictor(gamma)[i]
            row = WideRow(
                x=block.design.x if self.design.shared else block.design.x[i],
                eta=eta if self.offset is None else eta + self.offset,
                weight=np.ones(m) if block.rows is None else _row(block.rows, i),
                counts=_row(block.counts, i),
                events=_row(block.events, i),
                mean=_row(block.mean, i),
                efron=self.tied,
            )
            value[i], score[i], information[i] = evaluate_wide(row, self.sets)
            rows.append((i, row))
        return rows

    def point(self, gamma: FloatArray, block: CoxBlock, *, order: int = 2) -> CoxPoint:
        """Risks and their sums at coefficients (A, p) of the scaled columns."""
        sets = self.sets
        eta = block.design.linear_predictor(gamma)
        if self.offset is not None:
            eta += self.offset
        shift = np.zeros(len(eta))
        top = eta.max(axis=1)
        if not np.abs(top).max(initial=0.0) <= _LARGE:
            shift = np.where(np.abs(top) > _LARGE, top, 0.0)
            eta -= shift[:, None]
        risk = np.exp(eta, out=eta)
        if block.rows is not None:
            risk *= block.rows
        segments = block.design.segment_sums(risk, sets)
        if segments is None:
            sums = block.design.risk_sums(risk, sets)
        else:
            sums = np.moveaxis(segments[..., : 1 + block.design.p], 0, 2)
            sums = sets.accumulate(np.ascontiguousarray(sums))
        if block.terms is None:
            tied = sums[..., :0]
            ties = untied_sums(sums[:, 0], block.events, order)
        else:
            tied = block.design.death_sums(risk[:, sets.deaths], sets)
            ties = efron_sums(sums[:, 0], tied[:, 0], block.terms, order)
        return CoxPoint(risk, shift, sums[:, 0], sums[:, 1:], tied[:, 1:], ties, segments)

    def _total(self, block: CoxBlock, point: CoxPoint, exposed: FloatArray | None) -> FloatArray:
        """Sum over terms of the mean of x x', (A, p, p), from rows or from segments of rows."""
        if exposed is not None:
            return block.design.cross(exposed)
        assert point.segments is not None
        assert block.design.stacked is not None
        hazard, own = point.ties.powers[0][0], point.ties.powers[0][1:]
        until = self.sets.accumulate_forward(hazard)
        products = point.segments[..., 1 + block.design.p :]
        packed = (until[:, None, :] @ products.transpose(1, 0, 2))[:, 0]
        if own:
            deaths = self.sets.deaths
            lacking = point.risk[:, deaths] * own[0][:, self.sets.death_columns]
            packed -= lacking @ block.design.stacked[deaths, 1 + block.design.p :]
        return block.design.unpack(packed)

    def exposure(self, sums: tuple[FloatArray, ...]) -> FloatArray:
        """Per row, the sum over its times at risk, (A, m).

        `sums` holds (A, E) what each time adds and, with ties, what its own events lack of it.
        """
        hazard = self.sets.spread(sums[0])
        if len(sums) > 1:
            hazard[..., self.sets.deaths] -= sums[1][..., self.sets.death_columns]
        return hazard

    def null_log_likelihood(self) -> FloatArray:
        """Log-likelihood with all coefficients zero, (B,) or (1,); the offset stays."""
        sets, weights = self.sets, self.weights
        offset = np.zeros(sets.rows.size) if self.offset is None else self.offset
        shift = float(offset.max(initial=0.0))
        risk = np.exp(offset - shift)[None]
        if weights.rows is not None:
            risk = risk * weights.rows
        s0 = sets.risk_sums(risk)
        if self.tied:
            terms = tie_terms(weights.counts, weights.mean)
            log = efron_sums(s0, sets.death_sums(risk[:, sets.deaths]), terms, 1).log
        else:
            log = untied_sums(s0, weights.total, 1).log
        null: FloatArray = self._events_offset - log - shift * weights.total.sum(axis=1)
        return null

    def block(self, index: IntArray) -> CoxBlock:
        """The replicates named by `index`, kept until others are asked for."""
        last = self._last
        if last is None or not (last[0] is index or np.array_equal(last[0], index)):
            self._last = last = index, self._select(index)
        return last[1]

    def _select(self, index: IntArray) -> CoxBlock:
        weights, lost, size = self.weights, self._lost, index.size

        def pick(values: FloatArray) -> FloatArray:
            return values if len(values) == 1 else values[index]

        counts, mean = pick(weights.counts), pick(weights.mean)
        everywhere = (size, counts.shape[1])
        terms = None
        if self.tied:
            terms = tie_terms(
                np.broadcast_to(counts, everywhere), np.broadcast_to(mean, everywhere)
            )
        return CoxBlock(
            design=self.design.take(index),
            rows=None if weights.rows is None else pick(weights.rows),
            counts=counts,
            events=pick(weights.total),
            mean=mean,
            terms=terms,
            events_x=pick(self._events_x),
            events_offset=pick(self._events_offset),
            events_all=pick(weights.total).sum(axis=1),
            lost=None if lost is None else lost if len(lost) == 1 else lost[index],
        )

    def _value(self, gamma: FloatArray, block: CoxBlock, point: CoxPoint) -> FloatArray:
        events = np.vecdot(gamma, block.events_x) + block.events_offset
        value = events - point.ties.log - point.shift * block.events_all
        return np.where(value < np.inf, value, -np.inf)


def _row(values: FloatArray, i: int) -> FloatArray:
    return np.asarray(values[i if len(values) > 1 else 0])
