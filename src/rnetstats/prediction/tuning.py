"""How much to shrink: the factor or penalty by each method, in many replicates of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.formula.variables import Floats
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.ridge import best, ridge_deviance, ridge_logistic
from rnetstats.kernels.shrinkage import heuristic_shrinkage, shrunken

__all__ = ["METHODS", "Tuned", "tune"]

METHODS = ("heuristic", "bootstrap", "ridge-aic", "ridge-cv")


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """Shrunken fits of B replicates.

    Attributes
    ----------
    coef : array of shape (B, p)
        NaN where there is no estimate.
    amount : array of shape (B,)
        The factor, or the penalty.
    df : array of shape (B,)
        Effective degrees of freedom; for a factor, its product with those of the fit.
    at_edge : bool array of shape (B,)
        The penalty is the largest one tried.
    """

    coef: Floats
    amount: Floats
    df: Floats
    at_edge: np.ndarray


def tune(
    method: str,
    X: Floats,
    y: Floats,
    *,
    freq: Floats | None = None,
    offset: Floats | None = None,
    firth: bool = True,
    prior: LogF | None = None,
    penalties: Floats,
    folds: Sequence[NDArray[Any]] | None = None,
    factor: float = 1.0,
) -> Tuned:
    """Shrink in B replicates given by their counts.

    Parameters
    ----------
    method : {"heuristic", "bootstrap", "ridge-aic", "ridge-cv"}
        ``"bootstrap"`` uses the factor given.
    X : array of shape (n, p)
    y : array of shape (n,)
    freq : array of shape (n,) or (B, n), optional
    offset : array of shape (n,), optional
    firth : bool
        Whether the coefficients that a factor multiplies are Firth's.
    prior : LogF, optional
        Or those under log-F priors.
    penalties : array of shape (K,)
    folds : sequence of arrays, optional
        For cross-validation, one a repeat, see :func:`rnetstats.kernels.ridge.held_out`; the
        deviance is summed over the repeats.
    factor : float
    """
    shared: dict[str, Any] = {"freq": freq, "offset": offset}
    if method.startswith("ridge"):
        fit = ridge_logistic(X, y, penalties, **shared)
        if method == "ridge-aic":
            place = fit.by_aic()
        else:
            assert folds is not None
            place = best(
                np.sum([ridge_deviance(X, y, f, penalties, **shared) for f in folds], axis=0)
            )
        rows = np.arange(len(fit.coef))
        edge = penalties[place] == penalties.max()
        return Tuned(fit.at(place), penalties[place], fit.df[rows, place], edge)
    plain = fit_logistic(X, y, **shared)
    whole = plain
    if firth or prior is not None:
        whole = fit_logistic(X, y, firth=firth, prior=prior, **shared)
    df = (~plain.lost).sum(axis=1) - 1.0
    amount = np.full(len(whole.coef), factor)
    if method == "heuristic":
        known = np.isin(plain.status, (OK, LOST_TERM))
        null = _null(y, freq, offset, len(plain.coef))
        amount = heuristic_shrinkage(plain.log_likelihood, null, df)
        amount = np.where(known, amount, np.nan)
    usable = np.isin(whole.status, (OK, LOST_TERM)) & np.isfinite(amount)
    coef = np.where(usable[:, None], whole.coef, np.nan)
    coef = shrunken(X, y, coef, np.nan_to_num(amount), freq=freq, offset=offset)
    coef[~np.isfinite(coef).all(axis=1)] = np.nan
    return Tuned(coef, amount, df * amount, np.zeros(len(coef), dtype=bool))


def _null(y: Floats, freq: Floats | None, offset: Floats | None, size: int) -> Floats:
    """Maximised log-likelihood of the intercept alone in each replicate (B,)."""
    fit = fit_logistic(np.ones((len(y), 1)), y, freq=freq, offset=offset)
    return np.broadcast_to(fit.log_likelihood, (size,))
