"""The analyses of simulated cohorts: detection times as if exact, and interval-censored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.interval_cox import cox_intervals
from rnetstats.kernels.interval_weibull import weibull_intervals
from rnetstats.kernels.newton import OK, NewtonFit, maximise
from rnetstats.kernels.risksets import prepare
from rnetstats.kernels.turnbull import innermost, npmle, survival_bounds
from rnetstats.kernels.weighted_curves import survival_many
from rnetstats.treatment.schedule_cells import Cells

__all__ = ["AS_EXACT", "COX", "TURNBULL", "WEIBULL", "Fits", "fit_all"]

Floats = NDArray[np.float64]

AS_EXACT = "detection time as if exact"
WEIBULL = "interval-censored, Weibull"
COX = "interval-censored, Cox"
TURNBULL = "interval-censored, Turnbull"


@dataclass(frozen=True, eq=False)
class Fits:
    """What B replicates gave; missing where a fit has no finite estimate.

    Attributes
    ----------
    log_ratio, std_error : dict of arrays of shape (B,)
        Of the second arm against the first, by analysis.
    risk : dict of arrays of shape (B, 2)
        Of each arm by the horizon, by analysis.
    """

    log_ratio: dict[str, Floats]
    std_error: dict[str, Floats]
    risk: dict[str, Floats]


def fit_all(cells: Cells, counts: Floats, horizon: float, *, determined: bool) -> Fits:
    """Analyse B cohorts, given as counts (B, m) of the cells.

    Parameters
    ----------
    cells : Cells
    counts : array of shape (B, m)
    horizon : float
    determined : bool
        Whether the horizon is a visit of both arms, so that Turnbull's estimate is determined.
    """
    used = counts.sum(axis=0) > 0.0
    X = cells.arm[used].astype(float)[:, None]
    left, right, stop = cells.left[used], cells.right[used], cells.stop[used]
    event, counts = cells.event[used], counts[:, used]
    exact = fit_cox(X, prepare(None, stop, event), freq=counts)
    good = exact.status == OK
    ratio = {AS_EXACT: np.where(good, exact.coef[:, 0], np.nan)}
    error = {AS_EXACT: np.where(good, np.sqrt(exact.covariance[:, 0, 0]), np.nan)}
    arms = [X[:, 0] == arm for arm in (0, 1)]
    curve = [survival_many(stop[m], event[m], counts[:, m], [horizon])[:, 0] for m in arms]
    risk = {AS_EXACT: 1.0 - np.stack(curve, axis=1)}
    weibull = weibull_intervals(X, left=left, right=right, freq=counts)
    fit = weibull.fit_all(len(counts))
    ratio[WEIBULL], error[WEIBULL] = _with_error(fit, 2)
    centre = float(counts.sum(axis=0) @ X[:, 0] / counts.sum())
    risk[WEIBULL] = _weibull_risk(fit, np.log(horizon) - weibull.shift, centre)
    ratio[COX], error[COX] = _cox(X, left, right, counts, ratio[WEIBULL])
    if determined:
        parts = [_turnbull_risk(left[m], right[m], counts[:, m], horizon) for m in arms]
        risk[TURNBULL] = np.stack(parts, axis=1)
    return Fits(ratio, error, risk)


def _with_error(fit: NewtonFit, column: int) -> tuple[Floats, Floats]:
    good = fit.status == OK
    size = fit.information.shape[1]
    safe = np.where(good[:, None, None], fit.information, np.eye(size))
    variance = np.linalg.inv(safe)[:, column, column]
    return (
        np.where(good, fit.coef[:, column], np.nan),
        np.where(good, np.sqrt(np.maximum(variance, 0.0)), np.nan),
    )


def _weibull_risk(fit: NewtonFit, log_time: float, centre: float) -> Floats:
    a, k, b = fit.coef[:, :3].T
    hazard = np.exp(np.stack([a + k * log_time + b * (x - centre) for x in (0.0, 1.0)], axis=1))
    return np.where((fit.status == OK)[:, None], -np.expm1(-hazard), np.nan)


def _cox(
    X: Floats, left: Floats, right: Floats, counts: Floats, near: Floats
) -> tuple[Floats, Floats]:
    """Fit each replicate, beginning at the Weibull model's estimate."""
    ratio, error = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    for i, freq in enumerate(counts):
        held = [bool((freq * (X[:, 0] == arm) * np.isfinite(right)).any()) for arm in (0, 1)]
        # somebody must be known to be free of the event at a time by which another has it
        ordered = left[freq > 0.0].max() >= right[freq > 0.0].min()
        if not (all(held) and ordered):
            continue
        start = np.nan_to_num(near[i : i + 1])[:, None]
        fit = maximise(cox_intervals(X, left=left, right=right, freq=freq), start)
        one, its_error = _with_error(fit, 0)
        ratio[i], error[i] = one[0], its_error[0]
    return ratio, error


def _turnbull_risk(left: Floats, right: Floats, counts: Floats, horizon: float) -> Floats:
    risk = np.empty(len(counts))
    for i, freq in enumerate(counts):
        kept = freq > 0.0
        inner = innermost(left[kept], right[kept])
        fit = npmle(inner.first, inner.last, len(inner.left), freq[kept])
        low, high = survival_bounds(inner.left, inner.right, fit.mass, np.array([horizon]))
        risk[i] = 1.0 - 0.5 * (low[0] + high[0])
    return risk
