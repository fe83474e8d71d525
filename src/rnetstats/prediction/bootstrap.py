"""Bootstrap limits of any statistic, by every usual method side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rnetstats._core.frame import Data, as_frame, is_synthetic_data
from rnetstats._core.options import draw_count, real
from rnetstats._core.random import chunk_generators, resolve_seed
from rnetstats.errors import DataError, OptionError, RnetError
from rnetstats.formula.variables import row_numbers
from rnetstats.kernels.bootstrap_limits import jackknife_influence, regression_influence
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.bootstrap_result import FEWEST, BootstrapResult, limits_of

__all__ = ["bootstrap", "bootstrap_limits"]

Floats = NDArray[np.float64]


def bootstrap(
    data: Data,
    statistic: Callable[[pd.DataFrame], float],
    *,
    resamples: int = 999,
    seed: int | None = None,
    cluster: str | None = None,
    conf_level: float = 0.95,
    quantile: str = "normal",
) -> BootstrapResult:
    """Resample rows, compute a statistic on each resample, and give its limits.

    Parameters
    ----------
    data : DataFrame or mapping of columns
    statistic : callable
        Takes a DataFrame with the columns of `data`, returns a number. It is called once for each
        resample, and once without each row (or cluster) for the acceleration.
    resamples : int
    seed : int, optional
    cluster : str, optional
        A column whose values mark the units to be drawn whole.
    conf_level : float
    quantile : {"normal", "linear"}
        How quantiles are read between replicates; "normal" is what Davison & Hinkley advise.

    Returns
    -------
    BootstrapResult

    Raises
    ------
    ColumnError, DataError
        If the data cannot be used; if the statistic has no finite value on them, or on fewer than
        20 resamples.
    OptionError
        For options out of range, or a statistic that returns no number.

    Notes
    -----
    A resample on which the statistic is missing, infinite or refused is left out, counted and
    noted: limits then hold on condition that it can be computed. A loop of Python calls; the
    package's own verbs resample in batches.

    References
    ----------
    Efron B (1987). Better bootstrap confidence intervals. JASA 82:171-185. Davison AC, Hinkley DV
    (1997). Bootstrap Methods and their Application. Cambridge University Press, chapter 5.

    Examples
    --------
    >>> import numpy as np
    >>> import rnetstats as rn
    >>> data = {"days": [2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0]}
    >>> found = rn.bootstrap(data, lambda d: d["days"].mean(), resamples=199, seed=1)
    >>> found.to_frame()["method"].tolist()
    ['normal', 'basic', 'percentile', 'BCa']
    """
    frame = as_frame(data)
    total = draw_count("resamples", resamples, minimum=FEWEST)
    units = _units(frame, cluster)
    drawn_by = resolve_seed(seed)
    estimate = _value(statistic, frame, strict=True)
    if not math.isfinite(estimate):
        raise DataError("The statistic has no finite value on the data themselves.")
    n = int(units.max()) + 1
    values = np.full(total, np.nan)
    for rows, rng in chunk_generators(drawn_by, total):
        counts = bootstrap_counts(rng, n, rows.stop - rows.start)
        for place, drawn in zip(range(rows.start, rows.stop), counts, strict=True):
            again = frame.iloc[np.repeat(np.arange(len(frame)), drawn[units])]
            values[place] = _value(statistic, again.reset_index(drop=True))
    left_out = np.array(
        [_value(statistic, frame[units != unit].reset_index(drop=True)) for unit in range(n)]
        if n > 1
        else [np.nan]
    )
    asked: dict[str, Any] = {"conf_level": conf_level, "quantile": quantile}
    return limits_of(
        values,
        estimate,
        jackknife_influence(left_out),
        **asked,
        seed=drawn_by,
        options={"resamples": total, "cluster": cluster, **asked},
        synthetic=is_synthetic_data(data),
    )


def bootstrap_limits(
    replicates: ArrayLike,
    estimate: float,
    *,
    jackknife: ArrayLike | None = None,
    counts: ArrayLike | None = None,
    conf_level: float = 0.95,
    quantile: str = "normal",
) -> BootstrapResult:
    """Give limits from replicates that are there already.

    Parameters
    ----------
    replicates : array of shape (R,)
        The statistic on each resample; missing where it could not be computed.
    estimate : float
        The statistic on the data.
    jackknife : array of shape (n,), optional
        The statistic without each row in turn: BCa's acceleration comes from them.
    counts : array of shape (R, n), optional
        How often each row stands in each resample: the acceleration comes from the regression of
        the replicates on these. Without this and `jackknife` there are no BCa limits.
    conf_level, quantile
        As for :func:`bootstrap`.

    Returns
    -------
    BootstrapResult

    Raises
    ------
    DataError
        If fewer than 20 replicates have a value.
    OptionError
        For options out of range, arrays that do not fit, or both `jackknife` and `counts`.

    References
    ----------
    As for :func:`bootstrap`.

    Examples
    --------
    >>> import numpy as np
    >>> import rnetstats as rn
    >>> drawn = np.random.default_rng(1).normal(1.0, 0.5, 999)
    >>> rn.bootstrap_limits(drawn, 1.0).glance()["resamples"].item()
    999
    """
    centre = real("estimate", estimate)
    values = _vector("replicates", replicates)
    if jackknife is not None and counts is not None:
        raise OptionError("Give either jackknife or counts: the acceleration comes from one.")
    influence = None
    if jackknife is not None:
        influence = jackknife_influence(_vector("jackknife", jackknife))
    if counts is not None:
        table = _numbers("counts", counts)
        if table.ndim != 2 or len(table) != len(values):
            raise OptionError(
                f"counts must have a row for each of the {len(values)} replicates and a column for "
                f"each row of the data, not the shape {table.shape}."
            )
        known = np.isfinite(values)
        influence = regression_influence(values[known], table[known])
    asked: dict[str, Any] = {"conf_level": conf_level, "quantile": quantile}
    return limits_of(values, centre, influence, **asked, options=asked)


def _units(frame: pd.DataFrame, cluster: str | None) -> NDArray[np.intp]:
    """Number the units that are drawn whole, row by row."""
    if cluster is None:
        return np.arange(len(frame))
    if not isinstance(cluster, str) or cluster not in frame.columns:
        raise OptionError(f"cluster names no column of the data: {cluster!r}.")
    codes, _ = pd.factorize(frame[cluster])
    if (codes < 0).any():
        raise DataError(
            f"The cluster column {cluster!r} has no value in {row_numbers(codes < 0)}: fill it, or "
            "leave these rows out."
        )
    return np.asarray(codes, dtype=np.intp)


def _value(
    statistic: Callable[[pd.DataFrame], float], frame: pd.DataFrame, *, strict: bool = False
) -> float:
    """Return the statistic; missing where the package itself refuses."""
    try:
        found = statistic(frame)
    except RnetError:
        if strict:
            raise
        return math.nan
    try:
        return float(found)
    except (TypeError, ValueError):
        raise OptionError(
            f"statistic must return one number, not {type(found).__name__}."
        ) from None


def _numbers(name: str, values: ArrayLike) -> Floats:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise OptionError(f"{name} must be a list of numbers.") from None


def _vector(name: str, values: ArrayLike) -> Floats:
    vector = _numbers(name, values)
    if vector.ndim != 1 or not vector.size:
        raise OptionError(f"{name} must be a list of numbers, not of the shape {vector.shape}.")
    return vector
