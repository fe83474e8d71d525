"""Models of which calculators are made in the tests, and random patients for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import rnetstats as rn

HOSTILE = '<img src=x onerror=alert(1)> & "it\'s" \\ é'

GOOD = {
    "auc": {"apparent": 0.72, "corrected": 0.70, "conf_low": 0.65, "conf_high": 0.75},
    "slope": {"apparent": 1.0, "corrected": 0.93},
    "intercept": {"apparent": 0.0, "corrected": -0.02},
    "ici": {"apparent": 0.01, "corrected": 0.012, "conf_low": 0.005, "conf_high": 0.03},
}
GOOD_SURVIVAL = {
    "c": {"apparent": 0.70, "corrected": 0.68, "conf_low": 0.61, "conf_high": 0.75},
    "slope": {"apparent": 1.0, "corrected": 0.9},
    "oe": {"apparent": 1.0, "corrected": 1.05},
    "ici": {"apparent": 0.004, "corrected": 0.006},
}


@cache
def cohort() -> pd.DataFrame:
    """The synthetic cohort, with a text column of awkward names beside it."""
    data = rn.load_cohort("duan2024").copy()
    rng = np.random.default_rng(4)
    data["unit"] = rng.choice(["plain", HOSTILE, "it's", "a=b, c=d"], len(data))
    data["stage"] = rng.choice([1, 2, 3], len(data))
    data["centre size"] = rng.choice([2.5, 10.0, 40.0], len(data))
    data["__proto__"] = rng.normal(100.0, 15.0, len(data))
    return data


def duan_draws() -> rn.RiskModel:
    """Factors, a spline and a condition; FLIC with limits by the bootstrap."""
    fit = rn.logistic(
        cohort(),
        "margin_positive ~ method + location + rcs(size_mm, 3) + I(nlr > 4.44)",
        ci="wald",
    )
    return rn.risk_model(fit, resamples=200, seed=1).with_performance(GOOD)


def interactions() -> rn.RiskModel:
    """Both kinds of spline, logarithms, products of all kinds; Wald limits."""
    formula = (
        "margin_positive ~ sex * lvi * age + C(stage):rcs(size_mm, 3) + C(stage) "
        "+ rcs(size_mm, 3) + rcs(log(nlr), 4) + C(stage):I(nlr >= 3) + I(nlr >= 3)"
        " + I(location != 'lower')"
    )
    fit = rn.logistic(cohort(), formula, ci="wald")
    return rn.risk_model(fit).with_performance(GOOD)


def awkward() -> rn.RiskModel:
    """Hostile names and levels, an offset of a logarithm, FLAC, resamples."""
    fit = rn.logistic(
        cohort(),
        "margin_positive ~ unit + ns(`__proto__`, 2) + lvi + offset(log(`centre size`))",
        ci="wald",
    )
    model = rn.risk_model(fit, intercept="flac", resamples=60, seed=2, conf_level=0.9)
    return model.with_performance(GOOD)


def cox_wald() -> rn.RiskModel:
    """A Cox model at 36 months, limits from the log cumulative hazard."""
    fit = rn.cox(
        cohort(), "Surv(dfs_months, dfs_event) ~ rcs(size_mm, 3) + age + margin_positive + sex"
    )
    return rn.risk_model(fit, horizon=36).with_performance(GOOD_SURVIVAL)


def cox_strata() -> rn.RiskModel:
    """A baseline hazard for each crossing of two columns, limits by the bootstrap."""
    fit = rn.cox(cohort(), "Surv(dfs_months, dfs_event) ~ size_mm + age + strata(sex, unit)")
    return rn.risk_model(fit, horizon=60, resamples=50, seed=3).with_performance(GOOD_SURVIVAL)


def cox_stratum_wald() -> rn.RiskModel:
    """Strata of one numeric column, an offset, Wald limits."""
    fit = rn.cox(cohort(), "Surv(dfs_months, dfs_event) ~ size_mm + strata(stage) + offset(lvi)")
    return rn.risk_model(fit, horizon=48).with_performance(GOOD_SURVIVAL)


def published() -> rn.RiskModel:
    """Printed coefficients with a covariance; one variable without a range."""
    return rn.RiskModel.from_coefficients(
        "recurrence ~ grade + rcs(size_mm, knots=[5, 10, 15, 30]) + I(site == 'colon') "
        "+ x + grade:x",
        {
            "grade": {"G2": 0.7, "G3": 1.9},
            "rcs(size_mm, knots=[5, 10, 15, 30])": [0.08, -0.3, 0.9],
            "I(site == 'colon')": 0.4,
            "x": -0.02,
            "grade:x": [0.01, 0.03],
        },
        intercept=-3.1,
        levels={"grade": ["G1", "G2", "G3"], "site": ["rectum", "colon", "ileum"]},
        ranges={"size_mm": (1, 60)},
        centre={"x": 3.0},
        covariance=0.01 * (np.eye(10) + 0.3),
        source="A printed table",
    ).with_performance({**GOOD, "ici": {"corrected": 0.01}})


def published_cox() -> rn.RiskModel:
    """Hazard ratios and a baseline survival as printed; no limits."""
    return rn.RiskModel.from_coefficients(
        "Surv(months, death) ~ nodes + ns(age, knots=[50, 60], boundary=[30, 80]) + lvi",
        {
            "nodes": 1.12,
            "ns(age, knots=[50, 60], boundary=[30, 80])": [1.5, 0.8, 2.2],
            "lvi": 1.8,
        },
        scale="ratio",
        baseline_survival=0.9,
        horizon=60,
        ranges={"age": (25, 90), "nodes": (0, 20)},
        levels={"lvi": (0, 1)},
        centre={"nodes": 2},
    ).with_performance({**GOOD_SURVIVAL, "ici": {"corrected": 0.01}})


MODELS: dict[str, Callable[[], rn.RiskModel]] = {
    make.__name__: make
    for make in (
        duan_draws,
        interactions,
        awkward,
        cox_wald,
        cox_strata,
        cox_stratum_wald,
        published,
        published_cox,
    )
}


@cache
def made(name: str) -> rn.RiskModel:
    return MODELS[name]()


def patients(model: rn.RiskModel, n: int = 200, seed: int = 11) -> pd.DataFrame:
    """Random patients: most inside the domain; some outside, some with a value missing."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for name, about in model.variables.items():
        if about.get("stratum"):
            columns[name] = rng.choice(np.array(_strata_levels(name), dtype=object), n)
        elif about.get("values"):
            levels = list(about["values"])
            text = isinstance(levels[0], str)
            odd = 'it\'s "new"\t\u200b' if text else 7.25
            values = rng.choice(np.array([*levels, odd], dtype=object), n, p=_shares(len(levels)))
            columns[name] = values if text else values.astype(float)
        else:
            low, high = float(about.get("low", -3.0)), float(about.get("high", 9.0))
            middle, spread = 0.5 * (low + high), 0.5 * (high - low)
            values = middle + spread * rng.uniform(-1.0, 1.0, n)
            far = rng.random(n) < 0.04
            values[far] = high + spread * rng.random(far.sum())
            values[: n // 10] = np.round(values[: n // 10])
            columns[name] = np.clip(values, low, None) if low > 0 else values
    table = pd.DataFrame(columns)
    for name in table:
        table.loc[rng.random(n) < 0.02, name] = None
    return table


def _shares(count: int) -> list[float]:
    return [*[0.97 / count] * count, 0.03]


def _strata_levels(name: str) -> list[Any]:
    values = [v for v in cohort()[name].unique().tolist() if v is not None]
    return [*values, "elsewhere" if isinstance(values[0], str) else 9]
