"""A risk model of published numbers: the design from a formula, levels and knots as printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from rnetstats._core.options import choice, real
from rnetstats.errors import FormulaError, OptionError, closest
from rnetstats.formula.encoders import Encoder, FactorEncoder, NumberEncoder, SplineEncoder
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.spec import Spec, make_spec
from rnetstats.formula.terms import Atom, Condition, Factor, Formula, Log, Plain, Spline
from rnetstats.formula.variables import Floats
from rnetstats.prediction.published_coefficients import read_centre, read_slopes

__all__ = ["PUBLISHED", "published_fields"]

PUBLISHED = "published coefficients"

_NO_RANGE = "no range was given; every value is taken, and none is outside the domain."


def published_fields(
    formula: str,
    coefficients: Mapping[str, Any],
    *,
    intercept: float | None,
    baseline_survival: float | None,
    horizon: float | None,
    scale: str,
    levels: Mapping[str, Sequence[Any]],
    ranges: Mapping[str, tuple[float, float]],
    centre: Mapping[str, float],
    covariance: Any,
    source: str,
) -> dict[str, Any]:
    """Return the fields of a RiskModel of published coefficients.

    Raises
    ------
    FormulaError
        If the formula has no left side, or strata, clusters or offsets.
    OptionError
        If a coefficient is missing, unknown or no number, or levels, knots or the baseline are.
    """
    choice("scale", scale, ("coefficient", "ratio"))
    parsed = parse_formula(formula)
    if parsed.outcome is None or parsed.strata or parsed.cluster or parsed.offsets:
        raise FormulaError(
            f"{formula!r}: a published model has the form 'outcome ~ terms', without strata(), "
            "cluster() and offset()."
        )
    logistic = _kind(parsed, intercept, baseline_survival, horizon)
    spec = _spec(parsed, levels, intercept=logistic)
    slopes = read_slopes(spec, coefficients, scale)
    shift = read_centre(spec, centre)
    notes: list[str] = []
    variables = _variables(spec, levels, ranges, notes)
    fields: dict[str, Any] = {
        "outcome": parsed.outcome.text,
        "spec": spec.to_dict(),
        "variables": variables,
        "covariance": _covariance(covariance, len(spec.columns)),
        "method": PUBLISHED + (f" ({source})" if source else ""),
        "limits": "none" if covariance is None else "Wald on the linear predictor",
    }
    if logistic:
        assert intercept is not None
        start = real("intercept", intercept) - float(shift[1:] @ slopes)
        fields["coef"] = np.concatenate([[start], slopes])
        fields["covariance"] = _uncentred(fields["covariance"], shift)
    else:
        assert baseline_survival is not None
        assert horizon is not None
        if covariance is not None:
            raise OptionError(
                "The limits of a Cox model's risk need the variance of its baseline hazard too; "
                "leave covariance out."
            )
        fields |= {"coef": slopes, "horizon": real("horizon", horizon, low=0.0, closed=False)}
        fields["baseline"] = _baseline(baseline_survival, shift)
    if covariance is None:
        notes.append("The risk has no limits: the covariance of the coefficients is not known.")
    notes.append("The joint domain is not known; each variable is compared with its own range.")
    return fields | {"notes": tuple(notes)}


def _kind(
    parsed: Formula,
    intercept: float | None,
    baseline_survival: float | None,
    horizon: float | None,
) -> bool:
    """Say whether the model is logistic; refuse what contradicts its left side."""
    assert parsed.outcome is not None
    if parsed.outcome.times:
        if baseline_survival is None or horizon is None or intercept is not None:
            raise OptionError(
                "A model of Surv() has baseline_survival= and horizon=, and no intercept."
            )
        return False
    if intercept is None or baseline_survival is not None or horizon is not None:
        raise OptionError(
            "A model of a binary outcome has intercept=, and no baseline_survival or horizon."
        )
    return True


def _spec(parsed: Formula, levels: Mapping[str, Sequence[Any]], *, intercept: bool) -> Spec:
    known = set(parsed.term_columns)
    for name, values in levels.items():
        if name not in known:
            raise OptionError(f"levels: {name!r} is not in the formula.{closest(name, known)}")
        if not _are_levels(values):
            raise OptionError(
                f"levels[{name!r}] must list at least two different levels, texts or numbers."
            )
    terms = tuple(tuple(_encoder(atom, levels) for atom in term) for term in parsed.terms)
    if not terms:
        raise FormulaError("A model needs at least one term.")
    return make_spec(str(parsed), intercept, terms)


def _are_levels(values: Any) -> bool:
    if not isinstance(values, Sequence) or isinstance(values, str):
        return False
    plain = all(
        isinstance(value, str) or (isinstance(value, Real) and np.isfinite(float(value)))
        for value in values
    )
    return plain and len(set(values)) == len(values) >= 2


def _encoder(atom: Atom, levels: Mapping[str, Sequence[Any]]) -> Encoder:
    if isinstance(atom, Spline):
        if not atom.knots or (atom.basis == "ns" and not atom.boundary):
            raise OptionError(
                f"{atom.text}: write the published knots, as in rcs(x, knots=[5, 10, 20]) or "
                "ns(x, knots=[10], boundary=[0, 50])."
            )
        return SplineEncoder(atom, tuple(map(float, atom.knots)), tuple(map(float, atom.boundary)))
    given = tuple(levels.get(atom.column, ()))
    if isinstance(atom, Factor) or (isinstance(atom, Plain) and given and not _is_binary(given)):
        if not given:
            raise OptionError(f"{atom.text}: name its levels, levels={{{atom.column!r}: [...]}}.")
        ref = atom.ref if isinstance(atom, Factor) else None
        if ref is not None:
            if ref not in given:
                raise OptionError(f"{atom.text}: {ref!r} is not among its levels.")
            given = (ref, *(level for level in given if level != ref))
        return FactorEncoder(atom, given)
    assert isinstance(atom, (Plain, Log, Condition))
    return NumberEncoder(atom)


def _is_binary(given: Iterable[Any]) -> bool:
    return tuple(given) == (0, 1)


def _baseline(survival: float, centre: Floats) -> dict[str, Any]:
    value = real("baseline_survival", survival, low=0.0, high=1.0, closed=False)
    return {
        "columns": (),
        "labels": ("",),
        "hazard": np.array([-np.log(value)]),
        "variance": None,
        "mean_hazard": None,
        "centre": centre,
    }


def _covariance(given: Any, p: int) -> Floats | None:
    if given is None:
        return None
    try:
        matrix = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (p, p) or not np.isfinite(matrix).all():
        raise OptionError(f"covariance must be a finite matrix of {p} by {p}, intercept first.")
    values = np.linalg.eigvalsh(0.5 * (matrix + matrix.T))
    if not np.allclose(matrix, matrix.T) or values[0] < -1e-8 * abs(values[-1]):
        raise OptionError("covariance must be symmetric and without negative eigenvalues.")
    return matrix


def _uncentred(matrix: Floats | None, shift: Floats) -> Floats | None:
    """Turn the covariance of an intercept at the centre into that of one at zero."""
    if matrix is None:
        return None
    turn = np.eye(len(matrix))
    turn[0, 1:] = -shift[1:]
    turned = turn @ matrix @ turn.T
    return np.asarray(0.5 * (turned + turned.T))


def _variables(
    spec: Spec,
    levels: Mapping[str, Sequence[Any]],
    ranges: Mapping[str, tuple[float, float]],
    notes: list[str],
) -> dict[str, dict[str, Any]]:
    atoms = [encoder.atom for parts in spec.encoders for encoder in parts]
    for name in ranges:
        if name not in spec.variables:
            raise OptionError(
                f"ranges: {name!r} is not in the formula.{closest(name, spec.variables)}"
            )
    found: dict[str, dict[str, Any]] = {}
    for name in spec.variables:
        text = any(
            isinstance(a, Condition) and a.column == name and isinstance(a.literal, str)
            for a in atoms
        )
        given = tuple(levels.get(name, ()))
        if text and not given:
            raise OptionError(f"{name!r} is compared with text; name its levels.")
        if given and not _is_binary(given):
            found[name] = {"typical": given[0], "values": given}
        elif given:
            found[name] = {"typical": 0, "values": (0, 1), "low": 0.0, "high": 1.0}
        elif name in ranges:
            found[name] = _range(name, ranges[name])
            logs = [log.text for log in map(_logarithm, atoms) if log and log.column == name]
            if logs and found[name]["low"] <= 0.0:
                raise OptionError(
                    f"ranges[{name!r}] begins at {found[name]['low']:g}, where {logs[0]} does not "
                    "exist; begin above 0."
                )
        else:
            found[name] = {"values": ()}
            notes.append(f"{name}: {_NO_RANGE}")
    return found


def _logarithm(atom: Atom) -> Log | None:
    """The logarithm in an atom, a spline's among them."""
    source = atom.source if isinstance(atom, Spline) else atom
    return source if isinstance(source, Log) else None


def _range(name: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        raise OptionError(f"ranges[{name!r}] is a pair, (smallest, largest).")
    low, high = (real(f"ranges[{name!r}]", value) for value in given)
    if low >= high:
        raise OptionError(f"ranges[{name!r}] must rise, not {given!r}.")
    return {"typical": 0.5 * (low + high), "values": (), "low": low, "high": high}
