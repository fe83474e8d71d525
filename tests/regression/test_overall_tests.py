"""Tests of a whole model: what they are for one factor, and where single ones do not exist."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

import rnetstats as rn
from rnetstats.errors import DataNotKeptError, OptionError
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.logistic import LogisticResult


def statistics(fit: LogisticResult | CoxResult) -> pd.Series:
    return fit.overall_tests().set_index("test")["statistic"]


@pytest.mark.parametrize("penalty", [None, "firth", "log-f"])
def test_the_score_statistic_of_a_factor_is_pearsons(penalty: str | None) -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": rng.choice(list("abc"), 90), "y": rng.integers(0, 2, 90)})
    expected = chi2_contingency(pd.crosstab(data["g"], data["y"]), correction=False).statistic
    fit = rn.logistic(data, "y ~ g", penalty=penalty)
    assert statistics(fit)["score"] == pytest.approx(expected, rel=1e-10)


def test_the_score_statistic_of_two_groups_without_ties_is_the_log_rank_statistic() -> None:
    rng = np.random.default_rng(3)
    group = np.tile(["a", "b"], 40)
    time = rng.exponential(np.where(group == "a", 10.0, 16.0))
    data = pd.DataFrame({"t": time, "e": rng.integers(0, 2, 80), "g": group})
    fit = rn.cox(data, "Surv(t, e) ~ g")
    expected = rn.logrank(data, "Surv(t, e) ~ g").glance()["statistic"].iloc[0]
    assert statistics(fit)["score"] == pytest.approx(expected, rel=1e-10)


def test_separated_data_have_a_score_test_and_no_wald_test() -> None:
    data = {"y": [0] * 6 + [1] * 6, "x": [*range(6), *range(8, 14)]}
    found = statistics(rn.logistic(data, "y ~ x", penalty=None))
    assert np.isnan(found["wald"])
    assert np.isfinite(found[["likelihood ratio", "score"]]).all()
    # the score by hand: that of a linear regression, n r^2
    assert found["score"] == pytest.approx(12.0 * np.corrcoef(data["x"], data["y"])[0, 1] ** 2)


def test_the_tests_do_not_depend_on_the_columns_origin_and_unit() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"x": rng.normal(size=70), "z": rng.normal(size=70)})
    data["y"] = (rng.random(70) < 1.0 / (1.0 + np.exp(-data["x"]))).astype(int)
    data["o"] = rng.normal(size=70)
    formula = "y ~ x + z + offset(o)"
    near = statistics(rn.logistic(data, formula, penalty=None))
    far = statistics(rn.logistic(data.assign(x=1e4 + 3.0 * data["x"]), formula, penalty=None))
    np.testing.assert_allclose(far, near, rtol=1e-8)


def test_a_sandwich_variance_is_that_of_the_wald_test_alone() -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"x": rng.normal(size=80), "y": rng.integers(0, 2, 80)})
    plain = rn.logistic(data, "y ~ x", penalty=None).overall_tests()
    robust = rn.logistic(data, "y ~ x", penalty=None, robust=True).overall_tests()
    assert abs(plain["statistic"][1] / robust["statistic"][1] - 1.0) > 1e-6
    np.testing.assert_allclose(plain["statistic"][[0, 2]], robust["statistic"][[0, 2]])
    assert robust["method"].str.contains("independent").tolist() == [True, False, True]
    assert "sandwich" in robust["method"][1]


def test_a_model_without_terms_or_without_its_rows_is_refused() -> None:
    data = {"y": [0, 1, 1, 0, 1], "x": [1.0, 2.0, 3.0, 4.0, 5.0]}
    with pytest.raises(OptionError, match="no terms"):
        rn.logistic(data, "y ~ 1").overall_tests()
    stored = LogisticResult.from_dict(rn.logistic(data, "y ~ x").to_dict())
    with pytest.raises(DataNotKeptError):
        stored.overall_tests()
