"""An index of discrimination of several models on the same rows; the AUC of a binary outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import TooFewEventsError
from rnetstats.kernels.roc import auc, delong
from rnetstats.prediction.judged import Judged

__all__ = ["Index", "binary_indices"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Index:
    """One index, estimated for each of m models.

    Attributes
    ----------
    name : str
        AUC, Harrell C, Uno C or AUC(t).
    time : float
        The horizon, or the time up to which events make pairs; infinite without one.
    controls : str
        Against whom, with competing risks; else "".
    method : str
        Of the standard error.
    value : array of shape (m,)
    covariance : array of shape (m, m)
    cases, controls_n : float
        Rows compared: for an AUC(t) those known to be cases and controls, for a C the events
        that make pairs and the rows that outlive one of them.
    pairs : float
        Pairs of different rows that can be compared independently of each other.
    resampled : callable
        Bootstrap counts (B, n) to values (B, m).
    """

    name: str
    time: float = float("inf")
    controls: str = ""
    method: str
    value: Floats
    covariance: Floats
    cases: float
    controls_n: float
    pairs: float
    resampled: Callable[[NDArray[np.int64]], Floats]


def binary_indices(judged: Judged) -> list[Index]:
    """Estimate the AUC of each model, with DeLong's covariance.

    Raises
    ------
    TooFewEventsError
        If all rows have one outcome.
    """
    y, freq = judged.outcome.y, judged.freq
    assert y is not None
    weight = np.ones(y.size) if freq is None else freq
    cases = float(weight @ y)
    controls = float(weight.sum()) - cases
    if not cases or not controls:
        what = "0" if not cases else "1"
        raise TooFewEventsError(
            f"The outcome {judged.outcome.name!r} is {what} in all {judged.n} rows; an AUC "
            "compares those with the event and those without."
        )
    areas, covariance = delong(y, judged.risk, freq)

    def resampled(counts: NDArray[np.int64]) -> Floats:
        return np.column_stack([auc(y, score, counts) for score in judged.risk])

    return [
        Index(
            name="AUC",
            method="DeLong",
            value=areas,
            covariance=covariance,
            cases=cases,
            controls_n=controls,
            pairs=min(cases, controls),
            resampled=resampled,
        )
    ]
