"""The search for all 2x2 tables that print two percentages and a P value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from rnetstats.errors import BudgetError
from rnetstats.evidence.worlds_percent import CountRanges
from rnetstats.evidence.worlds_printed import Window
from rnetstats.evidence.worlds_summary import Summary
from rnetstats.kernels.two_by_two_boxes import Boxes, Wanted, meets, prints
from rnetstats.tables.fisher import log_factorials

__all__ = ["Search", "some_table"]

_MOST_BOXES = 1_000_000


@dataclass(frozen=True, eq=False)
class Search:
    """Two percentages, the P that is wanted, and at most so many patients.

    Attributes
    ----------
    boxes : Boxes
        All tables that print both percentages.
    wanted : Wanted or None
        None when no P is printed.
    at_most : int
        Patients of both groups together.
    """

    boxes: Boxes
    wanted: Wanted | None
    at_most: int

    @classmethod
    def of(
        cls,
        first: CountRanges,
        second: CountRanges,
        p: Window | None,
        tests: tuple[str, ...],
        at_most: int,
    ) -> Search:
        """Set the search up from the counts behind each percentage."""
        wanted = None if p is None else _wanted(p, tests, at_most)
        return cls(_crossed(first, second, at_most), wanted, at_most)

    def left(self) -> Boxes:
        """Return the boxes that may hold a wanted table; all others provably hold none."""
        boxes, wanted = self.boxes, self.wanted
        if wanted is None:
            return boxes
        boxes = boxes.take(meets(boxes, wanted))
        done = boxes.take(np.zeros(len(boxes), dtype=bool))
        while len(boxes) and len(boxes) + len(done) <= _MOST_BOXES:
            large = boxes.large()
            done = done.joined(boxes.take(~large))
            cut = boxes.take(large).halves().within(self.at_most)
            boxes = cut.take(meets(cut, wanted))
        return done.joined(boxes)

    def tables(self, boxes: Boxes) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the wanted tables of the boxes, chunk by chunk.

        Yields
        ------
        tuple
            ``a, b, c, d`` as an array of shape (4, m) and which test prints the P, of shape
            (tests, m); without a wanted P no test.
        """
        for every in boxes.chunks():
            inside = np.flatnonzero(sum(every) <= self.at_most)
            cells = np.stack([cell[inside] for cell in every])
            if self.wanted is None:
                yield cells, np.zeros((0, inside.size), dtype=bool)
                continue
            by_test = prints(cells[0], cells[1], cells[2], cells[3], self.wanted)
            rows = np.flatnonzero(by_test.any(axis=0))
            yield cells[:, rows], by_test[:, rows]

    def summary(
        self, boxes: Boxes, conf_level: float, keep: int
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the wanted tables in brief, and the first ``keep`` of them."""
        tests = () if self.wanted is None else self.wanted.tests
        brief = Summary(tests, conf_level)
        kept: list[np.ndarray] = []
        for cells, by_test in self.tables(_ordered(boxes)):
            brief.add(cells, by_test)
            room = keep - sum(part.shape[1] for part in kept)
            kept.append(cells[:, : max(room, 0)])
        listed = np.concatenate(kept, axis=1) if kept else np.zeros((4, 0), dtype=np.int64)
        return brief.frame(), listed

    def any_table(self, budget: int) -> bool:
        """Say whether some table is wanted; True, too, when there are too many to tell."""
        boxes, wanted = self.boxes, self.wanted
        if wanted is None or not len(boxes):
            return len(boxes) > 0
        while len(boxes):
            boxes = boxes.take(meets(boxes, wanted))
            corners = boxes.a, boxes.b_low, boxes.c, boxes.d_low  # all within the patients
            if prints(*corners, wanted).any():
                return True
            large = boxes.large()
            rest = boxes.take(~large)
            if any(cells.shape[1] > 0 for cells, _ in self.tables(rest)):
                return True
            boxes = boxes.take(large).halves().within(self.at_most)
            if int(boxes.tables.sum()) > budget and len(boxes) > _MOST_BOXES // 4:
                return True
        return False


def some_table(
    first: CountRanges,
    second: CountRanges,
    p: Window | None,
    tests: tuple[str, ...],
    at_most: int,
    budget: int,
) -> bool:
    """Say whether any table prints these figures; True, too, when there are too many to tell."""
    try:
        return Search.of(first, second, p, tests, at_most).any_table(budget)
    except BudgetError:
        return True


def _wanted(p: Window, tests: tuple[str, ...], at_most: int) -> Wanted:
    low, high = p.ends
    low, high = max(low, 0.0), min(high, 1.0)
    return Wanted(
        tests=tests,
        p_low=low,
        p_high=high,
        z_low=float(-ndtri(high / 2.0)),
        z_high=float(-ndtri(low / 2.0)) if low > 0.0 else np.inf,
        log_factorial=np.asarray(log_factorials(at_most), dtype=np.float64),
    )


def _crossed(first: CountRanges, second: CountRanges, at_most: int) -> Boxes:
    """Every pair of event numbers with its ranges of sizes."""
    if len(first.events) * len(second.events) > _MOST_BOXES:
        raise BudgetError(
            f"The percentages allow {len(first.events):,} and {len(second.events):,} numbers of "
            f"events, {len(first.events) * len(second.events):,} pairs; the limit is "
            f"{_MOST_BOXES:,}. Give a smaller limit on the patients."
        )
    i, j = (index.ravel() for index in np.indices((len(first.events), len(second.events))))
    a, c = first.events[i], second.events[j]
    boxes = Boxes(
        a,
        first.n_low[i] - a,
        first.n_high[i] - a,
        c,
        second.n_low[j] - c,
        second.n_high[j] - c,
    )
    return boxes.within(at_most)


def _ordered(boxes: Boxes) -> Boxes:
    """Boxes of the same events next to each other."""
    return boxes.take(np.lexsort((boxes.d_low, boxes.b_low, boxes.c, boxes.a)))
