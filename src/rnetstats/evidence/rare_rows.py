"""Pooled effects without random effects: crude, Mantel-Haenszel, Peto, exact."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from rnetstats._core.distributions import chi_square_p, normal_quantile, two_sided_p
from rnetstats.kernels.mantel_haenszel import (
    TablePooled,
    Tables,
    mantel_haenszel,
    peto,
)
from rnetstats.kernels.table_tests import homogeneity_tests
from rnetstats.tables.exact_family import (
    CountFamily,
    binomial_family,
    hypergeometric_family,
)
from rnetstats.tables.exact_inference import exact_p_values, one_sided_limits
from rnetstats.tables.two_proportions import miettinen_nurminen_limits, score_z

__all__ = ["EMPTY_ARM", "RareRow", "closed_rows", "informative", "wald_row", "why_not_finite"]

NO_EVENT = "no event in arm {arm} of any study: the ratio has no finite estimate"
NO_OTHER = "only events in arm {arm} of every study: the ratio has no finite estimate"
EMPTY_ARM = "an arm has no event, or nothing else, in any study: no standard error"
SCORE = "limits and P by Miettinen and Nurminen's score, as an arm has no event, or nothing else"
NOTHING = "no study with an event, and without one, tells of a ratio"
_MOST_EXACT = 200_000  # counts in all studies together


@dataclass(frozen=True)
class RareRow:
    """A pooled effect on the scale of analysis: the log of a ratio, or a difference.

    Attributes
    ----------
    method : str
        A key of ``METHODS``.
    coef, std_error, low, high, p_value : float
        Wald's, or exact.
    profile_low, profile_high, p_lr : float
        By the likelihood, where there is one.
    tau2, rho : float
        Variance between studies, or intraclass correlation.
    statistic, df, p_heterogeneity : float
        The test of equal effects.
    k : int
        Studies that it rests on.
    note : str
    """

    method: str
    coef: float = math.nan
    std_error: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    profile_low: float = math.nan
    profile_high: float = math.nan
    p_lr: float = math.nan
    tau2: float = math.nan
    rho: float = math.nan
    statistic: float = math.nan
    df: float = math.nan
    p_heterogeneity: float = math.nan
    k: int = 0
    note: str = ""


def informative(t: Tables) -> Tables:
    """Return the studies with an event and a non-event, which alone tell of an odds ratio."""
    events = t.a + t.c
    some = (events > 0) & (events < t.n)
    return Tables(t.a[some], t.n1[some], t.c[some], t.n2[some])


def wald_row(method: str, coef: float, std_error: float, conf_level: float, k: int) -> RareRow:
    """A row with Wald limits; an estimate without a standard error has neither limits nor P."""
    if not math.isfinite(coef) or not std_error > 0.0:
        return RareRow(method, coef=coef, k=k)
    half = normal_quantile(conf_level) * std_error
    return RareRow(
        method,
        coef=coef,
        std_error=std_error,
        low=coef - half,
        high=coef + half,
        p_value=float(two_sided_p(coef / std_error)),
        k=k,
    )


def closed_rows(t: Tables, measure: str, conf_level: float) -> list[RareRow]:
    """Crude, Mantel-Haenszel and, of ratios, Peto and exact estimates."""
    total = Tables(*(x.sum(keepdims=True) for x in (t.a, t.n1, t.c, t.n2)))
    crude = mantel_haenszel(total, measure, variance="greenland-robins")
    own, k = informative(t), len(t.a)
    weighing = k if measure == "RD" else len((own if measure == "OR" else _with_event(t)).a)
    rows = [
        _pooled_row("crude", crude, conf_level, k, t),
        _pooled_row("mantel-haenszel", mantel_haenszel(t, measure), conf_level, weighing, t),
    ]
    if measure == "RD" and _one_empty(total):
        rows = [_score_row(rows[0], total, conf_level), _bare(rows[1])]
    if measure == "OR":
        rows[1] = _with_test(rows[1], *_tarone(t, rows[1].coef))
        rows.append(_pooled_row("peto", peto(t), conf_level, len(own.a), t))
        rows[2] = _with_test(rows[2], *_peto_test(own, rows[2].coef))
    if measure in ("OR", "RR"):
        rows.append(_exact_row(own, measure, conf_level))
    return rows


def _one_empty(total: Tables) -> bool:
    """Whether one arm has no event, or nothing else, and the other has both or the opposite."""
    a, b, c, d = (float(x[0]) for x in (total.a, total.b, total.c, total.d))
    return 0.0 in (a, b, c, d) and not (a == c == 0.0 or b == d == 0.0)


def _score_row(row: RareRow, total: Tables, conf_level: float) -> RareRow:
    """The crude difference with limits that hold where an arm has no event."""
    a, n1, c, n2 = (float(x[0]) for x in (total.a, total.n1, total.c, total.n2))
    low, high = miettinen_nurminen_limits(a, n1, c, n2, conf_level)
    p = float(two_sided_p(score_z(a, n1, c, n2, 0.0)))
    return replace(_bare(row), low=float(low), high=float(high), p_value=p, note=SCORE)


def _bare(row: RareRow) -> RareRow:
    """An estimate without what Wald's variance gives."""
    none = dict.fromkeys(("std_error", "low", "high", "p_value"), math.nan)
    return replace(row, **none, note=EMPTY_ARM)  # type: ignore[arg-type]


def _with_event(t: Tables) -> Tables:
    some = t.a + t.c > 0
    return Tables(t.a[some], t.n1[some], t.c[some], t.n2[some])


def _pooled_row(method: str, found: TablePooled, conf_level: float, k: int, t: Tables) -> RareRow:
    row = wald_row(method, float(found.coef), float(found.std_error), conf_level, k)
    if math.isfinite(row.std_error):
        return row
    if row.coef == 0.0:
        return replace(row, note="no event (or nothing else) in either arm: no standard error")
    return replace(row, note=why_not_finite(t))


def why_not_finite(t: Tables) -> str:
    """Why a ratio has no finite estimate, "" if it has."""
    if not ((t.a + t.c > 0) & (t.b + t.d > 0)).any():
        return NOTHING
    for words, cells in ((NO_EVENT, (t.a, t.c)), (NO_OTHER, (t.b, t.d))):
        for arm, counts in zip("12", cells, strict=True):
            if not counts.any():
                return words.format(arm=arm)
    return ""


def _with_test(row: RareRow, statistic: float, df: float) -> RareRow:
    if not df >= 1.0 or math.isnan(statistic):
        return row
    return replace(row, statistic=statistic, df=df, p_heterogeneity=_p(statistic, df))


def _p(statistic: float, df: float) -> float:
    return float(chi_square_p(statistic, df))


def _tarone(t: Tables, coef: float) -> tuple[float, float]:
    found = homogeneity_tests(t, coef)
    return float(found.tarone), float(found.df)


def _peto_test(own: Tables, coef: float) -> tuple[float, float]:
    found = peto(Tables(*(x[:, None] for x in (own.a, own.n1, own.c, own.n2))))
    return float((found.weights[:, 0] * (found.coef - coef) ** 2).sum()), len(own.a) - 1.0


def _exact_row(own: Tables, measure: str, conf_level: float) -> RareRow:
    """The conditional law of the events in arm 1 over all studies, one effect for all."""
    if not len(own.a):
        return RareRow("exact", note=NOTHING)
    if float(np.minimum(own.n1, own.a + own.c).sum()) > _MOST_EXACT:
        return RareRow("exact", k=len(own.a), note="too many events for an exact law")
    family, count = _family(own, measure), int(own.a.sum())
    coef = family.mle(count)
    limits = one_sided_limits(family, count, (1.0 - conf_level) / 2.0)
    p = exact_p_values(family, count, 0.0)["central"]
    return RareRow(
        "exact",
        coef=coef,
        low=limits.low,
        high=limits.high,
        p_value=float(p),
        k=len(own.a),
        note="" if math.isfinite(coef) else "one-sided: the estimate is not finite",
    )


def _family(own: Tables, measure: str) -> CountFamily:
    """Fold the studies' laws together, the smallest first."""
    low, weights = 0, np.zeros(1)
    order = np.argsort(own.a + own.c, kind="stable")
    for n1, n2, events in zip(own.n1[order], own.n2[order], (own.a + own.c)[order], strict=True):
        if measure == "OR":
            one = hypergeometric_family(int(n1), int(n2), int(events))
        else:  # Poisson: given their sum, the events of arm 1 are binomial
            one = binomial_family(int(events))
            shift = math.log(n1 / n2) * np.arange(len(one.log_weight))
            one = CountFamily(one.low, one.log_weight + shift)
        low, weights = low + one.low, _folded(weights, one.log_weight)
    return CountFamily(low, weights)


def _folded(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Logs of a convolution; the logs keep tails that products would lose."""
    long, short = (first, second) if len(first) >= len(second) else (second, first)
    total = np.full(len(long) + len(short) - 1, -np.inf)
    for start in range(0, len(short), 256):
        part = short[start : start + 256]
        sums = np.full((len(part), len(long) + len(part) - 1), -np.inf)
        for i, weight in enumerate(part):
            sums[i, i : i + len(long)] = long + weight
        inside = slice(start, start + sums.shape[1])
        total[inside] = np.logaddexp(total[inside], logsumexp(sums, axis=0))
    return np.asarray(total - total.max())
