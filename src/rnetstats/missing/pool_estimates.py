"""Pooling any numbers that come with their variances by Rubin's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.options import level
from rnetstats.errors import ConvergenceError, DataError, OptionError
from rnetstats.missing.pooled_estimates import PooledEstimates
from rnetstats.missing.rubin import pool_numbers

__all__ = ["pool_estimates"]

_LARGEST = 1e100


def pool_estimates(
    Q: Any,
    U: Any,
    dfcom: float = np.inf,
    *,
    names: Sequence[str] | None = None,
    conf_level: float = 0.95,
) -> PooledEstimates:
    """Pool m estimates, or vectors of k estimates, with their variances.

    Parameters
    ----------
    Q : array of shape (m,) or (m, k)
        An estimate from each imputation, on a scale on which it is nearly normal (the logit of a
        proportion, the logarithm of a ratio, log(-log S) of a survival probability).
    U : array of shape (m,), (m, k) or (m, k, k)
        Variances (squared standard errors), or covariance matrices.
    dfcom : float
        Degrees of freedom of the analysis if nothing were missing.
    names : sequence of k str, optional
    conf_level : float

    Returns
    -------
    PooledEstimates

    Raises
    ------
    DataError
        With a single estimate; if shapes differ, a variance is negative or missing.
    ConvergenceError
        If an estimate is infinite.
    OptionError
        If ``dfcom`` is not above 0, or there are not k names.

    References
    ----------
    Rubin DB (1987). Multiple Imputation for Nonresponse in Surveys. Wiley.
    Barnard J, Rubin DB (1999). Small-sample degrees of freedom with multiple imputation.
    Biometrika 86:948-955.

    Examples
    --------
    >>> import numpy as np
    >>> import rnetstats as rn
    >>> logits, variances = np.log([0.34 / 0.66, 0.35 / 0.65, 0.36 / 0.64]), [0.008, 0.008, 0.009]
    >>> found = rn.pool_estimates(logits, variances, dfcom=526)
    >>> found.to_frame()[["estimate", "std_error", "df", "conf_low", "conf_high"]].round(3)
       estimate  std_error      df  conf_low  conf_high
    0    -0.619      0.104  32.897    -0.832     -0.407
    """
    conf_level = level(conf_level)
    complete = _positive(dfcom)
    estimates, variances, covariances = _checked(Q, U)
    m, k = estimates.shape
    if not isinstance(names, Iterable | None):
        raise OptionError(f"names must be {k} different names, not {names!r}.")
    shown = [str(j + 1) for j in range(k)] if names is None else [str(name) for name in names]
    if len(shown) != k or len(set(shown)) != k:
        raise OptionError(f"names must be {k} different names, one an estimate; not {names!r}.")
    pooled = pool_numbers(estimates, variances, complete)
    low, high = pooled.limits(conf_level)
    table = pd.DataFrame(
        {
            "name": shown,
            "estimate": pooled.estimate,
            "std_error": pooled.std_error,
            "conf_low": low,
            "conf_high": high,
            "statistic": pooled.statistic,
            "p_value": pooled.p_value,
            "df": pooled.df,
            "within": pooled.within,
            "between": pooled.between,
            "total": pooled.total,
            "riv": pooled.riv,
            "lambda": pooled.share,
            "fmi": pooled.fmi,
            "method": "Rubin's rules, Barnard-Rubin df",
        }
    )
    notes: tuple[str, ...] = ()
    if not (pooled.total > 0.0).all():
        notes = ("An estimate has no variance, within or between: it has no test.",)
    alone = np.flatnonzero(pooled.df <= 0.0)
    if alone.size:
        notes += (
            f"{', '.join(shown[j] for j in alone)}: all variance lies between the imputations, "
            "which leaves no degrees of freedom: there are no limits and no test.",
        )
    return PooledEstimates(
        table=table,
        estimates=estimates,
        covariances=covariances,
        dfcom=complete,
        notes=notes,
        options={"conf_level": conf_level, "dfcom": complete, "imputations": m},
    )


def _positive(dfcom: Any) -> float:
    try:
        value = float(dfcom)
    except (TypeError, ValueError):
        value = float("nan")
    if isinstance(dfcom, bool) or not value > 0.0:
        raise OptionError(f"dfcom must be a number above 0, or infinite, not {dfcom!r}.")
    return value


def _checked(Q: Any, U: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return estimates (m, k), variances (m, k) and covariances (m, k, k) if given."""
    try:
        estimates, given = np.array(Q, dtype=float), np.array(U, dtype=float)
    except (TypeError, ValueError):
        raise DataError("Q and U must be numbers, the same count in each imputation.") from None
    if estimates.ndim not in (1, 2) or estimates.size == 0:
        raise DataError(f"Q must have shape (m,) or (m, k), not {estimates.shape}.")
    if len(estimates) < 2:
        raise DataError(
            "There is one imputation: the variance between imputations needs at least two."
        )
    single = estimates.ndim == 1
    estimates = estimates.reshape(len(estimates), -1)
    m, k = estimates.shape
    covariances = None
    if given.shape == (m, k, k):
        covariances, given = given, np.diagonal(given, axis1=1, axis2=2)
    elif given.shape == (m,) and single:
        given = given[:, None]
        covariances = given[:, :, None]
    elif given.shape != (m, k):
        raise DataError(
            f"U has shape {given.shape}; with {m} imputations of {k} estimates it must be "
            f"({m}, {k}) or ({m}, {k}, {k})."
        )
    if not np.isfinite(estimates).all():
        raise ConvergenceError(
            f"An estimate is infinite or missing in {_imputations(~np.isfinite(estimates))}: "
            "Rubin's rules need finite ones."
        )
    largest = max(float(np.abs(estimates).max()), float(np.sqrt(np.abs(given)).max()))
    if largest > _LARGEST and np.isfinite(given).all():
        raise DataError(
            f"Q or the root of U is as large as {largest:.0e}, whose square a computer cannot "
            "hold; give them in another unit."
        )
    usable = np.isfinite(given) & (given >= 0.0)
    if not usable.all():
        raise DataError(f"A variance is negative, infinite or missing in {_imputations(~usable)}.")
    return estimates, np.array(given), covariances


def _imputations(flagged: np.ndarray) -> str:
    """Name the first few imputations in which anything is flagged."""
    places = (np.flatnonzero(flagged.any(axis=1)) + 1).tolist()
    return "imputation " + ", ".join(map(str, places[:5])) + (", ..." if len(places) > 5 else "")
