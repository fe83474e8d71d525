from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import ColumnError
from rnetstats.plots.funnel import funnel


def rows(k=13):
    rng = np.random.default_rng(k)
    error = rng.uniform(0.1, 0.9, k)
    return pd.DataFrame({"coef": -0.3 + error * rng.normal(size=k), "std_error": error})


def labelled(axes):
    handles, labels = axes.get_legend_handles_labels()
    return dict(zip(labels, handles, strict=True))


def test_points_stand_at_their_effect_and_error():
    data = rows()
    axes = funnel(data, estimate=0.74, measure="OR")
    points = labelled(axes)["study"]
    np.testing.assert_allclose(points.get_xdata(), np.exp(data["coef"]))
    np.testing.assert_allclose(points.get_ydata(), data["std_error"])
    bottom, top = axes.get_ylim()
    assert top == 0.0 < data["std_error"].max() < bottom  # the most precise are at the top
    pooled = labelled(axes)["pooled effect"]
    np.testing.assert_allclose(pooled.get_xdata(), 0.74)
    assert axes.get_ylabel() == "Standard error of log OR"


def test_pseudo_limits_and_contours_are_where_they_should_be():
    axes = funnel(rows(), estimate=1.5, measure="OR", conf_level=0.9)
    limit = labelled(axes)["pseudo 90 % limits"]
    height, place = limit.get_ydata(), limit.get_xdata()
    np.testing.assert_allclose(np.log(place), np.log(1.5) + 1.6448536269514722 * height)
    region = labelled(axes)["P 0.01 to 0.05"].get_paths()[0].vertices
    at = region[np.isclose(region[:, 1], axes.get_ylim()[0])]
    edge = np.log(at[:, 0]) / axes.get_ylim()[0]
    assert np.isclose(edge.min(), 1.959963984540054)
    assert np.isclose(edge.max(), 2.5758293035489004)


def test_filled_studies_are_open_circles_and_unused_ones_left_out():
    data = rows().assign(filled=False, used=True)
    data.loc[[0, 1], "filled"] = True
    data.loc[2, "used"] = False
    data.loc[3, "coef"] = np.nan
    axes = funnel(data, estimate=0.74, measure="OR", adjusted=0.9, regression=(0.1, -0.5))
    shown = labelled(axes)
    assert shown["filled study"].get_markerfacecolor() == "white"
    assert len(shown["filled study"].get_xdata()) == 2
    assert len(shown["study"].get_xdata()) == 9
    np.testing.assert_allclose(shown["with filled studies"].get_xdata(), 0.9)
    line = shown["Egger's line"]
    np.testing.assert_allclose(np.log(line.get_xdata()), 0.1 - 0.5 * line.get_ydata())


def test_differences_have_a_plain_axis_and_proportions_no_contours():
    axes = funnel(rows(), estimate=-0.3, measure="RD")
    assert axes.get_xscale() == "linear"
    np.testing.assert_allclose(labelled(axes)["no effect"].get_xdata(), 0.0)
    for options in ({"measure": "logit", "null": None}, {"measure": "OR", "contours": False}):
        assert "P < 0.01" not in labelled(funnel(rows(), estimate=0.5, **options))


@pytest.mark.parametrize("k", [1, 3, 100])
def test_few_and_many_studies_are_drawn(k):
    axes = funnel(rows(k), estimate=0.7, measure="OR")
    axes.figure.draw_without_rendering()
    left, right = axes.get_xlim()
    shown = labelled(axes)["study"].get_xdata()
    assert ((shown > left) & (shown < right)).all()


def test_huge_effects_nothing_at_all_and_given_axes():
    data = rows().assign(coef=lambda f: 300.0 * f["coef"])
    funnel(data, estimate=1.0, measure="OR").figure.draw_without_rendering()
    empty = funnel(rows().iloc[:0], estimate=float("nan"), measure="OR")
    assert "study" not in labelled(empty)
    _, ax = plt.subplots()
    assert funnel(rows(), estimate=0.7, measure="OR", ax=ax) is ax


def test_missing_columns_are_named():
    with pytest.raises(ColumnError, match="std_error"):
        funnel(rows().drop(columns="std_error"), estimate=1.0, measure="OR")
