"""Typed columns from recoded cells: numbers, 0/1, levels, text, dates, each value judged once."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.data.cells import Cells, number_of
from rnetstats.data.codebook import ColumnSpec
from rnetstats.data.ledger import Ledger
from rnetstats.data.units import conversion
from rnetstats.data.written import where_to_say
from rnetstats.errors import closest

__all__ = [
    "THOUSANDS",
    "Task",
    "category_column",
    "finder",
    "number_column",
    "recode_text",
    "text_column",
    "toml_text",
]

_TRUTH = {"true": 1.0, "false": 0.0}
_YES = {"yes", "y", "ja", "oui", "si", "sí", "true", "t", "positive", "pos", "dead", "event"}
THOUSANDS = re.compile(
    r"[+-]?\d{1,3}(?:([,.'\u2019 \u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?", re.ASCII
)
_TOTAL = re.compile(
    r"(grand |sub)?totals?|sums?|summen?|gesamt(summe)?|insgesamt|mittelwert|means?|average|median"
    r"|anzahl|durchschnitt|total (general|général)|suma|promedio|medi[ao]|mediana|somme|moyenne"
    r"|médiane|soma|média|somma|合[计計]|[总總小][计計]|平均[值値]?|均[值値]|中位[数數]"
    r"|((total|summe|gesamt|anzahl|n|count)\s*[:=]\s*|gesamt\w*:?\s+)\d+.*",
    re.IGNORECASE,
)
_WITH_UNIT = re.compile(r"[<>~=\u2264\u2265]?\s*[\d.,]+\s*[^\W\d]{0,8}\.?|[\d.,]+\s*%")


@dataclass(frozen=True)
class Task:
    """One column to convert: its cells as the file holds them, what they mean, who is told."""

    cells: Cells
    spec: ColumnSpec
    ledger: Ledger

    def refuse(self, which: Collection[int], what: str, advice: str) -> None:
        """Keep a problem with some of the distinct values: which, in which rows, what to do."""
        self.ledger.problem(
            f"column {self.spec.in_file!r}: {self._shown(which)} in "
            f"{self.ledger.rows(self.cells.positions(which))} {what}. {advice}"
        )

    def _shown(self, which: Collection[int]) -> str:
        texts = list(dict.fromkeys(self.cells.texts[i] for i in which))
        quoted = ", ".join(repr(text[:40]) for text in texts[:4])
        return quoted + (f" and {len(texts) - 4} other values" if len(texts) > 4 else "")


def finder(codes: Iterable[str]) -> Callable[[str], str | None]:
    """Return a search for the code that a cell's text is: the same text, or the same number."""
    exact = dict.fromkeys(codes)
    by_number = {number_of(code): code for code in reversed(exact)}
    by_number.pop(None, None)

    def find(text: str) -> str | None:
        if text in exact:
            return text
        return by_number.get(number_of(text)) if by_number else None

    return find


def number_column(task: Task, recoded: Cells, decimal: str) -> pd.Series[Any] | None:
    """Return float64, or int64 for whole numbers and 0/1 without a missing value.

    ``recoded`` holds the values after translation, in the same places as ``task.cells``.
    """
    spec = task.spec
    numbers = [
        _number(value, text, spec.type, decimal)
        for value, text in zip(recoded.values, recoded.texts, strict=True)
    ]
    fine = _are_binary if spec.type == "binary" else _are_numbers
    if not fine(task, numbers, decimal):
        return None
    values = [math.nan if number is None else number for number in numbers]
    # a derived column that the file has too stands there in its own unit
    if spec.unit_in and spec.unit_in != spec.unit and not spec.derive:
        times, per = conversion(spec.unit_in, spec.unit)
        values = [number * times / per for number in values]
        task.ledger.note(
            f"{spec.name}: converted from {spec.unit_in} to {spec.unit} "
            f"(times {times:g}, divided by {per:g})."
        )
    if not _are_in_range(task, values):
        return None
    column = pd.Series(recoded.floats(values), name=spec.name)
    whole = spec.type in {"integer", "binary"} and recoded.n_missing == 0
    return column.astype(np.int64) if whole else column


def _number(value: object, text: str, type_: str, decimal: str) -> float | None:
    if type_ == "binary" and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if isinstance(value, str):
        return number_of(value, decimal)
    return float(value) if isinstance(value, int | float) else None


def _are_binary(task: Task, numbers: list[float | None], decimal: str) -> bool:
    wrong = [i for i, number in enumerate(numbers) if number not in (0.0, 1.0)]
    if wrong:
        task.refuse(wrong, "is not 0 or 1", _recode_advice(task.cells))
    return not wrong


def _recode_advice(cells: Cells) -> str:
    """Propose a recoding of two values that look like yes and no."""
    values = sorted(set(cells.texts))
    if len(values) != 2:
        return "A yes/no column or an event holds 0 and 1; `recode` of the codebook translates."
    return f"If that is what they mean, write {recode_text(values)} in the codebook."


def recode_text(values: Sequence[str]) -> str:
    """Return a recoding of two values to 0 and 1 in TOML; both ways, if it is not plain which."""
    ones = [value for value in values if value.lower() in _YES]
    first, second = values

    def written(zero: str, one: str) -> str:
        return f"recode = {{ {toml_text(zero)} = 0, {toml_text(one)} = 1 }}"

    if len(ones) == 1:
        return written(second if ones[0] == first else first, ones[0])
    return f"{written(first, second)}, or {written(second, first)},"


def toml_text(text: str) -> str:
    """Return a text in quotation marks, as TOML has it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _are_numbers(task: Task, numbers: list[float | None], decimal: str) -> bool:
    texts = [i for i, number in enumerate(numbers) if number is None]
    if texts:
        task.refuse(texts, "is not a number", _number_advice(task.cells, texts, decimal))
    known = [(i, number) for i, number in enumerate(numbers) if number is not None]
    infinite = [i for i, number in known if math.isinf(number)]
    if infinite:
        task.refuse(infinite, "is infinite", "Give a number, or leave the cell empty.")
    odd: list[int] = []
    if task.spec.type == "integer":
        odd = [i for i, x in known if math.isfinite(x) and not (x.is_integer() and abs(x) < 2**53)]
    if odd:
        advice = 'Correct the file, or write type = "numeric" in the codebook.'
        task.refuse(odd, "is not a whole number", advice)
    if texts or infinite or odd:
        return False
    return _are_codes(task, known)


def _are_codes(task: Task, known: list[tuple[int, float]]) -> bool:
    codes = dict(task.spec.codes)
    odd = [i for i, number in known if number not in codes] if codes else []
    if odd:
        listed = ", ".join(f"{code} ({meaning})" for code, meaning in codes.items())
        advice = f"The codes are {listed}; `recode` of the codebook translates others."
        task.refuse(odd, "is not a known code", advice)
    return not odd


def _number_advice(cells: Cells, which: list[int], decimal: str) -> str:
    """Say what to do about texts in a column of numbers, by what they look like."""
    other = "," if decimal == "." else "."
    texts, values = [cells.texts[i] for i in which], [cells.values[i] for i in which]
    if all(number_of(text, other) is not None for text in texts):
        mark = "comma" if other == "," else "point"
        advice = f"If the {mark} is the decimal mark, say so: {where_to_say('decimal', other)}."
        if all(THOUSANDS.fullmatch(text) for text in texts):
            return f"{advice} If it parts thousands, take it out of the file."
        return advice
    if any(isinstance(value, dt.timedelta) for value in values):
        return "Make numbers of durations first, such as days: column / pandas.Timedelta(days=1)."
    hint = ""
    if any(isinstance(value, dt.date) for value in values):
        hint = "A spreadsheet may have made dates of numbers: look at these cells there. "
    elif any(_WITH_UNIT.fullmatch(text) for text in texts):
        hint = "A cell holds a number alone, without a unit or a sign such as <. "
    return hint + (
        "Correct the file, list a code for a missing value in `missing` of the codebook, "
        "or translate it by `recode`."
    )


def _are_in_range(task: Task, values: list[float]) -> bool:
    spec = task.spec
    if spec.range is None:
        return True
    low, high = spec.range
    outside = [i for i, number in enumerate(values) if not low <= number <= high]
    if outside:
        negative = low == 0 and all(values[i] < 0 for i in outside)
        limits = f"is outside the range {low:g} to {high:g} {spec.unit}".rstrip()
        task.refuse(
            outside,
            "is negative" if negative else limits,
            _unit_advice(spec, [values[i] for i in outside])
            + "Correct the file, list a code for a missing value in `missing`, or change "
            f"`range` in [columns.{spec.name}] of the codebook.",
        )
    return not outside


def _unit_advice(spec: ColumnSpec, outside: list[float]) -> str:
    """Ask for the unit, if values beyond the range would lie in it in days."""
    if spec.range is None or spec.unit_in or spec.unit not in ("months", "years"):
        return ""
    times, per = conversion("days", spec.unit)
    high = spec.range[1]
    fit = len(outside) > 1 and all(high < value <= high * per / times for value in outside)
    return 'If these are days, write unit_in = "days". ' if fit else ""


def category_column(task: Task, recoded: Cells) -> pd.Series[Any] | None:
    """Return a category with the declared levels in their order, the reference first.

    Without declared levels they are those found, sorted by code point.
    """
    levels = list(task.spec.levels) or sorted(set(recoded.texts))
    find = finder(levels)
    found = [find(text) for text in recoded.texts]
    unknown = [i for i, level in enumerate(found) if level is None]
    if unknown:
        near = closest(recoded.texts[unknown[0]], levels)
        task.refuse(
            unknown,
            "is not a known level",
            f"Known are {', '.join(repr(level) for level in levels[:12])}.{near} "
            "Correct the file, or use `recode` or `levels` of the codebook.",
        )
        return None
    places = {level: i for i, level in enumerate(levels)}
    lookup = np.append([places[str(level)] for level in found], -1).astype(np.intp)
    values = pd.Categorical.from_codes(lookup[recoded.codes], categories=pd.Index(levels))
    return pd.Series(values, name=task.spec.name)


def text_column(task: Task, recoded: Cells) -> pd.Series[Any] | None:
    """Return text as it stands; an identifier must not be missing."""
    if task.spec.type == "id" and recoded.n_missing:
        rows = task.ledger.rows(np.flatnonzero(recoded.codes < 0).tolist())
        task.ledger.problem(
            f"column {task.spec.in_file!r}: no identifier in {rows}. Give each row one."
        )
        return None
    if task.spec.type == "id":
        totals = [i for i, text in enumerate(recoded.texts) if _TOTAL.fullmatch(text)]
        if totals:
            advice = "Take the row out; if it is a patient, give another identifier."
            task.refuse(totals, "looks like a row of totals, not a patient", advice)
            return None
    return pd.Series(recoded.objects(recoded.texts), name=task.spec.name)
