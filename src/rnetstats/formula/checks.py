"""Checks of a design matrix before any model sees it."""

from __future__ import annotations

from typing import Final

import numpy as np

from rnetstats.errors import ColumnError, DataError
from rnetstats.formula.spec import Spec
from rnetstats.formula.variables import Floats

__all__ = ["check_design"]

# A centred column of unit length is a combination of others when less than this is left of it.
_TOLERANCE: Final = 1e-8
# The squares of larger and smaller values overflow or vanish.
_SMALLEST: Final = 1e-100
_LARGEST: Final = 1e100


def check_design(X: Floats, spec: Spec) -> None:
    """Refuse a design that cannot be fitted.

    Parameters
    ----------
    X
        Design matrix (n, p) without missing values.
    spec
        What its columns are.

    Raises
    ------
    DataError
        There are more columns than rows.
    ColumnError
        A column is constant (an empty cell of an interaction too), or is a linear combination
        of the columns before it; or its values are so large or small that their squares are not
        numbers.
    """
    n, p = X.shape
    if p > n:
        widest = max(spec.terms, key=lambda term: term.df)
        raise DataError(
            f"The design has {p} columns for {n} rows; {widest.name!r} alone has {widest.df}. "
            "Leave terms out, and check that no identifier is among them."
        )
    first = int(spec.intercept)
    columns = np.ascontiguousarray(X[:, first:].T)
    low, high = columns.min(axis=1), columns.max(axis=1)
    constant = low == high
    if constant.any():
        _refuse_constant(X, spec, first + int(np.flatnonzero(constant)[0]))
    largest = np.maximum(-low, high)
    extreme = (largest < _SMALLEST) | (largest > _LARGEST)
    if extreme.any():
        place = int(np.flatnonzero(extreme)[0])
        raise ColumnError(
            f"{spec.columns[first + place].name!r} has values up to {largest[place]:.0e} in size, "
            "whose squares a computer cannot hold; give it in another unit."
        )
    if p - first > 1:
        _check_rank(columns, spec)


def _refuse_constant(X: Floats, spec: Spec, place: int) -> None:
    column = spec.columns[place]
    if ":" in column.term and X[0, place] == 0:
        raise ColumnError(
            f"No row used has {column.name!r}, so that this interaction cannot be estimated; "
            "leave it out, or join levels."
        )
    raise ColumnError(
        f"{column.name!r} is {X[0, place]:g} in all {len(X)} rows used; "
        "leave it out of the formula."
    )


def _check_rank(columns: Floats, spec: Spec) -> None:
    """Refuse columns (p, n), none of them constant, of which one is a sum of others."""
    centred = columns - columns.mean(axis=1)[:, None]
    products = centred @ centred.T
    length = np.sqrt(products.diagonal())
    if _surely_apart(products / (length[:, None] * length)):
        return
    R: Floats = np.asarray(np.linalg.qr((centred / length[:, None]).T, mode="r"))
    lost = np.flatnonzero(np.abs(np.diag(R)) < _TOLERANCE)
    if not len(lost):
        return
    j = int(lost[0])
    weights = np.linalg.lstsq(R[:j, :j], R[:j, j], rcond=None)[0]
    first = int(spec.intercept)
    names = [column.name for column in spec.columns[first:]]
    others = ", ".join(repr(names[i]) for i in np.flatnonzero(np.abs(weights) > 1e-6))
    raise ColumnError(f"{names[j]!r} is a linear combination of {others}; leave one of them out.")


def _surely_apart(correlation: Floats) -> bool:
    """Whether what is left of each column beside those before it is far beyond rounding."""
    try:
        left = np.linalg.cholesky(correlation).diagonal()
    except np.linalg.LinAlgError:
        return False
    return bool(left.min() ** 2 > _TOLERANCE)
