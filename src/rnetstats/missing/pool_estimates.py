"""Pooling any numbers that come with their variances by Rubin's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, level
from rnetstats._core.result import Result
from rnetstats.errors import ConvergenceError, DataError, OptionError, closest
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.missing.joint_tests import d1, d2
from rnetstats.missing.rubin import pool_numbers
from rnetstats.regression.engine import wald_statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PooledEstimates", "pool_estimates"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PooledEstimates(Result):
    """Pooled numbers; see :func:`pool_estimates`.

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
        """
        choice("method", method, ("D1", "D2"))
        if self.covariances is None:
            raise OptionError("A joint test needs covariance matrices: give U of shape (m, k, k).")
        known = self.table["name"].tolist()
        chosen = known if names is None else [names] if isinstance(names, str) else list(names)
        for name in chosen:
            if name not in known:
                raise OptionError(f"There is no estimate {name!r}.{closest(str(name), known)}")
        part = [known.index(name) for name in chosen]
        if not part:
            raise OptionError("names is empty; name at least one estimate.")
        block = self.covariances[:, part][:, :, part]
        if method == "D1":
            test = d1(self.estimates[:, part], block, self.dfcom, small_sample=small_sample)
        else:
            pairs = zip(self.estimates, self.covariances, strict=True)
            test = d2(np.array([wald_statistic(q, u, part) for q, u in pairs]), len(part))
        row = {
            "names": ", ".join(chosen),
            "df": test.df1,
            "df2": test.df2,
            "statistic": test.statistic,
            "p_value": test.p_value,
            "riv": test.riv,
            "method": method,
        }
        return pd.DataFrame([row])


def pool_estimates(
    Q: Any,
    U: Any,
    dfcom: float = np.inf,
    *,
    names: Sequence[str] | None = None,
    conf_level: float = 0.95,
) -> PooledEstimates:
    """Pool m estimates, or vectors of k estimates, with their variances.

    Parameters
    ----------
    Q : array of shape (m,) or (m, k)
        An estimate from each imputation, on a scale on which it is nearly normal (the logit of a
        proportion, the logarithm of a ratio, log(-log S) of a survival probability).
    U : array of shape (m,), (m, k) or (m, k, k)
        Variances (squared standard errors), or covariance matrices.
    dfcom : float
        Degrees of freedom of the analysis if nothing were missing.
    names : sequence of k str, optional
    conf_level : float

    Returns
    -------
    PooledEstimates

    Raises
    ------
    DataError
        With a single estimate; if shapes differ, a variance is negative or missing.
    ConvergenceError
        If an estimate is infinite.
    OptionError
        If ``dfcom`` is not above 0, or there are not k names.

    References
    ----------
    Rubin DB (1987). Multiple Imputation for Nonresponse in Surveys. Wiley.
    Barnard J, Rubin DB (1999). Small-sample degrees of freedom with multiple imputation.
    Biometrika 86:948-955.
    """
    level(conf_level)
    complete = _positive(dfcom)
    estimates, variances, covariances = _checked(Q, U)
    m, k = estimates.shape
    shown = [str(j + 1) for j in range(k)] if names is None else [str(name) for name in names]
    if len(shown) != k or len(set(shown)) != k:
        raise OptionError(f"names must be {k} different names, one an estimate; not {names!r}.")
    pooled = pool_numbers(estimates, variances, complete)
    low, high = pooled.limits(conf_level)
    table = pd.DataFrame(
        {
            "name": shown,
            "estimate": pooled.estimate,
            "std_error": pooled.std_error,
            "conf_low": low,
            "conf_high": high,
            "statistic": pooled.statistic,
            "p_value": pooled.p_value,
            "df": pooled.df,
            "within": pooled.within,
            "between": pooled.between,
            "total": pooled.total,
            "riv": pooled.riv,
            "lambda": pooled.share,
            "fmi": pooled.fmi,
            "method": "Rubin's rules, Barnard-Rubin df",
        }
    )
    notes: tuple[str, ...] = ()
    if not (pooled.total > 0.0).all():
        notes = ("An estimate has no variance, within or between: it has no test.",)
    return PooledEstimates(
        table=table,
        estimates=estimates,
        covariances=covariances,
        dfcom=complete,
        notes=notes,
        options={"conf_level": conf_level, "dfcom": complete, "imputations": m},
    )


def _positive(dfcom: Any) -> float:
    try:
        value = float(dfcom)
    except (TypeError, ValueError):
        value = float("nan")
    if isinstance(dfcom, bool) or not value > 0.0:
        raise OptionError(f"dfcom must be a number above 0, or infinite, not {dfcom!r}.")
    return value


def _checked(Q: Any, U: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return estimates (m, k), variances (m, k) and covariances (m, k, k) if given."""
    try:
        estimates, given = np.array(Q, dtype=float), np.array(U, dtype=float)
    except (TypeError, ValueError):
        raise DataError("Q and U must be numbers, the same count in each imputation.") from None
    if estimates.ndim not in (1, 2) or estimates.size == 0:
        raise DataError(f"Q must have shape (m,) or (m, k), not {estimates.shape}.")
    if len(estimates) < 2:
        raise DataError(
            "There is one imputation: the variance between imputations needs at least two."
        )
    single = estimates.ndim == 1
    estimates = estimates.reshape(len(estimates), -1)
    m, k = estimates.shape
    covariances = None
    if given.shape == (m, k, k):
        covariances, given = given, np.diagonal(given, axis1=1, axis2=2)
    elif given.shape == (m,) and single:
        given = given[:, None]
        covariances = given[:, :, None]
    elif given.shape != (m, k):
        raise DataError(
            f"U has shape {given.shape}; with {m} imputations of {k} estimates it must be "
            f"({m}, {k}) or ({m}, {k}, {k})."
        )
    if not np.isfinite(estimates).all():
        raise ConvergenceError(
            f"An estimate is infinite or missing in {_imputations(~np.isfinite(estimates))}: "
            "Rubin's rules need finite ones."
        )
    usable = np.isfinite(given) & (given >= 0.0)
    if not usable.all():
        raise DataError(f"A variance is negative, infinite or missing in {_imputations(~usable)}.")
    return estimates, np.array(given), covariances


def _imputations(flagged: np.ndarray) -> str:
    """Name the first few imputations in which anything is flagged."""
    places = (np.flatnonzero(flagged.any(axis=1)) + 1).tolist()
    return "imputation " + ", ".join(map(str, places[:5])) + (", ..." if len(places) > 5 else "")
