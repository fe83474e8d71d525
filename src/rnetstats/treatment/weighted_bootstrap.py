"""A weighted comparison brought together: estimates, the bootstrap, counts and reasons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.options import level
from rnetstats._core.random import resolve_seed
from rnetstats._core.resamples import checked_resamples
from rnetstats.treatment.draws import Draws, few_events, patient_counts
from rnetstats.treatment.score_rows import ESTIMAND_WORDS
from rnetstats.treatment.weighted_outcome import WeightedRows
from rnetstats.treatment.weighted_result import Measures, WeightedEffectResult, effect_table

if TYPE_CHECKING:
    from rnetstats.treatment.weighted_comparisons import WeightedComparisons

__all__ = ["resampled", "weighted_result"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Statistic = Callable[[Floats, Floats], Floats]
"""Counts (b, m) and weights (b, m) of the outcome's rows to measures (b, k)."""


def resampled(
    rows: WeightedRows,
    statistic: Statistic,
    measures: int,
    *,
    resamples: int,
    seed: int,
    event: Flags | None = None,
) -> Draws:
    """Draw patients, refit the score, weight and estimate again.

    Parameters
    ----------
    rows : WeightedRows
    statistic : callable
        Counts and weights (b, m) of the outcome's rows to values (b, k); missing where there is
        no estimate.
    measures : int
        k.
    resamples, seed : int
    event : bool array of shape (m,), optional
        Which rows count as events of an arm.
    """
    score, draws = rows.score, Draws.empty(resamples, measures)
    seen = rows.event if event is None else event
    drawn = patient_counts(
        score.treated.size, seed, resamples, freq=score.freq, cluster=score.cluster
    )
    for part, counts in drawn:
        scored = score.score(counts)
        own, weights = counts[:, rows.place], scored.weights[:, rows.place]
        values = statistic(own, weights)
        values[scored.failed] = np.nan
        draws.values[part] = values
        draws.failed[part] = np.isnan(values).any(axis=1)
        draws.lost[part] = scored.lost
        for arm in (rows.treated, ~rows.treated):
            draws.eventless[part] |= own[:, arm & seen].sum(axis=1) == 0.0
    return draws


def weighted_result(
    fitted: WeightedComparisons,
    rows: WeightedRows,
    measures: Measures,
    statistic: Statistic,
    *,
    resamples: int,
    seed: int | None,
    conf_level: float,
    options: dict[str, Any],
    event: Flags | None = None,
    few: str = "",
    notes: tuple[str, ...] = (),
) -> WeightedEffectResult:
    """Bring estimates, limits, counts and reasons together.

    Parameters
    ----------
    event : bool array of shape (m,), optional
        Which rows count as events, by default those of the outcome.
    few : str
        A reason, beside too few events, not to give limits.
    """
    checked_resamples(resamples)
    conf_level = level(conf_level)
    seen = rows.event if event is None else event
    reason = few_events(rows.by_arm(seen), rows.name) or few
    draws, number = None, None
    if resamples and not reason:
        number = resolve_seed(seed)
        draws = resampled(
            rows, statistic, len(measures.names), resamples=resamples, seed=number, event=seen
        )
        reason = draws.refusal()
    table = effect_table(measures, draws, conf_level=conf_level, limits=not reason)
    said = [f"Weighted to {ESTIMAND_WORDS[rows.score.estimand]}.", *rows.notes, *notes]
    if fitted.summary["positivity"] != "no sign against it":
        said = [f"Positivity is {fitted.summary['positivity']}.", *fitted.reasons, *said]
    if reason:
        said.append(f"No limits and no P: {reason}.")
    if draws is not None:
        said += draws.notes()
    return WeightedEffectResult(
        table=table,
        arms=rows.counts(seen),
        outcome=rows.name,
        endpoint=rows.label,
        counted=(Draws.empty(0, 1) if draws is None else draws).counted(),
        reason=reason,
        notes=tuple(said),
        seed=number,
        synthetic=fitted.synthetic,
        options={
            "score": fitted.options["formula"],
            **{name: fitted.options[name] for name in ("weights", "penalty", "stabilised")},
            "truncate": fitted.options["truncate"],
            "resamples": resamples,
            "conf_level": conf_level,
            **options,
        },
    )
