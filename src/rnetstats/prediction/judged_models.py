"""Models given to a judging verb: their labels, the columns they need, and their risks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import OptionError
from rnetstats.formula.outcome import Outcome
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.spec import Spec
from rnetstats.formula.terms import Condition, LeftSide
from rnetstats.kernels.same_times import one_time
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.logistic import LogisticResult
from rnetstats.regression.model import RegressionResult

__all__ = [
    "design_of",
    "fingerprint",
    "is_apparent",
    "is_risk_model",
    "model_columns",
    "model_risk",
    "named_models",
    "other_outcome",
]

Floats = NDArray[np.float64]


def fingerprint(outcome: Outcome, X: Floats) -> str:
    """Return a mark of the rows that a model was fitted on, from which they cannot be read.

    Design columns are rounded, so that the mark survives another machine's last digits.
    """
    digest = hashlib.sha256()
    parts = (outcome.y, outcome.start, outcome.stop, outcome.event, np.round(X, 6) + 0.0)
    for values in parts:
        if values is not None:
            digest.update(np.ascontiguousarray(values, dtype=np.float64).tobytes())
        digest.update(b"|")
    return digest.hexdigest()[:32]


def named_models(models: Mapping[str, Any] | None, columns: tuple[str, ...]) -> dict[str, Any]:
    """Return the models by their labels.

    Raises
    ------
    OptionError
        If a label is empty, taken, or stands for two models; if a model cannot predict; or if
        there is nothing to judge.
    """
    if models is not None and not isinstance(models, Mapping):
        raise OptionError("models= is a mapping of labels to fits, as in models={'Model A': fit}.")
    given = {str(label): model for label, model in (models or {}).items()}
    if len(given) < len(models or {}) or not all(label.strip() for label in given):
        raise OptionError("models= needs a label of its own, in words, for each model.")
    twice = [label for label in given if label in columns]
    if twice:
        raise OptionError(f"{twice[0]!r} is both a column and a model's label; rename one.")
    for label, model in given.items():
        if not (isinstance(model, (LogisticResult, CoxResult)) or is_risk_model(model)):
            raise OptionError(
                f"models[{label!r}] is a {type(model).__name__}; it must be a fit of logistic() or "
                "cox(), or a RiskModel (risk_model() makes one of any estimator)."
            )
    if not given and not columns:
        raise OptionError("There is nothing to judge: name columns of risk, or give models=.")
    return given


def is_risk_model(model: Any) -> bool:
    """Say whether an object predicts as a RiskModel does."""
    return all(hasattr(model, name) for name in ("predict", "horizon", "variables", "fingerprint"))


def model_columns(model: Any) -> tuple[str, ...]:
    """Return the columns that a model needs to predict."""
    names = tuple(model.variables)
    if isinstance(model, RegressionResult):
        formula = parse_formula(model.design.formula)
        extra = (*(source.column for source in formula.offsets), *formula.strata)
        names = tuple(dict.fromkeys((*names, *extra)))
    return names


def design_of(model: Any) -> Spec | None:
    """Return the design by which a model was fitted, None where it is unknown."""
    design = getattr(model, "design", None)
    return design if isinstance(design, Spec) else None


def other_outcome(label: str, model: Any, left: LeftSide) -> list[str]:
    """Say that a model was made to predict another event than the one it is judged by."""
    made_for = getattr(model, "outcome", "") or ""
    own = parse_formula(f"{made_for} ~ 1").outcome if made_for else None
    if own is None or own.event == left.event:
        return []
    both = isinstance(own.event, Condition) and isinstance(left.event, Condition)
    if own.event.column == left.event.column and not both:
        return []  # a code and its condition: the cause is checked where the outcome is read
    return [f"{label} was made to predict {own.text}; here it is judged by {left.text}."]


def model_risk(
    label: str,
    model: Any,
    part: pd.DataFrame,
    scale: str,
    horizon: float | None,
    notes: list[str],
) -> Floats:
    """Return the risk (or score) of each row by one model."""
    if isinstance(model, LogisticResult):
        return _numbers(model.predict(part))
    if isinstance(model, CoxResult):
        if scale == "score":
            return _numbers(model.predict(part))
        if horizon is None:
            raise OptionError(f"models[{label!r}] is a Cox fit; its risk needs a horizon, time=.")
        return _numbers(model.survival(part, [horizon])["risk"])
    own = model.horizon
    agree = own == horizon or (None not in (own, horizon) and one_time(own, horizon))
    if not agree and not (scale == "score" and horizon is None):
        what = "no time" if own is None else f"time {own:g}"
        asked = "none was asked for" if horizon is None else f"{horizon:g} was asked for"
        raise OptionError(f"models[{label!r}] gives risks to {what}; {asked} by time=.")
    found = model.predict(part, outside="extrapolate")
    beyond = int(np.count_nonzero(~found["in_domain"].to_numpy(dtype=bool)))
    if beyond:
        notes.append(
            f"{label}: {beyond} of {len(part)} rows lie outside the model's domain; their risks "
            "are extrapolated."
        )
    return _numbers(found["risk"])


def _numbers(values: pd.Series) -> Floats:
    return np.asarray(values.to_numpy(), dtype=np.float64)


def is_apparent(model: Any, outcome: Outcome, X: Floats | None) -> bool:
    """Say whether the model was fitted on exactly these rows."""
    if X is None:
        return False
    known = getattr(model, "fingerprint", "")
    engine = getattr(model, "engine", None)
    if engine is not None:
        known = fingerprint(engine.frame.outcome, engine.frame.design.X)
    return bool(known) and known == fingerprint(outcome, X)
