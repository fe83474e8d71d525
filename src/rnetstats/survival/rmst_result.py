"""Restricted mean survival times: contrasts, pseudo-values, windows, the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p
from rnetstats.kernels.rmst import restricted_mean_pseudo_values
from rnetstats.survival.rmst_adjusted import adjusted_contrasts
from rnetstats.survival.rmst_window import RmstWindow, difference_over_tau
from rnetstats.survival.rows import SurvivalRows, refuse_pseudo_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RmstResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RmstResult(Result):
    """Restricted mean survival times; see :func:`rnetstats.rmst`.

    Attributes
    ----------
    means : DataFrame
        ``group, n, n_events, n_risk, tau, rmst, std_error, conf_low, conf_high, rmtl,
        rmtl_std_error, rmtl_conf_low, rmtl_conf_high, method``; ``n_events`` counts the events by
        ``tau``, ``n_risk`` those still at risk just before it.
    contrast_table : DataFrame
        The unadjusted contrasts.
    coefficient_table : DataFrame or None
        The adjusted models.
    curves : DataFrame
        ``group, time, survival`` up to ``tau``, for the figure.
    tau, tau_max : float
        ``tau_max`` is the largest that the data allow.
    labels : dict
    n_missing : int
    rows : SurvivalRows or None
        Patient rows; never written.
    positions : array (n,) or None
        Their places in the data.
    """

    means: pd.DataFrame
    contrast_table: pd.DataFrame
    coefficient_table: pd.DataFrame | None = None
    curves: pd.DataFrame
    tau: float
    tau_max: float
    labels: dict[str, str]
    n_missing: int = 0
    rows: SurvivalRows | None = field(default=None, metadata={"rows": True})
    positions: np.ndarray | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group: restricted mean (RMST) and mean time lost (RMTL)."""
        return self.means.copy()

    def contrasts(self, *, adjusted: bool | None = None) -> pd.DataFrame:
        """Return each group against the first.

        Parameters
        ----------
        adjusted : bool, optional
            By default the adjusted contrasts where the call had ``adjust``.

        Returns
        -------
        DataFrame
            ``group, reference, measure, estimate, conf_low, conf_high, p_value, method``;
            ``measure`` is ``RMST difference``, ``RMST ratio`` or ``RMTL ratio``. Empty for one
            group.

        Raises
        ------
        OptionError
            If adjusted ones are asked for and the call had no ``adjust``.
        """
        if adjusted is None:
            adjusted = self.coefficient_table is not None
        if not adjusted:
            return self.contrast_table.copy()
        return adjusted_contrasts(self.coefficients(), self.means["group"].iloc[0])

    def coefficients(self) -> pd.DataFrame:
        """Return all coefficients of the three adjusted models.

        Returns
        -------
        DataFrame
            ``measure, term, level, estimate, conf_low, conf_high, coef, std_error, statistic,
            p_value``.

        Raises
        ------
        OptionError
            If the call had no ``adjust``.
        """
        if self.coefficient_table is None:
            raise OptionError("There is no adjusted analysis: call rmst(..., adjust='age + ...').")
        return self.coefficient_table.copy()

    def pseudo_values(self, *, within: bool = False) -> pd.DataFrame:
        """Return each patient's pseudo-value of the restricted mean, for a regression on it.

        Parameters
        ----------
        within : bool
            Leave each patient out of the own group's curve rather than the curve of all.

        Returns
        -------
        DataFrame
            ``row, group, pseudo_value``; ``row`` counts the rows of the data from 0.

        Raises
        ------
        DataNotKeptError
            After reading the result back from JSON.
        OptionError
            With late entry or weights of sampling, for which they are not defined.

        References
        ----------
        Andersen PK, Hansen MG, Klein JP. Lifetime Data Anal 2004;10:335-50.
        """
        rows = self._need("rows", "pseudo_values()")
        refuse_pseudo_values(rows)
        values = np.empty(len(rows.stop))
        parts = [rows.group == code for code in range(len(rows.labels))]
        for part in parts if within else [np.ones(len(values), dtype=bool)]:
            some = rows.take(part)
            values[part] = restricted_mean_pseudo_values(
                some.stop, some.event, self.tau, some.weights
            )
        return pd.DataFrame(
            {
                "row": self.positions,
                "group": np.asarray(rows.labels, dtype=object)[rows.group],
                "pseudo_value": values,
            }
        )

    def window(self, taus: Sequence[float] | None = None) -> RmstWindow:
        """Return the differences of restricted means over a grid of ``tau``, pointwise limits.

        Parameters
        ----------
        taus : sequence of float, optional
            By default 50 times up to ``tau_max``.

        Raises
        ------
        OptionError
            With a single group, or a time that is not above 0.
        DataError
            For a time past ``tau_max``.
        DataNotKeptError
            After reading the result back from JSON.
        """
        rows = self._need("rows", "window()")
        if len(rows.labels) < 2:
            raise OptionError("window() compares groups; the formula gives one.")
        if taus is None:
            taus = list(np.linspace(0.0, self.tau_max, 51)[1:])
        return difference_over_tau(
            rows,
            taus,
            self.tau_max,
            self.options["conf_level"],
            labels=self.labels,
            synthetic=self.synthetic,
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, tau and the largest tau that the data allow."""
        return pd.DataFrame(
            {
                "n": [self.means["n"].sum()],
                "n_missing": self.n_missing,
                "n_events": self.means["n_events"].sum(),
                "n_groups": len(self.means),
                "tau": self.tau,
                "tau_max": self.tau_max,
                "endpoint": self.labels["event"],
                "conf_level": self.options["conf_level"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return a row a group: counts, means with limits, and the difference from the first.

        Limits of the means are cut at 0 and tau; :meth:`to_frame` has them as computed.
        """
        percent = f"{100 * self.options['conf_level']:g} % CI"
        shown = pd.DataFrame(
            {
                self.labels["group"] or "Group": self.means["group"].astype(str),
                "N": [fmt_count(n) for n in self.means["n"]],
                f"Events by {self.tau:g}": [fmt_count(n) for n in self.means["n_events"]],
            }
        )
        for name, prefix in (("rmst", ""), ("rmtl", "rmtl_")):
            limits = [
                self.means[f"{prefix}conf_{side}"].clip(0.0, self.tau) for side in ("low", "high")
            ]
            shown[f"{name.upper()} ({percent})"] = [
                f"{fmt_number(value)} ({fmt_interval(low, high)})"
                for value, low, high in zip(self.means[name], *limits, strict=True)
            ]
        if len(self.means) > 1:
            table = self.contrasts()
            rows = table[table["measure"] == "RMST difference"].to_dict("records")
            word = "Adjusted difference" if self.coefficient_table is not None else "Difference"
            shown[f"{word} ({percent})"] = [
                "reference",
                *(
                    f"{fmt_number(row['estimate'])} "
                    f"({fmt_interval(row['conf_low'], row['conf_high'])})"
                    for row in rows
                ),
            ]
            shown["P"] = ["", *(fmt_p(row["p_value"]) for row in rows)]
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curves with the areas under them up to tau."""
        from rnetstats.plots.rmst import areas_under_curves
        from rnetstats.plots.style import marked

        axes = areas_under_curves(
            self.curves,
            self.means,
            tau=self.tau,
            labels=self.labels,
            ax=ax,
        )
        return marked(axes, self.synthetic)
