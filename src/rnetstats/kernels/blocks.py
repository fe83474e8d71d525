"""Blocks of replicates: how large, which part of each argument, and all of them joined again."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from rnetstats.kernels.firth import inverse_information, without
from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["block_size", "covariance_of", "joined", "part_of", "pieces", "with_rows"]

Fit = TypeVar("Fit")
Maybe = TypeVar("Maybe", FloatArray, FloatArray | None)


def block_size(n: int) -> int:
    """Replicates fitted together: some 60,000 numbers an array, so that they stay in cache."""
    return min(max(1, 2**16 // max(n, 1)), 256)


def pieces(count: int, n: int) -> list[slice]:
    """Divide `count` replicates of n rows into what a processor's own cache holds.

    From 16 replicates on, a matrix product's speed no longer hangs on how many they are.
    """
    size = max(16, 2**16 // max(n, 1))
    return [slice(at, min(at + size, count)) for at in range(0, count, size)]


def part_of(array: Maybe, rows: slice) -> Maybe:
    """Rows of an array (B, n) that belong to a block; one that all replicates share, as it is."""
    return array[rows] if array is not None and array.ndim == 2 and len(array) > 1 else array


def joined(parts: list[Fit]) -> Fit:
    """Join the fits of all blocks, a dataclass of arrays (or None) each."""
    if len(parts) == 1:
        return parts[0]
    whole: Any = parts[0]
    columns: dict[str, Any] = {}
    for field in fields(whole):
        values = [getattr(part, field.name) for part in parts]
        columns[field.name] = None if values[0] is None else np.concatenate(values)
    return type(parts[0])(**columns)


def with_rows(fit: Fit, other: Fit, rows: BoolArray) -> Fit:
    """Return a fit with some replicates of another one in the place of its own."""
    columns: dict[str, Any] = {}
    whole: Any = fit
    for field in fields(whole):
        name, values = field.name, getattr(fit, field.name)
        columns[name] = None if values is None else np.array(values)
        if values is not None:
            columns[name][rows] = getattr(other, name)[rows]
    return type(fit)(**columns)


def covariance_of(information: FloatArray, free: BoolArray) -> FloatArray:
    """Inverse information of the coordinates that were estimated, zero for the others.

    Parameters
    ----------
    information : array of shape (B, p, p)
    free : bool array of shape (B, p)

    Returns
    -------
    array of shape (B, p, p)
    """
    diagonal = information.diagonal(axis1=1, axis2=2)
    if free.all() and diagonal.min(initial=1.0) > 0.0 and diagonal.max(initial=1.0) < np.inf:
        length = np.sqrt(diagonal)
        outer = length[:, :, None] * length[:, None, :]
        return np.asarray(inverse_information(information / outer) / outer)
    fixed = ~free
    usable = free & (diagonal > 0) & np.isfinite(diagonal)
    length = np.sqrt(np.where(usable, diagonal, 1.0))
    outer = length[:, :, None] * length[:, None, :]
    inverse = inverse_information(without(information / outer, fixed)) / outer
    return np.where(fixed[:, :, None] | fixed[:, None, :], 0.0, inverse)
