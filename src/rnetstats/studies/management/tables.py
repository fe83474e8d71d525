"""Counts of answers: by rule, and by size of the tumour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.studies.management.decide import Answer
from rnetstats.studies.management.vocabulary import CANNOT, NO_RULE, STEP, STEPS

__all__ = ["ANSWERS", "BANDS", "answer_word", "band_table", "rule_table"]

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


def band_table(
    answers: Sequence[Answer], place: NDArray[np.intp], band: NDArray[np.str_]
) -> pd.DataFrame:
    """Return ``band, answer, n``: patients by size and what the guideline says of them."""
    words = np.array([answer_word(answer) for answer in answers], dtype=object)[place]
    counts = pd.DataFrame({"band": band, "answer": words}).value_counts()
    there = set(band.tolist())
    said = [answer for answer in ANSWERS if answer in set(words.tolist())]
    rows = [
        {"band": name, "answer": answer, "n": int(counts.get((name, answer), 0))}
        for name in BANDS
        if name in there
        for answer in said
    ]
    return pd.DataFrame(rows)
