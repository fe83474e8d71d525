"""The kinds of check that a facts file may ask for, each with its fields.

A field holds a fact's key, a list of keys, a whole number, one of several words, a list of such
words, a text, or (``df``) a key or a whole number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rnetstats.errors import FactsError, closest
from rnetstats.evidence.facts_words import list_of_keys, only, quoted

__all__ = ["KINDS", "Check", "Field", "checked_check"]

SCALES = ("log", "identity", "logit", "arcsine")


@dataclass(frozen=True)
class Field:
    """One field of a kind of check: what it holds and whether it must be there."""

    holds: str = "key"  # key | keys | whole | word | words | text | key or whole
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
        "symmetry": {
            "low": _KEY_FIELD,
            "high": _KEY_FIELD,
            "estimate": _KEY_FIELD,
            "scales": Field("words", False, SCALES, SCALES),
        },
        "std_error": {
            "estimate": _KEY_FIELD,
            "std_error": _KEY_FIELD,
            "p": _MAYBE,
            "scale": Field("word", False, "log", ("log", "identity")),
            "reported": Field("word", False, "coef", ("coef", "estimate")),
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
        "rate": {
            "events": _KEY_FIELD,
            "n": _KEY_FIELD,
            "months": _KEY_FIELD,
            "rate": _MAYBE,
        },
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
        "remark": {"facts": _KEYS, "text": Field("text")},
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


def checked_check(body: Any, number: int, facts: Mapping[str, Any], where: str) -> Check:
    """Return one check of a facts file, or say what is wrong in it.

    Parameters
    ----------
    body : mapping
        Its table in the file.
    number : int
        Its place in the file, from 1.
    facts : mapping
        The figures by key.
    where : str
        What to call it in messages.

    Raises
    ------
    FactsError
    """
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
    only(body, ("kind", "label", *KINDS[kind]), where, "keys")
    quoted(body.get("label", ""), f"{where}, label")
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
        keys = list_of_keys(value, place)
        if not keys:
            raise FactsError(f"{place} is empty; list the keys of figures.")
        return tuple(_known(key, facts, place) for key in keys)
    if spec.holds == "text":
        quoted(value, place)
        if not value.strip():
            raise FactsError(f"{place} is empty; write the remark in a sentence.")
        return value.strip()
    if spec.holds == "words":
        return _several(value, spec.words, place)
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


def _several(value: Any, allowed: Sequence[str], place: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise FactsError(f"{place} must be a list of some of {', '.join(allowed)}.")
    for word in value:
        if word not in allowed:
            raise FactsError(
                f"{place}: {word!r} is none of {', '.join(allowed)}.{closest(str(word), allowed)}"
            )
    return tuple(dict.fromkeys(value))


def _known(key: Any, facts: Mapping[str, Any], place: str) -> str:
    if not isinstance(key, str):
        raise FactsError(
            f"{place}: {key!r} is not the key of a figure; state the figure as a table "
            "[facts.KEY] and name KEY here, in quotes."
        )
    if key not in facts:
        raise FactsError(f"{place}: there is no figure {key!r}.{closest(key, facts)}")
    return key
