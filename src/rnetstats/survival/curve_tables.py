"""What is read off stored survival curves: values at times, quantiles, numbers at risk.

A curve is a frame with a row for each distinct stop time; nothing here needs patient rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import OptionError
from rnetstats.kernels.same_times import as_observed
from rnetstats.survival.limits import curve_quantile
from rnetstats.survival.product_limit import AFTER_ZERO

__all__ = ["curve_at", "probabilities", "quantile_row", "risk_before", "steps_at", "time_points"]

Floats = NDArray[np.float64]


def time_points(times: float | Sequence[float]) -> Floats:
    """Return times as an array of finite numbers, not negative.

    Raises
    ------
    OptionError
        If a time is missing, infinite, negative or no number.
    """
    return _numbers("times", times, low=0.0, high=np.inf)


def probabilities(q: float | Sequence[float]) -> Floats:
    """Return probabilities of an event, strictly between 0 and 1.

    Raises
    ------
    OptionError
        If one lies outside (0, 1).
    """
    points = _numbers("q", q, low=0.0, high=1.0)
    if np.any((points <= 0.0) | (points >= 1.0)):
        raise OptionError(f"q must lie strictly between 0 and 1, not {q!r}.")
    return points


def _numbers(name: str, values: float | Sequence[float], *, low: float, high: float) -> Floats:
    wanted = f"{name} must be a number or a list of numbers"
    if values is None or isinstance(values, (str, bytes)):
        raise OptionError(f"{wanted}, not {values!r}.")
    try:
        given = np.atleast_1d(np.asarray(values, dtype=object)).ravel()
        points = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        raise OptionError(f"{wanted}, not {values!r}.") from None
    if points.ndim != 1 or points.size == 0:
        raise OptionError(f"{wanted}.")
    odd = [value for value in given if value is None or isinstance(value, (bool, np.bool_, str))]
    if odd:
        raise OptionError(f"{wanted}, not {odd[0]!r}.")
    wrong = points[~(np.isfinite(points) & (points >= low) & (points <= high))]
    if wrong.size:
        raise OptionError(f"{name} holds {wrong[0]:g}, which is outside [{low:g}, {high:g}].")
    return points


def risk_before(curve: pd.DataFrame, entries: pd.DataFrame | None, times: Floats) -> Floats:
    """Return the number at risk just before each time: ``start < t <= stop``.

    At time 0 those are at risk who enter at 0.

    Parameters
    ----------
    curve : DataFrame
        One group's rows, with ``time, n_event, n_censor``.
    entries : DataFrame or None
        One group's ``time, n_enter``; None when nobody enters late.
    times : array, shape (m,)

    Returns
    -------
    array, shape (m,)
    """
    left = (curve["n_event"] + curve["n_censor"]).to_numpy(float)
    seen = as_observed(times, curve["time"])
    gone = np.append(0.0, np.cumsum(left))[np.searchsorted(curve["time"], seen, side="left")]
    if entries is None:
        risk = left.sum() - gone
    else:
        entered = np.append(0.0, np.cumsum(entries["n_enter"].to_numpy(float)))
        seen = np.maximum(as_observed(times, entries["time"]), AFTER_ZERO)
        risk = entered[np.searchsorted(entries["time"], seen, side="left")] - gone
    # fractional weights leave rounding dust where nobody is at risk
    return np.asarray(np.where(np.abs(risk) < 1e-9 * max(left.sum(), 1.0), 0.0, risk))


def curve_at(curve: pd.DataFrame, first: tuple[float, float], times: Floats) -> pd.DataFrame:
    """Return the curve's values at given times.

    Parameters
    ----------
    curve : DataFrame
        One group's rows.
    first : (float, float)
        Limits before the first stop time, where the estimate is 1.
    times : array, shape (m,)

    Returns
    -------
    DataFrame
        ``time, survival, std_error, conf_low, conf_high, beyond``: ``beyond`` says that the time
        lies past the group's last one, where the last value is carried forward.
    """
    begin = {"survival": 1.0, "std_error": 0.0, "conf_low": first[0], "conf_high": first[1]}
    found, _, past = steps_at(curve, begin, times)
    # a curve that has reached 0 stays there: nothing is carried beyond the data
    return found.assign(beyond=past & (curve["survival"].iloc[-1] > 0.0))


def steps_at(
    curve: pd.DataFrame, begin: Mapping[str, float], times: Floats
) -> tuple[pd.DataFrame, NDArray[np.intp], NDArray[np.bool_]]:
    """Return a step function's values at given times.

    Parameters
    ----------
    curve : DataFrame
        One group's rows, by rising ``time``.
    begin : mapping
        The columns wanted, with their values before the first row.
    times : array, shape (m,)

    Returns
    -------
    found : DataFrame
        ``time`` and the columns wanted.
    index : int array, shape (m,)
        How many rows of the curve each time has reached.
    past : bool array, shape (m,)
        Whether the time lies past the last row.
    """
    names = list(begin)
    steps = np.vstack([list(begin.values()), curve[names].to_numpy(float)])
    seen = as_observed(times, curve["time"])
    index = np.searchsorted(curve["time"], seen, side="right")
    found = pd.DataFrame(steps[index], columns=names)
    found.insert(0, "time", times)
    return found, index, np.asarray(seen > curve["time"].iloc[-1])


def quantile_row(curve: pd.DataFrame, probability: float) -> dict[str, float]:
    """Return the time by which ``probability`` have had the event, with its limits.

    The limits are those of Brookmeyer and Crowley, read off the curve's pointwise limits in the
    same way as the estimate.
    """
    time = curve["time"].to_numpy(float)
    names = {"estimate": "survival", "conf_low": "conf_low", "conf_high": "conf_high"}
    found = {
        key: curve_quantile(time, curve[name].to_numpy(float), probability)
        for key, name in names.items()
    }
    return {"q": float(probability), **found}
