"""The search for a cut-off on given rows: its curve, the best splits and the P value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from rnetstats._core.distributions import normal_quantile
from rnetstats.errors import DataError
from rnetstats.kernels.maxstat import (
    horizon_weights,
    logrank_rank_scores,
    proportions,
    standardised_sums,
    youden_differences,
)
from rnetstats.kernels.splits import (
    Flags,
    Floats,
    Splits,
    allowed_splits,
    best_of,
    chosen_cut,
    cut_values,
    running_sums,
    splits_of,
)
from rnetstats.prediction.cutpoint_bound import hothorn_lausen_p
from rnetstats.prediction.cutpoint_pvalues import (
    exact_gauss_p,
    lau92_p,
    lau94_p,
    permuted_maxima,
)
from rnetstats.prediction.cutpoint_rows import CutpointRows

__all__ = ["Plan", "Search", "adjusted_p", "case_weights", "counted_events", "search"]


@dataclass(frozen=True)
class Plan:
    """How a cut-off is searched.

    Attributes
    ----------
    method
        "youden", "maxstat" or "minimum-p".
    direction
        ">=", "<=" or None, for Youden's index.
    minprop, maxprop
        Shares of the rows in the lower group.
    horizon
        For Youden's index of a time.
    """

    method: str
    direction: str | None
    minprop: float
    maxprop: float
    horizon: float | None

    @classmethod
    def of(
        cls,
        method: str,
        direction: str | None,
        minprop: float | None,
        maxprop: float | None,
        horizon: float | None,
    ) -> Plan:
        """Return a plan with the method's own shares where none are given."""
        return cls(method, direction, *proportions(method, minprop, maxprop), horizon)


@dataclass(frozen=True, eq=False)
class Search:
    """What was found on the rows.

    Attributes
    ----------
    curve
        ``cut, midpoint, statistic, n_below, n_above, events_below, events_above``; for Youden's
        index ``sensitivity, specificity`` too.
    best
        Flags of the curve's rows that are equally good.
    cut, midpoint, statistic
        The chosen cut-off and the largest statistic.
    sign
        1 if the upper group has the more events, else -1.
    """

    curve: pd.DataFrame
    best: Flags
    cut: float
    midpoint: float
    statistic: float
    sign: float


def search(rows: CutpointRows, plan: Plan) -> Search:
    """Search all splits of the marker.

    Raises
    ------
    DataError
        If no split lies within the shares allowed, or a horizon leaves no case or no control.
    """
    splits, copies = splits_of(rows.x), rows.freq[None, :]
    below = running_sums(splits, copies)
    allowed = allowed_splits(below, plan.minprop, plan.maxprop)
    if not allowed.any():
        raise DataError(
            f"No cut-off of the marker's {splits.values.size} values leaves between "
            f"{plan.minprop:g} and {plan.maxprop:g} of the rows below it; widen minprop and "
            "maxprop."
        )
    statistic, extra = _statistic(rows, plan, splits, copies, below)
    youden = plan.method == "youden"
    best, signs = best_of(
        statistic, allowed, plan.direction if youden else None, youden and plan.horizon is None
    )
    if not youden:  # two-sided: equally large statistics of either sign are equally good
        best, _ = best_of(np.abs(statistic), allowed, ">=", False)
        signs = np.sign(statistic[0, np.argmax(best[0])])[None]
    sign = float(signs[0]) or 1.0
    report = "above" if youden and sign > 0 else "below"
    rule = "median" if youden else "first"
    cuts, middles = cut_values(splits, below, report), cut_values(splits, below, "midpoint")
    size = sign * statistic if youden else np.abs(statistic)
    events = running_sums(splits, copies * counted_events(rows, plan))
    kept = allowed[0]
    curve = pd.DataFrame(
        {
            "cut": cuts[0, kept],
            "midpoint": middles[0, kept],
            "statistic": size[0, kept],
            "n_below": below[0, kept],
            "n_above": below[0, -1] - below[0, kept],
            "events_below": events[0, kept],
            "events_above": events[0, -1] - events[0, kept],
        }
    )
    for name, values in extra(sign).items():
        curve[name] = values[kept]
    return Search(
        curve=curve,
        best=best[0, kept],
        cut=float(chosen_cut(best, cuts, rule)[0]),
        midpoint=float(chosen_cut(best, middles, rule)[0]),
        statistic=float(size[0, kept].max()),
        sign=sign,
    )


def _statistic(
    rows: CutpointRows, plan: Plan, splits: Splits, copies: Floats, below: Floats
) -> tuple[Floats, Any]:
    """Signed statistic (1, k), positive where the upper group has more events; more columns."""
    if plan.method != "youden":
        found = -standardised_sums(splits, _scores(rows), copies, below)
        return found, lambda sign: {}
    cases, controls = case_weights(rows, plan)
    difference = youden_differences(splits, cases, controls)
    scale = cases.sum() * controls.sum()
    above = 1.0 - running_sums(splits, cases)[0] / cases.sum()
    under = running_sums(splits, controls)[0] / controls.sum()

    def rates(sign: float) -> dict[str, Floats]:
        if sign > 0:
            return {"sensitivity": above, "specificity": under}
        return {"sensitivity": 1.0 - above, "specificity": 1.0 - under}

    return difference / scale, rates


def counted_events(rows: CutpointRows, plan: Plan) -> Floats:
    """1.0 for an event (n,), of a horizon only those by then."""
    if plan.horizon is None or rows.stop is None:
        return rows.events
    return rows.events * (rows.stop <= plan.horizon)


def case_weights(rows: CutpointRows, plan: Plan) -> tuple[Floats, Floats]:
    """Weights (1, n) as cases and as controls."""
    copies = rows.freq[None, :]
    if rows.y is not None:
        return copies * rows.y, copies * (1.0 - rows.y)
    assert rows.stop is not None and rows.event is not None and plan.horizon is not None
    cases, controls = horizon_weights(rows.stop, rows.event, plan.horizon, copies)
    for weights, what in ((cases, "event by"), (controls, "row followed beyond")):
        if not weights.sum() > 0:
            raise DataError(f"There is no {what} time={plan.horizon:g}; choose another time.")
    return cases, controls


def _scores(rows: CutpointRows) -> Floats:
    """Scores (1, n): the outcome itself, or log-rank scores."""
    if rows.y is not None:
        return rows.y[None, :]
    assert rows.stop is not None and rows.event is not None
    return logrank_rank_scores(rows.stop, rows.event, rows.freq)


def _midranks(y: Floats) -> Floats:
    """Wilcoxon scores (n,) of an outcome of 0 and 1: whole numbers, or numbers and a half."""
    events = float(y.sum())
    others = y.size - events
    return np.where(y > 0.0, others + (events + 1.0) / 2.0, (others + 1.0) / 2.0)


def adjusted_p(
    rows: CutpointRows,
    plan: Plan,
    found: Search,
    p_method: str,
    *,
    permutations: int,
    seed: int | None,
    alpha: float,
) -> dict[str, float]:
    """P value of the largest statistic, for the search that found it.

    Returns
    -------
    dict
        ``p_value``; by permutation also ``p_value_mcse``; by "hothorn-lausen" also
        ``p_hothorn_lausen`` and ``statistic_whole``; for "minimum-p" ``p_unadjusted`` and
        ``type_one_error``, the share of permutations whose smallest P is below ``alpha``, with
        ``type_one_error_mcse``.
    """
    below = found.curve["n_below"].to_numpy(dtype=float)
    total = float(rows.freq.sum())
    b = found.statistic
    if p_method == "lau92":
        return {"p_value": lau92_p(b, plan.minprop, plan.maxprop)}
    if p_method == "lau94":
        return {"p_value": lau94_p(b, below, total)}
    if p_method == "exact-gauss":
        return {"p_value": exact_gauss_p(b, below, total)}
    if p_method == "hothorn-lausen":
        whole = rows.expanded()
        scores = _scores(whole)[0] if whole.y is None else _midranks(whole.y)
        ordered = scores[np.argsort(whole.x, kind="stable")]
        return hothorn_lausen_p(ordered, below.astype(np.int64))
    assert seed is not None
    maxima = _permuted(rows.expanded(), plan, permutations, seed)
    p, error = _share(int(np.count_nonzero(maxima >= b - 1e-10 * max(abs(b), 1.0))), permutations)
    values = {"p_value": p, "p_value_mcse": error}
    if plan.method == "minimum-p":
        wrong = float(np.mean(maxima > normal_quantile(1.0 - alpha)))
        values |= {
            "p_unadjusted": float(2.0 * ndtr(-b)),
            "type_one_error": wrong,
            "type_one_error_mcse": float(np.sqrt(wrong * (1.0 - wrong) / permutations)),
        }
    return values


def _share(exceeding: int, draws: int) -> tuple[float, float]:
    p = (1.0 + exceeding) / (1.0 + draws)
    return p, float(np.sqrt(p * (1.0 - p) / draws))


def _permuted(rows: CutpointRows, plan: Plan, draws: int, seed: int) -> Floats:
    """Maxima of the statistic when outcomes are dealt out anew to the markers."""
    splits = splits_of(rows.x)
    n = rows.x.size
    below = running_sums(splits, np.ones((1, n)))
    allowed = allowed_splits(below, plan.minprop, plan.maxprop)[0]
    last = splits.last[allowed]
    if plan.method == "youden":
        cases, controls = (part[0] for part in case_weights(rows, plan))
        net = controls / controls.sum() - cases / cases.sum()
        scale = np.ones(last.size)
    else:
        scores = _scores(rows)[0]
        net = scores - scores.mean()
        m = below[0, allowed]
        variance = m * (n - m) / (n * (n - 1.0)) * float(net @ net)
        scale = np.sqrt(variance) if variance.all() else np.full(last.size, np.inf)

    def maxima(order: NDArray[np.intp]) -> Floats:
        sums = np.cumsum(net[order], axis=1)[:, last] / scale
        if plan.method == "youden" and plan.direction is not None:
            return np.asarray((sums if plan.direction == ">=" else -sums).max(axis=1))
        return np.asarray(np.abs(sums).max(axis=1))

    return permuted_maxima(maxima, n, draws=draws, seed=seed)
