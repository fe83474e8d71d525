"""The difference of restricted means as a function of the time up to which they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.distributions import normal_quantile, two_sided_p
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.kernels.same_times import as_observed
from rnetstats.survival.curve_tables import time_points
from rnetstats.survival.rmst_fit import (
    area_of,
    difference_error,
    read_tau,
    shared_by_clusters,
)
from rnetstats.survival.rows import SurvivalRows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RmstWindow", "difference_over_tau"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RmstWindow(Result):
    """Differences of restricted means over a grid of ``tau``.

    Attributes
    ----------
    differences : DataFrame
        ``group, reference, tau, estimate, std_error, conf_low, conf_high, p_value``.
    labels : dict
    """

    differences: pd.DataFrame
    labels: dict[str, str]

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each group but the first, and each tau."""
        return self.differences.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the grid, and the range of the estimates."""
        table = self.differences
        return pd.DataFrame(
            {
                "n_tau": [table["tau"].nunique()],
                "tau_low": table["tau"].min(),
                "tau_high": table["tau"].max(),
                "lowest": table["estimate"].min(),
                "highest": table["estimate"].max(),
                "conf_level": self.options["conf_level"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return about ten rows a group as text."""
        parts = []
        for _, part in self.differences.groupby("group", sort=False):
            parts.append(part.iloc[:: max(1, len(part) // 10)])
        shown = pd.concat(parts)
        return pd.DataFrame(
            {
                "Group": shown["group"].astype(str),
                "Against": shown["reference"].astype(str),
                "tau": [fmt_number(v) for v in shown["tau"]],
                "Difference": [fmt_number(v) for v in shown["estimate"]],
                f"{100 * self.options['conf_level']:g} % CI": [
                    fmt_interval(low, high)
                    for low, high in zip(shown["conf_low"], shown["conf_high"], strict=True)
                ],
                "P": [fmt_p(p) for p in shown["p_value"]],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the differences over tau with their pointwise band."""
        from rnetstats.plots.rmst import difference_curve
        from rnetstats.plots.style import marked

        axes = difference_curve(
            self.differences,
            labels=self.labels,
            conf_level=self.options["conf_level"],
            ax=ax,
        )
        return marked(axes, self.synthetic)


def difference_over_tau(
    rows: SurvivalRows,
    taus: Sequence[float],
    largest: float,
    conf_level: float,
    *,
    labels: dict[str, str],
    synthetic: bool,
) -> RmstWindow:
    """Compare each group with the first at each tau; see :meth:`RmstResult.window`."""
    try:
        points = time_points(taus)
    except OptionError as wrong:
        raise OptionError(str(wrong).replace("times", "taus", 1)) from None
    points = as_observed(points, rows.stop)
    points = np.unique([read_tau(float(point), largest, "taus") for point in points])
    found = [
        [area_of(part, float(tau)) for tau in points]
        for part in (rows.of_group(code) for code in range(len(rows.labels)))
    ]
    means = np.array([[area.mean for area in group] for group in found])
    errors = np.array([[area.std_error for area in group] for group in found])
    shared = np.array([shared_by_clusters(rows, float(tau)) for tau in points])
    z = normal_quantile(conf_level)
    parts = []
    for code in range(1, len(rows.labels)):
        gap, pairs = means[code] - means[0], zip(errors[code], errors[0], strict=True)
        error = np.array(
            [difference_error(p, c) for p, c in zip(pairs, shared[:, code], strict=True)]
        )
        parts.append(
            pd.DataFrame(
                {
                    "group": rows.labels[code],
                    "reference": rows.labels[0],
                    "tau": points,
                    "estimate": gap,
                    "std_error": error,
                    "conf_low": gap - z * error,
                    "conf_high": gap + z * error,
                    "p_value": two_sided_p(gap / error),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    notes = ["The limits are pointwise: each holds for one tau, not for the curve."]
    if table["std_error"].isna().any():
        notes.append(
            "Limits are missing where a group has no event, or no estimated variance, by tau."
        )
    return RmstWindow(
        differences=table,
        labels=labels,
        synthetic=synthetic,
        notes=tuple(notes),
        options={"conf_level": conf_level},
    )
