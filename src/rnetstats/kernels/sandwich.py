"""Robust covariance from the rows' scores, by row or by cluster.

References
----------
Huber PJ (1967). The behavior of maximum likelihood estimates under nonstandard conditions.
Proceedings of the Fifth Berkeley Symposium 1:221-233.
Liang KY, Zeger SL (1986). Longitudinal data analysis using generalized linear models.
Biometrika 73:13-22.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = ["sandwich"]


def sandwich(
    covariance: FloatArray,
    scores: FloatArray,
    *,
    freq: FloatArray | None = None,
    cluster: IntArray | None = None,
) -> FloatArray:
    """Return the HC0 covariance, without any small-sample factor.

    A design-based variance (independent sampling with weights) is n / (n - 1) times this one, the
    usual adjustment for G clusters G / (G - 1) times.

    Parameters
    ----------
    covariance : array of shape (p, p)
        The model's own: the inverse information.
    scores : array of shape (n, p)
        Of one replicated row each, sampling weights included.
    freq : array of shape (n,), optional
        How often each row stands in the data. Replicates of a row are independent unless they
        are in one cluster.
    cluster : int array of shape (n,), optional
        Codes from 0.

    Returns
    -------
    array of shape (p, p)
    """
    if cluster is None:
        rows = scores if freq is None else scores * np.sqrt(freq)[:, None]
    else:
        each = scores if freq is None else scores * freq[:, None]
        rows = np.zeros((int(cluster.max()) + 1, scores.shape[1]))
        np.add.at(rows, cluster, each)
    # a product of the rows' influences with themselves is symmetric and loses half the digits
    # that the middle of three matrices does where columns are nearly collinear, as a spline's
    influence = rows @ covariance
    return np.asarray(influence.T @ influence)
