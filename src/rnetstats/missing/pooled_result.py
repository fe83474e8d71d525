"""The pooled regression model: its table, tests, limits and predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from rnetstats._core.frame import Data, as_frame
from rnetstats._core.result import Result
from rnetstats._core.schema import COEFFICIENT_COLUMNS
from rnetstats.formatting import fmt_percent
from rnetstats.formula.spec import Spec
from rnetstats.missing.clip import clip_limits
from rnetstats.missing.pooled_effects import pooled_effect, pooled_risks
from rnetstats.missing.pooled_tests import joint_test, term_tests
from rnetstats.regression.display import draw_forest, model_table
from rnetstats.regression.effects import EffectResult
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.risks import RisksResult
from rnetstats.regression.variables import new_offset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EXTRA_COLUMNS", "PooledResult"]

EXTRA_COLUMNS = ("df", "riv", "lambda", "fmi", "within", "between")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PooledResult(Result):
    """A regression model pooled over imputations; see :func:`rnetstats.pool`.

    Attributes
    ----------
    model : str
        The class of the fits, such as ``"LogisticResult"``.
    outcome : str
        The left side of the formula.
    table, reference_table, joint_table : dict
        The columns of ``coefficients``, ``references`` and ``joint``.
    coefs : array of shape (m, p)
        Coefficients of each fit.
    covariances : array of shape (m, p, p)
        And their covariance matrices.
    dfcom : float
        Degrees of freedom of the complete data: patients, for Cox events, less coefficients.
    summary : dict
        The counts and tests of :meth:`glance`.
    spec, labels : dict
        Of the first fit; see :class:`rnetstats.regression.model.RegressionResult`.
    variables : dict
        Of all fits: a numeric variable's range, and the middle one of its medians and quartiles.
    fits : tuple of RegressionResult or None
        The fits themselves; never written.
    """

    model: str
    outcome: str
    table: dict[str, Any]
    reference_table: dict[str, Any]
    joint_table: dict[str, Any]
    coefs: np.ndarray
    covariances: np.ndarray
    dfcom: float
    summary: dict[str, Any]
    spec: dict[str, Any]
    variables: dict[str, dict[str, Any]]
    labels: dict[str, str]
    fits: tuple[RegressionResult, ...] | None = field(default=None, metadata={"rows": True})

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """One row a coefficient: the shared schema, then ``df, riv, lambda, fmi, ...``."""
        return pd.DataFrame(
            {name: self.table[name] for name in (*COEFFICIENT_COLUMNS, *EXTRA_COLUMNS)}
        )

    @cached_property
    def references(self) -> pd.DataFrame:
        """The reference level of each factor: ``term, level, n, n_events``."""
        return pd.DataFrame(self.reference_table)

    @cached_property
    def joint(self) -> pd.DataFrame:
        """The joint test (D1) of each term's columns: ``term, kind, df, statistic, p_value``."""
        return pd.DataFrame(self.joint_table)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient (a copy).

        Returns
        -------
        DataFrame
            The shared schema, P and limits by the t distribution; then ``df`` (Barnard and
            Rubin's), ``riv`` (relative increase in variance), ``lambda`` (share of the variance
            due to missing values), ``fmi`` (fraction of missing information), ``within`` and
            ``between`` (variances). The counts of an imputed factor's levels are means over the
            imputations.
        """
        return self.coefficients.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: imputations, counts, degrees of freedom, largest ``fmi``, D1 of all."""
        return pd.DataFrame([self.summary])

    @property
    def design(self) -> Spec:
        """The frozen design, rebuilt from ``spec``."""
        return Spec.from_dict(self.spec)

    @property
    def coef(self) -> pd.Series:
        """Pooled coefficients on the model's scale, named by column."""
        names = [column.name for column in self.design.columns]
        return pd.Series(self.coefs.mean(axis=0), index=names, name="coef")

    @property
    def vcov(self) -> pd.DataFrame:
        """Total covariance matrix, ``within + (1 + 1/m) between``, named by column."""
        names = [column.name for column in self.design.columns]
        m = len(self.coefs)
        between = np.atleast_2d(np.cov(self.coefs, rowvar=False))
        total = self.covariances.mean(axis=0) + (1.0 + 1.0 / m) * between
        return pd.DataFrame(total, index=names, columns=names)

    def label(self, term: str) -> str:
        """Return the printed name of a term or variable."""
        return self.labels.get(term, term)

    def display(self) -> pd.DataFrame:
        """Return the table as text; ``FMI`` is the fraction of missing information."""
        shown = model_table(self)
        fmi = {
            (self.label(row["term"]), str(row["level"])): fmt_percent(row["fmi"], 0)
            for row in self.coefficients.to_dict("records")
        }
        places = zip(shown["term"], shown["level"], strict=True)
        return shown.assign(FMI=[fmi.get(place, "") for place in places])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a forest plot of the pooled coefficients on a log scale."""
        return draw_forest(self, ax)

    def term_tests(self, method: str = "D1", *, small_sample: bool = True) -> pd.DataFrame:
        """Test each term jointly, splines for linearity, and interactions.

        Parameters
        ----------
        method : {"D1", "D2", "D3"}
            D1 is the Wald test on pooled coefficients, D2 combines the Wald chi-squares of the
            fits, D3 the likelihood ratios (maximum likelihood only; needs the fits).
        small_sample : bool
            Reiter's degrees of freedom in D1; else those for large samples.

        Returns
        -------
        DataFrame
            Columns ``term, test, df, df2, statistic, p_value, riv, method``; ``test`` as in
            :meth:`RegressionResult.term_tests`, the statistic an F on ``df`` and ``df2``.

        Raises
        ------
        DataNotKeptError
            For D3 after reading back from JSON.
        OptionError
            For D3 of penalised or weighted fits.
        """
        return term_tests(self, method, small_sample=small_sample)

    def joint_test(
        self, terms: str | Sequence[str], method: str = "D1", *, small_sample: bool = True
    ) -> pd.DataFrame:
        """Test that all coefficients of the named terms are zero.

        Parameters
        ----------
        terms : str or sequence of str
            As the formula writes them.
        method, small_sample
            As for :meth:`term_tests`.

        Returns
        -------
        DataFrame
            One row: ``terms, df, df2, statistic, p_value, riv, method``.

        Raises
        ------
        OptionError
            If a term is not in the model.
        """
        return joint_test(self, terms, method, small_sample=small_sample)

    def profile_limits(self) -> pd.DataFrame:
        """Pool the (penalised) likelihood profiles themselves: the CLIP method.

        Returns
        -------
        DataFrame
            Columns ``term, level, measure, estimate, conf_low, conf_high, p_value, method``. The
            limits need not be symmetric on the log scale, as befits few events.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.

        References
        ----------
        Heinze G, Ploner M, Beyea J (2013). Confidence intervals after multiple imputation:
        combining profile likelihood information from logistic regressions. Stat Med 32:5062-5076.
        """
        fits = self._need("fits", "Pooling profiles")
        return clip_limits(fits, self.coefficients, self.options["conf_level"])

    def risks(
        self, variable: str, *, values: Sequence[Any] | None = None, reference: Any = None
    ) -> RisksResult:
        """Return standardised risks, differences and ratios, pooled over the imputations.

        Parameters
        ----------
        variable : str
            A column of the model.
        values : sequence, optional
            By default all levels, 0 and 1, or the quartiles of a numeric variable (if it was
            imputed, the middle one of each quartile over the imputations).
        reference : optional
            By default the first of the values.

        Returns
        -------
        RisksResult
            As :meth:`LogisticResult.risks` of one fit gives it. Each fit's risk is pooled as its
            logit, ratio as its logarithm, difference as it is, with its own delta-method
            variance; limits and P are by the t distribution with Barnard and Rubin's degrees of
            freedom.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        OptionError
            If the fits are not logistic models, the model has no such variable, or a value is
            none of it.
        """
        return pooled_risks(self, variable, values=values, reference=reference)

    def effect(
        self,
        variable: str,
        *,
        values: Sequence[Any] | None = None,
        reference: Any = None,
        at: Mapping[str, Any] | None = None,
    ) -> EffectResult:
        """Return the adjusted effect of a variable over its values, pooled over the imputations.

        Parameters
        ----------
        variable : str
            A column of the model, numeric (splines included) or a factor.
        values : sequence, optional
            Where to evaluate; by default 101 points over the range in all imputations, or all
            levels.
        reference : optional
            By default the median (if it was imputed, the middle one of the imputations'
            medians), or the factor's reference level.
        at : mapping of column to value, optional
            Where variables that interact with it are held; by default the median, or the
            reference level.

        Returns
        -------
        EffectResult
            As :meth:`RegressionResult.effect` of one fit gives it: odds or hazard ratios, their
            logarithms pooled, with pointwise limits by the t distribution.

        Raises
        ------
        OptionError
            If the model has no such variable, or a value is none of it.
        """
        return pooled_effect(self, variable, values=values, reference=reference, at=at)

    def plot_effect(self, variable: str, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw :meth:`effect` of a variable, which takes ``options``, with its pointwise band."""
        return self.effect(variable, **options).plot(ax=ax)

    def predict(self, data: Data) -> pd.Series:
        """Return risks (logistic) or log hazard ratios (Cox) at the pooled coefficients, (n,).

        Parameters
        ----------
        data : DataFrame or mapping of columns
            The model's variables, one row a patient.

        Raises
        ------
        ColumnError, DataError
            If a variable or a value is missing, or a level was not in the data of the fit.
        """
        table = as_frame(data)
        spec = self.design
        values = spec.matrix(table) @ self.coefs.mean(axis=0) + new_offset(spec, table)
        if spec.intercept:
            return pd.Series(expit(values), index=table.index, name="risk")
        return pd.Series(values, index=table.index, name="linear_predictor")
