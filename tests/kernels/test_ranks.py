"""Log-rank arrays against R's survdiff and full enumeration; permutation sums against theory."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.ranks import (
    logrank_chi2,
    logrank_scores,
    logrank_table,
    permutation_sums,
    subset_sums,
)
from rnetstats.kernels.risksets import prepare
from support import assert_close, case, golden, read

SURVDIFF = [c["id"] for c in golden("logrank") if "chi2" in c["values"]]
RHO = {"aml_rho1": 1.0, "lung_sex_rho_half": 0.5}
PERMUTED = {
    "toy_enumerated": ("toy_logrank.csv", "time", "status", "group"),
    "ovarian_16_enumerated": ("ovarian.csv", "futime", "fustat", "rx"),
    "rnet_a_margin_mc": ("rnet_like_a.csv", "dfs_months", "recurrence", "margin_positive"),
    "rnet_b_esd_mc": ("rnet_like_b.csv", "dfs_months", "recurrence", "esd"),
}


def inputs(name):
    entry = case("logrank", name)
    spec, data = entry["spec"], read(entry["data"])
    strata = None
    if "strata" in spec:
        columns = spec["strata"].split(" x ")
        data = data.dropna(subset=columns)
        strata = data.groupby(columns).ngroup().to_numpy()
    column, _, literal = spec["event"].partition(" == ")
    event = (data[column] == float(literal)) if literal else data[column]
    codes, labels = pd.factorize(data[spec["group"]], sort=True)
    sets = prepare(None, data[spec["time"]], event, strata)
    return sets, codes, len(labels), entry["values"]


@pytest.mark.parametrize("name", SURVDIFF)
def test_table_as_survdiff(name):
    sets, codes, k, values = inputs(name)
    table = logrank_table(sets, codes, k, rho=RHO.get(name, 0.0))
    assert_close(table.observed, values["observed"])
    assert_close(table.expected, values["expected"])
    assert_close(table.variance, values["variance"])
    chi2, df = logrank_chi2(table)
    assert_close(chi2, values["chi2"])
    assert df == values["df"]
    if "trend" in values:
        scores = np.array(values["trend"]["scores"], dtype=float)
        top = scores @ (table.observed - table.expected)
        assert_close(top**2 / (scores @ table.variance @ scores), values["trend"]["chi2"])


@pytest.mark.parametrize("name", SURVDIFF)
def test_scores_of_a_group_add_up_to_observed_less_expected(name):
    sets, codes, k, _ = inputs(name)
    rho = RHO.get(name, 0.0)
    scores, table = logrank_scores(sets, rho=rho), logrank_table(sets, codes, k, rho=rho)
    sums = np.bincount(codes, scores, minlength=k)
    assert_close(sums, table.observed - table.expected)
    assert_close(scores.sum(), 0.0)


def permuted(name):
    file, time, event, group = PERMUTED[name]
    data = read(file)
    if name.startswith("ovarian"):
        data = data.iloc[:16]
    if group == "esd":
        data["esd"] = (data["method"] == "ESD").astype(int)
    labels = np.unique(data[group])
    sets = prepare(None, data[time], data[event])
    return sets, (data[group] == labels[1]).to_numpy(), case("logrank", name)["values"]


@pytest.mark.parametrize("name", list(PERMUTED))
def test_permutation_moments(name):
    sets, chosen, values = permuted(name)
    scores = logrank_scores(sets)
    n, m = chosen.size, chosen.sum()
    assert_close(scores[chosen].sum(), values["u_observed"])
    variance = m * (n - m) / (n * (n - 1)) * (scores @ scores)
    assert_close(variance, values["permutation_variance_u"])


@pytest.mark.parametrize("name", ["toy_enumerated", "ovarian_16_enumerated"])
def test_enumeration_of_all_labellings(name):
    sets, chosen, values = permuted(name)
    scores = logrank_scores(sets)
    u = scores[chosen].sum()
    rows = np.array(list(combinations(range(chosen.size), int(chosen.sum()))))
    sums = scores[rows].sum(axis=1)
    assert len(sums) == values["n_arrangements"]
    assert_close((np.abs(sums) >= abs(u) - 1e-9).mean(), values["p_exact_abs_u"])
    draws = subset_sums(np.random.default_rng(1), scores, int(chosen.sum()), 40_000)
    p = values["p_exact_upper_u"]
    error = np.sqrt(p * (1 - p) / len(draws))
    assert abs((draws >= u - 1e-9).mean() - p) < 4 * error


@pytest.mark.parametrize("name", ["rnet_a_margin_mc", "rnet_b_esd_mc"])
def test_monte_carlo_p_values(name):
    sets, chosen, values = permuted(name)
    scores = logrank_scores(sets)
    u, draws = scores[chosen].sum(), 100_000
    sums = permutation_sums(np.random.default_rng(2), scores, chosen, draws)
    p, expected = (np.abs(sums) >= abs(u) - 1e-9).mean(), values["p_mc_abs_u"]
    own = np.sqrt(p * (1 - p) / draws)
    assert abs(p - expected["value"]) <= 3 * np.hypot(own, expected["mc_se"])


@pytest.mark.parametrize(("n", "size"), [(5, 2), (6, 5), (9, 4)])
def test_each_subset_is_equally_likely(n, size):
    draws = 60_000
    values = 2.0 ** np.arange(n)  # the sum names the subset
    sums = subset_sums(np.random.default_rng(4), values, size, draws)
    _, counts = np.unique(sums, return_counts=True)
    k = len(list(combinations(range(n), size)))
    assert len(counts) == k
    chi2 = ((counts - draws / k) ** 2).sum() / (draws / k)
    assert abs(chi2 - (k - 1)) < 4 * np.sqrt(2 * (k - 1))


def test_several_statistics_share_the_relabelling_and_strata_are_kept():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(50, 2))
    scores[:, 1] = 2 * scores[:, 0] + 1
    sums = subset_sums(np.random.default_rng(1), scores, 20, 500)
    assert_close(sums[:, 1], 2 * sums[:, 0] + 20)
    group = np.arange(50) < 20
    strata = np.repeat([0, 1], 25)
    within = np.column_stack([strata == 0, strata == 1]).astype(float)
    sums = permutation_sums(np.random.default_rng(1), within, group, 100, strata=strata)
    assert_close(sums, np.tile([20.0, 0.0], (100, 1)))
    assert_close(subset_sums(rng, scores[:, 0], 0, 3), np.zeros(3))
    assert_close(subset_sums(rng, scores[:, 0], 50, 3), np.full(3, scores[:, 0].sum()))
    assert_close(subset_sums(rng, np.array([2.5]), 1, 2), [2.5, 2.5])


@given(seed=st.integers(0, 10_000), n=st.integers(4100, 4200))
def test_long_samples_have_the_right_moments(seed, n):
    scores = np.zeros(n)
    scores[:10] = 1.0
    draws = 300
    sums = subset_sums(np.random.default_rng(seed), scores, n // 2, draws)
    assert set(np.unique(sums)) <= set(range(11))
    assert abs(sums.mean() - 10 * (n // 2) / n) < 6 * 1.6 / np.sqrt(draws)


def test_a_table_worked_by_hand():
    # Times 1 (event, group 0), 2 (event, group 1), 3 (censored, group 1).
    sets = prepare(None, [1.0, 2.0, 3.0], [1, 1, 0])
    table = logrank_table(sets, [0, 1, 1], 2)
    assert_close(table.observed, [1, 1])
    assert_close(table.expected, [1 / 3, 2 / 3 + 1])
    assert_close(table.variance, np.array([[2, -2], [-2, 2]]) / 9)
    assert_close(logrank_scores(sets), [1 - 1 / 3, 1 - 1 / 3 - 1 / 2, -1 / 3 - 1 / 2])
    assert np.isnan(logrank_chi2(logrank_table(sets, [0, 0, 0], 2))[0])


def test_degrees_of_freedom_count_the_groups_that_are_compared():
    # Groups 0 and 1 leave before group 2 enters: one difference can be seen, not two.
    start, stop = [0.0, 0, 0, 0, 10, 10], [1.0, 2, 3, 4, 11, 12]
    table = logrank_table(prepare(start, stop, [1] * 6), [0, 1, 0, 1, 2, 2], 3)
    statistic, df = logrank_chi2(table)
    alone = logrank_chi2(logrank_table(prepare(None, stop[:4], [1] * 4), [0, 1, 0, 1], 2))
    assert df == 1
    assert_close([statistic], [alone[0]])
    assert (table.variance[2] == 0.0).all()
