"""Logistic regression: Firth's penalised likelihood by default, maximum likelihood on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from rnetstats._core.frame import Data, as_frame
from rnetstats._core.options import choice, level
from rnetstats.errors import OptionError, TooFewEventsError
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.terms import Formula
from rnetstats.kernels.logistic import LogisticFit, fit_logistic, row_scores
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import OK
from rnetstats.regression.coefficients import Inference, infer, reference_levels
from rnetstats.regression.engine import Engine
from rnetstats.regression.fitting import (
    check_converged,
    check_parameters,
    finite_everywhere,
    fit_notes,
    model_covariance,
    refuse_lost_columns,
    sandwich_covariance,
    use_wald,
    with_infinities,
)
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.recession import Recession, binary_separation
from rnetstats.regression.risks import RisksResult, standardised_risks
from rnetstats.regression.variables import (
    covariates_used,
    labels_of,
    new_offset,
    outcome_name,
    summarise_variables,
)

__all__ = ["LogisticResult", "logistic"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LogisticResult(RegressionResult):
    """A fitted logistic regression; see :func:`logistic`.

    Attributes
    ----------
    outcome : str
        The left side of the formula.
    covariates : dict
        The variables of the rows used; never written.
    """

    outcome: str
    covariates: dict[str, Any] | None = field(default=None, metadata={"rows": True})

    def predict(self, data: Data) -> pd.Series:
        """Return the model's risk for each patient of ``data``, shape (m,).

        The raw model's: under Firth's penalty its mean is drawn towards one half.

        Raises
        ------
        ColumnError
            If a variable is missing.
        DataError
            If a value is missing, or a level was not in the data of the fit.
        """
        table = as_frame(data)
        coef = self.coefficients["coef"].to_numpy()
        if not np.isfinite(coef).all():
            raise OptionError("A coefficient is infinite (separation): fit with penalty='firth'.")
        predictor = self.design.matrix(table) @ coef + new_offset(self.design, table)
        return pd.Series(expit(predictor), index=table.index, name="risk")

    def risks(
        self, variable: str, *, values: Sequence[Any] | None = None, reference: Any = None
    ) -> RisksResult:
        """Return standardised risks, differences and ratios over the values of a variable.

        Parameters
        ----------
        variable : str
            A column of the model.
        values : sequence, optional
            By default all levels, 0 and 1, or the quartiles of a numeric variable.
        reference : optional
            By default the first of the values.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        """
        self._known(variable)
        engine = self._need("engine", "A standardised risk")
        covariates = self._need("covariates", "A standardised risk")
        return standardised_risks(
            self, engine, covariates, variable, values=values, reference=reference
        )

    def residuals(self, kind: str = "deviance") -> np.ndarray:
        """Return residuals of the rows used, shape (n,), in the order of the data.

        Parameters
        ----------
        kind : {"deviance", "pearson", "response"}
        """
        choice("kind", kind, ("deviance", "pearson", "response"))
        engine: Engine = self._need("engine", "A residual")
        y = _outcome(engine.frame)
        p = expit(engine.X @ engine.reached + engine.offset)
        if kind == "response":
            return np.asarray(y - p)
        if kind == "pearson":
            return np.asarray((y - p) / np.sqrt(p * (1.0 - p)))
        with np.errstate(divide="ignore"):
            fall = -2.0 * np.where(y == 1.0, np.log(p), np.log1p(-p))
        return np.asarray(np.sign(y - p) * np.sqrt(fall))


def logistic(
    data: Data,
    formula: str | Formula,
    *,
    penalty: str | None = "firth",
    ci: str | None = None,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    robust: bool = False,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> LogisticResult:
    """Fit a logistic regression.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        ``"y ~ a + rcs(b, 4)"``; the left side is a 0/1 column or ``column == literal``.
    penalty : {"firth", None}
        Firth's penalised likelihood, finite under separation and nearly unbiased in small
        samples; or maximum likelihood.
    ci : {None, "profile", "wald"}
        Limits and P by the same method: profile likelihood with the likelihood-ratio P by
        default; Wald on the sandwich variance with ``cluster()``, ``robust=True`` or
        ``sampling_weights``.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    sampling_weights : str or array of shape (n,), optional
        Probability weights.
    robust : bool
        Sandwich variance (HC0).
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    LogisticResult
        Odds ratios in ``to_frame()``. Data that are separated under maximum likelihood give
        infinite estimates, with the profile limit on the finite side and a note.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used.
    TooFewEventsError
        If the outcome is constant, or maximum likelihood has more terms than events.
    OptionError
        If an option is not allowed.

    References
    ----------
    Firth D (1993). Bias reduction of maximum likelihood estimates. Biometrika 80:27-38.
    Heinze G, Schemper M (2002). A solution to the problem of separation in logistic regression.
    Stat Med 21:2409-2419.
    """
    choice("penalty", penalty, ("firth", None))
    level(conf_level)
    frame = model_frame(
        data,
        formula,
        kind="binary",
        weights={"freq_weights": freq_weights, "sampling_weights": sampling_weights},
        missing=missing,
    )
    wald, robust_name = use_wald(frame, ci=ci, robust=robust)
    fitted = _fit(frame, penalty)
    engine = _engine(frame, fitted, penalty, wald=wald, robust=robust_name)
    event = fitted.y == 1.0
    found = infer(engine, event, measure="OR", conf_level=conf_level)
    return LogisticResult(
        coefficients=found.table,
        joint=found.joint,
        references=reference_levels(engine, event),
        covariance=engine.covariance,
        summary=_summary(frame, fitted, engine, found),
        spec=frame.design.spec.to_dict(),
        variables=summarise_variables(data, frame),
        labels=labels_of(data, frame),
        outcome=outcome_name(frame),
        engine=engine,
        covariates=covariates_used(data, frame),
        notes=(*fit_notes(frame, fitted.separation, penalty), *fitted.notes, *found.notes),
        options={
            "formula": frame.formula,
            "penalty": penalty,
            "ci": "wald" if wald else "profile",
            "robust": robust_name,
            "conf_level": conf_level,
            "missing": missing,
        },
    )


@dataclass(frozen=True, eq=False)
class _Fitted:
    """A converged (or separated) fit with the counts behind it."""

    y: np.ndarray
    fit: LogisticFit
    separation: Recession
    n: float
    n_events: float
    notes: tuple[str, ...]

    @property
    def rarer(self) -> float:
        return min(self.n_events, self.n - self.n_events)


def _outcome(frame: ModelFrame) -> np.ndarray:
    assert frame.outcome is not None
    assert frame.outcome.y is not None
    return frame.outcome.y


def _fit(frame: ModelFrame, penalty: str | None) -> _Fitted:
    X, y, freq = frame.design.X, _outcome(frame), frame.freq_weights
    n = float(frame.n if freq is None else freq.sum())
    n_events = float(y.sum() if freq is None else freq @ y)
    if n_events in (0.0, n):
        which = "No row has" if n_events == 0 else "Every row has"
        raise TooFewEventsError(
            f"{which} the outcome {outcome_name(frame)!r} among the {frame.n} rows used: no odds "
            "ratio can be estimated. exact_proportion() and exact_table() give bounds."
        )
    notes = check_parameters(
        X.shape[1] - 1, min(n_events, n - n_events), "rows with the rarer outcome", penalty
    )
    maximise = partial(
        fit_logistic, X, y, freq=freq, case=frame.sampling_weights, offset=frame.offset
    )
    fit = plain = maximise()
    refuse_lost_columns(frame, plain.lost[0])
    separation = finite_everywhere(X.shape[1])
    if plain.status[0] != OK:
        separation = binary_separation(X, y)
    if penalty == "firth":
        start = plain.coef[0] if plain.status[0] == OK else None
        fit = maximise(firth=True, start=start)
    check_converged(int(fit.status[0]), separation, penalty)
    return _Fitted(y, fit, separation, n, n_events, notes)


def _engine(
    frame: ModelFrame, fitted: _Fitted, penalty: str | None, *, wald: bool, robust: str
) -> Engine:
    fit, firth = fitted.fit, penalty == "firth"
    effective = finite_everywhere(fit.coef.shape[1]) if firth else fitted.separation
    reached = fit.coef[0]
    covariance = model_covariance(fit.information[0], fit.covariance[0], effective)
    if robust:
        predictor = frame.design.X @ reached
        p = expit(predictor if frame.offset is None else predictor + frame.offset)
        scores = row_scores(frame.design.X, fitted.y, p, frame.sampling_weights)
        covariance = sandwich_covariance(frame, covariance, scores)
    weights = frame.freq_weights
    if frame.sampling_weights is not None:
        weights = frame.sampling_weights * (1.0 if weights is None else weights)
    return Engine(
        frame=frame,
        evaluator=partial(
            LogisticLikelihood, y=fitted.y, weights=weights, offset=frame.offset, firth=firth
        ),
        firth=firth,
        wald=wald,
        robust=robust,
        coef=with_infinities(reached, effective),
        reached=reached,
        covariance=covariance,
        value=float(fit.log_likelihood_penalized[0]),
    )


def _null_log_likelihood(frame: ModelFrame, fitted: _Fitted) -> float:
    """Maximised log-likelihood of the intercept alone (with the offset, if any)."""
    if frame.offset is None and frame.sampling_weights is None:
        share = fitted.n_events / fitted.n
        return fitted.n * float(share * np.log(share) + (1.0 - share) * np.log1p(-share))
    fit = fit_logistic(
        np.ones((frame.n, 1)),
        fitted.y,
        freq=frame.freq_weights,
        case=frame.sampling_weights,
        offset=frame.offset,
    )
    return float(fit.log_likelihood[0])


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
        "events_per_parameter": fitted.rarer / df if df else np.nan,
        "log_likelihood": value,
        "log_likelihood_penalized": engine.value if engine.firth else np.nan,
        "log_likelihood_null": _null_log_likelihood(frame, fitted),
        "aic": -2.0 * value + 2.0 * (df + 1) if likelihood else np.nan,
        "bic": -2.0 * value + float(np.log(fitted.n)) * (df + 1) if likelihood else np.nan,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "test": engine.test_method,
        "converged": bool(fitted.fit.status[0] == OK),
        "separation": fitted.separation.kind,
    }
