"""Hazards compared between weighted arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.options import choice
from rnetstats.errors import ConvergenceError, TooFewEventsError
from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.cox_residuals import fitted_cox, score_residuals
from rnetstats.kernels.newton import OK
from rnetstats.kernels.risksets import RiskSets, prepare
from rnetstats.kernels.sandwich import sandwich
from rnetstats.treatment.weighted_bootstrap import weighted_result
from rnetstats.treatment.weighted_outcome import WeightedRows, weighted_rows
from rnetstats.treatment.weighted_result import Measures, WeightedEffectResult

if TYPE_CHECKING:
    from rnetstats.treatment.weighted_comparisons import WeightedComparisons

__all__ = ["cox_effect"]

Floats = NDArray[np.float64]


def cox_effect(
    fitted: WeightedComparisons,
    surv: str,
    *,
    resamples: int,
    seed: int | None,
    ties: str,
    conf_level: float,
) -> WeightedEffectResult:
    """Compare hazards; see :meth:`.WeightedComparisons.cox`."""
    choice("ties", ties, ("efron", "breslow"))
    rows = weighted_rows(fitted, surv, "survival")
    if not rows.event.any():
        raise TooFewEventsError(
            f"No patient of either arm has the event of {rows.name}: there is no hazard ratio. "
            "exact_rate_ratio() bounds the rates."
        )
    assert rows.stop is not None
    sets = prepare(rows.start, rows.stop, rows.event)
    value, error = _estimate(rows, sets, ties)

    def statistic(counts: Floats, weights: Floats) -> Floats:
        return _log_ratios(rows, sets, counts, weights, ties=ties, start=value)

    return weighted_result(
        fitted,
        rows,
        Measures(
            names=("hazard ratio",),
            arms=("",),
            scales=("log",),
            values=np.array([value]),
            errors=np.array([error]),
        ),
        statistic,
        resamples=resamples,
        seed=seed,
        conf_level=conf_level,
        options={"outcome": rows.name, "ties": ties, "measure": "hazard ratio"},
        notes=(
            "The hazard ratio is marginal: that of the treatment alone in the weighted cohort.",
        ),
    )


def _estimate(rows: WeightedRows, sets: RiskSets, ties: str) -> tuple[float, float]:
    """Log hazard ratio and its robust standard error; infinite without events in an arm."""
    x = rows.treated[:, None].astype(np.float64)
    fit = fit_cox(x, sets, freq=rows.freq, case=rows.weights, ties=ties)
    if fit.status[0] != OK:
        without = _sign(np.array([[rows.by_arm(rows.event)[arm] for arm in rows.arms]]))
        if np.isnan(without[0]):
            raise ConvergenceError(
                f"The hazard ratio of {rows.name} has no estimate: at no event are both arms at "
                "risk, or the likelihood is monotone."
            )
        return float(without[0]), float("nan")
    likelihood = cox_likelihood(x, sets, freq=rows.freq, case=rows.weights, ties=ties)
    point = fitted_cox(likelihood, fit.coef[0])
    scores = score_residuals(point) * rows.weights[:, None]
    covariance = sandwich(fit.covariance[0], scores, freq=rows.freq, cluster=rows.cluster)
    return float(fit.coef[0, 0]), float(np.sqrt(covariance[0, 0]))


def _log_ratios(
    rows: WeightedRows,
    sets: RiskSets,
    counts: Floats,
    weights: Floats,
    *,
    ties: str,
    start: float,
) -> Floats:
    """Log hazard ratios of b replicates, (b, 1); missing where there is no estimate."""
    x = rows.treated[:, None].astype(np.float64)
    begin = np.full((len(counts), 1), start if np.isfinite(start) else 0.0)
    fit = fit_cox(x, sets, freq=counts, case=weights, ties=ties, start=begin)
    events = np.stack(
        [counts[:, arm & rows.event].sum(axis=1) for arm in (~rows.treated, rows.treated)], axis=1
    )
    found = np.where((events > 0).all(axis=1), fit.coef[:, 0], _sign(events))
    found[(fit.status != OK) & (events > 0).all(axis=1)] = np.nan
    for arm in (~rows.treated, rows.treated):  # nobody drawn is not nobody with an event
        found[counts[:, arm].sum(axis=1) == 0] = np.nan
    return found[:, None]


def _sign(events: Floats) -> Floats:
    """Log hazard ratio where an arm has no event: events (b, 2) of controls and treated."""
    none = events == 0
    found = np.where(none[:, 1], -np.inf, np.inf)
    return np.where(none.sum(axis=1) == 1, found, np.nan)
