"""Decision curves: acting on a model's risk against treating everybody or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnetstats._core.frame import Data
from rnetstats._core.options import level, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError
from rnetstats.formula.tokens import Literal
from rnetstats.prediction.decision import (
    TREAT_ALL,
    TREAT_NONE,
    Decision,
    checked_harm,
    checked_thresholds,
    decision_of,
)
from rnetstats.prediction.judged import Judged, judge
from rnetstats.prediction.net_benefit_bands import bands
from rnetstats.prediction.net_benefit_notes import decision_notes
from rnetstats.prediction.net_benefit_result import DecisionCurveResult
from rnetstats.prediction.net_benefit_tables import curve_table, difference_table
from rnetstats.prediction.resamples import resample_count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["DecisionCurveResult", "decision_curve"]


def decision_curve(
    data: Data,
    formula: str,
    *,
    models: Mapping[str, Any] | None = None,
    thresholds: ArrayLike | None = None,
    time: float | None = None,
    cause: Literal | None = None,
    censor: Literal = 0,
    prevalence: float | None = None,
    harm: Mapping[str, float] | None = None,
    action: str = "treat",
    per: float = 100,
    resamples: int = 0,
    freq_weights: str | ArrayLike | None = None,
    conf_level: float = 0.95,
    missing: str = "drop",
    seed: int | None = None,
) -> DecisionCurveResult:
    """Measure the net benefit of acting on predicted risks.

    Net benefit at threshold p is the share of all patients who are rightly acted upon, less the
    share acted upon without need weighted by p / (1 - p). A patient is positive at risk >= p.

    Parameters
    ----------
    data : DataFrame or mapping
        Never changed.
    formula : str
        ``"y ~ risk_a + risk_b"`` or ``"Surv(time, event) ~ risk"``: the right side names columns
        of predicted risk (of the event, never of survival). With ``models`` it may be ``~ 1``.
    models : mapping of str to fit or RiskModel, optional
        Their risks are computed on ``data``; for a Cox model 1 - S(time).
    thresholds : array of shape (k,), optional
        In [0, 1); taken in ascending order, each once. Default: 0.01, 0.02, ..., 0.99.
    time : float, optional
        Horizon of the decision, in the unit of the follow-up; needed with ``Surv()``.
    cause, censor : optional
        Competing risks: the event of interest, and the code of censoring.
    prevalence : float, optional
        Risk in the population, where cases and controls were sampled apart. Taken as known.
    harm : mapping of str to float, optional
        Net benefit that each patient loses by obtaining a model's prediction.
    action : str
        What is done at or above the threshold, e.g. "closer resection"; for labels and notes.
    per : float
        Interventions avoided are counted per so many patients.
    resamples : int
        Bootstrap samples for pointwise percentile limits; 0 for none. Models are not refitted.
    freq_weights : str or array, optional
        Whole numbers; a row stands for so many patients.
    conf_level : float
    missing : {"drop", "raise"}
    seed : int, optional

    Returns
    -------
    DecisionCurveResult
        Limits are missing with fewer than 5 events (or 5 patients without), and at thresholds
        with fewer than 5 events among the positives.

    Raises
    ------
    DataError
        If a risk is outside [0, 1], or the horizon past the last follow-up.
    FormulaError, ColumnError
        For a formula or columns that cannot be used.
    OptionError
        For a threshold outside [0, 1), or an option that does not belong to the outcome.
    TooFewEventsError
        If nobody has the event (by the horizon).

    References
    ----------
    Vickers AJ, Elkin EB (2006). Decision curve analysis: a novel method for evaluating prediction
    models. Medical Decision Making 26, 565-574.
    Vickers AJ, Cronin AM, Elkin EB, Gonen M (2008). Extensions to decision curve analysis. BMC
    Medical Informatics and Decision Making 8, 53.
    Kerr KF, Brown MD, Zhu K, Janes H (2016). Assessing the clinical impact of risk prediction
    models with decision curves. Journal of Clinical Oncology 34, 2534-2540.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> old, new = cohort.iloc[:300], cohort.iloc[300:]
    >>> model = rn.risk_model(rn.logistic(old, "margin_positive ~ location + nlr + size_mm"))
    >>> found = rn.decision_curve(
    ...     new, "margin_positive ~ 1", models={"model": model}, thresholds=[0.3], action="operate"
    ... )
    >>> found.to_frame()[["model", "threshold", "net_benefit"]].round(3)
            model  threshold  net_benefit
    0   treat all        0.3        0.056
    1  treat none        0.3        0.000
    2       model        0.3        0.074
    """
    levels = checked_thresholds(thresholds)
    size = resample_count(resamples)
    options: dict[str, Any] = {
        "time": time,
        "cause": cause,
        "prevalence": prevalence,
        "action": _action(action),
        "per": real("per", per, low=0.0, closed=False),
        "resamples": size,
        "conf_level": level(conf_level),
        "missing": missing,
    }
    judged = judge(
        data,
        formula,
        models=models,
        horizon=time,
        freq_weights=freq_weights,
        missing=missing,
        censor=censor,
        cause=cause,
    )
    _refuse_taken(judged)
    harms = checked_harm(harm, judged.labels)
    decision = decision_of(judged, levels, harms, time=time, prevalence=prevalence)
    drawn = resolve_seed(seed) if size else None
    options |= {"formula": judged.formula, "harm": None if harm is None else dict(harm)}
    return _result(judged, decision, options, drawn)


def _result(
    judged: Judged, decision: Decision, options: dict[str, Any], seed: int | None
) -> DecisionCurveResult:
    point = decision.curves(judged.freq)
    found = None
    if seed is not None:
        found = bands(
            decision,
            judged.freq,
            point,
            resamples=options["resamples"],
            conf_level=options["conf_level"],
            seed=seed,
        )
    names = (TREAT_ALL, TREAT_NONE, *judged.labels)
    kinds = ("apparent" if judged.apparent[label] else "given" for label in judged.labels)
    told = {name: options[name] for name in ("action", "per", "resamples")}
    return DecisionCurveResult(
        curves=curve_table(
            decision, point, found, names, ("reference", "reference", *kinds), options["per"]
        ),
        differences=difference_table(decision.thresholds, point, found, names),
        outcome=judged.event_name,
        n=float(point.n_positive[0, 0, 0]),
        n_events=float(point.n_events[0, 0, 0]),
        n_missing=judged.n_missing,
        prevalence=float(point.prevalence[0]),
        synthetic=judged.synthetic,
        notes=decision_notes(judged, decision, point, found, **told),
        options=options,
        seed=seed,
    )


def _action(action: str) -> str:
    if not isinstance(action, str) or not action.strip():
        raise OptionError(f"action= names what is done at high risk, in words, not {action!r}.")
    return action.strip()


def _refuse_taken(judged: Judged) -> None:
    """Refuse labels that are taken."""
    taken = [name for name in judged.labels if name in (TREAT_ALL, TREAT_NONE)]
    if taken:
        raise OptionError(f"A model may not be called {taken[0]!r}, which is a strategy by itself.")
