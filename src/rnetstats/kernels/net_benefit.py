"""Net benefit of acting at or above each threshold of risk, for a batch of replicates.

A row is positive at a threshold if its risk is the threshold or more. All thresholds are read off
one count: rows are counted by the number of thresholds that their risk reaches, and the counts
summed from above. There is no loop over thresholds or replicates.

References
----------
Vickers AJ, Elkin EB (2006). Decision curve analysis: a novel method for evaluating prediction
models. Medical Decision Making 26, 565-574.
Pfeiffer RM, Gail MH (2020). Estimating the decision curve and its precision from three study
designs. Biometrical Journal 62, 764-776.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = ["NetBenefit", "benefit", "from_above", "group_sums", "net_benefit", "reached", "weights"]


@dataclass(frozen=True, eq=False)
class NetBenefit:
    """Decision curves of B replicates at k thresholds.

    Attributes
    ----------
    tp_rate, fp_rate
        (B, k) shares of *all* patients who are positive and have the event, or do not.
    net_benefit
        (B, k), ``tp_rate - fp_rate * threshold / (1 - threshold)``, less the harm.
    prevalence
        (B,) share of all patients who have the event (by the horizon).
    n_positive, n_events
        (B, k) rows that are positive, and those of them whose event was seen.
    """

    tp_rate: FloatArray
    fp_rate: FloatArray
    net_benefit: FloatArray
    prevalence: FloatArray
    n_positive: FloatArray
    n_events: FloatArray


def net_benefit(
    y: ArrayLike,
    risk: ArrayLike,
    thresholds: ArrayLike,
    freq: ArrayLike | None = None,
    *,
    prevalence: float | None = None,
    harm: float = 0.0,
) -> NetBenefit:
    """Net benefit for a binary outcome.

    Parameters
    ----------
    y
        (n,) 0 or 1.
    risk
        (n,) for all replicates, or (B, n).
    thresholds
        (k,) in [0, 1), in any order.
    freq
        (n,) or (B, n) whole numbers, how often each row stands in a replicate; 0 is allowed.
    prevalence
        Of the population, where cases and controls were sampled apart: rates are rescaled to it.
    harm
        Net benefit that obtaining the prediction costs each patient.

    Returns
    -------
    NetBenefit
        NaN in a replicate without rows and, with ``prevalence``, in one that lacks an outcome.
    """
    event = np.asarray(y, dtype=np.float64) == 1.0
    order, levels = _ascending(thresholds)
    places = reached(risk, levels)
    counted = weights(freq, event.size)
    size = len(levels) + 1
    rows = from_above(group_sums(places, size, counted))
    cases = from_above(group_sums(places[..., event], size, counted[:, event]))
    n, n_cases = rows[:, :1], cases[:, :1]
    tp, positive = cases[:, 1:][:, order], rows[:, 1:][:, order]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = n_cases / n
        if prevalence is None:
            tp_rate, fp_rate = tp / n, (positive - tp) / n
        else:
            share = np.where((n_cases > 0) & (n_cases < n), prevalence, np.nan)
            tp_rate = tp / n_cases * share
            fp_rate = (positive - tp) / (n - n_cases) * (1.0 - share)
    return NetBenefit(
        tp_rate=tp_rate,
        fp_rate=fp_rate,
        net_benefit=benefit(tp_rate, fp_rate, thresholds, harm),
        prevalence=np.broadcast_to(share[:, 0], (len(tp),)).copy(),
        n_positive=positive,
        n_events=tp,
    )


def benefit(
    tp_rate: FloatArray, fp_rate: FloatArray, thresholds: ArrayLike, harm: float = 0.0
) -> FloatArray:
    """Net benefit (..., k) from the two rates; a false positive costs the threshold's odds."""
    levels = np.asarray(thresholds, dtype=np.float64)
    return np.asarray(tp_rate - fp_rate * (levels / (1.0 - levels)) - harm)


def reached(risk: ArrayLike, levels: FloatArray) -> IntArray:
    """How many of the ascending thresholds each risk reaches, of the shape of ``risk``."""
    return np.asarray(np.searchsorted(levels, np.asarray(risk, dtype=np.float64), side="right"))


def weights(freq: ArrayLike | None, n: int) -> NDArray[np.number]:
    """Weights as (B, n); one replicate of ones without any."""
    return np.ones((1, n)) if freq is None else np.atleast_2d(np.asarray(freq))


def group_sums(codes: IntArray, size: int, counted: NDArray[np.number]) -> FloatArray:
    """Sum of weights by group.

    Parameters
    ----------
    codes
        (n,) or (B, n) group of each row, from 0 to ``size`` - 1.
    counted
        (B, n) weights, or (1, n).

    Returns
    -------
    array of shape (B, size)
    """
    if codes.ndim == 2:
        blocks, n = max(len(codes), len(counted)), codes.shape[1]
        apart = np.broadcast_to(codes, (blocks, n)) + size * np.arange(blocks)[:, None]
        spread = np.broadcast_to(counted, (blocks, n)).ravel()
        flat = np.bincount(apart.ravel(), spread, blocks * size)
        return np.asarray(flat.reshape(blocks, size), dtype=np.float64)
    sums = np.zeros((len(counted), size))
    if codes.size:
        order = np.argsort(codes, kind="stable")
        ordered = codes[order]
        first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        sums[:, ordered[first]] = np.add.reduceat(np.take(counted, order, axis=1), first, axis=1)
    return sums


def from_above(sums: FloatArray) -> FloatArray:
    """Running sum over the last axis from its end: place j holds what has code j or more."""
    return np.cumsum(sums[..., ::-1], axis=-1)[..., ::-1]


def _ascending(thresholds: ArrayLike) -> tuple[IntArray, FloatArray]:
    """Place of each threshold among the ascending ones, and these."""
    levels = np.asarray(thresholds, dtype=np.float64)
    order = np.argsort(levels, kind="stable")
    back = np.empty(order.size, dtype=np.intp)
    back[order] = np.arange(order.size)
    return back, levels[order]
