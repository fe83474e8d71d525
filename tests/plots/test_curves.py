from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

import rnetstats as rn
from rnetstats.plots.style import PALETTE, ax_or_new, colour, line_style, mark_synthetic
from support import read


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def bands(ax):
    return [c for c in ax.collections if isinstance(c, PolyCollection)]


def margin():
    return rn.kaplan_meier(
        read("rnet_like_a.csv"), "Surv(dfs_months, recurrence) ~ margin_positive"
    )


def test_steps_band_and_numbers_at_risk_are_drawn():
    result = margin()
    ax = result.plot()
    ax.figure.canvas.draw()
    steps = [line for line in ax.lines if line.get_drawstyle() == "steps-post"]
    assert [line.get_color() for line in steps] == list(PALETTE[:2])
    frame = result.to_frame().query("group == '1'")
    np.testing.assert_array_equal(steps[1].get_ydata(), np.append(1.0, frame["survival"]))
    assert len(bands(ax)) == 2
    risk = result.risk_table(ax.get_xticks()).query("group == '1'")["n_risk"]
    shown = texts(ax)
    assert all(f"{n:g}" in shown for n in risk)
    assert "Number at risk" in shown


def test_counts_stand_under_their_ticks():
    ax = margin().plot(names={"0": "negative", "1": "positive"})
    ax.figure.canvas.draw()
    ticks = [ax.transData.transform((t, 0.0))[0] for t in ax.get_xticks()]
    counts = [t for t in ax.texts if t.get_text().isdigit()]
    places = sorted({round(t.get_window_extent().get_points()[:, 0].mean(), 1) for t in counts})
    np.testing.assert_allclose(places, ticks, atol=1.0)
    assert all(t.get_window_extent().y1 < ax.get_window_extent().y0 for t in counts)


def test_band_is_off_by_default_when_a_group_without_events_has_no_limits():
    data, formula = read("rnet_like_b.csv"), "Surv(dfs_months, recurrence) ~ method"
    assert not bands(rn.kaplan_meier(data, formula).plot())
    assert len(bands(rn.kaplan_meier(data, formula, ci="bpcp").plot())) == 3


def test_axis_that_does_not_start_at_zero_says_so():
    assert margin().plot().get_ylabel().endswith("%)")
    assert "\n(axis starts at " in margin().plot().get_ylabel()
    from_zero = margin().plot(y_low=0.0)
    assert "starts at" not in from_zero.get_ylabel()
    assert from_zero.get_ylim()[0] < 0.0


def test_names_replace_the_groups_and_options_switch_parts_off():
    names = {"0": "negative", "1": "positive"}
    ax = margin().plot(names=names, band=False, censor=False, risk_table=False)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["negative (events: 3)", "positive (events: 9)"]
    assert not bands(ax)
    assert "Number at risk" not in texts(ax)
    assert len(ax.lines) == 2


@pytest.mark.slow
def test_synthetic_data_are_marked():
    data = read("rnet_like_a.csv")
    data.attrs["rnetstats"] = {"synthetic": True}
    result = rn.kaplan_meier(data, "Surv(dfs_months, recurrence) ~ margin_positive")
    assert "Synthetic data" in texts(result.plot())
    assert "Synthetic data" not in texts(margin().plot())
    ax = rn.logrank(data, "Surv(dfs_months, recurrence) ~ margin_positive").plot()
    assert "Synthetic data" in texts(ax)


def test_reverse_curves_count_the_censored():
    result = rn.follow_up(read("rnet_like_a.csv"), "Surv(dfs_months, recurrence) ~ 1")
    ax = result.plot()
    assert "censored: 515" in ax.get_legend().get_texts()[0].get_text()
    assert ax.get_ylabel() == "Still followed up"


def test_style_helpers():
    _, ax = plt.subplots()
    assert ax_or_new(ax) is ax
    assert ax_or_new(None).figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert colour(0) == colour(len(PALETTE))
    assert line_style(0) != line_style(len(PALETTE))
    mark_synthetic(ax.figure)
    assert [t.get_text() for t in ax.figure.texts] == ["Synthetic data"]


def test_markup_in_names_is_text():
    names = ["<b>", "<b>", "$x_{$", "$x_{$"]
    data = {"$t{$": [1, 2, 3, 4], "e": [1, 0, 1, 1], "g": names}
    formula = "Surv(`$t{$`, e) ~ g"
    for result in (rn.kaplan_meier(data, formula), rn.logrank(data, formula)):
        ax = result.plot()
        ax.figure.canvas.draw()
    assert "<b>" in [tick.get_text() for tick in ax.get_yticklabels()]


@pytest.mark.parametrize(("ci", "low"), [("bpcp", None), ("log", 1.0)])
def test_bands_begin_at_time_zero(ci, low):
    data = {"t": [2.0, 3.0, 5.0, 8.0], "e": [0, 1, 1, 0]}
    result = rn.kaplan_meier(data, "Surv(t, e) ~ 1", ci=ci)
    (band,) = bands(result.plot())
    x, y = band.get_paths()[0].vertices.T
    start = result.groups["first_low"].item()
    assert x.min() == 0.0
    assert y[x == 0.0].max() == 1.0
    assert y[x == 0.0].min() == pytest.approx(start)
    assert low is None or start == low
    assert 0.0 < start <= 1.0


def test_the_time_axis_can_name_the_endpoint():
    assert margin().plot(x_label="Months to recurrence").get_xlabel() == "Months to recurrence"


def test_weighted_events_are_counted_to_a_tenth():
    data = read("rnet_like_a.csv")
    weights = np.linspace(0.5, 2.0, len(data))
    formula = "Surv(dfs_months, recurrence) ~ margin_positive"
    result = rn.kaplan_meier(data, formula, sampling_weights=weights)
    shown = [text.get_text() for text in result.plot().get_legend().get_texts()]
    for code, label in ((0, "no"), (1, "yes")):
        seen = (data["margin_positive"] == code) & (data["recurrence"] == 1)
        assert f"{label} (events: {weights[seen].sum():.1f})" in shown


def test_long_names_leave_the_curves_free() -> None:
    """A legend as wide as the axes stands above them, and the table's names beside them."""
    rng = np.random.default_rng(3)
    names = ["Endoscopic submucosal dissection", "Modified endoscopic mucosal resection", "EMR"]
    data = pd.DataFrame(
        {
            "way": rng.choice(names, 90),
            "months": np.ceil(30.0 * rng.exponential(size=90)),
            "event": rng.integers(0, 2, 90),
        }
    )
    axes = rn.kaplan_meier(data, "Surv(months, event) ~ way").plot()
    figure = axes.figure
    figure.canvas.draw()
    inside, legend = axes.get_window_extent(), axes.get_legend().get_window_extent()
    assert legend.y0 >= inside.y1 - 1.0
    assert legend.x0 >= inside.x0 - 1.0
    assert inside.width > 0.5 * figure.bbox.width

    dots = rn.logrank(data, "Surv(months, event) ~ way").plot()
    dots.figure.canvas.draw()
    key = dots.get_legend().get_window_extent()
    title = next(t for t in dots.get_children() if getattr(t, "get_text", str)().startswith("Log"))
    assert not key.overlaps(title.get_window_extent())
    assert dots.get_xlim()[1] > max(line.get_xdata().max() for line in dots.get_lines())

    love = rn.table_one(data, by="way", columns=["months", "event"]).plot()
    love.figure.canvas.draw()
    assert love.get_legend().get_window_extent().x1 <= love.figure.bbox.x1


@pytest.mark.parametrize("fast", [1.0, 6.0])
def test_the_legend_hides_no_curve_where_one_falls_and_another_stays_up(fast: float) -> None:
    months = np.arange(1.0, 121.0)
    data = pd.DataFrame(
        {
            "months": np.concatenate([months, months / fast]),
            "event": np.concatenate([months % 40 == 0, months % 3 > 0]).astype(int),
            "arm": np.repeat(["stays", "falls"], months.size),
        }
    )
    ax = rn.kaplan_meier(data, "Surv(months, event) ~ arm").plot()
    ax.figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    for line in ax.lines:
        if line.get_drawstyle() == "steps-post":
            corners = np.repeat(line.get_xydata(), 2, axis=0)
            path = np.column_stack([corners[1:, 0], corners[:-1, 1]])
            fine = np.concatenate([np.linspace(a, b, 20) for a, b in pairwise(path)])
            pixels = ax.transData.transform(fine)
            assert not any(box.contains(x, y) for x, y in pixels)
