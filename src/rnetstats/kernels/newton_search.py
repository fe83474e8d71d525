"""What a search for higher maxima adds to Newton's ascent: it ends where it leads nowhere new.

Most ascents from far away lead to the maximum that is known already, and more than half of their
steps are made next to it. Others begin where the information is next to nothing, so that a step
would go farther than any estimate is looked for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEW_HALVINGS", "JOINED", "Known", "shortened"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

JOINED = 4
"""Status of an ascent that came near a maximum that is known."""

FEW_HALVINGS = 8
"""Of a step, after which an ascent is given up."""

_REACH = 100.0  # standard errors
_NEAR = 0.01  # square of a tenth of a standard error


class Known(NamedTuple):
    """Maxima that need not be found again.

    Attributes
    ----------
    points : array of shape (k, p)
        In standard errors.
    information : array of shape (k, p, p)
        There.
    which : int array of shape (B,)
        The maximum of each replicate.
    """

    points: FloatArray
    information: FloatArray
    which: IntArray

    def joined(self, index: IntArray, beta: FloatArray, information: FloatArray) -> BoolArray:
        """Which of some replicates are so near that their ascents would end there, (A,).

        By the information at both ends: where a likelihood is flat everything seems near.

        Parameters
        ----------
        index : int array of shape (A,)
        beta : array of shape (A, p)
        information : array of shape (A, p, p)
        """
        own = self.which[index]
        away = beta - self.points[own]
        near = np.ones(len(own), dtype=bool)
        for matrices in (information, self.information[own]):
            near &= np.einsum("ai,aij,aj->a", away, matrices, away) < _NEAR
        return near


def shortened(step: FloatArray) -> FloatArray:
    """Halve steps (A, p) until none is longer than a search has use for."""
    length = np.abs(step).max(axis=1, initial=_REACH, keepdims=True)
    return np.asarray(step * 0.5 ** np.ceil(np.log2(length / _REACH)))
