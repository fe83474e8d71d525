"""Tables of outcomes by margin and, naively, by salvage; and of follow-up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.studies.duan2024.outcomes import Comparison
from rnetstats.studies.duan2024.salvage import UNTREATED, NaiveSalvage
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.records import records
from rnetstats.tables.exact_rate import exact_rate

__all__ = ["comparison_table", "follow_up_table", "outcome_table", "salvage_table"]

MONTHS_PER_YEAR = 12.0
PER = 1000.0
HORIZON = 60.0


def outcome_table(comparisons: Iterable[Comparison]) -> Exhibit:
    """Return events, rates and five-year figures, one row an endpoint and group."""
    compared = tuple(comparisons)
    rows = [row for comparison in compared for row in _outcome_rows(comparison)]
    numbers = pd.DataFrame(rows)
    missing = any(comparison.n_missing for comparison in compared)
    shown = pd.DataFrame(
        {
            "Endpoint": numbers["endpoint"],
            "Group": numbers["group"],
            "Patients": [str(n) for n in numbers["n"]],
            "Events": [str(n) for n in numbers["events"]],
            "Patient-years": [fmt_number(y, 0) for y in numbers["person_years"]],
            "Events per 1000 patient-years (95 % CI)": [
                _with_limits(r["rate"], r["rate_low"], r["rate_high"], 1) for r in rows
            ],
            "Free of the event at 5 years (95 % CI)": [
                _percent(r["survival"], r["survival_low"], r["survival_high"]) for r in rows
            ],
        }
    )
    return Exhibit(
        name="outcomes_by_margin",
        title="Outcomes by margin",
        caption=f"{'Patients whose margin and outcome are known' if missing else 'All patients'}. "
        "Two different endpoints are both called disease-free survival.",
        numbers=numbers,
        shown=shown,
        notes=(
            "Rates: exact Poisson limits. Five-year figures: Kaplan-Meier with beta product limits "
            "(Fay, Brittain & Proschan 2013), which also bound a group without events.",
            *_left_out(compared),
        ),
    )


def _left_out(comparisons: Iterable[Comparison]) -> tuple[str, ...]:
    """Count the patients whose margin, time or event is missing, by endpoint."""
    counts = [
        f"{comparison.n_missing} ({comparison.endpoint.name.lower()})"
        for comparison in comparisons
        if comparison.n_missing
    ]
    if not counts:
        return ()
    return (f"Patients left out, whose margin, time or event is missing: {', '.join(counts)}.",)


def _outcome_rows(comparison: Comparison) -> list[dict[str, Any]]:
    km = comparison.fits["km"]
    at = None if km is None else km.at(HORIZON, extend=False).set_index("group")
    rows = []
    for group in records(comparison.groups):
        years = group["months"] / MONTHS_PER_YEAR
        limits = exact_rate(group["events"], years).glance().iloc[0] if years > 0.0 else None
        curve = None if at is None or group["group"] not in at.index else at.loc[group["group"]]
        rows.append(
            {
                "endpoint": comparison.endpoint.name,
                "group": group["group"],
                "n": group["n"],
                "events": group["events"],
                "person_years": years,
                "rate": PER * group["events"] / years if years > 0.0 else math.nan,
                "rate_low": PER * float(limits["conf_low"]) if limits is not None else math.nan,
                "rate_high": PER * float(limits["conf_high"]) if limits is not None else math.nan,
                "survival": float(curve["survival"]) if curve is not None else math.nan,
                "survival_low": float(curve["conf_low"]) if curve is not None else math.nan,
                "survival_high": float(curve["conf_high"]) if curve is not None else math.nan,
            }
        )
    return rows


def comparison_table(
    comparisons: Iterable[Comparison], *, name: str, title: str, caption: str
) -> Exhibit:
    """Return hazard ratios, rate ratio and tests, one row an endpoint."""
    numbers = pd.DataFrame([_comparison_row(comparison) for comparison in comparisons])
    shown = pd.DataFrame(
        {
            "Endpoint": numbers["endpoint"],
            "Events": numbers["events"],
            "HR, Firth (95 % CI)": _column(numbers, "hr_firth"),
            "HR, maximum likelihood": _column(numbers, "hr_ml"),
            "Ratio of rates, exact": _column(numbers, "rate_ratio"),
            "Log-rank P": [fmt_p(p) for p in numbers["logrank_p"]],
            "Permutation P": [_permutation(row) for row in records(numbers)],
            "Follow-up unequal: P": [fmt_p(p) for p in numbers["unequal_p"]],
        }
    )
    return Exhibit(
        name=name,
        title=title,
        caption=caption,
        numbers=numbers,
        shown=shown,
        notes=(
            "The permutation test (exact where marked, else by Monte Carlo) takes both groups to "
            "be followed equally; the last column allows for unequal follow-up (Heinze, Gnant & "
            f"Schemper 2003). Log-rank P of the two groups’ follow-up: {_censoring(numbers)}.",
            "A dash: not estimated; the reason stands at the end, among what was left out.",
        ),
    )


def _comparison_row(comparison: Comparison) -> dict[str, Any]:
    base, other = records(comparison.groups)
    fits = comparison.fits
    row: dict[str, Any] = {
        "endpoint": comparison.endpoint.name,
        "events": f"{other['events']} of {other['n']} : {base['events']} of {base['n']}",
        "contrast": f"{other['group']} against {base['group']}",
    }
    for name, fit in (("hr_firth", fits.get("cox_firth")), ("hr_ml", fits.get("cox_ml"))):
        row |= _numbers(name, None if fit is None else fit.to_frame().iloc[-1])
    ratio = fits.get("rate_ratio")
    row |= _numbers("rate_ratio", None if ratio is None else ratio.method("central"))
    for name in ("logrank", "permutation", "unequal"):
        fit = fits.get(name)
        row[f"{name}_p"] = math.nan if fit is None else float(fit.glance()["p_value"].iloc[0])
    test, permuted = fits.get("logrank"), fits.get("permutation")
    row["permutation_method"] = "" if permuted is None else permuted.options["method"]
    row["censoring_p"] = math.nan if test is None else float(test.censoring_p_value)
    return row


def _permutation(row: dict[str, Any]) -> str:
    exact = " (exact)" if row["permutation_method"] == "exact" else ""
    return fmt_p(row["permutation_p"]) + exact


def _censoring(numbers: pd.DataFrame) -> str:
    """Return the comparison of follow-up, by endpoint."""
    return ", ".join(
        f"{fmt_p(row['censoring_p'])} ({row['endpoint'].lower()})" for row in records(numbers)
    )


def _numbers(name: str, row: Any) -> dict[str, float]:
    parts = ("estimate", "conf_low", "conf_high", "p_value")
    return {f"{name}_{part}": math.nan if row is None else float(row[part]) for part in parts}


def _column(numbers: pd.DataFrame, name: str) -> list[str]:
    parts = zip(
        numbers[f"{name}_estimate"],
        numbers[f"{name}_conf_low"],
        numbers[f"{name}_conf_high"],
        strict=True,
    )
    return [_with_limits(*part, 2) for part in parts]


def _with_limits(estimate: float, low: float, high: float, digits: int) -> str:
    if math.isnan(estimate):
        return "–"
    return f"{fmt_number(estimate, digits)} ({fmt_interval(low, high, digits)})"


def _percent(estimate: float, low: float, high: float) -> str:
    if math.isnan(estimate):
        return "– (not followed that long)"
    text = f"{100.0 * estimate:.1f} %"
    return text if math.isnan(low) else f"{text} ({100.0 * low:.1f} to {100.0 * high:.1f})"


def salvage_table(naive: NaiveSalvage) -> Exhibit:
    """Return counts by salvage with the person-time that the naive comparison misclassifies."""
    groups = naive.groups
    months, shares = groups["months_before"], groups["share_before"]
    shown = pd.DataFrame(
        {
            "Salvage": groups["salvage"],
            "Patients": [str(n) for n in groups["n"]],
            "Recurrences": [str(n) for n in groups["recurrences"]],
            "Recurrences or deaths": [str(n) for n in groups["dfs_events"]],
            "Person-months": [fmt_number(m, 0) for m in groups["months"]],
            "of these before salvage": _before(groups, [fmt_number(m, 0) for m in months]),
            "Share misclassified": _before(groups, [fmt_percent(s) for s in shares]),
        }
    )
    unknown = int(groups["n_unknown"].sum())
    many = f"{unknown} salvaged patient{'s' * (unknown > 1)}"
    note = f"The day of salvage is not known for {many}; the time before "
    return Exhibit(
        name="salvage_naive",
        title="Positive margins by salvage (naive)",
        caption=(
            "Naive: patients are grouped from time zero by what happened only later. The time "
            "before salvage is counted as salvaged."
        ),
        numbers=groups,
        shown=shown,
        notes=(*((note + "salvage is not counted.",) if unknown else ()), *_not_known(groups)),
    )


def _not_known(groups: pd.DataFrame) -> tuple[str, ...]:
    """Say how many patients stand among the patients alone: their events are not known."""
    many = int(groups["n_outcome_unknown"].sum())
    if not many:
        return ()
    who = "1 patient" if many == 1 else f"{many} patients"
    return (
        f"Whether {who} had an event, or when, is not known: such patients are counted as "
        "patients, but with no event.",
    )


def _before(groups: pd.DataFrame, texts: list[str]) -> list[str]:
    """Leave the time before salvage out for those who had none."""
    return ["–" if s == UNTREATED else t for s, t in zip(groups["salvage"], texts, strict=True)]


def follow_up_table(rows: list[dict[str, Any]]) -> Exhibit:
    """Return the median potential follow-up, overall and by margin."""
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Group": numbers["group"],
            "Patients": [str(int(n)) for n in numbers["n"]],
            "Deaths": [str(int(n)) for n in numbers["n_events"]],
            "Median follow-up, months (95 % CI)": [
                _with_limits(r["median"], r["conf_low"], r["conf_high"], 1) for r in rows
            ],
            "Quartiles": [fmt_interval(r["q25"], r["q75"], 1) for r in rows],
        }
    )
    closing = rows[0]["closing"]
    if closing:
        shown["Completeness"] = [fmt_percent(r["completeness"]) for r in rows]
    complete = (
        " Completeness (Clark, Altman & De Stavola 2002): the person-time observed of that "
        f"possible up to {closing}, the last date on which the file follows anybody; a death "
        "counts as followed to the end."
    )
    return Exhibit(
        name="follow_up",
        title="Follow-up",
        caption=(
            "Median potential follow-up by reverse Kaplan-Meier: a death cuts a patient’s "
            "observation short." + complete * bool(closing)
        ),
        numbers=numbers,
        shown=shown,
        notes=_undated(rows[0]) if closing else (),
    )


def _undated(everybody: dict[str, Any]) -> tuple[str, ...]:
    """Say of how many patients completeness is known, where that is not everybody."""
    n, known = int(everybody["n"]), int(everybody["n_completeness"])
    if known == n:
        return ()
    return (
        f"Completeness is that of the {known} of {n} patients whose date of enrolment is known.",
    )
