"""The bias of the naive comparison from time zero as a function of the delay of treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import OptionError
from rnetstats.kernels.arm_counts import ArmCounts, arm_counts
from rnetstats.treatment.null_cohorts import FollowUpShape, NullCohorts
from rnetstats.treatment.person_time import naive_bias

__all__ = [
    "MINOR",
    "MODERATE",
    "closed_rate_ratio",
    "compared",
    "delay_table",
    "mean_and_error",
    "size_word",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MINOR, MODERATE = 0.90, 0.80
"""A bias of the hazard ratio within 0.90 to 1/0.90 is called minor, within 0.80 moderate."""


@dataclass(frozen=True, eq=False)
class _Cohorts:
    """Cohorts in the order of their ends of follow-up, which no delay changes (B, n)."""

    draws: NullCohorts
    stop: Floats
    event: Flags


def delay_table(
    draws: NullCohorts,
    shape: FollowUpShape,
    *,
    rate: float,
    share: float,
    horizon: float,
    delays: Sequence[float],
    observed: Floats,
) -> pd.DataFrame:
    """Analyse the cohorts at each fixed delay, and at the delays observed.

    Parameters
    ----------
    draws : NullCohorts
    shape : FollowUpShape
    rate : float
        Events per unit of time.
    share : float
        Share of patients meant to be treated.
    horizon : float
        Where the difference of risks is taken.
    delays : sequence of float
        Everybody meant to be treated is treated then, if still followed and without the event.
    observed : array of shape (k,)
        Delays of the data, drawn with replacement for the last row.

    Returns
    -------
    DataFrame
        One row a delay; see :class:`rnetstats.treatment.immortal_result.ImmortalTimeResult`.

    Raises
    ------
    OptionError
        If a cohort has no event in an arm.
    """
    cohorts = _Cohorts(*draws.ordered(rate))
    rows = []
    for delay in delays:
        row = {"delay": float(delay), "law": "fixed"}
        measured = _measured(cohorts, np.full(1, float(delay)), horizon)
        closed = closed_rate_ratio(shape, rate, share, np.array([delay], dtype=float))
        rows.append({**row, **measured, "closed_form": closed})
    measured = _measured(cohorts, np.sort(observed), horizon)
    closed = closed_rate_ratio(shape, rate, share, observed)
    row = {"delay": float(observed.mean()), "law": "as observed"}
    rows.append({**row, **measured, "closed_form": closed})
    return pd.DataFrame(rows)


def _measured(cohorts: _Cohorts, delays: Floats, horizon: float) -> dict[str, Any]:
    """Naive and valid analysis of all cohorts with delays drawn from these."""
    draws, stop, event = cohorts.draws, cohorts.stop, cohorts.event
    delay = delays[(draws.delay * delays.size).astype(np.intp)]
    treated = draws.meant & (delay < stop)
    begin = f"With a delay of {delays.mean():g} a"
    naive, logs = compared(stop, event, np.where(treated, 0.0, np.inf), begin)
    _, checked = compared(stop, event, np.where(treated, delay, np.inf), begin)
    risks = naive.risks(horizon)
    before = np.where(treated, delay, 0.0).sum(axis=1)
    time = np.where(treated, stop, 0.0).sum(axis=1)
    rates = naive_bias(time, stop.sum(axis=1) - time, before)
    n_events = naive.n_events.sum(axis=1).astype(int)
    found: dict[str, Any] = {
        "share_treated": float(treated.mean()),
        "share_misclassified": float(before.sum() / time.sum()),
        "n_events_treated": int(n_events[1]),
        "n_events_untreated": int(n_events[0]),
    }
    # with expectation 0 in logs, the valid analysis takes out most of the chance they share
    ratio, error = _ratio_and_error(logs - checked)
    found |= {"hazard_ratio": ratio, "mcse": error, "size": size_word(ratio)}
    found["valid_hazard_ratio"], found["valid_mcse"] = _ratio_and_error(checked)
    found["risk_difference"], found["risk_difference_mcse"] = mean_and_error(
        100.0 * (risks[1] - risks[0])
    )
    found["rate_ratio"], found["rate_ratio_mcse"] = _ratio_and_error(np.log(rates))
    return found


def _ratio_and_error(logs: Floats) -> tuple[float, float]:
    """Ratio from the logarithms of the cohorts (B,), and its Monte Carlo standard error."""
    log, error = mean_and_error(logs)
    return float(np.exp(log)), float(np.exp(log) * error)


def closed_rate_ratio(shape: FollowUpShape, rate: float, share: float, delays: Floats) -> float:
    """Naive rate ratio under a constant rate and no effect, in closed form.

    With N treated patients, m = N x delay the person-time before treatment, and P1, P0 the
    person-time of those called treated and untreated, it is (1 - m / P1) / (1 + m / P0): the rate
    among the treated is diluted by time in which they could not have the event, and the events
    before treatment are left to the untreated.

    Parameters
    ----------
    shape : FollowUpShape
    rate : float
        Events per unit of time.
    share : float
        Share meant to be treated.
    delays : array of shape (k,)
        Each as likely as the others.

    Returns
    -------
    float

    References
    ----------
    Suissa S (2008). Immortal time bias in pharmacoepidemiology. American Journal of Epidemiology
    167:492-499.
    """
    starts, ends = np.append(0.0, shape.time[:-1]), shape.time
    height = np.append(1.0, shape.left[:-1])

    def time_after(begin: Floats | float) -> Floats:
        low = np.clip(np.reshape(begin, (-1, 1)), starts, ends)
        pieces = height * (np.exp(-rate * low) - np.exp(-rate * ends)) / rate
        return np.asarray(pieces.sum(axis=1))

    reached = np.exp(-rate * delays) * shape.beyond(delays)
    before = share * float(np.mean(delays * reached))
    treated = before + share * float(np.mean(time_after(delays)))
    untreated = float(time_after(0.0)[0]) - treated
    return (1.0 - before / treated) / (1.0 + before / untreated)


def compared(
    stop: Floats, event: Flags, since: Floats, begin: str = "A"
) -> tuple[ArmCounts, Floats]:
    """Count the cohorts (B, n), see :func:`arm_counts`, and estimate log hazard ratios (B,).

    Raises
    ------
    OptionError
        If a cohort has too few events for an estimate; the message starts with ``begin``.
    """
    treated = since < np.inf
    if ((event & treated).any(axis=1) & (event & ~treated).any(axis=1)).all():
        counts = arm_counts(stop, event, since)
        logs = counts.log_hazard_ratios()
        if np.isfinite(logs).all():
            return counts, logs
    raise OptionError(
        f"{begin} simulated cohort has an arm with too few events: give a higher risk=, more "
        "patients=, or treatment earlier."
    )


def mean_and_error(values: Floats) -> tuple[float, float]:
    """Mean over the cohorts (B,), and its Monte Carlo standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))


def size_word(hazard_ratio: float) -> str:
    """Call a bias minor, moderate or large by its hazard ratio under no effect."""
    apart = min(hazard_ratio, 1.0 / hazard_ratio)
    return "minor" if apart >= MINOR else "moderate" if apart >= MODERATE else "large"
