"""Logistic regression: Firth's penalised likelihood by default, maximum likelihood on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats.formula.design import model_frame
from rnetstats.formula.terms import Formula
from rnetstats.regression.coefficients import infer, reference_levels
from rnetstats.regression.engine import Engine
from rnetstats.regression.fitting import fit_notes, refuse_strata, use_wald
from rnetstats.regression.logistic_fit import (
    binary_outcome,
    build_engine,
    fit_frame,
    summarise,
)
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.risks import RisksResult, standardised_risks
from rnetstats.regression.variables import (
    covariates_used,
    labels_of,
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
        ConvergenceError
            If a coefficient is infinite.
        """
        predictor = self._linear_predictor(data, "A risk")
        return pd.Series(expit(predictor.to_numpy()), index=predictor.index, name="risk")

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
        sign = 2.0 * binary_outcome(engine.frame) - 1.0
        wrong = -sign * (engine.X @ engine.reached + engine.offset)  # log odds of the other outcome
        if kind == "response":
            return np.asarray(sign * expit(wrong))
        if kind == "pearson":
            return np.asarray(sign * np.exp(0.5 * wrong))
        return np.asarray(sign * np.sqrt(2.0 * np.logaddexp(0.0, wrong)))


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

    Notes
    -----
    Standard errors come from Fisher's information at the estimate, under Firth's penalty too
    (logistf's differ). The sandwich is HC0, without a factor n / (n - 1). BIC counts patients (the
    sum of the frequency weights). Under Firth's penalty AIC and BIC are missing, tests and limits
    keep the penalty of the full design, and ``log_likelihood_null`` is that of maximum
    likelihood. Predictions are drawn towards one half by the penalty.

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
    refuse_strata(frame)
    wald, robust_name = use_wald(frame, ci=ci, robust=robust)
    fitted = fit_frame(frame, penalty)
    engine = build_engine(frame, fitted, penalty, wald=wald, robust=robust_name)
    event = fitted.y == 1.0
    found = infer(engine, event, measure="OR", conf_level=conf_level)
    return LogisticResult(
        table=found.table,
        joint_table=found.joint,
        reference_table=reference_levels(engine, event),
        covariance=engine.covariance,
        summary=summarise(frame, fitted, engine, found),
        spec=frame.design.spec.to_dict(),
        variables=summarise_variables(data, frame),
        labels=labels_of(data, frame),
        synthetic=is_synthetic_data(data),
        outcome=outcome_name(frame),
        engine=engine,
        covariates=covariates_used(data, frame),
        notes=(
            *fit_notes(frame, fitted.separation, penalty, wald=wald),
            *fitted.notes,
            *found.notes,
        ),
        options={
            "formula": frame.formula,
            "penalty": penalty,
            "ci": "wald" if wald else "profile",
            "robust": robust_name,
            "conf_level": conf_level,
            "missing": missing,
        },
    )
