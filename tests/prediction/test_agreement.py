"""The same index has the same value whichever verb computes it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from support import data_path


def test_indices_of_a_binary_outcome_agree() -> None:
    data = rn.read_cohort(data_path("rnet_like_a.csv"), codebook="duan2024")
    fit = rn.logistic(data, "margin_positive ~ location + nlr + size_mm")
    models = {"m": rn.risk_model(fit)}
    question = "margin_positive ~ 1"
    auc = rn.discrimination(data, question, models=models).to_frame()["auc"].iloc[0]
    judged = rn.calibration(data, question, models=models, smoother="lowess")
    calibrated = judged.to_frame().iloc[0]
    validated = rn.validate(fit, resamples=5, seed=1).to_frame().set_index("index")["apparent"]
    assert auc == pytest.approx(calibrated["auc"], rel=1e-10)
    assert auc == pytest.approx(validated["auc"], rel=1e-10)
    names = ["brier", "brier_scaled", "nagelkerke_r2", "slope", "joint_intercept"]
    names += ["spiegelhalter_z", "hosmer_lemeshow"]
    for name in names:
        assert calibrated[name] == pytest.approx(validated[name], rel=1e-8), name
    for name in ("ici", "e50", "e90"):  # lowess at 25 risks beside lowess at all
        assert calibrated[name] == pytest.approx(validated[name], abs=1e-3), name
    assert abs(calibrated["intercept"] - validated["intercept"]) < 1e-8
    curve = rn.decision_curve(data, question, models=models, thresholds=[0.3])
    assert curve.prevalence == pytest.approx(calibrated["mean_observed"], rel=1e-12)


@pytest.fixture(scope="module")
def times() -> pd.DataFrame:
    """Whole times, so that events and censorings fall on the horizon together."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=300)
    event, end = rng.exponential(30.0 / np.exp(x)), rng.uniform(5.0, 60.0, 300)
    frame = pd.DataFrame({"t": np.ceil(np.minimum(event, end)), "e": event <= end, "x": x})
    frame["code"] = np.where(frame["e"], 1 + (np.arange(300) % 3 == 0), 0)
    frame["risk"] = np.clip(0.5 * -np.expm1(-0.4 * np.exp(x)), 0.001, 0.99)
    assert (frame["e"] & (frame["t"] == 12)).any()
    assert (~frame["e"] & (frame["t"] == 12)).any()
    return frame


def test_indices_at_a_horizon_agree_with_ties_there(times: pd.DataFrame) -> None:
    fit = rn.cox(times, "Surv(t, e) ~ x")
    models = {"m": rn.risk_model(fit, horizon=12)}
    question = "Surv(t, e) ~ 1"
    seen = rn.discrimination(times, question, models=models, time=12).to_frame()
    values = seen.set_index("index")["estimate"]
    judged = rn.calibration(times, question, models=models, time=12, smoother="rcs", knots=3)
    calibrated = judged.to_frame().iloc[0]
    validated = rn.validate(fit, resamples=5, seed=1, time=12).to_frame()
    apparent = validated.set_index("index")["apparent"]
    assert values["AUC(t)"] == pytest.approx(calibrated["auc"], rel=1e-10)
    assert values["AUC(t)"] == pytest.approx(apparent["auc_t"], rel=1e-10)
    until = rn.discrimination(times, question, models=models, time=12, tau=12).to_frame()
    uno = until.set_index("index")["estimate"]["Uno C"]
    assert uno == pytest.approx(apparent["uno_c"], rel=1e-10)
    assert values["Harrell C"] == pytest.approx(apparent["c"], rel=1e-10)
    for name in ("brier", "ipa", "oe", "slope", "ici", "e50", "e90", "emax"):
        assert calibrated[name] == pytest.approx(apparent[name], rel=1e-6), name
    curve = rn.decision_curve(times, question, models=models, time=12, thresholds=[0.3])
    assert curve.prevalence == pytest.approx(calibrated["observed_risk"], rel=1e-12)


def test_competing_risks_agree_on_cases_and_controls(times: pd.DataFrame) -> None:
    question = "Surv(t, code) ~ risk"
    seen = rn.discrimination(times, question, cause=1, time=12).to_frame()
    auc = seen[(seen["index"] == "AUC(t)") & (seen["controls"] == "all non-cases")]["estimate"]
    calibrated = rn.calibration(times, question, cause=1, time=12).to_frame().iloc[0]
    assert auc.iloc[0] == pytest.approx(calibrated["auc"], rel=1e-10)
    curve = rn.decision_curve(times, question, cause=1, time=12, thresholds=[0.1])
    assert curve.prevalence == pytest.approx(calibrated["observed_risk"], rel=1e-12)
