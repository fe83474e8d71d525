"""A trim-and-fill analysis, read and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TrimAndFillResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TrimAndFillResult(Result):
    """Trim-and-fill; see :func:`rnetstats.evidence.trim_and_fill.trim_and_fill`.

    Attributes
    ----------
    measure : str
    studies : DataFrame
        ``study, estimate, conf_low, conf_high, coef, std_error, filled``: the studies, then those
        filled in.
    pooled : DataFrame
        ``model, k, estimate, conf_low, conf_high, coef, std_error, p_value, tau2, q, i2`` as
        observed and with the filled studies.
    filled : int
        Studies filled in.
    filled_std_error : float
        Standard error of the number of missing studies before rounding.
    side : {"left", "right"}
        Where they are missing.
    rounds : int
        Rounds of trimming.
    """

    measure: str
    studies: pd.DataFrame
    pooled: pd.DataFrame
    filled: int
    filled_std_error: float
    side: str
    rounds: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row a study, those filled in last."""
        return self.studies.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: how many were filled in, and what was pooled with and without them."""
        observed, filled = self.pooled.iloc[0], self.pooled.iloc[1]
        numbers = ("estimate", "conf_low", "conf_high", "tau2")
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "k": [int(observed["k"])],
                "filled": [self.filled],
                "filled_std_error": [self.filled_std_error],
                "side": [self.side],
                "estimator": [self.options["estimator"]],
                **{f"{name}_observed": [float(observed[name])] for name in numbers},
                **{f"{name}_filled": [float(filled[name])] for name in numbers},
            }
        )

    def display(self) -> pd.DataFrame:
        """Return both pooled effects as text."""
        name = self.measure if self.measure != "generic" else "Estimate"
        percent = f"{100 * self.options['conf_level']:g} % CI"
        side = f", {self.filled} on the {self.side}" if self.filled else ", none"
        return pd.DataFrame(
            {
                "Studies": [
                    f"{row['model']}{side if position else ''}"
                    for position, row in enumerate(self.pooled.to_dict("records"))
                ],
                "k": [fmt_count(k) for k in self.pooled["k"]],
                f"{name} ({percent})": [
                    f"{fmt_number(row['estimate'])} "
                    f"({fmt_interval(row['conf_low'], row['conf_high'])})"
                    for row in self.pooled.to_dict("records")
                ],
                "P": [fmt_p(p) for p in self.pooled["p_value"]],
                "tau²": [fmt_number(t) for t in self.pooled["tau2"]],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the funnel, the filled studies as open circles."""
        from rnetstats.plots.funnel import funnel
        from rnetstats.plots.style import marked

        known = self.measure in MEASURES
        observed, filled = self.pooled["estimate"]
        axes = funnel(
            self.studies,
            estimate=float(observed),
            adjusted=float(filled) if self.filled else None,
            measure=self.measure if known else "effect on the scale of analysis",
            conf_level=self.options["conf_level"],
            null="auto" if known else None,
            ax=ax,
        )
        return marked(axes, self.synthetic)
