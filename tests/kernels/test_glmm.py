from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln
from scipy.stats import binom, nchypergeom_fisher

from rare_cases import table_case, tables_of
from rnetstats._core.distributions import normal_quantile
from rnetstats.kernels.glmm import MixedModel, fit_mixed
from rnetstats.kernels.glmm_heterogeneity import proportions_heterogeneity, table_heterogeneity
from rnetstats.kernels.glmm_integral import _by_differences, _nodes, integrate
from rnetstats.kernels.glmm_rows import binomial_rows, hypergeometric_rows, log_choose
from rnetstats.kernels.glmm_tables import TABLE_MODELS, proportions_model, support, table_model
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.mantel_haenszel import Tables
from rnetstats.kernels.newton import maximise
from rnetstats.kernels.scaled import ScaledFit, fit_scaled
from rnetstats.kernels.scaled_profile import (
    profile_coefficient,
    profile_scale,
    restricted_log_likelihood,
)
from support import assert_close, case, read

# Few points are slow: their derivatives are taken by differences.
SLOW = ("UM_RS_nagq1", "UM_FS_nagq1", "UM_FS_nagq7")
FIELDS = [
    pytest.param(name, key, marks=pytest.mark.slow if key in SLOW else ())
    for name in ("nielweise_glmm", "bcg_glmm", "double_zero_glmm")
    for key in case("meta", name)["values"]
]


def with_events(t: Tables) -> Tables:
    some = t.a + t.c > 0
    return Tables(t.a[some], t.n1[some], t.c[some], t.n2[some])


@cache
def fitted(name: str, model: str, points: int = 25) -> tuple[Tables, MixedModel, ScaledFit]:
    tables = with_events(table_case(name)[1])
    mixed, start = table_model(tables, model, points=points)
    return tables, mixed, fit_mixed(mixed, start)


@pytest.mark.parametrize(("name", "key"), FIELDS)
def test_models_of_tables_as_reference(name: str, key: str) -> None:
    """Tolerances are those that the reference names for its optimisers.

    Looser still are two of its numbers: standard errors of Laplace fits (lme4 stops its inner
    iteration at 1e-7; at 1e-11 it gives ours, 0.18214 in bcg and 0.28206 in nielweise), and Wald's
    Q of UM.RS, from an information that is not definite (12.967 for 13.302 when it converges).
    """
    expected = case("meta", name)["values"][key]
    model = key[:5].replace("_", ".")
    points = int(key.split("nagq")[1]) if "nagq" in key else 25
    tables, _, fit = fitted(name, model, points)
    se, laplace = np.sqrt(fit.cov[0, 0]), points == 1
    assert fit.converged
    assert_close(fit.coef[0], expected["estimate"], rel=1e-3)
    assert_close(se, expected["se"], rel=5e-3 if laplace else 1e-3)
    reach = normal_quantile(0.95) * se
    for side, end in ((-1, "ci_lower"), (1, "ci_upper")):
        assert_close(fit.coef[0] + side * reach, expected[end], rel=5e-3 if laplace else 1e-3)
    assert_close(fit.scale[-1] ** 2, expected["tau2"], rel=1e-2)
    found = table_heterogeneity(tables, model, fit, points)
    assert_close(found.likelihood_ratio, expected["Q_lrt"], rel=1e-3)
    assert_close(found.wald, expected["Q_wald"], rel=4e-2 if model == "UM.RS" else 1e-3)
    assert found.df == expected["Q_df"]
    assert len(tables.a) == expected["k"]


@pytest.mark.parametrize("name", ["pritz_props", "rare_props"])
@pytest.mark.parametrize("points", [1, 7, 25])
def test_models_of_proportions_as_reference(name: str, points: int) -> None:
    data = read(case("meta", name)["data"])
    y, n = data["xi"].to_numpy(float), data["ni"].to_numpy(float)
    expected = case("meta", name)["values"][f"glmm_nagq{points}"]
    model, start = proportions_model(y, n, points=points)
    fit = fit_mixed(model, start)
    assert_close(fit.coef[0], expected["estimate_logit"], rel=1e-3)
    # Of pritz with one point lme4 gives 0.28624, as we do, once it iterates to 1e-9.
    assert_close(np.sqrt(fit.cov[0, 0]), expected["se"], rel=2e-2 if points == 1 else 1e-3)
    assert_close(fit.scale[0] ** 2, expected["tau2"], rel=1e-2)
    found = proportions_heterogeneity(y, n, fit)
    assert_close(found.likelihood_ratio, expected["Q_lrt"], rel=1e-3)
    assert_close(found.wald, expected["Q_wald"], rel=1e-3)
    assert found.df == len(y) - 1


def test_two_series_differ_by_their_logits_and_their_likelihoods() -> None:
    y, n = np.array([3.0, 8.0]), np.array([20.0, 25.0])
    model, start = proportions_model(y, n, points=7)
    found = proportions_heterogeneity(y, n, fit_mixed(model, start))
    apart = np.log(3 / 17) - np.log(8 / 17)
    assert_close(found.wald, apart**2 / (1 / 3 + 1 / 17 + 1 / 8 + 1 / 17))
    gain = binom.logpmf(y, n, y / n).sum() - binom.logpmf(y, n, 11 / 45).sum()
    assert_close(found.likelihood_ratio, 2.0 * gain, rel=1e-7)
    assert found.df == 1


def test_integrals_agree_with_adaptive_quadrature() -> None:
    a, n1, c, n2 = (np.array(x, float) for x in ([0, 3], [40, 50], [5, 1], [44, 60]))
    Z = np.array([[[0.5], [-0.5]]] * 2)
    eta = np.array([[-3.0, -2.0], [-2.5, -4.0]])
    y, n = np.stack([a, c], 1), np.stack([n1, n2], 1)
    rows = binomial_rows(y, n)
    found = integrate(rows, eta, Z, np.array([1.7]), 41).value + log_choose(n, y).sum(axis=1)
    for i in range(2):

        def integrand(z: float, i: int = i) -> float:
            p = 1 / (1 + np.exp(-(eta[i] + Z[i, :, 0] * 1.7 * z)))
            density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
            return float(binom.pmf(y[i], n[i], p).prod() * density)

        value = quad(integrand, -9, 9, epsabs=0, epsrel=1e-12, limit=400)[0]
        assert_close(found[i], np.log(value), rel=1e-11)


def test_two_random_effects_agree_with_their_product_grid() -> None:
    y, n = np.array([[0.0, 4.0]]), np.array([[30.0, 35.0]])
    X = np.array([[[1.0, 0.5], [1.0, -0.5]]])
    rows = binomial_rows(y, n)
    eta = np.array([[-3.0, -2.2]])
    found = integrate(rows, eta, X, np.array([0.8, 1.4]), 25).value
    z = np.linspace(-9, 9, 1201)
    u, v = np.meshgrid(z, z, indexing="ij")
    shift = X[0] @ (np.array([0.8, 1.4])[:, None, None] * np.stack([u, v])).reshape(2, -1)
    b, _, _ = rows.cumulant((eta[0][:, None] + shift)[None])
    log_f = (y[..., None] * (eta[0][:, None] + shift) - b).sum(axis=1)[0]
    log_f -= 0.5 * (u**2 + v**2).ravel() + np.log(2 * np.pi)
    assert_close(found[0], np.log(np.exp(log_f).sum() * (z[1] - z[0]) ** 2), rel=1e-11)


@pytest.mark.parametrize("model", TABLE_MODELS)
def test_derivatives_are_those_of_the_likelihood(model: str) -> None:
    tables = Tables.of([0, 3, 2], [40, 50, 30], [5, 1, 2], [44, 60, 33])
    mixed, start = table_model(tables, model, points=41)
    p, q = mixed.sizes
    at = np.append(start + 0.1, [0.4, 0.8][-q:])
    _, score, information = mixed.evaluate(at[None], np.zeros(1, np.int64))
    step = 1e-5 * np.eye(p + q)
    value, slope, _ = mixed.evaluate(np.concatenate([at + step, at - step]), np.zeros(1, np.int64))
    assert_close(score[0], (value[: p + q] - value[p + q :]) / 2e-5, rel=1e-7, floor=1e-8)
    numeric = -(slope[: p + q] - slope[p + q :]) / 2e-5
    assert_close(information[0], numeric, rel=1e-7, floor=1e-7)


@pytest.mark.parametrize("model", ["UM.FS", "CM.EL"])
def test_few_points_find_the_derivatives_of_their_own_approximation(model: str) -> None:
    tables = Tables.of([0, 3, 2], [40, 50, 30], [5, 1, 2], [44, 60, 33])
    many, start = table_model(tables, model, points=25)
    at = np.append(start, 0.4)[None]
    exact = many.evaluate(at, np.zeros(1, np.int64))
    Z, rows = many.Z, many.rows
    eta = many.offset + many.X @ start
    J = eta.shape[1]

    def value(shift: np.ndarray) -> np.ndarray:
        return _nodes(rows, eta + shift[:J], Z, np.array([0.4]) + shift[J:], 25).value

    local = _by_differences(value, J + 1)
    assert_close(local.value.sum(), exact[0][0])
    assert_close(local.score[:, J].sum(), exact[1][0, -1], rel=1e-5)
    assert_close(-local.hessian[:, J, J].sum(), exact[2][0, -1, -1], rel=1e-5)


def test_a_fixed_margin_row_is_fishers_law() -> None:
    a, n1, c, n2 = (np.array([x], float) for x in (3, 12, 4, 20))
    rows = hypergeometric_rows(a, n1, c, n2)
    for log_ratio in (-2.0, 0.0, 1.5):
        b, mean, variance = rows.cumulant(np.array([[log_ratio]]))
        law = nchypergeom_fisher(32, 7, 12, np.exp(log_ratio))
        assert_close(3 * log_ratio - b[0, 0] + rows.constant, law.logpmf(3))
        assert_close(mean[0, 0], law.mean())
        assert_close(variance[0, 0], law.var())
    assert_close(support(Tables(a, n1, c, n2)), 8)


def test_a_model_without_variance_is_a_logistic_regression() -> None:
    """With fixed study effects the common odds ratio is that of pooled logistic regression."""
    tables = with_events(table_case("nielweise_glmm")[1])
    mixed, start = table_model(tables, "UM.FS", points=15)
    fit = fit_mixed(mixed, start)
    k = len(tables.a)
    X = mixed.X.reshape(2 * k, -1)
    X, y = np.repeat(X, 2, axis=0), np.tile([1.0, 0.0], 2 * k)
    freq = np.stack([mixed.rows.y, _sizes(tables) - mixed.rows.y], axis=2).ravel()
    whole = fit_logistic(X, y, freq=freq)
    assert_close(fit.null_coef, whole.coef[0], rel=1e-7)
    assert_close(fit.null_cov[0, 0], whole.covariance[0, 0, 0], rel=1e-7)


def _sizes(t: Tables) -> np.ndarray:
    return np.stack([t.n1, t.n2], axis=1)


@pytest.mark.parametrize("model", TABLE_MODELS)
def test_alike_studies_have_no_variance(model: str) -> None:
    _, _, fit = fitted("double_zero_glmm", model)
    assert fit.scale[-1] == 0.0
    assert_close(fit.log_likelihood, fit.null_log_likelihood)
    assert_close(fit.coef, fit.null_coef)


@pytest.mark.parametrize("model", ["UM.FS", "CM.EL"])
@pytest.mark.parametrize("name", ["nielweise_glmm", "double_zero_glmm"])
def test_profile_limits_lie_where_the_likelihood_has_fallen(name: str, model: str) -> None:
    _, mixed, fit = fitted(name, model)
    limits = profile_coefficient(mixed, fit)
    top = fit.log_likelihood - mixed.constant
    for limit in limits:
        assert_close(2 * (top - held(mixed, fit, 0, limit)), normal_quantile(0.95) ** 2, rel=1e-8)
    low, high = profile_scale(mixed, fit)
    assert low == 0.0
    fallen = 2 * (top - held(mixed, fit, -1, high))
    assert_close(fallen, normal_quantile(0.95) ** 2, rel=1e-8)


def held(mixed: MixedModel, fit: ScaledFit, column: int, value: float) -> float:
    """The highest log-likelihood with one parameter held, over several starts."""
    found = []
    for size in (0.0, 0.05, 0.5, 2.0):
        start = np.append(fit.coef, size)[None]
        start[0, column] = value
        free = np.ones(start.shape, dtype=bool)
        free[0, column] = False
        free[0, -1] &= size > 0.0
        at = maximise(mixed.evaluate, start, free=free, retry=False)
        found += [at.log_likelihood[0]] if at.status[0] == 0 else []
    return float(max(found))


def test_a_held_coefficient_costs_likelihood() -> None:
    _, mixed, fit = fitted("nielweise_glmm", "CM.AL")
    found = restricted_log_likelihood(mixed, fit, 0, 0.0)
    assert_close(found, held(mixed, fit, 0, 0.0) + mixed.constant)
    assert_close(restricted_log_likelihood(mixed, fit, 0, fit.coef[0]), fit.log_likelihood)


def test_profile_of_a_clear_variance_excludes_zero() -> None:
    _, mixed, fit = fitted("bcg_glmm", "CM.AL")
    low, high = profile_scale(mixed, fit)
    assert 0.0 < low < fit.scale[-1] < high
    top = fit.log_likelihood - mixed.constant
    assert_close(2 * (top - held(mixed, fit, -1, low)), normal_quantile(0.95) ** 2, rel=1e-8)


@pytest.mark.parametrize("model", TABLE_MODELS)
def test_arms_swapped_invert_the_odds_ratio(model: str) -> None:
    tables, _, fit = fitted("nielweise_glmm", model)
    mixed, start = table_model(Tables(tables.c, tables.n2, tables.a, tables.n1), model, points=25)
    other = fit_mixed(mixed, start)
    assert_close(other.coef[0], -fit.coef[0], rel=1e-7)
    assert_close(other.cov[0, 0], fit.cov[0, 0], rel=1e-7)
    assert_close(other.scale[-1], fit.scale[-1], rel=1e-7)
    assert_close(other.log_likelihood, fit.log_likelihood)


@settings(max_examples=6)
@given(st.lists(st.tuples(*[st.integers(1, 9)] * 4), min_size=2, max_size=5), st.randoms())
def test_order_of_studies_is_irrelevant(
    counts: list[tuple[int, int, int, int]], random: Any
) -> None:
    shuffled = list(counts)
    random.shuffle(shuffled)
    one, other = (
        fit_mixed(*table_model(tables_of(part), "CM.EL", points=15)) for part in (counts, shuffled)
    )
    assert_close(other.log_likelihood, one.log_likelihood, rel=1e-9)
    assert_close(other.coef, one.coef, rel=1e-4, floor=1e-5)  # where the likelihood is flat


def test_an_arm_without_events_does_not_converge() -> None:
    tables = Tables.of([0, 0, 0], [20, 30, 40], [2, 3, 1], [25, 30, 44])
    for model in TABLE_MODELS:
        mixed, start = table_model(tables, model, points=15)
        fit = fit_mixed(mixed, start)
        assert not fit.converged
        assert np.isnan(fit.cov).all()


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of"):
        table_model(Tables.of([1.0], [2.0], [1.0], [2.0]), "UM.XX")


def test_factorials_hold_to_the_last_digits() -> None:
    n = np.array([0.0, 1, 2, 5, 14, 15, 16, 100, 1e6])
    assert_close(log_choose(n, np.zeros(9)), np.zeros(9), floor=1e-9)
    k = np.array([0.0, 1, 1, 2, 7, 3, 8, 40, 5e5])
    expected = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    assert_close(log_choose(n, k), expected, rel=1e-13, floor=1e-8)


@pytest.mark.parametrize("size", [0.3, 2.0, 9.0])
@pytest.mark.parametrize("n", [1, 30, 4000])
def test_even_steps_are_short_enough(size: float, n: int) -> None:
    y = np.array([[0.0, n // 2], [n, 0.0], [n // 3, n // 2]])
    rows = binomial_rows(y, np.full((3, 2), float(n)))
    Z = np.array([[[0.5], [-0.5]]] * 3)
    eta = np.array([[-3.0, -1.0], [0.5, -2.5], [-0.2, 0.3]])
    found = integrate(rows, eta, Z, np.array([size]))
    # Simpson's rule by the same predictors on a grid some hundred times as fine
    z = np.linspace(-40, 40, 160_001)
    for i in range(3):
        shift = (Z[i] * size) * z
        one = binomial_rows(y[[i]], np.full((1, 2), float(n)))
        b, _, _ = one.cumulant((eta[i][:, None] + shift)[None])
        log_f = (y[i][:, None] * (eta[i][:, None] + shift) - b[0]).sum(axis=0) - 0.5 * z**2
        top = log_f.max()
        value = np.log(np.exp(log_f - top).sum() * (z[1] - z[0]) / np.sqrt(2 * np.pi)) + top
        assert_close(found.value[i], value, rel=1e-9)


@pytest.mark.parametrize("scales", [(0.6, 0.0), (0.0, 0.6), (0.0, 0.0)])
def test_along_an_effect_of_no_size_three_points_are_exact(scales: tuple[float, float]) -> None:
    """The integrand is Gaussian there: as 41 points of Gauss and Hermite have it."""
    rng = np.random.default_rng(8)
    y, n = rng.integers(0, 5, (6, 2)).astype(float), np.full((6, 2), 40.0)
    rows, eta = binomial_rows(y, n), rng.normal(-2.5, 0.5, (6, 2))
    Z = np.broadcast_to(np.array([[1.0, 0.5], [1.0, -0.5]]), (6, 2, 2))
    found = integrate(rows, eta, Z, np.array(scales))
    exact = integrate(rows, eta, Z, np.array(scales), 41)
    np.testing.assert_allclose(found.value, exact.value, rtol=1e-11)
    np.testing.assert_allclose(found.score, exact.score, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found.hessian, exact.hessian, rtol=1e-9, atol=1e-10)


def test_a_rough_integral_is_near_the_exact_one() -> None:
    rng = np.random.default_rng(9)
    y, n = rng.integers(0, 8, (12, 2)).astype(float), np.full((12, 2), 60.0)
    rows, eta = binomial_rows(y, n), rng.normal(-2.5, 0.7, (12, 2))
    Z = np.broadcast_to(np.array([[1.0, 0.5], [1.0, -0.5]]), (12, 2, 2))
    for scales in ((0.3, 0.3), (1.0, 0.5), (2.0, 2.5)):
        rough = integrate(rows, eta, Z, np.array(scales), rough=True)
        exact = integrate(rows, eta, Z, np.array(scales))
        np.testing.assert_allclose(rough.value, exact.value, rtol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_where_an_ascent_is_approached_from_does_not_move_its_maximum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = 12
    n1, n2 = (rng.integers(20, 200, k).astype(float) for _ in range(2))
    risk = np.exp(rng.normal(-2.5, 0.6, k))
    tables = Tables.of(
        rng.binomial(n1.astype(int), risk), n1, rng.binomial(n2.astype(int), risk), n2
    )
    model, start = table_model(tables, "UM.RS")
    found = fit_mixed(model, start)
    begin = np.append(start, np.ones(model.sizes[1]))
    plain = fit_scaled(model, begin, (0.3, 1.0, 2.5))
    assert found.converged == plain.converged
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(found.coef, plain.coef, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(found.scale, plain.scale, rtol=1e-7, atol=1e-6)
