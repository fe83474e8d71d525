"""Risk at a horizon and restricted mean survival time of one arm, with limits that few events bear.

An arm with few events gets no normal limits. Its risk at the horizon has beta product limits. Its
restricted mean has bounds only. Without events it is at least the integral of the beta product
lower limits, which hold together then, and at most ``tau``. With 1 to 4 events: survival falls, so
that the mean is at least ``tau`` times survival at ``tau``, and at most ``tau / 2`` times 1 plus
survival at ``tau / 2``; the beta product limits of these two survivals bound it.

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
from rnetstats.kernels.rmst import restricted_means
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.product_limit import product_limit
from rnetstats.treatment.margin_contrast import Arm, Pair, normal_arm
from rnetstats.treatment.two_arms import FEW_EVENTS

__all__ = ["ENOUGH_EVENTS", "ArmCurve", "arm_curve", "mean_arm", "risk_arm"]

Floats = NDArray[np.float64]

ENOUGH_EVENTS = 10  # by the horizon in each arm, for Greenwood's normal limits


@dataclass(frozen=True)
class ArmCurve:
    """The curve of one arm up to a time; arrays have shape (k,), the first place is time 0.

    ``mean`` is the restricted mean up to that time, ``mean_error`` its standard error.
    """

    until: float
    time: Floats
    n_risk: Floats
    n_event: Floats
    n_left: Floats
    survival: Floats
    log_variance: float
    mean: float
    mean_error: float

    @property
    def events(self) -> int:
        """Events up to the time."""
        return int(self.n_event.sum())

    def bounds(self, time: float, alpha: float) -> Pair:
        """Beta product limits of survival at a time, each one-sided at ``alpha``."""
        k = int(np.searchsorted(self.time, time, side="right"))
        low, high = self._limits(k, alpha)
        return float(low[-1]), float(high[-1])

    def area_below(self, alpha: float) -> float:
        """Integral of the beta product lower limits."""
        width = np.diff(np.append(self.time, self.until))
        return float(self._limits(len(self.time), alpha)[0] @ width)

    def _limits(self, k: int, alpha: float) -> tuple[Floats, Floats]:
        return beta_product_limits(
            self.n_risk[:k], self.n_event[:k], self.n_left[:k], conf_level=1.0 - 2.0 * alpha
        )


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
    n, area = float(len(stop)), restricted_means(stop, event, until)
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
        mean=float(area.mean[0, 0]),
        mean_error=float(np.sqrt(area.variance[0, 0])),
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


def mean_arm(curve: ArmCurve) -> Arm:
    """The restricted mean: normal limits, or with fewer than 5 events the bounds of the module."""
    mean, tau = curve.mean, curve.until
    if curve.events >= FEW_EVENTS:
        return normal_arm(mean, curve.mean_error)

    def limits(alpha: float) -> Pair:
        if curve.events == 0:
            return curve.area_below(alpha), tau
        low = tau * curve.bounds(tau, alpha)[0]
        high = 0.5 * tau * (1.0 + curve.bounds(0.5 * tau, alpha)[1])
        return min(low, mean), max(high, mean)

    return Arm(mean, limits)
