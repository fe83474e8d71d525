"""Times and causes of the rows judged at a horizon, and the risk observed among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import DataError
from rnetstats.formula.outcome import Outcome
from rnetstats.kernels.pseudo_values import risk_by
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.limits import transformed_limits
from rnetstats.survival.product_limit import product_limit

__all__ = ["Times", "times_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Times and causes of the rows judged.

    Attributes
    ----------
    stop, code
        (n,) times, and 0 for censored, else the cause.
    cause
        The code of the event judged.
    competing
        Whether there are other causes.
    horizon
    freq
        (n,) or None.
    """

    stop: Floats
    code: NDArray[np.int64]
    cause: int
    competing: bool
    horizon: float
    freq: Floats | None

    @property
    def weight(self) -> Floats:
        """How many patients each row stands for (n,)."""
        return np.ones(len(self.stop)) if self.freq is None else self.freq

    @property
    def event(self) -> NDArray[np.bool_]:
        """Whether the row had the event judged by the horizon (n,)."""
        return np.asarray((self.code == self.cause) & (self.stop <= self.horizon))

    @property
    def free(self) -> NDArray[np.bool_]:
        """Whether the row is known not to have had the event by the horizon (n,).

        At a tied time events come before censorings: who is censored at the horizon is known.
        """
        other = (self.code > 0) & (self.code != self.cause)
        return np.asarray(other | ((self.stop >= self.horizon) & ~self.event))

    def risk(self, rows: NDArray[np.bool_] | None = None) -> tuple[float, float]:
        """Observed risk of all (or some) rows and its standard error."""
        here = np.ones(len(self.stop), dtype=bool) if rows is None else rows
        weight = self.weight[here]
        return risk_by(self.stop[here], self.code[here], self.horizon, weight, cause=self.cause)

    def limits(
        self, conf_level: float, rows: NDArray[np.bool_] | None = None
    ) -> tuple[float, float, float, float]:
        """Observed risk, standard error and log-log limits; beta product limits at 0 and 1."""
        risk, error = self.risk(rows)
        if 0.0 < risk < 1.0 and np.isfinite(error):
            survival = np.array([1.0 - risk])
            variance = np.array([(error / (1.0 - risk)) ** 2])
            low, high = transformed_limits(survival, variance, "log-log", conf_level)
        else:
            here = np.ones(len(self.stop), dtype=bool) if rows is None else rows
            low, high = self._product_limits(here, conf_level)
        return risk, error, 1.0 - float(high[0]), 1.0 - float(low[0])

    def _product_limits(self, here: NDArray[np.bool_], conf_level: float) -> tuple[Floats, Floats]:
        weight = self.weight[here]
        curve = product_limit(self.stop[here], self.event[here], weights=weight)
        until = curve.time <= self.horizon
        risk, event = curve.n_risk[until], curve.n_event[until]
        left = risk - event - curve.n_censor[until]
        if not risk.size:  # nothing has happened yet: everybody is left
            risk, event, left = (np.array([x]) for x in (weight.sum(), 0.0, weight.sum()))
        low, high = beta_product_limits(risk, event, left, conf_level=conf_level)
        return low[-1:], high[-1:]


def times_of(outcome: Outcome, horizon: float, freq: Floats | None) -> Times:
    """Read times from an outcome.

    Raises
    ------
    DataError
        For late entry, or where nobody is followed up to the horizon.
    """
    if outcome.start is not None:
        raise DataError(
            "Calibration at a time needs follow-up from the start, Surv(time, event). Patients of "
            "late entry have survived until then: their mean predicted risk is below that of all "
            "from the start on, whom a Kaplan-Meier curve with late entry describes, and O/E would "
            "be above 1 for right risks."
        )
    assert outcome.stop is not None
    assert outcome.event is not None
    stop = np.asarray(outcome.stop, dtype=np.float64)
    competing = outcome.cause_codes is not None
    if outcome.cause_codes is None:
        code = outcome.event.astype(np.int64)
    else:
        code = np.asarray(outcome.cause_codes).astype(np.int64)
    last = stop.max()
    if horizon > last and (code[stop == last] == 0).any():
        raise DataError(
            f"Follow-up ends at {last:g} with patients still without an event: nothing is known "
            f"of the risk by time={horizon:g}. Choose an earlier time."
        )
    return Times(stop, code, outcome.cause or 1, competing, horizon, freq)
