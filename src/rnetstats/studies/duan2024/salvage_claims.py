"""The claims on salvage: under both readings of disease-free survival, and on its kinds."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.duan2024.outcomes import ENDPOINTS, Comparison, Endpoint
from rnetstats.studies.duan2024.salvage import NaiveSalvage
from rnetstats.studies.duan2024.salvage_effects import HORIZON, SalvageEffects, adjusted_for
from rnetstats.studies.finding import Finding
from rnetstats.studies.treatment_verdicts import judge_treatment
from rnetstats.studies.verdicts import not_judged
from rnetstats.treatment.equivalence import MarginResult

__all__ = ["salvage_claims"]

_NAIVE = "Naive comparison from time zero; shown for its counts, not as evidence"
_EVENTS = {"recurrence": "recurrences", "dfs": "recurrences or deaths"}
_ENDINGS = {
    "too few": "With so few on one side no comparison can show or refute an effect.",
    "too wide": "They agree with a strong benefit, with none, and with a strong harm.",
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
    evidence = chapter.evidence(endpoint.key) if chapter else None
    verdict = judge_treatment(evidence)
    said, shown, events = "No patient with a known day of salvage.", "none", "no salvage"
    fewest = total = 0
    if evidence is not None:
        fewest = min(evidence.events_treated, evidence.events_untreated)
        total = evidence.events_treated + evidence.events_untreated
        events = (
            f"{_EVENTS[endpoint.key]}: {evidence.events_treated} after salvage, "
            f"{evidence.events_untreated} before or without it"
        )
        shown = _ratio(evidence.estimate, evidence.conf_low, evidence.conf_high)
        said = f"Counted from the day of salvage on: {events}; {shown}."
    said = f"{said} {_ENDINGS[verdict.rule]}{_misclassified(naive)}"
    adjusted = adjusted_for(chapter) if chapter else ""
    return Finding(
        key=f"salvage_{endpoint.key}",
        statement="Salvage treatment improves disease-free survival among positive margins (read "
        f"as {endpoint.name.lower()})",
        endpoint=f"{endpoint.name}: {endpoint.definition}",
        estimand="Ratio of the hazards, at each moment, of patients already salvaged and of those "
        "not (yet) salvaged, free of the event until then",
        method="Cox regression with salvage as it changes, Firth’s penalty, profile limits"
        + (f"; adjusted for {adjusted}" if adjusted else "; not adjusted"),
        events=events,
        said=said,
        n_events=total,
        fewest=fewest,
        fixed=verdict,
        shown=shown,
    )


def _ratio(estimate: float, low: float, high: float) -> str:
    if math.isnan(estimate):
        return "no hazard ratio"
    interval = "no interval" if math.isnan(low) else fmt_interval(low, high)
    return f"HR {fmt_number(estimate)} ({interval})"


def _misclassified(naive: NaiveSalvage | None) -> str:
    if naive is None:
        return ""
    treated = naive.groups[naive.groups["salvage"] != "none"]
    before, months = float(treated["months_before"].sum()), float(treated["months"].sum())
    if months <= 0.0:
        return ""
    return (
        f" A naive comparison from the first day would count {fmt_number(before, 0)} person-months "
        f"before salvage as salvaged ({fmt_percent(before / months)} of the salvaged group’s time)."
    )


def _kinds(chapter: SalvageEffects | None, naive: NaiveSalvage | None) -> Iterator[Finding]:
    results = chapter.kinds if chapter else {}
    text = "; ".join(
        f"{endpoint.name.lower()}, {HORIZON:g} months after salvage: {_difference(found[0])}"
        for endpoint in ENDPOINTS
        if (found := results.get(endpoint.key))
    )
    yield Finding(
        key="salvage_kinds",
        statement="Endoscopic salvage is no worse than radical surgery",
        endpoint="Recurrence, and recurrence or death, from the day of salvage"
        if text
        else "Disease-free survival after salvage; here both endpoints, from time zero",
        estimand="Difference of risks, endoscopic less radical; “no worse” needs a margin of what "
        "would be worse",
        method="Risks by Kaplan-Meier from the day of salvage, not adjusted" if text else _NAIVE,
        events=_kind_events(naive),
        said="Not judged: no significant difference is not equality. “No worse” needs a margin "
        "stated beforehand, and none is printed. "
        + (
            _support(results)
            or "With events this few a difference of clinical importance would pass unnoticed."
        ),
        fixed=not_judged("No margin of non-inferiority is printed."),
        shown=text or _naive_text(naive.kinds if naive else {}),
    )


def _difference(result: MarginResult) -> str:
    row = result.glance().iloc[0]
    interval = fmt_interval(100.0 * row["conf_low"], 100.0 * row["conf_high"], 1)
    return f"{fmt_number(100.0 * row['estimate'], 1)} of 100 more ({interval})"


def _support(results: dict[str, tuple[MarginResult, ...]]) -> str:
    """Say the smallest margin that these patients could have met."""
    smallest = [found[0].smallest_margin for found in results.values()]
    finite = [margin for margin in smallest if math.isfinite(margin)]
    if not finite:
        return ""
    return (
        f"These patients could have met no margin below {fmt_number(100.0 * min(finite), 0)} more "
        f"of 100 with the event {HORIZON:g} months after salvage."
    )


def _kind_events(naive: NaiveSalvage | None) -> str:
    if naive is None:
        return "not known: no salvage in this cohort"
    treated = naive.groups[naive.groups["salvage"] != "none"]
    parts = [f"{row.recurrences} of {row.n} ({row.salvage})" for row in treated.itertuples()]
    return "recurrences after salvage: " + (", ".join(parts) or "no patient was salvaged")


def _naive_text(comparisons: dict[str, Comparison]) -> str:
    parts = []
    for comparison in comparisons.values():
        p = comparison.primary
        if comparison.n_events and not math.isnan(p["estimate"]):
            interval = fmt_interval(p["conf_low"], p["conf_high"])
            name = comparison.endpoint.name.lower()
            parts.append(f"{name}: naive {p['measure']} {fmt_number(p['estimate'])} ({interval})")
    return "; ".join(parts) or "none"
