"""The meta-analysis's claims, and ours on the studies at hand."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.evidence.information_size_result import InformationSizeResult
from rnetstats.evidence.worlds_tables_result import MatchingTablesResult
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.studies.evidence_verdicts import evidence_verdict, judge_worlds
from rnetstats.studies.finding import Contrast, Finding
from rnetstats.studies.meta2026.comparison import Comparison
from rnetstats.studies.meta2026.crude import by_part
from rnetstats.studies.meta2026.proportions import PooledShare
from rnetstats.studies.records import records
from rnetstats.studies.verdict_table import Verdict, verdict_by
from rnetstats.studies.verdicts import DOUBLING, HALVING, MINIMUM, RULES, not_judged
from rnetstats.tables.fisher import fisher_p

__all__ = [
    "certainty_finding",
    "crude_findings",
    "own_finding",
    "rate_finding",
    "residual_finding",
    "within_finding",
]

JUDGES = ("mantel-haenszel", "CM.EL", "beta-binomial")
"""Of these the one with the largest P decides: none of them corrects a zero cell."""

_RECURRENCE = "Recurrence, local, nodal or distant"


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


def crude_findings(
    sheet: FactSheet, worlds: MatchingTablesResult, parts: pd.DataFrame, simulated: pd.DataFrame
) -> list[Finding]:
    """Return what the crude rates say of the summed patients, and of salvage."""
    row = worlds.glance().iloc[0]
    total = int(row["tables"])
    lower = worlds.to_frame()
    holds = int(lower.loc[lower["odds_ratio_high"] < 1.0, "tables"].sum())
    salvage, observed, p = (sheet[f"crude_{k}"] for k in ("salvage", "observation", "p"))
    sums = (
        f"{salvage.text} after salvage, {observed.text} under observation (printed); counts unknown"
    )
    said = (
        f"{fmt_count(total)} tables print both rates and P = {p.value}: "
        f"{fmt_count(row['events_1_low'])} to {fmt_count(row['events_1_high'])} recurrences in "
        f"{fmt_count(row['n_1_low'])} to {fmt_count(row['n_1_high'])} salvaged, "
        f"{fmt_count(row['events_2_low'])} to {fmt_count(row['events_2_high'])} in "
        f"{fmt_count(row['n_2_low'])} to {fmt_count(row['n_2_high'])} observed. Recurrence is "
        "lower among the salvaged in all of them, whichever it is."
    )
    line = by_part(parts)
    within, crude = line["within"], line["crude"]
    calm = simulated[(simulated["between_or"] == 1.0) & (simulated["heterogeneity"] > 0)].iloc[0]
    strong = simulated[simulated["heterogeneity"] > 0].iloc[-1]
    outside = crude["odds_ratio"] < within["low"]
    effect = (
        f"The crude odds ratio is {fmt_number(crude['odds_ratio'])}, that within studies "
        f"{fmt_number(within['odds_ratio'])} ({fmt_interval(within['low'], within['high'])})"
        + (", whose limits leave the crude one out" if outside else "")
        + f". {fmt_percent(line['between']['share'], 0)} of its logarithm is between studies. "
        "Summing patients over studies sets centres that salvaged beside others that observed. "
        "With no effect of salvage at all, summed patients are “significant” in "
        f"{fmt_percent(calm['crude_significant'], 0)} of simulated meta-analyses when studies "
        f"differ at random, and in {fmt_percent(strong['crude_significant'], 0)} when centres that "
        f"salvage have {fmt_number(strong['between_or'])} times the odds for other reasons."
    )
    return [
        Finding(
            key="crude_rates",
            statement=f"Among all patients summed, {salvage.text} recurred after salvage and "
            f"{observed.text} under observation, P = {p.value}",
            endpoint=_RECURRENCE,
            estimand="Shares of summed patients, whatever study they come from",
            method="Every table that prints both rates and the P",
            events=sums,
            said=said,
            fixed=judge_worlds(holds, total, "Recurrence is lower among the salvaged.")
            if worlds.exhaustive or not total
            else not_judged("The tables were too many to work out."),
            shown=f"crude OR {fmt_number(crude['odds_ratio'])}",
        ),
        Finding(
            key="crude_effect",
            statement="Salvage lowers recurrence (read from the crude rates)",
            endpoint=_RECURRENCE,
            estimand="Effect of salvage, had all or none of the same patients had it",
            method="Decomposition of the crude odds ratio, and simulation",
            events=sums,
            said=effect,
            fixed=evidence_verdict(
                "design",
                "Studies that only salvaged are set beside studies that only observed: who was "
                "salvaged where decides.",
            ),
            shown=f"crude OR {fmt_number(crude['odds_ratio'])}",
        ),
    ]


def within_finding(sheet: FactSheet) -> Finding:
    """Return the printed comparison within studies, judged by the rules on intervals."""
    ratio, low, high = (sheet[f"comparative_{k}"] for k in ("or", "low", "high"))
    text = f"OR {ratio.value} ({low.value} to {high.value})"
    return Finding(
        key="within",
        statement=f"Within the {sheet['comparative_studies'].value} comparative studies salvage "
        f"makes no difference, {text}",
        endpoint=_RECURRENCE,
        estimand="Odds ratio of salvage against observation within studies, not adjusted",
        method="Printed: random effects, Hartung-Knapp",
        events="unknown: counts by study and arm are not printed",
        said=f"The printed interval holds a reduction of the odds by "
        f"{fmt_percent(1.0 - low.number, 0)}, no effect, and odds {high.value} times as high. No "
        "significance is not equality: a margin of equivalence would have to be stated, and the "
        "interval to lie within it. Who was salvaged was decided by what raises the risk, and the "
        "comparison is not adjusted for it.",
        fixed=_by_width(low.number, high.number),
        shown=text,
    )


def _by_width(low: float, high: float) -> Verdict:
    """Apply the rules that look at a printed interval alone."""
    if low <= HALVING and high >= DOUBLING:
        return verdict_by(
            RULES, "too wide", "The printed interval contains no effect, a halving and a doubling."
        )
    return verdict_by(RULES, "compatible", "The printed interval contains no effect.")


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
    return Finding(
        key="own",
        statement="Salvage lowers recurrence within studies"
        + ("" if table.own else " (the few whose counts are known)"),
        endpoint=_RECURRENCE,
        estimand="Odds ratio of salvage against observation within studies, not adjusted",
        method="none" if row is None else str(row["label"]),
        events=f"recurrences: {a} of {n_1} after salvage, {c} of {n_2} under observation ({whose})",
        said=_own_said(found, row, a, n_1, c, n_2),
        direction="less",
        n_events=a + c,
        smallest=min(n_1, n_2),
        fewest=min(a, c),
        contrasts=contrasts,
        p_value=p,
        p_exact=p_exact,
        fixed=None if row is not None else _no_estimate(found, a + c),
    )


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
        span = found.rare.glance().iloc[0]
        said += (
            f" By {len(found.rare.rows)} methods the estimate lies between "
            f"{fmt_number(float(span['estimate_lowest']))} and "
            f"{fmt_number(float(span['estimate_highest']))}."
        )
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
        endpoint=_RECURRENCE,
        estimand="A grading, not a quantity",
        method="Required information size",
        events="unknown",
        said=said,
        fixed=not_judged(
            "A grading is a judgement; the information size is the part of it that is computed."
        ),
        shown=sheet["certainty"].value,
    )
