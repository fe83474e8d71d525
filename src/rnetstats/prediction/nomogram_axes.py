"""The axes of a nomogram: which variables stand on one, at which values, what each contributes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.errors import OptionError
from rnetstats.formula.encoders import SplineEncoder
from rnetstats.formula.terms import Condition, Log
from rnetstats.formula.variables import Floats
from rnetstats.prediction.nomogram_ticks import nice_ticks, round_values

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["Axis", "variable_axes"]

_GRID = 200  # intervals of a curve
_PIECE = 40  # intervals between two knots of a spline, however close they lie
_MOST = 24  # axes of one interaction


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One axis: a variable's values with what each adds to the linear predictor.

    Attributes
    ----------
    component : int
        Variables joined by interactions are one component; each patient uses one axis of it.
    variable : str
    given : dict
        Levels of the other variables of its interactions.
    kind : {"levels", "steps", "line", "curve"}
        Levels of a factor; a number that only conditions read; a straight line; anything else.
    values : list
        Levels, or rising numbers; a jump has two that differ in the last digit.
    effect : array
        Contribution to the linear predictor at each value.
    """

    component: int
    variable: str
    given: dict[str, Any]
    kind: str
    values: list[Any]
    effect: Floats


def variable_axes(model: RiskModel) -> list[Axis]:
    """Return the axes of all variables, in the order of the model.

    Raises
    ------
    OptionError
        If two numeric variables interact, a range is not known, or there are too many axes.
    """
    axes: list[Axis] = []
    for place, names in enumerate(_components(model)):
        numeric = [name for name in names if not _has_levels(model, name)]
        if len(numeric) > 1:
            raise OptionError(
                f"{' and '.join(numeric)} interact: a nomogram has no axis for two numbers at "
                "once. Use predict()."
            )
        own = numeric[0] if numeric else names[-1]
        others = [name for name in names if name != own]
        levels = [model.variables[name]["values"] for name in others]
        combinations = list(product(*levels))
        if len(combinations) > _MOST:
            raise OptionError(
                f"The interactions of {', '.join(names)} would need {len(combinations)} axes, more "
                f"than {_MOST}. Use predict()."
            )
        for combination in combinations:
            given = dict(zip(others, combination, strict=True))
            kind, values = _values(model, own)
            effect = _effect(model, names, own, values, given)
            axes.append(Axis(place, own, given, kind, values, effect))
    return axes


def _components(model: RiskModel) -> list[list[str]]:
    """Variables joined by interactions, each set in the order of the model."""
    sets: list[set[str]] = []
    for term in model.design.terms:
        joined = set(term.variables)
        apart = []
        for other in sets:
            if other & joined:
                joined |= other
            else:
                apart.append(other)
        sets = [*apart, joined]
    order = {name: i for i, name in enumerate(model.design.variables)}
    found = [sorted(names, key=order.__getitem__) for names in sets]
    return sorted(found, key=lambda names: order[names[0]])


def _has_levels(model: RiskModel, name: str) -> bool:
    return bool(model.variables[name].get("values"))


def _atoms(model: RiskModel, name: str) -> list[Any]:
    """The encoders that read a variable."""
    found = [e for parts in model.design.encoders for e in parts if name in e.atom.columns]
    return list(dict.fromkeys(found))


def _values(model: RiskModel, name: str) -> tuple[str, list[Any]]:
    """The kind of a variable's axis, and the values to compute it at."""
    about = model.variables[name]
    if about.get("values"):
        return "levels", list(about["values"])
    if "low" not in about:
        raise OptionError(
            f"{name!r} has no range in this model, so that it has no axis; name it with ranges=."
        )
    low, high = float(about["low"]), float(about["high"])
    encoders = _atoms(model, name)
    jumps = [e.atom for e in encoders if isinstance(e.atom, Condition)]
    grid = {low, high}
    for condition in jumps:
        grid |= _around(condition, low, high)
    if len(jumps) == len(encoders):
        return "steps", sorted(grid)
    grid |= {tick for tick in nice_ticks(low, high) if low <= tick <= high}
    straight = not any(isinstance(e, SplineEncoder) or isinstance(e.atom, Log) for e in encoders)
    if not straight:
        grid |= set(round_values(low, high))
        grid |= set(np.linspace(low, high, _GRID + 1).tolist())
        for encoder in encoders:
            if isinstance(encoder, SplineEncoder):
                grid |= _between_knots(encoder, low, high)
        if any(isinstance(getattr(e.atom, "source", e.atom), Log) for e in encoders) and low > 0:
            grid |= set(np.geomspace(low, high, _GRID + 1).tolist())
    values = sorted(value for value in grid if low <= value <= high)
    return ("line" if straight and not jumps else "curve"), values


def _between_knots(encoder: SplineEncoder, low: float, high: float) -> set[float]:
    """Values enough for each piece of a spline: those of a skewed variable lie close together."""
    knots = np.array([*encoder.knots, *encoder.boundary])
    if isinstance(encoder.atom.source, Log):
        knots = np.exp(knots)
    edges = np.unique(np.clip([low, *knots, high], low, high))
    pieces = [np.linspace(a, b, _PIECE + 1) for a, b in pairwise(edges)]
    return set(np.concatenate(pieces).tolist())


def _around(condition: Condition, low: float, high: float) -> set[float]:
    """The values on both sides of a condition's jump, within the range."""
    at = float(condition.literal)
    below, above = float(np.nextafter(at, -np.inf)), float(np.nextafter(at, np.inf))
    sides = {"<=": {at, above}, ">": {at, above}, "<": {below, at}, ">=": {below, at}}
    return {v for v in sides.get(condition.operator, {below, at, above}) if low <= v <= high}


def _effect(
    model: RiskModel, names: list[str], own: str, values: list[Any], given: dict[str, Any]
) -> Floats:
    """What a component adds to the linear predictor, other variables of no account."""
    n = len(values)
    columns: dict[str, Any] = {}
    for name in model.design.variables:
        if name == own:
            columns[name] = np.array(values, dtype=object if _is_text(values) else None)
        else:
            columns[name] = np.full(n, given.get(name, _any_value(model, name)))
    X = model.design.matrix(columns)
    inside = [term for term in model.design.terms if set(term.variables) <= set(names)]
    effect = np.zeros(n)
    for term in inside:
        effect += X[:, term.columns] @ model.coef[term.columns]
    return effect


def _is_text(values: list[Any]) -> bool:
    return any(isinstance(value, str) for value in values)


def _any_value(model: RiskModel, name: str) -> Any:
    about = model.variables[name]
    values = about.get("values")
    return values[0] if values else about.get("high", 1.0)
