"""Weighted product-limit curves of many replicates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.weighted_curves import survival_many
from rnetstats.survival.product_limit import product_limit


def drawn(seed: int, n: int = 40, *, late: bool = False, whole: bool = True):
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 6, n).astype(float) if late else None
    stop = rng.integers(1, 15, n) + (0.0 if start is None else start)
    if not whole:
        stop = stop + rng.random(n)
    event = rng.random(n) < 0.5
    weights = rng.gamma(1.0, size=(7, n)) * (rng.random((7, n)) < 0.8)
    return start, stop, event, weights


def by_definition(start, stop, event, weights, times):
    """One factor an event time, from the rows at risk one by one."""
    found = []
    for w in weights:
        line = []
        for t in times:
            value = 1.0
            for u in np.unique(stop[event & (stop <= t)]):
                at_risk = (stop >= u) & ((start < u) if start is not None else True)
                died = (w * (event & (stop == u))).sum()
                if died > 0:
                    value *= 1.0 - died / (w * at_risk).sum()
            value = 0.0 if abs(value) < 1e-14 else value
            last = stop[w > 0].max() if (w > 0).any() else -np.inf
            line.append(value if t <= last or value == 0.0 else np.nan)
        found.append(line)
    return np.array(found)


@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_curves_are_the_definition(seed: int, late: bool, whole: bool) -> None:
    start, stop, event, weights = drawn(seed, late=late, whole=whole)
    times = np.array([7.0, 0.0, 3.5, 14.0, 100.0])
    found = survival_many(stop, event, weights, times, start)
    np.testing.assert_allclose(
        found, by_definition(start, stop, event, weights, times), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("late", [False, True])
def test_a_curve_is_that_of_the_single_estimator(late: bool) -> None:
    start, stop, event, weights = drawn(3, late=late)
    weights += 0.01
    found = survival_many(stop, event, weights, np.unique(stop), start)
    for line, w in zip(found, weights, strict=True):
        alone = product_limit(stop, event, start=start, weights=w)
        np.testing.assert_allclose(line, alone.survival, rtol=1e-12, atol=1e-15)
    one = survival_many(stop, event, weights[0], np.unique(stop), start)
    np.testing.assert_array_equal(one, found[:1])


@given(st.integers(0, 10_000), st.booleans())
def test_whole_weights_are_replicated_rows(seed: int, late: bool) -> None:
    start, stop, event, _ = drawn(seed, late=late)
    freq = np.random.default_rng(seed + 1).integers(0, 4, (3, stop.size))
    times = np.arange(0.0, 22.0)
    found = survival_many(stop, event, freq, times, start)
    for line, copies in zip(found, freq, strict=True):
        again = None if start is None else np.repeat(start, copies)
        rows = (np.repeat(stop, copies), np.repeat(event, copies), np.ones(copies.sum()))
        np.testing.assert_allclose(line, survival_many(*rows, times, again)[0], rtol=1e-12)


def test_split_rows_are_the_whole_rows() -> None:
    _, stop, event, weights = drawn(5)
    cut = stop / 2.0
    times = np.arange(0.0, 16.0)
    whole = survival_many(stop, event, weights, times)
    split = survival_many(
        np.concatenate((cut, stop)),
        np.concatenate((np.zeros(cut.size, bool), event)),
        np.concatenate((weights, weights), axis=1),
        times,
        np.concatenate((np.zeros(cut.size), cut)),
    )
    np.testing.assert_allclose(split, whole, rtol=1e-12)


def test_curves_by_hand() -> None:
    # events at 2 (weight 1 of 4) and 5 (2 of 3), one row of weight 1 censored at 8
    stop, event = np.array([2.0, 5.0, 8.0]), np.array([True, True, False])
    weights = np.array([[1.0, 2.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(
        survival_many(stop, event, weights, [1.0, 2.0, 5.0, 8.0, 9.0]),
        [[1, 0.75, 0.25, 0.25, np.nan], [1, 1, 0, 0, 0], [np.nan] * 5],
    )


def test_without_events_nobody_is_lost() -> None:
    none = np.zeros(3, dtype=bool)
    stop = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(survival_many(stop, none, np.ones(3), [0.5, 3.0]), [[1.0, 1.0]])


def test_blocks_do_not_matter() -> None:
    _, stop, event, _ = drawn(8)
    weights = np.random.default_rng(1).random((600, stop.size))
    found = survival_many(stop, event, weights, [4.0, 9.0])
    alone = [survival_many(stop, event, w, [4.0, 9.0])[0] for w in weights[250:262]]
    np.testing.assert_allclose(found[250:262], alone, rtol=1e-13)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_weights_are_refused(bad: float) -> None:
    stop, event = np.array([1.0, 2.0]), np.array([True, False])
    with pytest.raises(ValueError, match="at least 0"):
        survival_many(stop, event, [1.0, bad], [1.0])
    with pytest.raises(ValueError, match="columns"):
        survival_many(stop, event, [1.0], [1.0])
