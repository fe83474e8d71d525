"""Random tables with fixed margins, and the Monte Carlo version of the exact test."""

from __future__ import annotations

import math

import numpy as np

from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.tables.fisher import log_factorials
from rnetstats.tables.freeman_halton import LOG_TIE

__all__ = ["monte_carlo_p", "random_tables"]


def monte_carlo_p(table: np.ndarray, *, resamples: int, seed: int) -> tuple[float, float]:
    """P value and its Monte Carlo standard error, from random tables with the same margins.

    P is ``(1 + b) / (1 + B)``, with b the number of the B random tables that are no more likely
    than the observed one.
    """
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    lf = log_factorials(int(table.sum())).astype(float)
    observed = -lf[table].sum()
    extreme = 0
    for part, rng in chunk_generators(seed, resamples):
        drawn = random_tables(rng, rows, columns, CHUNK)
        log_p = -lf[drawn].sum(axis=(1, 2))
        extreme += int((log_p <= observed + LOG_TIE)[: part.stop - part.start].sum())
    p = (1.0 + extreme) / (1.0 + resamples)
    return p, math.sqrt(p * (1.0 - p) / resamples)


def random_tables(
    rng: np.random.Generator, rows: np.ndarray, columns: np.ndarray, size: int
) -> np.ndarray:
    """Tables of independence with fixed margins, cell by cell, shape (size, r, c)."""
    drawn = np.zeros((size, len(rows), len(columns)), dtype=np.int64)
    left = np.broadcast_to(columns, (size, len(columns))).copy()
    for i, total in enumerate(rows[:-1]):
        rest = np.full(size, total)
        for j in range(len(columns) - 1):
            others = left[:, j + 1 :].sum(axis=1)
            cell = rng.hypergeometric(left[:, j], others, rest)
            drawn[:, i, j] = cell
            rest = rest - cell
        drawn[:, i, -1] = rest
        left -= drawn[:, i]
    drawn[:, -1] = left
    return drawn
