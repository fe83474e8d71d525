"""Right-truncated intervals: against R in reverse time, by hand, and by simulation."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, FormulaError, OptionError, RnetError
from rnetstats.kernels.quasi_independence import conditional_tau
from support import assert_close

# Fourteen intervals with ties, two of them as long as their window.
SEEN = pd.DataFrame(
    {
        "x": [3, 5, 5, 8, 11, 14, 14, 20, 27, 33, 41, 41, 52, 60],
        "w": [12, 40, 5, 70, 30, 14, 66, 25, 90, 80, 50, 75, 88, 61],
        "g": [0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0],
    }
)
# R 4.2.2, survival 3.5-3: survfit(Surv(100 - w - 0.25, 100 - x, rep(1, 14)) ~ 1,
# conf.type = "log-log"), the values after each reverse time in rising order of x; a quarter makes
# windows inclusive. The estimate at an interval is that after the next longer one.
R_RISK = [1, 3, 3, 4, 5, 5, 5, 5, 6, 6, 7]
R_SHARE = [
    0.0243809523810,
    0.0731428571429,
    0.1097142857143,
    0.1462857142857,
    0.2438095238095,
    0.3047619047619,
    0.3809523809524,
    0.4761904761905,
    0.7142857142857,
    0.8571428571429,
]
R_LOW = [
    0.00106784277952,
    0.00792083701915,
    0.01567089694629,
    0.02391619534334,
    0.05062853006561,
    0.06938829614072,
    0.09618014250998,
    0.13574984988368,
    0.25815366545880,
    0.33405387929222,
]
R_HIGH = [
    0.133192128808,
    0.243233496682,
    0.308795993091,
    0.371680130574,
    0.512878220894,
    0.589086613519,
    0.671819451777,
    0.759073194703,
    0.919797456045,
    0.978561058526,
]
R_ERROR = [
    0.0282280071306,
    0.0600399737266,
    0.0781318911830,
    0.0952329576846,
    0.1314031984447,
    0.1494502758366,
    0.1662612497036,
    0.1784769213256,
    0.1707469441906,
    0.1322600142532,
]


def fit(data: Any = SEEN, formula: str = "x ~ 1", **options: Any) -> Any:
    return rn.right_truncated(data, formula, truncation="w", **options)


def test_curve_is_that_of_r_in_reverse_time() -> None:
    frame = fit().to_frame()
    np.testing.assert_array_equal(frame["n_risk"], R_RISK)
    for name, theirs in (
        ("probability", [*R_SHARE, 1.0]),
        ("conf_low", [*R_LOW, "NA"]),
        ("conf_high", [*R_HIGH, "NA"]),
        ("std_error", [*R_ERROR, "NA"]),
    ):
        assert_close(frame[name], theirs, rel=1e-11)


def test_groups_and_their_test_are_those_of_r_in_reverse_time() -> None:
    """The log-rank sums of the fourteen rows in reverse time, written out in R."""
    found = fit(formula="x ~ g")
    first, second = (found.curves[found.curves["group"] == g] for g in "01")
    assert_close(first["probability"], [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1])
    assert_close(second["probability"], [0.1125, 0.225, 0.3375, 0.45, 0.6, 0.8, 1])
    assert_close(found.statistic, 0.536813003666594, rel=1e-12)
    assert found.df == 1
    assert found.within == 88.0


def test_a_window_that_rounding_alone_parts_from_its_interval_is_as_long() -> None:
    """Months as parts of a year: 14 x (1 / 12) and 14 / 12 are two numbers to a computer."""
    for years in (
        SEEN.assign(x=SEEN["x"] / 12, w=SEEN["w"] * (1 / 12)),
        SEEN.assign(x=SEEN["x"] * (1 / 12), w=SEEN["w"] / 12),
    ):
        for within in (None, 41.0):
            in_months = rn.right_truncated(SEEN, "x ~ g", truncation="w", within=within)
            asked = None if within is None else within * (1 / 12)
            in_years = rn.right_truncated(years, "x ~ g", truncation="w", within=asked)
            columns = ["n_risk", "n_event", "probability", "conf_low", "conf_high"]
            assert_close(in_years.to_frame()[columns], in_months.to_frame()[columns], rel=1e-9)
            assert in_years.glance()["n_beyond"].item() == in_months.glance()["n_beyond"].item()


def test_limits_of_quantiles_are_where_the_limits_of_the_shares_pass_them() -> None:
    found = fit()
    frame = found.to_frame()
    for q in (0.1, 0.2, 0.3):
        row = found.quantile(q).iloc[0]
        # the upper limit of the share passes first; at the longest interval there are no limits
        for name, other in (("conf_low", "conf_high"), ("conf_high", "conf_low")):
            passed = frame["time"][frame[other] >= q]
            assert row[name] == passed.iloc[0]
        assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_median_and_naive_median_by_hand() -> None:
    row = fit().groups.iloc[0]
    assert row["median"] == 41.0  # 0.476 by 33, 0.714 by 41
    assert row["naive_median"] == 17.0  # half have at most 14: the middle of 14 and 20
    assert row["bias"] == -24.0
    # the upper limits pass a half at 14, the lower ones never do below the longest interval
    assert row["conf_low"] == 14.0
    assert np.isnan(row["conf_high"])
    assert any("not reached within the window" in note for note in fit().notes)
    # exactly half by 41: the middle of the flat piece
    assert fit(formula="x ~ g").median["estimate"].tolist() == [50.5, 33.0]


def test_the_same_curve_by_the_other_road() -> None:
    """kaplan_meier() on reversed times, entering a quarter before."""
    reverse = SEEN.assign(entry=100.0 - SEEN["w"] - 0.25, end=100.0 - SEEN["x"], event=1)
    curve = rn.kaplan_meier(reverse, "Surv(entry, end, event) ~ 1").to_frame()
    shares = curve["survival"].to_numpy()[:-1][::-1]
    assert_close(fit().to_frame()["probability"].iloc[:-1], shares, rel=1e-12)


def test_without_truncation_the_answer_is_the_naive_one() -> None:
    found = fit(SEEN.assign(w=60))
    assert_close(found.curves["probability"], found.naive["probability"])
    assert found.groups["bias"].item() == 0.0


def test_values_at_given_times() -> None:
    at = fit().at([0, 2.9, 3, 40, 41, 60, 90, 91])
    assert_close(
        at["probability"], [0, 0, R_SHARE[0], R_SHARE[7], R_SHARE[8], 1, 1, "NA"], rel=1e-11
    )
    assert at["conf_low"].isna().tolist() == [True, True, False, False, False, True, True, True]


def test_condition_divides_by_the_share_within() -> None:
    found, whole = fit(within=30), fit()
    assert found.n_beyond == 5
    inside = whole.curves["time"] <= 27
    expected = whole.curves.loc[inside, "probability"] / R_SHARE[6]
    assert_close(found.curves["probability"], expected, rel=1e-12)
    assert any("5 rows" in note for note in found.notes)
    # of several groups the condition is what each of them could have shown
    short = SEEN.assign(w=np.where(SEEN["g"] == 0, np.minimum(SEEN["w"], 61), SEEN["w"]))
    assert fit(short, "x ~ g").within == 61.0
    text = " ".join(fit(short, "x ~ g", within=70).notes)
    assert "within=61 compares like with like" in text


def test_an_estimate_that_ends_early_says_so() -> None:
    data = {"x": [1, 2, 3, 10], "w": [4, 5, 6, 20]}
    found = fit(data)
    assert found.curves["probability"].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert any("within=3 describes those" in note for note in found.notes)
    assert fit(data, within=3).curves["probability"].iloc[1] > 0.0


def test_missing_rows_are_counted_or_refused() -> None:
    data = SEEN.astype(float)
    data.loc[0, "x"], data.loc[1, "w"], data.loc[2, "g"] = np.nan, np.nan, np.nan
    found = fit(data, "x ~ g")
    assert found.n_missing == 3
    assert found.groups["n"].sum() == 11
    with pytest.raises(DataError, match="w: row 2"):
        fit(data, missing="raise")


def test_rows_are_named_as_given() -> None:
    data = SEEN.astype(float)
    data.loc[1, "w"] = np.nan
    data.loc[4, "w"] = 2.0
    with pytest.raises(DataError, match=r"row 5 \(11 against 2\)"):
        fit(data)


rows = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 15)), min_size=1, max_size=25)


@pytest.mark.slow
@given(rows, st.integers(1, 9))
def test_invariants(pairs: list[tuple[int, int]], scale: int) -> None:
    """Order and unit of the rows are irrelevant; the law rises to 1; the product is the law."""
    x, extra = np.array(pairs, float).T
    data = pd.DataFrame({"x": x, "w": x + extra})
    found = fit(data)
    share = found.curves["probability"].to_numpy()
    assert np.all(np.diff(share) >= 0.0)
    assert share[-1] == 1.0
    other = fit((data * scale).sample(frac=1.0, random_state=1))
    assert_close(other.curves["time"], found.curves["time"] * scale)
    assert_close(other.curves["probability"], share)
    time = found.curves["time"].to_numpy()
    risk = ((data["x"].to_numpy()[:, None] <= time) & (data["w"].to_numpy()[:, None] >= time)).sum(
        0
    )
    np.testing.assert_array_equal(found.curves["n_risk"], risk)
    factor = 1.0 - (x[:, None] == time).sum(axis=0) / risk
    assert_close(share, [np.prod(factor[j + 1 :]) for j in range(len(time))], rel=1e-12)


@given(rows)
def test_conditional_tau_counts_the_comparable_pairs(pairs: list[tuple[int, int]]) -> None:
    x, extra = np.array(pairs, float).T
    w = x + extra
    found = conditional_tau(x, w)
    score = count = 0
    for i, j in itertools.combinations(range(len(x)), 2):
        if x[i] != x[j] and max(x[i], x[j]) <= min(w[i], w[j]):
            count += 1
            score += np.sign((x[i] - x[j]) * (w[i] - w[j]))
    assert found.pairs == count
    assert found.score == score
    assert_close(found.tau, score / count if count else math.nan)


def test_variance_of_tau_by_enumeration() -> None:
    """One time with one event among four at risk: each of the four windows is as likely."""
    windows = np.array([10.0, 10.0, 20.0, 30.0])
    places = [sum(np.sign(w - windows)) for w in windows]
    found = conditional_tau(np.array([1.0, 1.0, 1.0, 5.0]), windows)
    # at x = 5 all four are at risk and one has it; at x = 1 all three at risk have it
    assert_close(found.variance, np.mean(np.square(places)))
    assert found.pairs == 3


def truncated(rng: np.random.Generator, n: int, mean: float = 40.0) -> pd.DataFrame:
    """Of exponential intervals those that fit windows of 6 to 120 months."""
    x, w = rng.exponential(mean, n), rng.uniform(6.0, 120.0, n)
    return pd.DataFrame({"x": x, "w": w})[x <= w]


def law(t: np.ndarray, within: float, mean: float = 40.0) -> np.ndarray:
    return np.expm1(-t / mean) / np.expm1(-within / mean)


@pytest.mark.slow
def test_simulated_law_is_met_and_the_naive_one_is_not() -> None:
    rng, times, within = np.random.default_rng(11), np.array([12.0, 24.0, 48.0]), 100.0
    fits = [fit(truncated(rng, 300), within=within) for _ in range(40)]
    shares = np.array([f.at(times)["probability"] for f in fits])
    naive = np.array([[(f.naive["time"] <= t).mean() for t in times] for f in fits])
    error = shares.std(axis=0, ddof=1) / np.sqrt(len(fits))
    true = law(times, within)
    assert np.all(np.abs(shares.mean(axis=0) - true) < 3.0 * error)
    assert np.all(naive.mean(axis=0) - true > 10.0 * error)
    assert np.mean([f.groups["bias"].item() for f in fits]) < -5.0


@pytest.mark.slow
def test_limits_and_tests_hold_their_level() -> None:
    """Coverage of 95 % limits, and the level of both tests, in 300 samples of about 150."""
    rng, within, n = np.random.default_rng(5), 100.0, 300
    held, p_values, tau = [], [], []
    for _ in range(n):
        data = truncated(rng, 300).assign(g=lambda d: rng.integers(0, 2, len(d)))
        at = fit(data, within=within).at([24.0]).iloc[0]
        held.append(at["conf_low"] <= law(np.array(24.0), within) <= at["conf_high"])
        found = fit(data, "x ~ g")
        p_values.append(found.p_value)
        tau.append(found.tau_p_value)
    error = np.sqrt(0.05 * 0.95 / n)
    assert abs(np.mean(held) - 0.95) < 3.0 * error + 0.005
    assert abs(np.mean(np.array(p_values) < 0.05) - 0.05) < 3.0 * error
    assert abs(np.mean(np.array(tau) < 0.05) - 0.05) < 3.0 * error


def test_dependence_is_noticed() -> None:
    rng = np.random.default_rng(2)
    w = rng.uniform(10.0, 100.0, 300)
    found = fit({"x": w * rng.uniform(0.2, 0.6, 300), "w": w})
    assert found.tau > 0.3
    assert found.tau_p_value < 1e-6
    assert any("speaks against it" in note for note in found.notes)


BAD: list[tuple[Any, dict[str, Any], type[RnetError], str]] = [
    (SEEN.assign(x=SEEN["x"] + 60), {}, DataError, "could not have been seen"),
    (SEEN.assign(x=-SEEN["x"]), {}, DataError, "negative"),
    (SEEN, {"formula": "Surv(x, g) ~ 1"}, FormulaError, "column of numbers"),
    (SEEN, {"formula": "x == 5 ~ 1"}, FormulaError, "is a condition"),
    (SEEN, {"formula": "x ~ strata(g)"}, FormulaError, "strata"),
    (SEEN, {"formula": "y ~ 1"}, ColumnError, "y"),
    (SEEN, {"formula": "x ~ w"}, ColumnError, "different numbers"),
    (SEEN.assign(x="a"), {}, RnetError, "x"),
    (SEEN.assign(w="a"), {}, RnetError, "w"),
    (SEEN.assign(w=np.nan), {}, DataError, "w"),
    (SEEN.drop(columns="w"), {}, ColumnError, "w"),
    (SEEN.iloc[:0], {}, DataError, "no rows"),
    (SEEN, {"within": 200}, OptionError, "beyond the longest window"),
    (SEEN, {"within": 1}, DataError, "the shortest is 3"),
    (SEEN, {"within": 4, "formula": "x ~ g"}, DataError, "group '1'"),
    (SEEN, {"within": "x"}, OptionError, "within"),
    (SEEN, {"ci": "bpcp"}, OptionError, "ci"),
    (SEEN, {"conf_level": 95}, OptionError, "0.95"),
    (SEEN, {"missing": "keep"}, OptionError, "missing"),
    ([1, 2], {}, DataError, "DataFrame"),
]


@pytest.mark.parametrize(("data", "options", "error", "words"), BAD)
def test_bad_input_is_refused_in_words(
    data: Any, options: dict[str, Any], error: type[RnetError], words: str
) -> None:
    with pytest.raises(error, match=words):
        fit(data, **options)


def test_truncation_names_a_column() -> None:
    with pytest.raises(OptionError, match="must name a column"):
        rn.right_truncated(SEEN, "x ~ 1", truncation=SEEN["w"])  # type: ignore[arg-type]


def test_intervals_of_zero_have_a_figure() -> None:
    found = fit({"x": [0, 0], "w": [0, 0]})
    assert found.within == 0.0
    assert found.plot().has_data()


def test_one_patient_has_a_defined_answer() -> None:
    found = fit({"x": [5], "w": [9]})
    assert found.curves["probability"].tolist() == [1.0]
    assert found.groups["median"].item() == 5.0
    assert np.isnan(found.tau_p_value)
    assert any("No two rows with different windows" in note for note in found.notes)
    assert found.plot().has_data()


def test_rows_without_a_window_are_counted_in_the_notes() -> None:
    data = {"t": [4.0, 9.0, np.nan, 20.0, 31.0, 48.0], "w": [10.0, np.nan, 15.0, 80.0, 35.0, 90.0]}
    found = rn.right_truncated(data, "t ~ 1", truncation="w")
    assert found.n_missing == 2
    assert found.notes[0] == "1 of 6 rows left out for missing values: w (1)."
    assert found.notes[1] == "1 of 5 rows left out for missing values: t (1)."
