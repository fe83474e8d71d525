"""The result of a meta-regression: coefficients, tests, residual heterogeneity, predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.result import Result
from rnetstats.evidence.meta_display import digits_of
from rnetstats.evidence.meta_intervals import limits_of, prediction_limits
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.formula.spec import Spec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MetaRegressionResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MetaRegressionResult(Result):
    """Coefficients of moderators.

    Attributes
    ----------
    measure, formula : str
    coefficients : DataFrame
        In the shared schema; ``estimate`` is a ratio of ratios or a difference in differences for
        one unit, or against the reference level.
    tests : DataFrame
        ``term, statistic, df, df_residual, p_value, method``: all moderators, then each term.
    heterogeneity : DataFrame
        One row, residual: as of a meta-analysis, ``tau2_alone`` without moderators, and ``r2``,
        the share of it that they explain.
    covariance : array of shape (p, p)
        Of the coefficients, by the method of the limits.
    covariance_known : array of shape (p, p)
        The same with the weights taken as known.
    knapp : float
        What Hartung and Knapp multiply that one with.
    spec : dict
        How the design is made from columns.
    rows : DataFrame
        The studies with their effect and moderators.
    """

    measure: str
    formula: str
    coefficients: pd.DataFrame
    tests: pd.DataFrame
    heterogeneity: pd.DataFrame
    covariance: np.ndarray
    covariance_known: np.ndarray
    knapp: float
    spec: dict[str, Any]
    rows: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient (a copy)."""
        return self.coefficients.copy()

    def term_tests(self) -> pd.DataFrame:
        """Return the joint tests: all moderators, then each term (a copy)."""
        return self.tests.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: studies, residual heterogeneity, and the test of all moderators."""
        spread, test = self.heterogeneity.iloc[0], self.tests.iloc[0]
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "k_used": len(self.rows),
                "df": len(self.coefficients) - 1,
                "tau2": spread["tau2"],
                "tau2_alone": spread["tau2_alone"],
                "r2": spread["r2"],
                "i2": spread["i2"],
                "i2_tau2": spread["i2_tau2"],
                "qe": spread["q"],
                "qe_df": spread["q_df"],
                "qe_p": spread["q_p"],
                "qm": test["statistic"],
                "qm_df": test["df"],
                "qm_df_residual": test["df_residual"],
                "p_value": test["p_value"],
                "method": test["method"],
            }
        )

    def predict(self, data: Data) -> pd.DataFrame:
        """Return the effect at other values of the moderators.

        Parameters
        ----------
        data : DataFrame or mapping
            The moderators' columns.

        Returns
        -------
        DataFrame
            ``estimate, conf_low, conf_high, pi_low, pi_high``, then ``coef`` and ``std_error`` on
            the scale of analysis. The prediction interval is the one that the meta-analysis was
            asked for, its degrees of freedom those left by the moderators: one less than the
            limits have by default (Higgins, Thompson and Spiegelhalter).

        Raises
        ------
        ColumnError, DataError
            If a moderator or a value is missing, or a level was not among the studies.
        """
        x = Spec.from_dict(self.spec).matrix(data)
        coef = x @ self.coefficients["coef"].to_numpy()
        wald = np.sqrt(np.einsum("ij,jk,ik->i", x, self.covariance_known, x))
        knapp = np.sqrt(self.knapp) * wald
        df = np.full_like(coef, self.heterogeneity["q_df"].iloc[0], dtype=float)
        tau2 = np.full_like(coef, self.heterogeneity["tau2"].iloc[0], dtype=float)
        names = ("tau2", "ci", "prediction", "conf_level")
        how = PoolOptions(**{name: self.options[name] for name in names})
        limits = limits_of(coef, wald, knapp, df, how)
        pi_low, pi_high = prediction_limits(coef, wald, knapp, tau2, df, how)
        back = MEASURES[self.measure].back
        return pd.DataFrame(
            {
                "estimate": back(coef),
                "conf_low": back(limits.low),
                "conf_high": back(limits.high),
                "pi_low": back(pi_low),
                "pi_high": back(pi_high),
                "coef": coef,
                "std_error": limits.std_error,
            }
        )

    @property
    def _compared(self) -> str:
        """What a coefficient is, to begin a line with."""
        words = MEASURES[self.measure].compared
        return words[0].upper() + words[1:]

    def display(self) -> pd.DataFrame:
        """Return one row a moderator's coefficient as text, without the intercept."""
        digits = max(digits_of(self.measure), 3)
        interval = f"{100 * self.options['conf_level']:g} % CI"
        joint = dict(zip(self.tests["term"], self.tests["p_value"], strict=True))
        rows: list[dict[str, str]] = []
        for row in self.coefficients.iloc[1:].to_dict("records"):
            first = row["term"] not in [r["Term"] for r in rows]
            rows.append(
                {
                    "Term": row["term"],
                    "Level": row["level"],
                    self._compared: fmt_number(row["estimate"], digits),
                    interval: fmt_interval(row["conf_low"], row["conf_high"], digits),
                    "P": fmt_p(row["p_value"]),
                    "P of term": fmt_p(joint[row["term"]]) if first else "",
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the effects against a single numeric moderator, else one line a coefficient."""
        names = [name for name in self.rows.columns if name.startswith("moderator:")]
        levels = any(term.kind == "factor" for term in Spec.from_dict(self.spec).terms)
        if len(names) == 1 and pd.api.types.is_numeric_dtype(self.rows[names[0]]) and not levels:
            return self._bubbles(names[0], ax)
        from rnetstats.plots.intervals import draw_intervals
        from rnetstats.plots.style import marked

        measure = MEASURES[self.measure]
        rows = self.coefficients.iloc[1:]
        labels = [
            f"{t}: {level}" if level else t
            for t, level in zip(rows["term"], rows["level"], strict=True)
        ]
        axes = draw_intervals(
            rows.assign(label=labels),
            ax=ax,
            xlabel=f"{self._compared}, {100 * self.options['conf_level']:g} % CI",
            log=measure.log,
            reference=measure.null,
        )
        return marked(axes, self.synthetic)

    def _bubbles(self, name: str, ax: Axes | None) -> Axes:
        from rnetstats.plots.meta_bubbles import meta_bubbles
        from rnetstats.plots.style import marked

        column, measure = name.removeprefix("moderator:"), MEASURES[self.measure]
        values = self.rows[name].to_numpy(dtype=float)
        grid = np.linspace(values.min(), values.max(), 101)
        studies = pd.DataFrame(
            {
                "value": values,
                "estimate": measure.back(self.rows["coef"].to_numpy()),
                "weight": self.rows["weight"].to_numpy(),
            }
        )
        axes = meta_bubbles(
            studies,
            self.predict({column: grid}).assign(value=grid),
            label=column,
            measure=measure.words,
            log=measure.log,
            conf_level=self.options["conf_level"],
            ax=ax,
        )
        return marked(axes, self.synthetic)
