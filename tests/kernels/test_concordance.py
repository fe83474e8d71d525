"""Concordance against all pairs, one by one."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discrimination_cases import ids_with, prepared
from rnetstats.kernels.censoring import censoring_survival
from rnetstats.kernels.concordance import concordance
from rnetstats.kernels.prefix_sums import PrefixSums
from support import assert_close, case


def all_pairs(start, stop, event, x, strata, weight):
    """Concordant, discordant, tied in score, in time, in both: by definition."""
    counts = np.zeros(5)
    for i in range(len(stop)):
        for j in range(len(stop)):
            if i == j or strata[i] != strata[j] or not event[i] or not start[j] < stop[i]:
                continue
            w = weight[i] * weight[j]
            if stop[j] > stop[i] or (stop[j] == stop[i] and not event[j]):
                counts[0 if x[i] > x[j] else 1 if x[i] < x[j] else 2] += w
            elif stop[j] == stop[i] and i < j:
                counts[3 if x[i] != x[j] else 4] += w
    return counts


@st.composite
def scored(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 30))
    stop = rng.integers(2, 8, n).astype(float)
    start = stop - rng.integers(1, 5, n)
    event = rng.random(n) < 0.7
    x = rng.integers(0, draw(st.sampled_from([2, 6, 1000])), n).astype(float)
    strata = rng.integers(0, draw(st.sampled_from([1, 3])), n)
    return start, stop, event, x, strata, rng.random(n) + 0.5


@pytest.mark.parametrize("few", [0, 1 << 18])
@given(data=scored(), late=st.booleans(), weighted=st.booleans())
def test_pairs_counted_one_by_one(few, data, late, weighted):
    with mock.patch("rnetstats.kernels.concordance._FEW", few):
        check_pairs(data, late, weighted)


def check_pairs(data, late, weighted):
    start, stop, event, x, strata, weight = data
    if not late:
        start = np.full(len(stop), -1.0)
    if not weighted:
        weight = np.ones(len(stop))
    expected = all_pairs(start, stop, event, x, strata, weight)
    result = concordance(stop, event, x, start=start if late else None, strata=strata, case=weight)
    found = [result.concordant, result.discordant, result.tied_score]
    assert_close(found, expected[:3], rel=1e-10)
    assert_close([result.tied_time, result.tied_both], expected[3:], rel=1e-10)
    if expected[:3].sum() > 0:
        value = (expected[0] + expected[2] / 2) / expected[:3].sum()
        assert_close(result.concordance, value, rel=1e-10)
        assert_close(result.influence.sum(), 0.0)
        mirrored = concordance(stop, event, -x, start=start if late else None, strata=strata,
                               case=weight)  # fmt: skip
        assert_close(mirrored.concordance, 1 - value, rel=1e-10)
    else:
        assert np.isnan(result.concordance)


@pytest.mark.parametrize("few", [0, 1 << 18])
@given(data=scored())
def test_frequencies_are_replicated_rows(few, data):
    with mock.patch("rnetstats.kernels.concordance._FEW", few):
        check_frequencies(data)


def check_frequencies(data):
    start, stop, event, x, strata, _ = data
    copies = np.arange(len(stop)) % 3
    rows = np.repeat(np.arange(len(stop)), copies)
    short = concordance(stop, event, x, start=start, strata=strata, freq=copies)
    long = concordance(stop[rows], event[rows], x[rows], start=start[rows], strata=strata[rows])
    for name in ("concordance", "std_error", "concordant", "discordant", "tied_score"):
        assert_close(getattr(short, name), getattr(long, name), rel=1e-10)
    assert_close(short.tied_time, long.tied_time)
    assert_close(short.tied_both, long.tied_both)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), top=st.sampled_from([1, 2, 7, 100]))
def test_prefix_sums(seed, n, top):
    rng = np.random.default_rng(seed)
    numbers, weights = rng.integers(0, top, n), rng.random(n)
    many, number = rng.integers(0, n + 1, 20), rng.integers(0, top + 3, 20)
    below, equal, above = PrefixSums(numbers, weights).query(many, number)
    for q in range(20):
        first, w = numbers[: many[q]], weights[: many[q]]
        assert_close(below[q], w[first < number[q]].sum(), rel=1e-10)
        assert_close(equal[q], w[first == number[q]].sum(), rel=1e-10)
        assert_close(above[q], w[first > number[q]].sum(), rel=1e-10)


def test_a_perfect_score_is_concordant_with_all():
    stop = np.arange(1.0, 200.0)
    result = concordance(stop, np.ones(199), -stop)
    assert result.concordance == 1.0
    assert result.concordant == 199 * 198 / 2
    assert_close(result.std_error, 0.0)


@pytest.mark.parametrize("few", [0, 1 << 18])
@given(data=scored())
def test_weights_of_events_multiply_their_pairs(few, data):
    start, stop, event, x, strata, weight = data
    pair_weight = np.choose((stop % 3).astype(int), [0.0, 1.0, 2.5])
    by_event = 0.0
    for time in np.unique(stop[event]):
        # The events of one time alone: others only outlive them or are gone.
        own = event & (stop == time)
        kept = own | (stop > time) | ((stop == time) & ~event)
        part = [values[kept] for values in (start, stop, own, x, strata, weight)]
        by_event += pair_weight[stop == time][0] * all_pairs(*part)
    with mock.patch("rnetstats.kernels.concordance._FEW", few):
        result = concordance(
            stop, event, x, start=start, strata=strata, case=weight, pair_weight=pair_weight
        )
    found = [result.concordant, result.discordant, result.tied_score]
    if event.any():
        assert_close(found, by_event[:3], rel=1e-10)
        assert_close([result.tied_time, result.tied_both], by_event[3:], rel=1e-10)


@pytest.mark.parametrize("name", ids_with("harrell"))
def test_reference_of_harrell_and_uno(name):
    """Values, variances and weighted pair counts; S/G weights are those of Uno times n."""
    golden = case("discrimination", name)
    data, spec = prepared(golden), golden["spec"]
    stop, event, x = (data[spec[key]].to_numpy(float) for key in ("time", "event", "marker"))
    for key, values in golden["values"].items():
        tau = float(key.rsplit("_", 1)[1]) if "tau" in key else np.inf
        before = censoring_survival(stop, event).before(stop)
        weight = np.ones(len(stop)) if key.startswith("harrell") else before**-2.0
        found = concordance(stop, event, x, pair_weight=np.where(stop <= tau, weight, 0.0))
        assert_close(found.concordance, values["c"])
        assert_close(found.std_error, values["se"])
        assert_close(found.std_error**2, values["variance"])
        assert_close(
            [
                found.concordant,
                found.discordant,
                found.tied_score,
                found.tied_time,
                found.tied_both,
            ],
            values["counts"],
        )
