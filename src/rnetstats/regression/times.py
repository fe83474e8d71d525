"""Times at which a fitted model is asked for survival: numbers, and none beyond what was seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnetstats.errors import OptionError

__all__ = ["times_until"]

_ROUNDING = 1e-10  # the last time of the data may have been rounded to one a little earlier


def times_until(times: float | Sequence[float], last: float, ending: str) -> np.ndarray:
    """Return times as an array (T,) of finite numbers, at least 0 and at most ``last``.

    Parameters
    ----------
    times : float or sequence of float
    last : float
        In the unit of the data.
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
    if moments.max() > last * (1.0 + _ROUNDING):
        raise OptionError(
            f"times reach {moments.max():g}, but {ending} at {last:g}: nothing is known of "
            "survival after that."
        )
    return np.asarray(np.minimum(moments, last))
