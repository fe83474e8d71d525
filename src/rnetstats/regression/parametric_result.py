"""A parametric survival model: time and hazard ratios, survival, other laws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.distributions import normal_quantile, two_sided_p
from rnetstats._core.frame import Data, as_frame
from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats._core.schema import coefficient_frame
from rnetstats.errors import OptionError
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.spec import INTERCEPT, Spec
from rnetstats.kernels.same_times import as_observed
from rnetstats.regression.display import model_table
from rnetstats.regression.parametric_fit import comparison
from rnetstats.regression.parametric_laws import DISTRIBUTIONS, FittedLaw, log_cumulative_hazard
from rnetstats.survival.curve_tables import time_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ParametricResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ParametricResult(Result):
    """A parametric survival model; see :func:`rnetstats.parametric`.

    Attributes
    ----------
    table, reference_table, joint_table : dict
        Columns of the coefficients, reference levels and joint tests of terms.
    law : dict
        The fit: ``coef, covariance, extra, natural, natural_covariance, log_likelihood, status``.
    summary : dict
        The fields of :meth:`glance`.
    spec : dict
        The design.
    curves : DataFrame
        ``group, time, kind, survival``: Kaplan-Meier's and the fitted curves, for the figure.
    last_time : float
        Of the data; later survival is extrapolated.
    labels : dict
    frame : ModelFrame or None
        Patient rows; never written.
    """

    table: dict[str, Any]
    reference_table: dict[str, Any]
    joint_table: dict[str, Any]
    law: dict[str, Any]
    summary: dict[str, Any]
    spec: dict[str, Any]
    curves: pd.DataFrame
    last_time: float
    labels: dict[str, str]
    frame: ModelFrame | None = field(default=None, metadata={"rows": True})

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """Intercept and terms in the shared schema, without scale and shape."""
        whole = coefficient_frame(self.table)
        return whole[~whole["term"].isin(self.law["extra"])].reset_index(drop=True)

    @property
    def references(self) -> pd.DataFrame:
        """The reference level of each factor: ``term, level, n, n_events``."""
        return pd.DataFrame(self.reference_table)

    @property
    def joint(self) -> pd.DataFrame:
        """The joint Wald test of each term: ``term, kind, df, statistic, p_value``."""
        return pd.DataFrame(self.joint_table)

    def label(self, term: str) -> str:
        """Return the printed name of a term."""
        return self.labels.get(term, term)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient in the shared schema; scale and shape stand last.

        ``measure`` is TR (time ratio: above 1 is a longer life) or, for Gompertz, HR. The P of
        ``log(scale)`` is that of scale 1 (the exponential law within the Weibull), that of
        ``shape`` of shape 0 (the log-normal within the generalised gamma).
        """
        return coefficient_frame(self.table)

    def hazard_ratios(self) -> pd.DataFrame:
        """Return hazard ratios of a law with proportional hazards, in the shared schema.

        For the Weibull law the coefficient is ``-b / scale``, with delta method limits.

        Raises
        ------
        OptionError
            For a law whose hazards are not proportional.
        """
        name = self.options["distribution"]
        if name not in ("weibull", "exponential", "gompertz"):
            raise OptionError(
                f"The hazards of the {name} model are not proportional: it has time ratios, and no "
                "one hazard ratio."
            )
        rows = self.coefficients
        rows = rows[rows["term"] != INTERCEPT].reset_index(drop=True)
        if name == "gompertz":
            return rows
        law = self._law()
        places = 1 + np.arange(len(rows))
        coef = -law.natural[places]
        error = np.sqrt(np.diag(law.natural_covariance)[places])
        reach = normal_quantile(self.options["conf_level"]) * error
        return rows.assign(
            measure="HR",
            estimate=np.exp(coef),
            conf_low=np.exp(coef - reach),
            conf_high=np.exp(coef + reach),
            coef=coef,
            std_error=error,
            statistic=coef / error,
            p_value=two_sided_p(coef / error),
            method="ML, Wald (delta)",
        )

    def survival(self, data: Data, times: float | Sequence[float]) -> pd.DataFrame:
        """Return the survival probability (and risk) of new patients at given times.

        Parameters
        ----------
        data : DataFrame or mapping of columns
            The model's variables, one row a patient.
        times : float or sequence of float
            In the unit of the fit.

        Returns
        -------
        DataFrame
            ``row, time, survival, risk, std_error, conf_low, conf_high, beyond``; limits on the
            complementary log-log scale; ``beyond`` marks times after the last of the data, where
            the law alone speaks.

        Raises
        ------
        ColumnError, DataError
            If a variable or a value is missing, or a level was not in the data of the fit.
        OptionError
            If a time is no number, or below 0.
        """
        moments = time_points(times)
        beyond = as_observed(moments, self.last_time) > self.last_time
        table = as_frame(data)
        X = Spec.from_dict(self.spec).matrix(table)
        law = self._law()
        inside = np.where(moments > 0.0, moments, 1.0)
        value, error = log_cumulative_hazard(law, X, inside)
        value = np.where(moments > 0.0, value, -np.inf)
        error = np.where(moments > 0.0, error, 0.0)
        reach = normal_quantile(self.options["conf_level"]) * error
        hazard = np.exp(value)
        return pd.DataFrame(
            {
                "row": np.repeat(table.index.to_numpy(), len(moments)),
                "time": np.tile(moments, len(table)),
                "survival": np.exp(-hazard).ravel(),
                "risk": -np.expm1(-hazard).ravel(),
                "std_error": (np.exp(-hazard) * hazard * error).ravel(),
                "conf_low": np.exp(-np.exp(value + reach)).ravel(),
                "conf_high": np.exp(-np.exp(value - reach)).ravel(),
                "beyond": np.tile(beyond, len(table)),
            }
        )

    def compare(self, distributions: Sequence[str] = DISTRIBUTIONS) -> pd.DataFrame:
        """Fit other laws to the same rows and terms and compare them by Akaike's criterion.

        Parameters
        ----------
        distributions : sequence of str
            As for :func:`rnetstats.parametric`; by default all six.

        Returns
        -------
        DataFrame
            ``distribution, df, log_likelihood, aic, difference, note``, the best first;
            ``difference`` is that of the AIC from the best. A law that cannot be fitted stands
            last with the reason as its note.

        Raises
        ------
        OptionError
            If a law is unknown, or none is named.
        DataNotKeptError
            After reading the result back from JSON.
        """
        frame: ModelFrame = self._need("frame", "A comparison of laws")
        names = [distributions] if isinstance(distributions, str) else distributions
        if not isinstance(names, Iterable) or not (laws := list(names)):
            raise OptionError(f"distributions must be names of laws, not {distributions!r}.")
        for name in laws:
            choice("distributions", name, DISTRIBUTIONS)
        return comparison(frame, laws)

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, likelihood, information criteria (scale, shape: the table)."""
        return pd.DataFrame([self.summary])

    def display(self) -> pd.DataFrame:
        """Return the table of terms as text."""
        return model_table(self)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the fitted curves over Kaplan and Meier's.

        Groups are those of the first term where it has at most six values; each fitted curve is the
        mean of its patients' own.
        """
        from rnetstats.plots.parametric import fitted_over_observed
        from rnetstats.plots.style import marked

        axes = fitted_over_observed(
            self.curves,
            distribution=self.options["distribution"],
            time_label=self.summary["time"],
            ax=ax,
        )
        return marked(axes, self.synthetic)

    def _law(self) -> FittedLaw:
        stored = {**self.law, "extra": tuple(self.law["extra"])}
        return FittedLaw(distribution=self.options["distribution"], **stored)
