"""Pseudo-patients reconstructed from survival curves, with what they reach and what they miss."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_number
from rnetstats.survival.kaplan_meier import KaplanMeierResult, kaplan_meier

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LIMITS", "ReconstructedSurvival"]

LIMITS = (
    "Pseudo-patients, not patients: their events follow the published curve, but the times of "
    "censoring are spread evenly, and no covariate, no subgroup and no link to another endpoint "
    "can be had from a curve.",
    "Standard errors of what is fitted to them leave out the error of digitising and "
    "reconstructing; arms compared with them are compared without adjustment.",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ReconstructedSurvival(Result):
    """Pseudo-patients of one or more arms; see :func:`reconstruct_survival`.

    Attributes
    ----------
    data : DataFrame or None
        ``group, time, event``: a row a pseudo-patient, by arm and time; never written.
    curve : DataFrame
        ``group, time, survival, reconstructed, difference, n_event, n_censor``: the cleaned
        points, the product-limit estimate of the pseudo-patients there, events at the point and
        censorings from it to the next.
    at_risk_table : DataFrame
        ``group, time, n_risk, reached, n_event, n_censor, first_point, last_point``: the numbers
        given and those reached at the interval's first point, what happens from this time to the
        next of the table, and the points (from 1) between. Who is left after the last point is
        counted in no interval.
    groups : DataFrame
        ``group, n, n_events, events_given, n_points, n_used, largest_distance, distance_at,
        rmse``; distances of the two curves on the scale of survival.
    """

    data: pd.DataFrame | None = field(default=None, metadata={"rows": True})
    curve: pd.DataFrame
    at_risk_table: pd.DataFrame
    groups: pd.DataFrame

    @property
    def largest_distance(self) -> float:
        """Largest distance between the digitised and the reconstructed curve, over all arms."""
        return float(self.groups["largest_distance"].max())

    def to_frame(self) -> pd.DataFrame:
        """Return the at-risk table, as given and as reached."""
        return self.at_risk_table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: patients, events, points used, and the distance of the curves."""
        return pd.DataFrame(
            {
                "n": [int(self.groups["n"].sum())],
                "n_events": int(self.groups["n_events"].sum()),
                "n_groups": len(self.groups),
                "n_points": int(self.groups["n_points"].sum()),
                "n_used": int(self.groups["n_used"].sum()),
                "largest_distance": self.largest_distance,
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the at-risk table as text, the arms and how far they are off in front."""
        arms = self.groups.set_index("group")
        table = self.at_risk_table
        first = ~table["group"].duplicated()

        def once(name: str, digits: int | None = None) -> list[str]:
            return [
                (
                    ""
                    if not lead
                    else fmt_count(arms.loc[group, name])
                    if digits is None
                    else fmt_number(arms.loc[group, name], digits)
                )
                for group, lead in zip(table["group"], first, strict=True)
            ]

        shown = pd.DataFrame(
            {
                "Arm": [g if lead else "" for g, lead in zip(table["group"], first, strict=True)],
                "N": once("n"),
                "Events": once("n_events"),
                "Largest distance": once("largest_distance", 4),
                "Time": [f"{time:g}" for time in table["time"]],
            }
        )
        names = {
            "n_risk": "At risk, given",
            "reached": "At risk, reached",
            "n_event": "Events until the next time",
            "n_censor": "Censored until the next time",
        }
        for name, label in names.items():
            shown[label] = [fmt_count(number) for number in table[name]]
        return shown if len(arms) > 1 else shown.drop(columns="Arm")

    def fit(self, **options: Any) -> KaplanMeierResult:
        """Return the Kaplan-Meier curves of the pseudo-patients.

        Parameters
        ----------
        **options
            Those of :func:`rnetstats.kaplan_meier`, such as ``ci`` or ``conf_level``.

        Raises
        ------
        DataNotKeptError
            After reading the result back from JSON.
        """
        rows = self._need("data", "fit()")
        formula = f"Surv(time, event) ~ {'group' if len(self.groups) > 1 else '1'}"
        fitted = kaplan_meier(rows, formula, **options)
        return replace(fitted, notes=(*fitted.notes, *LIMITS), synthetic=self.synthetic)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the digitised points and the reconstructed curves over each other."""
        from rnetstats.plots.reconstruction import overlaid_curves
        from rnetstats.plots.style import marked

        axes = overlaid_curves(self.curve, self.groups, self.at_risk_table, ax=ax)
        return marked(axes, self.synthetic)
