"""Sentences on immortal time, made of the numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_count, fmt_number, fmt_percent, inside, listed
from rnetstats.treatment.immortal_scenes import ALL

__all__ = ["bias_sentence", "delay_sentence", "error_text", "immortal_notes"]

FEW_EVENTS = 5


def error_text(value: float, error: float, digits: int = 3) -> str:
    """Write a simulated number with its Monte Carlo error: ``'0.946 (0.004)'``."""
    return f"{fmt_number(value, digits)} ({fmt_number(error, digits)})"


def delay_sentence(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Say what immortal time alone does at the delays observed and at those simulated."""
    fixed = table[table["law"] == "fixed"].sort_values("delay")
    own = table[table["law"] != "fixed"].iloc[0]
    what, unit = labels["treatment"], labels["unit"]
    parts = [_of_one_size(group) for group in _runs(fixed)]
    return (
        f"With {what} when it was given here ({fmt_number(own['delay'], 1)} {unit} on average), "
        f"immortal time alone would make a {what} without effect look like a hazard ratio of "
        f"{fmt_number(own['hazard_ratio'])}, a {own['size']} bias. With a delay ({unit}) of "
        f"{'; of '.join(parts)}."
    )


def _runs(fixed: pd.DataFrame) -> list[pd.DataFrame]:
    """Neighbouring delays whose bias has the same size."""
    change = (fixed["size"] != fixed["size"].shift()).cumsum()
    return [group for _, group in fixed.groupby(change, sort=False)]


def _of_one_size(rows: pd.DataFrame) -> str:
    delays = [f"{delay:g}" for delay in rows["delay"]]
    ends = dict.fromkeys(fmt_number(rows["hazard_ratio"].iloc[k]) for k in (0, -1))
    named, size = listed(delays, "or"), rows["size"].iloc[0]
    return f"{named} the hazard ratio is {' to '.join(ends)} ({size})"


def bias_sentence(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Rank the biases in words."""
    single = table[table["bias"] != ALL].to_dict("records")
    together = table[table["bias"] == ALL].iloc[0]
    listed = "; ".join(
        f"{inside(row['label'])} {fmt_number(row['hazard_ratio'])}" for row in single
    )
    place = next(k for k, row in enumerate(single, 1) if row["bias"] == "immortal")
    last = "the smallest" if place == len(single) else f"number {place}"
    return (
        f"Under the assumptions named, a {labels['treatment']} without effect would show these "
        f"hazard ratios, the furthest from 1 first: {listed}. Immortal time is {last} of the "
        f"{len(single)}. All together give {fmt_number(together['hazard_ratio'])}."
    )


def immortal_notes(
    found: Mapping[str, Any], table: pd.DataFrame, labels: Mapping[str, str]
) -> tuple[str, ...]:
    """Notes on the data and the simulation."""
    unit, what = labels["unit"], labels["treatment"]
    wrong = found["misclassified"]
    notes = [
        f"Endpoint {labels['endpoint']}: {_events(found['n_events'])} in {fmt_count(found['n'])} "
        f"patients, {found['n_events_treated']} of them among the {found['n_treated']} treated.",
        f"Compared from time zero, {fmt_number(wrong, int(wrong < 10))} {unit} before {what} "
        f"count as treated: {fmt_percent(found['share_of_treated'])} of the time of the treated, "
        f"{fmt_percent(found['share_of_all'])} of all, {fmt_number(found['mean_delay'], 1)} a "
        f"patient (median {fmt_number(found['median_delay'], 1)}), without an event by "
        f"construction. That alone multiplies the rate ratio by "
        f"{fmt_number(found['naive_bias'], 3)}.",
        _rates(found),
    ]
    strayed = table[
        (table["valid_hazard_ratio"] - 1.0).abs() > 3.0 * table["valid_mcse"].clip(lower=1e-12)
    ]
    if len(strayed):
        notes.append(
            "The valid analysis is more than 3 Monte Carlo errors from 1 at a delay of "
            f"{', '.join(f'{d:.3g}' for d in strayed['delay'])}: simulate more."
        )
    notes.append(
        "Simulated under no effect of treatment and no other bias; not an estimate of the effect."
    )
    return tuple(notes)


def _events(number: int) -> str:
    return f"{number} event{'s' * (number != 1)}"


def _rates(found: Mapping[str, Any]) -> str:
    untreated = found["n_events"] - found["n_events_treated"]
    if untreated == 0:
        return "Rate ratios are not given: no untreated patient has the event."
    text = (
        f"Rate ratio, treated against untreated: {fmt_number(found['naive_rate_ratio'], 3)} naive, "
        f"{fmt_number(found['rate_ratio'], 3)} with person-time allotted rightly; a point each, "
        "to show the allotment"
    )
    few = min(untreated, found["n_events_treated"])
    if few < FEW_EVENTS:
        return f"{text} (with {_events(few)} in an arm, fewer than {FEW_EVENTS}, no comparison)."
    return f"{text}."
