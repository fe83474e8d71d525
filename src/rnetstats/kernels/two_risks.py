"""Two risks from their effect and a nuisance parameter that any effect leaves free.

Whatever the effect, the nuisance may be any number: the logit of the second risk beside an odds
ratio, the log of the odds product p1 p2/((1 - p1)(1 - p2)) beside a risk ratio or difference.

References
----------
Richardson TS, Robins JM, Wang L (2017) On modeling and estimation for the relative risk and risk
difference. JASA 112:1121-1130.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Risk", "nuisance_of", "two_risks"]

Floats: TypeAlias = NDArray[np.float64]

_LEAST, _MOST = 1e-100, 1.0 - 1e-15


class Risk(NamedTuple):
    """A risk with its derivatives by (effect, nuisance)."""

    value: float
    slope: Floats
    curve: Floats


def nuisance_of(measure: str, p1: float, p2: float) -> float:
    """Return the nuisance parameter of two risks."""
    own = float(np.log(p2 / (1.0 - p2)))
    return own if measure == "OR" else own + float(np.log(p1 / (1.0 - p1)))


def two_risks(measure: str, effect: float, nuisance: float) -> tuple[Risk, Risk] | None:
    """Return the risks of arms 1 and 2.

    Parameters
    ----------
    measure : {"OR", "RR", "RD"}
    effect : float
        Log of a ratio, or a difference.
    nuisance : float

    Returns
    -------
    tuple of Risk, or None
        None where there are no such risks, or none apart from 0 and 1 to the last digit.
    """
    if measure == "OR":
        first, second = _expit(effect + nuisance), _expit(nuisance)
        own = np.array([0.0, 1.0])
        pair = first, Risk(second.value, second.slope * own, second.curve * np.outer(own, own))
    else:
        if measure == "RD" and not -1.0 < effect < 1.0:
            return None
        return _by_product(measure, float(effect), float(nuisance))
    return pair if _inside(first.value, second.value) else None


def _inside(p1: float, p2: float) -> bool:
    return _LEAST < p1 < _MOST and _LEAST < p2 < _MOST


def _expit(x: float) -> Risk:
    """Inverse logit of a sum of the two parameters."""
    tail = np.exp(-abs(x))
    p = float((1.0 if x >= 0 else tail) / (1.0 + tail))
    slope = float(tail / (1.0 + tail) ** 2)
    return Risk(p, np.full(2, slope), np.full((2, 2), slope * (1.0 - 2.0 * p)))


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _by_product(measure: str, effect: float, log_product: float) -> tuple[Risk, Risk] | None:
    """Solve for the second risk; derivatives are those of the implicit function."""
    p2 = _second(measure, effect, log_product)
    if measure == "RR":
        ratio = float(np.exp(effect))
        p1, by_effect, by_risk, twice, mixed = p2 * ratio, p2 * ratio, ratio, p2 * ratio, ratio
    else:
        p1, by_effect, by_risk, twice, mixed = p2 + effect, 1.0, 1.0, 0.0, 0.0
    if not _inside(p1, p2):
        return None
    w1, w2 = 1.0 / (p1 * (1.0 - p1)), 1.0 / (p2 * (1.0 - p2))
    d1, d2 = -(1.0 - 2.0 * p1) * w1**2, -(1.0 - 2.0 * p2) * w2**2
    total = w1 * by_risk + w2
    slope = np.array([-w1 * by_effect, 1.0]) / total
    e = np.array([1.0, 0.0])
    across = np.outer(e, slope) + np.outer(slope, e)
    curve = (d1 * by_risk**2 + d2) * np.outer(slope, slope)
    curve += (d1 * by_effect * by_risk + w1 * mixed) * across
    curve = -(curve + (d1 * by_effect**2 + w1 * twice) * np.outer(e, e)) / total
    first = by_effect * e + by_risk * slope
    bent = twice * np.outer(e, e) + mixed * across + by_risk * curve
    return Risk(p1, first, bent), Risk(p2, slope, curve)


def _second(measure: str, effect: float, log_product: float) -> float:
    """The root in (0, 1) of the quadratic for the second risk, divided by 1 + product."""
    share = _expit(log_product).value  # of the product in 1 + product
    if measure == "RR":
        ratio = float(np.exp(effect))
        a, b, c = ratio * (1.0 - 2.0 * share), share * (1.0 + ratio), -share
    else:
        a, b, c = 1.0 - 2.0 * share, effect + 2.0 * share * (1.0 - effect), -share * (1.0 - effect)
    root = float(np.sqrt(max(b * b - 4.0 * a * c, 0.0)))
    return -2.0 * c / (b + root) if b > 0.0 else (root - b) / (2.0 * a) if a else 0.0
