"""Refusals that every part of a facts file shares: names, lists of keys, texts in quotes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rnetstats.errors import FactsError, closest

__all__ = ["list_of_keys", "only", "quoted", "shortened", "with_minus"]


def list_of_keys(value: Any, place: str) -> tuple[str, ...]:
    """Return a list of keys as a tuple."""
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise FactsError(f'{place} must be a list of keys, such as ["events", "patients"].')
    return tuple(value)


_SHOWN = 40  # characters of a text that a message repeats


def shortened(text: str) -> str:
    """Return a text cut to what a message can hold."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def with_minus(text: str) -> str:
    """Return a figure with a minus sign where a hyphen stands before its digits."""
    return re.sub(r"(?<![\w.\u2013-])-(?=\.?\d)", "\u2212", text)


def only(body: Mapping[str, Any], allowed: Sequence[str], where: str, noun: str) -> None:
    """Refuse a name that a table does not have, naming the nearest that it has."""
    for key in body:
        if key not in allowed:
            raise FactsError(
                f"{where} has {key!r}, which is none of its {noun} ({', '.join(allowed)})."
                f"{closest(str(key), allowed)}"
            )


def quoted(value: Any, place: str) -> None:
    """Refuse what is not written in quotes."""
    if not isinstance(value, str):
        raise FactsError(
            f"{place} is {shortened(repr(value))}, not a text; write it in quotes, exactly as "
            "printed (a number in TOML loses its trailing zeros)."
        )
