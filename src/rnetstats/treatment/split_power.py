"""Power, type S and type M errors of a test of a hazard ratio, at hypothesised ratios.

References
----------
Gelman A, Carlin J (2014). Beyond power calculations: assessing type S (sign) and type M
(magnitude) errors. Perspect Psychol Sci 9:641-651. Schoenfeld DA (1981). The asymptotic properties
of nonparametric tests for comparing survival distributions. Biometrika 68:316-319.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rnetstats.treatment.split_laws import (
    Arms,
    log_hazard_ratios,
    split_p_values,
    split_probabilities,
)

__all__ = ["Errors", "PowerOf", "detectable", "exact_power", "schoenfeld_power"]

Floats = NDArray[np.float64]

_FURTHEST = float(np.log(1e4))
_COARSE = 41
_ROUNDS, _POINTS = 9, 19


class Errors(NamedTuple):
    """Of h hazard ratios: each array has shape (h,)."""

    power: Floats
    type_s: Floats
    type_m: Floats
    estimate: Floats
    """The median estimated hazard ratio among significant results."""


PowerOf = Callable[[Floats], Floats]


def exact_power(arms: Arms, events: int, ratios: Floats, *, alpha: float, test: str) -> Errors:
    """Enumerate the splits of the events."""
    significant = split_p_values(arms, events, test) < alpha  # False where it cannot be
    law = split_probabilities(arms, events, ratios) * significant
    return errors_of(law, log_hazard_ratios(arms, events), ratios)


def errors_of(law: Floats, estimates: Floats, ratios: Floats) -> Errors:
    """Sum up significant results.

    Parameters
    ----------
    law : array of shape (h, k)
        Probabilities of k results, zero for those that are not significant.
    estimates : array of shape (k,) or (h, k)
        Log hazard ratios.
    ratios : array of shape (h,)
    """
    truth = np.log(ratios)[:, None]
    estimates = np.broadcast_to(estimates, law.shape)
    power = law.sum(axis=1)
    known = (power > 0.0) & (truth[:, 0] != 0.0)
    share = np.divide(law, power[:, None], out=np.zeros_like(law), where=power[:, None] > 0)
    wrong = (share * (estimates * truth < 0.0)).sum(axis=1)
    size = (share * np.abs(estimates)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        exaggeration = size / np.abs(truth[:, 0])
    return Errors(
        np.minimum(power, 1.0),
        np.where(known, wrong, np.nan),
        np.where(known, exaggeration, np.nan),
        np.where(power > 0.0, np.exp(_median(share, estimates)), np.nan),
    )


def _median(share: Floats, values: Floats) -> Floats:
    """Weighted median of each row."""
    order = np.argsort(values, axis=1)
    total = np.cumsum(np.take_along_axis(share, order, axis=1), axis=1)
    place = np.argmax(total >= 0.5 - 1e-12, axis=1)
    return np.take_along_axis(np.take_along_axis(values, order, axis=1), place[:, None], 1)[:, 0]


def schoenfeld_power(arms: Arms, events: int, ratios: Floats, *, alpha: float) -> Errors:
    """Power by the normal approximation: the log hazard ratio has variance 1 / (d s (1 - s)).

    Type S and M errors are those of a normal estimate, in closed form.
    """
    error = 1.0 / np.sqrt(events * arms.share * (1.0 - arms.share))
    z, shift = float(ndtri(1.0 - alpha / 2.0)), np.log(ratios) / error
    above, below = ndtr(shift - z), ndtr(-shift - z)  # significant and positive, and negative
    power = above + below
    density = (np.exp(-0.5 * (z - shift) ** 2), np.exp(-0.5 * (z + shift) ** 2))
    size = shift * (above - below) + (density[0] + density[1]) / np.sqrt(2.0 * np.pi)
    known = shift != 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = np.where(shift > 0.0, below, above) / power
        exaggeration = size / power / np.abs(shift)
    middle = _middle(shift, above, below)
    return Errors(
        power,
        np.where(known, wrong, np.nan),
        np.where(known, exaggeration, np.nan),
        np.exp(middle * error),
    )


def _middle(shift: Floats, above: Floats, below: Floats) -> Floats:
    """Median of a normal variable given that it is beyond z on either side."""
    half = 0.5 * (above + below)
    low = ndtri(np.minimum(half, below)) + shift
    high = shift - ndtri(np.minimum(half, above))
    return np.where(half <= below, low, high)


def detectable(
    power_of: PowerOf,
    power: float,
    *,
    coarse: int = _COARSE,
    rounds: int = _ROUNDS,
    points: int = _POINTS,
) -> tuple[float, float]:
    """Return the hazard ratios below and above 1 nearest to 1 that have a power.

    Parameters
    ----------
    power_of : callable
        Power at hazard ratios (h,).
    power : float
    coarse, rounds, points : int
        Points of the first grid; how often its interval is narrowed, by so many points inside it.

    Returns
    -------
    below, above : float
        Missing where no ratio within 1/10,000 and 10,000 has it.
    """
    found = []
    for side in (-1.0, 1.0):
        grid = side * np.linspace(0.0, _FURTHEST, coarse)
        enough = power_of(np.exp(grid)) >= power
        if not enough.any():
            found.append(np.nan)
            continue
        first = int(np.argmax(enough))
        near, far = (grid[first - 1] if first else 0.0), grid[first]
        for _ in range(rounds):
            inside = np.linspace(near, far, points + 2)
            enough = np.append(power_of(np.exp(inside[1:-1])) >= power, True)
            first = int(np.argmax(enough)) + 1
            near, far = inside[first - 1], inside[first]
        found.append(float(np.exp(far)))
    return found[0], found[1]
