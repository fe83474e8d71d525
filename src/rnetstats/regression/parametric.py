"""Parametric survival models: accelerated failure times, and Gompertz hazards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.distributions import normal_quantile, two_sided_p
from rnetstats._core.frame import Data, as_frame, is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats._core.result import Result
from rnetstats._core.schema import coefficient_frame
from rnetstats.errors import OptionError
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.spec import INTERCEPT, Spec
from rnetstats.formula.terms import Formula
from rnetstats.regression.display import model_table
from rnetstats.regression.parametric_curves import fitted_curves
from rnetstats.regression.parametric_fit import (
    check_frame,
    coefficient_table,
    comparison,
    fit_checked,
    joint_table,
    parametric_notes,
    references_of,
)
from rnetstats.regression.parametric_laws import DISTRIBUTIONS, FittedLaw, log_cumulative_hazard
from rnetstats.regression.variables import labels_of, outcome_name
from rnetstats.survival.curve_tables import time_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["ParametricResult", "parametric"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ParametricResult(Result):
    """A parametric survival model; see :func:`parametric`.

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
        """
        moments = time_points(times)
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
                "beyond": np.tile(moments > self.last_time, len(table)),
            }
        )

    def compare(self, distributions: Sequence[str] = DISTRIBUTIONS) -> pd.DataFrame:
        """Fit other laws to the same rows and terms and compare them by Akaike's criterion.

        Returns
        -------
        DataFrame
            ``distribution, df, log_likelihood, aic, difference, note``, the best first;
            ``difference`` is that of the AIC from the best. A law that cannot be fitted stands
            last with the reason as its note.

        Raises
        ------
        DataNotKeptError
            After reading the result back from JSON.
        """
        frame: ModelFrame = self._need("frame", "A comparison of laws")
        for name in distributions:
            choice("distributions", name, DISTRIBUTIONS)
        return comparison(frame, distributions)

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, likelihood, information criteria, scale or shape."""
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

        return fitted_over_observed(
            self.curves,
            distribution=self.options["distribution"],
            time_label=self.summary["time"],
            synthetic=self.synthetic,
            ax=ax,
        )

    def _law(self) -> FittedLaw:
        stored = {**self.law, "extra": tuple(self.law["extra"])}
        return FittedLaw(distribution=self.options["distribution"], **stored)


def parametric(
    data: Data,
    formula: str | Formula,
    *,
    distribution: str = "weibull",
    freq_weights: str | ArrayLike | None = None,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> ParametricResult:
    """Fit a parametric survival model by maximum likelihood.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        ``"Surv(time, event) ~ a + rcs(b, 4)"``, or ``Surv(start, stop, event)`` for late entry.
    distribution : str
        ``"weibull"``, ``"exponential"``, ``"log-normal"``, ``"log-logistic"`` or
        ``"generalised gamma"``: log time is a linear predictor plus scaled error, and ``exp(coef)``
        a time ratio. ``"gompertz"``: the hazard is ``exp(linear predictor + growth t)``, and
        ``exp(coef)`` a hazard ratio.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    ParametricResult
        Time ratios in ``to_frame()``, hazard ratios in ``hazard_ratios()``.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used; a time of 0 has no logarithm.
    TooFewEventsError
        Without events, or with fewer events than parameters.
    ConvergenceError
        If there is no finite maximum, as when a group has no event.
    OptionError
        If an option is not allowed.

    Notes
    -----
    The log-likelihood is that of the times, so that AIC compares the laws. BIC counts events. The
    scale is that of R's ``survreg``: the Weibull shape is 1 / scale.

    References
    ----------
    Kalbfleisch JD, Prentice RL (2002). The Statistical Analysis of Failure Time Data, 2nd ed.
    Wiley, chapter 3. Prentice RL (1974). Biometrika 61:539-44 (generalised gamma).

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> fit = rn.parametric(cohort, "Surv(dfs_months, dfs_event) ~ margin_positive + age")
    >>> fit.to_frame()[["term", "measure", "estimate", "conf_low", "conf_high"]].round(2)
                  term measure  estimate  conf_low  conf_high
    0      (Intercept)    time   6977.69   1759.31   27674.50
    1  margin_positive      TR      0.78      0.53       1.15
    2              age      TR      0.95      0.93       0.97
    3       log(scale)   scale      0.82      0.67       1.01
    >>> fit.hazard_ratios()[["term", "measure", "estimate"]].round(2)
                  term measure  estimate
    0  margin_positive      HR      1.36
    1              age      HR      1.07
    """
    choice("distribution", distribution, DISTRIBUTIONS)
    level(conf_level)
    frame = model_frame(
        data,
        formula,
        kind="survival",
        weights={"freq_weights": freq_weights},
        missing=missing,
    )
    counts = check_frame(frame)
    law = fit_checked(frame, distribution, counts)
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    criteria = {
        "log_likelihood": law.log_likelihood,
        "aic": 2.0 * law.df - 2.0 * law.log_likelihood,
        "bic": law.df * float(np.log(counts.n_events)) - 2.0 * law.log_likelihood,
    }
    labels = labels_of(data, frame)
    return ParametricResult(
        table=coefficient_table(frame, law, counts, conf_level),
        reference_table=references_of(frame, counts),
        joint_table=joint_table(frame, law),
        law={
            name: getattr(law, name)
            for name in (
                "coef",
                "covariance",
                "extra",
                "natural",
                "natural_covariance",
                "log_likelihood",
                "status",
            )
        },
        summary={
            "distribution": distribution,
            "n": counts.n,
            "n_missing": frame.n_missing,
            "n_events": counts.n_events,
            "df": law.df,
            "events_per_parameter": counts.n_events / max(law.df, 1),
            **criteria,
            "endpoint": outcome_name(frame),
            "time": labels.get(outcome.time_name, outcome.time_name),
        },
        spec=frame.design.spec.to_dict(),
        curves=fitted_curves(frame, law),
        last_time=float(outcome.stop.max()),
        labels=labels,
        synthetic=is_synthetic_data(data),
        frame=frame,
        notes=(*frame.notes, *parametric_notes(law, counts)),
        options={
            "formula": frame.formula,
            "distribution": distribution,
            "conf_level": conf_level,
            "missing": missing,
        },
    )
