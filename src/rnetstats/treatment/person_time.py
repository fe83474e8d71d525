"""Person-time of patients treated during follow-up: as the naive comparison counts it, and rightly.

The naive comparison counts all time of a treated patient as treated. The time before treatment is
misclassified, and immortal: with the event in it, the patient would have stayed untreated.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.treatment.patients import Patients

__all__ = ["naive_bias", "overview", "person_time_table"]

Quantity = TypeVar("Quantity", float, NDArray[np.float64])

NAIVE, RIGHT = "from time zero (naive)", "from treatment (right)"


def person_time_table(patients: Patients) -> pd.DataFrame:
    """Count patients, events and person-time by arm under both ways of counting.

    Parameters
    ----------
    patients : Patients

    Returns
    -------
    DataFrame
        ``counting, arm, n, n_events, person_time, rate``. Counted rightly, the time before
        treatment and its events (none, by construction) belong to the untreated, where treated
        patients are counted too.
    """
    treated, stop, event = patients.treated, patients.stop, patients.event
    before = np.where(treated, patients.treated_at, 0.0).sum()
    total = stop[treated].sum(), stop[~treated].sum()
    events = int(event[treated].sum()), int(event[~treated].sum())
    n_treated = int(treated.sum())
    rows = [
        (NAIVE, "treated", n_treated, events[0], total[0]),
        (NAIVE, "untreated", patients.n - n_treated, events[1], total[1]),
        (RIGHT, "treated", n_treated, events[0], total[0] - before),
        (RIGHT, "untreated", patients.n, events[1], total[1] + before),
        ("misclassified", "treated, before treatment", n_treated, 0, before),
    ]
    table = pd.DataFrame(rows, columns=["counting", "arm", "n", "n_events", "person_time"])
    time = table["person_time"].where(table["person_time"] > 0.0)
    table["rate"] = (table["n_events"] / time).astype(float)
    return table


def overview(patients: Patients, table: pd.DataFrame) -> dict[str, Any]:
    """Sum the table up: shares of person-time, delays and rate ratios.

    Returns
    -------
    dict
        A rate ratio is missing where the untreated have no event (0 / 0, or no bound).
    """
    naive, right = (_ratio(table, counting) for counting in (NAIVE, RIGHT))
    delays = patients.treated_at[patients.treated]
    before = float(delays.sum())
    treated = float(patients.stop[patients.treated].sum())
    untreated = float(patients.stop[~patients.treated].sum())
    return {
        "n": patients.n,
        "n_missing": patients.n_missing,
        "n_treated": int(patients.treated.sum()),
        "share_treated": float(patients.treated.mean()),
        "n_events": int(patients.event.sum()),
        "n_events_treated": int(patients.event[patients.treated].sum()),
        "person_time": float(patients.stop.sum()),
        "misclassified": before,
        "share_of_treated": before / treated,
        "share_of_all": before / (treated + untreated),
        "mean_delay": float(delays.mean()),
        "median_delay": float(np.median(delays)),
        "longest_delay": float(delays.max()),
        "naive_rate_ratio": naive,
        "rate_ratio": right,
        "naive_bias": naive_bias(treated, untreated, before),
    }


def naive_bias(treated: Quantity, untreated: Quantity, before: Quantity) -> Quantity:
    """Return the factor by which the naive rate ratio differs from the right one.

    Whatever the events, moving the person-time before treatment changes the rate ratio by
    (1 - before / treated) / (1 + before / untreated).

    Parameters
    ----------
    treated, untreated : float or array
        Person-time of the patients called treated and untreated from time zero.
    before : float or array
        Person-time of the treated before their treatment.
    """
    return (1.0 - before / treated) / (1.0 + before / untreated)


def _ratio(table: pd.DataFrame, counting: str) -> float:
    rates = table[table["counting"] == counting].set_index("arm")["rate"]
    untreated = float(rates["untreated"])
    return float(rates["treated"]) / untreated if untreated > 0.0 else float("nan")
