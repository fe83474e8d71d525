"""Cox regression: Firth's penalised likelihood by default, maximum likelihood on request."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, level
from rnetstats.errors import OptionError, TooFewEventsError
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.outcome import Outcome
from rnetstats.formula.terms import Formula
from rnetstats.kernels.cox import CoxFit, cox_likelihood, fit_cox
from rnetstats.kernels.newton import OK
from rnetstats.kernels.risksets import RiskSets, prepare
from rnetstats.regression.coefficients import Inference, infer, reference_levels
from rnetstats.regression.engine import Engine
from rnetstats.regression.fitting import (
    check_converged,
    check_parameters,
    finite_everywhere,
    fit_notes,
    model_covariance,
    refuse_lost_columns,
    use_wald,
    with_infinities,
)
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.recession import Recession, monotone_likelihood
from rnetstats.regression.variables import (
    labels_of,
    outcome_name,
    summarise_variables,
)

__all__ = ["CoxResult", "cox"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CoxResult(RegressionResult):
    """A fitted Cox regression; see :func:`cox`.

    Attributes
    ----------
    outcome : str
        The left side of the formula.
    sets : RiskSets
        The risk sets of the rows used; never written.
    """

    outcome: str
    sets: RiskSets | None = field(default=None, metadata={"rows": True})


def cox(
    data: Data,
    formula: str | Formula,
    *,
    penalty: str | None = "firth",
    ties: str = "efron",
    ci: str | None = None,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    robust: bool = False,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> CoxResult:
    """Fit a Cox proportional-hazards regression.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        ``"Surv(time, event) ~ a + rcs(b, 4)"`` or ``"Surv(start, stop, event) ~ ..."``; a row is
        at risk on (start, stop]. ``strata()``, ``cluster()`` and ``offset()`` are understood.
    penalty : {"firth", None}
        Firth's penalised likelihood, finite under monotone likelihood; or maximum likelihood.
    ties : {"efron", "breslow", "exact"}
        ``"exact"`` is the discrete likelihood, by maximum likelihood only.
    ci : {None, "profile", "wald"}
        Limits and P by the same method: profile likelihood with the likelihood-ratio P by
        default; Wald on the sandwich variance with ``cluster()``, ``robust=True`` or
        ``sampling_weights``.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients, in Efron's ties too.
    sampling_weights : str or array of shape (n,), optional
        Probability weights.
    robust : bool
        Sandwich variance by row.
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    CoxResult
        Hazard ratios in ``to_frame()``.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used.
    TooFewEventsError
        If there is no event, or maximum likelihood has more terms than events.
    OptionError
        If an option is not allowed.

    References
    ----------
    Cox DR (1972). Regression models and life-tables. JRSS B 34:187-220.
    Heinze G, Schemper M (2001). A solution to the problem of monotone likelihood in Cox
    regression. Biometrics 57:114-119.
    """
    choice("penalty", penalty, ("firth", None))
    choice("ties", ties, ("efron", "breslow", "exact"))
    level(conf_level)
    if ties == "exact" and penalty is not None:
        raise OptionError("ties='exact' is fitted by maximum likelihood only: add penalty=None.")
    frame = model_frame(
        data,
        formula,
        kind="survival",
        weights={"freq_weights": freq_weights, "sampling_weights": sampling_weights},
        missing=missing,
        intercept=False,
    )
    if ties == "exact" and frame.sampling_weights is not None:
        raise OptionError("ties='exact' does not take sampling_weights; use ties='efron'.")
    wald, robust_name = use_wald(frame, ci=ci, robust=robust)
    fitted = _fit(frame, penalty, ties)
    engine = _engine(frame, fitted, penalty, ties, wald=wald, robust=robust_name)
    found = infer(engine, fitted.event, measure="HR", conf_level=conf_level)
    return CoxResult(
        coefficients=found.table,
        joint=found.joint,
        references=reference_levels(engine, fitted.event),
        covariance=engine.covariance,
        summary=_summary(frame, fitted, engine, found),
        spec=frame.design.spec.to_dict(),
        variables=summarise_variables(data, frame),
        labels=labels_of(data, frame),
        outcome=outcome_name(frame),
        engine=engine,
        sets=fitted.sets,
        notes=(*fit_notes(frame, fitted.separation, penalty), *fitted.notes, *found.notes),
        options={
            "formula": frame.formula,
            "penalty": penalty,
            "ties": ties,
            "ci": "wald" if wald else "profile",
            "robust": robust_name,
            "conf_level": conf_level,
            "missing": missing,
        },
    )


@dataclass(frozen=True, eq=False)
class _Fitted:
    """A converged (or monotone) fit with its risk sets and counts."""

    event: np.ndarray
    sets: RiskSets
    fit: CoxFit
    separation: Recession
    n: float
    n_events: float
    notes: tuple[str, ...]


def _times(frame: ModelFrame) -> tuple[Outcome, np.ndarray, np.ndarray]:
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    return outcome, outcome.stop, outcome.event


def _fit(frame: ModelFrame, penalty: str | None, ties: str) -> _Fitted:
    outcome, stop, event = _times(frame)
    X, freq = frame.design.X, frame.freq_weights
    n = float(frame.n if freq is None else freq.sum())
    n_events = float(event.sum() if freq is None else freq @ event)
    if n_events == 0:
        raise TooFewEventsError(
            f"No row of the {frame.n} used has the event of {outcome.name}: no hazard ratio can be "
            "estimated. kaplan_meier(ci='bpcp') and exact_rate() give bounds."
        )
    if X.shape[1] == 0:
        raise OptionError("A Cox model needs a term: '~ 1' leaves nothing to estimate.")
    notes = check_parameters(X.shape[1], n_events, "events", penalty)
    strata = None if frame.strata is None else frame.strata.codes
    sets = prepare(outcome.start, stop, event, strata)
    maximise = partial(
        fit_cox, X, sets, freq=freq, case=frame.sampling_weights, offset=frame.offset, ties=ties
    )
    fit = plain = maximise()
    refuse_lost_columns(frame, plain.lost[0])
    separation = finite_everywhere(X.shape[1])
    if plain.status[0] != OK:
        separation = monotone_likelihood(X, outcome.start, stop, event, strata)
    if penalty == "firth":
        start = plain.coef[0] if plain.status[0] == OK else None
        fit = maximise(firth=True, start=start)
    check_converged(int(fit.status[0]), separation, penalty)
    return _Fitted(event, sets, fit, separation, n, n_events, notes)


def _engine(
    frame: ModelFrame,
    fitted: _Fitted,
    penalty: str | None,
    ties: str,
    *,
    wald: bool,
    robust: str,
) -> Engine:
    fit, firth = fitted.fit, penalty == "firth"
    effective = finite_everywhere(fit.coef.shape[1]) if firth else fitted.separation
    reached = fit.coef[0]
    covariance = model_covariance(fit.information[0], fit.covariance[0], effective)
    value = (
        fit.log_likelihood if fit.log_likelihood_penalized is None else fit.log_likelihood_penalized
    )
    return Engine(
        frame=frame,
        evaluator=partial(
            cox_likelihood,
            sets=fitted.sets,
            freq=frame.freq_weights,
            case=frame.sampling_weights,
            offset=frame.offset,
            ties=ties,
            firth=firth,
        ),
        firth=firth,
        wald=wald,
        robust=robust,
        coef=with_infinities(reached, effective),
        reached=reached,
        covariance=covariance,
        value=float(value[0]),
    )


def _summary(
    frame: ModelFrame, fitted: _Fitted, engine: Engine, found: Inference
) -> dict[str, Any]:
    df, value = found.df, float(fitted.fit.log_likelihood[0])
    likelihood = not engine.firth and frame.sampling_weights is None
    return {
        "n": fitted.n,
        "n_missing": frame.n_missing,
        "n_events": fitted.n_events,
        "df": df,
        "events_per_parameter": fitted.n_events / df,
        "log_likelihood": value,
        "log_likelihood_penalized": engine.value if engine.firth else np.nan,
        "log_likelihood_null": float(fitted.fit.log_likelihood_null[0]),
        "aic": -2.0 * value + 2.0 * df if likelihood else np.nan,
        "bic": -2.0 * value + float(np.log(fitted.n_events)) * df if likelihood else np.nan,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "test": engine.test_method,
        "converged": bool(fitted.fit.status[0] == OK),
        "separation": fitted.separation.kind,
    }
