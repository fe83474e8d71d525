"""Stability of predictions, by hand and at its edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.errors import DataNotKeptError, OptionError, TooFewEventsError
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.stability import StabilityResult
from rnetstats.prediction.validation_rows import refit_of
from support import read


def test_each_patient_by_hand() -> None:
    data = read("birthwt.csv")
    formula = "low ~ age + lwt + smoke"
    fit = rn.logistic(data, formula, penalty=None)
    found = rn.stability(fit, resamples=6, seed=5, thresholds=[0.3])
    _, rng = next(iter(chunk_generators(5, 6)))
    counts = bootstrap_counts(rng, len(data), CHUNK)[:6]
    risks = np.array(
        [
            rn.logistic(data.iloc[np.repeat(data.index, row)], formula, penalty=None).predict(data)
            for row in counts
        ]
    )
    risk = fit.predict(data).to_numpy()
    patients = found.patients()
    np.testing.assert_allclose(patients["mape"], np.abs(risks - risk).mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(patients["conf_low"], np.quantile(risks, 0.025, axis=0), rtol=1e-7)
    flips = ((risks >= 0.3) != (risk >= 0.3)).mean(axis=0)
    frame = found.classification()
    np.testing.assert_allclose(frame["instability"], flips.mean())
    np.testing.assert_allclose(frame["unstable"], (flips > 0.1).mean())
    np.testing.assert_allclose(found.glance()["mape"], np.abs(risks - risk).mean(), rtol=1e-7)


def test_model_zero_is_the_model_itself() -> None:
    fit = rn.logistic(read("birthwt.csv"), "low ~ age + lwt", penalty=None)
    found = rn.stability(fit, resamples=5, seed=1, thresholds=[0.2, 0.3])
    validated = rn.validate(fit, resamples=5, seed=1, thresholds=[0.2, 0.3])
    own = found.net_benefit().query("model == 0")["net_benefit"]
    np.testing.assert_allclose(own, validated.decision_curve()["apparent"], rtol=1e-12)


@pytest.mark.parametrize("made", ["fit", "recipe"])
def test_without_a_model_of_the_data_nothing_is_compared(made: str) -> None:
    """All patients with g have the event: maximum likelihood gives no model, Firth's does."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"z": rng.normal(size=60), "g": (rng.normal(size=60) > 1).astype(int)})
    data["y"] = ((rng.random(60) < 0.3) | (data["g"] == 1)).astype(int)
    with pytest.raises(TooFewEventsError, match="penalty='firth'"):
        if made == "fit":
            rn.stability(rn.logistic(data, "y ~ z + g", penalty=None), resamples=10, seed=1)
        else:
            rn.stability(rn.recipe("y ~ z + g", penalty=None), data, resamples=10, seed=1)
    found = rn.stability(rn.recipe("y ~ z + g"), data, resamples=10, seed=1)
    assert found.glance()["mape"].item() < 0.2


def test_the_model_of_a_recipe_that_imputes_is_the_mean_of_its_imputations() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame(rng.normal(size=(150, 2)), columns=["a", "b"])
    data["y"] = (rng.random(150) < 1.0 / (1.0 + np.exp(-data["a"]))).astype(int)
    data.loc[rng.random(150) < 0.4, "a"] = np.nan
    recipe = rn.recipe("y ~ a + b", impute=8)
    found = rn.stability(recipe, data, resamples=3, seed=4)
    refit = refit_of(recipe, data, None, "flic")
    own = recipe.fit(data, seed=4).predict(refit.table, outside="extrapolate")["risk"]
    np.testing.assert_allclose(found.patients()["risk"], own, atol=0.02)
    single = refit.original(4).risk[0]  # what a single imputation gives
    assert np.abs(single - own).mean() > 3 * np.abs(found.patients()["risk"] - own).mean()


def test_choices_made_on_the_data_add_to_instability() -> None:
    data = read("rnet_like_a.csv")
    fixed = rn.stability(
        rn.logistic(data, "margin_positive ~ I(nlr > 4.44) + I(size_mm > 14.5)"),
        resamples=60,
        seed=1,
    )
    searched = rn.stability(
        rn.recipe("margin_positive ~ nlr + size_mm", cut={"nlr": "youden", "size_mm": "youden"}),
        data,
        resamples=60,
        seed=1,
    )
    assert searched.glance()["mape"].iloc[0] > fixed.glance()["mape"].iloc[0]
    assert any("held fixed" in note for note in fixed.notes)
    assert not any("held fixed" in note for note in searched.notes)


def test_patients_are_never_written() -> None:
    fit = rn.logistic(read("birthwt.csv"), "low ~ age")
    back = StabilityResult.from_dict(rn.stability(fit, resamples=4, seed=1).to_dict())
    with pytest.raises(DataNotKeptError):
        back.patients()


@pytest.mark.parametrize(
    "kind", ["prediction", "mape", "calibration", "classification", "net_benefit"]
)
def test_every_plot_is_drawn(kind: str) -> None:
    fit = rn.logistic(read("birthwt.csv"), "low ~ age + lwt")
    assert rn.stability(fit, resamples=8, seed=1).plot(kind=kind).get_xlabel()


def test_what_cannot_be_asked_is_refused() -> None:
    data = read("veteran.csv")
    fit = rn.cox(data, "Surv(time, status) ~ karno")
    with pytest.raises(OptionError, match="by a horizon"):
        rn.stability(fit, resamples=4)
    assert rn.stability(fit, resamples=4, time=180, seed=1).glance()["mape"].iloc[0] > 0
    with pytest.raises(OptionError, match="above 0 and below 1"):
        rn.stability(fit, resamples=4, time=180, thresholds=[1.0])
    with pytest.raises(OptionError, match="kind"):
        rn.stability(fit, resamples=4, time=180, seed=1).plot(kind="pie")


def test_the_legend_stands_clear_of_the_lines() -> None:
    fit = rn.logistic(read("birthwt.csv"), "low ~ age + lwt + smoke")
    axes = rn.stability(fit, resamples=60, seed=1).plot(kind="classification")
    axes.figure.draw_without_rendering()
    low = axes.get_legend().get_window_extent().y0
    tops = [axes.transData.transform(line.get_xydata())[:, 1].max() for line in axes.get_lines()]
    assert max(tops) < low


def test_the_share_within_the_limits_is_the_one_asked_for() -> None:
    rng = np.random.default_rng(5)
    data = {"y": np.tile([0, 1], 40), "x": rng.normal(size=80)}
    found = rn.stability(rn.logistic(data, "y ~ x"), resamples=20, conf_level=0.8, seed=1)
    assert "Median width of the central 80 %" in set(found.display()["Stability"])
    assert found.plot().get_ylabel() == "Risk by resampled models, central 80 %"
