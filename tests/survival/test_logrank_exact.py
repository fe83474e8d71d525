from __future__ import annotations

from itertools import combinations, permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import BudgetError
from rnetstats.kernels.ranks import logrank_scores
from rnetstats.kernels.risksets import prepare
from rnetstats.survival import logrank_exact
from rnetstats.survival.logrank_exact import exact_p_value
from rnetstats.survival.logrank_grid import grid_bounds
from rnetstats.survival.logrank_network import (
    Stage,
    chances,
    log_factorials,
    network,
    score_variance,
)
from support import assert_close, at_once


def sums_of(scores, size):
    return np.array(
        [scores[list(chosen)].sum() for chosen in combinations(range(len(scores)), size)]
    )


def brute_force(stop, event, member, rho=0.0):
    """The share of all relabellings whose sum of scores is at least as far from 0."""
    scores = logrank_scores(prepare(None, stop, event), rho=rho)
    every = sums_of(scores, int(member.sum()))
    return np.mean(np.abs(every) >= abs(scores[member].sum()) - 1e-8)


people = st.lists(
    st.tuples(st.integers(1, 8), st.booleans(), st.booleans()), min_size=3, max_size=11
).filter(lambda rows: len({g for _, _, g in rows}) == 2 and any(e for _, e, _ in rows))


def arrays(rows):
    time, event, member = (np.array(part) for part in zip(*rows, strict=True))
    return time.astype(float), event.astype(bool), member.astype(bool)


@given(people, st.sampled_from([0.0, 1.0]))
def test_exact_is_the_enumeration(rows, rho):
    stop, event, member = arrays(rows)
    scores = logrank_scores(prepare(None, stop, event), rho=rho)
    found = exact_p_value([network(stop, event, member, rho)], float(scores[member].sum()))
    assert found.slack == 0.0
    assert_close(found.p_value, brute_force(stop, event, member, rho))


@given(people)
@settings(max_examples=25)
def test_the_grid_bounds_hold_the_enumeration(rows):
    stop, event, member = arrays(rows)
    scores = logrank_scores(prepare(None, stop, event))
    target = abs(scores[member].sum()) - 1e-8
    if target <= 0.0:
        return
    want = brute_force(stop, event, member)
    for work in (1e3, 1e5):
        low, high = grid_bounds([network(stop, event, member, 0.0)], target, work)
        assert low <= want + 1e-12
        assert want <= high + 1e-12


def test_stratified_exact_is_the_enumeration_within_strata():
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {
            "t": rng.integers(1, 9, 14),
            "e": rng.integers(0, 2, 14),
            "g": rng.permutation(np.repeat([0, 1], 7)),
            "s": np.repeat([0, 1], [6, 8]),
        }
    )
    scores = logrank_scores(prepare(None, data["t"], data["e"] == 1, data["s"]))
    parts = []
    for stratum in (0, 1):
        mine = data["s"] == stratum
        parts.append(sums_of(scores[mine], int(data.loc[mine, "g"].sum())))
    every = np.array([a + b for a, b in product(*parts)])
    want = np.mean(np.abs(every) >= abs(scores[data["g"] == 1].sum()) - 1e-8)
    formula = "Surv(t, e) ~ g + strata(s)"
    assert_close(rn.logrank(data, formula, method="exact").p_value, want)
    drawn = rn.logrank(data, formula, method="permutation", resamples=20_000, seed=1)
    assert abs(drawn.p_value - want) < 3 * drawn.p_value_mcse


def test_permutation_is_close_to_exact_with_three_groups():
    # every relabelling of 4, 3 and 3 rows: 4,200
    stop = np.array([2.0, 3, 4, 5, 5, 6, 7, 8, 9, 12])
    event = np.array([1, 1, 0, 1, 1, 0, 1, 1, 1, 0], bool)
    group = np.array([0, 1, 0, 1, 2, 0, 2, 1, 2, 0])
    scores = logrank_scores(prepare(None, stop, event))
    counts = np.bincount(group)
    spread = np.var(scores, ddof=1) * (np.diag(counts) - np.outer(counts, counts) / 10)
    inverse = np.linalg.inv(spread[1:, 1:])

    def form(first, second):
        u = np.array([scores[list(first)].sum(), scores[list(second)].sum()])
        return u @ inverse @ u

    every = [
        form(first, second)
        for first in combinations(range(10), 3)
        for second in combinations(sorted(set(range(10)) - set(first)), 3)
    ]
    observed = form(np.flatnonzero(group == 1), np.flatnonzero(group == 2))
    want = np.mean(np.array(every) >= observed - 1e-9)
    data = {"t": stop, "e": event, "g": group.astype(str)}
    result = rn.logrank(data, "Surv(t, e) ~ g", method="permutation", resamples=20_000, seed=9)
    assert_close(result.statistic, observed)
    assert abs(result.p_value - want) < 3 * result.p_value_mcse


def test_permutation_within_strata_that_lack_a_group():
    # 3 x 20 relabellings in the first stratum, 6 in the second, where group a is not
    data = pd.DataFrame(
        {
            "t": [2.0, 4, 5, 7, 8, 3, 1, 6, 9, 5],
            "e": [1, 1, 0, 1, 1, 1, 1, 1, 0, 1],
            "g": list("aabbccbbcc"),
            "s": [0] * 6 + [1] * 4,
        }
    )
    scores = logrank_scores(prepare(None, data["t"], data["e"] == 1, data["s"]))
    code = data["g"].map({"a": 0, "b": 1, "c": 2}).to_numpy()
    spread, sums = np.zeros((2, 2)), []
    for stratum in (0, 1):
        own, group = scores[data["s"] == stratum], code[data["s"] == stratum]
        held = np.bincount(group, minlength=3)
        shares = np.diag(held) - np.outer(held, held) / len(own)
        spread += np.var(own, ddof=1) * shares[1:, 1:]
        labels = sorted(set(permutations(group.tolist())))
        sums.append([[own[np.array(row) == k].sum() for k in (1, 2)] for row in labels])
    every = np.array([np.add(a, b) for a, b in product(*sums)])
    inverse = np.linalg.inv(spread)
    seen = np.array([scores[code == k].sum() for k in (1, 2)])
    form = np.einsum("ri,ij,rj->r", every, inverse, every)
    want = np.mean(form >= seen @ inverse @ seen - 1e-9)
    formula = "Surv(t, e) ~ g + strata(s)"
    drawn = rn.logrank(data, formula, method="permutation", resamples=20_000, seed=2)
    assert_close(drawn.statistic, seen @ inverse @ seen)
    assert abs(drawn.p_value - want) < 3 * drawn.p_value_mcse


def test_chances_are_hypergeometric():
    from scipy.stats import hypergeom

    members = np.arange(0, 8)
    table = chances(Stage(12, 5, 0.0), members, log_factorials(12))
    want = hypergeom.pmf(np.arange(6)[None, :], 12, members[:, None], 5)
    np.testing.assert_allclose(table, want, rtol=1e-12, atol=1e-15)


def test_over_the_budget_names_the_permutation(monkeypatch):
    monkeypatch.setattr(logrank_exact, "_MOST_WORK", 1e5)
    rng = np.random.default_rng(1)
    data = {
        "t": rng.exponential(10.0, 300),
        "e": rng.random(300) < 0.5,
        "g": rng.permutation(np.repeat(["a", "b"], 150)),
    }
    with pytest.raises(BudgetError, match="permutation"):
        rn.logrank(data, "Surv(t, e) ~ g", method="exact")


def drawn(seed, n, share):
    rng = np.random.default_rng(seed)
    stop, event = rng.exponential(1.0, n), rng.random(n) < share
    return {"t": stop, "e": event, "g": rng.integers(0, 2, n)}


def test_what_cannot_succeed_is_refused_before_it_is_begun(monkeypatch):
    """60 events without ties: seconds of work that would end in the same refusal."""

    def begun(*_):
        raise AssertionError("the work was begun")

    monkeypatch.setattr(logrank_exact, "grid_bounds", begun)
    data = drawn(1, 300, 0.2)
    assert 50 <= data["e"].sum() <= 70
    refused = pytest.raises(BudgetError, match=r"events in 300 rows.*method='permutation'")
    with at_once(1.0), refused:
        rn.logrank(data, "Surv(t, e) ~ g", method="exact")


@pytest.mark.slow
def test_the_first_grid_is_fine_enough(monkeypatch):
    """The work is foreseen: one grid, and neither much coarser nor much finer than needed."""
    rounds = []

    def counted(parts, target, work):
        low, high = grid_bounds(parts, target, work)
        rounds.append((high - low) / high)
        return low, high

    monkeypatch.setattr(logrank_exact, "grid_bounds", counted)
    for seed in (0, 1, 2):
        rn.logrank(drawn(seed, 100, 0.25), "Surv(t, e) ~ g", method="exact")
    assert len(rounds) == 3
    assert all(0.003 < share <= 0.01 for share in rounds)


@given(people, st.sampled_from([0.0, 1.0]))
def test_variance_from_the_network_is_that_of_all_relabellings(rows, rho):
    stop, event, member = arrays(rows)
    scores = logrank_scores(prepare(None, stop, event), rho=rho)
    every = sums_of(scores, int(member.sum()))
    found = score_variance(network(stop, event, member, rho))
    assert found == pytest.approx(float(np.mean(every**2)), abs=1e-12)


def test_large_data_are_refused_at_once():
    rng = np.random.default_rng(2)
    data = {"t": rng.exponential(10.0, 5000), "e": rng.random(5000) < 0.1}
    data["g"] = np.where(rng.random(5000) < 0.3, "a", "b")
    with pytest.raises(BudgetError, match="permutation"):
        rn.logrank(data, "Surv(t, e) ~ g", method="exact")


def test_a_statistic_of_zero_has_p_one():
    data = {"t": [1, 1, 2, 2], "e": [1, 1, 0, 0], "g": list("abab")}
    assert rn.logrank(data, "Surv(t, e) ~ g", method="exact").p_value == 1.0


def test_exact_test_keeps_its_level_over_all_relabellings():
    stop = np.array([1.0, 2, 2, 3, 4, 5, 6, 6, 7])
    event = np.array([1, 1, 0, 1, 1, 0, 1, 0, 1], bool)
    scores = logrank_scores(prepare(None, stop, event))
    found = []
    for chosen in combinations(range(9), 4):
        member = np.isin(np.arange(9), chosen)
        part = network(stop, event, member, 0.0)
        found.append(exact_p_value([part], float(scores[member].sum())).p_value)
    for alpha in (0.02, 0.05, 0.1, 0.5):
        assert np.mean(np.array(found) <= alpha + 1e-12) <= alpha
    # and it is not idle: its smallest P is one or two relabellings in 126
    assert min(found) <= 2 / 126 + 1e-12
