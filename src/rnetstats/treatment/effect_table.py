"""The rows of a treatment effect: one a measure, each with its estimand in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.errors import OptionError, TooFewEventsError
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.treatment.clone_censor import Strategies
from rnetstats.treatment.hazards import (
    ArmRows,
    Effect,
    hazard_ratio,
    landmark_rows,
    naive_rows,
    split_rows,
)
from rnetstats.treatment.patients import Patients
from rnetstats.treatment.words import CLONE, LANDMARK, NAIVE, TIME_DEPENDENT, Words

__all__ = [
    "COLUMNS",
    "MANY",
    "display_table",
    "hazard_rows",
    "landmark_table",
    "listed",
    "numbered",
    "strategy_rows",
]

COLUMNS = (
    "method",
    "estimand",
    "endpoint",
    "measure",
    "n_treated",
    "n_untreated",
    "n_excluded",
    "events_treated",
    "events_untreated",
    "estimate",
    "conf_low",
    "conf_high",
    "p_value",
    "horizon",
    "landmark",
    "limits",
    "reason",
)
MANY = 20  # events from which a curve over landmarks is drawn


def hazard_rows(
    patients: Patients,
    words: Words,
    methods: tuple[str, ...],
    landmarks: tuple[float, ...],
    conf_level: float,
) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """Yield the hazard ratios asked for, each with its notes."""
    asked: list[tuple[str, str, float, ArmRows]] = []
    if NAIVE in methods:
        asked.append((NAIVE, words.naive(), np.nan, naive_rows(patients)))
    if TIME_DEPENDENT in methods:
        asked.append((TIME_DEPENDENT, words.time_dependent(), np.nan, split_rows(patients)))
    if LANDMARK in methods:
        asked += [
            (LANDMARK, words.landmark(time), time, landmark_rows(patients, time))
            for time in landmarks
        ]
    for method, estimand, landmark, rows in asked:
        effect = _at_landmark(rows, landmark, patients, conf_level)
        name = method if np.isnan(landmark) else f"{method} at {patients.at(landmark)}"
        yield (
            {
                "method": method,
                "estimand": estimand,
                "endpoint": patients.labels["endpoint"],
                "measure": "HR",
                **_counted(rows),
                **_numbers(effect),
                "horizon": np.nan,
                "landmark": landmark,
                "limits": "Firth, profile penalized likelihood",
            },
            tuple(f"{name}: {note}." for note in effect.notes),
        )


def _at_landmark(rows: ArmRows, landmark: float, patients: Patients, conf_level: float) -> Effect:
    if not rows.stop.size:
        return Effect(reason=f"no patient is free of the event and followed at {landmark:g}")
    effect = hazard_ratio(rows, conf_level)
    if not np.isnan(landmark) and not rows.event.any():
        last = patients.stop[patients.event].max(initial=0.0)
        end = f"; the last one is at {last:g}" if last else ""
        return Effect(reason=f"no event after {patients.at(landmark)}{end}")
    return effect


def _counted(rows: ArmRows) -> dict[str, int]:
    events = rows.events
    return {
        "n_treated": rows.n_treated,
        "n_untreated": rows.n_untreated,
        "n_excluded": rows.n_excluded,
        "events_treated": events[0],
        "events_untreated": events[1],
    }


def _numbers(effect: Effect) -> dict[str, Any]:
    return {
        "estimate": effect.estimate,
        "conf_low": effect.conf_low,
        "conf_high": effect.conf_high,
        "p_value": effect.p_value,
        "reason": effect.reason,
    }


def strategy_rows(
    found: Strategies, patients: Patients, words: Words, horizon: float, resamples: int
) -> list[dict[str, Any]]:
    """Return the measures of both strategies."""
    counts = found.counts
    return [
        {
            "method": CLONE,
            "estimand": words.contrast(measure, horizon),
            "endpoint": patients.labels["endpoint"],
            "measure": measure,
            "n_treated": counts.n_treated,
            "n_untreated": counts.n_untreated,
            "n_excluded": 0,
            "events_treated": counts.events_treated,
            "events_untreated": counts.events_untreated,
            **_numbers(effect),
            "horizon": horizon,
            "landmark": np.nan,
            "limits": f"percentiles of {resamples} resamples of patients" if resamples else "none",
        }
        for measure, effect in found.effects.items()
    ]


def landmark_table(
    patients: Patients, landmarks: tuple[float, ...], conf_level: float
) -> pd.DataFrame:
    """Hazard ratios over landmarks: one a row, with counts and the reason for gaps.

    Raises
    ------
    TooFewEventsError
        With fewer than 20 events.
    OptionError
        Without landmarks.
    """
    events = int(patients.event.sum())
    if events < MANY:
        raise TooFewEventsError(
            f"A curve over landmarks needs {MANY} events or more; there are {events} of "
            f"{patients.labels['endpoint']}. The landmarks fixed beforehand stand in the table."
        )
    if not landmarks:
        raise OptionError("A curve over landmarks needs times, such as [1, 2, 3, 4, 5, 6].")
    rows = []
    for time in landmarks:
        arms = landmark_rows(patients, time)
        effect = _at_landmark(arms, time, patients, conf_level)
        rows.append({"landmark": time, "measure": "HR", **_counted(arms), **_numbers(effect)})
    return pd.DataFrame(rows)


def display_table(table: pd.DataFrame, conf_level: float, *, short: bool) -> pd.DataFrame:
    """Return the rows as text.

    In short, rows have the numbers under which :func:`numbered` writes their estimands out, and a
    column that would be empty is left out; else an estimand is written out once.
    """
    shown = []
    before = ""
    for number, row in enumerate(table.to_dict("records"), start=1):
        estimate, interval = _texts({str(key): value for key, value in row.items()})
        estimand, reason = str(row["estimand"]), str(row["reason"])
        shown.append(
            {
                "Row": str(number),
                "Method": str(row["method"])
                + ("" if np.isnan(row["landmark"]) else f" at {row['landmark']:g}"),
                "What is compared": "as above" if estimand == before else estimand,
                "Measure": str(row["measure"]),
                "Treated: events/patients": _share(row["events_treated"], row["n_treated"]),
                "Untreated: events/patients": _share(row["events_untreated"], row["n_untreated"]),
                "Left out": fmt_count(row["n_excluded"]),
                "Estimate": estimate,
                f"{100 * conf_level:g} % CI": interval,
                "P": fmt_p(row["p_value"]),
                "Why not more": reason.partition(",")[0] if short else reason,
            }
        )
        before = estimand
    found = pd.DataFrame(shown)
    if not short:
        return found.drop(columns="Row")
    found = found.drop(columns="What is compared")
    nothing = {"Left out": table["n_excluded"].eq(0), "Why not more": table["reason"].eq("")}
    return found.drop(columns=[name for name, none in nothing.items() if none.all()])


def numbered(table: pd.DataFrame) -> list[str]:
    """Return the estimand of each row in words, under its number in the short table."""
    return [f"Row {number}: {words}." for number, words in enumerate(table["estimand"], start=1)]


def listed(shown: pd.DataFrame) -> pd.DataFrame:
    """Return the texts ``estimand, name, counts, estimate`` of each row, for a figure."""
    limits = next(name for name in shown.columns if name.endswith(" CI"))
    rows = []
    for row in shown.to_dict("records"):
        given = f" ({limits} {row[limits]}; P {row['P']})"
        only = f" ({row['Why not more'].partition(',')[0]})" if row["Why not more"] else ""
        rows.append(
            {
                "estimand": row["What is compared"],
                "name": f"{row['Method']}: {row['Measure']}",
                "counts": f"events {row['Treated: events/patients']} treated, "
                f"{row['Untreated: events/patients']} untreated",
                "estimate": f"{row['Estimate']}{only or given.replace('; P –', '')}",
            }
        )
    return pd.DataFrame(rows)


def _share(events: float, n: float) -> str:
    return f"{fmt_count(events)}/{fmt_count(n)}"


def _texts(row: dict[str, Any]) -> tuple[str, str]:
    """Risks in per cent, differences in percentage points, the rest as numbers."""
    low, high, value = row["conf_low"], row["conf_high"], row["estimate"]
    if row["measure"].startswith("risk,"):
        return fmt_percent(value), fmt_interval(100.0 * low, 100.0 * high, 1)
    if row["measure"] == "risk difference":
        text = fmt_number(100.0 * value, 1)
        known = "" if np.isnan(value) else " points"
        return f"{text}{known}", fmt_interval(100.0 * low, 100.0 * high, 1)
    digits = 1 if row["measure"].startswith("RMST") else 2
    return fmt_number(value, digits), fmt_interval(low, high, digits)
