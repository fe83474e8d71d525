"""What it takes to settle the effect of salvage: chosen effect and heterogeneity."""

from __future__ import annotations

from rnetstats.evidence.facts import FactSheet
from rnetstats.evidence.information_size import information_size
from rnetstats.evidence.information_size_result import InformationSizeResult
from rnetstats.formatting import fmt_count, fmt_percent
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.meta2026.table import StudyTable

__all__ = ["DIVERSITY", "EFFECT", "own_size_table", "size_of", "size_table"]


EFFECT = 0.5
"""The odds ratio to be settled: chosen."""


DIVERSITY = (0.0, 0.25, 0.5)
"""Heterogeneity allowed for: chosen, since I2 and tau2 are not printed."""


def size_of(sheet: FactSheet, patients: int, events: int | None = None) -> InformationSizeResult:
    """Return what settling the effect takes, against what is there."""
    return information_size(
        measure="OR",
        effect=EFFECT,
        control_risk=sheet["crude_observation"].number / 100.0,
        diversity=DIVERSITY,
        patients=patients,
        events=events,
    )


def size_table(size: InformationSizeResult, sheet: FactSheet) -> Exhibit:
    """Return the patients required, against all cases that the meta-analysis counts."""
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


def own_size_table(table: StudyTable, sheet: FactSheet, attempts: Attempts) -> Exhibit | None:
    """Return the same against the studies at hand, with the reader's own risk if there is one."""
    if not len(table.both):
        return None
    events, n = table.arm(2)
    risk = events / n if table.own and 0 < events < n else None

    def made() -> InformationSizeResult:
        if risk is None:
            return size_of(sheet, table.patients, table.events)
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
