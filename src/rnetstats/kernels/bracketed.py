"""The root of a function of one number between two points at which it has different signs."""

from __future__ import annotations

import sys
from collections.abc import Callable

__all__ = ["bracketed_root"]

_MOST_STEPS = 500


def bracketed_root(
    function: Callable[[float], float], low: float, high: float, *, tolerance: float = 1e-15
) -> float:
    """Return the root between ``low`` and ``high`` by Chandrupatla's method.

    Parameters
    ----------
    function : callable
        Of one number, continuous; its signs at ``low`` and ``high`` differ, or one is 0.
    low, high : float
    tolerance : float
        How far off the root may be, beside four rounding errors of its own size.

    Raises
    ------
    ValueError
        If the signs are the same.

    References
    ----------
    Chandrupatla TR (1997). A new hybrid quadratic/bisection algorithm for finding the zero of a
    nonlinear function without using derivatives. Advances in Engineering Software 28:145-149.
    """
    a, b = float(low), float(high)
    at_a, at_b = function(a), function(b)
    if at_a == 0.0 or at_b == 0.0:
        return a if at_a == 0.0 else b
    if (at_a > 0.0) == (at_b > 0.0):
        raise ValueError(f"The function has the same sign at {low:g} and at {high:g}.")
    share = 0.5
    for _ in range(_MOST_STEPS):
        x = a + share * (b - a)
        at_x = function(x)
        # a is the newest point, b lies across the root, c is the one that was given up
        if (at_x > 0.0) == (at_a > 0.0):
            c, at_c = a, at_a
        else:
            c, at_c, b, at_b = b, at_b, a, at_a
        a, at_a = x, at_x
        best, value = (a, at_a) if abs(at_a) < abs(at_b) else (b, at_b)
        least = (2.0 * sys.float_info.epsilon * abs(best) + 0.5 * tolerance) / abs(b - a)
        if value == 0.0 or least > 0.5:
            return best
        share = min(max(_next(a, b, c, at_a, at_b, at_c), least), 1.0 - least)
    return best


def _next(a: float, b: float, c: float, at_a: float, at_b: float, at_c: float) -> float:
    """Return how far from a to b to go: to the root of a parabola that is monotone, or halfway."""
    place, height = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
    if height * height < place and (1.0 - height) ** 2 < 1.0 - place:
        return at_a / (at_b - at_a) * at_c / (at_b - at_c) + (c - a) / (b - a) * at_a / (
            at_c - at_a
        ) * at_b / (at_c - at_b)
    return 0.5
