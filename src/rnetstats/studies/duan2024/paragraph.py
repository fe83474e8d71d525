"""A section of the report and its paragraphs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Paragraph", "Section"]


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
