"""What logistic and Cox results share: tidy numbers, printing, tests, effects, plots."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame
from rnetstats._core.result import Result
from rnetstats._core.schema import coefficient_frame
from rnetstats.errors import ConvergenceError
from rnetstats.formula.spec import Spec
from rnetstats.regression.display import draw_forest, model_table
from rnetstats.regression.effects import EffectResult, contrasts, partial_effect
from rnetstats.regression.term_tests import term_tests
from rnetstats.regression.variables import new_offset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from rnetstats.regression.engine import Engine

__all__ = ["RegressionResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RegressionResult(Result):
    """A fitted regression model.

    Attributes
    ----------
    table, reference_table, joint_table : dict
        The columns of ``coefficients``, ``references`` and ``joint``.
    covariance : array of shape (p, p)
        Of ``coef``; rows and columns of infinite coefficients are missing.
    summary : dict
        The fields of :meth:`glance`.
    spec : dict
        The design, enough to rebuild its columns for new patients.
    variables : dict
        Of each variable: typical value, levels, range, quartiles.
    labels : dict
        Printed name of each variable and term.
    engine : Engine or None
        The rows with what computes on them; never written.
    """

    table: dict[str, Any]
    reference_table: dict[str, Any]
    joint_table: dict[str, Any]
    covariance: np.ndarray
    summary: dict[str, Any]
    spec: dict[str, Any]
    variables: dict[str, dict[str, Any]]
    labels: dict[str, str]
    engine: Engine | None = field(default=None, metadata={"rows": True})

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """One row a coefficient, in the schema of :mod:`rnetstats._core.schema`."""
        return coefficient_frame(self.table)

    @cached_property
    def references(self) -> pd.DataFrame:
        """The reference level of each factor: ``term, level, n, n_events``."""
        return pd.DataFrame(self.reference_table)

    @cached_property
    def joint(self) -> pd.DataFrame:
        """The joint test of each term's columns: ``term, kind, df, statistic, p_value``."""
        return pd.DataFrame(self.joint_table)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient (a copy), in the shared schema."""
        return self.coefficients.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, likelihoods, information criteria, convergence."""
        return pd.DataFrame([self.summary])

    @property
    def coef(self) -> pd.Series:
        """Coefficients on the model's scale, named by column."""
        return pd.Series(
            self.coefficients["coef"].to_numpy(),
            index=[column.name for column in self.design.columns],
            name="coef",
        )

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance matrix of the coefficients, named by column."""
        names = [column.name for column in self.design.columns]
        return pd.DataFrame(self.covariance, index=names, columns=names)

    @property
    def design(self) -> Spec:
        """The frozen design, rebuilt from ``spec``."""
        return Spec.from_dict(self.spec)

    def display(self) -> pd.DataFrame:
        """Return the table as text.

        A factor's reference level has a row of its own, with the joint P of the factor; a spline
        has one row, since its single coefficients mean nothing by themselves.
        """
        return model_table(self)

    def label(self, term: str) -> str:
        """Return the printed name of a term or variable."""
        return self.labels.get(term, term)

    def term_tests(self) -> pd.DataFrame:
        """Test each term jointly, splines for linearity, and interactions.

        Returns
        -------
        DataFrame
            Columns ``term, test, df, statistic, p_value, method``. ``test`` is ``joint`` (a main
            effect with the interactions that hold it), ``linearity`` (of a spline: what bends it,
            in interactions too) or ``interaction``.
            The method is the model's own: (penalised) likelihood ratio, or Wald on the
            sandwich variance. The penalty is always that of the full design.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        """
        return term_tests(self._need("engine", "A test of terms"))

    def effect(
        self,
        variable: str,
        *,
        values: Sequence[Any] | None = None,
        reference: Any = None,
        at: Mapping[str, Any] | None = None,
    ) -> EffectResult:
        """Return the adjusted effect of a variable over its values, against a reference value.

        Parameters
        ----------
        variable : str
            A column of the model, numeric (splines included) or a factor.
        values : sequence, optional
            Where to evaluate; by default 101 points over the observed range, or all levels.
        reference : optional
            By default the median, or the factor's reference level.
        at : mapping of column to value, optional
            Where variables that interact with it are held; by default the median, or the
            reference level.

        Returns
        -------
        EffectResult
            Odds or hazard ratios with pointwise Wald limits.

        Raises
        ------
        OptionError
            If the model has no such variable, or a value is none of it.
        """
        wanted = contrasts(self, variable, values=values, reference=reference, at=at)
        return partial_effect(self, wanted)

    def _linear_predictor(self, data: Data, purpose: str) -> pd.Series:
        """Return X b plus offset of new patients, shape (m,)."""
        table = as_frame(data)
        coef = self.coefficients["coef"].to_numpy()
        if not np.isfinite(coef).all():
            raise ConvergenceError(
                f"{purpose} needs finite coefficients; that of {self._first_infinite()} is "
                "infinite (separation). Fit with penalty='firth'."
            )
        values = self.design.matrix(table) @ coef + new_offset(self.design, table)
        return pd.Series(values, index=table.index, name="linear_predictor")

    def _first_infinite(self) -> str:
        """Name the first coefficient that is not finite."""
        lost = ~np.isfinite(self.coefficients["coef"].to_numpy())
        return repr(self.design.columns[int(np.flatnonzero(lost)[0])].name)

    def plot_effect(self, variable: str, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw :meth:`effect` of a variable, which takes ``options``, with its pointwise band."""
        return self.effect(variable, **options).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a forest plot of the coefficients on a log scale."""
        return draw_forest(self, ax)
