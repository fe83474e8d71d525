"""Indices of performance of many replicates at once, for models of a binary outcome."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlogy

from rnetstats.kernels.calibration_error import ici
from rnetstats.kernels.calibration_line import calibration_in_the_large, calibration_line
from rnetstats.kernels.concordance_many import gini_mean_difference
from rnetstats.kernels.newton import OK
from rnetstats.kernels.roc import auc

__all__ = ["ANCHORED", "BINARY", "LABELS", "binary_indices"]

Floats = NDArray[np.float64]

BINARY: Final = (
    "auc",
    "dxy",
    "brier",
    "brier_scaled",
    "nagelkerke_r2",
    "intercept",
    "slope",
    "joint_intercept",
    "ici",
    "e50",
    "e90",
    "emax",
    "r2",
    "d",
    "u",
    "q",
    "g",
    "gp",
)

LABELS: Final = {
    "auc": "AUC",
    "dxy": "Somers' Dxy",
    "c": "Harrell's C",
    "auc_t": "AUC at the horizon",
    "brier": "Brier score",
    "brier_scaled": "Scaled Brier score",
    "ipa": "Index of prediction accuracy (IPA)",
    "oe": "Observed to expected",
    "nagelkerke_r2": "Nagelkerke's R2",
    "intercept": "Calibration-in-the-large",
    "slope": "Calibration slope",
    "joint_intercept": "Calibration intercept, slope free",
    "ici": "Integrated calibration index",
    "e50": "E50",
    "e90": "E90",
    "emax": "Emax",
    "r2": "Nagelkerke's R2, recalibrated",
    "d": "Discrimination index D",
    "u": "Unreliability index U",
    "q": "Quality index Q",
    "g": "Gini's mean difference, predictor",
    "gp": "Gini's mean difference, risk",
}

ANCHORED: Final = frozenset({"intercept", "slope", "joint_intercept", "u", "oe"})
"""Indices that the fit itself brings to their ideal in every resample."""


def binary_indices(y: Floats, risk: Floats, predictor: Floats, freq: Floats | None) -> Floats:
    """Judge B models of a binary outcome.

    Parameters
    ----------
    y : array of shape (n,)
        0 or 1.
    risk, predictor : arrays of shape (B, n)
        Predicted risk and log odds.
    freq : array of shape (n,) or (B, n), or None
        Whole numbers.

    Returns
    -------
    array of shape (B, 18)
        In the order of :data:`BINARY`. Missing without both outcomes; what rests on the slope is
        missing with identical predictions or separated outcomes.

    Notes
    -----
    ``nagelkerke_r2`` takes the risks as they are; ``r2``, D, U and Q take them recalibrated, as
    Harrell defines them: D = (LR - 1) / n, U = (-2 log L of the risks as they are - that of the
    recalibrated ones - 2) / n, Q = D - U; g and gp are Gini's mean differences of the recalibrated
    log odds and risks.

    References
    ----------
    Harrell FE (2015). Regression Modeling Strategies, 2nd ed. Springer, sections 5.3 and 10.9.
    Austin PC, Steyerberg EW (2019). The integrated calibration index (ICI) and related metrics.
    Statistics in Medicine 38:4051-4065.
    """
    weight = np.ones((1, y.size)) if freq is None else np.atleast_2d(freq)
    total = weight.sum(axis=1)
    share = np.divide(weight @ y, total, out=np.full(len(weight), np.nan), where=total > 0)
    null = total * (xlogy(share, share) + xlogy(1.0 - share, 1.0 - share))
    brier = np.vecdot(weight, (y - risk) ** 2) / total
    with np.errstate(divide="ignore"):
        as_is = np.vecdot(weight, np.where(y == 1.0, np.log(risk), np.log1p(-risk)))
    line = calibration_line(y, risk, freq)
    good = line.status == OK
    joint, slope = (np.where(good, part, np.nan) for part in (line.intercept, line.slope))
    eta = np.where(good[:, None], joint[:, None] + slope[:, None] * predictor, 0.0)
    again = -np.vecdot(weight, np.logaddexp(0.0, np.where(y == 1.0, -eta, eta)))
    again = np.where(good, again, np.nan)
    mixed = (share > 0.0) & (share < 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = 1.0 - brier / (share * (1.0 - share))
        d = (2.0 * (again - null) - 1.0) / total
        u = (2.0 * (again - as_is) - 2.0) / total
        r2 = [_nagelkerke(value, null, total) for value in (as_is, again)]
    areas = auc(y, risk, freq)
    found = {
        "auc": areas,
        "dxy": 2.0 * areas - 1.0,
        "brier": brier,
        "brier_scaled": np.where(mixed, scaled, np.nan),
        "nagelkerke_r2": r2[0],
        "intercept": calibration_in_the_large(y, risk, freq).intercept,
        "slope": slope,
        "joint_intercept": joint,
        "r2": r2[1],
        "d": d,
        "u": u,
        "q": d - u,
        "g": np.where(good, gini_mean_difference(eta, freq), np.nan),
        "gp": np.where(good, gini_mean_difference(expit(eta), freq), np.nan),
    }
    found.update(zip(("ici", "e50", "e90", "emax"), ici(y, risk, freq).T, strict=True))
    table = np.column_stack([np.broadcast_to(found[name], len(risk)) for name in BINARY])
    table[~np.broadcast_to(mixed, len(risk))] = np.nan
    return np.where(np.isfinite(table), table, np.nan)


def _nagelkerke(value: Floats, null: Floats, total: Floats) -> Floats:
    """Share of what likelihood can explain; see Nagelkerke (1991), Biometrika 78:691-692."""
    return np.asarray(-np.expm1(2.0 * (null - value) / total) / -np.expm1(2.0 * null / total))
