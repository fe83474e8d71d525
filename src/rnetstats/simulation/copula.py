"""Covariates from a Gaussian copula: correlated normals turned into the recipe's marginals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rnetstats.errors import RnetError
from rnetstats.simulation.recipe import Recipe, Term, Variable

__all__ = ["Columns", "linear_predictor", "marginals", "recorded", "root"]

Columns = Mapping[str, NDArray[np.float64]]
"""Latent values by name: numbers, or the code of a level as a float."""


@lru_cache(maxsize=16)
def root(recipe: Recipe) -> NDArray[np.float64]:
    """Return the Cholesky root (d, d) of the copula's correlation matrix, read-only.

    Raises
    ------
    RnetError
        If the correlations contradict each other.
    """
    names = [variable.name for variable in recipe.variables]
    matrix = np.eye(len(names))
    for a, b, correlation in recipe.pairs:
        i, j = names.index(a), names.index(b)
        matrix[i, j] = matrix[j, i] = correlation
    try:
        lower = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise RnetError("The recipe's copula correlations are not positive definite.") from error
    lower.flags.writeable = False
    return np.asarray(lower)


def _levels(variable: Variable, z: NDArray[np.float64]) -> NDArray[np.float64]:
    cuts = ndtri(np.cumsum(variable.shares)[:-1])
    return np.searchsorted(cuts, z, side="right").astype(float)


def _by_rank(z: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    codes = np.empty(z.size)
    codes[np.argsort(z, kind="stable")] = np.repeat(np.arange(counts.size), counts)
    return codes


def _numeric(variable: Variable, z: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = ndtr(np.array(variable.normal_ends))
    x = variable.location + variable.scale * ndtri(low + (high - low) * ndtr(z))
    return np.exp(x) if variable.law == "lognormal" else np.asarray(x)


def marginals(
    recipe: Recipe,
    normals: NDArray[np.float64],
    counts: Mapping[str, NDArray[np.int64]] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Turn independent normals into latent covariates.

    Parameters
    ----------
    recipe : Recipe
    normals : (n, d) array
        One column a variable, in the recipe's order.
    counts : mapping, optional
        Variables whose levels occur exactly so often, dealt out by the rank of the latent normal.

    Returns
    -------
    dict of (n,) arrays
        Unrounded numbers, and codes of levels.
    """
    z = normals @ root(recipe).T
    out: dict[str, NDArray[np.float64]] = {}
    for j, variable in enumerate(recipe.variables):
        if counts and variable.name in counts:
            out[variable.name] = _by_rank(z[:, j], counts[variable.name])
        elif variable.law == "levels":
            out[variable.name] = _levels(variable, z[:, j])
        else:
            out[variable.name] = _numeric(variable, z[:, j])
    return out


def recorded(variable: Variable, latent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round latent values to the variable's step (levels are returned as they are)."""
    if variable.law == "levels":
        return latent
    per_unit = round(1.0 / variable.step)
    return np.rint(latent * per_unit) / per_unit


def linear_predictor(
    recipe: Recipe, terms: tuple[Term, ...], columns: Columns, n: int
) -> NDArray[np.float64]:
    """Sum the terms of a model, without its intercept, over latent columns: shape (n,)."""
    eta = np.zeros(n)
    for term in terms:
        x = columns[term.variable]
        if term.level is not None:
            eta += term.coefficient * (x == recipe.variable(term.variable).levels.index(term.level))
        elif term.above is not None:
            eta += term.coefficient * (x > term.above)
        else:
            eta += term.coefficient * (x - term.centre)
    return eta
