"""Exact distributions of a sum of scores drawn without replacement."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.subset_sums import countable, subset_sums, work


@given(st.lists(st.integers(-3, 9), min_size=1, max_size=8))
def test_every_subset_counted(scores: list[int]) -> None:
    found = subset_sums(np.array(scores), range(len(scores) + 1))
    for m, (first, share) in found.items():
        sums = [sum(chosen) for chosen in combinations(scores, m)]
        expected = np.bincount(np.array(sums) - min(sums)) / len(sums)
        assert first == min(sums)
        np.testing.assert_allclose(share, expected, rtol=1e-13)


def test_rank_sum_of_two_of_four_by_hand() -> None:
    first, share = subset_sums(np.array([4, 1, 3, 2]), [2])[2]
    assert first == 3
    np.testing.assert_allclose(share * 6, [1, 1, 2, 1, 1], rtol=1e-14)


@pytest.mark.slow
def test_many_ranks_do_not_overflow() -> None:
    ranks = np.concatenate((np.zeros(1030, dtype=int), np.arange(10)))
    first, share = subset_sums(ranks, [520])[520]
    sums = first + np.arange(share.size)
    assert share.sum() == pytest.approx(1.0, rel=1e-12)
    assert sums @ share == pytest.approx(22.5, rel=1e-12)


def test_work_is_the_number_of_additions() -> None:
    # adding scores 0, 1, 2 one by one, to subsets of at most 1: one sum (the empty one) each
    assert work(np.array([0, 1, 2]), 1) == 3
    # subsets of 2 grow from subsets of 1 among the first 1 (1 sum) and the first 2 (2 sums)
    assert work(np.array([0, 1, 2]), 2) == 3 + 3


def test_what_can_be_counted() -> None:
    assert countable(1040, 520)  # 10^311 subsets
    assert not countable(2000, 1000)
    assert countable(100_000, 3)
