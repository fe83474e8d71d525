from __future__ import annotations

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
