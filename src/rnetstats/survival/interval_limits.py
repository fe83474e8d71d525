"""Bootstrap limits of survival from interval-censored times.

Bounds of survival only change where some interval ends, so that limits at those times and in the
gaps between them are limits at all times.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.random import chunk_generators
from rnetstats.kernels.percentiles import percentile_limits
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.kernels.turnbull import innermost, npmle, survival_bounds
from rnetstats.survival.interval_rows import IntervalRows

__all__ = ["LIMIT_COLUMNS", "bootstrap_limits", "limits_at"]

Floats = NDArray[np.float64]

LIMIT_COLUMNS = ("group", "time", "conf_low", "conf_low_after", "conf_high")
_TOLERANCE = 1e-8


def bootstrap_limits(
    rows: IntervalRows, codes: list[int], *, resamples: int, conf_level: float, seed: int
) -> pd.DataFrame:
    """Return percentile limits: of the least survival below, of the largest above.

    Parameters
    ----------
    rows : IntervalRows
    codes : list of int
        The groups that get limits; each is drawn within itself.
    resamples, conf_level, seed

    Returns
    -------
    DataFrame
        ``group, time, conf_low, conf_low_after, conf_high``: limits of survival at each distinct
        end of an interval, and below in the open gap after it.
    """
    rows = rows.expanded()
    plans = {code: _Plan(rows, code, resamples) for code in codes}
    n = len(rows.left)
    for where, rng in chunk_generators(seed, resamples):
        counts = bootstrap_counts(rng, n, where.stop - where.start, strata=rows.group)
        for plan in plans.values():
            plan.fit(counts, where)
    parts = [plan.limits(conf_level) for plan in plans.values()]
    return pd.concat(parts, ignore_index=True) if parts else _empty()


def _empty() -> pd.DataFrame:
    return pd.DataFrame({"group": pd.Series(dtype=object)} | dict.fromkeys(LIMIT_COLUMNS[1:], 0.0))


class _Plan:
    """One group: its distinct intervals, its times, and what the replicates gave there."""

    def __init__(self, rows: IntervalRows, code: int, resamples: int) -> None:
        self.members = np.flatnonzero(rows.group == code)
        ends = np.stack([rows.left[self.members], rows.right[self.members]], axis=1)
        self.distinct, inverse = np.unique(ends, axis=0, return_inverse=True)
        self.code = inverse.ravel()
        self.label = rows.labels[code]
        finite = self.distinct[np.isfinite(self.distinct)]
        self.times = np.unique(np.append(finite, 0.0))
        gaps = np.append((self.times[1:] + self.times[:-1]) / 2.0, self.times[-1] + 1.0)
        self.points = np.concatenate([self.times, gaps])
        self.low = np.empty((resamples, len(self.points)))
        self.high = np.empty((resamples, len(self.times)))

    def fit(self, counts: NDArray[np.int64], where: slice) -> None:
        """Estimate survival in the replicates of one chunk."""
        for replicate, row in enumerate(counts[:, self.members], start=where.start):
            freq = np.bincount(self.code, weights=row, minlength=len(self.distinct)).astype(float)
            left, right = self.distinct[freq > 0].T
            inner = innermost(left, right)
            fit = npmle(
                inner.first, inner.last, len(inner.left), freq[freq > 0], tolerance=_TOLERANCE
            )
            low, high = survival_bounds(inner.left, inner.right, fit.mass, self.points)
            self.low[replicate], self.high[replicate] = low, high[: len(self.times)]

    def limits(self, conf_level: float) -> pd.DataFrame:
        """Return the percentile limits of this group."""
        low, _ = percentile_limits(self.low, conf_level)
        _, high = percentile_limits(self.high, conf_level)
        size = len(self.times)
        values = (self.label, self.times, low[:size], low[size:], high)
        return pd.DataFrame(dict(zip(LIMIT_COLUMNS, values, strict=True)))


def limits_at(limits: pd.DataFrame, times: Floats) -> tuple[Floats, Floats]:
    """Read one group's limits (its rows of the frame) at given times (m,); missing without any."""
    if limits.empty:
        nothing = np.full(len(times), np.nan)
        return nothing, nothing.copy()
    known = limits["time"].to_numpy(float)
    place = np.searchsorted(known, times, side="right") - 1
    at = known[place] == times
    low = np.where(at, limits["conf_low"].to_numpy()[place], limits["conf_low_after"].iloc[place])
    return np.asarray(low, dtype=float), limits["conf_high"].to_numpy(float)[place]
