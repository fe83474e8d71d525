"""The reanalysis of the meta-analysis: from its printed figures, or on a table of studies."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from rnetstats.evidence.facts import FactSheet, read_facts
from rnetstats.evidence.information_size import information_size
from rnetstats.evidence.information_size_result import InformationSizeResult
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.assembled import assembled
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.facts_table import facts_table
from rnetstats.studies.finding import Finding, frames
from rnetstats.studies.meta2026 import claims
from rnetstats.studies.meta2026.comparison import (
    Comparison,
    compare,
    forest_table,
    methods_table,
    sensitivity_table,
)
from rnetstats.studies.meta2026.crude import (
    by_part,
    crude_table,
    crude_worlds,
    decomposition_of,
    own_parts_table,
    simulation_table,
    worlds_table,
)
from rnetstats.studies.meta2026.gap import Gap, benefit_table, gap_of, gap_table
from rnetstats.studies.meta2026.methods import (
    method_counts,
    mix_table,
    pool_methods,
    rate_table,
)
from rnetstats.studies.meta2026.residual import (
    pool_residuals,
    residual_rows,
    residual_table,
    scale_table,
)
from rnetstats.studies.meta2026.strata import strata_table
from rnetstats.studies.meta2026.table import StudyTable, known_studies, read_table
from rnetstats.studies.study_result import StudyResult
from rnetstats.studies.verdicts import DOUBLING, HALVING

__all__ = ["DIVERSITY", "EFFECT", "analyse"]

PACKAGE = "rnetstats.studies.meta2026"
EFFECT = 0.5
"""The odds ratio to be settled: chosen."""
DIVERSITY = (0.0, 0.25, 0.5)
"""Heterogeneity allowed for: chosen, since I2 and tau2 are not printed."""


def analyse(
    frame: pd.DataFrame | None,
    *,
    seed: int,
    source: str,
    resamples: int = 0,
    progress: Callable[[str], None] = lambda step: None,
) -> StudyResult:
    """Reanalyse the meta-analysis.

    Parameters
    ----------
    frame : DataFrame or None
        A table of studies as from :func:`rnetstats.read_cohort` with the study's codebook
        (``study, events_1, n_1, events_2, n_2``, and ``residual``, ``method`` if known); not
        changed. None takes the studies whose counts are known from their own publications.
    seed : int
        Of the simulation.
    source : str
        Where the table comes from, in words.
    resamples : int
        Not used: no analysis here is resampled.
    progress : callable
        Called with each step's name before it begins.

    Returns
    -------
    StudyResult

    Raises
    ------
    ColumnError, DataError
        If the table cannot be used.
    """
    sheet, attempts = read_facts(PACKAGE), Attempts()
    table = known_studies() if frame is None else read_table(frame)
    progress("printed figures")
    counts = method_counts(sheet)
    shares = pool_methods(counts)
    series = residual_rows(table)
    residual = pool_residuals(series)
    scales = scale_table(sheet)
    gap = gap_of(sheet)
    progress("possible counts")
    worlds = crude_worlds(sheet)
    progress("simulation")
    simulated = simulation_table(sheet, seed)
    progress("comparison")
    found = compare(table, attempts)
    parts = attempts.run("Parts of the crude odds ratio", lambda: decomposition_of(table))
    size = _size(sheet, sheet["incomplete_cases"].count)
    printed = crude_table(sheet)
    judged: list[Finding] = [
        claims.rate_finding(sheet, shares),
        claims.residual_finding(sheet, scales.numbers, residual, own=table.own),
        *claims.crude_findings(sheet, worlds, printed.numbers, simulated.numbers),
        claims.within_finding(sheet),
        claims.own_finding(found),
        claims.certainty_finding(sheet, size, sheet["incomplete_cases"].count),
    ]
    where = "In this table" if table.own else "In these studies"
    claim_frame, estimates = frames(judged, where=where)
    progress("tables")
    mixes = mix_table(sheet, read_facts("duan2024"), read_facts("cha2019"))
    made: list[Exhibit | None] = [
        rate_table(sheet, counts, shares),
        _counts_table(counts),
        mixes,
        scales,
        residual_table(series, residual, sheet) if residual is not None else None,
        printed,
        worlds_table(worlds, sheet),
        simulated,
        own_parts_table(parts, table) if parts is not None else None,
        forest_table(found),
        methods_table(found),
        sensitivity_table(found),
        strata_table(table, found, attempts),
        gap_table(gap),
        benefit_table(gap),
        _size_table(size, sheet),
        _own_size_table(table, sheet, attempts),
        facts_table(sheet),
    ]
    return assembled(
        sheet,
        attempts,
        source=source,
        synthetic=table.synthetic,
        answer=_answer(sheet, printed.numbers, found, gap, size, mixes.numbers),
        claims=claim_frame,
        estimates=estimates,
        exhibits=made,
        fits={"worlds": worlds, "information_size": size, **found.results()},
        facts=_facts(sheet, table, gap, found),
        notes=table.notes,
        seed=seed,
    )


def _size(sheet: FactSheet, patients: int, events: int | None = None) -> InformationSizeResult:
    """Return what settling the effect takes, against what is there."""
    return information_size(
        measure="OR",
        effect=EFFECT,
        control_risk=sheet["crude_observation"].number / 100.0,
        diversity=DIVERSITY,
        patients=patients,
        events=events,
    )


def _size_table(size: InformationSizeResult, sheet: FactSheet) -> Exhibit:
    return Exhibit(
        name="information_size",
        title=f"What it takes to settle an odds ratio of {EFFECT:g}",
        caption=f"At the printed risk under observation ({sheet['crude_observation'].text}), "
        "5 % two-sided, power 80 %, equal arms, against all "
        f"{sheet['incomplete_cases'].text}. The effect and the diversities are chosen.",
        numbers=size.to_frame(),
        shown=size.display(),
        from_print=True,
        notes=(
            f"The {fmt_count(sheet['incomplete_cases'].count)} cases are those of "
            f"{sheet['studies'].value} studies; only {sheet['comparative_studies'].value} compare "
            "the arms, and their patients are unknown: the share that is there is a bound from "
            "above.",
            *size.notes,
        ),
    )


def _own_size_table(table: StudyTable, sheet: FactSheet, attempts: Attempts) -> Exhibit | None:
    """The same against the studies at hand; with the reader's own risk where there is one."""
    if not len(table.both):
        return None
    events, n = table.arm(2)
    risk = events / n if table.own and 0 < events < n else None

    def made() -> InformationSizeResult:
        if risk is None:
            return _size(sheet, table.patients, table.events)
        return information_size(
            measure="OR",
            effect=EFFECT,
            control_risk=risk,
            diversity=DIVERSITY,
            patients=table.patients,
            events=table.events,
        )

    size = attempts.run("Information size of the studies at hand", made)
    if size is None:
        return None
    words = (
        f"the risk of the observed in your table ({fmt_percent(risk, 2)})"
        if risk is not None
        else "the printed risk under observation"
    )
    return Exhibit(
        name="own_information_size",
        title="The same, against the studies with both arms at hand",
        caption=f"At {words}; {fmt_count(table.patients)} patients and {table.events} recurrences "
        f"in {table.words}.",
        numbers=size.to_frame(),
        shown=size.display(),
        from_print=not table.own,
    )


def _counts_table(counts: pd.DataFrame) -> Exhibit:
    from rnetstats.studies.meta2026.methods import LABELS

    return Exhibit(
        name="method_counts",
        title="Single series whose counts by method are known",
        caption="Incomplete resections. Derived: the only count that prints as the percentage of "
        "the series. Whether the meta-analysis holds a series is known of few.",
        numbers=counts,
        shown=pd.DataFrame(
            {
                "Series": counts["study"],
                "Method": counts["method"].map(LABELS),
                "Incomplete": [
                    f"{e} of {n} ({fmt_percent(e / n)})"
                    for e, n in zip(counts["events"], counts["n"], strict=True)
                ],
                "Standing": counts["standing"],
                "In the meta-analysis": counts["in_meta"],
            }
        ),
        from_print=True,
    )


def _facts(
    sheet: FactSheet, table: StudyTable, gap: Gap, found: Comparison
) -> dict[str, float | int | str | bool]:
    """Numbers that sections and figures are made from."""
    return {
        "own": table.own,
        "studies_with_both": len(table.both),
        "events": table.events,
        "residual": gap.residual[1],
        "residual_low": gap.residual[0],
        "residual_high": gap.residual[2],
        "observed": gap.observed[1],
        "salvaged": gap.salvaged[1],
        "within": gap.odds_ratio[0],
        "within_low": gap.odds_ratio[1],
        "within_high": gap.odds_ratio[2],
        "comparative_studies": sheet["comparative_studies"].count,
        "method_studies": sheet["method_studies"].count,
        "incomplete_cases": sheet["incomplete_cases"].count,
        "informative": 0 if found.pooled is None else found.pooled.k_used,
    }


def _answer(
    sheet: FactSheet,
    parts: pd.DataFrame,
    found: Comparison,
    gap: Gap,
    size: InformationSizeResult,
    mixes: pd.DataFrame,
) -> tuple[str, ...]:
    """Return the sentences that a reader sees first."""
    line = by_part(parts)
    within = line["within"]
    need = size.to_frame()
    first = (
        f"Recurrence of {sheet['crude_salvage'].text} after salvage against "
        f"{sheet['crude_observation'].text} under observation is no evidence that salvage works: "
        f"the crude odds ratio of {fmt_number(line['crude']['odds_ratio'])} becomes "
        f"{fmt_number(within['odds_ratio'])} "
        f"({fmt_interval(within['low'], within['high'])}) within the studies that compare, and "
        f"{fmt_percent(line['between']['share'], 0)} of its logarithm is a difference between "
        "studies."
    )
    low, high = need.iloc[0], need.iloc[-1]
    second = (
        f"Nor is it shown that salvage does nothing. To settle an odds ratio of {EFFECT:g} takes "
        f"{fmt_count(low['patients'])} to {fmt_count(high['patients'])} patients in comparative "
        "studies, by heterogeneity; all cases of all studies, comparative or not, are "
        f"{fmt_count(sheet['incomplete_cases'].count)}."
    )
    table = found.table
    (a, n_1), (c, n_2) = table.arm(1), table.arm(2)
    counts = f"{table.words}: {a} of {n_1} against {c} of {n_2}"
    if table.both.empty:
        third = "No study of your table has both arms, so that nothing can be compared within one."
    elif table.own:
        third = f"Pooled from {counts}: {_own_words(found)}."
    else:
        third = f"What can be pooled again ({counts}) says still less: {_own_words(found)}."
    product = gap.product(gap.residual[1])
    fourth = (
        f"Residual tumour in {sheet['residual_percent'].text} and recurrence in "
        f"{sheet['crude_observation'].text} mean that about one residual in "
        f"{fmt_number(1.0 / product, 0)} grows to a recurrence that is found, or that the observed "
        "had less residual tumour than the salvaged. "
    )
    duan = mixes.iloc[0]
    fourth += (
        f"Pooled rates do not carry over to a study: they give {fmt_number(duan['expected'], 0)} "
        f"incomplete resections on the mix of methods of one that saw {duan['seen']}."
    )
    return (first, second, third, fourth)


def _own_words(found: Comparison) -> str:
    if found.pooled is None:
        return "no odds ratio can be given"
    if found.rare is not None:
        row = found.rare.glance().iloc[0]
        words = (
            "by method the odds ratio lies between "
            f"{fmt_number(float(row['estimate_lowest']))} and "
            f"{fmt_number(float(row['estimate_highest']))}"
        )
        rows = found.rare.to_frame().dropna(subset=["conf_low", "conf_high"])
        wide = (rows["conf_low"] <= HALVING) & (rows["conf_high"] >= DOUBLING)
        if len(rows) and wide.all():
            words += ", each time with limits that hold a halving and a doubling of the odds"
        return words
    row = found.pooled.glance().iloc[0]
    limits = fmt_interval(float(row["conf_low"]), float(row["conf_high"]))
    return f"odds ratio {fmt_number(float(row['estimate']))} ({limits})"
