"""The result of decision curves, and what can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, real
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.prediction.decision import TREAT_ALL, TREAT_NONE
from rnetstats.prediction.net_benefit_display import display_table, strategy_text
from rnetstats.prediction.net_benefit_tables import (
    COLUMNS,
    check_thresholds,
    corrected_rows,
    impact_table,
    known_model,
    one_difference,
)
from rnetstats.prediction.numbers import numbers_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["DecisionCurveResult"]

_QUANTITIES = {
    "net_benefit": ("net_benefit", "conf_low", "conf_high"),
    "standardized": ("standardized_net_benefit", "standardized_low", "standardized_high"),
    "interventions": ("interventions_avoided", "avoided_low", "avoided_high"),
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DecisionCurveResult(Result):
    """Net benefit of acting on each model's risk, and of treating all or none.

    Attributes
    ----------
    curves : DataFrame
        A row a strategy and threshold: the columns of :meth:`to_frame`, and limits of the other
        quantities (``standardized_low``, ``tp_low``, ``positive_low``, ``avoided_low``, ...).
        ``curve`` is "apparent" for a model fitted on these rows, "corrected" for one corrected
        for optimism, "given" for other risks, "reference" for treating all or none.
    differences : DataFrame
        ``model, versus, threshold, difference, conf_low, conf_high`` for all pairs.
    outcome : str
        The event, as shown.
    n, n_events : float
        Patients judged, and those with the event (by the horizon).
    n_missing : int
    prevalence : float
        Risk of the event among all.
    """

    curves: pd.DataFrame
    differences: pd.DataFrame
    outcome: str
    n: float
    n_events: float
    n_missing: int
    prevalence: float

    def to_frame(self) -> pd.DataFrame:
        """Return every strategy at every threshold.

        Returns
        -------
        DataFrame
            ``model, threshold, tp_rate, fp_rate, net_benefit, standardized_net_benefit,
            interventions_avoided, conf_low, conf_high, curve, n_positive, n_events, harm``. The
            rates are shares of all patients; the limits are those of ``net_benefit``;
            ``interventions_avoided`` counts per ``options["per"]`` patients.
        """
        return self.curves[list(COLUMNS)].copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, prevalence, horizon, action, resamples."""
        chosen = {name: self.options[name] for name in ("time", "action", "per", "resamples")}
        return pd.DataFrame(
            [
                {
                    "n": self.n,
                    "n_missing": self.n_missing,
                    "n_events": self.n_events,
                    "prevalence": self.prevalence,
                    "n_models": len(self._models()),
                    "n_thresholds": self.curves["threshold"].nunique(),
                    **chosen,
                    "conf_level": self.options["conf_level"],
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text, at round thresholds."""
        return display_table(self.curves, self.options["conf_level"], self.options["per"])

    def compare(self) -> pd.DataFrame:
        """Return differences of net benefit of all pairs, with pointwise limits.

        The limits come from the same resamples as those of the curves. They have no P: what
        matters is the strategy with the largest net benefit at the threshold in question.
        """
        return self.differences.copy()

    def difference(self, first: str, second: str) -> pd.DataFrame:
        """Return the net benefit of one strategy less that of another, at each threshold.

        Parameters
        ----------
        first, second : str
            Two models, ``"treat all"`` or ``"treat none"``: ``first`` less ``second``.

        Raises
        ------
        OptionError
            If there is no such strategy, or both are the same.
        """
        return one_difference(self.differences, first, second)

    def interventions_avoided(self, model: str | None = None) -> pd.DataFrame:
        """Return needless actions avoided against treating all, events found being equal.

        Parameters
        ----------
        model : str, optional
            One strategy; by default all.

        Returns
        -------
        DataFrame
            ``model, curve, threshold, interventions_avoided, conf_low, conf_high, per``; negative
            where treating all is better.

        Raises
        ------
        OptionError
            If there is no such strategy.
        """
        rows = self._chosen(model)
        value, low, high = _QUANTITIES["interventions"]
        table = rows[["model", "curve", "threshold", value, low, high]]
        named = table.rename(columns={low: "conf_low", high: "conf_high"})
        return named.assign(per=self.options["per"]).reset_index(drop=True)

    def clinical_impact(self, model: str | None = None, population: float = 1000) -> pd.DataFrame:
        """Return how many of so many patients are at high risk, and how many have the event.

        Parameters
        ----------
        model : str, optional
            One strategy; by default all.
        population : float
            So many patients.

        Returns
        -------
        DataFrame
            ``model, curve, threshold, n_high_risk, n_with_event`` with pointwise limits of both
            (``..._low``, ``..._high``) and ``population``.

        Raises
        ------
        OptionError
            If there is no such strategy.
        """
        size = real("population", population, low=0.0, closed=False)
        return impact_table(self._chosen(model), size)

    def with_corrected(
        self,
        model: str,
        net_benefit: ArrayLike | None = None,
        *,
        tp_rate: ArrayLike | None = None,
        fp_rate: ArrayLike | None = None,
        conf_low: ArrayLike | None = None,
        conf_high: ArrayLike | None = None,
        thresholds: ArrayLike | None = None,
        note: str = "",
    ) -> DecisionCurveResult:
        """Return the result with a model's curve corrected for optimism beside the apparent one.

        Parameters
        ----------
        model : str
        net_benefit : array of shape (k,), optional
            Corrected net benefit, any harm subtracted, at the thresholds of the result.
        tp_rate, fp_rate : array of shape (k,), optional
            Corrected rates, in place of ``net_benefit``, which is linear in them.
        conf_low, conf_high : array of shape (k,), optional
            Limits of the corrected net benefit.
        thresholds : array of shape (k,), optional
            Where the corrected curve was computed, to be held against those of the result, which
            are ascending. Without it the number of values alone can be checked.
        note : str
            How the correction was made.

        Raises
        ------
        OptionError
            If the model is unknown, the arrays have not a value a threshold, the thresholds are
            others, or neither net benefit nor both rates are given.
        """
        known_model(model, self._models())
        given = {
            "net_benefit": net_benefit,
            "tp_rate": tp_rate,
            "fp_rate": fp_rate,
            "conf_low": conf_low,
            "conf_high": conf_high,
        }
        arrays = {k: numbers_of(k, v) for k, v in given.items() if v is not None}
        if set(arrays) - {"conf_low", "conf_high"} not in ({"net_benefit"}, {"tp_rate", "fp_rate"}):
            raise OptionError("A corrected curve is either net_benefit, or tp_rate and fp_rate.")
        own = np.sort(self.curves["threshold"].unique())
        if any(values.shape != own.shape for values in arrays.values()):
            raise OptionError(f"The corrected curve needs {own.size} values, one a threshold.")
        if thresholds is not None:
            check_thresholds(numbers_of("thresholds", thresholds), own)
        rows = corrected_rows(self.curves, model, arrays, self.options["per"])
        before = (self.curves["model"] == model) & (self.curves["curve"] == "corrected")
        return replace(
            self,
            curves=pd.concat([self.curves[~before], rows], ignore_index=True),
            notes=(*self.notes, note) if note else self.notes,
        )

    def plot(
        self, ax: Axes | None = None, *, kind: str = "net_benefit", model: str | None = None
    ) -> Axes:
        """Draw the curves.

        Parameters
        ----------
        ax : Axes, optional
        kind : {"net_benefit", "standardized", "interventions", "impact"}
        model : str, optional
            Draw this model alone (beside treating all and none).
        """
        choice("kind", kind, (*_QUANTITIES, "impact"))
        from rnetstats.plots import net_benefit as plots
        from rnetstats.plots.style import marked

        shared: dict[str, Any] = {
            "action": self.options["action"],
            "conf_level": self.options["conf_level"],
            "ax": ax,
        }
        if kind == "impact":
            impact = self.clinical_impact(model or self._models()[0])
            axes = plots.impact_curves(impact, outcome=self.outcome, **shared)
            return marked(axes, self.synthetic)
        value, low, high = _QUANTITIES[kind]
        rows = self.curves
        if model is not None:
            known_model(model, self._models())
            rows = rows[rows["model"].isin([model, TREAT_ALL, TREAT_NONE])]
        table = rows[["model", "curve", "threshold", "n_positive"]].assign(
            strategy=[
                strategy_text(*each) for each in zip(rows["model"], rows["curve"], strict=True)
            ],
            value=rows[value],
            conf_low=rows[low],
            conf_high=rows[high],
        )
        axes = plots.decision_curves(table, kind=kind, per=self.options["per"], **shared)
        return marked(axes, self.synthetic)

    def _models(self) -> list[str]:
        models = dict.fromkeys(self.curves["model"])
        return [name for name in models if name not in (TREAT_ALL, TREAT_NONE)]

    def _chosen(self, model: str | None) -> pd.DataFrame:
        names = [*self._models(), TREAT_ALL, TREAT_NONE]
        wanted = names if model is None else [known_model(model, names)]
        return self.curves[self.curves["model"].isin(wanted)]
