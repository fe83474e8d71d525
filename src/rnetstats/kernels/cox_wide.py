"""Cox's partial likelihood where the risks of one data set differ beyond a number's range.

On the way to the supremum of a monotone likelihood, or to the maximum that Firth's penalty gives
it, the risks of early and late risk sets differ by more powers of ten than a number holds. Here
each risk set is summed by itself, in units of its largest risk and about its own mean: slower, and
exact however far the coefficients are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.risksets import RiskSets

__all__ = ["BUDGET", "WideRow", "evaluate_wide", "penalty_wide"]

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


class _Term(NamedTuple):
    """One term of each of c event times.

    Attributes
    ----------
    times
        (c,) weight of the term; 0 where a time has fewer terms.
    value
        (c,) part of the log-likelihood.
    share
        (c, m) each row's share of it.
    centred
        (c, m, p) columns less their mean.
    mean
        (c, p)
    """

    times: FloatArray
    value: FloatArray
    share: FloatArray
    centred: FloatArray
    mean: FloatArray


def evaluate_wide(row: WideRow, sets: RiskSets) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, score (p,) and information (p, p) of one replicate."""
    p, deaths = len(row.x), sets.deaths
    happened = deaths[row.events[sets.death_columns] > 0]
    value, score = 0.0, row.x[:, happened] @ row.weight[happened]
    information = np.zeros((p, p))
    for term in _terms(row, sets):
        value += float(term.value.sum())
        score -= term.times @ term.mean
        weighted = term.centred * (term.times[:, None] * term.share)[:, :, None]
        information += (weighted.swapaxes(1, 2) @ term.centred).sum(axis=0)
    return value, score, information


def penalty_wide(row: WideRow, sets: RiskSets, inverse: FloatArray) -> FloatArray:
    """Gradient of half the log-determinant of the information, (p,), by its inverse (p, p).

    See :mod:`rnetstats.kernels.cox_firth`.
    """
    total = np.zeros(len(row.x))
    for term in _terms(row, sets):
        forms = ((term.centred @ inverse) * term.centred).sum(axis=2)
        weight = term.times[:, None] * term.share * forms
        total += (weight[:, None, :] @ term.centred)[:, 0].sum(axis=0)
    return 0.5 * total


def _terms(row: WideRow, sets: RiskSets) -> Iterator[_Term]:
    """Go through the event times, some at once, and through the terms of ties."""
    p, m = row.x.shape
    died = np.full(m, -1, dtype=np.intp)
    died[sets.deaths] = sets.death_columns
    columns = np.flatnonzero(row.events > 0)
    size = max(1, _CHUNK // max(m * p, 1))
    for begin in range(0, columns.size, size):
        part = columns[begin : begin + size]
        at_risk = (sets.joins <= part[:, None]) & (sets.leaves > part[:, None]) & (row.weight > 0)
        tied = at_risk & (died == part[:, None])
        top = np.where(at_risk, row.eta, -np.inf).max(axis=1)
        below = np.where(at_risk, row.eta - top[:, None], 0.0)
        risk = np.where(at_risk, np.exp(below), 0.0) * row.weight
        value = np.where(tied, below * row.weight, 0.0).sum(axis=1)
        d = row.counts[part]
        for number in range(int(d.max()) if row.efron else 1):
            own = risk * (1.0 - np.where(tied, (number / d)[:, None], 0.0))
            times = np.where(number < d, row.mean[part] if row.efron else row.events[part], 0.0)
            total = np.where(times > 0, own.sum(axis=1), 1.0)
            share = own / total[:, None]
            mean = share @ row.x.T
            value = value - times * np.log(total)
            yield _Term(times, value, share, row.x.T - mean[:, None], mean)
            value = np.zeros(len(part))
