"""Preparing an imputation once, to be drawn many times: also within a bootstrap."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame
from rnetstats._core.options import positive_int
from rnetstats.data.codebook import Codebook
from rnetstats.errors import ColumnError, DataError, OptionError
from rnetstats.formula.variables import Floats, read_variable
from rnetstats.missing.chain import Chain, build_chain
from rnetstats.missing.columns import Column, read_columns
from rnetstats.missing.derived import Derived, derived_columns
from rnetstats.missing.options import check_contradictions, mapping, names
from rnetstats.missing.outcomes import left_sides, read_survival
from rnetstats.missing.passive import Passive, check_agrees, read_passive
from rnetstats.missing.writing import written

__all__ = ["Imputer", "imputer"]


@dataclass(frozen=True, eq=False)
class Imputer:
    """An imputation ready to be drawn; it holds patient rows and lives in memory only.

    Attributes
    ----------
    frame : DataFrame
        A copy of the data, without its attrs: copying them takes longer than the rows.
    attrs : dict
        Those of the data.
    chain : Chain or None
        None if nothing is missing.
    passive : tuple of Passive
    derived : Derived or None
        Columns to be derived again from imputed ones.
    notes : tuple of str
    """

    frame: pd.DataFrame
    attrs: dict[Any, Any]
    chain: Chain | None
    passive: tuple[Passive, ...]
    derived: Derived | None
    notes: tuple[str, ...]

    @property
    def targets(self) -> tuple[Column, ...]:
        """The columns that are imputed, in the order of visits."""
        return () if self.chain is None else tuple(t.column for t in self.chain.targets)

    def once(self, rng: np.random.Generator, weights: Any = None) -> pd.DataFrame:
        """Return one completed data set, rows and columns in the order of the data.

        ``weights`` (n,), whole numbers, say how often each row stands in a bootstrap sample. Models
        and donors are those of the replicated rows; every row is imputed, once, the rows of weight
        0 too.
        """
        return self.completed(self.draw(rng, weights)[0])

    def draw(
        self, rng: np.random.Generator, weights: Any = None, *, iterations: int = 5
    ) -> tuple[dict[str, Floats], Floats]:
        """Return the values of the missing cells, and their means and SDs by iteration."""
        if self.chain is None or not self.chain.targets:
            return {}, np.empty((0, 0, 2))
        freq = None if weights is None else np.asarray(weights, dtype=float)
        if freq is not None and freq.shape != (len(self.frame),):
            raise OptionError(
                f"weights have shape {freq.shape}; the data have {len(self.frame)} rows."
            )
        if freq is not None and not ((freq >= 0.0) & (freq == np.floor(freq))).all():
            raise OptionError("weights count rows: they must be whole numbers of at least 0.")
        return self.chain.run(rng, iterations, freq)

    def completed(self, values: Mapping[str, Floats]) -> pd.DataFrame:
        """Return the data with these values in the missing cells."""
        frame = written(self.frame, self.targets, values, self.passive)
        if self.derived is not None:
            frame = self.derived.renew(frame)
        frame.attrs = deepcopy(self.attrs)
        return frame


def imputer(
    data: Data,
    *,
    columns: Sequence[str] | None = None,
    outcome: str | Sequence[str] | None = None,
    method: Mapping[str, str] | None = None,
    passive: Mapping[str, str] | None = None,
    exclude: Sequence[str] = (),
    codebook: Codebook | str | os.PathLike[str] | None = None,
    donors: int = 5,
) -> Imputer:
    """Prepare the imputation of a data set; options as in :func:`rnetstats.impute`."""
    frame = as_frame(data)
    donors = positive_int("donors", donors)
    asked = names("columns", columns) if columns is not None else None
    left_out = names("exclude", exclude)
    sides, computed = left_sides(outcome), read_passive(mapping("passive", passive))
    check_contradictions(asked, left_out, [c for s in sides for c in s.columns], computed)
    survival = tuple(read_survival(frame, side) for side in sides if side.times)
    times = [name for side in sides for name in side.times]
    needed = [side.event.column for side in sides]
    made = {p.name for p in computed}
    needed += [c for p in computed for c in p.sources if c not in made]
    derived = derived_columns(frame, (*left_out, *made), codebook)
    silent = [name for name in times if name not in needed]
    selection = read_columns(
        frame,
        None if asked is None else [c for c in asked if c not in made],
        needed,
        left_out,
        [*silent, *derived.names],
        list(made),
        mapping("method", method),
    )
    if not selection.columns:
        raise DataError("No column is left to impute from.")
    _check_sources(computed, {c.name for c in selection.columns}, derived.names)
    ready = [_passive_values(frame, part, selection.columns, computed) for part in computed]
    chain = build_chain(selection.columns, ready, survival, silent, donors)
    renewed = derived.touched_by({t.column.name for t in chain.targets})
    kept = frame.copy()
    attrs, kept.attrs = kept.attrs, {}
    return Imputer(
        frame=kept,
        attrs=attrs,
        chain=chain,
        passive=computed,
        derived=renewed,
        notes=(
            *selection.notes,
            *_untouched(derived, renewed, asked),
            *_notes(chain, selection.columns, renewed),
        ),
    )


def _check_sources(
    computed: Sequence[Passive], used: Collection[str], derived: Collection[str]
) -> None:
    """Refuse passive columns of what is not among the columns used.

    Raises
    ------
    ColumnError
        If a source is derived by the codebook, or the same in all rows: no other column that a
        passive one asks for is left out.
    """
    new = {part.name for part in computed}
    for part in computed:
        for name in part.sources:
            if name in used or name in new:
                continue
            why = (
                "is derived by the codebook; write the columns that it is derived from instead"
                if name in derived
                else "is the same in all rows; leave it out of the expression"
            )
            raise ColumnError(f"passive[{part.name!r}]: column {name!r} {why}.")


def _passive_values(
    frame: pd.DataFrame, part: Passive, columns: Sequence[Column], computed: Sequence[Passive]
) -> tuple[Passive, Floats, Floats | None]:
    """Return a passive column as far as it is known, and what the data hold of it."""
    known = {c.name: c.variable(c.values) for c in columns}
    for earlier in computed:
        if earlier.name == part.name:
            break
        values = earlier.values(known)
        known[earlier.name] = Column(
            earlier.name, values, (), np.empty(0), np.isnan(values), "", known[earlier.sources[0]]
        ).variable(values)
    made = part.values(known)
    if part.name not in frame.columns:
        return part, made, None
    if frame[part.name].isna().all():
        return part, made, np.full(len(frame), np.nan)
    found = read_variable(frame, part.name).numbers(f"passive[{part.name!r}]")
    check_agrees(part, found, made)
    return part, np.where(np.isnan(found), made, found), found


def _untouched(derived: Derived, renewed: Derived | None, asked: list[str] | None) -> list[str]:
    """Name derived columns that stay incomplete, since no source of theirs is imputed."""
    kept = () if renewed is None else renewed.names
    return [
        f"{name}: not imputed. The codebook derives it from other columns, none of them imputed."
        for name in derived.names
        if name not in kept and (asked is None or name in asked)
    ]


def _notes(chain: Chain, columns: Sequence[Column], derived: Derived | None) -> tuple[str, ...]:
    n = len(chain.base)
    if not chain.targets:
        return ("Nothing is missing in the columns used: every data set is the data as given.",)
    listed = ", ".join(
        f"{t.column.name} ({len(t.missing)} of {n}, {t.column.method})" for t in chain.targets
    )
    notes = [f"Imputed: {listed}."]
    predicting = [c.name for c in columns if not c.incomplete]
    if predicting:
        notes.append(f"Complete predictors: {', '.join(predicting)}.")
    for survival, _ in chain.survival:
        notes.append(
            f"{survival.name} enters as event indicator and cumulative hazard (Nelson-Aalen)."
        )
    notes += [*chain.notes, *_too_many(chain)]
    if derived is not None:
        notes.append(f"Derived again by the codebook: {', '.join(derived.names)}.")
    return tuple(notes)


def _too_many(chain: Chain) -> list[str]:
    """Warn of models with hardly a row for each of their coefficients."""
    notes = []
    for target in chain.targets:
        column = target.column
        times = len(column.levels) - 1 if column.method == "nominal" else 1
        count, known = times * len(target.predictors), len(target.observed)
        if 2 * count > known:
            notes.append(
                f"{column.name}: {count} coefficients are learnt from {known} known values; what "
                "is imputed is hardly more than noise. Name fewer columns (columns=)."
            )
    return notes
