"""A risk model as tables: its coefficients as numbers, and with its domain as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats.formatting import fmt_number
from rnetstats.formula.variables import level_text

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["coefficient_table", "model_display", "range_text"]


def coefficient_table(model: RiskModel) -> pd.DataFrame:
    """Return ``term, level, coef, measure, estimate``, one row a coefficient.

    The row of a baseline hazard has the measure ``cumulative hazard``, that of a patient whose
    columns are all zero. An estimator that is not linear has a row a variable, without numbers.
    """
    if model.coef.size == 0:
        names = list(model.variables)
        blank = np.full(len(names), np.nan)
        return pd.DataFrame(
            {"term": names, "level": "", "coef": blank, "measure": "", "estimate": blank}
        )
    measure = "OR" if model.baseline is None else "HR"
    columns = model.design.columns
    rows: list[dict[str, Any]] = []
    if model.baseline is not None:
        log_zero = -float(model.baseline["centre"] @ model.coef)
        for label, hazard in zip(model.baseline["labels"], model.baseline["hazard"], strict=True):
            coef = float(np.log(hazard)) + log_zero
            rows.append(
                {
                    "term": "(Baseline)",
                    "level": label,
                    "coef": coef,
                    "measure": "cumulative hazard",
                    "estimate": _ratio(coef),
                }
            )
    for column, value in zip(columns, model.coef, strict=True):
        intercept = model.design.intercept and column is columns[0]
        rows.append(
            {
                "term": column.term,
                "level": column.level,
                "coef": float(value),
                "measure": "odds" if intercept else measure,
                "estimate": _ratio(value),
            }
        )
    return pd.DataFrame(rows)


def _ratio(coef: float) -> float:
    """Odds or hazard ratio; of a variable in a tiny unit it may be too large to be written."""
    with np.errstate(over="ignore"):
        return float(np.exp(coef))


def model_display(model: RiskModel) -> pd.DataFrame:
    """Return terms, coefficients, ratios and the domain of the variables as text."""
    rows = []
    for row in coefficient_table(model).to_dict("records"):
        name = str(row["term"])
        variables: tuple[str, ...] = ()
        if model.coef.size == 0:
            variables = (name,)
        elif name not in {"(Intercept)", "(Baseline)"}:
            variables = model.design.term(name).variables
        domain = "; ".join(
            range_text(model.variables[v])
            if len(variables) == 1
            else f"{model.label(v)}: {range_text(model.variables[v])}"
            for v in variables
        )
        rows.append(
            {
                "term": model.label(name),
                "level": str(row["level"]),
                "coefficient": fmt_number(row["coef"], 4),
                "ratio": f"{row['measure']} {fmt_number(row['estimate'])}".strip(),
                "domain": domain,
            }
        )
    return pd.DataFrame(rows)


def range_text(about: Mapping[str, Any]) -> str:
    """Write what a model knows of a variable: its range, or its levels."""
    values = about.get("values") or ()
    if values:
        return ", ".join(level_text(value) for value in values)
    if "low" in about:
        return f"{about['low']:.6g} to {about['high']:.6g}"
    return "not stated"
