"""Cut-offs in many replicates: weights, brute force, tables worked by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.maxstat import (
    best_cut,
    best_cut_survival,
    logrank_rank_scores,
    standardised_sums,
)
from rnetstats.kernels.splits import chosen_cut, running_sums, splits_of

SEEDS = st.integers(0, 10_000)


def rows(seed: int, n: int = 40) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 12, n) / 2.0
    y = rng.integers(0, 2, n).astype(float)
    y[:2] = 0.0, 1.0
    stop = rng.integers(1, 15, n).astype(float)
    event = rng.random(n) < 0.6
    event[0] = True
    freq = rng.multinomial(n, np.full(n, 1 / n), size=5)
    freq[:, :2] += 1
    return x, y, stop, event, freq


def test_logrank_scores_by_hand() -> None:
    # times 1, 2, 2+, 3: R = 1, 3, 3, 4 of N = 4
    found = logrank_rank_scores([1, 2, 2, 3], [True, True, False, True])
    h1, h2, h3 = 1 / 4, 1 / 4 + 1 / 2, 1 / 4 + 1 / 2 + 1 / 1
    np.testing.assert_allclose(found, [[1 - h1, 1 - h2, -h2, 1 - h3]])


def test_statistic_of_a_binary_outcome_is_pearsons() -> None:
    # 1 of 4 events below, 3 of 4 above: chi-square 2, times (N - 1) / N
    x, y = np.array([1.0] * 4 + [2.0] * 4), np.array([1, 0, 0, 0, 1, 1, 1, 0.0])
    found = standardised_sums(splits_of(x), y, np.ones((1, 8)))
    np.testing.assert_allclose(found[0, 0], -np.sqrt(2.0 * 7 / 8))


def test_youden_by_hand() -> None:
    x, y = [1, 2, 3, 4], [0, 0, 1, 1]
    assert best_cut(y, x)[0] == 2.5
    assert best_cut(y, x, report="below")[0] == 2
    assert best_cut(y, x, report="above")[0] == 3
    assert best_cut([1, 1, 0, 0], x, direction="<=")[0] == 2.5


def test_ties_take_the_median() -> None:
    # x >= 2, x >= 4 and x >= 6 have the index 1/3
    y, x = [0, 1, 0, 1, 0, 1], [1, 2, 3, 4, 5, 6]
    assert best_cut(y, x, direction=">=", report="above")[0] == 4
    flags = np.array([[True, False, False, True], [False, True, False, False]])
    np.testing.assert_array_equal(
        chosen_cut(flags, np.array([[1.0, 2.0, 3.0, 5.0]]), "median"), [3.0, 2.0]
    )
    np.testing.assert_array_equal(
        chosen_cut(flags, np.array([[1.0, 2.0, 3.0, 5.0]]), "first"), [1.0, 2.0]
    )


def test_a_median_of_ties_is_the_value_of_the_data() -> None:
    """Halfway between 0.1 and 0.5, and between -0.1 and 0.7, lies the 0.3 of the data itself."""
    for low, high in ((0.1, 0.5), (-0.1, 0.7)):
        x = np.array([low - 0.1, low, 0.3, high])
        y = np.array([0.0, 1.0, 0.0, 1.0])  # x >= low and x >= high are equally good
        assert best_cut(y, x, direction=">=", report="above")[0] == 0.3
    assert best_cut([0, 1], [0.1, 0.5], report="midpoint")[0] == 0.3
    tiny = np.nextafter(1.0, 2.0)
    assert best_cut([0, 1], [1.0, tiny], report="midpoint")[0] in (1.0, tiny)


def test_undefined_replicates_are_missing() -> None:
    freq = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]])
    found = best_cut([0, 0, 1, 1], [1, 2, 3, 4], freq)
    np.testing.assert_array_equal(found, [np.nan, np.nan, 2.5])
    none = best_cut_survival([1, 2, 3, 4], [0, 0, 1, 1], [1, 2, 3, 4], freq, minprop=0, maxprop=1)
    np.testing.assert_array_equal(np.isnan(none), [True, True, False])


@given(SEEDS, st.sampled_from(["youden", "maxstat"]), st.sampled_from(["midpoint", "above"]))
def test_frequencies_are_replicated_rows(seed: int, method: str, report: str) -> None:
    x, y, stop, event, freq = rows(seed)
    options = {"method": method, "report": report}
    batch = best_cut(y, x, freq, **options)
    timed = best_cut_survival(stop, event, x, freq, horizon=7.0, **options)
    for k, counts in enumerate(freq):
        again = np.repeat(np.arange(len(x)), counts)
        np.testing.assert_allclose(batch[k], best_cut(y[again], x[again], **options))
        alone = best_cut_survival(stop[again], event[again], x[again], horizon=7.0, **options)
        np.testing.assert_allclose(timed[k], alone)


@given(SEEDS)
def test_youden_is_the_best_of_all_cuts(seed: int) -> None:
    x, y, *_ = rows(seed)
    values = np.unique(x)[1:]
    index = np.array([(x >= v)[y == 1].mean() - (x >= v)[y == 0].mean() for v in values])
    cut = best_cut(y, x, direction=">=", report="above")[0]
    np.testing.assert_allclose(cut, np.median(values[index > index.max() - 1e-12]))


@given(SEEDS)
def test_scores_sum_to_nothing_only_without_ties_but_statistics_are_centred(seed: int) -> None:
    x, _, stop, event, freq = rows(seed)
    scores = logrank_rank_scores(stop, event, freq)
    splits = splits_of(x)
    copies = freq.astype(float)
    found = standardised_sums(splits, scores, copies)
    shifted = standardised_sums(splits, scores + 3.0, copies)
    np.testing.assert_allclose(found, shifted, atol=1e-8)
    total = running_sums(splits, copies)[:, -1]
    np.testing.assert_array_equal(total, freq.sum(axis=1))


@pytest.mark.parametrize("method", ["youden", "maxstat"])
def test_increasing_transformations_keep_the_groups(method: str) -> None:
    x, y, *_ = rows(3)
    plain = best_cut(y, x, method=method, report="below")[0]
    grown = best_cut(y, np.exp(x), method=method, report="below")[0]
    np.testing.assert_allclose(np.exp(plain), grown)


def youden_by_fractions(stop: list, event: list, x: list, horizon: float) -> float:
    """The median of the best cut-offs, `>=` before `<=`, in whole numbers and their ratios."""
    n = range(len(stop))

    def uncensored(time: float, before: bool) -> Fraction:
        share = Fraction(1)
        for u in sorted(set(stop)):
            left = sum(stop[i] == u and not event[i] for i in n)
            if left and (u < time or (u == time and not before)):
                share *= 1 - Fraction(left, left + sum(stop[i] > u for i in n))
        return share

    late = [stop[i] > horizon for i in n]
    cases = [1 / uncensored(stop[i], True) if event[i] and not late[i] else 0 for i in n]
    controls = [1 / uncensored(horizon, False) if late[i] else 0 for i in n]
    values = sorted(set(x))
    if not sum(cases) or not sum(controls) or len(values) < 2:
        return np.nan
    index = [
        sum(cases) * sum(controls[i] for i in n if x[i] <= value)
        - sum(controls) * sum(cases[i] for i in n if x[i] <= value)
        for value in values[:-1]
    ]
    sign = 1 if max(index) >= -min(index) else -1
    best = max(sign * value for value in index)
    middles = zip(index, values, values[1:], strict=False)
    return float(np.median([(a + b) / 2 for value, a, b in middles if sign * value == best]))


def test_equal_indices_of_censored_times_are_equal_whatever_their_rounding() -> None:
    found, expected = [], []
    for seed in range(250):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(5, 11))
        x, stop = rng.integers(0, 6, n).astype(float), rng.integers(1, 9, n).astype(float)
        event = rng.random(n) < 0.6
        found.append(best_cut_survival(stop, event, x, method="youden", horizon=5.0)[0])
        expected.append(youden_by_fractions(stop.tolist(), event.tolist(), x.tolist(), 5.0))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_direction_is_that_of_youdens_index_only() -> None:
    x, y, stop, event, freq = rows(7)
    for direction in (">=", "<="):
        found = best_cut(y, x, freq, method="maxstat", direction=direction)
        np.testing.assert_array_equal(found, best_cut(y, x, freq, method="maxstat"))
        found = best_cut_survival(stop, event, x, freq, direction=direction)
        np.testing.assert_array_equal(found, best_cut_survival(stop, event, x, freq))


def test_of_equally_large_statistics_the_smallest_cut_off_is_taken() -> None:
    # one event below or above parts the four in the same way
    assert best_cut([0, 1, 1, 0], [1, 2, 3, 4], method="maxstat")[0] == 1.5
    assert best_cut([0, 1, 1, 0], [1, 2, 3, 4], direction=">=")[0] == 1.5
