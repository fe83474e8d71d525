"""From replicates to corrected indices and curves, by each scheme's own formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.percentiles import MOST_UNDEFINED, percentile_limits
from rnetstats.prediction.indices import ANCHORED, DISTANCES, UNCORRECTED
from rnetstats.prediction.resampling_schemes import Runs

__all__ = [
    "LIMITLESS",
    "corrected_curve",
    "corrected_table",
    "enough_runs",
    "mean_known",
    "outside_limits",
]

Floats = NDArray[np.float64]
_LEFT_OUT = 0.632

LIMITLESS: Final = ANCHORED | DISTANCES
"""Indices of which the bootstrap's percentiles are no limits, see :func:`corrected_table`."""


def corrected_table(
    names: tuple[str, ...],
    apparent: Floats,
    runs: Runs,
    *,
    method: str,
    conf_level: float,
    limits: bool,
) -> dict[str, Any]:
    """Return the columns of a validation's table.

    The bootstrap takes the mean of training less test, the optimism, from the apparent index; its
    limits are the percentiles of the training index, shifted by the optimism (Noma et al. 2021);
    an index that every fit brings to its ideal (slope, intercept) does not vary there, and has
    none. Nor have distances from perfect calibration, which cannot be below zero: resampling
    adds to them, so that shifted percentiles may lie beside the estimate. An index without a value
    in more than 5 % of the resamples, those without a model included, has no limits either.
    .632 weighs the apparent index by .368 and that of the patients left out by .632.
    Cross-validation gives the test index itself. Hosmer and Lemeshow's statistic is not corrected:
    it grows with patients who stand several times in a resample, and with their number.

    Parameters
    ----------
    names : tuple of k str
    apparent : array of shape (m, k)
        Of each imputation of the data; one row without any. Their mean is corrected, and how
        they vary is part of its Monte Carlo error.
    runs : Runs
    method : {"boot", "632", "cv", "internal-external"}
    conf_level : float
    limits : bool
        Whether there are events enough for resampling limits.

    References
    ----------
    Harrell FE, Lee KL, Mark DB (1996). Statistics in Medicine 15:361-387.
    Efron B (1983). Estimating the error rate of a prediction rule. JASA 78:316-331.
    Noma H, Shinozaki T, Iba K, Teramukai S, Furukawa TA (2021). Confidence intervals of
    prediction accuracy measures for multivariable prediction models based on the
    bootstrap-based optimism correction methods. Statistics in Medicine 40:5691-5701.
    """
    k = len(names)
    training, test = mean_known(runs.training, k), mean_known(runs.test, k)
    imputed = np.nan_to_num(_error(apparent, k))
    apparent = mean_known(apparent, k)
    low = high = np.full(k, np.nan)
    used = runs.training - runs.test if method == "boot" else runs.test
    n_runs = np.isfinite(used).sum(axis=0)
    if method == "boot":
        optimism = mean_known(used, k)
        corrected, error = apparent - optimism, np.hypot(_error(used, k), imputed)
        if limits and len(runs.training):
            low, high = np.stack(percentile_limits(runs.training, conf_level)) - optimism
            bare = np.isin(names, tuple(LIMITLESS))
            bare |= ~enough_runs(n_runs, len(used) + runs.failed)
            low, high = np.where(bare, np.nan, low), np.where(bare, np.nan, high)
    elif method == "632":
        corrected = (1.0 - _LEFT_OUT) * apparent + _LEFT_OUT * test
        optimism = apparent - corrected
        error = np.hypot(_LEFT_OUT * _error(used, k), (1.0 - _LEFT_OUT) * imputed)
    else:
        corrected, optimism, error = test, apparent - test, _error(used, k)
    without = np.isin(names, tuple(UNCORRECTED))
    optimism, corrected, error = (
        np.where(without, np.nan, column) for column in (optimism, corrected, error)
    )
    return {
        "index": names,
        "apparent": apparent,
        "training": training,
        "test": test,
        "optimism": optimism,
        "corrected": corrected,
        "conf_low": low,
        "conf_high": high,
        "mcse": error,
        "n_runs": n_runs,
    }


def enough_runs(n_runs: ArrayLike, drawn: int) -> NDArray[np.bool_]:
    """Say of which indices (k,) resamples enough have a value for limits, 95 % of those drawn."""
    return np.asarray(drawn - np.asarray(n_runs) <= MOST_UNDEFINED * drawn)


def outside_limits(table: Mapping[str, Any]) -> list[str]:
    """Name the indices whose corrected value lies outside its own limits.

    Models made of resamples then flatter themselves there more than the model itself does on its
    patients (a search that found nothing here finds something in most resamples), and the shift
    by the optimism leaves that in.

    Parameters
    ----------
    table : mapping
        ``index, corrected, conf_low, conf_high`` of a validation.
    """
    low, value, high = (
        np.asarray(table[name], dtype=float) for name in ("conf_low", "corrected", "conf_high")
    )
    outside = (value < low) | (value > high)
    return [str(name) for name, out in zip(table["index"], outside, strict=True) if out]


def corrected_curve(apparent: Floats, training: Floats, test: Floats, method: str) -> Floats:
    """Return a curve (q,) corrected as the indices are; missing where no replicate has one."""
    q = apparent.size
    if method == "boot":
        return apparent - mean_known(training - test, q)
    if method == "632":
        return (1.0 - _LEFT_OUT) * apparent + _LEFT_OUT * mean_known(test, q)
    return mean_known(test, q)


def mean_known(values: Floats, k: int) -> Floats:
    """Mean (k,) over the replicates (B, k) that have a value."""
    if not len(values):
        return np.full(k, np.nan)
    have = np.isfinite(values)
    total = np.where(have, values, 0.0).sum(axis=0)
    count = have.sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(k, np.nan), where=count > 0))


def _error(values: Floats, k: int) -> Floats:
    """Monte Carlo standard error of that mean; missing with fewer than two replicates."""
    if not len(values):
        return np.full(k, np.nan)
    have = np.isfinite(values)
    count = have.sum(axis=0)
    centred = np.where(have, values - mean_known(values, k), 0.0)
    spread = np.divide(
        (centred**2).sum(axis=0), count - 1.0, out=np.full(k, np.nan), where=count > 1
    )
    return np.asarray(np.sqrt(spread / np.maximum(count, 1)))
