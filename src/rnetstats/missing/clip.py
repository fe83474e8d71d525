"""Pooled profile likelihoods (CLIP): limits that may be asymmetric, as few events ask for.

Each fit's signed root of the likelihood ratio is read as the normal score of a distribution of
the coefficient; the distributions of the imputations are averaged, and the limits are quantiles
of the average. What lies between the imputations widens it by itself.

References
----------
Heinze G, Ploner M, Beyea J (2013). Confidence intervals after multiple imputation: combining
profile likelihood information from logistic regressions. Stat Med 32:5062-5076.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from rnetstats._core.distributions import normal_quantile
from rnetstats.errors import OptionError
from rnetstats.kernels.newton import Evaluate, maximise
from rnetstats.regression.engine import Engine
from rnetstats.regression.model import RegressionResult

__all__ = ["clip_limits", "root_of_rising"]

_ROUNDS = 60
_CLOSE = 1e-9  # in standard errors
_LEAST = 1e-300  # the normal score of a probability of 0 would be infinite


def clip_limits(
    fits: Sequence[RegressionResult], table: pd.DataFrame, conf_level: float
) -> pd.DataFrame:
    """Return limits and P of all coefficients; see :meth:`PooledResult.profile_limits`."""
    engines = [fit._need("engine", "Pooling profiles") for fit in fits]
    if any(engine.wald for engine in engines):
        raise OptionError(
            "The fits have Wald limits (asked for, or on a sandwich variance): there is no profile "
            "likelihood to pool. Fit with ci='profile'."
        )
    error = table["std_error"].to_numpy(dtype=float)
    centre = table["coef"].to_numpy(dtype=float)
    p, z = len(error), normal_quantile(conf_level)
    column = np.tile(np.arange(p), 2)
    target = np.repeat([-z, z], p)
    profiles = [_Profile(engine, error) for engine in engines]

    def score(at: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Normal score of the averaged distribution, less the one wanted."""
        columns = column[rows]
        value = centre[columns] + at * error[columns]
        share = np.mean([profile.share_below(columns, value) for profile in profiles], axis=0)
        return np.asarray(ndtri(np.clip(share, _LEAST, 1.0 - 1e-16)) - target[rows])

    limit = centre[column] + root_of_rising(score, target.copy()) * error[column]
    below = np.mean([f.share_below(np.arange(p), np.zeros(p)) for f in profiles], axis=0)
    with np.errstate(over="ignore"):
        low, high = np.exp(limit[:p]), np.exp(limit[p:])
    kind = "profile penalized likelihood" if engines[0].penalised else "profile likelihood"
    return pd.DataFrame(
        {
            **{name: table[name] for name in ("term", "level", "measure", "estimate")},
            "conf_low": low,
            "conf_high": high,
            "p_value": np.minimum(2.0 * np.minimum(below, 1.0 - below), 1.0),
            "method": [
                f"CLIP, {kind}" if known else f"CLIP, {kind}; a limit was not found"
                for known in np.isfinite(low + high).tolist()
            ],
        }
    )


class _Profile:
    """The profile likelihood of one fit, coefficients measured in pooled standard errors."""

    def __init__(self, engine: Engine, error: np.ndarray) -> None:
        evaluate, outer = engine.evaluator(engine.X), error[:, None] * error
        self.error = error
        self.estimate = engine.reached / error
        self.value = engine.value
        covariance = engine.model_covariance / outer
        self.along = covariance / np.diag(covariance)  # column j: how all move with coefficient j

        def scaled(
            gamma: np.ndarray, index: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            likelihood, score, information = evaluate(gamma * error, index)
            return likelihood, score * error, information * outer

        self.evaluate: Evaluate = scaled

    def share_below(self, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return each coefficient's distribution function at a value, shape (len(columns),)."""
        rows, p = np.arange(len(columns)), len(self.error)
        shift = values / self.error[columns] - self.estimate[columns]
        start = self.estimate + shift[:, None] * self.along.T[columns]
        start[rows, columns] = values / self.error[columns]
        if p == 1:
            likelihood = self.evaluate(start, rows)[0]
        else:
            free = np.ones((len(columns), p), dtype=bool)
            free[rows, columns] = False
            likelihood = maximise(self.evaluate, start, free=free).log_likelihood
        fall = np.maximum(2.0 * (self.value - likelihood), 0.0)
        return np.asarray(ndtr(np.sign(shift) * np.sqrt(fall)))


def root_of_rising(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], start: np.ndarray
) -> np.ndarray:
    """Solve k rising equations at once by the Illinois method.

    Parameters
    ----------
    function : callable
        ``function(at (a,), rows (a,))`` gives the values of the equations named.
    start : array of shape (k,)

    Returns
    -------
    array of shape (k,)
        NaN where no root was found.
    """
    everyone = np.arange(len(start))
    low, high = start - 0.5, start + 0.5
    f_low, f_high = function(low, everyone), function(high, everyone)
    for _ in range(_ROUNDS):
        rows = np.flatnonzero((f_low > 0.0) | (f_high < 0.0))
        if not rows.size:
            break
        down = f_low[rows] > 0.0
        step = 2.0 * (high - low)[rows]
        at = np.where(down, low[rows] - step, high[rows] + step)
        value = function(at, rows)
        lower, upper = rows[down], rows[~down]
        high[lower], f_high[lower] = low[lower], f_low[lower]
        low[lower], f_low[lower] = at[down], value[down]
        low[upper], f_low[upper] = high[upper], f_high[upper]
        high[upper], f_high[upper] = at[~down], value[~down]
    root = np.full(len(start), np.nan)
    side = np.zeros(len(start))
    active = np.flatnonzero((f_low <= 0.0) & (f_high >= 0.0))
    for _ in range(_ROUNDS):
        if not active.size:
            break
        a, b, fa, fb = low[active], high[active], f_low[active], f_high[active]
        gap = fb - fa
        at = np.where(gap > 0.0, a - fa * (b - a) / np.where(gap > 0.0, gap, 1.0), 0.5 * (a + b))
        value = function(at, active)
        root[active] = at
        above = value > 0.0
        again = np.where(above, 1.0, -1.0) == side[active]
        f_low[active] = np.where(above, np.where(again, 0.5 * fa, fa), value)
        f_high[active] = np.where(above, value, np.where(again, 0.5 * fb, fb))
        low[active], high[active] = np.where(above, a, at), np.where(above, at, b)
        side[active] = np.where(above, 1.0, -1.0)
        active = active[(np.abs(value) > _CLOSE) & (high[active] - low[active] > _CLOSE)]
    root[active] = np.nan
    return root
