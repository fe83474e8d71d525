"""Groups of rows: the right side of a group comparison, strata and clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnetstats._core.frame import Data, as_frame
from rnetstats.errors import ColumnError, FormulaError
from rnetstats.formula.encoders import compare
from rnetstats.formula.outcome import Outcome, build_outcome, check_left_side
from rnetstats.formula.parser import as_formula
from rnetstats.formula.rows import Weights, select_rows
from rnetstats.formula.terms import Atom, Condition, Factor, Formula, Plain, quote, term_text
from rnetstats.formula.tokens import Literal
from rnetstats.formula.variables import Floats, Integers, Variable, level_text

__all__ = ["GroupFrame", "Groups", "crossed", "group_frame"]

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


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


@dataclass(frozen=True, slots=True, eq=False)
class GroupFrame:
    """What a group verb works on; the fields are those of a model frame, with ``groups``."""

    formula: str
    outcome: Outcome
    groups: Groups
    strata: Groups | None
    cluster: Groups | None
    freq_weights: Floats | None
    sampling_weights: Floats | None
    rows: Integers
    n_missing: int
    missing_columns: dict[str, int]
    notes: tuple[str, ...]

    @property
    def n(self) -> int:
        """Rows used."""
        return len(self.rows)


def group_frame(
    data: Data,
    formula: str | Formula,
    *,
    kind: str = "survival",
    weights: Weights | None = None,
    missing: str = "drop",
    censor: Literal = 0,
    cause: Literal | None = None,
) -> GroupFrame:
    """Read an outcome and the groups that the right side forms.

    ``~ 1`` is one group. Several columns are crossed, the first running slowest, and crossings
    without rows are left out.

    Parameters
    ----------
    data
        A DataFrame or a mapping of columns; it is not changed.
    formula
        ``"Surv(time, event) ~ group + strata(centre)"``; the right side takes columns, C() and
        I(), joined by '+'.
    kind
        What the left side must be: see ``rnetstats.formula.outcome.KINDS``.
    weights
        ``freq_weights`` and ``sampling_weights``, each a column's name, an array (n,) or None.
    missing
        ``"drop"`` or ``"raise"``.
    censor, cause
        For competing risks: the code of censoring, and the cause of interest.

    Raises
    ------
    FormulaError
        Interactions, splines, logarithms or an offset on the right side.
    ColumnError
        A column of numbers with more than two values, or a column with one level.
    DataError
        Rows that cannot be used: see :func:`rnetstats.formula.design.model_frame`.
    """
    parsed = as_formula(formula)
    kind = check_left_side(parsed.outcome, kind, str(parsed))
    atoms = [_group_atom(parsed, term) for term in parsed.terms]
    if parsed.offsets:
        raise FormulaError(f"offset() has no meaning in {str(parsed)!r}, which forms groups.")
    rows = select_rows(as_frame(data), parsed.columns, weights, missing)
    notes = rows.notes
    assert parsed.outcome is not None
    outcome = build_outcome(parsed.outcome, kind, rows, censor=censor, cause=cause)
    parts = [_group_part(atom, rows.variables[atom.column], notes) for atom in atoms]
    everyone = Groups(np.zeros(len(rows.positions), dtype=np.intp), ("all",), "", ())
    cluster = () if parsed.cluster is None else (parsed.cluster,)
    return GroupFrame(
        formula=str(parsed),
        outcome=outcome,
        groups=_partition(parts) if parts else everyone,
        strata=crossed(parsed.strata, rows.variables),
        cluster=crossed(cluster, rows.variables),
        freq_weights=rows.freq_weights,
        sampling_weights=rows.sampling_weights,
        rows=rows.positions,
        n_missing=rows.n_missing,
        missing_columns=rows.missing_columns,
        notes=tuple(notes),
    )


def crossed(columns: Sequence[str], variables: Mapping[str, Variable]) -> Groups | None:
    """Cross columns of any type into strata; None without columns."""
    if not columns:
        return None
    return _partition([_part(name, *variables[name].as_factor()) for name in columns])


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One column's share in the groups: codes (n,), names alone and names among others."""

    column: str
    codes: Integers
    alone: tuple[str, ...]
    among: tuple[str, ...]


def _part(column: str, codes: Integers, levels: Sequence[Literal]) -> _Part:
    alone = tuple(map(level_text, levels))
    return _Part(column, codes, alone, tuple(f"{column}={label}" for label in alone))


def _partition(parts: Sequence[_Part]) -> Groups:
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


def _group_atom(formula: Formula, term: tuple[Atom, ...]) -> Plain | Factor | Condition:
    if len(term) > 1:
        raise FormulaError(
            f"{term_text(term)} joins columns; groups are crossed by '+': "
            f"{' + '.join(atom.text for atom in term)}."
        )
    atom = term[0]
    if not isinstance(atom, (Plain, Factor, Condition)):
        raise FormulaError(
            f"{atom.text} in {str(formula)!r} forms no groups; "
            f"I({quote(atom.columns[0])} > value) makes two."
        )
    return atom


def _group_part(atom: Plain | Factor | Condition, variable: Variable, notes: list[str]) -> _Part:
    if isinstance(atom, Condition):
        holds = compare(variable, atom).astype(np.intp)
        if holds.min() == holds.max():
            raise ColumnError(f"{atom.text} is the same in all rows used; it forms one group.")
        opposite = Condition(atom.column, _OPPOSITE[atom.operator], atom.literal)
        names = tuple(part.comparison.replace("`", "") for part in (opposite, atom))
        return _Part(atom.column, holds, names, names)
    codes, levels = variable.as_factor()
    counts = np.bincount(codes, minlength=len(levels))
    used = int(np.count_nonzero(counts))
    if used == 1:
        only = levels[int(np.argmax(counts))]
        raise ColumnError(
            f"Column {atom.column!r} has a single level, {only!r}, in the rows used; "
            "write '~ 1' for one group."
        )
    if used > 2 and variable.is_numeric and isinstance(atom, Plain):
        middle = level_text(float(f"{np.median(variable.numbers('a group')):.3g}"))
        raise ColumnError(
            f"Column {atom.column!r} holds {used} different numbers, which form no groups; "
            f"write I({atom.text} > {middle}) for two groups, or C({atom.text}) for {used}."
        )
    if used < len(levels):
        lost = ", ".join(repr(v) for v, k in zip(levels, counts, strict=True) if not k)
        notes.append(f"{atom.column}: no row has the level {lost}, which is left out.")
    if isinstance(atom, Factor) and atom.ref is not None:
        codes, levels = _reference_first(variable, codes, levels, atom.ref)
    return _part(atom.column, codes, levels)


def _reference_first(
    variable: Variable, codes: Integers, levels: tuple[Literal, ...], ref: Literal
) -> tuple[Integers, tuple[Literal, ...]]:
    first = variable.check_level(ref, levels)
    order = [first, *(i for i in range(len(levels)) if i != first)]
    return np.argsort(order)[codes].astype(np.intp), tuple(levels[i] for i in order)
