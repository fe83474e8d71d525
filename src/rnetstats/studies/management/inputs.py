"""From a cohort to its inputs: which columns there are, what they hold, what is assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import column
from rnetstats.errors import ColumnError, OptionError, closest
from rnetstats.studies.management.cells import INPUTS, Category, Codes, Floats

__all__ = ["Inputs", "read_inputs"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """The inputs of n patients.

    Attributes
    ----------
    n : int
    numbers : dict of float arrays (n,)
        NaN where missing.
    codes : dict of int arrays (n,)
        The place among the input's values, -1 where missing.
    used : dict
        The column behind each input.
    assumed : dict
        For how many patients a missing input was given an assumed value.
    """

    n: int
    numbers: dict[str, Floats]
    codes: dict[str, Codes]
    used: dict[str, str]
    assumed: dict[str, int]

    def number(self, name: str) -> Floats:
        """Return the numbers of an input, all missing if there is no such column."""
        return self.numbers.get(name, np.full(self.n, np.nan))

    def has(self, name: str, value: str) -> NDArray[np.bool_]:
        """Whether each patient has this value of a category."""
        about = INPUTS[name]
        assert isinstance(about, Category)
        return np.asarray(self.code(name) == about.values.index(value))

    def code(self, name: str) -> Codes:
        """Return the codes of an input, all missing if there is no such column."""
        return self.codes.get(name, np.full(self.n, -1))

    def there(self, name: str) -> NDArray[np.bool_]:
        """Whether an input is recorded of each patient."""
        if isinstance(INPUTS[name], Category):
            return np.asarray(self.code(name) >= 0)
        return ~np.isnan(self.number(name))


def read_inputs(
    frame: pd.DataFrame, columns: Mapping[str, str] | None, assumed: Mapping[str, Any]
) -> Inputs:
    """Read the inputs of a cohort.

    Parameters
    ----------
    frame : DataFrame
    columns : mapping, optional
        The column of an input whose name differs; the others are found by their own name.
    assumed : mapping
        Values for inputs where they are missing.

    Raises
    ------
    OptionError
        If ``columns`` names an input that there is not.
    ColumnError
        If a named column is not there, or the cohort has none of the inputs.
    DataError
        If a cell holds what it cannot.
    """
    used = _used(frame, columns)
    numbers: dict[str, Floats] = {}
    codes: dict[str, Codes] = {}
    for name, source in used.items():
        about = INPUTS[name]
        if isinstance(about, Category):
            codes[name] = about.read(frame[source], source)
        else:
            numbers[name] = about.read(frame[source], source)
    recorded = Inputs(len(frame), numbers, codes, used, {})
    return _with_assumed(recorded, assumed)


# An assumption on an input is not needed where another tells as much.
_INSTEAD = {
    "margin": ("margin_positive", "rim_mm"),
    "margin_positive": ("margin", "rim_mm"),
    "grade": ("ki67", "mitoses"),
    "lvi": ("lymphatic_invasion", "vascular_invasion"),
    "t_stage": ("invasion",),
    "invasion": ("t_stage",),
}


def _with_assumed(recorded: Inputs, assumed: Mapping[str, Any]) -> Inputs:
    """Fill inputs where neither they nor what tells as much is recorded."""
    numbers, codes = dict(recorded.numbers), dict(recorded.codes)
    filled: dict[str, int] = {}
    for name, value in assumed.items():
        lacking = ~recorded.there(name)
        for other in _INSTEAD.get(name, ()):
            lacking &= ~recorded.there(other)
        about = INPUTS[name]
        if isinstance(about, Category):
            codes[name] = np.where(lacking, about.values.index(value), recorded.code(name))
        else:
            numbers[name] = np.where(lacking, value, recorded.number(name))
        if lacking.any():
            filled[name] = int(lacking.sum())
    return Inputs(recorded.n, numbers, codes, recorded.used, filled)


def _used(frame: pd.DataFrame, columns: Mapping[str, str] | None) -> dict[str, str]:
    renamed = {} if columns is None else columns
    if not isinstance(renamed, Mapping):
        raise OptionError(f"columns must map inputs to columns, not {columns!r}.")
    for name, source in renamed.items():
        if name not in INPUTS:
            raise OptionError(
                f"columns: there is no input {name!r}.{closest(str(name), INPUTS)} The inputs "
                f"are: {', '.join(INPUTS)}."
            )
        if not isinstance(source, str | int):
            raise OptionError(f"columns: {name!r} must name a column, not {source!r}.")
        if source not in frame.columns:
            column(frame, f"{source}")
    found = {name: str(name) for name in INPUTS if name in frame.columns}
    taken = set(renamed.values())
    # a column that was named for another input is not also taken by its own name
    found = {name: source for name, source in found.items() if source not in taken}
    used = {**found, **renamed}
    if not used:
        raise ColumnError(
            f"The cohort has none of the inputs {', '.join(INPUTS)}. Name its columns, such as "
            'columns={"size_mm": "diameter"}.'
        )
    return {name: used[name] for name in INPUTS if name in used}
