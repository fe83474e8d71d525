"""Searches on one likelihood, side by side: what they ask for is evaluated as one batch.

A search is a generator. It yields the points at which it wants the likelihood, is sent what was
found there, and returns its result.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np

from rnetstats.kernels.newton import Evaluate, FloatArray, Found

__all__ = ["Search", "alone", "both"]

One = TypeVar("One")
Other = TypeVar("Other")

Search = Generator[FloatArray, Found, One]


def alone(evaluate: Evaluate, search: Search[One]) -> One:
    """Run one search to its end.

    Parameters
    ----------
    evaluate : Evaluate
        Of one data set.
    search : Search
    """
    result: One = _run(evaluate, [search])[0]
    return result


def both(evaluate: Evaluate, one: Search[One], other: Search[Other]) -> tuple[One, Other]:
    """Run two searches on the same likelihood to their ends.

    Parameters
    ----------
    evaluate : Evaluate
        Of one data set.
    one, other : Search
    """
    first, second = _run(evaluate, [one, other])
    return first, second


def _run(evaluate: Evaluate, searches: list[Search[Any]]) -> list[Any]:
    results: list[Any] = [None] * len(searches)
    sent: list[Found | None] = [None] * len(searches)
    running = list(range(len(searches)))
    while True:
        asked: dict[int, FloatArray] = {}
        for k in running:
            try:
                last = sent[k]
                asked[k] = next(searches[k]) if last is None else searches[k].send(last)
            except StopIteration as end:
                results[k] = end.value
        if not asked:
            return results
        running = list(asked)
        points = np.concatenate(list(asked.values())) if len(asked) > 1 else asked[running[0]]
        found = evaluate(points, np.arange(len(points)))
        at = 0
        for k, own in asked.items():
            rows = slice(at, at + len(own))
            sent[k] = (found[0][rows], found[1][rows], found[2][rows])
            at += len(own)
