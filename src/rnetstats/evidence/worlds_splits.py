"""Every split of a known number of events over two groups of known size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.options import level, positive_int, real
from rnetstats.errors import BudgetError, DataError, OptionError
from rnetstats.evidence.worlds_deaths import (
    deaths_in_group_1,
    deaths_to_not_worse,
    deaths_to_worse,
)
from rnetstats.evidence.worlds_display import rest_note
from rnetstats.evidence.worlds_shares import (
    binomial_p,
    share_at_which,
    share_curve,
    share_exact,
)
from rnetstats.evidence.worlds_splits_result import EventSplitsResult, first_worse
from rnetstats.formatting import fmt_percent
from rnetstats.tables.fisher import fisher_p

__all__ = ["EventSplitsResult", "event_splits"]

_MOST_EVENTS = 100_000
_MOST_PATIENTS = 10_000_000
_MOST_CELLS = 20_000_000  # deaths times events that are looked at


def event_splits(
    events: int,
    n_1: int,
    n_2: int,
    *,
    share_of_time: float | None = None,
    alpha: float = 0.05,
    deaths: bool | int = False,
) -> EventSplitsResult:
    """Go through every split of a known number of events over two groups.

    When a paper prints the events and the sizes of two groups but not where the events fell, this
    says which splits a verdict of significance needs.

    Parameters
    ----------
    events, n_1, n_2 : int
        Patients with the event in both groups together, and the patients of each group.
    share_of_time : float, optional
        Group 1's share of the time at risk, for the log-rank test; by default its share of the
        patients, which means equal follow-up.
    alpha : float
        P below it counts as significant.
    deaths : bool or int
        Whether deaths (without the event) are counted as events too, as disease-free survival
        does: True when their number is unknown, else their number.

    Returns
    -------
    EventSplitsResult

    Raises
    ------
    OptionError
        If a number is no whole number, or the share is not between 0 and 1.
    DataError
        If there are more events (with deaths) than patients.
    BudgetError
        Above 100,000 events or ten million patients.

    Notes
    -----
    Fisher's P is the two-sided one by probability; mid-P is twice the smaller tail less the
    probability of the table. The log-rank P is that of a constant share of the time at risk;
    ``share_logrank`` inverts it (Wilson's limit), ``share_exact`` the exact binomial tail.

    References
    ----------
    Fisher RA (1935) J R Stat Soc 98:39-82. Wilson EB (1927) J Am Stat Assoc 22:209-212. Peto R,
    Peto J (1972) J R Stat Soc A 135:185-207.

    Examples
    --------
    Twelve recurrences over 181 and 346 patients: the first group fares significantly worse from
    the eighth on. Seven suffice a log-rank test only if it holds 32 % of the time or less:

    >>> import rnetstats as rn
    >>> found = rn.event_splits(12, 181, 346)
    >>> found.glance()[["worse_from", "better_to", "next_split", "next_share_logrank"]].round(3)
       worse_from  better_to  next_split  next_share_logrank
    0         8.0        0.0         7.0                0.32
    >>> found.to_frame()[["events_1", "events_2", "fisher_p", "share_logrank"]].round(3)[7:9]
       events_1  events_2  fisher_p  share_logrank
    7         7         5     0.120          0.320
    8         8         4     0.027          0.391
    """
    total = positive_int("events", events)
    sizes = positive_int("n_1", n_1), positive_int("n_2", n_2)
    alpha = level(alpha, "alpha")
    if total > sum(sizes):
        raise DataError(f"{total:,} events are more than the {sum(sizes):,} patients.")
    if total > _MOST_EVENTS:
        raise BudgetError(f"At most {_MOST_EVENTS:,} events are split, not {total:,}.")
    if sum(sizes) > _MOST_PATIENTS:
        raise BudgetError(f"At most {_MOST_PATIENTS:,} patients, not {sum(sizes):,}.")
    if share_of_time is None:
        share = sizes[0] / sum(sizes)
    else:
        share = real("share_of_time", share_of_time, low=0.0, high=1.0, closed=False)
    counted = _deaths(deaths, total, sizes)
    splits = _splits(total, sizes, share, alpha)
    if counted is not False:
        splits = _with_deaths(splits, total, sizes, counted, share, alpha)
    return EventSplitsResult(
        splits=splits,
        notes=(
            *_notes(splits, total, share, share_of_time is None, alpha, counted),
            *rest_note(len(splits)),
        ),
        options={
            "events": total,
            "n_1": sizes[0],
            "n_2": sizes[1],
            "share_of_time": share,
            "equal_follow_up": share_of_time is None,
            "alpha": alpha,
            "deaths": counted,
        },
    )


def _deaths(given: Any, total: int, sizes: tuple[int, int]) -> bool | int:
    if given is None or isinstance(given, (bool, np.bool_)):
        counted: bool | int = bool(given)
    else:
        counted = positive_int("deaths", given, minimum=0)
        if total + counted > sum(sizes):
            raise DataError(
                f"{total:,} events and {counted:,} deaths are more than the {sum(sizes):,} "
                "patients."
            )
    most = max(sizes) if counted is True else int(counted)
    if most * total > _MOST_CELLS:
        raise OptionError(
            f"Deaths beside {total:,} events of {sum(sizes):,} patients are too many to try; leave "
            "deaths=False."
        )
    return counted


def _splits(total: int, sizes: tuple[int, int], share: float, alpha: float) -> pd.DataFrame:
    a = np.arange(max(0, total - sizes[1]), min(total, sizes[0]) + 1)
    b = total - a
    cells = a, sizes[0] - a, b, sizes[1] - b
    risk_1, risk_2 = a / sizes[0], b / sizes[1]
    p = fisher_p(*cells)
    side = np.select([risk_1 > risk_2, risk_1 < risk_2], ["worse", "better"], "equal")
    frame = pd.DataFrame(
        {
            "events_1": a,
            "events_2": b,
            "risk_1": risk_1,
            "risk_2": risk_2,
            "risk_difference": risk_1 - risk_2,
            "fisher_p": p,
            "mid_p": fisher_p(*cells, alternative="mid-p"),
            "side": side,
            "verdict": np.where((p < alpha) & (side != "equal"), side, "not significant"),
            "logrank_p": share_curve(a, total, share),
            "binomial_p": binomial_p(a, total, share),
            "share_logrank": share_at_which(a, total, level=alpha),
            "share_exact": share_exact(a, total, level=alpha),
            "share_better_logrank": 1.0 - share_at_which(b, total, level=alpha),
            "share_better_exact": 1.0 - share_exact(b, total, level=alpha),
        }
    )
    return frame.reset_index(drop=True)


def _with_deaths(
    splits: pd.DataFrame,
    total: int,
    sizes: tuple[int, int],
    deaths: bool | int,
    share: float,
    alpha: float,
) -> pd.DataFrame:
    a = splits["events_1"].to_numpy()
    if deaths is True:
        return splits.assign(
            deaths_to_worse=deaths_to_worse(a, total, sizes[0], share, alpha),
            deaths_to_not_worse=deaths_to_not_worse(a, total, sizes[1], share, alpha),
        )
    worse, better = deaths_in_group_1(a, total, sizes, int(deaths), share, alpha)
    return splits.assign(deaths_1_worse_from=worse, deaths_1_better_to=better)


def _notes(
    splits: pd.DataFrame,
    total: int,
    share: float,
    equal: bool,
    alpha: float,
    deaths: bool | int,
) -> tuple[str, ...]:
    whose = "its share of the patients (equal follow-up assumed)" if equal else "as given"
    notes = [
        f"The log-rank P takes group 1 to hold {fmt_percent(share)} of the time at risk "
        f"throughout, {whose}."
    ]
    least = first_worse(splits)
    if np.isnan(least):
        notes.append("No split makes group 1 significantly worse by Fisher's test.")
    if deaths is True:
        worse, back = splits["deaths_to_worse"], splits["deaths_to_not_worse"]
        notes.append(_deaths_note(splits, worse, back, total))
    elif deaths is not False:
        some = int(splits["deaths_1_worse_from"].notna().sum())
        notes.append(
            f"With {int(deaths):,} deaths counted as events, {some} of {len(splits)} splits "
            f"can be significantly worse by the log-rank test at {alpha:g}, depending on where the "
            "deaths fell."
        )
    return tuple(notes)


def _deaths_note(splits: pd.DataFrame, worse: pd.Series, back: pd.Series, total: int) -> str:
    """What an unknown number of deaths makes of every split."""
    both = worse.notna() & back.notna()
    every = "any split" if both.all() else f"{int(both.sum())} of the {len(splits)} splits"
    fewest = splits.loc[worse.notna(), "events_1"].min()
    at = worse[splits["events_1"] == fewest]
    example = (
        f" Were {int(fewest)} of the {total} in group 1, {int(at.iloc[0])} deaths there would do."
        if len(at)
        else ""
    )
    return (
        "With deaths counted as events too there is no such bound: their number and split are "
        f"unknown, and with enough deaths in one group {every} goes with a significantly worse "
        f"log-rank test, and with one that is not.{example} See made_cohort()."
    )
