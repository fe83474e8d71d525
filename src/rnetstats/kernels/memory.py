"""Keeping memory that has just been freed, for arrays of the same size that follow."""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["keep_freed_memory"]

_BYTES = 24 << 20


@cache
def keep_freed_memory() -> None:
    """Let the C library keep up to some 50 MB of freed memory, once a process.

    A block of replicates makes and drops arrays of half a megabyte. By default glibc hands such
    memory back at once, and fetching the pages again takes as long as the arithmetic. It learns
    from the largest array that is freed; making one that is never touched costs nothing. Other C
    libraries do not mind.
    """
    np.empty(_BYTES, dtype=np.uint8)
