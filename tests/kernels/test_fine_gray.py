from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competing_cases import random_rows
from rnetstats.kernels.cox import fit_cox, prepare
from rnetstats.kernels.fine_gray import fit_fine_gray, staying
from rnetstats.kernels.fine_gray_influence import fitted_fine_gray, row_scores
from rnetstats.kernels.fine_gray_likelihood import CENSORING, FineGrayLikelihood
from rnetstats.kernels.newton import OK
from support import assert_close


def arrays(seed, n=40, causes=2):
    data = random_rows(seed, n, causes=causes)
    return data[["x", "s"]].to_numpy(float), data["t"].to_numpy(), data["code"].to_numpy()


def expanded(X, stop, code):
    """Rows in pieces between event times, a weight each: the definition, written out."""
    times = np.unique(stop[code == 1])
    free, curve = 1.0, {}
    for t in np.unique(stop):  # censorings at t leave after the events at t
        curve[t] = free
        left = (stop > t).sum() + ((stop == t) & (code == 0)).sum()
        gone = ((stop == t) & (code == 0)).sum()
        free *= 1.0 - gone / left if left else 1.0
    rows = []
    for x, end, c in zip(X, stop, code, strict=True):
        before = 0.0
        for t in times:
            if t > end and c < 2:
                break
            weight = 1.0 if t <= end else curve[t] / curve[end]
            rows.append((*x, before, t, t == end and c == 1, weight))
            before = t
    return np.array(rows)


@pytest.mark.slow
@given(st.integers(0, 10_000), st.booleans())
def test_the_fit_is_the_weighted_cox_fit_of_rows_written_out(seed, firth):
    X, stop, code = arrays(seed)
    if (code == 1).sum() < 5:
        return
    rows = expanded(X, stop, code)
    sets = prepare(rows[:, 2], rows[:, 3], rows[:, 4])
    want = fit_cox(rows[:, :2], sets, case=rows[:, 5], ties="breslow", firth=firth)
    if want.status[0] != OK:
        return
    found = fit_fine_gray(X, stop, code, firth=firth)
    assert_close(found.coef, want.coef, rel=1e-7, floor=1e-8)
    assert_close(found.log_likelihood, want.log_likelihood)
    assert_close(found.information, want.information, rel=1e-6, floor=1e-8)
    if firth:
        assert_close(found.log_likelihood_penalized, want.log_likelihood_penalized)


@pytest.mark.slow
@pytest.mark.parametrize("firth", [False, True])
@given(st.integers(0, 10_000))
def test_without_competing_events_it_is_breslows_cox_fit(firth, seed):
    X, stop, code = arrays(seed, causes=1)
    if code.sum() < 5:
        return
    want = fit_cox(X, prepare(None, stop, code), ties="breslow", firth=firth)
    if want.status[0] != OK:
        return
    for censoring in CENSORING:
        found = fit_fine_gray(X, stop, code, firth=firth, censoring=censoring)
        assert_close(found.coef, want.coef, rel=1e-7, floor=1e-8)
        assert_close(found.log_likelihood, want.log_likelihood)


@pytest.mark.parametrize("censoring", CENSORING)
@pytest.mark.parametrize("firth", [False, True])
def test_a_batch_of_weights_is_one_fit_of_replicated_rows_each(censoring, firth):
    X, stop, code = arrays(4, 60)
    freq = np.random.default_rng(2).integers(0, 4, (7, 60))
    options = {"firth": firth, "censoring": censoring}
    batch = fit_fine_gray(X, stop, code, freq=freq, **options)
    for k, counts in enumerate(freq):
        again = np.repeat(np.arange(60), counts)
        one = fit_fine_gray(X[again], stop[again], code[again], **options)
        assert_close(batch.coef[k], one.coef[0], rel=1e-8, floor=1e-9)
        assert_close(batch.information[k], one.information[0], rel=1e-7)
        assert_close(batch.log_likelihood_null[k], one.log_likelihood_null[0])
        if firth:
            assert_close(
                batch.log_likelihood_penalized[k], one.log_likelihood_penalized[0], rel=1e-9
            )


@pytest.mark.parametrize("firth", [False, True])
def test_the_score_is_the_derivative_and_the_information_its_own(firth):
    X, stop, code = arrays(9)
    likelihood = FineGrayLikelihood(X, stop, code, firth=firth, offset=X[:, 0] * 0.3)
    beta, index, step = np.array([[0.3, -0.4]]), np.zeros(1, dtype=int), 1e-5
    _, score, information = likelihood(beta, index)
    slopes, bends = [], []
    for e in np.eye(2):
        high, low = likelihood(beta + step * e, index), likelihood(beta - step * e, index)
        slopes.append((high[0] - low[0])[0] / (2 * step))
        bends.append(-(high[1] - low[1])[0] / (2 * step))
    assert_close(score[0], slopes, rel=1e-6, floor=1e-7)
    if not firth:
        assert_close(information[0], bends, rel=1e-6, floor=1e-6)


@given(st.integers(0, 10_000))
def test_row_scores_are_the_derivative_of_the_estimate_by_a_weight(seed):
    X, stop, code = arrays(seed, 30)
    if (code == 1).sum() < 6:
        return
    weights = np.random.default_rng(seed).integers(1, 4, 30).astype(float)
    fit = fit_fine_gray(X, stop, code, freq=weights)
    if fit.status[0] != OK or np.abs(fit.coef).max() > 5.0:
        return
    likelihood = FineGrayLikelihood(X, stop, code, freq=weights)
    scores = row_scores(fitted_fine_gray(likelihood, fit.coef[0]))
    step = 1e-4
    moved = np.vstack((weights + step * np.eye(30), weights - step * np.eye(30)))
    coef = fit_fine_gray(X, stop, code, freq=moved).coef
    slopes = (coef[:30] - coef[30:]) / (2 * step)
    assert_close(scores @ fit.covariance[0], slopes, rel=1e-5, floor=1e-6)
    assert_close(weights @ scores, np.zeros(2), floor=1e-8)


def test_rows_that_stay_are_compared_with_every_later_event():
    sets = staying(np.array([1.0, 2.0, 3.0]), np.array([2, 1, 1]))
    assert sets.risk_sums(np.ones(3)).tolist() == [2.0, 3.0]
    with pytest.raises(ValueError, match="no event of interest"):
        FineGrayLikelihood(np.ones((2, 1)), np.array([1.0, 2.0]), np.array([0, 2]))


def test_an_offset_is_a_coefficient_that_is_known():
    X, stop, code = arrays(5)
    likelihood = FineGrayLikelihood(X, stop, code)
    held = FineGrayLikelihood(X, stop, code, offset=0.5 * X[:, 0])
    index = np.zeros(1, dtype=int)
    given, wanted = held([[0.2, -0.3]], index), likelihood([[0.7, -0.3]], index)
    for one, other in zip(given, wanted, strict=True):
        assert_close(one, other)
    fit = fit_fine_gray(X, stop, code, offset=0.5 * X[:, 0])
    assert_close(fit.coef, fit_fine_gray(X, stop, code).coef - [[0.5, 0.0]], rel=1e-7)


def test_the_penalty_is_that_of_the_columns_as_given():
    X, stop, code = arrays(6)
    X = X * [3.0, 0.1]
    beta, index = np.array([[0.1, -0.4]]), np.zeros(1, dtype=int)
    value, _, information = FineGrayLikelihood(X, stop, code)(beta, index)
    penalised = FineGrayLikelihood(X, stop, code, firth=True)(beta, index)[0]
    assert_close(penalised, value + 0.5 * np.linalg.slogdet(information)[1])
