"""Which coefficients have no finite maximum-likelihood estimate: linear programs on the design.

A direction along which no row's likelihood falls is one of recession; maximum likelihood then
runs away along it.

References
----------
Albert A, Anderson JA (1984). On the existence of maximum likelihood estimates in logistic
regression models. Biometrika 71:1-10.
Konis K (2007). Linear programming algorithms for detecting separated data in binary logistic
regression models. DPhil thesis, University of Oxford.
Bryson MC, Johnson ME (1981). The incidence of monotone likelihood in the Cox model.
Technometrics 23:381-383.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import OK
from rnetstats.kernels.rank import dependent_columns
from rnetstats.kernels.risksets import prepare
from rnetstats.regression.cone import Bound, Cone
from rnetstats.regression.risk_set_cone import Spans, centred, compared, risk_set_cone, spans

__all__ = ["Recession", "binary_separation", "monotone_likelihood"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NAMES = {
    (True, True): "either",
    (True, False): "+inf",
    (False, True): "-inf",
    (False, False): "finite",
}
_ZERO = 1e-6  # of a direction's component; the programs are solved to 1e-10


@dataclass(frozen=True)
class Recession:
    """Where the coefficients go under maximum likelihood.

    Attributes
    ----------
    direction : tuple of str
        For each column: "finite", "+inf", "-inf", or "either" where the sign is undetermined.
    kind : str
        "complete" (every comparison of rows is strict), "quasi" or "none".
    """

    direction: tuple[str, ...]
    kind: str

    @property
    def found(self) -> bool:
        """Whether any coefficient is infinite."""
        return self.kind != "none"


class _Basis(NamedTuple):
    """Well-conditioned coordinates of the rows, and each column's coefficient in them."""

    rows: Floats
    coefficient: Floats
    kept: NDArray[np.bool_]


def binary_separation(X: Floats, y: Floats, weights: Floats | None = None) -> Recession:
    """Look for separation of a binary outcome.

    Parameters
    ----------
    X : array of shape (n, p)
        With the intercept as a column.
    y : array of shape (n,)
        0 or 1.
    weights : array of shape (n,), optional
        Rows of weight 0 are left out.

    Returns
    -------
    Recession
        A column that is a combination of those before it is called finite.
    """
    present = np.ones(len(y), dtype=bool) if weights is None else weights > 0
    X, y = X[present], y[present]
    if fit_logistic(X, y).status[0] == OK:
        return _none(X.shape[1])
    basis = _basis(X)
    signed = np.unique(np.where(y == 1, -1.0, 1.0)[:, None] * basis.rows, axis=0)
    rows = scipy.sparse.csr_array(signed)
    return _solve(basis, Cone(rows, None), np.ones(rows.shape[0]))


def monotone_likelihood(
    X: Floats,
    start: Floats | None,
    stop: Floats,
    event: NDArray[np.bool_],
    strata: Ints | None = None,
    *,
    weights: Floats | None = None,
    discrete: bool = False,
) -> Recession:
    """Look for a monotone partial likelihood.

    Parameters
    ----------
    X : array of shape (n, p)
        Without an intercept.
    start, stop : arrays of shape (n,)
        A row is at risk on (start, stop]; `start` is None without late entry.
    event : bool array of shape (n,)
    strata : int array of shape (n,), optional
    weights : array of shape (n,), optional
        Rows of weight 0 are left out.
    discrete : bool
        The exact likelihood of tied events: each of them need only be ahead of the rows without
        the event. By Breslow's and Efron's rule tied events are compared with each other, too.

    Returns
    -------
    Recession
        A column on which the risk sets say nothing is called finite.
    """
    present = np.ones(len(stop), dtype=bool) if weights is None else weights > 0
    X, stop, event = X[present], stop[present], np.asarray(event, dtype=bool)[present]
    start = None if start is None else start[present]
    strata = np.zeros(len(stop), dtype=np.int64) if strata is None else strata[present]
    if discrete:
        event = compared(start, stop, event, strata)
    if not event.any():
        return _none(X.shape[1])
    sets = prepare(start, stop, event, strata)
    if not discrete and fit_cox(X, sets, ties="breslow").status[0] == OK:
        return _none(X.shape[1])
    first, last, n_times = spans(start, stop, event, strata)
    ever = first <= last
    at_risk = Spans(first[ever], last[ever], n_times)
    basis = _basis(centred(X[ever], at_risk))
    cone, strict = risk_set_cone(basis.rows, event[ever], at_risk, discrete=discrete)
    return _solve(basis, cone, strict)


def _none(p: int) -> Recession:
    return Recession(("finite",) * p, "none")


def _basis(X: Floats) -> _Basis:
    """Orthonormal coordinates: a program in them does not depend on scales or collinearity."""
    length = np.linalg.norm(X, axis=0)
    scaled = X / np.where(length > 0, length, 1.0)
    kept = ~dependent_columns(scaled)
    Q, R = np.linalg.qr(scaled[:, kept])
    back = np.linalg.inv(R)
    back = back / np.linalg.norm(back, axis=1, keepdims=True)
    return _Basis(Q * np.sqrt(len(X)), back, kept)


def _reached(coefficient: Floats, along: Callable[[Floats], Floats]) -> Floats:
    """How far each coefficient goes downward and upward, shape (2, p); 0 if it goes nowhere.

    `along` gives the coefficients where a linear function of the coordinates is furthest. Most
    coefficients are finite as a rule, and two programs show it for all of them at once: a sum of
    them with weights of no simple ratio moves neither way only if each of them stays at 0.
    """
    p = len(coefficient)
    reached = np.zeros((2, p))
    weights = 0.5 + np.sqrt(2.0) * np.arange(1, p + 1) % 1.0

    def go(objective: Floats) -> None:
        found = along(objective)
        np.minimum(reached[0], found, out=reached[0])
        np.maximum(reached[1], found, out=reached[1])

    while (still := np.abs(reached).max(axis=0) <= _ZERO).any():
        for sign in (-1.0, 1.0):
            go(sign * (weights * still) @ coefficient)
        if (np.abs(reached).max(axis=0) <= _ZERO)[still].all():
            break
    for j in np.flatnonzero(np.abs(reached).max(axis=0) > _ZERO):
        for side, sign in enumerate((-1.0, 1.0)):
            if sign * reached[side, j] <= _ZERO:  # else on the way to an earlier one
                go(sign * coefficient[j])
    return reached


def _solve(basis: _Basis, cone: Cone, strict: Floats) -> Recession:
    """Find the range of each coefficient over the directions of recession.

    `strict` marks the rows that hold with a margin when the separation is complete.
    """
    size, r = cone.rows.shape[1], basis.rows.shape[1]
    bounds: list[Bound] = [(-1.0, 1.0)] * r + [(None, None)] * (size - r)

    def along(objective: Floats) -> Floats:
        far = cone.furthest(np.append(objective, np.zeros(size - r)), bounds)
        return basis.coefficient @ far[:r]

    reached = _reached(basis.coefficient, along)
    names = [_NAMES[up > _ZERO, down < -_ZERO] for down, up in reached.T]
    if set(names) <= {"finite"}:
        return _none(len(basis.kept))
    direction = np.full(len(basis.kept), "finite", dtype=object)
    direction[basis.kept] = names
    wider = cone.with_margin(strict)
    far = wider.furthest(np.append(np.zeros(size), 1.0), [*bounds, (0.0, 1.0)])
    return Recession(tuple(direction), "complete" if far[-1] > _ZERO else "quasi")
