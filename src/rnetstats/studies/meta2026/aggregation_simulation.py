"""How often summing patients over studies finds a difference that no study has: a simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from rnetstats._core.options import draw_count, real
from rnetstats._core.random import resolve_seed
from rnetstats.kernels.mantel_haenszel import Tables, mantel_haenszel
from rnetstats.kernels.percentiles import percentiles
from rnetstats.studies.meta2026.aggregation_world import AggregationWorld, draw_world

__all__ = ["aggregation_simulation"]

Floats: TypeAlias = NDArray[np.float64]

BETWEEN = (1.0, 0.5, 0.25)
HETEROGENEITY = (0.0, 0.7)


def aggregation_simulation(
    seed: int | None,
    *,
    world: AggregationWorld,
    within_or: Sequence[float] = (1.0,),
    between_or: Sequence[float] = BETWEEN,
    heterogeneity: Sequence[float] = HETEROGENEITY,
    replicates: int = 2000,
    alpha: float = 0.05,
    printed_p: float | None = None,
    printed_or: float | None = None,
) -> pd.DataFrame:
    """Draw meta-analyses and compare their crude difference with that within studies.

    Parameters
    ----------
    seed : int or None
    world : AggregationWorld
        ``aggregation_world`` gives one in the printed shape.
    within_or, between_or, heterogeneity : sequence of float
        Values that take the place of the world's, all combinations.
    replicates : int
        Meta-analyses a combination.
    alpha : float
        P below it counts as significant.
    printed_p, printed_or : float, optional
        As printed: how often the crude P is at most so small, and the crude odds ratio at most
        so small besides.

    Returns
    -------
    DataFrame
        One row a combination: ``within_or, between_or, heterogeneity, replicates, seed``;
        ``crude_or`` (the median), ``crude_low, crude_high`` (its middle 95 %), shares with their
        Monte Carlo errors (``*_mcse``): ``crude_significant`` (Pearson's test of the summed
        counts), ``crude_lower`` (significant, and in favour of salvage), ``as_printed`` (missing
        without the printed figures); ``within_estimate`` (the median odds ratio of Mantel and
        Haenszel over the studies with both arms), ``within_significant``, ``within_covers`` (its
        limits hold ``within_or``) and ``within_none`` (no estimate: an arm without events).

    Notes
    -----
    Sizes of studies are log-normal. A study with both arms salvages a share uniform between 0.1
    and 0.9. Events are binomial. Every combination takes the same random numbers.
    """
    replicates = draw_count("replicates", replicates)
    real("alpha", alpha, low=0.0, high=1.0, closed=False)
    seed = resolve_seed(seed)
    rows = []
    for inside in within_or:
        for between in between_or:
            for spread in heterogeneity:
                scene = replace(world, within_or=inside, between_or=between, heterogeneity=spread)
                drawn = draw_world(scene, replicates, seed)
                judged = _judge(drawn, scene, alpha, printed_p, printed_or)
                kept = {name: asdict(scene)[name] for name in _VARIED}
                rows.append({**kept, "replicates": replicates, "seed": seed, **judged})
    return pd.DataFrame(rows)


_VARIED = ("within_or", "between_or", "heterogeneity")


def _judge(
    drawn: tuple[Floats, ...],
    world: AggregationWorld,
    alpha: float,
    printed_p: float | None,
    printed_or: float | None,
) -> dict[str, float]:
    a, n1, c, n2 = drawn
    crude, p = _crude(a.sum(axis=1), n1.sum(axis=1), c.sum(axis=1), n2.sum(axis=1))
    both = slice(0, world.comparative)
    fit = mantel_haenszel(Tables.of(a[:, both], n1[:, both], c[:, both], n2[:, both]), "OR")
    known = np.isfinite(fit.coef) & np.isfinite(fit.std_error)
    z = np.where(known, np.abs(fit.coef) / np.where(known, fit.std_error, 1.0), 0.0)
    off = np.abs(fit.coef - math.log(world.within_or)) / np.where(known, fit.std_error, 1.0)
    critical = -float(ndtri(alpha / 2.0))
    significant = p < alpha
    shares = {
        "crude_significant": significant,
        "crude_lower": significant & (crude < 0.0),
        "within_significant": z > critical,
        "within_none": ~known,
    }
    if printed_p is not None and printed_or is not None:
        shares["as_printed"] = (p <= printed_p) & (crude <= math.log(printed_or))
    quantiles = percentiles(crude, (0.5, 0.025, 0.975))
    found = dict(zip(("crude_or", "crude_low", "crude_high"), np.exp(quantiles), strict=True))
    for name, hit in shares.items():
        found |= _share(name, hit)
    found |= _share("within_covers", off[known] <= critical)
    found["within_estimate"] = (
        float(np.exp(np.median(fit.coef[known]))) if known.any() else math.nan
    )
    if "as_printed" not in found:
        found |= {"as_printed": math.nan, "as_printed_mcse": math.nan}
    return {name: float(value) for name, value in found.items()}


def _crude(a: Floats, n1: Floats, c: Floats, n2: Floats) -> tuple[Floats, Floats]:
    """Log odds ratio of summed counts and Pearson's P."""
    b, d, n, events = n1 - a, n2 - c, n1 + n2, a + c
    with np.errstate(divide="ignore", invalid="ignore"):
        crude = np.log(a * d) - np.log(b * c)
        chi = n * (a * d - b * c) ** 2 / (n1 * n2 * events * (n - events))
    return crude, np.where((events > 0) & (events < n), chdtrc(1.0, np.nan_to_num(chi)), 1.0)


def _share(name: str, hit: NDArray[np.bool_]) -> dict[str, float]:
    if not hit.size:
        return {name: math.nan, f"{name}_mcse": math.nan}
    p = float(hit.mean())
    return {name: p, f"{name}_mcse": math.sqrt(p * (1.0 - p) / hit.size)}
