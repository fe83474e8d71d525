"""A drawn cohort: its rows, the truth behind them, and how close it comes to what is printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_number
from rnetstats.simulation.truth import Truth

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DrawnCohort"]

_COUNTS = {
    "patients": "n",
    "positive margins": "n_margin_positive",
    "recurrences": "n_recurrences",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DrawnCohort(Result):
    """A synthetic cohort with the truth it was drawn from.

    Attributes
    ----------
    name : str
        The recipe's name.
    truth : Truth
        Coefficients and true values of the estimands; computed when first asked for, since that
        takes longer than the draw.
    fidelity : DataFrame
        ``quantity, published, standing, drawn, tolerance, met``.
    data : DataFrame
        One row a patient, as a registry would record it.
    latent : DataFrame
        Unrounded values and latent times, row by row (never written to JSON, like ``data``).
    """

    name: str
    truth: Truth
    fidelity: pd.DataFrame
    data: pd.DataFrame = field(default=None, metadata={"rows": True})  # type: ignore[assignment]
    latent: pd.DataFrame = field(default=None, metadata={"rows": True})  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if callable(self.truth):
            object.__setattr__(self, "_make_truth", self.truth)
            object.__delattr__(self, "truth")

    def __getattr__(self, name: str) -> Any:
        """Compute the truth, the only field that may be absent, and keep it."""
        if name != "truth" or "_make_truth" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        object.__setattr__(self, "truth", self.__dict__["_make_truth"]())
        return self.__dict__["truth"]

    def to_frame(self) -> pd.DataFrame:
        """Return the table of fidelity."""
        return self.fidelity.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: recipe, truth, and the totals drawn that its study prints."""
        drawn = self.fidelity.set_index("quantity")["drawn"]
        counts = {new: [int(drawn[old])] for old, new in _COUNTS.items() if old in drawn.index}
        median = "median follow-up (months)"
        follow_up = {"median_follow_up": [float(drawn[median])]} if median in drawn.index else {}
        return pd.DataFrame(
            {
                "recipe": [self.name],
                "truth": [self.options["truth"]],
                "totals": [self.options["totals"]],
                **counts,
                **follow_up,
                "synthetic": [True],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table of fidelity as text."""
        shown = self.fidelity.copy()
        for name in ("published", "drawn", "tolerance"):
            shown[name] = [fmt_number(v, 0 if v == round(v) else 1) for v in shown[name]]
        shown["met"] = ["yes" if met else "no" for met in shown["met"]]
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each patient's follow-up by calendar date of enrolment, recurrences marked.

        Cohorts without such dates show instead how close they come to what is printed.
        """
        rows = self._need("data", "The plot of follow-up")
        from rnetstats.plots.style import marked

        if "enrolment_date" not in rows:
            from rnetstats.plots.fidelity import fidelity_plot

            return marked(fidelity_plot(self.fidelity, ax=ax), True)
        from rnetstats.plots.simulated import follow_up_by_enrolment

        return marked(follow_up_by_enrolment(rows, ax=ax), True)
