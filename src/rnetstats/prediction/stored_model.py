"""Whether a risk model read back from JSON is whole: a file may be cut short, or edited by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.errors import ReadError
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.terms import quote

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["check_stored"]

_COUNTS = ("n", "n_missing", "n_events", "n_events_by_horizon", "event_share", "mean_risk")
_TOLERANCE = 1e-8  # of the largest eigenvalue, for what rounding makes of a zero


def check_stored(model: RiskModel) -> None:
    """Refuse a model of which a part cannot be used.

    Raises
    ------
    ReadError
        If a part is no number, not of its size, absent, or impossible.
    """
    for check in (_options, _words, _counts, _design, _domain, _matrices, _baseline, _thin):
        for wrong in check(model):
            raise ReadError(f"This RiskModel is damaged: {wrong}. Make it again from its fit.")


def _options(model: RiskModel) -> Iterator[str]:
    level = model.options.get("conf_level", 0.95)
    if not _number(level) or not 0.0 < level < 1.0:
        yield f"conf_level is {level!r}"


def _words(model: RiskModel) -> Iterator[str]:
    """What is printed of the model, and its horizon."""
    for name in ("outcome", "method", "limits", "fingerprint"):
        if not isinstance(getattr(model, name), str):
            yield f"{name} is no text"
    for name in ("labels", "summary"):
        if not isinstance(getattr(model, name), dict):
            yield f"{name} is no table of names"
    if not all(isinstance(label, str) for label in model.labels.values()):
        yield "a label is no text"
    if model.baseline is None:
        if model.horizon is not None:
            yield "it has a horizon and no baseline hazard"
    elif model.horizon is None or not _number(model.horizon) or model.horizon <= 0.0:
        yield f"its horizon is {model.horizon!r}"


def _counts(model: RiskModel) -> Iterator[str]:
    """The counts behind the model are numbers; of patients there are events too."""
    about = model.summary
    for name in _COUNTS:
        if name in about and (not _number(about[name]) or about[name] < 0.0):
            yield f"its {name} is {about[name]!r}"
    if ("n" in about) != ("n_events" in about):
        yield "its patients and their events are not both counted"


def _design(model: RiskModel) -> Iterator[str]:
    """Every term has columns, every spline rising knots, and every variable is described."""
    if not all(model.design.encoders):
        yield "a term of its design is empty"
    for text, learnt in model.spec["learnt"].items():
        if not _rising(learnt.get("knots", ())) or not _rising(learnt.get("boundary", ())):
            yield f"the knots of {text} do not rise"
    strata = () if model.baseline is None else model.baseline["columns"]
    offsets = (source.column for source in parse_formula(model.design.formula).offsets)
    for column in sorted({*model.design.variables, *strata, *offsets} - set(model.variables)):
        yield f"{quote(column)} is not described"


def _domain(model: RiskModel) -> Iterator[str]:
    """Each variable has two limits in their order, or its levels, or neither."""
    for name, about in model.variables.items():
        values = about.get("values") or ()
        ranged = "low" in about or "high" in about
        if ranged and not _rising((about.get("low"), about.get("high"))):
            yield f"the range of {quote(name)} is {about.get('low')!r} to {about.get('high')!r}"
        if not isinstance(values, tuple) or not all(isinstance(v, (str, Real)) for v in values):
            yield f"the values of {quote(name)} are no levels"
        elif ranged and not all(map(_number, values)):
            yield f"the values of {quote(name)} are no numbers"


def _matrices(model: RiskModel) -> Iterator[str]:
    p = len(model.design.columns)
    joint = model.leverage
    if joint is not None:
        inverse, largest = joint["inverse"], joint["largest"]
        if not _square(inverse, {p, p + 1}) or not _number(largest) or largest < 0.0:
            yield "its joint domain (leverage) is not finite, or not square"
    if model.covariance is not None:
        if not _square(model.covariance, {p}):
            yield f"its covariance is no matrix of {p} by {p} numbers"
        elif not _is_covariance(model.covariance):
            yield "its covariance has negative eigenvalues, or is not symmetric"
    for name in ("draws", "draw_hazard"):
        part = getattr(model, name)
        if part is not None and not _numeric(part):
            yield f"{name} holds what is no number"
    yield from _draws(model)


def _draws(model: RiskModel) -> Iterator[str]:
    """Of a time, a baseline hazard for each resample beside its coefficients."""
    if model.draws is None:
        if model.draw_hazard is not None:
            yield "it has hazards of resamples and not their coefficients"
        return
    if model.baseline is None:
        if model.draw_hazard is not None:
            yield "it has hazards of resamples and no baseline hazard"
    else:
        shape = (len(model.draws), len(model.baseline["labels"]))
        if model.draw_hazard is None or model.draw_hazard.shape != shape:
            yield "draw_hazard is no table of a row a resample"


def _baseline(model: RiskModel) -> Iterator[str]:
    """A hazard for each stratum, and the patient that it is of."""
    base = model.baseline
    if base is None:
        return
    for name in ("columns", "labels"):
        if not isinstance(base[name], tuple) or not all(isinstance(x, str) for x in base[name]):
            yield f"the {name} of its baseline are no texts"
    sizes = {"hazard": len(base["labels"]), "centre": len(model.coef)}
    for name, size in sizes.items():
        if not _numeric(base[name]) or base[name].shape != (size,):
            yield f"the {name} of its baseline is no array of {size} numbers"
    if base.get("variance") is not None:
        for name, shape in {
            "variance": (sizes["hazard"],),
            "mean_hazard": (sizes["hazard"], sizes["centre"]),
        }.items():
            if not _numeric(base[name]) or base[name].shape != shape:
                yield f"the {name} of its baseline is not of its size"
    events = base.get("events")
    if events is not None and (not _numeric(events) or events.shape != (sizes["hazard"],)):
        yield "the events of its baseline are no number a stratum"
    parts = (base["hazard"], base.get("variance"))
    if any(part is not None and np.min(part, initial=0.0) < 0.0 for part in parts):
        yield "its baseline hazard, or the variance of that, is negative"


def _thin(model: RiskModel) -> Iterator[str]:
    for level in model.thin:
        start, stop = level["columns"]
        known = _number(level["count"]) and isinstance(level["text"], str)
        if not known or not 0 <= start < stop <= len(model.coef) or level["place"] >= stop - start:
            yield "a level with few events (thin) is not described"


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _rising(values: tuple[Any, ...]) -> bool:
    return all(map(_number, values)) and list(values) == sorted(values)


def _numeric(part: Any) -> bool:
    return (
        isinstance(part, np.ndarray) and part.dtype.kind in "fiu" and bool(np.isfinite(part).all())
    )


def _square(part: Any, sizes: set[int]) -> bool:
    return _numeric(part) and part.ndim == 2 and part.shape[0] == part.shape[1] in sizes


def _is_covariance(matrix: np.ndarray) -> bool:
    scale = np.sqrt(np.abs(np.diag(matrix)))
    scale = np.where(scale > 0.0, scale, 1.0)
    unit = matrix / np.outer(scale, scale)
    return bool(
        np.allclose(unit, unit.T, atol=_TOLERANCE) and np.linalg.eigvalsh(unit).min() > -1e-6
    )
