"""Trying an analysis that small data may refuse: the reason is kept, and shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from rnetstats.errors import RnetError

__all__ = ["Attempts"]

T = TypeVar("T")


@dataclass
class Attempts:
    """Collects what could not be done, in words."""

    skipped: list[str] = field(default_factory=list)

    def run(self, what: str, call: Callable[[], T]) -> T | None:
        """Return ``call()``, or None when the package refuses; other errors pass through."""
        try:
            return call()
        except RnetError as error:
            self.skip(what, str(error))
            return None

    def skip(self, what: str, reason: str) -> None:
        """Record that ``what`` was left out."""
        line = f"{what}: {reason}"
        if line not in self.skipped:
            self.skipped.append(line)
