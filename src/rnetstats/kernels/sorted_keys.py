"""DeLong's variance of one AUC from a single sort of numbers, without the order of the rows.

A score's bits and the row's outcome share one 64-bit key. Sorting keys is several times as fast
as finding the order of the rows, and the sorted keys hold all that the variance needs: without
ties three sums over the cases, of whole numbers and so exact.
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
    keys = _keys(score, case)
    if keys is None:
        return None
    keys.sort()
    label, apart = _unpacked(keys)
    cases = int(np.count_nonzero(label))
    controls = label.size - cases
    if not cases or not controls:
        return np.array([np.nan]), np.array([[np.nan]])
    if apart.all():
        area, rightly, wrongly = _of_order(label, cases, controls)
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


def _keys(score: FloatArray, case: BoolArray) -> IntArray | None:
    """Whole numbers that order as the scores do, with the outcome as their last bit.

    The bits of a float, read as a whole number, order as the float does, and below 2 the highest
    bit of the exponent is 0, so that it can be shifted out. Scores are scaled below 2 by a power
    of two, which is exact; None if they span too many of them for that, or are infinite.
    """
    lowest = float(score.min(initial=0.0))
    largest = max(-lowest, float(score.max(initial=0.0)))
    if not np.isfinite(largest):
        return None
    power = int(np.frexp(largest)[1]) - 1 if largest >= 2.0 else 0
    keys: IntArray = np.empty(score.size, dtype=np.int64)
    for begin in range(0, score.size, _CELLS):
        some = slice(begin, begin + _CELLS)
        bits, part = keys[some], score[some]
        if power:
            small = np.abs(part) < 2.0 ** (power - 1021)
            if small.any() and part[small].any():
                return None
        scaled = np.multiply(part, 2.0**-power, out=bits.view(np.float64))
        scaled += 0.0  # a negative zero becomes 0
        if lowest < 0.0:
            bits ^= (bits >> 63) & np.int64(0x7FFFFFFFFFFFFFFF)
        bits <<= 1
        bits |= case[some]
    return keys


def _unpacked(keys: IntArray) -> tuple[BoolArray, BoolArray]:
    """Outcomes of sorted keys (n,), and whether each next score is another one (n - 1,)."""
    label, apart = np.empty(keys.size, dtype=bool), np.empty(max(keys.size - 1, 0), dtype=bool)
    for begin in range(0, keys.size, _CELLS):
        part = keys[begin : begin + _CELLS + 1]
        np.not_equal(part[:_CELLS] & 1, 0, out=label[begin : begin + _CELLS])
        differs = (part[1:] ^ part[:-1]).view(np.uint64)
        np.greater(differs, 1, out=apart[begin : begin + _CELLS])
    return label, apart


def _of_order(label: BoolArray, cases: int, controls: int) -> tuple[float, float, float]:
    """AUC, and the squared deviations of the numbers of controls before each case and the reverse.

    With b controls before the i-th case, from 0, the controls have sum of squares m c^2 - sum of
    (2 i + 1) b of the numbers of cases before them: c steps of that sum, summed by parts.
    """
    steps, passed = np.arange(_CELLS, dtype=np.float64), 0
    total = squares = products = 0
    for begin in range(0, label.size, _CELLS):
        places = np.flatnonzero(label[begin : begin + _CELLS])
        count = places.size
        rank = steps[:count]
        ahead = places - rank  # in this piece: all sums below 2^53, and no threads for so little
        first, here = begin - passed, int(ahead.sum())
        total += count * first + here
        squares += count * first**2 + 2 * first * here + int(np.square(ahead).sum())
        ranks = count * (count - 1) // 2
        products += passed * (count * first + here) + first * ranks + int((rank * ahead).sum())
        passed += count
    after = cases * controls - total  # pairs in which the control comes later
    later = controls * cases**2 - 2 * products - total
    rightly = (cases * squares - total**2) / cases
    wrongly = (controls * later - after**2) / controls
    return total / (cases * controls), rightly, wrongly


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
