"""Gray's test of one cause on rows: its sums, the frame by group, what is to be noted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rnetstats.kernels.gray import GrayTable, gray_table
from rnetstats.survival.competing_rows import CompetingRows

__all__ = ["cause_notes", "frame_by_group", "one_cause"]

_FEW = 5


def one_cause(rows: CompetingRows, code: int, rho: float) -> GrayTable:
    """Return the test's sums of one cause, the events of the others competing."""
    return gray_table(
        rows.stop,
        rows.code,
        rows.group,
        len(rows.labels),
        cause=code,
        rho=rho,
        freq=rows.freq,
        strata=rows.strata,
    )


def _events(rows: CompetingRows, code: int) -> np.ndarray:
    weights = rows.counts * (rows.code == code)
    return np.bincount(rows.group, weights, len(rows.labels))


def frame_by_group(rows: CompetingRows, found: dict[int, GrayTable]) -> pd.DataFrame:
    """Return ``cause, group, n, n_events, observed, expected``."""
    n = np.bincount(rows.group, rows.counts, len(rows.labels)).astype(int)
    parts = [
        pd.DataFrame(
            {
                "cause": rows.causes[code - 1],
                "group": list(rows.labels),
                "n": n,
                "n_events": _events(rows, code).astype(int),
                "observed": table.observed,
                "expected": table.expected,
            }
        )
        for code, table in found.items()
    ]
    return pd.concat(parts, ignore_index=True)


def cause_notes(rows: CompetingRows, code: int, df: int) -> list[str]:
    """Say where P is missing, or rests on few events."""
    cause = rows.causes[code - 1]
    meaning = rows.meaning[cause]
    name = cause if meaning == cause else f"{cause} ({meaning})"
    if df == 0:
        return [f"{name}: no event was seen while two groups were at risk: P is missing."]
    events = _events(rows, code)
    few = [
        f"{label} {count:g}"
        for label, count in zip(rows.labels, events, strict=True)
        if count < _FEW
    ]
    if not few:
        return []
    return [
        f"{name}: fewer than {_FEW} events in a group ({', '.join(few)}); the chi-square "
        "approximation of P is rough."
    ]
