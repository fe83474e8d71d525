"""Deaths of unknown number beside the events: what they can make of a log-rank test.

Disease-free survival counts deaths without recurrence as events too. When their number and split
are not printed, any split of the recurrences goes with a significant log-rank test and with one
that is not: it takes enough deaths in one group. The cohorts built here show it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from rnetstats.evidence.worlds_shares import logrank_z, two_sided_z

__all__ = ["deaths_in_group_1", "deaths_to_not_worse", "deaths_to_worse", "made_cohort"]


def deaths_to_worse(
    events_1: np.ndarray, total: int, n_1: int, share: float, level: float
) -> np.ndarray:
    """Return the fewest deaths, all in group 1, with which it fares significantly worse.

    Each death adds ``1 - share`` to what exceeds the expected, so that the statistic rises with
    their number. Missing where the patients of group 1 are too few.
    """
    deaths = np.arange(int(n_1 - events_1.min()) + 1)[:, None]
    z = logrank_z(events_1 + deaths, total + deaths, share)
    return _first((z >= two_sided_z(level)) & (events_1 + deaths <= n_1))


def deaths_to_not_worse(
    events_1: np.ndarray, total: int, n_2: int, share: float, level: float
) -> np.ndarray:
    """Return the fewest deaths, all in group 2, with which group 1 no longer fares worse."""
    room = n_2 - (total - events_1)
    deaths = np.arange(int(room.max()) + 1)[:, None]
    z = logrank_z(np.broadcast_to(events_1, (len(deaths), len(events_1))), total + deaths, share)
    return _first((z < two_sided_z(level)) & (deaths <= room))


def deaths_in_group_1(
    events_1: np.ndarray,
    total: int,
    sizes: tuple[int, int],
    deaths: int,
    share: float,
    level: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Of a known number of deaths, how many in group 1 make it significantly worse, or better.

    Returns
    -------
    tuple of ndarray
        The fewest deaths in group 1 with which it fares worse, and the most with which it fares
        better; missing where no split of the deaths does.
    """
    d = np.arange(deaths + 1)[:, None]
    z = logrank_z(events_1 + d, total + deaths, share)
    possible = (events_1 + d <= sizes[0]) & (total - events_1 + deaths - d <= sizes[1])
    worse = _first((z >= two_sided_z(level)) & possible)
    better = ((z <= -two_sided_z(level)) & possible)[::-1]
    return worse, deaths - _first(better)


def made_cohort(
    events_1: int, total: int, sizes: tuple[int, int], deaths: tuple[int, int]
) -> pd.DataFrame:
    """Build patients with these events and deaths, everyone else followed to the end.

    Events and deaths fall one after the other in a random order, always the same; the two groups
    are followed alike.

    Returns
    -------
    DataFrame
        ``time`` (months), ``event`` (1 recurrence, 2 death, 0 neither), ``group`` (1 or 2).
    """
    kinds = [(1, 1, events_1), (2, 1, total - events_1), (1, 2, deaths[0]), (2, 2, deaths[1])]
    group, event = (
        np.concatenate([np.full(count, kind[at]) for *kind, count in kinds]) for at in (0, 1)
    )
    order = np.random.default_rng(1).permutation(len(group))
    times = 72.0 * np.arange(1, len(group) + 1) / (len(group) + 1)
    rest = [size - int((group == g).sum()) for g, size in zip((1, 2), sizes, strict=True)]
    return pd.DataFrame(
        {
            "time": np.concatenate([times, np.full(sum(rest), 72.0)]),
            "event": np.concatenate([event[order], np.zeros(sum(rest), dtype=int)]),
            "group": np.concatenate([group[order], np.repeat([1, 2], rest)]),
        }
    )


def logrank_of(cohort: pd.DataFrame) -> tuple[float, float]:
    """Return the log-rank statistic and P of a cohort without ties, recurrence or death."""
    sorted_rows = cohort.sort_values("time", kind="stable")
    one = (sorted_rows["group"] == 1).to_numpy(float)
    happened = (sorted_rows["event"] > 0).to_numpy()
    share = (np.cumsum(one[::-1])[::-1] / np.arange(len(one), 0, -1))[happened]
    excess = float((one[happened] - share).sum())
    variance = float((share * (1.0 - share)).sum())
    z = excess / np.sqrt(variance) if variance > 0.0 else 0.0
    return z, float(2.0 * ndtr(-abs(z)))


def _first(true: np.ndarray) -> np.ndarray:
    """Row of the first True of each column; missing where there is none."""
    return np.where(true.any(axis=0), true.argmax(axis=0), np.nan)
