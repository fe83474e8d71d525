"""Splines written as a straight line and the rest, for tests of linearity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.formula.encoders import Encoder, SplineEncoder
from rnetstats.formula.spec import Spec
from rnetstats.formula.variables import Floats

__all__ = ["LinearFirst", "linear_first"]


@dataclass(frozen=True, slots=True, eq=False)
class LinearFirst:
    """The same model in other columns, ``X @ transform``.

    Attributes
    ----------
    transform
        Invertible matrix (p, p). In the new columns every spline begins with its straight line.
    nonlinear
        For each spline, by the name of its term, the new columns that bend it: its own, and in
        interactions their products with whatever it meets. It is linear if their coefficients
        are zero.
    """

    transform: Floats
    nonlinear: dict[str, tuple[int, ...]]


def linear_first(spec: Spec) -> LinearFirst:
    """Return the change of columns that sets the straight part of every spline apart.

    The columns of ``rcs()`` have this form already; those of ``ns()`` are combined, and with
    them their interactions.
    """
    transform = np.eye(len(spec.columns))
    nonlinear: dict[str, tuple[int, ...]] = {}
    for term, encoders in zip(spec.terms, spec.encoders, strict=True):
        block: Floats = np.eye(1)
        bent = np.zeros((0, 1), dtype=np.bool_)  # a row a part, a column a new column
        for encoder in encoders:  # the first part of an interaction runs fastest
            change, flags = _part(encoder)
            block = np.asarray(np.kron(change, block), dtype=np.float64)
            before = np.tile(bent, flags.size)
            bent = np.vstack([before, np.repeat(flags, bent.shape[1])])
        transform[term.columns, term.columns] = block
        for part, flags in zip(term.parts, bent, strict=True):
            if flags.any():
                columns = (term.start + np.flatnonzero(flags)).tolist()
                nonlinear[part] = (*nonlinear.get(part, ()), *columns)
    return LinearFirst(transform, nonlinear)


def _part(encoder: Encoder) -> tuple[Floats, NDArray[np.bool_]]:
    """Return an encoder's change of columns (k, k) and which of the new ones are nonlinear."""
    size = len(encoder.labels)
    if not isinstance(encoder, SplineEncoder):
        return np.eye(size), np.zeros(size, dtype=np.bool_)
    line = encoder.linear()
    others = np.delete(np.eye(size), int(np.argmax(np.abs(line))), axis=1)
    return np.column_stack([line, others]), np.arange(size) > 0
