"""Logistic regression: Firth's penalised likelihood by default, maximum likelihood on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from rnetstats.regression.logistic_fit import build_engine, fit_frame, summarise
from rnetstats.regression.logistic_ways import binary_outcome
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.overall_tests import TestedAsWhole
from rnetstats.regression.penalty import penalty_options, prior_notes, read_strength
from rnetstats.regression.risks import RisksResult, standardised_risks
from rnetstats.regression.variables import (
    covariates_used,
    known,
    labels_of,
    outcome_name,
    summarise_variables,
)

__all__ = ["LogisticResult", "logistic"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LogisticResult(TestedAsWhole, RegressionResult):
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

        Parameters
        ----------
        data : DataFrame or mapping of columns
            The model's variables and its offset, one row a patient.

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
        OptionError
            If the model has no such variable, or a value is none of it.
        """
        known(self.variables, variable)
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

        Raises
        ------
        OptionError
            If there is no such kind.
        DataNotKeptError
            After reading back from JSON.
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
    m: float | Mapping[str, float] | None = None,
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
    penalty : {"firth", "log-f", None}
        Firth's penalised likelihood, finite under separation and nearly unbiased in small
        samples; log-F(m, m) priors; or maximum likelihood.
    m : float or mapping of term to float, optional
        With ``penalty="log-f"``, the strength of the priors in patients: by default 1, on every
        coefficient but the intercept. A mapping puts priors on the terms that it names alone.
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

    A log-F(m, m) prior is worth m patients, half of them with the outcome, who differ by one unit
    of the column: of the odds ratio of that unit it says that it lies within 1/648 and 648 (m = 1)
    or 1/39 and 39 (m = 2) with probability 0.95. The prior depends on the coding therefore. The
    intercept has none, so that the mean risk is the observed share. ``log_likelihood_penalized``
    and the standard errors are those of the data with the prior's patients added.

    References
    ----------
    Firth D (1993). Bias reduction of maximum likelihood estimates. Biometrika 80:27-38.
    Heinze G, Schemper M (2002). A solution to the problem of separation in logistic regression.
    Stat Med 21:2409-2419.
    Greenland S, Mansournia MA (2015). Penalization, bias reduction, and default priors in logistic
    and related categorical and survival regressions. Stat Med 34:3133-3143.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> fit = rn.logistic(cohort, "recurrence ~ margin_positive", penalty="log-f", m=1)
    >>> fit.to_frame()[["term", "estimate", "conf_low", "conf_high"]].round(3)
                  term  estimate  conf_low  conf_high
    0      (Intercept)     0.004       0.0      0.015
    1  margin_positive    14.861       3.5    137.884
    """
    strength = read_strength(penalty, m)
    conf_level = level(conf_level)
    frame = model_frame(
        data,
        formula,
        kind="binary",
        weights={"freq_weights": freq_weights, "sampling_weights": sampling_weights},
        missing=missing,
    )
    refuse_strata(frame)
    wald, robust_name = use_wald(frame, ci=ci, robust=robust)
    fitted = fit_frame(frame, penalty, strength)
    engine = build_engine(frame, fitted, penalty, strength, wald=wald, robust=robust_name)
    event = fitted.y == 1.0
    found = infer(engine, event, measure="OR", conf_level=conf_level, known=fitted.known)
    return LogisticResult(
        table=found.table,
        joint_table=found.joint,
        reference_table=reference_levels(engine, event),
        covariance=engine.covariance,
        summary=summarise(frame, fitted, engine, found),
        spec=frame.design.spec.to_dict(),
        variables=summarise_variables(frame),
        labels=labels_of(data, frame),
        synthetic=is_synthetic_data(data),
        outcome=outcome_name(frame),
        engine=engine,
        covariates=covariates_used(frame),
        notes=(
            *fit_notes(
                frame,
                fitted.separation,
                penalty,
                wald=wald,
                left=None if fitted.prior is None else fitted.effective,
            ),
            *prior_notes(frame, fitted.prior, strength),
            *fitted.notes,
            *found.notes,
        ),
        options={
            "formula": frame.formula,
            **penalty_options(penalty, strength),
            "ci": "wald" if wald else "profile",
            "robust": robust_name,
            "conf_level": conf_level,
            "missing": missing,
        },
    )
