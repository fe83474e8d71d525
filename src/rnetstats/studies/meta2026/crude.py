"""Crude against within-study recurrence: worlds behind the rates, decomposition, simulation."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.evidence.worlds_tables import matching_tables
from rnetstats.evidence.worlds_tables_result import MatchingTablesResult
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.meta2026.aggregation import CrudeDecomposition, decompose_crude
from rnetstats.studies.meta2026.aggregation_printed import printed_decomposition
from rnetstats.studies.meta2026.aggregation_simulation import aggregation_simulation
from rnetstats.studies.meta2026.aggregation_world import aggregation_world
from rnetstats.studies.meta2026.table import COUNTS, StudyTable

__all__ = [
    "by_part",
    "crude_table",
    "crude_worlds",
    "decomposition_of",
    "own_parts_table",
    "simulation_table",
    "worlds_table",
]

REPLICATES = 1000
WITHIN = (1.0,)

_PARTS = {
    "crude": "Crude rates",
    "within": "Within studies",
    "between": "What is left: between studies",
    "between_uncertain": "The same, with the limits within studies",
}
_WORLDS = {
    "Events, group 1": "Recurrences after salvage",
    "Of patients": "of salvaged",
    "Events, group 2": "Recurrences, observed",
    "of patients": "of observed",
    "by pearson": "by Pearson",
    "by yates": "by Yates",
    "by fisher": "by Fisher",
}
_OWN_PARTS = {
    "within": "Within the studies that have both arms",
    "comparative": "Between those studies",
    "only_1": "Studies that only salvaged",
    "only_2": "Studies that only observed",
    "between": "Between studies, all together",
    "crude": "Crude",
}


def by_part(parts: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the numbers of each part of the crude odds ratio."""
    return {str(row.pop("part")): row for row in _rows(parts)}


def crude_worlds(sheet: FactSheet) -> MatchingTablesResult:
    """Return every pair of arms that prints the two crude rates and their P."""
    return matching_tables(
        sheet["crude_salvage"].value,
        sheet["crude_observation"].value,
        p=sheet["crude_p"].value,
        at_most=sheet["incomplete_cases"].count,
    )


def worlds_table(worlds: MatchingTablesResult, sheet: FactSheet) -> Exhibit:
    """Return the counts that may be behind the crude rates."""
    unknown = f"Counts by study and arm are unknown; at most {sheet['incomplete_cases'].text}."
    return Exhibit(
        name="worlds",
        title="Which counts are behind the two crude rates?",
        caption=f"Every table that prints {sheet['crude_salvage'].text} after salvage (group 1), "
        f"{sheet['crude_observation'].text} under observation (group 2) and "
        f"P = {sheet['crude_p'].value}. {unknown}",
        numbers=worlds.to_frame(),
        shown=worlds.display().rename(columns=_WORLDS),
        from_print=True,
        notes=worlds.notes,
    )


def crude_table(sheet: FactSheet) -> Exhibit:
    """Return the printed crude odds ratio as a product of two parts."""
    numbers = printed_decomposition(sheet)
    shown = pd.DataFrame(
        {
            "Part": numbers["part"].map(_PARTS),
            "Odds ratio": [fmt_number(x) for x in numbers["odds_ratio"]],
            "Limits": [
                fmt_interval(low, high, 3 if part in ("crude", "between") else 2)
                for part, low, high in zip(
                    numbers["part"], numbers["low"], numbers["high"], strict=True
                )
            ],
            "Share of the logarithm": [fmt_percent(x, 0) for x in numbers["share"]],
        }
    )
    return Exhibit(
        name="crude",
        title="Crude and within studies: an odds ratio as a product",
        caption="Crude odds ratio = odds ratio within studies × what studies differ by. Limits: of "
        "rounding alone in the first and third line; the printed 95 % limits in the second; the "
        "rest if the effect within studies lies at either of these in the last.",
        numbers=numbers,
        shown=shown,
        from_print=True,
        notes=(
            "An identity, whatever the counts. How the last part divides over studies that only "
            "salvaged and studies that only observed cannot be said without counts by study.",
        ),
    )


def simulation_table(sheet: FactSheet, seed: int) -> Exhibit:
    """Return how often summing over studies finds a difference that no study has."""
    numbers = aggregation_simulation(
        seed,
        world=aggregation_world(sheet),
        within_or=WITHIN,
        replicates=REPLICATES,
        printed_p=sheet["crude_p"].number,
        printed_or=sheet["crude_or"].number,
    )
    shown = pd.DataFrame(
        {
            "Between centres (OR)": [fmt_number(x) for x in numbers["between_or"]],
            "Other heterogeneity (SD)": [fmt_number(x, 1) for x in numbers["heterogeneity"]],
            "Crude OR, median (middle 95 %)": [
                f"{fmt_number(m)} ({fmt_interval(low, high)})"
                for m, low, high in zip(
                    numbers["crude_or"], numbers["crude_low"], numbers["crude_high"], strict=True
                )
            ],
            "Crude P < 0.05": _with_error(numbers, "crude_significant"),
            "As in print or beyond": _with_error(numbers, "as_printed"),
            "OR within, median": [fmt_number(x) for x in numbers["within_estimate"]],
            "Within, P < 0.05": _with_error(numbers, "within_significant"),
        }
    )
    world = aggregation_world(sheet)
    return Exhibit(
        name="simulation",
        title="Salvage does nothing: what do summed patients show?",
        caption=f"{REPLICATES:,} simulated meta-analyses a line, each of {world.studies} studies, "
        f"{world.comparative} of them with both arms. The odds ratio of salvage is 1 in every "
        "study. Between centres: odds of recurrence where everybody is salvaged against where "
        "nobody is, for other reasons than salvage. In brackets: Monte Carlo errors.",
        numbers=numbers,
        shown=shown,
        notes=(
            f"From print: the numbers of studies, {fmt_count(round(world.patients))} patients "
            f"and {fmt_percent(world.observed_risk, 2)} under observation. Chosen: "
            f"{world.salvage_only} studies that only salvaged, sizes, and both columns on the "
            "left.",
            "“As in print or beyond”: the crude odds ratio at most "
            f"{sheet['crude_or'].value} and P at most {sheet['crude_p'].value}.",
            "Heterogeneity alone, without any pattern in who salvages, already makes Pearson’s "
            "test of summed patients too often significant.",
        ),
    )


def _with_error(numbers: pd.DataFrame, name: str) -> list[str]:
    pairs = zip(numbers[name], numbers[f"{name}_mcse"], strict=True)
    return [f"{fmt_percent(x)} ({fmt_percent(error)})" for x, error in pairs]


def decomposition_of(table: StudyTable) -> CrudeDecomposition:
    """Split the crude odds ratio of the studies at hand.

    Raises
    ------
    DataError
        If an arm has no patient in any study.
    """
    return decompose_crude(table.frame[list(COUNTS)])


def own_parts_table(parts: CrudeDecomposition, table: StudyTable) -> Exhibit:
    """Return the parts of the crude odds ratio of the studies at hand, and the arms' sums."""
    numbers = parts.parts
    arms: dict[str, dict[str, Any]] = {str(row["group"]): row for row in _rows(parts.arms)}
    groups = {"within": "both", "only_1": "only_1", "only_2": "only_2", "crude": "all"}

    def cell(part: str, arm: int) -> str:
        row = arms.get(groups.get(part, ""))
        if row is None or not row[f"n_{arm}"]:
            return ""
        return f"{fmt_count(row[f'events_{arm}'])} of {fmt_count(row[f'n_{arm}'])}"

    shown = pd.DataFrame(
        {
            "Part": numbers["part"].map(_OWN_PARTS),
            "Studies": [str(k) for k in numbers["studies"]],
            "After salvage": [cell(part, 1) for part in numbers["part"]],
            "Observed": [cell(part, 2) for part in numbers["part"]],
            "Odds ratio": [fmt_number(x) for x in numbers["odds_ratio"]],
        }
    )
    return Exhibit(
        name="own_parts",
        title="The same, of the studies at hand",
        caption="An exact identity: the odds ratios of the first four lines multiply to that of "
        "the last. " + ("Your table." if table.own else "Counts from the primary studies: ours."),
        numbers=numbers,
        shown=shown,
        from_print=not table.own,
        notes=parts.notes,
    )


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]
