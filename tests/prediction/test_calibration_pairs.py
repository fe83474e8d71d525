"""Differences between the models of a calibration: by hand, by the jack-knife, refusals."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import rnetstats as rn
from rnetstats.kernels.ipcw_brier import ipcw_brier
from rnetstats.prediction.calibration_result import CalibrationResult
from support import assert_close, read

TIMED = "Surv(time, status) ~ a + b"


def veteran() -> pd.DataFrame:
    """Two risks by 180 days, and every seventh death a death of another cause."""
    data = read("veteran.csv")
    code = np.where((data["status"] == 1) & (np.arange(len(data)) % 7 == 0), 2, data["status"])
    risk = 1.0 - np.exp(-np.exp(1.6 - 0.033 * data["karno"]))
    return data.assign(a=risk, b=0.5 * risk + 0.35, code=code, w=1 + data["age"] % 3)


def pairs(data: Any, formula: str, **options: Any) -> pd.DataFrame:
    return rn.calibration(data, formula, **options).compare()


def test_binary_differences_are_paired_means() -> None:
    data = read("calib_model.csv").assign(half=0.5)
    found = pairs(data, "y ~ p_model + p_rival + half", conf_level=0.9)
    assert list(zip(found["model"], found["versus"], strict=True)) == [
        ("p_model", "p_rival"),
        ("p_model", "half"),
        ("p_rival", "half"),
    ]
    for row in found.to_dict("records"):
        squares = [(data["y"] - data[row[side]]) ** 2 for side in ("model", "versus")]
        apart = squares[0] - squares[1]
        error = apart.std(ddof=1) / np.sqrt(len(apart))
        assert row["measure"] == "brier"
        assert_close(row["difference"], apart.mean())
        assert_close(row["std_error"], error)
        assert_close(row["conf_low"], apart.mean() - norm.ppf(0.95) * error)
        assert_close(row["conf_high"], apart.mean() + norm.ppf(0.95) * error)
        assert_close(row["p_value"], 2.0 * norm.sf(abs(apart.mean() / error)))


@pytest.mark.parametrize("left", ["Surv(time, status)", "Surv(time, code)"])
def test_differences_of_a_time_are_those_of_its_scores(left: str) -> None:
    data, competing = veteran(), "code" in left
    options: dict[str, Any] = {"time": 180.5, "smoother": "rcs"}
    options |= {"cause": 1} if competing else {}
    found = rn.calibration(data, f"{left} ~ a + b", **options)
    row, scores = found.compare().iloc[0], found.to_frame()["brier"]
    assert_close(row["difference"], scores[0] - scores[1])
    code = data["code" if competing else "status"].to_numpy()
    stop, risk = data["time"].to_numpy(float), data[["a", "b"]].to_numpy().T
    n = len(data)
    without = np.array(
        [
            np.subtract(*ipcw_brier(*(np.delete(x, i, -1) for x in (stop, code, risk)), 180.5)[0])
            for i in range(n)
        ]
    )
    jackknife = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    assert row["std_error"] == pytest.approx(jackknife, rel=0.02)
    again = pairs(data, f"{left} ~ b + a", **options).iloc[0]
    assert_close([-again["difference"], again["p_value"]], row[["difference", "p_value"]])


def test_weights_are_replicated_rows() -> None:
    data = veteran()
    rows = data.loc[data.index.repeat(data["w"])]
    numeric = ["difference", "std_error", "conf_low", "conf_high", "p_value"]
    weighted = pairs(data, TIMED, time=180.5, smoother="rcs", freq_weights="w")
    assert_close(weighted[numeric], pairs(rows, TIMED, time=180.5, smoother="rcs")[numeric])


def test_nested_models_of_the_rows_judged_have_a_likelihood_ratio() -> None:
    data = read("birthwt.csv")
    small, large = (rn.logistic(data, f, penalty=None) for f in ("low ~ lwt", "low ~ lwt + ht"))
    found = rn.calibration(data, "low ~ 1", models={"small": small, "large": large})
    row = found.compare().iloc[0]
    assert np.isnan(row[["std_error", "conf_low", "conf_high"]].astype(float)).all()
    assert "likelihood ratio" in row["method"]
    ratio = 2.0 * np.subtract(*(fit.glance()["log_likelihood"].item() for fit in (large, small)))
    assert_close(row["statistic"], ratio)
    assert any("Brier scores is not valid" in note for note in found.notes)
    other = rn.logistic(data, "low ~ age", penalty=None)
    apart = pairs(data, "low ~ 1", models={"small": small, "other": other})
    assert apart["method"].item().endswith("(apparent)")


def test_few_events_and_equal_risks_have_no_limits() -> None:
    data = pd.DataFrame({"y": np.r_[np.ones(4), np.zeros(40)], "p": np.linspace(0.4, 0.02, 44)})
    found = rn.calibration(data.assign(q=0.1), "y ~ p + q")
    row = found.compare().iloc[0]
    assert np.isfinite(row["difference"])
    assert np.isnan(row[["std_error", "conf_low", "p_value"]].astype(float)).all()
    assert any("here there are 4." in note for note in found.notes)
    same = pairs(read("calib_model.csv").assign(q=lambda d: d["p_model"]), "y ~ p_model + q")
    assert same["difference"].item() == same["std_error"].item() == 0.0
    assert "the same risks" in same["method"].item()


def test_a_stored_result_keeps_its_pairs() -> None:
    for formula in ("y ~ p_model + p_rival", "y ~ p_model"):
        found = rn.calibration(read("calib_model.csv"), formula, smoother="logistic")
        text = json.dumps(found.to_dict(), allow_nan=False)
        again = CalibrationResult.from_dict(json.loads(text))
        pd.testing.assert_frame_equal(again.compare(), found.compare())
    older = found.to_dict()
    older["fields"].pop("pairs")
    assert CalibrationResult.from_dict(older).compare().empty


@pytest.mark.parametrize("seed", range(5))
def test_risks_that_rounding_alone_parts_are_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=200)
    risk = 1.0 / (1.0 + np.exp(-x))
    data = pd.DataFrame({"y": (rng.random(200) < risk).astype(int), "p": risk})
    data["q"] = np.exp(x) / (1.0 + np.exp(x))
    data["r"] = np.round(risk, 16)
    data["time"] = 1.0 + rng.random(200)
    assert (data["p"] != data["q"]).any()
    for found in (
        pairs(data, "y ~ p + q + r", smoother="logistic"),
        pairs(data, "Surv(time, y) ~ p + q + r", time=1.7, smoother="cloglog"),
    ):
        assert (found[["difference", "std_error"]] == 0.0).all(axis=None)
        assert found["p_value"].isna().all()
        assert found["method"].str.contains("the same risks").all()
