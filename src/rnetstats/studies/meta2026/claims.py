"""The meta-analysis's claims, and ours on the studies at hand."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.evidence.information_size_result import InformationSizeResult
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.studies.evidence_verdicts import evidence_verdict
from rnetstats.studies.finding import Contrast, Finding
from rnetstats.studies.meta2026.comparison import Comparison, span_words
from rnetstats.studies.meta2026.crude_claims import RECURRENCE
from rnetstats.studies.meta2026.proportions import PooledShare
from rnetstats.studies.records import records
from rnetstats.studies.treatment_verdicts import ASSOCIATION_RULES
from rnetstats.studies.verdict_table import Verdict, verdict_by
from rnetstats.studies.verdicts import FAMILY_LEVEL, MINIMUM, RULES, not_judged
from rnetstats.tables.fisher import fisher_p
from rnetstats.treatment.e_value import e_value

__all__ = [
    "certainty_finding",
    "own_finding",
    "rate_finding",
    "residual_finding",
]

JUDGES = ("mantel-haenszel", "CM.EL", "beta-binomial")
"""Of these the one with the largest P decides: none of them corrects a zero cell."""


def rate_finding(sheet: FactSheet, pooled: dict[str, PooledShare]) -> Finding:
    """Return the claim that incomplete resection depends on the method."""
    printed = {
        key: sheet[f"incomplete_{key}"]
        for key in ("cold_snare", "conventional_emr", "modified_emr", "esd")
    }
    esd, emr = pooled.get("esd"), pooled.get("modified_emr")
    said = (
        f"Printed are {printed['cold_snare'].text} after cold snare, "
        f"{printed['conventional_emr'].text} after conventional EMR, "
        f"{printed['modified_emr'].text} after modified EMR and {printed['esd'].text} after ESD, "
        "without limits, heterogeneity or counts."
    )
    if esd is not None and emr is not None:
        order = "the other way round" if esd.estimate > emr.estimate else "in the same order"
        said += (
            f" The few series whose counts are known have modified EMR and ESD {order}: "
            f"{fmt_percent(emr.estimate)} ({emr.k} series) against {fmt_percent(esd.estimate)} "
            f"({esd.k} series). The series chose whom they treated how, so that neither order is "
            "the method’s doing alone."
        )
    return Finding(
        key="methods",
        statement="Incomplete resection is most frequent after cold snare, least after ESD",
        endpoint="Incomplete resection: margin positive or indeterminate, or invasion",
        estimand="Shares by method, pooled over studies that mostly used one method each",
        method="None: no limits are printed",
        events="unknown",
        said=said,
        fixed=evidence_verdict(
            "not in print", "No limits, counts or heterogeneity of these rates are printed."
        ),
        shown=", ".join(fact.text for fact in printed.values()),
    )


def residual_finding(
    sheet: FactSheet, scales: pd.DataFrame, pooled: PooledShare | None, *, own: bool
) -> Finding:
    """Return the claim on residual tumour at salvage, and which scale can have given it."""
    fits = scales[scales["possible"]]
    plain = scales[scales["reading"] == "residual"]
    printed = sheet["residual_percent"]
    limits = f"{sheet['residual_low'].value} to {sheet['residual_high'].value}"
    names = " or ".join(
        f"“{label.lower()}”" + " (at the very edge)" * edge
        for label, edge in zip(fits["label"], fits["edge"], strict=True)
    )
    said = (
        f"The limits of {printed.text} ({limits}) are even on "
        + ("some scale" if plain["possible"].any() else "no scale")
        + " if the decimals are true ones"
    )
    said += (
        f"; if the figures are proportions of two decimals, on the scale {names}."
        if len(fits)
        else "."
    )
    if pooled is not None:
        whose = "the series of your table" if own else "the series at hand"
        said += (
            f" Pooled from {whose} (ours): {fmt_percent(pooled.estimate)} "
            f"({fmt_interval(100 * pooled.low, 100 * pooled.high, 1)}), {pooled.events} of "
            f"{pooled.n} in {pooled.k} series."
        )
    return Finding(
        key="residual",
        statement=f"Residual tumour is found at salvage in {printed.text} ({limits})",
        endpoint="Residual tumour in the specimen of salvage",
        estimand="Share of the salvaged, who are not the observed",
        method="Evenness of the limits on four scales; pooling of the series at hand",
        events="unknown in print"
        if pooled is None
        else f"at hand: {pooled.events} of {pooled.n} with residual tumour",
        said=said,
        fixed=evidence_verdict(
            "left open",
            "The transformation and the counts are not printed; the limits agree with "
            f"{len(fits)} of {len(scales)} readings.",
        ),
        shown=f"{printed.text} ({limits})",
    )


def own_finding(found: Comparison) -> Finding:
    """Return the claim that salvage lowers recurrence, on the studies at hand."""
    table = found.table
    (a, n_1), (c, n_2) = table.arm(1), table.arm(2)
    whose = "your table" if table.own else "counts put together by us"
    contrasts: tuple[Contrast, ...] = ()
    p = p_exact = math.nan
    row = _judging(found)
    if row is not None:
        words = "Recurrence: salvage against observation, within studies"
        contrasts = (Contrast.of(row, words, (a, n_1), (c, n_2)),)
        p = float(row["p_value"])
        p_exact = _exact_p(found, a, n_1, c, n_2)
    verdict = (
        _no_estimate(found, a + c)
        if row is None
        else _association(row, p if math.isnan(p_exact) else max(p, p_exact), (a + c, n_1 + n_2))
    )
    said = _own_said(found, row, a, n_1, c, n_2)
    if row is not None and verdict is not None:
        said += " Doctors chose whom to salvage: what decided on it may explain the difference."
    return Finding(
        key="own",
        statement="Salvage lowers recurrence within studies"
        + ("" if table.own else " (the few whose counts are known)"),
        endpoint=RECURRENCE,
        estimand="Odds ratio of salvage against observation within studies, not adjusted",
        method="none" if row is None else str(row["label"]),
        events=f"recurrences: {a} of {n_1} after salvage, {c} of {n_2} under observation ({whose})",
        said=said,
        direction="less",
        n_events=a + c,
        smallest=min(n_1, n_2),
        fewest=min(a, c),
        contrasts=contrasts,
        p_value=p,
        p_exact=p_exact,
        fixed=verdict,
    )


def _association(row: dict[str, Any], p: float, pooled: tuple[int, int]) -> Verdict | None:
    """What an odds ratio beyond chance shows where doctors chose whom to salvage; else None."""
    estimate, low, high = (float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    if not p < FAMILY_LEVEL or low <= 1.0 <= high:
        return None
    events, n = pooled
    because = f"Odds ratio {fmt_number(estimate)} ({fmt_interval(low, high)})"
    if low > 1.0:
        return verdict_by(ASSOCIATION_RULES, "association against", f"{because}.")
    if low > 0.0:
        strength = e_value(estimate, low, high, measure="or", outcome_share=events / n)
        because += f"; E-value {strength.e_value_limit:.2f}"
    return verdict_by(ASSOCIATION_RULES, "association only", f"{because}.")


def _no_estimate(found: Comparison, events: int) -> Verdict:
    if len(found.table.both) and events == 0:
        return evidence_verdict("bound only", "No recurrence in either arm of any study.")
    return verdict_by(RULES, "too few", "No study gives an odds ratio.")


def _judging(found: Comparison) -> dict[str, Any] | None:
    """What a verdict rests on: the most cautious of three, inverse variance, or exact limits."""
    if found.rare is not None:
        rows = [row for row in records(found.rare.to_frame()) if row["method"] in JUDGES]
        sound = [r for r in rows if math.isfinite(r["coef"]) and math.isfinite(r["std_error"])]
        if sound:
            return max(sound, key=lambda row: float(row["p_value"]))
        for method in ("inverse-variance", "exact"):  # exact where an arm has no event
            last = found.rare.method(method)
            if math.isfinite(float(last["p_value"])):
                return {str(name): value for name, value in last.items()}
    if found.pooled is None:
        return None
    pooled = records(found.pooled.glance())[0]
    return pooled | {"label": "Inverse variance, REML, Hartung-Knapp"}


def _exact_p(found: Comparison, a: int, n_1: int, c: int, n_2: int) -> float:
    """Exact conditional P over strata; Fisher's where one study is all there is."""
    if min(a, c) >= MINIMUM:
        return math.nan
    if len(found.table.both) == 1:
        return float(fisher_p(a, n_1 - a, c, n_2 - c))
    if found.rare is not None and "exact" in set(found.rare.rows["method"]):
        return float(found.rare.method("exact")["p_value"])
    return math.nan


def _own_said(
    found: Comparison, row: dict[str, Any] | None, a: int, n_1: int, c: int, n_2: int
) -> str:
    table = found.table
    if table.both.empty:
        return "No study of your table has both arms: nothing is compared within studies."
    said = (
        f"In {table.words}, {a} of {n_1} recurred after salvage and {c} of {n_2} under observation."
    )
    if row is None:
        return f"{said} No odds ratio can be given."
    limits = fmt_interval(float(row["conf_low"]), float(row["conf_high"]))
    said += (
        f" Odds ratio {fmt_number(float(row['estimate']))} ({limits}), P "
        f"{fmt_p(float(row['p_value']))}, by “{row['label']}”."
    )
    if found.rare is not None:
        said += f" It is {span_words(found.rare)}."
    return said


def certainty_finding(sheet: FactSheet, size: InformationSizeResult, patients: int) -> Finding:
    """Return the meta-analysis's own grading, with what can be computed of it."""
    table = size.to_frame()
    least = table.iloc[0]
    share = float(least["share_patients"])
    said = (
        f"To settle an odds ratio of {size.options['effect']:g} at a risk of "
        f"{fmt_percent(float(least['control_risk']), 2)} takes {fmt_count(least['patients'])} "
        f"patients with the arms equal and no heterogeneity at all; {fmt_count(patients)} are "
        f"{fmt_percent(share, 0)} of that, and only {sheet['comparative_studies'].value} of the "
        f"{sheet['studies'].value} studies compare the arms. "
        f"The document itself grades the certainty as {sheet['certainty'].value}. Imprecision, "
        "confounding by indication and unequal follow-up each lower it."
    )
    return Finding(
        key="certainty",
        statement=f"Certainty of the evidence: {sheet['certainty'].value}",
        endpoint=RECURRENCE,
        estimand="A grading, not a quantity",
        method="Required information size",
        events="unknown",
        said=said,
        fixed=not_judged(
            "A grading is a judgement; the information size is the part of it that is computed."
        ),
        shown=sheet["certainty"].value,
    )
