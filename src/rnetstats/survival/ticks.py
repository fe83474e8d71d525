"""Round times for tables and axes: whole years for follow-up in months, else 1-2-5 steps."""

from __future__ import annotations

import math

__all__ = ["round_times"]


def round_times(last: float, most: int, label: str = "") -> list[float]:
    """Return evenly spaced round times from 0 to at most ``last``.

    Parameters
    ----------
    last : float
        The last time of the data.
    most : int
        No more than this many times, 0 included; at least 2.
    label : str
        How time is labelled. Where it speaks of months, steps are whole years.

    Returns
    -------
    list of float
        0 alone when ``last`` is 0.
    """
    if not last > 0.0:
        return [0.0]
    if "month" in label.casefold() and last >= 24.0:
        steps = [12.0 * years for years in (1, 2, 3, 4, 5, 10, 20, 50, 100)]
    else:
        scale = 10.0 ** math.floor(math.log10(last / (most - 1)))
        steps = [scale * s for s in (1.0, 2.0, 5.0, 10.0, 20.0)]
    step = next((s for s in steps if last / s + 1e-9 < most), last)
    return [round(k * step, 10) for k in range(math.floor(last / step + 1e-9) + 1)]
