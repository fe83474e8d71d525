"""An arm without an event in any study: bounds, but no limits by inverse variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import TooFewEventsError
from rnetstats.evidence.meta_measures import Measure
from rnetstats.evidence.rare_rows import closed_rows
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_percent
from rnetstats.kernels.mantel_haenszel import Tables
from rnetstats.tables.exact_rate_ratio import exact_rate_ratio
from rnetstats.tables.proportion_limits import clopper_pearson_limits
from rnetstats.tables.two_proportions import miettinen_nurminen_limits

__all__ = ["NO_LIMITS", "Arms", "arms_of", "bounds_text", "empty_note", "refuse_without_events"]

NO_LIMITS = (
    "No limits, P or prediction interval where an arm has no event (or nothing else) in any of the "
    "studies: the estimate then rests on what was added to zero cells."
)

_ONE = "the studies pooled taken as one"

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Arms:
    """Counts of both arms, a row a study.

    Attributes
    ----------
    events, size : (k, 2)
        ``size`` is patients, or person-time.
    rates : bool
        Whether it is person-time.
    """

    events: Floats
    size: Floats
    rates: bool

    def silent(self, held: Flags | None = None) -> list[list[str]]:
        """Return for each set and arm ``"none"``, ``"all"`` or "".

        Parameters
        ----------
        held : (B, k) of bool, optional
            The studies of each set; all of them, as one set, by default.
        """
        sets = np.ones((1, len(self.events)), dtype=bool) if held is None else held
        events, size = sets @ self.events, sets @ self.size
        none, everyone = events == 0.0, (events == size) & (not self.rates)
        return np.where(none, "none", np.where(everyone, "all", "")).tolist()  # type: ignore[no-any-return]

    def empty(self, held: Flags | None = None) -> Flags:
        """Say of each set whether an arm has no event, or nothing but events."""
        return np.array([any(arms) for arms in self.silent(held)], dtype=bool)


def arms_of(studies: pd.DataFrame) -> Arms | None:
    """Return the counts of both arms; None where studies came as means or estimates."""
    for size, rates in (("n", False), ("time", True)):
        names = [f"events_{arm}" for arm in "12"], [f"{size}_{arm}" for arm in "12"]
        if {*names[0], *names[1]} <= set(studies.columns):
            events, sizes = (studies[part].to_numpy(dtype=float) for part in names)
            return Arms(events, sizes, rates)
    return None


def refuse_without_events(studies: pd.DataFrame, measure: Measure, conf_level: float) -> None:
    """Refuse to pool where no study has an event (or none anything else), and give the bounds.

    Raises
    ------
    TooFewEventsError
    """
    arms = arms_of(studies)
    if arms is None:
        return
    silent = arms.silent()[0]
    if silent not in (["none", "none"], ["all", "all"]):
        return
    what = "No study had an event in either arm"
    if silent[0] == "all":
        what = "Every patient of every study had the event"
    raise TooFewEventsError(
        f"{what}: no {measure.words} can be estimated. {bounds_text(arms, conf_level)}"
    )


def bounds_text(arms: Arms, conf_level: float) -> str:
    """Bound the risk, or the rate, of each arm in which all patients went the same way."""
    said, side = [], "upper"
    for arm, silent in enumerate(arms.silent()[0]):
        total = float(arms.size[:, arm].sum())
        if not silent:
            continue
        if arms.rates:
            high = -np.log((1.0 - conf_level) / 2.0) / total
            said.append(f"{fmt_number(high, 3)} in arm {arm + 1} (0 in {fmt_number(total)})")
            continue
        count = total if silent == "all" else 0.0
        low, high = clopper_pearson_limits(count, total, conf_level)
        side, limit = ("lower", low) if silent == "all" else ("upper", high)
        counts = f"{fmt_count(count)} of {fmt_count(total)}"
        said.append(f"{fmt_percent(float(limit), 2)} in arm {arm + 1} ({counts})")
    what = "rate" if arms.rates else "risk"
    limits = "limits" if len(said) > 1 else "limit"
    return (
        f"Exact {side} {100 * conf_level:g} % {limits} of the {what}, if it is one for all "
        f"studies: {' and '.join(said)}."
    )


def empty_note(arms: Arms | None, measure: Measure, conf_level: float) -> list[str]:
    """Say why a pooled effect has no limits, and what bounds it all the same."""
    if arms is None or not arms.empty()[0]:
        return []
    arm, silent = next((i, what) for i, what in enumerate(arms.silent()[0]) if what)
    where = f"in arm {arm + 1} of any study" if silent == "none" else f"in arm {arm + 1}"
    what = "no event" if silent == "none" else "nothing but events"
    return [
        f"There is {what} {where}: the pooled effect rests on what was added to zero cells, and "
        "gets no limits, P or prediction interval by inverse variance. "
        f"{_bound(arms, measure, conf_level)}"
    ]


def _bound(arms: Arms, measure: Measure, conf_level: float) -> str:
    """What can be said of the effect without a variance."""
    (x1, x2), (m1, m2) = arms.events.sum(axis=0), arms.size.sum(axis=0)
    level = f"{100 * conf_level:g} %"
    if measure.name == "IRD":
        return bounds_text(arms, conf_level)
    if measure.name == "IRR":
        row = exact_rate_ratio(int(x1), m1, int(x2), m2, conf_level=conf_level).method("central")
        limits = fmt_interval(float(row["conf_low"]), float(row["conf_high"]))
        return f"Exact {level} limits of the rate ratio, {_ONE}: {limits}."
    if measure.name == "OR":
        (a, c), (n1, n2) = arms.events.T, arms.size.T
        rows = closed_rows(Tables.of(a, n1, c, n2), "OR", conf_level)
        exact = next(row for row in rows if row.method == "exact")
        low, high = np.exp(exact.low), np.exp(exact.high)
        if np.isnan(low + high):
            return bounds_text(arms, conf_level)
        return (
            f"Exact conditional {level} limits, with one odds ratio for all studies: "
            f"{fmt_interval(float(low), float(high))}."
        )
    kind = "ratio" if measure.name == "RR" else "difference"
    low, high = miettinen_nurminen_limits(x1, m1, x2, m2, conf_level, measure=kind)
    digits = 2 if kind == "ratio" else 3
    return (
        f"Miettinen and Nurminen's {level} limits of the {measure.words}, {_ONE}: "
        f"{fmt_interval(float(low), float(high), digits)}."
    )
