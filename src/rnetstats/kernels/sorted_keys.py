"""DeLong's variance of one AUC from a single sort of numbers, without the order of the rows.

A score's bits and the row's outcome share one 64-bit key. Sorting keys is several times as fast
as finding the order of the rows, and the sorted keys hold all that the variance needs.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray

__all__ = ["at_levels", "delong_of_one"]

_CELLS = 1 << 16  # numbers looked at together, so that they stay in cache


def delong_of_one(case: BoolArray, score: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """AUC and variance of one score by a single sort of keys that carry the outcome.

    Sorting such keys is several times as fast as finding the order of the rows. None if the
    scores cannot carry it.
    """
    keep_freed_memory()
    keys = _keys(score)
    if keys is None:
        return None
    keys <<= 1
    keys |= case
    keys.sort()
    label, apart = _unpacked(keys)
    cases = int(np.count_nonzero(label))
    controls = label.size - cases
    if not cases or not controls:
        return np.array([np.nan]), np.array([[np.nan]])
    if apart.all():
        area = _sum_before(label, cases) / cases / controls
        rightly = _squares_before(label, area * controls)
        wrongly = _squares_before(~label, (1.0 - area) * cases)
    else:
        of_cases, of_controls = at_levels(label, np.append(0, np.flatnonzero(apart) + 1), None)
        below = np.cumsum(of_controls) - 0.5 * of_controls
        before = np.cumsum(of_cases) - 0.5 * of_cases
        area = float(of_cases @ below) / cases / controls
        rightly = float(of_cases @ (below - area * controls) ** 2)
        wrongly = float(of_controls @ (before - (1.0 - area) * cases) ** 2)
    if cases < 2 or controls < 2:
        return np.array([area]), np.array([[np.nan]])
    variance = rightly / controls**2 / cases / (cases - 1.0)
    variance += wrongly / cases**2 / controls / (controls - 1.0)
    return np.array([area]), np.array([[variance]])


def _unpacked(keys: IntArray) -> tuple[BoolArray, BoolArray]:
    """Outcomes of sorted keys (n,), and whether each next score is another one (n - 1,)."""
    label, apart = np.empty(keys.size, dtype=bool), np.empty(max(keys.size - 1, 0), dtype=bool)
    for begin in range(0, keys.size, _CELLS):
        part = keys[begin : begin + _CELLS + 1]
        np.not_equal(part[:_CELLS] & 1, 0, out=label[begin : begin + _CELLS])
        differs = (part[1:] ^ part[:-1]).view(np.uint64)
        np.greater(differs, 1, out=apart[begin : begin + _CELLS])
    return label, apart


def _sum_before(label: BoolArray, many: int) -> float:
    """Number of rows without the label before one with it, over all such pairs."""
    places = sum(
        int((np.flatnonzero(label[begin : begin + _CELLS]) + begin).sum())
        for begin in range(0, label.size, _CELLS)
    )
    return float(places - many * (many - 1) // 2)


def _squares_before(label: BoolArray, centre: float) -> float:
    """Sum over the rows with the label of (rows without it before - centre) squared."""
    steps, passed, total = np.arange(_CELLS, dtype=np.float64), 0, 0.0
    for begin in range(0, label.size, _CELLS):
        places = np.flatnonzero(label[begin : begin + _CELLS])
        many = places - steps[: places.size]
        many += begin - passed - centre
        total += float(np.square(many, out=many).sum())  # no threads for so little
        passed += places.size
    return total


def _keys(score: FloatArray) -> IntArray | None:
    """Whole numbers that order as the scores do, their highest bit free to be shifted out.

    The bits of a float, read as a whole number, order as the float does, and below 2 the highest
    bit of the exponent is 0. Scores are scaled below 2 by a power of two, which is exact; None
    if they span too many of them for that.
    """
    bits = (score + 0.0).view(np.int64)  # a negative zero becomes 0
    used = int(np.bitwise_or.reduce(bits))
    if used >= 0 and not used >> 62:
        return bits
    size = np.abs(score)
    largest = float(size.max())
    if largest >= 2.0:
        power = int(np.frexp(largest)[1]) - 1
        if float(size[size > 0].min()) < 2.0 ** (power - 1021):
            return None
        bits = (np.ldexp(score, -power) + 0.0).view(np.int64)
    bits ^= (bits >> 63) & np.int64(0x7FFFFFFFFFFFFFFF)
    return bits


def at_levels(
    label: BoolArray, starts: IntArray, copies: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Cases and controls of each run of equal values, the rows sorted by value."""
    if copies is not None:
        return np.add.reduceat(copies * label, starts), np.add.reduceat(copies * ~label, starts)
    ends = np.append(starts[1:], label.size)
    running = np.cumsum(label)[ends - 1]
    of_cases = np.diff(running, prepend=0).astype(np.float64)
    return of_cases, (ends - starts) - of_cases
