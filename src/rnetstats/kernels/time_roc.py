"""Time-dependent AUC from censored times: cases by the horizon against controls.

Cases had the event by the horizon (cumulative), controls are free of it at the horizon (dynamic).
A row counts as many as it stands for: rows that were censored before are represented by the
weights of those whose status is known. The standard error is the infinitesimal jackknife: the
derivative of the estimate by the weight of each row, that of the censoring curve included.

References
----------
Uno H, Cai T, Tian L, Wei LJ (2007). Evaluating prediction rules for t-year survivors with
censored regression models. Journal of the American Statistical Association 102, 527-537.
Hung H, Chiang CT (2010). Estimation methods for time-dependent AUC models with survival data.
Canadian Journal of Statistics 38, 8-26.
Blanche P, Dartigues JF, Jacqmin-Gadda H (2013). Estimating and comparing time-dependent areas
under receiver operating characteristic curves for censored event times with competing risks.
Statistics in Medicine 32, 5381-5397.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.censoring import CensoringCurve, censoring_survival, ipcw_weights
from rnetstats.kernels.newton import BoolArray, FloatArray
from rnetstats.kernels.roc import order_shares

__all__ = ["CONTROLS", "TimeAuc", "time_auc", "time_groups"]

CONTROLS = ("event-free", "all non-cases")


@dataclass(frozen=True, eq=False)
class TimeAuc:
    """AUC at one horizon.

    Attributes
    ----------
    auc, std_error
        NaN without cases or without controls.
    influence
        (n,) change of the AUC per unit of a row's weight.
    cases, controls
        Rows in each group, not weighted for censoring.
    """

    auc: float
    std_error: float
    influence: FloatArray
    cases: float
    controls: float


def time_groups(
    stop: ArrayLike,
    event: ArrayLike,
    event_any: ArrayLike,
    horizon: float,
    controls: str = "event-free",
) -> tuple[BoolArray, BoolArray]:
    """Which rows are known cases, and which known controls, (n,) each.

    Parameters
    ----------
    stop
        (n,) times.
    event, event_any
        (n,) whether the row ended in the event of interest, and in an event of whatever cause.
    horizon
        Cases have their event at or before it.
    controls
        "event-free": free of every event at the horizon; "all non-cases": also those who had
        another event by then.
    """
    ends = np.asarray(stop, dtype=np.float64)
    own, anything = np.asarray(event).astype(bool), np.asarray(event_any).astype(bool)
    case = (ends <= horizon) & own
    control = ends > horizon
    if controls == "all non-cases":
        control = control | ((ends <= horizon) & anything & ~own)
    return case, control


def time_auc(
    stop: ArrayLike,
    event: ArrayLike,
    event_any: ArrayLike,
    score: ArrayLike,
    horizon: float,
    *,
    controls: str = "event-free",
    freq: ArrayLike | None = None,
) -> TimeAuc:
    """Estimate the cumulative/dynamic AUC by inverse probability of censoring weights.

    Parameters
    ----------
    stop, event, event_any, horizon, controls
        As in :func:`time_groups`.
    score
        (n,) the higher, the earlier the event is expected.
    freq
        None or (n,) frequencies.
    """
    ends, scores = np.asarray(stop, dtype=np.float64), np.asarray(score, dtype=np.float64)
    anything = np.asarray(event_any).astype(bool)
    copies = np.ones(ends.size) if freq is None else np.asarray(freq, dtype=np.float64)
    case, control = time_groups(ends, event, anything, horizon, controls)
    curve = censoring_survival(ends, anything, copies)
    weight = ipcw_weights(ends, anything, horizon, curve)
    held = (float(copies @ case), float(copies @ control))
    total = copies * weight
    cases, noncases = float(total @ case), float(total @ control)
    if not cases > 0 or not noncases > 0:
        return TimeAuc(float("nan"), float("nan"), np.full(ends.size, np.nan), *held)
    below, above = order_shares(scores, total * case, total * control)
    area = float((total * case) @ below) / cases / noncases
    direct = weight * (case * (below - area * noncases) + control * (above - area * cases))
    late = np.where(ends <= horizon, ends, np.inf)
    through = _through_censoring(curve, ends, late, anything, copies, direct, horizon)
    influence = (direct + through) / (cases * noncases)
    n = float(copies.sum())
    error = float(np.sqrt(n / (n - 1.0) * (copies @ influence**2))) if n > 1 else float("nan")
    return TimeAuc(area, error, influence, *held)


def _through_censoring(
    curve: CensoringCurve,
    stop: FloatArray,
    late: FloatArray,
    event_any: BoolArray,
    copies: FloatArray,
    direct: FloatArray,
    horizon: float,
) -> FloatArray:
    """Change of the estimate, times its denominator, as each row's weight moves G, (n,).

    The factor of G at a time with d censorings among R at risk is 1 - d / R. One more censoring
    changes its logarithm by -1 / R, or one more row at risk alone by d / (R (R - d)), and with it
    the weight of every row whose own is taken past that time.
    """
    place = np.searchsorted(curve.time, stop)
    size = curve.time.size
    censored = np.bincount(place, copies * ~event_any, minlength=size)
    ended = np.bincount(place, copies * event_any, minlength=size)
    leaving = censored + ended
    at_risk = np.cumsum(leaving[::-1])[::-1] - ended
    moved = np.bincount(np.searchsorted(curve.time, late), copies * direct, minlength=size + 1)
    # Weights are G(T-): those of the rows that leave later, or stay past the horizon.
    moved = np.cumsum(moved[::-1])[::-1][1 : size + 1]
    moved = np.where(curve.time <= horizon, moved, 0.0)
    rest = at_risk - censored
    usable = (censored > 0) & (rest > 0)
    rest = np.where(usable, rest, 1.0)
    exposed = np.where(usable, censored * moved / np.where(usable, at_risk, 1.0) / rest, 0.0)
    jump = np.where(usable, moved / rest, 0.0)
    passed = np.append(0.0, np.cumsum(exposed))
    # Events leave before the censorings of their time, so they are not at risk there.
    return np.where(event_any, -passed[place], jump[place] - passed[place + 1])
