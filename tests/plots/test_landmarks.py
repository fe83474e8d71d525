from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rnetstats.plots.landmarks import landmark_ratios


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_each_landmark_has_its_estimate_and_its_events():
    table = pd.DataFrame(
        {
            "landmark": [3.0, 6.0, 12.0],
            "estimate": [0.5, 0.8, np.nan],
            "conf_low": [0.2, np.nan, np.nan],
            "conf_high": [1e9, np.nan, np.nan],
            "events_treated": [7, 3, 0],
            "events_untreated": [20, 18, 9],
        }
    )
    axes = landmark_ratios(table, label="months")
    assert axes.get_yscale() == "log"
    assert axes.get_xlabel() == "Landmark (months)"
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["7/20", "3/18", "0/9"]
    bottom, top = axes.get_ylim()
    assert bottom < 0.2
    assert 1.0 < top < 100.0  # an enormous limit leaves the axis
    points = axes.lines[-1]
    np.testing.assert_array_equal(points.get_ydata(), [0.5, 0.8, np.nan])
    left, right = axes.get_xlim()
    assert left < 3.0 < 12.0 < right


def table_at(landmarks):
    size = len(landmarks)
    return pd.DataFrame(
        {
            "landmark": landmarks,
            "estimate": 0.7,
            "conf_low": 0.3,
            "conf_high": 1.6,
            "events_treated": [17] * size,
            "events_untreated": [125] * size,
        }
    )


def overlapping(texts, axes):
    renderer = axes.figure.canvas.get_renderer()
    boxes = sorted((text.get_window_extent(renderer) for text in texts), key=lambda box: box.x0)
    return any(a.x1 > b.x0 for a, b in pairwise(boxes))


@pytest.mark.parametrize(
    ("landmarks", "to_scale"),
    [
        ([3.0, 6.0, 12.0], True),
        ([0.5, 3.0, 6.0, 12.0, 48.0, 80.0], False),
        (list(np.arange(1.0, 13.0)), True),
        ([6.0], True),
        (list(np.arange(1.0, 25.0)), True),
    ],
)
def test_words_of_landmarks_do_not_meet(landmarks, to_scale):
    axes = landmark_ratios(table_at(landmarks), label="months")
    axes.figure.canvas.draw()
    assert not overlapping(axes.texts, axes)
    assert not overlapping(axes.get_xticklabels(), axes)
    shown = [text.get_text() for text in axes.get_xticklabels()]
    assert shown == [f"{time:g}" for time in landmarks[:: 1 + len(landmarks) // 15]]
    assert len(axes.texts) == len(shown)
    assert ("equal steps" in axes.get_xlabel()) is not to_scale
    where = axes.lines[-1].get_xdata()
    np.testing.assert_array_equal(where, landmarks if to_scale else np.arange(len(landmarks)))
