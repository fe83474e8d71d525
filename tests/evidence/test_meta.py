"""Meta-analysis: every field of the reference, tables by hand, invariants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnetstats as rn
from meta_cases import COUNTS, POOLED_CASES, pooled, studies
from rnetstats.evidence.meta_options import PREDICTIONS, PoolOptions
from rnetstats.evidence.meta_pooling import pool_sets
from support import assert_close, case, numbers

TAU2 = ("DL", "REML", "PM", "ML", "SJ", "EB", "HE")
KNAPP = {
    "hartung-knapp": "hk",
    "hartung-knapp-adhoc": "hk_variance_floor",
    "hartung-knapp-wider": "meta_hk_adhoc_ci",
}
PREDICTED = {
    "hts": "prediction_t_k_minus_2_hts",
    "t(k-1)": "prediction_t_k_minus_1_meta_default",
    "normal": "prediction_z_metafor_default",
    "hk": "prediction_t_k_minus_1_hk_se",
}


def on_scale(result: Any, value: Any) -> Any:
    """Back from the measure's scale to that of analysis."""
    return np.log(value) if result.kind.log else value


@pytest.mark.parametrize("name", POOLED_CASES)
def test_effects_common_effect_and_heterogeneity(name: str) -> None:
    values, found = case("meta", name)["values"], pooled(name)
    used = found.used_studies()
    assert len(found.studies) == values["studies_total"] == found.glance()["k"][0]
    assert (np.flatnonzero(found.studies["used"]) + 1).tolist() == values[
        "studies_used_rows_from_1"
    ]
    assert found.k_used == values["k"]
    assert_close(used["coef"], values["yi"])
    assert_close(np.square(used["std_error"]), values["vi"])
    common = found.pooled.iloc[1]
    expected = values["common"]
    for field, key in (
        ("coef", "estimate"),
        ("std_error", "se"),
        ("statistic", "z"),
        ("p_value", "p"),
    ):
        assert_close(common[field], expected[key])
    assert_close(on_scale(found, common["conf_low"]), expected["ci_lower"])
    assert_close(on_scale(found, common["conf_high"]), expected["ci_upper"])
    spread = found.heterogeneity.iloc[0]
    for field, key in (
        ("q", "Q"),
        ("q_df", "Q_df"),
        ("q_p", "Q_p"),
        ("i2", "I2_from_Q"),
        ("i2_untruncated", "I2_from_Q_untruncated"),
        ("h", "H_from_Q"),
        ("h2", "H2_from_Q"),
        ("i2_low", "I2_higgins_ci_lower"),
        ("i2_high", "I2_higgins_ci_upper"),
    ):
        assert_close(spread[field], values[key])
    assert_close(spread["tau2_low"], values["tau2_qprofile_ci_lower"], rel=1e-6)
    assert_close(spread["tau2_high"], values["tau2_qprofile_ci_upper"], rel=1e-6)


@pytest.mark.parametrize("tau2", TAU2)
@pytest.mark.parametrize("name", POOLED_CASES)
def test_random_effects(name: str, tau2: str) -> None:
    values = case("meta", name)["values"]
    expected, y, v = values["random"][tau2], numbers(values["yi"]), numbers(values["vi"])
    found = pool_sets(y, v, PoolOptions(tau2, "wald", "hts"))
    assert_close(found.coef[0], expected["estimate"])
    check_limits(found, {**expected, "t": expected["z"]})
    assert_close(found.weights[0], expected["weights_percent"])
    for field, key in (
        ("tau2", "tau2"),
        ("tau2_std_error", "se_tau2"),
        ("i2_tau2", "I2_metafor_tau2_based"),
        ("h2_tau2", "H2_metafor_tau2_based"),
    ):
        assert_close(found.spread[field][0], expected[key])
    for (ci, key), prediction in zip(KNAPP.items(), ("t(k-1)", "normal", "hk"), strict=True):
        made = pool_sets(y, v, PoolOptions(tau2, ci, prediction))
        check_limits(made, expected[key])
        check_prediction(made, expected[PREDICTED[prediction]])
    check_prediction(found, expected[PREDICTED["hts"]])


def check_prediction(found: Any, expected: dict[str, Any]) -> None:
    assert_close([found.pi_low[0], found.pi_high[0]], [expected["lower"], expected["upper"]])


def check_limits(found: Any, expected: dict[str, Any]) -> None:
    limits = found.limits
    for field, keys in (
        ("std_error", ("se",)),
        ("statistic", ("t",)),
        ("df", ("df",)),
        ("p_value", ("p",)),
        ("low", ("ci_lower", "lower")),
        ("high", ("ci_upper", "upper")),
    ):
        for key in set(keys) & set(expected):
            assert_close(getattr(limits, field)[0], expected[key])


@pytest.mark.parametrize("name", ["nielweise_OR", "double_zero_RD"])
def test_what_the_verb_shows_is_what_was_pooled(name: str) -> None:
    expected = case("meta", name)["values"]["random"]["REML"]
    found = pooled(name, ci="hartung-knapp", prediction="t(k-1)")
    row = found.glance().iloc[0]
    assert_close(on_scale(found, row["estimate"]), expected["estimate"])
    assert_close(on_scale(found, row["conf_low"]), expected["hk"]["ci_lower"])
    assert_close(on_scale(found, row["conf_high"]), expected["hk"]["ci_upper"])
    assert_close(row["p_value"], expected["hk"]["p"])
    key = "prediction_t_k_minus_1_meta_default"
    assert_close(on_scale(found, row["pi_low"]), expected[key]["lower"])
    assert_close(on_scale(found, row["pi_high"]), expected[key]["upper"])
    assert_close(row["tau2"], expected["tau2"])
    frame = found.to_frame()
    assert_close(frame.loc[frame["used"], "weight"], expected["weights_percent"])
    assert_close(frame["weight_common"].sum(), 100.0)
    half = 1.959963984540054 * frame["std_error"]
    assert_close(on_scale(found, frame["conf_low"]), frame["coef"] - half)
    assert (found.estimate, found.conf_low, found.conf_high) == tuple(
        row[["estimate", "conf_low", "conf_high"]]
    )
    assert found.tau2 == row["tau2"]


def test_two_studies_by_hand() -> None:
    # Differences 1 and 3 with variances 1 and 1: mean 2, Q = 2, tau2 (HE, DL, PM, REML) = 1,
    # classical standard error sqrt(2/2) = 1, Hartung-Knapp: q = (1 + 1)/2/1 = 1, so 1 too;
    # t(1) at 0.975 is 12.7062.
    data = {"study": ["A", "B"], "coef": [1.0, 3.0], "std_error": [1.0, 1.0]}
    found = rn.meta_analysis(data, measure="generic")
    row = found.glance().iloc[0]
    assert_close(row[["estimate", "tau2", "q", "i2", "h2"]], [2.0, 1.0, 2.0, 0.5, 2.0])
    assert_close(row["conf_high"] - 2.0, 12.706204736174694)
    assert np.isnan(row["pi_low"])
    assert any("three studies" in note for note in found.notes)
    assert_close(found.to_frame()["weight"], [50.0, 50.0])


def test_estimates_with_limits_are_those_with_standard_errors() -> None:
    z = 1.959963984540054
    se, hr = np.array([0.2, 0.3, 0.1]), np.array([0.7, 1.1, 0.9])
    names = {"study": ["A", "B", "C"]}
    by_error = rn.meta_analysis({**names, "estimate": hr, "std_error": se}, measure="HR")
    by_coef = rn.meta_analysis({**names, "coef": np.log(hr), "std_error": se}, measure="HR")
    limits = {"conf_low": hr * np.exp(-z * se), "conf_high": hr * np.exp(z * se)}
    by_limits = rn.meta_analysis({**names, "estimate": hr, **limits}, measure="HR")
    gaps = np.array([np.nan, 0.3, np.nan])
    mixed = rn.meta_analysis({**names, "estimate": hr, "std_error": gaps, **limits}, measure="HR")
    for other in (by_coef, by_limits, mixed):
        numeric = other.glance().select_dtypes("number")
        assert_close(numeric, by_error.glance().select_dtypes("number"))
    assert any("standard error of 2 studies is that of the 95 % limits" in n for n in mixed.notes)
    narrow = rn.meta_analysis({**names, "estimate": hr, **limits}, measure="HR", limits_level=0.9)
    assert_close(narrow.to_frame()["std_error"], se * z / 1.6448536269514722)


@st.composite
def estimates(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    k = draw(st.integers(2, 8))
    value = st.floats(-3.0, 3.0).map(lambda v: round(v, 3))
    y = draw(st.lists(value, min_size=k, max_size=k))
    error = draw(st.lists(st.floats(0.05, 2.0), min_size=k, max_size=k))
    return np.array(y), np.array(error)


def generic(y: np.ndarray, error: np.ndarray, **options: Any) -> Any:
    names = [f"S{i}" for i in range(len(y))]
    data = {"study": names, "coef": y, "std_error": error}
    return rn.meta_analysis(data, measure="generic", **options)


@pytest.mark.slow
@settings(max_examples=12)
@given(estimates(), st.randoms(use_true_random=False))
def test_order_is_irrelevant_and_the_estimate_within_the_studies(
    both: tuple[np.ndarray, np.ndarray], random: Any
) -> None:
    y, error = both
    found = generic(y, error)
    assert y.min() - 1e-9 <= found.estimate <= y.max() + 1e-9
    order = list(range(len(y)))
    random.shuffle(order)
    again = generic(y[order], error[order])
    for name in ("estimate", "conf_low", "conf_high", "tau2", "q", "i2"):
        assert_close(again.glance()[name], found.glance()[name], rel=1e-6, floor=1e-8)
    row = found.heterogeneity.iloc[0]
    assert row["tau2_low"] <= row["tau2_high"]
    assert 0.0 <= row["i2"] < 1.0


@pytest.mark.slow
@settings(max_examples=12)
@given(estimates())
def test_no_variance_between_studies_is_the_common_effect(
    both: tuple[np.ndarray, np.ndarray],
) -> None:
    found = generic(*both, tau2=0.0, ci="wald").pooled
    for name in ("estimate", "conf_low", "conf_high", "p_value", "std_error"):
        assert found[name][0] == found[name][1]
    estimated = generic(*both, ci="wald")
    if estimated.tau2 == 0.0:
        assert_close(estimated.pooled["coef"][0], estimated.pooled["coef"][1])


@settings(max_examples=12)
@given(st.lists(st.integers(0, 12), min_size=8, max_size=8), st.sampled_from(["OR", "RR", "RD"]))
def test_swapping_the_arms_inverts_the_pooled_effect(events: list[int], measure: str) -> None:
    data = {"study": list("ABCD"), "n_1": [20, 31, 42, 53], "n_2": [25, 36, 47, 58]}
    data |= {"events_1": [*events[:4]], "events_2": [*events[4:]]}
    if not any(a + b > 0 for a, b in zip(events[:4], events[4:], strict=True)):
        return
    swap = {"events_1": "events_2", "events_2": "events_1", "n_1": "n_2", "n_2": "n_1"}
    one = rn.meta_analysis(data, measure=measure)
    other = rn.meta_analysis(data, measure=measure, columns=swap)
    ahead = on_scale(one, 1.0) == 0.0
    assert_close(other.pooled["coef"], -one.pooled["coef"], rel=1e-7, floor=1e-9)
    mirrored = 1.0 / one.conf_high if ahead else -one.conf_high
    assert_close(other.conf_low, mirrored, rel=1e-6, floor=1e-8)


def test_the_wider_interval_contains_the_others() -> None:
    for name in ("bcg_OR", "double_zero_OR"):
        made = {ci: pooled(name, "REML", ci) for ci in (*KNAPP, "wald")}
        wider = made["hartung-knapp-wider"]
        assert_close(wider.conf_low, min(made["hartung-knapp"].conf_low, made["wald"].conf_low))
        floor = made["hartung-knapp-adhoc"]
        assert floor.conf_low <= made["hartung-knapp"].conf_low + 1e-12
    assert wider.pooled["method"][0].endswith("Wald")  # double zeros: the factor is below 1


def test_a_new_study_is_less_certain_than_the_mean() -> None:
    table = studies("bcg_OR")
    columns = dict(zip(COUNTS, ("tpos", "n1", "cpos", "n2"), strict=True))
    for prediction in PREDICTIONS:
        found = rn.meta_analysis(table, measure="OR", columns=columns, prediction=prediction)
        row = found.glance().iloc[0]
        assert row["pi_low"] < row["conf_low"] < row["conf_high"] < row["pi_high"]
    y, error = np.array([0.1, 0.5, 0.9, 0.2]), np.array([0.2, 0.1, 0.3, 0.2])
    assert any(generic(y, error).display()["Study"].str.startswith("Prediction interval"))
    none = generic(y, error, prediction=None)
    assert none.glance()[["pi_low", "pi_high"]].isna().all(axis=None)
    assert not any(none.display()["Study"].str.startswith("Prediction"))


def test_the_data_are_not_changed() -> None:
    table = studies("double_zero_OR")
    before = table.copy(deep=True)
    pooled("double_zero_OR")
    pd.testing.assert_frame_equal(table, before)
