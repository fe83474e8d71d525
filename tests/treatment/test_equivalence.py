"""Equivalence and non-inferiority: agreement of P and interval, invariants, refusals."""

from __future__ import annotations

import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import rnetstats as rn
from rnetstats.errors import DataError, FormulaError, OptionError, TooFewEventsError
from rnetstats.tables.two_proportions import score_z
from rnetstats.treatment.margin_contrast import ScoreDifference, SquareAndAdd, normal_arm
from rnetstats.treatment.margin_exact import ExactDifference, _boundary, score_level
from rnetstats.treatment.margin_result import VERDICT_RULES, MarginResult, verdict_words
from rnetstats.treatment.margin_size import patients_for_difference, patients_for_hazard

counts = st.integers(0, 12)
TIME = "Surv(dfs_months, recurrence)"
DFS = "Surv(dfs_months, dfs_event)"


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


def binary(x1: int, m: int, x2: int, n: int) -> dict[str, Any]:
    """One row a patient; the new treatment is B."""
    event = np.repeat([1, 0, 1, 0], [x1, m - x1, x2, n - x2])
    return {"y": event, "arm": np.repeat(["B", "A"], [m, n])}


def times(seed: int, n: int = 80, hazard: float = 1.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    arm = np.repeat(["A", "B"], n)
    t = rng.exponential(10.0 / np.where(arm == "B", hazard, 1.0))
    c = rng.uniform(5.0, 20.0, 2 * n)
    return {"t": np.minimum(t, c), "e": (t <= c).astype(int), "arm": arm}


def row(result: MarginResult) -> pd.Series:
    return result.glance().iloc[0]


# --- risk difference ---------------------------------------------------------------------------


def test_score_by_hand() -> None:
    # 10/100 against 10/100, margin 0.1: the restricted risks by a look at the whole likelihood
    z = norm.ppf(ScoreDifference(10, 100, 10, 100).p_below(0.1))
    grid = np.linspace(0.001, 0.899, 400_001)
    value = 10 * np.log(grid + 0.1) + 90 * np.log(0.9 - grid)
    value += 10 * np.log(grid) + 90 * np.log(1 - grid)
    best = grid[np.argmax(value)]
    p1 = best + 0.1
    se = math.sqrt((p1 * (1 - p1) + best * (1 - best)) / 100 * 200 / 199)
    assert math.isclose(z, -0.1 / se, rel_tol=1e-5)


@pytest.mark.parametrize("method", ["score", "exact"])
def test_the_estimate_is_the_difference_of_the_shares(method: str) -> None:
    found = rn.equivalence(binary(3, 10, 5, 12), "y ~ arm", margin=0.4, method=method)
    assert math.isclose(row(found)["estimate"], 3 / 10 - 5 / 12, rel_tol=1e-12)


def test_exact_by_hand() -> None:
    # 0/2 against 0/2, margin 0.5: P is the largest (1 - p - 0.5)^2 (1 - p)^2 = 0.25, at p = 0
    assert math.isclose(ExactDifference(0, 2, 0, 2).p_below(0.5), 0.25, rel_tol=1e-9)


@given(st.integers(1, 15), st.integers(1, 15), st.floats(-0.95, 0.95), st.floats(-4.0, 4.0))
def test_the_boundary_holds_all_tables_with_a_low_score(
    m: int, n: int, delta: float, seen: float
) -> None:
    a, c = np.arange(m + 1.0)[:, None], np.arange(n + 1.0)
    low = score_z(a, float(m), c, float(n), delta) <= seen
    np.testing.assert_array_equal(low, c >= _boundary(m, n, delta, seen)[:, None])
    with pytest.MonkeyPatch.context() as patch:  # the same by halving, as for large tables
        patch.setattr("rnetstats.treatment.margin_exact._LISTED", 0)
        np.testing.assert_array_equal(low, c >= _boundary(m, n, delta, seen)[:, None])


@pytest.mark.slow
@given(st.integers(1, 12), st.integers(1, 12), st.data())
@settings(max_examples=12)
def test_exact_p_agrees_with_its_interval(m: int, n: int, data: st.DataObject) -> None:
    x1, x2 = data.draw(st.integers(0, m)), data.draw(st.integers(0, n))
    exact = ExactDifference(x1, m, x2, n)
    low, high = exact.limits(0.05)
    assert low <= exact.estimate <= high
    for margin in (0.1, 0.3, 0.6):
        if abs(high - margin) > 1e-6 and margin > exact.estimate:
            assert (exact.p_below(margin) <= 0.05) == (high < margin)
        if abs(low + margin) > 1e-6 and -margin < exact.estimate:
            assert (exact.p_above(-margin) <= 0.05) == (low > -margin)


@pytest.mark.slow
@pytest.mark.parametrize(("m", "n", "margin"), [(6, 6, 0.3), (3, 8, 0.2), (9, 4, 0.1)])
def test_exact_holds_its_level_and_score_nearly(m: int, n: int, margin: float) -> None:
    """Enumerate all tables at all risks on the margin: no other test gives the level itself."""
    p2 = np.linspace(0.0, 1.0 - margin, 101)
    from scipy.stats import binom

    reject = {
        kind: np.array(
            [[kind(a, m, c, n).p_below(margin) <= 0.05 for c in range(n + 1)] for a in range(m + 1)]
        )
        for kind in (ExactDifference, ScoreDifference)
    }
    level = {
        kind: max(
            binom.pmf(np.arange(m + 1), m, p + margin) @ table @ binom.pmf(np.arange(n + 1), n, p)
            for p in p2
        )
        for kind, table in reject.items()
    }
    assert level[ExactDifference] <= 0.05 + 1e-9
    assert level[ExactDifference] > 0.005
    # approximate at so few patients: 8.7 % has been found (9 and 5, margin 0.1); notes say so
    assert level[ScoreDifference] <= 0.09
    assert math.isclose(
        level[ScoreDifference], score_level(m, n, margin, 0.05, places=101), rel_tol=1e-6
    )


@pytest.mark.slow
@given(counts, counts, st.integers(0, 10), st.integers(0, 10), st.floats(0.02, 0.6))
def test_tost_is_the_larger_p_and_agrees_with_the_interval(
    x1: int, x2: int, more1: int, more2: int, margin: float
) -> None:
    m, n = x1 + more1 + 1, x2 + more2 + 1
    found = rn.equivalence(binary(x1, m, x2, n), "y ~ arm", margin=margin, method="score")
    frame = found.to_frame().iloc[0]
    assert frame["p_value"] == max(frame["p_lower"], frame["p_upper"])
    inside = -margin < frame["conf_low"] and frame["conf_high"] < margin
    assume(abs(frame["p_value"] - 0.05) > 1e-9)
    assert (frame["p_value"] < 0.05) == inside == found.shown
    assert (found.smallest_margin < margin) == inside


@pytest.mark.slow
@given(counts, counts, st.integers(1, 10), st.integers(1, 10))
@settings(max_examples=10)
def test_swapping_the_arms_flips_the_difference(x1: int, x2: int, a: int, b: int) -> None:
    data = binary(x1, x1 + a, x2, x2 + b)
    one = rn.equivalence(data, "y ~ arm", margin=0.2)
    other = rn.equivalence(data, "y ~ arm", margin=0.2, new="A")
    assert math.isclose(row(one)["estimate"], -row(other)["estimate"], abs_tol=1e-12)
    assert math.isclose(row(one)["conf_low"], -row(other)["conf_high"], abs_tol=1e-7)
    assert math.isclose(row(one)["p_value"], row(other)["p_value"], rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.slow
@given(counts, counts, st.integers(1, 10), st.integers(1, 10))
@settings(max_examples=10)
def test_the_widest_margin_is_always_met(x1: int, x2: int, a: int, b: int) -> None:
    data = binary(x1, x1 + a, x2, x2 + b)
    apart = {x1 / (x1 + a), x2 / (x2 + b)} == {0.0, 1.0}
    assert rn.equivalence(data, "y ~ arm", margin=1.0).shown or apart


def test_weights_stand_for_rows() -> None:
    short = {"y": [1, 0, 1, 0], "arm": ["B", "B", "A", "A"], "w": [7, 40, 6, 44]}
    one = rn.equivalence(short, "y ~ arm", margin=0.1, freq_weights="w")
    other = rn.equivalence(binary(7, 47, 6, 50), "y ~ arm", margin=0.1)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())


# --- times -------------------------------------------------------------------------------------


def test_two_normal_arms_give_the_normal_test() -> None:
    pair = SquareAndAdd(normal_arm(0.3, 0.05), normal_arm(0.25, 0.04), "")
    se = math.hypot(0.05, 0.04)
    np.testing.assert_allclose(pair.limits(0.05), 0.05 + norm.ppf([0.05, 0.95]) * se)
    assert math.isclose(pair.p_below(0.2), norm.cdf(-0.15 / se), rel_tol=1e-9)
    assert math.isclose(pair.p_above(-0.1), norm.cdf(-0.15 / se), rel_tol=1e-9)


def test_risk_at_a_horizon_is_kaplan_meier(cohort: pd.DataFrame) -> None:
    found = rn.equivalence(cohort, f"{DFS} ~ margin_positive", margin=0.1, horizon=60)
    at = rn.kaplan_meier(cohort, f"{DFS} ~ margin_positive", ci="plain").at(60)
    (ref, new), (se_ref, se_new) = at["survival"], at["std_error"]
    assert math.isclose(row(found)["estimate"], ref - new, rel_tol=1e-10)
    half = norm.ppf(0.95) * math.hypot(se_ref, se_new)
    assert math.isclose(row(found)["conf_high"], ref - new + half, rel_tol=1e-9)
    assert "Greenwood" in row(found)["method"]


def test_without_events_the_beta_product_limits_decide() -> None:
    # 30 and 20 followed to 10 without an event: an arm's bound is 1 - 0.05^(1/n)
    data = {"t": np.full(50, 10.0), "e": np.zeros(50), "arm": np.repeat(["A", "B"], [30, 20])}
    found = rn.equivalence(data, "Surv(t, e) ~ arm", margin=0.2, horizon=9.0)
    frame = row(found)
    assert math.isclose(frame["conf_high"], 1 - 0.05 ** (1 / 20), rel_tol=1e-8)
    assert math.isclose(frame["conf_low"], -(1 - 0.05 ** (1 / 30)), rel_tol=1e-8)
    # P inverts the bound of 20 patients: 0.8^20
    assert math.isclose(frame["p_value"], 0.8**20, rel_tol=1e-8)
    assert found.verdict == "equivalent"
    means = rn.equivalence(data, "Surv(t, e) ~ arm", margin=3.0, measure="rmst", tau=9.0)
    assert math.isclose(row(means)["conf_low"], -9 * (1 - 0.05 ** (1 / 20)), rel_tol=1e-8)
    with pytest.raises(TooFewEventsError, match="risk difference"):
        rn.equivalence(data, "Surv(t, e) ~ arm", margin=2.0, measure="hr")
    with pytest.raises(OptionError, match="bpcp"):
        rn.equivalence(data, "Surv(t, e) ~ arm", margin=0.2, horizon=9.0, method="greenwood")


def test_mover_from_the_curves_own_limits(cohort: pd.DataFrame) -> None:
    found = rn.equivalence(cohort, f"{TIME} ~ margin_positive", margin=0.1, horizon=60)
    at = rn.kaplan_meier(cohort, f"{TIME} ~ margin_positive", ci="bpcp", conf_level=0.9).at(60)
    risk, low, high = (1 - at[k] for k in ("survival", "conf_high", "conf_low"))
    above = math.hypot(high[1] - risk[1], risk[0] - low[0])
    assert math.isclose(row(found)["conf_high"], risk[1] - risk[0] + above, rel_tol=1e-9)


def test_rmst_by_hand() -> None:
    # arm A: events at 1..6 of 6 (S falls by 1/6 each); tau 6: mean = 3.5, all times seen
    t = np.r_[np.arange(1.0, 7.0), np.full(6, 6.0)]
    data = {"t": t, "e": np.r_[np.ones(6), [1, 1, 1, 1, 1, 0]], "arm": np.repeat(["A", "B"], 6)}
    found = rn.equivalence(data, "Surv(t, e) ~ arm", margin=4.0, measure="rmst", tau=6.0)
    assert math.isclose(found.arms["value"][1], 3.5)
    assert math.isclose(found.arms["value"][0], 6.0)
    # without censoring Greenwood's variance of the mean is that of a mean: 35/12 / 6; 0 for B
    half = norm.ppf(0.95) * math.sqrt(35 / 12 / 6)
    assert math.isclose(row(found)["conf_high"], 2.5 + half, rel_tol=1e-9)


def test_an_arm_without_events_is_bounded_as_in_its_own_room(cohort: pd.DataFrame) -> None:
    rows = cohort[(cohort["margin_positive"] == 0) & (cohort["recurrence"] == 0)]
    few = rows.assign(arm=np.where(rows["size_mm"] > 8, "B", "A"))
    options = {"margin": 5.0, "measure": "rmst", "tau": 60.0}
    found = rn.equivalence(few, f"{TIME} ~ arm", **options)
    low = rn.rmst(few, f"{TIME} ~ arm", tau=60.0, conf_level=0.9).to_frame()
    low = low.set_index("group")["conf_low"]
    assert math.isclose(row(found)["conf_low"], low["B"] - 60.0, rel_tol=1e-9)
    assert math.isclose(row(found)["conf_high"], 60.0 - low["A"], rel_tol=1e-9)


def test_rmst_agrees_with_its_own_room(cohort: pd.DataFrame) -> None:
    formula = f"{DFS} ~ margin_positive"
    found = rn.equivalence(cohort, formula, margin=5.0, measure="rmst", tau=60.0)
    other = rn.rmst(cohort, formula, tau=60.0, conf_level=0.9).contrasts()
    difference = other[other["measure"].str.contains("difference")].iloc[0]
    for name in ("estimate", "conf_low", "conf_high"):
        assert math.isclose(row(found)[name], difference[name], rel_tol=1e-9)


def test_hazard_ratio_is_the_profile_of_cox(cohort: pd.DataFrame) -> None:
    found = rn.noninferiority(
        cohort, f"{DFS} ~ margin_positive", margin=1.5, better="lower", measure="hr"
    )
    fit = rn.cox(cohort, f"{DFS} ~ margin_positive").to_frame().iloc[0]
    for name in ("estimate", "conf_low", "conf_high"):
        assert math.isclose(row(found)[name], fit[name], rel_tol=1e-6)
    at_limit = rn.noninferiority(
        cohort, f"{DFS} ~ margin_positive", margin=fit["conf_high"], better="lower", measure="hr"
    )
    assert math.isclose(row(at_limit)["p_value"], 0.025, rel_tol=1e-5)
    assert math.isclose(at_limit.smallest_margin, fit["conf_high"], rel_tol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"measure": "hr", "margin": 1e4},
        {"measure": "rmst", "tau": 5.0, "margin": 6.0},
        {"horizon": 5.0, "margin": 0.999},
    ],
)
@given(seed=st.integers(0, 200))
@settings(max_examples=8)
def test_any_data_meet_a_margin_wide_enough(options: dict[str, Any], seed: int) -> None:
    assert rn.equivalence(times(seed), "Surv(t, e) ~ arm", **options).shown


@pytest.mark.slow
@given(seed=st.integers(0, 200), hazard=st.floats(0.4, 2.5))
@settings(max_examples=12)
def test_p_agrees_with_the_interval_for_times(seed: int, hazard: float) -> None:
    data = times(seed, 30, hazard)
    for options in (
        {"measure": "hr", "margin": 2.0},
        {"measure": "rmst", "tau": 5.0, "margin": 0.7},
        {"horizon": 5.0, "margin": 0.2},
        {"horizon": 1.0, "margin": 0.15},
    ):
        found = rn.equivalence(data, "Surv(t, e) ~ arm", **options)
        frame = found.to_frame().iloc[0]
        if np.isnan(frame["p_value"]):
            assert not found.shown
            continue
        inside = found.margin_low < frame["conf_low"] and frame["conf_high"] < found.margin_high
        assert (frame["p_value"] < 0.05) == inside == found.shown
        other = rn.equivalence(data, "Surv(t, e) ~ arm", new="A", **options).to_frame().iloc[0]
        assert math.isclose(other["p_value"], frame["p_value"], rel_tol=1e-5, abs_tol=1e-9)


# --- words, sizes and refusals -----------------------------------------------------------------


def test_verdicts_never_say_equal_or_different() -> None:
    for aim, shown, words, _ in VERDICT_RULES:
        assert verdict_words(aim, shown=shown) == words
        assert not {"equal", "different", "same"} & set(words.split())


def test_few_events_show_nothing_by_a_hazard_ratio(cohort: pd.DataFrame) -> None:
    rows = cohort[
        (cohort["margin_positive"] == 1) & cohort["salvage"].isin(["endoscopic", "radical"])
    ]
    found = rn.equivalence(rows, f"{TIME} ~ salvage", margin=1000.0, measure="hr", new="endoscopic")
    assert found.verdict == "not shown to be equivalent"
    assert "fewer than 5 events (2 and 0)" in found.reason
    assert math.isinf(found.smallest_margin)
    risk = rn.equivalence(rows, "recurrence ~ salvage", margin=0.05, new="endoscopic")
    assert not risk.shown
    assert row(risk)["events_new"] == 2
    assert row(risk)["events_reference"] == 0
    assert "exact unconditional" in row(risk)["method"]
    assert any("not equality" in note for note in risk.notes)
    assert 57 <= risk.patients_per_arm <= 300


def test_sample_sizes_by_hand() -> None:
    # Julius: 2 p (1 - p) (z_.025 + z_.1)^2 / 0.1^2 with p = 0.2 and power 0.8 (one margin: z_.2)
    one = 2 * 0.16 * (1.959964 + 0.841621) ** 2 / 0.01
    assert patients_for_difference(0.16, 0.1, 0.025, two_margins=False) == math.ceil(one)
    two = 2 * 0.16 * (1.644854 + 1.281552) ** 2 / 0.01
    assert patients_for_difference(0.16, 0.1, 0.05, two_margins=True) == math.ceil(two)
    events = 4 * (1.959964 + 0.841621) ** 2 / math.log(1.5) ** 2
    assert patients_for_hazard(0.5, 1.5, 0.025, two_margins=False) == (
        math.ceil(events),
        math.ceil(events),
    )


def test_direction_decides(cohort: pd.DataFrame) -> None:
    data = binary(30, 60, 10, 60)
    lower = rn.noninferiority(data, "y ~ arm", margin=0.1, better="lower")
    higher = rn.noninferiority(data, "y ~ arm", margin=0.1, better="higher")
    assert not lower.shown
    assert "estimate itself" in lower.reason
    assert higher.shown
    assert higher.smallest_margin == 0.0


def test_the_published_comparison_is_decided_exactly(cohort: pd.DataFrame) -> None:
    found = rn.equivalence(cohort, "recurrence ~ margin_positive", margin=0.1)
    assert "exact unconditional" in row(found)["method"]
    assert {"events_new", "events_reference"} <= set(found.glance().columns)


@pytest.mark.parametrize("method", ["score", "exact"])
def test_a_wanted_event_is_the_absence_of_a_harmful_one(method: str) -> None:
    one = rn.noninferiority(
        binary(5, 30, 4, 25), "y ~ arm", margin=0.3, better="lower", method=method
    )
    other = rn.noninferiority(
        binary(25, 30, 21, 25), "y ~ arm", margin=0.3, better="higher", method=method
    )
    assert math.isclose(row(one)["p_value"], row(other)["p_value"], rel_tol=1e-8)
    assert math.isclose(row(one)["conf_high"], -row(other)["conf_low"], rel_tol=1e-7)
    assert one.margin_text == "below 30.0 %"
    assert other.margin_text == "above −30.0 %"


@given(seed=st.integers(0, 100))
@settings(max_examples=6)
def test_inverting_a_hazard_ratio_inverts_margin_and_direction(seed: int) -> None:
    data = times(seed, 40)
    one = rn.noninferiority(data, "Surv(t, e) ~ arm", margin=1.6, better="lower", measure="hr")
    other = rn.noninferiority(
        data, "Surv(t, e) ~ arm", margin=1 / 1.6, better="higher", measure="hr", new="A"
    )
    assert math.isclose(row(one)["p_value"], row(other)["p_value"], rel_tol=1e-5)
    assert math.isclose(one.smallest_margin, 1 / other.smallest_margin, rel_tol=1e-5)


BINARY = binary(3, 20, 4, 25)
LIVES = times(1)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: rn.equivalence(BINARY, "y ~ arm"), OptionError, "clinical grounds, before"),
        (lambda: rn.noninferiority(BINARY, "y ~ arm", better="lower"), OptionError, "clinical"),
        (lambda: rn.noninferiority(BINARY, "y ~ arm", margin=0.1), OptionError, "better="),
        (lambda: rn.equivalence(BINARY, "y ~ arm", margin=0), OptionError, "above 0"),
        (lambda: rn.equivalence(BINARY, "y ~ arm", margin=-0.1), OptionError, "above 0"),
        (lambda: rn.equivalence(BINARY, "y ~ arm", margin=5), OptionError, "write 0.05"),
        (lambda: rn.equivalence(BINARY, "y ~ arm", margin="5 %"), OptionError, "number"),
        (lambda: rn.equivalence(BINARY, "y ~ arm", margin=(0.1, 0.2)), OptionError, "both sides"),
        (lambda: rn.equivalence(BINARY, "y ~ arm", margin=0.1, new="C"), OptionError, "none of"),
        (lambda: rn.equivalence(BINARY, "y ~ arm", margin=0.1, horizon=5), OptionError, "horizon"),
        (lambda: rn.equivalence(BINARY, "y ~ arm", margin=2, measure="hr"), OptionError, "times"),
        (
            lambda: rn.equivalence(BINARY, "y ~ arm", margin=0.1, method="wald"),
            OptionError,
            "score",
        ),
        (lambda: rn.equivalence(BINARY, "y ~ arm", margin=0.1, alpha=5), OptionError, "alpha"),
        (lambda: rn.equivalence(BINARY, "y ~ 1", margin=0.1), DataError, "1 groups"),
        (
            lambda: rn.equivalence(BINARY, "y ~ arm + strata(arm)", margin=0.1),
            FormulaError,
            "strata",
        ),
        (
            lambda: rn.equivalence({**BINARY, "arm": list("ABC") * 15}, "y ~ arm", margin=0.1),
            DataError,
            "3 groups",
        ),
        (
            lambda: rn.equivalence({**BINARY, "arm": ["A"] * 45}, "y ~ arm", margin=0.1),
            DataError,
            "single level",
        ),
        (lambda: rn.equivalence(LIVES, "Surv(t, e) ~ arm", margin=0.1), OptionError, "horizon="),
        (
            lambda: rn.equivalence(LIVES, "Surv(t, e) ~ arm", margin=0.1, horizon=99),
            DataError,
            "last time",
        ),
        (
            lambda: rn.equivalence(LIVES, "Surv(t, e) ~ arm", margin=1, measure="rmst", tau=99),
            DataError,
            "last time",
        ),
        (
            lambda: rn.equivalence(LIVES, "Surv(t, e) ~ arm", margin=0.8, measure="hr"),
            OptionError,
            "write 1.25",
        ),
        (
            lambda: rn.noninferiority(
                LIVES, "Surv(t, e) ~ arm", margin=0.8, better="lower", measure="hr"
            ),
            OptionError,
            "Did you mean 1.25",
        ),
    ],
)
def test_refusals(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_long_methods_leave_the_figure_its_width() -> None:
    found = rn.equivalence(BINARY, "y ~ arm", margin=0.1)
    axes = found.plot()
    axes.figure.canvas.draw()
    lines = [line for text in axes.get_yticklabels() for line in text.get_text().splitlines()]
    assert max(map(len, lines)) <= 22
    assert axes.get_window_extent().width > 0.6 * axes.figure.bbox.width
    plt.close("all")


@pytest.mark.parametrize("better", ["", "lower", "higher"])
@pytest.mark.parametrize(("x1", "x2"), [(9, 4), (4, 9)])
def test_the_smallest_margin_is_where_the_answer_turns(better: str, x1: int, x2: int) -> None:
    data, options = binary(x1, 50, x2, 45), {"method": "score"}

    def asked(margin: float) -> MarginResult:
        if not better:
            return rn.equivalence(data, "y ~ arm", margin=margin, **options)
        return rn.noninferiority(data, "y ~ arm", margin=margin, better=better, **options)

    smallest = float(row(asked(0.3))["smallest_margin"])
    assert 0.0 < smallest < 0.4
    assert asked(smallest + 1e-6).shown
    assert not asked(smallest - 1e-6).shown


def test_noninferiority_asks_which_values_are_better() -> None:
    with pytest.raises(OptionError, match="needs better=: 'lower' if lower values"):
        rn.noninferiority(binary(3, 40, 4, 40), "y ~ arm", margin=0.1, better=None)


@pytest.mark.parametrize(
    ("margin", "measure", "words"),
    [
        ((-0.1, 0.0), "risk difference", "both sides of 0"),
        ((0.0, 0.1), "risk difference", "both sides of 0"),
        ((-0.1, 0.2, 0.3), "risk difference", "one number or a pair"),
        ((-1.1, 0.2), "risk difference", "between -1 and 1"),
        ((1.0, 2.0), "hr", "both sides of 1"),
        ((0.5, 1.0), "hr", "both sides of 1"),
        ((0.0, 2.0), "hr", "both sides of 1"),
    ],
)
def test_margins_lie_on_both_sides_of_no_difference(
    margin: tuple[float, ...], measure: str, words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        rn.equivalence(times(1), "Surv(t, e) ~ arm", margin=margin, measure=measure)


@pytest.mark.parametrize(("margin", "hint"), [(0.0, ""), (1.0, ""), (0.5, "Did you mean 2?")])
def test_a_margin_on_the_wrong_side_of_a_hazard_ratio_is_refused(margin: float, hint: str) -> None:
    with pytest.raises(OptionError, match="lies above 1") as caught:
        rn.noninferiority(times(1), "Surv(t, e) ~ arm", margin=margin, better="lower", measure="hr")
    assert str(caught.value).endswith(hint)
    assert ("Did you mean" in str(caught.value)) is bool(hint)


def test_the_smallest_margin_of_a_hazard_ratio_holds_on_both_sides() -> None:
    for hazard in (0.4, 2.5):
        data = times(3, hazard=hazard)
        found = rn.equivalence(data, "Surv(t, e) ~ arm", margin=1.5, measure="hr")
        low, high = (float(row(found)[name]) for name in ("conf_low", "conf_high"))
        assert (1.0 / low > high) is (hazard < 1.0)
        assert found.smallest_margin == pytest.approx(max(1.0 / low, high))


def test_the_test_that_decides_is_named_where_none_was_asked_for() -> None:
    data = pd.DataFrame({"y": [1] * 3 + [0] * 57 + [1] * 8 + [0] * 60})
    data["arm"] = ["new"] * 60 + ["old"] * 68
    words = "the exact unconditional test decides"
    for method, told in ((None, True), ("exact", False), ("score", False)):
        notes = rn.equivalence(data, "y ~ arm", margin=0.1, method=method).notes
        assert any(words in note for note in notes) is told
