"""Figures of cohorts that were drawn: every label in full."""

from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

from rnetstats.plots.simulated import coverage_of_methods, true_ratios

NAMES = [f"time to recurrence, adjusted for salvage: group {i} against none" for i in range(40)]


def ratios() -> Axes:
    return true_ratios(NAMES, np.geomspace(0.3, 5.0, 40))


def coverages() -> Axes:
    share = np.linspace(0.4, 1.0, 40)
    return coverage_of_methods(NAMES, share, np.full(40, 0.1), axis="Coverage")


@pytest.mark.parametrize("draw", [ratios, coverages])
def test_labels_stand_whole_and_apart(draw) -> None:
    axes = draw()
    axes.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES
    assert min(box.x0 for box in boxes) >= 0.0
    assert all(below.y1 <= above.y0 + 0.5 for above, below in pairwise(boxes))
    plt.close("all")


def test_axes_show_what_can_be() -> None:
    assert coverages().get_xlim()[1] <= 1.02
    low, high = ratios().get_xlim()
    assert low < 0.3
    assert high > 5.0
    plt.close("all")
