"""What is read off stored incidence curves: values at times, and all states side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.survival.curve_tables import steps_at
from rnetstats.survival.incidence_limits import BOUND

__all__ = ["incidence_at", "joined_values"]

Floats = NDArray[np.float64]


def incidence_at(
    curve: pd.DataFrame, free: pd.DataFrame, first_high: float, times: Floats
) -> pd.DataFrame:
    """Return a curve's values at given times.

    Parameters
    ----------
    curve, free : DataFrame
        One group's rows of the cause, and of the event-free survival.
    first_high : float
        Upper limit before the first stop time.
    times : array, shape (m,)

    Returns
    -------
    DataFrame
        ``time, incidence, std_error, conf_low, conf_high, method, event_free, beyond``.
    """
    bounded = np.isfinite(first_high)
    limits = {"conf_low": 0.0 if bounded else np.nan, "conf_high": first_high}
    error = 0.0 if curve["n_event"].gt(0.0).any() else np.nan
    begin = {"incidence": 0.0, "std_error": error, **limits}
    found, index, past = steps_at(curve, begin, times)
    method = np.append(BOUND if bounded else "", curve["method"].to_numpy(str))
    found["method"] = method[index]
    survival = np.append(1.0, free["survival"].to_numpy(float))
    found["event_free"] = survival[index]
    # where everybody had an event nothing is carried beyond the data
    found["beyond"] = past & (survival[-1] > 0.0)
    return found


def joined_values(curves: pd.DataFrame, free: pd.DataFrame) -> pd.DataFrame:
    """Return ``group, time``, a column of incidence for each cause, and ``event_free``."""
    wide = curves.pivot(index=["group", "time"], columns="cause", values="incidence")
    causes = list(dict.fromkeys(curves["cause"]))
    survival = free.set_index(["group", "time"])["survival"].rename("event_free")
    return wide[causes].join(survival).reset_index()
