from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import rnetstats as rn
from rnetstats.errors import DataNotKeptError, OptionError
from rnetstats.regression.hazards_check import ProportionalHazardsResult
from rnetstats.regression.hazards_smooth import smooth_residuals
from support import assert_close, read

FORMULA = "Surv(time, status) ~ trt + karno"


@pytest.fixture(scope="module")
def check():
    return rn.cox(read("veteran.csv"), FORMULA, penalty=None).proportional_hazards()


def test_the_curve_has_the_residuals_mean_and_holds_a_line_exactly():
    rng = np.random.default_rng(1)
    times = np.sort(rng.exponential(1, 60))
    values = np.column_stack([2.0 + 3.0 * times, rng.normal(size=60)])
    variance = np.array([0.1, 0.1])
    curve = smooth_residuals(times, times, values, variance, ["a", "b"], conf_level=0.95)
    line = curve[curve["column"] == "a"]
    assert_close(line["estimate"], 2.0 + 3.0 * times, rel=1e-7)
    other = curve[curve["column"] == "b"]
    assert_close(other["estimate"].mean(), values[:, 1].mean())
    width = (other["conf_high"] - other["conf_low"]) / (2 * 1.959963984540054)
    # the mean squared error of a spline with 5 parameters: 5 / d of a residual's variance
    assert_close(np.mean(width**2), 5 / 60 * 60 * 0.1)


def test_curves_of_a_fit_are_smooth_and_are_written(check):
    curves = check.curves
    assert set(curves["column"]) == {"trt", "karno"}
    assert (curves["conf_low"] < curves["estimate"]).all()
    karno = curves[curves["column"] == "karno"]
    # karno's effect fades: R's test of it has P < 0.001
    assert karno["estimate"].iloc[0] < karno["estimate"].iloc[-10]
    again = ProportionalHazardsResult.from_dict(json.loads(json.dumps(check.to_dict())))
    pd.testing.assert_frame_equal(again.curves, curves)
    with pytest.raises(DataNotKeptError):
        again.plot()


def test_the_band_has_the_level_of_the_fit(check):
    fit = rn.cox(read("veteran.csv"), FORMULA, penalty=None, conf_level=0.8)
    narrow = fit.proportional_hazards()
    widths = [found.curves["conf_high"] - found.curves["conf_low"] for found in (narrow, check)]
    assert_close(widths[0] / widths[1], np.full(len(widths[0]), 1.2815515655446 / 1.9599639845401))
    labels = narrow.plot(column="karno").get_legend_handles_labels()[1]
    assert "pointwise 80 % band" in labels
    plt.close("all")


@pytest.fixture(scope="module")
def weighted():
    rng = np.random.default_rng(4)
    data = read("veteran.csv").assign(
        copies=rng.integers(1, 4, 137), weight=rng.uniform(0.5, 2.0, 137)
    )
    written_out = data.loc[data.index.repeat(data["copies"])].reset_index(drop=True)
    return data, written_out


def test_frequency_weights_give_the_curve_of_the_rows_written_out(weighted):
    data, written_out = weighted
    short = rn.cox(data, FORMULA, penalty=None, freq_weights="copies", ties="breslow")
    long = rn.cox(written_out, FORMULA, penalty=None, ties="breslow")
    curves = [fit.proportional_hazards().curves for fit in (short, long)]
    for name in ("time", "estimate", "conf_low", "conf_high"):
        assert_close(curves[0][name], curves[1][name].to_numpy(), rel=1e-6)
    scaled = [fit.residuals("scaledsch") for fit in (short, long)]
    assert_close(
        scaled[0].drop_duplicates().sort_values(["time", "karno", "trt"]).to_numpy(),
        scaled[1].round(9).drop_duplicates().sort_values(["time", "karno", "trt"]).to_numpy(),
        rel=1e-6,
    )


def test_a_curve_does_not_depend_on_the_unit_of_sampling_weights(weighted):
    data = weighted[0].assign(tenfold=lambda table: 10.0 * table["weight"])
    options = {"penalty": None, "ties": "breslow"}
    once = rn.cox(data, FORMULA, sampling_weights="weight", **options)
    ten = rn.cox(data, FORMULA, sampling_weights="tenfold", **options)
    assert_close(
        once.proportional_hazards().curves["estimate"],
        ten.proportional_hazards().curves["estimate"].to_numpy(),
        rel=1e-6,
    )
    scaled = once.residuals("scaledsch")
    events = data[data["status"] == 1].sort_values("time", kind="stable")
    for name, estimate in zip(("trt", "karno"), once.to_frame()["coef"], strict=True):
        assert_close(np.average(scaled[name], weights=events["weight"]), estimate, rel=1e-6)


def test_few_events_are_counted_by_their_frequency():
    few = read("veteran.csv").head(9).assign(copies=3)
    fit = rn.cox(few, "Surv(time, status) ~ karno", penalty=None, freq_weights="copies")
    assert int(fit.glance().loc[0, "n_events"]) == 27
    assert not [note for note in fit.proportional_hazards().notes if "gross departures" in note]


def test_figures(check):
    axes = check.plot(column="karno")
    labels = axes.get_legend_handles_labels()[1]
    assert {"smoothed", "pointwise 95 % band", "constant (the model)"} <= set(labels)
    with pytest.raises(OptionError, match="karno"):
        check.plot(column="karnof")
    few = rn.cox(read("veteran.csv").head(9), "Surv(time, status) ~ karno", penalty=None)
    axes = few.proportional_hazards().plot()
    assert "smoothed" not in axes.get_legend_handles_labels()[1]
    plt.close("all")


def test_strata_and_transforms_have_curves_too():
    data = read("veteran.csv")
    fit = rn.cox(data, "Surv(time, status) ~ karno + strata(celltype)", penalty=None)
    for transform in ("km", "rank", "identity", "log"):
        curves = fit.proportional_hazards(transform).curves
        assert np.isfinite(curves[["estimate", "conf_low", "conf_high"]]).all().all()
        assert curves["time"].is_monotonic_increasing
