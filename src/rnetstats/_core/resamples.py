"""How many resamples can give limits."""

from __future__ import annotations

from rnetstats._core.options import draw_count
from rnetstats.errors import OptionError

__all__ = ["checked_resamples"]

_FEWEST = 20


def checked_resamples(resamples: int) -> int:
    """Return a number of resamples that can give limits, or 0 for none.

    Raises
    ------
    OptionError
    """
    number = draw_count("resamples", resamples, minimum=0)
    if 0 < number < _FEWEST:
        raise OptionError(
            f"resamples={number} are too few for limits; take 0 for none, or 1000 or more."
        )
    return number
