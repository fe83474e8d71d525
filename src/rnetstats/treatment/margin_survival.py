"""Risk at a horizon and restricted mean survival time of one arm, with limits that few events bear.

An arm with few events gets no normal limits. Its risk at the horizon has beta product limits. Its
restricted mean has bounds only: survival falls, so that the mean up to ``tau`` is at least ``tau``
times survival at ``tau``, and at most ``tau / 2`` times 1 plus survival at ``tau / 2``; the beta
product limits of these two survivals bound it from below and above.

References
----------
Fay MP, Brittain EH, Proschan MA (2013). Pointwise confidence intervals for a survival distribution
with small samples or heavy censoring. Biostatistics 14:723-736. Royston P, Parmar MKB (2013).
Restricted mean survival time. BMC Med Res Methodol 13:152.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import DataError
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.product_limit import product_limit
from rnetstats.treatment.margin_contrast import Arm, Pair, normal_arm
from rnetstats.treatment.two_arms import FEW_EVENTS

__all__ = ["ENOUGH_EVENTS", "ArmCurve", "arm_curve", "mean_arm", "risk_arm"]

Floats = NDArray[np.float64]

ENOUGH_EVENTS = 10  # by the horizon in each arm, for Greenwood's normal limits


@dataclass(frozen=True)
class ArmCurve:
    """The curve of one arm up to a time; arrays have shape (k,), the first place is time 0."""

    until: float
    time: Floats
    n_risk: Floats
    n_event: Floats
    n_left: Floats
    survival: Floats
    log_variance: float

    @property
    def events(self) -> int:
        """Events up to the time."""
        return int(self.n_event.sum())

    def bounds(self, time: float, alpha: float) -> Pair:
        """Beta product limits of survival at a time, each one-sided at ``alpha``."""
        k = int(np.searchsorted(self.time, time, side="right"))
        low, high = beta_product_limits(
            self.n_risk[:k], self.n_event[:k], self.n_left[:k], conf_level=1.0 - 2.0 * alpha
        )
        return float(low[-1]), float(high[-1])


def arm_curve(stop: Floats, event: NDArray[np.bool_], until: float, name: str) -> ArmCurve:
    """Estimate one arm's curve up to a time.

    Raises
    ------
    DataError
        If nobody of the arm is followed so far and the curve has not reached 0.
    """
    whole = product_limit(stop, event)
    if until > whole.time[-1] and whole.survival[-1] > 0.0:
        raise DataError(
            f"Nobody of {name!r} is followed up to {until:g}: the last time is "
            f"{whole.time[-1]:g}, beyond which its curve is not known."
        )
    keep = whole.time <= until
    n = float(len(stop))
    survival = np.append(1.0, whole.survival[keep])
    variance = np.append(0.0, whole.log_variance[keep])
    left = (whole.n_risk - whole.n_event - whole.n_censor)[keep]
    return ArmCurve(
        until=until,
        time=np.append(0.0, whole.time[keep]),
        n_risk=np.append(n, whole.n_risk[keep]),
        n_event=np.append(0.0, whole.n_event[keep]),
        n_left=np.append(n, left),
        survival=survival,
        log_variance=float(variance[-1]),
    )


def risk_arm(curve: ArmCurve, *, normal: bool) -> Arm:
    """The risk at the horizon: Greenwood's normal limits, or beta product limits."""
    risk = 1.0 - float(curve.survival[-1])
    if normal and risk < 1.0:
        return normal_arm(risk, (1.0 - risk) * float(np.sqrt(curve.log_variance)))

    def limits(alpha: float) -> Pair:
        low, high = curve.bounds(curve.until, alpha)
        return 1.0 - high, 1.0 - low

    return Arm(risk, limits)


def mean_and_error(curve: ArmCurve) -> Pair:
    """Restricted mean up to the curve's end and its standard error (Greenwood's sums)."""
    width = np.diff(np.append(curve.time, curve.until))
    area = curve.survival * width
    ahead = np.cumsum(area[::-1])[::-1]  # the area from each time to tau
    left = curve.n_risk - curve.n_event
    some = (curve.n_event > 0.0) & (left > 0.0)
    terms = curve.n_event[some] / (curve.n_risk[some] * left[some])
    return float(area.sum()), float(np.sqrt(np.sum(ahead[some] ** 2 * terms)))


def mean_arm(curve: ArmCurve) -> Arm:
    """The restricted mean: normal limits, or with fewer than 5 events the bounds of the module."""
    mean, error = mean_and_error(curve)
    if curve.events >= FEW_EVENTS:
        return normal_arm(mean, error)
    tau = curve.until

    def limits(alpha: float) -> Pair:
        low = tau * curve.bounds(tau, alpha)[0]
        high = 0.5 * tau * (1.0 + curve.bounds(0.5 * tau, alpha)[1])
        return min(low, mean), max(high, mean)

    return Arm(mean, limits)
