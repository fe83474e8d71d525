"""The group frame: from data and a formula to an outcome and the groups to be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats._core.frame import Data, as_frame, codes_of
from rnetstats.errors import ColumnError, FormulaError
from rnetstats.formula.encoders import compare
from rnetstats.formula.frames import RowsUsed, rows_used
from rnetstats.formula.outcome import Outcome, build_outcome, check_left_side
from rnetstats.formula.parser import as_formula
from rnetstats.formula.partition import Groups, Part, part_of, partition
from rnetstats.formula.rows import Weights, select_rows
from rnetstats.formula.terms import Atom, Condition, Factor, Formula, Plain, quote, term_text
from rnetstats.formula.tokens import Literal
from rnetstats.formula.variables import Integers, Variable, level_text

__all__ = ["GroupFrame", "Groups", "group_frame"]

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GroupFrame(RowsUsed):
    """What a group verb works on: outcome and groups of the rows used."""

    outcome: Outcome
    groups: Groups


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
    ends = parsed.open_ended(kind)
    frame = as_frame(data)
    rows = select_rows(frame, parsed.columns, weights, missing, open_ended=ends)
    notes = rows.notes
    assert parsed.outcome is not None
    declared = codes_of(frame, parsed.outcome.columns[-1])
    outcome = build_outcome(
        parsed.outcome, kind, rows, censor=censor, cause=cause, declared=declared
    )
    parts = [_group_part(atom, rows.variables[atom.column], notes) for atom in atoms]
    everyone = Groups(np.zeros(len(rows.positions), dtype=np.intp), ("all",), "", ())
    return GroupFrame(
        outcome=outcome,
        groups=partition(parts) if parts else everyone,
        **rows_used(parsed, rows),
    )


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


def _group_part(atom: Plain | Factor | Condition, variable: Variable, notes: list[str]) -> Part:
    if isinstance(atom, Condition):
        holds = compare(variable, atom).astype(np.intp)
        if holds.min() == holds.max():
            raise ColumnError(f"{atom.text} is the same in all rows used; it forms one group.")
        opposite = Condition(atom.column, _OPPOSITE[atom.operator], atom.literal)
        names = tuple(part.comparison.replace("`", "") for part in (opposite, atom))
        return Part(atom.column, holds, names, names)
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
    return part_of(atom.column, codes, levels)


def _reference_first(
    variable: Variable, codes: Integers, levels: tuple[Literal, ...], ref: Literal
) -> tuple[Integers, tuple[Literal, ...]]:
    first = variable.check_level(ref, levels)
    order = [first, *(i for i in range(len(levels)) if i != first)]
    return np.argsort(order)[codes].astype(np.intp), tuple(levels[i] for i in order)
