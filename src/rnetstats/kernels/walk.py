"""Walk outward along a profile likelihood, each fit starting at its neighbour.

The penalised likelihood of a nearly separated data set may have several local maxima at one value
of a coefficient; the profile is the highest of them. A limit is therefore fitted once more, from
the estimate, and where that finds a higher maximum the walk goes on from there. The walkers of all
coefficients and sides move in step, so that their fits are one batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.firth import without
from rnetstats.kernels.newton import DIVERGED, FAILED, Evaluate, FloatArray, IntArray, maximise

__all__ = ["FOUND", "LIMIT_TEXT", "NOT_FOUND", "NO_LIMIT", "walk_outward"]

FOUND, NO_LIMIT, NOT_FOUND = 0, 1, 2
LIMIT_TEXT = ("found", "infinite", "not found")

_MAX_ROUNDS = 300
_PATIENCE = 1  # rounds in which every fit failed, after which none is tried again from zero
_FIRST_STEP = 0.25  # in standard errors
_SHORTEST = 1e-3
_JUMP = 1.0  # the nuisance coefficients may gain this much log-likelihood in one step
_FLAT = 1e-9
_FAR = 1e6
_TOLERANCE = 1e-11
_HIGHER = 1e-6  # log-likelihood by which another maximum at a limit is a higher one
_CHECKS = 3


@dataclass
class _Point:
    """A point of the profile: the coefficient, all coefficients, height above the target."""

    at: float
    beta: FloatArray
    height: float
    slope: float
    tangent: FloatArray


class _Walker:
    """One coefficient on one side: first a walk until the target is crossed, then a root."""

    def __init__(self, side: float) -> None:
        self.side = side
        self.length = _FIRST_STEP
        self.inside: _Point | None = None
        self.outside: _Point | None = None
        self.limit = np.nan
        self.status: int | None = None
        self.before = np.inf

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

    def _between(self, inside: _Point, outside: _Point) -> tuple[float, _Point]:
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

    def receive(self, point: _Point, jump: float, failed: bool) -> None:
        """Take the fit at the proposed place."""
        begun = self.inside is not None or self.outside is not None
        walking = self.inside is None or self.outside is None
        if begun and walking and (failed or jump > _JUMP) and self.length > _SHORTEST:
            self.length *= 0.5
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

    def go_on(self, point: _Point) -> None:
        """Walk again, from a point of a higher branch."""
        self.inside, self.outside, self.before = point, None, np.inf
        self.length, self.limit, self.status = _FIRST_STEP, np.nan, None

    def _finish(self, point: _Point) -> None:
        assert self.inside is not None and self.outside is not None
        width = abs(self.outside.at - self.inside.at)
        left = abs(point.height / point.slope) if point.slope * self.side < 0 else np.inf
        small = _TOLERANCE * (1.0 + abs(point.at))
        if left < small or width < small:
            self.limit = point.at - (point.height / point.slope if left < small else 0.0)
            self.status = FOUND


def walk_outward(
    evaluate: Evaluate,
    centre: FloatArray,
    column: IntArray,
    side: FloatArray,
    *,
    target: float,
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

    Returns
    -------
    limit : array of shape (A,)
        Infinite where the likelihood flattens out above the target, NaN where not found.
    status : int array of shape (A,)
        See `LIMIT_TEXT`.
    """
    walkers = [_Walker(s) for s in side]
    everyone = np.arange(len(column))
    start = np.tile(centre, (len(column), 1))
    _walk(evaluate, walkers, everyone, (centre[column], start), column, target)
    for _ in range(_CHECKS):
        again = _on_a_lower_branch(evaluate, walkers, centre, column, target)
        if not len(again):
            break
        _walk(evaluate, walkers, again, _proposed(walkers, again), column, target)
    status = [NOT_FOUND if walker.status is None else walker.status for walker in walkers]
    return np.array([walker.limit for walker in walkers]), np.array(status)


def _walk(
    evaluate: Evaluate,
    walkers: list[_Walker],
    active: IntArray,
    begin: tuple[FloatArray, FloatArray],
    column: IntArray,
    target: float,
) -> None:
    """Let the active walkers go, in step, until each has its limit or none."""
    at, start = begin
    hopeless = 0
    for _ in range(_MAX_ROUNDS):
        found = _fit_round(evaluate, start, at, column[active], target, retry=hopeless < _PATIENCE)
        hopeless += all(failed for _, _, failed in found)
        for which, (point, gain, failed) in zip(active, found, strict=True):
            walkers[which].receive(point, gain, failed)
        active = np.array([i for i in active if walkers[i].status is None], dtype=np.int64)
        if not len(active):
            return
        at, start = _proposed(walkers, active)


def _proposed(walkers: list[_Walker], active: IntArray) -> tuple[FloatArray, FloatArray]:
    """Where the active walkers fit next, and from which coefficients."""
    places, starts = zip(*(walkers[i].propose() for i in active), strict=True)
    return np.array(places), np.array(starts)


def _on_a_lower_branch(
    evaluate: Evaluate,
    walkers: list[_Walker],
    centre: FloatArray,
    column: IntArray,
    target: float,
) -> IntArray:
    """Fit at the limits anew, from the estimate; who finds a higher maximum goes on from there.

    It is a check: where no fit can be made from so far away, the limit stands as it was found.
    """
    found = np.array([i for i, walker in enumerate(walkers) if walker.status == FOUND], np.int64)
    if not len(found):
        return found
    at = np.array([walkers[i].limit for i in found])
    rows = np.arange(len(found))
    information, free = _around(evaluate, centre, column[found])
    if not np.isfinite(information).all():
        return found[:0]
    ahead = _tangents(information, free, column[found])
    start = centre + (at - centre[column[found]])[:, None] * ahead
    value, score, information = evaluate(start, rows)
    known = np.isfinite(value) & np.isfinite(score).all(axis=1)
    known &= np.isfinite(information).all(axis=(1, 2))
    found, at, start = found[known], at[known], start[known]
    if not len(found):
        return found
    try:
        anew = _fit_round(evaluate, start, at, column[found], target, retry=False)
    except np.linalg.LinAlgError:
        return found[:0]
    again = []
    for i, (point, _, failed) in zip(found, anew, strict=True):
        if not failed and point.height > _HIGHER:
            walkers[i].go_on(point)
            again.append(i)
    return np.array(again, dtype=np.int64)


def _fit_round(
    evaluate: Evaluate,
    start: FloatArray,
    at: FloatArray,
    column: IntArray,
    target: float,
    *,
    retry: bool,
) -> list[tuple[_Point, float, bool]]:
    """Fit the nuisance coefficients of every walker at the place it proposed."""
    rows = np.arange(len(column))
    start[rows, column] = at
    free = np.ones(start.shape, dtype=bool)
    free[rows, column] = False
    first = evaluate(start, rows)
    fit = maximise(evaluate, start, free=free, first=first, retry=retry)
    finite = np.isfinite(fit.log_likelihood) & np.isfinite(fit.information).all(axis=(1, 2))
    finite &= np.isfinite(fit.score).all(axis=1)
    information = np.where(finite[:, None, None], fit.information, np.eye(start.shape[1]))
    tangents = _tangents(information, free, column)
    out: list[tuple[_Point, float, bool]] = []
    for i in rows:
        height = float(fit.log_likelihood[i]) - target
        slope = float(fit.score[i, column[i]])
        point = _Point(float(at[i]), fit.coef[i], height, slope, tangents[i])
        failed = bool(fit.status[i] == FAILED) or not finite[i]
        known = not failed and bool(np.isfinite(first[0][i]))
        gain = float(fit.log_likelihood[i] - first[0][i]) if known else 0.0
        out.append((point, gain if fit.status[i] != DIVERGED else 0.0, failed))
    return out


def _around(
    evaluate: Evaluate, centre: FloatArray, column: IntArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Information at the estimate, and what is free where one of its columns is held."""
    _, _, information = evaluate(centre[None], np.zeros(1, dtype=np.int64))
    free = np.arange(len(centre)) != column[:, None]
    return np.repeat(information, len(column), axis=0), free


def _tangents(information: FloatArray, free: NDArray[np.bool_], column: IntArray) -> FloatArray:
    """How all coefficients follow one of them along its profile, whatever the columns' origins."""
    rows = np.arange(len(column))
    inner = without(information, ~free)
    right = np.where(free, -information[rows, column], 0.0)
    pairs = zip(inner, right, strict=True)
    found = np.array([np.linalg.lstsq(a, b, rcond=1e-10)[0] for a, b in pairs])
    found[rows, column] = 1.0
    return found
