"""Mixed models of counts in few studies, by maximum likelihood with accurate integrals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.glmm_integral import EXACT_POINTS, integrate
from rnetstats.kernels.glmm_rows import CountRows
from rnetstats.kernels.newton import Evaluate
from rnetstats.kernels.scaled import ScaledFit, fit_scaled

__all__ = ["WIDEST", "MixedModel", "fit_mixed"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

WIDEST = 15.0
"""Standard deviation of random effects beyond which a likelihood is said to have no maximum."""

_STARTS = (0.3, 1.0, 2.5)


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
    points : int, optional
        Of Gauss-Hermite quadrature in each dimension; exact integrals by default.
    rough : bool
        Integrals of some five digits, for a first approach.
    """

    rows: CountRows
    offset: Floats
    X: Floats
    Z: Floats
    points: int | None = None
    rough: bool = False

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of fixed effects and of scales."""
        return self.X.shape[2], self.Z.shape[2]

    @property
    def constant(self) -> float:
        """What ``evaluate`` leaves out of the log-likelihood."""
        return self.rows.constant

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
                if np.abs(row[p:]).max() > WIDEST:
                    value[i], score[i], information[i] = -np.inf, 0.0, np.eye(p + q)
                    continue
                eta = self.offset + self.X @ row[:p]
                local = integrate(self.rows, eta, self.Z, row[p:], self.points, rough=self.rough)
                value[i] = local.value.sum()
                score[i] = local.score.ravel() @ flat
                information[i] = -flat.T @ (local.hessian @ A).reshape(flat.shape)
            return value, score, information

        return at


def fit_mixed(model: MixedModel, start: Floats | None = None) -> ScaledFit:
    """Maximise the likelihood, from several sizes of the last random effect.

    Parameters
    ----------
    model : MixedModel
    start : (p,), optional
        Of the coefficients.

    Returns
    -------
    ScaledFit
    """
    p, q = model.sizes
    begin = np.ones(p + q)
    begin[:p] = 0.0 if start is None else start
    if model.points is None and q > 1:  # integrals in two dimensions are dear
        return fit_scaled(model, begin, _STARTS, approach=replace(model, rough=True))
    if model.points is None or model.points >= EXACT_POINTS:
        return fit_scaled(model, begin, _STARTS)
    # Derivatives of few points are dear: begin where the exact maximum is.
    exact = fit_mixed(replace(model, points=None), start)
    begin = np.append(exact.null_coef, np.maximum(exact.scale, 0.1))
    return fit_scaled(model, begin, (float(begin[-1]),))
