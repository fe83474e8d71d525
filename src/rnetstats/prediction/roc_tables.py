"""ROC curves as tables, and the thresholds of Youden's index."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import OptionError
from rnetstats.kernels.censoring import censoring_survival, ipcw_weights
from rnetstats.kernels.roc import RocPoints, roc_points
from rnetstats.kernels.time_roc import CONTROLS, time_groups
from rnetstats.prediction.judged import Judged

__all__ = ["roc_table", "youden_table"]

Floats = NDArray[np.float64]


def roc_table(judged: Judged, time: float | None, controls: str) -> pd.DataFrame:
    """Tabulate every point of each model's ROC curve, thresholds ascending.

    Returns
    -------
    DataFrame
        ``model, threshold, sensitivity, specificity, lr_positive, lr_negative``.
    """
    parts = []
    for label, points in _curves(judged, time, controls):
        shares = _shares(points)
        with np.errstate(divide="ignore", invalid="ignore"):
            positive = shares["sensitivity"] / (1.0 - shares["specificity"])
            negative = (1.0 - shares["sensitivity"]) / shares["specificity"]
        columns = {**shares, "lr_positive": positive, "lr_negative": negative}
        parts.append(pd.DataFrame({"model": label, "threshold": points.threshold, **columns}))
    return pd.concat(parts, ignore_index=True)


def youden_table(judged: Judged, time: float | None, controls: str) -> pd.DataFrame:
    """Tabulate the thresholds of the largest sensitivity + specificity - 1, all of them.

    Returns
    -------
    DataFrame
        ``model, threshold, sensitivity, specificity, ppv, npv, tp, fp, fn, tn, youden``.
    """
    parts = []
    for label, points in _curves(judged, time, controls):
        tp, fp = points.true_positive, points.false_positive
        # In whole numbers for counts, so that equal optima are found equal.
        gain = tp * points.controls - fp * points.cases
        best = np.flatnonzero(gain >= gain.max() - 1e-12 * points.cases * points.controls)
        fn, tn = points.cases - tp, points.controls - fp
        columns = {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
        with np.errstate(invalid="ignore"):
            predictive = {"ppv": tp / (tp + fp), "npv": tn / (tn + fn)}
        table = {"threshold": points.threshold, **_shares(points), **predictive, **columns}
        table["youden"] = gain / (points.cases * points.controls)
        frame = pd.DataFrame(table).iloc[best]
        frame.insert(0, "model", label)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def _shares(points: RocPoints) -> dict[str, Floats]:
    sensitivity = points.true_positive / points.cases
    return {
        "sensitivity": sensitivity,
        "specificity": (points.controls - points.false_positive) / points.controls,
    }


def _curves(judged: Judged, time: float | None, controls: str) -> list[tuple[str, RocPoints]]:
    """Points of each model's curve; those of censored times are weighted."""
    case, weight = _groups(judged, time, controls)
    return [
        (label, roc_points(case, score, weight))
        for label, score in zip(judged.labels, judged.risk, strict=True)
    ]


def _groups(judged: Judged, time: float | None, controls: str) -> tuple[Floats, Floats | None]:
    """Who is a case (n,), and the weight of each row; 0 for one that is neither."""
    outcome = judged.outcome
    if outcome.y is not None:
        if time is not None:
            raise OptionError(f"time={time!r} belongs to an outcome with times, Surv(...).")
        return outcome.y, judged.freq
    if time is None:
        raise OptionError("A ROC curve of censored times needs a horizon, time=.")
    stop, event = outcome.stop, outcome.event
    assert stop is not None
    assert event is not None
    anything = event if outcome.cause_codes is None else outcome.cause_codes > 0
    time = outcome.horizon(time)
    case, control = time_groups(stop, event, anything, time, controls or CONTROLS[0])
    curve = censoring_survival(stop, anything, judged.freq)
    weight = ipcw_weights(stop, anything, time, curve) * (case | control)
    if judged.freq is not None:
        weight = weight * judged.freq
    return case.astype(np.float64), weight
