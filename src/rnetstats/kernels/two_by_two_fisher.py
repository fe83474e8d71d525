"""Fisher's exact test for millions of 2x2 tables of all sizes, and bounds of it in closed form.

:func:`fisher_two_sided` sums the tail from the observed table outward, and the opposite one from
the first table there that is as unlikely. Where only the place of P is asked for,
:func:`tail_bounds` often settle it without a sum, because

* all tables in the two-sided P are at most as likely as the one observed, so that P lies between
  the observed table's probability p and p times the number of tables;
* P is at least the tail on the observed table's own side;
* the probabilities are log-concave, so that a tail is at most ``p / (1 - r)`` with r the ratio of
  the next probability to p.

References
----------
Fisher RA (1935) The logic of inductive inference. J R Stat Soc 98:39-82. Hoeffding W (1963)
Probability inequalities for sums of bounded random variables. JASA 58:13-30.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = ["TailBounds", "fisher_two_sided", "point_probability", "tail_bounds"]

_TIE = 1e-7  # log probabilities within this distance count as equal
_BLOCK = 1 << 13
_NOTHING = 1e-17  # a term this much smaller than its sum ends it
_REFRESH = 4  # steps between looks at which sums have ended


def point_probability(
    a: IntArray, b: IntArray, c: IntArray, d: IntArray, log_factorial: FloatArray
) -> FloatArray:
    """Hypergeometric probability of each table given its margins.

    Parameters
    ----------
    a, b, c, d : int arrays
    log_factorial : array
        ``log(k!)`` for k up to the largest total.
    """
    lf = log_factorial
    m, n = a + b, c + d
    log_p = (lf[m] - lf[a] - lf[b]) + (lf[n] - lf[c] - lf[d])
    log_p += (lf[a + c] - lf[m + n]) + lf[b + d]
    return np.asarray(np.exp(log_p))


@dataclass(frozen=True, eq=False)
class TailBounds:
    """What the one-sided P values of tables lie between, each an array of the tables' shape.

    ``lower`` is the chance of as few events in group 1, ``upper`` that of as many; ``point`` is
    the probability of the table itself.
    """

    point: FloatArray
    lower_least: FloatArray
    lower_most: FloatArray
    upper_least: FloatArray
    upper_most: FloatArray


def tail_bounds(
    a: IntArray, b: IntArray, c: IntArray, d: IntArray, log_factorial: FloatArray
) -> TailBounds:
    """Bounds of both tails from the observed table and its two neighbours."""
    p = point_probability(a, b, c, d, log_factorial)
    lower = _geometric(p, a.astype(np.float64) * d, (b + 1.0) * (c + 1.0))
    upper = _geometric(p, b.astype(np.float64) * c, (a + 1.0) * (d + 1.0))
    return TailBounds(
        point=p,
        lower_least=np.maximum(p, 1.0 + p - upper),
        lower_most=lower,
        upper_least=np.maximum(p, 1.0 + p - lower),
        upper_most=upper,
    )


def _geometric(p: FloatArray, over: FloatArray, under: FloatArray) -> FloatArray:
    """Sum of a geometric series from p with ratio over / under, at most 1."""
    falling = over < under
    share = np.where(falling, 1.0 - over / under, 1.0)
    return np.where(falling, np.minimum(p / share, 1.0), 1.0)


def fisher_two_sided(
    a: IntArray, b: IntArray, c: IntArray, d: IntArray, log_factorial: FloatArray
) -> FloatArray:
    """Two-sided P by probability: the sum over all tables no more likely than the observed one.

    Parameters
    ----------
    a, b, c, d : int arrays of shape (m,)
        Events and non-events of group 1, then of group 2.
    log_factorial : array
        ``log(k!)`` for k up to the largest total.

    Returns
    -------
    array of shape (m,)
        Relative error about 1e-11 with thousands of patients, 1e-8 with a million; P below 1e-300
        is 0.
    """
    result = np.empty(a.shape)
    for start in range(0, a.size, _BLOCK):
        rows = slice(start, start + _BLOCK)
        result[rows] = _block(a[rows], b[rows], c[rows], d[rows], log_factorial)
    return result


def _block(a: IntArray, b: IntArray, c: IntArray, d: IntArray, lf: FloatArray) -> FloatArray:
    m, n, events = a + b, c + d, a + c
    mode = ((m + 1) * (events + 1)) // (m + n + 2)
    # Seen from the other group a table below the mode lies above it.
    below = a < mode
    x, m, n = np.where(below, c, a), np.where(below, n, m), np.where(below, m, n)
    mode = np.where(below, events - mode, mode)
    log_all = lf[m] + lf[n] + lf[events] + lf[b + d] - lf[m + n]
    limit = _weight(x, m, n, events, lf) - _TIE
    y = _opposite(mode, m, n, events, limit, lf)
    there = y >= np.maximum(0, events - n)
    y = np.where(there, y, x)
    p = np.exp(log_all - _weight(x, m, n, events, lf))
    q = np.where(there, np.exp(log_all - _weight(y, m, n, events, lf)), 0.0)
    up = (m - x, events - x), (x + 1, n - events + x + 1)
    down = (y, n - events + y), (m - y + 1, events - y + 1)
    sums = _tails(
        np.concatenate([p, q]),
        [np.concatenate(pair) for pair in zip(up[0], down[0], strict=True)],
        [np.concatenate(pair) for pair in zip(up[1], down[1], strict=True)],
    )
    at_mode = _weight(mode, m, n, events, lf) >= limit
    return np.where(at_mode, 1.0, np.minimum(sums[: x.size] + sums[x.size :], 1.0))


def _weight(k: IntArray, m: IntArray, n: IntArray, events: IntArray, lf: FloatArray) -> FloatArray:
    """Minus the log probability of k events in the group of m, but for a constant."""
    return np.asarray(lf[k] + lf[m - k] + lf[events - k] + lf[n - events + k])


def _opposite(
    mode: IntArray, m: IntArray, n: IntArray, events: IntArray, limit: FloatArray, lf: FloatArray
) -> IntArray:
    """The largest count below the mode that is as unlikely as `limit`; one less than any if none.

    Below the mode the probabilities fall, so that halving the range finds it.
    """
    low: IntArray = np.maximum(0, events - n) - 1
    high = mode
    while (high - low > 1).any():
        middle = np.where(high - low > 1, (low + high + 1) // 2, high)
        unlikely = (_weight(middle, m, n, events, lf) >= limit) & (middle < high)
        low, high = np.where(unlikely, middle, low), np.where(unlikely, high, middle)
    return low


def _tails(p: FloatArray, over: list[IntArray], under: list[IntArray]) -> FloatArray:
    """Sums from p outward, each term the last times falling factors over rising ones."""
    s, t = (factor.astype(np.float64) for factor in over)
    u, v = (factor.astype(np.float64) for factor in under)
    total = p.copy()
    sums, term, rows = p.copy(), p, np.arange(p.size)
    for step in range(1 << 62):
        term = term * ((s - step) * (t - step) / ((u + step) * (v + step)))
        sums += term
        if step % _REFRESH == 1:
            total[rows] = sums
            going = term > _NOTHING * sums
            if not going.any():
                break
            rows, sums, term = rows[going], sums[going], term[going]
            s, t, u, v = s[going], t[going], u[going], v[going]
    return total
