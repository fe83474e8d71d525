"""Cones of directions, and how far they reach: linear programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its parts are loaded when first used: linear programs hardly ever
from numpy.typing import NDArray

from rnetstats.errors import ConvergenceError

__all__ = ["Bound", "Cone"]

Floats = NDArray[np.float64]
Bound = tuple[float | None, float | None]

_MANY = 4000  # rows, from which on a program begins with some of them
_SOME = 500
_WITHIN = 1e-10  # of 0: what holds
_OPTIONS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


@dataclass(frozen=True)
class Cone:
    """The cone rows @ z <= 0, equal @ z = 0.

    Attributes
    ----------
    rows : sparse array of shape (m, size)
    equal : sparse array of shape (k, size), or None
    """

    rows: scipy.sparse.csr_array
    equal: scipy.sparse.csr_array | None

    def furthest(self, objective: Floats, bounds: list[Bound]) -> Floats:
        """Return the z within bounds at which a linear function is largest.

        Raises
        ------
        ConvergenceError
            The linear program did not end.

        Notes
        -----
        Of very many rows most are idle. Where every variable is bounded, a program of some of them
        is solved, and those that its solution breaks most are added until it breaks none: then it
        solves the whole.
        """
        m = self.rows.shape[0]
        if m <= _MANY or any(None in pair for pair in bounds):
            return self._furthest(objective, bounds)
        held = np.zeros(m, dtype=bool)
        held[:: m // _SOME] = True
        while True:
            far = Cone(self.rows[held], self.equal)._furthest(objective, bounds)
            beyond = np.where(held, -np.inf, self.rows @ far)
            worst = np.argpartition(-beyond, _SOME)[:_SOME]
            worst = worst[beyond[worst] > _WITHIN]
            if not worst.size:
                return far
            held[worst] = True

    def _furthest(self, objective: Floats, bounds: list[Bound]) -> Floats:
        """Solve the program of all rows at once."""
        equal = self.equal
        solve: Any = scipy.optimize.linprog
        found = solve(
            -objective,
            A_ub=self.rows,
            b_ub=np.zeros(self.rows.shape[0]),
            A_eq=equal,
            b_eq=None if equal is None else np.zeros(equal.shape[0]),
            bounds=bounds,
            method="highs",
            options=_OPTIONS,
        )
        if not found.success:
            raise ConvergenceError(
                f"The search for separation did not end ({found.message}). Look for columns that "
                "are nearly combinations of others, and leave one out."
            )
        return np.asarray(found.x, dtype=float)

    def with_margin(self, strict: Floats) -> Cone:
        """Add a variable by which the marked rows must hold."""
        rows = scipy.sparse.hstack(
            [self.rows, scipy.sparse.csr_array(strict[:, None])], format="csr"
        )
        if self.equal is None:
            return Cone(rows, None)
        empty = scipy.sparse.csr_array((self.equal.shape[0], 1))
        return Cone(rows, scipy.sparse.hstack([self.equal, empty], format="csr"))
