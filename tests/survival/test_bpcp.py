from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.survival.bpcp import _beta_of, _cumulative, beta_product_limits
from rnetstats.survival.product_limit import product_limit
from support import assert_close, case, case_ids, read

CASES = [name for name in case_ids("bounds") if "bpcp" in name]


def curve_of(reference):
    spec, data = reference["spec"], read(reference["data"])
    if spec["event"] == "dfs_event":
        data = data.assign(dfs_event=(data["event_type"] > 0).astype(int))
    if "rows" in spec:
        data = data.query(spec["rows"])
    return product_limit(data[spec["time"]].to_numpy(float), data[spec["event"]].to_numpy(bool))


def limits_of(curve, **options):
    left = np.append(curve.n_risk[1:], 0.0)
    return beta_product_limits(curve.n_risk, curve.n_event, left, **options)


def _law(first, second):
    with np.errstate(divide="ignore", invalid="ignore"):
        return _beta_of(np.log(first), np.log(second / first**2))


def test_of_very_many_patients_no_digit_is_lost():
    # one event among n: the product of one beta variable, Beta(n, 1), whose quantiles are powers
    for n in (100.0, 1e5, 1e9):
        none = np.array([n, n - 1.0]), np.array([1.0, 0.0]), np.array([n - 1.0, 0.0])
        _, high = beta_product_limits(*none)
        assert_close(-np.log(high[0]), -np.log(0.975) / n)


def test_there_are_five_cases():
    assert len(CASES) == 5


@pytest.mark.parametrize("name", CASES)
def test_limits_are_those_of_the_reference(name):
    reference = case("bounds", name)
    values, curve = reference["values"], curve_of(reference)
    place = np.searchsorted(curve.time, values["times"], side="right") - 1
    low, high = limits_of(curve)
    assert_close(curve.survival[place], values["surv"])
    assert_close(low[place], values["lower"])
    assert_close(high[place], values["upper"])


@pytest.mark.parametrize("name", CASES)
def test_mid_p_limits_solve_their_equation(name):
    # the reference stops its root search at 1e-4; ours is held to the equation itself
    reference = case("bounds", name)
    values, curve = reference["values"], curve_of(reference)
    place = np.searchsorted(curve.time, values["times"], side="right") - 1
    low, high = (side[place] for side in limits_of(curve, mid_p=True))
    exact = not curve.n_event.any()
    assert_close(low, values["midp_lower"], rel=1e-8 if exact else 4e-4)
    assert_close(high, values["midp_upper"], rel=1e-8 if exact else 4e-4)
    n, d = curve.n_risk, curve.n_event
    first = np.cumprod(np.where(d > 0, (n - d + 1) / (n + 1), 1.0))
    second = first * np.cumprod(np.where(d > 0, (n - d + 2) / (n + 2), 1.0))
    left = np.append(n[1:], 0.0)
    upper = _law(first[place], second[place])
    lower = _law((first * left / (left + 1))[place], (second * left / (left + 2))[place])
    for limit, tail in ((low, 0.025), (high, 0.975)):
        mass = (_cumulative(lower, limit) + _cumulative(upper, limit)) / 2
        assert_close(np.where(limit < 1.0, mass, tail), np.full(len(place), tail))


def test_no_event_gives_the_bound_worked_by_hand():
    # nobody of 60 had the event: the lower limit is 0.025 ** (1 / 60), mid-P 0.05 ** (1 / 60)
    n = np.array([60.0, 60.0])
    low, high = beta_product_limits(n, np.zeros(2), np.array([60.0, 0.0]))
    assert_close(low, [0.025 ** (1 / 60), 0.0])
    assert high.tolist() == [1.0, 1.0]
    low, _ = beta_product_limits(n, np.zeros(2), np.array([60.0, 0.0]), mid_p=True)
    assert_close(low[0], 0.05 ** (1 / 60))
    assert low[1] == 0.0


def test_without_censoring_limits_are_clopper_pearsons():
    # 3 of 12 fail by the third time; a product of betas is then one beta exactly
    from scipy.stats import beta

    stop = np.arange(1.0, 13.0)
    low, high = limits_of(product_limit(stop, stop > 0))
    assert_close(low[2], beta.ppf(0.025, 9, 4))
    assert_close(high[2], beta.ppf(0.975, 10, 3))


rows = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=30)


@given(rows, st.booleans(), st.floats(0.5, 0.99))
def test_limits_hold_the_estimate_and_fall(given_rows, mid_p, conf_level):
    time, event = (np.array(part) for part in zip(*given_rows, strict=True))
    curve = product_limit(time.astype(float), event.astype(bool))
    low, high = limits_of(curve, conf_level=conf_level, mid_p=mid_p)
    assert np.all(low <= curve.survival + 1e-9)
    assert np.all(curve.survival <= high + 1e-9)
    assert np.all(np.diff(low) <= 1e-9)
    # the beta laws of two products have their first two moments, not the order of their far tails,
    # where the mid-P limit lies: it may rise a little at a censoring
    assert np.all(np.diff(high) <= (5e-3 if mid_p else 1e-9))
    assert np.all((low >= 0.0) & (high <= 1.0))


@given(rows)
def test_mid_p_is_narrower(given_rows):
    time, event = (np.array(part) for part in zip(*given_rows, strict=True))
    curve = product_limit(time.astype(float), event.astype(bool))
    low, high = limits_of(curve)
    mid_low, mid_high = limits_of(curve, mid_p=True)
    assert np.all(mid_low >= low - 1e-12)
    assert np.all(mid_high <= high + 1e-12)


def test_coverage_is_nominal_or_more_with_few_events():
    # 40 patients, 6 events expected, a third censored early: S(5) = exp(-0.15)
    rng = np.random.default_rng(20)
    truth, trials, missed = np.exp(-0.15), 600, np.zeros(2)
    for _ in range(trials):
        time, limit = rng.exponential(5 / 0.15, 40), rng.uniform(3.0, 9.0, 40)
        curve = product_limit(np.minimum(time, limit), time <= limit)
        low, high = limits_of(curve)
        place = np.searchsorted(curve.time, 5.0, side="right") - 1
        missed += [truth < low[place], truth > high[place]]
    assert np.all(missed / trials <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / trials))
