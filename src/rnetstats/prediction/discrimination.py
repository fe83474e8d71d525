"""Discrimination: AUC and concordance of models, their limits, and paired comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, level
from rnetstats._core.random import resolve_seed
from rnetstats.prediction.discrimination_result import DiscriminationResult
from rnetstats.prediction.discrimination_rows import analyse, judged_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rnetstats.formula.tokens import Literal

__all__ = ["DiscriminationResult", "discrimination"]

CI = ("plain", "logit")


def discrimination(
    data: Data,
    formula: str,
    *,
    models: Mapping[str, Any] | None = None,
    scale: str = "risk",
    time: float | Sequence[float] | None = None,
    tau: float | None = None,
    cause: Literal | None = None,
    censor: Literal = 0,
    ci: str = "plain",
    freq_weights: str | ArrayLike | None = None,
    conf_level: float = 0.95,
    missing: str = "drop",
    resamples: int = 0,
    seed: int | None = None,
) -> DiscriminationResult:
    """Judge how well predictions order patients by their outcome.

    A binary outcome gives the AUC with DeLong's limits. Times give Harrell's and Uno's C, with
    limits by the infinitesimal jackknife, and at each horizon the cumulative/dynamic AUC weighted
    for censoring, with limits by its iid representation. All models are judged on the same rows
    and compared in pairs.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"y ~ risk_a + risk_b"`` or ``"Surv(time, event) ~ risk"``: the right side names columns
        of predicted risk, ``~ 1`` none. Late entry, ``Surv(start, stop, event)``, gives
        Harrell's C alone.
    models : mapping of str to fit or RiskModel, optional
        Further models, their risk computed on ``data``. Without a single horizon a Cox fit is
        judged by its linear predictor, which orders as the risk at any time does.
    scale : {"risk", "score"}
        Risks lie in [0, 1]; a score is any number, higher for an earlier or likelier event.
    time : float or sequence of float, optional
        Horizons of the AUC(t): cases have their event at or before it.
    tau : float, optional
        Only events up to then make pairs of Harrell's and Uno's C.
    cause, censor : optional
        For competing risks, ``Surv(time, code)``: the code of the event of interest and of
        censoring.
    ci : {"plain", "logit"}
        Scale of the limits; plain ones are cut at 0 and 1.
    freq_weights : str or array, optional
        Numbers of replicated rows.
    conf_level : float
    missing : {"drop", "raise"}
    resamples : int
        With some, at least 2, limits are bootstrap percentiles, and pairs are tested with the
        bootstrap standard error; the models are not refitted.
    seed : int, optional

    Returns
    -------
    DiscriminationResult

    Raises
    ------
    TooFewEventsError
        If one outcome is missing altogether, no event lies before a horizon, or limits by
        resampling are asked for with fewer than 5 cases or controls.
    DataError, ColumnError
        If a risk lies outside [0, 1], or nobody is followed past a horizon.
    OptionError, FormulaError
        For options that do not belong to the outcome, or a right side that is no column.

    Notes
    -----
    Where all pairs are ordered rightly (AUC 1) the limits are the exact ones of as many successes
    as there are independent pairs; predictions that are all equal have AUC 0.5 without error. A
    model fitted on the rows judged has limits labelled apparent; two such models, one nested in
    the other, are compared by the likelihood ratio (Demler 2012).

    The standard error of AUC(t) takes in that the censoring weights are estimated (Blanche 2013).
    Where times are tied it takes the rows of one time one after the other, in the order of the
    data, as R's timeROC does; taking them at once, as :func:`rnetstats.calibration` and R's
    riskRegression do, or in another order moves it by some thousandths of itself. Without tied
    times all are the same.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-45. Harrell FE, Lee KL, Mark
    DB. Stat Med 1996;15:361-87. Uno H et al. Stat Med 2011;30:1105-17. Blanche P, Dartigues JF,
    Jacqmin-Gadda H. Stat Med 2013;32:5381-97. Wolbers M et al. Epidemiology 2009;20:555-61.
    Demler OV, Pencina MJ, D'Agostino RB. Stat Med 2012;31:2577-87.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> old, new = cohort.iloc[:300], cohort.iloc[300:]
    >>> model = rn.risk_model(rn.logistic(old, "margin_positive ~ location + nlr + size_mm"))
    >>> found = rn.discrimination(
    ...     new, "margin_positive ~ nlr", models={"model": model}, scale="score"
    ... )
    >>> found.to_frame()[["model", "auc", "conf_low", "conf_high"]].round(2)
       model   auc  conf_low  conf_high
    0    nlr  0.48      0.40       0.56
    1  model  0.54      0.47       0.62
    """
    choice("ci", ci, CI)
    settings = {"ci": ci, "conf_level": level(conf_level), "resamples": resamples}
    judged, times = judged_rows(
        data,
        formula,
        models=models,
        scale=scale,
        time=time,
        tau=tau,
        cause=cause,
        censor=censor,
        freq_weights=freq_weights,
        missing=missing,
    )
    drawn = resolve_seed(seed) if resamples else None
    found = analyse(judged, times, tau, settings, drawn)
    return DiscriminationResult(
        kind=judged.outcome.kind,
        outcome=judged.outcome.name,
        estimates=found.estimates,
        pairs=found.pairs,
        n=found.n,
        n_events=found.n_events,
        n_missing=judged.n_missing,
        judged=judged,
        notes=(*judged.notes, *found.notes),
        seed=drawn,
        synthetic=judged.synthetic,
        options={
            "formula": judged.formula,
            "scale": scale,
            "time": list(times),
            "tau": tau,
            "cause": cause,
            "censor": censor,
            "missing": missing,
            **settings,
        },
    )
