from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from rnetstats.plots.estimands import estimand_list


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def rows(estimands):
    return pd.DataFrame(
        {
            "estimand": estimands,
            "name": [f"name {k}" for k in range(len(estimands))],
            "counts": "events 1/2",
            "estimate": "0.5 $",
        }
    )


def test_an_estimand_stands_once_above_its_estimates():
    axes = estimand_list(rows(["first", "first", "second"]))
    places = {text.get_text(): text.get_position()[1] for text in axes.texts}
    words = [text.get_text() for text in axes.texts]
    assert words.count("first") == 1
    assert places["first"] < places["name 0"] < places["name 1"]
    assert places["name 1"] < places["second"] < places["name 2"]
    assert axes.get_ylim()[0] > places["name 2"]  # downwards, all within the figure
    assert words.count(r"0.5 \$") == 3


def test_long_words_are_broken_into_lines():
    axes = estimand_list(rows(["very " * 60]))
    lines = [t for t in axes.texts if t.get_text().startswith("very")]
    assert len(lines) == 3
    assert len({t.get_position()[1] for t in lines}) == 3


def test_a_long_reason_is_broken_beside_the_counts():
    table = rows(["first", "second"])
    reason = "0.92 (positivity: the 55 patients left in the treated arm at month 6 stand for 82 of "
    table["estimate"] = [reason + "178 at risk: no interval and no P)", "1"]
    table["counts"] = "events 118/258 treated, 114/1122 untreated"
    table["name"] = "clone-censor-weight: RMST difference"
    axes = estimand_list(table)
    axes.figure.canvas.draw()
    renderer = axes.figure.canvas.get_renderer()
    lines: dict[float, list] = {}
    for text in axes.texts:
        lines.setdefault(text.get_position()[1], []).append(text.get_window_extent(renderer))
    for boxes in lines.values():
        boxes.sort(key=lambda box: box.x0)
        assert all(a.x1 <= b.x0 for a, b in pairwise(boxes))
    assert max(box.x1 for boxes in lines.values() for box in boxes) <= axes.figure.bbox.width
    written = " ".join(text.get_text() for text in axes.texts)
    assert "no interval and no P)" in written
    places = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert places["second"] > max(y for words, y in places.items() if "interval" in words)
