"""Whether the description of one column agrees with itself: keys, levels, codes, units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnetstats.data.cells import number_of
from rnetstats.data.date_forms import check_date_form
from rnetstats.data.units import UNITS, convertible
from rnetstats.errors import CodebookError, closest

if TYPE_CHECKING:
    from rnetstats.data.codebook import ColumnSpec

__all__ = ["TYPES", "check_column"]

TYPES = ("numeric", "integer", "binary", "category", "text", "id", "date")
_NUMBERS = {"numeric", "integer", "binary"}


def check_column(spec: ColumnSpec) -> None:
    """Refuse a column that contradicts itself.

    Raises
    ------
    CodebookError
        Saying which of its keys is wrong; not in which column.
    """
    if spec.type not in TYPES:
        raise CodebookError(
            f"type {spec.type!r} is none of {', '.join(TYPES)}.{closest(spec.type, TYPES)}"
        )
    _check_keys_of_type(spec)
    _check_levels(spec)
    _check_recode(spec)
    _check_numbers(spec)
    if spec.date_format:
        check_date_form(spec.date_format)


def _check_keys_of_type(spec: ColumnSpec) -> None:
    allowed = {
        "levels": {"category"},
        "codes": {"integer"},
        "range": {"numeric", "integer"},
        "unit_in": {"numeric"},
        "date_format": {"date"},
        "decimal": {"numeric"},
        "tolerance": {"numeric", "integer"},
    }
    for key, types in allowed.items():
        if getattr(spec, key) and spec.type not in types:
            raise CodebookError(
                f"{key!r} belongs to a column of type {' or '.join(sorted(types))}, "
                f"not {spec.type}."
            )
    if spec.recode and spec.type == "date":
        raise CodebookError("dates cannot be recoded; give their date_format.")
    if spec.derive and spec.type in {"text", "id"}:
        raise CodebookError(f"a column of type {spec.type} cannot be derived.")


def _check_levels(spec: ColumnSpec) -> None:
    twice = sorted({level for level in spec.levels if spec.levels.count(level) > 1})
    if twice:
        raise CodebookError(f"levels has {twice[0]!r} twice.")
    if "" in spec.levels:
        raise CodebookError("a level is empty; an empty cell is no value.")
    both = [level for level in spec.levels if _is_missing(spec, level)]
    if both:
        raise CodebookError(f"{both[0]!r} is a level and a missing code; it can be one only.")


def _check_recode(spec: ColumnSpec) -> None:
    for value, target in spec.recode:
        if not value:
            raise CodebookError("recode has an empty value; an empty cell is no value.")
        if target == "":
            raise CodebookError(
                f"recode turns {value!r} into nothing; if it means no value, write "
                f'missing = ["{value}"] instead.'
            )
        if _is_missing(spec, value):
            raise CodebookError(f"{value!r} is recoded and a missing code; one must go.")
        if not _allows(spec, target):
            raise CodebookError(
                f"recode turns {value!r} into {target!r}, which is not {_allowed_text(spec)}"
                f".{closest(str(target), spec.levels)}"
            )

    if spec.type in _NUMBERS:
        _check_recoded_numbers(spec)


def _check_recoded_numbers(spec: ColumnSpec) -> None:
    """Refuse two targets for one number, which 1 and "1.0" are."""
    seen: dict[float, tuple[str, float | str]] = {}
    for value, target in spec.recode:
        number = number_of(value)
        if number is None:
            continue
        earlier, its_target = seen.setdefault(number, (value, target))
        if its_target != target:
            raise CodebookError(
                f"recode gives {earlier!r} and {value!r}, which are the same number, "
                "different values."
            )


def _is_missing(spec: ColumnSpec, value: str) -> bool:
    """Whether a value is one of the column's missing codes, by its text or its number."""
    number = number_of(value) if spec.type not in {"text", "id"} else None
    return value in spec.missing or (number is not None and number in map(number_of, spec.missing))


def _allows(spec: ColumnSpec, target: float | str) -> bool:
    if spec.type in _NUMBERS:
        if isinstance(target, str):
            return False
        if spec.type == "binary":
            return target in (0, 1)
        if spec.type == "integer" and spec.codes:
            return target in [code for code, _ in spec.codes]
        return spec.type == "numeric" or float(target).is_integer()
    return not spec.levels or str(target) in spec.levels


def _allowed_text(spec: ColumnSpec) -> str:
    if spec.type == "binary":
        return "0 or 1"
    if spec.type in _NUMBERS:
        return "among its codes" if spec.codes else f"a value of type {spec.type}"
    return "among its levels"


def _check_numbers(spec: ColumnSpec) -> None:
    if spec.range is not None and not spec.range[0] < spec.range[1]:
        raise CodebookError(f"range {list(spec.range)} is empty; write [smallest, largest].")
    if spec.tolerance < 0 or not math.isfinite(spec.tolerance):
        raise CodebookError("tolerance must be a number of 0 or more.")
    codes = [code for code, _ in spec.codes]
    twice = [code for code in codes if codes.count(code) > 1]
    if twice:
        raise CodebookError(f"codes has {twice[0]} twice.")
    hidden = [code for code in codes if number_of(str(code)) in map(number_of, spec.missing)]
    if hidden:
        raise CodebookError(f"{hidden[0]} is a code and a missing code; it can be one only.")
    _check_conversion(spec)


def _check_conversion(spec: ColumnSpec) -> None:
    """Without ``unit`` the codebook may yet be completed by a study's, which has one."""
    possible = convertible(spec.unit) if spec.unit else UNITS
    if spec.unit_in and spec.unit_in not in possible:
        to = f"to unit {spec.unit!r} " if spec.unit else ""
        raise CodebookError(
            f"there is no conversion from unit_in {spec.unit_in!r} {to}"
            f"(possible: {', '.join(possible) or 'none'}).{closest(spec.unit_in, possible)}"
        )
