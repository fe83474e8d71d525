"""Test of proportional hazards: the score test of x times g(t) beside x.

The model is extended by the columns times a function g of time, centred over the events; the test
is that of score at the estimate, the extra coefficients zero. A term is tested with its own extra
columns alone, the whole model with all of them.

References
----------
Grambsch PM, Therneau TM (1994). Proportional hazards tests and diagnostics based on weighted
residuals. Biometrika 81, 515-526.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.cox_residuals import FittedCox
from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.risksets import RiskSets

_SINGULAR = 1e-11  # lowest eigenvalue of an information of unit diagonal
TRANSFORMS = ("km", "rank", "identity", "log")


@dataclass(frozen=True, eq=False)
class ProportionalHazardsTest:
    """Chi-square statistics and degrees of freedom of each term, and of all together.

    Attributes
    ----------
    statistic, df
        (terms,); the statistic is NaN where the event times are too few to tell a trend.
    global_statistic, global_df
        Of all columns.
    """

    statistic: FloatArray
    df: tuple[int, ...]
    global_statistic: float
    global_df: int


def time_transform(
    sets: RiskSets,
    kind: str,
    stop: ArrayLike,
    *,
    pooled: RiskSets | None = None,
    freq: ArrayLike | None = None,
) -> FloatArray:
    """Values of g at each event time, (E,), not yet centred.

    Parameters
    ----------
    sets
        Risk sets of the model.
    kind
        "km": one less the Kaplan-Meier estimate just before the time, over all strata; "rank":
        mean rank of the time among the ends of follow-up of all rows; "identity"; "log".
    stop
        (n,) ends of follow-up.
    pooled
        Risk sets of the same rows without strata; needed for "km" where the model has strata.
    freq
        (n,) frequencies of the rows.

    Raises
    ------
    ValueError
        For an unknown kind, or the log of a time that is not positive.
    """
    if kind not in TRANSFORMS:
        msg = f"transform must be one of {', '.join(TRANSFORMS)}, not {kind!r}"
        raise ValueError(msg)
    if kind == "identity":
        return sets.times
    if kind == "log":
        if not (sets.times > 0).all():
            msg = "the log of time needs event times above 0"
            raise ValueError(msg)
        return np.log(sets.times)
    copies = np.ones(sets.n) if freq is None else np.asarray(freq, dtype=np.float64)
    if kind == "rank":
        return _mean_ranks(sets.times, np.asarray(stop, dtype=np.float64), copies)
    return _event_distribution(sets.times, sets if pooled is None else pooled, copies)


def _mean_ranks(times: FloatArray, stop: FloatArray, copies: FloatArray) -> FloatArray:
    """Rank of each time among the ends of follow-up, ties at the mean of their ranks."""
    order = np.argsort(stop, kind="stable")
    counts = np.concatenate(([0.0], np.cumsum(copies[order])))
    before = counts[np.searchsorted(stop[order], times, side="left")]
    until = counts[np.searchsorted(stop[order], times, side="right")]
    ranks: FloatArray = (before + until + 1.0) / 2.0
    return ranks


def _event_distribution(times: FloatArray, sets: RiskSets, copies: FloatArray) -> FloatArray:
    """One less the Kaplan-Meier estimate just before each time."""
    kept = sets.sort(copies)
    events, at_risk = sets.death_sums(kept[sets.deaths]), sets.risk_sums(kept)
    factors = (1.0 - events / np.where(at_risk > 0, at_risk, 1.0))[::-1]
    survival = np.cumprod(np.concatenate(([1.0], factors[:-1])), dtype=np.float64)
    distribution: FloatArray = 1.0 - survival[np.searchsorted(sets.times[::-1], times)]
    return distribution


def proportional_hazards_test(
    fitted: FittedCox, g: FloatArray, terms: Sequence[Sequence[int]]
) -> ProportionalHazardsTest:
    """Score test of proportional hazards.

    Parameters
    ----------
    fitted
        The model at its maximum likelihood estimate.
    g
        (E,) function of time, from `time_transform`.
    terms
        The columns of each term; a factor's columns are tested together.
    """
    p = fitted.coef.size
    events = fitted.block.events[0]
    centred = g - (events @ g) / events.sum()
    spread = np.sqrt(events @ centred**2 / events.sum())
    level = 1e-12 * np.abs(g).max()
    centred = centred / spread if spread > level else np.zeros_like(g)
    information = np.empty((2 * p, 2 * p))
    information[:p, :p] = _weighted_information(fitted, np.ones_like(g))
    information[:p, p:] = information[p:, :p] = _weighted_information(fitted, centred)
    information[p:, p:] = _weighted_information(fitted, centred**2)
    score = _weighted_score(fitted, centred)

    def statistic(columns: Sequence[int]) -> float:
        chosen = np.asarray(columns, dtype=np.intp)
        both = np.concatenate((np.arange(p), p + chosen))
        right = np.concatenate((np.zeros(p), score[chosen]))
        return _quadratic_form(information[np.ix_(both, both)], right)

    return ProportionalHazardsTest(
        statistic=np.array([statistic(columns) for columns in terms]),
        df=tuple(len(columns) for columns in terms),
        global_statistic=statistic(range(p)),
        global_df=p,
    )


def _quadratic_form(information: FloatArray, score: FloatArray) -> float:
    """Score' I^-1 score; NaN where the information is singular to working precision."""
    diagonal = information.diagonal()
    if not (diagonal > 0).all():
        return float("nan")
    length = np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(information / (length[:, None] * length))
    if values[0] < _SINGULAR:
        return float("nan")
    along = vectors.T @ (score / length)
    return float((along**2 / values).sum())


def _weighted_information(fitted: FittedCox, g: FloatArray) -> FloatArray:
    """Sum over event times of g times the information of the time, (p, p)."""
    likelihood, point = fitted.likelihood, fitted.point
    exposed = likelihood.exposure(tuple(power * g for power in point.ties.powers[0]))
    first, second = point.moments()
    between = point.between((first * g, second * g if point.ties.tied else second))
    weighted: FloatArray = (likelihood.design.cross(exposed * point.risk) - between)[0]
    return weighted


def _weighted_score(fitted: FittedCox, g: FloatArray) -> FloatArray:
    """Sum over event times of g times the score of the time, (p,)."""
    sets, point, rows = fitted.likelihood.sets, fitted.point, fitted.block.rows
    died = np.ones(sets.deaths.size) if rows is None else rows[0, sets.deaths]
    powers = point.ties.powers[0]
    expected = point.s1[0] * powers[0][0]
    if point.ties.tied:
        expected = expected - point.t1[0] * powers[1][0]
    seen = fitted.likelihood.design.x[:, sets.deaths] @ (died * g[sets.death_columns])
    score: FloatArray = seen - expected @ g
    return score
