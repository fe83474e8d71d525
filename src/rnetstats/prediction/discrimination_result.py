"""The result of judging discrimination, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number
from rnetstats.formula.parser import parse_formula
from rnetstats.kernels.time_roc import CONTROLS
from rnetstats.prediction.discrimination_rows import usual_times
from rnetstats.prediction.judged import Judged
from rnetstats.prediction.roc_tables import roc_table, youden_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DiscriminationResult"]

_FIXED = ["model", "auc", "std_error", "conf_low", "conf_high", "n", "n_events", "method"]
_OF_TIMES = ["index", "time", "controls"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DiscriminationResult(Result):
    """How well risks (or scores) order patients by their outcome.

    Attributes
    ----------
    kind : str
        binary, survival or competing.
    outcome : str
        The left side.
    estimates : DataFrame
        A row a model and index: ``model, index, time, controls, estimate, std_error, conf_low,
        conf_high, n, n_events, n_controls, method``.
    pairs : DataFrame
        The rows of :meth:`compare`.
    n : float
    n_events : float
        With the event of interest, at whatever time.
    n_missing : int
    judged : Judged or None
        Outcome and predictions, for :meth:`roc`; never written.
    """

    kind: str
    outcome: str
    estimates: pd.DataFrame
    pairs: pd.DataFrame
    n: float
    n_events: float
    n_missing: int
    judged: Judged | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return the estimates with their limits.

        Returns
        -------
        DataFrame
            For a binary outcome ``model, auc, std_error, conf_low, conf_high, n, n_events,
            method``. For times ``model, index, time, controls, estimate, std_error, conf_low,
            conf_high, n, n_events, n_controls, method``, the index being Harrell C, Uno C or
            AUC(t), ``time`` the horizon (of C, up to when events make pairs; infinite without a
            limit), ``n_events`` and ``n_controls`` those known to be cases and controls (of C, the
            events that make pairs and the rows that outlive one).
        """
        if self.kind == "binary":
            return self.estimates.rename(columns={"estimate": "auc"})[_FIXED].copy()
        return self.estimates.copy()

    def compare(self) -> pd.DataFrame:
        """Return all pairs of models: the difference, its limits and P.

        For nested models that were both fitted on the rows tested the paired test is refused:
        limits are missing, and the P is that of the likelihood ratio, as ``method`` says.

        Returns
        -------
        DataFrame
            ``model, versus, difference`` (of the first less the second), ``std_error, conf_low,
            conf_high, statistic, p_value, method``; for times also ``index, time, controls``.
        """
        if self.kind == "binary":
            return self.pairs.drop(columns=_OF_TIMES)
        return self.pairs.copy()

    def roc(self, time: float | None = None, *, controls: str | None = None) -> pd.DataFrame:
        """Return the ROC curve of each model; a patient is positive above the threshold.

        Parameters
        ----------
        time : float, optional
            For times, the horizon; by default the first one asked for.
        controls : {"event-free", "all non-cases"}, optional
            With competing risks; the first by default.

        Returns
        -------
        DataFrame
            ``model, threshold, sensitivity, specificity, lr_positive, lr_negative``. Thresholds
            lie midway between neighbouring values, with both infinities. A likelihood ratio
            that is 0 / 0 (where all are positive, or none) is missing.

        Raises
        ------
        OptionError
            If the time is none of the horizons asked for, or the outcome is binary.
        DataNotKeptError
            After reading back from JSON.
        """
        return roc_table(self._rows(), *self._horizon(time, controls))

    def youden(self, time: float | None = None, *, controls: str | None = None) -> pd.DataFrame:
        """Return the thresholds with the largest sensitivity + specificity - 1, all of them.

        They are optimistic: found on the data on which they are judged; see
        :func:`rnetstats.cutpoint`.

        Parameters
        ----------
        time, controls
            As for :meth:`roc`.

        Returns
        -------
        DataFrame
            ``model, threshold, sensitivity, specificity, ppv, npv, tp, fp, fn, tn, youden``.

        Raises
        ------
        OptionError
            If the time is none of the horizons asked for, or the outcome is binary.
        DataNotKeptError
            After reading back from JSON.
        """
        return youden_table(self._rows(), *self._horizon(time, controls))

    def glance(self) -> pd.DataFrame:
        """Return one row: counts and options."""
        return pd.DataFrame(
            [
                {
                    "n": self.n,
                    "n_missing": self.n_missing,
                    "n_events": self.n_events,
                    "n_models": self.estimates["model"].nunique(),
                    "kind": self.kind,
                    "ci": self.options["ci"],
                    "resamples": self.options["resamples"],
                    "conf_level": self.options["conf_level"],
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the estimates as text."""
        percent = f"{100 * self.options['conf_level']:g} % CI"
        table = pd.DataFrame({"Model": self.estimates["model"].astype(str)})
        if self.kind != "binary":
            table["Index"] = [index_text(row) for row in self.estimates.to_dict("records")]
        table["N"] = [fmt_count(n) for n in self.estimates["n"]]
        table["Events"] = [fmt_count(n) for n in self.estimates["n_events"]]
        limits = zip(self.estimates["conf_low"], self.estimates["conf_high"], strict=True)
        name = "AUC" if self.kind == "binary" else "Value"
        table[f"{name} ({percent})"] = [
            f"{fmt_number(value, 3)} ({fmt_interval(*ends, 3)})"
            for value, ends in zip(self.estimates["estimate"], limits, strict=True)
        ]
        table["Method"] = self.estimates["method"].astype(str)
        return table

    def plot(
        self, ax: Axes | None = None, *, time: float | None = None, youden: bool = False
    ) -> Axes:
        """Draw the ROC curves; for times the AUC over several horizons, or the C without one.

        Parameters
        ----------
        ax : Axes, optional
        time : float, optional
            The horizon of the ROC curves, for times.
        youden : bool
            Mark the thresholds of :meth:`youden`.
        """
        from rnetstats.plots.roc import auc_over_time, index_values, roc_curves
        from rnetstats.plots.style import marked

        conf_level = self.options["conf_level"]
        horizons = usual_times(self.estimates)
        if self.kind == "binary" or time is not None or len(horizons) == 1:
            at, controls = self._horizon(time, None)
            best = self.youden(at) if youden else None
            shown = self.estimates
            if at is not None:
                shown = shown[(shown["time"] == at) & (shown["controls"].isin(["", controls]))]
                shown = shown[shown["index"] == "AUC(t)"]
            title = "" if at is None else f"Event by {self._time_name()} = {at:g}"
            names = self._shown()
            best = None if best is None else best.assign(model=best["model"].map(names))
            curves, shown = (
                part.assign(model=part["model"].map(names)) for part in (self.roc(at), shown)
            )
            axes = roc_curves(curves, shown, conf_level, best=best, title=title, ax=ax)
        elif horizons:
            shown = self.estimates[self.estimates["index"] == "AUC(t)"]
            shown = shown.assign(model=shown["model"].map(self._shown()))
            axes = auc_over_time(shown, conf_level, time=self._time_name(), ax=ax)
        else:
            rows = self.estimates.assign(
                label=[
                    f"{self._shown()[r['model']]}: {index_text(r)}"
                    for r in self.estimates.to_dict("records")
                ]
            )
            axes = index_values(rows, ax=ax)
        return marked(axes, self.synthetic)

    def _shown(self) -> dict[str, str]:
        """Name of each model as drawn: one fitted on these rows is called apparent."""
        pairs = zip(self.estimates["model"], self.estimates["method"], strict=True)
        return {
            str(model): f"{model} (apparent)" if str(method).endswith("(apparent)") else str(model)
            for model, method in pairs
        }

    def _time_name(self) -> str:
        left = parse_formula(f"{self.outcome} ~ 1").outcome
        assert left is not None
        return left.times[-1]

    def _rows(self) -> Judged:
        judged: Judged = self._need("judged", "A ROC curve")
        return judged

    def _horizon(self, time: float | None, controls: str | None) -> tuple[float | None, str]:
        """Horizon and controls of a curve, the first ones by default."""
        horizons = usual_times(self.estimates)
        if controls is not None:
            choice("controls", controls, CONTROLS)
        if self.kind == "binary" and time is not None:
            raise OptionError(f"time={time!r} is a horizon, which a binary outcome has not.")
        if time is None and horizons:
            time = horizons[0]
        if time is not None and time not in horizons:
            asked = ", ".join(f"{t:g}" for t in horizons) or "none"
            raise OptionError(
                f"time={time!r} is not among the horizons of this result ({asked}); name it in "
                "discrimination(..., time=)."
            )
        return time, controls or CONTROLS[0]


def index_text(row: Mapping[Any, Any]) -> str:
    """Name an index with its time and controls, as shown."""
    if row["index"] == "AUC(t)":
        text = f"AUC at {row['time']:g}"
    elif np.isfinite(row["time"]):
        text = f"{row['index']} to {row['time']:g}"
    else:
        text = str(row["index"])
    return f"{text}, {row['controls']} controls" if row["controls"] else text
