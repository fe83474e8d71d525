"""What the limits of a pooled odds ratio hold in many meta-analyses whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from rnetstats._core.distributions import normal_quantile
from rnetstats._core.options import draw_count, level
from rnetstats._core.random import resolve_seed
from rnetstats.evidence.effect_sizes import from_tables
from rnetstats.evidence.meta_intervals import limits_of, prediction_limits
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.evidence.meta_scene import MetaScene, draw_tables
from rnetstats.kernels.beta_binomial import BetaBinomial, fit_beta_binomial
from rnetstats.kernels.glmm import fit_mixed
from rnetstats.kernels.glmm_tables import table_model
from rnetstats.kernels.mantel_haenszel import Tables, mantel_haenszel, peto
from rnetstats.kernels.meta_pool import inverse_variance
from rnetstats.kernels.meta_tau2 import tau_squared
from rnetstats.kernels.scaled import ScaledFit

__all__ = ["LIKELIHOODS", "LIMITS", "PREDICTIONS", "meta_operating"]

Floats: TypeAlias = NDArray[np.float64]
Intervals: TypeAlias = tuple[Floats, Floats, Floats]

LIMITS = {
    "wald": "inverse variance, Wald",
    "hartung-knapp": "inverse variance, Hartung-Knapp",
    "hartung-knapp-adhoc": "inverse variance, Hartung-Knapp with its floor",
    "mantel-haenszel": "Mantel-Haenszel",
    "peto": "Peto",
}
LIKELIHOODS = {
    "CM.EL": "binomial-normal (exact conditional), Wald",
    "beta-binomial": "beta-binomial, Wald",
}
PREDICTIONS = {
    "hts": "t(k-2) (Higgins-Thompson-Spiegelhalter)",
    "t(k-1)": "t(k-1)",
    "hk": "t(k-1) with the Hartung-Knapp standard error",
    "normal": "normal",
}
_INVERSE = ("wald", "hartung-knapp", "hartung-knapp-adhoc")
_POINTS = 15


def meta_operating(
    scene: MetaScene,
    *,
    replicates: int = 2000,
    fits: int = 500,
    conf_level: float = 0.95,
    seed: int | None = None,
) -> pd.DataFrame:
    """Judge the limits of each method over many meta-analyses of one setting.

    Parameters
    ----------
    scene : MetaScene
    replicates : int
        Meta-analyses for the methods in closed form and by inverse variance.
    fits : int
        The first so many of them, for the models fitted by likelihood.
    conf_level : float
    seed : int, optional

    Returns
    -------
    DataFrame
        One row a method: the scene; ``target`` (``"odds ratio"``, or ``"new study"`` for a
        prediction interval), ``method, label``; ``replicates``; ``none``, the share without an
        interval; of the others ``coverage`` with its Monte Carlo error ``coverage_mcse``,
        ``above`` and ``below``, the shares that lie wholly on one side; ``excludes_one``, the
        share that does not hold an odds ratio of 1; ``width``, the median ratio of the upper limit
        to the lower; ``odds_ratio_found``, the median estimate. Of a prediction interval
        ``coverage`` is the probability that it holds the odds ratio of a new study. ``events`` is
        the mean number of events of a meta-analysis.

    Notes
    -----
    Inverse variance: 0.5 in studies with a zero cell, double zeros left out, REML. Mantel-Haenszel
    and Peto without a correction. The conditional model leaves double zeros out, the beta-binomial
    one does not.
    """
    replicates, fits = draw_count("replicates", replicates), draw_count("fits", fits)
    conf_level = level(conf_level)
    seed = resolve_seed(seed)
    drawn = draw_tables(scene, replicates, seed)
    z = normal_quantile(conf_level)
    centre = math.log(scene.odds_ratio)
    rows = []
    limits, predictions = _inverse_variance(drawn, conf_level)
    for name, fit in (("mantel-haenszel", mantel_haenszel(drawn)), ("peto", peto(drawn))):
        limits[name] = (fit.coef, fit.coef - z * fit.std_error, fit.coef + z * fit.std_error)
    limits |= _likelihoods(drawn, min(fits, replicates), z)
    labels = {**LIMITS, **LIKELIHOODS}
    rows = [
        {"target": "odds ratio", "method": name, "label": labels[name], **_judged(found, centre)}
        for name, found in limits.items()
    ]
    for name, found in predictions.items():
        judged = _judged(found, centre) | _predicted(found, centre, math.sqrt(scene.tau2))
        rows.append({"target": "new study", "method": name, "label": PREDICTIONS[name], **judged})
    table = pd.DataFrame(rows)
    for place, (name, value) in enumerate(asdict(scene).items()):
        table.insert(place, name, value)
    return table.assign(events=float((drawn.a + drawn.c).sum(axis=1).mean()), seed=seed)


def _inverse_variance(
    t: Tables, conf_level: float
) -> tuple[dict[str, Intervals], dict[str, Intervals]]:
    """Limits and prediction intervals with REML; missing where fewer than 2 studies are left."""
    flat = from_tables("OR", *(x.ravel() for x in (t.a, t.n1, t.c, t.n2)), correction=0.5)
    y, v = flat.coef.reshape(t.a.shape), flat.variance.reshape(t.a.shape)
    held = np.isfinite(y)
    some = held.sum(axis=1) >= 2
    if not some.any():
        nothing = (np.full(len(y), np.nan),) * 3
        return dict.fromkeys(_INVERSE, nothing), dict.fromkeys(PREDICTIONS, nothing)
    tau2, coef, wald, knapp, df = (np.full(len(y), np.nan) for _ in range(5))
    tau2[some] = tau_squared(y[some], v[some], "REML", mask=held[some])
    fit = inverse_variance(y[some], v[some], tau2[some], mask=held[some])
    coef[some], wald[some], df[some] = fit.estimate, fit.std_error, fit.df
    knapp[some] = np.sqrt(fit.q / fit.df) * fit.std_error
    limits, predictions = {}, {}
    for name in _INVERSE:
        how = PoolOptions("REML", name, None, conf_level)
        found = limits_of(coef[some], wald[some], knapp[some], df[some], how)
        limits[name] = _spread_out(some, coef[some], found.low, found.high)
    for name in PREDICTIONS:
        how = PoolOptions("REML", "hartung-knapp", name, conf_level)
        parts = (coef[some], wald[some], knapp[some], tau2[some], df[some])
        predictions[name] = _spread_out(some, coef[some], *prediction_limits(*parts, how))
    return limits, predictions


def _spread_out(some: NDArray[np.bool_], *values: Floats) -> Intervals:
    """Put results of some meta-analyses in their places among all."""
    whole = np.full((3, len(some)), np.nan)
    whole[:, some] = values
    return whole[0], whole[1], whole[2]


def _likelihoods(t: Tables, fits: int, z: float) -> dict[str, Intervals]:
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in LIKELIHOODS}
    for table in _one_by_one(t, fits):
        told = (table.a + table.c > 0) & (table.b + table.d > 0)
        own = Tables.of(table.a[told], table.n1[told], table.c[told], table.n2[told])
        fit = None
        if told.sum() >= 2 and own.a.any() and own.c.any():
            fit = fit_mixed(*table_model(own, "CM.EL", points=_POINTS))
        found["CM.EL"].append(_wald(fit, z))
        fit = fit_beta_binomial(BetaBinomial(table, "OR"))
        found["beta-binomial"].append(_wald(fit, z))
    columns = {name: np.array(rows).T for name, rows in found.items()}
    return {name: (part[0], part[1], part[2]) for name, part in columns.items()}


def _one_by_one(t: Tables, fits: int) -> Iterator[Tables]:
    for i in range(fits):
        yield Tables.of(t.a[i], t.n1[i], t.c[i], t.n2[i])


def _wald(fit: ScaledFit | None, z: float) -> tuple[float, float, float]:
    if fit is None or not fit.converged:
        return math.nan, math.nan, math.nan
    coef, half = float(fit.coef[0]), z * math.sqrt(float(fit.cov[0, 0]))
    return coef, coef - half, coef + half


def _judged(found: Intervals, centre: float) -> dict[str, float]:
    coef, low, high = found
    given = np.isfinite(low) & np.isfinite(high)
    if not given.any():
        return {"replicates": float(len(coef)), "none": 1.0, **dict.fromkeys(_MISSING, math.nan)}
    above, below = low[given] > centre, high[given] < centre
    covered = ~above & ~below
    share = float(covered.mean())
    return {
        "replicates": float(len(coef)),
        "none": float(1.0 - given.mean()),
        "coverage": share,
        "coverage_mcse": math.sqrt(share * (1.0 - share) / covered.size),
        "above": float(above.mean()),
        "below": float(below.mean()),
        "excludes_one": float(((low[given] > 0.0) | (high[given] < 0.0)).mean()),
        "width": float(np.exp(np.median(high[given] - low[given]))),
        "odds_ratio_found": float(np.exp(np.median(coef[given]))),
    }


_MISSING = (
    "coverage",
    "coverage_mcse",
    "above",
    "below",
    "excludes_one",
    "width",
    "odds_ratio_found",
)


def _predicted(found: Intervals, centre: float, tau: float) -> dict[str, float]:
    """How probably an interval holds the effect of a new study; a point without heterogeneity."""
    _, low, high = found
    given = np.isfinite(low) & np.isfinite(high)
    if tau == 0.0 or not given.any():
        return {}
    held = ndtr((high[given] - centre) / tau) - ndtr((low[given] - centre) / tau)
    error = float(held.std() / math.sqrt(held.size))
    return {
        "coverage": float(held.mean()),
        "coverage_mcse": error,
        "above": math.nan,
        "below": math.nan,
    }
