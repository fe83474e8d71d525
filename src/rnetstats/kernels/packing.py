"""Symmetric matrices as packed upper triangles: X'WX of a whole block in one matrix product."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.newton import FloatArray

__all__ = ["Packing", "column_products", "packing"]


class Packing(NamedTuple):
    """Where the elements of a packed upper triangle stand.

    Attributes
    ----------
    first, second : int arrays of shape (p (p + 1) / 2,)
        Row and column of each packed element.
    upper : int array of the same shape
        Its place in the raveled matrix.
    place : int array of shape (p, p)
        The packed element that stands at each place of the matrix.
    times : array of shape (p (p + 1) / 2,)
        How often it stands there: 1 on the diagonal, else 2.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    upper: NDArray[np.intp]
    place: NDArray[np.intp]
    times: FloatArray


@lru_cache(maxsize=64)
def packing(p: int) -> Packing:
    """Return the packing of p x p matrices; its arrays are shared and read-only."""
    first, second = np.triu_indices(p)
    place = np.empty((p, p), dtype=np.intp)
    place[first, second] = place[second, first] = np.arange(len(first))
    parts = Packing(first, second, first * p + second, place, 2.0 - (first == second))
    for part in parts:
        part.flags.writeable = False
    return parts


def column_products(X: FloatArray) -> FloatArray:
    """Return the products of all pairs of columns.

    ``(weights @ column_products(X))[:, packing(p).place]`` is X'WX of every replicate.

    Parameters
    ----------
    X : array of shape (n, p)

    Returns
    -------
    array of shape (n, p (p + 1) / 2)
    """
    parts = packing(X.shape[1])
    columns = np.ascontiguousarray(X.T)
    return (columns[parts.first] * columns[parts.second]).T
