"""Two arms without covariates: the Cox fit and the curves agree with the general kernels."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.kernels.arm_counts import arm_counts
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.risksets import prepare
from rnetstats.kernels.weighted_curves import survival_many


def drawn(cohorts: int = 3, n: int = 80, seed: int = 4):
    rng = np.random.default_rng(seed)
    stop = np.sort(rng.exponential(50.0, (cohorts, n)), axis=1)
    event = rng.random((cohorts, n)) < 0.5
    since = np.where(rng.random((cohorts, n)) < 0.5, 0.6 * rng.random((cohorts, n)) * stop, np.inf)
    return stop, event, since


def start_stop(stop, event, since):
    """Rows of one cohort, cut at the change of arm."""
    both = np.isfinite(since) & (since > 0.0)
    start = np.concatenate([np.zeros(stop.size), since[both]])
    end = np.concatenate([np.where(both, since, stop), stop[both]])
    seen = np.concatenate([event & ~both, event[both]])
    arm = np.concatenate([since == 0.0, np.ones(both.sum(), dtype=bool)])
    return start, end, seen, arm


@pytest.mark.parametrize("from_zero", [True, False])
def test_the_hazard_ratio_is_that_of_the_cox_kernel(from_zero: bool) -> None:
    stop, event, since = drawn()
    if from_zero:
        since = np.where(np.isfinite(since), 0.0, np.inf)
    found = arm_counts(stop, event, since).log_hazard_ratios()
    for k in range(len(stop)):
        start, end, seen, arm = start_stop(stop[k], event[k], since[k])
        sets = prepare(start, end, seen)
        fit = fit_cox(arm[:, None].astype(float), sets)
        assert found[k] == pytest.approx(fit.coef[0, 0], abs=1e-9)


def test_the_risks_are_those_of_the_curves() -> None:
    stop, event, since = drawn()
    counts = arm_counts(stop, event, since)
    risks = counts.risks(40.0)
    for k in range(len(stop)):
        start, end, seen, arm = start_stop(stop[k], event[k], since[k])
        for treated in (0, 1):
            own = arm == bool(treated)
            curve = survival_many(end[own], seen[own], np.ones(own.sum()), [40.0], start[own])
            assert risks[treated, k] == pytest.approx(1.0 - curve[0, 0], abs=1e-12)


def test_five_patients_by_hand() -> None:
    # B joins the treated arm at 2, D is treated from the start
    stop = np.array([[1.0, 3.0, 4.0, 5.0, 6.0]])
    event = np.array([[True, True, False, True, True]])
    since = np.array([[np.inf, 2.0, np.inf, 0.0, np.inf]])
    counts = arm_counts(stop, event, since)
    np.testing.assert_array_equal(counts.at_risk, [[4, 2, 1, 1], [1, 2, 1, 0]])
    np.testing.assert_array_equal(counts.n_events, [[2], [2]])
    # treated: 1/2 at 3 and 1/1 at 5; untreated: 1/4 at 1 and 1/1 at 6
    np.testing.assert_allclose(counts.risks(5.5)[:, 0], [0.25, 1.0])
    np.testing.assert_allclose(counts.risks(4.0)[:, 0], [0.25, 0.5])


def test_one_event_an_arm_and_events_of_an_arm_alone_by_hand() -> None:
    inf = np.inf
    stop = np.array([[1.0, 2, 3, 4], [1, 2, 3, 5], [1, 2, 3, 5]])
    event = np.array([[1, 1, 0, 0], [1, 1, 0, 1], [1, 1, 0, 1]], dtype=bool)
    since = np.array([[0, inf, 0, inf], [inf, inf, inf, 0], [0, 0, 0, inf]])
    counts = arm_counts(stop, event, since)
    np.testing.assert_array_equal(counts.n_events, [[1, 2, 1], [1, 1, 2]])
    # r / (1 + r) + r / (2 + r) = 1 at r^2 = 2; in the others the last event finds its arm alone
    found = counts.log_hazard_ratios()
    np.testing.assert_allclose(found, [0.5 * np.log(2.0), -inf, inf], rtol=1e-10)


def test_a_batch_is_its_cohorts() -> None:
    stop, event, since = drawn()
    whole = arm_counts(stop, event, since)
    for k in range(len(stop)):
        alone = arm_counts(stop[k : k + 1], event[k : k + 1], since[k : k + 1])
        assert alone.log_hazard_ratios()[0] == pytest.approx(whole.log_hazard_ratios()[k])
        np.testing.assert_allclose(alone.risks(30.0)[:, 0], whole.risks(30.0)[:, k])


def test_likelihoods_without_a_maximum() -> None:
    # every event in the treated arm comes while both are at risk, none in the other does
    stop = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]])
    since = np.array([[0.0, 0.0, np.inf, np.inf], [0.0, 0.0, 2.5, np.inf]])
    event = np.array([[True, True, False, True], [False, False, False, True]])
    assert arm_counts(stop, event, since).log_hazard_ratios()[0] == np.inf
    assert np.isnan(arm_counts(stop, event, since).log_hazard_ratios()[1])


def test_an_arm_without_events_has_an_infinite_ratio() -> None:
    stop = np.tile([1.0, 2.0, 3.0, 4.0], (2, 1))
    event = np.array([[True, False, True, False], [False, True, False, True]])
    since = np.tile([0.0, np.inf, 0.0, np.inf], (2, 1))
    assert arm_counts(stop, event, since).log_hazard_ratios().tolist() == [np.inf, -np.inf]
    with pytest.raises(ValueError, match="no event"):
        arm_counts(stop, event & (stop > 3.0), since)
