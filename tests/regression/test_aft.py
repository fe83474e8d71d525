from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma as gamma_law
from scipy.stats import norm

from rnetstats.kernels.gompertz import fit_gompertz, growth_integrals
from rnetstats.kernels.newton import DIVERGED, OK
from rnetstats.regression.aft import ERROR_LAWS, fit_aft
from rnetstats.regression.generalised_gamma import fit_generalised_gamma, log_survival
from support import assert_close, read

# R 4.2.2, survival 3.5-3, run by hand on reference/data/veteran.csv:
# survreg(Surv(time, status) ~ trt + karno + age, dist =, control = survreg.control(
#   rel.tolerance = 1e-14, maxiter = 200)): coef, scale, sqrt(diag(vcov)), loglik[2]
SURVREG = {
    "exponential": (
        [2.79201359366201052, -0.12818240777615938, 0.03529907425468717, 0.00058617328261987],
        1.0,
        [0.68102638155291961, 0.17957925032548497, 0.00486672461312083, 0.00916831084280326],
        -725.840232780120,
    ),
    "weibull": (
        [2.769159744820533842, -0.128840101071099083, 0.035415801893461010, 0.000729837587417253],
        1.02085389842365,
        [
            0.69704578536662387,
            0.18323571626177446,
            0.00496420782067906,
            0.00935005527476959,
            0.06492012907956657,
        ],
        -725.789085750207,
    ),
    "log-normal": (
        [1.3314348232272744, -0.1402380001830053, 0.0407687419707557, 0.0111589177795079],
        1.11064394745655,
        [
            0.68283209047449989,
            0.19328029422394385,
            0.00488003306712211,
            0.00920734781909101,
            0.06257647582813562,
        ],
        -720.631797788582,
    ),
    "log-logistic": (
        [1.43715638043147775, -0.05437318759886872, 0.03979285494641166, 0.00830564185964131],
        0.618608009636879,
        [
            0.67449755926906940,
            0.18699553615175565,
            0.00457441773403706,
            0.00921475105036749,
            0.07408472725329859,
        ],
        -719.755370663016,
    ),
}


def veteran():
    data = read("veteran.csv")
    X = np.column_stack([np.ones(len(data)), data["trt"], data["karno"], data["age"]])
    return X, data["time"].to_numpy(float), data["status"].to_numpy(float)


@pytest.mark.parametrize("law", SURVREG)
def test_fits_are_those_of_survreg(law):
    coef, scale, error, value = SURVREG[law]
    fit = fit_aft(*veteran(), law)
    assert fit.status[0] == OK
    assert_close(fit.coef[0, :-1], coef)
    assert_close(np.exp(fit.coef[0, -1]), scale)
    assert_close(np.sqrt(np.diag(fit.covariance[0]))[: len(error)], error)
    assert_close(fit.log_likelihood, [value])


def test_frequency_weights_are_those_of_survreg():
    """survreg(Surv(time, status) ~ trt + karno, weights = 1 + age %% 3), as above."""
    X, stop, event = veteran()
    weight = 1 + X[:, 3] % 3
    fit = fit_aft(X[:, :3], stop, event, "weibull", freq=weight)
    assert_close(fit.coef[0, :3], [2.7124552561065030, -0.0906638613627867, 0.0358755288622662])
    assert_close(np.exp(fit.coef[0, 3]), 1.0723257503077)
    want = [0.29158012462324590, 0.13689911225629778, 0.00374213487502613, 0.04650302751569326]
    assert_close(np.sqrt(np.diag(fit.covariance[0])), want)
    assert_close(fit.log_likelihood, [-1421.77535960233])


@given(st.integers(0, 2**31))
def test_exponential_closed_form(seed):
    rng = np.random.default_rng(seed)
    n = 40
    group = (np.arange(n) % 2).astype(float)
    stop, event = rng.exponential(5, n) + 0.01, rng.random(n) < 0.7
    event[:2] = True
    fit = fit_aft(np.column_stack([np.ones(n), group]), stop, event, "exponential")
    deaths, years = (np.bincount(group.astype(int), w) for w in (event, stop))
    mean = np.log(years / deaths)
    assert_close(fit.coef[0], [mean[0], mean[1] - mean[0], 0.0])
    error = np.sqrt([1 / deaths[0], 1 / deaths[0] + 1 / deaths[1], 0.0])
    assert_close(np.sqrt(np.diag(fit.covariance[0])), error)
    assert_close(fit.log_likelihood[0], deaths @ np.log(deaths / years) - deaths.sum())


def test_log_normal_without_censoring_is_least_squares():
    X, stop, _ = veteran()
    fit = fit_aft(X, stop, np.ones(len(stop)), "log-normal")
    coef, rest = np.linalg.lstsq(X, np.log(stop), rcond=None)[:2]
    assert_close(fit.coef[0, :-1], coef)
    assert_close(np.exp(2 * fit.coef[0, -1]), rest[0] / len(stop))


def test_late_entry_leaves_the_exponential_rate_to_the_time_at_risk():
    rng = np.random.default_rng(2)
    start = rng.uniform(0, 3, 50)
    stop, event = start + rng.exponential(4, 50), rng.random(50) < 0.6
    start[:10] = 0.0
    ones = np.ones((50, 1))
    fit = fit_aft(ones, stop, event, "exponential", start=start)
    assert_close(np.exp(fit.coef[0, 0]), (stop - start).sum() / event.sum())
    # no growth in the limit: Gompertz with constant hazards has the same likelihood at least
    gompertz = fit_gompertz(ones, stop, event, start=start)
    assert gompertz.log_likelihood[0] >= fit.log_likelihood[0] - 1e-9


@pytest.mark.parametrize("law", [*ERROR_LAWS, "gompertz"])
@pytest.mark.parametrize("late", [False, True])
def test_the_score_vanishes_and_the_information_is_the_curvature(law, late):
    X, stop, event = veteran()
    stop = stop / 30.0
    start = np.where(np.arange(len(stop)) % 3 == 0, stop / 3, 0.0) if late else None
    if law == "gompertz":
        fit = fit_gompertz(X, stop, event, start=start)
        point, covariance = fit.coef[0], fit.covariance[0]
    else:
        fit = fit_aft(X, stop, event, law, start=start)
        point, covariance = fit.coef[0], fit.covariance[0]
    assert fit.status[0] == OK

    def value(theta):
        def parts(time):
            if law == "gompertz":
                rate = np.exp(X @ theta[:-1])
                growth = theta[-1]
                return X @ theta[:-1] + growth * time, -rate * np.expm1(growth * time) / growth
            z = (np.log(time) - X @ theta[:-1]) / np.exp(theta[-1])
            if law == "log-normal":
                survival = norm.logsf(z)
                density = norm.logpdf(z)
            elif law == "log-logistic":
                survival = -np.logaddexp(0, z)
                density = z + 2 * survival
            else:
                survival = -np.exp(z)
                density = z + survival
            return density - survival - theta[-1] - np.log(time), survival

        log_hazard, survival = parts(stop)
        total = event @ log_hazard + survival.sum()
        if start is not None:
            some = start > 0
            total -= parts(np.where(some, start, 1.0))[1][some].sum()
        return total

    assert_close(fit.log_likelihood[0], value(point))
    p = len(point) - (law == "exponential")
    errors = np.sqrt(np.diag(covariance))[:p]
    for i in range(p):
        step = np.zeros(len(point))
        step[i] = 1e-3 * errors[i]
        up, down = value(point + step), value(point - step)
        assert abs(up - down) / 2e-3 < 1e-5  # slope in standard errors
    inverse = np.linalg.inv(covariance[:p, :p])
    step = np.zeros(len(point))
    step[:p] = 0.02 * errors
    curvature = (value(point + step) + value(point - step) - 2 * value(point)) / 0.02**2
    assert_close(-curvature, errors @ inverse @ errors, rel=1e-3)


def test_replicates_do_not_touch():
    X, stop, event = veteran()
    freq = np.random.default_rng(1).integers(0, 4, (4, len(stop)))
    for fit in (
        lambda f: fit_aft(X, stop, event, "weibull", freq=f),
        lambda f: fit_gompertz(X, stop, event, freq=f),
    ):
        together = fit(freq)
        for b in range(4):
            assert_close(together.coef[b], fit(freq[b]).coef[0])
            assert_close(together.covariance[b], fit(freq[b]).covariance[0])


def test_a_group_without_events_diverges():
    stop, event = np.array([1.0, 2, 3, 4, 5, 6]), np.array([1.0, 1, 1, 0, 0, 0])
    X = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1]])
    assert fit_aft(X, stop, event, "exponential").status[0] == DIVERGED
    assert fit_gompertz(X, stop, event).status[0] != OK


def test_growth_integrals():
    found = growth_integrals(np.array([0.0, 0.5]), np.zeros(1), np.array([2.0]))
    assert_close(found[:, 0, 0], [2.0, 2.0, 8 / 3])
    assert_close(found[0, 1, 0], np.expm1(1.0) / 0.5)


def test_gompertz_of_r_by_hand():
    """optim(method = "BFGS") on the log-likelihood written out in R 4.2.2, run by hand."""
    fit = fit_gompertz(*veteran())
    assert_close(fit.log_likelihood, [-725.436774314859], rel=1e-12)
    want = [-2.76492359256327, 0.148161164546521, -0.0340454102540515, -0.00162287177232672]
    assert_close(fit.coef[0], [*want, -0.0537005398598057 / 100], rel=1e-4)


def test_generalised_gamma_holds_weibull_and_log_normal():
    w = np.linspace(-3, 2, 7)
    assert_close(log_survival(w, 1.0), -np.exp(w))
    assert_close(log_survival(w, 0.0), norm.logsf(w), rel=0.0, floor=5e-3)
    size = 4.0
    assert_close(log_survival(w, 0.5), gamma_law.logsf(size * np.exp(0.5 * w), size))
    X, stop, event = veteran()
    fit = fit_generalised_gamma(X, stop, event)
    assert fit.status == OK
    inner = max(fit_aft(X, stop, event, law).log_likelihood[0] for law in ("weibull", "log-normal"))
    assert fit.log_likelihood > inner


@pytest.mark.slow
def test_generalised_gamma_agrees_with_lifelines_on_the_estimate():
    """lifelines 0.30 finds the same maximum; its table gives standard errors to other rows."""
    import pandas as pd
    from lifelines import GeneralizedGammaRegressionFitter

    X, stop, event = veteran()
    data = pd.DataFrame({"t": stop, "e": event, "trt": X[:, 1], "karno": X[:, 2], "age": X[:, 3]})
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = GeneralizedGammaRegressionFitter().fit(
            data, "t", "e", regressors={"mu_": "trt + karno + age", "sigma_": "1", "lambda_": "1"}
        )
    fit = fit_generalised_gamma(X, stop, event)
    assert_close(fit.log_likelihood, peer.log_likelihood_, rel=1e-8)
    names = ["Intercept", "trt", "karno", "age"]
    assert_close(fit.coef[:4], peer.params_["mu_"][names], rel=1e-3)
