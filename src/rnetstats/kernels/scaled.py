"""Likelihoods with a scale that may be 0: the size of random effects, or of overdispersion.

The scale enters by its square, so that the likelihood goes on evenly below 0 and its slope at 0
is 0. A maximum at 0 is then one like others, but an ascent begun at 0 would stay there: fits and
profiles begin at several sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.newton import FAILED, OK, BoolArray, Evaluate, NewtonFit, maximise

__all__ = ["ScaledFit", "ScaledModel", "arrived", "fit_scaled", "off_zero"]

Floats: TypeAlias = NDArray[np.float64]

_GAIN = 1e-8  # of log-likelihood: less than that is no variance at all
_AT_ZERO = 1e-6
_APPROACH = 40  # steps of a first approach
_BRINK = 1e-3  # of log-likelihood left to gain there
_SAME = 1e-3  # parameters no further apart are one approached maximum
_SMALL = 0.3
_NEAR = 1e-10  # of log-likelihood; rounding of large counts may hide what is less


class ScaledModel(Protocol):
    """A likelihood of p coefficients and then q scales, the last of which is of interest."""

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of coefficients and of scales."""

    @property
    def evaluate(self) -> Evaluate:
        """Log-likelihood up to ``constant``, score and observed information."""

    @property
    def constant(self) -> float:
        """What ``evaluate`` leaves out."""


@dataclass(frozen=True, eq=False)
class ScaledFit:
    """A model at its maximum.

    Attributes
    ----------
    coef : (p,)
    cov : (p, p)
        Of the coefficients; from the observed information of all parameters, those scales left
        out that are 0. Missing if it did not converge.
    scale : (q,)
        Not below 0.
    log_likelihood, null_log_likelihood : float
        With the last scale as estimated, and 0.
    null_coef, null_cov : (p,), (p, p)
        With the last scale 0.
    converged : bool
    """

    coef: Floats
    cov: Floats
    scale: Floats
    log_likelihood: float
    null_log_likelihood: float
    null_coef: Floats
    null_cov: Floats
    converged: bool


def fit_scaled(
    model: ScaledModel,
    start: Floats,
    scales: tuple[float, ...],
    *,
    approach: ScaledModel | None = None,
) -> ScaledFit:
    """Maximise the likelihood, from several sizes of the last scale.

    Parameters
    ----------
    model : ScaledModel
    start : (p + q,)
        Of coefficients and scales; the last one is not looked at.
    scales : tuple of float
        Where the last scale starts.
    approach : ScaledModel, optional
        The same likelihood, less accurate and quicker: ascents begin where its own ended, once
        for each of its maxima.

    Returns
    -------
    ScaledFit
        Not converged where a coefficient or the scale is infinite: the likelihood rises without
        end.
    """
    p, _ = model.sizes
    begin = start[None].copy()
    begin[0, -1] = 0.0
    free = np.ones(begin.shape, dtype=bool)
    free[0, -1] = False
    null = maximise(model.evaluate, begin, free=free, retry=False)
    best, settled = null, arrived(null, free)
    for begin in _begins(null.coef, p, scales, approach) if settled else ():
        fit = maximise(model.evaluate, begin, retry=False)
        if fit.log_likelihood[0] > best.log_likelihood[0] + _GAIN:
            best, settled = fit, arrived(fit)
    return ScaledFit(
        coef=best.coef[0, :p],
        cov=_covariance(best, p),
        scale=np.abs(best.coef[0, p:]),
        log_likelihood=float(best.log_likelihood[0]) + model.constant,
        null_log_likelihood=float(null.log_likelihood[0]) + model.constant,
        null_coef=null.coef[0, :p],
        null_cov=_covariance(null, p),
        converged=settled,
    )


def _begins(
    null: Floats, p: int, scales: tuple[float, ...], approach: ScaledModel | None
) -> list[Floats]:
    """Where ascents begin: one for each size of the last scale, or for each approached maximum."""
    begins: list[Floats] = []
    for scale in scales:
        begin = off_zero(null, p)
        begin[0, -1] = scale
        if approach is not None:
            near = maximise(approach.evaluate, begin, max_iter=_APPROACH, retry=False)
            if _close(near):
                begin = near.coef.copy()
                begin[0, p:] = np.abs(begin[0, p:])
        if all(np.abs(begin - other).max() > _SAME for other in begins):
            begins.append(begin)
    return begins


def _close(fit: NewtonFit) -> bool:
    """Whether one ascent came near a maximum; a saddle, or a tail without end, is none."""
    score, information = fit.score[0], fit.information[0]
    if not (np.isfinite(score).all() and np.isfinite(information).all()):
        return False
    if np.linalg.eigvalsh(information)[0] <= 0.0:
        return False
    return bool(score @ np.linalg.solve(information, score) < _BRINK)


def off_zero(parameters: Floats, p: int) -> Floats:
    """Return parameters with the scales but the last not at 0, where an ascent would stay."""
    moved = parameters.copy()
    others = moved[:, p:-1]
    moved[:, p:-1] = np.where(np.abs(others) < _SMALL, _SMALL, others)
    return moved


def arrived(fit: NewtonFit, free: BoolArray | None = None) -> bool:
    """Say whether one ascent is at its maximum, as near as rounding lets it come.

    Parameters
    ----------
    fit : NewtonFit
        Of one replicate.
    free : bool array of shape (1, p), optional
    """
    if fit.status[0] != FAILED:
        return bool(fit.status[0] == OK)
    kept = np.ones(fit.coef.shape[1], dtype=bool) if free is None else free[0]
    score, information = fit.score[0][kept], fit.information[0][np.ix_(kept, kept)]
    if not (np.isfinite(score).all() and np.isfinite(information).all()):
        return False
    if np.linalg.eigvalsh(information)[0] <= 0.0:
        return False
    return bool(score @ np.linalg.solve(information, score) < _NEAR)


def _covariance(fit: NewtonFit, p: int) -> Floats:
    """Covariance of the coefficients; a scale of 0 is an end of its range and stays there."""
    kept = np.append(np.ones(p, dtype=bool), np.abs(fit.coef[0, p:]) > _AT_ZERO)
    if not arrived(fit, kept[None]):
        return np.full((p, p), np.nan)
    return np.asarray(np.linalg.inv(fit.information[0][np.ix_(kept, kept)])[:p, :p])
