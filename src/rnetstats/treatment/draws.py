"""The bootstrap by patient: draws, and when they give no limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.random import chunk_generators
from rnetstats.kernels.percentiles import MOST_UNDEFINED
from rnetstats.kernels.resampling import bootstrap_counts

__all__ = [
    "FEWEST_EVENTS",
    "Draws",
    "few_events",
    "patient_counts",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FEWEST_EVENTS = 5


@dataclass(frozen=True, eq=False)
class Draws:
    """What a bootstrap gave.

    Attributes
    ----------
    values
        (B, m) of m measures on the scale on which limits are made; missing where it failed.
    failed, lost, eventless
        (B,) replicates without an estimate; in which a column of a model was lost; in which an
        arm had no event.
    """

    values: Floats
    failed: Flags
    lost: Flags
    eventless: Flags

    @classmethod
    def empty(cls, size: int, measures: int) -> Draws:
        """Make room for B replicates of m measures."""
        flags = [np.zeros(size, dtype=bool) for _ in range(3)]
        return cls(np.full((size, measures), np.nan), *flags)

    def counted(self) -> dict[str, int]:
        """Return how many resamples were drawn, failed, lost a column, or lacked events."""
        return {
            "resamples": len(self.failed),
            "n_failed": int(self.failed.sum()),
            "n_lost_level": int(self.lost.sum()),
            "n_without_events": int(self.eventless.sum()),
        }

    def refusal(self) -> str:
        """Say why these draws give no limits, or nothing."""
        size = max(len(self.failed), 1)
        share = int(self.eventless.sum()) / size
        if share > MOST_UNDEFINED:
            return (
                f"an arm has no event in {100 * share:.1f} % of the resamples (limit "
                f"{100 * MOST_UNDEFINED:g} %)"
            )
        share = int(self.failed.sum()) / size
        if share > MOST_UNDEFINED:
            return f"{100 * share:.1f} % of the resamples have no estimate"
        return ""

    def notes(self) -> list[str]:
        """Say how many resamples were left out or lost a column."""
        said = []
        if self.failed.any():
            said.append(
                f"{int(self.failed.sum())} of {len(self.failed)} resamples have no estimate (the "
                "model did not converge, or an arm was empty or nobody of it followed long enough) "
                "and are left out."
            )
        if self.lost.any():
            said.append(
                f"In {int(self.lost.sum())} of {len(self.lost)} resamples a level was not drawn; "
                "its term counts as 0 there."
            )
        if self.eventless.any():
            said.append(
                f"In {int(self.eventless.sum())} of {len(self.eventless)} resamples an arm has no "
                "event; they count as they come (a ratio of 0 or infinity, or what a penalty makes "
                "of it)."
            )
        return said


def patient_counts(
    n: int,
    seed: int,
    resamples: int,
    *,
    freq: Floats | None = None,
    cluster: NDArray[np.intp] | None = None,
) -> Iterator[tuple[slice, Floats]]:
    """Draw patients with replacement, in chunks.

    Parameters
    ----------
    n : int
        Rows.
    seed, resamples : int
    freq : array of shape (n,), optional
        Patients that each row stands for (at least 1): each is drawn by itself, as from the
        replicated rows.
    cluster : int array of shape (n,), optional
        Units drawn as a whole.

    Yields
    ------
    slice, array of shape (b, n)
        How often each row stands in the replicates of the slice.
    """
    for rows, rng in chunk_generators(seed, resamples):
        counts = bootstrap_counts(rng, n, rows.stop - rows.start, cluster=cluster, freq=freq)
        yield rows, counts.astype(np.float64)


def few_events(events: dict[str, float], outcome: str) -> str:
    """Say which arms have fewer than five events, or nothing.

    Parameters
    ----------
    events : dict
        Number of events by arm.
    outcome : str
        The endpoint as the formula names it.
    """
    few = [f"{int(count)} in {arm!r}" for arm, count in events.items() if count < FEWEST_EVENTS]
    if not few:
        return ""
    return f"fewer than {FEWEST_EVENTS} events of {outcome}: {' and '.join(few)}"
