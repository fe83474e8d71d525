"""Patients alike in all that the rules ask are decided once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.studies.management.decide import FAILS, HOLDS, OPEN, Known
from rnetstats.studies.management.definitions import Definitions
from rnetstats.studies.management.possible import Patients
from rnetstats.studies.management.rule_types import Atom, Bound
from rnetstats.studies.management.vocabulary import LEVELS, PROVISOS

__all__ = ["Kinds", "kinds_of", "truth_of"]

_COLUMNS_AT_ONCE = 15  # 3**15 times ten million patients stays below 2**63

_NEEDS_BOUND = "higher_g2 (the Ki-67 from which a G2 is higher)"


@dataclass(frozen=True, eq=False)
class Kinds:
    """The kinds of patient in a cohort.

    Attributes
    ----------
    known : tuple of Known
    place : int array (n,)
        The kind of each patient.
    """

    known: tuple[Known, ...]
    place: NDArray[np.intp]


def kinds_of(atoms: Sequence[Atom], patients: Patients, definitions: Definitions) -> Kinds:
    """Return the kinds of patient that the conditions tell apart.

    Parameters
    ----------
    atoms : sequence of Atom
    patients : Patients
        n of them.
    definitions : Definitions
        For the edges of sizes, and what a G2 lacks.
    """
    columns = [truth_of(atom, patients, definitions) for atom in atoms]
    provisos = {
        item: truth_of(Atom(about[0], (about[1],)), patients, definitions)
        for item, about in PROVISOS.items()
        if about is not None
    }
    columns += [*provisos.values(), patients.undivided_g2.astype(np.int64)]
    code = np.zeros(len(patients.size), dtype=np.int64)
    for number, column in enumerate(columns, start=1):
        code = code * 3 + column
        if number % _COLUMNS_AT_ONCE == 0:
            code = pd.factorize(code)[0].astype(np.int64)
    place, _ = pd.factorize(code)
    first = np.unique(place, return_index=True)[1]
    lacks = _NEEDS_BOUND if definitions.higher_g2 is None else "ki67"
    known = tuple(
        Known(
            dict(zip(atoms, (int(column[row]) for column in columns), strict=False)),
            {item: int(column[row]) for item, column in provisos.items()},
            lacks if patients.undivided_g2[row] else "",
        )
        for row in first
    )
    return Kinds(known, place)


def truth_of(atom: Atom, patients: Patients, definitions: Definitions) -> NDArray[np.int64]:
    """Return the truth of a condition for each patient (n,): 0 fails, 1 open, 2 holds."""
    if atom.about == "size_mm":
        return _in_range(atom, patients.size, definitions)
    possible = patients.possible[atom.about]
    asked = sum(1 << LEVELS[atom.about].index(value) for value in atom.values)
    fails, holds = possible & asked == 0, possible & ~asked == 0
    return np.where(fails, FAILS, np.where(holds, HOLDS, OPEN))


def _in_range(atom: Atom, size: NDArray[np.float64], definitions: Definitions) -> NDArray[np.int64]:
    """Compare sizes with a range, whose edges the definitions may move."""
    inside = np.ones(len(size), dtype=bool)
    if atom.low is not None:
        closed = _closed(atom.low, definitions, with_it="larger")
        inside &= size >= atom.low.mm if closed else size > atom.low.mm
    if atom.high is not None:
        closed = _closed(atom.high, definitions, with_it="smaller")
        inside &= size <= atom.high.mm if closed else size < atom.high.mm
    return np.where(np.isnan(size), OPEN, np.where(inside, HOLDS, FAILS))


def _closed(bound: Bound, definitions: Definitions, *, with_it: str) -> bool:
    """Whether an edge belongs to the range: as printed, or as the definitions say."""
    edge = definitions.edge(bound.mm)
    return bound.inclusive if edge == "as printed" else edge == with_it
