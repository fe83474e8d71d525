"""Bootstrap counts: totals, strata, clusters, the prefix property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.resampling import bootstrap_counts


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(n=st.integers(1, 40), size=st.integers(1, 30), seed=st.integers(0, 99))
def test_each_replicate_has_n_rows_and_fewer_are_a_prefix(n: int, size: int, seed: int) -> None:
    counts = bootstrap_counts(generator(seed), n, size)
    assert counts.shape == (size, n)
    assert (counts.sum(axis=1) == n).all()
    fewer = bootstrap_counts(generator(seed), n, (size + 1) // 2)
    np.testing.assert_array_equal(fewer, counts[: len(fewer)])


@given(strata=st.lists(st.integers(0, 3), min_size=1, max_size=30), seed=st.integers(0, 99))
def test_strata_keep_their_sizes_and_the_prefix(strata: list[int], seed: int) -> None:
    codes = np.array(strata)
    counts = bootstrap_counts(generator(seed), len(codes), 12, strata=codes)
    for code in set(strata):
        assert (counts[:, codes == code].sum(axis=1) == strata.count(code)).all()
    fewer = bootstrap_counts(generator(seed), len(codes), 5, strata=codes)
    np.testing.assert_array_equal(fewer, counts[:5])


@given(cluster=st.lists(st.integers(0, 6), min_size=1, max_size=30), seed=st.integers(0, 99))
def test_clusters_are_drawn_whole(cluster: list[int], seed: int) -> None:
    codes = np.array(cluster)
    counts = bootstrap_counts(generator(seed), len(codes), 8, cluster=codes)
    _, first = np.unique(codes, return_index=True)
    for code in set(cluster):
        mine = counts[:, codes == code]
        assert (mine == mine[:, :1]).all()
    assert (counts[:, first].sum(axis=1) == len(first)).all()


def test_clusters_within_strata() -> None:
    cluster = np.array([0, 0, 1, 1, 1, 2, 3, 3])
    strata = np.array([5, 5, 5, 5, 5, 9, 9, 9])
    counts = bootstrap_counts(generator(), 8, 200, strata=strata, cluster=cluster)
    assert (counts[:, [0, 2]].sum(axis=1) == 2).all()
    assert (counts[:, [5, 6]].sum(axis=1) == 2).all()
    with pytest.raises(ValueError, match="more than one stratum"):
        bootstrap_counts(generator(), 8, 2, strata=strata, cluster=np.zeros(8, dtype=int))


def test_counts_follow_the_multinomial() -> None:
    # Mean 1, variance (n - 1) / n, covariance -1 / n: to within 4 Monte Carlo errors.
    n, size = 10, 40_000
    counts = bootstrap_counts(generator(3), n, size).astype(float)
    covariance = np.cov(counts.T)
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=4 * np.sqrt(0.9 / size))
    np.testing.assert_allclose(np.diag(covariance), 0.9, atol=0.05)
    off = covariance[~np.eye(n, dtype=bool)]
    np.testing.assert_allclose(off, -0.1, atol=4 * 0.95 / np.sqrt(size))


def test_strata_draw_every_member_equally_often() -> None:
    strata = np.array([0, 1, 0, 1, 1, 0, 1])
    counts = bootstrap_counts(generator(4), 7, 20_000, strata=strata)
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=4 / np.sqrt(20_000))


@given(
    freq=st.lists(st.integers(0, 3), min_size=1, max_size=20).filter(any),
    by=st.sampled_from(["", "strata", "cluster"]),
    seed=st.integers(0, 99),
)
def test_rows_that_stand_for_several_are_drawn_as_replicated_rows(
    freq: list[int], by: str, seed: int
) -> None:
    weight, codes = np.array(freq), np.arange(len(freq)) // 3
    rows = np.repeat(np.arange(len(freq)), weight)
    options = {by: codes} if by else {}
    found = bootstrap_counts(generator(seed), len(freq), 9, freq=weight.astype(float), **options)
    long = bootstrap_counts(
        generator(seed), len(rows), 9, **{k: v[rows] for k, v in options.items()}
    )
    for row in range(len(freq)):
        np.testing.assert_array_equal(found[:, row], long[:, rows == row].sum(axis=1))


@pytest.mark.parametrize("strata", [None, [0, 0, 1, 1, 0]], ids=["all", "strata"])
def test_many_patients_are_drawn_without_a_number_each(strata: list[int] | None) -> None:
    """80 billion patients: the law of their counts, in memory for five rows."""
    freq = np.array([3e10, 0.0, 4e10, 1e10 - 7.0, 7.0])
    own = None if strata is None else np.array(strata)
    drawn = bootstrap_counts(np.random.default_rng(3), 5, 2000, freq=freq, strata=own)
    again = bootstrap_counts(np.random.default_rng(3), 5, 4, freq=freq, strata=own)
    np.testing.assert_array_equal(drawn[:4], again)
    for rows in (np.arange(5),) if own is None else (own == 0, own == 1):
        total, share = freq[rows].sum(), freq[rows] / freq[rows].sum()
        assert (drawn[:, rows].sum(axis=1) == total).all()
        spread = np.sqrt(freq[rows] * (1.0 - share))
        error = spread / np.sqrt(2000.0)
        assert (np.abs(drawn[:, rows].mean(axis=0) - freq[rows]) <= 4.0 * error).all()
        np.testing.assert_allclose(drawn[:, rows].std(axis=0), spread, rtol=0.08)


def test_clusters_of_many_patients_are_drawn_whole() -> None:
    freq, cluster = np.array([1e9, 2.0, 3.0, 0.0]), np.array([4, 4, 1, 1])
    drawn = bootstrap_counts(np.random.default_rng(1), 4, 50, freq=freq, cluster=cluster)
    times = drawn[:, [0, 2]] / freq[[0, 2]]
    assert (times.sum(axis=1) == 2).all()
    np.testing.assert_array_equal(drawn[:, 1], 2 * times[:, 0])
    assert not drawn[:, 3].any()
