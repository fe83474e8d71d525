"""Four binomial-normal models of 2x2 tables: their designs, for :mod:`rnetstats.kernels.glmm`.

The first coefficient is the log odds ratio; the last random effect is that of the odds ratio.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.glmm import MixedModel
from rnetstats.kernels.glmm_rows import binomial_rows, hypergeometric_rows
from rnetstats.kernels.mantel_haenszel import Tables

__all__ = ["LARGEST_SUPPORT", "TABLE_MODELS", "proportions_model", "support", "table_model"]

Floats: TypeAlias = NDArray[np.float64]

TABLE_MODELS = ("UM.FS", "UM.RS", "CM.EL", "CM.AL")

LARGEST_SUPPORT = 50_000
"""Studies times counts that a table with fixed margins can take, at most, for CM.EL."""

_HALF = np.array([0.5, -0.5])


def table_model(
    tables: Tables, model: str, *, points: int | None = None
) -> tuple[MixedModel, Floats]:
    """Return a model of k tables, and where to start.

    Parameters
    ----------
    tables : Tables
        One set, of shape (k,). Studies without events (or without non-events) make the likelihood
        flat in UM.FS and say nothing in CM.EL and CM.AL: leave them out there.
    model : {"UM.FS", "UM.RS", "CM.EL", "CM.AL"}
        Unconditional with fixed study effects, or with random ones independent of those of
        treatment, which is coded 1/2 and -1/2 in both; conditional on each study's number of
        events, by Fisher's noncentral hypergeometric law, or by a binomial law that holds when
        events are rare.
    points : int, optional
        Of Gauss-Hermite quadrature in each dimension; exact integrals by default.

    References
    ----------
    Stijnen T, Hamza TH, Ozdemir P (2010) Random effects meta-analysis of event outcome in the
    framework of the generalized linear mixed model with applications in sparse data. Stat Med
    29:3046-3067. Jackson D, Law M, Stijnen T, Viechtbauer W, White IR (2018) A comparison of seven
    random-effects models for meta-analyses that estimate the summary odds ratio. Stat Med
    37:1059-1085.
    """
    k = tables.a.shape[0]
    one = np.ones((k, 1, 1))
    if model == "CM.EL":
        rows = hypergeometric_rows(tables.a, tables.n1, tables.c, tables.n2)
        return MixedModel(rows, np.zeros((k, 1)), one, one, points), np.zeros(1)
    if model == "CM.AL":
        rows = binomial_rows(tables.a[:, None], (tables.a + tables.c)[:, None])
        offset = np.log(tables.n1 / tables.n2)[:, None]
        return MixedModel(rows, offset, one, one, points), np.zeros(1)
    rows = binomial_rows(
        np.stack([tables.a, tables.c], axis=1), np.stack([tables.n1, tables.n2], axis=1)
    )
    arm = np.broadcast_to(_HALF, (k, 2))[:, :, None]
    events, others = tables.a + tables.c, tables.b + tables.d
    if model == "UM.FS":
        own = np.broadcast_to(np.eye(k)[:, None], (k, 2, k))
        X, Z = np.concatenate([arm, own], axis=2), arm
        level = np.log((events + 0.5) / (others + 0.5))
    elif model == "UM.RS":
        X = np.concatenate([arm, np.ones((k, 2, 1))], axis=2)
        Z = X[:, :, ::-1]
        level = np.log((events.sum(keepdims=True) + 0.5) / (others.sum() + 0.5))
    else:
        raise ValueError(f"model must be one of {TABLE_MODELS}, not {model!r}")
    return MixedModel(rows, np.zeros((k, 2)), X, Z, points), np.append(0.0, level)


def proportions_model(
    y: Floats, n: Floats, X: Floats | None = None, *, points: int | None = None
) -> tuple[MixedModel, Floats]:
    """Return the logistic model of k series with a random intercept, and where to start.

    Parameters
    ----------
    y, n : (k,)
        Events among n.
    X : (k, p), optional
        The intercept alone by default.
    """
    design = np.ones((len(y), 1)) if X is None else X
    one = np.ones((len(y), 1, 1))
    rows = binomial_rows(y[:, None], n[:, None])
    start = np.zeros(design.shape[1])
    if X is None:
        start[0] = np.log((y.sum() + 0.5) / (n.sum() - y.sum() + 0.5))
    return MixedModel(rows, np.zeros((len(y), 1)), design[:, None], one, points), start


def support(tables: Tables) -> int:
    """Studies times the most counts that one of them can take with its margins fixed."""
    events = tables.a + tables.c
    width = np.minimum(tables.n1, events) - np.maximum(0.0, events - tables.n2) + 1.0
    return int(width.max(initial=0.0)) * len(width)
