"""The reanalysis of the meta-analysis: from its printed figures, or on a table of studies."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from rnetstats.evidence.facts import FactSheet, read_facts
from rnetstats.studies.assembled import assembled
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.facts_table import facts_table
from rnetstats.studies.finding import Finding, frames
from rnetstats.studies.meta2026 import claims
from rnetstats.studies.meta2026.answer import answer_of
from rnetstats.studies.meta2026.comparison import (
    Comparison,
    compare,
    forest_table,
    methods_table,
    sensitivity_table,
)
from rnetstats.studies.meta2026.crude import (
    crude_table,
    crude_worlds,
    decomposition_of,
    own_parts_table,
    simulation_table,
    worlds_table,
)
from rnetstats.studies.meta2026.crude_claims import crude_findings, within_finding
from rnetstats.studies.meta2026.gap import Gap, benefit_table, gap_of, gap_table
from rnetstats.studies.meta2026.methods import (
    counts_table,
    method_counts,
    pool_methods,
    rate_table,
)
from rnetstats.studies.meta2026.mixes import mix_table
from rnetstats.studies.meta2026.residual import (
    pool_residuals,
    residual_rows,
    residual_table,
    scale_table,
)
from rnetstats.studies.meta2026.sizes import own_size_table, size_of, size_table
from rnetstats.studies.meta2026.strata import strata_table
from rnetstats.studies.meta2026.table import StudyTable, known_studies, read_table
from rnetstats.studies.study_result import StudyResult

__all__ = ["analyse"]

PACKAGE = "rnetstats.studies.meta2026"


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
    size = size_of(sheet, sheet["incomplete_cases"].count)
    printed = crude_table(sheet)
    judged: list[Finding] = [
        claims.rate_finding(sheet, shares),
        claims.residual_finding(sheet, scales.numbers, residual, own=table.own_residuals),
        *crude_findings(sheet, worlds, printed.numbers, simulated.numbers),
        within_finding(sheet),
        claims.own_finding(found),
        claims.certainty_finding(sheet, size, sheet["incomplete_cases"].count),
    ]
    where = "In this table" if table.own else "In these studies"
    claim_frame, estimates = frames(judged, where=where)
    progress("tables")
    mixes = mix_table(sheet, read_facts("duan2024"), read_facts("cha2019"))
    made: list[Exhibit | None] = [
        rate_table(sheet, counts, shares),
        counts_table(counts),
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
        size_table(size, sheet),
        own_size_table(table, sheet, attempts),
        facts_table(sheet),
    ]
    return assembled(
        sheet,
        attempts,
        source=source,
        synthetic=table.synthetic,
        answer=answer_of(sheet, printed.numbers, found, gap, size, mixes.numbers),
        claims=claim_frame,
        estimates=estimates,
        exhibits=made,
        fits={"worlds": worlds, "information_size": size, **found.results()},
        facts=_facts(sheet, table, gap, found),
        notes=table.notes,
        seed=seed,
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
