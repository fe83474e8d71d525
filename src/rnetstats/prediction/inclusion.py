"""What a recipe chose in the resamples: how often each term, and which cut-offs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.percentiles import percentiles

__all__ = ["CUT_OFF", "SELECTED", "agreed_choices", "inclusion_frame"]

Floats = NDArray[np.float64]

SELECTED = "selected: "
"""What begins the name of a choice that is 1 where a term was selected."""

CUT_OFF = "cut-off of "
"""What begins the name of a cut-off."""


def agreed_choices(chosen: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return what several imputations agree on, as arrays (1,).

    A term that half of them keep, the median cut-off, the knots of the first; as the model of the
    recipe has it.
    """
    found = {}
    for name, values in chosen.items():
        if name.startswith(SELECTED):
            found[name] = np.array([float(values.mean() >= 0.5)])
        else:
            found[name] = np.atleast_1d(
                np.median(values) if name.startswith(CUT_OFF) else values[0]
            )
    return found


def inclusion_frame(original: Mapping[str, Floats], chosen: Mapping[str, Floats]) -> dict[str, Any]:
    """Return the columns ``choice, kind, original, frequency, median, low, high``.

    Parameters
    ----------
    original, chosen : mappings of str to array
        What was chosen on the data (1,), and in the resamples (B,).

    References
    ----------
    Heinze G, Wallisch C, Dunkler D (2018). Variable selection: a review and recommendations for
    the practicing statistician. Biometrical Journal 60:431-449.
    """
    rows: list[dict[str, Any]] = []
    for name, values in chosen.items():
        selected = name.startswith(SELECTED)
        have = values[np.isfinite(values)]
        quantiles = percentiles(have, (0.5, 0.025, 0.975))
        rows.append(
            {
                "choice": name.removeprefix(SELECTED),
                "kind": "term" if selected else "value",
                "original": float(original[name][0]) if name in original else np.nan,
                "frequency": float(have.mean()) if selected and have.size else np.nan,
                "median": np.nan if selected else float(quantiles[0]),
                "low": np.nan if selected else float(quantiles[1]),
                "high": np.nan if selected else float(quantiles[2]),
            }
        )
    columns = ("choice", "kind", "original", "frequency", "median", "low", "high")
    return {column: [row[column] for row in rows] for column in columns} if rows else {}
