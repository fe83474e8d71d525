"""Reading the tables of a recipe: every value checked, every error with its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from rnetstats._core.options import positive_int, real
from rnetstats.errors import RnetError, closest

__all__ = ["Fields"]


class Fields:
    """A table of a recipe and its place, such as ``"variables.age"``.

    Raises
    ------
    RnetError
        From every reading that finds nothing, or not what is asked for.
    """

    def __init__(self, table: Any, place: str) -> None:
        if not isinstance(table, Mapping):
            raise RnetError(f"[{place}] must be a table, not {table!r}.")
        self._table, self.place = table, place

    def __contains__(self, name: str) -> bool:
        return name in self._table

    def get(self, name: str) -> Any:
        """Return what stands at ``name``."""
        if name not in self._table:
            hint = closest(name, list(self._table))
            where = f"The table [{self.place}]" if self.place else "It"
            raise RnetError(f"{where} lacks {name!r}.{hint}")
        return self._table[name]

    def table(self, name: str) -> Fields:
        """Return the table at ``name``."""
        return Fields(self.get(name), f"{self.place}.{name}" if self.place else name)

    def entries(self) -> Iterator[tuple[str, Any]]:
        """Go through all that stands in this table."""
        yield from self._table.items()

    def tables(self) -> Iterator[tuple[str, Fields]]:
        """Go through all tables in this one."""
        for name in self._table:
            yield name, self.table(name)

    def number(
        self, name: str, *, low: float = -math.inf, high: float = math.inf, closed: bool = True
    ) -> float:
        """Return a finite number in [low, high], or in (low, high) if not ``closed``."""
        return real(self._at(name), self.get(name), low=low, high=high, closed=closed)

    def whole(self, name: str, minimum: int = 0) -> int:
        """Return a whole number of at least ``minimum``."""
        return positive_int(self._at(name), self.get(name), minimum=minimum)

    def text(self, name: str) -> str:
        """Return a text."""
        value = self.get(name)
        if not isinstance(value, str):
            raise RnetError(f"{self._at(name)} must be text, not {value!r}.")
        return value

    def day(self, name: str) -> date:
        """Return a date without a time of day."""
        value = self.get(name)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise RnetError(f"{self._at(name)} must be a date such as 2024-03-31, not {value!r}.")
        return value

    def items(self, name: str) -> list[Any]:
        """Return a list."""
        value = self.get(name)
        if not isinstance(value, list):
            raise RnetError(f"{self._at(name)} must be a list, not {value!r}.")
        return value

    def only(self, *names: str) -> None:
        """Refuse what has another name."""
        for name in self._table:
            if name not in names:
                raise RnetError(
                    f"[{self.place}] has no entry {name!r}; it takes {', '.join(names)}."
                    + closest(name, names)
                )

    def _at(self, name: str) -> str:
        return f"[{self.place}] {name}" if self.place else name
