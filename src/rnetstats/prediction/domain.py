"""The domain of a model: the patients for whom it was made, by ranges, levels and leverage.

A patient whose values each lie in their range may still be unlike any patient of the model. The
leverage x'(X'X)^-1 x, against the largest of the model's own patients, tells.

References
----------
Cook RD, Weisberg S (1982). Residuals and Influence in Regression. Chapman & Hall, section 2.2.
Weisberg S (2014). Applied Linear Regression, 4th ed. Wiley, section 9.1 (hidden extrapolation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import column
from rnetstats.formula.variables import Floats, Variable, level_text, read_variable

__all__ = ["Examined", "examine", "joint_domain", "leverage"]

_ROUNDING = 1e-7  # relative, of the largest leverage: a patient of the model is inside

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """New patients beside the model's variables.

    Attributes
    ----------
    variables : dict
        The columns read; one that is missing throughout is left out.
    reasons : list of list of str
        For each patient, what is outside the domain; empty if nothing is.
    blocked : bool array of shape (m,)
        No risk exists at all: a value is missing, or a level unknown.
    """

    variables: dict[str, Variable]
    reasons: list[list[str]]
    blocked: Flags

    @property
    def outside(self) -> Flags:
        """Whether each patient is outside for some reason (m,)."""
        return np.array([bool(found) for found in self.reasons], dtype=bool)


def examine(known: Mapping[str, Mapping[str, Any]], table: pd.DataFrame) -> Examined:
    """Compare new patients with the ranges and levels that a model knows.

    Parameters
    ----------
    known : mapping
        Of each variable ``low`` and ``high``, or ``values``, or neither where nothing is known.
    table : DataFrame of m rows

    Raises
    ------
    ColumnError, DataError
        If a variable is absent, of another type, or infinite.
    """
    reasons: list[list[str]] = [[] for _ in range(len(table))]
    blocked = np.zeros(len(table), dtype=bool)
    variables: dict[str, Variable] = {}
    for name, about in known.items():
        gaps = column(table, name).isna().to_numpy(dtype=bool)
        for row in np.flatnonzero(gaps):
            reasons[row].append(f"{name} is missing")
        blocked |= gaps
        if gaps.all():
            continue
        variable = variables[name] = read_variable(table, name)
        if about.get("stratum"):
            continue  # strata are compared as a whole
        if _is_number(about):
            _compare_numbers(name, about, variable, reasons)
        else:
            blocked |= _compare_levels(name, about, variable, reasons)
    return Examined(variables, reasons, blocked)


def _is_number(about: Mapping[str, Any]) -> bool:
    return "low" in about or not about.get("values")


def _compare_numbers(
    name: str, about: Mapping[str, Any], variable: Variable, reasons: list[list[str]]
) -> None:
    values = variable.numbers(f"{name} in the model")
    if "low" not in about:
        return
    low, high = float(about["low"]), float(about["high"])
    for row in np.flatnonzero((values < low) | (values > high)):
        reasons[row].append(f"{name} is {values[row]:.10g}, outside {low:.10g} to {high:.10g}")
    allowed = about.get("values") or ()
    if not allowed:
        return
    between = (values > low) & (values < high) & ~np.isin(values, np.array(allowed, dtype=float))
    shown = " or ".join(level_text(value) for value in allowed)
    for row in np.flatnonzero(between):
        reasons[row].append(f"{name} is {values[row]:.10g}; the model knows {shown}")


def _compare_levels(
    name: str, about: Mapping[str, Any], variable: Variable, reasons: list[list[str]]
) -> Flags:
    codes, levels = variable.as_factor()
    allowed = set(about["values"])
    foreign = [i for i, level in enumerate(levels) if level not in allowed]
    unknown = np.isin(codes, foreign)
    shown = ", ".join(repr(level) for level in about["values"])
    for row in np.flatnonzero(unknown):
        reasons[row].append(f"{name} is {levels[codes[row]]!r}, unknown to the model ({shown})")
    return np.asarray(unknown, dtype=bool)


def joint_domain(X: Floats, freq: Floats | None, *, intercept: bool) -> dict[str, Any]:
    """Return what tells the leverage of new patients: ``inverse`` (q, q) and ``largest``.

    Parameters
    ----------
    X : array of shape (n, p)
        The design of the model's patients.
    freq : array of shape (n,), optional
        Frequency weights; the same as replicated rows.
    intercept : bool
        Whether X begins with the constant 1; it is added where not.
    """
    M = X if intercept else np.column_stack([np.ones(len(X)), X])
    if freq is not None:
        M, freq = M[freq > 0], freq[freq > 0]
    scale = np.sqrt(np.mean(M * M, axis=0))
    scale[scale == 0.0] = 1.0
    S = M / scale
    G = S.T @ (S if freq is None else S * freq[:, None])
    inverse = np.linalg.pinv(G, hermitian=True) / np.outer(scale, scale)
    largest = float(np.einsum("ij,jk,ik->i", M, inverse, M).max())
    return {"inverse": inverse, "largest": largest}


def leverage(joint: Mapping[str, Any], X: Floats) -> tuple[Floats, Flags]:
    """Return each row's leverage (m,) and whether it is beyond all of the model's patients."""
    inverse = joint["inverse"]
    M = X if X.shape[1] == len(inverse) else np.column_stack([np.ones(len(X)), X])
    values = np.einsum("ij,jk,ik->i", M, inverse, M)
    return np.asarray(values), np.asarray(values > joint["largest"] * (1.0 + _ROUNDING))
