"""What the judging verbs take: an outcome, and risks of one or several models on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, is_synthetic_data, label_of
from rnetstats._core.options import choice, real
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.formula.outcome import Outcome, build_outcome, check_left_side
from rnetstats.formula.parser import as_formula
from rnetstats.formula.rows import Rows, select_rows
from rnetstats.formula.terms import Formula, LeftSide, Plain, term_text
from rnetstats.formula.tokens import Literal
from rnetstats.prediction.judged_models import (
    design_of,
    fingerprint,
    is_apparent,
    is_risk_model,
    model_columns,
    model_risk,
    named_models,
    other_outcome,
)

__all__ = ["Judged", "fingerprint", "is_risk_model", "judge"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judged:
    """Outcome and predictions of the rows judged; every model on the same rows.

    Attributes
    ----------
    outcome : Outcome
    event_name : str
        The event in the data's words: the label of its column or its condition, or the code.
    labels : tuple of str
        One a model: the column's name, or the label given in ``models``.
    risk : array of shape (m, n)
        Predicted risks (or scores), a row a model.
    freq : array of shape (n,) or None
        Frequency weights.
    positions : int array of shape (n,)
        Places of the rows used in the data as given, from 0.
    n_missing : int
        Rows left out for missing values.
    notes : tuple of str
    formula : str
        The formula in its canonical writing.
    horizon : float or None
        The time to which the risks refer.
    synthetic : bool
        Whether the data were drawn rather than observed.
    fits : dict
        What was given in ``models``, by label.
    apparent : dict
        By label, whether the model was fitted on exactly these rows; False where unknown.
    designs : dict
        By label, the design matrix (n, p) of each model that has one.
    """

    outcome: Outcome
    event_name: str
    labels: tuple[str, ...]
    risk: Floats
    freq: Floats | None
    positions: NDArray[np.intp]
    n_missing: int
    notes: tuple[str, ...]
    formula: str
    horizon: float | None
    synthetic: bool
    fits: dict[str, Any]
    apparent: dict[str, bool]
    designs: dict[str, Floats]

    @property
    def n(self) -> int:
        """Rows judged."""
        return len(self.positions)


def judge(
    data: Data,
    formula: str | Formula,
    *,
    models: Mapping[str, Any] | None = None,
    scale: str = "risk",
    horizon: float | None = None,
    freq_weights: Any = None,
    missing: str = "drop",
    censor: Literal = 0,
    cause: Literal | None = None,
) -> Judged:
    """Read an outcome and the risks that are to be judged by it.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        ``"y ~ risk_a + risk_b"``: the right side names columns of predicted risk. With
        ``models`` it may be ``~ 1``.
    models : mapping of str to fit or RiskModel, optional
        Models whose risks are computed on ``data``.
    scale : {"risk", "score"}
        Risks lie in [0, 1]; scores are any finite numbers, larger ones for more risk. A Cox fit
        gives its risk at the horizon, or its linear predictor as a score.
    horizon : float, optional
        The time to which risks refer, in the units of the data.
    freq_weights : str or array of shape (n,), optional
    missing : {"drop", "raise"}
    censor, cause : optional
        For competing risks: the code of censoring, and the cause of interest.

    Raises
    ------
    FormulaError
        If the right side is more than columns joined by '+'.
    DataError
        If a risk lies outside [0, 1], a value is infinite, or no complete row is left.
    OptionError
        If there is nothing to judge, two models have one label, a Cox fit has no horizon, or
        ``censor`` or ``cause`` is given where no risks compete.
    """
    choice("scale", scale, ("risk", "score"))
    if horizon is not None:
        horizon = real("time", horizon, low=0.0, closed=False)
    parsed = as_formula(formula)
    left = _left_side(parsed)
    kind = check_left_side(left, _kind(left, cause), str(parsed))
    if kind != "competing":
        _refuse_codes(censor, cause)
    columns = _risk_columns(parsed)
    given = named_models(models, columns)
    needed = [name for model in given.values() for name in model_columns(model)]
    used = dict.fromkeys((*left.columns, *columns, *needed))
    table = as_frame(data)
    rows = select_rows(table, used, {"freq_weights": freq_weights}, missing)
    outcome = build_outcome(left, kind, rows, censor=censor, cause=cause)
    if outcome.cause_codes is not None and (outcome.cause_codes > 0).all():
        rows.notes.append(
            f"No row has the censoring code {censor!r}: everybody counts as followed to an event "
            f"({', '.join(outcome.causes)})."
        )
    horizon = None if horizon is None else outcome.horizon(horizon)
    part = table.iloc[rows.positions]
    designs = {
        label: spec.build(rows.variables, len(rows.positions))
        for label, model in given.items()
        if (spec := design_of(model)) is not None
    }
    rows.notes.extend(note for item in given.items() for note in other_outcome(*item, left))
    risks = [_column(rows, name, scale) for name in columns]
    risks += [
        model_risk(label, model, part, scale, horizon, rows.notes) for label, model in given.items()
    ]
    return Judged(
        outcome=outcome,
        event_name=_event_name(table, left, outcome),
        labels=(*columns, *given),
        risk=np.array(risks),
        freq=rows.freq_weights,
        positions=rows.positions,
        n_missing=rows.n_missing,
        notes=tuple(rows.notes),
        formula=str(parsed),
        horizon=horizon,
        synthetic=is_synthetic_data(data),
        fits=dict(given),
        apparent={
            **dict.fromkeys(columns, False),
            **{label: is_apparent(m, outcome, designs.get(label)) for label, m in given.items()},
        },
        designs=designs,
    )


def _left_side(parsed: Formula) -> LeftSide:
    if parsed.outcome is None:
        raise FormulaError(
            f"{str(parsed)!r} has no left side; risks are judged by an outcome, 'y ~ risk'."
        )
    return parsed.outcome


def _kind(left: LeftSide, cause: Literal | None) -> str:
    if not left.times:
        return "binary"
    return "survival" if cause is None else "competing"


def _refuse_codes(censor: Literal, cause: Literal | None) -> None:
    """Refuse codes that would be ignored."""
    if cause is not None:
        raise OptionError("cause= belongs to competing risks, Surv(time, code).")
    if censor != 0 or isinstance(censor, str):
        raise OptionError("censor= belongs to competing risks, together with cause=.")


def _event_name(table: pd.DataFrame, left: LeftSide, outcome: Outcome) -> str:
    name = label_of(table, left.event.text)
    if outcome.cause is None:
        return name
    return f"{name} = {outcome.causes[outcome.cause - 1]}"


def _risk_columns(parsed: Formula) -> tuple[str, ...]:
    if parsed.offsets or parsed.strata or parsed.cluster:
        raise FormulaError(
            f"The right side of {str(parsed)!r} names columns of predictions, joined by '+'; "
            "offset(), strata() and cluster() have no place there."
        )
    names = []
    for term in parsed.terms:
        if len(term) > 1 or not isinstance(term[0], Plain):
            raise FormulaError(
                f"{term_text(term)} in {str(parsed)!r} is no column of predictions. A model to be "
                "fitted goes to logistic() or cox(), and then into models={'label': fit}."
            )
        names.append(term[0].column)
    return tuple(names)


def _column(rows: Rows, name: str, scale: str) -> Floats:
    variable = rows.variables[name]
    values = variable.numbers("a predicted risk" if scale == "risk" else "a score")
    outside = (values < 0.0) | (values > 1.0)
    if scale == "risk" and outside.any():
        raise DataError(
            f"Column {name!r} holds no risks: {values[outside][0]:g} is outside [0, 1] in "
            f"{variable.where(outside)}. A risk is a probability of the event; discrimination() "
            "takes other scores with scale='score'."
        )
    return np.asarray(values, dtype=np.float64)
