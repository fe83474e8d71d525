"""The log-rank permutation test for groups with unequal follow-up.

Shuffling labels takes censoring to be equal in the groups. Here only survival times are exchanged
and each row keeps its follow-up. The survival time of a censored row is drawn from the pooled
Kaplan-Meier curve given that it lies beyond the censoring, the follow-up of a row with an event
from its own group's curve of censoring given that it reaches the event. Survival times are then
permuted within strata, the rows are censored again, and the log-rank chi-square is recomputed.

References
----------
Heinze G, Gnant M, Schemper M. Exact log-rank tests for unequal follow-up. Biometrics
2003;59:1151-7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.kernels.ratio import ratio
from rnetstats.survival.logrank_permutation import MonteCarloP, least_as_large, monte_carlo_p

__all__ = ["unequal_p"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_BLOCK = 2_000_000  # permuted rows held at once


@dataclass(frozen=True)
class _Stratum:
    """One stratum on the grid of its J event times; arrays have shape (n,) but ``survival``.

    A survival index j means an event at the grid's time j, J one beyond it. A follow-up index is
    the number of grid times that the follow-up reaches, so that an event is seen when the survival
    index is below it.
    """

    event: NDArray[np.bool_]
    group: Codes
    grid: Floats
    reached: Codes
    survival: Floats
    follow_up: tuple[tuple[Floats, Codes], ...]
    left: Floats


def unequal_p(
    stop: Floats,
    event: NDArray[np.bool_],
    group: Codes,
    strata: Codes | None,
    *,
    observed: float,
    rho: float,
    gamma: float = 0.0,
    draws: int,
    seed: int,
) -> MonteCarloP:
    """Return the Monte Carlo P value of the log-rank chi-square under permuted survival times.

    Parameters
    ----------
    stop, event, group, strata : array, shape (n,)
        ``group`` holds codes 0 ... k - 1.
    observed : float
        The log-rank chi-square of the data.
    rho, gamma : float
        Event times have the weight ``S(t-)^rho (1 - S(t-))^gamma``.
    draws : int
        Number of permutations B.
    seed : int
    """
    k = int(group.max()) + 1
    codes = np.zeros(len(stop), np.intp) if strata is None else strata
    parts = []
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        if np.any(event[rows]):
            parts.append(_stratum(stop[rows], event[rows], group[rows], k))
    least, exceeding = least_as_large(observed), 0
    size = min(max(1, _BLOCK // len(stop)), CHUNK)
    for part, rng in chunk_generators(seed, draws):
        wanted = part.stop - part.start
        for first in range(0, wanted, size):
            # whole blocks are drawn, so that a shorter run is a prefix of a longer one
            chi2 = _chi_squares(rng, parts, k, (rho, gamma), size)[: wanted - first]
            exceeding += int(np.count_nonzero(chi2 >= least))
    return monte_carlo_p(exceeding, draws)


def _stratum(stop: Floats, event: NDArray[np.bool_], group: Codes, k: int) -> _Stratum:
    grid, failing = np.unique(stop[event], return_counts=True)
    n_risk = len(stop) - np.searchsorted(np.sort(stop), grid, side="left")
    left = np.ones(len(stop))
    follow_up = []
    for code in range(k):
        mine = group == code
        times, curve, before = _censoring_curve(stop[mine], event[mine])
        follow_up.append((curve, np.searchsorted(grid, times, side="right")))
        left[mine] = before
    return _Stratum(
        event=event,
        group=group,
        grid=grid,
        reached=np.searchsorted(grid, stop, side="right"),
        survival=np.cumprod(1.0 - failing / n_risk).astype(np.float64),
        follow_up=tuple(follow_up),
        left=left,
    )


def _censoring_curve(stop: Floats, event: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return a group's curve of censoring, and its value just before each row's own time.

    At a tied time events leave before the censorings are counted.
    """
    times, leaving = np.unique(stop[~event], return_counts=True)
    n_risk = len(stop) - np.searchsorted(np.sort(stop), times, side="left")
    failing = np.array([np.count_nonzero(stop[event] == t) for t in times])
    curve = np.cumprod(1.0 - leaving / (n_risk - failing)) if len(times) else np.empty(0)
    before = np.append(1.0, curve)[np.searchsorted(times, stop, side="left")]
    return times, curve, before


def _steps_at_least(curve: Floats, level: Floats) -> Codes:
    """Return how many of a falling curve's values are at or above each level."""
    return np.asarray(len(curve) - np.searchsorted(curve[::-1], level, side="left"))


def _chi_squares(
    rng: np.random.Generator, parts: list[_Stratum], k: int, powers: tuple[float, float], draws: int
) -> Floats:
    difference = np.zeros((draws, k))
    variance = np.zeros((draws, k, k))
    for part in parts:
        survival, follow_up = _imputed(rng, part, draws)
        shuffled = rng.permuted(survival, axis=1)
        events, at_risk = _counts(shuffled, follow_up, part.group, k, len(part.grid))
        _add_tables(events, at_risk, powers, difference, variance)
    rest = difference[:, 1:]
    if k == 2:
        return ratio(rest[:, 0] ** 2, variance[:, 1, 1])
    inverse = np.linalg.pinv(variance[:, 1:, 1:], rcond=1e-10, hermitian=True)
    return np.asarray(np.einsum("bi,bij,bj->b", rest, inverse, rest))


def _imputed(rng: np.random.Generator, part: _Stratum, draws: int) -> tuple[Codes, Codes]:
    """Draw survival and follow-up indices (draws, n) where they were not observed."""
    shape = (draws, len(part.event))
    beyond = np.append(1.0, part.survival)[part.reached]
    level = rng.random(shape) * beyond
    drawn = _steps_at_least(part.survival, level)
    survival = np.where(part.event, part.reached - 1, np.maximum(drawn, part.reached))
    follow_up = np.broadcast_to(part.reached, shape).copy()
    level = rng.random(shape) * part.left
    for code, (curve, reach) in enumerate(part.follow_up):
        rows = np.flatnonzero(part.event & (part.group == code))
        if rows.size:
            steps = _steps_at_least(curve, level[:, rows])
            # past the group's last censoring the follow-up has no end
            found = np.append(reach, len(part.grid))[steps]
            follow_up[:, rows] = np.maximum(found, part.reached[rows])
    return survival, follow_up


def _counts(
    survival: Codes, follow_up: Codes, group: Codes, k: int, times: int
) -> tuple[Floats, Floats]:
    """Return events and numbers at risk, each of shape (draws, k, J)."""
    draws = len(survival)
    base = (np.arange(draws)[:, None] * k + group) * (times + 1)
    seen = survival < follow_up
    cells = draws * k * (times + 1)
    shape = (draws, k, times + 1)
    events = np.bincount((base + survival)[seen], minlength=cells).reshape(shape)[..., :times]
    last = np.minimum(survival, follow_up - 1) + 1  # grid times at which the row is at risk
    ends = np.bincount((base + last).ravel(), minlength=cells).reshape(shape)
    at_risk = np.cumsum(ends[..., ::-1], axis=-1)[..., ::-1][..., 1:]
    return events.astype(np.float64), at_risk.astype(np.float64)


def _add_tables(
    events: Floats,
    at_risk: Floats,
    powers: tuple[float, float],
    difference: Floats,
    variance: Floats,
) -> None:
    """Add one stratum's observed less expected events and their variance, in place."""
    n, d = at_risk.sum(axis=1), events.sum(axis=1)
    size = np.maximum(n, 1.0)
    weight = np.ones_like(n)
    if any(powers):
        survival = np.ones_like(n)
        survival[:, 1:] = np.cumprod(1.0 - d / size, axis=1)[:, :-1]
        # past a curve that has reached 0 nobody is at risk, and a weight has no effect
        weight = np.where(survival > 0.0, survival, 1.0) ** powers[0]
        weight *= (1.0 - survival) ** powers[1]
    share = at_risk / size[:, None]
    difference += np.einsum("bj,bkj->bk", weight, events - share * d[:, None])
    spread = weight**2 * d * (n - d) / np.maximum(n - 1.0, 1.0)
    # of the diagonal not as a difference of sums: weights, and the variance, may be very small
    minus = np.einsum("bj,bkj,blj->bkl", spread, share, share)
    index = np.arange(share.shape[1])
    minus[:, index, index] = -np.einsum("bj,bkj->bk", spread, share * (1.0 - share))
    variance -= minus
