"""A risk model that stands on somebody else's estimator: anything with ``predict_proba``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from rnetstats._core.frame import Data, as_frame, is_synthetic_data
from rnetstats.errors import DataError, OptionError, OutputError
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import Condition, Plain
from rnetstats.formula.variables import Floats
from rnetstats.prediction.domain import joint_domain
from rnetstats.prediction.judged import fingerprint
from rnetstats.regression.variables import labels_of, summarise_variables

__all__ = ["Foreign", "foreign_fields"]

_LINEAR = 1e-9  # largest difference of a risk from that of coef_ and intercept_


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """An estimator, which column of its probabilities is the event, and what it takes."""

    estimator: Any
    place: int
    columns: tuple[str, ...] | None

    def risk(self, table: pd.DataFrame, X: Floats) -> Floats:
        """Return the risk (m,) of patients: their rows of data, and their design (m, p).

        Raises
        ------
        DataError
            If the estimator returns something else than probabilities.
        """
        given = X[:, 1:] if self.columns is None else table[list(self.columns)]
        try:
            found = np.asarray(self.estimator.predict_proba(given), dtype=float)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{type(self.estimator).__name__}.predict_proba() failed: {error}."
            ) from error
        if found.ndim == 1:
            found = np.column_stack([1.0 - found, found])
        if found.shape[0] != len(X) or not self.place < found.shape[1]:
            raise DataError(
                f"predict_proba returned an array of shape {found.shape} for {len(X)} patients."
            )
        risk = found[:, self.place]
        if not ((risk >= 0.0) & (risk <= 1.0)).all():
            raise DataError("predict_proba returned what is no probability.")
        return risk

    def refuse_to_write(self) -> None:
        """Say why such a model cannot be saved."""
        raise OutputError(
            f"The model stands on a {type(self.estimator).__name__}, which is not linear: only its "
            "own pickle could hold it, and a pickle is never written. Save the estimator by its "
            "own means, or fit logistic()."
        )


def foreign_fields(
    estimator: Any, data: Data, formula: str, *, features: str, event: Any
) -> dict[str, Any]:
    """Return the fields of the RiskModel of an estimator.

    Raises
    ------
    OptionError
        If it has no ``predict_proba``, the event's class is unclear, or a term is no column.
    DataError
        If its probabilities are none.
    """
    if not callable(getattr(estimator, "predict_proba", None)):
        raise OptionError(f"{type(estimator).__name__} has no predict_proba().")
    parsed = as_formula(formula)
    if parsed.outcome is None or parsed.strata or parsed.cluster or parsed.offsets:
        raise OptionError(f"{formula!r} must have the form 'outcome ~ a + b'.")
    columns = None
    if features == "columns":
        wrong = [t for t in parsed.terms if len(t) > 1 or not isinstance(t[0], Plain)]
        if wrong:
            raise OptionError(
                "With features='columns' the formula names columns joined by '+'; an estimator "
                "fitted on the design matrix takes features='design'."
            )
        columns = tuple(term[0].columns[0] for term in parsed.terms)
    frame = model_frame(data, formula, kind="binary", check=False)
    wrapped = Foreign(estimator, _place(estimator, event, parsed.outcome.event), columns)
    table = as_frame(data).iloc[frame.rows]
    risk = wrapped.risk(table, frame.design.X)
    fields = _shared(data, frame, estimator, risk)
    coef = _linear(wrapped, frame, risk)
    if coef is not None:
        return fields | {"coef": coef}
    note = (
        f"{type(estimator).__name__} is not linear: the model has no equation and no nomogram, "
        "its coefficients are missing, and it cannot be saved."
    )
    return fields | {
        "coef": np.empty(0),
        "estimator": wrapped,
        "notes": (*fields["notes"], note),
    }


def _shared(data: Data, frame: ModelFrame, estimator: Any, risk: Floats) -> dict[str, Any]:
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.y is not None
    return {
        "outcome": outcome.name,
        "spec": frame.design.spec.to_dict(),
        "variables": summarise_variables(frame),
        "labels": labels_of(data, frame),
        "leverage": joint_domain(frame.design.X, None, intercept=True),
        "summary": {
            "n": frame.n,
            "n_missing": frame.n_missing,
            "n_events": int(outcome.y.sum()),
            "event_share": float(outcome.y.mean()),
            "mean_risk": float(risk.mean()),
        },
        "fingerprint": fingerprint(outcome, frame.design.X),
        "method": f"{type(estimator).__name__}.predict_proba",
        "limits": "none",
        "synthetic": is_synthetic_data(data),
        "notes": (*frame.notes, "The risk has no limits: an estimator does not give them."),
    }


def _place(estimator: Any, event: Any, left: Plain | Condition) -> int:
    """Which class is the event: the one named, that of the formula, or the second of two."""
    classes = list(getattr(estimator, "classes_", (0, 1)))
    meant = _class_of(left, classes)
    if meant is not None and event not in (None, meant):
        raise OptionError(
            f"The event of the formula, {left.text}, is the class {meant!r}; event={event!r} "
            "names another one."
        )
    event = meant if event is None else event
    if event is None:
        if len(classes) != 2:
            raise OptionError(
                f"The estimator has {len(classes)} classes; name the event, event=..., among "
                f"{', '.join(map(repr, classes))}."
            )
        return 1
    if event not in classes:
        raise OptionError(f"event={event!r} is no class; they are {', '.join(map(repr, classes))}.")
    return classes.index(event)


def _class_of(left: Plain | Condition, classes: list[Any]) -> Any:
    """The class that ``column == literal`` names; None where it names none."""
    if isinstance(left, Condition) and left.literal in classes:
        return left.literal
    return None


def _linear(wrapped: Foreign, frame: ModelFrame, risk: Floats) -> Floats | None:
    """Coefficients of the design (p,), if they give the estimator's very risks; else None."""
    slopes = getattr(wrapped.estimator, "coef_", None)
    constant = getattr(wrapped.estimator, "intercept_", None)
    if slopes is None or constant is None:
        return None
    try:
        flat = np.asarray(slopes, dtype=float).ravel()
        start = np.asarray(constant, dtype=float).ravel()
    except (TypeError, ValueError):
        return None
    if start.size != 1 or flat.size != frame.design.X.shape[1] - 1:
        return None
    coef = np.concatenate([start, flat])
    if wrapped.place == 0:
        coef = -coef
    if not np.isfinite(coef).all():
        return None
    same = np.abs(expit(frame.design.X @ coef) - risk).max() <= _LINEAR
    return coef if same else None
