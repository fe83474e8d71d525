"""Tables from the one given to the first whose verdict is another, a patient at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rnetstats.errors import BudgetError
from rnetstats.tables.fisher import fisher_p

__all__ = ["TESTS", "changed_tables", "direction", "table_p_values", "turns"]

TESTS = {"fisher": "two-sided", "mid-p": "mid-p"}
_CHUNK = 256  # changed patients looked at together
_BUDGET = 100_000_000  # probabilities of tables


def direction(counts: list[int], arm: int, significant: bool) -> int:
    """1 if outcomes of the arm become events, -1 if they become non-events."""
    a, n, c, m = counts
    lower = a * m <= c * n if arm == 1 else c * n <= a * m
    return 1 if lower == significant else -1


def changed_tables(
    counts: list[int], arm: int, step: int, *, alpha: float, test: str, most: int | None = None
) -> pd.DataFrame:
    """The tables on the way from the one given to the first with the other verdict."""
    a, n, c, m = counts
    events, size = (a, n) if arm == 1 else (c, m)
    room = size - events if step > 0 else events
    room = room if most is None else min(room, most)
    parts: list[pd.DataFrame] = []
    work = 0
    for begin in range(0, room + 1, _CHUNK):
        changed = np.arange(begin, min(begin + _CHUNK, room + 1))
        moved = events + step * changed
        one, two = (moved, np.full(len(moved), c)) if arm == 1 else (np.full(len(moved), a), moved)
        work += int(np.minimum(one + two, min(n, m)).sum())
        if work > _BUDGET:
            raise BudgetError(
                f"With {n + m:,} patients the tables on the way to the other verdict are too many "
                "to go through; at that size P says all that an index could."
            )
        p = table_p_values(one, n, two, m, test)
        if begin == 0:
            before = p[0] < alpha
        other = np.flatnonzero((p < alpha) != before)
        stop = int(other[0]) + 1 if other.size else len(p)
        parts.append(
            pd.DataFrame(
                {
                    "changed": changed[:stop],
                    "events_1": one[:stop],
                    "n_1": n,
                    "events_2": two[:stop],
                    "n_2": m,
                    "p_value": p[:stop],
                }
            )
        )
        if other.size:
            break
    return pd.concat(parts, ignore_index=True)


def table_p_values(a: np.ndarray, n: int, c: np.ndarray, m: int, test: str) -> np.ndarray:
    """P of tables with a of n and c of m events, each of a and c an array of shape (k,)."""
    return fisher_p(a, n - a, c, m - c, alternative=TESTS[test])


def turns(path: pd.DataFrame, alpha: float) -> bool:
    """Whether the last table of a path has another verdict than the first."""
    p = path["p_value"].to_numpy()
    return bool((p[0] < alpha) != (p[-1] < alpha))
