"""The rows of a score model: from how often each was drawn to weights, many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.treatment_weights import treatment_weights

__all__ = ["ESTIMAND_WORDS", "ScoreRows", "Scored"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ESTIMAND_WORDS = {
    "ate": "all patients (ATE)",
    "att": "patients like the treated (ATT)",
    "atc": "patients like the controls (ATC)",
    "overlap": "the patients whom either arm might have taken (overlap)",
}


class Scored(NamedTuple):
    """Weights of b replicates.

    Attributes
    ----------
    weights
        (b, n), 0 where a row was not drawn and has none.
    failed, lost
        (b,) replicates whose score model has no estimate or no finite weights; replicates in
        which a column of the score model was lost.
    """

    weights: Floats
    failed: Flags
    lost: Flags


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreRows:
    """What a score model was fitted to, and how its weights are made.

    Attributes
    ----------
    table
        The data as given.
    positions
        (n,) places of the rows used.
    X, treated, freq, offset
        Design (n, p), arm (n,), how many patients each row stands for (n,), offset (n,).
    cluster
        (n,) codes of the units drawn by the bootstrap, or None for patients.
    coef
        (p,) of the score model, where every replicate starts.
    """

    table: pd.DataFrame
    positions: NDArray[np.intp]
    X: Floats
    treated: Flags
    freq: Floats
    offset: Floats | None
    cluster: NDArray[np.intp] | None
    coef: Floats
    estimand: str
    firth: bool
    stabilised: bool
    truncate: tuple[float, float] | None

    def weighted(self, predictor: Floats, counts: Floats) -> Floats:
        """Weights (b, n) from log odds of treatment (b, n) and drawn counts."""
        return treatment_weights(
            predictor,
            self.treated,
            self.estimand,
            freq=counts,
            stabilised=self.stabilised,
            truncate=self.truncate,
        )

    def score(self, counts: Floats) -> Scored:
        """Fit the score model to replicates in which row i stands counts[:, i] times, (b, n)."""
        fit = fit_logistic(
            self.X,
            self.treated,
            freq=counts,
            offset=self.offset,
            firth=self.firth,
            start=np.broadcast_to(self.coef, (len(counts), self.coef.size)),
        )
        predictor = fit.coef @ self.X.T
        if self.offset is not None:
            predictor += self.offset
        weights = self.weighted(predictor, counts)
        finite = np.isfinite(weights)
        failed = ~np.isin(fit.status, (OK, LOST_TERM)) | (~finite & (counts > 0)).any(axis=1)
        return Scored(np.where(finite, weights, 0.0), failed, fit.lost.any(axis=1) & ~failed)
