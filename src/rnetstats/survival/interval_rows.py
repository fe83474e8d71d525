"""The rows of ``Interval(left, right) ~ group``, as curves and tests of this room take them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.copies import copies
from rnetstats._core.frame import label_of
from rnetstats.errors import FormulaError
from rnetstats.formula.groups import group_frame
from rnetstats.survival.rows import RowsInfo

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = ["IntervalRows", "interval_rows", "time_label"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class IntervalRows:
    """Interval-censored rows with a group each; arrays have shape (n,)."""

    left: Floats
    right: Floats
    group: NDArray[np.intp]
    labels: tuple[str, ...]
    freq: Floats | None = None

    @property
    def event(self) -> NDArray[np.bool_]:
        """Whether the event is known to have happened: the row is not right-censored."""
        return np.isfinite(self.right)

    @property
    def weight(self) -> Floats:
        """Patients a row."""
        return np.ones(len(self.left)) if self.freq is None else self.freq

    def expanded(self) -> IntervalRows:
        """Return rows without weights, each written out as often as its frequency weight says."""
        if self.freq is None:
            return self
        again = copies(self.freq)
        return replace(
            self,
            left=self.left[again],
            right=self.right[again],
            group=self.group[again],
            freq=None,
        )

    def counts(self, code: int) -> dict[str, int]:
        """Count the patients of a group by what is known of their time."""
        mine = self.weight * (self.group == code)
        exact = self.left == self.right
        started = self.left == 0.0
        kinds = {
            "n": np.ones_like(exact),
            "n_events": self.event,
            "n_exact": exact,
            "n_left": self.event & started & ~exact,
            "n_interval": self.event & ~started & ~exact,
            "n_right": ~self.event,
        }
        return {name: int(mine @ flags) for name, flags in kinds.items()}


def interval_rows(
    frame: pd.DataFrame,
    formula: str,
    *,
    freq_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> tuple[IntervalRows, RowsInfo]:
    """Read the rows, and what is shown beside the numbers.

    Raises
    ------
    FormulaError
        For ``strata()`` or ``cluster()``, which have no meaning here.
    """
    read = group_frame(
        frame, formula, kind="interval", weights={"freq_weights": freq_weights}, missing=missing
    )
    if read.strata is not None or read.cluster is not None:
        raise FormulaError(
            "Interval-censored curves have groups, not strata() or cluster(): write '+ column'."
        )
    left, right = read.outcome.left, read.outcome.right
    assert left is not None and right is not None
    rows = IntervalRows(left, right, read.groups.codes, read.groups.labels, read.freq_weights)
    labels = {
        "time": time_label(frame, read.outcome.columns[0]),
        "event": read.outcome.name,
        "group": ", ".join(label_of(frame, name) for name in read.groups.columns),
    }
    return rows, RowsInfo(labels, read.rows, read.n_missing, read.notes)


def time_label(frame: pd.DataFrame, name: str) -> str:
    """Name the axis of time, with the unit that the column's label carries, if any."""
    label = label_of(frame, name)
    unit = label[label.rindex("(") :] if label.endswith(")") and "(" in label else ""
    return f"Time {unit}".strip()
