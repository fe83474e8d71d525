"""Figures of possible worlds: each while few, bands and an image of hundreds of thousands."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PolyCollection

from rnetstats.plots.worlds_bands import MOST_DRAWN, band_starts, covered
from rnetstats.plots.worlds_candidates import draw_candidates
from rnetstats.plots.worlds_counts import draw_counts
from rnetstats.plots.worlds_region import draw_region
from support import at_once

MANY = 200_000
_SECONDS = 2.0  # to build and to draw, of this process


def tables(count: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    ratio = np.exp(rng.normal(0.5, 0.05, count))
    return pd.DataFrame(
        {
            "events_1": rng.integers(1, 20, count),
            "n_1": rng.integers(40, 180, count),
            "events_2": 9,
            "n_2": 200,
            "added": False,
            "odds_ratio": ratio,
            "conf_low": 0.4 * ratio,
            "conf_high": 2.5 * ratio,
        }
    )


def candidates(count: int) -> plt.Axes:
    printed = {"odds_ratio": 1.6, "conf_low": 0.6, "conf_high": 4.1}
    return draw_candidates(tables(count), printed=printed, fits=True, conf_level=0.95)


def region(count: int) -> plt.Axes:
    rng = np.random.default_rng(2)
    sizes = rng.integers(50, 400, (2, count))
    worlds = {"events_1": sizes[0] // 10, "n_1_low": sizes[0], "n_1_high": sizes[0] + 2}
    worlds |= {"n_2_low": sizes[1], "n_2_high": sizes[1] + 3}
    return draw_region(pd.DataFrame(worlds), at_most=600)


def counts(count: int) -> plt.Axes:
    events = np.arange(1, count + 1)
    half = 0.09 / np.sqrt(events)
    worlds = {"events": events, "n_low": 10 * events - 4, "n_high": 10 * events + 4}
    limits = {"conf_low": 0.1 - half, "conf_high": 0.1 + half}
    return draw_counts(pd.DataFrame(worlds | limits), percent=10.0, conf_level=0.95)


@pytest.mark.parametrize("draw", [candidates, region, counts])
def test_hundreds_of_thousands_are_drawn_at_once(draw) -> None:
    with at_once(_SECONDS):
        axes = draw(MANY)
        axes.figure.canvas.draw()
    plt.close(axes.figure)


def test_bands_hold_all_limits() -> None:
    rows = tables(MOST_DRAWN + 1)
    axes = candidates(MOST_DRAWN + 1)
    wide, narrow = (c.get_datalim(axes.transData) for c in axes.collections)
    np.testing.assert_allclose(
        (wide.x0, wide.x1), (rows["conf_low"].min(), rows["conf_high"].max())
    )
    ratio = rows["odds_ratio"]
    np.testing.assert_allclose((narrow.x0, narrow.x1), (ratio.min(), ratio.max()))
    few = candidates(MOST_DRAWN)
    assert isinstance(few.collections[0], LineCollection)
    assert len(few.collections[0].get_segments()) == MOST_DRAWN


def test_ticks_of_a_narrow_ratio_axis_are_plain_numbers() -> None:
    axes = candidates(100)
    axes.figure.canvas.draw()
    shown = [tick.get_text() for tick in axes.get_xticklabels(which="both") if tick.get_text()]
    assert len(shown) >= 2
    assert all(float(text) > 0 for text in shown)


def test_printed_figures_far_from_the_tables_are_shown() -> None:
    axes = draw_candidates(tables(60), printed={"odds_ratio": 30.0}, fits=False, conf_level=0.95)
    assert axes.get_xlim()[0] < 0.7 < 30.0 < axes.get_xlim()[1]


def test_counts_reach_from_the_first_to_the_last() -> None:
    band = counts(MANY).collections[0].get_datalim(plt.gca().transData)
    assert (band.x0, band.x1) == (6.0, 10.0 * MANY + 4)
    np.testing.assert_allclose((band.y0, band.y1), (0.01, 0.19))


def test_an_image_covers_what_the_rectangles_do() -> None:
    few, many = region(MOST_DRAWN), region(MOST_DRAWN + 1)
    assert isinstance(few.collections[0], PolyCollection)
    image = many.images[0]
    assert image.get_clip_path() is not None
    assert image.get_array()[..., 3].max() == 1.0


def test_covered_cells_by_hand() -> None:
    boxes = np.array([[0.0, 2.0, 0.0, 1.0], [2.9, 3.1, 2.0, 4.0]])
    found = covered(boxes, np.array([0.0, 4.0]), np.array([0.0, 4.0]), 4)
    expected = [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    assert found.astype(int).tolist() == expected
    assert covered(boxes[:1], np.array([0.0, 2.0]), np.array([0.0, 1.0]), 3).all()


@pytest.mark.parametrize("count", [1, 7, 500, 501, 4321])
def test_bands_begin_with_the_first_and_part_all(count: int) -> None:
    starts = band_starts(count)
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()
    assert len(starts) == min(count, 500)
