"""Detectable hazard ratios: power and errors of sign and size, the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_number, fmt_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DetectableEffectResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DetectableEffectResult(Result):
    """Power and errors at hypothesised hazard ratios; see :func:`rnetstats.detectable_effect`.

    Attributes
    ----------
    table : DataFrame
        ``hazard_ratio, power, type_s, type_m, estimate_significant``.
    detectable_low, detectable_high : float
        The hazard ratios nearest to 1, below and above, that have the power asked for; missing
        where no ratio has.
    regions : DataFrame
        ``events_1, events_2, estimate, p_value, significant`` of every split; empty unless exact.
    events : int
    share : float
        Of the patients in arm 1.
    n_1, n_2 : float
        Missing if only the share is known.
    """

    table: pd.DataFrame
    detectable_low: float
    detectable_high: float
    regions: pd.DataFrame
    events: int
    share: float
    n_1: float
    n_2: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a hypothesised hazard ratio (arm 1 against arm 2)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: events, arms, the detectable hazard ratios."""
        return pd.DataFrame(
            {
                "events": [self.events],
                "n_1": [self.n_1],
                "n_2": [self.n_2],
                "share": [self.share],
                "alpha": [self.options["alpha"]],
                "power": [self.options["power"]],
                "detectable_low": [self.detectable_low],
                "detectable_high": [self.detectable_high],
                "method": [self.options["method"]],
                "test": [self.options["test"]],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        columns = self.table.to_dict("list")
        return pd.DataFrame(
            {
                "Hazard ratio": [f"{x:g}" for x in columns["hazard_ratio"]],
                "Power": [fmt_percent(x) for x in columns["power"]],
                "Wrong sign if significant (type S)": [fmt_percent(x) for x in columns["type_s"]],
                "Exaggeration if significant (type M)": [
                    fmt_number(x, 1) for x in columns["type_m"]
                ],
                "Median estimate if significant": [
                    fmt_number(x) for x in columns["estimate_significant"]
                ],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the power curve, the detectable ratios and the type M errors."""
        from rnetstats.plots.power import power_curve
        from rnetstats.plots.style import marked

        arms = f"{self.share:.0%} of the patients in arm 1"
        if not math.isnan(self.n_1):
            arms = f"{self.n_1:g} : {self.n_2:g} patients"
        axes = power_curve(
            self.table,
            wanted=self.options["power"],
            detectable=(self.detectable_low, self.detectable_high),
            title=f"{self.events} events, {arms}",
            ax=ax,
        )
        return marked(axes, self.synthetic)
