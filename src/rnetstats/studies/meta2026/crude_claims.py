"""What the meta-analysis prints on recurrence: crude rates, and the comparison within studies."""

from __future__ import annotations

import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.evidence.worlds_tables_result import MatchingTablesResult
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.evidence_verdicts import evidence_verdict, judge_worlds
from rnetstats.studies.finding import Finding
from rnetstats.studies.meta2026.crude import by_part
from rnetstats.studies.verdict_table import Verdict, verdict_by
from rnetstats.studies.verdicts import DOUBLING, HALVING, RULES, not_judged

__all__ = ["RECURRENCE", "crude_findings", "within_finding"]


RECURRENCE = "Recurrence, local, nodal or distant"


def crude_findings(
    sheet: FactSheet, worlds: MatchingTablesResult, parts: pd.DataFrame, simulated: pd.DataFrame
) -> list[Finding]:
    """Return what the crude rates say of the summed patients, and of salvage."""
    total = int(worlds.glance()["tables"].iloc[0])
    lower = worlds.to_frame()
    holds = int(lower.loc[lower["odds_ratio_high"] < 1.0, "tables"].sum())
    salvage, observed, p = (sheet[f"crude_{k}"] for k in ("salvage", "observation", "p"))
    sums = (
        f"{salvage.text} after salvage, {observed.text} under observation (printed); counts unknown"
    )
    crude = by_part(parts)["crude"]
    return [
        Finding(
            key="crude_rates",
            statement=f"Among all patients summed, {salvage.text} recurred after salvage and "
            f"{observed.text} under observation, P = {p.value}",
            endpoint=RECURRENCE,
            estimand="Shares of summed patients, whatever study they come from",
            method="Every table that prints both rates and the P",
            events=sums,
            said=_rates_said(worlds, p.value),
            fixed=judge_worlds(holds, total, "Recurrence is lower among the salvaged.")
            if worlds.exhaustive or not total
            else not_judged("The tables were too many to work out."),
            shown=f"crude OR {fmt_number(crude['odds_ratio'])}",
        ),
        Finding(
            key="crude_effect",
            statement="Salvage lowers recurrence (read from the crude rates)",
            endpoint=RECURRENCE,
            estimand="Effect of salvage, had all or none of the same patients had it",
            method="Decomposition of the crude odds ratio, and simulation",
            events=sums,
            said=_effect_said(parts, simulated),
            fixed=evidence_verdict(
                "design",
                "Studies that only salvaged are set beside studies that only observed: who was "
                "salvaged where decides.",
            ),
            shown=f"crude OR {fmt_number(crude['odds_ratio'])}",
        ),
    ]


def _rates_said(worlds: MatchingTablesResult, p: str) -> str:
    """Which tables print the rates, and what they share."""
    row = worlds.glance().iloc[0]
    return (
        f"{fmt_count(int(row['tables']))} tables print both rates and P = {p}: "
        f"{fmt_count(row['events_1_low'])} to {fmt_count(row['events_1_high'])} recurrences in "
        f"{fmt_count(row['n_1_low'])} to {fmt_count(row['n_1_high'])} salvaged, "
        f"{fmt_count(row['events_2_low'])} to {fmt_count(row['events_2_high'])} in "
        f"{fmt_count(row['n_2_low'])} to {fmt_count(row['n_2_high'])} observed. Recurrence is "
        "lower among the salvaged in all of them, whichever it is."
    )


def _effect_said(parts: pd.DataFrame, simulated: pd.DataFrame) -> str:
    """What the crude odds ratio is made of, and what it can be without any effect."""
    line = by_part(parts)
    within, crude = line["within"], line["crude"]
    calm = simulated[(simulated["between_or"] == 1.0) & (simulated["heterogeneity"] > 0)].iloc[0]
    strong = simulated[simulated["heterogeneity"] > 0].iloc[-1]
    outside = crude["odds_ratio"] < within["low"]
    return (
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


def within_finding(sheet: FactSheet) -> Finding:
    """Return the printed comparison within studies, judged by the rules on intervals."""
    ratio, low, high = (sheet[f"comparative_{k}"] for k in ("or", "low", "high"))
    text = f"OR {ratio.value} ({low.value} to {high.value})"
    return Finding(
        key="within",
        statement=f"Within the {sheet['comparative_studies'].value} comparative studies salvage "
        f"makes no difference, {text}",
        endpoint=RECURRENCE,
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
