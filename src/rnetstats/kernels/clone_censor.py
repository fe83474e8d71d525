"""Cloning, artificial censoring and weighting of many replicates at once.

Each patient stands in two arms: "treated by the end of a grace period" and "untreated". A clone is
censored when its patient departs from the arm, and those who stay stand for those who left by the
inverse of their probability of staying. Events come before treatments at tied times, so that a
weight at t rests on the treatments before t.

References
----------
Hernan MA (2018). How to estimate the effect of treatment duration on survival outcomes using
observational data. BMJ 360:k182.
Maringe C, Benitez Majano S, Exarchakou A, et al (2020). Reflection on modern methods: trial
emulation in the presence of immortal-time bias. International Journal of Epidemiology 49:1719-29.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnetstats.kernels.clone_weights import Hazard, staying_hazard, staying_shares
from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray
from rnetstats.kernels.ratio import ratio

__all__ = [
    "ArmSums",
    "Clones",
    "Replicates",
    "clone_replicates",
    "treated_weights",
    "untreated_weights",
]

_EVERYBODY = 1.0 - 1e-12  # sums of the same weights in another order differ by less


@dataclass(frozen=True, eq=False)
class Clones:
    """One data set of n patients.

    Attributes
    ----------
    stop : array of shape (n,)
        End of follow-up, above 0.
    event : bool array of shape (n,)
    treated_at : array of shape (n,)
        Time of treatment, before `stop`; infinite without one.
    X : array of shape (n, p)
        Baseline covariates of the weights, without a constant.
    grace : float
        A clone of the treated arm departs if its patient is untreated at this time.
    ever : bool
        A clone of the untreated arm departs at a treatment at any time, or by `grace` only.
    """

    stop: FloatArray
    event: BoolArray
    treated_at: FloatArray
    X: FloatArray
    grace: float
    ever: bool

    @cached_property
    def times(self) -> FloatArray:
        """Event times (E,), rising."""
        return np.unique(self.stop[self.event])

    @cached_property
    def in_grace(self) -> BoolArray:
        """Patients (n,) treated by the end of the grace period."""
        return self.treated_at <= self.grace

    @cached_property
    def leaves_treated(self) -> BoolArray:
        """Patients (n,) whose clone in the treated arm is censored, at the end of the grace."""
        return ~self.in_grace & (self.stop > self.grace)

    @cached_property
    def leaves_untreated(self) -> BoolArray:
        """Patients (n,) whose clone in the untreated arm is censored, at their treatment."""
        return np.isfinite(self.treated_at) if self.ever else self.in_grace

    def end(self, arm: int) -> FloatArray:
        """Last time (n,) at which the clone of an arm (1 treated, 0 untreated) is at risk."""
        if arm:
            return np.where(self.leaves_treated, self.grace, self.stop)
        return np.where(self.leaves_untreated, self.treated_at, self.stop)

    def seen(self, arm: int) -> BoolArray:
        """Patients (n,) whose event is seen in the clone of an arm."""
        left = self.leaves_treated if arm else self.leaves_untreated
        return np.asarray(self.event & ~left)


@dataclass(frozen=True, eq=False)
class ArmSums:
    """Weighted sums of an arm at each event time, B replicates.

    Attributes
    ----------
    at_risk, died : arrays of shape (B, E)
    last : array of shape (B,)
        The last time at which a clone is at risk; -inf without any.
    """

    at_risk: FloatArray
    died: FloatArray
    last: FloatArray

    @cached_property
    def survival(self) -> FloatArray:
        """Weighted product-limit estimate (B, E + 1) after 0, 1, ... event times.

        Missing from where the weights are.
        """
        curve = np.ones((len(self.died), self.died.shape[1] + 1))
        step = np.divide(
            self.died, self.at_risk, out=np.zeros(self.died.shape), where=self.died != 0.0
        )
        np.cumprod(np.where(step >= _EVERYBODY, 0.0, 1.0 - step), axis=1, out=curve[:, 1:])
        return curve


@dataclass(frozen=True, eq=False)
class Replicates:
    """Both arms of B replicates at the event times (E,)."""

    times: FloatArray
    treated: ArmSums
    untreated: ArmSums

    def risk(self, arm: int, horizon: float) -> FloatArray:
        """Risk (B,) by a time; missing where the arm's follow-up ends before it."""
        sums = self.treated if arm else self.untreated
        value = sums.survival[:, np.searchsorted(self.times, horizon, side="right")]
        return np.where((horizon <= sums.last) | (value == 0.0), 1.0 - value, np.nan)

    def rmst(self, arm: int, horizon: float) -> FloatArray:
        """Restricted mean survival time (B,) up to a time; missing as for the risk."""
        sums = self.treated if arm else self.untreated
        edges = np.concatenate(([0.0], np.minimum(self.times, horizon), [horizon]))
        return np.where(np.isnan(self.risk(arm, horizon)), np.nan, sums.survival @ np.diff(edges))

    def log_hazard_ratio(self, horizon: float) -> FloatArray:
        """Log hazard ratio (B,) of treated against untreated by Breslow's partial likelihood.

        Of the weighted clones up to a time. With one 0/1 covariate the likelihood is one of the
        sums at the event times alone. Infinite where all events that find both arms at risk fall
        in one of them; missing where no event does, and without weights.
        """
        upto = slice(0, int(np.searchsorted(self.times, horizon, side="right")))
        one, zero = self.treated.at_risk[:, upto], self.untreated.at_risk[:, upto]
        died = self.treated.died[:, upto] + self.untreated.died[:, upto]
        wanted = self.treated.died[:, upto].sum(axis=1)
        total = np.where((one > 0.0) & (zero > 0.0), died, 0.0).sum(axis=1)
        alone = np.where(zero > 0.0, 0.0, died).sum(axis=1)  # events with the treated arm only
        inside = wanted - alone  # events of the treated arm that find both arms at risk
        usable = (inside > 1e-12) & (inside < total * _EVERYBODY)
        beta = np.zeros(len(one))
        for _ in range(100):
            share = np.divide(
                one, one + np.exp(-beta)[:, None] * zero, out=np.zeros(one.shape), where=one > 0.0
            )
            score = wanted - (died * share).sum(axis=1)
            information = (died * share * (1.0 - share)).sum(axis=1)
            step = np.divide(
                score, information, out=np.zeros(len(beta)), where=usable & (information > 0.0)
            )
            beta = beta + np.clip(step, -2.0, 2.0)
            if np.abs(step).max(initial=0.0) < 1e-13:
                break
        endless = np.where(inside > 1e-12, np.inf, -np.inf)
        known = ~np.isnan(died).any(axis=1)
        return np.where(usable & known, beta, np.where(known & (total > 1e-12), endless, np.nan))


def clone_replicates(clones: Clones, freq: FloatArray, *, cap: float | None = None) -> Replicates:
    """Weight and sum both arms of B replicates, the models of the weights refitted in each.

    Parameters
    ----------
    clones : Clones
    freq : array of shape (B, n)
        How often each patient stands in the replicate.
    cap : float, optional
        Larger weights are set to this.

    Returns
    -------
    Replicates

    Notes
    -----
    Treated arm: one over the probability of being treated by the end of the grace period among
    patients at risk then, by a logistic model. Untreated arm: one over the probability of being
    untreated until t, by a Cox model of the time to treatment. Both are penalised (Firth).
    Without covariates they are the share and the product-limit estimate.
    """
    weights = freq * treated_weights(clones, freq, cap)
    early = int(np.searchsorted(clones.times, clones.grace, side="right"))
    sums = _Sums(clones, 1, freq)
    sums.add(slice(0, early), freq)
    sums.add(slice(early, None), weights)
    one = sums.done()
    hazard, risk = staying_hazard(clones, freq, clones.times)
    sums = _Sums(clones, 0, freq)
    for run in _constant(hazard.places):
        sums.add(run, freq * untreated_weights(hazard, risk, int(hazard.places[run.start]), cap))
    return Replicates(clones.times, one, sums.done())


def treated_weights(clones: Clones, freq: FloatArray, cap: float | None = None) -> FloatArray:
    """Weights (B, n) of the treated arm after the grace period; 0 where nobody is left in it."""
    share = staying_shares(clones, freq)
    weights = ratio(1.0, share)
    return weights if cap is None else np.minimum(weights, cap)


def untreated_weights(
    hazard: Hazard, risk: FloatArray, place: int, cap: float | None = None
) -> FloatArray:
    """Weights (B, n) of the untreated arm after so many treatment times."""
    # an enormous weight shows in the diagnostics; here it must only not overflow
    weights = np.exp(np.minimum(hazard.steps[:, place, None] * risk, 600.0))
    return weights if cap is None else np.minimum(weights, cap)


def _constant(places: IntArray) -> list[slice]:
    """Runs of event times between which nobody is treated."""
    edges = np.flatnonzero(np.diff(places)) + 1
    return [
        slice(int(a), int(b))
        for a, b in zip([0, *edges], [*edges, places.size], strict=True)
        if b > a
    ]


class _Sums:
    """Sums of one arm, filled run by run of event times."""

    def __init__(self, clones: Clones, arm: int, freq: FloatArray) -> None:
        self.times, self.end = clones.times, clones.end(arm)
        self.place = np.searchsorted(self.times, self.end)
        self.dying = np.flatnonzero(clones.seen(arm))
        shape = (len(freq), self.times.size)
        self.at_risk, self.died = np.zeros(shape), np.zeros(shape)
        self.last = np.where(freq > 0.0, self.end, -np.inf).max(axis=1)

    def add(self, run: slice, weights: FloatArray) -> None:
        """Sum weights (B, n) over the clones at risk, and over those with an event."""
        times = self.times[run]
        if not times.size:
            return
        self.at_risk[:, run] = weights @ (self.end[:, None] >= times).astype(float)
        rows = self.dying[np.isin(self.end[self.dying], times)]
        here = self.place[rows][:, None] == np.arange(self.times.size)[run]
        self.died[:, run] = weights[:, rows] @ here.astype(float)

    def done(self) -> ArmSums:
        return ArmSums(self.at_risk, self.died, self.last)
