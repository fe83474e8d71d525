"""Groups of proportions: each pooled, and a test of their difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import chi_square_p
from rnetstats.errors import ConvergenceError, TooFewEventsError
from rnetstats.evidence.meta_pooling import pool_sets
from rnetstats.evidence.proportions_glmm import fit_logistic
from rnetstats.evidence.proportions_pooling import GLMM, ProportionOptions, pool_series
from rnetstats.kernels.glmm_tables import proportions_model

__all__ = ["pool_groups"]

Floats: TypeAlias = NDArray[np.float64]

_SPREAD = ("tau2", "tau2_low", "tau2_high", "q", "q_df", "q_p", "i2", "i2_tau2", "h2")
_NUMBERS = (
    *("estimate", "conf_low", "conf_high", "pi_low", "pi_high"),
    *("coef", "std_error", "std_error_wald", "df"),
    *_SPREAD,
)
_RATIO = "likelihood ratio, one variance between series"
_NONE = {"method": "no estimate"}
_OBSERVED = (
    "A difference between groups of series is an observation: it may be due to whatever else the "
    "series differ in."
)


def pool_groups(
    events: Floats,
    n: Floats,
    groups: Sequence[str],
    levels: Sequence[str],
    how: ProportionOptions,
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Pool each group of series and test whether they differ.

    Parameters
    ----------
    events, n : (k,)
    groups : (k,) of str
        Names of groups, "" of none.
    levels : sequence of str
    how : ProportionOptions

    Returns
    -------
    tuple of (DataFrame, DataFrame, list of str)
        One row a group; one row with the test; notes.
    """
    codes = np.array([levels.index(g) if g else -1 for g in groups])
    rows, notes = [], []
    for i, level in enumerate(levels):
        x, size = events[codes == i], n[codes == i]
        counts = {"k": len(x), "events": int(x.sum()), "n": int(size.sum())}
        try:
            found = pool_series(x, size, how)
        except (ConvergenceError, TooFewEventsError) as error:  # the others stand nevertheless
            rows.append({"group": level, **counts, **dict.fromkeys(_NUMBERS, math.nan), **_NONE})
            notes.append(f"Group {level} has no estimate: {error}")
            continue
        spread = {name: found.spread[name] for name in _SPREAD}
        method = found.random["method"]
        row = {key: value for key, value in found.random.items() if key != "method"}
        rows.append({"group": level, **counts, **row, **spread, "method": method})
        if found.exact:
            notes.append(f"Group {level}: {found.notes[0]}")
    short = [str(row["group"]) for row in rows if row["k"] == 2]
    if short and how.pooling.prediction is not None:
        notes.append(f"No prediction interval for {', '.join(short)}: it takes three series.")
    inside = codes >= 0
    parts = events[inside], n[inside], codes[inside]
    try:
        test = _likelihood_ratio if how.transform == GLMM else _between
        row = test(*parts, len(levels), how)
    except ConvergenceError:
        row = _test(_RATIO, math.nan, len(levels) - 1)
    if math.isnan(row["statistic"]):
        notes.append("There is no test between the groups: what it compares has no estimate.")
    return pd.DataFrame(rows), pd.DataFrame([row]), [*notes, _OBSERVED]


def _likelihood_ratio(
    events: Floats, n: Floats, codes: NDArray[np.intp], count: int, how: ProportionOptions
) -> dict[str, Any]:
    """A level for each group against one for all, with one variance between series.

    A group without events, or without others, has its likeliest level at the end of the scale,
    where its likelihood is 1 whatever the variance: it adds nothing to the larger model.
    """
    x, size = (np.bincount(codes, part, minlength=count) for part in (events, n))
    inner = np.flatnonzero((x > 0) & (x < size))
    if x.sum() in (0.0, size.sum()):
        return _test(_RATIO, 0.0, count - 1)
    whole = fit_logistic(*proportions_model(events, n, points=how.points), how.pooling.tau2)
    larger = 0.0
    if inner.size:
        kept = np.isin(codes, inner)
        own = (codes[kept][:, None] == inner).astype(float)
        model, start = proportions_model(events[kept], n[kept], own, points=how.points)
        start = np.log(x[inner] / (size[inner] - x[inner]))
        larger = fit_logistic(model, start, how.pooling.tau2).log_likelihood
    return _test(_RATIO, max(2.0 * (larger - whole.log_likelihood), 0.0), count - 1)


def _between(
    events: Floats, n: Floats, codes: NDArray[np.intp], count: int, how: ProportionOptions
) -> dict[str, Any]:
    """The weighted sum of squares of the groups' estimates about their mean."""
    name = "chi-square of the groups' estimates"
    found = how.scale.apply(events, n, how.correction)
    held = (np.arange(count)[:, None] == codes) & found.usable
    if not held.any(axis=1).all():
        return _test(name, math.nan, count - 1)
    y, v = np.where(found.usable, found.y, 0.0), np.where(found.usable, found.v, 1.0)
    pools = pool_sets(y, v, how.pooling, held)
    weight = 1.0 / np.square(pools.wald)
    mean = float((weight * pools.coef).sum() / weight.sum())
    return _test(name, float((weight * np.square(pools.coef - mean)).sum()), count - 1)


def _test(name: str, statistic: float, df: int) -> dict[str, Any]:
    p = math.nan if math.isnan(statistic) else float(chi_square_p(statistic, df))
    return {"test": name, "statistic": statistic, "df": df, "p_value": p}
