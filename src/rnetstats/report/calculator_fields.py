"""The form of a calculator: a field a variable, with its range or its levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnetstats.errors import OptionError
from rnetstats.formula.encoders import FactorEncoder
from rnetstats.formula.terms import Condition
from rnetstats.formula.variables import level_text

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["form_fields", "levels_of_strata"]


def form_fields(model: RiskModel) -> list[dict[str, Any]]:
    """Return the fields in the model's order; the strata are one field.

    Raises
    ------
    OptionError
        If a variable is a stratum and a term at once.
    """
    fields = []
    for place, (name, about) in enumerate(model.variables.items()):
        if about.get("stratum"):
            if name in model.design.variables:
                raise OptionError(
                    f"{name!r} is a stratum and a term at once, of which the model keeps no "
                    "levels; a calculator cannot ask for it."
                )
            continue
        fields.append(_field(model, place, name, about))
    if model.baseline is not None and model.baseline["columns"]:
        label = ", ".join(model.label(name) for name in model.baseline["columns"])
        options = list(model.baseline["labels"])
        fields.append({"kind": "strata", "place": "", "label": label, "options": options})
    return fields


def levels_of_strata(model: RiskModel) -> str:
    """Say which strata have a baseline hazard."""
    assert model.baseline is not None
    return f"stratum; known are {'; '.join(model.baseline['labels'])}"


def _field(model: RiskModel, place: int, name: str, about: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"place": place, "label": model.label(name)}
    values = tuple(about.get("values") or ())
    if values:
        return found | {"kind": "level", "options": _options(model, name, values)}
    hint = "no range is known"
    if "low" in about:
        hint = f"from {about['low']:.10g} to {about['high']:.10g}"
    conditions = _conditions(model, name)
    if conditions:
        hint += f"; counts only as {' or '.join(conditions)}"
    signed = about.get("low", -1.0) < 0  # a phone's decimal keys have no minus sign
    return found | {"kind": "number", "hint": hint, "mode": "text" if signed else "decimal"}


def _options(model: RiskModel, name: str, values: tuple[Any, ...]) -> list[str]:
    """The levels as text; 0 and 1 of a number that is no factor mean no and yes."""
    factor = any(
        isinstance(encoder, FactorEncoder) and name in encoder.atom.columns
        for parts in model.design.encoders
        for encoder in parts
    )
    if not factor and values == (0, 1):
        return ["no (0)", "yes (1)"]
    return [level_text(value) for value in values]


def _conditions(model: RiskModel, name: str) -> list[str]:
    """The conditions by which alone a number counts; none if it counts otherwise too."""
    atoms = {
        encoder.atom
        for parts in model.design.encoders
        for encoder in parts
        if name in encoder.atom.columns
    }
    if not all(isinstance(atom, Condition) for atom in atoms):
        return []
    return sorted(
        f"{a.operator} {level_text(a.literal)}" for a in atoms if isinstance(a, Condition)
    )
