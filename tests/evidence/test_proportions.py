"""Meta-analysis of proportions: every field of the reference, series by hand, invariants."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.evidence.meta_pooling import pool_sets
from rnetstats.evidence.proportions_transforms import (
    TRANSFORMS,
    _freeman_tukey,
    _miller,
    harmonic_mean,
)
from rnetstats.kernels.meta_tau2 import tau_squared
from support import assert_close, case, numbers, read

CASES = ("pritz_props", "rare_props")
TAU2 = ("DL", "REML", "PM", "ML", "SJ")
KEYS = {"logit": "logit", "arcsine": "arcsine", "freeman-tukey": "freeman_tukey"}
KNAPP = {
    "hartung-knapp": ("hk", "hts", "prediction_t_k_minus_2_hts"),
    "hartung-knapp-adhoc": ("hk_variance_floor", "t(k-1)", "prediction_t_k_minus_1_meta_default"),
    "hartung-knapp-wider": ("meta_hk_adhoc_ci", "hk", "prediction_t_k_minus_1_hk_se"),
    "wald": (None, "normal", "prediction_z_metafor_default"),
}
# Two maxima of one likelihood are 0 and 1e-14 where the reference stops: floors in proportion.
FLOOR = {"rel": 1e-8, "floor": 3e-10}


def values_of(name: str) -> dict[str, Any]:
    return case("meta", name)["values"]


@cache
def series(name: str) -> pd.DataFrame:
    spec = case("meta", name)["spec"]
    data = read(case("meta", name)["data"])
    return data.rename(columns={spec["events"]: "events", spec["n"]: "n"})


@cache
def pooled(name: str, transform: str, **options: Any) -> Any:
    return rn.meta_proportions(series(name), transform=transform, **options)


@pytest.mark.parametrize("name", CASES)
def test_series_and_sums(name: str) -> None:
    values, found = values_of(name), pooled(name, "arcsine")
    frame, row = found.to_frame(), found.glance().iloc[0]
    assert_close(frame["conf_low"], values["study_clopper_pearson_lower"])
    assert_close(frame["conf_high"], values["study_clopper_pearson_upper"])
    assert_close(frame["estimate"], frame["events"] / frame["n"])
    crude, total = found.pooled.iloc[2], values["crude"]
    assert (row["k"], row["events"], row["n"]) == (values["k"], total["events"], total["n"])
    assert crude["estimate"] == total["proportion"]
    assert_close(crude[["conf_low", "conf_high"]], total["clopper_pearson"])
    assert_close(harmonic_mean(frame["n"].to_numpy(float)), values["harmonic_mean_n"])


@pytest.mark.parametrize("transform", KEYS)
@pytest.mark.parametrize("name", CASES)
def test_transformed_series_common_effect_and_heterogeneity(name: str, transform: str) -> None:
    expected, found = values_of(name)[KEYS[transform]], pooled(name, transform)
    assert_close(found.studies["coef"], expected["yi"])
    assert_close(np.square(found.studies["std_error"]), expected["vi"])
    assert len(found.studies) == expected["k"]
    common, both = found.pooled.iloc[1], expected["common"]
    assert_close(common[["coef", "std_error"]], [both["estimate"], both["se"]])
    plain = pool_sets(*effects(found), PoolOptions(0.0, "wald", None))
    check_limits(plain, {**both, "t": both["z"]})
    back = expected["back_transformed"]["common"]
    check_back(common, back, transform)
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
        assert_close(spread[field], expected[key])
    limits = spread[["tau2_low", "tau2_high"]]
    ends = [expected[f"tau2_qprofile_ci_{side}"] for side in ("lower", "upper")]
    assert_close(limits, ends, rel=1e-6)
    assert_close(limits, expected["metafor_confint_tau2"], rel=1e-6)


@pytest.mark.parametrize("tau2", TAU2)
@pytest.mark.parametrize("transform", KEYS)
@pytest.mark.parametrize("name", CASES)
def test_random_effects(name: str, transform: str, tau2: str) -> None:
    whole = values_of(name)[KEYS[transform]]
    expected, back = whole["random"][tau2], whole["back_transformed"][tau2]
    y, v = numbers(whole["yi"]), numbers(whole["vi"])
    between = tau_squared(y, v, tau2)
    for ci, (key, prediction, ahead) in KNAPP.items():
        made = pool_sets(y, v, PoolOptions(tau2, ci, prediction), tau2=between)
        check_limits(made, expected[key] if key else {**expected, "t": expected["z"]})
        limits = [made.pi_low[0], made.pi_high[0]]
        assert_close(limits, [expected[ahead]["lower"], expected[ahead]["upper"]], **FLOOR)
    assert_close(made.weights[0], expected["weights_percent"], **FLOOR)
    for field, key in (
        ("tau2", "tau2"),
        ("tau2_std_error", "se_tau2"),
        ("i2_tau2", "I2_metafor_tau2_based"),
        ("h2_tau2", "H2_metafor_tau2_based"),
    ):
        assert_close(made.spread[field][0], expected[key], **FLOOR)
    wald = pooled(name, transform, tau2=tau2, ci="wald").pooled.iloc[0]
    check_back(wald, back, transform)
    assert_close(wald[["coef", "std_error"]], [expected["estimate"], expected["se"]], **FLOOR)
    knapp = pooled(name, transform, tau2=tau2)
    stem = "harmonic_n_hk" if transform == "freeman-tukey" else "hk"
    ends = [back[f"{stem}_ci_lower"], back[f"{stem}_ci_upper"]]
    assert_close([knapp.conf_low, knapp.conf_high], ends, **FLOOR)
    if transform != "freeman-tukey":
        reach = [back["prediction_hts_lower"], back["prediction_hts_upper"]]
        assert_close(knapp.pooled.iloc[0][["pi_low", "pi_high"]], reach, **FLOOR)
        return
    other = pooled(name, transform, tau2=tau2, ci="wald", back_n="inverse-variance").pooled.iloc[0]
    check_back(other, back, transform, "inverse_variance_n")
    assert_close(other["back_n"], back["inverse_variance_n"], **FLOOR)
    if tau2 == "REML":
        program = values_of(name)["freeman_tukey_metafor_transf_ipft_hm_REML"]
        check_back(wald, program, "logit")


@pytest.mark.parametrize("tau2", ["common", *TAU2])
@pytest.mark.parametrize("name", CASES)
def test_the_double_arcsine_is_undone_as_barendregt_and_doi_do(name: str, tau2: str) -> None:
    expected = case("double_arcsine", name)["values"][tau2]
    how = {"tau2": 0.0 if tau2 == "common" else tau2, "ci": "wald", "back_n": "barendregt"}
    row = pooled(name, "freeman-tukey", **how).pooled.iloc[0]
    for field, key in (
        ("back_n", "n"),
        ("estimate", "estimate"),
        ("estimate", "by_the_paper"),
        ("conf_low", "ci_lower"),
        ("conf_high", "ci_upper"),
    ):
        assert_close(row[field], expected[key], **FLOOR)


def test_one_over_the_variance_counts_the_patients() -> None:
    """By hand: variances of the sums are 1/(n + 0.5), so their weights add up to n + k/2."""
    sizes = {"study": list("ABC"), "events": [3, 1, 8], "n": [20, 35, 61]}
    found = rn.meta_proportions(sizes, transform="freeman-tukey", tau2=0.0, back_n="barendregt")
    assert found.pooled["back_n"].iloc[1] == pytest.approx(116 + 1.5, rel=1e-12)
    assert "117.5" in " ".join(found.notes)


def effects(found: Any) -> tuple[np.ndarray, np.ndarray]:
    return found.studies["coef"].to_numpy(), np.square(found.studies["std_error"].to_numpy())


def check_back(row: Any, back: Any, transform: str, stem: str = "harmonic_n") -> None:
    names = ("estimate", "ci_lower", "ci_upper")
    keys = [f"{stem}_{name}" if transform == "freeman-tukey" else name for name in names]
    found = row[["estimate", "conf_low", "conf_high"]]
    assert_close(found, [back[key] for key in keys], **FLOOR)


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
            assert_close(getattr(limits, field)[0], expected[key], **FLOOR)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("pritz_props", 25),
        ("rare_props", 25),
        pytest.param("pritz_props", 7, marks=pytest.mark.slow),
        pytest.param("rare_props", 7, marks=pytest.mark.slow),
        pytest.param("pritz_props", 1, marks=pytest.mark.slow),
        pytest.param("rare_props", 1, marks=pytest.mark.slow),
    ],
)
def test_logistic_model(name: str, points: int) -> None:
    # With one point the reference program stops short of the maximum of Laplace's approximation:
    # its standard error is 1 % off that of a direct search.
    expected = values_of(name)[f"glmm_nagq{points}"]
    found = pooled(name, "glmm", points=points)
    row, spread = found.pooled.iloc[0], found.heterogeneity.iloc[0]
    loose = 2e-2 if points == 1 else 1e-3
    assert_close(row["coef"], expected["estimate_logit"], rel=1e-3)
    assert_close(row["std_error"], expected["se"], rel=loose)
    assert_close(found.tau2, expected["tau2"], rel=max(loose / 5, 1e-3))
    assert_close(found.estimate, expected["proportion"], rel=1e-3)
    limits = [expected["t_ci_lower"], expected["t_ci_upper"]]
    assert_close([found.conf_low, found.conf_high], limits, rel=3e-3 if points == 1 else 1e-3)
    wald = pooled(name, "glmm", points=points, ci="wald")
    limits = [expected["ci_lower"], expected["ci_upper"]]
    assert_close([wald.conf_low, wald.conf_high], limits, rel=3e-3 if points == 1 else 1e-3)
    assert_close(spread["q"], expected["Q_lrt"], rel=1e-3)
    assert_close(spread["q_wald"], expected["Q_wald"], rel=1e-3)


def test_two_series_by_hand() -> None:
    # Logits of 1/4 and 1/4 are -ln 3; variances 1/5 + 1/15 and 1/10 + 1/30, tau2 = 0: the weights
    # are 3.75 and 7.5, the variance 1/11.25. Wald limits -ln 3 -+ 1.96/sqrt(11.25).
    data = {"study": ["A", "B"], "events": [5, 10], "n": [20, 40]}
    found = rn.meta_proportions(data, transform="logit", ci="wald")
    assert_close(found.studies["coef"], [-np.log(3.0)] * 2)
    assert_close(found.studies["weight"], [100 / 3, 200 / 3])
    half = 1.959963984540054 / np.sqrt(11.25)
    assert_close(found.estimate, 0.25)
    odds = np.exp(-np.log(3.0) + half)
    assert_close(found.conf_high, odds / (1.0 + odds))
    assert np.isnan(found.glance()["pi_low"][0])
    assert any("three studies" in note for note in found.notes)
    crude = rn.meta_proportions(data, ci="wald")
    assert_close(crude.estimate, 0.25)
    assert_close(crude.pooled["std_error"][0] ** 2, 1 / 15 + 1 / 45)


def test_other_scales_by_hand() -> None:
    # 2 of 10 and 1 of 20, common effect. Raw: variances 0.016 and 0.002375. Log: 0.4 and 0.95.
    data = {"study": ["A", "B"], "events": [2, 1], "n": [10, 20]}
    raw = rn.meta_proportions(data, transform="raw", tau2=0.0)
    w = 1.0 / np.array([0.016, 0.002375])
    assert_close(raw.estimate, (w * [0.2, 0.05]).sum() / w.sum())
    assert raw.conf_low == 0.0
    assert any("beyond 0 or 1" in note for note in raw.notes)
    log = rn.meta_proportions(data, transform="log", tau2=0.0, ci="wald")
    w = 1.0 / np.array([0.4, 0.95])
    assert_close(log.estimate, np.exp((w * np.log([0.2, 0.05])).sum() / w.sum()))
    assert log.conf_high <= 1.0


@st.composite
def counts(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    k = draw(st.integers(2, 6))
    n = draw(st.lists(st.integers(5, 60), min_size=k, max_size=k))
    events = [draw(st.integers(0, size)) for size in n]
    assume(0 < sum(events) < sum(n))
    return events, n


def made(events: Any, n: Any, **options: Any) -> Any:
    data = {"study": [f"S{i}" for i in range(len(n))], "events": events, "n": n}
    return rn.meta_proportions(data, **options)


@settings(max_examples=6)
@given(counts(), st.randoms(use_true_random=False), st.sampled_from([*TRANSFORMS]))
def test_order_is_irrelevant(both: Any, random: Any, transform: str) -> None:
    found = made(*both, transform=transform)
    order = list(range(len(both[0])))
    random.shuffle(order)
    again = made(*(np.array(part)[order] for part in both), transform=transform)
    for name in ("estimate", "conf_low", "conf_high", "tau2", "q"):
        assert_close(again.glance()[name], found.glance()[name], rel=1e-6, floor=1e-8)
    assert 0.0 <= found.conf_low <= found.estimate <= found.conf_high <= 1.0


@settings(max_examples=6)
@given(counts(), st.sampled_from(["logit", "arcsine", "freeman-tukey", "raw"]))
def test_non_events_mirror_events(both: Any, transform: str) -> None:
    events, n = (np.array(part) for part in both)
    one, other = (made(x, n, transform=transform) for x in (events, n - events))
    assert_close(other.estimate, 1.0 - one.estimate, rel=1e-6, floor=1e-8)
    assert_close(other.conf_low, 1.0 - one.conf_high, rel=1e-6, floor=1e-8)
    assert_close(other.tau2, one.tau2, rel=1e-6, floor=1e-8)


@settings(max_examples=6)
@given(counts(), st.sampled_from(["glmm", *TRANSFORMS]))
def test_no_variance_between_series_is_the_common_effect(both: Any, transform: str) -> None:
    found = made(*both, transform=transform, tau2=0.0, ci="wald").pooled
    for name in ("estimate", "conf_low", "conf_high"):
        assert_close(found[name][0], found[name][1])
    if transform == "glmm":
        events, n = (sum(part) for part in both)
        assert_close(found["estimate"][0], events / n)
        error = np.sqrt(1.0 / events + 1.0 / (n - events))
        assert_close(found["std_error"][0], error)
        assert_close(found["coef"][0], np.log(events / (n - events)), floor=1e-9)


def test_the_model_mirrors_too_and_a_held_variance_is_its_own() -> None:
    table = series("pritz_props")
    one = pooled("pritz_props", "glmm")
    other = made(table["n"] - table["events"], table["n"])
    assert_close(other.estimate, 1.0 - one.estimate, rel=1e-7)
    held = pooled("pritz_props", "glmm", tau2=one.tau2)
    assert_close(held.estimate, one.estimate, rel=1e-7)
    assert held.pooled["std_error"][0] < one.pooled["std_error"][0]
    assert_close(pooled("pritz_props", "glmm", points=25).estimate, one.estimate, rel=1e-9)


@pytest.mark.parametrize("n", [1.0, 7.0, 40.0])
def test_the_double_arcsine_of_every_count_is_undone_up_to_both_ends(n: float) -> None:
    x = np.arange(n + 1)
    y = _freeman_tukey(x, np.full(x.size, n))[0]
    assert_close(_miller(y, n), x / n, rel=1e-9, floor=1e-12)
    beyond = _miller(np.array([-1.0, y[0] - 0.01, y[-1] + 0.01, 3.0]), n)
    assert_close(beyond, [0, 0, 1, 1], floor=1e-12)
