"""Meta-analyses of 2x2 tables drawn from a known truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from rnetstats._core.options import positive_int, real
from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.kernels.mantel_haenszel import Tables

__all__ = ["MetaScene", "draw_tables"]


@dataclass(frozen=True)
class MetaScene:
    """How the meta-analyses of one setting are drawn.

    Attributes
    ----------
    k : int
        Studies.
    risk : float
        Risk in arm 2 of a typical study.
    odds_ratio : float
        The median over studies, which the methods are judged by.
    tau2 : float
        Variance of the log odds ratio between studies.
    patients : float
        Median patients of a study, both arms.
    sizes, baseline : float
        Standard deviations of the logarithm of the size, and of the log odds in arm 2.
    """

    k: int
    risk: float
    odds_ratio: float = 1.0
    tau2: float = 0.0
    patients: float = 100.0
    sizes: float = 0.7
    baseline: float = 0.5

    def __post_init__(self) -> None:
        positive_int("k", self.k, minimum=2)
        real("risk", self.risk, low=0.0, high=1.0, closed=False)
        real("odds_ratio", self.odds_ratio, low=0.0, closed=False)
        real("tau2", self.tau2, low=0.0)
        real("patients", self.patients, low=4.0)
        real("sizes", self.sizes, low=0.0)
        real("baseline", self.baseline, low=0.0)


def draw_tables(scene: MetaScene, replicates: int, seed: int) -> Tables:
    """Draw 2x2 tables, (replicates, k); a quarter to three quarters of a study are in arm 1."""
    parts = []
    for rows, rng in chunk_generators(seed, replicates):
        shape = (CHUNK, scene.k)
        n = np.maximum(4.0, np.rint(scene.patients * np.exp(scene.sizes * rng.normal(size=shape))))
        n1 = np.clip(np.rint(n * rng.uniform(0.25, 0.75, shape)), 1.0, n - 1.0)
        base = logit(scene.risk) + scene.baseline * rng.normal(size=shape)
        effect = math.log(scene.odds_ratio) + math.sqrt(scene.tau2) * rng.normal(size=shape)
        a = rng.binomial(n1.astype(int), expit(base + effect))
        c = rng.binomial((n - n1).astype(int), expit(base))
        parts.append([x[: rows.stop - rows.start] for x in (a, n1, c, n - n1)])
    return Tables.of(*(np.concatenate(column) for column in zip(*parts, strict=True)))
