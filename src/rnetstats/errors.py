"""The one tree of errors: every refusal of the package is an :class:`RnetError`.

Messages are for people. Each says which column, which rows (the first few), what is wrong and
what to do about it. ``RnetError`` is a ``ValueError``, so that callers who know nothing of this
package can still catch it. An option's wrong value or type is an :class:`OptionError`; a keyword
that no signature has is Python's own ``TypeError``, from every verb alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

__all__ = [
    "BudgetError",
    "CodebookError",
    "ColumnError",
    "ConvergenceError",
    "DataError",
    "DataNotKeptError",
    "FactsError",
    "FormulaError",
    "GuidelineError",
    "OptionError",
    "OutputError",
    "ReadError",
    "RnetError",
    "TooFewEventsError",
    "closest",
    "rows_text",
]

_SHOWN = 5  # rows that a message names


class RnetError(ValueError):
    """Base of every error that the package raises on purpose."""


class DataError(RnetError):
    """The data cannot be analysed as asked: a value, a row or a column is wrong."""


class ColumnError(DataError):
    """A column is missing, duplicated, of the wrong type, or holds no information."""


class ReadError(DataError):
    """A file cannot be read as a table."""


class CodebookError(RnetError):
    """A codebook is malformed, or contradicts itself."""


class FactsError(RnetError):
    """A file of printed figures is malformed, or a figure in it is not what a check needs."""


class FormulaError(RnetError):
    """A formula is outside the small language that the package accepts."""


class GuidelineError(RnetError):
    """A guideline's rule sheet is malformed, or has no rules for what is asked."""


class OptionError(RnetError):
    """An option has a value that is not allowed, or that contradicts another option."""


class TooFewEventsError(RnetError):
    """There are too few events (or none) for the estimator that was asked for."""


class ConvergenceError(RnetError):
    """An iteration did not reach its maximum, or the maximum does not exist."""


class BudgetError(RnetError):
    """An exact computation would exceed its budget; the message names the alternative."""


class DataNotKeptError(RnetError):
    """A result that was read back from JSON is asked for something that needs patient rows."""


class OutputError(RnetError):
    """A result cannot be written where the caller asked for it."""


def closest(name: object, candidates: Iterable[str]) -> str:
    """Return ``' Did you mean ...?'`` for the nearest candidate, or an empty string."""
    wanted = str(name)
    names = [str(candidate) for candidate in candidates]
    found = get_close_matches(wanted, names, n=1, cutoff=0.6)
    if not found:
        folded = {candidate.casefold(): candidate for candidate in names}
        match = folded.get(wanted.casefold())
        found = [match] if match else []
    return f" Did you mean {found[0]!r}?" if found else ""


def rows_text(rows: Sequence[object]) -> str:
    """Name the first few rows: ``'rows 3, 7, 12 (and 9 more)'``."""
    shown = ", ".join(str(row) for row in rows[:_SHOWN])
    noun = "row" if len(rows) == 1 else "rows"
    more = f" (and {len(rows) - _SHOWN} more)" if len(rows) > _SHOWN else ""
    return f"{noun} {shown}{more}"
