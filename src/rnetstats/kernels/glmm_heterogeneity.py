"""Tests that the studies of a mixed model differ by chance alone: against an effect for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.glmm import MixedModel, fit_mixed
from rnetstats.kernels.glmm_rows import binomial_rows, hypergeometric_rows, log_choose
from rnetstats.kernels.mantel_haenszel import Tables
from rnetstats.kernels.newton import maximise
from rnetstats.kernels.scaled import ScaledFit

__all__ = ["Heterogeneity", "proportions_heterogeneity", "table_heterogeneity"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Heterogeneity:
    """Chi-square statistics with k - 1 degrees of freedom.

    Attributes
    ----------
    likelihood_ratio : float
        Twice what an effect for each study adds to the log-likelihood of a common one.
    wald : float
        Of the studies' own effects; those that are infinite have no weight. Missing below two
        finite ones.
    df : int
    """

    likelihood_ratio: float
    wald: float
    df: int


def table_heterogeneity(
    tables: Tables, model: str, fit: ScaledFit, points: int | None = None
) -> Heterogeneity:
    """Test that k tables have one odds ratio, in the likelihood of a model.

    Parameters
    ----------
    tables, model, points
        As in :func:`rnetstats.kernels.glmm_tables.table_model`.
    fit : ScaledFit
        Of that model.
    """
    if model == "UM.RS":
        highest, wald = _own_effects(tables, points)
    elif model == "CM.EL":
        highest, wald = _conditional(tables)
    else:
        a, c, n1, n2 = tables.a, tables.c, tables.n1, tables.n2
        if model == "UM.FS":
            highest = _saturated(a, n1) + _saturated(c, n2)
            cells = np.stack([a, n1 - a, c, n2 - c])
            effect = _log_ratio(a, n1 - a) - _log_ratio(c, n2 - c)
        else:
            highest = _saturated(a, a + c)
            cells = np.stack([a, c])
            effect = _log_ratio(a, c) - np.log(n1 / n2)
        wald = _spread(effect, cells)
    gain = highest - fit.null_log_likelihood
    return Heterogeneity(max(2.0 * gain, 0.0), wald, len(tables.a) - 1)


def proportions_heterogeneity(y: Floats, n: Floats, fit: ScaledFit) -> Heterogeneity:
    """Test that k series have one proportion.

    Parameters
    ----------
    y, n : (k,)
        Events among n.
    fit : ScaledFit
        Of :func:`rnetstats.kernels.glmm_tables.proportions_model`.
    """
    gain = _saturated(y, n) - fit.null_log_likelihood
    wald = _spread(_log_ratio(y, n - y), np.stack([y, n - y]))
    return Heterogeneity(max(2.0 * gain, 0.0), wald, len(y) - 1)


def _log_ratio(top: Floats, bottom: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(top / bottom))


def _saturated(y: Floats, n: Floats) -> float:
    """Binomial log-likelihood at each row's own proportion."""
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(y > 0, y * np.log(y / n), 0.0)
        own += np.where(y < n, (n - y) * np.log1p(-y / n), 0.0)
    return float((own + log_choose(n, y)).sum())


def _spread(effect: Floats, cells: Floats) -> float:
    """Cochran's Q, with the variances 1/cell summed; a study with an empty cell weighs nothing."""
    finite = (cells > 0).all(axis=0)
    return _q(effect[finite], np.diag((1.0 / cells[:, finite]).sum(axis=0)))


def _q(effect: Floats, cov: Floats) -> float:
    """Wald's statistic of equal effects."""
    if len(effect) < 2:
        return float("nan")
    one = np.ones(len(effect))
    solved = np.linalg.solve(cov, np.stack([effect, one], axis=1))
    return float(effect @ solved[:, 0] - (one @ solved[:, 0]) ** 2 / (one @ solved[:, 1]))


def _conditional(tables: Tables) -> tuple[float, float]:
    """Each study's own conditional maximum; at the end of a table's range its probability is 1."""
    events = tables.a + tables.c
    low, high = np.maximum(0.0, events - tables.n2), np.minimum(tables.n1, events)
    inner = (tables.a > low) & (tables.a < high)
    if not inner.any():
        return 0.0, float("nan")
    parts = [x[inner] for x in (tables.a, tables.n1, tables.c, tables.n2)]
    rows = hypergeometric_rows(*parts)

    def evaluate(psi: Floats, index: Ints) -> tuple[Floats, Floats, Floats]:
        every = np.zeros((int(inner.sum()), 1))
        every[index] = psi
        b, mean, variance = (x[index, 0] for x in rows.cumulant(every))
        y = rows.y[index, 0]
        return y * psi[:, 0] - b, (y - mean)[:, None], variance[:, None, None]

    fit = maximise(evaluate, np.zeros((int(inner.sum()), 1)))
    highest = float(fit.log_likelihood.sum()) + rows.constant
    return highest, _q(fit.coef[:, 0], np.diag(1.0 / fit.information[:, 0, 0]))


def _own_effects(tables: Tables, points: int | None) -> tuple[float, float]:
    """Random study effects on the control arm, and a fixed effect of treatment for each study."""
    k = len(tables.a)
    finite = (tables.a > 0) & (tables.a < tables.n1)
    y = np.stack([np.where(finite, tables.a, 0.0), tables.c], axis=1)
    n = np.stack([np.where(finite, tables.n1, 0.0), tables.n2], axis=1)
    own = np.eye(k)[:, finite]
    X = np.zeros((k, 2, 1 + own.shape[1]))
    X[:, :, 0] = 1.0
    X[:, 0, 1:] = own
    model = MixedModel(binomial_rows(y, n), np.zeros((k, 2)), X, np.ones((k, 2, 1)), points)
    total = (tables.c.sum() + 0.5) / (tables.d.sum() + 0.5)
    fit = fit_mixed(model, np.append(np.log(total), np.zeros(own.shape[1])))
    return fit.log_likelihood, _q(fit.coef[1:], fit.cov[1:, 1:])
