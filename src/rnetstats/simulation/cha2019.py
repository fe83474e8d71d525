"""Drawing a cohort in the shape of Cha et al. 2019: treatment almost determined, no recurrence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri

from rnetstats.simulation.cha2019_truth import METHODS, coefficients, estimands, quantities
from rnetstats.simulation.conditional import conditional_bernoulli
from rnetstats.simulation.drawers import Draw

__all__ = ["REASONS", "draw", "treatment_odds"]

Array = NDArray[np.float64]
DETECTION = ("polyp", "biopsy", "suspected")
MONTHS = 12.0

REASONS = {
    "indeterminate": ("indeterminate", 0, "small", "G1"),
    "positive": ("positive", 0, "small", "G1"),
    "lvi": ("negative", 1, "small", "G1"),
    "lvi_indeterminate": ("indeterminate", 1, "small", "G1"),
    "lvi_positive": ("positive", 1, "small", "G1"),
    "size": ("negative", 0, "large", "G1"),
    "grade": ("negative", 0, "small", "G2"),
}
"""Per reason why a resection is not curative: margin, lymphovascular invasion, size, grade."""


def draw(values: Mapping[str, Any], seed: int, fixed: bool) -> Draw:
    """Draw one cohort.

    Parameters
    ----------
    values : mapping
        As in ``cohort.toml``, under one truth.
    seed : int
    fixed : bool
        Meet 142 non-curative, 44 treated and the median follow-up exactly, else in expectation.
    """
    streams = np.random.default_rng(seed).spawn(6)
    n = int(values["patients"])
    method = _methods(values, n, streams[0])
    detection = streams[0].choice(3, n, p=values["detection_shares"])
    open_ended = _not_curative(values, method, detection, streams[1], fixed)
    margin, lvi, large, grade = _reasons(values, open_ended, streams[2])
    size = _sizes(values, large, streams[2])
    eta = treatment_odds(values, detection, lvi, margin)
    treated = np.zeros(n, dtype=bool)
    treated[open_ended] = _given_sum(
        eta[open_ended], int(values["treated"]), streams[3], fixed, whole=int(open_ended.sum())
    )
    followed, death, loss = _follow_up(values, n, streams[4], fixed)
    rate = float(values["recurrence_per_month"])
    waiting = streams[5].exponential(1.0, n) / rate if rate > 0.0 else np.full(n, np.inf)
    recurs = waiting < followed
    months = np.where(recurs, waiting, followed)
    data = pd.DataFrame(
        {
            "patient_id": [f"C{i:04d}" for i in range(1, n + 1)],
            "age": np.rint(np.clip(_normal(values, "age", n, streams[2]), 18, 88)),
            "sex": np.where(streams[2].random(n) < values["male"], "M", "F"),
            "size_mm": size,
            "first_method": np.array(METHODS)[method],
            "detection": np.array(DETECTION)[detection],
            "grade": grade,
            "lvi": lvi.astype(int),
            "margin": margin,
            "additional_treatment": _kinds(treated, values, streams[3]),
            "node_metastasis": _nodes(values, treated, lvi, streams[5]),
            "recurrence": recurs.astype(int),
            "follow_up_months": _hundredths(months),
            "death": (death & ~recurs).astype(int),
        }
    )
    latent = pd.DataFrame(
        {"log_odds_of_treatment": eta, "recurrence_months": waiting, "end": followed}
    )
    return Draw(
        data=data,
        latent=latent,
        quantities=quantities(values, data, int(open_ended.sum())),
        coefficients=coefficients(values, loss),
        estimands=estimands(values),
    )


def treatment_odds(
    values: Mapping[str, Any],
    detection: NDArray[np.int64],
    lvi: NDArray[np.bool_],
    margin: NDArray[np.str_],
) -> Array:
    """Return each patient's log odds of additional treatment, up to the intercept."""
    return np.asarray(
        float(values["treated_biopsy"]) * (detection == 1)
        + float(values["treated_suspected"]) * (detection == 2)
        + float(values["treated_lvi"]) * lvi
        + float(values["treated_margin_positive"]) * (margin == "positive")
        + float(values["treated_margin_indeterminate"]) * (margin == "indeterminate")
    )


def _normal(values: Mapping[str, Any], name: str, n: int, rng: np.random.Generator) -> Array:
    return np.asarray(rng.normal(float(values[f"{name}_mean"]), float(values[f"{name}_sd"]), n))


def _methods(values: Mapping[str, Any], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the first method of each patient; the counts are met exactly."""
    return np.asarray(rng.permutation(np.repeat(np.arange(3), values["methods"])))[:n]


def _given_sum(
    eta: Array, total: int, rng: np.random.Generator, fixed: bool, *, whole: int
) -> NDArray[np.bool_]:
    """Draw trials with these log odds and an intercept that makes ``total`` the expected sum."""

    def excess(shift: float) -> float:
        return float(expit(eta + shift).sum()) - min(total, whole - 1)

    shift = brentq(excess, -60.0, 60.0, xtol=1e-12)
    p = expit(eta + shift)
    if fixed:
        return np.asarray(conditional_bernoulli(p, total, rng))
    return np.asarray(rng.random(eta.size) < p)


def _not_curative(
    values: Mapping[str, Any],
    method: NDArray[np.int64],
    detection: NDArray[np.int64],
    rng: np.random.Generator,
    fixed: bool,
) -> NDArray[np.bool_]:
    eta = float(values["not_curative_polyp"]) * (detection == 0) + float(
        values["not_curative_conventional"]
    ) * (method == 0)
    return _given_sum(eta, int(values["not_curative"]), rng, fixed, whole=eta.size)


def _reasons(
    values: Mapping[str, Any], open_ended: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.str_], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.str_]]:
    """Return margin, lymphovascular invasion, whether large, and grade of each patient."""
    names = list(values["reasons"])
    share = np.array([values["reasons"][name] for name in names])
    drawn = np.array(names)[rng.choice(len(names), open_ended.size, p=share / share.sum())]
    found = [
        REASONS[name] if no else ("negative", 0, "small", "G1")
        for name, no in zip(drawn, open_ended, strict=True)
    ]
    margin, lvi, large, grade = (np.array(part) for part in zip(*found, strict=True))
    return margin, lvi == 1, large == "large", grade


def _sizes(values: Mapping[str, Any], large: NDArray[np.bool_], rng: np.random.Generator) -> Array:
    """Return sizes in whole millimetres, above the limit for the large ones alone."""
    middle, spread = float(np.log(values["size_median"])), float(values["size_sdlog"])
    at_limit = ndtr((np.log(float(values["size_limit"])) - middle) / spread)
    u = rng.random(large.size)
    place = np.where(large, at_limit + (1.0 - at_limit) * u, at_limit * u)
    size = np.exp(middle + spread * ndtri(np.clip(place, 1e-6, 1.0 - 1e-3)))
    whole = np.maximum(np.rint(size), 1.0)
    limit = float(values["size_limit"])
    return np.asarray(np.where(large, np.maximum(whole, limit + 1.0), np.minimum(whole, limit)))


def _follow_up(
    values: Mapping[str, Any], n: int, rng: np.random.Generator, fixed: bool
) -> tuple[Array, NDArray[np.bool_], float]:
    """Return months of follow-up, who died, and the monthly hazard of leaving.

    The printed median is reached by one hazard of leaving, the same for all: that of the draws for
    a fixed cohort, that of an unlimited one else.
    """
    span = MONTHS * (float(values["last_month"]) - float(values["first_month"]))
    reach = MONTHS * (float(values["cutoff"]) - float(values["first_month"]))
    target = float(values["median_follow_up"])
    dying = float(values["death_per_month"])
    u = rng.random((3, n))
    window, leaves, dies = reach - span * u[0], -np.log1p(-u[1]), -np.log1p(-u[2]) / dying

    def excess(log_hazard: float) -> float:
        stop = np.minimum(window, leaves / np.exp(log_hazard))
        return float(np.median(np.minimum(stop, dies))) - target

    if fixed:
        hazard = float(np.exp(brentq(excess, np.log(1e-6), np.log(1.0), xtol=1e-13)))
    else:  # half are followed beyond the median: enrolled early enough, alive, and not lost
        early = min((reach - target) / span, 1.0)
        hazard = float(np.log(2.0 * early)) / target - dying
    stop = np.minimum(window, leaves / hazard)
    return np.minimum(stop, dies), dies < stop, hazard


def _kinds(
    treated: NDArray[np.bool_], values: Mapping[str, Any], rng: np.random.Generator
) -> NDArray[np.str_]:
    """Return what each patient had: none, or one of two kinds of additional treatment."""
    radical = rng.random(treated.size) < float(values["surgery_share"])
    return np.select([treated & radical, treated], ["radical", "endoscopic"], "none")


def _nodes(
    values: Mapping[str, Any],
    treated: NDArray[np.bool_],
    lvi: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Place the node metastases among the treated, those with invasion first."""
    order = np.lexsort((rng.random(treated.size), ~lvi, ~treated))
    found = np.zeros(treated.size, dtype=np.int64)
    found[order[: int(values["node_metastases"])]] = 1
    return found


def _hundredths(months: Array) -> Array:
    return np.asarray(np.rint(np.maximum(months, 0.01) * 100.0) / 100.0)
