"""The tests for small-study effects: three regressions and a rank correlation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from rnetstats._core.distributions import two_sided_p
from rnetstats.evidence.study_effects import StudyEffects, how_many
from rnetstats.kernels.kendall import inversion_distribution, kendall_score, kendall_variance

__all__ = [
    "COUNTS",
    "TESTS",
    "Row",
    "begg_row",
    "rank_correlation",
    "refused_row",
    "regression_row",
]

Floats: TypeAlias = NDArray[np.float64]
Row: TypeAlias = dict[str, Any]

COUNTS = ("events_1", "n_1", "events_2", "n_2")
_SPREAD = 1e-6  # relative: predictors closer together do not vary
_ALONE = "1 study: a rank correlation takes two"
_EXACT = 200  # studies up to which Kendall's distribution is counted out


@dataclass(frozen=True)
class Regression:
    """A weighted regression of effects on what grows as studies get smaller.

    Attributes
    ----------
    method : str
        In words.
    counts : bool
        Whether it needs counts, and odds ratios.
    what : str
        The predictor.
    terms : callable
        Response, predictor and weights from the studies.
    """

    method: str
    counts: bool
    what: str
    terms: Callable[[StudyEffects], tuple[Floats, Floats, Floats]]


def _egger(effects: StudyEffects) -> tuple[Floats, Floats, Floats]:
    """Effects on their standard errors: the slope is the intercept of the classic form."""
    return effects.coef, effects.std_error, effects.weights


def _harbord(effects: StudyEffects) -> tuple[Floats, Floats, Floats]:
    """Z/V on 1/sqrt(V), Z the efficient score of the log odds ratio at 0, V its information."""
    a, n1, c, n2 = _counts(effects)
    n, events = n1 + n2, a + c
    score = a - events * n1 / n
    information = n1 * n2 * events * (n - events) / (n**2 * (n - 1.0))
    return score / information, 1.0 / np.sqrt(information), information


def _peters(effects: StudyEffects) -> tuple[Floats, Floats, Floats]:
    """Effects on 1/n, weighted by the variance of the odds over both arms."""
    a, n1, c, n2 = _counts(effects)
    events = a + c
    return effects.coef, 1.0 / (n1 + n2), events * (n1 + n2 - events) / (n1 + n2)


TESTS = {
    "egger": Regression(
        "weighted regression on the standard error", False, "standard errors", _egger
    ),
    "harbord": Regression(
        "weighted regression of the score on its standard error", True, "information", _harbord
    ),
    "peters": Regression("weighted regression on 1/n", True, "sizes", _peters),
}


def regression_row(name: str, effects: StudyEffects, conf_level: float) -> Row:
    """Fit one of the regressions; its slope is the small-study effect."""
    test = TESTS[name]
    informative = _informative(effects) if test.counts else effects
    k = informative.k
    if k < 3:
        return refused_row(name, k, test.method, f"{how_many(k)}: a regression takes three")
    y, x, w = test.terms(informative)
    if np.ptp(x) <= _SPREAD * np.abs(x).max():
        return refused_row(name, k, test.method, f"the studies' {test.what} do not differ")
    intercept, slope, errors = _weighted_line(y, x, w)
    if not errors[1] > 0.0:
        return refused_row(name, k, test.method, "the effects lie on a line exactly")
    df = k - 2.0
    t = slope / errors[1]
    half = float(stdtrit(df, (1.0 + conf_level) / 2.0)) * errors[1]
    return {
        "test": name,
        "k": k,
        "estimate": slope,
        "conf_low": slope - half,
        "conf_high": slope + half,
        "std_error": errors[1],
        "statistic": t,
        "df": df,
        "p_value": 2.0 * float(stdtr(df, -abs(t))),
        "limit_estimate": intercept,
        "limit_std_error": errors[0],
        "method": test.method,
        "reason": "",
    }


def begg_row(ranks: pd.DataFrame, k: int) -> Row:
    """The rank correlation as a line of the table; its statistic is the score."""
    row = ranks.iloc[0]
    method = f"Kendall's tau of standardised effects and variances, {row['method']}"
    if math.isnan(row["kendall_tau"]):
        why = "the studies' variances or effects do not differ"
        return refused_row("begg", k, method, _ALONE if k == 1 else why)
    nothing = dict.fromkeys(("conf_low", "conf_high", "std_error", "df"), math.nan)
    limit = dict.fromkeys(("limit_estimate", "limit_std_error"), math.nan)
    return {
        "test": "begg",
        "k": k,
        "estimate": row["kendall_tau"],
        **nothing,
        "statistic": row["score"],
        "p_value": row["p_value"],
        **limit,
        "method": method,
        "reason": "",
    }


def rank_correlation(effects: StudyEffects) -> pd.DataFrame:
    """Correlate effects, less the common one and standardised, with their variances, by ranks.

    Returns
    -------
    DataFrame
        One row: ``kendall_tau`` (tau-b), ``score`` and its ``std_error``, ``z`` and ``p_normal``
        without continuity correction, ``z_continuity`` and ``p_continuity`` with one, ``p_exact``
        (missing with ties or above 200 studies), ``ties``, and ``p_value`` by ``method``: the exact
        one, else the normal one of Begg and Mazumdar, who correct nothing. Values that differ by
        rounding alone are ties.
    """
    v = np.square(effects.std_error)
    common = float((effects.weights * effects.coef).sum() / effects.weights.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(v - 1.0 / effects.weights.sum())
        deviates, most = (effects.coef - common) / error, np.abs(effects.coef / error).max()
    known = bool(np.isfinite(deviates).all())  # not so where one study has all the weight
    deviates = _levelled(deviates, most) if known else np.zeros_like(deviates)
    v, k = _levelled(v, v.max()), effects.k
    score, variance = kendall_score(deviates, v), kendall_variance(deviates, v)
    pairs = k * (k - 1) / 2.0
    tied = [_tied_pairs(values) for values in (deviates, v)]
    flat = not variance > 0.0
    spread = math.nan if flat else math.sqrt(variance)
    z = score / spread
    held = math.copysign(max(abs(score) - 1.0, 0.0), score) / spread
    p_exact = math.nan
    if not flat and not any(tied) and k <= _EXACT:
        p_exact = _exact_p(k, score)
    p_normal, p_held = (float(two_sided_p(value)) for value in (z, held))
    exact = not math.isnan(p_exact)
    root = math.sqrt((pairs - tied[0]) * (pairs - tied[1]))
    return pd.DataFrame(
        {
            "kendall_tau": [math.nan if flat else score / root],
            "score": [score],
            "std_error": [spread],
            "z": [z],
            "p_normal": [p_normal],
            "z_continuity": [held],
            "p_continuity": [p_held],
            "p_exact": [p_exact],
            "ties": [any(tied)],
            "p_value": [p_exact if exact else p_normal],
            "method": ["exact" if exact else "normal"],
        }
    )


def _exact_p(k: int, score: float) -> float:
    """Twice the smaller tail of the number of concordant pairs."""
    shares = inversion_distribution(k)
    concordant = round((k * (k - 1) / 2.0 + score) / 2.0)
    lower, upper = shares[: concordant + 1].sum(), shares[concordant:].sum()
    return float(min(1.0, 2.0 * min(lower, upper)))


def _levelled(values: Floats, most: float) -> Floats:
    """Values that differ by rounding alone, made equal; they come from numbers up to ``most``."""
    order = np.argsort(values)
    rising = values[order]
    first = np.append(True, ~(np.diff(rising) <= 1e-12 * np.abs(rising[1:]) + 1e-14 * most))
    level = np.empty_like(values)
    level[order] = rising[first][np.cumsum(first) - 1]
    return level


def _tied_pairs(values: Floats) -> float:
    counts = np.unique(values, return_counts=True)[1].astype(float)
    return float((counts * (counts - 1.0) / 2.0).sum())


def _weighted_line(y: Floats, x: Floats, w: Floats) -> tuple[float, float, Floats]:
    """Intercept, slope and their standard errors, the residual variance estimated."""
    total = w.sum()
    mx, my = float((w * x).sum() / total), float((w * y).sum() / total)
    sxx = float((w * (x - mx) ** 2).sum())
    slope = float((w * (x - mx) * (y - my)).sum() / sxx)
    left = w * (y - my - slope * (x - mx)) ** 2
    scale = float(left.sum()) / (len(y) - 2.0)
    noise = 1e-26 * float((w * np.square(y)).sum())
    variance = 0.0 if scale <= noise else scale
    errors = np.sqrt(variance * np.array([1.0 / total + mx**2 / sxx, 1.0 / sxx]))
    return my - slope * mx, slope, errors


def _counts(effects: StudyEffects) -> list[Floats]:
    return [effects.studies[name].to_numpy(dtype=float) for name in COUNTS]


def _informative(effects: StudyEffects) -> StudyEffects:
    """The studies with both events and others."""
    a, n1, c, n2 = _counts(effects)
    keep = (a + c > 0.0) & (a + c < n1 + n2) & (n1 > 0) & (n2 > 0)
    return StudyEffects(
        effects.studies[keep].reset_index(drop=True),
        effects.coef[keep],
        effects.std_error[keep],
        effects.left_out + int((~keep).sum()),
    )


def refused_row(name: str, k: int, method: str, reason: str) -> Row:
    """The row of a test that is not done."""
    names = ("estimate", "conf_low", "conf_high", "std_error", "statistic", "df", "p_value")
    missing = dict.fromkeys((*names, "limit_estimate", "limit_std_error"), math.nan)
    return {"test": name, "k": k, **missing, "method": method, "reason": reason}
