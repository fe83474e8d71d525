"""Differences between the models of a calibration: of their Brier scores, pair by pair."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.kernels.ipcw_brier import ipcw_brier_differences
from rnetstats.prediction.calibration_levels import FEWEST_EVENTS
from rnetstats.prediction.calibration_times import times_of
from rnetstats.prediction.judged import Judged
from rnetstats.prediction.nested_models import NestedTest, nested_notes, nested_test
from rnetstats.prediction.paired_tests import DIFFERENCE, wald_of

__all__ = ["PAIR_COLUMNS", "brier_pairs"]

PAIR_COLUMNS = ("model", "versus", "measure", *DIFFERENCE)

_ROUNDING = 1e-13  # of scores between 0 and 1: what parts risks that are computed in two ways
_INVALID = "their Brier scores is not valid (where the added terms say nothing they do not differ)"


def brier_pairs(judged: Judged, conf_level: float) -> tuple[pd.DataFrame, list[str]]:
    """Return the differences of the Brier scores of all pairs, and notes.

    Of two models that are nested and were fitted on the rows judged there is no paired test: the
    P is that of the added terms by likelihood.
    """
    difference, std_error, rarer = _differences(judged)
    alike = np.maximum(np.abs(difference), std_error) < _ROUNDING
    difference, std_error = (np.where(alike, 0.0, part) for part in (difference, std_error))
    rows: list[dict[str, object]] = []
    tests: list[NestedTest] = []
    few = len(judged.labels) > 1 and rarer < FEWEST_EVENTS
    for a, b in combinations(range(len(judged.labels)), 2):
        first, second = judged.labels[a], judged.labels[b]
        row = {"model": first, "versus": second, "measure": "brier"}
        nested = nested_test(judged, first, second)
        if nested is not None:
            tests.append(nested)
            found = nested.cells
        else:
            error = np.nan if few else float(std_error[a, b])
            found = _paired(float(difference[a, b]), error, conf_level)
            if judged.apparent[first] or judged.apparent[second]:
                found["method"] = f"{found['method']} (apparent)"
        rows.append({**row, "difference": float(difference[a, b]), **found})
    notes = nested_notes(tests, _INVALID)
    if few:
        notes.append(
            "Differences in the Brier score have no limits and no P with fewer than five events "
            f"or patients known to be without; here there are {rarer:g}."
        )
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS)), notes


def _differences(
    judged: Judged,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Differences, standard errors (m, m), and the events or others, whichever are fewer."""
    if judged.horizon is None:
        y = np.asarray(judged.outcome.y, dtype=np.float64)
        weight = np.ones(y.size) if judged.freq is None else judged.freq
        # a time at which nobody is censored: events before it, all others after it
        found = ipcw_brier_differences(
            np.where(y > 0.0, 1.0, 2.0), y.astype(np.int64), judged.risk, 1.0, weight
        )
        return *found, float(min(weight @ y, weight @ (1.0 - y)))
    times = times_of(judged.outcome, judged.horizon, judged.freq)
    found = ipcw_brier_differences(
        times.stop, times.code, judged.risk, times.horizon, times.freq, cause=times.cause
    )
    return *found, float(min(times.weight @ times.event, times.weight @ times.free))


def _paired(difference: float, error: float, conf_level: float) -> dict[str, float | str]:
    """A Wald test of the difference; none where it has no standard error."""
    method = "paired, influence function"
    if error == 0.0 and difference == 0.0:
        return {"std_error": 0.0, "method": f"{method}: the same risks"}
    if not error > 0.0:
        return {"method": "paired, no limits"}
    return {**wald_of(difference, error, conf_level), "method": method}
