"""Fleming and Harrington's weights, and the largest of several weighted tests."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, norm

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.kernels.ranks import logrank_combination, logrank_scores, logrank_table
from rnetstats.kernels.risksets import prepare
from rnetstats.survival.logrank import LogrankResult
from rnetstats.survival.logrank_combination import POWERS, tail_of_largest
from support import assert_close, read


def by_hand(stop, event, group, strata, rho, gamma):
    """Observed, expected and variance of the second of two groups, time by time."""
    observed = expected = variance = 0.0
    for code in np.unique(strata):
        mine = strata == code
        survival = 1.0
        for time in np.unique(stop[mine & event]):
            risk = mine & (stop >= time)
            dead = mine & event & (stop == time)
            n, d, m = risk.sum(), dead.sum(), (risk & (group == 1)).sum()
            weight = survival**rho * (1.0 - survival) ** gamma
            observed += weight * (dead & (group == 1)).sum()
            expected += weight * d * m / n
            if n > 1:
                variance += weight**2 * d * (n - d) / (n - 1) * m / n * (1 - m / n)
            survival *= 1.0 - d / n
    return observed, expected, variance


@pytest.mark.parametrize("powers", [(0, 1), (1, 1), (0.5, 2), (-0.5, 0.5)])
def test_weighted_tables_are_the_sums_over_event_times(powers):
    data = read("veteran.csv")
    stop, event = data["time"].to_numpy(float), data["status"].to_numpy() == 1
    group, strata = (data["trt"] == 2).to_numpy(int), data["prior"].to_numpy()
    for stratum, text in ((np.zeros(len(data)), ""), (strata, " + strata(prior)")):
        observed, expected, variance = by_hand(stop, event, group, stratum, *powers)
        found = rn.logrank(data, "Surv(time, status) ~ trt" + text, rho=powers[0], gamma=powers[1])
        row = found.to_frame().iloc[1]
        assert_close(row[["observed", "expected"]], [observed, expected])
        assert_close(found.variance[1, 1], variance)
        assert_close(found.statistic, (observed - expected) ** 2 / variance)
        assert_close(found.p_value, chi2.sf(found.statistic, 1))
        assert found.glance()["gamma"].iloc[0] == powers[1]


def test_worked_by_hand():
    # events at 1 (a), 2 (b), 4 (b): S(t-) is 1, 3/4, 1/2; the first has no weight
    data = {"t": [1, 2, 3, 4.0], "e": [1, 1, 0, 1], "g": list("abab")}
    data["e"] = [1, 1, 0, 1]
    frame = rn.logrank(data, "Surv(t, e) ~ g", gamma=1).to_frame()
    # a is at risk with b (1 of 3) at 2; at 4 b is alone; weights 1/4 and 1/2
    assert_close(frame["observed"], [0.0, 0.25 * 1 + 0.5 * 1])
    assert_close(frame["expected"], [0.25 / 3, 0.25 * 2 / 3 + 0.5])


@given(st.integers(0, 2**31), st.sampled_from([(0.0, 1.0), (1.0, 1.0), (0.0, 0.5)]))
def test_exact_is_the_enumeration_of_the_weighted_scores(seed, powers):
    rng = np.random.default_rng(seed)
    stop, event = rng.integers(1, 6, 8).astype(float), rng.random(8) < 0.7
    event[stop.argmax()] = event[stop.argmin()] = True
    data = pd.DataFrame({"t": stop, "e": event, "g": [0, 0, 0, 1, 1, 1, 1, 1]})
    rho, gamma = powers
    scores = logrank_scores(prepare(None, stop, event), rho=rho, gamma=gamma)
    assert abs(scores.sum()) < 1e-10
    table = logrank_table(prepare(None, stop, event), data["g"], 2, rho=rho, gamma=gamma)
    assert_close(scores[3:].sum(), (table.observed - table.expected)[1])
    sums = np.array([scores[list(some)].sum() for some in combinations(range(8), 5)])
    want = np.mean(np.abs(sums) >= abs(scores[3:].sum()) - 1e-8)
    found = rn.logrank(data, "Surv(t, e) ~ g", rho=rho, gamma=gamma, method="exact")
    if np.isfinite(found.p_value):
        assert_close(found.p_value, want)


@pytest.mark.parametrize("method", ["permutation", "permutation-unequal"])
def test_permutations_use_the_same_weights(method):
    data = read("veteran.csv")
    formula = "Surv(time, status) ~ trt"
    plain = rn.logrank(data, formula, gamma=1)
    found = rn.logrank(data, formula, gamma=1, method=method, resamples=4000, seed=3)
    again = rn.logrank(data, formula, method=method, resamples=4000, seed=3)
    assert abs(found.p_value - plain.p_value) < 0.05 + 3 * found.p_value_mcse
    assert found.p_value != again.p_value
    if method == "permutation-unequal":
        assert_close(found.statistic, plain.statistic)


def test_pairs_and_trend_keep_the_weights():
    data = read("veteran.csv")
    found = rn.logrank(data, "Surv(time, status) ~ celltype", gamma=1)
    pairs = found.pairwise("none")
    first = data[data["celltype"].isin(pairs.iloc[0][["group_1", "group_2"]])]
    alone = rn.logrank(first, "Surv(time, status) ~ celltype", gamma=1)
    assert_close(pairs["p_value"].iloc[0], alone.p_value)
    two = rn.logrank(data, "Surv(time, status) ~ trt", gamma=1)
    assert_close(two.trend()["statistic"], two.statistic)


def test_a_first_event_alone_says_nothing_once_gamma_counts():
    data = {"t": [1, 2, 3, 4.0], "e": [1, 0, 0, 0], "g": list("abab")}
    found = rn.logrank(data, "Surv(t, e) ~ g", gamma=1)
    assert np.isnan(found.p_value)
    assert any("gamma" in note for note in found.notes)
    combined = rn.logrank(data, "Surv(t, e) ~ g", method="max-combo")
    plain = rn.logrank(data, "Surv(t, e) ~ g")
    assert_close(combined.p_value, plain.p_value)
    assert combined.components["z"].isna().tolist() == [False, True, False, True]


def test_max_combo_takes_the_largest_of_four():
    data = read("veteran.csv")
    found = rn.logrank(data, "Surv(time, status) ~ trt", method="max-combo")
    singles = [
        rn.logrank(data, "Surv(time, status) ~ trt", rho=rho, gamma=gamma) for rho, gamma in POWERS
    ]
    assert_close(found.components["z"] ** 2, [one.statistic for one in singles])
    assert_close(found.components["p_value"], [one.p_value for one in singles])
    assert_close(found.statistic, found.components["z"].abs().max())
    smallest = found.components["p_value"].min()
    assert smallest < found.p_value < 4 * smallest
    assert "Largest |z|" in found.display().columns


def test_the_joint_p_is_that_of_simulated_normals():
    data = read("veteran.csv")
    sets = prepare(None, data["time"].to_numpy(float), data["status"].to_numpy() == 1)
    _, covariance = logrank_combination(sets, (data["trt"] == 2).to_numpy(int), POWERS)
    error = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(error, error)
    draws = np.random.default_rng(5).multivariate_normal(np.zeros(4), correlation, 400_000)
    share = np.abs(draws).max(axis=1)
    for largest in (1.0, 2.0, 2.6):
        want = np.mean(share >= largest)
        mcse = np.sqrt(want * (1 - want) / len(share))
        assert abs(tail_of_largest(largest, correlation) - want) < 3 * mcse


@pytest.mark.slow
@given(st.floats(0.1, 6.0))
def test_the_joint_p_has_its_closed_forms(largest):
    single = 2 * norm.sf(largest)
    assert_close(tail_of_largest(largest, np.ones((1, 1))), single)
    assert_close(tail_of_largest(largest, np.ones((4, 4))), single)
    for m in (2, 3):
        want = -np.expm1(m * np.log1p(-single))
        # the region has edges, where an angular grid is exact to the square of its step
        assert_close(tail_of_largest(largest, np.eye(m)), want, rel=2e-3)


def test_what_max_combo_refuses():
    data = read("veteran.csv")
    for formula, options in (
        ("Surv(time, status) ~ celltype", {}),
        ("Surv(time, status) ~ trt", {"rho": 1}),
        ("Surv(time, status) ~ trt", {"gamma": 1}),
    ):
        with pytest.raises(OptionError):
            rn.logrank(data, formula, method="max-combo", **options)
    with pytest.raises(OptionError, match="gamma"):
        rn.logrank(data, "Surv(time, status) ~ trt", gamma=-1)
    pairs = rn.logrank(data, "Surv(time, status) ~ trt", method="max-combo").pairwise()
    assert len(pairs) == 1


def test_it_is_written_and_read_and_older_ones_are_too():
    data = read("veteran.csv")
    found = rn.logrank(data, "Surv(time, status) ~ trt", method="max-combo")
    again = LogrankResult.from_dict(json.loads(json.dumps(found.to_dict())))
    pd.testing.assert_frame_equal(again.components, found.components)
    stored = rn.logrank(data, "Surv(time, status) ~ trt").to_dict()
    del stored["options"]["gamma"], stored["fields"]["components"]
    assert LogrankResult.from_dict(stored).glance()["gamma"].iloc[0] == 0.0


def test_a_curve_at_0_before_late_entries_has_no_negative_power():
    """All of the first three have the event at 2; two others enter then."""
    data = {"s": [0, 0, 0, 2, 2], "t": [2, 2, 2, 8, 6], "e": [1] * 5, "g": list("abbab")}
    formula = "Surv(s, t, e) ~ g"
    with pytest.raises(OptionError, match=r"rho = -0\.5"):
        rn.logrank(data, formula, rho=-0.5)
    # by hand: one of three and one of two at risk, events 3 and 1, all variance at 6
    plain = rn.logrank(data, formula)
    assert_close(plain.to_frame()["expected"].to_numpy(), np.array([1.0 + 0.5 + 1.0, 2.0 + 0.5]))
    assert_close(plain.statistic, 0.5**2 / 0.25)
    none = rn.logrank(data, formula, rho=1)
    assert np.isnan(none.p_value)
    assert any("reached 0" in note for note in none.notes)
