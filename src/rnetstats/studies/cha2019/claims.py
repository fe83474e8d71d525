"""The study's claims on additional treatment and on recurrence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from rnetstats.evidence.facts import Fact, FactSheet
from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent, inside
from rnetstats.studies.cha2019.bounds import Bounds
from rnetstats.studies.cha2019.cohort import Cohort
from rnetstats.studies.cha2019.seen import EVERYBODY, TREATED, UNTREATED, Seen
from rnetstats.studies.cha2019.treatment_model import FACTORS, TreatmentModel
from rnetstats.studies.evidence_verdicts import evidence_verdict
from rnetstats.studies.finding import Contrast, Finding
from rnetstats.studies.verdict_table import Verdict, verdict_by
from rnetstats.studies.verdicts import MINIMUM, RULES, compare_print, events_text, not_judged

__all__ = ["factor_findings", "overlap_sentence", "recurrence_findings", "share_finding"]


def factor_findings(model: TreatmentModel, sheet: FactSheet) -> list[Finding]:
    """Return the claims on who received additional treatment."""
    return [
        _factor(model, sheet, key, fact, label, direction)
        for key, (fact, label, direction) in FACTORS.items()
    ]


def _factor(
    model: TreatmentModel,
    sheet: FactSheet,
    key: tuple[str, str],
    fact: str,
    label: str,
    direction: str,
) -> Finding:
    frame = model.frame.dropna(subset=["treated", "detection", "margin", "lvi"])
    column = {"C(detection)": "detection", "C(margin)": "margin"}.get(key[0], key[0])
    values = frame[column].astype(object)
    has = (values == (key[1] or 1)).to_numpy()
    reference = {"detection": "polyp", "margin": "negative"}.get(column, 0)
    base = (values == reference).to_numpy()
    treated = (frame["treated"] == 1).to_numpy()
    a, n_1 = int((has & treated).sum()), int(has.sum())
    c, n_0 = int((base & treated).sum()), int(base.sum())
    row, exact = model.row("firth", key), model.row("exact", key)
    fewest = min(a, n_1 - a, c, n_0 - c)
    sparse = exact is not None and fewest < MINIMUM
    printed = sheet[f"or_{fact}"]
    words = "more" if direction == "greater" else "less"
    contrasts = () if row is None else (_contrast(label, row, a, n_1, c, n_0),)
    return Finding(
        key=f"treated_{fact}",
        statement=f"{label}: {words} often additional treatment (odds ratio {printed.value})",
        endpoint="Additional treatment after a resection that was not curative",
        estimand="Odds ratio given the other factors of the model",
        method="Logistic regression, Firth’s penalty, profile limits"
        + "; exact conditional beside it" * (exact is not None),
        events=f"treated: {a} of {n_1} with it, {c} of {n_0} in the reference group",
        said=_said(label, row, exact, printed.value, sheet[f"p_{fact}"].value),
        direction=direction,
        n_events=int(min(treated.sum(), (~treated).sum())),
        smallest=min(n_1, n_0),
        fewest=fewest,
        contrasts=contrasts,
        p_value=float("nan") if row is None else float(row["p_value"]),
        p_exact=float(exact["p_value"]) if sparse and exact is not None else float("nan"),
        fixed=None if row is not None else not_judged(model.why_not or _unjudged(n_1, n_0)),
        in_family=True,
    )


def _unjudged(n_1: int, n_0: int) -> str:
    """Say why a factor has no odds ratio."""
    if n_1 == 0:
        return "No patient of the model has it."
    if n_0 == 0:
        return "No patient of the model is in the reference group."
    return "The model could not be fitted."


def _said(
    label: str,
    row: dict[str, Any] | None,
    exact: dict[str, Any] | None,
    printed: str,
    p_value: str,
) -> str:
    if row is None:
        return f"{label}: no estimate. The paper prints {printed}."
    text = f"{label}: odds ratio {_interval(row)} by Firth’s penalty"
    if exact is not None and math.isnan(exact["estimate"]):
        text += " (none by the exact method: given the other factors, these data allow one table)"
    elif exact is not None:
        text += f", {_interval(exact)} by the exact method"
    return f"{text}; the paper prints {printed} (P {p_value}) without limits."


def _interval(row: dict[str, Any]) -> str:
    limits = fmt_interval(row["conf_low"], row["conf_high"])
    return f"{fmt_number(row['estimate'])} (95 % CI {limits})"


def _contrast(label: str, row: dict[str, Any], a: int, n_1: int, c: int, n_0: int) -> Contrast:
    words = f"Treated: {inside(label)}"
    return Contrast.of(row, words, (a, n_1), (c, n_0))


def share_finding(cohort: Cohort, sheet: FactSheet) -> Finding:
    """Return the check of the printed share of non-curative resections against the file."""
    printed = sheet["not_curative_percent"]
    n, no = len(cohort.everyone), int((cohort.everyone["not_curative"] == 1).sum())
    if len(cohort.whole) > n:
        return _share_of_some(cohort, sheet, no)
    share = 100.0 * no / n
    agrees = round(share, printed.decimals) == printed.number
    said = (
        f"By the definition used here {no} of {n} ({fmt_percent(no / n)}) were not curative; the "
        f"paper prints {printed.text}."
        + " A synthetic cohort is drawn to meet it, so the agreement proves nothing."
        * cohort.synthetic
    )
    verdict = compare_print(agrees, f"{fmt_percent(no / n)} against the printed {printed.text}.")
    return _share(printed, said, f"{no} of {n}", verdict, fmt_percent(no / n), no)


def _share_of_some(cohort: Cohort, sheet: FactSheet, no: int) -> Finding:
    """Return the check where some cannot be classified: the share has bounds, no value.

    One reason makes a resection not curative, curative takes all of them to be known: a share of
    the classified alone would be too high.
    """
    printed, n = sheet["not_curative_percent"], len(cohort.whole)
    unknown = n - len(cohort.everyone)
    low, high = no / n, (no + unknown) / n
    between = f"{fmt_percent(low)} to {fmt_percent(high)}"
    said = (
        f"By the definition used here {no} of {n} were not curative, {n - no - unknown} curative, "
        f"and {unknown} cannot be classified for missing values: the share is {between}, by what "
        f"they were. The paper prints {printed.text}."
    )
    agreed = 100.0 * low - 0.05 <= printed.number <= 100.0 * high + 0.05
    verdict = (
        not_judged(f"{unknown} patients cannot be classified; the printed share is possible.")
        if agreed
        else compare_print(False, f"{between} against the printed {printed.text}.")
    )
    return _share(printed, said, f"{no} of {n}, {unknown} more not known", verdict, between, no)


def _share(printed: Fact, said: str, counts: str, verdict: Verdict, shown: str, no: int) -> Finding:
    return Finding(
        key="share",
        statement=f"{printed.text} of the resections did not meet the criteria",
        endpoint="The resection, as defined above",
        estimand="Share of all patients",
        method="Counting",
        events=f"not curative: {counts}",
        said=said,
        n_events=no,
        fixed=verdict,
        shown=shown,
    )


def recurrence_findings(
    cohort: Cohort, model: TreatmentModel, bounds: Bounds, seen: Sequence[Seen]
) -> list[Finding]:
    """Return the claims that nobody recurs, and that this holds whatever is done."""
    counted = f"{cohort.recurrences} of {cohort.followed}"
    events = f"recurrences: {counted}; {_arms(cohort.open_ended)}"
    everybody = next((group for group in seen if group.group == EVERYBODY), None)
    return [
        _none(bounds, everybody, events),
        _regardless(cohort, model, bounds, events, _by_arm(seen)),
    ]


def _by_arm(seen: Sequence[Seen]) -> str:
    """Give the recurrences of both arms where the file holds any: print has none."""
    arms = [group for group in seen if group.group in (TREATED, UNTREATED)]
    if not any(group.events for group in arms):
        return ""
    parts = [
        f"{arm.counts} {'with' if arm.group == TREATED else 'without'} additional treatment, "
        f"{arm.risk}"
        for arm in arms
    ]
    return f" Recurrences in these data, resections not curative: {'; '.join(parts)}."


def _arms(frame: pd.DataFrame) -> str:
    parts = []
    for flag, words in ((1, "with"), (0, "without")):
        known = frame.loc[frame["treated"] == flag, "recurrence"].dropna()
        parts.append(f"{int(known.sum())} of {len(known)} {words} additional treatment")
    return ", ".join(parts)


def _none(bounds: Bounds, found: Seen | None, events: str) -> Finding:
    n, high = bounds.risks["all patients"]
    seen = 0 if found is None else found.events
    shown = f"at most {fmt_percent(high)}"
    said = (
        f"No recurrence in {n} patients means a risk of at most {fmt_percent(high)} within their "
        f"follow-up, and, with at least {int(bounds.least_years)} patient-years, at most "
        f"{fmt_number(bounds.rate)} per 100 patient-years. At the rate of the study of "
        f"{bounds.other_n} patients {fmt_number(bounds.expected, 1)} would be expected here; "
        f"none has a probability of {fmt_number(bounds.chance_of_none, 3)}; with that rate taken "
        f"as an estimate, equal rates have an exact P of {fmt_number(bounds.chance_allowing, 3)}. "
        "Population, definition or detection of recurrence differ, or it is chance."
    )
    held = f"{seen} recurrence{'s' * (seen != 1)}"
    if found is not None and (found.events, found.n) != (0, n):
        said += f" In these data {found.counts} recurred: a risk of {found.risk} within their "
        said += f"follow-up, and per 100 patient-years a rate of {found.rate}."
        shown = f"{found.risk} in these data; in print {shown}"
    return Finding(
        key="no_recurrence",
        statement="There was no recurrence",
        endpoint="Recurrence, local or metastatic",
        estimand="Risk within each patient’s follow-up, and rate",
        method="Clopper-Pearson and Poisson limits, from the printed figures and from these data",
        events=events,
        said=said,
        n_events=seen,
        fixed=compare_print(False, f"{held} in the file, none in print.")
        if seen
        else evidence_verdict("bound only", "No recurrence, in print and in the file."),
        shown=shown,
    )


def _regardless(
    cohort: Cohort, model: TreatmentModel, bounds: Bounds, events: str, by_arm: str
) -> Finding:
    with_it = bounds.risks["not curative, additional treatment"]
    without = bounds.risks["not curative, no additional treatment"]
    overlap = overlap_sentence(model)
    said = (
        f"In print, 0 of {with_it[0]} with additional treatment bounds the risk at "
        f"{fmt_percent(with_it[1])}, 0 of {without[0]} without it at {fmt_percent(without[1])}: "
        "the difference may be anything between. That neither arm has an event does not show that "
        f"they are alike.{by_arm} {overlap} “Favourable in both” is no evidence of no difference."
    )
    return Finding(
        key="regardless",
        statement="The outcome is favourable regardless of additional treatment",
        endpoint="Recurrence, local or metastatic",
        estimand="Difference that additional treatment makes, had everybody or nobody had it",
        method="Overlap of the probabilities of treatment; exact bounds of each arm",
        events=events,
        said=said,
        n_events=cohort.recurrences,
        fixed=_compared(cohort, model, overlap),
        shown="none",
    )


def _compared(cohort: Cohort, model: TreatmentModel, overlap: str) -> Verdict:
    """Judge the comparison of the arms: by their overlap first, by their events next."""
    if model.comparable is False:
        return evidence_verdict("not comparable", overlap)
    if model.why_not:
        return not_judged(model.why_not)
    frame = cohort.open_ended
    fewest = min(int(frame.loc[frame["treated"] == flag, "recurrence"].sum()) for flag in (0, 1))
    if fewest == 0:
        return evidence_verdict("bound only", f"{events_text(fewest).capitalize()} in one arm.")
    if fewest < MINIMUM:
        return verdict_by(RULES, "too few", f"{events_text(fewest)} in one arm.")
    return not_judged("With events in both arms, compare them by treatment_effect().")


def overlap_sentence(model: TreatmentModel) -> str:
    """Say how far the factors tell treated from untreated patients."""
    if model.score is None:
        return "How far the arms overlap cannot be said of this file."
    row = model.score.glance().iloc[0]
    treated, others = int(row["n_treated"]), int(row["n_control"])
    worth = fmt_number(float(row["ess_treated"]), 0)
    return (
        "The factors tell treated from untreated patients with a c statistic of "
        f"{fmt_number(float(row['c_statistic']))}; weighted to be more alike, the "
        f"{treated} treated {'is' if treated == 1 else 'are'} worth {worth} "
        f"patient{'s' * (worth != '1')} and the {others} other{'s' * (others != 1)} "
        f"{fmt_number(float(row['ess_control']), 0)}."
    )
