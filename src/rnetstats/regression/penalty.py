"""The penalty of a regression: its name, its strength, the coefficients that it falls on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnetstats._core.options import choice, real
from rnetstats.errors import OptionError, closest
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.spec import INTERCEPT
from rnetstats.kernels.log_f import LogF
from rnetstats.regression.recession import Recession

__all__ = [
    "LOG_F",
    "PENALTIES",
    "Strength",
    "finite_under",
    "penalty_options",
    "prior_name",
    "prior_notes",
    "prior_of",
    "read_strength",
    "unpenalised",
]

LOG_F = "log-f"
PENALTIES = ("firth", LOG_F, None)
_ODD = 100.0  # standard deviation of a column, in its units
Strength = float | dict[str, float] | None


def read_strength(penalty: str | None, m: float | Mapping[str, float] | None) -> Strength:
    """Check the options ``penalty`` and ``m`` together; m is 1 where it is left out.

    Raises
    ------
    OptionError
        If m is given without log-F priors, or is not a positive number, or not one a term.
    """
    choice("penalty", penalty, PENALTIES)
    if penalty != LOG_F:
        if m is not None:
            raise OptionError(f"m={m!r} is the strength of log-F priors: add penalty='log-f'.")
        return None
    if m is None:
        return 1.0
    if not isinstance(m, Mapping):
        return real("m", m, low=0.0, closed=False)
    if not m:
        raise OptionError("m={} penalises no term; name one, or use penalty=None.")
    return {str(term): real(f"m[{term!r}]", value, low=0.0) for term, value in m.items()}


def penalty_options(penalty: str | None, m: Strength) -> dict[str, Any]:
    """Return what a result keeps of both options."""
    return {"penalty": penalty} if penalty != LOG_F else {"penalty": penalty, "m": m}


def prior_of(frame: ModelFrame, m: Strength) -> LogF | None:
    """Return the priors on the columns of a design, or None.

    Raises
    ------
    OptionError
        If a term that is not in the model is named.
    """
    if m is None:
        return None
    terms = [column.term for column in frame.design.columns]
    if isinstance(m, dict):
        for name in m:
            if name not in terms:
                raise OptionError(
                    f"m names {name!r}, which is not a term of the model.{closest(name, terms)} "
                    f"Its terms are: {', '.join(dict.fromkeys(terms))}."
                )
        strength = np.array([m.get(term, 0.0) for term in terms])
    else:
        strength = np.array([0.0 if term == INTERCEPT else m for term in terms])
    held = strength > 0.0
    return LogF(np.eye(len(terms))[held], strength[held]) if held.any() else None


def unpenalised(prior: LogF, p: int) -> np.ndarray:
    """Return which of p coefficients have no prior."""
    free = np.ones(p, dtype=bool)
    free[prior.rows.argmax(axis=1)] = False
    return free


def finite_under(free: np.ndarray, found: Recession) -> Recession:
    """Spread the separation found among the coefficients without a prior over all of them."""
    words = iter(found.direction)
    return Recession(tuple(next(words) if f else "finite" for f in free), found.kind)


def prior_name(m: Strength) -> str:
    """Name the priors as a method."""
    if isinstance(m, dict):
        values = sorted({value for value in m.values() if value > 0.0})
        return "log-F" if len(values) != 1 else f"log-F({values[0]:g}, {values[0]:g})"
    return f"log-F({m:g}, {m:g})"


def prior_notes(frame: ModelFrame, prior: LogF | None, m: Strength) -> tuple[str, ...]:
    """Say which coefficients have a prior, in which unit, and where that depends on the coding."""
    if prior is None:
        return ()
    columns = frame.design.columns
    held = [columns[j] for j in np.flatnonzero(~unpenalised(prior, len(columns)))]
    terms = list(dict.fromkeys(column.term for column in held))
    numeric = {term.name for term in frame.design.terms if term.kind != "factor"}
    units = f"{prior_name(m)} priors stand on {', '.join(terms)}, each coefficient's per unit of "
    units += "its column as coded"
    counted = [term for term in terms if term in numeric and not _is_indicator(frame, term)]
    if counted:
        units += (
            f": another unit of {', '.join(counted)} is another prior (choose one in which a "
            "difference of 1 is a contrast that matters)"
        )
    notes = [units + "."]
    spread = dict(zip((c.name for c in columns), frame.design.X.std(axis=0), strict=True))
    measured = [c.name for c in held if c.term in counted]
    odd = [name for name in measured if not 1.0 / _ODD < spread[name] < _ODD]
    if odd:
        notes.append(
            f"The standard deviation of {', '.join(odd)} is far from 1: in units so small the "
            "prior says next to nothing, in units so large nearly everything. Rescale the column."
        )
    bent = [t.name for t in frame.design.terms if t.name in terms and t.kind == "spline"]
    if bent:
        notes.append(
            f"A prior on the single columns of the spline {', '.join(bent)} has no plain meaning; "
            "leave the term out of m, or enter the variable as a line."
        )
    return tuple(notes)


def _is_indicator(frame: ModelFrame, name: str) -> bool:
    """Whether a term's columns are all 0 or 1."""
    term = next(t for t in frame.design.terms if t.name == name)
    values = frame.design.X[:, term.columns]
    return bool(((values == 0.0) | (values == 1.0)).all())
