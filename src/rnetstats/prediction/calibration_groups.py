"""Groups of similar predicted risk: observed against expected, and Hosmer and Lemeshow's test.

References
----------
Hosmer DW, Lemeshow S (1980). Goodness of fit tests for the multiple logistic regression model.
Communications in Statistics A 9:1043-1069.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import chi_square_p
from rnetstats.tables.proportion_limits import wilson_limits

__all__ = ["binary_groups", "group_codes", "hosmer_lemeshow"]

Floats = NDArray[np.float64]
_ROUNDING = 1e-9  # a quantile this close to a rank is the value of that rank


def group_codes(risk: Floats, freq: Floats | None, groups: int) -> NDArray[np.intp]:
    """Number rows (n,) by quantile groups of their risk, closed on the right, from 0.

    Quantiles are those of type 7. Where they coincide, there are fewer groups.
    """
    order = np.argsort(risk, kind="stable")
    values = risk[order]
    running = np.cumsum(np.ones(len(risk)) if freq is None else freq[order])
    place = np.linspace(0.0, 1.0, groups + 1) * (running[-1] - 1.0)
    near = np.round(place)
    place = np.where(np.abs(place - near) < _ROUNDING * np.maximum(near, 1.0), near, place)
    below = np.floor(place)
    low = values[np.searchsorted(running, below, side="right")]
    above = np.minimum(below + 1.0, running[-1] - 1.0)
    high = values[np.searchsorted(running, above, side="right")]
    edges = np.unique(low + (place - below) * (high - low))
    code = np.maximum(np.searchsorted(edges, risk, side="left") - 1, 0)
    return np.unique(code, return_inverse=True)[1]  # without groups that hold nobody


def binary_groups(
    y: Floats, risk: Floats, freq: Floats | None, groups: int, conf_level: float
) -> pd.DataFrame:
    """Return a row a group.

    Returns
    -------
    DataFrame
        ``group, low, high`` (its risks), ``n, n_events, mean_predicted, observed, conf_low,
        conf_high`` (Wilson).
    """
    weight = np.ones(len(y)) if freq is None else freq
    code = group_codes(risk, freq, groups)
    n = np.bincount(code, weight)
    events = np.bincount(code, weight * y)
    low, high = wilson_limits(events, n, conf_level)
    return pd.DataFrame(
        {
            "group": np.arange(1, len(n) + 1),
            "low": [risk[code == k].min() for k in range(len(n))],
            "high": [risk[code == k].max() for k in range(len(n))],
            "n": n,
            "n_events": events,
            "mean_predicted": np.bincount(code, weight * risk) / n,
            "observed": events / n,
            "conf_low": low,
            "conf_high": high,
        }
    )


def hosmer_lemeshow(table: pd.DataFrame, *, fitted: bool) -> tuple[float, float, float]:
    """Return statistic, degrees of freedom and P.

    Parameters
    ----------
    table
        From :func:`binary_groups`.
    fitted
        Whether the risks come from a model fitted on these rows: then the degrees of freedom are
        the groups less two, else the groups. NaN where none are left.
    """
    n, observed = table["n"].to_numpy(), table["n_events"].to_numpy()
    expected = n * table["mean_predicted"].to_numpy()
    statistic = 0.0
    for count, mean in ((observed, expected), (n - observed, n - expected)):
        gap = (count - mean) ** 2
        some = gap > 0.0  # a group of risks 0 without events adds nothing
        with np.errstate(divide="ignore"):
            statistic += float((gap[some] / mean[some]).sum())
    df = len(table) - 2.0 if fitted else float(len(table))
    if df < 1.0:
        return statistic, float("nan"), float("nan")
    return statistic, df, float(chi_square_p(statistic, df))
