"""Drawing patients with liver metastases: selected and late treatment, truncated intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from rnetstats.simulation.drawers import Draw
from rnetstats.simulation.nelm2024_truth import coefficients, estimands, interval_law, quantities

__all__ = ["draw", "seen_intervals"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
TYPES = ("I", "II", "III")


def draw(values: Mapping[str, Any], seed: int, fixed: bool) -> Draw:
    """Draw one cohort.

    Parameters
    ----------
    values : mapping
        As in ``cohort.toml``, under one truth.
    seed : int
    fixed : bool
        Meet the printed totals; else countries, primaries and timing are drawn with their shares.
    """
    who, types, resections, course, after = np.random.default_rng(seed).spawn(5)
    rectum, asynchronous, japan = _patients(values, who, fixed)
    n = rectum.size
    grade2 = _grade(values, rectum, asynchronous, who, fixed)
    disseminated, kind = _types(values, rectum, asynchronous, types)
    frailty = float(values["frailty"]) * types.standard_normal(n)
    interval, window = _intervals(values, rectum, asynchronous, resections)
    primary_at = _resection(values, "primary", frailty, resections)
    primary_at = np.where(asynchronous, 0.0, primary_at)  # resected before metastases were found
    liver_at = _resection(values, "liver", frailty + disseminated, resections)
    death_at = _death(values, frailty, disseminated, primary_at, liver_at, course)
    end = course.uniform(6.0, float(values["follow_up_after"]), n)
    months = _tenths(np.minimum(death_at, end))
    dead = death_at <= end
    primary_at, liver_at = (_seen(at, months) for at in (primary_at, liver_at))
    followed = japan & (after.random(n) < float(values["rules_followed_japan"]))
    relapse_months, relapse = _relapse(values, followed, liver_at, months, dead, after)
    data = pd.DataFrame(
        {
            "patient_id": [f"M{i:03d}" for i in range(1, n + 1)],
            "country": np.where(japan, "Japan", "China"),
            "rules_followed": followed.astype(int),
            "primary": np.where(rectum, "rectum", "pancreas"),
            "age": np.rint(np.clip(who.normal(57.0, 11.0, n), 20, 85)),
            "grade": np.where(grade2, "G2", "G1"),
            "timing": np.where(asynchronous, "asynchronous", "synchronous"),
            "metastasis_type": np.array(TYPES)[kind],
            "interval_months": _tenths(interval),
            "window_months": np.where(np.isnan(window), np.nan, np.ceil(10.0 * window) / 10.0),
            "primary_resected": (~np.isnan(primary_at)).astype(int),
            "primary_resection_months": primary_at,
            "liver_resected": (~np.isnan(liver_at)).astype(int),
            "liver_resection_months": liver_at,
            "relapse_months": relapse_months,
            "relapse": relapse,
            "os_months": months,
            "death": dead.astype(int),
        }
    )
    return Draw(
        data=data,
        latent=pd.DataFrame({"death_months": death_at, "log_frailty": frailty}),
        quantities=quantities(values, data, fixed=fixed),
        coefficients=coefficients(values),
        estimands=estimands(values),
    )


def _patients(
    values: Mapping[str, Any], rng: np.random.Generator, fixed: bool
) -> tuple[Flags, Flags, Flags]:
    """Return who has a rectal primary, asynchronous metastases, and lives in Japan."""
    rectum, pancreas = int(values["rectum"]), int(values["pancreas"])
    late = {
        "rectum": int(values["asynchronous_rectum"]),
        "pancreas": int(values["asynchronous_pancreas"]),
    }
    n = rectum + pancreas
    is_rectum = np.arange(n) < rectum
    place = np.where(is_rectum, np.arange(n), np.arange(n) - rectum)
    is_late = place < np.where(is_rectum, late["rectum"], late["pancreas"])
    in_japan = np.arange(n) < int(values["japan"])
    if not fixed:
        is_rectum = rng.random(n) < rectum / n
        share = np.where(is_rectum, late["rectum"] / rectum, late["pancreas"] / pancreas)
        is_late = rng.random(n) < share
        in_japan = rng.random(n) < int(values["japan"]) / n
    order = rng.permutation(n)
    return is_rectum[order], is_late[order], rng.permutation(in_japan)


def _grade(
    values: Mapping[str, Any],
    rectum: Flags,
    asynchronous: Flags,
    rng: np.random.Generator,
    fixed: bool,
) -> Flags:
    """Return who has G2; of the asynchronous rectal ones the printed number."""
    grade2 = rng.random(rectum.size) < float(values["g2_share"])
    group = np.flatnonzero(rectum & asynchronous)
    count = int(values["asynchronous_rectum_g2"])
    if fixed:
        grade2[group] = rng.permutation(np.arange(group.size) < count)
    else:
        grade2[group] = rng.random(group.size) < count / int(values["asynchronous_rectum"])
    return grade2


def _types(
    values: Mapping[str, Any], rectum: Flags, asynchronous: Flags, rng: np.random.Generator
) -> tuple[Flags, NDArray[np.int64]]:
    """Return who has disseminated metastases (type III), and the type of each."""
    one, two, three = values["type_shares"]
    log_odds = np.log(three / (1.0 - three)) + float(values["rectal_type_iii"]) * (
        rectum & asynchronous
    )
    disseminated = rng.random(rectum.size) < expit(log_odds)
    other = (rng.random(rectum.size) < two / (one + two)).astype(np.int64)
    return disseminated, np.where(disseminated, 2, other)


def seen_intervals(
    values: Mapping[str, Any], primary: str, n: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw intervals that were seen, with their windows.

    A window is uniform up to the longest; an interval is seen if it is shorter than its window.
    Windows of those seen are drawn by inversion of their distribution, which is in proportion to
    the chance of being seen; the interval then from its law up to the window.
    """
    law = interval_law(values, primary)
    grid = np.linspace(0.0, float(values["longest_window"]), 4001)
    chance = law.cdf(grid)
    area = np.concatenate([[0.0], np.cumsum(0.5 * (chance[1:] + chance[:-1]))])
    window = np.interp(rng.random(n) * area[-1], area, grid)
    interval = law.ppf(np.maximum(rng.random(n), 1e-12) * law.cdf(window))
    return np.asarray(interval), np.asarray(window)


def _intervals(
    values: Mapping[str, Any], rectum: Flags, asynchronous: Flags, rng: np.random.Generator
) -> tuple[Array, Array]:
    interval = np.full(rectum.size, np.nan)
    window = np.full(rectum.size, np.nan)
    for primary, group in (("pancreas", ~rectum), ("rectum", rectum)):
        who = group & asynchronous
        interval[who], window[who] = seen_intervals(values, primary, int(who.sum()), rng)
    return interval, window


def _resection(
    values: Mapping[str, Any], what: str, risk: Array, rng: np.random.Generator
) -> Array:
    """Return the month of a resection, infinite for none; patients at lower risk are chosen."""
    share = float(values[f"{what}_resected_share"])
    odds = np.log(share / (1.0 - share)) - risk / float(values["selection"])
    chosen = rng.random(risk.size) < expit(odds)
    delay = rng.exponential(float(values[f"{what}_delay"]), risk.size)
    return np.where(chosen, delay, np.inf)


def _death(
    values: Mapping[str, Any],
    frailty: Array,
    disseminated: Flags,
    primary_at: Array,
    liver_at: Array,
    rng: np.random.Generator,
) -> Array:
    """Return the time of death under a hazard that changes at each resection."""
    base = np.log(float(values["death_per_month"])) + frailty
    base = base + float(values["type_iii_death"]) * disseminated
    first, second = np.minimum(primary_at, liver_at), np.maximum(primary_at, liver_at)
    effect = np.where(
        primary_at <= liver_at, float(values["primary_effect"]), float(values["liver_effect"])
    )
    both = float(values["primary_effect"]) + float(values["liver_effect"])
    rate = np.exp(np.stack([base, base + effect, base + both]))
    left = rng.exponential(1.0, frailty.size)
    with np.errstate(invalid="ignore"):  # no resection at all: infinite less infinite
        spent_first = rate[0] * first
        spent_second = spent_first + rate[1] * (second - first)
        spent_second = np.where(np.isinf(first), np.inf, spent_second)
        late = second + (left - spent_second) / rate[2]
        middle = first + (left - spent_first) / rate[1]
    early = left / rate[0]
    dies: Array = np.where(left < spent_first, early, np.where(left < spent_second, middle, late))
    return dies


def _seen(at: Array, months: Array) -> Array:
    """Return the month of a resection within follow-up, in tenths; missing without one."""
    rounded = np.floor(10.0 * np.where(np.isinf(at), np.nan, at)) / 10.0
    return np.where(rounded < months, rounded, np.nan)


def _tenths(months: Array) -> Array:
    return np.asarray(np.maximum(np.floor(10.0 * months), 1.0) / 10.0)


def _relapse(
    values: Mapping[str, Any],
    followed: Flags,
    liver_at: Array,
    months: Array,
    dead: Flags,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Return months to relapse or death after hepatectomy, and the event; relapse is found late.

    A relapse is found at the first visit after it; who is seen more rarely is found later.
    """
    onset = rng.exponential(1.0 / float(values["relapse_per_month"]), followed.size)
    every = np.where(followed, float(values["visits_followed"]), float(values["visits_else"]))
    found = np.ceil(onset / every) * every
    left = months - liver_at
    relapsed = found < left
    time = np.round(np.where(relapsed, found, left), 1)
    event = np.where(relapsed | dead, 1.0, 0.0)
    event = np.where(np.isnan(liver_at), np.nan, event)
    return np.where(np.isnan(liver_at), np.nan, np.maximum(time, 0.1)), event
