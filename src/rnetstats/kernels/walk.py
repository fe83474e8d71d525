"""Walk outward along a profile likelihood, each fit starting at its neighbour.

The penalised likelihood of a nearly separated data set may have several local maxima at one value
of a coefficient; the profile is the highest of them. Each limit is therefore fitted once more from
elsewhere (:mod:`rnetstats.kernels.branches`), and where that finds a higher maximum the walk goes
on from there. The walkers of all coefficients and sides move in step, so that their fits are one
batch.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.branches import Around, Reached, higher_points
from rnetstats.kernels.newton import Evaluate, FloatArray, IntArray
from rnetstats.kernels.profile_points import Fitted, ProfilePoint, fit_points

__all__ = ["FOUND", "NOT_FOUND", "NO_LIMIT", "walk_outward"]

FOUND, NO_LIMIT, NOT_FOUND = 0, 1, 2

_MAX_ROUNDS = 300
_PATIENCE = 1  # rounds in which every fit failed, after which none is tried again from zero
_FIRST_STEP = 0.25  # in standard errors
_SHORTEST = 1e-3
_JUMP = 1.0  # the nuisance coefficients may gain this much log-likelihood in one step
_FLAT = 1e-9
_FAR = 1e6
_TOLERANCE = 1e-11
_CHECKS = 6
_MISSES = 5  # of a walker: fits that fail between a point inside and one outside


class _Walker:
    """One coefficient on one side: first a walk until the target is crossed, then a root."""

    def __init__(self, side: float) -> None:
        self.side = side
        self.length = _FIRST_STEP
        self.inside: ProfilePoint | None = None
        self.outside: ProfilePoint | None = None
        self.limit = np.nan
        self.beta: FloatArray | None = None  # all coefficients, at the limit
        self.status: int | None = None
        self.before = np.inf
        self.misses = 0

    def begin_at(self, limit: float, beta: FloatArray) -> None:
        """Take a limit that was found in another way, if it is one."""
        if np.isfinite(limit):
            self.limit, self.beta, self.status = limit, beta, FOUND

    def propose(self) -> tuple[float, FloatArray]:
        """Where to fit next, and from which coefficients."""
        inside, outside = self.inside, self.outside
        if inside is None:  # the start lies beyond the limit: the way is back
            assert outside is not None
            at, near = outside.at - self.side * self.length, outside
        elif outside is None:
            at, near = inside.at + self.side * self.length, inside
        else:
            at, near = self._between(inside, outside)
        return at, near.beta + (at - near.at) * near.tangent

    def _between(self, inside: ProfilePoint, outside: ProfilePoint) -> tuple[float, ProfilePoint]:
        """Newton's step from the nearer point where it stays inside, else the middle."""
        near = inside if abs(inside.height) < abs(outside.height) else outside
        width = abs(outside.at - inside.at)
        if near.slope * self.side < 0:
            at = near.at - near.height / near.slope
            within = min(inside.at, outside.at) < at < max(inside.at, outside.at)
            if within and abs(at - near.at) < 0.5 * self.before:
                self.before = abs(at - near.at)
                return at, near
        self.before = width
        return 0.5 * (inside.at + outside.at), near

    def receive(self, found: Fitted) -> None:
        """Take the fit at the proposed place."""
        point, jump, failed = found
        begun = self.inside is not None or self.outside is not None
        walking = self.inside is None or self.outside is None
        if begun and walking and (failed or jump > _JUMP) and self.length > _SHORTEST:
            self.length *= 0.5
            return
        if failed and not walking and self.misses < _MISSES:
            self._step_back(point.at)
            return
        if failed:
            self.status = NOT_FOUND
            return
        flat = self.inside is not None and abs(point.slope) < _FLAT
        if point.height >= 0:
            self.inside = point
        else:
            self.outside = point
        if self.inside is not None and self.outside is not None:
            self._finish(point)
        else:
            self.length *= 1.5
            if flat or abs(point.at) > _FAR:
                self.limit, self.status = self.side * np.inf, NO_LIMIT

    def _step_back(self, at: float) -> None:
        """Walk again, in shorter steps, from inside of a place where the fit failed.

        The point outside may be no better: of a likelihood that is flat to rounding far out, a fit
        may have ended anywhere.
        """
        assert self.inside is not None
        self.length = max(0.5 * abs(at - self.inside.at), 2 * _SHORTEST)
        self.outside, self.before = None, np.inf
        self.misses += 1

    def go_on(self, point: ProfilePoint) -> None:
        """Walk again, from a point of a higher branch."""
        self.inside, self.outside, self.before = point, None, np.inf
        self.length, self.limit, self.status = _FIRST_STEP, np.nan, None

    def _finish(self, point: ProfilePoint) -> None:
        assert self.inside is not None and self.outside is not None
        width = abs(self.outside.at - self.inside.at)
        left = abs(point.height / point.slope) if point.slope * self.side < 0 else np.inf
        small = _TOLERANCE * (1.0 + abs(point.at))
        if left < small or width < small:
            step = -point.height / point.slope if left < small else 0.0
            self.limit, self.beta = point.at + step, point.beta + step * point.tangent
            self.status = FOUND


def walk_outward(
    evaluate: Evaluate,
    centre: FloatArray,
    column: IntArray,
    side: FloatArray,
    *,
    target: float,
    search: Evaluate | None = None,
    found: tuple[FloatArray, FloatArray] | None = None,
) -> tuple[FloatArray, IntArray]:
    """Find where the profile log-likelihoods of A coefficients cross `target`.

    Parameters
    ----------
    evaluate : Evaluate
        Of coefficients measured in standard errors.
    centre : array of shape (p,)
        Where to start.
    column : int array of shape (A,)
    side : array of shape (A,)
        -1 for a lower, 1 for an upper limit.
    target : float
    search : Evaluate, optional
        To look for other maxima with; None where there are none, as in a concave likelihood.
    found : tuple of arrays of shapes (A,) and (A, p), optional
        Limits known already, with all coefficients there; NaN where there is none. Without a walk
        they are looked at for higher maxima.

    Returns
    -------
    limit : array of shape (A,)
        Infinite where the likelihood flattens out above the target, NaN where not found.
    status : int array of shape (A,)
        `FOUND`, `NO_LIMIT` where it is infinite, or `NOT_FOUND`.
    """
    walkers, everyone = [_Walker(s) for s in side], np.arange(len(column))
    for walker, limit, beta in () if found is None else zip(walkers, *found, strict=True):
        walker.begin_at(float(limit), beta)
    left = np.array([i for i in everyone if walkers[i].status is None], dtype=np.int64)
    if len(left):
        start = np.tile(centre, (len(left), 1))
        _walk(evaluate, walkers, left, start, column, target)
    if search is not None:
        _look_higher(evaluate, search, walkers, centre, column, target)
    status = [NOT_FOUND if walker.status is None else walker.status for walker in walkers]
    return np.array([walker.limit for walker in walkers]), np.array(status)


def _look_higher(
    evaluate: Evaluate,
    search: Evaluate,
    walkers: list[_Walker],
    centre: FloatArray,
    column: IntArray,
    target: float,
) -> None:
    """Fit at the limits from elsewhere; who finds a higher maximum goes on from there."""
    around = Around.of(search, centre, column)
    if around is None:
        return
    fresh = set(range(len(walkers)))
    for check in range(_CHECKS):
        reached = _reached(walkers, column, fresh)
        higher = higher_points(search, around, reached, target, others=check > 0)
        if higher:
            for which, point in higher.items():
                walkers[which].go_on(point)
            again = np.array(sorted(higher), dtype=np.int64)
            _walk(evaluate, walkers, again, _proposed(walkers, again, column), column, target)
        elif check:
            break
        fresh = set(higher) if check else fresh


def _walk(
    evaluate: Evaluate,
    walkers: list[_Walker],
    active: IntArray,
    start: FloatArray,
    column: IntArray,
    target: float,
) -> None:
    """Let the active walkers go, in step, until each has its limit or none."""
    hopeless = 0
    for _ in range(_MAX_ROUNDS):
        retry = hopeless < _PATIENCE
        found = fit_points(evaluate, start, column[active], target, retry=retry)
        hopeless += all(one.failed for one in found)
        for which, one in zip(active, found, strict=True):
            walkers[which].receive(one)
        active = np.array([i for i in active if walkers[i].status is None], dtype=np.int64)
        if not len(active):
            return
        start = _proposed(walkers, active, column)


def _proposed(walkers: list[_Walker], active: IntArray, column: IntArray) -> FloatArray:
    """Where the active walkers fit next: the coefficients held, and starts of the others."""
    places, starts = zip(*(walkers[i].propose() for i in active), strict=True)
    start = np.array(starts)
    start[np.arange(len(active)), column[active]] = places
    return start


def _reached(walkers: list[_Walker], column: IntArray, fresh: set[int]) -> Reached:
    """Collect the limits that were found; some of them since the last check."""
    which = np.array([i for i, walker in enumerate(walkers) if walker.status == FOUND], np.int64)
    points = [walkers[i].beta for i in which]
    at = np.array([walkers[i].limit for i in which])
    new = np.array([int(i) in fresh for i in which], dtype=bool)
    return Reached(which, column[which], at, np.array(points), new)
