"""One column of a file as its distinct values, so that each value is judged once.

A cell's *text* is what messages show and what missing codes, recodings and levels are compared
with: numbers without needless decimals (1.0 is ``"1"``), dates in ISO form, text without the
white space around it, with composed letters and without marks of no width.
"""

from __future__ import annotations

import datetime as dt
import numbers
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rnetstats.errors import ColumnError

__all__ = ["Cells", "composed", "number_of", "number_text"]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u2060\u200e\u200f"))
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


def composed(text: str) -> str:
    """Write a letter and its accent as one character: other systems store them as two.

    Both look the same, and a name or level in one form is not found under the other. So do marks
    of no width, such as the byte-order mark of a file that was put behind another.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text.translate(_UNSEEN))


def number_text(value: float) -> str:
    """Write a number without needless decimals: 1.0 is ``'1'``."""
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))


def number_of(text: str, decimal: str = ".") -> float | None:
    """Read a number in ASCII digits; ``None`` if the text is none.

    Infinities are read as such, so that they can be refused by name.
    """
    if _INFINITE.fullmatch(text):
        return float(text)
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".", 1)
    return float(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True)
class Cells:
    """Distinct values of one column.

    Attributes
    ----------
    codes
        (n,) position of each row's value in ``values``; -1 where the row has none.
    values
        Distinct values as the file holds them: numbers, text.
    texts
        The same values as text.
    """

    codes: npt.NDArray[np.intp]
    values: tuple[object, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, column: pd.Series[Any], name: str) -> Cells:
        """Take a column apart; empty text, ``None`` and NaN are no value."""
        try:
            codes, uniques = pd.factorize(column, use_na_sentinel=True)
        except (TypeError, NotImplementedError) as error:  # the second where pyarrow holds them
            raise ColumnError(
                f"column {name!r} holds lists or other compound values, not plain cells: {error}"
            ) from error
        values = [_plain(value) for value in uniques]
        texts = [_text(value) for value in values]
        return cls(np.asarray(codes, dtype=np.intp), tuple(values), tuple(texts)).without(
            [i for i, text in enumerate(texts) if not text]
        )

    def without(self, dropped: Collection[int]) -> Cells:
        """Return the cells with some distinct values turned to missing."""
        if not dropped:
            return self
        gone = set(dropped)
        keep = [i for i in range(len(self.values)) if i not in gone]
        new = np.full(len(self.values) + 1, -1, dtype=np.intp)
        new[keep] = np.arange(len(keep))
        return Cells(
            new[self.codes],
            tuple(self.values[i] for i in keep),
            tuple(self.texts[i] for i in keep),
        )

    def replaced(self, values: Sequence[object]) -> Cells:
        """Return the cells with other values in the same places."""
        return Cells(self.codes, tuple(values), tuple(_text(value) for value in values))

    def positions(self, wanted: Collection[int]) -> list[int]:
        """Rows, from 0, that hold one of the distinct values."""
        return [int(row) for row in np.flatnonzero(np.isin(self.codes, list(wanted)))]

    def counts(self) -> npt.NDArray[np.intp]:
        """Rows per distinct value."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    @property
    def n_missing(self) -> int:
        """Rows without a value."""
        return int(np.count_nonzero(self.codes < 0))

    def floats(self, values: Sequence[float]) -> npt.NDArray[np.float64]:
        """Spread one number a distinct value over the rows, NaN where there is none."""
        return np.append(np.asarray(values, dtype=np.float64), np.nan)[self.codes]

    def objects(self, values: Sequence[Any]) -> list[Any]:
        """Spread one object a distinct value over the rows, ``None`` where there is none."""
        spread = [*values, None]
        return [spread[code] for code in self.codes]


def _plain(value: object) -> object:
    """Turn NumPy and decimal scalars into plain Python, booleans into 0 and 1."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else str(value)
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    return composed(value).strip() if isinstance(value, str) else value


def _text(value: object) -> str:
    if isinstance(value, str):
        return composed(value)
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, numbers.Real):
        return number_text(float(value)) if isinstance(value, float) else str(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value).strip()
