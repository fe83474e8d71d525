"""How many patients, and events, the external validation of a prediction model needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from rnetstats._core.options import choice, real
from rnetstats.errors import OptionError
from rnetstats.prediction.sample_size import SampleSizeResult
from rnetstats.prediction.sample_size_formulas import (
    Z,
    ceiling,
    cox_slope_information,
    incidence,
    normal_mixture,
    reckonable,
)
from rnetstats.prediction.sample_size_inputs import refuse_all_gone

__all__ = ["sample_size_validation"]

_LARGEST_SD = 10.0  # of a linear predictor; log hazard ratios among patients differ by less


def sample_size_validation(
    *,
    outcome: str,
    prevalence: float | None = None,
    c_statistic: float | None = None,
    lp_sd: float | None = None,
    rate: float | None = None,
    timepoint: float | None = None,
    censoring_rate: float | None = None,
    oe_width: float = 0.2,
    slope_width: float = 0.4,
    c_width: float = 0.1,
    threshold: float | None = None,
    sensitivity: float | None = None,
    specificity: float | None = None,
    net_benefit_width: float = 0.2,
) -> SampleSizeResult:
    """Return the size that estimates a model's performance in new patients to a given width.

    Parameters
    ----------
    outcome : {"binary", "survival"}
    prevalence, c_statistic : float
        Of a binary outcome: expected in the validation. The model's linear predictor is taken to
        be normal in either outcome, which the two determine.
    lp_sd : float
        For a time: standard deviation of the model's linear predictor.
    rate, timepoint, censoring_rate : float
        For a time: events and censorings (default 0) per unit of person-time, and the time of
        the prediction, all in one unit.
    oe_width, slope_width, c_width : float
        Full widths of the 95 % intervals of observed/expected (at 1), the calibration slope (at
        1) and the C statistic.
    threshold, sensitivity, specificity : float, optional
        All three add the standardised net benefit of a binary outcome at this threshold.
    net_benefit_width : float
        Full width of its 95 % interval.

    Returns
    -------
    SampleSizeResult
        For a time the C statistic has no closed formula and is left to simulation.

    Raises
    ------
    OptionError
        For options that are absent, out of range or do not go together.

    References
    ----------
    Riley RD, Debray TPA, Collins GS, Archer L, Ensor J, van Smeden M, Snell KIE (2021). Minimum
    sample size for external validation of a clinical prediction model with a binary outcome.
    Statistics in Medicine 40, 4230-4251.
    Riley RD, Collins GS, Ensor J, Archer L, et al. (2022). Minimum sample size calculations for
    external validation of a clinical prediction model with a time-to-event outcome. Statistics in
    Medicine 41, 1280-1295.
    Newcombe RG (2006). Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic. Part 2. Statistics in Medicine 25, 559-573.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = rn.sample_size_validation(outcome="binary", prevalence=0.34, c_statistic=0.7)
    >>> found.to_frame().round(1)
                          criterion    n  events  binding
    0  observed/expected, width 0.2  749   254.7    False
    1  calibration slope, width 0.4  979   332.9     True
    2        C statistic, width 0.1  464   157.8    False
    """
    choice("outcome", outcome, ("binary", "survival"))
    binary = {"prevalence": prevalence, "c_statistic": c_statistic}
    timed = {"rate": rate, "timepoint": timepoint, "lp_sd": lp_sd}
    benefit = {"threshold": threshold, "sensitivity": sensitivity, "specificity": specificity}
    widths = {
        "oe_width": real("oe_width", oe_width, low=0.0, closed=False),
        "slope_width": real("slope_width", slope_width, low=0.0, closed=False),
        "c_width": real("c_width", c_width, low=0.0, high=1.0, closed=False),
        "net_benefit_width": real("net_benefit_width", net_benefit_width, low=0.0, closed=False),
    }
    for name, value in widths.items():
        reckonable(name, value)
    notes = ["Each size gives a 95 % interval of the stated width if the model is well calibrated."]
    if outcome == "binary":
        _refuse({**timed, "censoring_rate": censoring_rate}, "survival")
        known = _need(binary, "binary", upper=1.0)
        if known["c_statistic"] <= 0.5:
            raise OptionError(f"c_statistic must lie above 0.5, not {c_statistic!r}.")
        reckonable("prevalence", known["prevalence"])
        reckonable("1 - prevalence", 1.0 - known["prevalence"])
        reckonable("c_statistic - 0.5", known["c_statistic"] - 0.5)
        reckonable("1 - c_statistic", 1.0 - known["c_statistic"])
        sizes = _binary_sizes(known["prevalence"], known["c_statistic"], widths)
        if any(value is not None for value in benefit.values()):
            shares = _need(benefit, "binary", upper=1.0)
            sizes.append(_benefit_size(known["prevalence"], shares, widths["net_benefit_width"]))
        per_person = known["prevalence"]
    else:
        _refuse({**binary, **benefit}, "binary")
        known = _need(timed, "survival", upper=math.inf)
        reckonable("lp_sd", real("lp_sd", known["lp_sd"], high=_LARGEST_SD))
        lost = 0.0 if censoring_rate is None else real("censoring_rate", censoring_rate, low=0.0)
        sizes, per_person = _timed_sizes(known, lost, widths)
        notes.append(
            "The slope's size is that of a Cox model with the linear predictor alone, normal, "
            "followed to the time of the prediction; the C statistic of a time has no closed "
            "formula: simulate it. Events are those by the time of the prediction."
        )
    table = _table(sizes, per_person)
    return SampleSizeResult(
        table=table,
        summary={
            "n": int(table["n"].max()),
            "events": float(table["events"].max()),
            "outcome": outcome,
            **known,
        },
        notes=tuple(notes),
        options={"outcome": outcome, **widths},
    )


def _refuse(given: dict[str, float | None], other: str) -> None:
    for name, value in given.items():
        if value is not None:
            raise OptionError(f"{name}= goes with outcome={other!r}.")


def _need(given: dict[str, float | None], kind: str, *, upper: float) -> dict[str, float]:
    found = {}
    for name, value in given.items():
        if value is None:
            raise OptionError(f"outcome={kind!r} needs {', '.join(given)}; {name}= is absent.")
        found[name] = real(name, value, low=0.0, high=upper, closed=False)
    return found


def _oe_error(width: float) -> float:
    """Standard error of ln(O/E) whose interval about O/E = 1 has this width."""
    return math.asinh(width / 2.0) / Z


def _binary_sizes(prevalence: float, c: float, widths: dict[str, float]) -> list[tuple[str, float]]:
    observed = (1.0 - prevalence) / (prevalence * _oe_error(widths["oe_width"]) ** 2)
    linear, weight = normal_mixture(c, prevalence)
    risk = expit(linear)
    spread = weight * risk * (1.0 - risk)
    mean = float(spread @ linear) / float(spread.sum())
    information = float(spread @ (linear - mean) ** 2)  # on the slope, the intercept beside it
    slope = (2.0 * Z / widths["slope_width"]) ** 2 / information
    return [
        (f"observed/expected, width {widths['oe_width']:g}", observed),
        (f"calibration slope, width {widths['slope_width']:g}", slope),
        (
            f"C statistic, width {widths['c_width']:g}",
            _size_for_c(prevalence, c, widths["c_width"] / (2.0 * Z)),
        ),
    ]


def _size_for_c(prevalence: float, c: float, error: float) -> float:
    """Size at which Newcombe's standard error of C is ``error``: a quadratic in n."""
    k = (1.0 - c) / (2.0 - c) + c / (1.0 + c)
    square = error**2 * prevalence * (1.0 - prevalence) / (c * (1.0 - c))
    # square n^2 = 1 + (n / 2 - 1) k
    return (0.5 * k + math.sqrt(0.25 * k * k + 4.0 * square * (1.0 - k))) / (2.0 * square)


def _benefit_size(prevalence: float, shares: dict[str, float], width: float) -> tuple[str, float]:
    """Size for the standardised net benefit at a threshold (Riley et al. 2021)."""
    t, sens, spec = (shares[name] for name in ("threshold", "sensitivity", "specificity"))
    w = (1.0 - prevalence) / prevalence * t / (1.0 - t)
    variance = (
        sens * (1.0 - sens) / prevalence
        + w**2 * spec * (1.0 - spec) / (1.0 - prevalence)
        + w**2 * (1.0 - spec) ** 2 / (prevalence * (1.0 - prevalence))
    )
    name = f"standardised net benefit at {t:g}, width {width:g}"
    return name, variance / (width / (2.0 * Z)) ** 2


def _timed_sizes(
    known: dict[str, float], lost: float, widths: dict[str, float]
) -> tuple[list[tuple[str, float]], float]:
    """Sizes for a time with constant rates of events and censoring, and events a person."""
    rate, t = known["rate"], known["timepoint"]
    total = rate + lost
    risk = incidence(rate, t)
    refuse_all_gone(t, rate, lost)
    reckonable("rate x timepoint", rate * t)
    # Greenwood's variance of S(t) for one person: S^2 times the integral of dH / (S G).
    greenwood = math.exp(-2.0 * rate * t) * rate / total * math.expm1(total * t)
    observed = greenwood / (risk * _oe_error(widths["oe_width"])) ** 2
    per_person = rate / total * -math.expm1(-total * t)
    information = cox_slope_information(known["lp_sd"], risk, t, lost)
    slope = (2.0 * Z / widths["slope_width"]) ** 2 / information
    sizes = [
        (f"observed/expected by {t:g}, width {widths['oe_width']:g}", observed),
        (f"calibration slope, width {widths['slope_width']:g}", slope),
    ]
    return sizes, per_person


def _table(sizes: list[tuple[str, Any]], per_person: float) -> pd.DataFrame:
    n = np.array([max(ceiling(size), 2) for _, size in sizes])
    return pd.DataFrame(
        {
            "criterion": [name for name, _ in sizes],
            "n": n,
            "events": n * per_person,
            "binding": n == n.max(),
        }
    )
