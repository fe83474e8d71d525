"""Columns whose values hardly vary beside their size: the same answers as near zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import DataError
from support import assert_close, read

SHOWN = ["estimate", "conf_low", "conf_high", "std_error", "statistic", "p_value"]
FORMULA = "margin_positive ~ lvi + far"


def data(mean: float) -> pd.DataFrame:
    """Return a cohort whose NLR (in 64ths, so that the shift is exact) is moved up."""
    frame = read("rnet_like_a.csv").dropna(subset=["nlr"])
    return frame.assign(far=np.round(frame["nlr"] * 64) / 64 + mean)


def slopes(fit: rn.LogisticResult) -> pd.DataFrame:
    return fit.to_frame().query("term != '(Intercept)'")[SHOWN].reset_index(drop=True)


@pytest.mark.parametrize("mean", [100.0, 2015.0, 45_000.0, 1e6])
@pytest.mark.parametrize("penalty", ["firth", None])
@pytest.mark.parametrize("ci", [None, "wald"])
def test_a_year_gives_the_odds_ratios_of_years_since(
    mean: float, penalty: str | None, ci: str | None
) -> None:
    far, near = (rn.logistic(data(m), FORMULA, penalty=penalty, ci=ci) for m in (mean, 0.0))
    assert_close(slopes(far), slopes(near), rel=1e-8)
    for name in ("log_likelihood", "log_likelihood_penalized", "statistic"):
        value, expected = (fit.glance()[name].iloc[0] for fit in (far, near))
        assert value == pytest.approx(expected, rel=1e-9, nan_ok=True)
    assert_close(far.term_tests()["statistic"], near.term_tests()["statistic"], rel=1e-8)


@pytest.mark.parametrize("mean", [2015.0, 1e5])
@pytest.mark.parametrize("penalty", ["firth", None])
def test_the_intercept_of_a_far_column_is_the_risk_at_zero(
    mean: float, penalty: str | None
) -> None:
    # With far - mean in the model and its zero moved there, the intercept is the log odds where
    # far is 0; its profile is the near model's along that combination of coefficients.
    far = rn.logistic(data(mean), FORMULA, penalty=penalty)
    near = rn.logistic(data(0.0), FORMULA, penalty=penalty)
    row = far.to_frame().iloc[0]
    ways = np.array([1.0, 0.0, -mean])
    assert row["coef"] == pytest.approx(ways @ near.coef.to_numpy(), rel=1e-9)
    variance = ways @ near.vcov.to_numpy() @ ways
    assert row["std_error"] == pytest.approx(np.sqrt(variance), rel=1e-7)
    # So far out, the hypothesis about the intercept is nearly that about the slope.
    slope = near.to_frame().iloc[2]
    assert row["statistic"] == pytest.approx(slope["statistic"], rel=0.2)


@pytest.mark.parametrize("mean", [700.0, 2015.0, 1e5])
@pytest.mark.parametrize("penalty", ["firth", None])
def test_a_product_with_a_far_column(mean: float, penalty: str | None) -> None:
    formula = "margin_positive ~ lvi * far"
    far, near = (rn.logistic(data(m), formula, penalty=penalty) for m in (mean, 0.0))
    assert_close(slopes(far).iloc[1:], slopes(near).iloc[1:], rel=1e-7)
    expected = near.coef.to_numpy()
    assert far.coef.iloc[1] == pytest.approx(expected[1] - mean * expected[3], rel=1e-7)
    whole = far.term_tests().query("term == 'lvi:far'")["statistic"].iloc[0]
    assert whole == pytest.approx(far.to_frame()["statistic"].iloc[3], rel=1e-8)


def test_splines_of_a_far_column_move_with_it() -> None:
    for right in ("rcs(far, 3)", "ns(far, 3)"):
        far, near = (rn.logistic(data(m), f"margin_positive ~ {right}") for m in (3000.0, 0.0))
        assert_close(slopes(far)["statistic"], slopes(near)["statistic"], rel=1e-6)
        assert_close(far.term_tests()["statistic"], near.term_tests()["statistic"], rel=1e-6)


def test_robust_variances_of_a_far_column() -> None:
    far, near = (rn.logistic(data(m), FORMULA, robust=True) for m in (2015.0, 0.0))
    assert_close(slopes(far), slopes(near), rel=1e-8)


@pytest.mark.slow
@settings(max_examples=8)
@given(seed=st.integers(0, 999), mean=st.sampled_from([500.0, 1e4, 1e6]))
def test_separation_by_a_far_column_is_found_and_has_its_limit(seed: int, mean: float) -> None:
    rng = np.random.default_rng(seed)
    x = np.sort(np.round(rng.normal(size=40) * 64) / 64)
    y = (np.arange(40) >= 25).astype(int)
    if x[24] == x[25]:
        return
    frames = [pd.DataFrame({"y": y, "far": x + m, "z": np.arange(40) % 5}) for m in (mean, 0.0)]
    far, near = (rn.logistic(frame, "y ~ far + z", penalty=None) for frame in frames)
    assert far.glance()["separation"].iloc[0] == near.glance()["separation"].iloc[0] == "complete"
    row, expected = (fit.to_frame().iloc[1] for fit in (far, near))
    assert row["coef"] == expected["coef"] == np.inf
    assert np.log(row["conf_low"]) == pytest.approx(np.log(expected["conf_low"]), rel=1e-6)
    firth, plain = (rn.logistic(frame, "y ~ far + z") for frame in frames)
    assert_close(slopes(firth), slopes(plain), rel=1e-7)


@pytest.mark.parametrize("mean", [2015.0, 1e6, 1e9])
@pytest.mark.parametrize("penalty", ["firth", None])
def test_cox_does_not_feel_where_a_column_begins(mean: float, penalty: str | None) -> None:
    formula = "Surv(os_months, death) ~ lvi + far"
    far, near = (rn.cox(data(m), formula, penalty=penalty) for m in (mean, 0.0))
    assert_close(slopes(far), slopes(near), rel=1e-8)


def test_a_column_too_far_is_refused_by_name_with_its_ratio() -> None:
    frame = data(0.0)
    frame["far"] = frame["far"] / frame["far"].std() + 1e8
    with pytest.raises(DataError, match=r"'far' is 1\.0e\+08 times .* \(up to 1e\+07"):
        rn.logistic(frame, FORMULA)
