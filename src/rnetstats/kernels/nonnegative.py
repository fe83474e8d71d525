"""Newton ascent of a concave function over coordinates that are at least zero.

Each step maximises the function's quadratic model over the non-negative orthant (an active-set
search on the Gram matrix), and is halved until the function does not fall. For mixtures this is the
constrained Newton method, which ends at the global maximum; its certificate is the gradient.

References
----------
Wang Y (2007). On fast computation of the non-parametric maximum likelihood estimate of a mixing
distribution. JRSS B 69:185-198. Bro R, De Jong S (1997). A fast non-negativity-constrained least
squares algorithm. Journal of Chemometrics 11:393-401.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["ascend", "quadratic_maximum"]

Value = Callable[[FloatArray], float]
Slope = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_RIDGE = 1e-13  # of the largest curvature: keeps the steps of a flat maximum bounded
_HALVINGS = 40
_GOOD = 1e-10  # below this a step that gains nothing is the last
_IDLE = 3  # and above it so many in a row, each halved
_ROUNDING = 1e-14
_FLAT = 1e-7


def ascend(
    value: Value,
    slope: Slope,
    start: FloatArray,
    *,
    mass: float,
    tolerance: float = 1e-10,
    max_iter: int = 200,
    flat: float = _FLAT,
) -> tuple[FloatArray, float, int]:
    """Maximise a concave function of x >= 0.

    Parameters
    ----------
    value : callable
        ``x (k,) -> float``; -inf where it is not defined.
    slope : callable
        ``x (k,) -> gradient (k,), information (k, k)`` (minus the second derivatives).
    start : array of shape (k,)
        Where the value is finite.
    mass : float
        What the gradient is measured against, such as the number of patients.
    tolerance : float
        The certificate wanted; rounding may stop the ascent before.
    max_iter : int
    flat : float
        See :func:`quadratic_maximum`.

    Returns
    -------
    x : array of shape (k,)
    excess : float
        The certificate, over `mass`: the larger of the sum of x times the largest gradient, and
        of the largest |x gradient|. Both vanish at the maximum, which lies no further than about
        `mass` times this above.
    iterations : int
    """
    x = start.copy()
    best = value(x)
    excess, idle = np.inf, 0
    for iteration in range(1, max_iter + 1):
        gradient, information = slope(x)
        excess = _excess(x, gradient) / mass
        if excess <= tolerance:
            return x, excess, iteration
        wanted = quadratic_maximum(information, gradient + information @ x, x > 0.0, flat)
        moved, found = _step(value, x, wanted, best)
        gained = found - best > _ROUNDING * (abs(best) + 1.0)
        idle = 0 if gained or (moved == wanted).all() else idle + 1
        if (moved == x).all() or (found <= best and excess <= _GOOD) or idle == _IDLE:
            return x, excess, iteration
        x, best = moved, found
    return x, excess, max_iter


def _excess(x: FloatArray, gradient: FloatArray) -> float:
    upward = max(float(gradient.max(initial=0.0)), 0.0) * float(x.sum())
    return max(upward, float(np.abs(x * gradient).max(initial=0.0)))


def _step(value: Value, x: FloatArray, wanted: FloatArray, best: float) -> tuple[FloatArray, float]:
    """Go to the point wanted, or a half, a quarter, ... of the way."""
    share = 1.0
    floor = best - _ROUNDING * (abs(best) + 1.0)
    for _ in range(_HALVINGS):
        moved = wanted if share == 1.0 else x + share * (wanted - x)
        found = value(moved)
        if found >= floor:
            return moved, found
        share *= 0.5
    return x, best


def quadratic_maximum(
    gram: FloatArray,
    linear: FloatArray,
    passive: BoolArray | None = None,
    flat: float = _FLAT,
) -> FloatArray:
    """Maximise linear' q - q' gram q / 2 over q >= 0.

    Parameters
    ----------
    gram : array of shape (k, k)
        Positive semidefinite.
    linear : array of shape (k,)
    passive : bool array of shape (k,), optional
        Coordinates that are likely to be positive: where the search begins.
    flat : float
        A coordinate whose root curvature is less than this share of the largest is taken as flat,
        and the ridge bounds its step. To be small where curvatures truly differ so much.

    Returns
    -------
    array of shape (k,)
    """
    k = len(linear)
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    scale = np.where(scale > flat * scale.max(initial=1e-300), scale, scale.max(initial=1.0))
    gram = gram / np.outer(scale, scale) + _RIDGE * np.eye(k)
    linear = linear / scale
    free = np.zeros(k, dtype=bool) if passive is None else np.asarray(passive, dtype=bool).copy()
    q = np.zeros(k)
    if free.any():
        q = _within(gram, linear, free, q)
    size = float(np.abs(linear).max(initial=1e-300))
    for _ in range(3 * k + 10):
        push = np.where(free, -np.inf, linear - gram @ q)
        best = int(np.argmax(push))
        if push[best] <= 1e-13 * size:
            break
        free[best] = True
        q = _within(gram, linear, free, q)
        if not free[best]:  # rounding: it enters and leaves at once
            break
    return np.asarray(q / scale)


def _within(gram: FloatArray, linear: FloatArray, free: BoolArray, q: FloatArray) -> FloatArray:
    """Solve on the free coordinates; those that would turn negative are held at zero instead.

    `free` is changed in place.
    """
    while True:
        chosen = np.flatnonzero(free)
        target = np.zeros_like(q)
        if not chosen.size:
            return target
        target[chosen] = np.linalg.solve(gram[np.ix_(chosen, chosen)], linear[chosen])
        below = free & (target <= 0.0)
        if not below.any():
            return target
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(below, q / (q - target), np.inf)
        way = max(float(np.nanmin(share)), 0.0)
        q = np.where(free, q + way * (target - q), 0.0)
        q[below & (q <= 1e-15 * max(float(q.max()), 1e-300))] = 0.0
        gone = below & (q <= 0.0)
        if not gone.any():
            gone = below & (share <= way)
            q[gone] = 0.0
        free[gone] = False
