"""Rule sheets from TOML: every key known, every value of its kind, or an error that says where."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from rnetstats.errors import GuidelineError, closest
from rnetstats.studies.management.rule_types import (
    Alternative,
    FollowUp,
    GuidelineSheet,
    Otherwise,
    Rule,
)
from rnetstats.studies.management.vocabulary import PROVISOS, SITUATIONS, STANDINGS, STEPS
from rnetstats.studies.management.when_reader import read_when

__all__ = ["SCHEMA", "sheet_from_file", "sheet_from_text"]

SCHEMA = 1
Reader: TypeAlias = Callable[[Any, str], Any]

_KEY = re.compile(r"[a-z][a-z0-9_]*")


def sheet_from_file(path: Path) -> GuidelineSheet:
    """Read a guideline's rules from a TOML file.

    Raises
    ------
    GuidelineError
        If there is no such file, or it is no rule sheet.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise GuidelineError(f"{path.name} is not text in UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise GuidelineError(f"{path.name} cannot be read: {error.strerror}.") from None
    return sheet_from_text(text, path.name)


def sheet_from_text(text: str, name: str) -> GuidelineSheet:
    """Read a guideline's rules from TOML text; ``name`` stands in messages."""
    try:
        content = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise GuidelineError(f"{name} is not valid TOML: {error}.") from None
    except RecursionError:
        raise GuidelineError(f"{name} is nested too deeply.") from None
    _only(content, ("schema", "guideline", "rules"), name)
    if type(content.get("schema")) is not int or content["schema"] != SCHEMA:
        raise GuidelineError(f"{name}: write 'schema = {SCHEMA}' on top.")
    about = _fields(_table(content.get("guideline"), f"{name}, [guideline]"), _ABOUT, name)
    listed = content.get("rules")
    if not isinstance(listed, list) or not listed:
        raise GuidelineError(f"{name} has no rules. Write one table [[rules]] for each cell.")
    rules = tuple(
        _rule(body, f"{name}, [[rules]] number {number}", about["standing"], about["source"])
        for number, body in enumerate(listed, start=1)
    )
    _coherent(rules, name)
    return GuidelineSheet(rules=rules, **{"note": "", **about})


def _fields(body: Mapping[str, Any], readers: Mapping[str, Reader], name: str) -> dict[str, Any]:
    """Read the head of a sheet; all but the note must be there."""
    where = f"{name}, [guideline]"
    found = _read(body, readers, where)
    for key in readers:
        if key != "note" and not found.get(key):
            raise GuidelineError(f'{where}: {key} is missing; write {key} = "...".')
    return found


def _rule(body: Any, where: str, standing: str, source: str) -> Rule:
    table = _table(body, where)
    if isinstance(table.get("key"), str):
        where = f"{where} ({table['key']!r})"
    found = _read(table, _RULE, where)
    for key in ("key", "situation", "when"):
        if key not in found:
            raise GuidelineError(f"{where}: {key} is missing.")
    answers = [key for key in ("step", "gap", "then") if found.get(key)]
    if len(answers) != 1:
        told = f"it has {' and '.join(answers)}" if answers else "it has none"
        raise GuidelineError(
            f"{where}: a rule has one of step (the next step), gap (why there is none) and then "
            f"(the situation whose rules answer); {told}."
        )
    if answers == ["step"] and not found.get("words"):
        raise GuidelineError(f'{where}: words is missing; say the step in words, words = "...".')
    extra = [key for key in _OF_STEPS if answers != ["step"] and key in found]
    if extra:
        raise GuidelineError(f"{where}: {extra[0]} belongs to a rule with a step.")
    for item in found.get("otherwise", ()):
        if item.without not in found.get("provided", ()):
            raise GuidelineError(
                f"{where}, otherwise: without = {item.without!r} is not among what is provided."
            )
    return Rule(**{"standing": standing, "source": source, **found})


_OF_STEPS = ("provided", "otherwise", "alternative", "follow_up", "evidence")


def _coherent(rules: tuple[Rule, ...], name: str) -> None:
    """Refuse a rule written twice, and a path that leads nowhere or on."""
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        if (rule.situation, rule.key) in seen:
            raise GuidelineError(
                f"{name}: there are two rules {rule.key!r} for {rule.situation!r}; rename one."
            )
        seen.add((rule.situation, rule.key))
    for rule in rules:
        if rule.then:
            there = [other for other in rules if other.situation == rule.then]
            if not there or rule.then == rule.situation or any(other.then for other in there):
                raise GuidelineError(
                    f"{name}, {rule.key!r}: then = {rule.then!r} must be another situation of "
                    "this guideline whose rules lead no further."
                )


def _read(body: Mapping[str, Any], readers: Mapping[str, Reader], where: str) -> dict[str, Any]:
    _only(body, tuple(readers), where)
    return {key: readers[key](value, f"{where}, {key}") for key, value in body.items()}


def _only(body: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    for key in body:
        if key not in allowed:
            raise GuidelineError(
                f"{where}: unknown key {key!r}.{closest(key, allowed)} Known are "
                f"{', '.join(allowed)}."
            )


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise GuidelineError(f"{where} must be a table of keys, not {value!r}.")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise GuidelineError(f"{where} must be text in quotation marks, not {value!r}.")
    return value.strip()


def _key(value: Any, where: str) -> str:
    text = _text(value, where)
    if not _KEY.fullmatch(text):
        raise GuidelineError(
            f"{where}: {text!r} must be made of small letters, digits and _, and start with a "
            "letter."
        )
    return text


def _one_of(*allowed: str) -> Reader:
    def read(value: Any, where: str) -> str:
        text = _text(value, where)
        if text not in allowed:
            listed = ", ".join(repr(item) for item in allowed)
            raise GuidelineError(f"{where}: {text!r} is none of {listed}.{closest(text, allowed)}")
        return text

    return read


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise GuidelineError(f"{where} must be a list of texts, not {value!r}.")
    return tuple(_text(item, where) for item in value)


def _provided(value: Any, where: str) -> tuple[str, ...]:
    return tuple(_one_of(*PROVISOS)(item, where) for item in _texts(value, where))


def _part(kind: type[Any], **readers: Reader) -> Reader:
    def read(value: Any, where: str) -> Any:
        found = _read(_table(value, where), readers, where)
        for key in readers:
            if key not in found:
                raise GuidelineError(f"{where}: {key} is missing.")
        return kind(**found)

    return read


def _otherwise(value: Any, where: str) -> tuple[Otherwise, ...]:
    if not isinstance(value, list):
        raise GuidelineError(f"{where}: write each as a table [[rules.otherwise]].")
    read = _part(Otherwise, without=_one_of(*PROVISOS), step=_one_of(*STEPS), words=_text)
    return tuple(read(item, where) for item in value)


_ABOUT: dict[str, Reader] = {
    "key": _key,
    "name": _text,
    "source": _text,
    "standing": _one_of(*STANDINGS),
    "note": _text,
}
_RULE: dict[str, Reader] = {
    "key": _key,
    "situation": _one_of(*SITUATIONS),
    "cell": _text,
    "when": read_when,
    "step": _one_of(*STEPS),
    "words": _text,
    "gap": _text,
    "then": _one_of(*SITUATIONS),
    "provided": _provided,
    "otherwise": _otherwise,
    "alternative": _part(Alternative, step=_one_of(*STEPS), words=_text),
    "follow_up": _part(FollowUp, words=_text, standing=_text, source=_text),
    "evidence": _text,
    "standing": _one_of(*STANDINGS),
    "source": _text,
    "note": _text,
    "omits": _texts,
}
