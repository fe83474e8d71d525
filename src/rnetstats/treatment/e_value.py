"""E-values: how strong an unmeasured confounder must be to explain an association away."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rnetstats._core.options import real
from rnetstats.formatting import fmt_percent
from rnetstats.treatment.e_value_result import EValueResult, threshold, to_risk_ratio
from rnetstats.treatment.ratio_estimate import NAMES, RARE, RatioEstimate, is_rare, ratio_estimate

__all__ = ["EValueResult", "e_value"]


def e_value(
    estimate: Any,
    conf_low: float | None = None,
    conf_high: float | None = None,
    *,
    measure: str | None = None,
    rare: bool | None = None,
    outcome_share: float | None = None,
    true: float = 1.0,
    term: str | None = None,
    level: str | None = None,
) -> EValueResult:
    """Return how strong unmeasured confounding must be to explain an association away.

    The E-value is the least risk ratio that an unmeasured confounder must have both with the
    exposure and with the outcome, beyond the covariates adjusted for, to move the estimate (or the
    limit nearer the null) to ``true``.

    Parameters
    ----------
    estimate : float, LogisticResult, CoxResult, or 2x2 counts
        A ratio; or a fit, whose ``term`` is taken; or a table of counts (exposed first, the event
        first), for its risk ratio with score limits.
    conf_low, conf_high : float, optional
        Limits of the estimate.
    measure : {"rr", "or", "hr"}
        What the numbers are.
    rare : bool, optional
        Whether fewer than 15 % have the outcome by the end of follow-up.
    outcome_share : float, optional
        That share, in place of ``rare``. A fit knows its own (with sampling weights that of the
        patients for whom they stand), unless its rows are start-stop intervals, of which a patient
        may have several, or it was read back from JSON and has a sandwich variance.
    true : float
        The value to be reached, on the scale of ``measure``; 1 is no effect.
    term, level : str, optional
        Which coefficient of a fit.

    Returns
    -------
    EValueResult

    Raises
    ------
    OptionError
        If the measure, the frequency of the outcome or the term is not told, or has no meaning, or
        the term is a spline or has an interaction.
    DataError
        If a number is no ratio, or the limits do not hold the estimate.

    Notes
    -----
    The E-value of a limit is 1 where the interval holds ``true``. An E-value is large or small
    only beside the measured confounders: see :func:`rnetstats.tipping_point`. It says nothing of
    misclassification or selection.

    References
    ----------
    VanderWeele TJ, Ding P (2017). Sensitivity analysis in observational research: introducing the
    E-value. Ann Intern Med 167:268-274. VanderWeele TJ (2020). Optimal approximate conversions of
    odds ratios and hazard ratios to risk ratios. Biometrics 76:746-752.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = rn.e_value(3.9, 1.8, 8.7, measure="rr")
    >>> round(found.e_value, 2), round(found.e_value_limit, 2)
    (7.26, 3.0)
    """
    target = real("true", true, low=0.0, high=math.inf, closed=False)
    read = ratio_estimate(estimate, conf_low, conf_high, measure=measure, term=term, level=level)
    as_rare = is_rare(read, rare, outcome_share)
    null = to_risk_ratio(target, read.measure, as_rare)
    given = (read.estimate, read.low, read.high)
    ratios = [to_risk_ratio(value, read.measure, as_rare) for value in given]
    share = read.share if outcome_share is None else outcome_share
    return EValueResult(
        values=pd.DataFrame(
            {
                "quantity": ["estimate", "conf_low", "conf_high"],
                "value": given,
                "risk_ratio": ratios,
                "e_value": _e_values(ratios, null),
            }
        ),
        label=read.label,
        measure=read.measure,
        rare=as_rare,
        true=target,
        share=math.nan if share is None else float(share),
        synthetic=read.synthetic,
        notes=_notes(read, as_rare, share, ratios, null),
        options={
            "measure": read.measure,
            "rare": as_rare,
            "true": target,
            "term": term,
            "level": level,
        },
    )


def _e_values(ratios: list[float], null: float) -> list[float]:
    """E-values of estimate and limits; that of the limit further from the null is missing."""
    point, low, high = ratios
    if point == null:
        return [1.0, math.nan if math.isnan(low) else 1.0, math.nan]
    if point > null:
        return [threshold(point, null), 1.0 if low <= null else threshold(low, null), math.nan]
    return [threshold(point, null), math.nan, 1.0 if high >= null else threshold(high, null)]


def _notes(
    read: RatioEstimate, rare: bool, share: float | None, ratios: list[float], null: float
) -> tuple[str, ...]:
    notes = list(read.notes)
    if read.measure != "rr":
        told = "" if share is None else f" ({fmt_percent(share)} have the outcome)"
        form = (
            f"taken for a risk ratio, the outcome being rare{told}"
            if rare
            else f"turned into an approximate risk ratio, the outcome being common{told}"
        )
        notes.append(f"The {NAMES[read.measure]} is {form}; the bound is {100 * RARE:g} %.")
    if read.n_events < 20:
        notes.append("So few events give an uncertain estimate: go by the limit's E-value.")
    if ratios[1] <= null <= ratios[2]:
        notes.append(
            "The interval holds the null: its E-value is 1, no confounding at all is needed."
        )
    return (
        *notes,
        "An E-value bounds confounding alone, by one confounder or several taken together. "
        "Whether it is large is judged beside the measured confounders (tipping_point(fit, term)).",
    )
