"""The kinds of check that a facts file may ask for, each with its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rnetstats.errors import FactsError, closest
from rnetstats.evidence.facts_fields import Field, read_field
from rnetstats.evidence.facts_words import only, quoted

__all__ = ["KINDS", "Check", "checked_check"]

SCALES = ("log", "identity", "logit", "arcsine")


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
            "deaths": _MAYBE,
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
            "adjusted": Field("flag", False, False),
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
    read = {name: read_field(body, name, spec, facts, where) for name, spec in KINDS[kind].items()}
    return Check(kind, MappingProxyType(read), body.get("label", ""), number)
