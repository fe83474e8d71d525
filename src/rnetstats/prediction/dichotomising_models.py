"""Three models of a number: cut in two, linear, and a spline; their figures and risk functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from rnetstats.formula.design import ModelFrame
from rnetstats.formula.spec import Term
from rnetstats.formula.variables import Floats
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.net_benefit import net_benefit
from rnetstats.kernels.newton import OK
from rnetstats.kernels.roc import auc

__all__ = ["MODELS", "ModelFit", "model_rows", "risk_curves"]

MODELS = ("cut", "linear", "spline")
_GRID = 201


@dataclass(frozen=True, eq=False)
class ModelFit:
    """One model by maximum likelihood."""

    coef: Floats
    log_likelihood: float
    risk: Floats
    df: int
    converged: bool

    @classmethod
    def of(cls, design: ModelFrame, y: Floats, copies: Floats) -> ModelFit:
        """Fit it."""
        X, offset = design.design.X, design.offset
        fit = fit_logistic(X, y, freq=copies, offset=offset)
        coef = fit.coef[0]
        linear = X @ coef + (0.0 if offset is None else offset)
        converged = bool(fit.status[0] == OK)
        return cls(coef, float(fit.log_likelihood[0]), expit(linear), X.shape[1], converged)


def model_rows(
    fits: Mapping[str, ModelFit], y: Floats, copies: Floats, levels: list[float]
) -> list[dict[str, Any]]:
    """Return a row of figures for each model."""
    n, base = float(copies.sum()), fits["others"]
    share = float(copies @ y) / n
    null = n * (share * np.log(share) + (1.0 - share) * np.log1p(-share))
    rows: list[dict[str, Any]] = []
    for name in MODELS:
        fit = fits[name]
        df = fit.df - base.df
        chi2 = max(2.0 * (fit.log_likelihood - base.log_likelihood), 0.0)
        r2 = np.expm1(2.0 * (null - fit.log_likelihood) / n) / np.expm1(2.0 * null / n)
        row: dict[str, Any] = {
            "model": name,
            "df": df,
            "lr_chi2": chi2,
            "lr_chi2_adjusted": max(chi2 - df, 0.0),
            "r2_nagelkerke": float(r2),
            "brier": float(copies @ (y - fit.risk) ** 2 / n),
            "auc": float(auc(y, fit.risk, copies)[0]),
        }
        if levels:
            found = net_benefit(y, fit.risk, levels, copies).net_benefit[0]
            row |= {f"net_benefit_{t:g}": float(v) for t, v in zip(levels, found, strict=True)}
        rows.append(row)
    linear, spline = rows[1], rows[2]
    for row in rows:
        row["information"] = _ratio(row["lr_chi2"], spline["lr_chi2"])
        row["information_adjusted"] = _ratio(row["lr_chi2_adjusted"], spline["lr_chi2_adjusted"])
        row["efficiency"] = _ratio(row["lr_chi2"], linear["lr_chi2"])
        row["effective_n"] = n * row["efficiency"]
    return rows


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else float("nan")


def risk_curves(
    part: pd.DataFrame,
    cuts: Mapping[str, float],
    designs: Mapping[str, ModelFrame],
    fits: Mapping[str, ModelFit],
    copies: Floats,
) -> pd.DataFrame:
    """Fitted risk along each number, the other columns of the design at their means."""
    pieces = []
    for variable, cut in cuts.items():
        x = part[variable].to_numpy(dtype=float)
        grid = np.union1d(np.linspace(x.min(), x.max(), _GRID), [cut, np.nextafter(cut, np.inf)])
        moved = part.iloc[np.zeros(grid.size, dtype=int)].assign(**{variable: grid})
        for name in MODELS:
            design, offset = designs[name].design, designs[name].offset
            X = np.tile(copies @ design.X / copies.sum(), (grid.size, 1))
            own = [k for t in design.terms if t.variables == (variable,) for k in _places(t)]
            X[:, own] = design.spec.matrix(moved)[:, own]
            shift = 0.0 if offset is None else float(copies @ offset / copies.sum())
            risk = expit(X @ fits[name].coef + shift)
            pieces.append(
                pd.DataFrame({"variable": variable, "model": name, "x": grid, "risk": risk})
            )
    return pd.concat(pieces, ignore_index=True)


def _places(term: Term) -> range:
    return range(term.start, term.stop)
