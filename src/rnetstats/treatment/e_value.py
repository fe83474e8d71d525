"""E-values: how strong an unmeasured confounder must be to explain an association away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.options import real
from rnetstats._core.result import Result
from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.treatment.ratio_estimate import NAMES, RARE, RatioEstimate, is_rare, ratio_estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EValueResult", "e_value"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EValueResult(Result):
    """E-values of an estimate and of its limit nearer the null; see :func:`e_value`.

    Attributes
    ----------
    values : DataFrame
        ``quantity`` (``estimate``, ``conf_low``, ``conf_high``), ``value`` as given, ``risk_ratio``
        after the approximation and ``e_value``: missing for the limit further from the null, and
        for limits that were not given.
    label, measure : str
    rare : bool
        Whether the rare-outcome form was taken.
    true : float
        The value to which confounding would have to move the estimate, on the measure's scale.
    share : float
        Share with the outcome, missing if not told.
    """

    values: pd.DataFrame
    label: str
    measure: str
    rare: bool
    true: float
    share: float

    def _of(self, quantity: str, column: str = "e_value") -> float:
        return float(self.values.loc[self.values["quantity"] == quantity, column].iloc[0])

    @property
    def e_value(self) -> float:
        """The E-value of the estimate."""
        return self._of("estimate")

    @property
    def e_value_limit(self) -> float:
        """The E-value of the limit nearer the null; missing without limits."""
        limits = self.values["e_value"].to_numpy()[1:]
        known = limits[~pd.isna(limits)]
        return float(known[0]) if len(known) else math.nan

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number: estimate and limits with their E-values (a copy)."""
        return self.values.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: measure, form, both E-values."""
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "rare": self.rare,
                "outcome_share": self.share,
                "true": self.true,
                "estimate": self._of("estimate", "value"),
                "risk_ratio": self._of("estimate", "risk_ratio"),
                "e_value": self.e_value,
                "e_value_limit": self.e_value_limit,
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        names = {"estimate": "Estimate", "conf_low": "Lower limit", "conf_high": "Upper limit"}
        return pd.DataFrame(
            {
                self.label: [names[q] for q in self.values["quantity"]],
                NAMES[self.measure].capitalize(): [fmt_number(v) for v in self.values["value"]],
                "As a risk ratio": [fmt_number(v) for v in self.values["risk_ratio"]],
                "E-value": [fmt_number(v) for v in self.values["e_value"]],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the pairs of associations that would explain the estimate (and limit) away."""
        from rnetstats.plots.e_value import bounding_curves

        rows = self.values.dropna(subset=["e_value"])
        null = self._null
        factors = [max(v / null, null / v) for v in rows["risk_ratio"]]
        curves = pd.DataFrame(
            {
                "name": ["estimate" if q == "estimate" else "limit" for q in rows["quantity"]],
                "factor": factors,
                "e_value": rows["e_value"].to_numpy(),
            }
        )
        return bounding_curves(curves, label=self.label, ax=ax, synthetic=self.synthetic)

    @property
    def _null(self) -> float:
        return to_risk_ratio(self.true, self.measure, self.rare)


def to_risk_ratio(value: float, measure: str, rare: bool) -> float:
    """Approximate the risk ratio that an odds or hazard ratio stands for.

    A common outcome takes the square root of an odds ratio, and ``(1 - 0.5^sqrt(HR)) /
    (1 - 0.5^sqrt(1/HR))`` for a hazard ratio.
    """
    if measure == "rr" or rare or math.isnan(value):
        return value
    if measure == "or":
        return math.sqrt(value)
    if value in (0.0, math.inf):
        return value
    root = math.sqrt(value)
    return math.expm1(-math.log(2.0) * root) / math.expm1(-math.log(2.0) / root)


def threshold(ratio: float, true: float = 1.0) -> float:
    """Return the E-value of one risk ratio: ``r + sqrt(r (r - 1))`` of its distance from ``true``.

    Infinite for a ratio of 0 or infinity, missing for a missing one.
    """
    if math.isnan(ratio):
        return math.nan
    if ratio in (0.0, math.inf):
        return math.inf
    r = max(ratio / true, true / ratio)
    return r + math.sqrt(r * (r - 1.0))


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
        That share, in place of ``rare``. A fit knows its own.
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
        If the measure, the frequency of the outcome or the term is not told, or has no meaning.
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
