"""What a cohort of patients with liver metastases was drawn from, and how close it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import weibull_min

__all__ = ["coefficients", "estimands", "interval_law", "quantities"]

PRIMARIES = ("pancreas", "rectum")


def interval_law(values: Mapping[str, Any], primary: str) -> Any:
    """Return the Weibull law of the interval from primary to metastasis (a frozen scipy law)."""
    shape = float(values["interval_shape"])
    scale = float(values[f"interval_median_{primary}"]) / np.log(2.0) ** (1.0 / shape)
    return weibull_min(shape, scale=scale)


def quantities(
    values: Mapping[str, Any], data: pd.DataFrame, *, fixed: bool
) -> list[tuple[str, float, str, float, float]]:
    """Return the printed totals against the drawn ones; free ones are met in expectation only."""
    rectal = data[(data["primary"] == "rectum") & (data["timing"] == "asynchronous")]
    drawn = {
        "japan": ("patients in Japan", int((data["country"] == "Japan").sum())),
        "china": ("patients in China", int((data["country"] == "China").sum())),
        "pancreas": ("primaries of the pancreas", int((data["primary"] == "pancreas").sum())),
        "rectum": ("primaries of the rectum", int((data["primary"] == "rectum").sum())),
    }
    total = float(values["japan"]) + float(values["china"])
    loose = 0.0 if fixed else total
    rows = [("patients", total, "printed", float(len(data)), 0.0)]
    rows += [
        (label, float(values[key]), "printed", float(count), loose)
        for key, (label, count) in drawn.items()
    ]
    late, grade2 = float(len(rectal)), float((rectal["grade"] == "G2").sum())
    rows.append(
        ("asynchronous rectal", float(values["asynchronous_rectum"]), "derived", late, loose)
    )
    rows.append(("of them G2", float(values["asynchronous_rectum_g2"]), "derived", grade2, loose))
    return rows


def coefficients(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return ``model, term, coefficient``."""
    rows = [
        ("death (log hazard ratio)", "primary resected", float(values["primary_effect"])),
        ("death (log hazard ratio)", "liver resected", float(values["liver_effect"])),
        ("death (log hazard ratio)", "type III", float(values["type_iii_death"])),
        ("type III (log odds ratio)", "asynchronous rectal", float(values["rectal_type_iii"])),
    ]
    return pd.DataFrame(rows, columns=["model", "term", "coefficient"])


def estimands(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return ``estimand, endpoint, group, months, measure, value``.

    Hazard ratios of the resections are those of one patient (given everything that bears on
    death); the median interval is that of all who will have a metastasis, seen or not, and of
    those whose interval is within the longest window.
    """
    rows: list[tuple[str, str, str, float, str, float]] = [
        (
            f"resection of the {what}",
            "overall survival",
            "resected against not yet",
            np.nan,
            "HR",
            float(np.exp(float(values[f"{key}_effect"]))),
        )
        for what, key in (("primary", "primary"), ("liver metastases", "liver"))
    ]
    longest = float(values["longest_window"])
    for primary in PRIMARIES:
        law = interval_law(values, primary)
        name = "interval from primary to metastasis"
        rows.append((name, "interval", primary, np.nan, "median", float(law.median())))
        within = float(law.ppf(0.5 * law.cdf(longest)))
        rows.append((f"{name}, within the window", "interval", primary, longest, "median", within))
    columns = ["estimand", "endpoint", "group", "months", "measure", "value"]
    return pd.DataFrame(rows, columns=columns)
