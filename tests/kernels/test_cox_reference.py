"""The Cox kernel against R's survival::coxph and coxphf, case by case."""

from __future__ import annotations

import numpy as np
import pytest

from cox_cases import cox_case
from rnetstats.kernels.concordance import concordance
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.cox_baseline import baseline_hazard, cumulative_hazard
from rnetstats.kernels.cox_residuals import (
    deviance_residuals,
    dfbeta,
    fitted_cox,
    martingale_residuals,
    schoenfeld_residuals,
    score_residuals,
)
from rnetstats.kernels.cox_zph import proportional_hazards_test, time_transform
from rnetstats.kernels.profile import profile_limits, restricted_fits
from rnetstats.kernels.risksets import prepare
from rnetstats.kernels.sandwich import sandwich
from support import assert_close, case_ids, golden, numbers

COX = case_ids("cox")
FIRTH = case_ids("cox_firth")


def having(field: str) -> list[str]:
    return [c["id"] for c in golden("cox") if field in c["values"]]


@pytest.mark.parametrize("name", COX)
def test_estimate_covariance_and_likelihood(name):
    item = cox_case("cox", name)
    fit, values = item.fit(), item.values
    assert item.columns == tuple(values["terms"])
    assert fit.status[0] == 0
    assert_close(fit.coef[0], values["coef"])
    assert_close(fit.covariance[0], values["vcov"])
    assert_close(fit.log_likelihood[0], values["loglik"])
    assert_close(fit.log_likelihood_null[0], values["loglik_null"])
    assert fit.log_likelihood_penalized is None


@pytest.mark.parametrize("name", COX)
def test_score_and_wald_tests(name):
    item = cox_case("cox", name)
    value, score, information = item.likelihood()(np.zeros((1, item.X.shape[1])), np.zeros(1, int))
    assert_close(value[0], item.values["loglik_null"])
    assert_close(score[0] @ np.linalg.solve(information[0], score[0]), item.values["score_chi2"])
    if "se_robust" not in item.values:
        beta = item.fit().coef[0]
        assert_close(beta @ item.fit().information[0] @ beta, item.values["wald_chi2"])


@pytest.mark.parametrize("name", having("vcov_robust"))
def test_robust_covariance_and_score_test(name):
    item = cox_case("cox", name)

    def scores(coef):
        rows = score_residuals(fitted_cox(item.likelihood(), coef))
        return rows if item.case is None else rows * item.case[:, None]

    fit = item.fit()
    covariance = sandwich(fit.covariance[0], scores(fit.coef[0]), cluster=item.cluster)
    assert_close(covariance, item.values["vcov_robust"])
    assert_close(np.sqrt(np.diag(covariance)), item.values["se_robust"])
    at_zero = scores(np.zeros(item.X.shape[1]))
    if item.cluster is not None:
        at_zero = np.array([at_zero[item.cluster == c].sum(axis=0) for c in set(item.cluster)])
    total = at_zero.sum(axis=0)
    chi2 = total @ np.linalg.solve(at_zero.T @ at_zero, total)
    assert_close(chi2, item.values["score_robust_chi2"])


@pytest.mark.parametrize("name", having("concordance"))
def test_concordance(name):
    item = cox_case("cox", name)
    expected = item.values["concordance"]
    result = concordance(
        item.stop,
        item.event,
        item.X @ item.fit().coef[0],
        start=item.start,
        strata=item.strata,
        case=item.case,
        cluster=item.cluster,
    )
    assert_close(result.concordance, expected["c"])
    assert_close(result.concordant, expected["concordant"])
    assert_close(result.discordant, expected["discordant"])
    assert_close(result.tied_score, expected["tied_x"])
    assert_close(result.tied_time, expected["tied_y"])
    assert_close(result.tied_both, expected["tied_xy"])
    assert_close(result.std_error, expected["se"])


@pytest.mark.parametrize("name", having("profile_ci"))
def test_profile_limits(name):
    item = cox_case("cox", name)
    expected = item.values["profile_ci"]
    column = item.columns.index(expected["term"])
    limits = profile_limits(item.likelihood(), item.fit().coef[0], [column])
    assert_close(limits.lower[0], expected["lower"], rel=1e-6)
    assert_close(limits.upper[0], expected["upper"], rel=1e-6)


@pytest.mark.parametrize("name", having("basehaz_uncentered"))
def test_baseline_hazard(name):
    item = cox_case("cox", name)
    baseline = baseline_hazard(item.fitted())
    expected = item.values["basehaz_uncentered"]
    tables = expected.values() if item.strata is not None else [expected]
    for code, table in enumerate(tables):
        zero = np.zeros((1, item.X.shape[1]))
        cumulative, error = cumulative_hazard(baseline, zero, table["time"], strata=[code])
        assert_close(cumulative[0], table["cumhaz"])
        assert error is None


@pytest.mark.parametrize("name", having("predicted_survival"))
def test_predicted_survival(name):
    item = cox_case("cox", name)
    baseline = baseline_hazard(item.fitted())
    covariance = item.fit().covariance[0]
    for expected in item.values["predicted_survival"]:
        row = item.row(expected["covariates"])
        cumulative, error = cumulative_hazard(
            baseline, row, expected["time"], covariance=covariance
        )
        survival = np.exp(-cumulative[0])
        assert_close(cumulative[0], expected["cumhaz"])
        assert_close(survival, expected["surv"])
        assert_close(survival * error[0], expected["std_err_surv"])
        lower = np.exp(-cumulative[0] - 1.959963984540054 * error[0])
        assert_close(lower, expected["ci_log_lower"])


@pytest.mark.parametrize("kind", ["identity", "km", "rank", "log"])
@pytest.mark.parametrize("name", having("cox_zph"))
def test_proportional_hazards(name, kind):
    item = cox_case("cox", name)
    expected = item.values["cox_zph"][kind]
    fitted = item.fitted()
    pooled = None if item.strata is None else prepare(item.start, item.stop, item.event)
    g = time_transform(fitted.likelihood.sets, kind, item.stop, pooled=pooled)
    test = proportional_hazards_test(fitted, g, item.terms)
    assert_close(test.global_statistic, expected["GLOBAL"]["chi2"])
    assert test.global_df == expected["GLOBAL"]["df"]
    rows = [row for term, row in expected.items() if term != "GLOBAL"]
    assert_close(test.statistic, [row["chi2"] for row in rows])
    assert test.df == tuple(row["df"] for row in rows)


@pytest.mark.parametrize("name", having("martingale_first10"))
def test_residuals(name):
    item = cox_case("cox", name)
    fitted, values = item.fitted(), item.values
    martingale = martingale_residuals(fitted)
    assert_close(martingale[:10], values["martingale_first10"])
    assert_close(martingale @ martingale, values["martingale_sum_squares"])
    deviance = deviance_residuals(martingale, item.event.astype(float))
    assert_close(deviance[:10], values["deviance_resid_first10"])
    assert_close(deviance @ deviance, values["deviance_resid_sum_squares"])
    changes = dfbeta(score_residuals(fitted), item.fit().covariance[0], item.case)
    assert_close(changes[:5], values["dfbeta_first5"])
    assert_close((changes**2).sum(axis=0), values["dfbeta_sum_squares"])


@pytest.mark.parametrize("name", having("schoenfeld_first5"))
def test_schoenfeld_residuals(name):
    item = cox_case("cox", name)
    residuals = schoenfeld_residuals(item.fitted())
    values = residuals.values
    assert len(values) == item.values["schoenfeld_rows"]
    assert_close(values[:5], item.values["schoenfeld_first5"])
    assert_close((values**2).sum(axis=0), item.values["schoenfeld_sum_squares"])


@pytest.mark.parametrize("name", FIRTH)
def test_firth_estimate_and_likelihood(name):
    item = cox_case("cox_firth", name)
    fit, values = item.fit(), item.values
    assert fit.status[0] == 0
    assert_close(fit.coef[0], values["coef"])
    assert_close(fit.covariance[0], values["vcov"])
    assert_close(fit.log_likelihood[0], values["loglik_unpenalised_at_estimate"])
    assert_close(fit.log_likelihood_penalized[0], values["loglik_penalised_full"])
    null = item.likelihood()(np.zeros((1, item.X.shape[1])), np.zeros(1, int))[0][0]
    assert_close(null, values["loglik_penalised_null"])


@pytest.mark.parametrize("name", FIRTH)
def test_firth_profile_limits_and_tests(name):
    item = cox_case("cox_firth", name)
    fit, values = item.fit(), item.values
    limits = profile_limits(item.likelihood(), fit.coef[0])
    assert_close(limits.lower, values["pl_ci_lower"], rel=1e-6)
    assert_close(limits.upper, values["pl_ci_upper"], rel=1e-6)
    p = item.X.shape[1]
    restricted = restricted_fits(item.likelihood(), fit.coef[0], [[j] for j in range(p)])
    chi2 = 2 * (fit.log_likelihood_penalized[0] - restricted.log_likelihood)
    assert_close(chi2, values["plr_chi2"])


def test_monotone_likelihood_diverges_under_maximum_likelihood():
    item = cox_case("cox_firth", "rnet_b_esd_ties")
    fit = fit_cox(item.X, item.sets, ties="breslow")
    assert fit.status[0] == 2
    assert np.isfinite(numbers(item.values["coef"])).all()
