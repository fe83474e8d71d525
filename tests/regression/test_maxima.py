"""A handful of patients: several maxima of the penalised likelihood; the highest counts."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.kernels.conditioning import conditioned
from rnetstats.kernels.cox import cox_likelihood, fit_cox, prepare
from rnetstats.kernels.far_points import along_profiles, in_all_directions
from rnetstats.kernels.fine_gray_likelihood import FineGrayLikelihood
from rnetstats.kernels.leverage import (
    MUCH,
    hazards_leverage,
    informing_events,
    largest_leverage,
    may_have_several_maxima,
)
from rnetstats.kernels.logistic import LogisticFit, fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import FAILED, OK
from rnetstats.regression.maxima import Slope, highest

# Two markers and their product; tests and limits on branches far from the estimate's.
FIFTEEN_ROWS = {
    "a": [1, 2, 3, 3, 0, 1, 0, 0, 3, 1, 0, 1, 0, 2, 0],
    "b": [6.4, 0.1, 0.4, 1.4, 1.7, 2.2, 0.5, 1.3, 0.6, 0.7, 1.2, 46.9, 1.6, 3, 0.7],
}
FIFTEEN_COUNTED = pd.DataFrame(
    {
        "y": [0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0],
        **FIFTEEN_ROWS,
        "times": [2, 3, 2, 1, 1, 3, 3, 1, 2, 3, 1, 3, 1, 3, 3],
    }
)
FIFTEEN_TIMED = pd.DataFrame(
    {
        **FIFTEEN_ROWS,
        "time": [13, 9, 3, 11, 6, 5, 1, 2, 10, 8, 12, 15, 7, 14, 4],
        "event": [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0],
    }
)
# A marker of 20 patients by how often each stands; no single copy has much leverage.
TWENTY = pd.DataFrame(
    {
        "y": [1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0],
        "a": [5, 1, 2, 8, 52, 3, 3, 4, 0, 2, 6, 49, 0, 0, 1, 0, 4, 0, 0, 23],
        "times": [2, 1, 3, 2, 3, 3, 3, 2, 1, 2, 3, 3, 2, 1, 2, 2, 3, 1, 2, 1],
    }
)
# Four recurrences of eight patients, one of whom is far from all others.
FOUR_EVENTS = pd.DataFrame(
    {
        "a": [6.58, 1.04, 0.43, 0.26, 0.09, 26.94, 0.42, 0.31],
        "time": [2, 6, 1, 5, 3, 8, 7, 4],
        "event": [0, 1, 0, 1, 1, 1, 0, 0],
    }
)
# From zero, and from where maximum likelihood ends, Newton's method alone reaches no maximum.
SEVEN_EVENTS = pd.DataFrame(
    {
        "a": [0.34, 0.89, 1.62, 1.16, 0.18, 1.61, 1.02, 0.08],
        "b": [1, 1, 2, 0, 0, 0, 2, 0],
        "time": [3, 6, 8, 1, 4, 5, 7, 2],
        "event": [1, 1, 1, 1, 1, 1, 1, 0],
    }
)
# Seven recurrences in strata of four, of which the offsets leave two to inform.
STRATA_OF_FOUR = pd.DataFrame(
    {
        "a": [1.1, -0.8, 1.2, 0.6, 0.6, -0.7, -1.2, 0.8, 0.2, 1.0, 1.7, 0.7, -1.0, -0.5, 1.1, 1.4],
        "time": [16, 3, 5, 6, 14, 1, 11, 10, 12, 13, 8, 15, 2, 4, 7, 9],
        "event": [1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1],
        "known": [
            0.6,
            -1.2,
            -1.0,
            -2.7,
            0.3,
            0.6,
            -2.5,
            -0.1,
            1.9,
            1,
            -3.5,
            0.6,
            0.9,
            -0.2,
            -1.2,
            1.8,
        ],
        "stratum": np.repeat([0, 1, 2, 3], 4),
    }
)

HALF_CHI2_95 = 3.841458820694124 / 2

# One marker of 14 patients, of whom one without the outcome is far from all others.
ONE_FAR = pd.DataFrame(
    {
        "y": [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1],
        "a": [2.59, 0.07, 0.48, 0.52, 0.36, 5.11, 1.36, 0.88, 0.57, 0.23, 41.67, 11.67, 1.95, 0.4],
    }
)
SEVEN = pd.DataFrame(
    {
        "y": [0, 1, 1, 0, 0, 0, 0],
        "a": [0.277760, 2.784245, 0.444061, 0.689416, 0.946550, 1.023284, 0.291854],
        "b": [0.440683, 1.042633, 1.677193, 2.305595, 0.548895, 1.146351, 0.434212],
        "c": [0, 1, 0, 0, 0, 1, 0],
    }
)
EIGHT = pd.DataFrame(
    {
        "y": [1, 1, 0, 1, 0, 0, 0, 0],
        "a": [1.2784, 2.379, 1.0453, 0.2931, 1.505, 1.742, 1.9032, 4.7046],
        "b": [2, 0, 0, 1, -1, -4, 0, 0],
        "c": [1, 0, 0, 0, 0, 0, 0, 0],
    }
)
FIFTEEN = pd.DataFrame(
    {
        "y": [1, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0],
        "a": [1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1],
        "b": [
            0.33,
            1.23,
            1.48,
            0.54,
            1.13,
            0.48,
            0.33,
            0.9,
            0.38,
            5.66,
            1.92,
            3.3,
            1.42,
            4.4,
            0.53,
        ],
        "c": [1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1],
    }
)
# From the maximum-likelihood estimate, and from around the lower maximum, this is not found.
FROM_THE_SHARE = pd.DataFrame(
    {
        "y": [1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 1],
        "a": [
            2.11,
            0.08,
            9.91,
            0.43,
            1.63,
            0.07,
            1.94,
            0.37,
            0.55,
            0.09,
            1.81,
            0.03,
            0.03,
            6.33,
            1.47,
        ],
    }
)


def design(data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    X = np.column_stack([np.ones(len(data)), data.drop(columns="y").to_numpy(float)])
    return X, data["y"].to_numpy(float)


def fitted(data: pd.DataFrame) -> rn.LogisticResult:
    return rn.logistic(data, "y ~ " + " + ".join(data.columns[1:]))


def highest_by_force(
    data: pd.DataFrame, column: int | None = None, value: float = 0.0, size: int = 60
) -> float:
    """Return the highest penalised likelihood met from many starts, a coefficient held or not."""
    X, y = design(data)
    p, rng = X.shape[1], np.random.default_rng(1)
    spread = np.repeat([0.5, 2.0, 6.0, 15.0, 30.0], size // 5)[:, None] / X.std(axis=0).clip(0.3)
    start = rng.normal(size=(size, p)) * spread
    start[:, 0] -= start[:, 1:] @ X[:, 1:].mean(axis=0)
    free = np.ones(p, dtype=bool)
    if column is not None:
        start[:, column], free[column] = value, False
    known = LogisticLikelihood(X, y, firth=True)(start, np.arange(size))
    usable = np.isfinite(known[0]) & np.isfinite(known[2]).all(axis=(1, 2))
    with np.errstate(invalid="ignore"):  # of fits that fail
        fits = fit_logistic(X, y, firth=True, start=start[usable], free=free)
    return float(fits.log_likelihood_penalized[fits.status == OK].max())


def test_the_estimate_is_the_highest_maximum() -> None:
    X, y = design(ONE_FAR)
    plain = fit_logistic(X, y)
    first = fit_logistic(X, y, firth=True, start=plain.coef[0] if plain.status[0] == OK else None)
    found = fitted(ONE_FAR)
    top = float(found.glance()["log_likelihood_penalized"].iloc[0])
    assert top > first.log_likelihood_penalized[0] + 1.0  # where the ascent alone ends
    assert top == pytest.approx(highest_by_force(ONE_FAR), abs=1e-9)
    score = LogisticLikelihood(X, y, firth=True)(found.coef.to_numpy()[None], np.zeros(1, int))[1]
    assert np.abs(score).max() < 1e-7


def test_the_share_of_events_and_maximum_likelihood_are_starts_too() -> None:
    found = fitted(FROM_THE_SHARE)
    top = float(found.glance()["log_likelihood_penalized"].iloc[0])
    assert top == pytest.approx(highest_by_force(FROM_THE_SHARE), abs=1e-9)
    X, y = design(FROM_THE_SHARE)
    plain = fit_logistic(X, y)
    lower = fit_logistic(X, y, firth=True, start=plain.coef[0])
    assert lower.status[0] == plain.status[0] == OK
    assert top > lower.log_likelihood_penalized[0] + 0.05
    assert (found.to_frame()["statistic"] > 0.0).all()
    assert any("several maxima" in note for note in found.notes)
    alike = rn.logistic(FROM_THE_SHARE.assign(a=np.arange(15) % 3), "y ~ a")
    assert not any("several maxima" in note for note in alike.notes)


@pytest.mark.parametrize(
    ("data", "column"), [(SEVEN, 1), (EIGHT, 0), (EIGHT, 1)], ids=["walked", "joint", "joint too"]
)
def test_a_limit_is_where_the_highest_branch_of_the_profile_crosses(
    data: pd.DataFrame, column: int
) -> None:
    found = fitted(data)
    target = float(found.glance()["log_likelihood_penalized"].iloc[0]) - HALF_CHI2_95
    row = found.to_frame().iloc[column]
    for limit in (row["conf_low"], row["conf_high"]):
        assert highest_by_force(data, column, np.log(limit)) == pytest.approx(target, abs=1e-7)


def test_a_test_falls_from_the_highest_maximum_to_the_highest_of_the_restricted() -> None:
    found = fitted(FIFTEEN)
    top = float(found.glance()["log_likelihood_penalized"].iloc[0])
    assert top == pytest.approx(highest_by_force(FIFTEEN), abs=1e-9)
    for column, statistic in enumerate(found.to_frame()["statistic"]):
        held = highest_by_force(FIFTEEN, column)
        assert statistic == pytest.approx(2.0 * (top - held), abs=1e-8)


def hat_diagonal(X: np.ndarray, predictor: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    p = 1.0 / (1.0 + np.exp(-predictor))
    return p * (1.0 - p) * np.diag(X @ covariance @ X.T)


def test_the_leverage_is_the_largest_element_of_the_hat_matrix() -> None:
    for data in (SEVEN, FIFTEEN):
        X, y = design(data)
        fit = fit_logistic(X, y, firth=True)
        predictor = X @ fit.coef[0]
        expected = hat_diagonal(X, predictor, fit.covariance[0]).max()
        found = largest_leverage(X, y, predictor, fit.covariance[0])
        assert found == pytest.approx(expected)
        offset = np.linspace(-1.0, 1.0, len(y))
        moved = LogisticLikelihood(X, y, firth=True, offset=offset)
        assert may_have_several_maxima(moved, fit.coef[0], fit.information[0])
        plain = LogisticLikelihood(X, y)
        assert not may_have_several_maxima(plain, fit.coef[0], fit.information[0])


def test_rows_that_are_alike_share_a_leverage_where_they_have_one_outcome() -> None:
    X, y = design(SEVEN)
    times = np.array([3, 1, 2, 1, 1, 2, 1])
    fit = fit_logistic(X, y, firth=True, freq=times)
    predictor, covariance = X @ fit.coef[0], fit.covariance[0]
    counted = largest_leverage(X, y, predictor, covariance, times.astype(float))
    each = np.repeat(np.arange(7), times)
    written = largest_leverage(X[each], y[each], predictor[each], covariance)
    assert counted == pytest.approx(written, rel=1e-12)
    hat = times * hat_diagonal(X, predictor, covariance)
    assert counted == pytest.approx(hat.max(), rel=1e-12)


@pytest.mark.parametrize(("y", "leverage"), [([0, 0, 0, 1], 0.75), ([0, 1, 0, 1], 0.25)])
def test_rows_that_are_alike_and_have_both_outcomes_count_one_by_one(
    y: list[float], leverage: float
) -> None:
    X = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 0.0]])
    covariance = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert largest_leverage(X, np.array(y), np.zeros(4), covariance) == leverage


def test_a_row_alike_one_with_the_other_outcome_has_its_own_leverage() -> None:
    X = np.array([[3.0], [3.0], [1.0]])
    assert largest_leverage(X, np.array([0.0, 1.0, 1.0]), np.zeros(3), np.eye(1)) == 9.0 / 4.0


def test_rows_with_the_same_sum_are_not_alike() -> None:
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert largest_leverage(X, np.array([0.0, 0.0, 1.0]), np.zeros(3), np.eye(2)) == 1.0 / 4.0
    assert largest_leverage(X, np.zeros(3), np.zeros(3), np.eye(2)) == 2.0 / 4.0


def test_a_factor_of_many_patients_has_much_leverage_only_where_all_had_one_outcome() -> None:
    X = np.column_stack([np.ones(80), np.repeat([0.0, 1.0], 40)])
    y = np.tile([0.0, 1.0, 0.0, 0.0], 20)
    for outcome, much in ((y, False), (np.where(X[:, 1] == 1.0, 0.0, y), True)):
        fit = fit_logistic(X, outcome, firth=True)
        found = largest_leverage(X, outcome, X @ fit.coef[0], fit.covariance[0])
        assert (found > MUCH) is much
        likelihood = LogisticLikelihood(X, outcome, firth=True)
        assert may_have_several_maxima(likelihood, fit.coef[0], fit.information[0]) is much


def test_where_no_row_has_leverage_nothing_is_fitted_again() -> None:
    X = np.column_stack([np.ones(60), np.tile([0.0, 1.0, 2.0], 20)])
    y = (np.arange(60) % 7 < 3).astype(float)
    fit = fit_logistic(X, y, firth=True)
    leverage = largest_leverage(X, y, X @ fit.coef[0], fit.covariance[0])
    assert leverage < MUCH
    likelihood = LogisticLikelihood(X, y, firth=True)
    assert not may_have_several_maxima(likelihood, fit.coef[0], fit.information[0])

    def never(_: np.ndarray) -> None:
        raise AssertionError

    found = highest(Slope(X, never, never, lambda _: leverage, [np.zeros(2)]), fit)
    assert found.fit is fit
    assert found.leverage == leverage
    assert not found.several
    assert not found.notes


def test_points_along_profiles_are_five_errors_away() -> None:
    covariance = np.array([[4.0, 1.0], [1.0, 1.0]])
    points = along_profiles(np.array([1.0, 2.0]), covariance)
    np.testing.assert_allclose(points, [[11.0, 4.5], [6.0, 7.0], [-9.0, -0.5], [-4.0, -3.0]])


def test_points_in_all_directions_lie_on_two_ellipsoids() -> None:
    scale = np.array([1e-3, 1.0, 1e4])
    covariance = (0.2 + 0.8 * np.eye(3)) * scale[:, None] * scale
    centre = np.array([1.0, -2.0, 3.0])
    points = in_all_directions(centre, covariance, 40)
    away = points - centre
    distance = np.sqrt(np.vecdot(away @ np.linalg.inv(covariance), away))
    np.testing.assert_allclose(distance, np.sqrt(3.0) * np.tile([3.0, 6.0], 20))
    np.testing.assert_array_equal(in_all_directions(centre, covariance, 7), points[:7])
    assert in_all_directions(centre, covariance, 0).shape == (0, 3)


def test_points_about_an_estimate_with_a_direction_unknown_lie_in_the_others() -> None:
    covariance = np.array([[1.0, 2.0, 0.3], [2.0, 4.0, 0.6], [0.3, 0.6, 0.09]])
    points = in_all_directions(np.zeros(3), covariance, 12)
    np.testing.assert_allclose(points[:, 1:], points[:, :1] * [2.0, 0.3], atol=1e-6)


def test_in_a_cox_model_few_events_for_each_coefficient_are_looked_at() -> None:
    rng = np.random.default_rng(2)
    X, time = rng.normal(size=(40, 2)), np.arange(1.0, 41.0)
    for events, several in ((5, True), (6, False)):
        sets = prepare(None, time, (np.arange(40) < events).astype(float))
        likelihood = cox_likelihood(X, sets, firth=True)
        assert may_have_several_maxima(likelihood, np.zeros(2), np.eye(2)) is several
        plain = cox_likelihood(X, sets)
        assert not may_have_several_maxima(plain, np.zeros(2), np.eye(2))


def test_in_a_cox_model_a_patient_far_from_all_others_has_leverage() -> None:
    x = np.append(np.linspace(-1.0, 1.0, 39), 8.0)[:, None]
    expected = (
        np.diag(
            np.column_stack([np.ones(40), x]) @ np.linalg.pinv(np.column_stack([np.ones(40), x]))
        ).max()
        - 1.0 / 40.0
    )
    event = (np.arange(40) % 4 > 0).astype(float)
    assert hazards_leverage(x, event, 30.0) == pytest.approx(expected)
    assert hazards_leverage(x, event, 1.2) == pytest.approx(1.0 / 1.2)
    times = np.append(np.full(39, 2.0), 3.0)
    each = np.repeat(np.arange(40), times.astype(int))
    counted = hazards_leverage(x, event, 61.0, times)
    assert counted == pytest.approx(hazards_leverage(x[each], event[each], 61.0))
    mixed = event[each].copy()
    mixed[-1] = 1.0 - mixed[-1]  # patients who are alike, but not in their outcome
    assert hazards_leverage(x[each], mixed, 61.0) == pytest.approx(counted / 3.0)
    sets = prepare(None, np.arange(1.0, 41.0), event)
    likelihood = cox_likelihood(x, sets, firth=True)
    assert may_have_several_maxima(likelihood, np.zeros(1), np.eye(1))


def test_leverage_in_a_model_of_hazards_does_not_hang_on_units() -> None:
    rng = np.random.default_rng(5)
    X, event = rng.normal(size=(50, 3)), (np.arange(50) % 2).astype(float)
    X[7, 0] = 9.0  # far away in the column of the smallest unit
    expected = hazards_leverage(X, event, 25.0)
    assert expected > 0.5
    assert hazards_leverage(X * [1e-6, 1.0, 1e6], event, 25.0) == pytest.approx(expected)


def test_rows_of_weight_0_say_nothing_of_who_is_alike() -> None:
    X, y = design(SEVEN)
    fit = fit_logistic(X, y, firth=True)
    times = np.array([3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    rows, outcome = np.vstack([X, X[:1]]), np.append(y, 1.0 - y[0])
    covariance = fit.covariance[0]
    found = largest_leverage(rows, outcome, rows @ fit.coef[0], covariance, times)
    assert found == largest_leverage(X, y, X @ fit.coef[0], covariance, times[:7])
    single = largest_leverage(X, y, X @ fit.coef[0], covariance)
    assert found > single


def test_counted_rows_have_the_maximum_of_rows_written_out() -> None:
    counted = rn.logistic(TWENTY, "y ~ a", freq_weights="times")
    each = TWENTY.loc[TWENTY.index.repeat(TWENTY["times"]), ["y", "a"]]
    top = highest_by_force(each)
    X, y = design(each)
    share = np.array([np.log(y.mean() / (1.0 - y.mean())), 0.0])
    first = fit_logistic(X, y, firth=True, start=share)
    assert top > first.log_likelihood_penalized[0] + 0.5
    for found in (counted, rn.logistic(each, "y ~ a")):
        value = float(found.glance()["log_likelihood_penalized"].iloc[0])
        assert value == pytest.approx(top, abs=1e-9)
        assert any("several maxima" in note for note in found.notes)


def hazards_by_force(data: pd.DataFrame) -> float:
    """Return the highest penalised log partial likelihood of one coefficient on a fine grid."""
    sets = prepare(None, data["time"].to_numpy(float), data["event"].to_numpy(float))
    X = data[["a"]].to_numpy(float)
    grid = np.linspace(-12.0, 12.0, 24_001)[:, None] / X.std()
    return float(np.nanmax(cox_likelihood(X, sets, firth=True)(grid, np.zeros(24_001, int))[0]))


def test_hazards_too_are_at_the_highest_maximum() -> None:
    top = hazards_by_force(FOUR_EVENTS)
    sets = prepare(None, FOUR_EVENTS["time"], FOUR_EVENTS["event"])
    X = FOUR_EVENTS[["a"]].to_numpy()
    lower = fit_cox(X, sets, firth=True, start=fit_cox(X, sets).coef[0])
    assert lower.status[0] == OK
    assert top > lower.log_likelihood_penalized[0] + 1.0
    cox = rn.cox(FOUR_EVENTS, "Surv(time, event) ~ a", ties="breslow")
    fine_gray = rn.fine_gray(FOUR_EVENTS, "Surv(time, event) ~ a", cause=1, penalty="firth")
    for found in (cox, fine_gray):
        value = float(found.glance()["log_likelihood_penalized"].iloc[0])
        assert value == pytest.approx(top, abs=1e-5)
        assert any("several maxima" in note for note in found.notes)
    assert fine_gray.coef.iloc[0] == pytest.approx(cox.coef.iloc[0], rel=1e-8)


def test_hazards_in_small_strata_with_an_offset_are_at_the_highest_maximum() -> None:
    data = STRATA_OF_FOUR
    sets = prepare(None, data["time"], data["event"], data["stratum"])
    X, offset = data[["a"]].to_numpy(), data["known"].to_numpy()
    grid = np.linspace(-24.0, 24.0, 24_001)[:, None]
    likelihood = cox_likelihood(X, sets, offset=offset, firth=True)
    top = float(np.nanmax(likelihood(grid, np.zeros(24_001, int))[0]))
    found = rn.cox(data, "Surv(time, event) ~ a + strata(stratum) + offset(known)")
    assert found.glance()["log_likelihood_penalized"].iloc[0] == pytest.approx(top, abs=1e-6)
    assert any("several maxima" in note for note in found.notes)


def test_events_inform_by_their_share_of_the_information() -> None:
    x, time = np.arange(20.0)[:, None] % 3 > 1, np.tile([1.0, 2.0], 10)
    event, pairs = time == 1.0, np.repeat(np.arange(10), 2)
    discordant = int((x[::2] != x[1::2]).sum())
    assert 0 < discordant < 10
    matched = cox_likelihood(x.astype(float), prepare(None, time, event, pairs))
    assert informing_events(matched) == pytest.approx(discordant, rel=1e-12)
    twice = cox_likelihood(x.astype(float), prepare(None, time, event, pairs), freq=np.full(20, 2))
    assert informing_events(twice) == pytest.approx(2 * discordant, rel=1e-12)
    alone = prepare(np.arange(20.0), np.arange(1.0, 21.0), np.ones(20))
    assert informing_events(cox_likelihood(x.astype(float), alone)) == 1.0
    together = cox_likelihood(x.astype(float), prepare(None, np.arange(1.0, 21.0), event))
    assert informing_events(together) == 10.0
    one = cox_likelihood(
        np.array([[0.0], [1.0], [0.0], [1.0]]),
        prepare(
            None, np.array([1.0, 2.0, 1.0, 2.0]), np.array([1, 0, 1, 0]), np.array([0, 0, 1, 1])
        ),
        case=np.array([3.0, 3.0, 1.0, 1.0]),
    )
    assert informing_events(one) == pytest.approx(16.0 / 10.0, rel=1e-12)  # shares of 3 to 1


def test_a_flat_way_to_a_maximum_is_gone_to_its_end() -> None:
    found = rn.cox(SEVEN_EVENTS, "Surv(time, event) ~ a * b")
    sets = prepare(None, SEVEN_EVENTS["time"], SEVEN_EVENTS["event"])
    a, b = SEVEN_EVENTS["a"].to_numpy(), SEVEN_EVENTS["b"].to_numpy()
    likelihood = cox_likelihood(np.column_stack([a, b, a * b]), sets, firth=True)
    value, score, _ = likelihood(found.coef.to_numpy()[None], np.zeros(1, int))
    assert np.abs(score).max() < 1e-7
    around = found.coef.to_numpy() + np.random.default_rng(3).normal(size=(200, 3))
    assert (likelihood(around, np.zeros(200, int))[0] < value).all()


def test_tests_and_limits_are_on_the_highest_branch_in_every_direction() -> None:
    found = rn.logistic(FIFTEEN_COUNTED, "y ~ a * b", freq_weights="times")
    each = FIFTEEN_COUNTED.loc[FIFTEEN_COUNTED.index.repeat(FIFTEEN_COUNTED["times"])]
    written = each[["y", "a", "b"]].assign(ab=each["a"] * each["b"])
    top = float(found.glance()["log_likelihood_penalized"].iloc[0])
    assert top == pytest.approx(highest_by_force(written, size=200), abs=1e-8)
    table = found.to_frame()
    for column in (0, 2):
        held = highest_by_force(written, column, size=200)
        assert table["statistic"][column] == pytest.approx(2.0 * (top - held), abs=1e-6)
    for column, side in ((0, "conf_high"), (2, "conf_low")):
        at = np.log(table[side][column])
        there = highest_by_force(written, column, at, size=200)
        assert there == pytest.approx(top - HALF_CHI2_95, abs=1e-6)


def test_hazards_have_tests_on_the_highest_branch_too() -> None:
    found = rn.cox(FIFTEEN_TIMED, "Surv(time, event) ~ a * b")
    top = float(found.glance()["log_likelihood_penalized"].iloc[0])
    X = FIFTEEN_TIMED[["a", "b"]].assign(ab=FIFTEEN_TIMED["a"] * FIFTEEN_TIMED["b"]).to_numpy(float)
    sets = prepare(None, FIFTEEN_TIMED["time"], FIFTEEN_TIMED["event"])
    start = np.random.default_rng(1).normal(size=(200, 3)) * np.repeat([1, 4, 10, 30], 50)[:, None]
    start /= X.std(axis=0)
    start[:, 1] = 0.0
    fits = fit_cox(X, sets, firth=True, start=start, free=np.array([True, False, True]))
    assert fits.log_likelihood_penalized is not None
    held = fits.log_likelihood_penalized[fits.status == OK].max()
    assert found.to_frame()["statistic"][1] == pytest.approx(2.0 * (top - held), abs=1e-8)


# Cox's penalised likelihood of these patients, the third four times, has two maxima.
ALIKE = pd.DataFrame(
    {
        "a": [0.12, 1.28, 2.0, 0.65, 54.18, 0.07],
        "time": [6, 4, 5, 2, 1, 3],
        "event": [1, 1, 1, 0, 1, 0],
        "times": [2, 2, 1, 3, 4, 3],
    }
)


@pytest.mark.parametrize("verb", ["cox", "fine_gray"])
def test_counted_rows_have_the_hazards_of_rows_written_out(verb: str) -> None:
    formula, each = "Surv(time, event) ~ a", ALIKE.loc[ALIKE.index.repeat(ALIKE["times"])]

    def fit(data: pd.DataFrame, **options: str) -> pd.Series:
        if verb == "cox":
            return rn.cox(data, formula, penalty="firth", ties="breslow", **options).coef
        return rn.fine_gray(data, formula, cause=1, penalty="firth", **options).coef

    written = fit(each)
    assert written.iloc[0] == pytest.approx(fit(ALIKE, freq_weights="times").iloc[0], rel=1e-6)
    X = each[["a"]].to_numpy(float)
    sets = prepare(None, each["time"], each["event"])
    likelihood = cox_likelihood(X, sets, firth=True, ties="breslow")
    value = float(likelihood(written.to_numpy()[None], np.zeros(1, int))[0][0])
    grid = np.linspace(-12.0, 12.0, 24_001)[:, None] / X.std()
    assert value > float(np.nanmax(likelihood(grid, np.zeros(24_001, int))[0])) - 1e-8


def test_the_leverage_is_that_of_weighted_scaled_columns_with_an_offset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = design(FIFTEEN)
    X = X * [1.0, 30.0, 0.01, 5.0]
    offset, weights = np.linspace(-1.0, 2.0, 15), np.linspace(0.5, 2.5, 15)
    likelihood = LogisticLikelihood(X, y, firth=True, offset=offset, weights=weights)
    fit = fit_logistic(X, y, firth=True)
    hat = hat_diagonal(X, X @ fit.coef[0] + offset, fit.covariance[0])
    expected = float((weights * hat).max())
    for share, several in ((1.0 - 1e-9, True), (1.0 + 1e-9, False)):
        monkeypatch.setattr("rnetstats.kernels.leverage._MORE", expected * share)
        assert may_have_several_maxima(likelihood, fit.coef[0], fit.information[0]) is several
        known = may_have_several_maxima(likelihood, fit.coef[0], fit.information[0], expected)
        assert known is several


def test_in_a_fine_gray_model_few_events_for_each_coefficient_are_looked_at() -> None:
    X, time = np.random.default_rng(2).normal(size=(40, 2)), np.arange(1.0, 41.0)
    for events, several in ((5, True), (6, False)):
        likelihood = FineGrayLikelihood(X, time, np.where(np.arange(40) < events, 1, 2), firth=True)
        assert may_have_several_maxima(likelihood, np.zeros(2), np.eye(2)) is several


def test_a_way_up_that_fails_leaves_the_fit_as_it_is() -> None:
    """Other maxima are found in turned columns too, and handed on for the columns as given."""
    X, y = design(ONE_FAR)
    share = np.array([np.log(y.mean() / (1.0 - y.mean())), 0.0])
    lower = fit_logistic(X, y, firth=True, start=share)
    X[:, 1] += 1e6
    lower = dataclasses.replace(lower, coef=lower.coef - [1e6, 0.0] * lower.coef[:, [1]])
    assert conditioned(X) is not None
    likelihood = LogisticLikelihood(X, y, firth=True)
    begun: list[float] = []

    def fails(start: np.ndarray) -> LogisticFit:
        begun.append(float(likelihood(start[None], np.zeros(1, int))[0][0]))
        return dataclasses.replace(lower, status=np.array([FAILED]))

    of_columns = partial(LogisticLikelihood, y=y, firth=True)
    ways = Slope(X, of_columns, fails, lambda _: 1.0, [share])
    found = highest(ways, lower)
    assert found.fit is lower
    assert found.several
    assert max(begun) > lower.log_likelihood_penalized[0] + 1.0


@pytest.mark.parametrize(("levels", "least", "most"), [(33, 4, 20), (8, 112, 114)])
def test_with_many_coefficients_it_is_looked_from_fewer_places(
    levels: int, least: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A factor of 33 levels in 90 rows, as by mistake, took minutes from 460 places."""
    z = np.minimum(np.arange(90), levels - 1) if levels == 8 else np.arange(90) % levels
    data = pd.DataFrame({"y": np.random.default_rng(5).integers(0, 2, 90), "z": z})
    places: list[int] = []

    def counted(evaluate: object, start: np.ndarray, **options: object) -> None:
        places.append(len(start))

    monkeypatch.setattr("rnetstats.regression.maxima.ascents", counted)
    rn.logistic(data, "y ~ C(z)", ci="wald")
    assert least <= places[0] <= most


def test_tests_of_many_coefficients_are_fitted_from_fewer_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sixteen coefficients, a test of each: 128 fits, where ten have 400."""
    patients = np.arange(90)
    data = pd.DataFrame({"y": np.random.default_rng(5).integers(0, 2, 90), "z": patients % 15})
    data["a"] = patients == 7
    fits: list[int] = []

    def counted(evaluate: object, start: np.ndarray, **options: object) -> None:
        fits.append(len(start))

    monkeypatch.setattr("rnetstats.kernels.restricted.ascents", counted)
    rn.logistic(data, "y ~ C(z) + a")
    assert fits
    assert 16 < max(fits) <= 128
