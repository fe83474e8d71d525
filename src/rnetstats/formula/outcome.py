"""The left side of a formula as arrays, with the checks that an outcome must pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import ColumnError, DataError, FormulaError, OptionError, closest
from rnetstats.formula.encoders import compare
from rnetstats.formula.interval_ends import interval_ends
from rnetstats.formula.rows import Rows
from rnetstats.formula.terms import Condition, LeftSide, Plain
from rnetstats.formula.tokens import Literal
from rnetstats.formula.variables import Floats, Integers, Variable, level_text
from rnetstats.kernels.same_times import as_observed

__all__ = ["KINDS", "Outcome", "build_outcome", "check_left_side"]

_MANY_CODES: Final = 20
_LATEST: Final = 1e100
KINDS: Final = ("binary", "survival", "competing", "interval", "numeric", "either", "none")
_FORMS: Final = {
    "binary": "a 0/1 column or column == value, as in 'margin_positive ~ ...'",
    "survival": "Surv(time, event) or Surv(start, stop, event)",
    "competing": "Surv(time, code), the code 0 for censored",
    "interval": "Interval(left, right), the event in (left, right]",
    "numeric": "a column of numbers",
    "either": "a 0/1 column, column == value, or Surv(...)",
    "none": "nothing: the formula begins with '~'",
}


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The outcome of the rows used.

    Attributes
    ----------
    kind
        binary, survival, competing, interval or numeric.
    name
        The left side as written.
    columns
        The columns of the data that it reads.
    y
        Binary (0.0 or 1.0) or numeric outcome (n,); None for times.
    start, stop
        Entry and exit times (n,), in the units of the data; ``start`` is None without late
        entry. A row is at risk on (start, stop].
    event
        Whether the event was seen at ``stop`` (n,), bool; for competing risks the event of
        ``cause``, or of any cause if none was chosen.
    cause_codes, causes
        Competing risks: 0 for censored and k for ``causes[k - 1]`` (n,), and the causes' names.
    cause
        The chosen cause's code, or None.
    left, right
        Ends (n,) of the interval (left, right] that holds the event: ``right`` is infinite for a
        right-censored row, ``left`` is 0 for a left-censored one, and both are the time of an
        event that was seen. None for other outcomes.
    """

    kind: str
    name: str
    columns: tuple[str, ...]
    y: Floats | None = None
    start: Floats | None = None
    stop: Floats | None = None
    event: NDArray[np.bool_] | None = None
    cause_codes: Integers | None = None
    causes: tuple[str, ...] = ()
    cause: int | None = None
    left: Floats | None = None
    right: Floats | None = None

    @property
    def time_name(self) -> str:
        """The column of the exit times, "" without times."""
        return "" if self.stop is None else self.columns[0 if self.start is None else 1]

    def horizon(self, time: float) -> float:
        """Return a time asked for as the exit time from which only rounding parts it, if any."""
        return time if self.stop is None else float(as_observed(time, self.stop))


def check_left_side(left: LeftSide | None, kind: str, formula: str) -> str:
    """Return the kind of outcome that the left side gives, or say what ``kind`` needs."""
    if kind not in KINDS:
        raise OptionError(f"kind={kind!r} is not allowed; choose one of {', '.join(KINDS)}.")
    if kind == "none":
        return "none"
    if left is not None and left.interval != (kind == "interval"):
        raise FormulaError(_not_intervals(formula, kind))
    has_times = left is not None and bool(left.times)
    if kind == "either" and left is not None:
        return "survival" if has_times else "binary"
    if left is None or has_times != (kind in ("survival", "competing", "interval")):
        raise FormulaError(
            f"The left side of {formula!r} does not fit this analysis, which needs {_FORMS[kind]}."
        )
    return kind


def _not_intervals(formula: str, kind: str) -> str:
    """Say what a verb needs whose left side is an interval and must not be, or the reverse."""
    needs = f"this analysis needs {_FORMS[kind]}"
    if kind == "interval":
        return f"The left side of {formula!r} is no interval; {needs}."
    return (
        f"The left side of {formula!r} is an interval, but {needs}. Interval-censored times are "
        "taken by turnbull() and interval_regression()."
    )


def build_outcome(
    left: LeftSide,
    kind: str,
    rows: Rows,
    *,
    censor: Literal = 0,
    cause: Literal | None = None,
    declared: Mapping[str, str] | None = None,
) -> Outcome:
    """Turn a left side into arrays.

    Parameters
    ----------
    left, kind
        The left side and the kind that :func:`check_left_side` gave. Raises a ``FormulaError``
        if one of them is an interval and the other is not.
    rows
        The rows used; what is noticed goes to their notes.
    censor, cause
        For competing risks: the code of censoring, and the cause of interest or None.
    declared
        For competing risks: what the codebook says that each code means. Others are refused.
    """
    if left.interval:
        if kind != "interval":
            raise FormulaError(_not_intervals(left.text, kind))
        ends = interval_ends(left.times[0], left.event.column, rows)
        return Outcome(kind, left.text, left.columns, left=ends[0], right=ends[1])
    event = rows.variables[left.event.column]
    if kind == "numeric":
        if isinstance(left.event, Condition):
            y = compare(event, left.event)
        else:
            y = event.numbers("this outcome")
        return Outcome(kind, left.text, left.columns, y=y)
    if kind == "binary":
        y = _zero_one(left.event, event, rows)
        return Outcome(kind, left.text, left.columns, y=y)
    start, stop = _times(left, rows)
    if kind == "survival":
        seen = _zero_one(left.event, event, rows) == 1.0
        return Outcome(kind, left.text, left.columns, start=start, stop=stop, event=seen)
    _check_declared(event, declared or {})
    codes, causes, chosen = _causes(left.event, event, censor, cause)
    seen = codes > 0 if chosen is None else codes == chosen
    return Outcome(
        kind,
        left.text,
        left.columns,
        start=start,
        stop=stop,
        event=seen,
        cause_codes=codes,
        causes=causes,
        cause=chosen,
    )


def _zero_one(part: Plain | Condition, variable: Variable, rows: Rows) -> Floats:
    if isinstance(part, Condition):
        flags = compare(variable, part)
        if not flags.any():
            rows.notes.append(f"No row has {part.comparison}.")
        return flags
    if not variable.is_numeric:
        codes, levels = variable.as_factor()
        level = levels[codes.max()]  # the last that occurs
        raise ColumnError(
            f"The outcome {variable.name!r} holds categories; say which one is the event, "
            f"as in {Condition(variable.name, '==', level).comparison}."
        )
    values = variable.numbers("the outcome")
    wrong = (values != 0.0) & (values != 1.0)
    if wrong.any():
        first = level_text(float(values[wrong][0]))
        raise DataError(
            f"The event column {variable.name!r} must be 0 or 1; it is {first} in "
            f"{variable.where(wrong)}. {_codes_hint(part.text, np.unique(values))}"
        )
    return values


def _codes_hint(text: str, codes: Floats) -> str:
    """How a column of other codes than 0 and 1 becomes an event."""
    if len(codes) > _MANY_CODES:
        return "A measurement is made an event first, as a column of 0 and 1 of your own."
    if codes[0] == 0.0 and 1.0 in codes:
        return (
            f"Where 0 means no event and the others are kinds of events, write {text} == 1 for one "
            "kind alone, and the others count as no event; for any of them, make a column of 0 and "
            "1 of your own."
        )
    return f"If another code means the event, write {text} == {level_text(float(codes[-1]))}."


def _times(left: LeftSide, rows: Rows) -> tuple[Floats | None, Floats]:
    columns = [rows.variables[name] for name in left.times]
    times = [variable.numbers("a time") for variable in columns]
    for variable, values in zip(columns, times, strict=True):
        if (values < 0).any():
            raise DataError(
                f"The time {variable.name!r} is negative in {variable.where(values < 0)}; "
                "times count from the start of follow-up."
            )
        if (values > _LATEST).any():
            raise DataError(
                f"The time {variable.name!r} is {values.max():.0e} in "
                f"{variable.where(values > _LATEST)}, whose square a computer cannot hold; give "
                "it in another unit."
            )
    times = rows.merged(times)
    if len(times) == 1:
        zeros = int(np.count_nonzero(times[0] == 0))
        if zeros:
            noun = "row has" if zeros == 1 else "rows have"
            rows.notes.append(f"{zeros} {noun} {left.times[0]} = 0.")
        return None, times[0]
    start, stop = times
    wrong = start >= stop
    if wrong.any():
        raise DataError(
            f"{left.times[0]!r} is not before {left.times[1]!r} in {columns[0].where(wrong)}; "
            "each row is at risk on (start, stop]."
        )
    return start, stop


def _causes(
    part: Plain | Condition, variable: Variable, censor: Literal, cause: Literal | None
) -> tuple[Integers, tuple[str, ...], int | None]:
    if isinstance(part, Condition):
        raise FormulaError(
            f"Competing risks need the coded column itself, Surv(time, {part.column}); "
            "name the event by the option cause=."
        )
    _check_codes(variable, censor)
    codes, levels = variable.as_factor()
    used = set(np.unique(codes).tolist())
    kept = [i for i, level in enumerate(levels) if i in used and not _same(level, censor)]
    if not kept:
        raise DataError(
            f"Column {variable.name!r} has no event: every row is {censor!r}, the censoring code."
        )
    place: Any = np.zeros(len(levels), dtype=np.intp)
    place[kept] = np.arange(1, len(kept) + 1)
    names = tuple(level_text(levels[i]) for i in kept)
    if cause is None:
        return place[codes], names, None
    if np.ndim(cause) > 0:
        raise OptionError(f"cause must be one code, not {cause!r}.")
    chosen = [k for k, i in enumerate(kept, start=1) if _same(levels[i], cause)]
    if not chosen:
        raise OptionError(
            f"cause={cause!r} is no event of column {variable.name!r}; "
            f"its events are {', '.join(names)}, and censor={censor!r}."
        )
    return place[codes], names, chosen[0]


def _check_codes(variable: Variable, censor: Literal) -> None:
    """Refuse codes that are no whole numbers, and a censoring code of another type than theirs."""
    if np.ndim(censor) > 0:
        raise OptionError(f"censor must be one code, not {censor!r}.")
    if variable.values is None:
        named = any(_same(level, censor) for level in variable.levels)
        if not named and isinstance(variable.levels[0], str):
            shown = ", ".join(repr(level) for level in variable.levels[:8])
            hint = closest(str(censor), map(str, variable.levels))
            raise OptionError(
                f"censor={censor!r} is no level of column {variable.name!r}, which holds {shown}; "
                f"say which level means censored, as in censor={variable.levels[0]!r}.{hint}"
            )
        return
    if isinstance(censor, str):
        raise OptionError(
            f"censor={censor!r} is text, but column {variable.name!r} holds numbers; "
            "write the number that means censored, as in censor=0."
        )
    fraction = variable.values != np.floor(variable.values)
    if fraction.any():
        raise DataError(
            f"Column {variable.name!r} holds codes of events, but is "
            f"{level_text(float(variable.values[fraction][0]))} in {variable.where(fraction)}; "
            "codes are whole numbers."
        )


def _check_declared(variable: Variable, declared: Mapping[str, str]) -> None:
    """Refuse codes that the codebook does not declare; without one nothing is checked."""
    if not declared:
        return
    codes, levels = variable.as_factor()
    unknown = [i for i, level in enumerate(levels) if level_text(level) not in declared]
    wrong = np.isin(codes, unknown)
    if wrong.any():
        named = ", ".join(level_text(levels[i]) for i in unknown if (codes == i).any())
        known = ", ".join(f"{code} = {text}" for code, text in declared.items())
        raise DataError(
            f"Column {variable.name!r} is {named} in {variable.where(wrong)}, which its codebook "
            f"does not declare ({known}). Correct the rows, or declare the code."
        )


def _same(level: Literal, other: Literal) -> bool:
    if pd.isna(other):  # NA is neither equal nor unequal
        return False
    return level == other and isinstance(level, str) == isinstance(other, str)
