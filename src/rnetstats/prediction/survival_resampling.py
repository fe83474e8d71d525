"""What a calibration at a horizon makes again in every resample: curve and observed risk."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from rnetstats.formula.splines import restricted_basis, restricted_knots
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.cox_horizon import hazard_until
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.pseudo_values import pseudo_values, risks_by
from rnetstats.kernels.risksets import prepare
from rnetstats.prediction.calibration_curve import LOCAL
from rnetstats.prediction.calibration_resampling import Again, Curves, local_curves
from rnetstats.prediction.calibration_spline import Smoother
from rnetstats.prediction.calibration_times import Times
from rnetstats.prediction.pseudo_regression import cloglog, pseudo_regressions, risk_of

__all__ = ["again_at"]

Floats = NDArray[np.float64]


def again_at(times: Times, risk: Floats, how: Smoother, at: Floats) -> Again:
    """Return what is made again: the curve at risks ``at`` (m,), and the observed risk.

    As in :func:`rnetstats.prediction.survival_curve.survival_curve`, knots where they are in all
    rows; pseudo-values, and thereby the weight of censoring, are those of each resample.
    """
    weight = times.weight
    observed = partial(_risks, times, np.ones(len(risk), dtype=bool))
    return Again(
        _curves(times, risk, how, at),
        float(min(weight @ times.event, weight @ times.free)),
        "events by the horizon, or patients known to be without",
        observed,
    )


def _risks(times: Times, rows: NDArray[np.bool_], counts: Floats) -> Floats:
    """Observed risk (b,) of some rows of each resample."""
    return risks_by(
        times.stop[rows], times.code[rows], times.horizon, counts[:, rows], cause=times.cause
    )


def _values(times: Times, rows: NDArray[np.bool_], counts: Floats) -> Floats:
    """Pseudo-values (b, k) of some rows, made of all rows of each resample."""
    found = pseudo_values(times.stop, times.code, times.horizon, counts, cause=times.cause)
    return np.asarray(found[:, rows])


def _curves(times: Times, risk: Floats, how: Smoother, at: Floats) -> Curves:
    everyone = np.ones(len(risk), dtype=bool)
    if how.name in LOCAL:
        return local_curves(partial(_values, times, everyone), risk, how, at)
    inner, open_ = (risk > 0.0) & (risk < 1.0), (at > 0.0) & (at < 1.0)
    if not inner.any():
        return lambda counts: np.full((len(counts), at.size), np.nan)
    lp, points = cloglog(risk[inner]), cloglog(at[open_])
    columns, wanted = _columns(lp, points, how, None if times.freq is None else times.freq[inner])
    found: Curves
    if not columns.shape[1]:
        found = partial(_flat, times, inner)
    elif times.competing:
        found = partial(_regressions, times, inner, columns, wanted)
    else:
        found = _Cox(times, inner, columns, wanted)

    def curves(counts: Floats) -> Floats:
        whole = np.tile(at.astype(np.float64), (len(counts), 1))
        values = np.asarray(found(counts))
        whole[:, open_] = values
        whole[np.isnan(values).any(axis=1)] = np.nan
        return whole

    return curves


def _columns(
    lp: Floats, points: Floats, how: Smoother, freq: Floats | None
) -> tuple[Floats, Floats]:
    """Columns of the rows and of the points, without intercept: none for identical risks."""
    if np.ptp(lp) <= 1e-12 * max(1.0, float(np.abs(lp).max())):
        return np.empty((lp.size, 0)), np.empty((points.size, 0))
    if how.name == "rcs":
        knots = restricted_knots(lp, how.knots, freq)
        if (np.diff(knots) > 0.0).all():
            return restricted_basis(lp, knots), restricted_basis(points, knots)
    return lp[:, None], points[:, None]


def _flat(times: Times, inner: NDArray[np.bool_], counts: Floats) -> Floats:
    held = counts[:, inner].sum(axis=1) > 0
    return np.where(held, _risks(times, inner, counts), np.nan)[:, None]


def _regressions(
    times: Times, inner: NDArray[np.bool_], columns: Floats, wanted: Floats, counts: Floats
) -> Floats:
    """Curves of regressions of pseudo-values (b, m)."""
    X, at = (np.column_stack([np.ones(len(part)), part]) for part in (columns, wanted))
    coef = pseudo_regressions(X, _values(times, inner, counts), counts[:, inner])
    return risk_of(coef @ at.T)


class _Cox:
    """Curves of Cox regressions (b, m)."""

    def __init__(
        self, times: Times, inner: NDArray[np.bool_], columns: Floats, wanted: Floats
    ) -> None:
        self.inner, self.event = inner, times.code[inner] > 0
        self.sets = prepare(None, times.stop[inner], self.event)
        centre = columns.mean(axis=0)
        self.X, self.wanted = columns - centre, wanted - centre
        self.horizon = times.horizon

    def __call__(self, counts: Floats) -> Floats:
        here = counts[:, self.inner]
        some = here @ self.event.astype(np.float64) > 0
        if not some.any():
            return np.full((len(counts), len(self.wanted)), np.nan)
        safe = np.where(some[:, None], here, 1.0)
        fit = fit_cox(self.X, self.sets, freq=safe)
        usable = some & np.isin(fit.status, (OK, LOST_TERM))
        coef = np.where(usable[:, None], fit.coef, 0.0)
        hazard = hazard_until(self.sets, coef @ self.X.T, self.horizon, freq=safe)
        with np.errstate(over="ignore"):
            found = -np.expm1(-hazard[:, None] * np.exp(coef @ self.wanted.T))
        found[~usable] = np.nan
        return np.asarray(found)
