from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.plots.style import MARK
from support import read


def margin(**options):
    data = read("rnet_like_a.csv")
    models = {"size": rn.logistic(data, "margin_positive ~ size_mm + location")}
    options = {"resamples": 50, "seed": 1, **options}
    return rn.decision_curve(data, "margin_positive ~ 1", models=models, **options)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def line(ax, label):
    return next(found for found in ax.lines if found.get_label() == label)


def test_curves_band_and_strategies_are_drawn():
    result = margin()
    ax = result.plot()
    assert labels(ax) == ["size (apparent)", "Treat all", "Treat none"]
    frame = result.to_frame().query("model == 'size'")
    np.testing.assert_array_equal(line(ax, "size (apparent)").get_ydata(), frame["net_benefit"])
    np.testing.assert_array_equal(line(ax, "size (apparent)").get_xdata(), frame["threshold"])
    assert sum(isinstance(c, PolyCollection) for c in ax.collections) == 1
    assert "95 %" in ax.get_legend().get_title().get_text()


def test_treating_all_may_leave_the_picture_but_no_curve_of_a_model_is_cut_at_the_top():
    result = margin()
    ax = result.plot()
    low, high = ax.get_ylim()
    frame = result.to_frame()
    assert -0.2 * high < low < 0.0
    assert high >= frame["conf_high"].max()
    assert frame["net_benefit"].min() < low
    used = frame.query("model == 'size' and n_positive > 0")["threshold"].max()
    left, right = ax.get_xlim()
    assert left <= frame["threshold"].min()
    assert used <= right < 1.2 * used


def test_without_resamples_there_is_no_band():
    ax = margin(resamples=0).plot()
    assert not ax.collections
    assert ax.get_legend().get_title().get_text() == ""


def test_thresholds_are_told_as_odds_too():
    ax = margin().plot()
    ax.figure.canvas.draw()
    (upper,) = ax.child_axes
    told = {
        round(p, 3): t.get_text()
        for p, t in zip(upper.get_xticks(), upper.get_xticklabels(), strict=True)
    }
    assert told[0.2] == "1:4"
    assert len(told) >= 3


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("net_benefit", "Net benefit"),
        ("standardized", "Standardised net benefit"),
        ("interventions", "Interventions avoided per 100 patients"),
        ("impact", "Of 1,000 patients, by size"),
    ],
)
def test_each_kind_is_labelled(kind, label):
    ax = margin(action="closer resection").plot(kind=kind)
    ax.figure.canvas.draw()
    assert ax.get_ylabel() == label
    assert "closer resection" in ax.get_xlabel()


def test_impact_shows_patients_and_events():
    result = margin()
    ax = result.plot(kind="impact")
    impact = result.clinical_impact("size")
    np.testing.assert_array_equal(
        line(ax, "At or above the threshold").get_ydata(), impact["n_high_risk"]
    )
    np.testing.assert_array_equal(
        line(ax, "of these: margin_positive").get_ydata(), impact["n_with_event"]
    )


def test_corrected_curves_are_dashed_in_their_models_colour():
    result = margin()
    own = result.to_frame().query("model == 'size'")
    ax = result.with_corrected("size", own["net_benefit"] - 0.01).plot()
    apparent, corrected = line(ax, "size (apparent)"), line(ax, "size (corrected)")
    assert apparent.get_color() == corrected.get_color()
    assert apparent.get_linestyle() == "-"
    assert corrected.get_linestyle() == "--"
    assert ax.get_xlim()[1] < 0.99


def test_one_threshold_and_no_gain_are_drawn():
    data = {"y": [0, 1, 0, 1], "p": [0.1, 0.2, 0.3, 0.1]}
    ax = rn.decision_curve(data, "y ~ p", thresholds=[0.9]).plot()
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    assert low < 0.0 < high


def test_synthetic_data_are_marked():
    data = rn.load_cohort("duan2024")
    fit = rn.logistic(data, "margin_positive ~ size_mm")
    for kind in ("net_benefit", "impact"):
        ax = rn.decision_curve(data, "margin_positive ~ 1", models={"m": fit}).plot(kind=kind)
        assert MARK in {text.get_gid() for text in ax.texts}


def test_unknown_kinds_and_models_are_refused():
    with pytest.raises(OptionError, match="kind='roc'"):
        margin().plot(kind="roc")
    with pytest.raises(OptionError, match="no strategy"):
        margin().plot(model="other")
