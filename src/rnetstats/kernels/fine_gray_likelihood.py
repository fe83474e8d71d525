"""Fine and Gray's regression of the subdistribution hazard, many replicates at once.

Rows with a competing event stay in the risk sets of later times with the weight
G(t-) / G(T-), G being the censoring distribution of the replicate. A sum over a risk set is then
one over the rows still followed, and G(t-) times one over the competing events so far of values
divided by their G(T-): two running sums, no row is ever written out in pieces. Ties are Breslow's.

References
----------
Fine JP, Gray RJ (1999). A proportional hazards model for the subdistribution of a competing risk.
Journal of the American Statistical Association 94, 496-509.
Kohl M, Plischke M, Leffondre K, Heinze G (2015). PSHREG: a SAS macro for proportional and
nonproportional subdistribution hazards regression. Computer Methods and Programs in Biomedicine
118, 218-233 (Firth's penalty).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.censoring import CensoringCurve, censoring_survival
from rnetstats.kernels.firth import half_log_det, inverse_information
from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray, rows_of
from rnetstats.kernels.ratio import ratio

__all__ = ["CENSORING", "FineGrayLikelihood", "Moments", "censoring_curve"]

CENSORING = ("after-events", "with-events")


class _Layout(NamedTuple):
    """Rows by the event times (E,) of the cause, ascending.

    ``places`` (n,) is the number of event times that a row reaches; ``own`` the rows with the
    event, and ``columns`` their event times; ``competing`` the rows with another event.
    """

    times: FloatArray
    places: IntArray
    own: IntArray
    columns: IntArray
    competing: IntArray


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums (A, E) over the risk sets at coefficients, divided by exp(shift) (A,).

    Attributes
    ----------
    s0, mean
        Sum of the risks (A, E), and mean of x (A, E, p).
    second
        Mean of x x', (A, E, p, p).
    risk
        (A, n) frequency times exp(eta - shift).
    """

    s0: FloatArray
    mean: FloatArray
    second: FloatArray
    risk: FloatArray
    shift: FloatArray


class FineGrayLikelihood:
    """Log pseudo-likelihood, score and information of B replicates; an ``Evaluate`` for Newton.

    Parameters
    ----------
    X
        (n, p) without a constant column.
    stop
        (n,) end of follow-up.
    code
        (n,) 0 censored, 1 the event of interest, 2 (or more) a competing event.
    freq
        (n,) or (B, n) whole numbers that stand for replicated rows.
    offset
        (n,) added to the linear predictor.
    firth
        Add half the log-determinant of the information.
    censoring
        "after-events": at a tied time events leave the risk set before censorings are counted.
        "with-events": they are still in it, as in R's cmprsk.

    Raises
    ------
    ValueError
        If no row has the event.
    """

    def __init__(
        self,
        X: ArrayLike,
        stop: ArrayLike,
        code: ArrayLike,
        *,
        freq: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        firth: bool = False,
        censoring: str = "after-events",
    ) -> None:
        columns = np.asarray(X, dtype=np.float64)
        self.centre = columns.mean(axis=0)
        spread = columns.std(axis=0)
        self.scale = np.where(spread > 0.0, spread, 1.0)
        self.x = (columns - self.centre) / self.scale
        self.stop, self.code = np.asarray(stop, dtype=np.float64), np.asarray(code)
        self.freq = np.atleast_2d(np.ones(self.stop.size) if freq is None else freq).astype(float)
        self.offset = np.zeros(self.stop.size) if offset is None else np.asarray(offset, float)
        self.firth, self.censoring = firth, censoring
        self.layout = _layout(self.stop, self.code)
        self.curve = censoring_curve(self.stop, self.code > 0, self.freq, censoring)
        self.uncensored = self.curve.before(self.layout.times)
        at_exit = self.curve.before(self.stop[self.layout.competing])
        # a row that a replicate lacks may lie past everything that it holds
        self.inverse = ratio(1.0, at_exit)
        died = self.freq[:, self.layout.own]
        self.events = _binned(died[..., None], self.layout.columns, self.layout.times.size)[..., 0]
        self.events_x = died @ self.x[self.layout.own]
        self.events_offset = died @ self.offset[self.layout.own]

    def __call__(
        self, beta: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate at coefficients (A, p) of the columns as given."""
        value, score, information = self.scaled(beta * self.scale, index)
        if self.firth:
            value = value + self.log_scale
        outer = self.scale[:, None] * self.scale
        return value, score * self.scale, information * outer

    @property
    def log_scale(self) -> float:
        """What the penalty of the columns as given has beyond that of the scaled ones."""
        return float(np.log(self.scale).sum())

    def scaled(
        self, gamma: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate at coefficients (A, p) of the scaled columns."""
        at = self.moments(gamma, index)
        events = rows_of(self.events, index)
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.where(events > 0.0, np.log(at.s0) + at.shift[:, None], 0.0)
        value = (gamma * rows_of(self.events_x, index)).sum(axis=1)
        value += rows_of(self.events_offset, index) - (events * log).sum(axis=1)
        score = rows_of(self.events_x, index) - (events[..., None] * at.mean).sum(axis=1)
        spread = at.second - at.mean[..., :, None] * at.mean[..., None, :]
        information = (events[..., None, None] * spread).sum(axis=1)
        if self.firth:
            value = value + half_log_det(information)
            inverse = inverse_information(information)
            score = score + 0.5 * self._third(at, index, events, spread, inverse)
        return np.where(value < np.inf, value, -np.inf), score, information

    def moments(self, gamma: FloatArray, index: IntArray) -> Moments:
        """Risks and their sums at coefficients (A, p) of the scaled columns."""
        eta = gamma @ self.x.T + self.offset
        shift = eta.max(axis=1)
        with np.errstate(under="ignore"):
            risk = np.exp(eta - shift[:, None]) * rows_of(self.freq, index)
        n, p = self.x.shape
        products = (self.x[:, :, None] * self.x[:, None, :]).reshape(n, p * p)
        basis = np.hstack((np.ones((n, 1)), self.x, products))
        sums = self.risk_sums(risk[..., None] * basis, index)
        s0 = sums[..., 0]
        means = np.divide(
            sums[..., 1:], s0[..., None], out=np.zeros_like(sums[..., 1:]), where=s0[..., None] > 0
        )
        second = means[..., p:].reshape(*s0.shape, p, p)
        return Moments(s0, means[..., :p], second, risk, shift)

    def risk_sums(self, values: FloatArray, index: IntArray) -> FloatArray:
        """Weighted sums of values (A, n, c) over the risk sets, (A, E, c)."""
        places, competing, count = self.layout.places, self.layout.competing, self.layout.times.size
        followed = _binned(values, places, count + 1)[:, 1:]
        sums = np.cumsum(followed[:, ::-1], axis=1)[:, ::-1]
        if competing.size:
            weighted = values[:, competing] * rows_of(self.inverse, index)[..., None]
            past = _binned(weighted, places[competing], count + 1)[:, :-1]
            sums = sums + rows_of(self.uncensored, index)[..., None] * np.cumsum(past, axis=1)
        return np.asarray(sums)

    def _third(
        self,
        at: Moments,
        index: IntArray,
        events: FloatArray,
        spread: FloatArray,
        inverse: FloatArray,
    ) -> FloatArray:
        """Third central moments contracted with the inverse V, summed over events, (A, p).

        E[q x] - E[q] E[x] - 2 Cov V E[x] with q = x' V x.
        """
        form = np.einsum("ni,aij,nj->an", self.x, inverse, self.x)
        values = (at.risk * form)[..., None] * self.x
        with np.errstate(divide="ignore", invalid="ignore"):
            cubes = self.risk_sums(values, index) / at.s0[..., None]
        cubes = np.where(at.s0[..., None] > 0.0, cubes, 0.0)
        forms = np.einsum("aeij,aij->ae", at.second, inverse)
        along = np.einsum("aeij,ajk,aek->aei", spread, inverse, at.mean)
        terms = cubes - forms[..., None] * at.mean - 2.0 * along
        return np.asarray((events[..., None] * terms).sum(axis=1))


def _layout(stop: FloatArray, code: np.ndarray) -> _Layout:
    own = np.flatnonzero(code == 1)
    if not own.size:
        msg = "no event of interest: there is no likelihood"
        raise ValueError(msg)
    times = np.unique(stop[own])
    places = np.searchsorted(times, stop, side="right")
    return _Layout(times, places, own, places[own] - 1, np.flatnonzero(code > 1))


def _binned(values: FloatArray, places: IntArray, count: int) -> FloatArray:
    """Sums (A, count, c) of values (A, m, c) by place (m,)."""
    sums = np.zeros((len(values), count, values.shape[-1]))
    if not places.size:
        return sums
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    sums[:, ordered[first]] = np.add.reduceat(values[:, order], first, axis=1)
    return sums


def censoring_curve(
    stop: FloatArray, event_any: BoolArray, freq: FloatArray, censoring: str
) -> CensoringCurve:
    """Estimate the censoring distribution of each replicate.

    Parameters
    ----------
    stop, event_any
        (n,).
    freq
        (B, n).
    censoring
        One of :data:`CENSORING`.
    """
    if censoring == "after-events":
        return censoring_survival(stop, event_any, freq)
    time, slot = np.unique(stop, return_inverse=True)
    left = _binned(freq[..., None], slot, time.size)[..., 0]
    risk = np.cumsum(left[:, ::-1], axis=1)[:, ::-1]
    censored = _binned((freq * ~event_any)[..., None], slot, time.size)[..., 0]
    share = ratio(censored, risk)
    return CensoringCurve(time, np.asarray(np.cumprod(1.0 - share, axis=1), dtype=np.float64))
