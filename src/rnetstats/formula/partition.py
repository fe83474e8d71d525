"""Partitions of rows: the crossing of columns into groups, strata or clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnetstats.formula.tokens import Literal
from rnetstats.formula.variables import Integers, Variable, level_text

__all__ = ["Groups", "Part", "crossed", "part_of", "partition"]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A partition of the rows.

    Attributes
    ----------
    codes
        The group of each row (n,), from 0.
    labels
        The groups' names: the level for one column (``"ESD"``), ``"a=1, b=x"`` for several.
        Every group has rows.
    name
        What forms them: ``"method"``, ``"a, b"``; "" for a single group of all.
    columns
        The columns of the data.
    """

    codes: Integers
    labels: tuple[str, ...]
    name: str
    columns: tuple[str, ...]

    @property
    def counts(self) -> Integers:
        """Rows in each group (groups,)."""
        return np.bincount(self.codes, minlength=len(self.labels))


def crossed(columns: Sequence[str], variables: Mapping[str, Variable]) -> Groups | None:
    """Cross columns of any type into strata; None without columns."""
    if not columns:
        return None
    return partition([part_of(name, *variables[name].as_factor()) for name in columns])


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One column's share in the groups: codes (n,), names alone and names among others."""

    column: str
    codes: Integers
    alone: tuple[str, ...]
    among: tuple[str, ...]


def part_of(column: str, codes: Integers, levels: Sequence[Literal]) -> Part:
    """Return a column's share with its levels as names."""
    alone = tuple(map(level_text, levels))
    return Part(column, codes, alone, tuple(f"{column}={label}" for label in alone))


def partition(parts: Sequence[Part]) -> Groups:
    """Cross the parts, the first running slowest, and keep the crossings that have rows."""
    codes = parts[0].codes
    names = list(parts[0].alone if len(parts) == 1 else parts[0].among)
    used, codes = np.unique(codes, return_inverse=True)
    names = [names[i] for i in used]
    for part in parts[1:]:
        width = len(part.among)
        used, codes = np.unique(codes * width + part.codes, return_inverse=True)
        names = [f"{names[i // width]}, {part.among[i % width]}" for i in used]
    columns = tuple(dict.fromkeys(part.column for part in parts))
    return Groups(codes.astype(np.intp), tuple(names), ", ".join(columns), columns)
