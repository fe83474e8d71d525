"""Batched concordance and Gini's mean difference, against single ones and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.concordance import concordance
from rnetstats.kernels.concordance_many import gini_mean_difference, harrell
from support import read


def test_agrees_with_the_single_concordance_and_with_replicated_rows() -> None:
    data = read("lung.csv").dropna(subset=["ph.ecog"])
    stop, event = data["time"].to_numpy(), data["status"].to_numpy() == 2
    rng = np.random.default_rng(1)
    score = np.round(rng.normal(size=(4, len(data))), 1)
    freq = rng.integers(0, 3, size=(4, len(data)))
    found = harrell(stop, event, score, freq)
    for b in range(4):
        assert found[b] == pytest.approx(
            concordance(stop, event, score[b], freq=freq[b]).concordance, rel=1e-12
        )
    assert harrell(stop, event, score[0])[0] == pytest.approx(
        concordance(stop, event, score[0]).concordance, rel=1e-12
    )


def test_concordance_by_hand() -> None:
    # Pairs: event at 1 with both later rows; event at 2 with the row censored at 2.
    assert harrell([1, 2, 2], [1, 1, 0], [3, 1, 1])[0] == pytest.approx((1 + 1 + 0.5) / 3)
    assert np.isnan(harrell([1, 2], [0, 0], [1, 2])[0])


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 3)), min_size=2, max_size=12))
def test_gini_is_the_mean_over_pairs(rows: list[tuple[float, int]]) -> None:
    x, w = np.array(rows).T
    again = np.repeat(x, w.astype(int))
    found = gini_mean_difference(np.vstack([x, x]), np.vstack([w, w]))
    if len(again) < 2:
        assert np.isnan(found).all()
        return
    apart = np.abs(again[:, None] - again).sum() / (len(again) * (len(again) - 1))
    np.testing.assert_allclose(found, apart, atol=1e-12)


@pytest.mark.parametrize("n", [60, 1500])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("groups", [None, 3])
def test_entry_and_many_pairs_agree_with_the_single_concordance(
    n: int, late: bool, groups: int | None
) -> None:
    rng = np.random.default_rng(n)
    stop = rng.integers(5, 60, size=n).astype(float)
    start = stop - rng.integers(1, 6, size=n) if late else None
    event, score = rng.uniform(size=n) < 0.6, rng.normal(size=(2, n)).round(1)
    freq = rng.integers(0, 3, size=(2, n))
    strata = None if groups is None else rng.integers(0, groups, size=n)
    for counts in (freq, np.ones_like(freq)):
        given = None if counts.all() else counts
        found = harrell(stop, event, score, given, start=start, strata=strata)
        for b in range(2):
            alone = concordance(
                stop, event, score[b], start=start, strata=strata, freq=counts[b]
            ).concordance
            assert found[b] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("n", [60, 1500])
def test_weighted_pairs_agree_with_the_single_concordance(n: int) -> None:
    rng = np.random.default_rng(n)
    stop = rng.integers(5, 60, size=n).astype(float)
    event, score = rng.uniform(size=n) < 0.6, rng.normal(size=(2, n)).round(1)
    freq = rng.integers(0, 3, size=(2, n))
    pair_weight = np.vstack([np.where(stop < 40, stop, 0.0), 1.0 + stop])
    found = harrell(stop, event, score, freq, pair_weight=pair_weight)
    for b in range(2):
        alone = concordance(stop, event, score[b], freq=freq[b], pair_weight=pair_weight[b])
        assert found[b] == pytest.approx(alone.concordance, rel=1e-12)
