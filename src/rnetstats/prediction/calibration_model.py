"""Calibration of one model: its part of every table, for a binary outcome and by a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.prediction.calibration_binary import binary_measures, refuse_contradictions
from rnetstats.prediction.calibration_curve import (
    Curve,
    Smoother,
    curve_distances,
    smooth,
)
from rnetstats.prediction.calibration_groups import binary_groups, hosmer_lemeshow
from rnetstats.prediction.calibration_levels import levels_table, share_in_band
from rnetstats.prediction.calibration_notes import model_notes
from rnetstats.prediction.calibration_resampling import Again, binary_curves, with_limits
from rnetstats.prediction.calibration_times import Times, times_of
from rnetstats.prediction.judged import Judged
from rnetstats.prediction.survival_calibration import (
    survival_groups,
    survival_measures,
    survival_tests,
)
from rnetstats.prediction.survival_curve import survival_curve
from rnetstats.prediction.survival_resampling import again_at

__all__ = ["Settings", "judge_model"]

Floats = NDArray[np.float64]

_OWN: Final = ("weak_", "moderate_")  # for the levels alone


@dataclass(frozen=True, slots=True)
class Settings:
    """How the curve is made, groups, level, and resamples with their seed."""

    how: Smoother
    groups: int
    conf_level: float
    resamples: int
    seed: int | None


def judge_model(judged: Judged, k: int, settings: Settings) -> dict[str, Any]:
    """Judge one model: its part of every table of the result.

    Returns
    -------
    dict
        ``measures``, ``notes``, and the frames ``curve, groups, levels, tests, distribution,
        rows``.

    Raises
    ------
    DataError
        If an outcome contradicts a risk of exactly 0 or 1, or follow-up does not reach the time.
    """
    risk, label = judged.risk[k], judged.labels[k]
    freq, conf_level = judged.freq, settings.conf_level
    if judged.horizon is None:
        part, curve, events = _binary(judged, risk, label, settings)
    else:
        times = times_of(judged.outcome, judged.horizon, freq)
        part, curve = _timed(judged, times, risk, label, settings)
        events = times.event.astype(np.float64)
    measures = part["measures"] | curve_distances(risk, curve.fitted, freq)
    notes = [*part["notes"], *curve.notes]
    if settings.resamples:
        assert settings.seed is not None
        curve, ends, more = with_limits(
            curve,
            measures,
            risk,
            freq,
            part["again"](),
            conf_level=conf_level,
            resamples=settings.resamples,
            seed=settings.seed,
        )
        measures, notes = measures | ends, [*notes, *more]
    share = share_in_band(curve, risk, freq)
    return {
        "measures": {"model": label}
        | {name: value for name, value in measures.items() if not name.startswith(_OWN)}
        | {"smoother": settings.how.name, "apparent": bool(judged.apparent.get(label))},
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
    judged: Judged, risk: Floats, label: str, settings: Settings
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
    notes = []
    if 0.0 < y.sum() < y.size and not np.isfinite(measures["moderate_p"]):
        notes.append(
            "a spline of the risks has no estimate (it separates events from non-events, or there "
            "are none of one kind among risks within (0, 1)): its test is missing, and the "
            "moderate level is not judged"
        )
    curve = smooth(y, risk, freq, settings.how, settings.conf_level)

    def again() -> Again:
        rarer = float(min(measures["n_events"], measures["n"] - measures["n_events"]))
        curves = binary_curves(y, risk, freq, settings.how, curve.at)
        return Again(curves, rarer, "events or non-events")

    return (
        {
            "measures": measures,
            "groups": table,
            "tests": pd.DataFrame(tests),
            "notes": notes,
            "again": again,
        },
        curve,
        y,
    )


def _timed(
    judged: Judged, times: Times, risk: Floats, label: str, settings: Settings
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
        "again": partial(again_at, times, risk, settings.how, curve.at),
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
