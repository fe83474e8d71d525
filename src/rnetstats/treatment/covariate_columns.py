"""The covariates of a score model as columns to be compared between arms, a level a column."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.formula.spec import Spec
from rnetstats.formula.variables import read_variable

__all__ = ["CovariateColumns", "covariate_columns", "plain_term"]

Floats = NDArray[np.float64]

_CODED = re.compile(r"\b(?:C|I)\((`[^`]+`|(?:[^()`]|`[^`]+`)+)\)")


@dataclass(frozen=True, eq=False)
class CovariateColumns:
    """Covariates of n rows as p columns.

    Attributes
    ----------
    values
        (n, p).
    variable, level
        What each column is; the level is "" for a number.
    binary
        (p,) columns of 0 and 1.
    main
        (p,) columns that are no interaction.
    """

    values: Floats
    variable: tuple[str, ...]
    level: tuple[str, ...]
    binary: NDArray[np.bool_]
    main: NDArray[np.bool_]


def covariate_columns(
    spec: Spec, X: Floats, table: pd.DataFrame, positions: NDArray[np.intp]
) -> CovariateColumns:
    """Take the columns from a design, with the reference levels that it leaves out.

    A spline is compared by the variable itself.

    Parameters
    ----------
    spec : Spec
    X : array of shape (n, p)
    table : DataFrame
        The data as given.
    positions : int array of shape (n,)
        Rows of the design.
    """
    found: list[tuple[str, str, Floats, bool]] = []
    for term in spec.terms:
        block = X[:, term.columns]
        if term.kind == "factor":
            columns = np.column_stack((1.0 - block.sum(axis=1), block))
            found += [
                (term.name, level, columns[:, k], True) for k, level in enumerate(term.levels)
            ]
        elif term.kind == "spline":
            name = term.variables[0]
            if all(name != seen for seen, *_ in found):
                numbers = read_variable(table, name).numbers("a covariate")
                found.append((name, "", numbers[positions], True))
        else:
            names = spec.columns[term.columns]
            main = term.kind != "interaction"
            found += [(c.term, c.level, block[:, k], main) for k, c in enumerate(names)]
    values = np.column_stack([column for *_, column, _ in found])
    return CovariateColumns(
        values=values,
        variable=tuple(name for name, *_ in found),
        level=tuple(level for _, level, *_ in found),
        binary=np.asarray(((values == 0.0) | (values == 1.0)).all(axis=0)),
        main=np.array([main for *_, main in found]),
    )


def plain_term(term: str) -> str:
    """Return a term of a formula as a reader would say it: ``detection`` for ``C(detection)``.

    Parameters
    ----------
    term : str
        As it stands in a table, a level perhaps behind it.
    """
    return _CODED.sub(r"\1", term).replace("`", "")
