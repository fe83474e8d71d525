"""Curves beside a treatment effect: Simon and Makuch's, after landmarks, and of strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats.formatting import inside
from rnetstats.survival.curve_tables import risk_before
from rnetstats.survival.kaplan_meier import KaplanMeierResult, kaplan_meier
from rnetstats.survival.ticks import round_times
from rnetstats.treatment.hazards import FEW, ArmRows, landmark_rows, split_rows
from rnetstats.treatment.patients import Patients

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "draw_arms",
    "draw_landmarks",
    "draw_strategies",
    "landmark_curves",
    "simon_makuch",
]

ARMS = ("not yet treated", "treated")


def _arm_curves(
    rows: ArmRows,
    patients: Patients,
    arms: tuple[str, str],
    *,
    since: float,
    conf_level: float,
    synthetic: bool,
) -> KaplanMeierResult | None:
    """Kaplan-Meier curves of untreated and treated rows; None without both arms."""
    if not rows.n_treated or not rows.n_untreated:
        return None
    frame = pd.DataFrame(
        {
            "time": rows.stop,
            "event": rows.event.astype(int),
            "start": rows.start,
            "arm": pd.Categorical(np.where(rows.treated, arms[1], arms[0]), categories=arms),
        }
    )
    frame.attrs["rnetstats"] = {
        "labels": {"time": patients.labels["time"], "event": patients.labels["event"]},
        "synthetic": synthetic,
    }
    left = "Surv(time, event)" if since == rows.start.max() else "Surv(start, time, event)"
    return kaplan_meier(frame, f"{left} ~ arm", conf_level=conf_level)


def simon_makuch(
    patients: Patients, *, since: float, conf_level: float, synthetic: bool
) -> KaplanMeierResult | None:
    """Curves with the treatment as it changes: patients change curves when they are treated.

    References
    ----------
    Simon R, Makuch RW (1984). A non-parametric graphical representation of the relationship between
    survival and the occurrence of an event. Statistics in Medicine 3:35-44.
    """
    rows = split_rows(patients, since)
    return _arm_curves(
        rows, patients, ARMS, since=since, conf_level=conf_level, synthetic=synthetic
    )


def landmark_curves(
    patients: Patients, landmark: float, *, conf_level: float, synthetic: bool
) -> KaplanMeierResult | None:
    """Curves from a landmark on, of those treated by it and the others."""
    at = patients.at(landmark)
    arms = (f"not treated by {at}", f"treated by {at}")
    rows = landmark_rows(patients, landmark)
    return _arm_curves(
        rows, patients, arms, since=landmark, conf_level=conf_level, synthetic=synthetic
    )


def draw_arms(
    curves: KaplanMeierResult, ax: Axes | None, *, since: float = 0.0, **options: Any
) -> Axes:
    """Draw both arms; no band where an arm has too few events for one."""
    from rnetstats.plots.curves import survival_curves
    from rnetstats.plots.style import MUTED, marked

    times = round_times(float(curves.curves["time"].max()), 8, curves.labels["time"])
    risk = curves.risk_table(times)
    few = bool((curves.groups["n_events"] < FEW).any())
    options.setdefault("band", False if few else None)
    options.setdefault("y_label", f"Free of {inside(curves.labels['event'])}")
    options.setdefault("first", curves.groups[["group", "first_low", "first_high"]])
    labels = {**curves.labels, "group": ""}
    axes = survival_curves(
        curves.to_frame(),
        risk,
        labels=labels,
        conf_level=curves.options["conf_level"],
        ax=ax,
        **options,
    )
    if since > 0.0:
        axes.axvline(since, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    return marked(axes, curves.synthetic)


def draw_strategies(
    curves: pd.DataFrame,
    labels: dict[str, str],
    ax: Axes | None,
    *,
    conf_level: float,
    synthetic: bool,
    **options: Any,
) -> Axes:
    """Draw the weighted curves of both strategies, clones at risk counted without weights."""
    from rnetstats.plots.curves import survival_curves
    from rnetstats.plots.style import marked

    times = round_times(float(curves["time"].max()), 8, labels["time"])
    parts = []
    for group in dict.fromkeys(curves["group"]):
        own = curves[curves["group"] == group]
        n_risk = risk_before(own, None, np.asarray(times))
        parts.append(pd.DataFrame({"group": group, "time": times, "n_risk": n_risk}))
    options.setdefault("y_label", f"Free of {inside(labels['event'])} (weighted)")
    options.setdefault("censor", False)
    axes = survival_curves(
        curves,
        pd.concat(parts, ignore_index=True),
        labels={**labels, "group": ""},
        conf_level=conf_level,
        ax=ax,
        **options,
    )
    return marked(axes, synthetic)


def draw_landmarks(
    table: pd.DataFrame, label: str, ax: Axes | None, *, conf_level: float, synthetic: bool
) -> Axes:
    """Draw the hazard ratio over landmarks, each with its own patients."""
    from rnetstats.plots.landmarks import landmark_ratios
    from rnetstats.plots.style import marked

    return marked(landmark_ratios(table, label=label, conf_level=conf_level, ax=ax), synthetic)
