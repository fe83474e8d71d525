"""Counts of answers: by rule, and by size of the tumour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.studies.management.decide import Answer
from rnetstats.studies.management.vocabulary import CANNOT, NO_RULE, STEP, STEPS

__all__ = [
    "ANSWERS",
    "BANDS",
    "answer_word",
    "band_table",
    "crossed",
    "rule_table",
    "word_places",
]

# the last one is that of a missing size: its place is -1
BANDS = ("< 10 mm", "10 to 20 mm", "> 20 mm", "size missing")
ANSWERS = (*reversed(STEPS), NO_RULE, CANNOT)


def answer_word(answer: Answer) -> str:
    """Return the step of an answer, or that there is no rule, or that it cannot be applied."""
    return answer.step if answer.answer == STEP else answer.answer


def rule_table(answers: Sequence[Answer], place: NDArray[np.intp]) -> pd.DataFrame:
    """Return one row an answer, with the number of patients; steps first, the most radical ahead.

    Parameters
    ----------
    answers : sequence of Answer
    place : int array (n,)
        The answer of each patient.
    """
    counts = np.bincount(place, minlength=len(answers))
    order = sorted(
        range(len(answers)),
        key=lambda k: (ANSWERS.index(answer_word(answers[k])), -counts[k], answers[k].rule),
    )
    rows = [
        {**vars(answers[k]), "n": int(counts[k]), "share": counts[k] / len(place)} for k in order
    ]
    return pd.DataFrame(rows)


def band_table(words: NDArray[np.intp], bands: NDArray[np.int64]) -> pd.DataFrame:
    """Return ``band, answer, n``: patients by size and what the guideline says of them.

    Parameters
    ----------
    words : int array (n,)
        The place of each patient's answer among :data:`ANSWERS`.
    bands : int array (n,)
        The place of each patient's size among :data:`BANDS`, -1 for the last.
    """
    counts = crossed(bands % len(BANDS), len(BANDS), words, len(ANSWERS))
    rows = [
        {"band": band, "answer": answer, "n": int(counts[i, j])}
        for i, band in enumerate(BANDS)
        if counts[i].any()
        for j, answer in enumerate(ANSWERS)
        if counts[:, j].any()
    ]
    return pd.DataFrame(rows)


def word_places(answers: Sequence[Answer], place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the place of each patient's answer among :data:`ANSWERS` (n,)."""
    words = [ANSWERS.index(answer_word(answer)) for answer in answers]
    return np.array(words, dtype=np.intp)[place]


def crossed(first: NDArray[np.intp], m: int, second: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    """Count pairs of codes: an (m, k) table of patients."""
    return np.bincount(first * k + second, minlength=m * k).reshape(m, k)
