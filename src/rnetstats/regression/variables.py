"""What a fitted model remembers of each variable: kind, levels, range, typical value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, label_of
from rnetstats.errors import DataError, OptionError, closest
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.encoders import FactorEncoder, source_values
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.spec import Spec
from rnetstats.formula.splines import weighted_quantiles
from rnetstats.formula.tokens import Literal
from rnetstats.formula.variables import Variable, read_variable

__all__ = [
    "checked_value",
    "checked_values",
    "complete_variable",
    "covariates_used",
    "labels_of",
    "new_offset",
    "outcome_name",
    "summarise_variables",
]


def outcome_name(frame: ModelFrame) -> str:
    """Return the left side of the formula as written."""
    return "" if frame.outcome is None else frame.outcome.name


def covariates_used(frame: ModelFrame) -> dict[str, np.ndarray]:
    """Return the variables of the design over the rows used: numbers, or levels."""
    return {name: _column(frame.variables[name]) for name in frame.design.spec.variables}


def _column(variable: Variable) -> np.ndarray:
    if variable.codes is None:
        return np.asarray(variable.values)
    return np.array(variable.levels, dtype=object)[variable.codes]


def known(variables: Mapping[str, Any], name: str) -> None:
    """Refuse what is no variable of the model."""
    if not isinstance(name, str) or name not in variables:
        hint = closest(name, variables)
        names = ", ".join(variables)
        listed = f"Its variables are: {names}." if names else "It has no variables."
        raise OptionError(f"{name!r} is not in the model.{hint} {listed}")


def checked_values(
    variables: Mapping[str, Mapping[str, Any]], variable: str, values: Any
) -> list[Any]:
    """Return the values of a variable that a caller asks for, each as the model knows it.

    Raises
    ------
    OptionError
        If they are no list, a level is unknown, or a number is missing or infinite.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise OptionError(f"values must be a list of values of {variable!r}, not {values!r}.")
    found = [checked_value(variables, variable, value) for value in values]
    if not found:
        raise OptionError("values is empty; name at least one value.")
    return found


def checked_value(variables: Mapping[str, Mapping[str, Any]], variable: str, value: Any) -> Literal:
    """Return one value of a variable, as the model knows it; see :func:`checked_values`."""
    about = variables[variable]
    plain = value.item() if isinstance(value, np.generic) else value
    if "low" in about:  # a numeric variable
        if isinstance(plain, Real) and math.isfinite(float(plain)):
            return plain if isinstance(plain, (int, float)) else float(plain)
        raise OptionError(f"{variable!r} is numeric; {value!r} is no finite number.")
    levels = about["values"]
    for level in levels:
        if isinstance(plain, (str, Real)) and plain == level:
            return level  # type: ignore[no-any-return]
    shown = ", ".join(repr(level) for level in levels)
    hint = closest(str(value), map(str, levels))
    raise OptionError(f"{variable!r} has no level {value!r}; it has {shown}.{hint}")


def new_offset(spec: Spec, table: pd.DataFrame) -> np.ndarray:
    """Return the formula's offset for new patients (zero without one), shape (m,)."""
    total = np.zeros(len(table))
    for source in parse_formula(spec.formula).offsets:
        total += source_values(complete_variable(table, source.column), source)
    return total


def complete_variable(table: pd.DataFrame, name: str) -> Variable:
    """Read a column of new patients in which nothing may be missing.

    Raises
    ------
    DataError
        If a value is missing.
    """
    variable = read_variable(table, name)
    if variable.missing is not None:
        raise DataError(
            f"Column {name!r} is missing in {variable.where(variable.missing)}; fill or leave out "
            "these rows."
        )
    return variable


def summarise_variables(frame: ModelFrame) -> dict[str, dict[str, Any]]:
    """Summarise each variable of the design over the rows used.

    Returns
    -------
    dict
        For each variable ``typical`` (median; reference level; 0 of a 0/1 column), ``values``
        (the levels, reference first; empty for a numeric variable), ``low``, ``high`` and
        ``quartiles`` (numeric variables only).
    """
    spec = frame.design.spec
    levels = _factor_levels(spec)
    found: dict[str, dict[str, Any]] = {}
    for name in spec.variables:
        if name in levels:
            values = levels[name]
            found[name] = {"typical": values[0], "values": values}
            continue
        variable = frame.variables[name]
        if variable.values is None:  # compared with a literal by I()
            found[name] = {"typical": variable.levels[0], "values": tuple(variable.levels)}
            continue
        found[name] = _numeric(variable.values, frame.freq_weights)
    return found


def _numeric(values: np.ndarray, freq: np.ndarray | None) -> dict[str, Any]:
    if freq is not None:  # a row of weight 0 is not there
        values, freq = values[freq > 0], freq[freq > 0]
    low, high = float(values.min()), float(values.max())
    if low == 0.0 and high == 1.0 and bool(((values == 0.0) | (values == 1.0)).all()):
        return {"typical": 0, "values": (0, 1), "low": low, "high": high}
    if freq is None:
        lower, middle, upper = _quartiles(np.sort(values))
    else:
        shares = np.array([0.25, 0.5, 0.75])
        lower, middle, upper = weighted_quantiles(values, shares, freq).tolist()
    return {
        "typical": middle,
        "values": (),
        "low": low,
        "high": high,
        "quartiles": (lower, upper),
    }


def _quartiles(ordered: np.ndarray) -> list[float]:
    found = []
    for share in (0.25, 0.5, 0.75):
        place = (ordered.size - 1) * share
        below = float(ordered[int(place)])
        above = float(ordered[min(int(place) + 1, ordered.size - 1)])
        found.append(below + (place - int(place)) * (above - below))
    return found


def _factor_levels(spec: Spec) -> dict[str, tuple[Any, ...]]:
    """Levels of each variable that the design reads as a factor, as they stand in the data."""
    return {
        encoder.atom.columns[0]: tuple(encoder.levels)
        for parts in spec.encoders
        for encoder in parts
        if isinstance(encoder, FactorEncoder)
    }


def _plain_condition(name: str) -> str:
    """Write ``I(x > 3)`` as ``x > 3`` and ``I(g == "a")`` as ``g = a``; leave all else."""
    if not (name.startswith("I(") and name.endswith(")")):
        return name
    return name[2:-1].replace(" == ", " = ").replace('"', "")


def labels_of(data: Data, frame: ModelFrame) -> dict[str, str]:
    """Return the printed name of each term and of the outcome's columns."""
    if not isinstance(data, pd.DataFrame):  # a mapping carries no labels
        return {}
    names: dict[str, str] = {}
    for term in frame.design.terms:
        if term.kind == "interaction" or len(term.variables) != 1:
            continue
        variable = term.variables[0]
        label = label_of(data, variable)
        if label != variable:
            names[variable] = label
        if term.name != variable:
            names[term.name] = _plain_condition(term.name).replace(variable, label)
    outcome = frame.outcome
    for column in () if outcome is None else outcome.columns:
        label = label_of(data, column)
        if label != column:
            names[column] = label
    return names
