"""What a field of a check may hold, and how it is read from a facts file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rnetstats.errors import FactsError, closest
from rnetstats.evidence.facts_words import list_of_keys, quoted

__all__ = ["Field", "read_field"]


@dataclass(frozen=True)
class Field:
    """One field of a kind of check.

    Attributes
    ----------
    holds : str
        ``key`` of a figure, ``keys``, ``whole`` (number), ``key or whole``, ``word``, ``words``
        (some of several), ``text``, or ``flag`` (true or false).
    required : bool
    default : object
        What a missing optional field holds.
    words : tuple of str
        The words that are allowed.
    """

    holds: str = "key"
    required: bool = True
    default: Any = None
    words: tuple[str, ...] = ()


def read_field(
    body: Mapping[str, Any], name: str, spec: Field, facts: Mapping[str, Any], where: str
) -> Any:
    """Return one field of a check, or say what is wrong in it.

    Parameters
    ----------
    body : mapping
        The check's table in the file.
    name : str
    spec : Field
    facts : mapping
        The figures by key.
    where : str
        What to call the check in messages.

    Raises
    ------
    FactsError
    """
    if name not in body:
        if spec.required:
            raise FactsError(f"{where}: {name} is missing; name the figure that it is.")
        return spec.default
    return _READERS[spec.holds](body[name], spec, facts, f"{where}, {name}")


def _key(key: Any, _: Field, facts: Mapping[str, Any], place: str) -> str:
    if not isinstance(key, str):
        raise FactsError(
            f"{place}: {key!r} is not the key of a figure; state the figure as a table "
            "[facts.KEY] and name KEY here, in quotes."
        )
    if key not in facts:
        raise FactsError(f"{place}: there is no figure {key!r}.{closest(key, facts)}")
    return key


def _keys(value: Any, spec: Field, facts: Mapping[str, Any], place: str) -> tuple[str, ...]:
    keys = list_of_keys(value, place)
    if not keys:
        raise FactsError(f"{place} is empty; list the keys of figures.")
    return tuple(_key(key, spec, facts, place) for key in keys)


def _whole(value: Any, _: Field, __: Mapping[str, Any], place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise FactsError(f"{place}: {value!r} must be a whole number, without quotes.")
    if value < 1:
        raise FactsError(f"{place}: {value} must be a whole number of at least 1.")
    return value


def _key_or_whole(value: Any, spec: Field, facts: Mapping[str, Any], place: str) -> str | int:
    number = isinstance(value, int) and not isinstance(value, bool)
    return (_whole if number else _key)(value, spec, facts, place)


def _word(value: Any, spec: Field, _: Mapping[str, Any], place: str) -> str:
    if not isinstance(value, str) or value not in spec.words:
        raise FactsError(
            f"{place}: {value!r} is none of {', '.join(spec.words)}."
            f"{closest(str(value), spec.words)}"
        )
    return value


def _words(value: Any, spec: Field, facts: Mapping[str, Any], place: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise FactsError(f"{place} must be a list of some of {', '.join(spec.words)}.")
    return tuple(dict.fromkeys(_word(word, spec, facts, place) for word in value))


def _text(value: Any, _: Field, __: Mapping[str, Any], place: str) -> str:
    quoted(value, place)
    if not value.strip():
        raise FactsError(f"{place} is empty; write the remark in a sentence.")
    return str(value.strip())


def _flag(value: Any, _: Field, __: Mapping[str, Any], place: str) -> bool:
    if not isinstance(value, bool):
        raise FactsError(f"{place}: {value!r} must be true or false, without quotes.")
    return value


_READERS: dict[str, Callable[[Any, Field, Mapping[str, Any], str], Any]] = {
    "key": _key,
    "keys": _keys,
    "whole": _whole,
    "key or whole": _key_or_whole,
    "word": _word,
    "words": _words,
    "text": _text,
    "flag": _flag,
}
