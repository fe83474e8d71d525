"""Tipping points: which unmeasured binary confounder would move an estimate or its limit to 1."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rnetstats._core.options import items_of, real
from rnetstats.errors import OptionError
from rnetstats.regression.model import RegressionResult
from rnetstats.treatment.ratio_estimate import NAMES, RARE, RatioEstimate, ratio_estimate
from rnetstats.treatment.tipping_benchmarks import measured_factors
from rnetstats.treatment.tipping_result import TippingPointResult

__all__ = ["TippingPointResult", "bias_factor", "effect_needed", "tipping_point"]

Floats = NDArray[np.float64]

PREVALENCES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
EFFECTS = (0.5, 1.5, 2.0, 3.0, 5.0, 10.0)


def bias_factor(exposed: ArrayLike, unexposed: ArrayLike, effect: ArrayLike) -> Floats:
    """Return by how much a binary confounder multiplies the ratio.

    Parameters
    ----------
    exposed, unexposed : array-like
        Its prevalence in both groups.
    effect : array-like
        Its risk ratio on the outcome, the same in both groups.

    Returns
    -------
    array
        ``(1 + p1 (effect - 1)) / (1 + p0 (effect - 1))``.
    """
    p1, p0, g = (np.asarray(a, dtype=float) for a in (exposed, unexposed, effect))
    return np.asarray((1.0 + p1 * (g - 1.0)) / (1.0 + p0 * (g - 1.0)))


def effect_needed(exposed: ArrayLike, unexposed: ArrayLike, factor: float) -> Floats:
    """Return the confounder's effect that gives this bias factor; missing where none does."""
    p1, p0 = np.broadcast_arrays(np.asarray(exposed, float), np.asarray(unexposed, float))
    if math.isnan(factor) or not 0.0 < factor < math.inf:
        return np.full(p1.shape, np.nan)
    if factor == 1.0:
        return np.ones(p1.shape)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        effect = 1.0 + (factor - 1.0) / (p1 - factor * p0)
    return np.where(np.isfinite(effect) & (effect > 0.0), effect, np.nan)


def tipping_point(
    estimate: Any,
    conf_low: float | None = None,
    conf_high: float | None = None,
    *,
    measure: str | None = None,
    term: str | None = None,
    level: str | None = None,
    prevalence_exposed: float | Sequence[float] = PREVALENCES,
    prevalence_unexposed: float | Sequence[float] = PREVALENCES,
    effect: float | Sequence[float] = EFFECTS,
) -> TippingPointResult:
    """Ask which unmeasured binary confounder would move an estimate, or its limit, to 1.

    Parameters
    ----------
    estimate : float, LogisticResult, CoxResult, or 2x2 counts
        A ratio; or a fit, whose ``term`` is taken and whose other covariates serve for comparison;
        or a table of counts (exposed first, the event first), for its risk ratio.
    conf_low, conf_high : float, optional
        Limits of the estimate.
    measure : {"rr", "or", "hr"}
        What the numbers are.
    term, level : str, optional
        Which coefficient of a fit; the exposure must have two groups.
    prevalence_exposed, prevalence_unexposed : float or sequence of float
        Shares of 1 with the confounder in both groups.
    effect : float or sequence of float
        The confounder's ratio on the outcome (the hazard ratio for a hazard ratio), above 0.

    Returns
    -------
    TippingPointResult

    Raises
    ------
    OptionError
        If a prevalence lies outside 0 to 1, an effect is not above 0, the measure is missing, or
        the term has more than two groups or an interaction.
    DataError
        If a number is no ratio, or the limits do not hold the estimate.

    Notes
    -----
    The ratio without the confounder is the estimate divided by ``(1 + p1 (g - 1)) / (1 + p0
    (g - 1))``: exact for risk ratios with the same effect g in both groups, an approximation for
    odds and hazard ratios of a rare outcome. Limits are moved by the same factor, the confounder
    being taken as known and independent of the measured covariates.

    References
    ----------
    Schlesselman JJ (1978). Assessing effects of confounding variables. Am J Epidemiol 108:3-8. Lin
    DY, Psaty BM, Kronmal RA (1998). Assessing the sensitivity of regression results to unmeasured
    confounders in observational studies. Biometrics 54:948-963.

    Examples
    --------
    A risk ratio of 2 is explained by a confounder of effect 5 that 60 % of the exposed have, and
    17.5 % of the unexposed:

    >>> import rnetstats as rn
    >>> found = rn.tipping_point(
    ...     2.0, 1.2, 3.3, measure="rr",
    ...     prevalence_exposed=0.6, prevalence_unexposed=0.175, effect=5,
    ... )
    >>> found.to_frame()[["bias_factor", "estimate", "conf_low", "moved"]].round(3)
       bias_factor  estimate  conf_low     moved
    0          2.0       1.0       0.6  estimate
    """
    p1 = _grid("prevalence_exposed", prevalence_exposed, 1.0)
    p0 = _grid("prevalence_unexposed", prevalence_unexposed, 1.0)
    g = _grid("effect", effect, math.inf)
    read = ratio_estimate(estimate, conf_low, conf_high, measure=measure, term=term, level=level)
    measured = pd.DataFrame(columns=["term", "bias_factor"])
    notes: tuple[str, ...] = ()
    if isinstance(estimate, RegressionResult):
        measured, notes = measured_factors(estimate, read.row)
    near = read.low if read.estimate >= 1.0 else read.high
    beyond = near <= 1.0 if read.estimate >= 1.0 else near >= 1.0
    factor_limit = 1.0 if beyond else near
    pairs = np.array(np.meshgrid(p1, p0, indexing="ij")).reshape(2, -1)
    return TippingPointResult(
        grid=_adjusted(read, p1, p0, g),
        tipping=pd.DataFrame(
            {
                "prevalence_exposed": pairs[0],
                "prevalence_unexposed": pairs[1],
                "effect_limit": effect_needed(pairs[0], pairs[1], factor_limit),
                "effect_estimate": effect_needed(pairs[0], pairs[1], read.estimate),
            }
        ),
        benchmarks=_benchmarks(read, measured),
        estimate=read.estimate,
        conf_low=read.low,
        conf_high=read.high,
        factor_estimate=read.estimate,
        factor_limit=factor_limit,
        label=read.label,
        measure=read.measure,
        synthetic=read.synthetic,
        notes=(*read.notes, *notes, *_notes(read, bool(beyond), len(measured))),
        options={
            "measure": read.measure,
            "term": term,
            "level": level,
            "prevalence_exposed": p1.tolist(),
            "prevalence_unexposed": p0.tolist(),
            "effect": g.tolist(),
        },
    )


def _grid(name: str, values: float | Sequence[float], high: float) -> Floats:
    """Return one or several checked numbers."""
    listed = items_of(values)
    if isinstance(values, (str, Mapping)) or not listed:
        raise OptionError(f"{name} must be a number or a sequence of numbers, not {values!r}.")
    if high == 1.0:
        return np.array([real(name, v, low=0.0, high=1.0) for v in listed])
    return np.array([real(name, v, low=0.0, closed=False) for v in listed])


def _adjusted(read: RatioEstimate, p1: Floats, p0: Floats, g: Floats) -> pd.DataFrame:
    """Take a confounder of each kind out of the estimate."""
    first, second, effect = (part.ravel() for part in np.meshgrid(p1, p0, g, indexing="ij"))
    factor = bias_factor(first, second, effect)
    with np.errstate(over="ignore"):  # a limit near the largest number becomes infinite
        point, low, high = (value / factor for value in (read.estimate, read.low, read.high))
    above = read.estimate >= 1.0
    near = low if above else high  # the other limit may be unknown

    def reached(value: Floats) -> NDArray[np.bool_]:
        # the effects of `tipping` give 1 up to rounding
        return np.asarray(value <= 1.0 + 1e-12 if above else value >= 1.0 - 1e-12)

    moved = np.where(reached(point), "estimate", np.where(reached(near), "limit", ""))
    return pd.DataFrame(
        {
            "prevalence_exposed": first,
            "prevalence_unexposed": second,
            "effect": effect,
            "bias_factor": factor,
            "estimate": point,
            "conf_low": low,
            "conf_high": high,
            "moved": moved.astype(object),
        }
    )


def _benchmarks(read: RatioEstimate, measured: pd.DataFrame) -> pd.DataFrame:
    factor = measured["bias_factor"].to_numpy(float)
    return measured.assign(
        estimate=read.estimate / factor, conf_low=read.low / factor, conf_high=read.high / factor
    )


def _notes(read: RatioEstimate, beyond: bool, measured: int) -> tuple[str, ...]:
    notes = []
    if beyond:
        notes.append("The interval holds 1 already: no confounding is needed for the limit.")
    if read.measure != "rr":
        common = read.share is not None and read.share >= RARE
        name = NAMES[read.measure]
        notes.append(
            "The formula is that of a risk ratio; this outcome is common, and it is only rough "
            f"for the {name}."
            if common
            else f"The formula is that of a risk ratio; it holds nearly for the {name} of a rare "
            "outcome."
        )
    bare = math.isnan(read.low if read.estimate >= 1.0 else read.high)
    if bare:
        notes.append(
            "The limit nearer 1 is not given: only the estimate is moved, and effect_limit is "
            "missing."
        )
    which = "effect_estimate" if bare else "effect"
    notes.append(
        f"A missing {which} means that none, however strong, would do at these prevalences."
    )
    if measured:
        notes.append(
            "Measured covariates are shown as an unmeasured one like them would act, beyond those "
            "adjusted for; 'like' means in strength, not in kind."
        )
    return tuple(notes)
