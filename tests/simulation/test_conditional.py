"""Bernoulli trials given their sum."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnetstats.errors import OptionError
from rnetstats.simulation.conditional import conditional_bernoulli, partial_sums


def test_partial_sums_by_hand():
    table = partial_sums(np.array([0.5, 0.2]), 2)
    assert np.allclose(table, [[1, 0, 0], [0.5, 0.5, 0], [0.4, 0.5, 0.1]], atol=1e-15)


@given(arrays(float, st.integers(1, 60), elements=st.floats(0, 1)), st.integers(0, 60))
def test_partial_sums_are_the_convolution(p, k):
    whole = np.ones(1)
    for q in p:
        whole = np.convolve(whole, [1 - q, q])
    whole = np.concatenate([whole, np.zeros(k)])[: k + 1]
    assert np.allclose(partial_sums(p, k)[p.size], whole, atol=1e-13)


@pytest.mark.slow
def test_every_set_has_its_probability():
    p, k, draws = np.array([0.02, 0.1, 0.3, 0.5, 0.9]), 2, 4_000
    odds = p / (1 - p)
    sets = list(combinations(range(5), k))
    exact = np.array([odds[list(s)].prod() for s in sets])
    exact /= exact.sum()
    rng = np.random.default_rng(11)
    counts = dict.fromkeys(sets, 0)
    for _ in range(draws):
        counts[tuple(np.flatnonzero(conditional_bernoulli(p, k, rng)))] += 1
    seen = np.array([counts[s] for s in sets]) / draws
    error = np.sqrt(exact * (1 - exact) / draws)
    assert len(sets) == comb(5, 2)
    assert np.all(np.abs(seen - exact) <= 4 * error)


def test_extreme_odds_do_not_underflow():
    p = np.concatenate([np.full(3000, 1e-12), np.full(10, 1 - 1e-9)])
    drawn = conditional_bernoulli(p, 400, np.random.default_rng(0))
    assert drawn.sum() == 400
    assert drawn[3000:].all()


@given(arrays(float, st.integers(1, 40), elements=st.floats(0, 1)), st.data())
def test_the_sum_is_met(p, data):
    sure, possible = int((p >= 1).sum()), int((p > 0).sum())
    k = data.draw(st.integers(sure, possible))
    drawn = conditional_bernoulli(p, k, np.random.default_rng(3))
    assert drawn.sum() == k
    assert drawn[p >= 1].all()
    assert not drawn[p == 0].any()


@pytest.mark.parametrize("k", [-1, 2, 4])
def test_impossible_sums_are_refused(k):
    with pytest.raises(OptionError, match="exactly"):
        conditional_bernoulli(np.array([0.0, 0.5, 0.0]), k, np.random.default_rng(0))
