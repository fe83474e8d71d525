"""What a schedule of visits can find: the cells of detection times and their probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.random import CHUNK, chunk_generators

__all__ = ["Cells", "arm_cells", "draw_counts", "joined"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Every outcome that a patient can have; arrays have shape (m,).

    Attributes
    ----------
    arm : int array
    left, right : arrays
        The interval that the visits give; ``right`` infinite without detection.
    stop : array
        The time of detection, or the end of follow-up.
    event : bool array
    probability : array
        Within the arm.
    delay : float
        Mean time from the event to its detection among those detected; (arms,) once joined.
    """

    arm: NDArray[np.intp]
    left: Floats
    right: Floats
    stop: Floats
    event: NDArray[np.bool_]
    probability: Floats
    delay: Floats


def arm_cells(
    visits: Floats,
    follow_up: Floats,
    share: Floats,
    *,
    hazard: float,
    shape: float,
    sensitivity: float,
    arm: int,
) -> Cells:
    """Return one arm's cells: detection at a visit, or the end of follow-up without it.

    Parameters
    ----------
    visits : array of shape (K,)
        Times after 0, increasing.
    follow_up, share : arrays of shape (F,)
        Ends of follow-up, and the share of patients with each.
    hazard, shape : float
        Survival to time t is exp(-(hazard t)^shape).
    sensitivity : float
        Probability that a visit finds what is there, independently of other visits.
    arm : int
    """
    parts = [
        _cells_until(end, visits[visits <= end], hazard, shape, sensitivity) for end in follow_up
    ]
    left, right, stop, probability, delay = (
        np.concatenate([part[k] for part in parts]) for k in range(5)
    )
    probability = probability * np.repeat(share, [len(part[0]) for part in parts])
    event = np.isfinite(right)
    found = probability[event].sum()
    mean = (probability * delay)[event].sum() / found if found > 0.0 else np.nan
    return Cells(
        arm=np.full(len(left), arm, dtype=np.intp),
        left=left,
        right=right,
        stop=stop,
        event=event,
        probability=probability,
        delay=np.array([mean]),
    )


def _cells_until(
    end: float, visits: Floats, hazard: float, shape: float, sensitivity: float
) -> tuple[Floats, ...]:
    """Return left, right, stop, probability and mean delay of the cells for one follow-up."""
    grid = np.append(0.0, visits)
    n_visits = len(visits)
    survival = np.exp(-((hazard * grid) ** shape))
    happened = survival[:-1] - survival[1:]
    # row j, column k: the event in the j-th span, found at the k-th visit
    later = np.arange(n_visits)[None, :] - np.arange(n_visits)[:, None]
    found = np.where(later >= 0, sensitivity * (1.0 - sensitivity) ** np.maximum(later, 0), 0.0)
    joint = happened[:, None] * found
    probability = joint.sum(axis=0)
    middle = _mean_times(grid, hazard, shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        delay = (joint * (visits[None, :] - middle[:, None])).sum(axis=0) / probability
    last = grid[-1]
    return (
        np.append(grid[:-1], last),
        np.append(visits, np.inf),
        np.append(visits, end),
        np.append(probability, max(1.0 - float(probability.sum()), 0.0)),
        np.append(np.where(probability > 0.0, delay, 0.0), 0.0),
    )


def _mean_times(grid: Floats, hazard: float, shape: float) -> Floats:
    """Return the mean event time within each span of the grid, by Gauss-Legendre quadrature.

    The mean of T given a < T <= b is (a S(a) - b S(b) + the integral of S) / (S(a) - S(b)).
    """
    nodes, weights = np.polynomial.legendre.leggauss(32)
    low, high = grid[:-1], grid[1:]
    half = 0.5 * (high - low)[:, None]
    points = 0.5 * (low + high)[:, None] + half * nodes
    area = (half * weights * np.exp(-((hazard * points) ** shape))).sum(axis=1)
    survival = np.exp(-((hazard * grid) ** shape))
    mass = survival[:-1] - survival[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (low * survival[:-1] - high * survival[1:] + area) / mass
    return np.where(mass > 0.0, mean, 0.5 * (low + high))


def joined(parts: list[Cells]) -> Cells:
    """Put the arms' cells together."""
    names = ("arm", "left", "right", "stop", "event", "probability", "delay")
    return Cells(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def draw_counts(cells: Cells, sizes: list[int], replicates: int, seed: int) -> Floats:
    """Draw how many patients of each replicate fall into each cell, (replicates, m)."""
    counts = np.empty((replicates, len(cells.arm)))
    for where, rng in chunk_generators(seed, replicates):
        for arm, size in enumerate(sizes):
            mine = cells.arm == arm
            share = cells.probability[mine] / cells.probability[mine].sum()
            drawn = rng.multinomial(size, share, size=CHUNK)
            counts[where, mine] = drawn[: where.stop - where.start]
    return counts
