"""Figures of a threshold: the region is bounded by the thresholds, the tornado by its ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnetstats as rn

RANGES: dict[str, Any] = {
    "fatal": (0.2, 0.6),
    "fatal_within": 10,
    "efficacy": 0.9,
    "operative_mortality": (0.01, 0.05),
    "utility_loss": (0.02, 0.1),
    "death_rate": (0.05, 0.2),
}


@pytest.mark.parametrize("probability", [None, 0.2, (0.1, 0.3)])
def test_region(probability: Any) -> None:
    result = rn.treatment_threshold(**RANGES, probability=probability)
    axes = result.plot()
    legend = axes.get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert ("given probability" in names) == (probability is not None)
    assert {"surgery better throughout", "surveillance better throughout"} <= set(names)
    line = axes.lines[0].get_xydata()
    region = result.region()
    shown = region["threshold"].where(np.isfinite(region["threshold"]))
    np.testing.assert_allclose(line[:, 1], shown)
    assert axes.get_xlim() == (0.05, 0.2)
    assert "not an answer" in axes.get_title(loc="left")


def test_tornado_marks_ends_that_no_probability_reaches() -> None:
    result = rn.treatment_threshold(**{**RANGES, "death_rate": (0.05, 0.1, 3.0)})
    axes = result.plot_tornado()
    texts = [text.get_text() for text in axes.texts]
    assert "3 (none high enough)" in texts
    assert len(axes.patches) == 2 * len(result.tornado)


def test_two_way_shades_where_there_is_none() -> None:
    result = rn.treatment_threshold(**{**RANGES, "death_rate": (0.05, 3.0)})
    axes = result.plot_two_way("death_rate", "fatal")
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_texts()[0].get_text() == "no probability is high enough"
    flat = rn.treatment_threshold(**{**RANGES, "operative_mortality": 0, "utility_loss": 0})
    assert flat.plot_two_way("death_rate", "fatal").get_legend() is None
