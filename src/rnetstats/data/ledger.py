"""What was found while a table was read: problems, raised together, and notes, kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnetstats.errors import ColumnError, DataError, rows_text

__all__ = ["Ledger"]

SHOWN = 10


class Ledger:
    """Collects problems and notes, so that a user does not meet the problems one at a time.

    Parameters
    ----------
    source
        The name of the file or table, for the head of the message.
    places
        Per row its place in the file (``"line 4"``), or ``None`` where rows have none.
    """

    def __init__(self, source: str, places: Sequence[str] | None = None) -> None:
        self.source = source
        self.notes: list[str] = []
        self._places = places
        self._problems: list[tuple[type[DataError], str]] = []

    def note(self, text: str) -> None:
        """Keep a sentence on what was done or inferred."""
        if text not in self.notes:
            self.notes.append(text)

    def problem(self, text: str, kind: type[DataError] = DataError) -> None:
        """Keep a problem, to be raised with the others."""
        self._problems.append((kind, text))

    def rows(self, positions: Iterable[int]) -> str:
        """Name rows, numbered from 1 below the header: ``'rows 3 (line 4), 7 (line 8)'``."""
        return rows_text([self._row(int(position)) for position in positions])

    def _row(self, position: int) -> str:
        number = str(position + 1)
        return number if self._places is None else f"{number} ({self._places[position]})"

    def raise_problems(self) -> None:
        """Raise one error for all problems kept so far, if there are any.

        Raises
        ------
        DataError
            Of the problems' own kind when they share one.
        """
        if not self._problems:
            return
        kinds = {kind for kind, _ in self._problems}
        kind = kinds.pop() if len(kinds) == 1 else DataError
        texts = [text for _, text in self._problems]
        if len(texts) == 1:
            raise kind(f"{self.source}: {texts[0]}")
        shown = "".join(f"\n  - {text}" for text in texts[:SHOWN])
        more = f"\n  ... and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
        raise kind(f"{self.source}: {len(texts)} problems:{shown}{more}")

    def missing_column(self, text: str) -> None:
        """Keep a problem with a column as a whole."""
        self.problem(text, ColumnError)
