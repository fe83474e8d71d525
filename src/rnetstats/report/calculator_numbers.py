"""A risk model as plain numbers for a page's script: nothing that the script cannot compute.

Splines, restricted and natural, become the same thing: on each piece between two knots a cubic in
the distance from its beginning, beyond the outer knots a line. The bootstrap's draws are packed
as little-endian doubles in base64.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats._core.distributions import normal_quantile
from rnetstats.errors import OptionError, ReadError
from rnetstats.formula.encoders import Encoder, FactorEncoder, SplineEncoder
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.terms import Condition, Log, Plain, quote
from rnetstats.formula.variables import Floats, level_text
from rnetstats.prediction.source import bare_strata, lacks_limits

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["page_numbers"]

_ROUNDING = 1e-7  # relative, of the largest leverage; as in rnetstats.prediction.domain
_CUBIC = np.linspace(0.0, 1.0, 4)  # of a piece, where its cubic is read off


def page_numbers(model: RiskModel) -> dict[str, Any]:
    """Return what the page's script computes with, as strict JSON types.

    Raises
    ------
    OptionError
        If the model stands on an estimator that is not linear.
    ReadError
        If its parts do not fit together (a file changed by hand).
    """
    if model.coef.size == 0:
        raise OptionError(
            "No calculator can be made of an estimator that is not linear: the page would need "
            "the estimator itself. Fit logistic() or cox()."
        )
    _check_parts(model)
    encoders = list(dict.fromkeys(e for parts in model.design.encoders for e in parts))
    places = {encoder: place for place, encoder in enumerate(encoders)}
    return {
        "variables": [_variable(name, about) for name, about in model.variables.items()],
        "encoders": [_encoder(encoder) for encoder in encoders],
        "terms": [[places[e] for e in parts] for parts in model.design.encoders],
        "intercept": model.design.intercept,
        "offsets": [_source(source) for source in parse_formula(model.design.formula).offsets],
        "coef": _plain(model.coef),
        "baseline": _baseline(model),
        "z": normal_quantile(model.conf_level),
        "level": model.conf_level,
        "covariance": None if model.covariance is None else _plain(model.covariance),
        "draws": None if model.draws is None else _packed(model.draws),
        "draw_hazard": None if model.draw_hazard is None else _packed(model.draw_hazard),
        "leverage": _leverage(model),
        "thin": _thin(model),
    }


def _plain(values: Any) -> Any:
    """Nested lists of finite numbers."""
    array = np.asarray(values, dtype=float)
    if not np.isfinite(array).all():
        raise ReadError("The model holds a number that is not finite; make it again from its fit.")
    return array.tolist()


def _packed(values: Floats) -> dict[str, Any]:
    array = np.ascontiguousarray(values, dtype="<f8")
    return {
        "rows": array.shape[0],
        "columns": array.shape[1],
        "data": base64.b64encode(array.tobytes()).decode("ascii"),
    }


def _variable(name: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """What tells whether a patient lies in the domain of one variable."""
    values = [_level(value) for value in about.get("values") or ()]
    stratum = bool(about.get("stratum"))
    number = not stratum and ("low" in about or not values)
    found: dict[str, Any] = {"name": name, "number": number, "stratum": stratum, "values": values}
    if number and "low" in about:
        found |= {"low": float(about["low"]), "high": float(about["high"])}
    shown = about.get("values") or ()
    found["known"] = (
        " or ".join(map(level_text, shown)) if number else ", ".join(repr(v) for v in shown)
    )
    return found


def _level(value: Any) -> str | float | int:
    """A level as the script compares it: text, or a number (truth values are 0 and 1)."""
    if isinstance(value, str):
        return value
    return int(value) if float(value).is_integer() else float(value)


def _source(atom: Plain | Log) -> dict[str, Any]:
    return {"column": atom.column, "log": isinstance(atom, Log), "text": atom.text}


def _encoder(encoder: Encoder) -> dict[str, Any]:
    """One atom of the design: how a value becomes columns."""
    atom = encoder.atom
    if isinstance(encoder, SplineEncoder):
        return {"kind": "spline", **_source(encoder.atom.source), **_pieces(encoder)}
    if isinstance(encoder, FactorEncoder):
        levels = [_level(level) for level in encoder.levels]
        return {"kind": "factor", "column": encoder.atom.column, "levels": levels}
    if isinstance(atom, Condition):
        return {
            "kind": "condition",
            "column": atom.column,
            "operator": atom.operator,
            "literal": _level(atom.literal),
        }
    return {"kind": "number", **_source(encoder.atom)}  # type: ignore[arg-type]


def _pieces(encoder: SplineEncoder) -> dict[str, Any]:
    """Beginning, width and coefficients (1, u, u^2, u^3) by column of each piece.

    u is the distance from the piece's beginning over its width. The first and the last piece are
    the lines beyond the outer knots; u is below 0 in the first.
    """
    inner = np.array(encoder.knots)
    knots = np.array([*encoder.boundary[:1], *inner, *encoder.boundary[1:]])
    solve = np.linalg.inv(np.vander(_CUBIC, increasing=True))
    begins, widths, pieces = [], [], []

    def line(at: float, width: float, far: float) -> None:
        ends = encoder.basis(np.array([at, far]))
        slope = (ends[1] - ends[0]) * (width / (far - at))
        begins.append(at)
        widths.append(width)
        pieces.append(np.vstack([ends[0], slope, np.zeros((2, ends.shape[1]))]))

    line(knots[0], knots[1] - knots[0], 2.0 * knots[0] - knots[1])
    for low, high in pairwise(knots):
        begins.append(low)
        widths.append(high - low)
        pieces.append(solve @ encoder.basis(low + (high - low) * _CUBIC))
    width = knots[-1] - knots[-2]
    line(knots[-1], width, knots[-1] + width)
    return {
        "knots": _plain(knots),
        "begins": _plain(begins),
        "widths": _plain(widths),
        "pieces": _plain(pieces),
    }


def _baseline(model: RiskModel) -> dict[str, Any] | None:
    base = model.baseline
    if base is None:
        return None
    columns = list(base["columns"])
    variance = base.get("variance")
    bare = bare_strata(base, resampled=model.draws is not None)
    return {
        "columns": columns,
        "labels": list(base["labels"]),
        "parts": [_parts(columns, label) for label in base["labels"]],
        "bare": [bare.get(code, "") for code in range(len(base["labels"]))],
        "hazard": _plain(base["hazard"]),
        "centre": _plain(base["centre"]),
        "variance": None if variance is None else _plain(variance),
        "mean_hazard": None if variance is None else _plain(base["mean_hazard"]),
    }


def _parts(columns: list[str], label: str) -> list[str]:
    """The level of each column in a stratum's label; joined again they are the label."""
    if len(columns) < 2:
        return [label] * len(columns)
    found, rest = [], label
    for following in columns[1:]:
        part, _, rest = rest.partition(f", {following}=")
        found.append(part)
    return [found[0].removeprefix(f"{columns[0]}="), *found[1:], rest]


def _leverage(model: RiskModel) -> dict[str, Any] | None:
    if model.leverage is None:
        return None
    largest = float(model.leverage["largest"])
    return {
        "inverse": _plain(model.leverage["inverse"]),
        "largest": largest,
        "beyond": largest * (1.0 + _ROUNDING),
        "shown": f"{largest:.3g}",
    }


def _thin(model: RiskModel) -> list[dict[str, Any]]:
    """Levels at which the risk has no limits: their columns of the design, and what is said."""
    found = []
    for level in model.thin:
        start, stop = level["columns"]
        row = np.zeros((1, len(model.design.columns)))
        if level["place"] >= 0:
            row[0, start + level["place"]] = 1.0
        resampled, timed = model.draws is not None, model.baseline is not None
        text = lacks_limits((level,), row, resampled=resampled, timed=timed)[0]
        if text:
            place = int(level["place"])
            found.append({"start": int(start), "stop": int(stop), "place": place, "text": text})
    return found


def _check_parts(model: RiskModel) -> None:
    """Refuse a model whose parts are of different sizes, or lack a variable."""
    p = len(model.design.columns)
    base, joint = model.baseline, model.leverage
    strata = 1 if base is None else len(base["labels"])
    needed = {*model.design.variables, *(() if base is None else base["columns"])}
    needed |= {source.column for source in parse_formula(model.design.formula).offsets}
    lacking = sorted(needed - set(model.variables))
    shapes: list[tuple[str, Any, set[tuple[int, ...]]]] = [
        ("covariance", model.covariance, {(p, p)}),
        ("draws", model.draws, {(len(model.draws), p)} if model.draws is not None else set()),
        (
            "draw_hazard",
            model.draw_hazard,
            {(len(model.draws), strata)} if model.draws is not None else set(),
        ),
        ("leverage", None if joint is None else joint["inverse"], {(p, p), (p + 1, p + 1)}),
        ("hazard", None if base is None else base["hazard"], {(strata,)}),
        ("centre", None if base is None else base["centre"], {(p,)}),
        ("variance", None if base is None else base.get("variance"), {(strata,)}),
    ]
    wrong = [
        name for name, part, sizes in shapes if part is not None and np.shape(part) not in sizes
    ]
    if model.baseline is not None and model.draws is not None and model.draw_hazard is None:
        wrong.append("draw_hazard")
    if wrong or lacking:
        what = (
            f"{wrong[0]} is not of its size" if wrong else f"{quote(lacking[0])} is not described"
        )
        raise ReadError(f"The model is damaged: {what}. Make it again from its fit.")
