"""What the comparison of two treatment strategies adds to the effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rnetstats.treatment.clone_censor import CloneOptions, compare_strategies
from rnetstats.treatment.effect_notes import positivity, positivity_notes, weight_note
from rnetstats.treatment.effect_table import strategy_rows
from rnetstats.treatment.patients import Patients
from rnetstats.treatment.words import Words

__all__ = ["Cloned", "cloned"]


@dataclass(frozen=True)
class Cloned:
    """What the comparison of the two strategies adds; nothing where it was not asked for."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    strategies: pd.DataFrame = field(default_factory=pd.DataFrame)
    weights: pd.DataFrame = field(default_factory=pd.DataFrame)
    positivity: pd.DataFrame = field(default_factory=pd.DataFrame)


def cloned(patients: Patients, settings: CloneOptions, words: Words) -> Cloned:
    """Compare the two strategies, with weights and positivity."""
    found = compare_strategies(patients, settings)
    weights, levels = words.named(found.weights), positivity(patients, settings.grace)
    told = positivity_notes(levels, patients.at(settings.grace))
    return Cloned(
        rows=list(strategy_rows(found, patients, words, settings.horizon, settings.resamples)),
        notes=(weight_note(weights, words), *found.notes, *told),
        strategies=words.named(found.curves),
        weights=weights,
        positivity=levels,
    )
