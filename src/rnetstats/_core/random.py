"""Seeds and streams: the same seed gives the same draws, whatever the blocks or processes.

Draws come from one spawned child of the seed per chunk of 256 replicates, so that a shorter run
is a prefix of a longer one.
"""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral

import numpy as np

from rnetstats.errors import OptionError

__all__ = ["CHUNK", "chunk_generators", "resolve_seed"]

CHUNK = 256


def resolve_seed(seed: int | None) -> int:
    """Return ``seed``, or entropy drawn once (below 2**63) so that it can be recorded."""
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1))
    if isinstance(seed, bool) or not isinstance(seed, Integral) or int(seed) < 0:
        raise OptionError(f"seed must be a whole number of at least 0 (or None), not {seed!r}.")
    return int(seed)


def chunk_generators(
    seed: int, total: int, size: int = CHUNK
) -> Iterator[tuple[slice, np.random.Generator]]:
    """Yield ``(slice, generator)`` for each chunk of ``total`` replicates.

    Every generator must draw a whole chunk of ``size`` replicates in replicate order (or be used
    replicate by replicate), so that a shorter run is a prefix of a longer one.
    """
    total = int(total)  # a NumPy number without a sign has no negative
    children = np.random.SeedSequence(seed).spawn(-(-total // size))
    for k, child in enumerate(children):
        yield slice(k * size, min((k + 1) * size, total)), np.random.default_rng(child)
