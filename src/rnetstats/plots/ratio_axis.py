"""A log axis of ratios: few ticks, in plain numbers, whatever its range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axis import Axis

__all__ = ["at_least", "ratio_ticks", "visible"]

_FURTHEST = 1e12  # no axis reaches further from 1
_NARROWEST = 1.2  # ratio between the ends
_MOST = 8  # ticks at powers of ten


def visible(values: np.ndarray) -> np.ndarray:
    """Say which ratios an axis may show: finite, above 0 and not absurdly far from 1."""
    return np.asarray((values > 1.0 / _FURTHEST) & (values < _FURTHEST))


def at_least(low: float, high: float) -> tuple[float, float]:
    """Return ends of a log axis that are not too close to be told apart."""
    lacking = max(1.0, math.sqrt(_NARROWEST * low / high))
    return low / lacking, high * lacking


def ratio_ticks(axis: Axis, low: float, high: float) -> None:
    """Set the ticks of a log axis from ``low`` to ``high``, both above 0.

    Parameters
    ----------
    axis : Axis
        ``ax.xaxis`` or ``ax.yaxis``, its scale already logarithmic.
    low, high : float
        Ends of the axis.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    axis.set_major_locator(FixedLocator(_places(low, high)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _places(low: float, high: float) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    if high < 5.0 * low:
        even = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high)
        return [float(v) for v in even if low <= v <= high]
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if high < 1e3 * low else (1,)
    every = max(1, math.ceil((last - first) / _MOST))
    decades = [d for d in range(first, last + 1) if d % every == 0]
    ticks = [s * 10.0**d for d in decades for s in steps]
    return [float(v) for v in np.array(ticks) if low <= v <= high]
