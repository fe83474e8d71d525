"""Power and errors at hypothesised hazard ratios by the method asked for, within a budget."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from rnetstats.errors import BudgetError
from rnetstats.treatment.sequence_power import Sequences
from rnetstats.treatment.split_laws import Arms, log_hazard_ratios, split_p_values
from rnetstats.treatment.split_power import Errors, detectable, exact_power, schoenfeld_power

__all__ = ["errors_and_ends", "split_regions"]

_MOST_EVENTS = 1000  # whose splits are enumerated
_MOST_DRAWS = 1_000_000  # numbers drawn
_BY_DRAWS = {"coarse": 13, "rounds": 14, "points": 1}  # each point is a simulation


def errors_and_ends(
    arms: Arms,
    events: int,
    ratios: np.ndarray,
    alpha: float,
    wanted: float,
    method: str,
    test: str,
    resamples: int,
    seed: int | None,
) -> tuple[Errors, tuple[float, float]]:
    """Return power and errors on the grid, and the detectable ratios."""
    if method == "schoenfeld":
        of = partial(schoenfeld_power, arms, events, alpha=alpha)
        return of(ratios), detectable(lambda r: of(r).power, wanted)
    if method == "simulation":
        if resamples * events > _MOST_DRAWS:
            raise BudgetError(
                f"{resamples} draws of {events} events are more than {_MOST_DRAWS:,} numbers; take "
                "fewer resamples, or method='schoenfeld', which is good with so many events."
            )
        assert seed is not None
        drawn = Sequences(arms, events, alpha=alpha, test=test, draws=resamples, seed=seed)
        return drawn.errors(ratios), detectable(drawn.power, wanted, **_BY_DRAWS)
    if events > _MOST_EVENTS:
        raise BudgetError(
            f"The splits of {events} events are not enumerated (up to {_MOST_EVENTS} are); use "
            "method='schoenfeld', which is good with so many."
        )
    enumerate_ = partial(exact_power, arms, events, alpha=alpha, test=test)
    return enumerate_(ratios), detectable(lambda r: enumerate_(r).power, wanted)


def split_regions(arms: Arms, events: int, alpha: float, method: str, test: str) -> pd.DataFrame:
    """Return estimate and P of every split of the events; empty unless the method is exact."""
    columns = ["events_1", "events_2", "estimate", "p_value", "significant"]
    if method != "exact":
        return pd.DataFrame(columns=columns)
    a, p = np.arange(events + 1), split_p_values(arms, events, test)
    estimate = np.exp(log_hazard_ratios(arms, events))
    frame = pd.DataFrame(dict(zip(columns, (a, events - a, estimate, p, p < alpha), strict=True)))
    return frame[np.isfinite(p)].reset_index(drop=True)
