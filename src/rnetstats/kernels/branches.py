"""Whether a limit lies on the highest branch of its profile: fits there from elsewhere.

At one value of a coefficient a penalised likelihood may have several maxima. Who walks outward
stays on one branch and would not see another rise above it. At each limit the others are therefore
fitted anew: from the estimate and from points far from it in all directions along the profile's
tangent, and likewise from the limits of the other coefficients, each of which may lie on another
branch, and from beyond them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnetstats.kernels.far_points import affordable, in_all_directions
from rnetstats.kernels.firth import inverse_information
from rnetstats.kernels.newton import BoolArray, Evaluate, FloatArray, IntArray, Known
from rnetstats.kernels.profile_points import (
    ProfilePoint,
    fit_points,
    known_starts,
    tangent,
)

__all__ = ["Around", "Reached", "higher_points"]

_HIGHER = 1e-6  # log-likelihood by which another maximum at a limit is a higher one
_AS_FAR = (1.0, 3.0)  # as the other limits are from the estimate: where to start
_MOST = 400  # fits of one check
_STEPS = 25  # of each
_DIRECTIONS = 2  # for each coefficient


class Reached(NamedTuple):
    """Limits found: whose they are, of which coefficients, where, and all coefficients there.

    ``new`` are those that no check has looked at.
    """

    which: IntArray
    column: IntArray
    at: FloatArray
    points: FloatArray
    new: BoolArray


class Around(NamedTuple):
    """What lies about the estimate.

    Attributes
    ----------
    points : array of shape (s, p)
        The estimate, and points far from it.
    ahead : array of shape (A, p)
        How all coefficients follow each of some, at the estimate.
    """

    points: FloatArray
    ahead: FloatArray

    @classmethod
    def of(cls, evaluate: Evaluate, centre: FloatArray, column: IntArray) -> Around | None:
        """Look about an estimate (p,) for the coefficients `column` (A,).

        None where the information there is unknown.
        """
        information = evaluate(centre[None], np.zeros(1, dtype=np.int64))[2]
        if not np.isfinite(information).all():
            return None
        ahead = np.array([tangent(information[0], j) for j in column])
        points, covariance = centre[None], inverse_information(information)[0]
        if (covariance.diagonal() > 0).all():
            far = in_all_directions(centre, covariance, _DIRECTIONS * len(centre))
            points = np.concatenate([points, far])
        return cls(points, ahead)


def higher_points(
    evaluate: Evaluate,
    around: Around,
    reached: Reached,
    target: float,
    *,
    others: bool,
) -> dict[int, ProfilePoint]:
    """Fit at the limits anew; the points that are higher, by whose limit it was.

    It is a check: where no fit can be made from so far away, the limit stands as it was found.

    Parameters
    ----------
    evaluate : Evaluate
        Of coefficients measured in standard errors.
    around : Around
        The estimate, for the coefficient of each limit sought.
    reached : Reached
        m limits.
    target : float
        Log-likelihood at the limits.
    others : bool
        Whether to start from the other limits, not from around the estimate.

    Returns
    -------
    dict of int to ProfilePoint
    """
    if not len(reached.which):
        return {}
    starts, owner = _starts(around, reached, others=others)
    if not len(owner):
        return {}
    usable, first = known_starts(evaluate, starts)
    starts, owner = starts[usable], owner[usable]
    if not len(owner):
        return {}
    information = evaluate(reached.points, np.arange(len(reached.points)))[2]
    known = Known(reached.points, information, owner)
    try:
        found = fit_points(
            evaluate,
            starts,
            reached.column[owner],
            target,
            first=first,
            max_iter=_STEPS,
            known=known,
        )
    except np.linalg.LinAlgError:
        return {}
    higher: dict[int, ProfilePoint] = {}
    for i, (point, _, failed) in zip(reached.which[owner].tolist(), found, strict=True):
        best = higher[i].height if i in higher else _HIGHER
        if not failed and point.height > best:
            higher[i] = point
    return higher


def _starts(around: Around, reached: Reached, *, others: bool) -> tuple[FloatArray, IntArray]:
    """Where to start at each limit (s, p), and at which limit (s,) that is."""
    points, m = around.points, len(reached.which)
    if others:
        away = reached.points - points[0]
        points = np.concatenate([points[0] + far * away for far in _AS_FAR])
    most = min(_MOST, affordable(points.shape[1]))
    spread = np.arange(0, len(points), 1 + m * len(points) // most)
    owner, source = (part.ravel() for part in np.meshgrid(np.arange(m), spread, indexing="ij"))
    if others:
        new = reached.new[owner] | reached.new[source % m]
        wanted = (source % m != owner) & new
        owner, source = owner[wanted], source[wanted]
    column, at, begin = reached.column[owner], reached.at[owner], points[source]
    rows = np.arange(len(owner))
    starts = begin + (at - begin[rows, column])[:, None] * around.ahead[reached.which][owner]
    starts[rows, column] = at
    return starts, owner
