"""The result of a validation: corrected indices, calibration curve and net benefit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.prediction.indices import LABELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ValidationResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ValidationResult(Result):
    """A validated model; see :func:`rnetstats.validate`.

    Attributes
    ----------
    table : dict
        The columns of :meth:`to_frame`.
    summary : dict
        The fields of :meth:`glance`.
    calibration_table, benefit_table, centre_table : dict
        The columns of :meth:`calibration_curve`, :meth:`decision_curve` and :meth:`by_centre`.
    inclusion_table : dict
        The columns of :meth:`inclusion`.
    selection_table : dict
        The columns of :meth:`selection`.
    replicates : dict or None
        By index, its training and test value in each resample; not written to JSON.
    """

    table: dict[str, Any]
    summary: dict[str, Any]
    calibration_table: dict[str, Any]
    benefit_table: dict[str, Any]
    centre_table: dict[str, Any]
    inclusion_table: dict[str, Any]
    selection_table: dict[str, Any] = field(default_factory=dict)
    replicates: dict[str, Any] | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return one row an index.

        Returns
        -------
        DataFrame
            Columns ``index, apparent, training, test, optimism, corrected, conf_low, conf_high,
            mcse, n_runs``; ``mcse`` is the Monte Carlo standard error of ``corrected`` (of a
            recipe that imputes also of its imputations), and ``n_runs`` counts the resamples in
            which the index has a value.
        """
        return pd.DataFrame(self.table)

    def glance(self) -> pd.DataFrame:
        """Return one row: method, rows, events, resamples, failures."""
        return pd.DataFrame([self.summary])

    def corrected(self, index: str) -> float:
        """Return one corrected index by its name.

        Raises
        ------
        OptionError
            If there is no such index.
        """
        names = list(self.table["index"])
        if index not in names:
            raise OptionError(f"There is no index {index!r}; there are {', '.join(names)}.")
        return float(np.asarray(self.table["corrected"], dtype=float)[names.index(index)])

    def performance(self) -> dict[str, dict[str, float]]:
        """Return what :meth:`RiskModel.with_performance` takes.

        Returns
        -------
        dict
            Of each index ``apparent, corrected, conf_low, conf_high``, those that there are, and
            the ``conf_level`` of the limits and the ``horizon`` of the risks. Of a model judged on
            the very patients that it was made from, ``apparent`` alone.
        """
        if self.options.get("same_patients"):
            values = zip(self.table["index"], self.table["corrected"], strict=True)
            return {str(name): {"apparent": float(v)} for name, v in values if not np.isnan(v)}
        names = ("apparent", "corrected", "conf_low", "conf_high")
        horizon = self.summary.get("horizon")
        found = {}
        for row in self.to_frame().to_dict("records"):
            about = {name: float(row[name]) for name in names if row[name] == row[name]}
            if "conf_low" in about:
                about["conf_level"] = float(self.options["conf_level"])
            if horizon is not None:
                about["horizon"] = float(horizon)
            found[str(row["index"])] = about
        return found

    def display(self) -> pd.DataFrame:
        """Return the table as text, each index with what it was, is, and how sure that is."""
        frame = self.to_frame()
        percent = f"{100 * self.options['conf_level']:g} %"
        limits = [
            "" if np.isnan(low) else fmt_interval(low, high, 3)
            for low, high in zip(frame["conf_low"], frame["conf_high"], strict=True)
        ]

        def text(name: str) -> list[str]:
            return ["" if np.isnan(value) else fmt_number(value, 3) for value in frame[name]]

        return pd.DataFrame(
            {
                "Index": [LABELS[name] for name in frame["index"]],
                "Apparent": text("apparent"),
                "Optimism": text("optimism"),
                "Corrected": text("corrected"),
                f"{percent} limits": limits,
                "Monte Carlo error": [
                    "" if np.isnan(value) else f"{value:.2g}" for value in frame["mcse"]
                ],
            }
        )

    def calibration_curve(self) -> pd.DataFrame:
        """Return the calibration curve: ``predicted, apparent, corrected``."""
        return pd.DataFrame(self.calibration_table)

    def decision_curve(self) -> pd.DataFrame:
        """Return net benefit: ``threshold, apparent, corrected, treat_all, treat_none``."""
        return pd.DataFrame(self.benefit_table)

    def by_centre(self) -> pd.DataFrame:
        """Return each index in each centre left out; empty without centres."""
        return pd.DataFrame(self.centre_table)

    def inclusion(self) -> pd.DataFrame:
        """Return how often each candidate was chosen, and how cut-offs spread over resamples.

        Returns
        -------
        DataFrame
            Columns ``choice, original, frequency, median, low, high``: for a candidate term the
            share of resamples that included it; for a cut-off or knot its median and central 95 %.
        """
        return pd.DataFrame(self.inclusion_table)

    def selection(self) -> pd.DataFrame:
        """Return what selection does to each candidate coefficient, over the resamples.

        Returns
        -------
        DataFrame
            Empty unless a recipe selects. Columns ``term, level, global_coef, std_error,
            frequency, coef, conditional_bias, rmsd_ratio, median, low, high``: the coefficient in
            the global model (all candidates, neither selected nor shrunken) and its standard
            error; the share of resamples that included the term; the coefficient of the model
            itself (0 if left out); the relative bias, in percent, of the mean coefficient of the
            resamples that included the term; the root mean squared difference from the global
            coefficient over the standard error, and the median and central 95 % of the
            coefficients, left-out terms counting 0.

        References
        ----------
        Heinze G, Wallisch C, Dunkler D (2018). Variable selection: a review and recommendations
        for the practicing statistician. Biometrical Journal 60:431-449, section 3.2.
        """
        return pd.DataFrame(self.selection_table)

    def plot(self, ax: Axes | None = None, *, kind: str | None = None) -> Axes:
        """Draw the corrected calibration curve, net benefit, or the indices.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default a new figure.
        kind : {None, "calibration", "net_benefit", "indices"}
            By default the calibration curve where there is one.

        Raises
        ------
        OptionError
            If the calibration curve, or the net benefit, asked for was not made.
        """
        from rnetstats.plots.style import marked
        from rnetstats.plots.validation import draw_benefit, draw_curve, draw_indices

        choice("kind", kind, (None, "calibration", "net_benefit", "indices"))
        curve, benefit = self.calibration_curve(), self.decision_curve()
        label = "External data" if self.summary["method"] == "external" else "Corrected"
        if kind is None:
            kind = "calibration" if len(curve) else "indices"
        if kind == "calibration":
            if not len(curve):
                raise OptionError(
                    "There is no calibration curve: all risks are alike or separate the outcomes, "
                    "indices= left it out, or a survival model has no horizon (time=)."
                )
            return marked(draw_curve(curve, label=label, ax=ax), self.synthetic)
        if kind == "net_benefit":
            if not len(benefit):
                raise OptionError(
                    "There is no net benefit: indices= left it out (give thresholds= too), or a "
                    "survival model has no horizon (time=)."
                )
            return marked(draw_benefit(benefit, label=label, ax=ax), self.synthetic)
        frame = self.to_frame()
        frame["label"] = [LABELS[name] for name in frame["index"]]
        return marked(draw_indices(frame, label=label, ax=ax), self.synthetic)
