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


@dataclass(frozen=True, eq=False)
class Scan:
    """What was found: tables ``a, b, c, d, 2 * added`` as arrays of shape (5, m).

    Attributes
    ----------
    worlds : int array
        Tables that reproduce every figure.
    nearest : int array
        The nearest tables: those that reproduce most figures, of these the closest odds ratio.
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
    worlds: list[np.ndarray] = []
    near = np.zeros((5, 0), dtype=np.int64)
    rank = np.zeros((2, 0))
    looked_at = 0
    for cells in universe.chunks():
        for added in ADDED:
            reproduced = figures.reproduced(cells, added)
            looked_at += cells.shape[1]
            marked = np.vstack([cells, np.full(cells.shape[1], round(2 * added))])
            worlds.append(marked[:, reproduced.all(axis=0)])
            ratio, _ = log_odds_ratio(*cells, add=added)
            distance = np.abs(np.where(np.isfinite(ratio), ratio, np.inf) - np.log(target))
            new = np.stack([-reproduced.sum(axis=0).astype(float), distance])
            near, rank = np.hstack([near, marked]), np.hstack([rank, new])
            best = np.lexsort((rank[1], rank[0]))[:nearest]
            near, rank = near[:, best], rank[:, best]
    found = np.hstack(worlds) if worlds else np.zeros((5, 0), dtype=np.int64)
    return Scan(found, near[:, np.isfinite(rank[1])], looked_at)


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
    """Every combination of figures that some table has, as bits in the order of the names."""
    seen: set[int] = set()
    for cells in universe.chunks():
        kept = []
        for name in dropped:
            value = cells[0] + cells[2] if name == "events" else cells[0] + cells[1]
            kept.append(value == getattr(totals, name))
        for added in ADDED:
            has = np.vstack([figures.reproduced(cells, added), *kept])
            bits = (1 << np.arange(len(has)))[:, None]
            seen.update(np.unique((has * bits).sum(axis=0)).tolist())
    return seen


def _any_has(seen: set[int], names: tuple[str, ...], kept: frozenset[str]) -> bool:
    wanted = sum(1 << at for at, name in enumerate(names) if name in kept)
    return any(bits & wanted == wanted for bits in seen)
