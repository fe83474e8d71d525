"""What must be said beside the estimates of a treatment during follow-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.treatment.hazards import FEW
from rnetstats.treatment.patients import Patients
from rnetstats.treatment.words import CLONE, LANDMARK, NAIVE, TIME_DEPENDENT, Words

__all__ = [
    "common_notes",
    "few_note",
    "misclassified",
    "positivity",
    "positivity_notes",
    "weight_note",
]


def misclassified(patients: Patients) -> dict[str, float]:
    """Person-time before treatment that the naive comparison counts as treated.

    Returns
    -------
    dict
        ``total, before, share, median_delay``: all person-time, that before treatment among the
        treated, its share of the treated patients' time, and their median time to treatment.
    """
    treated = patients.treated
    own, before = float(patients.stop[treated].sum()), float(patients.treated_at[treated].sum())
    return {
        "total": float(patients.stop.sum()),
        "before": before,
        "share": before / own if own else np.nan,
        "median_delay": float(np.median(patients.treated_at[treated])) if own else np.nan,
    }


def positivity(patients: Patients, grace: float) -> pd.DataFrame:
    """Patients at risk at the end of the grace period and treated by then, in each level.

    Returns
    -------
    DataFrame
        ``covariate, level, n, n_treated``; numbers in quarters of their range.
    """
    beyond = patients.stop > grace
    rows = [
        {
            "covariate": level.covariate,
            "level": level.level,
            "n": int((beyond & level.flags).sum()),
            "n_treated": int((beyond & level.flags & (patients.treated_at <= grace)).sum()),
        }
        for level in patients.levels
    ]
    return pd.DataFrame(rows, columns=["covariate", "level", "n", "n_treated"])


def positivity_notes(table: pd.DataFrame, grace: str) -> list[str]:
    """Name the levels in which nobody, or everybody, was treated by the end of the grace period."""
    notes = []
    for row in table.to_dict("records"):
        name = f"{row['covariate']} = {row['level']}"
        if row["n"] and row["n_treated"] in (0, row["n"]):
            who = "nobody" if row["n_treated"] == 0 else "everybody"
            notes.append(
                f"Positivity: of the {row['n']} patients with {name} at risk after {grace}, {who} "
                "was treated by then; what the other strategy does to them is taken from the model "
                "alone."
            )
    return notes


def common_notes(patients: Patients, words: Words, methods: tuple[str, ...]) -> list[str]:
    """Say how rows differ, what is censored, and what each method assumes."""
    notes = []
    if len(methods) > 1:
        notes.append(
            "Rows with different estimands answer different questions; they are no rivals for one "
            "truth, and their differences are no contradiction."
        )
    notes.append(
        f"Endpoint {patients.labels['endpoint']}: whoever ends follow-up for another reason, death "
        "included where it is no event of this endpoint, is censored (cause-specific); a risk is "
        "that without such other ends."
    )
    if NAIVE in methods and patients.treated.any():
        time = misclassified(patients)
        unit = patients.labels["unit"] or "units of time"
        notes.append(
            f"naive: {time['before']:.0f} {unit} before treatment, {100.0 * time['share']:.1f} % "
            f"of the treated patients' follow-up, are counted as treated (median delay "
            f"{time['median_delay']:.2g} {unit}); nobody could have the event in them and still "
            "be treated."
        )
    if TIME_DEPENDENT in methods or LANDMARK in methods:
        notes.append(
            "Adjustment is for baseline covariates alone: findings during follow-up that led to "
            "treatment confound every row."
        )
    if CLONE in methods:
        notes.append(
            "clone-censor-weight: events within the grace period of patients not yet treated "
            f"count in both arms. Patients not {words.by_grace} are represented by patients with "
            "the same covariates who were and are still at risk then; this assumes that the "
            "covariates hold all that led to treatment and to the event, and that the course "
            "afterwards does not depend on when within the grace period treatment began. "
            "Other ends of follow-up, death too where it is no event, are assumed to have nothing "
            "to do with the event or with what leads to it; no weights are made for them."
        )
    return notes


def few_note(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the methods that hold where too few events withhold an interval."""
    if not any(f"fewer than {FEW}" in row["reason"] for row in rows):
        return []
    return [
        f"With fewer than {FEW} events in an arm no interval and no P are given here. few_events() "
        "has exact tests, profile limits and exact rate ratios that hold: on the patients free of "
        "the event and followed beyond a landmark, the time counted from it, in treated by then "
        "against not."
    ]


def weight_note(weights: pd.DataFrame, words: Words) -> str:
    """Say for how many patients those left in each arm stand after the grace period."""
    after = weights[weights["time"] == words.grace]
    parts = []
    for row in after.to_dict("records"):
        if not row["n"]:
            parts.append(f"{row['group']}: nobody is left")
            continue
        left = f"{row['group']}: {row['n']} of {row['at_risk']} are left"
        parts.append(
            f"{left}, without weights"
            if np.isnan(row["total"])
            else f"{left}, stand for {row['total']:.0f} and are worth {row['ess']:.0f} (largest "
            f"weight {row['max']:.2g})"
        )
    return f"Weights of the patients at risk after {words.at(words.grace)}: {'; '.join(parts)}."
