"""What must be said beside a cut-off that was found on the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnetstats.formatting import fmt_number, fmt_p, fmt_percent
from rnetstats.prediction.cutpoint_search import Plan, Search

__all__ = ["notes_of"]

_FEW = 20  # events below which a cut-off found on the data is hardly more than chance


def notes_of(row: Mapping[Any, Any], plan: Plan, found: Search, alpha: float) -> tuple[str, ...]:
    """Return the notes of a search: its P value, ties, few events, the direction."""
    notes = []
    if plan.method == "minimum-p":
        notes.append(_demonstration(row, alpha))
    else:
        notes.append(
            "The cut-off was found on these data: P is adjusted for the search, but estimates and "
            "accuracies of the two groups that it forms are optimistic. resampling() shows how "
            "far the cut-off moves."
        )
    notes += _about_p(row)
    notes += _about_ties(plan, found)
    if plan.method == "youden":
        notes += _about_direction(plan, found)
    if row["n_events"] < _FEW:
        events = "a single event" if row["n_events"] == 1 else f"{row['n_events']:g} events"
        by = "" if plan.horizon is None else f" by time {plan.horizon:g}"
        notes.append(f"A cut-off searched on {events}{by} is hardly more than chance.")
    return tuple(notes)


def _demonstration(row: Mapping[Any, Any], alpha: float) -> str:
    return (
        "DEMONSTRATION, NOT A RESULT: the smallest P value over all cut-offs, "
        f"{fmt_p(row['p_unadjusted'])} unadjusted, is no P value. With no association between "
        f"marker and outcome, {fmt_percent(row['type_one_error'])} of "
        "permutations of these data reach a smallest P below "
        f"{alpha:.3g} (nominal {fmt_percent(alpha)}). The adjusted P is {fmt_p(row['p_value'])}."
    )


def _about_p(row: Mapping[Any, Any]) -> list[str]:
    if row["p_method"] == "lau94":
        text = "P is an improved Bonferroni bound (Lausen et al. 1994), not capped at 1."
        if row["p_value"] > 1.0:
            text += f" Here it is {row['p_value']:.2f}: there is no evidence of any separation."
        return [text]
    if row["p_method"] == "lau92":
        return [
            "P is an approximation for many cut-offs (Lausen and Schumacher 1992); with few "
            "distinct values of the marker it is too large."
        ]
    if row["p_method"] == "exact-gauss":
        return ["P is that of the Gaussian limit; with few events 'permutation' is exact."]
    if row["p_method"] == "hothorn-lausen":
        return [
            "P is an upper bound (Hothorn and Lausen 2003), exact in every part, for the statistic "
            f"of scores rounded to whole numbers, {fmt_number(row['statistic_whole'], 3)}; with "
            "many cut-offs it is well above the permutation P. p_hothorn_lausen is the number of "
            "R's maxstat: of a larger statistic only, so that it may be too small, above all with "
            "few events or a marker of few values."
        ]
    return []


def _about_ties(plan: Plan, found: Search) -> list[str]:
    cuts = found.curve.loc[found.best, "cut"]
    if len(cuts) < 2:
        return []
    shown = ", ".join(f"{cut:.10g}" for cut in cuts[:6]) + (", ..." if len(cuts) > 6 else "")
    rule = "the median" if plan.method == "youden" else "the smallest"
    notes = [f"{len(cuts)} cut-offs are equally good ({shown}); {rule} of them was taken."]
    if not (cuts == found.cut).any():
        notes.append(
            f"The median {found.cut:.10g} is not itself one of the best cut-offs: statistic is "
            "theirs, sensitivity and specificity are those of the cut-off taken."
        )
    return notes


def _about_direction(plan: Plan, found: Search) -> list[str]:
    notes = []
    if plan.direction is None:
        side = "High" if found.sign > 0 else "Low"
        notes.append(
            f"{side} values count as positive because they separate better here; the P value "
            "allows for that choice."
        )
    if found.statistic <= 0.0:
        notes.append("No cut-off separates in this direction: Youden's index is nowhere above 0.")
    if plan.horizon is not None:
        notes.append(
            f"Sensitivity and specificity are for an event by time {plan.horizon:g}; rows censored "
            "before count through the inverse probability of censoring, taken to be unrelated to "
            "the marker."
        )
    return notes
