"""Bernoulli trials given their sum: exactly k successes, each set with its right probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from rnetstats.errors import OptionError

__all__ = ["conditional_bernoulli", "partial_sums"]

_BLOCK = 16


def partial_sums(probability: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return P(sum of the first m trials = j) as an (n + 1, k + 1) table.

    These are the elementary symmetric functions of the odds, up to the product of 1 - p. Rows are
    filled a block of trials at a time: the block's own sums are convolved with the row before it.
    """
    n = probability.size
    blocks = np.zeros((-(-n // _BLOCK), _BLOCK))
    blocks.flat[:n] = probability
    own = np.zeros((len(blocks), _BLOCK + 1, _BLOCK + 1))
    own[:, 0, 0] = 1.0
    for t in range(_BLOCK):
        success = blocks[:, t, None]
        own[:, t + 1] = own[:, t] * (1.0 - success)
        own[:, t + 1, 1:] += own[:, t, :-1] * success
    table = np.zeros((blocks.size + 1, k + 1))
    table[0, 0] = 1.0
    padded = np.zeros(k + 1 + _BLOCK)
    shifted = np.lib.stride_tricks.sliding_window_view(padded, _BLOCK + 1)[:, ::-1].T
    for b, sums in enumerate(own):
        first = b * _BLOCK
        padded[_BLOCK:] = table[first]
        table[first + 1 : first + _BLOCK + 1] = sums[1:] @ shifted
    return table[: n + 1]


def _tilt(probability: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Multiply all odds by one factor so that the expected sum is ``k`` (safeguarded Newton)."""
    theta = logit(probability)
    low, high = -theta.max() - 50.0, -theta.min() + 50.0
    shift = float(np.clip(logit(k / probability.size) - np.mean(theta), low, high))
    for _ in range(100):
        p = expit(theta + shift)
        excess = float(p.sum()) - k
        if abs(excess) < 1e-9 * k:
            break
        low, high = (low, shift) if excess > 0 else (shift, high)
        step = shift - excess / max(float((p * (1.0 - p)).sum()), 1e-300)
        shift = step if low < step < high else 0.5 * (low + high)
    return np.asarray(expit(theta + shift))


def conditional_bernoulli(
    probability: NDArray[np.float64], k: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw independent trials given that exactly ``k`` of them succeed.

    A set S of size k has probability proportional to the product of p/(1 - p) over S. One factor
    common to all odds cancels in that law, so the odds are first scaled until the expected sum is
    k: the table then holds ordinary probabilities and nothing underflows. The trials are decided
    from the last to the first, each given what remains to be allotted; no draw is ever rejected.

    Parameters
    ----------
    probability : (n,) array
        Between 0 and 1; trials at 0 never succeed, trials at 1 always do.
    k : int
        The sum.
    rng : numpy Generator
        Gives n uniforms.

    Returns
    -------
    (n,) bool array

    Raises
    ------
    OptionError
        If no outcome has the sum ``k``.

    References
    ----------
    Chen XH, Dempster AP, Liu JS (1994). Weighted finite population sampling to maximize entropy.
    Biometrika 81, 457-469.
    """
    p = np.asarray(probability, dtype=float)
    uniforms = rng.random(p.size)
    chosen = p >= 1.0
    open_trials = np.flatnonzero((p > 0.0) & (p < 1.0))
    rest = k - int(chosen.sum())
    if not 0 <= rest <= open_trials.size:
        raise OptionError(f"No outcome of these {p.size} trials has exactly {k} successes.")
    if rest in (0, open_trials.size):
        chosen[open_trials] = rest > 0
        return chosen
    q = _tilt(p[open_trials], rest)
    table = partial_sums(q, rest)
    for m in range(open_trials.size - 1, -1, -1):
        if rest == 0:
            break
        success = q[m] * table[m, rest - 1] / table[m + 1, rest]
        if uniforms[open_trials[m]] < success:
            chosen[open_trials[m]] = True
            rest -= 1
    return chosen
