"""The rows of a group formula, as the curves and tests of this room take them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.copies import copies
from rnetstats._core.frame import label_of
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.formula.clusters import check_clusters, cluster_notes
from rnetstats.formula.groups import GroupFrame, group_frame
from rnetstats.survival.product_limit import ProductLimit, product_limit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = [
    "RowsInfo",
    "SurvivalRows",
    "emptied_notes",
    "group_rows",
    "refuse_pseudo_values",
    "refuse_strata",
]

Floats = NDArray[np.float64]
_Part = TypeVar("_Part", Floats, NDArray[np.intp])


@dataclass(frozen=True)
class SurvivalRows:
    """Right-censored rows with a group each; arrays have shape (n,)."""

    stop: Floats
    event: NDArray[np.bool_]
    start: Floats | None
    group: NDArray[np.intp]
    labels: tuple[str, ...]
    weights: Floats | None = None
    cluster: NDArray[np.intp] | None = None
    strata: NDArray[np.intp] | None = None
    robust: bool = False

    def take(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> SurvivalRows:
        """Return some of the rows."""

        def part(values: _Part | None) -> _Part | None:
            return None if values is None else values[keep]

        return SurvivalRows(
            stop=self.stop[keep],
            event=self.event[keep],
            start=part(self.start),
            group=self.group[keep],
            labels=self.labels,
            weights=part(self.weights),
            cluster=part(self.cluster),
            strata=part(self.strata),
            robust=self.robust,
        )

    def expanded(self) -> SurvivalRows:
        """Return rows without weights, each written out as often as its frequency weight says."""
        if self.weights is None:
            return self
        return replace(self, weights=None).take(copies(self.weights))

    def relabelled(self, codes: tuple[int, ...]) -> SurvivalRows:
        """Return rows of these groups alone with the groups numbered anew."""
        labels = tuple(self.labels[code] for code in codes)
        return replace(self, group=np.searchsorted(codes, self.group), labels=labels)

    def of_group(self, code: int) -> SurvivalRows:
        """Return the rows of one group."""
        return self.take(self.group == code)

    def shared(self, influences: list[Floats]) -> Floats:
        """Return the covariance of each group's estimate with the first group's, (groups,).

        That of weighted influences, given group by group. Groups share nothing but clusters.
        """
        found = np.zeros(len(self.labels))
        if self.cluster is None:
            return found
        size = int(self.cluster.max()) + 1
        sums = [
            np.bincount(self.cluster[self.group == code], own, size)
            for code, own in enumerate(influences)
        ]
        found[1:] = [float(sums[0] @ own) for own in sums[1:]]
        return found

    def curve(self) -> ProductLimit:
        """Return the product-limit estimate of all these rows together."""
        return product_limit(
            self.stop,
            self.event,
            start=self.start,
            weights=self.weights,
            robust=self.robust,
            cluster=self.cluster,
        )


@dataclass(frozen=True)
class RowsInfo:
    """What is shown beside the numbers: labels, rows used and left out, notes."""

    labels: dict[str, str]
    positions: NDArray[np.intp]
    n_missing: int
    notes: tuple[str, ...]


def group_rows(
    frame: pd.DataFrame,
    formula: str,
    *,
    freq_weights: str | ArrayLike | None = None,
    sampling_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> tuple[SurvivalRows, RowsInfo]:
    """Read the rows of ``Surv(...) ~ group``.

    Raises
    ------
    OptionError
        If both kinds of weights are given.
    DataError
        If every row of a group has sampling weight 0.
    """
    if freq_weights is not None and sampling_weights is not None:
        raise OptionError("Give freq_weights or sampling_weights, not both.")
    weights = {"freq_weights": freq_weights, "sampling_weights": sampling_weights}
    read = group_frame(frame, formula, weights=weights, missing=missing)
    outcome = read.outcome
    assert outcome.stop is not None and outcome.event is not None
    rows = SurvivalRows(
        stop=outcome.stop,
        event=outcome.event,
        start=outcome.start,
        group=read.groups.codes,
        labels=read.groups.labels,
        weights=read.freq_weights if sampling_weights is None else read.sampling_weights,
        cluster=None if read.cluster is None else read.cluster.codes,
        strata=None if read.strata is None else read.strata.codes,
        robust=sampling_weights is not None or read.cluster is not None,
    )
    check_clusters(read.cluster)
    return _positive_weights(rows), _info(frame, read, _idle_notes(rows))


def emptied_notes(
    label: str,
    time: Floats,
    survival: Floats,
    until: float = np.inf,
    then: str = "the curve stays at 0 all the same",
) -> list[str]:
    """Say where everybody at risk had the event, before a time, while others came later."""
    ended = time[survival <= 0.0]
    if not ended.size or ended[0] >= min(until, time[-1]):
        return []
    return [
        f"{label}: everybody at risk at {ended[0]:g} had the event while others had still to "
        f"enter; {then}. Start at a time with enough patients at risk."
    ]


def refuse_strata(rows: SurvivalRows) -> None:
    """Say that curves have groups where a formula has strata."""
    if rows.strata is not None:
        raise FormulaError(
            "Curves have groups, not strata: write '+ column' in place of 'strata(column)'."
        )


def refuse_pseudo_values(rows: SurvivalRows) -> None:
    """Say for which rows pseudo-values are not defined."""
    if rows.start is not None or rows.robust:
        raise OptionError(
            "Pseudo-values are defined neither with late entry nor with cluster() or "
            "sampling_weights."
        )


def _positive_weights(rows: SurvivalRows) -> SurvivalRows:
    if rows.weights is None or bool(np.all(rows.weights > 0.0)):
        return rows
    kept = rows.take(rows.weights > 0.0)
    empty = [label for code, label in enumerate(rows.labels) if not np.any(kept.group == code)]
    if empty:
        raise DataError(f"Every row of group {empty[0]!r} has weight 0.")
    return kept


def _idle_notes(rows: SurvivalRows) -> list[str]:
    """Say how many rows are left out for a weight of 0."""
    idle = 0 if rows.weights is None else int(np.count_nonzero(rows.weights == 0.0))
    if not idle:
        return []
    return [f"{idle} of {len(rows.stop)} rows left out for a sampling weight of 0."]


def _info(frame: pd.DataFrame, read: GroupFrame, more: list[str]) -> RowsInfo:
    """Return labels and notes for a group frame."""
    outcome = read.outcome
    _, comparison, value = outcome.name.removesuffix(")").partition(" == ")
    event = label_of(frame, outcome.columns[-1]) + (f" = {value}" if comparison else "")
    labels = {
        "time": label_of(frame, outcome.time_name),
        "event": event,
        "group": ", ".join(label_of(frame, name) for name in read.groups.columns),
    }
    notes = (*read.notes, *more, *cluster_notes(read.cluster, read.groups))
    return RowsInfo(labels=labels, positions=read.rows, n_missing=read.n_missing, notes=notes)
