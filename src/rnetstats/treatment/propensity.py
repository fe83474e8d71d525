"""Propensity scores: weights that balance the arms, and what they rest on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import choice
from rnetstats.formula.terms import Formula
from rnetstats.treatment.propensity_result import PropensityResult
from rnetstats.treatment.score_fit import ScoreFit, fit_score
from rnetstats.treatment.score_rows import ESTIMAND_WORDS, ScoreRows

__all__ = ["PropensityResult", "propensity"]

_BALANCED = 0.1


def propensity(
    data: Data,
    formula: str | Formula,
    *,
    weights: str = "ate",
    penalty: str | None = "firth",
    stabilised: bool = False,
    truncate: tuple[float, float] | None = None,
    positivity: str = "refuse",
    freq_weights: Any = None,
    missing: str = "drop",
) -> PropensityResult:
    """Fit a propensity score and weight the arms by it.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        One row a patient; never changed.
    formula : str
        ``"treat ~ x1 + x2"``: the treatment is a 0/1 column, ``column == literal``, or a column of
        two levels, of which the first is the control (a note names the treated one). With
        ``cluster(id)`` the bootstrap draws clusters and robust variances are by cluster.
    weights : {"ate", "att", "atc", "overlap"}
        For whom the weighted arms stand: everybody, e the probability of treatment, 1/e and
        1/(1 - e); the treated, 1 and e/(1 - e); the controls, (1 - e)/e and 1; those whom either
        arm might have taken, 1 - e and e.
    penalty : {"firth", None}
        Of the score model: Firth's, or maximum likelihood (with overlap weights the latter
        balances the means exactly).
    stabilised : bool
        Multiply ATE weights by the arm's share of the patients.
    truncate : pair of float, optional
        Quantiles at which weights are cut, as ``(0.01, 0.99)``, over the patients of both arms.
        It trades bias for variance, and is named in the notes.
    positivity : {"refuse", "flag"}
        What the effects do where positivity is violated: raise, or say so in a note.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    missing : {"drop", "raise"}

    Returns
    -------
    PropensityResult
        ``to_frame()`` is the balance, ``glance()`` counts, effective sizes and the verdict on
        positivity. :meth:`~PropensityResult.effect`, :meth:`~PropensityResult.cox`,
        :meth:`~PropensityResult.risk` and :meth:`~PropensityResult.kaplan_meier` compare
        outcomes.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used: a treatment with one or more than two arms, a
        constant covariate.
    OptionError
        If an option is not allowed.

    Notes
    -----
    Weights make the arms alike in the covariates named, and in nothing else: what was not
    measured stays a confounder. Positivity is judged by published rules, see
    :func:`rnetstats.treatment.positivity.judge_positivity`. Limits that take the score as known
    are mostly too wide for ATE weights (Lunceford & Davidian); the bootstrap repeats the score
    model in each resample.

    References
    ----------
    Rosenbaum PR, Rubin DB (1983). The central role of the propensity score in observational
    studies for causal effects. Biometrika 70:41-55.
    Li F, Morgan KL, Zaslavsky AM (2018). Balancing covariates via propensity score weighting.
    Journal of the American Statistical Association 113:390-400.
    Austin PC (2009). Balance diagnostics for comparing the distribution of baseline covariates
    between treatment groups in propensity-score matched samples. Statistics in Medicine
    28:3083-3107.
    Lunceford JK, Davidian M (2004). Stratification and weighting via the propensity score in
    estimation of causal treatment effects. Statistics in Medicine 23:2937-2960.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> score = rn.propensity(cohort, 'method == "ESD" ~ age + size_mm', weights="overlap")
    >>> score.glance()[["n_treated", "n_control", "positivity"]]
       n_treated  n_control          positivity
    0        113        414  no sign against it
    >>> hazard = score.cox("Surv(dfs_months, dfs_event)", resamples=200, seed=1)
    >>> hazard.to_frame()[["measure", "estimate", "conf_low", "conf_high"]].round(2)
            measure  estimate  conf_low  conf_high
    0  hazard ratio      1.07      0.62       1.86
    1  hazard ratio      1.07      0.59       1.78
    """
    fit = fit_score(
        data,
        formula,
        estimand=weights,
        penalty=penalty,
        stabilised=stabilised,
        truncate=truncate,
        freq_weights=freq_weights,
        missing=missing,
    )
    choice("positivity", positivity, ("refuse", "flag"))
    balances = fit.balance(fit.model.labels, "unweighted")
    return PropensityResult(
        summary=fit.summary,
        balances=balances,
        levels=fit.levels,
        reasons=fit.positivity.reasons,
        model=fit.model,
        arms=fit.arms,
        fit=fit,
        synthetic=fit.model.synthetic,
        notes=(*fit.notes, *_balance_notes(balances), *_notes(fit)),
        options={
            "formula": fit.model.options["formula"],
            "weights": weights,
            "penalty": penalty,
            "stabilised": bool(stabilised),
            "truncate": truncate,
            "positivity": positivity,
            "missing": missing,
        },
    )


def _notes(fit: ScoreFit) -> list[str]:
    rows: ScoreRows = fit.rows
    said = [
        f"Effects are those in {ESTIMAND_WORDS[rows.estimand]}, and causal only if the covariates "
        "hold every confounder.",
    ]
    if rows.truncate is not None:
        low, high = rows.truncate
        said.append(
            f"Weights are cut at their {100 * low:g} % and {100 * high:g} % quantiles "
            f"({fit.n_cut} patients): less variance for some bias."
        )
    return said


def _balance_notes(balances: pd.DataFrame) -> list[str]:
    size = balances["smd_after"].abs()
    left = balances.loc[(size > _BALANCED) | size.isna(), "label"].tolist()
    if not left:
        return []
    return [
        f"After weighting the arms still differ by more than {_BALANCED:g} standard deviations (or "
        f"cannot be compared) in: {', '.join(map(str, left))}."
    ]
