"""Parametric survival models: accelerated failure times, and Gompertz hazards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats.formula.design import model_frame
from rnetstats.formula.terms import Formula
from rnetstats.regression.parametric_curves import fitted_curves
from rnetstats.regression.parametric_fit import (
    check_frame,
    coefficient_table,
    fit_checked,
    joint_table,
    parametric_notes,
    references_of,
)
from rnetstats.regression.parametric_laws import DISTRIBUTIONS
from rnetstats.regression.parametric_result import ParametricResult
from rnetstats.regression.variables import labels_of, outcome_name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["ParametricResult", "parametric"]


def parametric(
    data: Data,
    formula: str | Formula,
    *,
    distribution: str = "weibull",
    freq_weights: str | ArrayLike | None = None,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> ParametricResult:
    """Fit a parametric survival model by maximum likelihood.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        ``"Surv(time, event) ~ a + rcs(b, 4)"``, or ``Surv(start, stop, event)`` for late entry.
    distribution : str
        ``"weibull"``, ``"exponential"``, ``"log-normal"``, ``"log-logistic"`` or
        ``"generalised gamma"``: log time is a linear predictor plus scaled error, and ``exp(coef)``
        a time ratio. ``"gompertz"``: the hazard is ``exp(linear predictor + growth t)``, and
        ``exp(coef)`` a hazard ratio.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    ParametricResult
        Time ratios in ``to_frame()``, hazard ratios in ``hazard_ratios()``.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used; a time of 0 has no logarithm.
    TooFewEventsError
        Without events, or with fewer events than parameters.
    ConvergenceError
        If there is no finite maximum, as when a group has no event.
    OptionError
        If an option is not allowed.

    Notes
    -----
    The log-likelihood is that of the times, so that AIC compares the laws. BIC counts events. The
    scale is that of R's ``survreg``: the Weibull shape is 1 / scale.

    References
    ----------
    Kalbfleisch JD, Prentice RL (2002). The Statistical Analysis of Failure Time Data, 2nd ed.
    Wiley, chapter 3. Prentice RL (1974). Biometrika 61:539-44 (generalised gamma).

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> fit = rn.parametric(cohort, "Surv(dfs_months, dfs_event) ~ margin_positive + age")
    >>> fit.to_frame()[["term", "measure", "estimate", "conf_low", "conf_high"]].round(2)
                  term measure  estimate  conf_low  conf_high
    0      (Intercept)    time   6977.69   1759.31   27674.50
    1  margin_positive      TR      0.78      0.53       1.15
    2              age      TR      0.95      0.93       0.97
    3       log(scale)   scale      0.82      0.67       1.01
    >>> fit.hazard_ratios()[["term", "measure", "estimate"]].round(2)
                  term measure  estimate
    0  margin_positive      HR      1.36
    1              age      HR      1.07
    """
    choice("distribution", distribution, DISTRIBUTIONS)
    conf_level = level(conf_level)
    frame = model_frame(
        data,
        formula,
        kind="survival",
        weights={"freq_weights": freq_weights},
        missing=missing,
    )
    counts = check_frame(frame)
    law = fit_checked(frame, distribution, counts)
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    criteria = {
        "log_likelihood": law.log_likelihood,
        "aic": 2.0 * law.df - 2.0 * law.log_likelihood,
        "bic": law.df * float(np.log(counts.n_events)) - 2.0 * law.log_likelihood,
    }
    labels = labels_of(data, frame)
    joint = joint_table(frame, law)
    return ParametricResult(
        table=coefficient_table(frame, law, counts, conf_level),
        reference_table=references_of(frame, counts),
        joint_table=joint,
        law={
            name: getattr(law, name)
            for name in (
                "coef",
                "covariance",
                "extra",
                "natural",
                "natural_covariance",
                "log_likelihood",
                "status",
            )
        },
        summary={
            "distribution": distribution,
            "n": counts.n,
            "n_missing": frame.n_missing,
            "n_events": counts.n_events,
            "df": law.df,
            "events_per_parameter": counts.n_events / max(law.df, 1),
            **criteria,
            "endpoint": outcome_name(frame),
            "time": labels.get(outcome.time_name, outcome.time_name),
        },
        spec=frame.design.spec.to_dict(),
        curves=fitted_curves(frame, law),
        last_time=float(outcome.stop.max()),
        labels=labels,
        synthetic=is_synthetic_data(data),
        frame=frame,
        notes=(*frame.notes, *parametric_notes(law, counts, joint)),
        options={
            "formula": frame.formula,
            "distribution": distribution,
            "conf_level": conf_level,
            "missing": missing,
        },
    )
