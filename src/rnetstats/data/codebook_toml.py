"""Codebooks from TOML: every key known, every value of its kind, or an error that says where."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from rnetstats.data.cells import composed, number_text
from rnetstats.data.codebook import (
    Calendar,
    Cases,
    Check,
    Codebook,
    ColumnSpec,
    Derivation,
    FileSpec,
    RuleCases,
)
from rnetstats.data.rules import Rule, parse_rule
from rnetstats.errors import CodebookError, closest

__all__ = ["COLUMN_KEYS", "codebook_from_file", "codebook_from_text"]

Reader: TypeAlias = Callable[[Any], Any]

_MEASURES = {"numeric", "integer", "date"}
_WHOLE = re.compile(r"[+-]?\d{1,15}", re.ASCII)


def codebook_from_file(path: Path) -> Codebook:
    """Read a codebook from a TOML file.

    Raises
    ------
    CodebookError
        If there is no such file, or it is no codebook.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CodebookError(f"codebook {path}: not UTF-8 (byte {error.start}).") from None
    except OSError as error:
        raise CodebookError(f"codebook {path}: cannot be read: {error.strerror}.") from None
    except ValueError:
        raise CodebookError(
            f"codebook {str(path)!r}: no file's name can hold such a character."
        ) from None
    return codebook_from_text(text, path.name)


def codebook_from_text(text: str, source: str) -> Codebook:
    """Read a codebook from TOML text; ``source`` stands in messages."""
    try:
        raw = tomllib.loads(composed(text.replace("\r\n", "\n")))
    except tomllib.TOMLDecodeError as error:
        raise CodebookError(f"codebook {source}: is not valid TOML: {error}.") from None
    except RecursionError:
        raise CodebookError(f"codebook {source}: is nested too deeply.") from None
    try:
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        return _codebook(raw, Path(source).stem, digest)
    except CodebookError as error:
        raise CodebookError(f"codebook {source}: {error}") from None


def _codebook(raw: Mapping[str, Any], name: str, digest: str) -> Codebook:
    parts = _table(
        raw,
        {
            "codebook": _plain_table,
            "file": _plain_table,
            "columns": _plain_table,
            "checks": _plain_list,
            "calendar": _plain_table,
        },
        "",
    )
    about = _table(
        parts.get("codebook", {}),
        {"name": _text, "title": _text, "description": _text},
        "[codebook]",
    )
    columns = tuple(
        ColumnSpec(name=column, **_column(keys, f"[columns.{column}]"))
        for column, keys in parts.get("columns", {}).items()
    )
    checks = [
        Check(**_required(_table(check, _CHECK_KEYS, where), "rule", where))
        for where, check in (
            (f"[[checks]] number {i}", _plain_table(check))
            for i, check in enumerate(parts.get("checks", []), start=1)
        )
    ]
    calendar = parts.get("calendar")
    return Codebook(
        columns=columns,
        file=FileSpec(**_table(parts.get("file", {}), _FILE_KEYS, "[file]")),
        checks=tuple(checks),
        calendar=None
        if calendar is None
        else Calendar(**_table(calendar, _CALENDAR_KEYS, "[calendar]")),
        sha256=digest,
        **{"name": name, **about},
    )


def _column(keys: object, where: str) -> dict[str, Any]:
    if not isinstance(keys, dict):
        raise CodebookError(f"{where}: {_wrong(keys, 'a table of keys')}")
    found = _required(_table(keys, COLUMN_KEYS, where), "type", where)
    if found["type"] in _MEASURES and "derive" in found:
        try:
            found["derive"] = tuple(_by_rules(d, found["type"]) for d in found["derive"])
        except CodebookError as error:
            raise CodebookError(f"{where}: derive: {error}") from None
    return found


def _by_rules(derivation: Derivation, kind: str) -> Derivation:
    """Read a table value -> condition of a number or date as rules; whole numbers may be codes."""
    if not isinstance(derivation, Cases):
        return derivation
    if kind == "integer" and not any(isinstance(value, str) for value in derivation.values):
        return derivation
    texts = (v if isinstance(v, str) else number_text(v) for v in derivation.values)
    return RuleCases(tuple(parse_rule(text) for text in texts), derivation.conditions)


def _required(found: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    if key not in found:
        raise CodebookError(f"{where}: the key {key!r} is missing.")
    return found


def _table(raw: Mapping[str, Any], readers: Mapping[str, Reader], where: str) -> dict[str, Any]:
    """Read the keys of one table; an unknown key is an error with the nearest known one."""
    place = f"{where}: " if where else ""
    found = {}
    for key, value in raw.items():
        if key not in readers:
            raise CodebookError(
                f"{place}unknown key {key!r}.{closest(key, readers)} "
                f"Known are {', '.join(readers)}."
            )
        try:
            found[key] = readers[key](value)
        except CodebookError as error:
            raise CodebookError(f"{place}{key}: {error}") from None
    return found


def _wrong(value: object, wanted: str) -> CodebookError:
    return CodebookError(f"must be {wanted}, not {value!r}.")


def _plain_table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(value, "a table of keys")
    return value


def _plain_list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(value, "a list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(value, "text in quotation marks")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, "true or false")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise _wrong(value, "a number")
    return float(value)


def _date(value: object) -> dt.date:
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise _wrong(value, "a date without quotation marks, such as 2023-06-30")
    return value


def _one_of(*allowed: str) -> Reader:
    def read(value: object) -> str:
        if value not in allowed:
            hint = closest(str(value), allowed)
            wanted = ", ".join(repr(item) for item in allowed)
            raise CodebookError(f"must be one of {wanted}, not {value!r}.{hint}")
        return str(value)

    return read


def _sheet(value: object) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong(value, "the name of a sheet, or its number from 1")
    return value


def _code_text(value: object) -> str:
    """A value of the file as text: 999 and "999" are the same code."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong(value, "text or a number")
    return value.strip() if isinstance(value, str) else number_text(value)


def _code_texts(value: object) -> tuple[str, ...]:
    return tuple(_code_text(item) for item in _plain_list(value))


def _range(value: object) -> tuple[float, float]:
    items = _plain_list(value)
    if len(items) != 2:
        raise _wrong(value, "[smallest, largest]; inf and -inf are allowed")
    return _number(items[0]), _number(items[1])


def _value(value: object) -> float | str:
    return value if isinstance(value, str) else _number(value)


def _recode(value: object) -> tuple[tuple[str, float | str], ...]:
    return tuple((key.strip(), _value(target)) for key, target in _plain_table(value).items())


def _codes(value: object) -> tuple[tuple[int, str], ...]:
    pairs = []
    for key, meaning in _plain_table(value).items():
        if not _WHOLE.fullmatch(key.strip()):
            raise CodebookError(f"the code {key!r} is not a whole number.")
        pairs.append((int(key), _text(meaning)))
    return tuple(pairs)


def _rule(value: object) -> Rule:
    return parse_rule(_text(value))


def _derive(value: object) -> tuple[Derivation, ...]:
    if isinstance(value, str):
        return (_rule(value),)
    if isinstance(value, list):
        if not value:
            raise _wrong(value, "a rule, a list of rules, or a table value -> condition")
        return tuple(_rule(item) for item in value)
    table = _plain_table(value)
    if not table:
        raise _wrong(value, "a rule, a list of rules, or a table value -> condition")
    conditions = tuple(_rule(item) for item in table.values())
    return (Cases(tuple(_case_value(key) for key in table), conditions),)


def _case_value(key: str) -> float | str:
    return float(key) if key.lstrip("-").isdecimal() and key.isascii() else key


COLUMN_KEYS: dict[str, Reader] = {
    "type": _text,
    "label": _text,
    "unit": _text,
    "unit_in": _text,
    "source": _text,
    "required": _flag,
    "needed_for": _text,
    "missing": _code_texts,
    "recode": _recode,
    "decimal": _one_of(".", ","),
    "date_format": _text,
    "range": _range,
    "levels": _code_texts,
    "codes": _codes,
    "unique": _flag,
    "applies_when": _rule,
    "derive": _derive,
    "tolerance": _number,
}
_CHECK_KEYS: dict[str, Reader] = {
    "rule": _rule,
    "when": _rule,
    "tolerance": _number,
    "severity": _one_of("error", "note"),
    "message": _text,
}
_FILE_KEYS: dict[str, Reader] = {
    "delimiter": _text,
    "encoding": _text,
    "decimal": _one_of(".", ","),
    "sheet": _sheet,
    "missing": _code_texts,
    "extra_columns": _one_of("ignore", "keep", "error"),
}
_CALENDAR_KEYS: dict[str, Reader] = {
    "first_date": _date,
    "last_date": _date,
    "start": _text,
    "times": lambda value: tuple(_text(item) for item in _plain_list(value)),
    "tolerance": _number,
}
