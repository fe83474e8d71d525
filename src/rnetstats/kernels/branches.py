"""Whether a limit lies on the highest branch of its profile: fits there from elsewhere.

At one value of a coefficient a penalised likelihood may have several maxima. Who walks outward
stays on one branch and would not see another rise above it. At each limit the others are therefore
fitted anew: from the estimate along the profile's tangent, and likewise from the limits of the
other coefficients, each of which may lie on another branch, and from beyond them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnetstats.kernels.newton import BoolArray, Evaluate, FloatArray, IntArray
from rnetstats.kernels.profile_points import (
    ProfilePoint,
    fit_points,
    known_starts,
    tangent,
)

__all__ = ["Reached", "ahead_of", "higher_points"]

_HIGHER = 1e-6  # log-likelihood by which another maximum at a limit is a higher one
_AS_FAR = (1.0, 3.0)  # as the other limits are from the estimate: where to start
_MOST = 400  # fits of one check
_STEPS = 25  # of each


class Reached(NamedTuple):
    """Limits found: whose they are, of which coefficients, where, and all coefficients there.

    ``new`` are those that no check has looked at.
    """

    which: IntArray
    column: IntArray
    at: FloatArray
    points: FloatArray
    new: BoolArray


def ahead_of(evaluate: Evaluate, centre: FloatArray, column: IntArray) -> FloatArray | None:
    """How all coefficients follow each of some, at the estimate.

    Parameters
    ----------
    evaluate : Evaluate
    centre : array of shape (p,)
    column : int array of shape (A,)

    Returns
    -------
    array of shape (A, p) or None
        None where the information there is unknown.
    """
    information = evaluate(centre[None], np.zeros(1, dtype=np.int64))[2]
    if not np.isfinite(information).all():
        return None
    return np.array([tangent(information[0], j) for j in column])


def higher_points(
    evaluate: Evaluate,
    centre: FloatArray,
    ahead: FloatArray,
    reached: Reached,
    target: float,
    *,
    alone: bool,
) -> dict[int, ProfilePoint]:
    """Fit at the limits anew; the points that are higher, by whose limit it was.

    It is a check: where no fit can be made from so far away, the limit stands as it was found.

    Parameters
    ----------
    evaluate : Evaluate
        Of coefficients measured in standard errors.
    centre : array of shape (p,)
        The estimate.
    ahead : array of shape (A, p)
        From :func:`ahead_of` the coefficient of each limit sought.
    reached : Reached
        m limits.
    target : float
        Log-likelihood at the limits.
    alone : bool
        Whether to start from the estimate alone.

    Returns
    -------
    dict of int to ProfilePoint
    """
    if not len(reached.which):
        return {}
    starts, owner = _starts(centre, reached, ahead[reached.which], alone=alone)
    known, first = known_starts(evaluate, starts)
    starts, owner = starts[known], owner[known]
    if not len(owner):
        return {}
    try:
        found = fit_points(
            evaluate, starts, reached.column[owner], target, first=first, max_iter=_STEPS
        )
    except np.linalg.LinAlgError:
        return {}
    higher: dict[int, ProfilePoint] = {}
    for i, (point, _, failed) in zip(reached.which[owner].tolist(), found, strict=True):
        best = higher[i].height if i in higher else _HIGHER
        if not failed and point.height > best:
            higher[i] = point
    return higher


def _starts(
    centre: FloatArray, reached: Reached, ahead: FloatArray, *, alone: bool
) -> tuple[FloatArray, IntArray]:
    """Where to start at each limit (s, p), and at which limit (s,) that is."""
    points = centre[None]
    if not alone:
        away = reached.points - centre
        points = np.concatenate([centre + far * away for far in _AS_FAR])
    m = len(reached.which)
    spread = np.arange(0, len(points), 1 + m * len(points) // _MOST)
    owner, source = (part.ravel() for part in np.meshgrid(np.arange(m), spread, indexing="ij"))
    other = (source % m != owner) & (reached.new[owner] | reached.new[source % m]) | alone
    owner, source = owner[other], source[other]
    column, at, begin = reached.column[owner], reached.at[owner], points[source]
    rows = np.arange(len(owner))
    starts = begin + (at - begin[rows, column])[:, None] * ahead[owner]
    starts[rows, column] = at
    return starts, owner
