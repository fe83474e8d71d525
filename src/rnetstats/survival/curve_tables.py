"""What is read off stored survival curves: values at times, quantiles, numbers at risk.

A curve is a frame with a row for each distinct stop time; nothing here needs patient rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import OptionError
from rnetstats.kernels.same_times import as_observed
from rnetstats.survival.limits import curve_quantile

__all__ = ["curve_at", "probabilities", "quantile_row", "risk_before", "time_points"]

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
        seen = as_observed(times, entries["time"])
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
    names = ["survival", "std_error", "conf_low", "conf_high"]
    start = np.array([[1.0, 0.0, *first]])
    steps = np.vstack([start, curve[names].to_numpy(float)])
    seen = as_observed(times, curve["time"])
    index = np.searchsorted(curve["time"], seen, side="right")
    found = pd.DataFrame(steps[index], columns=names)
    found.insert(0, "time", times)
    # a curve that has reached 0 stays there: nothing is carried beyond the data
    found["beyond"] = (seen > curve["time"].iloc[-1]) & (steps[-1, 0] > 0.0)
    return found


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
