"""Limits of a difference and a ratio from the limits of two proportions: square and add.

For ``a - b`` the lower limit is ``sqrt((a - low_a)^2 + (high_b - b)^2)`` away. The limits of
``a / b`` are the ratios R at which the limits of ``a - R b`` reach 0. Both keep what is asymmetric
about the limits of the single proportions, and stand with an estimate of 0 or 1.

References
----------
Zou GY, Donner A. Construction of confidence limits about effect measures: a general approach. Stat
Med 2008;27:1693-702. Zou GY. Toward using confidence intervals to compare correlations. Psychol
Methods 2007;12:399-413. Donner A, Zou GY. Closed-form confidence intervals for functions of the
normal mean and standard deviation. Stat Methods Med Res 2012;21:347-59.
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["Bounds", "difference_limits", "ratio_limits", "square_and_add_p"]

Bounds = tuple[float, float, float]  # estimate, lower and upper limit

_HALVINGS = 60
_LEAST = -12.0  # log10 of the smallest P: levels closer to 1 have no digits left


def difference_limits(a: Bounds, b: Bounds, correlation: float = 0.0) -> tuple[float, float]:
    """Return the limits of ``a - b``, whose estimates may be correlated (Zou 2007)."""
    gap = a[0] - b[0]
    below = _joined(a[0] - a[1], b[2] - b[0], correlation)
    return gap - below, gap + _joined(a[2] - a[0], b[0] - b[1], correlation)


def _joined(x: float, y: float, correlation: float) -> float:
    if correlation == 0.0:
        return math.hypot(x, y)
    return math.sqrt(max(x * x + y * y - 2.0 * correlation * x * y, 0.0))


def ratio_limits(a: Bounds, b: Bounds, correlation: float = 0.0) -> tuple[float, float]:
    """Return the limits of ``a / b``, which are not negative; the upper one may be infinite."""
    return (
        _ratio_end((a[0], a[1]), (b[0], b[2]), -1.0, correlation),
        _ratio_end((a[0], a[2]), (b[0], b[1]), 1.0, correlation),
    )


def _ratio_end(
    one: tuple[float, float], two: tuple[float, float], sign: float, correlation: float
) -> float:
    """Solve (a - R b)^2 = (a - end_a)^2 + R^2 (end_b - b)^2 on the side of the sign.

    With a correlation r the right side has 2 r R (a - end_a) (end_b - b) less.
    """
    (a, end_a), (b, end_b) = one, two
    square_b = end_b * (2.0 * b - end_b)
    square_a = end_a * (2.0 * a - end_a)
    middle = a * b - (correlation * (a - end_a) * (end_b - b) if correlation else 0.0)
    root = sign * math.sqrt(max(middle**2 - square_a * square_b, 0.0))
    if square_b == 0.0:
        if sign > 0.0 or b <= 0.0:
            return math.inf if sign > 0.0 else 0.0
        return max(square_a / (2.0 * middle), 0.0) if middle > 0.0 else 0.0
    value = (middle + root) / square_b
    return value + 0.0 if value >= 0.0 else (math.inf if sign > 0.0 else 0.0)


def square_and_add_p(
    limits: Callable[[float], tuple[Bounds, Bounds]], correlation: float = 0.0
) -> float:
    """Return the P that agrees with the limits: 1 less the level at which they reach no difference.

    Parameters
    ----------
    limits : callable
        From a level of confidence to the two proportions with their limits at that level.
    correlation : float
        Of the two estimates.

    Returns
    -------
    float
        1 where the estimates are the same.
    """
    a, b = limits(0.5)
    if a[0] == b[0]:
        return 1.0

    def excludes(p: float) -> bool:
        low, high = difference_limits(*limits(1.0 - p), correlation)
        return low > 0.0 or high < 0.0

    # limits of next to no confidence may still leave room (exact limits): then P is 1
    if not excludes(1.0 - 1e-9):
        return 1.0
    low, high = _LEAST, 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if excludes(10.0**middle) else (middle, high)
    return float(10.0**high)
