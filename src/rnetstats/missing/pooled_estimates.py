"""Pooled numbers of any kind: their table, figure and joint tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, items_of
from rnetstats._core.result import Result
from rnetstats.errors import OptionError, closest
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.missing.joint_tests import d1, d2
from rnetstats.regression.wald import wald_statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PooledEstimates"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PooledEstimates(Result):
    """Pooled numbers; see :func:`rnetstats.pool_estimates`.

    Attributes
    ----------
    table : DataFrame
        Columns ``name, estimate, std_error, conf_low, conf_high, statistic, p_value, df, within,
        between, total, riv, lambda, fmi, method``.
    estimates : array of shape (m, k)
    covariances : array of shape (m, k, k) or None
        None if only variances were given.
    dfcom : float
        Degrees of freedom of the complete data.
    """

    table: pd.DataFrame
    estimates: np.ndarray
    covariances: np.ndarray | None
    dfcom: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number (a copy); P is that of the number being zero."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: imputations, numbers, degrees of freedom, largest ``fmi``."""
        m, k = self.estimates.shape
        largest = float(self.table["fmi"].max())
        return pd.DataFrame(
            [{"imputations": m, "estimates": k, "df_complete": self.dfcom, "fmi_max": largest}]
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text; ``FMI`` is the fraction of missing information."""
        interval = f"{100 * self.options['conf_level']:g} % CI"
        return pd.DataFrame(
            [
                {
                    "name": str(row["name"]),
                    "estimate": fmt_number(row["estimate"], 3),
                    interval: fmt_interval(row["conf_low"], row["conf_high"], 3),
                    "P": fmt_p(row["p_value"]),
                    "FMI": fmt_percent(row["fmi"], 0),
                }
                for row in self.table.to_dict("records")
            ]
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each number of every imputation, and the pooled one with its limits."""
        from rnetstats.plots.imputed import pooled_points
        from rnetstats.plots.style import marked

        axes = pooled_points(
            self.table, self.estimates, conf_level=self.options["conf_level"], ax=ax
        )
        return marked(axes, self.synthetic)

    def joint_test(
        self, names: Sequence[str] | None = None, method: str = "D1", *, small_sample: bool = True
    ) -> pd.DataFrame:
        """Test that several of the numbers are zero; covariances are needed.

        Parameters
        ----------
        names : sequence of str, optional
            By default all.
        method : {"D1", "D2"}
        small_sample : bool
            Reiter's degrees of freedom in D1; else those for large samples.

        Returns
        -------
        DataFrame
            One row: ``names, df, df2, statistic, p_value, riv, method``.

        Raises
        ------
        OptionError
            If there are no covariances, or a name is none of the estimates.
        """
        choice("method", method, ("D1", "D2"))
        if self.covariances is None:
            raise OptionError("A joint test needs covariance matrices: give U of shape (m, k, k).")
        known = self.table["name"].tolist()
        chosen = known if names is None else list(items_of(names))
        for name in chosen:
            if name not in known:
                raise OptionError(f"There is no estimate {name!r}.{closest(name, known)}")
        part = list(dict.fromkeys(known.index(name) for name in chosen))
        if not part:
            raise OptionError("names is empty; name at least one estimate.")
        block = self.covariances[:, part][:, :, part]
        if method == "D1":
            test = d1(self.estimates[:, part], block, self.dfcom, small_sample=small_sample)
        else:
            pairs = zip(self.estimates, self.covariances, strict=True)
            test = d2(np.array([wald_statistic(q, u, part) for q, u in pairs]), len(part))
        row = {
            "names": ", ".join(known[j] for j in part),
            "df": test.df1,
            "df2": test.df2,
            "statistic": test.statistic,
            "p_value": test.p_value,
            "riv": test.riv,
            "method": method,
        }
        return pd.DataFrame([row])
