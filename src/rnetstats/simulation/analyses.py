"""The analyses whose operating characteristics are reported, on one cohort's recorded arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from rnetstats.kernels.ranks import logrank_chi2, logrank_scores, logrank_table, subset_sums
from rnetstats.kernels.risksets import RiskSets, prepare
from rnetstats.simulation.answers import (
    NO_ANSWER,
    Answer,
    cox_answers,
    logistic_answers,
    place,
)
from rnetstats.simulation.margin_limits import PUBLISHED_TERMS, design
from rnetstats.simulation.population import Targets as Totals
from rnetstats.simulation.recipe import MONTH_DAYS, Recipe
from rnetstats.simulation.truth import true_values
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.limits import transformed_limits
from rnetstats.survival.product_limit import product_limit

__all__ = ["HORIZON", "PERMUTATIONS", "Key", "analyse", "target_values"]

Array = NDArray[np.float64]
Key = tuple[str, str, str]
"""(analysis, what is estimated, method)."""
Targets = Mapping[tuple[str, str], float]
"""True values by (analysis, what is estimated)."""

HORIZON = 72.0
PERMUTATIONS = 199
"""Enough for a level of exactly 5 %: (1 + 9) / (1 + 199); more would add a little power."""

_MARGIN = "positive margin, published cut-offs (logistic)"
_SEEN = "recurrence seen (logistic)"
_COX = "time to recurrence (Cox)"
_ADJUSTED = "time to recurrence, adjusted, salvage time-dependent (Cox)"
_RANK = "time to recurrence (log-rank)"
_CURVE = "Kaplan-Meier at 72 months"
_EFFECT = "positive margin"
_CURVES = (
    ("free of recurrence, negative margin", "recurrence", 0),
    ("free of recurrence, positive margin", "recurrence", 1),
    ("DFS, positive margin", "dfs_event", 1),
)


def target_values(recipe: Recipe, truth: str, totals: Totals) -> dict[tuple[str, str], float]:
    """Return what each analysis tends to in an unlimited cohort: log ratios, or survival.

    The models of the margin, of recurrence seen and of the unadjusted hazard have least-false
    values; the adjusted Cox model is the generating one. For the log-rank test it is the least
    false log hazard ratio, zero where the hypothesis is true.
    """
    table, effects = true_values(recipe, truth, totals), recipe.truth(truth)
    endpoint = "time to recurrence"
    log_hazard = np.log(table.value("positive against negative margin", endpoint=endpoint))
    margin = sum(t.coefficient for t in effects.recurrence if t.variable == "margin_positive")
    values = {
        (_MARGIN, term): float(np.log(table.value("margin model, published", term)))
        for term in PUBLISHED_TERMS
    }
    odds = table.value("recurrence seen, positive against negative")
    values[_SEEN, _EFFECT] = float(np.log(odds))
    values[_COX, _EFFECT] = values[_RANK, _EFFECT] = float(log_hazard)
    values[_ADJUSTED, _EFFECT] = margin
    values[_ADJUSTED, "salvage"] = effects.endoscopic
    for label, event, group in _CURVES:
        name = "disease-free survival" if event == "dfs_event" else endpoint
        where = "margin positive" if group else "margin negative"
        values[_CURVE, label] = table.value("survival", where, HORIZON, name)
    return {key: 0.0 if abs(value) < 1e-9 else value for key, value in values.items()}


def analyse(
    arrays: Mapping[str, Array],
    rng: np.random.Generator,
    targets: Targets,
    *,
    absolute: bool = True,
) -> Iterator[tuple[Key, Answer]]:
    """Run every analysis on one cohort.

    Parameters
    ----------
    arrays : mapping of (n,) arrays
        From :func:`rnetstats.simulation.observed.observed_arrays`.
    rng : numpy Generator
        For the permutations.
    targets : mapping
        From :func:`target_values`.
    absolute : bool
        Survival probabilities too, not relative effects alone.

    Yields
    ------
    key, answer
        Of a test the estimate is its P value, and the places are missing.
    """
    yield from _margin_model(arrays, targets)
    margin, event = arrays["margin_positive"], arrays["recurrence"]
    found = logistic_answers(margin[:, None] > 0, event > 0, [targets[_SEEN, _EFFECT]])
    for method, (answer,) in found.items():
        yield (_SEEN, _EFFECT, method), answer
    sets = prepare(None, arrays["dfs_months"], event)
    found = cox_answers(margin[:, None], sets, [0], [targets[_COX, _EFFECT]])
    for method, (answer,) in found.items():
        yield (_COX, _EFFECT, method), answer
    yield from _adjusted(arrays, targets)
    yield from _logrank(arrays, sets, rng)
    if absolute:
        yield from _curves(arrays, targets)


def _margin_model(arrays: Mapping[str, Array], targets: Targets) -> Iterator[tuple[Key, Answer]]:
    keep = arrays["method"] <= 2
    columns = {name: arrays[name][keep] for name in ("method", "location", "nlr", "size_mm")}
    flags = design(columns, PUBLISHED_TERMS)[:, 1:] > 0
    wanted = [targets[_MARGIN, term] for term in PUBLISHED_TERMS]
    found = logistic_answers(flags, arrays["margin_positive"][keep] > 0, wanted)
    for method, answers in found.items():
        for term, answer in zip(PUBLISHED_TERMS, answers, strict=True):
            yield (_MARGIN, term, method), answer


def _adjusted(arrays: Mapping[str, Array], targets: Targets) -> Iterator[tuple[Key, Answer]]:
    """Split follow-up at salvage, and adjust for what the generating hazard depends on."""
    stop, event = arrays["dfs_months"], arrays["recurrence"]
    at = arrays["salvage_days"] / MONTH_DAYS
    treated = np.isfinite(at)
    begins = np.concatenate([np.zeros(stop.size), at[treated]])
    ends = np.concatenate([np.where(treated, at, stop), stop[treated]])
    events = np.concatenate([np.where(treated, 0.0, event), event[treated]])
    now = np.concatenate([np.zeros(stop.size), np.ones(int(treated.sum()))])
    names = ("margin_positive", "size_mm", "grade", "lvi")
    fixed = np.column_stack([arrays[name] for name in names])
    X = np.column_stack([np.vstack([fixed, fixed[treated]]), now])
    estimands = (_EFFECT, "salvage")
    wanted = [targets[_ADJUSTED, name] for name in estimands]
    for method, answers in cox_answers(X, prepare(begins, ends, events), [0, 4], wanted).items():
        for name, answer in zip(estimands, answers, strict=True):
            yield (_ADJUSTED, name, method), answer


def _logrank(
    arrays: Mapping[str, Array], sets: RiskSets, rng: np.random.Generator
) -> Iterator[tuple[Key, Answer]]:
    member = arrays["margin_positive"] > 0
    keys = ((_RANK, _EFFECT, "asymptotic"), (_RANK, _EFFECT, "permutation"))
    if not sets.n_times:
        yield from ((key, NO_ANSWER) for key in keys)
        return
    statistic, df = logrank_chi2(logrank_table(sets, member.astype(int), 2))
    yield keys[0], Answer(float(chi2.sf(statistic, df)), np.nan, np.nan)
    scores = logrank_scores(sets)
    sums = subset_sums(rng, scores, int(member.sum()), PERMUTATIONS)
    reached = int(np.count_nonzero(np.abs(sums) >= abs(scores[member].sum()) - 1e-9))
    yield keys[1], Answer((1 + reached) / (1 + PERMUTATIONS), np.nan, np.nan)


def _curves(arrays: Mapping[str, Array], targets: Targets) -> Iterator[tuple[Key, Answer]]:
    """Limits just before the horizon: times are recorded in completed tenths of a month."""
    for label, event, group in _CURVES:
        rows, target = arrays["margin_positive"] == group, targets[_CURVE, label]
        fit = product_limit(arrays["dfs_months"][rows], arrays[event][rows] > 0)
        k = int(np.searchsorted(fit.time, HORIZON, side="left"))
        estimate = float(fit.survival[k - 1])
        for name in ("plain", "log", "log-log"):
            low, high = transformed_limits(
                fit.survival[k - 1 : k], fit.log_variance[k - 1 : k], name, 0.95
            )
            at = place(float(low[0]), float(high[0]), target)
            yield (_CURVE, label, name), Answer(estimate, at, np.nan)
        # times without an event leave the product unchanged; the last one says who is left
        kept = np.append(np.flatnonzero(fit.n_event[: k - 1]), k - 1)
        risk, happened = fit.n_risk[kept], fit.n_event[kept]
        low, high = beta_product_limits(risk, happened, risk - happened - fit.n_censor[kept])
        at = place(float(low[-1]), float(high[-1]), target)
        yield (_CURVE, label, "bpcp"), Answer(estimate, at, np.nan)
