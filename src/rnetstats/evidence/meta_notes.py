"""What is to be said of a pooled estimate: few studies, no spread, rare events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.evidence.meta_columns import StudyTable
from rnetstats.evidence.meta_measures import Measure
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.evidence.meta_pooling import Pools
from rnetstats.formatting import fmt_number, fmt_percent

__all__ = ["dwarf_note", "pool_notes", "rare_note"]

Floats: TypeAlias = NDArray[np.float64]

_FEW = 5  # studies below which the variance between them is hardly known
_RARE = 0.05
_DWARFED = 100.0  # standard errors: the next smallest over the smallest, from where it is told
_NEAR = 0.995  # of the classical standard error: no smaller in two digits


def pool_notes(pools: Pools, measure: Measure, how: PoolOptions) -> list[str]:
    """Say what the numbers of one pooled set cannot tell themselves."""
    k = int(pools.k[0])
    if k == 1:
        alone = "One study alone: no heterogeneity can be estimated, no prediction made"
        if np.isnan(pools.limits.low[0]):
            return [f"{alone}."]
        return [f"{alone}; Hartung-Knapp limits take two studies; these are {how.alone_text}."]
    notes = []
    tau2, top = float(pools.spread["tau2"][0]), float(pools.spread["tau2_high"][0])
    if how.prediction is not None and k < 3:
        notes.append("No prediction interval: it takes three studies.")
    if k < 3:
        notes.append("The limits of I2 are missing: they take three studies.")
    if not isinstance(how.tau2, str):
        notes.append("tau2 was given, not estimated: it has no standard error.")
    elif tau2 == 0.0 and top > 0.0:
        notes.append(
            "tau2 is estimated as 0, which does not show that the effects are equal: its "
            f"{100 * how.conf_level:g} % limits reach {fmt_number(top, 3)}."
        )
    if k < _FEW and isinstance(how.tau2, str):
        notes.append(f"With {k} studies the variance between them is hardly known.")
    if not np.isnan(pools.limits.low[0]):
        notes += _knapp_notes(pools, how)
    if measure.name == "RD":
        reach = [pools.limits.low[0], pools.limits.high[0], pools.pi_low[0], pools.pi_high[0]]
        if any(abs(limit) > 1.0 for limit in reach if not math.isnan(limit)):
            notes.append("A limit lies beyond -1 or 1, which no risk difference can reach.")
    return notes


def _knapp_notes(pools: Pools, how: PoolOptions) -> list[str]:
    """Hartung-Knapp limits can be narrower than the classical ones, or shrink to a point."""
    knapp, wald = float(pools.knapp[0]), float(pools.wald[0])
    if not how.ci.startswith("hartung-knapp") or knapp > _NEAR * wald:
        return []
    if how.ci != "hartung-knapp":
        what = "that is its floor" if how.ci == "hartung-knapp-adhoc" else "the wider limits stand"
        return [
            f"The Hartung-Knapp standard error would be {fmt_number(knapp / wald)} times the "
            f"classical one: {what}."
        ]
    if knapp == 0.0:
        return [
            "The studies' estimates are all equal: the Hartung-Knapp limits shrink to a point and "
            "there is no test. ci='hartung-knapp-adhoc' keeps the classical standard error."
        ]
    return [
        f"The Hartung-Knapp standard error is {fmt_number(knapp / wald)} times the classical one: "
        "ci='hartung-knapp-adhoc' puts a floor under it, as is advised for few or rare events."
    ]


def dwarf_note(names: Sequence[str], std_error: Floats) -> list[str]:
    """Name a study whose standard error is far below all others: it decides alone, or is wrong."""
    if len(std_error) < 2:
        return []
    first, second = np.argsort(std_error, kind="stable")[:2]
    times = float(std_error[second] / std_error[first])
    if times < _DWARFED:
        return []
    return [
        f"The standard error of {names[first]} is {fmt_number(times)} times smaller than any "
        "other's: a misprint? The common effect, and tau2 by 'ML' or 'HS', rest on that study "
        "almost alone, and Q compares the others with it."
    ]


def rare_note(table: StudyTable, measure: Measure) -> list[str]:
    """Point to the models for rare events, where a cell is zero or a rate below 5 %."""
    if table.layout != "table":
        return []
    counts = table.given[table.complete]
    events = counts[["events_1", "events_2"]].to_numpy()
    n = counts[["n_1", "n_2"]].to_numpy()
    zero = int(((events == 0) | (events == n)).any(axis=1).sum())
    rates = events.sum(axis=0) / n.sum(axis=0)
    if not zero and rates.min() >= _RARE:
        return []
    because = []
    if zero:
        because.append(f"{zero} of {len(counts)} studies have a zero cell")
    if rates.min() < _RARE:
        because.append(f"{fmt_percent(float(np.min(rates)))} of an arm have the event")
    models = ", binomial-normal and beta-binomial models"
    if measure.name == "RD":
        models = " and by the beta-binomial model"
    return [
        f"Rare events ({'; '.join(because)}): inverse variance rests on approximations that are "
        f"poor here. rare_events() gives the {measure.words} by Mantel-Haenszel without "
        f"correction{models}; display() shows them beside it."
    ]
