"""Chained equations on arrays: one imputed data set, given what is observed.

References
----------
van Buuren S, Groothuis-Oudshoorn K (2011). mice: multivariate imputation by chained equations in
R. J Stat Softw 45(3).
White IR, Royston P, Wood AM (2011). Multiple imputation using chained equations: issues and
guidance for practice. Stat Med 30:377-399.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnetstats.errors import DataError
from rnetstats.formula.variables import Floats, Variable
from rnetstats.missing.blocks import Block, standardised
from rnetstats.missing.circles import Visit, without_circles
from rnetstats.missing.columns import Column
from rnetstats.missing.level_draws import draw_binary, draw_nominal, draw_ordered
from rnetstats.missing.linear_draws import draw_normal, draw_pmm
from rnetstats.missing.outcomes import Survival
from rnetstats.missing.passive import Passive

__all__ = ["Chain", "build_chain"]


@dataclass(frozen=True, eq=False)
class _Target:
    """A column to impute: its rows, and the columns of the design that predict it."""

    column: Column
    block: Block
    observed: np.ndarray
    missing: np.ndarray
    predictors: np.ndarray
    dependents: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Chain:
    """All that does not change between imputations.

    Attributes
    ----------
    columns : tuple of Column
    passive : tuple of (Passive, block, observed values or None)
    survival : tuple of Survival
    base : array of shape (n, P)
        The design, the first column 1; NaN where a value is missing.
    targets : tuple of _Target
        In the order of visits: the fewest missing values first.
    donors : int
    notes : tuple of str
        What was left out of which model.
    """

    columns: tuple[Column, ...]
    passive: tuple[tuple[Passive, Block, Floats | None], ...]
    survival: tuple[tuple[Survival, Block], ...]
    base: Floats
    targets: tuple[_Target, ...]
    donors: int
    notes: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Whether one visit is enough: a single column is incomplete."""
        return len(self.targets) < 2

    def run(
        self, rng: np.random.Generator, iterations: int, freq: Floats | None = None
    ) -> tuple[dict[str, Floats], Floats]:
        """Impute once.

        Parameters
        ----------
        rng : Generator
        iterations : int
        freq : array of shape (n,), optional
            How often each row counts in the models and as a donor. All rows are imputed.

        Returns
        -------
        values : dict
            For each target the values (or codes) of its missing rows.
        trace : array of shape (iterations, targets, 2)
            Mean and SD of the imputed values.

        Raises
        ------
        DataError
            If rows of weight above zero hold no observed value of a column.
        """
        rounds = 1 if self.settled else iterations
        work = _Work(self, freq, rng)
        trace = np.empty((rounds, len(self.targets), 2))
        for t in range(rounds):
            for k, target in enumerate(self.targets):
                drawn = work.visit(k, target)
                trace[t, k] = drawn.mean(), drawn.std()
        return {t.column.name: work.values[t.column.name][t.missing] for t in self.targets}, trace


class _Work:
    """The state of one run: completed values, the design, and the fits to start from."""

    def __init__(self, chain: Chain, freq: Floats | None, rng: np.random.Generator) -> None:
        self.chain, self.freq, self.rng = chain, freq, rng
        self.Z = chain.base.copy()
        self.values = {c.name: c.values for c in chain.columns}
        self.memory: list[dict[str, Any]] = [{} for _ in chain.targets]
        if freq is not None:
            for survival, block in chain.survival:
                self.Z[:, block.columns] = block.encode(survival.hazard(freq))
        self.used = [self._rows(target) for target in chain.targets]
        for target, used in zip(chain.targets, self.used, strict=True):
            name, known = target.column.name, target.column.values[used]
            if freq is not None:
                known = np.repeat(known, freq[used].astype(np.intp))
            full = target.column.values.copy()
            full[target.missing] = rng.choice(known, size=len(target.missing))
            self.values[name] = full
            self._place(target)
        for k in range(len(chain.passive)):
            self._compute(k)

    def _rows(self, target: _Target) -> np.ndarray:
        """Observed rows that count."""
        if self.freq is None:
            return target.observed
        rows: np.ndarray = target.observed[self.freq[target.observed] > 0.0]
        if not rows.size:
            raise DataError(
                f"No row of the sample has a value of {target.column.name!r} to learn from."
            )
        return rows

    def visit(self, k: int, target: _Target) -> Floats:
        """Impute a target once more; returns its new values."""
        rows, freq, rng, column = self.used[k], self.freq, self.rng, target.column
        weight = None if freq is None else freq[rows]
        y = column.values[rows]
        X = self.Z[rows[:, None], target.predictors]
        X_new = self.Z[target.missing[:, None], target.predictors]
        if column.method == "pmm":
            drawn: Floats = draw_pmm(y, X, X_new, weight, rng, self.chain.donors)
        elif column.method == "normal":
            drawn = draw_normal(y, X, X_new, weight, rng)
        elif column.method == "logistic":
            drawn = draw_binary(y, X, X_new, weight, rng, self.memory[k])
        else:
            draw = draw_ordered if column.method == "ordered" else draw_nominal
            drawn = draw(y, X, X_new, weight, rng, self.memory[k], len(column.levels))
        self.values[column.name][target.missing] = drawn
        self._place(target)
        for place in target.dependents:
            self._compute(place)
        return drawn

    def _place(self, target: _Target) -> None:
        values = self.values[target.column.name][target.missing]
        self.Z[target.missing[:, None], target.block.columns] = target.block.encode(values)

    def _compute(self, place: int) -> None:
        """Compute a passive column again where it was not observed."""
        passive, block, found = self.chain.passive[place]
        try:
            made = passive.values(self._variables(passive.sources))
        except DataError as error:
            raise DataError(
                f"passive[{passive.name!r}] cannot be computed of what was drawn for "
                f"{' and '.join(passive.sources)}. {error} Draw by 'pmm', or impute the logarithm "
                "and compute the rest from it."
            ) from None
        if found is not None:
            made = np.where(np.isnan(found), made, found)
        self.values[passive.name] = made
        self.Z[:, block.columns] = block.encode(made)

    def _variables(self, names: Sequence[str]) -> dict[str, Variable]:
        known = {column.name: column for column in self.chain.columns}
        return {
            name: known[name].variable(self.values[name])
            if name in known
            else Variable(name, self.values[name], None, (), False, None)
            for name in names
        }


def build_chain(
    columns: Sequence[Column],
    passive: Sequence[tuple[Passive, Floats, Floats | None]],
    survival: Sequence[Survival],
    silent: Sequence[str],
    donors: int,
) -> Chain:
    """Lay out the design and the models.

    Parameters
    ----------
    columns : sequence of Column
    passive : sequence of (Passive, values, observed values or None)
        The values as far as they are known.
    survival : sequence of Survival
    silent : sequence of str
        Columns that predict nothing, such as the times behind a cumulative hazard.
    donors : int
    """
    n = len(columns[0].values)
    parts: list[Floats] = [np.ones((n, 1))]
    width = 1

    def block(values: Floats, levels: int = 0) -> Block:
        nonlocal width
        made = standardised(values, levels, width)
        width += len(made.columns)
        parts.append(made.encode(values))
        return made

    blocks = {c.name: block(c.values, len(c.levels)) for c in columns}
    passives = tuple((p, block(made), found) for p, made, found in passive)
    hazards = []
    for outcome in survival:
        hazards.append((outcome, block(outcome.hazard())))
        if outcome.indicator:
            block(outcome.event.astype(float))
    quiet = [int(c) for name in silent if name in blocks for c in blocks[name].columns]
    targets = []
    for column in columns:
        if not column.incomplete:
            continue
        after = _dependents(column.name, [p for p, _, _ in passives])
        own = [*blocks[column.name].columns, *(c for k in after for c in passives[k][1].columns)]
        targets.append(
            _Target(
                column=column,
                block=blocks[column.name],
                observed=np.flatnonzero(~column.missing),
                missing=np.flatnonzero(column.missing),
                predictors=np.setdiff1d(np.arange(width), [*own, *quiet]),
                dependents=after,
            )
        )
    targets.sort(key=lambda target: len(target.missing))
    base = np.concatenate(parts, axis=1)
    visits = [_visit(target, passives) for target in targets]
    predictors, notes = without_circles(visits, base)
    targets = [replace(t, predictors=own) for t, own in zip(targets, predictors, strict=True)]
    return Chain(tuple(columns), passives, tuple(hazards), base, tuple(targets), donors, notes)


def _visit(target: _Target, passives: Sequence[tuple[Passive, Block, Floats | None]]) -> Visit:
    """Describe a target for the search of circles."""
    column = target.column
    outcome = column.values[:, None]
    if column.levels:
        outcome = np.where(
            column.missing[:, None], np.nan, outcome == np.arange(len(column.levels))
        )
    return Visit(
        name=column.name,
        outcome=outcome,
        missing=column.missing,
        columns=np.concatenate(
            [target.block.columns, *(passives[k][1].columns for k in target.dependents)]
        ),
        predictors=target.predictors,
    )


def _dependents(name: str, passive: Sequence[Passive]) -> tuple[int, ...]:
    """Places of the passive columns that change with a column, in their order."""
    touched, places = {name}, []
    for k, part in enumerate(passive):
        if touched & set(part.sources):
            touched.add(part.name)
            places.append(k)
    return tuple(places)
