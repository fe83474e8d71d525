"""Calibration of predicted risks against what was observed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, level, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError
from rnetstats.formula.terms import Formula
from rnetstats.prediction.calibration_curve import LOCAL, Smoother
from rnetstats.prediction.calibration_model import Settings, judge_model
from rnetstats.prediction.calibration_notes import general_notes
from rnetstats.prediction.calibration_pairs import brier_pairs
from rnetstats.prediction.calibration_result import CalibrationResult, ordered
from rnetstats.prediction.judged import Judged, judge
from rnetstats.prediction.resamples import resample_count

__all__ = ["CalibrationResult", "calibration"]


_BINARY: Final = (*LOCAL, "rcs", "logistic")
_TIMES: Final = (*LOCAL, "rcs", "cloglog")
_SPAN: Final = {"loess": 0.75, "loess-interpolated": 0.75, "lowess": 2.0 / 3.0}


def calibration(
    data: Data,
    formula: str | Formula,
    *,
    models: Mapping[str, Any] | None = None,
    smoother: str = "loess",
    span: float | None = None,
    degree: int = 2,
    delta: float | None = None,
    knots: int = 4,
    time: float | None = None,
    cause: Any = None,
    censor: Any = 0,
    groups: int = 10,
    freq_weights: Any = None,
    conf_level: float = 0.95,
    missing: str = "drop",
    resamples: int = 0,
    seed: int | None = None,
) -> CalibrationResult:
    """Compare predicted risks with what was observed.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        ``"y ~ risk_a + risk_b"`` or ``"Surv(time, event) ~ risk"``: the right side names columns
        of predicted risk; ``~ 1`` with ``models``.
    models : mapping of str to fit or RiskModel, optional
        Models whose risks are computed on ``data``.
    smoother : {"loess", "loess-interpolated", "lowess", "rcs", "logistic", "cloglog"}
        Of the flexible curve. ``"loess"``: local polynomials, fitted at each risk itself;
        ``"loess-interpolated"``: fitted at a few risks with cubics between them, R's default, to
        be held against printed numbers. ``"lowess"``: local lines. ``"rcs"``: regression on a
        restricted cubic spline of logit(risk); for times Cox regression on one of
        log(-log(1 - risk)). ``"logistic"`` and, for times, ``"cloglog"``: the same with a
        straight line. For times the local ones smooth pseudo-values.
    span : float, optional
        Share of the rows in a neighbourhood: 0.75 for loess, 2/3 for lowess.
    degree : {0, 1, 2}
        Of loess's local polynomials.
    delta : float, optional
        Of lowess: risks this close to the last one fitted are interpolated; 1 % of the range.
    knots : int
        Of the restricted cubic spline, 3 to 7, at Harrell's quantiles.
    time : float, optional
        The time to which the risks refer, in the units of the data; required with ``Surv()``.
    cause, censor : optional
        For competing risks: the cause of interest, and the code of censoring.
    groups : int
        Groups of similar risk, at least 2.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    conf_level : float
    missing : {"drop", "raise"}
    resamples : int
        0 for analytic limits, else percentiles over so many resamples of patients: of the curve,
        of ICI, E50, E90 and Emax, and for times of O/E. None are given with fewer than five events
        (by the time) or patients known to be without.
    seed : int, optional
        Of the resamples; drawn once and recorded by default.

    Returns
    -------
    CalibrationResult

    Raises
    ------
    DataError
        For risks outside [0, 1], an outcome that contradicts a risk of exactly 0 or 1, late
        entry, or a time that follow-up does not reach.
    FormulaError, ColumnError, OptionError
        For a formula, columns or options that cannot be used.

    Notes
    -----
    The intercept is that of calibration in the large, with logit(risk) as offset. Its P and that
    of the slope are likelihood-ratio tests (:meth:`CalibrationResult.tests`), their limits
    Wald's. Risks of exactly 0 or 1 that the outcome agrees with fit every rising line and are
    left out of it; beside them no falling line exists. A slope is infinite where the risks
    separate the outcomes, and undefined for identical risks; without both outcomes slope and
    scaled scores are undefined and the intercept is infinite. Perfect prediction has ICI 0. The
    Hosmer-Lemeshow test takes the number of groups as its degrees of freedom, or two less for a
    model fitted on these rows. O/E with fewer than five events has exact Poisson limits, and
    neither line nor curve is then judged.

    Late entry is refused, though Kaplan-Meier curves allow for it: those who enter late have
    survived until then, so that their mean predicted risk is below that of the patients from the
    start on, whom such a curve describes. O/E would lie above 1 for right risks.

    ICI, E50, E90 and Emax belong to their smoother. ``validate()`` takes what can be repeated in
    every resample: lowess fitted at some 25 risks (``smoother="lowess"`` is near), and for times
    ``smoother="rcs"`` with 3 knots. Its apparent values so differ from those of loess here.

    References
    ----------
    Van Calster B, McLernon DJ, van Smeden M, Wynants L, Steyerberg EW (2019). Calibration: the
    Achilles heel of predictive analytics. BMC Medicine 17:230.
    Austin PC, Steyerberg EW (2019). Statistics in Medicine 38:4051-4065.
    Austin PC, Harrell FE, van Klaveren D (2020). Statistics in Medicine 39:2714-2742.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> old, new = cohort.iloc[:300], cohort.iloc[300:]
    >>> model = rn.risk_model(rn.logistic(old, "margin_positive ~ location + nlr + size_mm"))
    >>> found = rn.calibration(new, "margin_positive ~ 1", models={"model": model})
    >>> found.to_frame()[["model", "oe", "slope", "ici"]].round(2)
       model    oe  slope   ici
    0  model  0.98   0.47  0.08
    >>> found.levels()[["level", "verdict"]].head(2)
      level             verdict
    0  mean  no departure shown
    1  weak  no departure shown
    """
    choice("smoother", smoother, _BINARY if time is None else _TIMES)
    how = _smoother(smoother, span, degree, delta, knots)
    count = resample_count(resamples)
    settings = Settings(
        how,
        positive_int("groups", groups, minimum=2),
        level(conf_level),
        count,
        resolve_seed(seed) if count else None,
    )
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
    _check_time(judged, time)
    parts = [judge_model(judged, k, settings) for k in range(len(judged.labels))]
    tables = {name: [part[name] for part in parts] for name in parts[0]}
    pairs, pair_notes = brier_pairs(judged, settings.conf_level)
    general = general_notes(
        tables["measures"][0], time, how.name, competing=judged.outcome.kind == "competing"
    )
    own = (note for notes in tables["notes"] for note in notes)
    return CalibrationResult(
        measures=ordered(tables["measures"]),
        curves=_stacked(judged, tables["curve"]),
        group_table=_stacked(judged, tables["groups"]),
        level_table=_stacked(judged, tables["levels"]),
        test_table=_stacked(judged, tables["tests"]),
        distribution=_stacked(judged, tables["distribution"]),
        pairs=pairs,
        rows=_stacked(judged, tables["rows"]),
        outcome=_event(judged),
        n_missing=judged.n_missing,
        synthetic=judged.synthetic,
        seed=settings.seed,
        notes=tuple(dict.fromkeys([*judged.notes, *general, *own, *pair_notes])),
        options={
            "formula": judged.formula,
            "smoother": smoother,
            "span": how.span if smoother in LOCAL else None,
            "degree": degree if smoother.startswith("loess") else None,
            "knots": knots if smoother == "rcs" else None,
            "time": judged.horizon,
            "groups": settings.groups,
            "conf_level": settings.conf_level,
            "missing": missing,
            "resamples": count,
        },
    )


def _event(judged: Judged) -> str:
    """How the event is called in the figure."""
    if judged.horizon is None:
        return judged.event_name
    return f"{judged.event_name} by {judged.horizon:g}"


def _smoother(
    name: str, span: float | None, degree: int, delta: float | None, knots: int
) -> Smoother:
    if positive_int("degree", degree, minimum=0) > 2:
        raise OptionError(f"degree must be 0, 1 or 2, not {degree!r}.")
    if positive_int("knots", knots, minimum=3) > 7:
        raise OptionError(f"knots must be 3 to 7, not {knots!r}.")
    if span is not None and name not in LOCAL:
        raise OptionError(f"span belongs to a local smoother, 'loess' or 'lowess', not {name!r}.")
    share = _SPAN.get(name, 1.0) if span is None else real("span", span, low=0.05, high=5.0)
    if delta is not None:
        delta = real("delta", delta, low=0.0, high=1.0)
        if name != "lowess":
            raise OptionError(f"delta belongs to smoother='lowess', not {name!r}.")
    return Smoother(name, share, degree, delta, knots)


def _check_time(judged: Judged, time: float | None) -> None:
    timed = judged.outcome.stop is not None
    if timed and time is None:
        raise OptionError(
            "Risks of a time-to-event outcome refer to a time: give it as time=, in the units of "
            f"{judged.outcome.time_name!r}."
        )
    if not timed and time is not None:
        raise OptionError("time= belongs to Surv() on the left side; this outcome is 0/1.")


def _stacked(judged: Judged, parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables of the models, each with its label in front."""
    named = [part.assign(model=label) for label, part in zip(judged.labels, parts, strict=True)]
    whole = pd.concat(named, ignore_index=True)
    return whole[["model", *(name for name in whole.columns if name != "model")]]
