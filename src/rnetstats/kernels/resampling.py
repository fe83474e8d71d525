"""Bootstrap samples as counts: how often each row stands in each replicate.

Counts are drawn row by row of the result, so that fewer replicates from a generator in the same
state are a prefix of more. Whole numbers and a bincount take a third of a multinomial draw's time.

References
----------
Efron B, Tibshirani RJ (1993). An Introduction to the Bootstrap. Chapman & Hall.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["bootstrap_counts"]

Counts = NDArray[np.int64]

_MANY = 200_000  # patients whose numbers fill 50 MB in 32 replicates


def bootstrap_counts(
    rng: np.random.Generator,
    n: int,
    size: int,
    *,
    strata: NDArray[np.integer] | None = None,
    cluster: NDArray[np.integer] | None = None,
    freq: NDArray[np.floating] | None = None,
) -> Counts:
    """Draw samples of n rows with replacement.

    Parameters
    ----------
    rng : Generator
    n : int
        Number of rows.
    size : int
        Number of replicates.
    strata : int array of shape (n,), optional
        Each stratum keeps its number of rows (or of clusters).
    cluster : int array of shape (n,), optional
        Whole clusters are drawn, as many as there are. A cluster lies in one stratum.
    freq : array of shape (n,), optional
        How many patients each row stands for, whole numbers: these are drawn, as if each had a row
        of his own.

    Returns
    -------
    int array of shape (size, n)

    Raises
    ------
    ValueError
        A cluster lies in several strata.
    """
    if freq is not None and not bool((freq == 1.0).all()):
        return _of_replicated_rows(rng, freq.astype(np.intp), size, strata, cluster)
    if cluster is None:
        return _draw(rng, n, size, strata)
    _, first, code = np.unique(cluster, return_index=True, return_inverse=True)
    own = None
    if strata is not None:
        own = np.asarray(strata)[first]
        if (own[code] != strata).any():
            msg = "a cluster lies in more than one stratum"
            raise ValueError(msg)
    return _draw(rng, len(first), size, own)[:, code]


def _of_replicated_rows(
    rng: np.random.Generator,
    copies: NDArray[np.intp],
    size: int,
    strata: NDArray[np.integer] | None,
    cluster: NDArray[np.integer] | None,
) -> Counts:
    """Draw from rows of one patient each, and count by row."""
    kept = np.flatnonzero(copies)
    of_rows, own = copies[kept], None if strata is None else np.asarray(strata)[kept]
    counts = np.zeros((size, len(copies)), dtype=np.int64)
    if cluster is not None:  # a row's patients come and go together
        whole = bootstrap_counts(
            rng, kept.size, size, strata=own, cluster=np.asarray(cluster)[kept]
        )
        counts[:, kept] = whole * of_rows
    elif of_rows.sum() > _MANY:
        counts[:, kept] = _of_many(rng, of_rows, size, own)
    else:
        by_patient = None if own is None else np.repeat(own, of_rows)
        drawn = _draw(rng, int(of_rows.sum()), size, by_patient)
        counts[:, kept] = np.add.reduceat(drawn, np.cumsum(of_rows) - of_rows, axis=1)
    return counts


def _of_many(
    rng: np.random.Generator,
    copies: NDArray[np.intp],
    size: int,
    strata: NDArray[np.integer] | None,
) -> Counts:
    """Draw the counts of rows that stand for many patients, without a number for each patient."""
    places = [np.arange(len(copies))]
    if strata is not None:
        places = [np.flatnonzero(strata == own) for own in np.unique(strata)]
    counts = np.zeros((size, len(copies)), dtype=np.int64)
    for replicate in counts:
        for rows in places:
            total = int(copies[rows].sum())
            replicate[rows] = rng.multinomial(total, copies[rows] / total)
    return counts


def _draw(
    rng: np.random.Generator, n: int, size: int, strata: NDArray[np.integer] | None
) -> Counts:
    """Draw n units for each replicate, within their strata."""
    if strata is None:
        units = rng.integers(0, n, size=(size, n))
    else:
        members = np.argsort(strata, kind="stable")
        _, first, code, held = np.unique(
            np.asarray(strata)[members], return_index=True, return_inverse=True, return_counts=True
        )
        units = members[first[code] + rng.integers(0, held[code], size=(size, n))]
    units += n * np.arange(size)[:, None]
    return np.bincount(units.ravel(), minlength=size * n).reshape(size, n)
