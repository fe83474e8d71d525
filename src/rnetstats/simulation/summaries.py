"""Bias, coverage, infinite estimates, level and power of one method, with Monte Carlo errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

__all__ = ["SUMMARY_COLUMNS", "estimation_summary", "inconsistent", "test_summary"]

Array = NDArray[np.float64]

SUMMARY_COLUMNS = (
    "target",
    "replicates",
    "no_estimate",
    "infinite",
    "median_bias",
    "median_bias_mcse",
    "mean_bias",
    "mean_bias_mcse",
    "coverage",
    "coverage_mcse",
    "interval_above",
    "interval_below",
    "no_interval",
    "rejected",
    "rejected_mcse",
)
_THREE_ERRORS = 0.0026997960632601866
"""Two-sided tail of the normal law beyond three standard errors."""


def _share_error(share: float, n: int) -> float:
    return float(np.sqrt(share * (1.0 - share) / n))


def _median(values: Array) -> tuple[float, float]:
    """Return the median and its Monte Carlo error, from order statistics; infinities allowed."""
    ordered = np.sort(values)
    n = ordered.size
    spread = 0.5 * np.sqrt(n)
    ranks = np.clip([n / 2 - spread, n / 2 + spread], 0, n - 1).astype(int)
    low, high = ordered[ranks]
    median = (
        float(ordered[n // 2]) if n % 2 else float(0.5 * (ordered[n // 2 - 1 : n // 2 + 1]).sum())
    )
    return median, float(0.5 * (high - low)) if np.isfinite(high - low) else np.nan


def estimation_summary(answers: Array, target: float, *, tested: bool) -> dict[str, float]:
    """Summarise estimates and 95 % intervals of one method.

    Parameters
    ----------
    answers : (R, 3) array
        Estimate, and places of the interval of the truth and of 0 (:class:`Answer`); a missing
        place means no interval, which does not cover.
    target : float
        The true value on the estimate's scale.
    tested : bool
        Whether an interval without 0 counts as a rejection of no effect.

    Returns
    -------
    dict
        The entries of :data:`SUMMARY_COLUMNS`. The mean bias is missing where an estimate was
        infinite: there the estimator has no mean.
    """
    estimate, of_truth, of_zero = answers.T
    n = len(answers)
    known = ~np.isnan(estimate)
    infinite = float(np.isinf(estimate).mean())
    median, median_error = _median(estimate[known]) if known.any() else (np.nan, np.nan)
    finite = known.all() and infinite == 0.0
    coverage = float((of_truth == 0.0).mean())
    rejected = float((np.abs(of_zero) == 1.0).mean()) if tested else np.nan
    return {
        "target": target,
        "replicates": float(n),
        "no_estimate": float(1.0 - known.mean()),
        "infinite": infinite,
        "median_bias": median - target,
        "median_bias_mcse": median_error,
        "mean_bias": float(estimate.mean() - target) if finite else np.nan,
        "mean_bias_mcse": float(estimate.std(ddof=1) / np.sqrt(n)) if finite and n > 1 else np.nan,
        "coverage": coverage,
        "coverage_mcse": _share_error(coverage, n),
        "interval_above": float((of_truth > 0.0).mean()),
        "interval_below": float((of_truth < 0.0).mean()),
        "no_interval": float(np.isnan(of_truth).mean()),
        "rejected": rejected,
        "rejected_mcse": _share_error(rejected, n) if tested else np.nan,
    }


def test_summary(p_values: Array, target: float) -> dict[str, float]:
    """Summarise a test at the 5 % level by the share of rejections; without a P value, none."""
    rejected = float((p_values <= 0.05).mean())
    out = dict.fromkeys(SUMMARY_COLUMNS, np.nan)
    out.update(
        target=target,
        replicates=float(len(p_values)),
        no_estimate=float(np.isnan(p_values).mean()),
        rejected=rejected,
        rejected_mcse=_share_error(rejected, len(p_values)),
    )
    return out


def inconsistent(share: float, nominal: float, replicates: int, *, at_least: bool = False) -> bool:
    """Say whether a share lies more than three Monte Carlo errors from its nominal value.

    In few replicates the binomial law is skew; its exact tails of the same size (0.27 % in all)
    are used.

    Parameters
    ----------
    share, nominal : float
    replicates : int
    at_least : bool
        Only a share below its nominal value counts (exact methods may be conservative).
    """
    count = round(share * replicates)
    tail = 0.5 * _THREE_ERRORS
    low = bool(binom.cdf(count, replicates, nominal) < tail)
    high = bool(binom.sf(count - 1, replicates, nominal) < tail)
    return low or (high and not at_least)
