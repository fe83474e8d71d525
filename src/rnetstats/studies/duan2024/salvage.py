"""Salvage among positive margins, compared from time zero: the naive analysis, called so.

Salvage is known only later. A comparison that counts a patient as salvaged from the day of the
first resection gives the salvaged group the time before their salvage, in which they could not
have recurred and still be salvaged (immortal time). The person-time so misclassified is reported;
no verdict is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import Cohort, with_group
from rnetstats.studies.duan2024.outcomes import (
    ENDPOINTS,
    Comparison,
    compare_groups,
)
from rnetstats.survival.kaplan_meier import kaplan_meier

__all__ = ["NaiveSalvage", "delay_months", "naive_salvage"]

DAYS_PER_MONTH = 30.4375
UNTREATED = "none"
ANY_SALVAGE = ("any_salvage", "Any salvage (naive)")
KIND = ("salvage_kind", "Kind of salvage (naive)")


@dataclass(frozen=True)
class NaiveSalvage:
    """The naive comparisons among positive margins.

    Attributes
    ----------
    groups : DataFrame
        ``salvage, n, recurrences, n_recurrences, dfs_events, n_dfs_events, months, months_before,
        share_before, n_unknown, n_outcome_unknown``: ``n_recurrences`` and ``n_dfs_events`` are
        the patients of whom it is known whether they had the event; ``months_before`` is the
        person-time before salvage that the comparison counts as salvaged, missing where no
        patient's day of salvage is known; ``n_unknown`` the salvaged patients whose day is not.
    any_salvage, kinds : dict of str to Comparison
        By endpoint: any salvage against none, radical against endoscopic.
    km : KaplanMeier or None
        Time to recurrence by kind of salvage.
    """

    groups: pd.DataFrame
    any_salvage: dict[str, Comparison]
    kinds: dict[str, Comparison]
    km: Any

    def results(self) -> dict[str, Result]:
        """Return the fits that exist, named for the report."""
        found: dict[str, Result] = {}
        for prefix, parts in (("naive_salvage", self.any_salvage), ("naive_kind", self.kinds)):
            for comparison in parts.values():
                found |= comparison.results(prefix)
        if self.km is not None:
            found["naive_salvage_km"] = self.km
        return found


def naive_salvage(cohort: Cohort, *, seed: int, attempts: Attempts) -> NaiveSalvage | None:
    """Compare salvage groups among positive margins from time zero; None without the column."""
    if not cohort.has("salvage"):
        attempts.skip("Salvage", "the column 'salvage' is not there or empty")
        return None
    rows = cohort.positives
    if unknown := int(rows["salvage"].isna().sum()):
        attempts.skip(
            f"{unknown} patient{'s' * (unknown > 1)} with a positive margin in all analyses of "
            "salvage",
            "whether there was any is not known",
        )
    rows = rows[rows["salvage"].notna()].copy()
    rows.attrs = dict(cohort.everyone.attrs)
    rows["salvage"] = rows["salvage"].astype("category").cat.remove_unused_categories()
    if len(rows) == 0:
        attempts.skip("Salvage", "no patient with a positive margin has a known salvage")
        return None
    groups = pd.DataFrame(
        [
            _group(rows[rows["salvage"] == kind], str(kind))
            for kind in rows["salvage"].cat.categories
        ]
    )
    recurrence = ENDPOINTS[0]
    several = len(groups) > 1
    km = attempts.run(
        "Time to recurrence by salvage (naive)",
        lambda: kaplan_meier(rows, f"{recurrence.surv} ~ {'salvage' if several else '1'}"),
    )
    salvaged = (rows["salvage"].astype(object) != UNTREATED).astype(float)
    arms = ("none", "salvaged")
    either = _compare(rows, ANY_SALVAGE, salvaged, arms, seed, attempts)
    return NaiveSalvage(groups, either, _kinds(rows, seed, attempts), km)


def _group(group: pd.DataFrame, kind: str) -> dict[str, Any]:
    months = group["dfs_months"].to_numpy(dtype=float)
    before, unknown = 0.0, 0
    if kind != UNTREATED:
        delay = delay_months(group)
        unknown = int(np.isnan(delay).sum())
        before = math.nan if unknown == len(group) else float(np.nansum(np.minimum(delay, months)))
    total = float(np.nansum(months))
    return {
        "salvage": kind,
        "n": len(group),
        "recurrences": int(group["recurrence"].sum()),
        "n_recurrences": int(group["recurrence"].notna().sum()),
        "dfs_events": int(group["dfs_event"].sum()),
        "n_dfs_events": int(group["dfs_event"].notna().sum()),
        "months": total,
        "months_before": before,
        "share_before": before / total if total > 0.0 else 0.0,
        "n_unknown": unknown,
        "n_outcome_unknown": int(
            group[["dfs_months", "recurrence", "dfs_event"]].isna().any(axis=1).sum()
        ),
    }


def delay_months(group: pd.DataFrame) -> np.ndarray:
    """Return the months from resection to salvage; missing where they are not known."""
    if "salvage_months" in group.columns:
        return group["salvage_months"].to_numpy(dtype=float)
    if "salvage_days" in group.columns:
        return group["salvage_days"].to_numpy(dtype=float) / DAYS_PER_MONTH
    return np.full(len(group), np.nan)


def _kinds(rows: pd.DataFrame, seed: int, attempts: Attempts) -> dict[str, Comparison]:
    """Compare radical with endoscopic salvage, where both occur."""
    kinds = ("endoscopic", "radical")
    treated = rows[rows["salvage"].isin(kinds)].copy()
    treated.attrs = dict(rows.attrs)
    if treated["salvage"].nunique() < len(kinds):
        attempts.skip(
            "Endoscopic against radical salvage", "the two kinds do not both occur in these data"
        )
        return {}
    radical = (treated["salvage"].astype(object) == "radical").astype(float)
    return _compare(treated, KIND, radical, kinds, seed, attempts)


def _compare(
    rows: pd.DataFrame,
    column: tuple[str, str],
    mask: pd.Series,
    levels: tuple[str, str],
    seed: int,
    attempts: Attempts,
) -> dict[str, Comparison]:
    if mask.nunique() < 2:
        attempts.skip("Salvage against none", "all positive margins have the same salvage status")
        return {}
    name, label = column
    frame = with_group(rows, name, label, mask, levels)
    return {
        endpoint.key: compare_groups(frame, name, endpoint, seed=seed, attempts=attempts)
        for endpoint in ENDPOINTS[:2]
    }
