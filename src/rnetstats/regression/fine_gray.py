"""Fine and Gray's regression of the subdistribution hazard, for prognosis with competing risks."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnetstats._core.frame import Data, as_frame, codes_of, is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats.errors import OptionError
from rnetstats.formula.clusters import check_clusters
from rnetstats.formula.design import model_frame
from rnetstats.formula.terms import Formula
from rnetstats.formula.tokens import Literal
from rnetstats.kernels.fine_gray_likelihood import CENSORING
from rnetstats.regression.coefficients import infer, reference_levels
from rnetstats.regression.fine_gray_fit import (
    build_engine,
    event_counts,
    fit_frame,
    infinite,
    limits_notes,
    summarise,
)
from rnetstats.regression.fine_gray_result import FineGrayResult
from rnetstats.regression.fitting import fit_notes
from rnetstats.regression.variables import labels_of, outcome_name, summarise_variables
from rnetstats.survival.competing_rows import uncensored_note

__all__ = ["FineGrayResult", "fine_gray"]

VARIANCES = ("fine-gray", "weights-known")


def fine_gray(
    data: Data,
    formula: str | Formula,
    *,
    cause: Literal,
    censor: Literal = 0,
    penalty: str | None = "firth",
    censoring: str = "after-events",
    variance: str = "fine-gray",
    ci: str | None = None,
    freq_weights: Any = None,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> FineGrayResult:
    """Fit a Fine-Gray regression of the subdistribution hazard of one cause.

    Use it for prognosis: its coefficients say how covariates go together with the cumulative
    incidence, through whatever mechanism, fewer competing deaths included. For aetiology fit
    cause-specific hazards, ``cox(..., cause=...)``, of every cause.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        ``"Surv(time, code) ~ a + rcs(b, 4)"``; ``cluster()`` and ``offset()`` are understood.
    cause : int or str
        The code of the event of interest; all others but ``censor`` compete with it.
    censor : int or str
        The code of censoring.
    penalty : {"firth", None}
        Firth's penalty on the pseudo-likelihood, finite where one level has no event; or maximum
        likelihood, as R's cmprsk and survival.
    censoring : {"after-events", "with-events"}
        The censoring distribution at tied times: events leave the risk set before censorings are
        counted, as in Kaplan-Meier and R's finegray; or are still in it, as in cmprsk's crr.
        Without ties of events and censorings the estimates are the same, and the sandwich
        variances nearly: the first takes the derivative of Kaplan and Meier's factors, the second,
        as crr, that of the hazard of censoring.
    variance : {"fine-gray", "weights-known"}
        The sandwich variance of Fine and Gray (1999), which counts that the censoring distribution
        was estimated; or without that part, as R's coxph on finegray data.
    ci : {None, "wald", "profile"}
        Limits and P by the same method: Wald on that sandwich by default, missing for a level
        without events; or by profile of the (penalised) pseudo-likelihood, which takes the weights
        as known.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    FineGrayResult
        Subdistribution hazard ratios (sHR) in ``to_frame()``, with Wald limits on the sandwich
        variance.

    Raises
    ------
    FormulaError
        With late entry or ``strata()``, or a formula that cannot be used.
    OptionError
        If an option is not allowed, or the cause does not occur.
    TooFewEventsError
        If maximum likelihood has more terms than events.
    ColumnError, DataError
        If the data cannot be used, or hold codes that the codebook does not declare.

    Notes
    -----
    Rows with a competing event stay at risk with the weight G(t-) / G(T-). Censoring is taken as
    independent of the covariates. Ties are Breslow's. The likelihood is a pseudo-likelihood: there
    is no AIC or BIC. Concordance is that of Wolbers et al. (2009), patients with a competing event
    counting as never having the event.

    References
    ----------
    Fine JP, Gray RJ (1999). A proportional hazards model for the subdistribution of a competing
    risk. J Am Stat Assoc 94:496-509. Latouche A, Allignol A, Beyersmann J, Labopin M, Fine JP
    (2013). A competing risks analysis should report results on all cause-specific hazards and
    cumulative incidence functions. J Clin Epidemiol 66:648-653. Wolbers M, Koller MT, Witteman
    JCM, Steyerberg EW (2009). Prognostic models with competing risks. Epidemiology 20:555-561.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> fit = rn.fine_gray(cohort, "Surv(dfs_months, event_type) ~ margin_positive", cause=1)
    >>> fit.to_frame()[["term", "measure", "estimate", "conf_low", "conf_high"]].round(2)
                  term measure  estimate  conf_low  conf_high
    0  margin_positive     sHR     14.14      3.05      65.68
    >>> fit.cumulative_incidence({"margin_positive": [0, 1]}, [60])[["time", "incidence"]].round(3)
       time  incidence
    0  60.0      0.003
    1  60.0      0.036
    """
    choice("penalty", penalty, ("firth", None))
    choice("censoring", censoring, CENSORING)
    choice("variance", variance, VARIANCES)
    choice("ci", ci, (None, "wald", "profile"))
    conf_level = level(conf_level)
    if cause is None:
        raise OptionError("cause= names the event of interest, as in cause=1.")
    frame = model_frame(
        data,
        formula,
        kind="competing",
        weights={"freq_weights": freq_weights},
        missing=missing,
        intercept=False,
        censor=censor,
        cause=cause,
    )
    if ci == "profile" and frame.cluster is not None:
        raise OptionError("ci='profile' has no meaning with cluster(): leave ci out (Wald).")
    check_clusters(frame.cluster)
    fitted = fit_frame(frame, penalty, censoring)
    wald = ci != "profile"
    engine = build_engine(frame, fitted, penalty, variance, wald=wald)
    found = infer(engine, fitted.code == 1, measure="sHR", conf_level=conf_level)
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.cause is not None
    assert outcome.cause_codes is not None
    known = codes_of(as_frame(data), outcome.columns[-1])
    return FineGrayResult(
        table=found.table,
        joint_table=found.joint,
        reference_table=reference_levels(engine, fitted.code == 1),
        covariance=engine.covariance,
        summary=summarise(frame, fitted, engine, found),
        spec=frame.design.spec.to_dict(),
        variables=summarise_variables(frame),
        labels=labels_of(data, frame),
        synthetic=is_synthetic_data(data),
        outcome=outcome_name(frame),
        cause=outcome.causes[outcome.cause - 1],
        event_counts=event_counts(frame),
        meaning={name: known.get(name, name) for name in outcome.causes},
        unbounded=tuple(np.flatnonzero(infinite(fitted.separation)).tolist()),
        engine=engine,
        notes=(
            *fit_notes(frame, fitted.separation, penalty, wald=False),
            *fitted.notes,
            *uncensored_note(outcome.cause_codes, outcome.causes, censor),
            *limits_notes(frame, fitted, found, penalty, wald=wald),
        ),
        options={
            "formula": frame.formula,
            "cause": cause,
            "censor": censor,
            "penalty": penalty,
            "censoring": censoring,
            "variance": variance,
            "ci": "wald" if wald else "profile",
            "robust": engine.robust,
            "conf_level": conf_level,
            "missing": missing,
        },
    )
