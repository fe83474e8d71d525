"""Endoscopic against radical salvage: what margins of non-inferiority would have shown."""

from __future__ import annotations

import copy

import pandas as pd

from rnetstats.formatting import listed
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.outcomes import ENDPOINTS, Endpoint
from rnetstats.treatment.equivalence import MarginResult, noninferiority

__all__ = ["HORIZON", "MARGINS", "MONTHS", "compare_kinds", "horizon_within"]

HORIZON = 60.0
_SHORTEST = 6.0
_SHORTER = (48.0, 36.0, 24.0, 12.0, _SHORTEST)
MARGINS = (0.02, 0.05, 0.10, 0.20)  # for demonstration: none is printed
MONTHS = "salvage_months"
KINDS = ("endoscopic", "radical")
SINCE = "months_since_salvage"


def horizon_within(longest: float, shortest: float = _SHORTEST) -> float | None:
    """Return the horizon in months: five years, or what a shorter follow-up allows.

    None where nobody is followed beyond the shortest.
    """
    if not longest < HORIZON:
        return HORIZON
    return next((shorter for shorter in _SHORTER if shortest <= shorter < longest), None)


def compare_kinds(rows: pd.DataFrame, attempts: Attempts) -> dict[str, tuple[MarginResult, ...]]:
    """Ask from the day of salvage whether endoscopic salvage is no worse than radical surgery."""
    treated = rows[rows["salvage"].isin(KINDS)].copy()
    treated[SINCE] = treated["dfs_months"] - treated[MONTHS]
    followed = treated[SINCE] > 0.0
    if not followed.all():
        many = int((~followed).sum())
        attempts.skip(
            f"{many} salvaged patient{'s' * (many > 1)} in the comparison of endoscopic with "
            "radical salvage",
            "not followed, free of recurrence, beyond a known day of salvage",
        )
    treated = treated[followed]
    treated.attrs = copy.deepcopy(rows.attrs)
    treated.attrs["rnetstats"]["labels"][SINCE] = "Months since salvage"
    treated["salvage"] = treated["salvage"].cat.remove_unused_categories()
    if treated["salvage"].nunique() < len(KINDS):
        return {}  # said by the naive comparison
    longest = treated.groupby("salvage", observed=True)[SINCE].max()
    horizon = horizon_within(float(longest.min()))
    if horizon is None:
        short = listed(longest.index[longest <= _SHORTEST], "or")
        attempts.skip(
            "Endoscopic no worse than radical salvage",
            f"after {short} salvage nobody is followed, free of recurrence, for more than "
            f"{_SHORTEST:g} months, and a shorter course is not compared",
        )
        return {}
    found = {}
    for endpoint in ENDPOINTS[:2]:
        results = attempts.run(
            f"Endoscopic no worse than radical salvage: {endpoint.name.lower()}",
            lambda endpoint=endpoint: _margins(treated, endpoint, horizon),  # type: ignore[misc]
        )
        if results is not None:
            found[endpoint.key] = results
    return found


def _margins(treated: pd.DataFrame, endpoint: Endpoint, horizon: float) -> tuple[MarginResult, ...]:
    return tuple(
        noninferiority(
            treated,
            f"Surv({SINCE}, {endpoint.event}) ~ salvage",
            margin=margin,
            better="lower",
            new=KINDS[0],
            horizon=horizon,
        )
        for margin in MARGINS
    )
