"""Calibration of predicted risks against what was observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, label_of
from rnetstats._core.options import choice, level, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError
from rnetstats.formula.terms import Formula
from rnetstats.prediction.calibration_binary import binary_measures, refuse_contradictions
from rnetstats.prediction.calibration_curve import (
    LOCAL,
    Curve,
    Smoother,
    bootstrap_band,
    curve_distances,
    smooth,
)
from rnetstats.prediction.calibration_groups import binary_groups, hosmer_lemeshow
from rnetstats.prediction.calibration_levels import levels_table, share_in_band
from rnetstats.prediction.calibration_notes import general_notes, model_notes
from rnetstats.prediction.calibration_result import CalibrationResult, ordered
from rnetstats.prediction.judged import Judged, judge
from rnetstats.prediction.survival_calibration import (
    Times,
    survival_curve,
    survival_groups,
    survival_measures,
    survival_tests,
    times_of,
)

__all__ = ["CalibrationResult", "calibration"]

Floats = NDArray[np.float64]

_BINARY: Final = ("loess", "lowess", "rcs", "logistic")
_TIMES: Final = ("loess", "lowess", "rcs", "cloglog")
_SPAN: Final = {"loess": 0.75, "lowess": 2.0 / 3.0}
_OWN: Final = ("weak_", "moderate_")  # for the levels alone
_FEW: Final = 5  # fewer events (or non-events): no resampling limits


@dataclass(frozen=True, slots=True)
class _Settings:
    how: Smoother
    groups: int
    conf_level: float
    resamples: int
    seed: int | None


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
    smoother : {"loess", "lowess", "rcs", "logistic", "cloglog"}
        Of the flexible curve. ``"loess"``: local polynomials, fitted at each risk itself.
        ``"lowess"``: local lines. ``"rcs"``: regression on a restricted cubic spline of
        logit(risk); for times Cox regression on one of log(-log(1 - risk)). ``"logistic"`` and,
        for times, ``"cloglog"``: the same with a straight line. For times the local ones smooth
        pseudo-values.
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
        0 for analytic limits of the curve, else percentiles over so many resamples of patients
        (binary outcomes); none are given with fewer than five events or non-events.
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
    Wald's. Risks of exactly 0 or 1 that the outcome agrees with fit every line and are left out
    of it. A slope is infinite where the risks separate the outcomes, and undefined for identical
    risks; without both outcomes slope and scaled scores are undefined and the intercept is
    infinite. Perfect prediction has ICI 0. The Hosmer-Lemeshow test takes the number of groups
    as its degrees of freedom, or two less for a model fitted on these rows.

    References
    ----------
    Van Calster B, McLernon DJ, van Smeden M, Wynants L, Steyerberg EW (2019). Calibration: the
    Achilles heel of predictive analytics. BMC Medicine 17:230.
    Austin PC, Steyerberg EW (2019). Statistics in Medicine 38:4051-4065.
    Austin PC, Harrell FE, van Klaveren D (2020). Statistics in Medicine 39:2714-2742.
    """
    choice("smoother", smoother, _BINARY if time is None else _TIMES)
    how = _smoother(smoother, span, degree, delta, knots)
    count = positive_int("resamples", resamples, minimum=0)
    settings = _Settings(
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
    _check_time(judged, time, count)
    parts = [_model(judged, k, settings) for k in range(len(judged.labels))]
    tables = {name: [part[name] for part in parts] for name in parts[0]}
    return CalibrationResult(
        measures=ordered(tables["measures"]),
        curves=_stacked(judged, tables["curve"]),
        group_table=_stacked(judged, tables["groups"]),
        level_table=_stacked(judged, tables["levels"]),
        test_table=_stacked(judged, tables["tests"]),
        distribution=_stacked(judged, tables["distribution"]),
        rows=_stacked(judged, tables["rows"]),
        outcome=_event(judged, as_frame(data)),
        n_missing=judged.n_missing,
        synthetic=judged.synthetic,
        seed=settings.seed,
        notes=tuple(
            dict.fromkeys(
                [
                    *judged.notes,
                    *general_notes(tables["measures"][0], time, settings.how.name),
                    *(note for notes in tables["notes"] for note in notes),
                ]
            )
        ),
        options={
            "formula": judged.formula,
            "smoother": smoother,
            "span": how.span if smoother in LOCAL else None,
            "degree": degree if smoother == "loess" else None,
            "knots": knots if smoother == "rcs" else None,
            "time": judged.horizon,
            "groups": settings.groups,
            "conf_level": settings.conf_level,
            "missing": missing,
            "resamples": count,
        },
    )


def _event(judged: Judged, frame: pd.DataFrame) -> str:
    """How the event is called in the figure."""
    if judged.horizon is None:
        return label_of(frame, judged.outcome.name)
    return f"{label_of(frame, judged.outcome.columns[-1])} by {judged.horizon:g}"


def _smoother(
    name: str, span: float | None, degree: int, delta: float | None, knots: int
) -> Smoother:
    if degree not in (0, 1, 2):
        raise OptionError(f"degree must be 0, 1 or 2, not {degree!r}.")
    if positive_int("knots", knots, minimum=3) > 7:
        raise OptionError(f"knots must be 3 to 7, not {knots!r}.")
    if span is not None and name not in LOCAL:
        raise OptionError(f"span belongs to smoother='loess' or 'lowess', not {name!r}.")
    share = _SPAN.get(name, 1.0) if span is None else real("span", span, low=0.05, high=5.0)
    if delta is not None:
        delta = real("delta", delta, low=0.0, high=1.0)
        if name != "lowess":
            raise OptionError(f"delta belongs to smoother='lowess', not {name!r}.")
    return Smoother(name, share, degree, delta, knots)


def _check_time(judged: Judged, time: float | None, resamples: int) -> None:
    timed = judged.outcome.stop is not None
    if timed and time is None:
        raise OptionError(
            "Risks of a time-to-event outcome refer to a time: give it as time=, in the units of "
            f"{judged.outcome.time_name!r}."
        )
    if not timed and time is not None:
        raise OptionError("time= belongs to Surv() on the left side; this outcome is 0/1.")
    if timed and resamples:
        raise OptionError(
            "resamples= is for binary outcomes; the band of a curve at a time is analytic."
        )


def _model(judged: Judged, k: int, settings: _Settings) -> dict[str, Any]:
    """Judge one model: its part of every table of the result."""
    risk, label = judged.risk[k], judged.labels[k]
    freq, conf_level = judged.freq, settings.conf_level
    if judged.horizon is None:
        part, curve, events = _binary(judged, risk, label, settings)
    else:
        times = times_of(judged.outcome, judged.horizon, freq)
        part, curve = _timed(judged, times, risk, label, settings)
        events = times.event.astype(np.float64)
    measures = part["measures"] | curve_distances(risk, curve.fitted, freq)
    share = share_in_band(curve, risk, freq)
    notes = [*part["notes"], *curve.notes]
    return {
        "measures": {"model": label}
        | {name: value for name, value in measures.items() if not name.startswith(_OWN)}
        | {"smoother": settings.how.name},
        "curve": pd.DataFrame(
            {
                "predicted": curve.at,
                "observed": curve.observed,
                "conf_low": curve.low,
                "conf_high": curve.high,
                "smoother": settings.how.name,
            }
        ),
        "groups": part["groups"],
        "levels": levels_table(measures, share, conf_level),
        "tests": part["tests"],
        "distribution": _distribution(risk, events, freq, _round_up(float(judged.risk.max()))),
        "rows": pd.DataFrame({"predicted": risk, "calibrated": curve.fitted}),
        "notes": model_notes(label, measures, risk, judged, notes),
    }


def _binary(
    judged: Judged, risk: Floats, label: str, settings: _Settings
) -> tuple[dict[str, Any], Curve, Floats]:
    y = np.asarray(judged.outcome.y, dtype=np.float64)
    freq = judged.freq
    wrong = ((risk == 0.0) & (y == 1.0)) | ((risk == 1.0) & (y == 0.0))
    refuse_contradictions(wrong, risk, label, judged.positions)
    measures, tests = binary_measures(y, risk, freq, settings.conf_level)
    table = binary_groups(y, risk, freq, settings.groups, settings.conf_level)
    fitted = bool(judged.apparent.get(label))
    statistic, df, p = hosmer_lemeshow(table, fitted=fitted)
    measures |= {"hosmer_lemeshow": statistic, "hosmer_lemeshow_df": df, "hosmer_lemeshow_p": p}
    name = f"Hosmer-Lemeshow, {len(table)} groups"
    tests.append(
        {
            "test": name,
            "statistic": statistic,
            "df": df,
            "p_value": p,
            "method": "chi-square, risks fitted on these rows" if fitted else "chi-square",
        }
    )
    measures |= _level_tests(tests[2], tests[4])
    notes: list[str] = []
    curve = smooth(y, risk, freq, settings.how, settings.conf_level)
    if settings.resamples:
        curve, notes = _resampled(curve, y, risk, freq, measures, settings)
    part = {"measures": measures, "groups": table, "tests": pd.DataFrame(tests), "notes": notes}
    return part, curve, y


def _resampled(
    curve: Curve,
    y: Floats,
    risk: Floats,
    freq: Floats | None,
    measures: dict[str, Any],
    settings: _Settings,
) -> tuple[Curve, list[str]]:
    """Put percentile limits over resamples in the place of the analytic ones."""
    missing = np.full(curve.at.shape, np.nan)
    fewer = min(measures["n_events"], measures["n"] - measures["n_events"])
    if fewer < _FEW:
        bare = Curve(curve.at, curve.observed, missing, missing, curve.fitted, curve.notes)
        return bare, [f"no resampling limits with {fewer:g} events or non-events, fewer than five"]
    assert settings.seed is not None
    low, high, failed = bootstrap_band(
        y,
        risk,
        freq,
        settings.how,
        curve.at,
        settings.conf_level,
        settings.resamples,
        settings.seed,
    )
    notes = [f"{failed} of {settings.resamples} resamples had no curve"] if failed else []
    return Curve(curve.at, curve.observed, low, high, curve.fitted, curve.notes), notes


def _timed(
    judged: Judged, times: Times, risk: Floats, label: str, settings: _Settings
) -> tuple[dict[str, Any], Curve]:
    wrong = ((risk == 0.0) & times.event) | ((risk == 1.0) & times.free)
    refuse_contradictions(wrong, risk, label, judged.positions)
    measures, notes = survival_measures(times, risk, settings.conf_level)
    rows = survival_tests(times, risk, measures)
    measures |= _level_tests(rows[2], rows[3])
    if not np.isfinite([row["p_value"] for row in rows[2:]]).all():
        notes.append(
            "joint tests on pseudo-values take ten events a parameter and a regression that "
            "settles; where that fails they are missing, and the level is not judged"
        )
    table = survival_groups(times, risk, settings.groups, settings.conf_level)
    curve = survival_curve(times, risk, settings.how, settings.conf_level)
    return {
        "measures": measures,
        "groups": table,
        "tests": pd.DataFrame(rows),
        "notes": notes,
    }, curve


def _level_tests(weak: dict[str, Any], moderate: dict[str, Any]) -> dict[str, Any]:
    """The tests by which two of the levels are judged."""
    return {
        "weak_p": weak["p_value"],
        "weak_test": weak["test"],
        "moderate_p": moderate["p_value"],
        "moderate_test": moderate["test"],
    }


def _round_up(largest: float) -> float:
    """The end of the counts: at least 1 %, and no patient's own risk."""
    step = 0.01 if largest < 0.1 else 0.05
    return min(1.0, max(step, step * float(np.ceil(largest / step - 1e-9))))


def _distribution(risk: Floats, events: Floats, freq: Floats | None, end: float) -> pd.DataFrame:
    """Count predicted risks in 50 stretches of [0, end], with the event and without."""
    edges = np.linspace(0.0, end, 51)
    weight = np.ones(len(risk)) if freq is None else freq
    place = np.clip(np.searchsorted(edges, risk, side="right") - 1, 0, 49)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n_events": np.bincount(place, weight * events, 50),
            "n_others": np.bincount(place, weight * (1.0 - events), 50),
        }
    )


def _stacked(judged: Judged, parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables of the models, each with its label in front."""
    named = [part.assign(model=label) for label, part in zip(judged.labels, parts, strict=True)]
    whole = pd.concat(named, ignore_index=True)
    return whole[["model", *(name for name in whole.columns if name != "model")]]
