"""Right-truncated intervals as left-truncated survival in reverse time, group by group.

Reverse time is counted in ranks of the distinct intervals, so that ties stay ties: the longest
interval has time 1. A row joins just before the longest interval that fits its window and has its
event at its own: (start, stop] as with late entry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.kernels.quasi_independence import ConditionalTau, conditional_tau
from rnetstats.survival.curve_tables import quantile_row
from rnetstats.survival.limits import transformed_limits
from rnetstats.survival.product_limit import ProductLimit, product_limit
from rnetstats.survival.rows import SurvivalRows

__all__ = ["TruncatedRows", "exhausted", "fit_group", "independence", "reverse_rows"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TruncatedRows:
    """Intervals seen within windows, with a group each; arrays have shape (n,)."""

    interval: Floats
    window: Floats
    group: NDArray[np.intp]
    labels: tuple[str, ...]

    def of_group(self, code: int) -> tuple[Floats, Floats]:
        """Return the intervals and windows of one group."""
        own = self.group == code
        return self.interval[own], self.window[own]


def reverse_rows(rows: TruncatedRows) -> SurvivalRows:
    """Return the rows in reverse time, in ranks of all intervals."""
    distinct = np.unique(rows.interval)
    start, stop = _reverse(rows.interval, rows.window, distinct)
    return SurvivalRows(
        stop=stop,
        event=np.ones(len(stop), dtype=bool),
        start=start,
        group=rows.group,
        labels=rows.labels,
    )


def _reverse(interval: Floats, window: Floats, distinct: Floats) -> tuple[Floats, Floats]:
    k = len(distinct)
    stop = k - np.searchsorted(distinct, interval)
    start = k - np.searchsorted(distinct, window, side="right")
    return start.astype(np.float64), stop.astype(np.float64)


def fit_group(
    label: str, interval: Floats, window: Floats, ci: str, conf_level: float
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, object]]:
    """Estimate the conditional law of one group, the naive one, and both medians.

    Returns
    -------
    curve : DataFrame
        ``group, time, n_risk, n_event, probability, std_error, conf_low, conf_high``.
    naive : DataFrame
        ``group, time, probability``.
    summary : dict
    """
    distinct = np.unique(interval)
    start, stop = _reverse(interval, window, distinct)
    estimate = product_limit(stop, np.ones(len(stop), dtype=bool), start=start)
    curve = _curve(label, distinct, estimate, ci, conf_level)
    plain = product_limit(interval, np.ones(len(interval), dtype=bool))
    naive = _naive(label, plain, ci, conf_level)
    median, simple = quantile_row(as_survival(curve), 0.5), quantile_row(naive, 0.5)
    summary = {
        "group": label,
        "n": len(interval),
        "longest_interval": float(distinct[-1]),
        "longest_window": float(window.max()),
        "naive_median": simple["estimate"],
        "naive_low": simple["conf_low"],
        "naive_high": simple["conf_high"],
        "median": median["estimate"],
        "conf_low": median["conf_low"],
        "conf_high": median["conf_high"],
        "bias": simple["estimate"] - median["estimate"],
    }
    shown = pd.DataFrame({"group": label, "time": plain.time, "probability": 1.0 - plain.survival})
    return curve, shown, summary


def _curve(
    label: str, distinct: Floats, estimate: ProductLimit, ci: str, conf_level: float
) -> pd.DataFrame:
    """The law at each interval: the reverse survival just before its own reverse time."""
    low, high = transformed_limits(estimate.survival, estimate.log_variance, ci, conf_level)

    def forward(values: Floats, last: float) -> Floats:
        # the estimate at an interval is that after the next longer one; at the longest it is 1
        return np.append(values[:-1][::-1], last)

    survival = forward(estimate.survival, 1.0)
    top = np.nan  # at the longest interval the share is 1 by the condition: no limits
    return pd.DataFrame(
        {
            "group": label,
            "time": distinct,
            "n_risk": estimate.n_risk[::-1].astype(int),
            "n_event": estimate.n_event[::-1].astype(int),
            "probability": survival,
            "std_error": forward(estimate.std_error, top),
            "conf_low": forward(low, top),
            "conf_high": forward(high, top),
        }
    )


def as_survival(curve: pd.DataFrame) -> pd.DataFrame:
    """Return a curve of shares with the event as one of shares without, limits swapped."""
    return pd.DataFrame(
        {
            "time": curve["time"],
            "survival": 1.0 - curve["probability"],
            "std_error": curve["std_error"],
            "conf_low": 1.0 - curve["conf_high"],
            "conf_high": 1.0 - curve["conf_low"],
        }
    )


def _naive(label: str, plain: ProductLimit, ci: str, conf_level: float) -> pd.DataFrame:
    low, high = transformed_limits(plain.survival, plain.log_variance, ci, conf_level)
    return pd.DataFrame(
        {
            "group": label,
            "time": plain.time,
            "survival": plain.survival,
            "conf_low": low,
            "conf_high": high,
        }
    )


def exhausted(curve: pd.DataFrame) -> float:
    """Return the longest interval below which the estimate is 0 though shorter ones were seen."""
    all_had = (curve["n_event"] == curve["n_risk"]).to_numpy()
    inner = np.flatnonzero(all_had[1:]) + 1
    return float(curve["time"].iloc[inner[-1]]) if inner.size else float("nan")


def independence(rows: TruncatedRows) -> ConditionalTau:
    """Compare intervals with windows within groups, and add up."""
    found = [conditional_tau(*rows.of_group(code)) for code in range(len(rows.labels))]
    return sum(found[1:], start=found[0])
