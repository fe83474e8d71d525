"""The two ends of interval-censored times, with the checks that they must pass."""

from __future__ import annotations

import numpy as np

from rnetstats.errors import DataError
from rnetstats.formula.rows import Rows
from rnetstats.formula.variables import Floats

__all__ = ["interval_ends"]


def interval_ends(left_name: str, right_name: str, rows: Rows) -> tuple[Floats, Floats]:
    """Return the ends (n,) of intervals (left, right]; what was read so goes to the rows' notes.

    Ends that differ by rounding alone are one time: such an interval is the time of an event seen.

    Raises
    ------
    DataError
        An end is negative, or the left one lies after the right one.
    ColumnError
        A column holds no numbers.
    """
    left_column, right_column = rows.variables[left_name], rows.variables[right_name]
    left, right = (
        left_column.numbers("an end of an interval"),
        right_column.numbers("an end of an interval"),
    )
    for column, values in ((left_column, left), (right_column, right)):
        if (values < 0).any():
            raise DataError(
                f"The time {column.name!r} is negative in {column.where(values < 0)}; "
                "times count from the start of follow-up."
            )
    left, right = rows.merged([left, right])
    wrong = left > right
    if wrong.any():
        raise DataError(
            f"{left_name!r} is after {right_name!r} in {left_column.where(wrong)}; "
            f"the event lies in ({left_name}, {right_name}]."
        )
    still_free = int(np.count_nonzero(np.isinf(right)))
    if still_free:
        noun, verb = ("row", "has") if still_free == 1 else ("rows", "have")
        rows.notes.append(
            f"{still_free} {noun} of {len(right)} {verb} no right end ({right_name} missing or "
            f"infinite): free of the event up to {left_name}, right-censored there."
        )
    return left, right
