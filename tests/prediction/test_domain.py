"""The domain: ranges, levels, joint leverage, and what becomes of patients outside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, OptionError
from rnetstats.prediction.domain import joint_domain, leverage
from rnetstats.prediction.model import RiskModel

FORMULA = "margin_positive ~ method + lvi + nlr + size_mm"


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


@pytest.fixture(scope="module")
def model(cohort: pd.DataFrame) -> RiskModel:
    return rn.risk_model(rn.logistic(cohort, FORMULA))


def changed(cohort: pd.DataFrame, **values: object) -> pd.DataFrame:
    """The first patient, some values changed."""
    patient = cohort.head(1).astype({"method": object, "lvi": float})
    return patient.assign(**values)


def test_every_patient_of_the_fit_is_inside(cohort: pd.DataFrame, model: RiskModel) -> None:
    found = model.predict(cohort)
    assert found["in_domain"].all()
    told = found.loc[found["reason"] != "", "reason"]
    assert told.str.startswith("no limits").all()  # two patients at a level without events
    assert len(told) == (cohort["method"] == "other").sum()
    assert found.index.equals(cohort.index)
    assert tuple(found.columns) == ("risk", "conf_low", "conf_high", "in_domain", "reason")


def test_a_tumour_of_60_mm_is_refused_by_name(cohort: pd.DataFrame, model: RiskModel) -> None:
    large = changed(cohort, size_mm=60.0)
    with pytest.raises(DataError, match=r"row 1: size_mm is 60, outside 1 to 19\.5.*extrapolate"):
        model.predict(large)
    flagged = model.predict(large, outside="flag").iloc[0]
    assert np.isnan(flagged["risk"])
    assert not flagged["in_domain"]
    assert flagged["reason"] == "size_mm is 60, outside 1 to 19.5"
    far = model.predict(large, outside="extrapolate").iloc[0]
    eta = float((model.design.matrix(large) @ model.coef)[0])
    np.testing.assert_allclose(far["risk"], 1 / (1 + np.exp(-eta)), rtol=1e-12)
    assert not far["in_domain"]
    assert far["reason"] == flagged["reason"], "the warning goes with the extrapolated risk"
    assert far["conf_low"] < far["risk"] < far["conf_high"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"nlr": np.nan}, "nlr is missing"),
        ({"method": None}, "method is missing"),
        ({"method": "laser"}, "method is 'laser', unknown to the model"),
        ({"lvi": 0.5}, "lvi is 0.5; the model knows 0 or 1"),
        ({"lvi": 2.0}, "lvi is 2, outside 0 to 1"),
        ({"nlr": 0.1, "size_mm": 30.0}, "nlr is 0.1, outside 0.62 to 9.14; size_mm is 30"),
    ],
)
def test_each_reason(
    cohort: pd.DataFrame, model: RiskModel, values: dict[str, object], reason: str
) -> None:
    two = pd.concat([changed(cohort, **values), changed(cohort)])
    found = model.predict(two, outside="flag")
    assert found["in_domain"].tolist() == [False, True]
    assert found["reason"].iloc[0].startswith(reason)
    assert np.isnan(found["risk"].iloc[0])
    assert found["risk"].iloc[1] == model.predict(cohort.head(1))["risk"].iloc[0]
    with pytest.raises(DataError, match="row 1"):
        model.predict(two)


@pytest.mark.parametrize("values", [{"nlr": np.nan}, {"method": "laser"}])
def test_nothing_is_extrapolated_from_what_is_not_there(
    cohort: pd.DataFrame, model: RiskModel, values: dict[str, object]
) -> None:
    with pytest.raises(DataError, match="cannot be extrapolated for 1 of 1"):
        model.predict(changed(cohort, **values), outside="extrapolate")


def test_unusual_combinations_are_outside_by_leverage() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    data = pd.DataFrame({"x": x, "z": x + 0.1 * rng.normal(size=300)})
    data["y"] = (rng.random(300) < 0.3).astype(int)
    model = rn.risk_model(rn.logistic(data, "y ~ x + z"))
    odd = {"x": [1.5], "z": [-1.5]}  # each within its range, together like nobody
    with pytest.raises(DataError, match="no patient of the model has such values together"):
        model.predict(odd)
    found = model.predict(odd, outside="extrapolate").iloc[0]
    assert not found["in_domain"]
    X = np.column_stack([np.ones(300), data["x"], data["z"]])
    new = np.array([1.0, 1.5, -1.5])
    inverse = np.linalg.inv(X.T @ X)
    assert f"leverage {new @ inverse @ new:.3g}" in found["reason"]
    largest = np.einsum("ij,jk,ik->i", X, inverse, X).max()
    assert f"{largest:.3g}" in found["reason"]


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_no_training_row_is_beyond_the_largest_leverage(seed: int, intercept: bool) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, 4)) * np.array([1.0, 1e4, 1e-4, 1.0])
    if intercept:
        X[:, 0] = 1.0
    freq = rng.integers(0, 3, 30).astype(float)
    joint = joint_domain(X, freq, intercept=intercept)
    values, beyond = leverage(joint, X[freq > 0])
    assert not beyond.any()
    np.testing.assert_allclose(values.max(), joint["largest"], rtol=1e-6)
    rows = np.repeat(np.arange(30), freq.astype(int))
    same = joint_domain(X[rows], None, intercept=intercept)
    np.testing.assert_allclose(same["inverse"], joint["inverse"], rtol=1e-6, atol=1e-12)
    assert leverage(joint, X[:1] + 50 * X.std(axis=0) * np.array([0, 1, 1, 1]))[1].all()


def test_frequency_weights_give_the_domain_of_replicated_rows(cohort: pd.DataFrame) -> None:
    data = cohort.head(120)
    freq = np.random.default_rng(5).integers(0, 4, 120)
    assert freq[data["size_mm"].argmax()] == 0 or freq[data["nlr"].argmax()] == 0
    formula = "margin_positive ~ nlr + size_mm"
    weighted = rn.logistic(data, formula, freq_weights=freq, ci="wald")
    rows = data.iloc[np.repeat(np.arange(120), freq)]
    for name, about in rn.logistic(rows, formula, ci="wald").variables.items():
        for key, value in about.items():
            np.testing.assert_allclose(weighted.variables[name][key], value, rtol=1e-12)


def test_refusals_name_the_first_rows_and_count_the_rest(
    cohort: pd.DataFrame, model: RiskModel
) -> None:
    with pytest.raises(DataError, match=r"5 of 5 patients \(row 1: .*row 3: .*; and 2 more\)"):
        model.predict(cohort.head(5).assign(size_mm=99.0))


def test_bad_input_of_predict(cohort: pd.DataFrame, model: RiskModel) -> None:
    with pytest.raises(ColumnError, match="There is no column 'nlr'"):
        model.predict(cohort.drop(columns="nlr"))
    with pytest.raises(OptionError, match="outside='ignore'"):
        model.predict(cohort, outside="ignore")
    with pytest.raises(DataError, match="infinite"):
        model.predict(cohort.head(2).assign(nlr=np.inf))
    with pytest.raises(ColumnError, match="takes numbers"):
        model.predict(cohort.head(2).assign(nlr=["a", "b"]))


def test_a_logarithm_below_zero_is_flagged_not_raised(cohort: pd.DataFrame) -> None:
    model = rn.risk_model(rn.logistic(cohort, "margin_positive ~ log(nlr)"))
    new = pd.DataFrame({"nlr": [-1.0, 3.0]})
    found = model.predict(new, outside="flag")
    assert found["in_domain"].tolist() == [False, True]
    with pytest.raises(DataError, match="no logarithm"):
        model.predict(new, outside="extrapolate")


def test_prediction_does_not_change_the_data(cohort: pd.DataFrame, model: RiskModel) -> None:
    before = cohort.copy(deep=True)
    model.predict(cohort)
    pd.testing.assert_frame_equal(cohort, before)
