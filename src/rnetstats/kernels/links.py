"""Link functions of predicted risks, and the constant column, as several judges need them."""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.newton import FloatArray

__all__ = ["cloglog", "logit", "with_intercept"]

_TINY = 1e-12  # risks closer to 0 or 1 than this have the predictor of this one


def logit(risk: FloatArray) -> FloatArray:
    """Log odds of risks (any shape), finite at 0 and 1."""
    inside = np.clip(risk, _TINY, 1.0 - _TINY)
    return np.asarray(np.log(inside / (1.0 - inside)))


def cloglog(risk: FloatArray) -> FloatArray:
    """Logarithm of the cumulative hazard, log(-log(1 - risk)), finite at 0 and 1."""
    return np.asarray(np.log(-np.log1p(-np.clip(risk, _TINY, 1.0 - _TINY))))


def with_intercept(columns: FloatArray) -> FloatArray:
    """Put a column of 1 before columns (..., p), as (..., p + 1)."""
    return np.concatenate([np.ones((*columns.shape[:-1], 1)), columns], axis=-1)
