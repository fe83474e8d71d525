"""A proof that maximum likelihood has finite estimates, from any point near them.

Let a direction have length 1 in the metric of the information at some point of a logistic
log-likelihood: the slope along it is at most the Newton decrement there, the curvature is 1, and
it falls at most by a factor exp(-r) for each unit of the way, where r is the largest length of a
row in the inverse information. The slope turns downward within a finite way then, whatever the
direction, if the decrement times r is below 1: there is no direction of recession.

References
----------
Bach F (2010). Self-concordant analysis for logistic regression. Electronic Journal of Statistics
4:384-414.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.newton import FloatArray

__all__ = ["surely_overlaps"]

_BELOW = 0.9  # in the place of 1, for rounding


def surely_overlaps(
    X: FloatArray, score: FloatArray, covariance: FloatArray, weights: FloatArray | None = None
) -> bool:
    """Whether the outcomes certainly overlap: maximum likelihood has finite estimates.

    Parameters
    ----------
    X : array of shape (n, p)
    score : array of shape (p,)
        Of the log-likelihood without a penalty, at any point.
    covariance : array of shape (p, p)
        Inverse information there, that of the same rows and weights.
    weights : array of shape (n,), optional
        A row of weight 0 is not there.

    Returns
    -------
    bool
        False says nothing.
    """
    decrement = float(score @ covariance @ score)
    length = np.vecdot(X @ covariance, X)
    if weights is not None:
        length = length[weights > 0]
    return decrement * float(length.max()) < _BELOW**2
