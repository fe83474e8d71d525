"""Intervals from visits and schedules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, OptionError
from rnetstats.survival.visits import group_schedules

SEEN = pd.DataFrame(
    {
        "id": ["a", "a", "b", "b", "c", "b", "a", "d"],
        "month": [6.0, 12, 18, 6, 3, 24, 18, 12],
        "found": [0, 1, 0, 0, 1, None, 0, 0],
    }
)
OPTIONS: dict[str, Any] = {"patient": "id", "time": "month", "found": "found"}


def test_visits_by_hand() -> None:
    """Patient a is negative again after the event; b's last visit has no result."""
    made = rn.intervals_from_visits(SEEN, **OPTIONS)
    assert made["id"].tolist() == ["a", "b", "c", "d"]
    assert made["left"].tolist() == [6, 18, 0, 12]
    assert made["right"].tolist() == [12, np.inf, 3, np.inf]
    assert made["n_visits"].tolist() == [2, 2, 1, 1]
    curve = rn.turnbull(made, "Interval(left, right) ~ 1")
    assert curve.groups["n_events"].tolist() == [2]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"month": [6.0, None, 18, 6, 3, 24, 18, 12]}, "'month' is missing in row 2"),
        ({"month": [6.0, -12, 18, 6, 3, 24, 18, 12]}, "negative in row 2"),
        ({"found": [0, 2, 0, 0, 1, 0, 0, 0]}, "must be 0 or 1; it is not in row 2"),
        ({"month": [6.0, 0, 18, 6, 3, 24, 18, 12]}, "at time 0 in row 2"),
        ({"month": [12.0, 12, 18, 6, 3, 24, 18, 12]}, "contradict each other.*row 1"),
        ({"found": [0, 1, 0, 0, None, 0, 0, 0]}, "'c' has no visit with a result"),
        ({"id": ["a", None, "b", "b", "c", "b", "a", "d"]}, "'id' is missing in row 2"),
    ],
)
def test_visits_that_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        rn.intervals_from_visits(SEEN.assign(**changed), **OPTIONS)


def test_schedules_by_hand() -> None:
    data = pd.DataFrame(
        {
            "t": [5.0, 6.0, 14.0, 13.0, 24.0, 3.0],
            "e": [1, 1, 1, 0, 0, 0],
            "arm": ["dense", "dense", "sparse", "sparse", "dense", "sparse"],
        },
        index=[7, 7, 1, 2, 3, 4],
    )
    made = rn.intervals_from_schedule(
        data, "Surv(t, e) ~ arm", visits={"dense": 6, "sparse": [12, 24]}
    )
    assert made["left"].tolist() == [0, 0, 12, 12, 24, 0]
    assert made["right"].tolist() == [5, 6, 14, np.inf, np.inf, np.inf]
    assert "left" not in data.columns


@pytest.mark.parametrize("parts", [10, 12])
def test_a_visit_that_rounding_parts_from_a_time_is_at_it(parts: int) -> None:
    """Months as parts of a year: 7 x (1 / 12) is not 7 / 12 to a computer."""
    months = np.repeat(np.arange(1, 61), 2)
    data = pd.DataFrame({"t": months / parts, "e": [1, 0] * 60})
    made = rn.intervals_from_schedule(data, "Surv(t, e) ~ 1", visits=1 / parts)
    np.testing.assert_allclose(made["left"], (months - data["e"]) / parts, atol=1e-12)
    assert made["right"].tolist() == np.where(data["e"] == 1, data["t"], np.inf).tolist()


def test_the_unit_of_time_stays_with_the_intervals() -> None:
    cohort = rn.load_cohort("duan2024")
    made = rn.intervals_from_schedule(cohort, "Surv(dfs_months, recurrence) ~ 1", visits=6)
    assert rn.turnbull(made, "Interval(left, right) ~ 1").labels["time"] == "Time (months)"
    assert "left" not in cohort.attrs["rnetstats"]["units"]


@pytest.mark.parametrize(
    ("visits", "message"),
    [
        (0, "must be positive"),
        (-6, "must be positive"),
        ("6", "not '6'"),
        (True, "not True"),
        ([], "list of finite numbers"),
        ([6, 6], "must be positive and increase"),
        ([0, 6], "must be positive and increase"),
        (["a"], "must be numbers"),
        ({"a": 6}, "when group 'b' is seen"),
        ({"a": 6, "b": 6, "c": 6}, "names the group 'c'"),
        (1e-9, "more than 100,000 visits; the distance is in the unit"),
        (float("inf"), "must be positive"),
    ],
)
def test_schedules_that_are_refused(visits: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        group_schedules(visits, ["a", "b"], 60.0, np.array([60.0]))


def test_columns_are_not_overwritten() -> None:
    data = {"t": [1.0, 2.0], "e": [1, 0], "left": [0, 0]}
    with pytest.raises(DataError, match="'left' already"):
        rn.intervals_from_schedule(data, "Surv(t, e) ~ 1", visits=6)
