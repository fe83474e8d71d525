"""Rubin's rules for one number at a time: variances, degrees of freedom, missing information.

References
----------
Rubin DB (1987). Multiple Imputation for Nonresponse in Surveys. Wiley.
Barnard J, Rubin DB (1999). Small-sample degrees of freedom with multiple imputation.
Biometrika 86:948-955.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

__all__ = ["Pooled", "barnard_rubin", "pool_numbers"]

Floats = NDArray[np.float64]

_LEAST_LAMBDA = 1e-4  # keeps the degrees of freedom finite where the imputations hardly differ


@dataclass(frozen=True, eq=False)
class Pooled:
    """Pooled estimates of k numbers; every field has shape (k,).

    Attributes
    ----------
    estimate
        Mean over the imputations.
    within, between, total
        Mean variance, variance of the estimates, and ``within + (1 + 1/m) between``.
    df
        Barnard and Rubin's degrees of freedom.
    riv
        Relative increase in variance due to what is missing.
    share
        Share of the total variance that is due to it (lambda).
    fmi
        Fraction of missing information: the same, allowing for the finite number of imputations.
    """

    estimate: Floats
    within: Floats
    between: Floats
    total: Floats
    df: Floats
    riv: Floats
    share: Floats
    fmi: Floats

    @property
    def std_error(self) -> Floats:
        """Root of the total variance."""
        return np.sqrt(self.total)

    @property
    def statistic(self) -> Floats:
        """Estimate over its standard error; missing where that is zero."""
        error = self.std_error
        return np.divide(self.estimate, error, out=np.full_like(error, np.nan), where=error > 0.0)

    @property
    def p_value(self) -> Floats:
        """Two-sided, by the t distribution."""
        return np.asarray(2.0 * stdtr(self.df, -np.abs(self.statistic)))

    def limits(self, conf_level: float) -> tuple[Floats, Floats]:
        """Confidence limits by the t distribution."""
        reach = -stdtrit(self.df, (1.0 - conf_level) / 2.0) * self.std_error
        return self.estimate - reach, self.estimate + reach


def pool_numbers(Q: ArrayLike, U: ArrayLike, dfcom: ArrayLike = np.inf) -> Pooled:
    """Pool k estimates of m imputations.

    Parameters
    ----------
    Q, U : arrays of shape (m, k)
        Estimates and their variances, m at least 2.
    dfcom : float or array of shape (k,)
        Degrees of freedom that the analysis would have if nothing were missing.
    """
    estimates, variances = np.asarray(Q, dtype=float), np.asarray(U, dtype=float)
    m = len(estimates)
    within = variances.mean(axis=0)
    apart = estimates - estimates[0]  # equal estimates have a variance of 0 to the last digit
    between = apart.var(axis=0, ddof=1)
    extra = (1.0 + 1.0 / m) * between
    total = within + extra
    none = np.zeros_like(total)
    share = np.divide(extra, total, out=none.copy(), where=total > 0.0)
    with np.errstate(divide="ignore"):
        riv = np.divide(extra, within, out=np.where(extra > 0.0, np.inf, 0.0), where=within > 0.0)
    df = barnard_rubin(m, share, dfcom)
    return Pooled(
        estimate=estimates[0] + apart.mean(axis=0),
        within=within,
        between=between,
        total=total,
        df=df,
        riv=riv,
        share=share,
        # (riv + 2 / (df + 3)) / (1 + riv), in a form that holds for an infinite riv
        fmi=share + (1.0 - share) * 2.0 / (df + 3.0),
    )


def barnard_rubin(m: int, share: ArrayLike, dfcom: ArrayLike = np.inf) -> Floats:
    """Return Barnard and Rubin's degrees of freedom.

    Parameters
    ----------
    m : int
        Number of imputations.
    share : array of shape (k,)
        Lambda; taken as at least 1e-4.
    dfcom : float or array of shape (k,)
    """
    held = np.maximum(np.asarray(share, dtype=float), _LEAST_LAMBDA)
    complete = np.broadcast_to(np.asarray(dfcom, dtype=float), held.shape)
    old = (m - 1.0) / held**2
    finite = np.isfinite(complete)
    known = np.where(finite, complete, 1.0)
    observed = (known + 1.0) / (known + 3.0) * known * (1.0 - held)
    return np.asarray(np.where(finite, old * observed / (old + observed), old))
