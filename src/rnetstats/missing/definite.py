"""Small positive definite systems, by LAPACK directly: within a chain the checks cost the most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv, dpotrf, dtrtrs

from rnetstats.errors import ConvergenceError

__all__ = ["normal_noise", "solve_definite"]

Floats = NDArray[np.float64]


def solve_definite(matrix: Floats, right: Floats) -> Floats:
    """Solve a system with a positive definite matrix (p, p).

    Raises
    ------
    ConvergenceError
        If the matrix is not positive definite.
    """
    _, solution, fault = dposv(matrix, right)
    _check(fault)
    return np.asarray(solution, dtype=float)


def normal_noise(information: Floats, rng: np.random.Generator) -> Floats:
    """Draw from the normal law with mean 0 and the inverse of a matrix (p, p) as variance.

    Raises
    ------
    ConvergenceError
        If the matrix is not positive definite.
    """
    root, fault = dpotrf(information)
    _check(fault)
    noise, fault = dtrtrs(root, rng.standard_normal(len(root)))
    _check(fault)
    return np.asarray(noise, dtype=float)


def _check(fault: int) -> None:
    if fault:
        raise ConvergenceError(
            "An imputation model has no unique estimate; leave out columns that hold the same "
            "information (exclude=)."
        )
