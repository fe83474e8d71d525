from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.gray import gray_table
from rnetstats.kernels.ranks import logrank_table
from rnetstats.kernels.risksets import prepare
from support import assert_close


def drawn(rng, n):
    """Equal incidence of cause 1 in both groups; other hazards and censoring differ."""
    group = np.arange(n) % 2
    own = rng.random(n) < 0.45
    time = np.where(own, rng.exponential(1.0, n), rng.exponential(1.0, n) / (1.0 + 2.0 * group))
    end = rng.uniform(0.3, 3.0 + group, n)
    code = np.where(time <= end, np.where(own, 1, 2), 0)
    return np.minimum(time, end), code, group


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 1.0])
def test_the_variance_is_that_of_the_score(rho):
    rng = np.random.default_rng(3)
    scores, variances = [], []
    for _ in range(1200):
        table = gray_table(*drawn(rng, 160), 2, cause=1, rho=rho)
        scores.append(table.observed[0] - table.expected[0])
        variances.append(table.variance[0, 0])
    spread = np.array(scores) ** 2
    assert abs(spread.mean() - np.mean(variances)) < 3.0 * spread.std() / np.sqrt(1200)
    assert abs(np.mean(scores)) < 3.0 * np.std(scores) / np.sqrt(1200)


@given(st.integers(0, 10_000), st.integers(2, 4))
def test_without_competing_events_counts_are_those_of_the_log_rank_test(seed, groups):
    rng = np.random.default_rng(seed)
    stop, code = rng.integers(1, 15, 50).astype(float), rng.integers(0, 2, 50)
    group, strata = np.arange(50) % groups, rng.integers(0, 2, 50)
    mine = gray_table(stop, code, group, groups, cause=1, strata=strata)
    theirs = logrank_table(prepare(None, stop, code, strata), group, groups)
    assert_close(mine.observed, theirs.observed)
    assert_close(mine.expected, theirs.expected)


def test_ties_of_competing_events_have_their_finite_population_factor():
    # two of the three in the first group die at 1, then one in each group has the event at 2
    stop = np.array([1.0, 1, 2, 2, 5, 5])
    code = np.array([2, 2, 1, 1, 0, 0])
    group = np.array([0, 0, 0, 1, 1, 1])
    table = gray_table(stop, code, group, 2, cause=1)
    # at 2 the risk sets of the subdistribution are 3 and 3, and half of both events is expected
    assert_close(table.expected, [1.0, 1.0])
    # of the two events h = (3, 3): each group adds 2 / 6 * 3 * 1 / 4, times a factor for the tie
    # of (6 S - 2) / (6 S - 1) with S = 1/3 and 1 just before
    own = 0.25 * (0.0 / 1.0 + 4.0 / 5.0)
    # competing: C = 1/2 * 3 * 1/3 = 1/2, divided by h = 3 and S = 1/3; two events of three
    other = (0.5 / 3 / (1 / 3)) ** 2 * 2.0 * (1.0 / 2.0)
    assert_close(table.variance[0, 0], own + other)
