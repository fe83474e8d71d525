"""Whether a codebook agrees with itself: names, sources, rules, derivations, the calendar."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rnetstats.data.rule_check import check_rule, kind_of
from rnetstats.data.rules import Literal, Name, Rule
from rnetstats.errors import CodebookError, closest

if TYPE_CHECKING:
    from rnetstats.data.codebook import Calendar, Codebook, ColumnSpec, Derivation

__all__ = ["check_codebook", "derivation_order"]


def check_codebook(book: Codebook) -> None:
    """Refuse a codebook that contradicts itself.

    Raises
    ------
    CodebookError
        With the table that is wrong.
    """
    if not book.columns:
        raise CodebookError("a codebook needs at least one column: [columns.NAME].")
    for what, names in (
        ("is described twice", [spec.name for spec in book.columns]),
        ("is the source of two columns; derive one", [spec.in_file for spec in book.columns]),
    ):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise CodebookError(f"the column {twice[0]!r} {what}.")
    kinds = {spec.name: kind_of(spec.type) for spec in book.columns}
    levels = {spec.name: spec.levels for spec in book.columns if spec.type == "category"}
    for spec in book.columns:
        with _Where(f"[columns.{spec.name}]"):
            _check_spec(spec, kinds, levels)
    derivation_order(book)
    for number, check in enumerate(book.checks, start=1):
        with _Where(f"[[checks]] number {number}"):
            for rule in (check.rule, check.when):
                if rule is not None:
                    _check_condition(rule, kinds, levels)
    if book.calendar is not None:
        with _Where("[calendar]"):
            _check_calendar(book.calendar, kinds, {s.name: s.unit for s in book.columns})


class _Where:
    """Put the place in the codebook in front of an error."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, CodebookError):
            raise CodebookError(f"{self._place}: {error}") from None


def _check_condition(rule: Rule, kinds: dict[str, str], levels: dict[str, tuple[str, ...]]) -> None:
    check_rule(rule, kinds, levels)
    if not rule.is_condition:
        raise CodebookError(f"the rule {rule.text!r} is a value; a condition is needed here.")


def _check_spec(
    spec: ColumnSpec, kinds: dict[str, str], levels: dict[str, tuple[str, ...]]
) -> None:
    if spec.applies_when is not None:
        _check_condition(spec.applies_when, kinds, levels)
    for derivation in spec.derive:
        if isinstance(derivation, Rule):
            check_rule(derivation, kinds, levels)
            _check_rule_fits(spec, derivation, kinds)
            continue
        for condition in derivation.conditions:
            _check_condition(condition, kinds, levels)
        rules = [value for value in derivation.values if isinstance(value, Rule)]
        for rule in rules:
            check_rule(rule, kinds, levels)
            _check_value_fits(spec, rule, kinds)
        if not rules:
            _check_cases_fit(spec, tuple(v for v in derivation.values if not isinstance(v, Rule)))


def _check_rule_fits(spec: ColumnSpec, rule: Rule, kinds: dict[str, str]) -> None:
    if rule.is_condition:
        if spec.type != "binary":
            raise CodebookError(f"a condition gives 0/1: type must be binary, not {spec.type}.")
        return
    if isinstance(rule.tree, Literal):
        raise CodebookError("derive must name a column.")
    _check_value_fits(spec, rule, kinds)


def _check_value_fits(spec: ColumnSpec, rule: Rule, kinds: dict[str, str]) -> None:
    if rule.is_condition:
        raise CodebookError(f"the rule {rule.text!r} is a condition; a value is needed here.")
    match rule.tree:
        case Name(name):
            made = kinds[name]
        case Literal(str()):
            made = "text"
        case _:
            made = "number"
    if made != kind_of(spec.type) or spec.type == "category":
        raise CodebookError(f"derive gives a {made}, but type is {spec.type}.")


def _check_cases_fit(spec: ColumnSpec, values: tuple[float | str, ...]) -> None:
    allowed: tuple[float | str, ...] = spec.levels
    if spec.type in {"binary", "integer"}:
        allowed = (0.0, 1.0) if spec.type == "binary" else tuple(float(c) for c, _ in spec.codes)
    elif spec.type != "category":
        raise CodebookError(f"a table of cases gives codes or levels; type is {spec.type}.")
    for value in values:
        if allowed and value not in allowed:
            raise CodebookError(
                f"derive gives {value!r}, which is none of {', '.join(map(str, allowed))}."
            )


def _check_calendar(calendar: Calendar, kinds: dict[str, str], units: dict[str, str]) -> None:
    first, last = calendar.first_date, calendar.last_date
    if first is not None and last is not None and first >= last:
        raise CodebookError(f"first_date {first} is not before last_date {last}.")
    named = [(calendar.start, "date")] if calendar.start else []
    for name, kind in named + [(name, "number") for name in calendar.times]:
        if name not in kinds:
            raise CodebookError(f"there is no column {name!r}.{closest(name, kinds)}")
        if kinds[name] != kind:
            raise CodebookError(f"{name!r} must be a column of {kind}s.")
    for name in calendar.times:
        if units[name] != "months":
            raise CodebookError(f'{name!r} must have unit = "months" to be held against dates.')


def derivation_order(book: Codebook) -> list[tuple[ColumnSpec, tuple[Derivation, ...]]]:
    """Return the derived columns, each after those that it is derived from.

    Raises
    ------
    CodebookError
        If columns are derived from each other in a circle.
    """
    waiting = {spec.name: spec for spec in book.columns if spec.derive}
    ordered: list[tuple[ColumnSpec, tuple[Derivation, ...]]] = []
    while waiting:
        ready = [
            spec
            for spec in waiting.values()
            if not any(name in waiting for d in spec.derive for name in d.columns)
        ]
        if not ready:
            circle = ", ".join(sorted(waiting))
            raise CodebookError(f"derived from each other in a circle: {circle}.")
        for spec in ready:
            ordered.append((spec, spec.derive))
            del waiting[spec.name]
    return ordered
