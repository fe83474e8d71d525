"""Two groups of patients to be compared: which is the new treatment, which the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.copies import copies
from rnetstats._core.frame import Data, as_frame, is_synthetic, label_of, time_unit
from rnetstats.errors import DataError, FormulaError, OptionError, closest
from rnetstats.formatting import group_names
from rnetstats.formula.groups import group_frame
from rnetstats.formula.variables import level_text

__all__ = ["FEW_EVENTS", "TwoArms", "two_arms"]

Floats = NDArray[np.float64]

FEW_EVENTS = 5  # in an arm: below, no normal approximation is trusted


@dataclass(frozen=True)
class TwoArms:
    """The rows of two arms, frequency weights written out; arrays have shape (n,).

    Attributes
    ----------
    event : bool array
    is_new : bool array
    stop, start : array or None
        Times; None for a binary outcome and without late entry.
    names : tuple of str
        The new treatment, the reference.
    group, endpoint : str
        The column of the groups as printed, and the left side as written.
    unit : str
        Of the times, such as ``months``; empty where it is not known.
    """

    event: NDArray[np.bool_]
    is_new: NDArray[np.bool_]
    stop: Floats | None
    start: Floats | None
    names: tuple[str, str]
    group: str
    endpoint: str
    unit: str
    formula: str
    n_missing: int
    synthetic: bool
    notes: tuple[str, ...]

    def called(self, name: str) -> str:
        """Name an arm in a sentence: by column and level, those of a 0/1 column no and yes."""
        return f"{self.group}: {group_names(self.names).get(name, name)}"

    @property
    def sizes(self) -> tuple[int, int]:
        """Patients of the new treatment and of the reference."""
        return int(self.is_new.sum()), int((~self.is_new).sum())

    @property
    def events(self) -> tuple[int, int]:
        """Events of the new treatment and of the reference."""
        return int(self.event[self.is_new].sum()), int(self.event[~self.is_new].sum())

    def survival_of(self, *, new: bool) -> tuple[Floats, NDArray[np.bool_]]:
        """Times and events of one arm."""
        assert self.stop is not None
        rows = self.is_new if new else ~self.is_new
        return self.stop[rows], self.event[rows]


def two_arms(
    data: Data,
    formula: str,
    *,
    new: Any = None,
    freq_weights: Any = None,
    missing: str = "drop",
) -> TwoArms:
    """Read two arms.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"outcome ~ group"`` or ``"Surv(time, event) ~ group"``.
    new : level, optional
        The group of the new treatment; by default the one that is not the first level.
    freq_weights : str or array of shape (n,), optional
    missing : {"drop", "raise"}

    Raises
    ------
    FormulaError, DataError
        If there are not two groups, or the formula has strata or clusters.
    OptionError
        If ``new`` is none of the groups.
    """
    frame = as_frame(data)
    weights = {"freq_weights": freq_weights}
    read = group_frame(frame, formula, kind="either", weights=weights, missing=missing)
    if read.strata is not None or read.cluster is not None:
        raise FormulaError(f"strata() and cluster() have no meaning in {formula!r}: two groups.")
    labels = read.groups.labels
    if len(labels) != 2:
        raise DataError(
            f"{formula!r} forms {len(labels)} groups ({', '.join(labels)}); two are compared: "
            "leave the rows of the others out, or write I(column == value)."
        )
    chosen = _new_code(labels, new)
    again = np.arange(read.n)
    if read.freq_weights is not None:
        again = copies(read.freq_weights)
    outcome = read.outcome
    event = outcome.event if outcome.y is None else outcome.y == 1.0
    assert event is not None
    return TwoArms(
        event=event[again],
        is_new=(read.groups.codes == chosen)[again],
        stop=None if outcome.stop is None else outcome.stop[again],
        start=None if outcome.start is None else outcome.start[again],
        names=(labels[chosen], labels[1 - chosen]),
        group=", ".join(label_of(frame, name) for name in read.groups.columns),
        endpoint=outcome.name,
        unit="" if outcome.stop is None else time_unit(frame, outcome.time_name),
        formula=read.formula,
        n_missing=read.n_missing,
        synthetic=is_synthetic(frame),
        notes=read.notes,
    )


def _new_code(labels: tuple[str, ...], new: Any) -> int:
    if new is None:
        return 1
    text = level_text(new.item() if isinstance(new, np.generic) else new)
    if text not in labels:
        raise OptionError(
            f"new={new!r} is none of the groups, which are {', '.join(labels)}."
            f"{closest(text, labels)}"
        )
    return labels.index(text)
