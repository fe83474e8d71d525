"""What R prints beside the coefficients of logistic and Cox models, from public numbers.

Counts, odds ratios, Wald limits and P, deviances, degrees of freedom, linear predictors, and the
variance of logistf. By decision the package differs from R in two: BIC counts replicated rows (R
the lines of the file), and a penalised fit's standard errors come from the plain information (as
brglm2's); logistf's come from the rows weighted by 1 + h, computed here from public numbers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm

import rnetstats as rn
from cox_cases import cox_case
from logistic_designs import LogisticCase, logistic_case
from rnetstats.errors import RnetError
from support import assert_close, case, case_ids, numbers

# A natural spline's coefficients belong to its basis.
ML = [name for name in case_ids("logistic_ml") if name not in ("birthwt_ns", "rnet_a_robust")]
FIRTH = [name for name in case_ids("logistic_firth") if name != "rnet_zero_events"]


@cache
def fitted(topic: str, name: str) -> tuple[Any, LogisticCase, pd.DataFrame]:
    """A Wald fit of the design's columns x1, x2, ..., as a user would ask for it."""
    found = logistic_case(case(topic, name))
    columns = {f"x{j}": found.X[:, j] for j in range(1, found.X.shape[1])}
    data = pd.DataFrame({"y": found.y, **columns})
    if found.freq is not None:
        data["w"] = found.freq
    fit = rn.logistic(
        data,
        "y ~ " + (" + ".join(columns) or "1"),
        penalty=None if topic == "logistic_ml" else "firth",
        ci="wald",
        freq_weights=None if found.freq is None else "w",
    )
    return fit, found, data


def assert_wald(fit: Any, values: dict[str, Any], low: str, high: str) -> None:
    table = fit.to_frame()
    with np.errstate(divide="ignore"):  # a badly scaled column's odds ratio may be 0 or infinite
        limits = np.log(table[["conf_low", "conf_high"]].to_numpy())
    half = norm.ppf(0.975) * table["std_error"]
    for side, column, sign in ((low, 0, -1), (high, 1, 1)):
        expected = numbers(values[side])
        assert_close(table["coef"] + sign * half, expected)
        within = np.isfinite(limits[:, column])
        assert_close(limits[within, column], expected[within])


@pytest.mark.parametrize("name", ML)
def test_maximum_likelihood(name: str) -> None:
    fit, found, data = fitted("logistic_ml", name)
    v, table, summary = found.values, fit.to_frame(), fit.glance().iloc[0]
    rows, p = len(data), found.X.shape[1]
    assert_close(table["statistic"], v["z"])
    assert_close(table["p_value"], v["p_wald"])
    assert_close(table["estimate"], v["odds_ratio"])
    assert_wald(fit, v, "wald_ci_lower", "wald_ci_upper")
    risk = fit.predict(data).to_numpy()
    assert_close(np.log(risk / (1.0 - risk))[:10], v["linear_predictor_first10"])
    assert (summary["n"], summary["df"]) == (v["sum_weights"], v["lr_overall_df"])
    if name == "menarche_grouped":  # R's rows are groups: its deviance is against their own rates
        assert (rows / 2, rows / 2 - p, rows / 2 - 1) == (
            v["n_rows"],
            v["df_residual"],
            v["df_null"],
        )
        yes, no = np.split(found.freq, 2)
        total, rate = yes + no, risk[: rows // 2]
        groups = np.where(yes > 0, yes * np.log(np.where(yes > 0, yes / total / rate, 1.0)), 0.0)
        groups += np.where(no > 0, no * np.log(np.where(no > 0, no / total / (1 - rate), 1.0)), 0.0)
        assert_close(2.0 * groups.sum(), v["deviance"])
        assert_close(summary["log_likelihood"] - summary["aic"] / -2.0, p)
        return
    assert (rows, rows - p, rows - 1) == (v["n_rows"], v["df_residual"], v["df_null"])
    freq = 1.0 if found.freq is None else found.freq
    assert_close((freq * fit.residuals("deviance") ** 2).sum(), v["deviance"])
    assert_close(-2.0 * summary["log_likelihood"], v["deviance"])
    assert_close(-2.0 * summary["log_likelihood_null"], v["null_deviance"])
    if summary["df"]:
        ratio = 2.0 * (summary["log_likelihood"] - summary["log_likelihood_null"])
        assert_close(chi2.sf(ratio, summary["df"]), v["lr_overall_p"])
    by_rows = summary["aic"] + (np.log(rows) - 2.0) * p
    assert_close(by_rows, v["bic_r_n_rows"])
    assert_close(summary["bic"], v["bic_sum_weights"])


@pytest.mark.parametrize("name", FIRTH)
def test_firth(name: str) -> None:
    fit, found, data = fitted("logistic_firth", name)
    v, table, summary = found.values, fit.to_frame(), fit.glance().iloc[0]
    freq = np.ones(len(data)) if found.freq is None else found.freq
    assert (len(data), summary["n"]) == (v["n_rows"], v["sum_weights"])
    assert_close(table["estimate"], v["odds_ratio"])
    assert_close(table["std_error"], v["se_fisher"])
    assert_wald(fit, v, "wald_se_fisher_ci_lower", "wald_se_fisher_ci_upper")
    assert_close(summary["log_likelihood"], v["loglik_unpenalised_at_estimate"])
    null = v["loglik_penalised_null_full_design_penalty"]
    ratio = 2.0 * (summary["log_likelihood_penalized"] - null)
    assert summary["df"] == v["lr_overall_df"]
    assert_close(chi2.sf(ratio, summary["df"]), v["lr_overall_p"])
    # logistf's own variance, from the risks, the covariance and the design
    risk, covariance = fit.predict(data).to_numpy(), np.asarray(fit.vcov)
    weight = risk * (1.0 - risk)
    hat = weight * np.einsum("ij,jk,ik->i", found.X, covariance, found.X)
    theirs = np.linalg.inv(found.X.T @ ((freq * weight * (1.0 + hat))[:, None] * found.X))
    assert_close(theirs, v["vcov_logistf"])
    assert_close(np.sqrt(np.diag(theirs)), v["se_logistf"])


def test_no_event_is_refused_where_logistf_prints_a_fit() -> None:
    with pytest.raises(RnetError, match="No row has the outcome"):
        fitted("logistic_firth", "rnet_zero_events")


COX = [name for name in case_ids("cox") if name != "lung_weights_efron"]


@cache
def cox_fitted(topic: str, name: str) -> tuple[Any, dict[str, Any]]:
    """A Wald fit of the design's columns, its strata, clusters and weights."""
    found = cox_case(topic, name)
    columns = {f"x{j}": column for j, column in enumerate(found.X.T, start=1)}
    data = pd.DataFrame({"stop": found.stop, "event": found.event, **columns})
    left, right = "Surv(stop, event)", list(columns)
    if found.start is not None:
        data["start"], left = found.start, "Surv(start, stop, event)"
    for name_of, values in (("strata", found.strata), ("cluster", found.cluster)):
        if values is not None:
            data[name_of] = values
            right.append(f"{name_of}({name_of})")
    options: dict[str, Any] = {}
    if found.case is not None:
        data["w"] = found.case
        whole = found.values.get("se_robust") is None
        options = {"freq_weights" if whole else "sampling_weights": "w"}
    fit = rn.cox(
        data,
        f"{left} ~ {' + '.join(right)}",
        penalty="firth" if found.firth else None,
        ties=found.ties,
        ci="wald",
        **options,
    )
    return fit, found.values


@pytest.mark.parametrize("name", COX)
def test_cox(name: str) -> None:
    fit, v = cox_fitted("cox", name)
    table, summary = fit.to_frame(), fit.glance().iloc[0]
    robust = "se_robust" in v
    if "weights" not in name:  # frequencies are rows here, and lines of the file in R
        assert (summary["n"], summary["n_events"]) == (v["n"], v["n_events"])
    coef, model = table["coef"].to_numpy(), fit.engine.model_covariance
    error = np.sqrt(np.diag(model))
    assert_close(model, v["vcov"])
    assert_close(error, v["se"])
    assert_close(coef / error, v["z"])
    assert_close(2.0 * norm.sf(np.abs(coef / error)), v["p_wald"])
    half = norm.ppf(0.975) * error
    assert_close(coef - half, v["wald_ci_lower"])
    assert_close(coef + half, v["wald_ci_upper"])
    kind = "robust" if robust else "wald"
    assert_close(np.log(table["conf_low"]), v[f"{kind}_ci_lower"])
    assert_close(np.log(table["conf_high"]), v[f"{kind}_ci_upper"])
    assert_close(table["p_value"], v["p_robust" if robust else "p_wald"])
    assert_close(table["estimate"], v["hazard_ratio"])
    assert_close(summary["log_likelihood"], v["loglik"])
    ratio = 2.0 * (summary["log_likelihood"] - summary["log_likelihood_null"])
    assert_close(ratio, v["lr_chi2"])
    assert_close(chi2.sf(ratio, v["df"]), v["lr_p"])
    assert_close(2.0 * v["df"] - 2.0 * summary["log_likelihood"], v["aic"])
    wald = float(coef @ np.linalg.solve(np.asarray(fit.vcov), coef))
    if not robust:  # R's overall Wald test of a robust fit is the model's, ours the robust one
        assert_close(summary["statistic"], v["wald_chi2"])
        assert_close(summary["p_value"], v["wald_p"])
    assert_close(wald, summary["statistic"])


@pytest.mark.parametrize("name", case_ids("cox_firth"))
def test_cox_firth(name: str) -> None:
    fit, v = cox_fitted("cox_firth", name)
    table, summary = fit.to_frame(), fit.glance().iloc[0]
    assert (summary["n"], summary["n_events"]) == (v["n"], v["n_events"])
    assert_close(table["coef"], v["coef"])
    assert_close(table["estimate"], v["hazard_ratio"])
    assert_close(table["std_error"], v["se"])
    assert_close(fit.vcov, v["vcov"])
    assert_close(np.log(table["conf_low"]), v["wald_ci_lower"])
    assert_close(np.log(table["conf_high"]), v["wald_ci_upper"])
    assert_close(summary["log_likelihood_penalized"], v["loglik_penalised_full"])
    assert summary["df"] == v["lr_overall_df"]
    ratio = 2.0 * (summary["log_likelihood_penalized"] - v["loglik_penalised_null"])
    assert_close(chi2.sf(ratio, summary["df"]), v["lr_overall_p"])


@pytest.mark.parametrize("name", [n for n in case_ids("separation") if n != "rnet_zero_events"])
def test_infinite_coefficients(name: str) -> None:
    """detectseparation's sign is an accident where ours says that either can be had."""
    found = logistic_case(case("separation", name))
    columns = {f"x{j}": found.X[:, j] for j in range(1, found.X.shape[1])}
    result = rn.separation(pd.DataFrame({"y": found.y, **columns}), "y ~ " + " + ".join(columns))
    theirs = numbers(found.values["coef"])
    ours = result.to_frame()["direction"].to_numpy()
    assert ((ours == "finite") == (theirs == 0.0)).all()
    signs = np.isin(ours, ("+inf", "-inf"))
    assert ((ours[signs] == "+inf") == (theirs[signs] > 0.0)).all()
