"""A section of the report, its paragraphs, and the tables of rules that a study judges by."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from rnetstats.studies.verdict_table import VerdictRule

__all__ = ["Paragraph", "RuleTable", "Section", "facts_section", "filled", "read_glossary"]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, with the words that lead into it."""

    text: str
    lead: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the report: text, then figures, then tables."""

    id: str
    title: str
    paragraphs: tuple[Paragraph, ...]
    figures: tuple[str, ...] = ()
    exhibits: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleTable:
    """A published table of rules as a report prints it: the words before it, and its caption."""

    intro: str
    caption: str
    rules: tuple[VerdictRule, ...]


def facts_section(title: str = "What the study prints") -> Section:
    """Return the section with the printed figures."""
    words = "The published figures that this report may rely on."
    return Section("facts", title, (Paragraph(words),), (), ("printed_facts",))


def filled(made: Sequence[Section], exhibits: Sequence[str]) -> tuple[Section, ...]:
    """Leave out the tables that a cohort could not fill."""
    there = set(exhibits)
    return tuple(
        replace(s, exhibits=tuple(name for name in s.exhibits if name in there)) for s in made
    )


def read_glossary(package: str) -> tuple[tuple[str, str], ...]:
    """Return the words of ``glossary.toml`` of a study's package with their meanings."""
    text = files(package).joinpath("glossary.toml").read_text(encoding="utf-8")
    return tuple((term["word"], term["meaning"]) for term in tomllib.loads(text)["term"])
