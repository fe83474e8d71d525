"""What the cells of a cohort may say: numbers within limits, and words for categories."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import DataError, closest, rows_text

__all__ = ["INPUTS", "Category", "Input", "Number"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

_UNKNOWN = {"", "NA", "NAN", "UNKNOWN", "X"}
_PREFIX = re.compile(r"^(?:YP|RP|P|C|U)(?=[TNM][0-4X])")


@dataclass(frozen=True)
class Number:
    """A column of numbers: its meaning and its limits."""

    label: str
    low: float
    high: float = math.inf
    open_low: bool = False

    def read(self, column: pd.Series, name: str) -> Floats:
        """Return the numbers, NaN where missing; refuse what is none, or out of range."""
        numbers = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
        if not numbers and column.dtype.kind not in "iuf":
            raise DataError(
                f"Column {name!r} ({self.label}) must hold numbers, not {column.dtype} values."
            )
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=math.nan)
        words = np.isnan(values) & column.notna().to_numpy(dtype=bool)
        wrong = words | np.isinf(values) | (values < self.low) | (values > self.high)
        if self.open_low:
            wrong |= values == self.low
        if wrong.any():
            places = np.flatnonzero(wrong)
            shown = ", ".join(repr(value) for value in column.iloc[places[:3]].tolist())
            edge = f"{'above' if self.open_low else 'of at least'} {self.low:g}"
            top = f" and at most {self.high:g}" if self.high < math.inf else ""
            raise DataError(
                f"Column {name!r} ({self.label}) must hold numbers {edge}{top}, but holds {shown} "
                f"in {rows_text((places + 1).tolist())}. Correct or empty them."
            )
        return values


@dataclass(frozen=True)
class Category:
    """A column of categories: its values, and other words for them."""

    label: str
    values: tuple[str, ...]
    words: Mapping[str, str] = field(default_factory=dict)

    def code(self, cell: Any) -> int | None:
        """Return the place of a cell's value, -1 where it is missing, None where it is no value."""
        if pd.isna(cell):
            return -1
        if isinstance(cell, bool | np.bool_):
            cell = int(cell)
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        text = _PREFIX.sub("", " ".join(str(cell).upper().split()))
        if text in _UNKNOWN or self.words.get(text) == "":
            return -1
        found = self.words.get(text, text)
        for place, value in enumerate(self.values):
            if found.upper() == value.upper():
                return place
        return None

    def read(self, column: pd.Series, name: str) -> Codes:
        """Return the place of each cell's value, -1 where missing; refuse what is no value."""
        places, cells = pd.factorize(column.astype(object), use_na_sentinel=True)
        known = [self.code(cell) for cell in cells]
        wrong = [k for k, code in enumerate(known) if code is None]
        if wrong:
            rows = np.flatnonzero(np.isin(places, wrong)) + 1
            cell = str(cells[wrong[0]])
            allowed = [*self.values, *self.words]
            raise DataError(
                f"Column {name!r} ({self.label}) holds {cell!r} in {rows_text(rows.tolist())}; "
                f"allowed are {', '.join(word for word in allowed if word)}."
                f"{closest(cell, allowed)}"
            )
        table = np.array([*(-1 if code is None else code for code in known), -1], dtype=np.int64)
        return table[places]


def _binary(label: str, no: str = "no", yes: str = "yes", **words: str) -> Category:
    spoken = {"0": no, "1": yes, "FALSE": no, "TRUE": yes, "NO": no, "YES": yes}
    return Category(label, (no, yes), {**spoken, **words})


Input = Number | Category

INPUTS: dict[str, Input] = {
    "size_mm": Number("tumour size, mm", 0.0, open_low=True),
    "margin": Category(
        "resection margin",
        ("R0", "Rx", "R1", "R2"),
        {"NEGATIVE": "R0", "INDETERMINATE": "Rx", "POSITIVE": "R1"},
    ),
    "margin_positive": _binary("margin positive, 0 or 1"),
    "rim_mm": Number("width of the tumour-free rim, mm", 0.0),
    "grade": Category("grade", ("G1", "G2", "G3"), {"1": "G1", "2": "G2", "3": "G3"}),
    "ki67": Number("Ki-67, per cent", 0.0, 100.0),
    "mitoses": Number("mitoses per 2 mm2", 0.0),
    "lvi": _binary("lymphovascular invasion, 0 or 1"),
    "lymphatic_invasion": _binary("lymphatic invasion (L1), 0 or 1", L0="no", L1="yes"),
    "vascular_invasion": _binary("vascular invasion (V1), 0 or 1", V0="no", V1="yes"),
    "t_stage": Category(
        "T stage", ("T1", "T1a", "T1b", "T2", "T3", "T4"), {"TX": "", "T4A": "T4", "T4B": "T4"}
    ),
    "invasion": Category(
        "deepest layer invaded",
        ("submucosa", "muscularis propria", "subserosa", "beyond"),
        {
            "MUCOSA": "submucosa",
            "M": "submucosa",
            "SM": "submucosa",
            "MUSCULARIS": "muscularis propria",
            "MP": "muscularis propria",
            "SS": "subserosa",
        },
    ),
    "n_stage": _binary("nodes, N0 or N1", "N0", "N1", NX=""),
    "distant_metastases": _binary(
        "distant metastases, 0 or 1", "M0", "M1", MX="", M1A="M1", M1B="M1", M1C="M1"
    ),
    "fit_for_surgery": _binary("fit for surgery, 0 or 1", "unfit", "fit"),
    "incidental": _binary("found incidentally, 0 or 1"),
}
