"""Resampling: which patients train a model and which test it, and what comes of it.

Every scheme is a matter of counts. A bootstrap replicate trains on patients drawn with
replacement and is tested on all of them (optimism) or on those left out (.632); a fold trains on
the others. Draws come in chunks, so that a shorter run is a prefix of a longer one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.errors import OptionError
from rnetstats.kernels.newton import IntArray
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.judges import Judge
from rnetstats.prediction.refit import Refit, Refitted, replicate_seeds

__all__ = [
    "CURVE_REPLICATES",
    "Runs",
    "bootstrap",
    "cross_validate",
    "folds_of",
]

Floats = NDArray[np.float64]

CURVE_REPLICATES = 200
"""Calibration curves are repeated in so many replicates; more change nothing that is visible."""


@dataclass(eq=False)
class Runs:
    """What B replicates gave.

    Attributes
    ----------
    training, test : arrays of shape (B, k)
        Indices on the rows that trained the model, and on those that test it.
    benefit_training, benefit_test : arrays of shape (B, t)
    curve_training, curve_test : arrays of shape (b, q)
    lost, failed : int
        Replicates that lost a level, and those without a model.
    choices : dict of str to array of shape (B,)
    slopes : array of shape (B, q) or None
        See :class:`rnetstats.prediction.refit.Refitted`.
    """

    training: Floats
    test: Floats
    benefit_training: Floats
    benefit_test: Floats
    curve_training: Floats
    curve_test: Floats
    lost: int = 0
    failed: int = 0
    choices: dict[str, Floats] = field(default_factory=dict)
    slopes: Floats | None = None


@dataclass(eq=False)
class _Collected:
    """Parts of :class:`Runs`, chunk by chunk."""

    parts: dict[str, list[Floats]] = field(default_factory=dict)
    choices: dict[str, list[Floats]] = field(default_factory=dict)
    slopes: list[Floats] = field(default_factory=list)
    lost: int = 0
    failed: int = 0

    def add(self, name: str, values: Floats) -> None:
        self.parts.setdefault(name, []).append(values)

    def judged(
        self,
        judge: Judge,
        side: str,
        risk: Floats,
        predictor: Floats,
        freq: Floats | None,
        thresholds: Floats,
        grid: Floats,
        few: int = CURVE_REPLICATES,
    ) -> None:
        """Add what is found in training or in test; curves of the first few replicates."""
        if grid.size:
            values, curve = judge.with_curve(risk, predictor, freq, grid, few)
            self.add(f"curve_{side}", curve)
        else:
            values = judge.indices(risk, predictor, freq)
        self.add(side, values)
        if thresholds.size:
            self.add(f"benefit_{side}", judge.net_benefit(risk, freq, thresholds))

    def runs(self, widths: dict[str, int]) -> Runs:
        joined = {
            name: np.concatenate(self.parts[name]) if name in self.parts else np.empty((0, width))
            for name, width in widths.items()
        }
        choices = {name: np.concatenate(values) for name, values in self.choices.items()}
        slopes = np.concatenate(self.slopes) if self.slopes else None
        return Runs(**joined, lost=self.lost, failed=self.failed, choices=choices, slopes=slopes)


def bootstrap(
    refit: Refit,
    judge: Judge,
    *,
    resamples: int,
    seed: int,
    grid: Floats,
    thresholds: Floats,
    left_out: bool = False,
    progress: Callable[[int], object] | None = None,
) -> Runs:
    """Train on each resample; test on all patients, or on those left out of it.

    Parameters
    ----------
    grid : array of shape (q,)
        Predicted risks at which calibration curves are read; empty for none.
    thresholds : array of shape (t,)
        For net benefit; empty for none.
    left_out : bool
        Test on the patients that the resample lacks.
    progress : callable, optional
        Called with the number of replicates done.
    """
    found = _Collected()
    for part, rng in chunk_generators(seed, resamples):
        drawn = bootstrap_counts(rng, refit.n, part.stop - part.start, cluster=refit.cluster)
        counts = drawn.astype(np.float64)
        made = refit.again(counts, replicate_seeds(seed, np.arange(part.start, part.stop)))
        _count(found, made)
        if progress is not None:
            progress(part.stop)
        if not made.usable.any():
            continue
        counts = counts[made.usable]
        test = (counts == 0).astype(np.float64) if left_out else None
        own_risk, own_eta, risk, eta = _usable(made)
        here = grid if part.start < CURVE_REPLICATES else np.empty(0)
        found.judged(judge, "training", own_risk, own_eta, counts, thresholds, here)
        found.judged(judge, "test", risk, eta, test, thresholds, here)
    return found.runs(_widths(judge, grid, thresholds))


def cross_validate(
    refit: Refit,
    judge: Judge,
    folds: IntArray,
    *,
    seed: int,
    grid: Floats,
    thresholds: Floats,
    progress: Callable[[int], object] | None = None,
) -> Runs:
    """Predict each patient by the model of the other folds, and judge the predictions together.

    Parameters
    ----------
    folds : int array of shape (R, n)
        The fold of each patient, from 0, in each of R repetitions.

    Returns
    -------
    Runs
        One row a repetition; ``training`` is the mean of its folds' indices. A repetition in
        which a fold gave no model is left out.
    """
    found = _Collected()
    repeats, k = len(folds), int(folds.max()) + 1
    risk, eta = np.zeros(folds.shape), np.zeros(folds.shape)
    usable = np.zeros(repeats * k, dtype=bool)
    # Fits of several repetitions go together; a test prediction is kept, the rest is not.
    for start in range(0, repeats * k, CHUNK):
        fits = np.arange(start, min(start + CHUNK, repeats * k))
        repeat, fold = np.divmod(fits, k)
        held = folds[repeat] == fold[:, None]
        counts = (~held).astype(np.float64)
        made = refit.again(counts, replicate_seeds(seed, fits))
        _count(found, made)
        usable[fits] = made.usable
        here, patient = np.nonzero(held)
        test_risk, test_eta = made.as_tested
        risk[repeat[here], patient] = test_risk[here, patient]
        eta[repeat[here], patient] = test_eta[here, patient]
        own_risk, own_eta = made.as_trained
        found.judged(judge, "training", own_risk, own_eta, counts, thresholds, grid, len(counts))
        if progress is not None:
            progress(int(fits[-1]) + 1)
    whole = usable.reshape(repeats, k).all(axis=1)
    for name, parts in found.parts.items():
        values = np.concatenate(parts)
        found.parts[name] = [values.reshape(repeats, k, -1).mean(axis=1)[whole]]
    risk, eta = risk[whole], eta[whole]
    for start in range(0, len(risk), CHUNK):
        part = slice(start, start + CHUNK)
        found.judged(judge, "test", risk[part], eta[part], None, thresholds, grid, CHUNK)
    return found.runs(_widths(judge, grid, thresholds))


def folds_of(
    events: Floats, folds: int, repeats: int, seed: int, cluster: IntArray | None = None
) -> IntArray:
    """Deal patients into folds, those with and without the event apart (R, n).

    With clusters these are dealt whole, those in which somebody has the event apart.

    Raises
    ------
    OptionError
        If there are more folds than patients or clusters.
    """
    place, what = np.arange(events.size), "patients"
    if cluster is not None:
        place, what = np.unique(cluster, return_inverse=True)[1].ravel(), "clusters"
    size = int(place.max()) + 1
    if folds > size:
        raise OptionError(f"folds={folds} exceeds the {size} {what}.")
    event = np.zeros(size)
    np.maximum.at(event, place, events)
    dealt = np.empty((repeats, size), dtype=np.int64)
    for part, rng in chunk_generators(seed, repeats):
        for repeat in range(part.start, part.stop):
            order = rng.permutation(size)
            order = order[np.argsort(event[order], kind="stable")]
            dealt[repeat, order] = np.arange(size) % folds
    return dealt[:, place]


def _usable(made: Refitted) -> tuple[Floats, Floats, Floats, Floats]:
    """Return risk and predictor in training and in test, of the replicates with a model."""
    (own_risk, own_eta), (risk, eta) = made.as_trained, made.as_tested
    if made.usable.all():
        return own_risk, own_eta, risk, eta
    keep = made.usable
    return own_risk[keep], own_eta[keep], risk[keep], eta[keep]


def _count(found: _Collected, made: Refitted) -> None:
    found.failed += int((~made.usable).sum())
    found.lost += int((made.lost & made.usable).sum())
    for name, values in made.choices.items():
        found.choices.setdefault(name, []).append(values[made.usable])
    if made.slopes is not None:
        found.slopes.append(made.slopes[made.usable])


def _widths(judge: Judge, grid: Floats, thresholds: Floats) -> dict[str, int]:
    k, q, t = len(judge.names), grid.size, thresholds.size
    return {
        "training": k,
        "test": k,
        "benefit_training": t,
        "benefit_test": t,
        "curve_training": q,
        "curve_test": q,
    }
