"""Exact conditional logistic regression."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import BudgetError, ColumnError, FormulaError, TooFewEventsError
from rnetstats.kernels.exact_logistic import conditional_weights, patterns
from support import at_once


def expanded(a: int, b: int, c: int, d: int) -> pd.DataFrame:
    """Rows of a table: a of b exposed, c of d others have the outcome."""
    y = [1] * a + [0] * (b - a) + [1] * c + [0] * (d - c)
    return pd.DataFrame({"y": y, "x": [1] * b + [0] * d})


@pytest.mark.parametrize("counts", [(8, 181, 4, 346), (0, 44, 3, 98), (5, 7, 9, 60)])
def test_one_factor_is_fishers_table(counts: tuple[int, int, int, int]) -> None:
    a, b, c, d = counts
    table = rn.exact_table([[a, b - a], [c, d - c]])
    for method in ("central", "mid-p"):
        row = rn.exact_logistic(expanded(*counts), "y ~ x", method=method).to_frame().iloc[0]
        known = table.method(method, "odds ratio")
        for name in ("estimate", "conf_low", "conf_high", "p_value"):
            assert row[name] == pytest.approx(known[name], rel=1e-8, abs=1e-12)


def test_a_second_factor_is_conditioned_on_as_strata_are() -> None:
    """Two strata by hand: the statistic is a sum of two hypergeometric counts."""
    strata = [expanded(3, 5, 1, 6).assign(s=0), expanded(2, 3, 2, 8).assign(s=1)]
    fit = rn.exact_logistic(pd.concat(strata, ignore_index=True), "y ~ x + s")
    first = [math.comb(5, k) * math.comb(6, 4 - k) for k in range(5)]
    second = [math.comb(3, k) * math.comb(8, 4 - k) for k in range(4)]
    law = np.convolve(first, second) / (math.comb(11, 4) * math.comb(11, 4))
    row = fit.to_frame().iloc[0]
    assert row["statistic"] == 5
    assert row["p_value"] == pytest.approx(2 * law[5:].sum(), rel=1e-10)
    theta = row["coef"]
    tilted = law * np.exp(theta * np.arange(len(law)))
    assert tilted @ np.arange(len(law)) / tilted.sum() == pytest.approx(5.0, rel=1e-9)


def test_separation_has_one_limit_and_a_median_unbiased_estimate() -> None:
    data = {"y": [0, 0, 0, 0, 1, 1, 1], "x": [0, 0, 0, 1, 1, 1, 1]}
    fit = rn.exact_logistic(data, "y ~ x")
    row = fit.to_frame().iloc[0]
    assert row["estimate"] == math.inf
    assert row["conf_high"] == math.inf
    # the observed statistic is the largest of 4 C(4, k) C(3, 3 - k) over k = 0..3: 4 of 35
    assert row["p_value"] == pytest.approx(2 * 4 / 35)
    median = fit.median_unbiased()["estimate"].iloc[0]
    weights = [math.comb(4, k) * math.comb(3, 3 - k) for k in range(4)]
    odds = np.array(weights) * median ** np.arange(4)
    assert odds[3] / odds.sum() == pytest.approx(0.5, rel=1e-8)
    assert fit.glance()["n_infinite"].iloc[0] == 1


def test_a_factor_has_a_row_a_level_and_rows_count_as_weights() -> None:
    data = pd.DataFrame(
        {
            "y": [1, 0, 1, 0, 1, 0],
            "m": ["a", "a", "b", "b", "c", "c"],
            "w": [3, 20, 6, 11, 9, 8],
        }
    )
    weighted = rn.exact_logistic(data, "y ~ m", freq_weights="w")
    rows = rn.exact_logistic(data.loc[data.index.repeat(data["w"])], "y ~ m")
    pd.testing.assert_frame_equal(weighted.to_frame(), rows.to_frame())
    assert weighted.to_frame()["level"].tolist() == ["b", "c"]
    assert weighted.to_frame()["n"].tolist() == [17, 17]
    assert weighted.to_frame()["n_events"].tolist() == [6, 9]


@given(st.integers(0, 10_000))
def test_swapping_the_outcome_inverts_every_odds_ratio(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 24
    data = pd.DataFrame({"a": rng.integers(0, 2, n), "b": rng.integers(0, 2, n)})
    data["y"] = rng.integers(0, 2, n)
    data.loc[0, "y"], data.loc[1, "y"] = 0, 1
    fit = rn.exact_logistic(data, "y ~ a + b").to_frame()
    other = rn.exact_logistic(data.assign(y=1 - data["y"]), "y ~ a + b").to_frame()
    np.testing.assert_allclose(fit["p_value"], other["p_value"], rtol=1e-9)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(fit["conf_low"], 1.0 / other["conf_high"], rtol=1e-7)
    inside = np.isfinite(fit["coef"])
    np.testing.assert_allclose(fit["coef"][inside], -other["coef"][inside], atol=1e-7)


def test_what_the_other_terms_determine_has_no_estimate() -> None:
    data = {"y": [0, 1, 1, 1], "a": [0, 0, 1, 1], "b": [0, 0, 0, 1]}
    fit = rn.exact_logistic(data, "y ~ a + b")
    row = fit.to_frame().iloc[1]
    assert math.isnan(row["estimate"])
    assert row["p_value"] == 1.0
    assert any("could not have come out otherwise" in note for note in fit.notes)


def test_what_it_refuses() -> None:
    data = {"y": [0, 1, 0, 1], "x": [0.5, 1.0, 2.0, 3.0], "z": [0, 1, 1, 0], "t": [1, 1, 2, 2]}
    with pytest.raises(ColumnError, match="x is not of whole numbers"):
        rn.exact_logistic(data, "y ~ x")
    with pytest.raises(TooFewEventsError, match="same outcome"):
        rn.exact_logistic({**data, "y": [1, 1, 1, 1]}, "y ~ z")
    with pytest.raises(FormulaError, match="no term"):
        rn.exact_logistic(data, "y ~ 1")
    with pytest.raises(FormulaError, match="offset"):
        rn.exact_logistic(data, "y ~ z + offset(t)")
    many = pd.DataFrame({"y": [0, 1] * 200, "x": np.arange(400), "z": [0, 0, 1, 1] * 100})
    with pytest.raises(BudgetError, match="firth"):
        rn.exact_logistic(many, "y ~ z + x", budget=1000)
    census = {"y": [0, 1] * 4, "z": [0, 0, 1, 1] * 2}
    with pytest.raises(BudgetError, match="firth"):
        rn.exact_logistic(census, "y ~ z", freq_weights=[10**12] * 8)


def test_large_numbers_are_counted_exactly_or_refused() -> None:
    data = {"y": [0, 1, 1, 0], "x": [10**15, 5, 3, 2]}
    with pytest.raises(ColumnError, match="1,000,000,000"):
        rn.exact_logistic(data, "y ~ x")
    with pytest.raises(BudgetError, match="firth"):
        rn.exact_logistic({**data, "x": [10**9, 5, 3, 2]}, "y ~ x")


def test_sums_too_wide_for_a_key_of_64_bits_are_still_kept_apart() -> None:
    X = np.array(
        [[1, 0, 0, 1, 0], [1, 1, 1, 0, 0], [1, 1, 0, 0, 1], [1, 1, 1, 1, 1], [1, 0, 1, 1, 0]]
    )
    y, scale = np.array([0, 1, 0, 1, 0]), np.array([1, 1, 2**32, 2**32, 2**32])
    size = np.array([2, 3, 1, 2, 3])
    low, expected = conditional_weights(*patterns(X, y, size), 1, 1000) or (0, np.zeros(0))
    found = conditional_weights(*patterns(X * scale, y, size), 1, 1000)
    assert found is not None
    assert found[0] == low
    np.testing.assert_allclose(found[1], expected, rtol=1e-12)


def test_a_hopeless_distribution_is_refused_soon_and_no_standard_error_has_a_note() -> None:
    rng = np.random.default_rng(1)
    many = {name: rng.integers(0, top, 3000) for name, top in (("y", 2), ("a", 20), ("b", 20))}
    refused = pytest.raises(BudgetError, match="distribution of a has more than 300,000 parts")
    with at_once(5.0), refused:
        rn.exact_logistic(many, "y ~ a + b", budget=300_000)
    fit = rn.exact_logistic({"y": [0, 0, 0, 1, 1], "x": [0, 0, 1, 1, 1]}, "y ~ x")
    assert fit.to_frame()["std_error"].isna().all()
    assert any("has no standard error" in note for note in fit.notes)
