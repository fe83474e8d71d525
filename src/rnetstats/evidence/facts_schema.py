"""The layout of a facts file, and its strict check: nothing is passed over in silence.

``KINDS`` lists the kinds of check with their fields. A field is a fact's key, a list of keys, a
whole number, one of several words, or (``df``) a key or a whole number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rnetstats.errors import FactsError, closest

__all__ = ["KINDS", "SCHEMA", "STANDINGS", "Check", "Field", "checked_content"]

SCHEMA = 1
STANDINGS = ("printed", "derived", "inferred", "unknown", "chosen")
SCALES = ("log", "identity", "logit", "arcsine")

_TABLES = ("schema", "study", "facts", "checks")
_STUDY = ("name", "title", "short_title", "citation", "design")
_FACT = ("label", "value", "unit", "standing", "where", "depends_on", "note")
_FACT_REQUIRED = ("label", "value", "unit", "standing", "where")
_KEY = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Field:
    """One field of a kind of check: what it holds and whether it must be there."""

    holds: str = "key"  # key | keys | whole | word | key or whole
    required: bool = True
    default: Any = None
    words: tuple[str, ...] = ()


_KEY_FIELD, _KEYS, _MAYBE = Field(), Field("keys"), Field(required=False)
_SCALE = Field("word", False, "log", SCALES)

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "percentage": {
            "percent": _KEY_FIELD,
            "count": _MAYBE,
            "total": _MAYBE,
            "candidates": Field("keys", False, ()),
        },
        "mean": {
            "mean": _KEY_FIELD,
            "n": _KEY_FIELD,
            "sd": _MAYBE,
            "items": Field("whole", False, 1),
        },
        "sum": {"parts": _KEYS, "total": _KEY_FIELD},
        "interval": {
            "low": _KEY_FIELD,
            "high": _KEY_FIELD,
            "estimate": _MAYBE,
            "p": _MAYBE,
            "scale": _SCALE,
            "df": Field("key or whole", False),
        },
        "estimate_p": {
            "estimate": _KEY_FIELD,
            "p": _KEY_FIELD,
            "scale": Field("word", False, "log", ("log", "identity")),
        },
        "test": {
            "events_1": _KEY_FIELD,
            "n_1": _KEY_FIELD,
            "events_2": _KEY_FIELD,
            "n_2": _KEY_FIELD,
            "p": _MAYBE,
            "odds_ratio": _MAYBE,
            "low": _MAYBE,
            "high": _MAYBE,
        },
        "survival": {
            "n": _KEY_FIELD,
            "survival": _KEYS,
            "at_risk": _KEYS,
            "events": Field("keys", False, ()),
        },
        "rate": {"events": _KEY_FIELD, "n": _KEY_FIELD, "months": _KEY_FIELD},
        "split": {
            "events": _KEY_FIELD,
            "n_1": _KEY_FIELD,
            "n_2": _KEY_FIELD,
            "conclusion": Field("word", False, "worse", ("worse", "better", "different", "same")),
        },
        "share": {"percent": _KEY_FIELD, "at_most": _KEY_FIELD},
        "two_rates": {
            "percent_1": _KEY_FIELD,
            "percent_2": _KEY_FIELD,
            "p": _MAYBE,
            "at_most": _KEY_FIELD,
        },
        "odds_ratio_tables": {
            "odds_ratio": _KEY_FIELD,
            "p": _MAYBE,
            "n": _KEY_FIELD,
            "events": _MAYBE,
        },
    }
)


@dataclass(frozen=True)
class Check:
    """One check that a facts file asks for.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    fields : mapping
        The kind's fields: keys of facts, or options; a missing optional one has its default.
    label : str
        Words for it; may be empty.
    number : int
        Its place in the file, from 1.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    number: int = 1

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the facts that it reads, each once, in order."""
        named: list[str] = []
        for name, spec in KINDS[self.kind].items():
            value = self.fields[name]
            if spec.holds == "keys":
                named.extend(value)
            elif spec.holds.startswith("key") and isinstance(value, str):
                named.append(value)
        return tuple(dict.fromkeys(named))


Content = tuple[dict[str, str], dict[str, dict[str, Any]], tuple[Check, ...]]


def checked_content(content: Mapping[str, Any], name: str) -> Content:
    """Return study, facts and checks of a facts file, or say what is wrong in it.

    Parameters
    ----------
    content : mapping
        The parsed file.
    name : str
        The file's name, for messages.

    Raises
    ------
    FactsError
    """
    _only(content, _TABLES, f"{name}: the file", "tables")
    _version(content, name)
    study = _study(content.get("study"), f"{name}, [study]")
    tables = content.get("facts")
    if not isinstance(tables, Mapping) or not tables:
        raise FactsError(
            f"{name} states no figures. Write one table [facts.KEY] for each printed figure."
        )
    facts = {key: _fact(key, body, name) for key, body in tables.items()}
    _dependencies(facts, name)
    listed = content.get("checks", [])
    if not isinstance(listed, list | tuple):
        raise FactsError(f"{name}: write each check as a table [[checks]], with two brackets.")
    checks = tuple(
        _check(body, number, facts, f"{name}, [[checks]] number {number}")
        for number, body in enumerate(listed, start=1)
    )
    return study, facts, checks


def _version(content: Mapping[str, Any], name: str) -> None:
    if "schema" not in content:
        raise FactsError(f"{name} does not say its schema. Write 'schema = {SCHEMA}' on top.")
    if content["schema"] is True or content["schema"] != SCHEMA:
        raise FactsError(
            f"{name}: schema = {content['schema']!r} is not known here; this version reads "
            f"'schema = {SCHEMA}'."
        )


def _study(body: Any, where: str) -> dict[str, str]:
    if not isinstance(body, Mapping):
        raise FactsError(f"{where} is missing. Write a table [study] with name and title.")
    _only(body, _STUDY, where, "keys")
    for key, value in body.items():
        _string(value, f"{where}, {key}")
    for key in ("name", "title"):
        if not body.get(key, "").strip():
            raise FactsError(f'{where}: {key} is missing; write {key} = "...".')
    return {**dict.fromkeys(_STUDY, ""), "short_title": body["title"], **body}


def _fact(key: str, body: Any, name: str) -> dict[str, Any]:
    where = f"{name}, [facts.{key}]"
    if not _KEY.fullmatch(key):
        raise FactsError(
            f"{where}: a key is made of small letters, digits and _, and starts with a letter, "
            "such as recurrence_percent."
        )
    if not isinstance(body, Mapping):
        raise FactsError(f'{where} is not a table; write [facts.{key}] and below it value = "...".')
    _only(body, _FACT, where, "keys")
    for part in _FACT_REQUIRED:
        if part not in body:
            raise FactsError(f'{where}: {part} is missing; write {part} = "..."{_help(part)}.')
    for part in (*_FACT_REQUIRED, "note"):
        _string(body.get(part, ""), f"{where}, {part}")
    if not body["label"].strip():
        raise FactsError(f"{where}: label is empty; say in words what the figure is.")
    _standing(body, where)
    depends_on = _names(body.get("depends_on", []), f"{where}, depends_on")
    if body["standing"] == "derived" and not depends_on:
        raise FactsError(
            f"{where}: a derived figure must say what it follows from; write "
            'depends_on = ["key", ...].'
        )
    return {**body, "value": body["value"].strip(), "depends_on": depends_on}


def _help(part: str) -> str:
    return ' (or "" when it is unknown)' if part in {"value", "where"} else ""


def _standing(body: Mapping[str, Any], where: str) -> None:
    standing = body["standing"]
    if standing not in STANDINGS:
        raise FactsError(
            f"{where}: standing {standing!r} is none of {', '.join(STANDINGS)}."
            f"{closest(standing, STANDINGS)}"
        )
    if standing == "unknown":
        if body["value"].strip():
            raise FactsError(
                f"{where}: standing is unknown but value is {body['value']!r}; leave the value "
                "empty, or say how the figure is known."
            )
        return
    if not body["value"].strip():
        raise FactsError(
            f"{where}: value is empty but standing is {standing!r}; give the figure as printed, "
            'or write standing = "unknown".'
        )
    if not body["where"].strip():
        raise FactsError(f"{where}: where is empty; say where the figure stands or comes from.")


def _dependencies(facts: Mapping[str, Mapping[str, Any]], name: str) -> None:
    for key, body in facts.items():
        for other in body["depends_on"]:
            if other not in facts:
                raise FactsError(
                    f"{name}, [facts.{key}], depends_on: there is no figure {other!r}."
                    f"{closest(other, facts)}"
                )
    circle = _circle({key: body["depends_on"] for key, body in facts.items()})
    if circle:
        raise FactsError(
            f"{name}, [facts.{circle[0]}], depends_on goes in a circle: {' -> '.join(circle)}. "
            "A figure cannot follow from itself; remove one of these."
        )


def _circle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the keys of a circle, its first key also last; empty if there is none."""
    done: set[str] = set()
    for start in edges:
        path, stack = [start], [iter(edges[start])]
        while stack and start not in done:
            following = next(stack[-1], None)
            if following is None:
                done.add(path.pop())
                stack.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            elif following not in done:
                path.append(following)
                stack.append(iter(edges[following]))
    return []


def _check(body: Any, number: int, facts: Mapping[str, Any], where: str) -> Check:
    if not isinstance(body, Mapping):
        raise FactsError(f'{where} is not a table; write [[checks]] and below it kind = "...".')
    kind = body.get("kind")
    if not isinstance(kind, str):
        raise FactsError(f"{where}: kind is missing; write kind = one of {', '.join(KINDS)}.")
    if kind not in KINDS:
        raise FactsError(
            f"{where}: kind {kind!r} is none of {', '.join(KINDS)}.{closest(kind, KINDS)}"
        )
    where = f"{where} ({kind})"
    _only(body, ("kind", "label", *KINDS[kind]), where, "keys")
    _string(body.get("label", ""), f"{where}, label")
    read = {name: _value(body, name, spec, facts, where) for name, spec in KINDS[kind].items()}
    return Check(kind, MappingProxyType(read), body.get("label", ""), number)


def _value(
    body: Mapping[str, Any], name: str, spec: Field, facts: Mapping[str, Any], where: str
) -> Any:
    """Return one field of a check, checked against what it may hold."""
    if name not in body:
        if spec.required:
            raise FactsError(f"{where}: {name} is missing; name the figure that it is.")
        return spec.default
    value, place = body[name], f"{where}, {name}"
    if spec.holds == "keys":
        keys = _names(value, place)
        if not keys:
            raise FactsError(f"{place} is empty; list the keys of figures.")
        return tuple(_known(key, facts, place) for key in keys)
    if spec.holds == "word":
        if value not in spec.words:
            raise FactsError(
                f"{place}: {value!r} is none of {', '.join(spec.words)}."
                f"{closest(str(value), spec.words)}"
            )
        return value
    if spec.holds != "key" and isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise FactsError(f"{place}: {value} must be a whole number of at least 1.")
        return value
    if spec.holds == "whole":
        raise FactsError(f"{place}: {value!r} must be a whole number, without quotes.")
    return _known(value, facts, place)


def _known(key: Any, facts: Mapping[str, Any], place: str) -> str:
    if not isinstance(key, str):
        raise FactsError(
            f"{place}: {key!r} is not the key of a figure; state the figure as a table "
            "[facts.KEY] and name KEY here, in quotes."
        )
    if key not in facts:
        raise FactsError(f"{place}: there is no figure {key!r}.{closest(key, facts)}")
    return key


def _names(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise FactsError(f'{place} must be a list of keys, such as ["events", "patients"].')
    return tuple(value)


def _only(body: Mapping[str, Any], allowed: Sequence[str], where: str, noun: str) -> None:
    for key in body:
        if key not in allowed:
            raise FactsError(
                f"{where} has {key!r}, which is none of its {noun} ({', '.join(allowed)})."
                f"{closest(str(key), allowed)}"
            )


def _string(value: Any, place: str) -> None:
    if not isinstance(value, str):
        raise FactsError(
            f"{place} is {value!r}, not a text; write it in quotes, exactly as printed (a number "
            "in TOML loses its trailing zeros)."
        )
