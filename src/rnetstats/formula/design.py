"""The model frame: from data and a formula to the outcome, the design matrix and the weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats._core.frame import Data, as_frame, codes_of
from rnetstats.formula.checks import check_design
from rnetstats.formula.encoders import Encoder, fit_encoder, source_values
from rnetstats.formula.frames import RowsUsed, rows_used
from rnetstats.formula.outcome import Outcome, build_outcome, check_left_side
from rnetstats.formula.parser import as_formula
from rnetstats.formula.rows import Rows, Weights, select_rows
from rnetstats.formula.spec import Column, Spec, Term, make_spec
from rnetstats.formula.terms import Atom, Formula
from rnetstats.formula.tokens import Literal
from rnetstats.formula.variables import Floats, Variable

__all__ = ["Design", "ModelFrame", "model_frame"]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """The design matrix ``X`` (n, p) and what its columns mean."""

    X: Floats
    spec: Spec

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of X; the first is the intercept if there is one."""
        return self.spec.columns

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms in order, without the intercept."""
        return self.spec.terms

    @property
    def intercept(self) -> bool:
        """Whether the first column of X is the constant 1."""
        return self.spec.intercept

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of X, all different."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ModelFrame(RowsUsed):
    """What a model works on: outcome and design of the rows used.

    Attributes
    ----------
    outcome, design
        The outcome and the design matrix; ``outcome`` is None for a one-sided formula.
    offset
        Sum of the offsets (n,), or None.
    variables
        The columns that the formula names, as read, of the rows used.
    """

    outcome: Outcome | None
    design: Design
    offset: Floats | None
    variables: dict[str, Variable]

    @property
    def weights(self) -> Floats | None:
        """Frequency times sampling weight of each row (n,); None without both."""
        if self.freq_weights is None or self.sampling_weights is None:
            return self.sampling_weights if self.freq_weights is None else self.freq_weights
        return self.freq_weights * self.sampling_weights


def model_frame(
    data: Data,
    formula: str | Formula,
    *,
    kind: str = "either",
    weights: Weights | None = None,
    missing: str = "drop",
    intercept: bool = True,
    censor: Literal = 0,
    cause: Literal | None = None,
    check: bool = True,
) -> ModelFrame:
    """Read the outcome and the design matrix that a formula asks for.

    Factors are coded against their first level (R's treatment contrasts); an interaction needs
    its main effects, and its columns are the products of theirs. The knots of splines are taken
    from the rows used, counted by their frequency weights.

    Parameters
    ----------
    data
        A DataFrame or a mapping of columns; it is not changed.
    formula
        Such as ``"margin_positive ~ method + rcs(size_mm, 4)"``.
    kind
        What the left side must be: see ``rnetstats.formula.outcome.KINDS``.
    weights
        ``freq_weights`` and ``sampling_weights``, each a column's name, an array (n,) or None.
    missing
        ``"drop"`` leaves rows with missing values out, and counts them; ``"raise"`` refuses them.
    intercept
        Whether X begins with a column of 1.
    censor, cause
        For competing risks: the code of censoring, and the cause of interest.
    check
        Whether to refuse constant and collinear columns, and more columns than rows.

    Raises
    ------
    FormulaError
        The formula is outside the language, or its left side does not fit ``kind``.
    ColumnError
        A column is absent, of the wrong type, constant, all missing, of one level, or a
        combination of others.
    DataError
        A value is wrong: infinite, an event not 0/1, a negative time, start >= stop, a weight
        that is missing or negative; or no complete row is left.
    """
    parsed = as_formula(formula)
    kind = check_left_side(parsed.outcome, kind, str(parsed))
    frame = as_frame(data)
    used = parsed.columns if kind != "none" else _without_outcome(parsed)
    rows = select_rows(frame, used, weights, missing, open_ended=parsed.open_ended(kind))
    outcome = None
    if parsed.outcome is not None and kind != "none":
        declared = codes_of(frame, parsed.outcome.columns[-1])
        outcome = build_outcome(
            parsed.outcome, kind, rows, censor=censor, cause=cause, declared=declared
        )
    spec = _fit_spec(parsed, rows, intercept=intercept)
    X = spec.build(rows.variables, len(rows.positions))
    if check:
        check_design(X, spec)
    return ModelFrame(
        outcome=outcome,
        design=Design(X, spec),
        offset=_offset(parsed, rows),
        variables=rows.variables,
        **rows_used(parsed, rows),
    )


def _without_outcome(formula: Formula) -> tuple[str, ...]:
    return Formula(None, formula.terms, formula.offsets, formula.strata, formula.cluster).columns


def _fit_spec(formula: Formula, rows: Rows, *, intercept: bool) -> Spec:
    encoders: dict[Atom, Encoder] = {}
    for term in formula.terms:
        for atom in term:
            if atom not in encoders:
                variable = rows.variables[atom.columns[0]]
                encoders[atom] = fit_encoder(atom, variable, rows.freq_weights, rows.notes)
    terms = tuple(tuple(encoders[atom] for atom in term) for term in formula.terms)
    return make_spec(str(formula), intercept, terms)


def _offset(formula: Formula, rows: Rows) -> Floats | None:
    if not formula.offsets:
        return None
    parts = [source_values(rows.variables[o.column], o) for o in formula.offsets]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)
