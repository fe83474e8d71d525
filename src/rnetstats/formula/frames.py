"""What every verb knows of the rows it works on, whatever the right side of its formula says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from rnetstats.formula.partition import Groups, crossed
from rnetstats.formula.rows import Rows
from rnetstats.formula.terms import Formula
from rnetstats.formula.variables import Floats, Integers

__all__ = ["RowsUsed", "rows_used"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RowsUsed:
    """The rows used, and what was said of them beside outcome and terms.

    Attributes
    ----------
    formula
        The formula in its canonical writing.
    strata, cluster
        What ``strata()`` and ``cluster()`` form, or None.
    freq_weights, sampling_weights
        Weights (n,), or None.
    rows
        Places (n,) of the rows used in the data as given, from 0.
    n_missing
        Rows left out for missing values; the notes say how many each column lacks.
    notes
        What was decided on the way, in words.
    """

    formula: str
    strata: Groups | None
    cluster: Groups | None
    freq_weights: Floats | None
    sampling_weights: Floats | None
    rows: Integers
    n_missing: int
    notes: tuple[str, ...]

    @property
    def n(self) -> int:
        """Rows used."""
        return len(self.rows)


class _Fields(TypedDict):
    formula: str
    strata: Groups | None
    cluster: Groups | None
    freq_weights: Floats | None
    sampling_weights: Floats | None
    rows: Integers
    n_missing: int
    notes: tuple[str, ...]


def rows_used(formula: Formula, rows: Rows) -> _Fields:
    """Return the fields of :class:`RowsUsed`, once all notes have been taken."""
    return {
        "formula": str(formula),
        "strata": crossed(formula.strata, rows.variables),
        "cluster": crossed(() if formula.cluster is None else (formula.cluster,), rows.variables),
        "freq_weights": rows.freq_weights,
        "sampling_weights": rows.sampling_weights,
        "rows": rows.positions,
        "n_missing": rows.n_missing,
        "notes": tuple(rows.notes),
    }
