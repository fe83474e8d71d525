"""Discrimination where it is hard: perfect or constant predictions, few rows, bad input."""

from __future__ import annotations

import numpy as np
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, FormulaError, OptionError, TooFewEventsError
from rnetstats.prediction.auc_limits import auc_limits
from support import read


def test_perfect_order_has_exact_limits() -> None:
    data = read("toy_complete.csv")
    row = rn.discrimination(data, "y ~ x", scale="score").to_frame().iloc[0]
    assert (row["auc"], row["std_error"], row["conf_high"]) == (1.0, 0.0, 1.0)
    assert row["conf_low"] == pytest.approx(0.025 ** (1 / 5))  # 5 of 5 pairs without a common row
    assert row["conf_low"] == pytest.approx(
        rn.exact_proportion(5, 5).to_frame().iloc[0]["conf_low"], rel=1e-9
    )
    assert row["method"] == "exact, independent pairs"
    wrong = rn.discrimination(data.assign(x=-data["x"]), "y ~ x", scale="score")
    assert wrong.to_frame().iloc[0]["conf_high"] == pytest.approx(1 - 0.025 ** (1 / 5))
    assert any("all pairs are ordered wrongly" in note for note in wrong.notes)


def test_perfect_order_of_times_has_exact_limits() -> None:
    data = {"t": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "d": [1, 1, 1, 0, 1, 0], "x": [6, 5, 4, 3, 2, 1]}
    result = rn.discrimination(data, "Surv(t, d) ~ x", scale="score", time=3.5)
    frame = result.to_frame().set_index("index")
    assert (frame["estimate"] == 1.0).all()
    # Events at 1, 2, 3 pair with the rows that leave at 6, 5, 4.
    assert frame.loc["Harrell C", "conf_low"] == pytest.approx(0.025 ** (1 / 3))
    assert frame.loc["AUC(t)", "conf_low"] == pytest.approx(0.025 ** (1 / 3))


def test_equal_predictions_have_half_and_a_note() -> None:
    data = {"y": [0, 1] * 15, "p": [0.3] * 30, "q": np.linspace(0.1, 0.8, 30)}
    result = rn.discrimination(data, "y ~ p + q")
    row = result.to_frame().iloc[0]
    assert tuple(row[["auc", "std_error", "conf_low", "conf_high"]]) == (0.5, 0.0, 0.5, 0.5)
    assert any("all predictions are equal" in note for note in result.notes)
    assert result.compare()["p_value"].notna().all()


def test_identical_models_differ_by_nothing() -> None:
    data = {"y": [0, 1, 1, 0] * 8, "p": np.linspace(0.1, 0.8, 32)}
    data["q"] = data["p"] ** 2
    result = rn.discrimination(data, "y ~ p + q")
    row = result.compare().iloc[0]
    assert (row["difference"], row["std_error"], row["p_value"]) == (0.0, 0.0, 1.0)
    assert any("order all pairs alike" in note for note in result.notes)


def test_a_difference_without_variance_has_no_p() -> None:
    data = {"y": [0] * 12 + [1] * 12, "p": [0.1] * 12 + [0.9] * 12, "q": [0.5] * 24}
    result = rn.discrimination(data, "y ~ p + q")
    row = result.compare().iloc[0]
    assert (row["difference"], row["std_error"]) == (0.5, 0.0)
    assert np.isnan(row["p_value"])
    assert any("no P is given" in note for note in result.notes)


def test_one_case_has_no_limits_and_few_rows_a_note() -> None:
    data = {"y": [0, 0, 1, 0, 0], "p": [0.1, 0.3, 0.25, 0.2, 0.6]}
    result = rn.discrimination(data, "y ~ p")
    row = result.to_frame().iloc[0]
    assert row["auc"] == 0.5
    assert np.isnan(row[["std_error", "conf_low", "conf_high"]].astype(float)).all()
    text = " ".join(result.notes)
    assert "fewer than two cases" in text
    assert "5 patients" in text
    assert "single event" in text
    assert "nan" not in " ".join(result.display().to_numpy().ravel())


def test_zero_variance_away_from_the_edges_uses_its_bound() -> None:
    limits = auc_limits(0.75, 0.0, pairs=12, constant=False, method="DeLong")
    assert limits.method == "variance bound"
    assert limits.low == pytest.approx(0.75 - 1.959963984540054 * 0.125)


def test_logit_limits_stay_inside_and_plain_ones_are_cut() -> None:
    data = {"y": [0] * 20 + [1] * 5, "p": [*np.linspace(0.05, 0.6, 20), 0.55, 0.7, 0.8, 0.9, 0.95]}
    plain = rn.discrimination(data, "y ~ p").to_frame().iloc[0]
    logit = rn.discrimination(data, "y ~ p", ci="logit").to_frame().iloc[0]
    assert plain["conf_high"] == 1.0
    assert logit["conf_high"] < 1.0
    odds = [np.log(p / (1 - p)) for p in logit[["conf_low", "auc", "conf_high"]]]
    assert odds[1] - odds[0] == pytest.approx(odds[2] - odds[1])
    reach = 1.959963984540054 * logit["std_error"] / (logit["auc"] * (1 - logit["auc"]))
    assert odds[2] - odds[1] == pytest.approx(reach)
    assert logit["method"] == "DeLong, logit"


GOOD = {"y": [0, 1, 0, 1, 1, 0], "p": [0.1, 0.7, 0.2, 0.6, 0.4, 0.5], "t": [1, 2, 3, 4, 5, 6]}
BAD = [
    ("y ~ p", {"p": [0.1, 1.4, 0.2, 0.6, 0.4, 0.5]}, {}, DataError, "outside"),
    ("y ~ p", {"p": [0.1, np.inf, 0.2, 0.6, 0.4, 0.5]}, {}, DataError, "infinite"),
    ("y ~ p", {"p": [np.nan] * 6}, {}, DataError, "all 6 are missing"),
    ("y ~ p", {"p": [np.nan, 0.1, 0.2, 0.6, 0.4, 0.5]}, {"missing": "raise"}, DataError, "missing"),
    ("y ~ p", {"y": [1] * 6}, {}, TooFewEventsError, "is 1 in all 6 rows"),
    ("y ~ p", {"y": [0] * 6}, {}, TooFewEventsError, "is 0 in all 6 rows"),
    ("y ~ p", {"y": [0, 1, 2, 1, 0, 1]}, {}, DataError, "must be 0 or 1"),
    ("y ~ p", {}, {"time": 3}, OptionError, "Surv"),
    ("y ~ p", {}, {"cause": 1}, OptionError, "Surv"),
    ("y ~ p", {}, {"freq_weights": [1, 1, -1, 1, 1, 1]}, DataError, "negative"),
    ("y ~ p", {}, {"freq_weights": [1, 1, 0.5, 1, 1, 1]}, DataError, "no whole numbers"),
    ("y ~ p", {}, {"ci": "exact"}, OptionError, "ci="),
    ("y ~ p", {}, {"conf_level": 95}, OptionError, "Write 0.95"),
    ("y ~ p", {}, {"resamples": -1}, OptionError, "resamples"),
    ("y ~ p", {}, {"resamples": 50}, TooFewEventsError, "resampling needs 5"),
    ("y ~ p", {}, {"scale": "odds"}, OptionError, "scale="),
    ("y ~ log(p)", {}, {}, FormulaError, "no column of predictions"),
    ("y ~ 1", {}, {}, OptionError, "nothing to judge"),
    ("Surv(t, y) ~ p", {}, {"time": 6.0}, DataError, "Nobody is followed past"),
    ("Surv(t, y) ~ p", {}, {"time": [2.5, 99.0]}, DataError, "Nobody is followed past"),
    ("Surv(t, y) ~ p", {}, {"time": 1.5}, TooFewEventsError, "first is at 2"),
    ("Surv(t, y) ~ p", {}, {"time": -1.0}, OptionError, "time"),
    ("Surv(t, y) ~ p", {}, {"time": []}, OptionError, "no horizon"),
    ("Surv(t, y) ~ p", {}, {"tau": 0}, OptionError, "tau"),
    ("Surv(t, y) ~ p", {}, {"tau": 1.5}, TooFewEventsError, "up to tau"),
    ("Surv(t, y) ~ p", {"y": [0] * 6}, {}, TooFewEventsError, "no event"),
    ("Surv(t, y) ~ p", {"p": [0.1, 1.4, 0.2, 0.6, 0.4, 0.5]}, {}, DataError, "row 2"),
    ("Surv(t, y) ~ p", {}, {"cause": 7}, OptionError, "cause=7"),
]


@pytest.mark.parametrize(("formula", "columns", "options", "error", "words"), BAD)
def test_bad_input_is_named(
    formula: str, columns: dict, options: dict, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        rn.discrimination({**GOOD, **columns}, formula, **options)


def test_missing_values_are_counted() -> None:
    data = {**GOOD, "y": [0, 1, None, 1, 1, 0], "p": [0.1, np.nan, 0.2, 0.6, 0.4, 0.5]}
    result = rn.discrimination(data, "y ~ p")
    assert result.n == 4
    assert result.glance()["n_missing"].iloc[0] == 2
    assert any("2 of 6 rows left out" in note for note in result.notes)


def test_no_comparable_pair_is_said() -> None:
    data = {"t": [5.0, 1.0, 2.0], "d": [1, 0, 0], "p": [0.2, 0.3, 0.4]}
    result = rn.discrimination(data, "Surv(t, d) ~ p")
    assert result.to_frame()["estimate"].isna().all()
    assert any("no pair of rows can be compared" in note for note in result.notes)


def test_stratified_cox_needs_a_horizon() -> None:
    data = read("veteran.csv")
    fit = rn.cox(data, "Surv(time, status) ~ karno + strata(trt)")
    with pytest.raises(OptionError, match="stratified"):
        rn.discrimination(data, "Surv(time, status) ~ 1", models={"m": fit})
    assert len(
        rn.discrimination(data, "Surv(time, status) ~ 1", models={"m": fit}, time=90).to_frame()
    )


def test_thresholds_that_are_equally_good_are_all_given() -> None:
    """Sums of shares that differ in the last bit alone: 1/6 + 1 and 4/6 + 4/8, less 1."""
    x = [9.0, 7.0, 7.0, 7.0, 1.0, 1.0, *[8.0] * 4, *[2.0] * 4]
    assert 1 / 6 + 1 != 4 / 6 + 4 / 8
    youden = rn.discrimination({"y": [1] * 6 + [0] * 8, "x": x}, "y ~ x", scale="score").youden()
    assert youden["threshold"].tolist() == [4.5, 8.5]
    np.testing.assert_allclose(youden["youden"], 1 / 6)
