"""Logistic regression of many replicates at once, by maximum likelihood or Firth's penalty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import with_rows
from rnetstats.kernels.conditioning import Turned, conditioned
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic_blocks import LogisticFit, fit_blocks
from rnetstats.kernels.logistic_likelihood import LogisticDesign
from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = [
    "LogisticFit",
    "ReadyLogistic",
    "fit_logistic",
    "ready_logistic",
    "row_scores",
]


@dataclass(frozen=True, eq=False)
class ReadyLogistic:
    """A design and an outcome made ready once, for several fits.

    Attributes
    ----------
    turned : Turned or None
        The columns to fit in, where those as given nearly determine each other.
    design : LogisticDesign
        Of these columns.
    """

    turned: Turned | None
    design: LogisticDesign


def ready_logistic(X: FloatArray, y: FloatArray) -> ReadyLogistic:
    """Make a design (n, p) and an outcome (n,) ready for :func:`fit_logistic`."""
    turned = conditioned(X)
    return ReadyLogistic(turned, LogisticDesign(X if turned is None else turned.X, y))


def fit_logistic(
    X: ArrayLike,
    y: ArrayLike,
    *,
    freq: ArrayLike | None = None,
    case: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    firth: bool = False,
    prior: LogF | None = None,
    start: ArrayLike | None = None,
    free: ArrayLike | None = None,
    ready: ReadyLogistic | None = None,
) -> LogisticFit:
    """Fit B logistic regressions.

    Parameters
    ----------
    X : array of shape (n, p), shared by the replicates, or (B, n, p)
        The intercept is a column.
    y : array of shape (n,) or (B, n)
        0 or 1.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.
    case : array of shape (n,) or (B, n), optional
        Sampling weights.
    offset : array of shape (n,) or (B, n), optional
        Added to the linear predictor.
    firth : bool
        Firth's penalty; maximum likelihood otherwise.
    prior : LogF, optional
        Log-F priors, in place of Firth's penalty.
    start : array of shape (p,) or (B, p), optional
        By default zero, and for several replicates of one data set its own estimate.
    free : bool array of shape (p,) or (B, p), optional
        Columns to estimate; the others keep their start value. A penalty is that of all columns.
    ready : ReadyLogistic, optional
        From :func:`ready_logistic` of X and y, where several fits share them.

    Returns
    -------
    LogisticFit
        Replicates in the order given. A column that a replicate's rows do not determine is fixed
        at 0 there (status ``LOST_TERM``); separated data are ``DIVERGED`` under maximum
        likelihood.

    Raises
    ------
    ValueError
        If both Firth's penalty and a prior are asked for.

    Notes
    -----
    Columns that nearly determine each other (a year beside the intercept) are fitted in others
    that do not, see :mod:`rnetstats.kernels.conditioning`, and everything is turned back.

    References
    ----------
    Firth D (1993). Bias reduction of maximum likelihood estimates. Biometrika 80:27-38.
    Heinze G, Schemper M (2002). A solution to the problem of separation in logistic regression.
    Statistics in Medicine 21:2409-2419.
    """
    if firth and prior is not None:
        msg = "Firth's penalty and a prior are not combined"
        raise ValueError(msg)
    keep_freed_memory()
    design, outcome = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    weights = _total_weights(freq, case)
    shift = None if offset is None else np.asarray(offset, dtype=float)
    p = design.shape[-1]
    size = max(
        [design.shape[0] if design.ndim == 3 else 1]
        + [len(part) for part in (outcome, weights, shift) if part is not None and part.ndim == 2]
        + [len(part) for part in map(np.asarray, (start, free)) if part.ndim == 2]
    )
    chosen = np.broadcast_to(True if free is None else np.asarray(free, dtype=bool), (size, p))
    begin = None if start is None else np.broadcast_to(np.asarray(start, dtype=float), (size, p))
    data = {"weights": weights, "offset": shift, "firth": firth, "prior": prior}
    held = np.flatnonzero(~chosen.all(axis=0))
    if ready is None or held.size:
        turned = conditioned(design, held) if (chosen == chosen[0]).all() else None
        made = None
    else:
        turned, made = ready.turned, ready.design
    if turned is None:
        return fit_blocks(design, outcome, begin, chosen, data, made)
    fit = _fit_turned(turned, outcome, begin, chosen, data, made)
    mixed = turned.mixes(fit.lost, held)
    if mixed.any():  # where a lost column had its share in others: by centring alone
        turned = conditioned(design, held, project=False)
        if turned is None:
            other = fit_blocks(design, outcome, begin, chosen, data)
            other = replace(other, inverse=other.covariance)
        else:
            other = _fit_turned(turned, outcome, begin, chosen, data)
        fit = with_rows(fit, other, mixed)
    return fit


def _fit_turned(
    turned: Turned,
    y: FloatArray,
    start: FloatArray | None,
    free: BoolArray,
    data: dict[str, Any],
    design: LogisticDesign | None = None,
) -> LogisticFit:
    """Fit in other columns, and turn the results back."""
    begin = None if start is None else turned.inward(start)
    if begin is not None and not np.any(start, where=free):  # zero says nothing: of the new ones
        begin = np.where(free, 0.0, begin)
    if data["prior"] is not None:
        data = {**data, "prior": data["prior"].turned(turned.turn)}
    fit = fit_blocks(turned.X, y, begin, free, data, design)
    coef = turned.outward(fit.coef)
    if not free.all():
        coef = np.where(free, coef, 0.0 if start is None else start)
    return replace(
        fit,
        coef=np.where(fit.lost, 0.0, coef),
        information=turned.information(fit.information),
        inverse=turned.covariance(fit.covariance),
        bend=None,
    )


def row_scores(
    X: FloatArray, y: FloatArray, fitted: FloatArray, case: FloatArray | None = None
) -> FloatArray:
    """Each row's part of the score, x (y - p), times its sampling weight.

    Parameters
    ----------
    X : array of shape (n, p)
    y, fitted : arrays of shape (n,)
    case : array of shape (n,), optional

    Returns
    -------
    array of shape (n, p)
        Of one replicated row; see :func:`rnetstats.kernels.sandwich.sandwich`.
    """
    residual = y - fitted
    return X * (residual if case is None else case * residual)[:, None]


def _total_weights(freq: ArrayLike | None, case: ArrayLike | None) -> FloatArray | None:
    given = [np.asarray(part, dtype=float) for part in (freq, case) if part is not None]
    if not given:
        return None
    return given[0] if len(given) == 1 else given[0] * given[1]
