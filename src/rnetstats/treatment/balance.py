"""Balance of the covariates before and after weighting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.kernels.weighted_balance import arm_moments, standardised_difference
from rnetstats.treatment.covariate_columns import CovariateColumns, plain_term

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BalanceResult", "balance_frame"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BalanceResult(Result):
    """Balance of the covariates; see :meth:`.PropensityResult.balance`.

    Attributes
    ----------
    table : DataFrame
        ``variable, level, label, mean_treated_before, mean_control_before, smd_before,
        mean_treated, mean_control, smd_after, variance_ratio_before, variance_ratio_after,
        binary``; one row a number or level. Means of levels are shares.
    arms : tuple of str
        The control arm and the treated arm.
    """

    table: pd.DataFrame
    arms: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the balance of every covariate (a copy)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: covariates, and the largest differences before and after."""
        before, after = (self.table[f"smd_{when}"].abs() for when in ("before", "after"))
        return pd.DataFrame(
            [
                {
                    "n_columns": len(self.table),
                    "max_smd_before": float(before.max()),
                    "max_smd_after": float(after.max()),
                    "n_above_0_1_before": int((before > 0.1).sum()),
                    "n_above_0_1_after": int((after > 0.1).sum()),
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text; shares of levels in per cent."""
        rows = []
        for row in self.table.to_dict("records"):
            write = fmt_percent if row["binary"] else fmt_number
            ratio = row["variance_ratio_after"]
            rows.append(
                {
                    "Covariate": row["label"],
                    f"{self.arms[1]}, before": write(row["mean_treated_before"]),
                    f"{self.arms[0]}, before": write(row["mean_control_before"]),
                    "SMD before": fmt_number(row["smd_before"], 3),
                    f"{self.arms[1]}, weighted": write(row["mean_treated"]),
                    f"{self.arms[0]}, weighted": write(row["mean_control"]),
                    "SMD after": fmt_number(row["smd_after"], 3),
                    "Variance ratio": fmt_number(ratio),
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the love plot: standardised differences before and after weighting."""
        from rnetstats.plots.propensity import love_plot
        from rnetstats.plots.style import marked

        return marked(love_plot(self.table, ax=ax), self.synthetic)


def balance_frame(
    columns: CovariateColumns,
    treated: Flags,
    freq: Floats,
    weights: Floats,
    labels: dict[str, str],
    *,
    variances: str,
) -> pd.DataFrame:
    """Compare the arms in every column, unweighted and weighted.

    Parameters
    ----------
    columns : CovariateColumns
    treated, freq, weights : arrays of shape (n,)
    labels : dict
        Printed names of variables.
    variances : {"unweighted", "weighted"}
        Which standard deviations divide the differences after weighting.
    """
    ones = np.ones(freq.size)

    def moments(w: Floats) -> list[tuple[Floats, Floats]]:
        return [
            arm_moments(columns.values[arm], w[arm], freq[arm], columns.binary)
            for arm in (treated, ~treated)
        ]

    (m1, v1), (m0, v0) = before = moments(ones)
    (w1, u1), (w0, u0) = after = moments(weights)
    scale = before if variances == "unweighted" else after
    smd = standardised_difference((w1, w0), (scale[0][1], scale[1][1]))
    names = [
        plain_term(labels.get(name, name)) + (f": {level}" if level else "")
        for name, level in zip(columns.variable, columns.level, strict=True)
    ]
    numeric = ~columns.binary
    return pd.DataFrame(
        {
            "variable": columns.variable,
            "level": columns.level,
            "label": names,
            "mean_treated_before": m1,
            "mean_control_before": m0,
            "smd_before": standardised_difference((m1, m0), (v1, v0)),
            "mean_treated": w1,
            "mean_control": w0,
            "smd_after": smd,
            "variance_ratio_before": _ratio(v1, v0, numeric),
            "variance_ratio_after": _ratio(u1, u0, numeric),
            "binary": columns.binary,
        }
    )


def _ratio(first: Floats, second: Floats, numeric: Flags) -> Floats:
    """Ratios of variances of the numbers; a level's variance says nothing beside its share."""
    found = np.full(first.shape, np.nan)
    np.divide(first, second, out=found, where=numeric & (second > 0.0))
    return found
