"""Propensity weights, balance and weighted effects against R (survey, survival, sandwich)."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.treatment.propensity import PropensityResult
from support import assert_close, case, read

PREPARED = {
    "lalonde": lambda d: d.assign(high=(d["re78"] > 8000).astype(int)),
    "rnet_a_esd": lambda d: d[d["method"] != "other"].assign(
        esd=lambda x: (x["method"] == "ESD").astype(int),
        low_rectum=lambda x: (x["location"] == "lower").astype(int),
        recurrence_or_death=lambda x: (x["event_type"] > 0).astype(int),
    ),
    "rnet_b_cemr": lambda d: d.assign(cemr=(d["method"] == "cEMR").astype(int)),
}
TIMES = {
    "rnet_a_esd": "Surv(dfs_months, recurrence_or_death)",
    "rnet_b_cemr": "Surv(os_months, death)",
}
WEIGHTS = ("ate", "ate_stabilised", "att", "atc", "overlap")


@cache
def prepared(name: str) -> pd.DataFrame:
    return PREPARED[name](read(case("weights", name)["data"]))


@cache
def fitted(name: str, weights: str) -> PropensityResult:
    spec = case("weights", name)["spec"]
    return rn.propensity(
        prepared(name),
        f"{spec['treatment']} ~ {' + '.join(spec['terms'])}",
        weights=weights.removesuffix("_stabilised"),
        stabilised=weights.endswith("_stabilised"),
        penalty=None,
    )


@pytest.mark.parametrize("name", PREPARED)
def test_score_model(name: str) -> None:
    expected, fit = case("weights", name)["values"], fitted(name, "ate")
    glance = fit.glance().iloc[0]
    assert (glance["n"], glance["n_treated"]) == (expected["n"], expected["n_treated"])
    assert list(fit.model.coef.index) == list(expected["ps_coef"])
    assert_close(fit.model.coef, expected["ps_coef"])
    assert_close(fit.scores()["score"][:10], expected["ps_first10"])
    assert_close(glance["c_statistic"], expected["ps_auc"])
    assert_close(fit.to_frame()["smd_before"], expected["smd_unweighted"])
    assert list(fit.to_frame()["label"]) == list(expected["smd_unweighted"])


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", PREPARED)
def test_weights_and_balance(name: str, weights: str) -> None:
    expected, fit = case("weights", name)["values"][weights], fitted(name, weights)
    assert_close(fit.scores()["weight"][:10], expected["weights_first10"])
    glance = fit.glance().iloc[0]
    for field in ("sum_weights_treated", "sum_weights_control", "ess_treated", "ess_control"):
        assert_close(glance[field], expected[field])
    assert_close(glance["max_weight"], expected["max_weight"])
    for variances in ("weighted", "unweighted"):
        smd = fit.balance(variances=variances).to_frame()["smd_after"]
        assert_close(smd, expected[f"smd_{variances}_variances"])


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", PREPARED)
def test_binary_effect(name: str, weights: str) -> None:
    spec = case("weights", name)["spec"]
    expected = case("weights", name)["values"][weights]
    result = fitted(name, weights).effect(spec["outcome"], resamples=0)
    rows = result.to_frame().set_index(["measure", "arm"])
    control, treated = result.arms["arm"]
    assert_close(rows.loc[("risk", treated), "estimate"], expected["risk_treated"])
    assert_close(rows.loc[("risk", control), "estimate"], expected["risk_control"])
    difference, ratio = rows.loc[("risk difference", "")], rows.loc[("odds ratio", "")]
    assert_close(difference["estimate"], expected["risk_difference"])
    assert_close(difference["std_error"], expected["svyglm_rd_se"])
    assert_close(np.log(ratio["estimate"]), expected["svyglm_log_or"])
    assert_close(ratio["std_error"], expected["svyglm_log_or_se"])
    assert_close(np.log(ratio["estimate"]) / ratio["std_error"], expected["svyglm_log_or_t"])
    n = result.arms["n"].sum()
    assert_close(ratio["std_error"] * np.sqrt((n - 1) / n), expected["sandwich_hc0_log_or_se"])
    assert n - 2 == expected["svyglm_df_residual"]
    from scipy.stats import t  # the law that the degrees of freedom belong to

    p = 2 * t.sf(abs(expected["svyglm_log_or_t"]), expected["svyglm_df_residual"])
    assert_close(ratio["p_value"], p)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", TIMES)
def test_weighted_cox(name: str, weights: str, ties: str) -> None:
    expected = case("weights", name)["values"][weights][f"cox_{ties}"]
    fit = fitted(name, weights)
    row = fit.cox(TIMES[name], resamples=0, ties=ties).to_frame().iloc[0]
    assert_close(np.log(row["estimate"]), expected["log_hr"])
    assert_close(row["std_error"], expected["se_robust"])
    data = prepared(name).reset_index(drop=True)
    plain = rn.cox(
        data,
        f"{TIMES[name]} ~ {case('weights', name)['spec']['treatment']}",
        sampling_weights=fit.scores()["weight"].to_numpy(),
        penalty=None,
        ties=ties,
    )
    assert_close(np.sqrt(plain.engine.model_covariance[0, 0]), expected["se_naive"])
