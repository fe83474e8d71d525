"""What shrinking a model gives: coefficients before and after, and how shaky the amount is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.kernels.percentiles import percentile_limits
from rnetstats.prediction.model import RiskModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ShrinkageResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ShrinkageResult(Result):
    """A shrunken model; see :func:`rnetstats.prediction.shrinkage.shrink`.

    Attributes
    ----------
    table : DataFrame
        Columns ``term, level, coef, shrunken, ratio``: the fit's coefficient, the shrunken one
        and their quotient.
    model : RiskModel
        Gives the shrunken risks.
    amount : float
        The factor (1 for no shrinkage) or the penalty (0 for none).
    df : float
        Effective degrees of freedom.
    tuning : DataFrame
        Columns ``resample, amount``: the same, chosen anew in each bootstrap resample.
    """

    table: pd.DataFrame
    model: RiskModel
    amount: float
    df: float
    tuning: pd.DataFrame

    @property
    def what(self) -> str:
        """Whether ``amount`` is a factor or a penalty."""
        return "penalty" if str(self.options["method"]).startswith("ridge") else "factor"

    def range(self) -> tuple[float, float]:
        """Return where the middle 95 % of the resamples' amounts lie."""
        found = self.tuning["amount"].dropna().to_numpy(dtype=float)
        low, high = percentile_limits(found, 0.95)
        return float(low), float(high)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient (a copy)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: method, factor or penalty with its spread over resamples, df."""
        low, high = self.range()
        row = {"method": self.options["method"], self.what: self.amount}
        row |= {f"{self.what}_low": low, f"{self.what}_high": high, "df": self.df}
        return pd.DataFrame([row])

    def display(self) -> pd.DataFrame:
        """Return the coefficients as text, the amount of shrinkage in the last row."""
        rows = [
            {
                "term": self.model.label(row["term"]),
                "level": str(row["level"]),
                "coefficient": fmt_number(row["coef"], 3),
                "shrunken": fmt_number(row["shrunken"], 3),
            }
            for row in self.table.to_dict("records")
        ]
        low, high = self.range()
        spread = fmt_interval(low, high)
        rows.append(
            {
                "term": f"Shrinkage {self.what}",
                "level": "",
                "coefficient": fmt_number(self.amount),
                "shrunken": f"{spread} over resamples",
            }
        )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each coefficient before and after."""
        from rnetstats.plots.shrinkage import before_and_after
        from rnetstats.plots.style import marked

        shown = self.table[self.table["term"] != "(Intercept)"]
        names = [
            self.model.label(row["term"]) + (f": {row['level']}" if row["level"] else "")
            for row in shown.to_dict("records")
        ]
        axes = before_and_after(shown, names=names, ax=ax)
        return marked(axes, self.synthetic)
