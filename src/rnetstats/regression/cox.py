"""Cox regression: Firth's penalised likelihood by default, maximum likelihood on request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats.errors import OptionError
from rnetstats.formula.design import model_frame
from rnetstats.formula.terms import Formula
from rnetstats.formula.tokens import Literal
from rnetstats.regression.coefficients import infer, reference_levels
from rnetstats.regression.cox_fit import (
    build_engine,
    cause_note,
    cluster_notes,
    fit_frame,
    summarise,
)
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.fitting import (
    fit_notes,
    use_wald,
)
from rnetstats.regression.penalty import penalty_options, prior_notes, read_strength
from rnetstats.regression.variables import (
    labels_of,
    outcome_name,
    summarise_variables,
)

__all__ = ["cox"]


def cox(
    data: Data,
    formula: str | Formula,
    *,
    penalty: str | None = "firth",
    m: float | Mapping[str, float] | None = None,
    ties: str = "efron",
    ci: str | None = None,
    cause: Literal | None = None,
    censor: Literal = 0,
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
    penalty : {"firth", "log-f", None}
        Firth's penalised likelihood, finite under monotone likelihood; log-F(m, m) priors; or
        maximum likelihood.
    m : float or mapping of term to float, optional
        With ``penalty="log-f"``, the strength of the priors in patients: by default 1, on every
        coefficient. A mapping puts priors on the terms that it names alone.
    ties : {"efron", "breslow", "exact"}
        ``"exact"`` is the discrete likelihood, by maximum likelihood only.
    ci : {None, "profile", "wald"}
        Limits and P by the same method: profile likelihood with the likelihood-ratio P by
        default; Wald on the sandwich variance with ``cluster()``, ``robust=True`` or
        ``sampling_weights``.
    cause : int or str, optional
        With a coded event, ``"Surv(time, code) ~ ..."``: the cause-specific hazard of this code,
        all other events censored. For aetiology; :func:`rnetstats.fine_gray` is for prognosis.
    censor : int or str
        The code of censoring, beside ``cause``.
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
        Hazard ratios in ``to_frame()``; ``n`` counts rows, and with ``cluster()`` ``glance()`` has
        ``n_clusters`` too.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used.
    TooFewEventsError
        If there is no event, or maximum likelihood has more terms than events.
    OptionError
        If an option is not allowed, or the cause does not occur.

    Notes
    -----
    With frequency weights w, Efron's ties have sum(w) terms: the fit is that of the replicated
    rows (R's weighted fit is not; ``sampling_weights`` gives R's). The sandwich has no
    small-sample factor. BIC counts events. Concordance is Harrell's, within strata, an event
    comparable with a censoring at the same time.

    A log-F(m, m) prior adds (m / 2) b - m log(1 + exp(b)) to the log partial likelihood: of the
    hazard ratio of one unit of the column it says that it lies within 1/648 and 648 (m = 1) or 1/39
    and 39 (m = 2) with probability 0.95. The prior depends on the coding therefore.

    References
    ----------
    Cox DR (1972). Regression models and life-tables. JRSS B 34:187-220.
    Heinze G, Schemper M (2001). A solution to the problem of monotone likelihood in Cox
    regression. Biometrics 57:114-119.
    Greenland S, Mansournia MA (2015). Penalization, bias reduction, and default priors in logistic
    and related categorical and survival regressions. Stat Med 34:3133-3143.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> fit = rn.cox(cohort, "Surv(dfs_months, recurrence) ~ margin_positive", penalty="log-f")
    >>> fit.to_frame()[["term", "estimate", "conf_low", "conf_high"]].round(3)
                  term  estimate  conf_low  conf_high
    0  margin_positive      13.5     3.217    124.612

    The hazard of one of several coded events:

    >>> formula = "Surv(dfs_months, event_type) ~ margin_positive"
    >>> fit = rn.cox(cohort, formula, cause=1)
    >>> fit.to_frame()[["term", "n_events", "estimate", "conf_low", "conf_high"]].round(2)
                  term  n_events  estimate  conf_low  conf_high
    0  margin_positive      12.0     14.02      3.35     129.31
    """
    strength = read_strength(penalty, m)
    conf_level = level(conf_level)
    _check_ties(ties, penalty)
    if cause is None and (isinstance(censor, str) or censor != 0):
        raise OptionError("censor= belongs to a coded event, together with cause=.")
    frame = model_frame(
        data,
        formula,
        kind="survival" if cause is None else "competing",
        weights={"freq_weights": freq_weights, "sampling_weights": sampling_weights},
        missing=missing,
        intercept=False,
        censor=censor,
        cause=cause,
    )
    if ties == "exact" and frame.sampling_weights is not None:
        raise OptionError("ties='exact' does not take sampling_weights; use ties='efron'.")
    wald, robust_name = use_wald(frame, ci=ci, robust=robust)
    fitted = fit_frame(frame, penalty, ties, strength)
    engine = build_engine(frame, fitted, penalty, ties, strength, wald=wald, robust=robust_name)
    found = infer(engine, fitted.event, measure="HR", conf_level=conf_level, known=fitted.known)
    return CoxResult(
        table=found.table,
        joint_table=found.joint,
        reference_table=reference_levels(engine, fitted.event),
        covariance=engine.covariance,
        summary=summarise(frame, fitted, engine, found),
        spec=frame.design.spec.to_dict(),
        variables=summarise_variables(frame),
        labels=labels_of(data, frame),
        synthetic=is_synthetic_data(data),
        outcome=outcome_name(frame),
        engine=engine,
        sets=fitted.sets,
        notes=(
            *cause_note(data, frame, censor),
            *cluster_notes(frame),
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
            "ties": ties,
            "cause": cause,
            "censor": censor,
            "ci": "wald" if wald else "profile",
            "robust": robust_name,
            "conf_level": conf_level,
            "missing": missing,
        },
    )


def _check_ties(ties: str, penalty: str | None) -> None:
    choice("ties", ties, ("efron", "breslow", "exact"))
    if ties == "exact" and penalty is not None:
        raise OptionError("ties='exact' is fitted by maximum likelihood only: add penalty=None.")
