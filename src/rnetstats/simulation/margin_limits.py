"""Large-sample limits of models of a positive margin, on values as they are recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from rnetstats.kernels.logistic import fit_logistic
from rnetstats.simulation.copula import Columns, recorded
from rnetstats.simulation.course import Constants
from rnetstats.simulation.population import margin_risk, points
from rnetstats.simulation.recipe import Recipe

__all__ = ["CONTINUOUS_TERMS", "PUBLISHED_TERMS", "MarginModel", "design", "margin_models"]

Array = NDArray[np.float64]

_METHODS = {"mEMR": 1, "ESD": 2}
_CUTS = {"nlr": 4.44, "size_mm": 14.89}

PUBLISHED_TERMS = (
    "method = mEMR",
    "method = ESD",
    "location = lower",
    "nlr > 4.44",
    "size_mm > 14.89",
)
"""The four published predictors, at the published cut-offs (cEMR is the reference)."""

CONTINUOUS_TERMS = ("method = mEMR", "method = ESD", "location = lower", "nlr", "size_mm")
"""The same predictors with NLR and size per unit."""

_TERMS: dict[str, Callable[[Columns], NDArray[Any]]] = {
    "method = mEMR": lambda c: c["method"] == _METHODS["mEMR"],
    "method = ESD": lambda c: c["method"] == _METHODS["ESD"],
    "location = lower": lambda c: c["location"] == 0,
    "nlr > 4.44": lambda c: c["nlr"] > _CUTS["nlr"],
    "size_mm > 14.89": lambda c: c["size_mm"] > _CUTS["size_mm"],
    "nlr": lambda c: c["nlr"],
    "size_mm": lambda c: c["size_mm"],
}


def design(columns: Columns, terms: tuple[str, ...]) -> Array:
    """Return the design (n, 1 + terms) on recorded columns, the intercept first."""
    n = columns["nlr"].size
    return np.column_stack([np.ones(n), *(np.asarray(_TERMS[t](columns), float) for t in terms)])


@dataclass(frozen=True)
class MarginModel:
    """The limit of one logistic model: coefficients, standardised differences, AUC."""

    terms: tuple[str, ...]
    coef: Array
    risk_difference: Array
    auc: float


def _auc(score: Array, risk: Array) -> float:
    """Return P(a positive scores above a negative), each point being positive with ``risk``."""
    distinct, code = np.unique(score, return_inverse=True)
    positive = np.bincount(code, risk, distinct.size)
    negative = np.bincount(code, 1.0 - risk, distinct.size)
    below = np.cumsum(negative) - 0.5 * negative
    return float(positive @ below / (positive.sum() * negative.sum()))


def _fit(columns: Columns, risk: Array, terms: tuple[str, ...]) -> MarginModel:
    """Fit to the expected outcome: every point once positive, once negative, by its risk."""
    X = design(columns, terms)
    outcome = np.repeat([1.0, 0.0], risk.size)
    weight = np.concatenate([risk, 1.0 - risk])
    coef = fit_logistic(np.vstack([X, X]), outcome, case=weight).coef[0]
    difference = []
    for j, name in enumerate(terms, start=1):
        up, down = X.copy(), X.copy()
        rivals = [k for k, t in enumerate(terms, 1) if t.split(" =")[0] == name.split(" =")[0]]
        if " =" in name or " >" in name:
            up[:, rivals] = down[:, rivals] = 0.0
            up[:, j] = 1.0
        else:
            up[:, j] += 1.0
        difference.append(float(np.mean(expit(up @ coef) - expit(down @ coef))))
    return MarginModel(terms, coef, np.array(difference), _auc(X @ coef, risk))


@lru_cache(maxsize=16)
def margin_models(recipe: Recipe, truth: str, constants: Constants) -> dict[str, MarginModel]:
    """Return the limits of the published, the continuous and the univariable models.

    Patients with method "other" are left out, as in the analyses. The entry ``"true risk"``
    holds the AUC of the true risk itself.
    """
    pop = points(recipe)
    risk = margin_risk(recipe, truth, constants)
    keep = pop.columns["method"] <= _METHODS["ESD"]
    columns = {v.name: recorded(v, pop.columns[v.name])[keep] for v in recipe.variables}
    risk = risk[keep]
    models = {
        "published": _fit(columns, risk, PUBLISHED_TERMS),
        "continuous": _fit(columns, risk, CONTINUOUS_TERMS),
    }
    alone = [PUBLISHED_TERMS[:2], *((t,) for t in (*PUBLISHED_TERMS[2:], *CONTINUOUS_TERMS[3:]))]
    for terms in alone:
        models["univariable " + terms[0].split(" =")[0]] = _fit(columns, risk, terms)
    none = np.empty(0)
    models["true risk"] = MarginModel((), none, none, _auc(risk, risk))
    return models
