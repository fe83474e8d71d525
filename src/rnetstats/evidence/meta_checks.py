"""What a table of studies may hold: whole counts within their patients, positive errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import DataError
from rnetstats.evidence.meta_measures import Measure

__all__ = ["check_values", "some_studies"]

Flags: TypeAlias = NDArray[np.bool_]

_COUNTS = ("events_1", "n_1", "events_2", "n_2")
_POSITIVE = ("n_1", "n_2", "time_1", "time_2", "std_error")
_ANY = ("coef", "estimate", "conf_low", "conf_high", "mean_1", "mean_2")  # may be near 0
_MOST = 2.0**53  # whole numbers are exact up to here
_REACH = 1e30  # squares and cubes of what lies within are numbers still
_LOG_REACH = 300.0  # of a logarithm whose ratio is a number


def some_studies(names: Sequence[str], flagged: Flags) -> str:
    """Name the first few studies with their row: ``'row 3 (Smith 2004), row 7 (Li 2010)'``."""
    rows = np.flatnonzero(flagged)
    shown = ", ".join(f"row {i + 1} ({names[i]})" for i in rows[:4])
    return shown + (f" and {len(rows) - 4} more" if len(rows) > 4 else "")


def check_values(
    table: pd.DataFrame,
    measure: Measure,
    layout: str,
    names: Sequence[str],
    named: Mapping[str, str],
) -> None:
    """Refuse values that cannot be; missing ones are passed over.

    Raises
    ------
    DataError
    """

    def refuse(column: str, flagged: Flags, what: str) -> None:
        if flagged.any():
            first = float(table[column].to_numpy()[np.flatnonzero(flagged)[0]])
            raise DataError(
                f"{named.get(column, column)} {what} in {some_studies(names, flagged)}: {first:g}."
            )

    for column in table.columns:
        values = table[column].to_numpy(dtype=float)
        size = np.abs(values)
        refuse(column, size > _REACH, f"is beyond {_REACH:g}")
        refuse(column, (size > 0) & (size < 1 / _REACH) & (column not in _ANY), "is too small")
        if column in _COUNTS:
            refuse(column, (values != np.floor(values)) & ~np.isnan(values), "is no whole number")
            refuse(column, values < 0, "is negative")
            refuse(column, values > _MOST, "is too large a count")
        if column in _POSITIVE:
            refuse(column, values <= 0, "is not above 0")
        if column in ("sd_1", "sd_2"):
            refuse(column, values < 0, "is negative")
        if layout == "means" and column in ("n_1", "n_2"):
            refuse(column, values < 2, "is below 2, which leaves no standard deviation,")
        if measure.log and column == "coef":
            refuse(
                column, size > _LOG_REACH, f"is no logarithm of {measure.article} {measure.words}"
            )
        if measure.log and column in ("estimate", "conf_low", "conf_high"):
            words = f"is not above 0, as {measure.article} {measure.words} is"
            refuse(column, values <= 0, f"{words} (log estimates go to coef),")
    for arm in ("1", "2") if layout == "table" else ():
        events, n = table[f"events_{arm}"].to_numpy(), table[f"n_{arm}"].to_numpy()
        other = named.get(f"n_{arm}", f"n_{arm}")
        refuse(f"events_{arm}", events > n, f"is more than {other}")
    if "conf_low" in table.columns:
        _check_limits(table, names)


def _check_limits(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse limits in the wrong order, or that do not hold their estimate."""
    low, high = table["conf_low"].to_numpy(), table["conf_high"].to_numpy()
    estimate = table["estimate"].to_numpy()
    wrong = (low >= high) | (estimate < low) | (estimate > high)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"The limits do not hold their estimate in {some_studies(names, wrong)}: "
            f"{estimate[i]:g} with {low[i]:g} to {high[i]:g}."
        )
