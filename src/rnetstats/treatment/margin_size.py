"""How many patients an equivalence or non-inferiority trial of a margin would need.

References
----------
Julious SA (2004). Sample sizes for clinical trials with normal data. Stat Med 23:1921-1986.
Schoenfeld DA (1983). Sample-size formula for the proportional-hazards regression model. Biometrics
39:499-503.
"""

from __future__ import annotations

import math

from scipy.special import ndtri

__all__ = ["POWER", "patients_for_difference", "patients_for_hazard"]

POWER = 0.8


def _quantiles(alpha: float, *, two_margins: bool) -> float:
    """Square of the sum of the two normal quantiles; power is shared between two margins."""
    beta = (1.0 - POWER) / (2.0 if two_margins else 1.0)
    return float((ndtri(1.0 - alpha) + ndtri(1.0 - beta)) ** 2)


def patients_for_difference(
    variance: float, margin: float, alpha: float, *, two_margins: bool
) -> float:
    """Patients per arm for a difference whose patient has this variance, none being true."""
    size = _quantiles(alpha, two_margins=two_margins) * 2.0 * variance / margin**2
    return float(math.ceil(size - 1e-9))


def patients_for_hazard(
    share: float, margin: float, alpha: float, *, two_margins: bool
) -> tuple[float, float]:
    """Events in all, and patients per arm of whom this share has an event, for a hazard ratio."""
    events = 4.0 * _quantiles(alpha, two_margins=two_margins) / math.log(margin) ** 2
    return float(math.ceil(events - 1e-9)), float(math.ceil(events / (2.0 * share) - 1e-9))
