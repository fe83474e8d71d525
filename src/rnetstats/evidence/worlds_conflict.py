"""The smallest set of printed figures that no table has, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

from rnetstats.formatting import listed

__all__ = ["conflict_words", "smallest_conflicts"]

_MOST_SETS = 2  # beyond the first, told in full


def smallest_conflicts(
    names: Sequence[str], possible: Callable[[frozenset[str]], bool]
) -> list[tuple[str, ...]]:
    """Find the smallest sets of figures that cannot all be true, every such set of that size.

    Figures are tried one at a time, then two at a time, and so on; the rest is dropped.

    Parameters
    ----------
    names : sequence of str
    possible : callable
        Says whether some table has all the figures of a set (or whether nobody knows).
    """
    for size in range(1, len(names) + 1):
        found = [kept for kept in combinations(names, size) if not possible(frozenset(kept))]
        if found:
            return found
    return []


def conflict_words(labels: dict[str, str], found: list[tuple[str, ...]], among: str) -> str:
    """Say which figures conflict.

    Parameters
    ----------
    labels : dict
        What a figure is called, with its value, by name.
    found : list of tuple of str
        Sets of names; the first is told, further ones of the same size are named after it.
    among : str
        Which tables were looked at: "tables of 142 patients".
    """
    if not found:
        return f"No {among} has all the figures, and which of them conflict was not found."
    first, *others = ([labels[name] for name in names] for names in found)
    more = len(others) - _MOST_SETS
    told = f"No {among} has {listed(first)}"
    told += " together." if len(first) > 1 else "."
    if others:
        told += f" Nor has any {'; nor '.join(listed(names) for names in others[:_MOST_SETS])}."
    if more > 0:
        told += f" So it is with {more} further set{'s' * (more > 1)} of {len(first)} figures."
    return told
