"""The result of a stability analysis: how far predictions for the same patients move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.formatting import fmt_number, fmt_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["StabilityResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StabilityResult(Result):
    """Instability of a model's predictions; see :func:`stability`.

    Attributes
    ----------
    summary : dict
        The fields of :meth:`glance`.
    classification_table, calibration_table, benefit_table : dict
        The columns of :meth:`classification`, :meth:`calibration` and :meth:`net_benefit`.
    patient_table : dict or None
        The columns of :meth:`patients`; never written.
    """

    summary: dict[str, Any]
    classification_table: dict[str, Any]
    calibration_table: dict[str, Any]
    benefit_table: dict[str, Any]
    patient_table: dict[str, Any] | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return :meth:`classification`, one row a threshold."""
        return self.classification()

    def glance(self) -> pd.DataFrame:
        """Return one row: mean absolute prediction error (MAPE), its quantiles, width of limits."""
        return pd.DataFrame([self.summary])

    def patients(self) -> pd.DataFrame:
        """Return one row a patient: ``risk, conf_low, conf_high, mape``.

        The limits hold the central part (``conf_level``, by default 95 %) of the risks that the
        resampled models give.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        """
        return pd.DataFrame(self._need("patient_table", "Instability by patient"))

    def classification(self) -> pd.DataFrame:
        """Return ``threshold, instability, unstable``: at each threshold the mean share of
        resampled models that put a patient on the other side, and the share of patients for whom
        more than 10 % do.
        """  # noqa: D205
        return pd.DataFrame(self.classification_table)

    def calibration(self) -> pd.DataFrame:
        """Return the calibration curve of each resampled model on the data: ``model, predicted,
        observed``; model 0 is the original.
        """  # noqa: D205
        return pd.DataFrame(self.calibration_table)

    def net_benefit(self) -> pd.DataFrame:
        """Return net benefit of each resampled model: columns ``model, threshold, net_benefit``;
        model 0 is the original.
        """  # noqa: D205
        return pd.DataFrame(self.benefit_table)

    def display(self) -> pd.DataFrame:
        """Return the summary as text."""
        about, level = self.summary, f"{100 * self.options['conf_level']:g} %"
        rows = [
            ("Patients", f"{about['n']:,}"),
            ("Resampled models", f"{about['resamples'] - about['n_failed']:,}"),
            ("Mean absolute prediction error", fmt_percent(about["mape"])),
            ("Largest error of a patient", fmt_percent(about["mape_max"])),
            (f"Median width of the central {level}", fmt_percent(about["width_median"])),
            ("Smallest calibration slope of a model", fmt_number(about["slope_low"])),
            ("Largest calibration slope of a model", fmt_number(about["slope_high"])),
        ]
        return pd.DataFrame(rows, columns=["Stability", "Value"])

    def plot(self, ax: Axes | None = None, *, kind: str = "prediction") -> Axes:
        """Draw one of the instability plots.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default a new figure.
        kind : {"prediction", "mape", "calibration", "classification", "net_benefit"}
        """
        from rnetstats.plots import stability as drawn
        from rnetstats.plots.style import marked

        choice("kind", kind, ("prediction", "mape", "calibration", "classification", "net_benefit"))
        if kind in ("prediction", "mape"):
            level = self.options["conf_level"]
            axes = drawn.draw_patients(self.patients(), kind, conf_level=level, ax=ax)
        elif kind == "classification":
            axes = drawn.draw_classification(self.classification(), ax=ax)
        elif kind == "calibration":
            axes = drawn.draw_calibration(self.calibration(), ax=ax)
        else:
            axes = drawn.draw_net_benefit(self.net_benefit(), ax=ax)
        return marked(axes, self.synthetic)
