"""The printed cut-offs with the cohort's own best ones beside them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_number
from rnetstats.studies.duan2024.cohort import Cohort
from rnetstats.studies.duan2024.cutoffs import cutoff_row, half_millimetres, youden_cutoff
from rnetstats.studies.duan2024.margin_models import Predictor
from rnetstats.studies.exhibit import Exhibit

__all__ = ["cutoff_table"]


def cutoff_table(cohort: Cohort, four: tuple[Predictor, ...]) -> Exhibit:
    """Return the printed cut-offs with the file's own best ones beside them."""
    frame = cohort.modelled
    rows: list[dict[str, Any]] = []
    for predictor in four:
        if predictor.cutoff is None:
            continue
        known = frame[[predictor.column, "margin_positive"]].dropna()
        own = youden_cutoff(
            known[predictor.column].to_numpy(dtype=float),
            known["margin_positive"].to_numpy(dtype=float),
        )
        for source, cutoff in (("printed", predictor.cutoff), ("best in this cohort", own)):
            if not math.isnan(cutoff):
                row = {"variable": predictor.column, "source": source}
                rows.append(row | cutoff_row(frame, predictor.column, cutoff))
    numbers = pd.DataFrame(rows)
    names = {p.column: p.label.partition(" >")[0] for p in four}
    shown = pd.DataFrame(
        {
            "Variable": [names[v] for v in numbers["variable"]],
            "Cut-off": [f"> {r.cutoff:g} ({r.source})" for r in numbers.itertuples()],
            "Above: positive": [f"{r.positive_above} of {r.n_above}" for r in numbers.itertuples()],
            "Below: positive": [f"{r.positive_below} of {r.n_below}" for r in numbers.itertuples()],
            "Youden index": [fmt_number(j) for j in numbers["youden"]],
            "OR, not adjusted": [fmt_number(v) for v in numbers["odds_ratio"]],
        }
    )
    return Exhibit(
        name="cutoffs",
        title="Cut-offs: the printed ones, and the best that this cohort offers",
        caption=(
            "The best cut-off is the one with the largest Youden index (sensitivity plus "
            "specificity less 1) in these very patients, values above it taken as the sign of a "
            "positive margin, as the study does."
        ),
        numbers=numbers,
        shown=shown,
        notes=_cutoff_notes(frame),
    )


def _cutoff_notes(frame: pd.DataFrame) -> tuple[str, ...]:
    notes = [
        "A cut-off picked because it does best is optimistic: in new patients it does worse. No P "
        "value or interval is given for it, since those for a cut-off fixed beforehand do not hold."
    ]
    if half_millimetres(frame["size_mm"]):
        notes.append(
            "Sizes in this cohort are whole or half millimetres. A cut-off with two decimals, such "
            "as the printed one, cannot come from such sizes: every value between two neighbouring "
            "sizes divides the patients alike."
        )
    return tuple(notes)
