"""Information sizes of comparisons of two risks, and the effect that a size can show.

With share s of the patients treated, risks p0 and p1, and p = (1 - s) p0 + s p1 over all, the
number of patients is z^2 p (1 - p) / (s (1 - s) (p1 - p0)^2), z the sum of the two normal
quantiles, over 1 - D^2 for diversity. At equal arms this is 4 z^2 p (1 - p) / (p1 - p0)^2.

References
----------
Wetterslev J, Thorlund K, Brok J, Gluud C. Trial sequential analysis may establish when firm
evidence is reached in cumulative meta-analysis. J Clin Epidemiol 2008;61:64-75. Wetterslev J,
Thorlund K, Brok J, Gluud C. Estimating required information size by quantifying diversity in
random-effects model meta-analyses. BMC Med Res Methodol 2009;9:86.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["detectable_risks", "effect_of", "required_patients", "treated_risk"]

Floats = NDArray[np.float64]


def treated_risk(control: Floats, effect: float, measure: str) -> Floats:
    """Return the risk that an OR, RR or RD makes of the control risk (it may leave (0, 1))."""
    if measure == "OR":
        odds = effect * control / (1.0 - control)
        return odds / (1.0 + odds)
    return np.asarray(control * effect if measure == "RR" else control + effect)


def effect_of(control: Floats, treated: Floats, measure: str) -> Floats:
    """Return the OR, RR or RD of two risks; missing where the treated risk is."""
    if measure == "OR":
        return np.asarray(treated / (1.0 - treated) / (control / (1.0 - control)))
    return np.asarray(treated / control if measure == "RR" else treated - control)


def required_patients(
    control: Floats, treated: Floats, *, z: float, share: float, diversity: Floats
) -> Floats:
    """Return the patients needed in both arms together, not rounded.

    Parameters
    ----------
    control, treated, diversity : array
        Risks, different; D^2 or I^2 in [0, 1). They broadcast.
    z : float
        Sum of the normal quantiles of the level and the power.
    share : float
        Of the patients treated.
    """
    mean = (1.0 - share) * control + share * treated
    simple = z**2 * mean * (1.0 - mean) / (share * (1.0 - share) * (treated - control) ** 2)
    return np.asarray(simple / (1.0 - diversity))


def detectable_risks(
    control: Floats, patients: float | Floats, *, z: float, share: float, diversity: Floats
) -> tuple[Floats, Floats]:
    """Return the treated risks, below and above the control risk, that so many patients can show.

    They solve ``required_patients(...) = patients``, a quadratic equation in the difference of
    risks. Missing where the solution is 0 or less, or 1 or more.

    Returns
    -------
    low, high : array
    """
    size = patients * (1.0 - diversity) * share * (1.0 - share) / z**2
    a = size + share**2
    half = share * (1.0 - 2.0 * control) / 2.0
    root = np.sqrt(half**2 + a * control * (1.0 - control))
    low, high = control + (half - root) / a, control + (half + root) / a
    return np.where(low > 0.0, low, np.nan), np.where(high < 1.0, high, np.nan)
