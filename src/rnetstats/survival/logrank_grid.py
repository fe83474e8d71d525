"""Bounds for a tail of the log-rank permutation distribution, by sums rounded to a grid.

The gain of every event stage is rounded to a multiple of the grid's step, so that a rounded sum
is off by at most half a step a stage: the tail of the rounded law at the target, moved in or out
by this much, bounds the exact tail.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnetstats.survival.logrank_network import Network, Stage, chances, log_factorials

__all__ = ["grid_bounds", "grid_error", "grid_work"]

Floats = NDArray[np.float64]

_RARE = 1e-17  # numbers at risk rarer than this are left out, and counted as lost
_LEAST = 64.0  # steps a unit, at least
_SLOW = 8.0  # an addition of rows takes as long as so many products within a matrix product
_CELLS = 2e7  # cells of the table of members at risk and sums


class _Layer(NamedTuple):
    """A stage, the members at risk before and after it, and its chances by (before, drawn)."""

    stage: Stage
    before: NDArray[np.intp]
    after: NDArray[np.intp]
    chance: Floats

    def gains(self, per_unit: float) -> NDArray[np.intp]:
        """Return the rounded gain for each (before, drawn), in steps."""
        drawn = np.arange(self.stage.drawn + 1)
        expected = self.stage.drawn * self.before[:, None] / self.stage.pool
        return np.rint(self.stage.weight * (drawn - expected) * per_unit).astype(np.intp)


def grid_work(parts: list[Network]) -> float:
    """Return about how many multiplications the coarsest grid takes."""
    cost = span = 0.0
    for part in parts:
        share = part.members / part.size
        for stage in part.stages:
            # the members left spread over at most 18 standard deviations
            spread = stage.pool * share * (1.0 - share) * (1.0 - stage.pool / (part.size + 1))
            width = min(18.0 * spread**0.5 + 1.0, part.members + 1.0)
            cost += width * (_SLOW * (stage.drawn + 1) if stage.weight > 0.0 else width)
            span += stage.weight * stage.drawn
    return cost * span * _LEAST


def grid_error(parts: list[Network], work: float) -> tuple[float, float]:
    """Return how far a sum may be rounded on the finest grid that ``work`` allows, and its work.

    The work is less than allowed where the cells of the table are what bounds the grid.
    """
    layers = [layer for part in parts for layer in _layers(part)]
    per_unit, spent = _fineness(layers, work)
    return 0.5 * sum(layer.stage.weight > 0.0 for layer in layers) / per_unit, spent


def _fineness(layers: list[_Layer], work: float) -> tuple[float, float]:
    """Return the steps a unit that ``work`` allows, and what they cost."""
    events = [layer for layer in layers if layer.stage.weight > 0.0]
    span = sum(float(np.ptp(layer.gains(1e6))) for layer in events) / 1e6
    cost = sum(_cost(layer) for layer in layers)
    widest = max(len(layer.before) for layer in layers)
    per_unit = max(min(work / cost, _CELLS / widest) / span, _LEAST)
    return per_unit, per_unit * span * cost


def grid_bounds(parts: list[Network], target: float, work: float) -> tuple[float, float]:
    """Return bounds for P(|U| >= target) by the finest grid that about ``work`` products allow.

    Parameters
    ----------
    parts : list of Network
        One a stratum.
    target : float
        Positive.
    work : float
        Multiplications and additions to be spent.

    Returns
    -------
    low, high : float
    """
    chains = [_layers(part) for part in parts]
    layers = [layer for chain in chains for layer in chain]
    events = [layer for layer in layers if layer.stage.weight > 0.0]
    per_unit, _ = _fineness(layers, work)
    lowest, law = 0, np.ones(1)
    for chain in chains:
        least, law = _walk(chain, law, per_unit)
        lowest += least
    size = np.abs(np.arange(lowest, lowest + len(law))) / per_unit
    error = 0.5 * len(events) / per_unit
    lost = max(1.0 - float(law.sum()), 0.0)
    high = float(law[size >= target - error].sum()) + lost
    return float(law[size >= target + error].sum()), min(high, 1.0)


def _layers(part: Network) -> list[_Layer]:
    log_f = log_factorials(part.size)
    layers = []
    before = np.array([part.members])
    for stage in part.stages:
        after = _likely(part, stage.pool - stage.drawn, log_f)
        layers.append(_Layer(stage, before, after, chances(stage, before, log_f)))
        before = after
    return layers


def _likely(part: Network, pool: int, log_f: Floats) -> NDArray[np.intp]:
    """Return the members that may be left among ``pool`` rows, without the rarest."""
    left = Stage(part.size, pool, 0.0)
    chance = chances(left, np.array([part.members]), log_f)[0]
    found = np.flatnonzero(chance > _RARE)
    return np.arange(found[0], found[-1] + 1)


def _cost(layer: _Layer) -> float:
    if layer.stage.weight > 0.0:
        return float(_SLOW * layer.chance.size)
    return float(len(layer.before) * len(layer.after))


def _walk(chain: list[_Layer], law: Floats, per_unit: float) -> tuple[int, Floats]:
    """Carry a law of sums through one stratum; return by how much its least sum has moved, and it.

    Rows of the table are the members at risk, columns the sums from the least one on that can have
    been reached by now.
    """
    lowest, table = 0, law[None, :]
    for layer in chain:
        if layer.stage.weight > 0.0:
            least, table = _event(layer, table, per_unit)
            lowest += least
        else:
            table = _move(layer) @ table
    return lowest, np.asarray(table.sum(axis=0))


def _move(layer: _Layer) -> Floats:
    """Return the matrix of chances (after, before) of a stage without events."""
    drawn = layer.before[None, :] - layer.after[:, None]
    inside = (drawn >= 0) & (drawn <= layer.stage.drawn)
    columns = np.arange(len(layer.before))[None, :]
    return np.where(inside, layer.chance[columns, np.where(inside, drawn, 0)], 0.0)


def _event(layer: _Layer, table: Floats, per_unit: float) -> tuple[int, Floats]:
    """Add each state's gain to its sums; return the least gain, and the wider table."""
    gains = layer.gains(per_unit)
    possible = gains[layer.chance > 0.0]
    least, width = int(possible.min()), table.shape[1]
    moved = np.zeros((len(layer.after), width + int(possible.max()) - least))
    for i, drawn in zip(*np.nonzero(layer.chance), strict=True):
        row = layer.before[i] - drawn - layer.after[0]
        if not 0 <= row < len(moved):
            continue
        start = int(gains[i, drawn]) - least
        moved[row, start : start + width] += layer.chance[i, drawn] * table[i]
    return least, moved
