"""Logistic fits: values from R, weights and designs that must agree, lost and separated data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import gammaln

from logistic_designs import logistic_case, small_data
from rnetstats.kernels.blocks import pieces
from rnetstats.kernels.leverage import hat_values
from rnetstats.kernels.logistic import fit_logistic, row_scores
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.logistic_start import RoughLikelihood, near_maximum
from rnetstats.kernels.newton import DIVERGED, LOST_TERM, OK
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.kernels.sandwich import sandwich
from support import assert_close, case, case_ids

ML = [name for name in case_ids("logistic_ml") if name != "rnet_a_robust"]
# A natural spline's coefficients belong to its basis; likelihood and fitted values do not.
SAME_BASIS = [name for name in ML if name != "birthwt_ns"]


@pytest.mark.parametrize("name", SAME_BASIS)
def test_maximum_likelihood_agrees_with_glm(name: str) -> None:
    X, y, freq, values = logistic_case(case("logistic_ml", name))
    fit = fit_logistic(X, y, freq=freq)
    assert fit.status[0] == OK
    assert_close(fit.coef[0], values["coef"])
    assert_close(fit.covariance[0], values["vcov"])
    se = np.sqrt(np.diag(fit.covariance[0]))
    assert_close(se, values["se"])
    assert_close(fit.coef[0] / se, values["z"])
    assert_close(fit.coef[0] - 1.959963984540054 * se, values["wald_ci_lower"])
    assert_close(fit.coef[0] + 1.959963984540054 * se, values["wald_ci_upper"])


@pytest.mark.parametrize("name", ML)
def test_likelihood_and_fitted_values_agree_with_glm(name: str) -> None:
    X, y, freq, values = logistic_case(case("logistic_ml", name))
    fit = fit_logistic(X, y, freq=freq)
    constant = 0.0
    if name == "menarche_grouped":  # R's grouped likelihood holds the binomial coefficients
        events, others = np.split(freq, 2)
        total = events + others
        constant = (gammaln(total + 1) - gammaln(events + 1) - gammaln(others + 1)).sum()
    assert_close(fit.log_likelihood[0] + constant, values["loglik"])
    assert fit.log_likelihood_penalized[0] == fit.log_likelihood[0]
    null = fit_logistic(X[:, :1], y, freq=freq)
    difference = 2 * (fit.log_likelihood[0] - null.log_likelihood[0])
    assert_close(difference, values["lr_overall_chi2"], floor=1e-9)
    fitted = 1 / (1 + np.exp(-X @ fit.coef[0]))
    assert_close(fitted[:10], values["fitted_first10"])
    if "fitted_all" in values:
        assert_close(fitted, values["fitted_all"])


@pytest.mark.parametrize("name", case_ids("logistic_firth"))
def test_firth_agrees_with_logistf_and_brglm2(name: str) -> None:
    X, y, freq, values = logistic_case(case("logistic_firth", name))
    fit = fit_logistic(X, y, freq=freq, firth=True)
    assert fit.status[0] == OK
    assert_close(fit.coef[0], values["coef"])
    assert_close(fit.covariance[0], values["vcov_fisher"])
    assert_close(fit.log_likelihood_penalized[0], values["loglik_penalised_full"])
    assert_close(fit.log_likelihood[0], values["loglik_unpenalised_at_estimate"])
    fitted = 1 / (1 + np.exp(-X @ fit.coef[0]))
    assert_close(fitted[:10], values["fitted_first10"])
    hat = hat_values(X, X @ fit.coef[0], fit.covariance[0])
    weighted = hat if freq is None else hat * freq
    assert_close(weighted[:10], values["hat_diag_first10"])
    assert_close(weighted.sum(), values["hat_diag_sum"])
    null = fit_logistic(X, y, freq=freq, firth=True, free=np.arange(X.shape[1]) == 0)
    assert_close(
        null.log_likelihood_penalized[0], values["loglik_penalised_null_full_design_penalty"]
    )


def test_robust_covariance_agrees_with_sandwich() -> None:
    reference = case("logistic_ml", "rnet_a_robust")
    X, y, _, values = logistic_case(reference)
    fit = fit_logistic(X, y)
    assert_close(fit.coef[0], values["coef"])
    assert_close(np.sqrt(np.diag(fit.covariance[0])), values["se_model"])
    scores = row_scores(X, y, 1 / (1 + np.exp(-X @ fit.coef[0])))
    assert_close(sandwich(fit.covariance[0], scores), values["vcov_hc0"])
    cluster = np.arange(len(y)) % 25
    clustered = np.sqrt(np.diag(sandwich(fit.covariance[0], scores, cluster=cluster)))
    assert_close(clustered, values["se_cluster_hc0_no_adjust"])
    assert_close(clustered * np.sqrt(25 / 24), values["se_cluster_hc0_adjust"])


def test_robust_covariance_of_counts_is_that_of_replicated_rows() -> None:
    X, y = small_data(4)
    freq = bootstrap_counts(np.random.default_rng(4), len(y), 1)[0]
    row = np.repeat(np.arange(len(y)), freq)
    case_weights = np.linspace(0.5, 2.0, len(y))
    fit = fit_logistic(X, y, freq=freq, case=case_weights)
    long = fit_logistic(X[row], y[row], case=case_weights[row])
    scores = row_scores(X, y, 1 / (1 + np.exp(-X @ fit.coef[0])), case_weights)
    for cluster in (None, np.arange(len(y)) % 7):
        short = sandwich(fit.covariance[0], scores, freq=freq, cluster=cluster)
        codes = None if cluster is None else cluster[row]
        assert_close(short, sandwich(long.covariance[0], scores[row], cluster=codes))


@pytest.mark.slow
@given(seed=st.integers(0, 999), firth=st.booleans())
def test_a_bootstrap_by_counts_is_the_fit_on_the_rows_drawn(seed: int, firth: bool) -> None:
    X, y = small_data(seed)
    counts = bootstrap_counts(np.random.default_rng(seed), len(y), 5)
    fits = fit_logistic(X, y, freq=counts, firth=firth)
    for replicate, freq in enumerate(counts):
        row = np.repeat(np.arange(len(y)), freq)
        alone = fit_logistic(X[row], y[row], firth=firth)
        assert alone.status[0] == fits.status[replicate]
        if alone.status[0] == OK:
            assert_close(fits.coef[replicate], alone.coef[0], rel=1e-10)
            assert_close(fits.log_likelihood[replicate], alone.log_likelihood[0], rel=1e-10)
            assert_close(fits.covariance[replicate], alone.covariance[0], rel=1e-9)


@given(seed=st.integers(0, 999), firth=st.booleans())
def test_own_designs_agree_with_the_shared_one(seed: int, firth: bool) -> None:
    X, y = small_data(seed)
    freq = bootstrap_counts(np.random.default_rng(seed), len(y), 4)
    offset = np.linspace(-0.5, 0.5, len(y))
    shared = fit_logistic(X, y, freq=freq, offset=offset, firth=firth)
    own = fit_logistic(np.tile(X, (4, 1, 1)), y, freq=freq, offset=offset, firth=firth)
    outcomes = fit_logistic(X, np.tile(y, (4, 1)), freq=freq, offset=offset, firth=firth)
    for other in (own, outcomes):
        np.testing.assert_array_equal(other.status, shared.status)
        good = shared.status == OK
        assert_close(other.coef[good], shared.coef[good], rel=1e-9)
        assert_close(other.log_likelihood_penalized[good], shared.log_likelihood_penalized[good])


@given(seed=st.integers(0, 999), firth=st.booleans())
def test_a_replicate_does_not_depend_on_the_others(seed: int, firth: bool) -> None:
    X, y = small_data(seed, n=40)
    counts = bootstrap_counts(np.random.default_rng(seed), len(y), 7)
    together = fit_logistic(X, y, freq=counts, firth=firth)
    backwards = fit_logistic(X, y, freq=counts[::-1], firth=firth)
    few = fit_logistic(X, y, freq=counts[2:4], firth=firth)
    good = together.status == OK
    np.testing.assert_array_equal(together.status, backwards.status[::-1])
    assert_close(together.coef[good], backwards.coef[::-1][good], rel=1e-10)
    assert_close(together.coef[2:4][good[2:4]], few.coef[good[2:4]], rel=1e-10)


def test_blocks_leave_no_trace() -> None:
    X, y = small_data(5, n=400)
    size = 1024 + 3  # beyond a block, and beyond many pieces of one
    counts = bootstrap_counts(np.random.default_rng(5), 400, size)
    fits = fit_logistic(X, y, freq=counts)
    assert fits.coef.shape == (size, 3)
    edge = pieces(size, 400)[1].start
    for replicate in (0, edge - 1, edge, 1023, 1024, size - 1):
        alone = fit_logistic(X, y, freq=counts[replicate])
        assert_close(fits.coef[replicate], alone.coef[0], rel=1e-10)


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("firth", [False, True])
def test_a_start_to_second_order_leads_to_the_same_estimates(firth: bool, shifted: bool) -> None:
    """Beside replicates that lost a column, or are separated, where no such start is taken."""
    rng = np.random.default_rng(11)
    rare = np.zeros(60)
    rare[:2] = 1.0
    X = np.column_stack([np.ones(60), rng.normal(size=60), rare])
    y = (rng.random(60) < 1.0 / (1.0 + np.exp(-X[:, 1]))).astype(float)
    counts = bootstrap_counts(rng, 60, 100)
    offset = rng.normal(size=60) if shifted else None
    warm = fit_logistic(X, y, freq=counts, offset=offset, firth=firth)
    whole = fit_logistic(X, y, offset=offset, firth=firth).coef[0]
    apart = whole + 1e-9 * rng.normal(size=(100, 3))  # not one point: no second order
    cold = fit_logistic(X, y, freq=counts, offset=offset, firth=firth, start=apart)
    np.testing.assert_array_equal(warm.status, cold.status)
    np.testing.assert_array_equal(warm.lost, cold.lost)
    assert warm.lost[:, 2].sum() == (counts[:, :2].sum(axis=1) == 0).sum() > 5
    good = warm.status <= LOST_TERM
    assert_close(warm.coef[good], cold.coef[good], rel=1e-9)
    if not firth:  # whose steps are Newton's: two of them need not be made
        assert warm.iterations[good].mean() < cold.iterations[good].mean() - 1.5


@pytest.mark.parametrize("seed", range(5))
def test_a_few_steps_lead_near_the_maximum_of_a_sample(seed: int) -> None:
    X, y = small_data(seed, n=60)
    X = X * np.array([1.0, 100.0, 0.01])
    near = near_maximum(LogisticLikelihood(X, y))
    assert near is not None
    whole = fit_logistic(X, y)
    away = near[0] - whole.coef[0]
    assert 0.0 < away @ whole.information[0] @ away < 1e-6


def test_no_few_steps_lead_near_the_maximum_of_separated_or_dependent_columns() -> None:
    X, y = small_data(1, n=60)
    apart = np.column_stack([X, y * (X[:, 1] > 0)])
    assert fit_logistic(apart, y).status[0] == DIVERGED
    assert near_maximum(LogisticLikelihood(apart, y)) is None
    dependent = np.column_stack([X, 0.1 * X[:, 1] - 0.7 * X[:, 2]])
    assert near_maximum(LogisticLikelihood(dependent, y)) is None


def test_third_derivatives_are_those_of_the_information() -> None:
    X, y = small_data(9, n=50)
    likelihood = LogisticLikelihood(X, y, weights=np.arange(50.0) % 3)
    gamma, step, one = np.array([[0.2, -0.4, 0.3]]), np.array([[0.5, 1.0, -2.0]]), np.zeros(1, int)
    width = 1e-5
    up = likelihood.expected(gamma + width * step, one)
    down = likelihood.expected(gamma - width * step, one)
    by_hand = -((up - down) / (2.0 * width) @ step[0])
    assert_close(likelihood.third_along(gamma, step), by_hand, rel=1e-7)


@pytest.mark.parametrize("shifted", [False, True])
def test_what_a_start_rests_on_are_the_derivatives(shifted: bool) -> None:
    """At one point for all replicates by sums; elsewhere in single precision."""
    rng = np.random.default_rng(3)
    X, y = small_data(9, n=50)
    offset = rng.normal(size=50) if shifted else None
    weights = rng.exponential(size=(4, 50))
    likelihood = LogisticLikelihood(X, y, weights=weights, offset=offset)
    everyone, point = np.arange(4), np.array([[0.2, -0.4, 0.3]])
    for here, there in zip(
        likelihood.at_one_point(point), likelihood.scaled(point, everyone), strict=True
    ):
        assert_close(here, there, rel=1e-12, floor=1e-12)
    apart, step = point + 0.1 * rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    rough = RoughLikelihood(likelihood)
    score, information, third_along = rough.derivatives(apart, rough.weights(everyone))
    _, *exact = likelihood.scaled(apart, everyone)
    assert_close(score, exact[0], rel=1e-5, floor=1e-5)
    assert_close(information, exact[1], rel=1e-5, floor=1e-5)
    third = third_along(step)
    for one in everyone:
        alone = LogisticLikelihood(X, y, weights=weights[one], offset=offset)
        by_itself = alone.third_along(apart[[one]], step[[one]])
        assert_close(third[[one]], by_itself, rel=1e-5, floor=1e-4)


@given(seed=st.integers(0, 999))
def test_order_of_rows_and_scale_of_columns_do_not_matter(seed: int) -> None:
    X, y = small_data(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    scale = np.array([1.0, 1e6, 1e-5])
    for firth in (False, True):
        fit = fit_logistic(X, y, firth=firth)
        if fit.status[0] != OK:
            continue
        other = fit_logistic(X[order] * scale, y[order], firth=firth)
        assert_close(other.coef[0] * scale, fit.coef[0], rel=1e-9)
        penalty = np.log(scale).sum() if firth else 0.0
        assert_close(
            other.log_likelihood_penalized, fit.log_likelihood_penalized + penalty, rel=1e-9
        )
        assert_close(other.information[0] / np.outer(scale, scale), fit.information[0], rel=1e-9)


def test_flipping_the_outcome_flips_the_signs() -> None:
    X, y = small_data(7)
    for firth in (False, True):
        fit, flipped = (fit_logistic(X, part, firth=firth) for part in (y, 1 - y))
        assert_close(flipped.coef[0], -fit.coef[0], rel=1e-10)


def test_firth_in_a_two_by_two_table_adds_a_half_to_each_cell() -> None:
    # Saturated: Firth's estimate is the log odds ratio of the table with 0.5 added to each cell.
    a, b, c, d = 0, 9, 5, 11
    X = np.array([[1, 1], [1, 1], [1, 0], [1, 0]], dtype=float)
    fit = fit_logistic(X, np.array([1, 0, 1, 0]), freq=np.array([a, b, c, d]), firth=True)
    assert_close(fit.coef[0, 0], np.log((c + 0.5) / (d + 0.5)))
    assert_close(fit.coef[0, 1], np.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))))


def test_an_offset_moves_the_intercept() -> None:
    X, y = small_data(8)
    plain, moved = fit_logistic(X, y), fit_logistic(X, y, offset=np.full(len(y), 0.75))
    assert_close(moved.coef[0], plain.coef[0] - np.array([0.75, 0.0, 0.0]), rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("firth", [False, True])
def test_each_replicate_has_its_own_offset(firth: bool, weighted: bool) -> None:
    X, y = small_data(8)
    rng = np.random.default_rng(2)
    offset = rng.normal(size=(5, len(y)))
    freq = bootstrap_counts(rng, len(y), 5) if weighted else None
    many = fit_logistic(X, y, freq=freq, offset=offset, firth=firth)
    for one in range(5):
        own = None if freq is None else freq[one]
        alone = fit_logistic(X, y, freq=own, offset=offset[one], firth=firth)
        assert alone.status[0] == many.status[one] == OK
        assert_close(many.coef[one], alone.coef[0], rel=1e-9)
        assert_close(many.log_likelihood[one], alone.log_likelihood[0], rel=1e-12)


def test_fixed_columns_keep_their_value() -> None:
    X, y = small_data(9)
    free = np.array([True, False, True])
    fit = fit_logistic(X, y, start=[0.0, 0.3, 0.0], free=free)
    direct = fit_logistic(X[:, free], y, offset=0.3 * X[:, 1])
    assert fit.coef[0, 1] == 0.3
    assert_close(fit.coef[0, free], direct.coef[0], rel=1e-9)
    assert_close(fit.covariance[0][np.ix_(free, free)], direct.covariance[0])
    assert not fit.covariance[0, 1].any()


@pytest.mark.slow
@given(seed=st.integers(0, 999), p=st.integers(2, 5))
def test_separated_replicates_are_never_ok(seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(50), rng.normal(size=(50, p - 1))])
    margin = X @ rng.normal(size=p)
    ties = np.abs(margin) < 0.05  # rows on the hyperplane may have either outcome
    X[ties, 1] -= margin[ties] / np.where(margin[ties] == 0, 1, 1e9)
    y = (margin > 0).astype(float)
    fits = fit_logistic(X, y, freq=bootstrap_counts(rng, 50, 6))
    assert (fits.status != OK).all()
    assert fit_logistic(X, y).status[0] == DIVERGED
    assert fit_logistic(X, y, firth=True).status[0] == OK


@pytest.mark.slow
@given(seed=st.integers(0, 999), events=st.integers(0, 1))
def test_a_level_with_one_outcome_is_never_ok(seed: int, events: int) -> None:
    X, y = small_data(seed, n=80)
    y[X[:, 2] == 1] = events
    counts = bootstrap_counts(np.random.default_rng(seed), 80, 8)
    assert (fit_logistic(X, y, freq=counts).status == DIVERGED).all()
    firth = fit_logistic(X, y, freq=counts, firth=True)
    assert (firth.status == OK).all()
    assert (np.abs(firth.coef) < 20).all()


def test_a_large_finite_estimate_is_not_called_diverged() -> None:
    # One event in 100,000: the intercept is far away, and finite.
    X, freq = np.ones((2, 1)), np.array([1, 99_999])
    fit = fit_logistic(X, np.array([1.0, 0.0]), freq=freq)
    assert fit.status[0] == OK
    assert_close(fit.coef[0, 0], np.log(1 / 99_999))


def test_a_lost_level_is_fixed_at_zero_and_the_rest_fitted() -> None:
    X, y = small_data(10, n=120)
    rare = np.zeros(120)
    rare[:2] = 1.0
    X = np.column_stack([X, rare])
    counts = bootstrap_counts(np.random.default_rng(2), 120, 60)
    lost = counts[:, :2].sum(axis=1) == 0
    assert 0 < lost.sum() < 60
    for firth in (False, True):
        fits = fit_logistic(X, y, freq=counts, firth=firth)
        np.testing.assert_array_equal(fits.lost[:, 3], lost)
        assert not fits.lost[:, :3].any()
        assert (fits.status[lost] == LOST_TERM).all()
        assert (fits.status[~lost] != LOST_TERM).all()
        assert not fits.coef[lost, 3].any()
        without = fit_logistic(X[:, :3], y, freq=counts[lost], firth=firth)
        assert_close(fits.coef[lost, :3], without.coef, rel=1e-9)
        assert_close(fits.log_likelihood_penalized[lost], without.log_likelihood_penalized)
        assert_close(fits.covariance[lost][:, :3, :3], without.covariance)


def test_a_sum_of_columns_is_lost() -> None:
    X, y = small_data(11)
    wide = np.column_stack([X, X[:, 1] - 2 * X[:, 2]])
    for design in (wide, np.tile(wide, (2, 1, 1))):
        for firth in (False, True):
            fit, without = (fit_logistic(part, y, firth=firth) for part in (design, X))
            assert (fit.status == LOST_TERM).all()
            np.testing.assert_array_equal(fit.lost[0], [False, False, False, True])
            assert_close(fit.coef[0, :3], without.coef[0], rel=1e-9)
            assert_close(fit.log_likelihood_penalized[0], without.log_likelihood_penalized[0])


def test_more_columns_than_rows_lose_some() -> None:
    X, y = small_data(12, n=4, p=6)
    fit = fit_logistic(X, y, firth=True)
    assert fit.status[0] == LOST_TERM
    assert fit.lost[0].sum() >= 2


def test_a_calendar_year_is_not_taken_for_the_intercept() -> None:
    X, y = small_data(13, n=200)
    year = np.repeat(np.arange(2012.0, 2022.0), 20)
    fit = fit_logistic(np.column_stack([X, year]), y)
    centred = fit_logistic(np.column_stack([X, year - 2017.0]), y)
    assert fit.status[0] == OK
    assert_close(fit.coef[0, 1:], centred.coef[0, 1:])


@given(seed=st.integers(0, 999), firth=st.booleans())
def test_score_and_information_are_derivatives(seed: int, firth: bool) -> None:
    X, y = small_data(seed, n=12)
    assume(np.linalg.matrix_rank(X) == X.shape[1])
    rng = np.random.default_rng(seed)
    likelihood = LogisticLikelihood(X, y, weights=rng.integers(0, 2, 12) + 1.0, firth=firth)
    beta, index = rng.normal(scale=0.5, size=3), np.zeros(1, dtype=int)
    _, score, _ = likelihood(beta[None], index)
    scale = likelihood.scale[0]
    observed = likelihood.scaled_observed((beta * scale)[None], index)[2][0]
    information = observed * np.outer(scale, scale)
    step = 1e-5 * np.eye(3)
    values = [likelihood((beta + s)[None], index)[0][0] for s in (*step, *-step)]
    numeric = (np.array(values[:3]) - values[3:]) / 2e-5
    np.testing.assert_allclose(score[0], numeric, rtol=1e-5, atol=1e-6)
    scores = [likelihood((beta + s)[None], index)[1][0] for s in (*step, *-step)]
    slope = (np.array(scores[:3]) - scores[3:]) / 2e-5
    if np.linalg.eigvalsh(-slope).min() > 1e-3:  # otherwise X'WX stands in for it
        np.testing.assert_allclose(information, -slope, rtol=1e-5, atol=1e-5)


@given(seed=st.integers(0, 999))
def test_firth_converges_in_a_handful_of_rows(seed: int) -> None:
    X, y = small_data(seed, n=4 + seed % 20, p=2 + seed % 4)
    fit = fit_logistic(X, y, firth=True)
    assert fit.status[0] in {OK, LOST_TERM}
    likelihood = LogisticLikelihood(X, y, firth=True, lost=fit.lost)
    score = likelihood(fit.coef, np.zeros(1, dtype=int))[1]
    assert np.abs(score[fit.free]).max() < 1e-9
