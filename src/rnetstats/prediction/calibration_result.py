"""The result of a calibration, and what can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.formatting import MISSING, fmt_count, fmt_interval, fmt_number, fmt_p

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MEASURES", "CalibrationResult"]

MEASURES: Final = (
    "model",
    "intercept",
    "slope",
    "joint_intercept",
    "brier",
    "brier_scaled",
    "nagelkerke_r2",
    "ici",
    "e50",
    "e90",
    "emax",
    "spiegelhalter_z",
    "spiegelhalter_p",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CalibrationResult(Result):
    """How well predicted risks agree with what was observed.

    Attributes
    ----------
    measures : DataFrame
        A row a model: :meth:`to_frame`.
    curves : DataFrame
        :meth:`curve`.
    group_table : DataFrame
        :meth:`groups`.
    level_table : DataFrame
        :meth:`levels`.
    test_table : DataFrame
        :meth:`tests`.
    distribution : DataFrame
        ``model, low, high, n_events, n_others``: predicted risks counted in 50 stretches.
    outcome : str
        The event, as shown.
    pairs : DataFrame
        :meth:`compare`.
    n_missing : int
    rows : DataFrame or None
        ``model, predicted, calibrated``, a row a model and patient; not kept in JSON.
    """

    measures: pd.DataFrame
    curves: pd.DataFrame
    group_table: pd.DataFrame
    level_table: pd.DataFrame
    test_table: pd.DataFrame
    distribution: pd.DataFrame
    outcome: str
    pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    n_missing: int = 0
    rows: pd.DataFrame | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return the measures, a row a model.

        Returns
        -------
        DataFrame
            ``model, intercept`` (in the large: the slope held at 1), ``slope, joint_intercept,
            brier, brier_scaled, nagelkerke_r2, ici, e50, e90, emax, spiegelhalter_z,
            spiegelhalter_p``, then ``oe`` (O/E), limits and standard errors (``slope_low,
            slope_high, slope_std_error``, likewise of ``intercept``; ``oe_low, oe_high``; of the
            distances limits with ``resamples``), ``mean_predicted, auc, brier_null``, ``eci``
            (100 times the mean squared distance), ``n, n_events, smoother`` and ``apparent``:
            whether the model was fitted on these very rows. Of a binary outcome also
            ``mean_observed, cox_snell_r2, mcfadden_r2, nagelkerke_r2_recalibrated`` (of the
            recalibrated risks), ``log_likelihood, log_likelihood_null, joint_low, joint_high,
            joint_std_error, oe_log_std_error, hosmer_lemeshow, hosmer_lemeshow_df,
            hosmer_lemeshow_p``; of times ``observed_risk, observed_std_error, observed_low,
            observed_high, brier_std_error, auc_std_error`` and ``ipa``.
            For times ``brier_scaled`` is the index of prediction accuracy, the intercepts and the
            slope are on the complementary log-log scale (without competing causes the slope is of
            a Cox regression over the whole follow-up), and what censoring leaves undefined is
            missing.
        """
        return self.measures.copy()

    def curve(self) -> pd.DataFrame:
        """Return the flexible curve: ``model, predicted, observed, conf_low, conf_high, smoother``.

        Limits are pointwise. The curve runs from the smallest to the largest predicted risk.
        """
        return self.curves.copy()

    def groups(self) -> pd.DataFrame:
        """Return groups of similar risk, each with what was observed and its limits.

        Returns
        -------
        DataFrame
            ``model, group, low, high, n, n_events, mean_predicted, observed, conf_low, conf_high``;
            ``low`` and ``high`` are the smallest and the largest predicted risk in the group.
        """
        return self.group_table.copy()

    def levels(self) -> pd.DataFrame:
        """Return the four levels of calibration in words (Van Calster et al. 2016).

        Returns
        -------
        DataFrame
            ``model, level, meaning, verdict, finding, rule``. "No departure shown" is no proof of
            calibration: with few events little can be shown.
        """
        return self.level_table.copy()

    def tests(self) -> pd.DataFrame:
        """Return tests of calibration: ``model, test, statistic, df, p_value, method``."""
        return self.test_table.copy()

    def compare(self) -> pd.DataFrame:
        """Return all pairs of models: the difference of their Brier scores, its limits and P.

        The smaller score is the better one; it judges discrimination and calibration together.
        For nested models that were both fitted on the rows judged the paired test is refused:
        limits are missing, and the P is that of the likelihood ratio, as ``method`` says.

        Returns
        -------
        DataFrame
            ``model, versus, measure, difference`` (of the first less the second), ``std_error,
            conf_low, conf_high, statistic, p_value, method``. For times the scores are weighted
            by censoring. Limits and P are missing with fewer than five events or patients known
            to be without.
        """
        return self.pairs.copy()

    def calibrated(self) -> pd.DataFrame:
        """Return each patient's risk and the curve's value there, in the order of the data.

        Raises
        ------
        DataNotKeptError
            If the result was read back from JSON.
        """
        rows: pd.DataFrame = self._need("rows", "The curve at each patient")
        return rows.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, smoother, horizon, level."""
        first = self.measures.iloc[0]
        return pd.DataFrame(
            [
                {
                    "n": first["n"],
                    "n_missing": self.n_missing,
                    "n_events": first["n_events"],
                    "n_models": len(self.measures),
                    "smoother": self.options["smoother"],
                    "time": self.options["time"],
                    "groups": self.options["groups"],
                    "resamples": self.options["resamples"],
                    "conf_level": self.options["conf_level"],
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return a row a model as text."""
        level = f"{100 * self.options['conf_level']:g} % CI"
        table = pd.DataFrame({"Model": [self._shown()[m] for m in self.measures["model"]]})
        for name, title in (("oe", "O/E"), ("intercept", "Intercept"), ("slope", "Slope")):
            table[f"{title} ({level})"] = [
                _with_limits(row[name], row[f"{name}_low"], row[f"{name}_high"])
                for row in self.measures.to_dict("records")
            ]
        for name, title in (("ici", "ICI"), ("e90", "E90"), ("emax", "Emax"), ("brier", "Brier")):
            if f"{name}_low" in self.measures:
                table[f"{title} ({level})"] = [
                    _with_limits(row[name], row[f"{name}_low"], row[f"{name}_high"], 3)
                    for row in self.measures.to_dict("records")
                ]
            else:
                table[title] = [fmt_number(value, 3) for value in self.measures[name]]
        table["Scaled Brier"] = [fmt_number(value, 3) for value in self.measures["brier_scaled"]]
        if self.options["time"] is None:
            table["Spiegelhalter P"] = [fmt_p(value) for value in self.measures["spiegelhalter_p"]]
        for name, title in (("n", "N"), ("n_events", "Events")):
            table[title] = [fmt_count(value) for value in self.measures[name]]
        return table

    def _shown(self) -> dict[str, str]:
        """Name of each model as shown: one fitted on these rows is called apparent."""
        flags = self.measures.get("apparent", pd.Series(False, index=self.measures.index))
        return {
            str(model): f"{model} (apparent)" if flag else str(model)
            for model, flag in zip(self.measures["model"], flags, strict=True)
        }

    def plot(
        self, ax: Axes | None = None, *, model: str | None = None, groups: bool = False
    ) -> Axes:
        """Draw the curve over the ideal line, the predicted risks counted beneath.

        Parameters
        ----------
        ax : Axes, optional
        model : str, optional
            One of the models; by default all, and then without bands.
        groups : bool
            Add the groups of similar risk with their limits.
        """
        from rnetstats.plots.calibration import calibration_curves
        from rnetstats.plots.style import marked

        labels = [str(name) for name in self.measures["model"]]
        chosen = labels if model is None else [choice("model", model, labels)]
        parts = (self.curves, self.distribution, self.group_table)
        curves, counts, table = (
            part[part["model"].isin(chosen)].assign(model=part["model"].map(self._shown()))
            for part in parts
        )
        axes = calibration_curves(
            curves,
            counts,
            table if groups else None,
            outcome=self.outcome,
            conf_level=self.options["conf_level"],
            ax=ax,
        )
        return marked(axes, self.synthetic)


def _with_limits(value: float, low: float, high: float, digits: int = 2) -> str:
    shown = fmt_number(value, digits)
    if not np.isfinite(value):
        return shown
    limits = fmt_interval(low, high, digits)
    return shown if limits == MISSING else f"{shown} ({limits})"


def ordered(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return measures as a frame, the fixed columns first; what is missing is undefined."""
    frame = pd.DataFrame(rows)
    extra = [name for name in frame.columns if name not in MEASURES]
    return frame.reindex(columns=[*MEASURES, *extra])
