"""Stata and SPSS: codes stay codes, their labels come along, declared missing codes are told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.data.cells import composed
from rnetstats.data.raw import RawTable, from_frame
from rnetstats.data.workbook import cell_name

__all__ = ["read_labelled"]


def read_labelled(pyreadstat: Any, path: Path, sha256: str, kind: str) -> RawTable:
    """Read a Stata or SPSS file.

    Parameters
    ----------
    pyreadstat
        The package that reads them.
    path, sha256
        The file and its checksum.
    kind
        ``"Stata"`` or ``"SPSS"``.
    """
    read = pyreadstat.read_dta if kind == "Stata" else pyreadstat.read_sav
    frame, meta = read(str(path), user_missing=True)
    frame = pd.DataFrame(frame)
    value_labels = {
        composed(str(name)): {cell_name(code): str(label) for code, label in labels.items()}
        for name, labels in meta.variable_value_labels.items()
    }
    notes = []
    for name in frame.columns:
        declared = _declared_missing(frame[name], meta, str(name))
        if declared.any():
            codes = frame[name][declared].map(cell_name)
            codes = "." + codes if kind == "Stata" else codes
            notes.append(_told(codes, str(name), value_labels.get(composed(str(name)), {})))
            frame[name] = frame[name].where(~declared, np.nan).infer_objects()
    return from_frame(
        frame,
        source=path.name,
        sha256=sha256,
        notes=notes,
        labels={
            composed(str(n)): str(text) for n, text in meta.column_names_to_labels.items() if text
        },
        value_labels=value_labels,
    )


def _declared_missing(column: pd.Series[Any], meta: Any, name: str) -> np.ndarray:
    """Say which rows hold a code that the file itself declares as missing."""
    ranges = [(part["lo"], part["hi"]) for part in meta.missing_ranges.get(name, ())]
    ranges += [(letter, letter) for letter in meta.missing_user_values.get(name, ())]

    def inside(value: object) -> bool:
        return any(
            low <= value <= high
            for low, high in ranges
            if isinstance(value, str) == isinstance(low, str)
        )

    return np.array([bool(ranges) and not pd.isna(v) and inside(v) for v in column], dtype=bool)


def _told(codes: pd.Series[Any], name: str, labels: Mapping[str, str]) -> str:
    """Say which codes were read as missing, with their labels and counts."""
    counts = codes.value_counts().sort_index()
    told = ", ".join(
        f"{code!r}{f' = {labels[code]}' if code in labels else ''} ({count})"
        for code, count in zip(map(str, counts.index), counts, strict=True)
    )
    return f"{name}: codes that the file declares as missing, read so, with their number: {told}."
