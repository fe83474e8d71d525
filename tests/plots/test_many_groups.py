"""Figures of many groups: their legend stands beside the axes, whole, and hides no curve."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import rnetstats as rn


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def cohort(groups: int, words: str = "Centre") -> pd.DataFrame:
    rng = np.random.default_rng(7)
    n = 40 * groups
    group = np.repeat(np.arange(groups), 40)
    time = rng.exponential(20.0 + 10.0 * group).round(1) + 0.1
    event = rng.integers(0, 3, n)
    names = [f"{words} {place + 1:02d}" for place in group]
    left = np.floor(time / 6.0) * 6.0
    right = np.where(event > 0, left + 6.0, np.inf)
    return pd.DataFrame(
        {
            "time": time,
            "event": event,
            "died": (event > 0).astype(int),
            "group": names,
            "left": left,
            "right": right,
            "window": time + rng.uniform(0.0, 50.0, n),
        }
    )


PLOTS: dict[str, Callable[[pd.DataFrame], Axes]] = {
    "kaplan_meier": lambda d: rn.kaplan_meier(d, "Surv(time, died) ~ group").plot(),
    "follow_up": lambda d: rn.follow_up(d, "Surv(time, died) ~ group").plot(),
    "incidence": lambda d: rn.cumulative_incidence(d, "Surv(time, event) ~ group").plot(),
    "turnbull": lambda d: rn.turnbull(d, "Interval(left, right) ~ group").plot(),
    "right_truncated": lambda d: rn.right_truncated(
        d[d["died"] == 1], "time ~ group", truncation="window"
    ).plot(),
}


@pytest.mark.parametrize("name", sorted(PLOTS))
@pytest.mark.parametrize(
    ("groups", "words"), [(5, "Centre"), (12, "Department of endoscopy, university hospital")]
)
def test_a_legend_of_many_groups_is_beside_the_axes_and_whole(
    name: str, groups: int, words: str
) -> None:
    ax = PLOTS[name](cohort(groups, words))
    figure = ax.figure
    figure.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    axes, page = ax.get_window_extent(), figure.bbox
    assert legend.x0 >= axes.x1
    assert legend.x1 <= page.x1 + 1
    assert legend.y0 >= page.y0 - 1
    assert axes.width > 0.3 * page.width


def test_a_legend_of_few_groups_stays_among_the_curves() -> None:
    ax = PLOTS["kaplan_meier"](cohort(4))
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x1 <= ax.get_window_extent().x1 + 1


@pytest.mark.parametrize("groups", [2, 12])
def test_points_of_many_groups_stand_nearest_to_their_own_time(groups: int) -> None:
    found = rn.milestone(cohort(groups), "Surv(time, died) ~ group", times=[6, 12, 18])
    ax = found.plot()
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    for line in ax.lines:
        places = np.asarray(line.get_xdata(), dtype=float)
        np.testing.assert_array_equal(np.round(places), [0, 1, 2])
        assert low < places.min() < places.max() < high
