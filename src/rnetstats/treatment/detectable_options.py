"""What detectable_effect() is asked: the grid, the events and arms, the test."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from rnetstats._core.options import choice, positive_int, real
from rnetstats.errors import DataError, OptionError
from rnetstats.treatment.sequence_power import SEQUENCE_TESTS
from rnetstats.treatment.split_laws import TESTS, Arms

__all__ = ["METHODS", "read_counts", "read_grid", "read_test"]

METHODS = ("exact", "simulation", "schoenfeld")
_BELOW = (0.05, 0.1, 0.15, 0.2, 0.25, 0.33, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_ABOVE = (1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0)


def read_grid(hazard_ratios: Sequence[float] | None) -> np.ndarray:
    """Return the hypothesised hazard ratios; 0.05 to 20 if none are given."""
    given = (*_BELOW, 1.0, *_ABOVE) if hazard_ratios is None else hazard_ratios
    if isinstance(given, str) or not hasattr(given, "__len__") or not len(given):
        raise OptionError("hazard_ratios must be a sequence of positive numbers.")
    return np.array([real("hazard_ratios", v, low=1e-4, high=1e4) for v in given])


def read_counts(events: int | None, allocation: Any) -> tuple[int, Arms]:
    """Return the events and the arms that were given in numbers, without data."""
    if events is None or allocation is None:
        raise OptionError(
            "detectable_effect() needs events= and allocation=, or data and a formula."
        )
    events = positive_int("events", events, minimum=0)
    if isinstance(allocation, Real):
        return events, Arms(real("allocation", float(allocation), low=0.0, high=1.0, closed=False))
    if isinstance(allocation, str) or not hasattr(allocation, "__len__") or len(allocation) != 2:
        raise OptionError(
            f"allocation={allocation!r} must be the patients of both arms, as (181, 346), or the "
            "share of arm 1."
        )
    n_1, n_2 = (positive_int("allocation", n) for n in allocation)
    if events > n_1 + n_2:
        raise DataError(f"There cannot be more events ({events}) than patients ({n_1 + n_2}).")
    return events, Arms(n_1 / (n_1 + n_2), n_1, n_2)


def read_test(method: str, test: str | None, arms: Arms) -> str:
    """Return the test, checked against the method and what is known of the arms."""
    if method == "schoenfeld":
        if test not in (None, "wald"):
            raise OptionError("method='schoenfeld' has a test of its own: leave test= out.")
        return "wald"
    if method == "simulation":
        return str(choice("test", test or "logrank", SEQUENCE_TESTS))
    if test is None:
        return "fisher" if arms.sized else "binomial"
    choice("test", test, TESTS)
    if test in ("fisher", "mid-p") and not arms.sized:
        raise OptionError(
            f"test={test!r} needs the patients of both arms: allocation=(n_1, n_2), or 'binomial'."
        )
    return test
