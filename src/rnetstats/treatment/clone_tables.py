"""Curves of the two strategies, and what the weights of their clones look like."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.kernels.clone_censor import Clones, Replicates, treated_weights, untreated_weights
from rnetstats.kernels.clone_weights import staying_hazard
from rnetstats.kernels.percentiles import MOST_UNDEFINED, percentile_limits

__all__ = ["LEAST_SHARE", "count_cut", "strategy_curves", "weight_table"]

Floats = NDArray[np.float64]

LEAST_SHARE = 0.8  # of the patients at risk, for whom those left in an arm must stand
_LARGE = 20.0  # a weight that is told of


def strategy_curves(
    clones: Clones, point: Replicates, draws: Floats | None, conf_level: float
) -> pd.DataFrame:
    """Both curves at every time at which a clone leaves its arm."""
    frames = []
    for arm in (0, 1):
        place = 1 - arm
        sums, end = point.treated if arm else point.untreated, clones.end(arm)
        seen = clones.seen(arm)
        time, slot = np.unique(end, return_inverse=True)
        passed = np.searchsorted(clones.times, time, side="right")
        low, high = np.full((2, clones.times.size + 1), np.nan)
        if draws is not None and len(draws):
            some = np.isfinite(draws[:, place]).mean(axis=0) > 1.0 - MOST_UNDEFINED
            band = percentile_limits(draws[:, place][:, some], conf_level)
            low[1:][some], high[1:][some] = band
        frame = pd.DataFrame(
            {
                "arm": arm,
                "time": time,
                "n_risk": len(end) - np.searchsorted(np.sort(end), time, side="left"),
                "n_event": np.bincount(slot, seen, time.size).astype(int),
                "n_censor": np.bincount(slot, ~seen, time.size).astype(int),
                "survival": sums.survival[0][passed],
                "conf_low": low[passed],
                "conf_high": high[passed],
            }
        )
        frames.append(frame[frame["time"] > 0.0])
    return pd.concat(frames, ignore_index=True)


def weight_table(
    clones: Clones, grace: float, horizon: float, cap: float | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Weights of the clones at risk beyond the grace period and beyond the horizon."""
    freq = np.ones((1, len(clones.stop)))
    times = np.array([grace, horizon])
    hazard, risk = staying_hazard(clones, freq, np.nextafter(times, np.inf))
    own = treated_weights(clones, freq, cap)[0]
    rows = []
    for arm in (0, 1):
        for k, time in enumerate(times):
            values = own
            if not arm:
                place = int(hazard.places[k])
                values = untreated_weights(hazard, risk, place, cap)[0]
            held = values[clones.end(arm) > time]
            counts = {"at_risk": int((clones.stop > time).sum()), "n": held.size}
            rows.append({"arm": arm, "time": float(time), **counts, **_summary(held)})
    table = pd.DataFrame(rows)
    largest = float(table["max"].max())
    if largest > _LARGE:
        return table, (
            f"The largest weight is {largest:.3g}: one patient stands for that many, and the "
            "estimate rests on few. Look at the positivity table; max_weight= caps weights.",
        )
    return table, ()


def count_cut(clones: Clones, horizon: float, cap: float) -> tuple[tuple[int, int], ...]:
    """Return how many clones have a weight above a cap, and of how many, by arm.

    Those of the treated arm after the grace period first; then those of the untreated arm at any
    time up to the horizon, the last being that of the largest weight.
    """
    freq = np.ones((1, len(clones.stop)))
    one = treated_weights(clones, freq)[0][clones.end(1) > clones.grace] > cap
    last = np.minimum(clones.end(0), horizon)
    hazard, risk = staying_hazard(clones, freq, last)
    zero = (hazard.steps[0, hazard.places] * risk[0] > np.log(cap))[last > 0.0]
    return (int(one.sum()), one.size), (int(zero.sum()), zero.size)


def _summary(weights: Floats) -> dict[str, float]:
    """Mean, smallest, largest weight, and the effective number of patients."""
    if not weights.size:
        return {"total": 0.0, "mean": np.nan, "min": np.nan, "max": np.nan, "ess": 0.0}
    shares = weights / weights.max()  # squares of enormous weights would overflow
    return {
        "total": float(weights.sum()),
        "mean": float(weights.mean()),
        "min": float(weights.min()),
        "max": float(weights.max()),
        "ess": float(shares.sum() ** 2 / (shares**2).sum()),
    }
