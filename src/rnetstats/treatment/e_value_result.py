"""The result of an E-value, and the approximations behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_number
from rnetstats.treatment.ratio_estimate import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EValueResult", "threshold", "to_risk_ratio"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EValueResult(Result):
    """E-values of an estimate and of its limit nearer the null; see :func:`rnetstats.e_value`.

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
        from rnetstats.plots.style import marked

        rows = self.values.dropna(subset=["e_value"])
        null = self._null
        factors = [  # a limit beyond the null needs no confounding, however far beyond it lies
            1.0 if e == 1.0 else max(v / null, null / v)
            for v, e in zip(rows["risk_ratio"], rows["e_value"], strict=True)
        ]
        curves = pd.DataFrame(
            {
                "name": ["estimate" if q == "estimate" else "limit" for q in rows["quantity"]],
                "factor": factors,
                "e_value": rows["e_value"].to_numpy(),
            }
        )
        return marked(bounding_curves(curves, label=self.label, ax=ax), self.synthetic)

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
