"""Pooling one set of proportions: by a transformation, by the model, or exactly."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import TooFewEventsError
from rnetstats.evidence.meta_measures import Measure
from rnetstats.evidence.meta_notes import pool_notes
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.evidence.meta_pooling import Pools, method_text, pool_sets
from rnetstats.evidence.proportions_glmm import logistic_pools
from rnetstats.evidence.proportions_transforms import (
    SIZES,
    TRANSFORMS,
    Transform,
    Transformed,
)
from rnetstats.formatting import fmt_count, fmt_number, fmt_percent
from rnetstats.tables.proportion_limits import clopper_pearson_limits

__all__ = ["GLMM", "ProportionOptions", "SeriesPool", "exact_row", "pool_series"]

Floats: TypeAlias = NDArray[np.float64]

GLMM = "glmm"
_PROPORTION = Measure("proportion", "proportion", False, "")
_SPREAD = ("tau2", "tau2_low", "tau2_high", "q", "q_df", "q_p", "i2", "i2_low", "i2_high")
_MORE_SPREAD = ("i2_tau2", "h2", "h2_tau2")


@dataclass(frozen=True)
class ProportionOptions:
    """How proportions are pooled: see :func:`rnetstats.meta_proportions`."""

    transform: str
    pooling: PoolOptions
    correction: float
    back_n: str
    points: int | None

    @property
    def scale(self) -> Transform:
        """The scale of analysis, logits for the model."""
        return TRANSFORMS["logit" if self.transform == GLMM else self.transform]


@dataclass(frozen=True, eq=False)
class SeriesPool:
    """What was pooled.

    Attributes
    ----------
    random, common : dict
        One row each: proportion with limits, ``coef`` and its errors, ``df, method``.
    spread : dict
        Measures of heterogeneity; missing where the rows are exact.
    weights : (2, k)
        In per cent; missing where the rows are exact.
    effects : Transformed or None
        Of the series; None for the model.
    exact : bool
        Whether all series were taken for one.
    notes : tuple of str
    """

    random: dict[str, Any]
    common: dict[str, Any]
    spread: dict[str, float]
    weights: Floats
    effects: Transformed | None
    exact: bool
    notes: tuple[str, ...]


def pool_series(events: Floats, n: Floats, how: ProportionOptions) -> SeriesPool:
    """Pool k series; one alone, or all without events or without others, by exact limits.

    Raises
    ------
    TooFewEventsError, ConvergenceError
    """
    total = events.sum()
    if len(n) == 1 or total in (0.0, n.sum()):
        return _exact_pool(events, n, how.pooling.conf_level)
    if how.transform == GLMM:
        random, common = logistic_pools(events, n, how.pooling, how.points)
        both = [_row(p, how.scale.back, _model_text(how, p)) for p in (random, common)]
        return _filled(random, both, np.stack([random.weights[0], common.weights[0]]), None, how)
    return _transformed_pool(events, n, how)


def exact_row(events: float, n: float, conf_level: float, method: str) -> dict[str, Any]:
    """A proportion with limits of Clopper and Pearson, as a row."""
    low, high = clopper_pearson_limits(events, n, conf_level)
    none = dict.fromkeys(("pi_low", "pi_high", "coef", "std_error", "std_error_wald", "df"), np.nan)
    ends = {"estimate": events / n, "conf_low": float(low), "conf_high": float(high)}
    return {**ends, **none, "method": method}


def _exact_pool(events: Floats, n: Floats, conf_level: float) -> SeriesPool:
    x, size, k = float(events.sum()), float(n.sum()), len(n)
    counts = f"{fmt_count(x)} of {fmt_count(size)}"
    if k == 1:
        method = "one series, exact limits"
        note = (
            f"One series alone ({counts}): its exact limits; no heterogeneity can be estimated, no "
            "prediction made."
        )
    else:
        method = "all series taken as one, exact limits"
        what = "no event" if x == 0.0 else "nothing but events"
        note = (
            f"There is {what} in any of {k} series: the limits are the exact ones of {counts}, "
            "as if all were one series with one risk. Variation between them cannot be estimated, "
            "and no transformation or model tells more."
        )
    row = exact_row(x, size, conf_level, method)
    spread = dict.fromkeys((*_SPREAD, *_MORE_SPREAD), math.nan)
    return SeriesPool(row, dict(row), spread, np.full((2, k), np.nan), None, True, (note,))


def _transformed_pool(events: Floats, n: Floats, how: ProportionOptions) -> SeriesPool:
    found = how.scale.apply(events, n, how.correction)
    used = found.usable
    if not used.any():
        raise TooFewEventsError(
            f"With correction={how.correction:g} none of {len(n)} series has {how.scale.words} "
            "with a variance. transform='glmm' needs no correction."
        )
    y, v = found.y[used], found.v[used]
    plain = PoolOptions(how.pooling.tau2, "wald", None, how.pooling.conf_level)
    random, common = pool_sets(y, v, how.pooling), pool_sets(y, v, plain, tau2=0.0)
    rows = []
    for pools, options in ((random, how.pooling), (common, plain)):
        size = SIZES[how.back_n][0](n[used], float(pools.wald[0]))
        text = method_text(options, pools.limits.df[0]).removeprefix("inverse variance, ")
        if pools is common:
            text = "common effect, Wald"
        row = _row(pools, partial(how.scale.back, n=size), f"{_of(how)}, {text}")
        rows.append({**row, **({"back_n": size} if how.transform == "freeman-tukey" else {})})
    weights = np.zeros((2, len(n)))
    weights[:, used] = random.weights[0], common.weights[0]
    pool = _filled(random, rows, weights, found, how)
    more = [*_correction_notes(found, how), *_scale_notes(random, rows, n[used], how)]
    return SeriesPool(**{**vars(pool), "notes": (*pool.notes, *more)})


def _of(how: ProportionOptions) -> str:
    return f"{how.scale.words}, inverse variance"


def _model_text(how: ProportionOptions, pools: Pools) -> str:
    df = pools.limits.df[0]
    law = "Wald" if np.isinf(df) else f"t({df:g})"
    given = "" if isinstance(how.pooling.tau2, str) else f", {how.pooling.tau2_text}"
    return f"random-intercept logistic model{given}, maximum likelihood, {law}"


def _row(pools: Pools, back: Callable[[Any], Any], method: str) -> dict[str, Any]:
    lim = pools.limits
    ends = (pools.coef, lim.low, lim.high, pools.pi_low, pools.pi_high)
    names = ("estimate", "conf_low", "conf_high", "pi_low", "pi_high")
    return {
        **{name: float(back(value[0])) for name, value in zip(names, ends, strict=True)},
        "coef": float(pools.coef[0]),
        "std_error": float(lim.std_error[0]),
        "std_error_wald": float(pools.wald[0]),
        "df": float(lim.df[0]),
        "method": method,
    }


def _filled(
    random: Pools,
    rows: list[dict[str, Any]],
    weights: Floats,
    effects: Transformed | None,
    how: ProportionOptions,
) -> SeriesPool:
    spread = {name: float(np.asarray(value).ravel()[0]) for name, value in random.spread.items()}
    notes = tuple(pool_notes(random, _PROPORTION, how.pooling))
    return SeriesPool(rows[0], rows[1], spread, weights, effects, False, notes)


def _correction_notes(found: Transformed, how: ProportionOptions) -> list[str]:
    notes, k = [], len(found.y)
    if found.corrected.any():
        notes.append(
            f"{how.correction:g} was added to events and to non-events of "
            f"{int(found.corrected.sum())} of {k} series, those without events or without others: "
            "this draws them towards one half. transform='glmm' needs no correction."
        )
    lost = int((~found.usable).sum())
    if lost:
        notes.append(
            f"{lost} of {k} series left out: without correction their {how.scale.words} have no "
            "variance. This biases the rest; transform='glmm' keeps them."
        )
    return notes


def _scale_notes(
    random: Pools, rows: list[dict[str, Any]], n: Floats, how: ProportionOptions
) -> list[str]:
    """What is peculiar to a scale: its ends, and the size at which it is undone."""
    notes = []
    low, high = how.scale.ends
    lim = random.limits
    reach = np.array([lim.low[0], lim.high[0], random.pi_low[0], random.pi_high[0]])
    if (reach < low).any() or (reach > high).any():
        notes.append("A limit lies beyond 0 or 1 on the scale of analysis and is put there.")
    if how.transform == "freeman-tukey":
        size, std_error = rows[0]["back_n"], float(random.wald[0])
        least, most = (SIZES[name][0](n, std_error) for name in ("harmonic", "inverse-variance"))
        ends = [fmt_percent(float(how.scale.back(random.coef[0], at))) for at in (least, most)]
        notes.append(
            f"The double arcsine is undone at n = {fmt_number(size)}, {SIZES[how.back_n][1]}: the "
            f"result depends on it ({fmt_percent(rows[0]['estimate'])}; {ends[0]} at the harmonic "
            f"mean, {ends[1]} at 1/variance) and can lie outside the series."
        )
    return notes
