"""Exact rank tests against a count of every way to deal the values out."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import BudgetError
from rnetstats.tables.rank_tests import signed_rank_test, wilcoxon_test

SMALL = st.lists(st.integers(0, 5), min_size=1, max_size=6)


def midranks(values: np.ndarray) -> np.ndarray:
    below = (values[:, None] > values).sum(axis=1)
    return below + ((values[:, None] == values).sum(axis=1) + 1) / 2


@given(SMALL, SMALL)
def test_rank_sum_counts_every_allocation(x: list[int], y: list[int]) -> None:
    values = np.array([*x, *y]) / 10
    ranks, m = midranks(values), len(x)
    sums = np.array([sum(ranks[list(chosen)]) for chosen in combinations(range(len(ranks)), m)])
    centre = m * ranks.mean()
    share = np.mean(np.abs(sums - centre) >= abs(ranks[:m].sum() - centre) - 1e-9)
    found = wilcoxon_test(values[:m], values[m:], method="exact")
    assert found.p_value == pytest.approx(share, rel=1e-12)
    assert found.statistic == pytest.approx(ranks[:m].sum() - m * (m + 1) / 2)
    table = rn.table_one(
        {"x": values, "arm": np.repeat(["a", "b"], [m, len(y)])},
        by="arm",
        tests={"x": "wilcoxon-exact"},
        summaries={"x": "median"},  # a measurement, also where all values are 0 or 1
    )
    assert table.comparisons["p_value"].iloc[0] == found.p_value


@given(SMALL.filter(any), st.data())
def test_signed_rank_counts_every_sign(sizes: list[int], data: st.DataObject) -> None:
    signs = np.array(data.draw(st.tuples(*[st.sampled_from([-1, 1])] * len(sizes))))
    difference = np.array(sizes) * signs
    kept = difference[difference != 0]
    ranks = midranks(np.abs(kept))
    sums = np.array([np.dot(dealt, ranks) for dealt in product([0, 1], repeat=len(kept))])
    observed = ranks[kept > 0].sum()
    share = np.mean(np.abs(sums - ranks.sum() / 2) >= abs(observed - ranks.sum() / 2) - 1e-9)
    found = signed_rank_test(difference, np.zeros(len(sizes)), method="exact")
    assert found.statistic == observed
    assert found.p_value == pytest.approx(share, rel=1e-12)


def test_large_groups_are_refused() -> None:
    values = np.arange(3000.0)
    with pytest.raises(BudgetError, match="normal"):
        wilcoxon_test(values[::2], values[1::2], method="exact")
    assert wilcoxon_test(values[:2], values[2:], method="exact").p_value == pytest.approx(
        4 / (3000 * 2999), rel=1e-12
    )
