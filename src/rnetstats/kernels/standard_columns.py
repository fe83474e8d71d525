"""Columns of a design brought to mean 0 and standard deviation 1, and the way back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnetstats.kernels.newton import FloatArray

__all__ = ["StandardColumns", "standard_columns"]


class StandardColumns(NamedTuple):
    """A design with its columns standardised, beside the intercept.

    Attributes
    ----------
    Z : array of shape (n, p)
    middle, size : arrays of shape (p - 1,)
        Mean and standard deviation of each column as given; of a constant one the size is 1.
    """

    Z: FloatArray
    middle: FloatArray
    size: FloatArray

    def back(self, more: int) -> FloatArray:
        """Matrix (p + more, p + more) from coefficients of Z, and further ones, to the caller's."""
        p = self.Z.shape[1]
        matrix = np.eye(p + more)
        matrix[1:p, 1:p] = np.diag(1.0 / self.size)
        matrix[0, 1:p] = -self.middle / self.size
        return matrix


def standard_columns(X: FloatArray) -> StandardColumns:
    """Standardise the columns of a design (n, p) whose first one is the intercept.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 30.0], [1.0, 50.0]])
    >>> made = standard_columns(X)
    >>> made.Z
    array([[ 1., -1.],
           [ 1.,  1.]])
    >>> X @ made.back(0) @ np.array([5.0, 2.0])
    array([3., 7.])
    """
    columns = X[:, 1:]
    middle, spread = columns.mean(axis=0), columns.std(axis=0)
    size = np.where(spread > 0.0, spread, 1.0)
    return StandardColumns(
        np.column_stack([np.ones(len(X)), (columns - middle) / size]), middle, size
    )
