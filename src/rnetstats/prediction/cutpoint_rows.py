"""What a cut-off is searched on: an outcome and one marker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnetstats._core.copies import copies
from rnetstats._core.frame import Data, as_frame, is_synthetic_data, label_of
from rnetstats.errors import ColumnError, DataError, FormulaError
from rnetstats.formula.outcome import Outcome, build_outcome, check_left_side
from rnetstats.formula.parser import as_formula
from rnetstats.formula.rows import select_rows
from rnetstats.formula.terms import Formula, Plain, term_text
from rnetstats.formula.variables import Flags, Floats

__all__ = ["CutpointRows", "cutpoint_rows"]


@dataclass(frozen=True, eq=False)
class CutpointRows:
    """Patient rows of one marker and its outcome.

    Attributes
    ----------
    x
        (n,) marker.
    y
        (n,) binary outcome, or None for times.
    stop, event
        (n,) times and events, or None for a binary outcome.
    freq
        (n,) frequency weights, all above 0.
    """

    x: Floats
    y: Floats | None
    stop: Floats | None
    event: Flags | None
    freq: Floats

    @property
    def events(self) -> Floats:
        """1.0 for an event (n,), of either kind of outcome."""
        return np.asarray(self.y if self.y is not None else self.event, dtype=np.float64)

    def expanded(self) -> CutpointRows:
        """Return rows written out as often as their weight says."""
        again = copies(self.freq)
        return CutpointRows(
            self.x[again],
            None if self.y is None else self.y[again],
            None if self.stop is None else self.stop[again],
            None if self.event is None else self.event[again],
            np.ones(again.size),
        )


@dataclass(frozen=True, eq=False)
class CutpointInput:
    """Rows, and what is said of them."""

    rows: CutpointRows
    marker: str
    labels: dict[str, str]
    formula: str
    n_missing: int
    notes: tuple[str, ...]
    synthetic: bool


def cutpoint_rows(
    data: Data, formula: str | Formula, *, freq_weights: Any = None, missing: str = "drop"
) -> CutpointInput:
    """Read ``y ~ x`` or ``Surv(time, event) ~ x``.

    Raises
    ------
    FormulaError
        If the right side is not one column, or the times have late entry.
    ColumnError
        If the marker holds categories, or one value only.
    DataError
        If the outcome is the same in all rows.
    """
    parsed = as_formula(formula)
    marker = _marker(parsed)
    kind = check_left_side(parsed.outcome, "either", str(parsed))
    frame = as_frame(data)
    rows = select_rows(frame, parsed.columns, {"freq_weights": freq_weights}, missing)
    assert parsed.outcome is not None
    outcome = build_outcome(parsed.outcome, kind, rows)
    if outcome.start is not None:
        raise FormulaError(
            "A cut-off is searched on Surv(time, event); late entry, Surv(start, stop, event), "
            "has no scores for it."
        )
    x = rows.variables[marker].numbers("a marker to be cut")
    freq = np.ones(x.size) if rows.freq_weights is None else rows.freq_weights
    found = CutpointRows(x, outcome.y, outcome.stop, outcome.event, freq)
    _check(found, marker, outcome)
    return CutpointInput(
        rows=found,
        marker=marker,
        labels={
            "marker": label_of(frame, marker),
            "outcome": label_of(frame, outcome.columns[-1]),
            "endpoint": outcome.name,
        },
        formula=str(parsed),
        n_missing=rows.n_missing,
        notes=tuple(rows.notes),
        synthetic=is_synthetic_data(data),
    )


def _marker(parsed: Formula) -> str:
    if parsed.offsets or parsed.strata or parsed.cluster:
        raise FormulaError(
            f"{str(parsed)!r}: a cut-off is searched on one marker, 'y ~ x'; offset(), strata() "
            "and cluster() have no place there."
        )
    terms = parsed.terms
    if len(terms) != 1 or len(terms[0]) != 1 or not isinstance(terms[0][0], Plain):
        shown = " + ".join(term_text(term) for term in terms) or "1"
        raise FormulaError(
            f"A cut-off is searched on one column of numbers, 'y ~ x', not on {shown}. A "
            "monotone transformation would give the same groups."
        )
    return terms[0][0].column


def _check(rows: CutpointRows, marker: str, outcome: Outcome) -> None:
    if rows.x.min() == rows.x.max():
        raise ColumnError(
            f"Column {marker!r} is {rows.x[0]:g} in all rows used; there is nothing to cut."
        )
    events = rows.events
    if not events.any():
        raise DataError(f"No row has the event of {outcome.name}; a cut-off has nothing to find.")
    if outcome.y is not None and events.all():
        raise DataError(f"Every row has the event of {outcome.name}; there is nothing to separate.")
