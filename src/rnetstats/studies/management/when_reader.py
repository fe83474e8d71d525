"""The conditions of a rule: values of a thing, ranges of sizes with their edges, either ... or."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rnetstats.errors import GuidelineError, closest
from rnetstats.studies.management.rule_types import Atom, Bound, When
from rnetstats.studies.management.vocabulary import LEVELS, PROVISOS, SHORT

__all__ = ["read_when"]

_PROVISOS = {about[0] for about in PROVISOS.values() if about}  # these open or close no rule
_THINGS = tuple(about for about in LEVELS if about not in _PROVISOS)
_KEYS = ("size_mm", *_THINGS, "risk_factor", "any")
_LOW = {"from": True, "over": False}
_HIGH = {"to": True, "under": False}


def read_when(value: Any, where: str) -> When:
    """Read the conditions of a rule.

    Parameters
    ----------
    value : mapping
        ``margin = ["R1", "R2"]`` and the like; ``size_mm = { from|over = 10, to|under = 20 }``,
        ``from`` and ``to`` with their edge, ``over`` and ``under`` without it;
        ``risk_factor = "present"``; ``any = [{...}, {...}]``, of which one must hold.
    where : str
        The place, for messages.

    Raises
    ------
    GuidelineError
        If a key is unknown or a value is none that a patient can have.
    """
    return _when(value, where, deep=False)


def _when(value: Any, where: str, *, deep: bool) -> When:
    if not isinstance(value, Mapping) or not value:
        raise GuidelineError(
            f'{where} must be a table with at least one condition, such as {{ margin = ["R1"] }}.'
        )
    for key in value:
        if key not in _KEYS:
            raise GuidelineError(
                f"{where}: no condition asks for {key!r}.{closest(key, _KEYS)} Known are "
                f"{', '.join(_KEYS)}."
            )
    if value.get("risk_factor", "present") != "present":
        raise GuidelineError(f'{where}, risk_factor: write risk_factor = "present".')
    atoms = [_size(value["size_mm"], f"{where}, size_mm")] if "size_mm" in value else []
    atoms += [_atom(key, value[key], f"{where}, {key}") for key in _THINGS if key in value]
    either: tuple[tuple[When, ...], ...] = ()
    if "any" in value:
        if deep:
            raise GuidelineError(f"{where}, any: stands in another any; write the cases out.")
        either = (_either(value["any"], f"{where}, any"),)
    return When(tuple(atoms), either, "risk_factor" in value)


def _either(value: Any, where: str) -> tuple[When, ...]:
    if not isinstance(value, list) or len(value) < 2:
        raise GuidelineError(f"{where} must be a list of two tables or more.")
    return tuple(
        _when(item, f"{where} number {number}", deep=True)
        for number, item in enumerate(value, start=1)
    )


def _atom(about: str, value: Any, where: str) -> Atom:
    known, short = LEVELS[about], SHORT.get(about, {})
    if not isinstance(value, list) or not value:
        raise GuidelineError(f'{where} must be a list, such as ["{known[-1]}"], not {value!r}.')
    chosen: list[str] = []
    for item in value:
        if item not in known and item not in short:
            allowed = (*known, *short)
            raise GuidelineError(
                f"{where}: {item!r} is none of {', '.join(allowed)}.{closest(str(item), allowed)}"
            )
        chosen += short.get(item, (item,))
    return Atom(about, tuple(level for level in known if level in chosen))


def _size(value: Any, where: str) -> Atom:
    if not isinstance(value, Mapping) or not value:
        raise GuidelineError(
            f"{where} must be a table with from or over, to or under, such as "
            "{ from = 10, under = 20 }."
        )
    edges = {**_LOW, **_HIGH}
    for key, mm in value.items():
        if key not in edges:
            raise GuidelineError(
                f"{where}: {key!r} is none of from (its edge included), over (not included), to "
                f"(included), under (not included).{closest(key, edges)}"
            )
        number = isinstance(mm, int | float) and not isinstance(mm, bool)
        if not number or not math.isfinite(mm) or mm <= 0:
            raise GuidelineError(f"{where}, {key}: {mm!r} must be a number of mm above 0.")
    low, high = (_bound(value, known, where) for known in (_LOW, _HIGH))
    if low and high:
        point = low.mm == high.mm and low.inclusive and high.inclusive
        if low.mm > high.mm or (low.mm == high.mm and not point):
            raise GuidelineError(f"{where}: no size lies in this range.")
    return Atom("size_mm", low=low, high=high)


def _bound(value: Mapping[str, Any], known: Mapping[str, bool], where: str) -> Bound | None:
    given = [key for key in known if key in value]
    if len(given) > 1:
        raise GuidelineError(f"{where}: {' and '.join(given)} are two edges of one side.")
    return Bound(float(value[given[0]]), known[given[0]]) if given else None
