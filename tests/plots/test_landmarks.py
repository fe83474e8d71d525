from __future__ import annotations

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
