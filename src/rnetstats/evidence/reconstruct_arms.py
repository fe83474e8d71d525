"""One arm after the other: from checked points and numbers at risk to pseudo-patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.evidence.reconstruct_points import CleanCurve
from rnetstats.evidence.reconstruct_risk import AtRisk, with_points
from rnetstats.formatting import fmt_count, fmt_number
from rnetstats.kernels.guyot import PseudoCounts, pseudo_counts, pseudo_times

__all__ = ["Arm", "ReconstructedArm", "reconstruct_arm"]

_FAR = 0.03  # distance of the curves that is worth a word


@dataclass(frozen=True)
class Arm:
    """What is known of one arm."""

    label: str
    curve: CleanCurve
    risk: AtRisk
    events: int | None


@dataclass(frozen=True)
class ReconstructedArm:
    """Frames of one arm, and what is to be said of it."""

    data: pd.DataFrame
    curve: pd.DataFrame
    at_risk: pd.DataFrame
    summary: dict[str, Any]
    notes: tuple[str, ...]


def reconstruct_arm(arm: Arm, name: str, *, iterate: bool) -> ReconstructedArm:
    """Reconstruct one arm.

    Parameters
    ----------
    arm : Arm
    name : str
        The arm, as notes begin: empty or ``"A: "``.
    iterate : bool
        Whether the total of events is met by changing the censorings after the last at-risk time.
    """
    curve, added = with_points(arm.curve, arm.risk)
    counts = pseudo_counts(
        curve.time,
        curve.survival,
        arm.risk.time,
        arm.risk.number,
        events=arm.events,
        iterate=iterate,
    )
    time, event = pseudo_times(counts, curve.time)
    compared = _compared(arm.label, curve, counts)[~added]
    table = _at_risk(arm, counts)
    summary = _summary(arm, compared, len(time), int(event.sum()))
    return ReconstructedArm(
        data=pd.DataFrame({"group": arm.label, "time": time, "event": event.astype(np.int64)}),
        curve=compared.reset_index(drop=True),
        at_risk=table,
        summary=summary,
        notes=(*arm.curve.notes, *arm.risk.notes, *_notes(name, arm, table, summary)),
    )


def _compared(label: str, curve: CleanCurve, counts: PseudoCounts) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": label,
            "time": curve.time,
            "survival": curve.survival,
            "reconstructed": counts.survival,
            "difference": counts.survival - curve.survival,
            "n_event": counts.events,
            "n_censor": counts.censored,
        }
    )


def _at_risk(arm: Arm, counts: PseudoCounts) -> pd.DataFrame:
    """The table given and reached, with what happens in each interval."""
    bounds = list(zip(counts.first, counts.last, strict=True))
    return pd.DataFrame(
        {
            "group": arm.label,
            "time": arm.risk.time,
            "n_risk": arm.risk.number,
            "reached": counts.at_risk,
            "n_event": [int(counts.events[a : b + 1].sum()) for a, b in bounds],
            "n_censor": [int(counts.censored[a : b + 1].sum()) for a, b in bounds],
            "first_point": counts.first + 1,
            "last_point": counts.last + 1,
        }
    )


def _summary(arm: Arm, compared: pd.DataFrame, n: int, events: int) -> dict[str, Any]:
    gap = compared["difference"].abs().to_numpy(float)
    return {
        "group": arm.label,
        "n": n,
        "n_events": events,
        "events_given": float("nan") if arm.events is None else float(arm.events),
        "n_points": arm.curve.given,
        "n_used": len(arm.curve.time),
        "largest_distance": float(gap.max()),
        "distance_at": float(compared["time"].iloc[int(gap.argmax())]),
        "rmse": float(np.sqrt(np.mean(gap**2))),
    }


def _notes(name: str, arm: Arm, table: pd.DataFrame, summary: dict[str, Any]) -> list[str]:
    notes, events = [], summary["n_events"]
    missed = table[table["reached"] != table["n_risk"]]
    if len(missed):
        first = missed.iloc[0]
        notes.append(
            f"{name}{fmt_count(len(missed))} of {fmt_count(len(table))} numbers at risk are not "
            f"reached, the first at time {first['time']:g}: {first['n_risk']} given, "
            f"{first['reached']} reached. The curve falls further than the table allows."
        )
    if arm.events is not None and events != arm.events:
        notes.append(
            f"{name}{fmt_count(arm.events)} events were given, and {fmt_count(events)} are "
            "reached: with censorings spread evenly, as they are here, the curve, its numbers at "
            "risk and the total do not go together."
        )
    if summary["largest_distance"] > _FAR:
        notes.append(
            f"{name}The reconstructed curve is {fmt_number(summary['largest_distance'], 3)} away "
            f"from the points at time {summary['distance_at']:g}: whole patients round as much "
            "where few are at risk; elsewhere curve and numbers contradict each other."
        )
    if len(table) == 1 and arm.events is None:
        notes.append(
            f"{name}With neither numbers at risk after time 0 nor a total of events nobody is "
            "taken to be censored before the curve's last point: too many events where someone was."
        )
    return notes
