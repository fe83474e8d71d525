from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import betabinom

from rare_cases import table_case, tables_of
from rnetstats._core.distributions import normal_quantile
from rnetstats.kernels.beta_binomial import BetaBinomial, fit_beta_binomial
from rnetstats.kernels.mantel_haenszel import Tables
from rnetstats.kernels.scaled import ScaledFit
from rnetstats.kernels.scaled_profile import profile_coefficient, restricted_log_likelihood
from rnetstats.kernels.two_risks import two_risks
from support import assert_close

MEASURES = ("OR", "RR", "RD")


def by_scipy(t: Tables, mu1: float, mu2: float, gamma: float) -> float:
    """The log-likelihood by the beta-binomial law of another implementation."""
    found = 0.0
    for y, n, mu in ((t.a, t.n1, mu1), (t.c, t.n2, mu2)):
        found += float(betabinom.logpmf(y, n, mu / gamma, (1 - mu) / gamma).sum())
    return found


def means(measure: str, coef: np.ndarray) -> tuple[float, float]:
    risks = two_risks(measure, float(coef[0]), float(coef[1]))
    assert risks is not None
    return risks[0].value, risks[1].value


@pytest.mark.parametrize("measure", MEASURES)
def test_likelihood_is_that_of_the_law(measure: str) -> None:
    _, t = table_case("double_zero_mh_peto")
    model = BetaBinomial(t, measure)
    for row in ([-0.02, -2.5, 0.2], [0.01, -3.0, 0.5]):
        value = model.evaluate(np.array([row]), np.zeros(1, np.int64))[0][0] + model.constant
        mu1, mu2 = means(measure, np.array(row[:2]))
        assert_close(value, by_scipy(t, mu1, mu2, row[2] ** 2))


@pytest.mark.parametrize("measure", MEASURES)
def test_derivatives_are_those_of_the_likelihood(measure: str) -> None:
    _, t = table_case("double_zero_mh_peto")
    evaluate = BetaBinomial(t, measure).evaluate
    at, step = np.array([-0.02, -2.5, 0.2]), 1e-5 * np.eye(3)
    none = np.zeros(1, np.int64)
    _, score, information = evaluate(at[None], none)
    value, slope, _ = evaluate(np.concatenate([at + step, at - step]), none)
    assert_close(score[0], (value[:3] - value[3:]) / 2e-5, rel=1e-7, floor=1e-7)
    assert_close(information[0], -(slope[:3] - slope[3:]) / 2e-5, rel=1e-7, floor=1e-6)


def test_nielweise_against_a_search_without_derivatives() -> None:
    _, t = table_case("nielweise_mh_peto")
    fit = fit_beta_binomial(BetaBinomial(t, "OR"))

    def minus(x: np.ndarray) -> float:
        mu1, mu2 = means("OR", x[:2])
        return -by_scipy(t, mu1, mu2, np.exp(x[2]))

    found = minimize(
        minus, [-1.0, -3.5, -3.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    )
    assert fit.converged
    assert_close(fit.log_likelihood, -found.fun)
    assert_close(fit.coef, found.x[:2], rel=1e-5)
    assert_close(fit.scale[0] ** 2, np.exp(found.x[2]), rel=1e-5)


@pytest.mark.parametrize("measure", ["RR", "RD"])
def test_one_fit_whatever_the_measure(measure: str) -> None:
    _, t = table_case("nielweise_mh_peto")
    odds, other = (fit_beta_binomial(BetaBinomial(t, m)) for m in ("OR", measure))
    assert_close(other.log_likelihood, odds.log_likelihood)
    assert_close(means(measure, other.coef), means("OR", odds.coef), rel=1e-7)
    assert_close(other.scale, odds.scale, rel=1e-7)


def test_delta_method_gives_the_errors_of_the_other_measures() -> None:
    _, t = table_case("nielweise_mh_peto")
    fits = {m: fit_beta_binomial(BetaBinomial(t, m)) for m in MEASURES}
    mu1, mu2 = means("OR", fits["OR"].coef)  # the second parameter is logit mu2 there
    cov, m1, m2 = fits["OR"].cov, mu1 * (1 - mu1), mu2 * (1 - mu2)
    for measure, slope in (("RR", [1 - mu1, mu2 - mu1]), ("RD", [m1, m1 - m2])):
        own = np.array(slope)
        assert_close(fits[measure].cov[0, 0], own @ cov @ own, rel=1e-7)


def test_without_dispersion_it_is_the_crude_table() -> None:
    # rates alike in all studies of each arm, so that rho is 0: 3/60 against 6/60 in all
    t = Tables.of([1, 1, 1], [20, 20, 20], [2, 2, 2], [20, 20, 20])
    fit = fit_beta_binomial(BetaBinomial(t, "OR"))
    assert fit.scale[0] == 0.0
    assert_close(fit.coef[0], np.log(3 * 54 / (57 * 6)))
    assert_close(fit.cov[0, 0], 1 / 3 + 1 / 57 + 1 / 6 + 1 / 54)
    assert_close(fit.log_likelihood, fit.null_log_likelihood)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", ["nielweise_mh_peto", "double_zero_mh_peto"])
def test_profile_limits_lie_where_the_likelihood_has_fallen(name: str, measure: str) -> None:
    _, t = table_case(name)
    model = BetaBinomial(t, measure)
    fit = fit_beta_binomial(model)
    low, high = profile_coefficient(model, fit)
    assert low < fit.coef[0] < high
    for limit in (low, high):
        fallen = 2 * (fit.log_likelihood - restricted_log_likelihood(model, fit, 0, limit))
        assert_close(fallen, normal_quantile(0.95) ** 2, rel=1e-7)


def test_double_zeros_count() -> None:
    """An arm of zeros beside another pulls both means down, and the odds ratio with them."""
    t = tables_of([(2, 40, 5, 40), (1, 30, 4, 32)])
    more = tables_of([(2, 40, 5, 40), (1, 30, 4, 32), (0, 200, 0, 20)])
    one, two = (fit_beta_binomial(BetaBinomial(x, "OR")) for x in (t, more))
    assert abs(one.coef[0] - two.coef[0]) > 0.1


@settings(max_examples=20)
@given(st.lists(st.tuples(*[st.integers(1, 9)] * 4), min_size=2, max_size=5))
def test_swapped_arms_and_order(counts: list[tuple[int, int, int, int]]) -> None:
    t = tables_of(counts)
    turned = Tables(t.c[::-1], t.n2[::-1], t.a[::-1], t.n1[::-1])
    one, two = (fit_beta_binomial(BetaBinomial(x, "OR")) for x in (t, turned))
    assert_close(two.log_likelihood, one.log_likelihood, rel=1e-9)
    assert_close(two.coef[0], -one.coef[0], rel=1e-5, floor=1e-6)


def test_an_arm_without_events_does_not_converge() -> None:
    fit: ScaledFit = fit_beta_binomial(BetaBinomial(Tables.of([0, 0], [20, 30], [2, 3], [25, 30])))
    assert not fit.converged
