"""Validation: R's optimism, each scheme's identity, and what cannot be validated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.prediction.indices import ANCHORED, DISTANCES, UNCORRECTED
from support import case, numbers, read

NAMES = {
    "Dxy": "dxy",
    "R2": "r2",
    "Intercept": "joint_intercept",
    "Slope": "slope",
    "D": "d",
    "U": "u",
    "Q": "q",
    "B": "brier",
    "g": "g",
    "gp": "gp",
}


def binary_fit(name: str) -> Any:
    golden = case("calibration", name)
    data = read(golden["data"])
    return rn.logistic(data, golden["spec"]["formula"], penalty=None)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["birthwt_validate", "rnet_a_margin_validate"])
def test_optimism_of_rms_within_monte_carlo_error(name: str) -> None:
    golden = case("calibration", name)["values"]
    found = rn.validate(binary_fit(name), resamples=1000, seed=4)
    frame = found.to_frame().set_index("index")
    np.testing.assert_allclose(frame.loc["auc", "apparent"], golden["apparent_auc"], rtol=1e-9)
    np.testing.assert_allclose(frame.loc["brier", "apparent"], golden["apparent_brier"], rtol=1e-9)
    np.testing.assert_allclose(frame.loc["dxy", "apparent"], golden["apparent_dxy"], rtol=1e-9)
    np.testing.assert_allclose(
        frame.loc["r2", "apparent"], golden["apparent_nagelkerke_r2"], rtol=1e-9
    )
    spread = {
        field: found.replicates[field].std(axis=0) / np.sqrt(1000) for field in ("training", "test")
    }
    order = list(frame.index)
    for theirs, ours in NAMES.items():
        row = frame.loc[ours]
        for field, column in (
            ("optimism", "optimism"),
            ("index_corrected", "corrected"),
            ("training", "training"),
            ("test", "test"),
        ):
            expected = golden[field][theirs]
            own = spread[column][order.index(ours)] if column in spread else row["mcse"]
            error = np.hypot(expected["mc_se"], own)
            assert abs(row[column] - expected["value"]) < 3 * error + 1e-9, (theirs, field)


def test_optimism_of_a_cox_model_within_monte_carlo_error() -> None:
    golden = case("calibration", "lung_validate_cph")["values"]
    data = read("lung.csv").dropna(subset=["ph.ecog"])
    fit = rn.cox(data, "Surv(time, status == 2) ~ age + sex + `ph.ecog`", penalty=None)
    frame = rn.validate(fit, resamples=400, seed=2).to_frame().set_index("index")
    names = {"Dxy": "dxy", "R2": "r2", "Slope": "slope", "D": "d", "U": "u", "Q": "q", "g": "g"}
    for theirs, ours in names.items():
        np.testing.assert_allclose(
            frame.loc[ours, "apparent"], golden["apparent"][theirs], rtol=1e-5, err_msg=theirs
        )
        # rms takes the 2 degrees of freedom off U in training, but not in the test of a Cox model;
        # here both are the same index. The difference is known: 2 / (-2 log L0).
        shift = {"U": -golden["apparent"]["U"], "Q": golden["apparent"]["U"]}.get(theirs, 0.0)
        for field, column, sign in (
            ("optimism", "optimism", -1),
            ("index_corrected", "corrected", 1),
        ):
            expected = golden[field][theirs]
            error = np.hypot(expected["mc_se"], frame.loc[ours, "mcse"])
            ours_as_theirs = frame.loc[ours, column] + sign * shift
            assert abs(ours_as_theirs - expected["value"]) < 3 * error, (theirs, field)


def test_a_shorter_run_is_a_prefix_and_the_seed_decides() -> None:
    fit = binary_fit("birthwt_validate")
    long, short = (rn.validate(fit, resamples=b, seed=9) for b in (40, 25))
    part = short.replicates["test"]
    assert len(part) > 20
    np.testing.assert_allclose(long.replicates["test"][: len(part)], part, rtol=1e-9, atol=1e-12)
    again = rn.validate(fit, resamples=25, seed=9)
    pd.testing.assert_frame_equal(again.to_frame(), short.to_frame())
    assert short.seed == 9
    assert rn.validate(fit, resamples=5).seed is not None


def test_bootstrap_by_counts_is_the_fit_on_resampled_rows() -> None:
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ age + lwt + smoke", penalty=None)
    found = rn.validate(fit, resamples=2, seed=3)
    from rnetstats._core.random import CHUNK, chunk_generators
    from rnetstats.kernels.resampling import bootstrap_counts
    from rnetstats.kernels.roc import auc

    _, rng = next(iter(chunk_generators(3, 2)))
    counts = bootstrap_counts(rng, len(data), CHUNK)[0]
    sample = data.iloc[np.repeat(np.arange(len(data)), counts)]
    again = rn.logistic(sample, "low ~ age + lwt + smoke", penalty=None)
    np.testing.assert_allclose(
        found.replicates["training"][0][0], auc(sample["low"], again.predict(sample))[0], rtol=1e-9
    )
    np.testing.assert_allclose(
        found.replicates["test"][0][0], auc(data["low"], again.predict(data))[0], rtol=1e-9
    )


def test_frequency_weights_are_written_out_as_rows() -> None:
    data = read("birthwt.csv")
    weight = np.where(np.arange(len(data)) % 3 == 0, 2, 1)
    weighted = rn.logistic(data, "low ~ age + lwt", freq_weights=weight)
    rows = data.iloc[np.repeat(np.arange(len(data)), weight)]
    replicated = rn.logistic(rows, "low ~ age + lwt")
    a, b = (rn.validate(fit, resamples=10, seed=1).to_frame() for fit in (weighted, replicated))
    pd.testing.assert_frame_equal(a, b, rtol=1e-9)


def test_schemes_by_their_formulas() -> None:
    fit = binary_fit("birthwt_validate")
    left = rn.validate(fit, resamples=60, method="632", seed=1).to_frame()
    left = left[~left["index"].isin(UNCORRECTED)]
    expected = 0.368 * left["apparent"] + 0.632 * left["test"]
    np.testing.assert_allclose(left["corrected"], expected, rtol=1e-12)
    crossed = rn.validate(fit, resamples=20, folds=10, method="cv", seed=1)
    frame = crossed.to_frame()
    some = frame[~frame["index"].isin(UNCORRECTED)]
    np.testing.assert_array_equal(some["corrected"], some["test"])
    assert len(crossed.replicates["test"]) == 2
    assert frame["conf_low"].isna().all()


def test_leave_one_out_cross_validation_by_hand() -> None:
    data = read("birthwt.csv").iloc[::4].reset_index(drop=True)
    fit = rn.logistic(data, "low ~ age + lwt", penalty=None)
    found = rn.validate(fit, resamples=len(data), folds=len(data), method="cv", seed=1)
    risk = [
        rn.logistic(data.drop(index=i), "low ~ age + lwt", penalty=None)
        .predict(data.iloc[[i]])
        .iloc[0]
        for i in data.index
    ]
    expected = np.mean((data["low"] - np.array(risk)) ** 2)
    np.testing.assert_allclose(found.corrected("brier"), expected, rtol=1e-9)


def test_limits_shift_the_percentiles_by_the_optimism() -> None:
    found = rn.validate(binary_fit("birthwt_validate"), resamples=200, seed=1)
    frame = found.to_frame()
    place = list(frame["index"]).index("auc")
    low, high = np.quantile(found.replicates["training"][:, place], [0.025, 0.975])
    optimism = frame.loc[place, "optimism"]
    np.testing.assert_allclose(
        frame.loc[place, ["conf_low", "conf_high"]].astype(float), [low - optimism, high - optimism]
    )
    anchored = frame[frame["index"].isin(ANCHORED | DISTANCES)]
    assert anchored["conf_low"].isna().all()
    assert any("no limits" in note for note in found.notes)


def test_firth_risks_are_right_on_average_unless_told_otherwise() -> None:
    data = read("rnet_like_a.csv")
    fit = rn.logistic(data, "recurrence ~ size_mm + lvi")
    flic = rn.validate(fit, resamples=20, seed=1).to_frame().set_index("index")
    raw = rn.validate(fit, resamples=20, seed=1, intercept="model").to_frame().set_index("index")
    assert abs(flic.loc["intercept", "apparent"]) < 1e-8
    assert raw.loc["intercept", "apparent"] < -0.05


def test_curves_have_their_fields_and_treat_all_is_known() -> None:
    found = rn.validate(binary_fit("birthwt_validate"), resamples=30, seed=1, thresholds=[0.2, 0.4])
    benefit = found.decision_curve()
    share = 59 / 189
    np.testing.assert_allclose(
        benefit["treat_all"], share - (1 - share) * np.array([0.25, 2 / 3]), rtol=1e-12
    )
    curve = found.calibration_curve()
    assert (np.diff(curve["predicted"]) > 0).all()
    assert (curve["corrected"] - curve["apparent"]).abs().max() > 1e-3


@pytest.mark.parametrize("kind", ["calibration", "net_benefit", "indices"])
def test_every_plot_is_drawn(kind: str) -> None:
    found = rn.validate(binary_fit("birthwt_validate"), resamples=10, seed=1)
    assert found.plot(kind=kind).get_xlabel()


def test_horizon_gives_risks_of_a_cox_model() -> None:
    data = read("veteran.csv")
    fit = rn.cox(data, "Surv(time, status) ~ karno + age", penalty=None)
    frame = rn.validate(fit, resamples=30, seed=1, time=180).to_frame().set_index("index")
    golden = case("calibration", "veteran_180")["values"]
    assert {"auc_t", "brier", "ipa", "oe", "ici"} <= set(frame.index)
    assert 0 < frame.loc["brier", "apparent"] < 0.25
    assert numbers([golden["brier_null_km"]])[0] > frame.loc["brier", "apparent"]


def test_external_validation_is_the_judgement_of_other_patients() -> None:
    data = read("birthwt.csv")
    first, second = data.iloc[::2], data.iloc[1::2]
    fit = rn.logistic(first, "low ~ age + lwt + smoke", penalty=None)
    found = rn.validate(fit, external=second, resamples=50, seed=1)
    risk = fit.predict(second)
    np.testing.assert_allclose(found.corrected("brier"), np.mean((second["low"] - risk) ** 2))
    assert found.glance()["method"].iloc[0] == "external"
    same = rn.validate(fit, external=first, resamples=20, seed=1)
    assert any("very patients" in note for note in same.notes)


def test_external_validation_of_a_survival_model_and_of_a_stored_one() -> None:
    data = read("veteran.csv")
    first, second = data.iloc[::2], data.iloc[1::2]
    fit = rn.cox(first, "Surv(time, status) ~ karno", penalty=None)
    found = rn.validate(fit, external=second, resamples=20, seed=1)
    from rnetstats.kernels.concordance import concordance

    expected = concordance(second["time"], second["status"], fit.predict(second)).concordance
    np.testing.assert_allclose(found.corrected("c"), expected, rtol=1e-12)
    at = rn.validate(fit, external=second, resamples=20, seed=1, time=180)
    stored = rn.RiskModel.from_dict(rn.risk_model(fit, horizon=180).to_dict())
    again = rn.validate(stored, external=second, resamples=20, seed=1)
    for index in ("brier", "auc_t", "oe", "c"):
        np.testing.assert_allclose(again.corrected(index), at.corrected(index), rtol=1e-8)


def test_external_risks_of_firth_are_right_on_average_by_default() -> None:
    data = read("rnet_like_a.csv")
    fit = rn.logistic(data, "recurrence ~ size_mm + lvi")
    flic = rn.validate(fit, external=data, resamples=5, seed=1, indices=["intercept"])
    raw = rn.validate(
        fit, external=data, resamples=5, seed=1, indices=["intercept"], intercept="model"
    )
    assert abs(flic.corrected("intercept")) < 1e-8
    assert raw.corrected("intercept") < -0.05


def test_named_indices_are_those_of_the_whole_table() -> None:
    fit = binary_fit("birthwt_validate")
    names = ["slope", "auc", "ici", "g"]
    some = rn.validate(fit, resamples=20, seed=1, indices=names)
    whole = rn.validate(fit, resamples=20, seed=1).to_frame().set_index("index").loc[names]
    pd.testing.assert_frame_equal(some.to_frame().set_index("index"), whole)
    assert some.calibration_curve().empty
    with pytest.raises(OptionError, match="'c'; there are auc"):
        rn.validate(fit, resamples=20, indices=["c"])


def test_internal_external_leaves_each_centre_out() -> None:
    data = read("birthwt.csv").assign(hospital=lambda d: np.where(d.index % 3, "north", "south"))
    fit = rn.logistic(data, "low ~ age + lwt + smoke", penalty=None)
    found = rn.validate(fit, data, method="internal-external", by="hospital", seed=1)
    frame = found.by_centre().set_index("centre")
    assert list(frame.index) == ["north", "south"]
    there = data["hospital"] == "south"
    risk = rn.logistic(data[~there], "low ~ age + lwt + smoke", penalty=None).predict(data[there])
    expected = np.mean((data.loc[there, "low"] - risk) ** 2)
    np.testing.assert_allclose(frame.loc["south", "brier"], expected, rtol=1e-9)
    with pytest.raises(DataError, match="give the data too"):
        rn.validate(fit, method="internal-external", by="hospital")


def test_a_callable_is_repeated_as_it_is() -> None:
    data = read("birthwt.csv")

    def make(sample: pd.DataFrame) -> Any:
        from rnetstats.prediction.risk_model import risk_model

        return risk_model(rn.logistic(sample, "low ~ age + lwt"))

    by_call = rn.validate(make, data, resamples=6, seed=1)
    by_fit = rn.validate(rn.logistic(data, "low ~ age + lwt"), resamples=6, seed=1)
    np.testing.assert_allclose(
        by_call.to_frame()["corrected"], by_fit.to_frame()["corrected"], rtol=1e-6, atol=1e-9
    )


def test_results_without_rows_and_impossible_requests_are_refused() -> None:
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ age + lwt")
    with pytest.raises(OptionError, match="no meaning for a logistic"):
        rn.validate(fit, time=3)
    with pytest.raises(OptionError, match="above 0 and below 1"):
        rn.validate(fit, thresholds=[0.0, 0.2])
    with pytest.raises(OptionError, match="above 0 and below 1"):
        rn.validate(fit, thresholds=[1.0])
    with pytest.raises(OptionError, match="method"):
        rn.validate(fit, method="loo")
    with pytest.raises(OptionError, match="exceeds the 189"):
        rn.validate(fit, method="cv", folds=400)
    with pytest.raises(OptionError, match="resamples"):
        rn.validate(fit, resamples=1)
    with pytest.raises(OptionError, match="name their column"):
        rn.validate(fit, data, method="internal-external")
    with pytest.raises(OptionError, match="can be made again"):
        rn.validate(3)
    with pytest.raises(DataError, match="needs data"):
        rn.validate(rn.recipe("low ~ age"))
    weighted = rn.logistic(data, "low ~ age", sampling_weights=np.full(len(data), 1.5))
    with pytest.raises(OptionError, match="sampling_weights"):
        rn.validate(weighted)


def test_separation_and_few_events_are_said() -> None:
    separated = pd.DataFrame({"y": [0] * 10 + [1] * 10, "x": np.arange(20.0)})
    with pytest.raises(TooFewEventsError, match="cannot be made"):
        rn.validate(rn.logistic(separated, "y ~ x", penalty=None), resamples=5)
    few = pd.DataFrame(
        {"y": [1, 0, 0, 1] + [0] * 30, "x": np.random.default_rng(1).normal(size=34)}
    )
    found = rn.validate(rn.logistic(few, "y ~ x"), resamples=30, seed=1)
    assert found.to_frame()["conf_low"].isna().all()
    assert any("no resampling limits" in note for note in found.notes)
    assert found.glance()["n_failed"].iloc[0] > 0
    assert any("gave no model" in note for note in found.notes)


def test_lost_levels_are_counted() -> None:
    data = read("rnet_like_a.csv")
    rare = data.assign(kind=np.where(np.arange(len(data)) < 2, "rare", "common"))
    found = rn.validate(rn.logistic(rare, "margin_positive ~ kind + size_mm"), resamples=60, seed=1)
    assert found.glance()["n_lost_term"].iloc[0] > 0
    assert any("lost a level" in note for note in found.notes)


def test_resampling_does_not_correct_hosmer_and_lemeshow() -> None:
    data = read("rnet_like_a.csv")
    fit = rn.logistic(data, "margin_positive ~ nlr + size_mm")
    for method in ("boot", "632", "cv"):
        found = rn.validate(fit, resamples=20, method=method, seed=1)
        row = found.to_frame().set_index("index").loc["hosmer_lemeshow"]
        assert row["apparent"] > 0.0
        assert row[["optimism", "corrected", "conf_low", "mcse"]].isna().all()
        assert any("Hosmer-Lemeshow" in note for note in found.notes)
    outside = rn.validate(rn.risk_model(fit), external=data, resamples=20, seed=1)
    again = outside.to_frame().set_index("index").loc["hosmer_lemeshow"]
    assert again["corrected"] == pytest.approx(row["apparent"], rel=1e-6)
