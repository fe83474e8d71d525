"""Cox's partial likelihood where the risks of one data set differ beyond a number's range.

On the way to the supremum of a monotone likelihood the risks of early and late risk sets differ
by more powers of ten than a number holds. Here each risk set is summed by itself, in units of its
largest risk: slower, and exact however far the coefficients are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray
from rnetstats.kernels.risksets import Ints, RiskSets

__all__ = ["BUDGET", "WideRow", "evaluate_wide"]

BUDGET = 1 << 26
"""Most pairs of a row and an event time that are looked at."""
_CHUNK = 1 << 18


class WideRow(NamedTuple):
    """One replicate.

    Attributes
    ----------
    x
        (p, m) columns of the kept rows.
    eta, weight
        (m,) linear predictor and weight.
    counts, events, mean
        (E,) events of each time, their total weight, and that of one of Efron's terms.
    efron
        Efron's rule for ties; Breslow's otherwise.
    """

    x: FloatArray
    eta: FloatArray
    weight: FloatArray
    counts: FloatArray
    events: FloatArray
    mean: FloatArray
    efron: bool


class _Sums(NamedTuple):
    """Sums (c,), (c, p), (c, p, p) of the risks at c event times, of all rows or of the tied."""

    risk: FloatArray
    x: FloatArray
    cross: FloatArray


def evaluate_wide(row: WideRow, sets: RiskSets) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, score (p,) and information (p, p) of one replicate."""
    p, m = row.x.shape
    died = np.full(m, -1, dtype=np.intp)
    died[sets.deaths] = sets.death_columns
    value, score, information = 0.0, np.zeros(p), np.zeros((p, p))
    columns = np.flatnonzero(row.events > 0)
    size = max(1, _CHUNK // max(m, 1))
    for begin in range(0, columns.size, size):
        part = columns[begin : begin + size]
        at_risk = (sets.joins <= part[:, None]) & (sets.leaves > part[:, None]) & (row.weight > 0)
        tied = at_risk & (died == part[:, None])
        one, slope, curve = _times(row, part, at_risk, tied)
        value += one
        score += slope
        information += curve
    return value, score, information


def _times(
    row: WideRow, columns: Ints, at_risk: BoolArray, tied: BoolArray
) -> tuple[float, FloatArray, FloatArray]:
    """Add up some event times; the masks are (c, m)."""
    top = np.where(at_risk, row.eta, -np.inf).max(axis=1)
    below = np.where(at_risk, row.eta - top[:, None], 0.0)
    risk = np.where(at_risk, np.exp(below), 0.0) * row.weight
    weight = np.where(tied, row.weight, 0.0)
    value = float((weight * below).sum())
    score = (weight @ row.x.T).sum(axis=0)
    information = np.zeros((len(row.x), len(row.x)))
    everyone, own = _sums(row.x, risk), _sums(row.x, np.where(tied, risk, 0.0))
    d = row.counts[columns]
    for number in range(int(d.max()) if row.efron else 1):
        share = (number / d)[:, None]
        times = np.where(number < d, row.mean[columns] if row.efron else row.events[columns], 0.0)
        divisor = np.where(times > 0, everyone.risk - share[:, 0] * own.risk, 1.0)
        mean = (everyone.x - share * own.x) / divisor[:, None]
        cross = (everyone.cross - share[:, :, None] * own.cross) / divisor[:, None, None]
        value -= float(times @ np.log(divisor))
        score -= times @ mean
        information += np.einsum("c,cij->ij", times, cross - mean[:, :, None] * mean[:, None, :])
    return value, score, information


def _sums(x: FloatArray, risk: FloatArray) -> _Sums:
    cross = np.array([(x * part) @ x.T for part in risk])
    return _Sums(risk.sum(axis=1), risk @ x.T, cross)
