"""Rows split at times, and the columns of a term whose coefficient changes over time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from rnetstats.errors import BudgetError, OptionError, TooFewEventsError
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.spec import Term

__all__ = [
    "Split",
    "checked_cuts",
    "events_by_interval",
    "interval_words",
    "split_rows",
    "step_columns",
]

Floats = np.ndarray

_MOST_ROWS = 2_000_000
_MOST_ARMS = 6


@dataclass(frozen=True, eq=False)
class Split:
    """Rows (m,) made of the frame's: the row that each comes from, its times and its event."""

    source: np.ndarray
    start: Floats
    stop: Floats
    event: np.ndarray


def split_rows(frame: ModelFrame, cuts: Floats) -> Split:
    """Split each row at the cuts that lie within (start, stop).

    Raises
    ------
    BudgetError
        If more than two million rows would come of it.
    """
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    start = outcome.start
    if start is None:  # everybody is at risk at time 0, where somebody may end
        start = np.full(frame.n, 0.0 if (outcome.stop > 0.0).all() else -1.0)
    first = np.searchsorted(cuts, start, side="right")
    last = np.searchsorted(cuts, outcome.stop, side="left")
    pieces = np.maximum(last - first, 0) + 1
    if pieces.sum() > _MOST_ROWS:
        raise BudgetError(
            f"Splitting {frame.n} rows at {len(cuts)} event times makes {pieces.sum():,} rows; "
            "cuts= needs far fewer."
        )
    source = np.repeat(np.arange(frame.n), pieces)
    place = np.arange(len(source)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    edges = np.append(cuts, np.inf)
    ends = np.minimum(edges[np.minimum(first[source] + place, len(cuts))], outcome.stop[source])
    is_last = place == pieces[source] - 1
    ends = np.where(is_last, outcome.stop[source], ends)
    begins = np.where(place == 0, start[source], np.append(0.0, ends[:-1]))
    return Split(source, begins, ends, outcome.event[source] & is_last)


def checked_cuts(cuts: float | Sequence[float], last_event: float) -> Floats:
    """Return increasing times above 0 and before the last event.

    Raises
    ------
    OptionError
    """
    try:
        points = np.atleast_1d(np.asarray(cuts, dtype=float))
    except (TypeError, ValueError):
        raise OptionError("cuts must be a number or a list of numbers.") from None
    if points.ndim != 1 or not points.size or not np.isfinite(points).all():
        raise OptionError("cuts must be a number or a list of finite numbers.")
    if (np.diff(points) <= 0.0).any() or points[0] <= 0.0:
        raise OptionError(f"cuts must be above 0 and rise, not {points.tolist()}.")
    if points[-1] >= last_event:
        raise OptionError(
            f"cuts={points[-1]:g} leaves no event after it: the last event is at {last_event:g}."
        )
    return points


def step_columns(split: Split, block: Floats, cuts: Floats) -> list[tuple[str, Floats]]:
    """Return, for each interval between cuts, its name and the term's columns there, else 0."""
    interval = np.searchsorted(cuts, split.stop, side="left")
    values = block[split.source]
    return [
        (name, np.where((interval == k)[:, None], values, 0.0))
        for k, name in enumerate(_names(cuts))
    ]


def _names(cuts: Floats) -> list[str]:
    edges = [0.0, *cuts.tolist()]
    bounded = [f"({low:g}, {high:g}]" for low, high in pairwise(edges)]
    return [*bounded, f"({edges[-1]:g}, inf)"]


def interval_words(text: str) -> str:
    """Say the last interval as people do: ``(12, inf)`` is ``after 12``."""
    return re.sub(r"\(([^\s,()]+), inf\)", r"after \1", text)


def events_by_interval(
    split: Split, frame: ModelFrame, term: Term, cuts: Floats, weight: Floats
) -> pd.DataFrame:
    """Count patients at risk (at any time of the interval) and events, by interval and arm.

    Returns
    -------
    DataFrame
        ``interval, arm, n_risk, n_events``; arms are the values of the term where it has at most
        six, else all patients.

    Raises
    ------
    TooFewEventsError
        If an interval has no event at all.
    """
    interval = np.searchsorted(cuts, split.stop, side="left")
    arms, names = _arms(frame, term)
    rows = []
    for k, name in enumerate(_names(cuts)):
        here = interval == k
        if not (split.event & here).any():
            raise TooFewEventsError(
                f"No event lies in {name}, where a coefficient of its own cannot be estimated; "
                "move or leave out a cut."
            )
        for code, arm in enumerate(names):
            mine = here & (arms[split.source] == code)
            people = np.unique(split.source[mine])
            events = split.source[mine & split.event]
            rows.append((name, arm, float(weight[people].sum()), float(weight[events].sum())))
    return pd.DataFrame(rows, columns=["interval", "arm", "n_risk", "n_events"])


def _arms(frame: ModelFrame, term: Term) -> tuple[np.ndarray, list[str]]:
    block = frame.design.X[:, term.columns]
    values, codes = np.unique(block, axis=0, return_inverse=True)
    if len(values) > _MOST_ARMS or term.kind in ("spline", "interaction"):
        return np.zeros(frame.n, dtype=np.intp), ["all"]
    levels = [column.level for column in frame.design.columns[term.start : term.stop]]
    names = []
    for row in values:
        if term.kind == "factor":
            marked = [level for level, on in zip(levels, row, strict=True) if on]
            names.append(marked[0] if marked else str(term.reference))
        else:
            names.append(f"{row[0]:g}")
    return codes.reshape(-1), names
