"""Numbers that a caller gives as a list, an array or anything that can be gone through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import OptionError

__all__ = ["numbers_of"]


def numbers_of(name: str, given: Any) -> NDArray[np.float64]:
    """Return what an option gives as an array of at least one dimension.

    Parameters
    ----------
    name : str
        The option's, for the refusal.
    given : number or iterable of numbers
        A generator, a set or the view of a dictionary as well as a sequence.

    Raises
    ------
    OptionError
        For text, truth values, or what is no number.
    """
    values = given
    if isinstance(given, Iterable) and not isinstance(given, (str, bytes, np.ndarray)):
        values = list(given)
    try:
        found = np.atleast_1d(np.asarray(values))
        numbers = found.astype(np.float64) if found.dtype.kind not in "bcSUMm" else None
    except (TypeError, ValueError):
        numbers = None
    if numbers is None:
        shown = repr(values)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        raise OptionError(f"{name} must be numbers, not {shown}.")
    return numbers
