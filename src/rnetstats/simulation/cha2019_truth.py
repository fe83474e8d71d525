"""What a cohort in the shape of Cha et al. 2019 was drawn from, and how close it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["METHODS", "coefficients", "estimands", "quantities"]

METHODS = ("cEMR", "mEMR", "ESD")
_MODELS = {
    "additional treatment": {
        "detection biopsy": "treated_biopsy",
        "detection suspected": "treated_suspected",
        "lvi": "treated_lvi",
        "margin positive": "treated_margin_positive",
        "margin indeterminate": "treated_margin_indeterminate",
    },
    "not curative": {
        "detection polyp": "not_curative_polyp",
        "first_method cEMR": "not_curative_conventional",
    },
}


def quantities(
    values: Mapping[str, Any], data: pd.DataFrame, not_curative: int
) -> list[tuple[str, float, str, float, float]]:
    """Return the printed totals against the drawn ones.

    Where patients recur, which is not what is printed, recurrences and the median of the observed
    times are met only roughly.
    """
    recur = float(values["recurrence_per_month"]) > 0.0
    months = round(float(data["follow_up_months"].median()), 2)
    treated = float((data["additional_treatment"] != "none").sum())
    found = {
        "patients": ("patients", float(len(data)), 0.0),
        "not_curative": ("non-curative resections", float(not_curative), 0.0),
        "treated": ("with additional treatment", treated, 0.0),
        "node_metastases": ("node metastases", float(data["node_metastasis"].sum()), 0.0),
        "median_follow_up": ("median follow-up (months)", months, 3.0 if recur else 0.05),
    }
    rows = [
        (label, float(values[key]), "printed", drawn, tolerance)
        for key, (label, drawn, tolerance) in found.items()
    ]
    seen = float(data["recurrence"].sum())
    rows.append(("recurrences", 0.0, "printed", seen, 12.0 if recur else 0.0))
    for name, count in zip(METHODS, values["methods"], strict=True):
        drawn = float((data["first_method"] == name).sum())
        rows.append((f"first method {name}", float(count), "inferred", drawn, 0.0))
    return rows


def coefficients(values: Mapping[str, Any], leaving: float) -> pd.DataFrame:
    """Return ``model, term, coefficient``; ``leaving`` is the monthly hazard of loss."""
    rows = [
        (model, term, float(values[key]))
        for model, terms in _MODELS.items()
        for term, key in terms.items()
    ]
    rows.append(("leaving follow-up (log hazard a month)", "(Intercept)", float(np.log(leaving))))
    return pd.DataFrame(rows, columns=["model", "term", "coefficient"])


def estimands(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return ``estimand, endpoint, group, months, measure, value``.

    Additional treatment has no effect under any truth; where nobody recurs its ratio does not
    exist, and is left out.
    """
    rate = float(values["recurrence_per_month"])
    risk = float(-np.expm1(-60.0 * rate))
    name = "time to recurrence"
    rows = [
        ("recurrence rate", name, "all", np.nan, "per 100 patient-years", 1200.0 * rate),
        ("recurrence by 60 months", name, "all", 60.0, "risk", risk),
    ]
    if rate > 0.0:
        rows.append(("effect of additional treatment", name, "treated", np.nan, "HR", 1.0))
    columns = ["estimand", "endpoint", "group", "months", "measure", "value"]
    return pd.DataFrame(rows, columns=columns)
