"""Tests of several coefficients at once after multiple imputation: D1, D2 and D3.

References
----------
Li KH, Raghunathan TE, Rubin DB (1991). Large-sample significance levels from multiply imputed
data using moment-based statistics and an F reference distribution. JASA 86:1065-1073.
Li KH, Meng XL, Raghunathan TE, Rubin DB (1991). Significance levels from repeated p-values with
multiply-imputed data. Statistica Sinica 1:65-92.
Meng XL, Rubin DB (1992). Performing likelihood ratio tests with multiply-imputed data sets.
Biometrika 79:103-111.
Reiter JP (2007). Small-sample degrees of freedom for multi-component significance tests with
multiple imputation for missing data. Biometrika 94:502-508.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.distributions import f_p
from rnetstats.missing.rubin import barnard_rubin

__all__ = ["JointTest", "d1", "d2", "d3", "large_sample_df", "reiter_df"]

Floats = NDArray[np.float64]


class JointTest(NamedTuple):
    """An F statistic, its degrees of freedom, P and the relative increase in variance."""

    statistic: float
    df1: int
    df2: float
    p_value: float
    riv: float


_UNDEFINED = float("nan")


def d1(Q: Floats, U: Floats, dfcom: float = np.inf, *, small_sample: bool = True) -> JointTest:
    """Wald test on the pooled coefficients, the increase in variance averaged over them.

    Parameters
    ----------
    Q : array of shape (m, k)
        Coefficients that are zero under the hypothesis.
    U : array of shape (m, k, k)
        Their covariance matrices.
    dfcom : float
        Degrees of freedom without missing values.
    small_sample : bool
        Reiter's denominator degrees of freedom; else those of Li, Raghunathan and Rubin.
    """
    m, k = Q.shape
    within, centre = U.mean(axis=0), Q.mean(axis=0)
    between = np.atleast_2d(np.cov(Q - Q[0], rowvar=False))
    if not _definite(within):
        return JointTest(_UNDEFINED, k, _UNDEFINED, _UNDEFINED, _UNDEFINED)
    riv = (1.0 + 1.0 / m) * float(np.trace(np.linalg.solve(within, between))) / k
    statistic = float(centre @ np.linalg.solve(within, centre)) / (k * (1.0 + riv))
    if small_sample and np.isfinite(dfcom):
        df2 = reiter_df(m, k, riv, dfcom)
    else:
        df2 = large_sample_df(m, k, riv)
    return _tested(statistic, k, df2, riv)


def d2(chi_squares: Floats, k: int) -> JointTest:
    """Combine the m chi-square statistics of one hypothesis on k coefficients.

    Only they are needed, so that any test can be pooled; much power is lost with few imputations.
    """
    m = len(chi_squares)
    riv = (1.0 + 1.0 / m) * float(np.sqrt(chi_squares).var(ddof=1))
    statistic = (float(chi_squares.mean()) / k - (m + 1.0) / (m - 1.0) * riv) / (1.0 + riv)
    df2 = k ** (-3.0 / m) * (m - 1.0) * (1.0 + 1.0 / riv) ** 2 if riv > 0.0 else np.inf
    return _tested(statistic, k, df2, riv)


def d3(own: Floats, pooled: Floats, k: int) -> JointTest:
    """Likelihood-ratio test.

    Parameters
    ----------
    own : array of shape (m,)
        Likelihood-ratio statistics, each at its own two maxima.
    pooled : array of shape (m,)
        The same at the coefficients averaged over the imputations.
    k : int
        Coefficients that are zero under the hypothesis.
    """
    m, at_pooled = len(own), float(pooled.mean())
    riv = (m + 1.0) / (k * (m - 1.0)) * (float(own.mean()) - at_pooled)
    if not 1.0 + riv > 0.0:
        return JointTest(_UNDEFINED, k, _UNDEFINED, _UNDEFINED, riv)
    return _tested(at_pooled / (k * (1.0 + riv)), k, large_sample_df(m, k, riv), riv)


def large_sample_df(m: int, k: int, riv: float) -> float:
    """Denominator degrees of freedom for a large sample; infinite if nothing is missing."""
    if riv == 0.0:
        return float("inf")
    t = k * (m - 1.0)
    if t > 4.0:
        return 4.0 + (t - 4.0) * (1.0 + (1.0 - 2.0 / t) / riv) ** 2
    return t * (1.0 + 1.0 / k) * (1.0 + 1.0 / riv) ** 2 / 2.0


def reiter_df(m: int, k: int, riv: float, dfcom: float) -> float:
    """Reiter's denominator degrees of freedom, never more than those of the complete data.

    They exist for k (m - 1) > 4. With fewer imputations Barnard and Rubin's stand in, with the
    increase in variance averaged over the coefficients; at 4 itself too, where Reiter's expansion
    divides by zero, and its limit of 4 would make a test of five imputations a tenth of its level.
    """
    t = k * (m - 1.0)
    if t <= 4.0:
        return float(barnard_rubin(m, np.array([riv / (1.0 + riv)]), dfcom)[0])
    a = riv * t / (t - 2.0)
    v = (dfcom + 1.0) / (dfcom + 3.0) * dfcom
    c0, c1, c2 = 1.0 / (t - 4.0), v - 2.0 * (1.0 + a), v - 4.0 * (1.0 + a)
    if c2 <= 0.0:  # too much is missing for this few patients: the expansion has no meaning
        return float(barnard_rubin(m, np.array([riv / (1.0 + riv)]), dfcom)[0])
    z = (
        1.0 / c2
        + c0 * a**2 * c1 / ((1.0 + a) ** 2 * c2)
        + c0 * (8.0 * a**2 * c1 / ((1.0 + a) * c2**2) + 4.0 * a**2 / ((1.0 + a) * c2))
        + c0 * (4.0 * a**2 / (c2 * c1) + 16.0 * a**2 * c1 / c2**3)
        + c0 * 8.0 * a**2 / c2**2
    )
    return 4.0 + 1.0 / z


def _tested(statistic: float, k: int, df2: float, riv: float) -> JointTest:
    """Add P; a statistic below zero, which D2 and D3 may give, says nothing against the null."""
    return JointTest(statistic, k, df2, f_p(max(statistic, 0.0), k, df2), riv)


def _definite(matrix: Floats) -> bool:
    return bool(np.isfinite(matrix).all()) and bool(np.linalg.eigvalsh(matrix)[0] > 0.0)
