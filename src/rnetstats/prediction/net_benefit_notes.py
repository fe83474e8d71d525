"""What must be said with decision curves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rnetstats.prediction.decision import Curves, Decision
from rnetstats.prediction.judged import Judged
from rnetstats.prediction.net_benefit_bands import LEAST_EVENTS, Bands
from rnetstats.prediction.resamples import few_resamples

__all__ = ["decision_notes"]

Floats = NDArray[np.float64]


def decision_notes(
    judged: Judged,
    decision: Decision,
    point: Curves,
    found: Bands | None,
    *,
    action: str,
    per: float,
    resamples: int,
) -> tuple[str, ...]:
    """All notes, those of the question first."""
    return (
        *_question(judged, decision, action, per),
        *judged.notes,
        *_models(judged),
        *_gaps(judged.labels, decision, point),
        *(() if found is None else _bands(judged, decision, found, resamples)),
    )


def _question(judged: Judged, decision: Decision, action: str, per: float) -> Iterator[str]:
    yield (
        f"Action: {action}, taken at risk >= threshold. At threshold p one patient with the event "
        "who is acted upon outweighs (1 - p) / p patients acted upon needlessly. Interventions "
        f"avoided are per {per:g} patients, against acting on all."
    )
    outcome = judged.outcome
    if decision.horizon is not None:
        how = (
            "1 less Kaplan-Meier survival, and competing events, if there are any, count as "
            "censored"
        )
        if outcome.cause is not None:
            how = "the Aalen-Johansen incidence, other events compete"
        yield (
            f"Event: {judged.event_name} by {outcome.time_name} = {decision.horizon:g}; its rate "
            f"among the positives is {how}."
        )
    if decision.prevalence is not None:
        yield (
            f"Rates are rescaled to a prevalence of {decision.prevalence:g}, taken as known; "
            "n_positive and n_events count the sampled cases and controls."
        )


def _models(judged: Judged) -> Iterator[str]:
    for label in judged.fits:
        if judged.apparent[label]:
            yield (
                f"{label} was fitted on these very rows: its curve is apparent, that is "
                "optimistic; validate() corrects it. Resampling does not refit the model."
            )
    columns = [label for label in judged.labels if label not in judged.fits]
    if columns:
        yield (
            f"Risks in {', '.join(columns)} are taken as given; if they come from a model fitted "
            "on these rows, the curve is optimistic."
        )


def _gaps(labels: tuple[str, ...], decision: Decision, point: Curves) -> Iterator[str]:
    levels = decision.thresholds
    if levels[0] == 0.0:
        yield "At threshold 0 everybody is positive, and interventions avoided are undefined."
    for label, gain, positive in zip(
        labels, point.net_benefit[2:, 0], point.n_positive[2:, 0], strict=True
    ):
        lost = np.isnan(gain)
        if lost.any():
            yield (
                f"{label}: at {_listed(levels[lost])} nobody at or above the threshold was "
                f"followed to {decision.horizon:g} and some were lost before: net benefit is "
                "undefined there."
            )
        nobody = positive == 0
        if nobody.any():
            yield (
                f"{label}: nobody is at or above a threshold of {levels[nobody][0]:g} or more; net "
                "benefit there is that of treating none, less any harm."
            )


def _bands(judged: Judged, decision: Decision, found: Bands, resamples: int) -> Iterator[str]:
    if not found.enough[0].any():
        yield (
            f"No limits are given: with fewer than {LEAST_EVENTS} patients with the event (or "
            "without it) resampling has no meaning."
        )
        return
    apart = ", cases and controls apart" if decision.prevalence is not None else ""
    yield from few_resamples(resamples)
    yield (
        f"Limits are pointwise, percentiles of {resamples:,} bootstrap samples of patients{apart}; "
        "differences use the same samples. A whole curve lies within its band less often."
    )
    levels = decision.thresholds
    for label, enough, undefined in zip(
        judged.labels, found.enough[2:], found.undefined[2:], strict=True
    ):
        if not enough.all():
            yield (
                f"{label}: no limits at {_listed(levels[~enough])}, with fewer than "
                f"{LEAST_EVENTS} events at or above the threshold."
            )
        partly = enough & (undefined > 0)
        if partly.any():
            yield (
                f"{label}: net benefit is undefined in up to {int(undefined[partly].max())} "
                f"resamples at {_listed(levels[partly])}; limits are of the others, and missing "
                "where these are under 95 %."
            )


def _listed(levels: Floats) -> str:
    """Name thresholds: ``'threshold 0.2'``, ``'7 thresholds from 0.2 to 0.9'``."""
    if len(levels) == 1:
        return f"threshold {levels[0]:g}"
    return f"{len(levels)} thresholds from {levels[0]:g} to {levels[-1]:g}"
