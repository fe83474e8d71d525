"""Published coefficients as they are typed in: each column of the design named exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnetstats._core.options import real
from rnetstats.errors import FormulaError, OptionError, closest
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.spec import INTERCEPT, Spec
from rnetstats.formula.terms import quote
from rnetstats.formula.variables import Floats, level_text

__all__ = ["by_name", "read_centre", "read_labels", "read_slopes"]


def by_name(option: str, given: Any) -> Mapping[str, Any]:
    """Return what is given by name, or say what is asked for."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise OptionError(
            f"{option} is a mapping of names to values, as in {option}={{'size_mm': ...}}, not "
            f"{given!r}."
        )
    return given


def read_labels(labels: Any) -> dict[str, str]:
    """Printed names, texts by name."""
    given = by_name("labels", labels)
    for name, label in given.items():
        if not isinstance(label, str):
            raise OptionError(f"labels[{name!r}] is a text, not {label!r}.")
    return dict(given)


def read_slopes(spec: Spec, coefficients: Mapping[str, Any], scale: str) -> Floats:
    """Coefficients in the order of the design, each named exactly once."""
    if not isinstance(coefficients, Mapping):
        raise OptionError("coefficients is a mapping of columns to numbers.")
    places = {c.name: i for i, c in enumerate(spec.columns) if c.name != INTERCEPT}
    given = _flat(spec, coefficients)
    unknown = [name for name in given if name not in places]
    if unknown:
        raise OptionError(
            f"coefficients: {unknown[0]!r} is no column of the model; they are "
            f"{', '.join(map(repr, places))}.{closest(unknown[0], places)}"
        )
    missing = [name for name in places if name not in given]
    if missing:
        raise OptionError(f"coefficients: {', '.join(map(repr, missing))} has no number.")
    values = np.array([real(f"coefficients[{name!r}]", given[name]) for name in places])
    if scale == "coefficient":
        return values
    wrong = [name for name in places if given[name] <= 0]
    if wrong:
        raise OptionError(
            f"coefficients[{wrong[0]!r}]: a ratio is positive, not {given[wrong[0]]}."
        )
    return np.asarray(np.log(values))


def _flat(spec: Spec, coefficients: Mapping[str, Any]) -> dict[str, Any]:
    """Spread factors and splines given as a whole; ``nlr > 4.44`` stands for ``I(nlr > 4.44)``."""
    terms = {term.name: term for term in spec.terms}
    flat: dict[str, Any] = {}
    for key, value in coefficients.items():
        name = _canonical(str(key), terms)
        part = {name: value}
        if name in terms and isinstance(value, Mapping):
            part = {f"{name}[{level_text(level)}]": number for level, number in value.items()}
        elif name in terms and isinstance(value, Sequence) and not isinstance(value, str):
            columns = spec.columns[terms[name].columns]
            if len(columns) != len(value):
                raise OptionError(f"coefficients[{key!r}] must have {len(columns)} numbers.")
            part = {column.name: number for column, number in zip(columns, value, strict=True)}
        twice = [column for column in part if column in flat]
        if twice:
            raise OptionError(f"coefficients: {twice[0]!r} is given twice.")
        flat |= part
    return flat


def _canonical(key: str, terms: Mapping[str, Any]) -> str:
    """Write a column's or a term's name as the design has it."""
    if key in terms:
        return key
    for text in (key, f"I({key})", quote(key)):
        try:
            parsed = parse_formula(f"~ {text}")
        except FormulaError:
            continue
        name = ":".join(atom.text for atom in parsed.terms[0]) if len(parsed.terms) == 1 else ""
        if name in terms:
            return name
    if key.endswith("]") and "[" in key:
        term, level = key.rsplit("[", 1)
        return f"{_canonical(term, terms)}[{level}"
    return key


def read_centre(spec: Spec, centre: Mapping[str, float]) -> Floats:
    """Values taken off the columns of the design, zero where none is named (p,)."""
    places = {c.name: i for i, c in enumerate(spec.columns) if c.name != INTERCEPT}
    shift = np.zeros(len(spec.columns))
    terms = {term.name: term for term in spec.terms}
    for key, value in centre.items():
        name = _canonical(str(key), terms)
        if name not in places:
            raise OptionError(f"centre: {name!r} is no column of the model.{closest(name, places)}")
        shift[places[name]] = real(f"centre[{name!r}]", value)
    return shift
