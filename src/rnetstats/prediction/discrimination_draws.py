"""Bootstrap resamples of indices of discrimination, and what is to be said of an analysis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.random import chunk_generators
from rnetstats.errors import TooFewEventsError
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.auc_indices import Index
from rnetstats.prediction.judged import Judged

__all__ = ["apparent_notes", "bootstrap_draws", "draw_notes", "size_notes", "uno_notes"]

Floats = NDArray[np.float64]

_SMALL = 20  # rows
_FEW = 5  # of either outcome, for resampling; twice as many for a quiet normal limit


def bootstrap_draws(
    judged: Judged, indices: list[Index], resamples: int, seed: int | None
) -> tuple[Floats, ...]:
    """Values of each index in bootstrap resamples of patients, (B, m) each."""
    assert seed is not None
    for index in indices:
        if min(index.cases, index.controls_n) < _FEW:
            raise TooFewEventsError(
                f"{index.name} compares cases ({index.cases:g}) with others "
                f"({index.controls_n:g}): resampling needs {_FEW} of each. Leave resamples= out."
            )
    parts: list[list[Floats]] = [[] for _ in indices]
    for rows, rng in chunk_generators(seed, resamples):
        counts = bootstrap_counts(rng, judged.n, rows.stop - rows.start, freq=judged.freq)
        for part, index in zip(parts, indices, strict=True):
            part.append(index.resampled(counts))
    return tuple(np.concatenate(part) for part in parts)


def draw_notes(indices: list[Index], draws: tuple[Floats, ...], resamples: int) -> list[str]:
    """Say that limits come from resamples, and in how many an index does not exist."""
    notes = [
        f"Limits and standard errors from {resamples} bootstrap resamples; the models are held "
        "fixed, so that optimism stays in."
    ]
    for index, values in zip(indices, draws, strict=True):
        lost = int(np.isnan(values).any(axis=1).sum())
        if lost:
            notes.append(f"{index.name} does not exist in {lost} of {resamples} resamples.")
    return notes


def size_notes(n: float, indices: list[Index]) -> list[str]:
    """Say where there are few patients, or few of the rows compared."""
    notes = []
    if n < _SMALL:
        notes.append(f"Only {n:g} patients: limits by a normal approximation say little.")
    for index in indices:
        few = min(index.cases, index.controls_n)
        if few < 2 * _FEW:
            where = f" at {index.time:g}" if index.name == "AUC(t)" else ""
            what = "events" if index.cases <= index.controls_n else "patients without it"
            notes.append(
                f"{index.name}{where} rests on {few:g} {what}; its limits are rough."
                if few > 1
                else f"{index.name}{where} rests on a single {_single(what)}."
            )
    return list(dict.fromkeys(notes))


def _single(what: str) -> str:
    return what.replace("events", "event").replace("patients", "patient")


def apparent_notes(judged: Judged) -> list[str]:
    """Say which models were fitted on the rows judged."""
    labels = [label for label in judged.labels if judged.apparent[label]]
    if not labels:
        return []
    verb = "was" if len(labels) == 1 else "were"
    return [
        f"{', '.join(labels)} {verb} fitted on these rows: estimates and limits are apparent and "
        "too good; validate() corrects for optimism."
    ]


def uno_notes(judged: Judged, indices: list[Index]) -> list[str]:
    """Say what an untruncated weight may do, and which indices late entry leaves out."""
    if judged.outcome.start is not None:
        return ["Late entry: Harrell's C only; Uno's C and AUC(t) need everybody from time 0."]
    for index in indices:
        if index.name == "Uno C" and np.isinf(index.time):
            return [
                "Uno's C runs to the last event; tau= cuts it where few are still followed and "
                "weights grow."
            ]
    return []
