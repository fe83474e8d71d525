"""The bootstrap of a whole fit: coefficients of every resample, in chunks of one seed each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.options import draw_count
from rnetstats._core.random import chunk_generators
from rnetstats.errors import ConvergenceError, OptionError, TooFewEventsError
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.variables import Floats
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.resampling import bootstrap_counts

__all__ = [
    "Draws",
    "Replicates",
    "collect",
    "few_resamples",
    "patient_counts",
    "refuse_few_events",
    "resample_count",
]

_FEWEST = 5  # events: below, resampling limits are not given
_ENOUGH = 200  # resamples: below, their percentiles are shaky


def resample_count(resamples: int) -> int:
    """Return a number of resamples for limits: 0 for none, or at least 2.

    Raises
    ------
    OptionError
    """
    count = draw_count("resamples", resamples, minimum=0)
    if count == 1:
        raise OptionError("resamples=1 gives no limits: take 0 for none, or 1000.")
    return count


def few_resamples(count: int) -> list[str]:
    """Say that percentiles of few resamples are shaky."""
    if not 0 < count < _ENOUGH:
        return []
    return [f"Limits of only {count} resamples vary from seed to seed; for print take 1000."]


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Coefficients (b, p), hazards at the horizon (b, S) or None, and status (b,) of resamples."""

    coef: Floats
    hazard: Floats | None
    status: NDArray[np.int64]
    lost: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Bootstrap draws that can be used, and what became of the others."""

    coef: Floats
    hazard: Floats | None
    notes: tuple[str, ...]


def patient_counts(frame: ModelFrame, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield counts (b, n) of how often each row stands in each resample, chunk by chunk.

    Patients are drawn, a row of frequency w standing for w of them; with ``cluster()`` whole
    clusters, their rows with their frequencies.
    """
    freq, cluster = frame.freq_weights, frame.cluster
    units = None if cluster is None else cluster.codes
    for part, rng in chunk_generators(seed, resamples):
        yield bootstrap_counts(rng, frame.n, part.stop - part.start, cluster=units, freq=freq)


def collect(
    frame: ModelFrame,
    resamples: int,
    seed: int,
    fit: Callable[[Floats], Replicates],
) -> Draws:
    """Repeat a fit in bootstrap resamples, with a count of those that failed or lost a term.

    Parameters
    ----------
    frame : ModelFrame
        The rows drawn from.
    fit : callable
        From counts (b, n) to the replicates' coefficients.

    Raises
    ------
    ConvergenceError
        If fewer than half of the resamples have an estimate.
    """
    parts = [
        fit(np.asarray(counts, dtype=float)) for counts in patient_counts(frame, resamples, seed)
    ]
    coef = np.concatenate([part.coef for part in parts])
    status = np.concatenate([part.status for part in parts])
    lost = np.concatenate([part.lost for part in parts])
    usable = np.isin(status, (OK, LOST_TERM)) & np.isfinite(coef).all(axis=1)
    if usable.mean() < 0.5:
        raise ConvergenceError(
            f"Only {int(usable.sum())} of {resamples} resamples have an estimate; limits by "
            "bootstrap would be those of a selection. Fit with penalty='firth', or use "
            "resamples=0 for Wald limits."
        )
    hazard = None
    if parts[0].hazard is not None:
        hazard = np.concatenate([part.hazard for part in parts if part.hazard is not None])[usable]
    names = [c.name for c in frame.design.columns]
    return Draws(coef[usable], hazard, _notes(names, usable, lost[usable]))


def _notes(names: list[str], usable: NDArray[np.bool_], lost: NDArray[np.bool_]) -> tuple[str, ...]:
    total, notes = len(usable), []
    failed = total - int(usable.sum())
    if failed:
        notes.append(
            f"{failed} of {total} resamples have no estimate (one outcome only, separation or no "
            "convergence) and are left out of the limits."
        )
    for name, count in zip(names, lost.sum(axis=0), strict=True):
        if count:
            notes.append(
                f"{name}: lost in {int(count)} of {len(lost)} resamples, where it contributes 0 "
                "to the risk."
            )
    return tuple(notes)


def refuse_few_events(count: float, what: str) -> None:
    """Refuse limits by resampling where fewer than 5 patients have the rarer outcome."""
    if count < _FEWEST:
        raise TooFewEventsError(
            f"Too few {what} ({count:g}): with fewer than {_FEWEST}, limits by resampling are not "
            "given. resamples=0 gives Wald limits."
        )
