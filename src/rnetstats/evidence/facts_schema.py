"""The layout of a facts file, and its strict check: nothing is passed over in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rnetstats.errors import FactsError, closest
from rnetstats.evidence.facts_kinds import Check, checked_check
from rnetstats.evidence.facts_words import list_of_keys, only, quoted

__all__ = ["SCHEMA", "STANDINGS", "checked_content"]

SCHEMA = 1
STANDINGS = ("printed", "derived", "inferred", "unknown", "chosen")

_TABLES = ("schema", "study", "facts", "checks", "reporting")
_STUDY = ("name", "title", "short_title", "citation", "design")
_FACT = ("label", "value", "unit", "standing", "where", "depends_on", "note")
_FACT_REQUIRED = ("label", "value", "unit", "standing", "where")
_KEY = re.compile(r"[a-z][a-z0-9_]*")


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
    only(content, _TABLES, f"{name}: the file", "tables")
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
        checked_check(body, number, facts, f"{name}, [[checks]] number {number}")
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
    only(body, _STUDY, where, "keys")
    for key, value in body.items():
        quoted(value, f"{where}, {key}")
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
    only(body, _FACT, where, "keys")
    for part in _FACT_REQUIRED:
        if part not in body:
            raise FactsError(f'{where}: {part} is missing; write {part} = "..."{_help(part)}.')
    for part in (*_FACT_REQUIRED, "note"):
        quoted(body.get(part, ""), f"{where}, {part}")
    if not body["label"].strip():
        raise FactsError(f"{where}: label is empty; say in words what the figure is.")
    _standing(body, where)
    depends_on = list_of_keys(body.get("depends_on", []), f"{where}, depends_on")
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
