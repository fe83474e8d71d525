from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.survival.limits import curve_quantile, transformed_limits
from rnetstats.survival.product_limit import at_risk, product_limit
from support import assert_close, case, case_ids, golden
from survival_cases import curve_case

SCALES = {"plain": "plain", "log": "log", "loglog": "log-log"}
KM = case_ids("kaplan_meier")


def fits(reference):
    """Each group's label, curve and rows, from plain arrays."""
    made = curve_case(reference)
    data = made.data
    event = data.eval(made.event).to_numpy(bool)
    for label in reference["values"]["groups"]:
        level = label.partition("=")[2]
        keep = (
            np.ones(len(data), bool)
            if made.group is None
            else data[made.group].astype(str) == level
        )
        keep = np.asarray(keep)
        stop = data[reference["spec"]["time"]].to_numpy(float)[keep]
        start = None if made.start is None else data[made.start].to_numpy(float)[keep]
        weights = None if made.weights is None else made.weights[keep]
        robust = reference["id"].endswith("robust")
        curve = product_limit(stop, event[keep], start=start, weights=weights, robust=robust)
        yield label, curve, (stop, start, weights)


@pytest.mark.parametrize("name", KM)
def test_curves_are_those_of_r(name):
    reference = case("kaplan_meier", name)
    for label, curve, rows in fits(reference):
        want = reference["values"]["curve"][label]
        for field in ("time", "n_risk", "n_event", "n_censor"):
            assert_close(getattr(curve, field), want[field])
        assert_close(curve.survival, want["surv"])
        assert_close(curve.std_error, want["std_err_surv"])
        assert_close(np.sqrt(curve.log_variance), want["std_err_log_surv"])
        assert_close(curve.hazard, want["cumhaz"])
        assert_close(np.sqrt(curve.hazard_variance), want["std_err_cumhaz"])
        totals = reference["values"]["totals"][label]
        assert len(rows[0]) == totals["records"]
        assert_close([curve.n_risk[0], curve.n_event.sum()], [totals["n_start"], totals["events"]])


@pytest.mark.parametrize("name", KM)
def test_limits_quantiles_and_numbers_at_risk_are_those_of_r(name):
    reference = case("kaplan_meier", name)
    for label, curve, (stop, start, weights) in fits(reference):
        values = reference["values"]
        for key, scale in SCALES.items():
            low, high = transformed_limits(curve.survival, curve.log_variance, scale, 0.95)
            assert_close(low, values["curve"][label][f"ci_{key}_lower"])
            assert_close(high, values["curve"][label][f"ci_{key}_upper"])
            steps = {"estimate": curve.survival, "lower": low, "upper": high}
            for part, line in steps.items():
                want = dict(values["quantiles"][label][key][part])
                if (name, label, key, part) == NOT_MONOTONE:
                    want["q25"] = 5
                found = [curve_quantile(curve.time, line, q) for q in (0.25, 0.5, 0.75)]
                assert_close(found, want)
        at = values["at_times"][label]
        assert_close(at_risk(np.asarray(at["time"], float), stop, start, weights), at["n_risk"])


# Under late entry the lower limits may rise again. At time 5 the limit is 0.508, the first at or
# below 0.75, so that the limit of the quartile is 5; R interpolates after sorting and prints 16.
NOT_MONOTONE = ("heart_start_stop", "transplant=1", "loglog", "lower")


def test_the_lower_limits_of_the_exception_are_not_monotone():
    values = case("kaplan_meier", NOT_MONOTONE[0])["values"]
    lower = values["curve"][NOT_MONOTONE[1]]["ci_loglog_lower"]
    assert lower[0] < 0.75
    assert lower[0] < lower[1]
    assert values["quantiles"][NOT_MONOTONE[1]]["loglog"]["lower"]["q25"] == 16


def test_every_reference_case_is_covered():
    assert len(golden("kaplan_meier")) == 14


def test_curve_worked_by_hand():
    # events at 1 and 3, censored at 2 and 4: 3/4 survive, then half of them
    curve = product_limit(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False]))
    assert curve.survival.tolist() == [0.75, 0.75, 0.375, 0.375]
    assert_close(curve.log_variance, [1 / 12, 1 / 12, 1 / 12 + 1 / 2, 1 / 12 + 1 / 2])


def test_a_row_is_not_at_risk_at_its_own_entry():
    # the second row enters at 5, when the first has the event: one of one is at risk
    stop, start = np.array([5.0, 9.0]), np.array([0.0, 5.0])
    curve = product_limit(stop, np.array([True, True]), start=start)
    assert curve.n_risk.tolist() == [1.0, 1.0]
    assert curve.survival.tolist() == [0.0, 0.0]


def test_events_come_before_censorings_at_a_tied_time():
    curve = product_limit(np.array([2.0, 2.0, 2.0]), np.array([True, False, False]))
    assert curve.n_risk.tolist() == [3.0]
    assert_close(curve.survival, [2 / 3])


def test_flat_piece_gives_its_middle_within_rounding():
    time = np.array([1.0, 3.0, 5.0, 7.0])
    assert curve_quantile(time, np.array([0.8, 0.5 - 5e-9, 0.5 - 5e-9, 0.1]), 0.5) == 5.0
    assert curve_quantile(time, np.array([0.8, 0.5 - 5e-7, 0.5 - 5e-7, 0.1]), 0.5) == 3.0
    assert np.isnan(curve_quantile(time, np.array([0.9, 0.8, 0.7, 0.6]), 0.5))
    assert curve_quantile(time, np.array([0.8, 0.5, np.nan, np.nan]), 0.5) == 5.0


rows = st.lists(
    st.tuples(st.integers(1, 30), st.booleans(), st.integers(1, 3)), min_size=1, max_size=25
)


def arrays(given_rows):
    time, event, weight = zip(*given_rows, strict=True)
    return np.array(time, float), np.array(event, bool), np.array(weight, float)


@given(rows, st.floats(0.01, 100.0), st.randoms())
def test_time_scale_and_row_order_change_nothing(given_rows, scale, random):
    stop, event, _ = arrays(given_rows)
    order = np.array(random.sample(range(len(stop)), len(stop)))
    one = product_limit(stop, event)
    two = product_limit(stop[order] * scale, event[order])
    np.testing.assert_allclose(two.time, one.time * scale)
    np.testing.assert_allclose(two.survival, one.survival, rtol=1e-12)
    np.testing.assert_allclose(two.log_variance, one.log_variance, rtol=1e-12)


@given(rows)
def test_whole_weights_are_replicated_rows(given_rows):
    stop, event, weight = arrays(given_rows)
    start = np.floor(stop / 2) - 0.5
    again = np.repeat(np.arange(len(stop)), weight.astype(int))
    one = product_limit(stop, event, start=start, weights=weight)
    two = product_limit(stop[again], event[again], start=start[again])
    for field in ("time", "n_risk", "n_event", "n_censor", "survival", "log_variance", "hazard"):
        np.testing.assert_allclose(getattr(one, field), getattr(two, field), rtol=1e-12)


@given(rows)
def test_survival_never_rises_and_stays_in_the_unit_interval(given_rows):
    stop, event, _ = arrays(given_rows)
    curve = product_limit(stop, event)
    assert np.all(np.diff(np.append(1.0, curve.survival)) <= 0.0)
    assert np.all((curve.survival >= 0.0) & (curve.survival <= 1.0))
    for scale in SCALES.values():
        low, high = transformed_limits(curve.survival, curve.log_variance, scale, 0.9)
        known = np.isfinite(low)
        assert np.all(
            (low <= curve.survival + 1e-12)[known] & (curve.survival <= high + 1e-12)[known]
        )


@given(rows, st.integers(2, 4))
def test_robust_variance_of_clusters_of_copies_is_that_of_one_copy(given_rows, copies):
    # each patient k times over, as a cluster: the estimate and its variance are those of one copy
    stop, event, _ = arrays(given_rows)
    again = np.tile(np.arange(len(stop)), copies)
    one = product_limit(stop, event, robust=True)
    two = product_limit(stop[again], event[again], robust=True, cluster=again)
    np.testing.assert_allclose(two.survival, one.survival, rtol=1e-12)
    np.testing.assert_allclose(two.log_variance, one.log_variance, rtol=1e-9, atol=1e-14)


def test_unweighted_robust_variance_is_greenwoods_without_censoring():
    stop = np.arange(1.0, 13.0)
    event = np.ones(12, bool)
    robust = product_limit(stop, event, robust=True).log_variance
    assert_close(robust, product_limit(stop, event).log_variance)
