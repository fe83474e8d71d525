"""The information size of a meta-analysis over control risks, with what is there of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_number, fmt_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["InformationSizeResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InformationSizeResult(Result):
    """Required information sizes; see :func:`rnetstats.information_size`.

    Attributes
    ----------
    table : DataFrame
        ``control_risk, treated_risk, diversity, patients, events, patients_unadjusted,
        share_patients, share_events, detectable_low, detectable_high``: a row each control risk
        and diversity. Patients and expected events are those of both arms, rounded up; the shares
        are what is there over what is required (above 1 where more is there); the detectable
        effects, on the scale of the measure, are those that what is there can show with the same
        level and power.
    curve : DataFrame
        ``control_risk, diversity, patients, events`` over a finer grid, for the figure.
    """

    table: pd.DataFrame
    curve: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the rows."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: what was asked, and the span of the sizes."""
        names = ("measure", "effect", "alpha", "power", "allocation")
        return pd.DataFrame(
            {
                **{name: [self.options[name]] for name in names},
                "patients_low": int(self.table["patients"].min()),
                "patients_high": int(self.table["patients"].max()),
                "events_low": int(self.table["events"].min()),
                "events_high": int(self.table["events"].max()),
                "patients_there": _number(self.options["patients"]),
                "events_there": _number(self.options["events"]),
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the rows as text."""
        rows, digits = self.table, 3 if self.options["measure"] == "RD" else 2
        shown = pd.DataFrame(
            {
                "Control risk": [fmt_percent(risk) for risk in rows["control_risk"]],
                "Treated risk": [fmt_percent(risk) for risk in rows["treated_risk"]],
                "Diversity": [fmt_percent(share, 0) for share in rows["diversity"]],
                "Patients": [fmt_count(n) for n in rows["patients"]],
                "Events": [fmt_count(n) for n in rows["events"]],
            }
        )
        for column, label in (
            ("share_patients", "Patients there"),
            ("share_events", "Events there"),
        ):
            if rows[column].notna().any():
                shown[label] = [fmt_percent(share) for share in rows[column]]
        if rows["share_patients"].notna().any() or rows["share_events"].notna().any():
            shown[f"Detectable {self.options['measure']}"] = [
                _ends(low, high, digits)
                for low, high in zip(rows["detectable_low"], rows["detectable_high"], strict=True)
            ]
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the patients required over the control risk, and those that are there."""
        from rnetstats.plots.information_size import required_information
        from rnetstats.plots.style import marked

        what = f"{self.options['measure']} of {self.options['effect']:g}"
        axes = required_information(
            self.curve,
            self.table,
            there=_number(self.options["patients"]),
            title=f"To show an {what}",
            ax=ax,
        )
        return marked(axes, self.synthetic)


def _number(value: int | None) -> float:
    return math.nan if value is None else float(value)


def _ends(low: float, high: float, digits: int) -> str:
    below = "none" if math.isnan(low) else f"{fmt_number(low, digits)} or less"
    above = "none" if math.isnan(high) else f"{fmt_number(high, digits)} or more"
    return f"{below}; {above}"
