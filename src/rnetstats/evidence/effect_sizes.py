"""Effect sizes of two arms with their sampling variances, from counts, means and person-time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

__all__ = ["EffectSizes", "from_means", "from_rates", "from_tables", "hedges_factor"]

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

NO_EVENT = "no event in either arm"
NO_NON_EVENT = "events in all patients of both arms"


@dataclass(frozen=True, eq=False)
class EffectSizes:
    """One effect a study, on the scale of analysis.

    Attributes
    ----------
    coef, variance : (k,)
        Missing where a study tells nothing of the measure.
    corrected : (k,) of bool
        Whether a constant was added to its cells.
    left_out : tuple of str
        Why a study tells nothing, "" where it does.
    """

    coef: Floats
    variance: Floats
    corrected: Flags
    left_out: tuple[str, ...]


def from_tables(
    measure: str,
    events_1: Floats,
    n_1: Floats,
    events_2: Floats,
    n_2: Floats,
    *,
    correction: float,
) -> EffectSizes:
    """Log odds ratios, log risk ratios or risk differences of 2x2 tables.

    Parameters
    ----------
    measure : {"OR", "RR", "RD"}
    events_1, n_1, events_2, n_2 : (k,)
    correction : float
        Added to all four cells of the studies with a zero cell, and to no others.

    Notes
    -----
    A study without an event in either arm, or with nothing but events, tells nothing of a ratio
    and is left out; of the risk difference it does tell.
    """
    a, b, c, d = events_1, n_1 - events_1, events_2, n_2 - events_2
    no_event, no_other = (a == 0) & (c == 0), (b == 0) & (d == 0)
    silent = (no_event | no_other) & (measure != "RD")
    cells = np.stack([a, b, c, d])
    corrected = (cells == 0).any(axis=0) & ~silent & (correction > 0.0)
    a, b, c, d = cells + correction * corrected
    n1, n2 = a + b, c + d
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "OR":
            coef = np.log(a / b) - np.log(c / d)
            variance = 1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d
        elif measure == "RR":
            coef = np.log(a / n1) - np.log(c / n2)
            variance = b / (a * n1) + d / (c * n2)
        else:
            coef = a / n1 - c / n2
            variance = a * b / n1**3 + c * d / n2**3
    reasons = _reasons(silent, no_event, no_other)
    return _finish(coef, variance, corrected, reasons, "a zero cell, and no correction asked for")


def from_rates(
    measure: str,
    events_1: Floats,
    time_1: Floats,
    events_2: Floats,
    time_2: Floats,
    *,
    correction: float,
) -> EffectSizes:
    """Log rate ratios (``IRR``) or rate differences (``IRD``) of events in person-time.

    Parameters
    ----------
    measure : {"IRR", "IRD"}
    events_1, time_1, events_2, time_2 : (k,)
    correction : float
        Added to both counts of the studies where one is zero.
    """
    no_event = (events_1 == 0) & (events_2 == 0)
    silent = no_event & (measure == "IRR")
    corrected = ((events_1 == 0) | (events_2 == 0)) & ~silent & (correction > 0.0)
    a, c = events_1 + correction * corrected, events_2 + correction * corrected
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "IRR":
            coef = np.log(a / time_1) - np.log(c / time_2)
            variance = 1.0 / a + 1.0 / c
        else:
            coef = a / time_1 - c / time_2
            variance = a / time_1**2 + c / time_2**2
    reasons = _reasons(silent, no_event, no_event)
    return _finish(coef, variance, corrected, reasons, "a count of zero, and no correction")


def from_means(
    measure: str,
    mean_1: Floats,
    sd_1: Floats,
    n_1: Floats,
    mean_2: Floats,
    sd_2: Floats,
    n_2: Floats,
) -> EffectSizes:
    """Mean differences (``MD``, unequal variances) or Hedges' g (``SMD``).

    Parameters
    ----------
    measure : {"MD", "SMD"}
    mean_1, sd_1, n_1, mean_2, sd_2, n_2 : (k,)

    References
    ----------
    Hedges LV (1981) Distribution theory for Glass's estimator of effect size and related
    estimators. J Educ Stat 6:107-128.
    """
    difference = mean_1 - mean_2
    if measure == "MD":
        coef, variance = difference, sd_1**2 / n_1 + sd_2**2 / n_2
        reason = "both standard deviations are 0"
    else:
        df = n_1 + n_2 - 2.0
        pooled = np.sqrt(((n_1 - 1.0) * sd_1**2 + (n_2 - 1.0) * sd_2**2) / df)
        with np.errstate(divide="ignore", invalid="ignore"):
            coef = hedges_factor(df) * difference / pooled
        variance = 1.0 / n_1 + 1.0 / n_2 + coef**2 / (2.0 * (n_1 + n_2))
        reason = "both standard deviations are 0"
    none = np.zeros(len(coef), dtype=bool)
    return _finish(coef, variance, none, [""] * len(coef), reason)


def hedges_factor(df: Floats) -> Floats:
    """Return the exact factor that takes the bias of a standardised difference away."""
    return np.asarray(np.exp(gammaln(df / 2.0) - gammaln((df - 1.0) / 2.0)) / np.sqrt(df / 2.0))


def _reasons(silent: Flags, no_event: Flags, no_other: Flags) -> list[str]:
    words = np.where(no_event, NO_EVENT, np.where(no_other, NO_NON_EVENT, ""))
    return [str(word) for word in np.where(silent, words, "")]


def _finish(
    coef: Floats, variance: Floats, corrected: Flags, reasons: list[str], otherwise: str
) -> EffectSizes:
    """Make missing what cannot be estimated, and say why."""
    known = np.isfinite(coef) & np.isfinite(variance) & (variance > 0.0)
    known &= np.array([not reason for reason in reasons], dtype=bool)
    left_out = tuple(
        "" if fine else reason or otherwise for fine, reason in zip(known, reasons, strict=True)
    )
    return EffectSizes(
        np.where(known, coef, np.nan), np.where(known, variance, np.nan), corrected, left_out
    )
