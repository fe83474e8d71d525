"""The claims on salvage: under both readings of disease-free survival, and on its kinds."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.duan2024.outcomes import ENDPOINTS, Comparison, Endpoint
from rnetstats.studies.duan2024.salvage import UNTREATED, NaiveSalvage
from rnetstats.studies.duan2024.salvage_effects import EARLIEST, GRACE, SalvageEffects, adjusted_for
from rnetstats.studies.duan2024.salvage_words import (
    EVENTS,
    READINGS,
    counted,
    fewer_or_more,
    limits_of_100,
    sparse,
    told,
)
from rnetstats.studies.finding import Finding
from rnetstats.studies.treatment_verdicts import judge_treatment
from rnetstats.studies.verdicts import MINIMUM, not_judged
from rnetstats.treatment.equivalence import MarginResult

__all__ = ["salvage_claims"]

_NAIVE = "Naive comparison from time zero; shown for its counts, not as evidence"
_COLUMNS = {"recurrence": "recurrences", "dfs": "dfs_events"}
_METHOD = "Cox regression with salvage as it changes, Firth’s penalty, profile limits"
_ENDINGS = {
    "too few": "With so few on one side no comparison can show or refute an effect.",
    "too wide": "The interval agrees with a strong benefit, with none, and with a strong harm.",
    "association against": "Salvaged patients fared worse; that they were at higher risk to begin "
    "with may explain it.",
    "association only": "That is an association: a reason for salvage that was not recorded may "
    "explain it.",
    "compatible": "That neither shows a benefit nor speaks against one beyond chance.",
    "not judged": "So the claim is not judged.",
}


def salvage_claims(chapter: SalvageEffects | None, naive: NaiveSalvage | None) -> list[Finding]:
    """Return the claims on salvage; they stand outside the family that is adjusted together."""
    return [*(_benefit(e, chapter, naive) for e in ENDPOINTS[:2]), *_kinds(chapter, naive)]


def _benefit(
    endpoint: Endpoint, chapter: SalvageEffects | None, naive: NaiveSalvage | None
) -> Finding:
    key = endpoint.key
    alone = _everybody(naive)
    evidence = chapter.evidence(key) if chapter and not alone else None
    if chapter is None or evidence is None:
        why = alone or _why_not(key, chapter, naive)
        verdict = judge_treatment(None, missing=why)
        said, shown, events = why, "none", _ever_and_never(key, naive)
        fewest = total = 0
        method = f"{_METHOD}; not possible here"
    else:
        verdict = judge_treatment(evidence)
        fewest = min(evidence.events_treated, evidence.events_untreated)
        total = evidence.events_treated + evidence.events_untreated
        after, others = evidence.events_treated, evidence.events_untreated
        events = f"{EVENTS[key][1]}: {after} after salvage, {others} before or without it"
        events += _complete(chapter, key)
        # a finite ratio of an arm without events would be that of the penalty
        ratio = evidence.estimate if fewest else math.nan
        shown = _ratio(ratio, evidence.conf_low, evidence.conf_high)
        said = (
            f"With every patient counted as salvaged from the day of salvage on: "
            f"{counted(after, key)} after salvage, {others} before or without it; {shown}."
        )
        adjusted = adjusted_for(chapter)
        method = _METHOD + (f"; adjusted for {adjusted}" if adjusted else "; not adjusted")
    return Finding(
        key=f"salvage_{key}",
        statement="Salvage treatment improves disease-free survival among positive margins (read "
        f"as {'time to recurrence' if key == 'recurrence' else READINGS[key]})",
        endpoint=f"{endpoint.name}: {endpoint.definition}",
        estimand="Ratio of the hazards, at each moment, of patients already salvaged and of those "
        "not (yet) salvaged, free of the event until then",
        method=method,
        events=events,
        said=f"{said} {_ENDINGS[verdict.rule]}{_misclassified(naive)}",
        n_events=total,
        fewest=fewest,
        fixed=verdict,
        shown=shown,
    )


def _complete(chapter: SalvageEffects, key: str) -> str:
    """Say how many patients are compared, where values are missing for others."""
    used = int(chapter.effects[key].glance()["n"].iloc[0])
    some = "" if used == chapter.n else f" (complete cases, {used} of {chapter.n})"
    if not chapter.n_undated:
        return some
    them = "patient" if chapter.n_undated == 1 else "patients"
    return f"{some} ({chapter.n_undated} salvaged {them} left out, the day not being known)"


def _everybody(naive: NaiveSalvage | None) -> str:
    """Say that there is nobody to compare with, where everybody was salvaged; else empty."""
    if naive is None or not len(naive.groups) or (naive.groups["salvage"] == UNTREATED).any():
        return ""
    n = int(naive.groups["n"].sum())
    return (
        f"All {n} patients with a positive margin were salvaged, so that there is nobody to "
        "compare with; whoever had a recurrence first is not in such data, so that the time before "
        "a salvage cannot stand in."
    )


def _why_not(key: str, chapter: SalvageEffects | None, naive: NaiveSalvage | None) -> str:
    """Say why salvage cannot be compared."""
    if naive is None:
        return "These data do not tell which patients with a positive margin were salvaged."
    n = int(naive.groups["n"].sum())
    treated = naive.groups[naive.groups["salvage"] != UNTREATED]
    salvaged = int(treated["n"].sum())
    if salvaged == 0:
        return f"None of the {n} patients with a positive margin was salvaged."
    if chapter is None or salvaged == int(treated["n_unknown"].sum()):
        who = f"{salvaged} of {n} patients with a positive margin were"
        if salvaged == 1:
            who = f"1 of {n} patients with a positive margin was"
        return (
            f"{who} salvaged, but the day of salvage is not known. Without it nobody can say "
            "which events came after salvage."
        )
    if int(naive.groups[_COLUMNS[key]].sum()) == 0:
        return _none_seen(key, naive.groups)
    if chapter.horizon is None:
        return (
            "No patient with a positive margin is followed, free of recurrence, for more than "
            f"{EARLIEST:g} months. Salvage is given {GRACE:g} months to begin, and risks are "
            f"compared at {EARLIEST:g} months at the earliest."
        )
    return (
        "These data refuse the comparison; the reason stands at the end of the report, among what "
        "was left out."
    )


def _none_seen(key: str, groups: pd.DataFrame) -> str:
    """Say that no event was seen, and among how many patients."""
    n, known = int(groups["n"].sum()), int(groups[f"n_{_COLUMNS[key]}"].sum())
    if known == 0:
        return (
            f"Of none of the {n} patients with a positive margin is it known whether there was a "
            f"{EVENTS[key][0]}."
        )
    some = f", of whom it is known for {known}" * (known < n)
    return f"No {EVENTS[key][0]} was seen among the {n} patients with a positive margin{some}."


def _ever_and_never(key: str, naive: NaiveSalvage | None) -> str:
    """Count events by salvage at any time, where salvage as it began has no counts."""
    if naive is None:
        return f"{EVENTS[key][1]} by salvage: not known"
    ever = naive.groups["salvage"] != UNTREATED
    parts = [
        f"{_of_known(rows, _COLUMNS[key])} {words}"
        for rows, words in (
            (naive.groups[ever], "salvaged at some time"),
            (naive.groups[~ever], "never salvaged"),
        )
        if len(rows)
    ]
    return f"{EVENTS[key][1]}: {', '.join(parts)}"


def _of_known(groups: pd.DataFrame, column: str) -> str:
    """Count the events of groups among the patients of whom it is known."""
    known = int(groups[f"n_{column}"].sum())
    unknown = int(groups["n"].sum()) - known
    more = f" (of {unknown} more it is not known)" * (unknown > 0)
    return f"{int(groups[column].sum())} of {known}{more}"


def _ratio(estimate: float, low: float, high: float) -> str:
    if math.isnan(estimate):
        return "no hazard ratio"
    interval = "no interval" if math.isnan(low) else fmt_interval(low, high)
    return f"HR {fmt_number(estimate)} ({interval})"


def _misclassified(naive: NaiveSalvage | None) -> str:
    if naive is None:
        return ""
    treated = naive.groups[naive.groups["salvage"] != UNTREATED]
    before, months = float(treated["months_before"].sum()), float(treated["months"].sum())
    if not before > 0.0:
        return ""
    return (
        " A naive comparison from the first day would count "
        f"{fmt_number(before, int(before < 10))} person-months before salvage as salvaged "
        f"({fmt_percent(before / months)} of the salvaged group’s time)."
    )


def _kinds(chapter: SalvageEffects | None, naive: NaiveSalvage | None) -> Iterator[Finding]:
    found = {
        endpoint.key: results[0]
        for endpoint in ENDPOINTS
        if chapter and (results := chapter.kinds.get(endpoint.key))
    }
    text = "; ".join(f"{READINGS[key]}: {_difference(result)}" for key, result in found.items())
    yield Finding(
        key="salvage_kinds",
        statement="Endoscopic salvage is no worse than radical surgery",
        endpoint=f"Recurrence, and recurrence or death, within {_horizon(found)} months from the "
        "day of salvage"
        if found
        else "Disease-free survival after salvage, in both readings",
        estimand="Difference of risks, endoscopic less radical; “no worse” needs a margin of what "
        "would be worse",
        method=_kinds_method(naive, known=bool(found)),
        events=_events_by_kind(found) if found else _naive_events(naive),
        said="Not judged: no significant difference is not equality. “No worse” needs a margin "
        f"stated beforehand, and none is printed. {_support(found)}".strip(),
        fixed=not_judged("No margin of non-inferiority is printed."),
        shown=text or _naive_text(naive.kinds if naive else {}),
    )


def _horizon(found: dict[str, MarginResult]) -> str:
    return f"{next(iter(found.values())).options['horizon']:g}"


def _kinds_method(naive: NaiveSalvage | None, *, known: bool) -> str:
    if known:
        return "Risks by Kaplan-Meier from the day of salvage, not adjusted"
    return _NAIVE if naive and naive.kinds else "No comparison: these data do not hold both kinds"


def _difference(result: MarginResult) -> str:
    row = result.glance().iloc[0]
    text = f"{fewer_or_more(row['estimate'], 1)} of 100 after endoscopic salvage"
    if sparse(row["events_new"], row["events_reference"]):
        return f"{text} (no interval)"
    return f"{text} ({limits_of_100(row['conf_low'], row['conf_high'], 1)})"


def _support(found: dict[str, MarginResult]) -> str:
    """Say the smallest margin that these patients could have met, or that none can be told."""
    parts = []
    for key, result in found.items():
        row = result.glance().iloc[0]
        if sparse(row["events_new"], row["events_reference"]):
            parts.append(
                f"for {READINGS[key]} an arm has fewer than {MINIMUM} events, too few to say "
                "anything of a margin"
            )
        elif result.smallest_margin == 0.0:
            parts.append(f"for {READINGS[key]} these patients would have met any margin above 0")
        elif math.isfinite(result.smallest_margin):
            parts.append(
                f"for {READINGS[key]} these patients could have met no margin below "
                f"{math.ceil(100.0 * result.smallest_margin)} more of 100"
            )
    return f"{told('; '.join(parts))}." if parts else ""


def _events_by_kind(found: dict[str, MarginResult]) -> str:
    parts = []
    for key, result in found.items():
        row = result.glance().iloc[0]
        parts.append(
            f"{EVENTS[key][1]}: {row['events_new']:g} of {row['n_new']:g} after endoscopic, "
            f"{row['events_reference']:g} of {row['n_reference']:g} after radical salvage"
        )
    return f"{'; '.join(parts)} (within {_horizon(found)} months of it)"


def _naive_events(naive: NaiveSalvage | None) -> str:
    if naive is None:
        return "not known: these data do not tell who was salvaged"
    treated = naive.groups[naive.groups["salvage"] != UNTREATED]
    if not len(treated):
        return "nobody was salvaged"
    return "; ".join(
        f"{EVENTS[key][1]}: "
        + ", ".join(
            f"{_of_known(treated.iloc[[place]], column)} ({kind} salvage at some time)"
            for place, kind in enumerate(treated["salvage"])
        )
        for key, column in _COLUMNS.items()
    )


def _naive_text(comparisons: dict[str, Comparison]) -> str:
    parts = []
    for key, comparison in comparisons.items():
        p = comparison.primary
        if math.isnan(p["estimate"]):
            continue
        if sparse(comparison.fewest):
            parts.append(f"{READINGS[key]}: none (too few events)")
            continue
        interval = fmt_interval(p["conf_low"], p["conf_high"])
        parts.append(
            f"{READINGS[key]}: naive {p['measure']}, radical against endoscopic, "
            f"{fmt_number(p['estimate'])} ({interval})"
        )
    return "; ".join(parts) or "none"
