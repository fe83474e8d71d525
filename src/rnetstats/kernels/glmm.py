"""Mixed models of counts in few studies, by maximum likelihood with accurate integrals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.glmm_integral import EXACT_POINTS, integrate
from rnetstats.kernels.glmm_rows import CountRows
from rnetstats.kernels.newton import OK, Evaluate, NewtonFit, maximise

__all__ = ["MixedFit", "MixedModel", "fit_mixed"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_STARTS = (0.3, 1.0, 2.5)
_GAIN = 1e-8  # of log-likelihood: less than that is no variance at all


@dataclass(frozen=True, eq=False)
class MixedModel:
    """Counts of k studies with J rows each: eta = offset + X beta + sum_r scale_r Z_r z_r.

    Attributes
    ----------
    rows : CountRows
    offset : (k, J)
    X : (k, J, p)
    Z : (k, J, q)
        Columns of the random effects, independent and standard normal.
    points : int
        Quadrature points in each dimension.
    """

    rows: CountRows
    offset: Floats
    X: Floats
    Z: Floats
    points: int = 41

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of fixed effects and of scales."""
        return self.X.shape[2], self.Z.shape[2]

    @property
    def evaluate(self) -> Evaluate:
        """Log-likelihood, score and observed information of (beta, scales), for the ascent."""
        k, J, p = self.X.shape
        q = self.Z.shape[2]
        A = np.zeros((k, J + q, p + q))
        A[:, :J, :p] = self.X
        A[:, J:, p:] = np.eye(q)
        flat = A.reshape(-1, p + q)

        def at(parameters: Floats, _: Ints) -> tuple[Floats, Floats, Floats]:
            size = len(parameters)
            value, score = np.empty(size), np.empty((size, p + q))
            information = np.empty((size, p + q, p + q))
            for i, row in enumerate(parameters):
                eta = self.offset + self.X @ row[:p]
                local = integrate(self.rows, eta, self.Z, row[p:], self.points)
                value[i] = local.value.sum()
                score[i] = local.score.ravel() @ flat
                information[i] = -flat.T @ (local.hessian @ A).reshape(flat.shape)
            return value, score, information

        return at


@dataclass(frozen=True, eq=False)
class MixedFit:
    """A mixed model at its maximum.

    Attributes
    ----------
    coef : (p,)
    cov : (p, p)
        Of the coefficients; from the observed information of all parameters, those scales left
        out that are 0.
    scale : (q,)
        Standard deviations of the random effects.
    log_likelihood, null_log_likelihood : float
        With and without the last random effect.
    null_coef, null_cov : (p,), (p, p)
        Without the last random effect.
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


def fit_mixed(model: MixedModel, start: Floats | None = None) -> MixedFit:
    """Maximise the likelihood, from several sizes of the last random effect.

    Parameters
    ----------
    model : MixedModel
    start : (p,), optional
        Of the coefficients.

    Returns
    -------
    MixedFit
        Not converged where a coefficient is infinite.
    """
    p, q = model.sizes
    begin = np.zeros((1, p + q))
    begin[0, :p] = 0.0 if start is None else start
    begin[0, p:-1] = 1.0
    if model.points < EXACT_POINTS:  # derivatives are dear: begin where the exact maximum is
        exact = fit_mixed(replace(model, points=EXACT_POINTS), start)
        begin[0] = np.append(exact.null_coef, np.maximum(exact.scale, 0.1))
        scales: tuple[float, ...] = (begin[0, -1],)
    else:
        scales = _STARTS
    free = np.ones((1, p + q), dtype=bool)
    free[0, -1] = False
    null = maximise(model.evaluate, np.where(free, begin, 0.0), free=free, retry=False)
    best = null
    for scale in scales if null.status[0] == OK else ():
        begin = null.coef.copy()
        begin[0, -1] = scale
        fit = maximise(model.evaluate, begin, retry=False)
        if fit.status[0] == OK and fit.log_likelihood[0] > best.log_likelihood[0] + _GAIN:
            best = fit
    constant = model.rows.constant
    return MixedFit(
        coef=best.coef[0, :p],
        cov=_covariance(best, p),
        scale=np.abs(best.coef[0, p:]),
        log_likelihood=float(best.log_likelihood[0]) + constant,
        null_log_likelihood=float(null.log_likelihood[0]) + constant,
        null_coef=null.coef[0, :p],
        null_cov=_covariance(null, p),
        converged=bool(best.status[0] == OK),
    )


def _covariance(fit: NewtonFit, p: int) -> Floats:
    """Covariance of the coefficients; a scale of 0 is an end of its range and stays there."""
    kept = np.append(np.ones(p, dtype=bool), np.abs(fit.coef[0, p:]) > 1e-6)
    if fit.status[0] != OK:
        return np.full((p, p), np.nan)
    return np.asarray(np.linalg.inv(fit.information[0][np.ix_(kept, kept)])[:p, :p])
