"""The comparison within studies, pooled by every method, and what else could have been done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.meta import meta_analysis
from rnetstats.evidence.meta_display import display_rows
from rnetstats.evidence.meta_result import MetaAnalysisResult
from rnetstats.evidence.rare_events_result import RareEventsResult
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.meta2026.table import COUNTS, LVI_ONLY, StudyTable

__all__ = [
    "Comparison",
    "compare",
    "forest_table",
    "methods_table",
    "sensitivity_table",
    "span_words",
]

_CORRECTIONS = {
    "half": "0.5 to every cell of a study with a zero cell",
    "arm": "Treatment-arm correction (reciprocal of the other arm’s size)",
}
_LIMITS = {
    "hartung-knapp": "Random effects, Hartung-Knapp",
    "hartung-knapp-adhoc": "Random effects, Hartung-Knapp with its floor",
    "hartung-knapp-wider": "Random effects, the wider of Hartung-Knapp and classical",
    "wald": "Random effects, classical limits",
}
_MOST_LEFT_OUT = 12
_NO_PREDICTION = "No prediction interval"
_SAID_HERE = (_NO_PREDICTION, "Rare events")


@dataclass(frozen=True)
class Comparison:
    """The studies with both arms, pooled.

    Attributes
    ----------
    table : StudyTable
    pooled : MetaAnalysisResult or None
        Inverse variance, odds ratio; None where no study gives one.
    rare : RareEventsResult or None
        Every model for rare events.
    difference : MetaAnalysisResult or None
        Risk differences, to which studies without events count.
    sensitivity : DataFrame
        ``choice, analysis, k, estimate, conf_low, conf_high, p_value``.
    """

    table: StudyTable
    pooled: MetaAnalysisResult | None
    rare: RareEventsResult | None
    difference: MetaAnalysisResult | None
    sensitivity: pd.DataFrame

    def results(self) -> dict[str, Result]:
        """Return the fits by name, for the record."""
        named = {"comparison": self.pooled, "rare_events": self.rare, "difference": self.difference}
        return {name: fit for name, fit in named.items() if fit is not None}


def compare(table: StudyTable, attempts: Attempts) -> Comparison:
    """Pool the studies with both arms; what the package refuses is recorded."""
    rows = table.both
    if rows.empty:
        attempts.skip("Comparison within studies", "no study has both arms.")
        return Comparison(table, None, None, None, pd.DataFrame())
    counts = rows[["study", *COUNTS]]
    pooled = attempts.run("Pooled odds ratio", lambda: meta_analysis(counts, measure="OR"))
    rare = None
    if pooled is not None:
        rare = attempts.run("Models for rare events", pooled.rare_events)
    return Comparison(
        table=table,
        pooled=pooled,
        rare=rare,
        difference=attempts.run(
            "Pooled risk difference", lambda: meta_analysis(counts, measure="RD")
        ),
        sensitivity=_sensitivity(table, attempts) if pooled is not None else pd.DataFrame(),
    )


def _sensitivity(table: StudyTable, attempts: Attempts) -> pd.DataFrame:
    """One line a choice; what a choice leaves undefined is missing, with the reason as a note."""
    rows, lines = table.both, []
    for ci, words in _LIMITS.items():
        fit = meta_analysis(rows[["study", *COUNTS]], measure="OR", ci=ci)
        lines.append(_line("model", words, fit))
    for kind, words in _CORRECTIONS.items():
        for zeros in (False, True):
            both = "; studies without events kept" if zeros else "; studies without events left out"
            fit = _corrected(rows, kind, zeros=zeros)
            lines.append(_line("correction", words + both, fit))
    plain = attempts.run(
        "Pooling without any correction",
        lambda: meta_analysis(rows[["study", *COUNTS]], measure="OR", ci="wald", correction=0.0),
    )
    lines.append(_line("correction", "None: studies with a zero cell give nothing", plain))
    events, patients = (rows[[f"{name}_1", f"{name}_2"]].sum(axis=1) for name in ("events", "n"))
    told = rows[(events > 0) & (events < patients)]
    if 2 <= len(told) <= _MOST_LEFT_OUT:
        for row in told.to_dict("records"):
            rest = rows[rows["study"] != row["study"]]
            words = f"Without {row['study']}"
            if row.get("key") == LVI_ONLY:
                words += " (there incomplete means invasion, whatever the margin)"
            fit = meta_analysis(rest[["study", *COUNTS]], measure="OR")
            lines.append(_line("studies", words, fit))
    return pd.DataFrame(lines)


def _corrected(rows: pd.DataFrame, kind: str, *, zeros: bool) -> MetaAnalysisResult:
    """Inverse variance after a correction, with or without the studies that have no event."""
    a, n1, c, n2 = (rows[name].to_numpy(float) for name in COUNTS)
    total = a + c
    kept = (zeros | (total > 0)) & (total < n1 + n2)
    zero = (a == 0) | (c == 0) | (a == n1) | (c == n2)
    if kind == "half":
        first = second = np.where(zero, 0.5, 0.0)
    else:
        first, second = np.where(zero, n1 / (n1 + n2), 0.0), np.where(zero, n2 / (n1 + n2), 0.0)
    cells = a + first, n1 - a + first, c + second, n2 - c + second
    coef = np.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    error = np.sqrt(sum(1.0 / cell for cell in cells))
    effects = {"study": rows["study"], "coef": coef, "std_error": error}
    return meta_analysis(pd.DataFrame(effects)[kept], measure="OR", ci="wald")


def _line(choice: str, words: str, fit: MetaAnalysisResult | None) -> dict[str, Any]:
    line: dict[str, Any] = {"choice": choice, "analysis": words}
    if fit is None:
        return line | dict.fromkeys(_NUMBERS, math.nan) | {"k": 0}
    row = fit.glance().iloc[0]
    return line | {name: float(row[name]) for name in _NUMBERS} | {"k": fit.k_used}


_NUMBERS = ("estimate", "conf_low", "conf_high", "p_value")


def forest_table(found: Comparison) -> Exhibit | None:
    """Return the studies with both arms and what was pooled from them."""
    if found.pooled is None:
        return None
    row = found.pooled.glance().iloc[0]
    least = found.table.both
    silent = int((least[["events_1", "events_2"]].sum(axis=1) == 0).sum())
    notes = [note for note in found.pooled.notes if not note.startswith(_SAID_HERE)]
    if found.pooled.rare:
        notes.append(
            "Zero cells or few events: the approximations behind inverse variance are poor here. "
            "The models that need none of them stand in the next table."
        )
    if silent:
        notes.append(
            f"{silent} of {len(least)} studies had no event in either arm. A ratio learns nothing "
            "from them; a risk difference does."
        )
    if math.isnan(float(row["pi_low"])):
        notes.append(
            f"{_NO_PREDICTION}: with {found.pooled.k_used} informative "
            f"{'study' if found.pooled.k_used == 1 else 'studies'} the spread of effects is "
            "unknown, and a range for the next study would be invented."
        )
    own = found.table.own
    return Exhibit(
        name="comparison",
        title="Studies with both arms",
        caption="Recurrence after salvage (arm 1) and under observation (arm 2). "
        + ("Your table." if own else "Counts put together from the primary studies: ours."),
        numbers=found.pooled.to_frame(),
        shown=display_rows(found.pooled, pd.DataFrame()),
        from_print=not own,
        notes=tuple(notes),
    )


def span_words(rare: RareEventsResult) -> str:
    """Say how far the methods that do not just sum are apart, and what the sums say."""
    row, rows = rare.glance().iloc[0], rare.to_frame()
    crude = rows["kind"] == "crude"
    count = int(rows.loc[~crude, "estimate"].notna().sum())
    lowest, highest = float(row["estimate_lowest"]), float(row["estimate_highest"])
    sums = fmt_number(float(rows.loc[crude, "estimate"].iloc[0]))
    return (
        f"{fmt_number(lowest)} to {fmt_number(highest)} by {count} methods (crude sums of the same "
        f"studies: {sums})"
    )


def methods_table(found: Comparison) -> Exhibit | None:
    """Return the pooled odds ratio by every method for rare events."""
    if found.rare is None:
        return None
    return Exhibit(
        name="rare_methods",
        title="One odds ratio by every method",
        caption="Nothing is added to a cell except under inverse variance. The last column says "
        "what each method does with studies without any event.",
        numbers=found.rare.to_frame(),
        shown=found.rare.display(),
        from_print=not found.table.own,
        notes=tuple(note.replace(" (double_zeros in to_frame())", "") for note in found.rare.notes),
    )


def sensitivity_table(found: Comparison) -> Exhibit | None:
    """Return what other choices would have given."""
    if found.sensitivity.empty:
        return None
    numbers = found.sensitivity
    labels = {"model": "Limits", "correction": "Correction", "studies": "Studies"}
    limits = [
        fmt_interval(low, high)
        for low, high in zip(numbers["conf_low"], numbers["conf_high"], strict=True)
    ]
    return Exhibit(
        name="sensitivity",
        title="What other choices give",
        caption="Odds ratios by inverse variance, REML. Of corrections: classical limits.",
        numbers=numbers,
        shown=pd.DataFrame(
            {
                "Choice": numbers["choice"].map(labels),
                "Analysis": numbers["analysis"],
                "Studies": [str(int(k)) for k in numbers["k"]],
                "OR": [fmt_number(x) for x in numbers["estimate"]],
                "95 % CI": limits,
                "P": [fmt_p(p) for p in numbers["p_value"]],
            }
        ),
        from_print=not found.table.own,
        notes=tuple(_sensitivity_notes(numbers)),
    )


def _sensitivity_notes(numbers: pd.DataFrame) -> list[str]:
    """Say how far apart the estimates lie, and where there are no limits."""
    estimates = numbers["estimate"].dropna()
    low, high = float(estimates.min()), float(estimates.max())
    ends = (fmt_number(low), fmt_number(high))
    said = f"The estimates lie between {ends[0]} and {ends[1]}"
    if ends[0] == ends[1]:
        said = f"All estimates are {ends[0]}"
    if len(estimates) and low < 1 < high:
        said += ": the choice of correction and model decides more than the data"
    notes = [f"{said}."]
    if (numbers["estimate"].notna() & numbers["conf_low"].isna()).any():
        notes.append(
            "No limits where an arm has no event in any of the studies left: the estimate then "
            "rests on what was added to zero cells."
        )
    return [
        *notes,
        "With few informative studies Hartung-Knapp limits may be far too narrow or absurdly wide, "
        "as their standard error rests on hardly any degrees of freedom; the floor keeps it from "
        "falling below the classical one.",
    ]
