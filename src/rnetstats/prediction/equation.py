"""A risk model in words: each coefficient, each condition and each piece of a spline written out.

The text can be evaluated by hand or in a spreadsheet: ``[a = b]`` is 1 where the condition holds
and 0 where not; splines are written with ``max(x - knot, 0)^3``.

References
----------
Harrell FE (2015). Regression Modeling Strategies, 2nd ed. Springer, section 2.4.5.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.errors import OptionError
from rnetstats.formula.encoders import Encoder, FactorEncoder, SplineEncoder
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.terms import Condition, Log, quote
from rnetstats.formula.variables import Floats, level_text

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["equation", "truncated_powers"]

_DECIMALS = 6  # of the sum of a spline's pieces, at least, with as many digits


def equation(model: RiskModel, digits: int) -> str:
    """Return the model as an equation; see the head of this module.

    Raises
    ------
    OptionError
        If the model stands on an estimator that is not linear.
    """
    if model.coef.size == 0:
        raise OptionError("An estimator that is not linear has no equation.")
    binary = model.baseline is None
    name = "log odds" if binary else "log relative hazard"
    event = _event(model)
    head = f"{name} of {event} ="
    lines = [head, *(f"  {line}" for line in _sum(model, digits))]
    if binary:
        lines.append(f"risk of {event} = 1 / (1 + exp(-(log odds)))")
    else:
        lines += _from_hazard(model, digits)
    if any("[" in line for line in lines):
        lines.append("where [condition] is 1 if the condition holds and 0 if not.")
    return "\n".join(lines)


def _event(model: RiskModel) -> str:
    """The event as the formula names it, without the times."""
    left = parse_formula(f"{model.outcome} ~ 1").outcome
    assert left is not None
    return left.event.comparison if isinstance(left.event, Condition) else left.event.text


def _sum(model: RiskModel, digits: int) -> list[str]:
    """The parts of the linear predictor, one a line."""
    design = model.design
    parts: list[tuple[float, str]] = []
    fine: dict[str, int] = {}
    if design.intercept:
        parts.append((float(model.coef[0]), ""))
    for term, encoders in zip(design.terms, design.encoders, strict=True):
        weights = model.coef[term.columns]
        if len(encoders) > 1:
            parts += _products(encoders, weights)
            continue
        pieces = _pieces(encoders[0], weights)
        if isinstance(encoders[0], SplineEncoder):
            enough = _digits_of(model, encoders[0], weights, digits)
            fine |= {text: enough for _, text in pieces if text}
        parts += pieces
    for source in parse_formula(design.formula).offsets:
        parts.append((1.0, source.text))
    return [
        _part(value, text, fine.get(text, digits), first=place == 0)
        for place, (value, text) in enumerate(_merged(parts))
    ]


def _digits_of(model: RiskModel, encoder: SplineEncoder, weights: Floats, digits: int) -> int:
    """Digits at which the pieces of a spline, large numbers that cancel, add up to its value.

    To so many decimals as there are digits, 6 at most, at the largest value that the model knows.
    """
    _, slope, cubes, knots = truncated_powers(encoder, weights)
    reach = float(model.variables[encoder.atom.columns[0]].get("high", knots[-1]))
    if isinstance(encoder.atom.source, Log):
        reach = float(np.log(reach))
    past = np.maximum(max(reach, knots[-1]) - np.array(knots), 0.0)
    size = abs(slope * reach) + float(np.abs(cubes) @ past**3)
    before = int(np.ceil(np.log10(5.0 * size))) if size > 0.0 else 0
    return min(max(digits, before + min(digits, _DECIMALS)), 17)


def _merged(parts: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Add up what multiplies the same: constants above all."""
    total: dict[str, float] = {}
    for value, text in parts:
        total[text] = total.get(text, 0.0) + value
    return [(value, text) for text, value in total.items()]


def _part(value: float, text: str, digits: int, *, first: bool) -> str:
    sign = "-" if value < 0 else ("" if first else "+")
    number = f"{abs(value):.{digits}g}"
    body = f"{number} * {text}" if text else number
    return f"{sign} {body}" if sign and not first else f"{sign}{body}"


def _pieces(encoder: Encoder, weights: Floats) -> list[tuple[float, str]]:
    """A main effect as numbers and what they multiply."""
    if isinstance(encoder, SplineEncoder):
        return _spline(encoder, weights)
    return [(float(w), text) for w, text in zip(weights, _texts(encoder), strict=True)]


def _texts(encoder: Encoder) -> list[str]:
    """What each column of a number or a factor is, in words."""
    if isinstance(encoder, FactorEncoder):
        name = quote(encoder.atom.columns[0])
        return [f"[{name} = {level_text(level)}]" for level in encoder.levels[1:]]
    atom = encoder.atom
    if isinstance(atom, Condition):
        told = {"==": "=", "!=": "is not"}.get(atom.operator, atom.operator)
        literal = atom.literal if isinstance(atom.literal, str) else level_text(atom.literal)
        return [f"[{quote(atom.column)} {told} {literal}]"]
    return [atom.text]


def _spline(encoder: SplineEncoder, weights: Floats) -> list[tuple[float, str]]:
    constant, slope, cubes, knots = truncated_powers(encoder, weights)
    x = encoder.atom.source.text
    parts = [(slope, x)]
    parts += [
        (float(c), f"max({x} - {_knot(knot)}, 0)^3") for c, knot in zip(cubes, knots, strict=True)
    ]
    return parts if constant == 0.0 else [(constant, ""), *parts]


def _knot(value: float) -> str:
    text = f"{value:.15g}"  # 1.055, not the 1.0550000000000002 of a quantile
    return f"({text})" if value < 0 else text


def truncated_powers(
    encoder: SplineEncoder, weights: Floats
) -> tuple[float, float, Floats, tuple[float, ...]]:
    """Return constant, slope and the coefficient of each knot's cube of a spline.

    Every cubic spline that is linear beyond its outer knots is a constant, a line and a sum of
    ``max(x - knot, 0)^3``, whatever the basis that it was fitted in.
    """
    knots = encoder.knots
    if encoder.boundary:
        knots = (encoder.boundary[0], *knots, encoder.boundary[1])
    k = np.array(knots)
    if encoder.boundary:
        constant, slope, cubes = _natural_cubes(k, encoder.basis(k) @ weights)
        return constant, slope, cubes, knots
    line = np.asarray(weights)
    inner, last, scale = k[:-2], k[-1], (k[-1] - k[0]) ** 2
    width, curve = last - k[-2], line[1:] / scale
    cubes = np.concatenate(
        [
            curve,
            [-float(curve @ (last - inner)) / width, float(curve @ (k[-2] - inner)) / width],
        ]
    )
    return 0.0, float(line[0]), cubes, knots


def _natural_cubes(k: Floats, values: Floats) -> tuple[float, float, Floats]:
    """Constant, slope and cubes of the natural spline through values (K,) at its knots k (K,).

    Its second derivatives at the knots, 0 at the outer two, solve a system that is diagonally
    dominant, however unevenly the knots lie.
    """
    h = np.diff(k)
    rise = np.diff(values) / h
    bend = np.zeros(len(k))
    if len(k) > 2:
        system = np.diag(2.0 * (h[:-1] + h[1:])) + np.diag(h[1:-1], 1) + np.diag(h[1:-1], -1)
        bend[1:-1] = np.linalg.solve(system, 6.0 * np.diff(rise))
    cubes = np.diff(np.diff(bend) / h, prepend=0.0, append=0.0) / 6.0
    slope = float(rise[0] - h[0] * bend[1] / 6.0)
    return float(values[0] - slope * k[0]), slope, cubes


def _products(encoders: tuple[Encoder, ...], weights: Floats) -> list[tuple[float, str]]:
    """An interaction: the product of what its parts' columns are."""
    texts = [_column_texts(encoder) for encoder in encoders]
    # Columns run with the first part fastest.
    names = [" * ".join(reversed(parts)) for parts in product(*reversed(texts))]
    return [(float(w), name) for w, name in zip(weights, names, strict=True)]


def _column_texts(encoder: Encoder) -> list[str]:
    if not isinstance(encoder, SplineEncoder):
        return _texts(encoder)
    found = []
    for unit in np.eye(len(encoder.labels)):
        parts = [(v, t) for v, t in _spline(encoder, unit) if v != 0.0]
        told = [_part(v, t, 17, first=i == 0) for i, (v, t) in enumerate(parts)]
        found.append(f"({' '.join(told)})")
    return found


def _from_hazard(model: RiskModel, digits: int) -> list[str]:
    base = model.baseline
    assert base is not None
    at_zero = base["hazard"] * np.exp(-float(base["centre"] @ model.coef))
    what = f"risk of {_event(model)} by {model.horizon:g}"
    if len(at_zero) == 1:
        return [f"{what} = 1 - exp(-{at_zero[0]:.{digits}g} * exp(log relative hazard))"]
    name = ", ".join(base["columns"])
    lines = [f"{what} = 1 - exp(-H0 * exp(log relative hazard)), with H0 by {name}:"]
    lines += [
        f"  {label}: {value:.{digits}g}"
        for label, value in zip(base["labels"], at_zero, strict=True)
    ]
    return lines
