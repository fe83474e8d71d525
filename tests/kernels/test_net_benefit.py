"""Decision curves on arrays: by hand, against plain loops, and what must always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.net_benefit import group_sums, net_benefit
from rnetstats.kernels.net_benefit_times import net_benefit_at

GRID = np.array([0.0, 0.1, 0.2, 0.25, 0.5, 0.75, 0.9])
FIELDS = ("tp_rate", "fp_rate", "net_benefit", "n_positive", "n_events")


def sample(seed: int, n: int = 30) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.4).astype(float)
    y[:2] = 0.0, 1.0
    return rng, y, np.round(rng.random(n), 1)  # ties, and risks equal to thresholds


def followed(seed: int, n: int = 40, causes: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    stop = np.ceil(rng.exponential(6.0, n))  # tied times
    status = rng.integers(0, causes + 1, n)
    return stop, status, np.round(rng.random(n), 1)


def test_by_hand() -> None:
    # 5 patients, 2 events. At 0.2: 4 positives, both events among them; at 0.5: 1 event, 1 not.
    y, risk = [1, 0, 1, 0, 0], [0.9, 0.5, 0.2, 0.3, 0.1]
    found = net_benefit(y, risk, [0.5, 0.2])
    np.testing.assert_allclose(found.tp_rate, [[0.2, 0.4]])
    np.testing.assert_allclose(found.fp_rate, [[0.2, 0.4]])
    np.testing.assert_allclose(found.net_benefit, [[0.2 - 0.2, 0.4 - 0.4 / 4]])
    np.testing.assert_array_equal(found.n_positive, [[2, 4]])
    np.testing.assert_array_equal(found.n_events, [[1, 2]])
    assert found.prevalence == pytest.approx([0.4])


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), shared=st.booleans())
def test_batch_equals_a_loop_over_thresholds_and_replicates(seed: int, shared: bool) -> None:
    rng, y, p = sample(seed)
    freq = rng.multinomial(30, np.full(30, 1 / 30), 5)
    risk = p if shared else np.round(rng.random((5, 30)), 1)
    found = net_benefit(y, risk, GRID, freq)
    for b in range(5):
        for k, t in enumerate(GRID):
            positive = (risk if shared else risk[b]) >= t
            tp, fp = (freq[b] * y)[positive].sum(), (freq[b] * (1 - y))[positive].sum()
            np.testing.assert_allclose(found.tp_rate[b, k], tp / 30, atol=1e-15)
            np.testing.assert_allclose(found.fp_rate[b, k], fp / 30, atol=1e-15)
            want = tp / 30 - fp / 30 * t / (1 - t)
            np.testing.assert_allclose(found.net_benefit[b, k], want, atol=1e-14)


@given(seed=st.integers(0, 10_000))
def test_weights_equal_replicated_rows(seed: int) -> None:
    rng, y, p = sample(seed)
    freq = rng.integers(0, 4, 30)
    freq[:2] = 1
    rows = np.repeat(np.arange(30), freq)
    for prevalence in (None, 0.15):
        weighted = net_benefit(y, p, GRID, freq, prevalence=prevalence)
        replicated = net_benefit(y[rows], p[rows], GRID, prevalence=prevalence)
        for name in FIELDS:
            np.testing.assert_allclose(
                getattr(weighted, name), getattr(replicated, name), atol=1e-12
            )


@given(seed=st.integers(0, 10_000))
def test_order_of_rows_and_thresholds_does_not_matter(seed: int) -> None:
    rng, y, p = sample(seed)
    rows, columns = rng.permutation(30), rng.permutation(len(GRID))
    found, again = net_benefit(y, p, GRID), net_benefit(y[rows], p[rows], GRID[columns])
    for name in FIELDS:
        np.testing.assert_allclose(getattr(again, name), getattr(found, name)[:, columns])


@given(seed=st.integers(0, 10_000), constant=st.sampled_from([0.1, 0.3, 0.5, 0.8]))
def test_constant_risk_treats_all_up_to_it_and_none_above(seed: int, constant: float) -> None:
    _, y, _ = sample(seed)
    found = net_benefit(y, np.full(30, constant), GRID).net_benefit[0]
    treat_all = y.mean() - (1 - y.mean()) * GRID / (1 - GRID)
    np.testing.assert_allclose(found, np.where(constant >= GRID, treat_all, 0.0), atol=1e-14)


def test_own_prevalence_changes_nothing_and_another_one_rescales() -> None:
    _, y, p = sample(4)
    plain = net_benefit(y, p, GRID)
    same = net_benefit(y, p, GRID, prevalence=float(y.mean()))
    np.testing.assert_allclose(same.net_benefit, plain.net_benefit, atol=1e-14)
    other = net_benefit(y, p, GRID, prevalence=0.05)
    np.testing.assert_allclose(other.tp_rate, plain.tp_rate / y.mean() * 0.05)
    np.testing.assert_allclose(other.fp_rate, plain.fp_rate / (1 - y.mean()) * 0.95)


def test_harm_lowers_the_whole_curve() -> None:
    _, y, p = sample(4)
    found = net_benefit(y, p, GRID, harm=0.02).net_benefit
    np.testing.assert_allclose(found, net_benefit(y, p, GRID).net_benefit - 0.02)


def test_replicate_without_an_outcome_has_no_rescaled_rates() -> None:
    y, p, freq = [0, 0, 1], [0.2, 0.3, 0.8], [[1, 2, 0], [1, 1, 1]]
    found = net_benefit(y, p, [0.25], freq, prevalence=0.1)
    assert np.isnan(found.net_benefit[0]).all()
    assert np.isfinite(found.net_benefit[1]).all()
    plain = net_benefit(y, p, [0.25], freq)
    np.testing.assert_allclose(plain.tp_rate[0], 0.0)  # defined: no event was missed


def test_group_sums_of_empty_groups_are_zero() -> None:
    sums = group_sums(np.array([3, 1, 3]), 5, np.array([[1, 2, 4]]))
    np.testing.assert_array_equal(sums, [[0, 2, 0, 5, 0]])
    np.testing.assert_array_equal(group_sums(np.array([], dtype=int), 2, np.ones((2, 0))), 0.0)


def incidence(stop: np.ndarray, status: np.ndarray, horizon: float) -> float:
    """Aalen-Johansen incidence of status 1 by a plain loop; NaN if lost before the horizon."""
    if not len(stop):
        return 0.0
    free, rate = 1.0, 0.0
    for t in np.unique(stop[(stop <= horizon) & (status > 0)]):
        n = (stop >= t).sum()
        rate += free * ((stop == t) & (status == 1)).sum() / n
        free *= 1 - ((stop == t) & (status > 0)).sum() / n
    return np.nan if stop.max() < horizon and free > 0 else rate


@given(seed=st.integers(0, 10_000), causes=st.sampled_from([1, 2]), shared=st.booleans())
def test_censored_batch_equals_a_loop(seed: int, causes: int, shared: bool) -> None:
    stop, status, p = followed(seed, causes=causes)
    rng = np.random.default_rng(seed)
    freq = rng.multinomial(40, np.full(40, 1 / 40), 4)
    risk = p if shared else np.round(rng.random((4, 40)), 1)
    found = net_benefit_at(stop, status, risk, GRID[::-1], 5.0, freq)
    for b in range(4):
        rows = np.repeat(np.arange(40), freq[b])
        for k, t in enumerate(GRID[::-1]):
            kept = rows[(risk if shared else risk[b])[rows] >= t]
            rate = incidence(stop[kept], status[kept], 5.0)
            share = len(kept) / 40
            np.testing.assert_allclose(found.tp_rate[b, k], share * rate, atol=1e-13)
            np.testing.assert_allclose(found.fp_rate[b, k], share * (1 - rate), atol=1e-13)
            seen = ((status[kept] == 1) & (stop[kept] <= 5.0)).sum()
            assert found.n_events[b, k] == seen
        np.testing.assert_allclose(
            found.prevalence[b], incidence(stop[rows], status[rows], 5.0), atol=1e-13
        )


@given(seed=st.integers(0, 10_000))
def test_complete_follow_up_gives_the_binary_curve(seed: int) -> None:
    _, y, p = sample(seed)
    stop = np.where(y == 1, 3.0, 10.0)
    timed, plain = net_benefit_at(stop, y, p, GRID, 5.0), net_benefit(y, p, GRID)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(timed, name), getattr(plain, name), atol=1e-13)


def test_time_unit_does_not_matter() -> None:
    stop, status, p = followed(8, causes=2)
    months = net_benefit_at(stop, status, p, GRID, 5.0).net_benefit
    days = net_benefit_at(stop * 30.4375, status, p, GRID, 5.0 * 30.4375).net_benefit
    np.testing.assert_allclose(days, months)


def test_positives_lost_before_the_horizon_have_no_rate_unless_all_had_their_event() -> None:
    stop, status = np.array([1.0, 2.0, 3.0, 9.0]), np.array([1, 0, 1, 0])
    found = net_benefit_at(stop, status, [0.9, 0.9, 0.1, 0.1], [0.05, 0.5], 5.0)
    assert np.isfinite(found.net_benefit[0, 0])
    assert np.isnan(found.net_benefit[0, 1])  # the second was lost at 2
    ended = net_benefit_at(stop, status, [0.9, 0.1, 0.9, 0.1], [0.5], 5.0)
    np.testing.assert_allclose(ended.tp_rate, [[0.5]])  # both had the event by 3
    nobody = net_benefit_at(stop, status, [0.1] * 4, [0.5], 5.0)
    np.testing.assert_allclose(nobody.net_benefit, [[0.0]])


def test_no_event_by_the_horizon() -> None:
    found = net_benefit_at([6.0, 7.0], [1, 1], [0.2, 0.8], [0.5], 5.0)
    np.testing.assert_allclose(found.tp_rate, [[0.0]])
    np.testing.assert_allclose(found.fp_rate, [[0.5]])


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, status, p = followed(3, causes=2)
    freq = np.random.default_rng(1).multinomial(40, np.full(40, 1 / 40), 9)
    whole = net_benefit_at(stop, status, p, GRID, 5.0, freq)
    monkeypatch.setattr("rnetstats.kernels.net_benefit_times._CELLS", 150)
    split = net_benefit_at(stop, status, p, GRID, 5.0, freq)
    np.testing.assert_allclose(split.net_benefit, whole.net_benefit, atol=1e-14)
