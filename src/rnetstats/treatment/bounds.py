"""The bounds themselves: risk, rate and survival of one group, two-sided and one-sided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnetstats.tables.exact_proportion import exact_proportion
from rnetstats.tables.exact_rate import exact_rate

__all__ = ["BOUND_COLUMNS", "Followed", "bounds_of"]

BOUND_COLUMNS = (
    "group",
    "measure",
    "method",
    "sides",
    "time",
    "n",
    "events",
    "person_time",
    "estimate",
    "conf_low",
    "conf_high",
)
_YEAR = 365.25
_PER = 100.0  # patient-years


@dataclass(frozen=True)
class Followed:
    """What is known of one group.

    Attributes
    ----------
    group : str
    n : int or None
    events : int
    person_time : float or None
        In the unit of the data; or a bound from below.
    least : bool
        Whether the person-time is such a bound.
    survival : DataFrame
        ``sides, time, n, estimate, conf_low, conf_high``, possibly without rows.
    """

    group: str
    n: int | None
    events: int
    person_time: float | None
    least: bool
    survival: pd.DataFrame


def bounds_of(part: Followed, unit_days: float, conf_level: float) -> list[dict[str, Any]]:
    """Return the rows of one group."""
    years = math.nan if part.person_time is None else part.person_time * unit_days / _YEAR
    shared = {
        "group": part.group,
        "time": math.nan,
        "n": math.nan if part.n is None else part.n,
        "events": part.events,
        "person_time": years,
    }
    rows = [*_risks(part, conf_level), *_rates(part, years, conf_level)]
    found = [{**shared, **row} for row in rows]
    survival: list[dict[str, Any]] = part.survival.to_dict("records")  # type: ignore[assignment]
    method = {"measure": "survival", "method": "beta product (BPCP)"}
    return [*found, *({**shared, **method, **row} for row in survival)]


def _risks(part: Followed, conf_level: float) -> list[dict[str, Any]]:
    if part.n is None:
        return []
    exact = exact_proportion(part.events, part.n, conf_level=conf_level)
    shared = {"measure": "risk", "estimate": part.events / part.n}
    rows = [
        {**shared, **_limits(exact.method(name, None), sides), "method": "Clopper-Pearson"}
        for name, sides in (("central", "two-sided"), ("one-sided upper", "one-sided"))
    ]
    if (exact.limits["method"] == "rule-of-three").any():
        three = _limits(exact.method("rule-of-three"), "one-sided")
        rows.append({**shared, **three, "method": "rule of three"})
    return rows


def _rates(part: Followed, years: float, conf_level: float) -> list[dict[str, Any]]:
    """Exact limits; of a person-time that is only bounded, the upper ones alone."""
    if part.person_time is None:
        return []
    exact = exact_rate(part.events, years / _PER, conf_level=conf_level)
    rows = []
    for name, sides in (("central", "two-sided"), ("one-sided upper", "one-sided")):
        row = {**_limits(exact.method(name), sides), "method": "exact Poisson"}
        estimate = part.events * _PER / years
        if part.least:
            row["conf_low"], row["method"] = 0.0, "exact Poisson, least person-time"
            estimate = estimate if part.events == 0 else math.nan
        rows.append({"measure": "rate", **row, "estimate": estimate})
    return rows


def _limits(row: pd.Series, sides: str) -> dict[str, Any]:
    low, high = float(row["conf_low"]), float(row["conf_high"])
    return {"sides": sides, "conf_low": low, "conf_high": high}
