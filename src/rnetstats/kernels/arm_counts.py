"""Cox regression on one treatment, and the risk in each arm, for many simulated cohorts at once.

With a single 0/1 covariate the partial likelihood needs, at each event, how many are at risk in
either arm and in which arm the event falls. Patients may change from the untreated to the treated
arm once, so that the valid analysis of a treatment during follow-up costs no more than the naive
one. Event times are continuous (no ties).

References
----------
Cox DR (1972). Regression models and life-tables. JRSS B 34:187-220.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray

__all__ = ["ArmCounts", "arm_counts"]

_STEPS = 60
_SMALL = 1e-12
_FURTHEST = 25.0  # a log hazard ratio that still grows there has no maximum


@dataclass(frozen=True, eq=False)
class ArmCounts:
    """The events of B cohorts one after the other, m in all.

    Attributes
    ----------
    bounds : int array of shape (B,)
        First event of each cohort.
    time : array of shape (m,)
    treated : bool array of shape (m,)
        Whether the event falls in the treated arm.
    at_risk : array of shape (2, m)
        Untreated and treated patients at risk just before each event.
    """

    bounds: IntArray
    time: FloatArray
    treated: BoolArray
    at_risk: FloatArray

    @property
    def n_events(self) -> FloatArray:
        """Events (2, B) in the untreated and the treated arm."""
        return np.stack([self._sums(~self.treated), self._sums(self.treated)])

    def log_hazard_ratios(self) -> FloatArray:
        """Cox' estimate (B,).

        Minus or plus infinity where the likelihood has no maximum, as in an arm without events;
        missing where no event finds both arms at risk.
        """
        untreated, treated = self.n_events
        sizes = np.diff(np.append(self.bounds, self.time.size))
        beta = np.where(treated == 0.0, -np.inf, np.where(untreated == 0.0, np.inf, 0.0))
        beta[self._sums(self.at_risk.min(axis=0)) == 0.0] = np.nan
        for _ in range(_STEPS):
            free = np.isfinite(beta)
            odds = self.at_risk[1] * np.repeat(np.exp(np.where(free, beta, 0.0)), sizes)
            share = odds / (self.at_risk[0] + odds)
            information = np.where(free, self._sums(share * (1.0 - share)), 1.0)
            step = np.where(free, treated - self._sums(share), 0.0) / information
            beta += np.clip(step, -1.0, 1.0)
            beta[np.abs(beta) > _FURTHEST] *= np.inf
            if np.abs(step).max() < _SMALL:
                break
        return beta

    def risks(self, horizon: float) -> FloatArray:
        """Kaplan-Meier risk (2, B) by the horizon in the untreated and the treated arm."""
        early = self.time <= horizon
        risks = []
        for own, left in zip((~self.treated, self.treated), self.at_risk, strict=True):
            counted = own & early
            with np.errstate(divide="ignore"):
                steps = np.log1p(-np.divide(1.0, left, out=np.zeros(left.size), where=counted))
            risks.append(-np.expm1(self._sums(steps)))
        return np.stack(risks)

    def _sums(self, values: FloatArray | BoolArray) -> FloatArray:
        sums: FloatArray = np.add.reduceat(values.astype(np.float64), self.bounds)
        return sums


def arm_counts(stop: FloatArray, event: BoolArray, since: FloatArray) -> ArmCounts:
    """Count who is at risk in either arm at each event.

    Parameters
    ----------
    stop : array of shape (B, n)
        End of follow-up, rising within each cohort.
    event : bool array of shape (B, n)
        Whether it is an event; each cohort has at least one.
    since : array of shape (B, n)
        When the patient joins the treated arm: 0 for from the start, infinite for never, else
        before `stop`. A patient is at risk there on (since, stop].

    Returns
    -------
    ArmCounts

    Raises
    ------
    ValueError
        If a cohort has no event.
    """
    if not event.any(axis=1).all():
        msg = "a cohort has no event"
        raise ValueError(msg)
    ever = since < np.inf
    at_risk = np.arange(stop.shape[1], 0, -1.0)
    treated = np.cumsum(ever[:, ::-1], axis=1)[:, ::-1] - _not_yet(stop, since, ever)
    counted = treated[event].astype(np.float64)
    everyone = np.broadcast_to(at_risk, stop.shape)[event]
    per_cohort = event.sum(axis=1)
    return ArmCounts(
        bounds=np.append(0, np.cumsum(per_cohort)[:-1]).astype(np.intp),
        time=stop[event],
        treated=ever[event],
        at_risk=np.stack([everyone - counted, counted]),
    )


def _not_yet(stop: FloatArray, since: FloatArray, ever: BoolArray) -> IntArray:
    """How many join the treated arm at or after each time (B, n)."""
    waiting = np.zeros(stop.shape, dtype=np.intp)
    for k in np.flatnonzero((ever & (since > 0.0)).any(axis=1)):
        joins = np.sort(since[k][ever[k]])
        waiting[k] = joins.size - np.searchsorted(joins, stop[k], side="left")
    return waiting
