"""Indices of performance of many replicates at once, for models of a time to an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.calibration_error import distances, restricted_columns, spline_knots
from rnetstats.kernels.censoring import CensoringCurve, censoring_survival, ipcw_weights
from rnetstats.kernels.concordance_many import gini_mean_difference, harrell
from rnetstats.kernels.cox import CoxFit, fit_cox
from rnetstats.kernels.cox_horizon import hazard_until
from rnetstats.kernels.links import cloglog
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.risksets import RiskSets
from rnetstats.kernels.roc import auc

__all__ = ["AT_HORIZON", "SURVIVAL", "HorizonCurves", "HorizonJudge", "survival_indices"]

Floats = NDArray[np.float64]

SURVIVAL: Final = ("c", "dxy", "slope", "r2", "d", "u", "q", "g")
AT_HORIZON: Final = ("uno_c", "auc_t", "brier", "ipa", "oe", "ici", "e50", "e90", "emax")
_KNOTS: Final = (0.10, 0.50, 0.90)


def survival_indices(
    stop: Floats,
    event: NDArray[np.bool_],
    sets: RiskSets,
    predictor: Floats,
    freq: Floats | None,
    *,
    start: Floats | None = None,
) -> Floats:
    """Judge the linear predictors of B models.

    Parameters
    ----------
    stop, event : arrays of shape (n,)
    sets : RiskSets
        Of the same rows.
    predictor : array of shape (B, n)
        Log hazard ratios.
    freq : array of shape (n,) or (B, n), or None
    start : array of shape (n,), optional
        Entry times.

    Returns
    -------
    array of shape (B, 8)
        In the order of :data:`SURVIVAL`: Harrell's C, Dxy, the slope of a Cox regression on the
        predictor, its R2 (of likelihood, over the largest there is), D = (LR - 1) / (-2 log L0),
        U, Q = D - U, and Gini's mean difference of the recalibrated predictor.

    References
    ----------
    Harrell FE (2015). Regression Modeling Strategies, 2nd ed. Springer, section 20.10.
    """
    c = harrell(stop, event, predictor, freq, start=start)
    x = (predictor - predictor.mean(axis=1, keepdims=True))[:, :, None]
    line = fit_cox(x, sets, freq=freq, start=np.ones(1))
    fixed = fit_cox(x, sets, freq=freq, start=np.ones(1), free=np.zeros(1, dtype=bool))
    total = len(stop) if freq is None else np.atleast_2d(freq).sum(axis=1)
    null, best = line.log_likelihood_null, line.log_likelihood
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = -np.expm1(2.0 * (null - best) / total) / -np.expm1(2.0 * null / total)
        d = (2.0 * (best - null) - 1.0) / (-2.0 * null)
        u = (2.0 * (best - fixed.log_likelihood) - 2.0) / (-2.0 * null)
        q = d - u
    slope, gini = line.coef[:, 0], gini_mean_difference(predictor, freq)
    table = np.column_stack(
        np.broadcast_arrays(c, 2.0 * c - 1.0, slope, r2, d, u, q, np.abs(slope) * gini)
    )
    table[line.status != OK, 2:] = np.nan
    return np.where(np.isfinite(table), table, np.nan)


class HorizonJudge:
    """Judges risks by a horizon; what censoring hides is weighed back in (IPCW).

    Parameters
    ----------
    stop, event : arrays of shape (n,)
    sets : RiskSets
    horizon : float

    References
    ----------
    Graf E, Schmoor C, Sauerbrei W, Schumacher M (1999). Assessment and comparison of prognostic
    classification schemes for survival data. Statistics in Medicine 18:2529-2545.
    Austin PC, Harrell FE, van Klaveren D (2020). Graphical calibration curves and the integrated
    calibration index (ICI) for survival models. Statistics in Medicine 39:2714-2742.
    """

    def __init__(
        self,
        stop: Floats,
        event: NDArray[np.bool_],
        sets: RiskSets,
        horizon: float,
    ) -> None:
        self.sets, self.horizon = sets, horizon
        self.stop, self.event = stop, event
        self.dead = ((stop <= horizon) & event).astype(np.float64)

    def __call__(self, risk: Floats, freq: Floats | None, curves: HorizonCurves) -> Floats:
        """Judge risks (B, n) and their curves; return (B, 9) in the order of :data:`AT_HORIZON`."""
        n = self.dead.size
        counts = np.ones((1, n)) if freq is None else np.atleast_2d(freq)
        left = censoring_survival(self.stop, self.event, freq)
        weight = counts * ipcw_weights(self.stop, self.event, self.horizon, left)
        total = counts.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):  # nobody is left to be judged
            observed = weight @ self.dead / weight.sum(axis=1)
            brier = np.vecdot(weight, (self.dead - risk) ** 2) / total
            null = np.vecdot(weight, (self.dead - observed[:, None]) ** 2) / total
            expected = np.vecdot(counts, risk) / total
        curve, fitted = curves.read()
        distance = distances(risk, curve, np.broadcast_to(counts, risk.shape))
        with np.errstate(divide="ignore", invalid="ignore"):
            table = np.column_stack(
                np.broadcast_arrays(
                    self._uno(risk, freq, left),
                    auc(self.dead, risk, weight),
                    brier,
                    1.0 - brier / null,
                    observed / expected,
                    *distance.T,
                )
            )
        table[np.broadcast_to(~fitted, len(table)), 5:] = np.nan
        return np.where(np.isfinite(table), table, np.nan)

    def _uno(self, risk: Floats, freq: Floats | None, left: CensoringCurve) -> Floats:
        """Uno's C of the pairs whose event is seen by the horizon."""
        before = left.before(self.stop)
        # A row that a replicate lacks may lie past all that it holds, where G is 0.
        squared = np.where(before > 0.0, before, np.inf) ** -2.0
        counted = np.where(self.stop <= self.horizon, squared, 0.0)
        return harrell(self.stop, self.event, risk, freq, pair_weight=counted)

    def curves(self, risk: Floats, freq: Floats | None) -> HorizonCurves:
        """Fit the calibration curve of each replicate to its risks (B, n)."""
        x = cloglog(risk)
        counts = np.ones((1, x.shape[1])) if freq is None else np.atleast_2d(freq)
        knots = spline_knots(x, np.broadcast_to(counts, x.shape), _KNOTS)
        columns = restricted_columns(x, knots)
        centre = columns.mean(axis=1, keepdims=True)
        columns -= centre
        fit: CoxFit = fit_cox(columns, self.sets, freq=counts)
        predictor = np.einsum("bnp,bp->bn", columns, fit.coef)
        hazard = hazard_until(self.sets, predictor, self.horizon, freq=counts)
        known = np.isin(fit.status, (OK, LOST_TERM))
        return HorizonCurves(knots, centre, fit.coef, predictor, hazard, known)


@dataclass(frozen=True, eq=False)
class HorizonCurves:
    """Calibration curves of B replicates: Cox regressions on a spline of log(-log(1 - risk)).

    Attributes
    ----------
    knots : array of shape (B, 3)
    centre : array of shape (B, 1, 2)
        Means of the spline's columns, which are taken off.
    coef : array of shape (B, 2)
    predictor : array of shape (B, n)
        Log hazard ratios of the rows.
    hazard : array of shape (B,)
        Cumulative baseline hazard at the horizon.
    fitted : bool array of shape (B,)
    """

    knots: Floats
    centre: Floats
    coef: Floats
    predictor: Floats
    hazard: Floats
    fitted: NDArray[np.bool_]

    def part(self, rows: slice) -> HorizonCurves:
        """Those of some replicates."""
        return HorizonCurves(*(values[rows] for values in vars(self).values()))

    def read(self, at: Floats | None = None) -> tuple[Floats, NDArray[np.bool_]]:
        """Return observed risks, and whether each curve is known there (B,).

        At predicted risks `at` (k,), as (B, k), or by default at those of the rows, as (B, n).
        """
        predictor = self.predictor
        if at is not None:
            grid = np.broadcast_to(cloglog(at), (len(self.coef), at.size))
            columns = restricted_columns(grid, self.knots) - self.centre
            predictor = np.einsum("bkp,bp->bk", columns, self.coef)
        with np.errstate(over="ignore", invalid="ignore"):  # nearly separated
            found = -np.expm1(-self.hazard[:, None] * np.exp(predictor))
        return found, np.isfinite(found).all(axis=1) & self.fitted
