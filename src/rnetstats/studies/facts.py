"""The printed figures of a study, each with its standing, read from one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from rnetstats.errors import RnetError, closest

__all__ = ["STANDINGS", "Fact", "FactSheet", "read_facts"]

STANDINGS = ("printed", "derived", "inferred", "unknown")


@dataclass(frozen=True)
class Fact:
    """One figure as it stands in print.

    Attributes
    ----------
    key, label : str
    value : str
        The figure exactly as printed; empty when it is unknown.
    unit : str
    standing : {"printed", "derived", "inferred", "unknown"}
    where : str
        The document, or the arithmetic, that the figure comes from.
    """

    key: str
    label: str
    value: str
    unit: str
    standing: str
    where: str

    @property
    def number(self) -> float:
        """The figure as a number."""
        try:
            return float(self.value)
        except ValueError:
            raise RnetError(f"The fact {self.key!r} is {self.value!r}, not a number.") from None

    @property
    def count(self) -> int:
        """The figure as a count."""
        number = self.number
        if not number.is_integer():
            raise RnetError(f"The fact {self.key!r} is {self.value!r}, not a count.")
        return int(number)

    @property
    def decimals(self) -> int:
        """How many decimals are printed."""
        return len(self.value.partition(".")[2])


@dataclass(frozen=True)
class FactSheet:
    """A study's bibliographic line and its figures."""

    name: str
    title: str
    short_title: str
    citation: str
    design: str
    facts: Mapping[str, Fact]

    def __getitem__(self, key: str) -> Fact:
        if key not in self.facts:
            raise RnetError(f"No fact {key!r} is recorded.{closest(key, self.facts)}")
        return self.facts[key]


def read_facts(package: str) -> FactSheet:
    """Read ``facts.toml`` of a study's package, e.g. ``"rnetstats.studies.duan2024"``."""
    text = files(package).joinpath("facts.toml").read_text(encoding="utf-8")
    content: dict[str, Any] = tomllib.loads(text)
    facts = {key: Fact(key=key, **body) for key, body in content["facts"].items()}
    wrong = [fact.key for fact in facts.values() if fact.standing not in STANDINGS]
    if wrong:
        raise RnetError(f"Facts with an unknown standing: {', '.join(wrong)}.")
    return FactSheet(facts=facts, **content["study"])
