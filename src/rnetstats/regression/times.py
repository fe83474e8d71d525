"""Times at which a fitted model is asked for survival: numbers, and none beyond what was seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.errors import OptionError
from rnetstats.kernels.same_times import as_observed

__all__ = ["times_until"]


def times_until(
    times: float | Sequence[float], observed: ArrayLike, ending: str
) -> NDArray[np.float64]:
    """Return times as an array (T,) of finite numbers, at least 0 and at most the last observed.

    Parameters
    ----------
    times : float or sequence of float
    observed : array of shape (n,), or a number
        Times of the data, or the last of them; one asked for that differs from one of them by
        rounding alone is that one.
    ending : str
        What ends there, such as "follow-up ends".

    Raises
    ------
    OptionError
        If a time is missing, negative or no number, or nothing is known of it.
    """
    try:
        moments = np.atleast_1d(np.asarray(times, dtype=float))
    except (TypeError, ValueError):
        raise OptionError(f"times must be numbers, not {times!r}.") from None
    if moments.ndim != 1 or moments.size == 0:
        raise OptionError("times must be a number or a list of them.")
    if not np.isfinite(moments).all() or (moments < 0).any():
        raise OptionError(f"times must be finite and at least 0, not {times!r}.")
    moments, last = as_observed(moments, observed), float(np.max(observed))
    if moments.max() > last:
        raise OptionError(
            f"times reach {moments.max():g}, but {ending} at {last:g}: nothing is known of "
            "survival after that."
        )
    return moments
