"""Going through all tables of a universe: which reproduce the figures, and which come nearest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from rnetstats.errors import BudgetError
from rnetstats.evidence.worlds_conflict import smallest_conflicts
from rnetstats.evidence.worlds_figures import ADDED, OddsRatioFigures
from rnetstats.evidence.worlds_totals import Totals
from rnetstats.evidence.worlds_universe import Universe
from rnetstats.kernels.two_by_two import log_odds_ratio

__all__ = ["Scan", "conflicts", "disordered", "scan"]

_FEW = 4096  # tables held against the P at a time until one prints it


@dataclass(frozen=True, eq=False)
class Scan:
    """What was found: tables ``a, b, c, d, 2 * added`` as arrays of shape (5, m).

    Attributes
    ----------
    worlds : int array
        Tables that reproduce every figure.
    nearest : int array
        Without worlds, the nearest tables: those that reproduce most figures, of these the closest
        odds ratio.
    looked_at : int
        Tables, each counted once for every number added to its cells.
    """

    worlds: np.ndarray
    nearest: np.ndarray
    looked_at: int


def scan(universe: Universe, figures: OddsRatioFigures, target: float, nearest: int) -> Scan:
    """Hold every table of a universe against the figures.

    Parameters
    ----------
    universe : Universe
    figures : OddsRatioFigures
    target : float
        The printed odds ratio, which nearness is measured from on the log scale.
    nearest : int
        How many of the nearest tables to keep.
    """
    found = [np.zeros((5, 0), dtype=np.int64)]
    looked_at = 0
    for cells in universe.chunks():
        for added in ADDED:
            looked_at += cells.shape[1]
            found.append(_marked(_reproducing(cells, figures, added), added))
    worlds = np.hstack(found)
    near = _nearest(universe, figures, target, 0 if worlds.shape[1] else nearest)
    return Scan(worlds, near, looked_at)


def _marked(cells: np.ndarray, added: float) -> np.ndarray:
    return np.vstack([cells, np.full(cells.shape[1], round(2 * added))])


def _reproducing(cells: np.ndarray, figures: OddsRatioFigures, added: float) -> np.ndarray:
    """The tables that reproduce every figure; P is worked out for those that do the others."""
    others = [row for row, name in enumerate(figures.windows) if name != "p"]
    cells = cells[:, figures.but_p(cells, added)[others].all(axis=0)]
    return cells[:, figures.prints_p(cells, added)] if "p" in figures.windows else cells


def _nearest(universe: Universe, figures: OddsRatioFigures, target: float, most: int) -> np.ndarray:
    """The tables that reproduce most figures, of these the closest odds ratio.

    P is worked out only where a table that prints it would be among them.
    """
    near, rank = np.zeros((5, 0), dtype=np.int64), np.zeros((2, 0))
    with_p = float("p" in figures.windows)
    for cells in universe.chunks() if most else ():
        for added in ADDED:
            ratio, _ = log_odds_ratio(*cells, add=added)
            distance = np.abs(np.where(np.isfinite(ratio), ratio, np.inf) - np.log(target))
            new = np.stack([-figures.but_p(cells, added).sum(axis=0).astype(float), distance])
            if rank.shape[1] == most:
                at_best = new[0] - with_p
                tied = (at_best == rank[0, -1]) & (distance < rank[1, -1])
                rows = np.flatnonzero((at_best < rank[0, -1]) | tied)
            else:
                rows = np.arange(cells.shape[1])
            new = new[:, rows]
            if with_p:
                new[0] -= figures.prints_p(cells[:, rows], added)
            near = np.hstack([near, _marked(cells[:, rows], added)])
            rank = np.hstack([rank, new])
            best = np.lexsort((rank[1], rank[0]))[:most]
            near, rank = near[:, best], rank[:, best]
    return near[:, np.isfinite(rank[1])]


def conflicts(
    totals: Totals, figures: OddsRatioFigures, budget: int
) -> tuple[list[tuple[str, ...]], frozenset[str]]:
    """Find the smallest sets of figures, totals among them, that no table has.

    Returns
    -------
    tuple
        The sets, and which totals were held fixed because the tables without them were too many
        to look at.
    """
    known = {name for name in ("events", "n_1") if getattr(totals, name) is not None}
    for dropped in _subsets(known):
        universe = _affordable(totals.without(dropped), budget)
        if universe is None:
            continue
        fixed = frozenset(known - dropped)
        return _conflicts_in(universe, figures, totals, sorted(dropped)), fixed
    return [], frozenset(known)


def _conflicts_in(
    universe: Universe, figures: OddsRatioFigures, totals: Totals, dropped: list[str]
) -> list[tuple[str, ...]]:
    names = (*figures.windows, *dropped)
    seen = _seen(universe, figures, totals, dropped)
    return smallest_conflicts(names, lambda kept: _any_has(seen, names, kept))


def disordered(figures: OddsRatioFigures) -> list[tuple[str, ...]]:
    """Return the pairs of figures that are out of order: no table has them, whatever its totals.

    Wald's limits enclose the odds ratio.
    """
    order = [name for name in ("conf_low", "odds_ratio", "conf_high") if name in figures.windows]
    ends = {name: figures.windows[name].ends for name in order}
    return [(low, high) for low, high in combinations(order, 2) if ends[low][0] > ends[high][1]]


def _subsets(known: set[str]) -> list[frozenset[str]]:
    ordered = [frozenset(known), *(frozenset({name}) for name in sorted(known)), frozenset[str]()]
    return list(dict.fromkeys(ordered))


def _affordable(totals: Totals, budget: int) -> Universe | None:
    """The universe, unless it is too large."""
    try:
        universe = Universe.of(totals)
    except BudgetError:
        return None
    return universe if universe.tables <= budget else None


def _seen(
    universe: Universe, figures: OddsRatioFigures, totals: Totals, dropped: Iterable[str]
) -> set[int]:
    """Combinations of figures that some table has, as bits in the order of the names.

    Every combination is among them or part of one. P is worked out only for tables that would add
    to what was seen before.
    """
    seen: set[int] = set()
    with_p = 1 << list(figures.windows).index("p") if "p" in figures.windows else 0
    for cells in universe.chunks():
        kept = []
        for name in dropped:
            value = cells[0] + cells[2] if name == "events" else cells[0] + cells[1]
            kept.append(value == getattr(totals, name))
        for added in ADDED:
            has = np.vstack([figures.but_p(cells, added), *kept])
            bits = (has * (1 << np.arange(len(has)))[:, None]).sum(axis=0)
            for others in np.unique(bits).tolist():
                seen.add(others)
                if with_p and not _part_of(others | with_p, seen):
                    tables = cells[:, bits == others]
                    if _some_prints_p(tables, figures, added):
                        seen.add(others | with_p)
    return seen


def _some_prints_p(cells: np.ndarray, figures: OddsRatioFigures, added: float) -> bool:
    return any(
        figures.prints_p(cells[:, start : start + _FEW], added).any()
        for start in range(0, cells.shape[1], _FEW)
    )


def _part_of(wanted: int, seen: set[int]) -> bool:
    return any(bits & wanted == wanted for bits in seen)


def _any_has(seen: set[int], names: tuple[str, ...], kept: frozenset[str]) -> bool:
    return _part_of(sum(1 << at for at, name in enumerate(names) if name in kept), seen)
