"""The one tidy schema of coefficients, shared by every model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

__all__ = ["COEFFICIENT_COLUMNS", "coefficient_frame"]

COEFFICIENT_COLUMNS = (
    "term",
    "level",
    "n",
    "n_events",
    "measure",
    "estimate",
    "conf_low",
    "conf_high",
    "coef",
    "std_error",
    "statistic",
    "p_value",
    "method",
)


def coefficient_frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Build a frame with exactly the schema's columns, in its order.

    Parameters
    ----------
    columns : mapping of str to array-like
        One entry a column of :data:`COEFFICIENT_COLUMNS`; scalars are repeated.

    Returns
    -------
    DataFrame
        ``estimate`` and its limits on the scale that ``measure`` names, ``coef`` and
        ``std_error`` on the model's own scale.
    """
    missing = [name for name in COEFFICIENT_COLUMNS if name not in columns]
    extra = [name for name in columns if name not in COEFFICIENT_COLUMNS]
    if missing or extra:
        raise AssertionError(f"coefficient schema: missing {missing}, unknown {extra}")
    return pd.DataFrame({name: columns[name] for name in COEFFICIENT_COLUMNS})
