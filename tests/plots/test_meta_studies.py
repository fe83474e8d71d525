"""Figures of single studies: bubbles of a meta-regression, residuals without each."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from rnetstats.plots.intervals import draw_intervals
from rnetstats.plots.meta_bubbles import meta_bubbles
from rnetstats.plots.meta_influence import influence_dots
from rnetstats.plots.style import PALETTE, row_labels
from support import assert_close


def line(*, low: float = 0.3, high: float = 0.9) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "value": [10.0, 20.0, 30.0],
            "estimate": [0.8, 0.6, 0.5],
            "conf_low": low,
            "conf_high": high,
            "pi_low": low / 2,
            "pi_high": high * 2,
        }
    )


def bubbles(**options: object) -> object:
    studies = pd.DataFrame({"value": [10.0, 30.0], "estimate": [0.9, 0.4], "weight": [10.0, 40.0]})
    settings = {"label": "year", "measure": "odds ratio", "log": True, "conf_level": 0.95}
    return meta_bubbles(studies, **{"line": line(), **settings, **options})  # type: ignore[arg-type]


def test_the_area_of_a_bubble_is_the_weight() -> None:
    ax = bubbles()
    dots = ax.collections[-1]
    small, large = dots.get_sizes()
    assert_close(large / small, 4.0)
    assert_close(dots.get_offsets(), [[10.0, 0.9], [30.0, 0.4]])
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "Odds ratio"
    low, high = ax.get_ylim()
    assert low < 0.15
    assert high > 1.8


def test_bands_far_from_the_studies_do_not_stretch_the_axis() -> None:
    ax = bubbles(line=line(low=1e-9, high=1e9))
    low, high = ax.get_ylim()
    assert low > 0.1
    assert high < 5.0
    flat = bubbles(log=False)
    assert flat.get_yscale() == "linear"
    none = line().assign(pi_low=np.nan, pi_high=np.nan)
    assert len(bubbles(line=none).get_legend_handles_labels()[1]) == 1


def test_a_larger_dot_moves_the_pooled_effect_more() -> None:
    rows = pd.DataFrame(
        {
            "study": ["A", "B", "C"],
            "rstudent": [0.5, -4.0, 1.0],
            "cook_d": [0.01, 0.9, 0.1],
            "influential": [False, True, False],
        }
    )
    ax = influence_dots(rows)
    plain, flagged = ax.collections[-2:]
    assert flagged.get_sizes()[0] > plain.get_sizes().max()
    assert_close(flagged.get_offsets(), [[-4.0, 1.0]])
    assert to_hex(flagged.get_facecolor()[0]) == PALETTE[1].lower()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "B", "C"]
    left, right = ax.get_xlim()
    assert left < -4.0 < 4.0 < right
    assert influence_dots(rows.assign(influential=False)).get_legend() is None


LONG = "A very long name of a study from several hospitals in one country, second report (2019)"


def test_long_names_of_studies_leave_room_for_the_figure() -> None:
    """Names of rows are broken into lines; the numbers of the axis do not run into each other."""
    residuals = pd.DataFrame(
        {
            "study": [LONG, "B", "C"],
            "rstudent": [0.5, -1.0, 2.5],
            "cook_d": [0.1, 0.2, 1.0],
            "influential": [False, False, True],
        }
    )
    intervals = pd.DataFrame(
        {
            "label": [f"Without {LONG}", "Without B"],
            "estimate": [0.5, 1.4],
            "conf_low": [0.001, 0.7],
            "conf_high": [300.0, 2.9],
        }
    )
    for axes in (influence_dots(residuals), draw_intervals(intervals, log=True)):
        figure = axes.figure
        figure.draw_without_rendering()
        assert axes.get_position().width > 0.45
        numbers = [tick.get_window_extent() for tick in axes.get_xticklabels() if tick.get_text()]
        near, far = axes.get_window_extent().intervalx
        shown = [box for box in numbers if near - 1 <= (box.x0 + box.x1) / 2 <= far + 1]
        assert len(shown) > 2
        assert not any(one.overlaps(two) for one, two in pairwise(shown))
        name = axes.get_yticklabels()[0].get_text()
        assert "\n" in name
        assert " ".join(name.split()).removeprefix("Without ") == LONG


def test_lines_that_a_label_has_stay() -> None:
    labels, lines = row_labels(["one\ntwo", "a $ sign", ""])
    assert labels == ["one\ntwo", r"a \$ sign", ""]
    assert lines == 2
