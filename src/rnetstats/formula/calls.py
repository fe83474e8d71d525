"""The functions of the formula language, each read from its own tokens and never called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NoReturn

from rnetstats.errors import closest
from rnetstats.formula.cursor import Cursor
from rnetstats.formula.terms import (
    Atom,
    Condition,
    Factor,
    LeftSide,
    Log,
    Plain,
    Source,
    Spline,
)
from rnetstats.formula.tokens import Literal, Token

__all__ = ["Special", "left_side", "right_call"]

_COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=")
_OTHER_NAMES: Final = {
    "factor": "C",
    "as_factor": "C",
    "ordered": "C",
    "bs": "ns",
    "cr": "rcs",
    "poly": "rcs",
    "cut": "I",
    "ln": "log",
    "frailty": "cluster",
}


@dataclass(frozen=True, slots=True)
class Special:
    """What stands among the terms without being one: ``1``, offset, strata or cluster."""

    kind: str
    columns: tuple[str, ...] = ()
    source: Source | None = None


def left_side(cursor: Cursor) -> LeftSide:
    """Read the outcome: ``y``, ``y == value``, ``Surv(...)`` or ``Interval(left, right)``."""
    form = "the outcome is a column, column == value, Surv(time, event) or Interval(left, right)"
    if not cursor.at_call():
        return LeftSide(_event(cursor, form))
    name = cursor.advance()
    if name.text not in ("Surv", "Interval"):
        hint = closest(name.text, ["Surv", "Interval"])
        cursor.refuse(f"unknown function {name.text!r}", f"{form}.{hint}".rstrip("."), name)
    cursor.expect("(", form)
    return _interval(cursor) if name.text == "Interval" else _surv(cursor)


def _surv(cursor: Cursor) -> LeftSide:
    form = "it is Surv(time, event) or Surv(start, stop, event)"
    times = [cursor.column(form)]
    cursor.expect(",", form)
    event = _event(cursor, form)
    if isinstance(event, Plain) and cursor.take(","):
        times.append(event.column)
        event = _event(cursor, form)
    cursor.expect(")", form)
    return LeftSide(event, tuple(times))


def _interval(cursor: Cursor) -> LeftSide:
    form = "it is Interval(left, right): the event lies in (left, right]"
    left = cursor.column(form)
    cursor.expect(",", form)
    token = cursor.token
    right = cursor.column(form)
    if right == left:
        cursor.refuse(f"both ends are the column {left!r}", form, token)
    cursor.expect(")", form)
    return LeftSide(Plain(right), (left,), interval=True)


def _event(cursor: Cursor, form: str) -> Plain | Condition:
    column = cursor.column(form)
    if cursor.take("=="):
        return Condition(column, "==", cursor.literal(form))
    if cursor.token.text in _COMPARISONS and cursor.token.kind == "mark":
        cursor.unexpected("on the left side only '==' compares")
    return Plain(column)


def right_call(cursor: Cursor) -> Atom | Special:
    """Read a call of the right side, from its name to its closing parenthesis."""
    name = cursor.advance()
    reader = _READERS.get(name.text)
    if reader is None:
        _unknown(cursor, name)
    cursor.advance()
    result = reader(cursor)
    cursor.expect(")", f"{_FORMS[name.text]} is its form")
    return result


def _unknown(cursor: Cursor, name: Token) -> NoReturn:
    other = _OTHER_NAMES.get(name.text)
    hint = f" Did you mean {other!r}?" if other else closest(name.text, _READERS)
    cursor.refuse(
        f"unknown function {name.text!r}",
        f"the functions are {', '.join(_READERS)}.{hint}".rstrip("."),
        name,
    )


def _source(cursor: Cursor, form: str) -> Source:
    if cursor.at_call() and cursor.token.text == "log":
        cursor.advance()
        cursor.advance()
        source = Log(cursor.column(_FORMS["log"] + " is its form"))
        cursor.expect(")", _FORMS["log"] + " is its form")
        return source
    return Plain(cursor.column(form))


def _named(cursor: Cursor, allowed: tuple[str, ...], form: str) -> str | None:
    """Take ``name =`` if the next token is a name; refuse names that are not allowed."""
    if cursor.token.kind != "name":
        return None
    name = cursor.token.text
    if name not in allowed or cursor.token.quoted:
        cursor.refuse(f"{name!r} is no option here", f"{form} is its form")
    cursor.advance()
    cursor.expect("=", f"{form} is its form")
    return name


def _factor(cursor: Cursor) -> Factor:
    form = _FORMS["C"]
    column = cursor.column(f"{form} is its form")
    ref: Literal | None = None
    if cursor.take(","):
        if _named(cursor, ("ref",), form) is None:
            cursor.unexpected(f"{form} is its form")
        ref = cursor.literal("ref names the reference level")
    return Factor(column, ref)


def _log(cursor: Cursor) -> Log:
    return Log(cursor.column("log() takes one column"))


def _condition(cursor: Cursor) -> Condition:
    form = f"{_FORMS['I']} is its form"
    column = cursor.column(form)
    token = cursor.token
    if token.kind != "mark" or token.text not in _COMPARISONS:
        cursor.unexpected(f"{form}, with one of {' '.join(_COMPARISONS)}")
    cursor.advance()
    return Condition(column, token.text, cursor.literal(form))


def _rcs(cursor: Cursor) -> Spline:
    return _spline(cursor, "rcs", "k", (3, 10), min_knots=3)


def _ns(cursor: Cursor) -> Spline:
    return _spline(cursor, "ns", "df", (1, 10), min_knots=1)


def _spline(
    cursor: Cursor, basis: str, count: str, span: tuple[int, int], *, min_knots: int
) -> Spline:
    form = _FORMS[basis]
    start = cursor.token
    source = _source(cursor, f"{form} is its form")
    options: dict[str, tuple[float, ...]] = {}
    names = (count, "knots") if basis == "rcs" else (count, "knots", "boundary")
    while cursor.take(","):
        token = cursor.token
        name = _named(cursor, names, form) or (count if not options else None)
        if name is None or name in options:
            cursor.refuse("an option too many", f"{form} is its form", token)
        options[name] = (_number(cursor, form),) if name == count else _numbers(cursor, form)
    size = options.get(count)
    knots, boundary = options.get("knots", ()), options.get("boundary", ())
    if (size is None) == (not knots):
        cursor.refuse(f"{basis}() needs either a number or knots", f"{form} is its form", start)
    if size is not None and (size[0] != int(size[0]) or not span[0] <= size[0] <= span[1]):
        cursor.refuse(
            f"{count} is {size[0]:g}", f"it is a whole number from {span[0]} to {span[1]}", start
        )
    _check_knots(cursor, start, knots, boundary, 0 if size else min_knots)
    return Spline(basis, source, int(size[0]) if size else None, knots, boundary)


def _check_knots(
    cursor: Cursor,
    start: Token,
    knots: tuple[float, ...],
    boundary: tuple[float, ...],
    least: int,
) -> None:
    if knots and not least <= len(knots) <= 10:
        cursor.refuse(f"there are {len(knots)} knots", f"{least} to 10 are allowed", start)
    if boundary and len(boundary) != 2:
        cursor.refuse("boundary does not hold two numbers", "it is boundary=[low, high]", start)
    ordered = (*boundary[:1], *knots, *boundary[1:])
    if any(low >= high for low, high in pairwise(ordered)):
        cursor.refuse("the knots do not increase", "they go from low to high, without ties", start)


def _number(cursor: Cursor, form: str) -> float:
    token = cursor.token
    value = cursor.literal(f"{form} is its form")
    if isinstance(value, (str, bool)):
        cursor.refuse(f"{token.text} is not a number", f"{form} is its form", token)
    return float(value)


def _numbers(cursor: Cursor, form: str) -> tuple[float, ...]:
    cursor.expect("[", "knots stand in brackets, as in [10, 20, 30]")
    values = [_number(cursor, form)]
    while cursor.take(","):
        values.append(_number(cursor, form))
    cursor.expect("]", "knots stand in brackets, as in [10, 20, 30]")
    return tuple(values)


def _offset(cursor: Cursor) -> Special:
    return Special("offset", source=_source(cursor, "offset() takes a column or log(column)"))


def _strata(cursor: Cursor) -> Special:
    columns = [cursor.column("strata() takes columns")]
    while cursor.take(","):
        columns.append(cursor.column("strata() takes columns"))
    return Special("strata", tuple(columns))


def _cluster(cursor: Cursor) -> Special:
    return Special("cluster", (cursor.column("cluster() takes one column"),))


_READERS: Final[dict[str, Callable[[Cursor], Atom | Special]]] = {
    "C": _factor,
    "rcs": _rcs,
    "ns": _ns,
    "log": _log,
    "I": _condition,
    "offset": _offset,
    "strata": _strata,
    "cluster": _cluster,
}
_FORMS: Final = {
    "C": 'C(x) or C(x, ref="level")',
    "rcs": "rcs(x, 4) or rcs(x, knots=[1, 2, 3])",
    "ns": "ns(x, 3) or ns(x, knots=[1, 2], boundary=[0, 3])",
    "log": "log(x)",
    "I": "I(x > 3)",
    "offset": "offset(x)",
    "strata": "strata(a, b)",
    "cluster": "cluster(id)",
}
