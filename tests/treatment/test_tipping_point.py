"""Tipping points: the bias factor by hand, its inverse, measured confounders."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import DataError, DataNotKeptError, OptionError
from rnetstats.treatment.tipping_point import bias_factor, effect_needed

shares = st.floats(0.0, 1.0)


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


def test_by_hand() -> None:
    # 60 % and 17.5 % with effect 5: (1 + .6 * 4) / (1 + .175 * 4) = 3.4 / 1.7 = 2
    assert math.isclose(float(bias_factor(0.6, 0.175, 5.0)), 2.0)
    assert math.isclose(float(effect_needed(0.6, 0.175, 2.0)), 5.0)
    # a protective one, 10 % and 60 % with effect 0.5: 0.95 / 0.7
    assert math.isclose(float(bias_factor(0.1, 0.6, 0.5)), 0.95 / 0.7)


def test_a_crude_ratio_is_the_true_one_times_the_factor() -> None:
    # risks 0.02 and 0.01 without, 0.06 and 0.03 with the confounder; half against a tenth have it
    crude = (0.5 * 0.02 + 0.5 * 0.06) / (0.9 * 0.01 + 0.1 * 0.03)
    found = rn.tipping_point(
        crude, measure="rr", prevalence_exposed=0.5, prevalence_unexposed=0.1, effect=3.0
    )
    assert math.isclose(found.to_frame()["estimate"][0], 2.0)


@example(2.2250738585072014e-308, 0.0, 5.0)
@given(shares, shares, st.floats(0.05, 20.0))
def test_the_effect_needed_gives_the_factor(p1: float, p0: float, factor: float) -> None:
    effect = float(effect_needed(p1, p0, factor))
    if not math.isnan(effect) and effect < 1e6:
        assert math.isclose(float(bias_factor(p1, p0, effect)), factor, rel_tol=1e-5)
    if math.isnan(effect):  # then no effect reaches it: the factor is monotone in the effect
        reach = bias_factor(p1, p0, np.array([1e-9, 1e9]))
        assert not reach.min() + 1e-6 < factor < reach.max() - 1e-6


@given(shares, st.floats(0.1, 10.0), st.floats(0.1, 10.0))
def test_equal_prevalences_change_nothing(p: float, effect: float, ratio: float) -> None:
    found = rn.tipping_point(
        ratio, measure="rr", prevalence_exposed=p, prevalence_unexposed=p, effect=effect
    )
    assert math.isclose(found.to_frame()["estimate"][0], ratio, rel_tol=1e-12)


@given(st.floats(1.05, 20.0), shares, shares, st.floats(0.1, 10.0))
def test_exchanging_the_groups_inverts_the_ratio(
    ratio: float, p1: float, p0: float, effect: float
) -> None:
    one = (
        rn.tipping_point(
            ratio,
            ratio / 2,
            ratio * 2,
            measure="rr",
            prevalence_exposed=p1,
            prevalence_unexposed=p0,
            effect=effect,
        )
        .to_frame()
        .iloc[0]
    )
    other = (
        rn.tipping_point(
            1 / ratio,
            0.5 / ratio,
            2 / ratio,
            measure="rr",
            prevalence_exposed=p0,
            prevalence_unexposed=p1,
            effect=effect,
        )
        .to_frame()
        .iloc[0]
    )
    assert math.isclose(one["estimate"], 1 / other["estimate"], rel_tol=1e-9)
    assert math.isclose(one["conf_low"], 1 / other["conf_high"], rel_tol=1e-9)
    if abs(one["estimate"] - 1) > 1e-6 and abs(one["conf_low"] - 1) > 1e-6:
        assert one["moved"] == other["moved"]


def test_the_e_value_is_the_least_of_all_tipping_pairs() -> None:
    """All exposed have the confounder, 1 / EU of the others: B = EU UD / (EU + UD - 1)."""
    e = rn.e_value(2.4, measure="rr").e_value
    assert math.isclose(float(bias_factor(1.0, 1.0 / e, e)), 2.4, rel_tol=1e-12)


@pytest.mark.parametrize(
    "given_shares", [np.array(0.4), pd.Series([0.4]), pd.Index([0.4]), iter([0.4]), (0.4,)]
)
def test_a_number_or_numbers_in_any_container(given_shares: Any) -> None:
    found = rn.tipping_point(2.0, measure="rr", prevalence_exposed=given_shares)
    assert set(found.to_frame()["prevalence_exposed"]) == {0.4}


def test_moved_says_what_has_moved() -> None:
    found = rn.tipping_point(
        2.0,
        1.3,
        3.1,
        measure="rr",
        prevalence_exposed=0.5,
        prevalence_unexposed=0.0,
        effect=[1.2, 1.8, 4.0],
    )
    assert found.to_frame()["moved"].tolist() == ["", "limit", "estimate"]
    tipping = found.tipping.iloc[0]
    assert math.isclose(tipping["effect_limit"], 1.6)  # 1 + 0.3 / 0.5
    assert math.isclose(tipping["effect_estimate"], 3.0)
    crossing = rn.tipping_point(1.4, 0.8, 2.5, measure="rr")
    assert crossing.factor_limit == 1.0
    assert (crossing.tipping["effect_limit"] == 1.0).all()
    assert any("holds 1 already" in note for note in crossing.notes)


@pytest.mark.parametrize("known", ["both", "near", "far", "none"])
def test_the_grid_says_at_the_tipping_effect_that_it_tips(known: str) -> None:
    """Also with one limit alone, and though rounding parts the quotient from 1."""
    rng = np.random.default_rng(8)
    shares = [0.0, 0.07, 0.31, 0.64, 1.0]
    asked = {"prevalence_exposed": shares, "prevalence_unexposed": shares}
    for estimate in np.exp(rng.normal(0.0, 1.0, 8)):
        half = math.exp(rng.uniform(0.05, 1.5))
        near, far = ("conf_low", "conf_high") if estimate >= 1 else ("conf_high", "conf_low")
        ends = {"conf_low": estimate / half, "conf_high": estimate * half}
        given_ends = {
            k: ends[k] for k in {"both": ends, "near": [near], "far": [far]}.get(known, [])
        }
        read = rn.tipping_point(float(estimate), **given_ends, measure="rr", **asked)
        for row in read.tipping.to_dict("records"):
            pair = {name: row[name] for name in asked}
            for word, column in (("limit", "effect_limit"), ("estimate", "effect_estimate")):
                effect = row[column]
                if math.isnan(effect):
                    continue
                around = [effect * (1 - 1e-6), effect, effect * (1 + 1e-6)]
                grid = rn.tipping_point(
                    float(estimate), **given_ends, measure="rr", **pair, effect=around
                ).to_frame()
                tips = (grid["moved"] == "estimate") | (grid["moved"] == word)
                assert tips[1]
                if read.factor_limit != 1.0 or word == "estimate":
                    assert tips[0] != tips[2]


@pytest.mark.parametrize(
    ("estimate", "limits", "known"),
    [
        (2.0, {}, False),
        (2.0, {"conf_high": 3.0}, False),
        (2.0, {"conf_low": 1.2}, True),
        (0.5, {"conf_low": 0.2}, False),
        (0.5, {"conf_high": 0.8}, True),
    ],
)
def test_a_limit_that_was_not_given_is_not_called_out_of_reach(
    estimate: float, limits: dict[str, float], known: bool
) -> None:
    found = rn.tipping_point(estimate, **limits, measure="rr")
    assert found.tipping["effect_limit"].notna().any() == known
    assert any("limit nearer 1 is not given" in note for note in found.notes) != known
    word = "effect" if known else "effect_estimate"
    assert any(note.startswith(f"A missing {word} means that none") for note in found.notes)


def test_a_limit_that_is_not_known_has_no_line() -> None:
    alone = rn.tipping_point(2.0, measure="rr").plot()
    assert [text.get_text() for text in alone.get_legend().get_texts()] == ["estimate reaches 1"]
    both = rn.tipping_point(2.0, 1.2, measure="rr").plot()
    names = [text.get_text() for text in both.get_legend().get_texts()]
    assert names == ["estimate reaches 1", "limit reaches 1"]


def test_measured_confounders_by_hand(cohort: pd.DataFrame) -> None:
    fit = rn.cox(cohort, "Surv(dfs_months, dfs_event) ~ margin_positive + lvi + size_mm + location")
    found = rn.tipping_point(fit, term="margin_positive")
    table = found.benchmarks.set_index("term")
    coef = fit.coef
    exposed = cohort["margin_positive"] == 1
    p1, p0 = cohort.loc[exposed, "lvi"].mean(), cohort.loc[~exposed, "lvi"].mean()
    lvi = table.loc[fit.label("lvi")]
    assert math.isclose(lvi["prevalence_exposed"], p1)
    assert math.isclose(lvi["prevalence_unexposed"], p0)
    assert math.isclose(lvi["effect"], math.exp(coef["lvi"]))
    by_formula = float(bias_factor(p1, p0, math.exp(coef["lvi"])))
    assert math.isclose(lvi["bias_factor"], by_formula, rel_tol=1e-12)
    size = np.exp(coef["size_mm"] * cohort["size_mm"])
    assert math.isclose(
        table.loc[fit.label("size_mm"), "bias_factor"],
        size[exposed].mean() / size[~exposed].mean(),
        rel_tol=1e-10,
    )
    hr = fit.to_frame().set_index("term").loc["margin_positive", "estimate"]
    assert math.isclose(lvi["estimate"], hr / lvi["bias_factor"], rel_tol=1e-12)
    assert len(table) == 3


def test_the_strongest_measured_factor_moves_the_estimate_toward_one() -> None:
    """x is 4 times as frequent in the exposed and s half as: the first hides a benefit."""
    rng = np.random.default_rng(3)
    exposed = np.repeat([1, 0], 2000)
    x = rng.random(4000) < np.where(exposed == 1, 0.4, 0.1)
    s = rng.random(4000) < np.where(exposed == 1, 0.3, 0.5)
    rate = 0.03 * np.where(x, 4.0, 1.0) * np.where(s, 3.0, 1.0)
    for factor, column, toward in ((0.4, "s", -1), (2.5, "x", 1)):
        y = rng.random(4000) < rate * np.where(exposed == 1, factor, 1.0)
        data = {"y": y * 1, "z": exposed, "x": x * 1, "s": s * 1}
        row = rn.tipping_point(rn.logistic(data, "y ~ z + x + s"), term="z").glance().iloc[0]
        assert row["strongest_measured"] == column
        assert toward * math.log(row["strongest_factor"]) > 0.1
        away = rn.logistic(data, f"y ~ z + {'x' if column == 's' else 's'}")
        none = rn.tipping_point(away, term="z").glance().iloc[0]
        assert none["strongest_measured"] == ""
        assert math.isnan(none["strongest_factor"])


def test_a_fit_read_back_has_no_rows(cohort: pd.DataFrame) -> None:
    fit = rn.logistic(cohort, "recurrence ~ margin_positive + lvi")
    again = type(fit).from_dict(json.loads(json.dumps(fit.to_dict())))
    with pytest.raises(DataNotKeptError):
        rn.tipping_point(again, term="margin_positive")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda d: rn.tipping_point(2.0), OptionError, "measure="),
        (lambda d: rn.tipping_point(2.0, 3.0, 4.0, measure="rr"), DataError, "do not hold"),
        (
            lambda d: rn.tipping_point(2.0, measure="rr", prevalence_exposed=40),
            OptionError,
            "prevalence_exposed",
        ),
        (lambda d: rn.tipping_point(2.0, measure="rr", effect=0), OptionError, "effect"),
        (lambda d: rn.tipping_point(2.0, measure="rr", effect=[]), OptionError, "effect"),
        (
            lambda d: rn.tipping_point(
                rn.logistic(d, "recurrence ~ size_mm + lvi"), term="size_mm"
            ),
            OptionError,
            "more than two values",
        ),
        (
            lambda d: rn.tipping_point(
                rn.logistic(d, "margin_positive ~ lvi * size_mm"), term="lvi"
            ),
            OptionError,
            "interaction",
        ),
    ],
)
def test_refusals(call: Any, error: type[Exception], words: str, cohort: pd.DataFrame) -> None:
    with pytest.raises(error, match=words):
        call(cohort)


def test_the_table_begins_with_what_was_measured_and_shows_few_pairs(cohort: pd.DataFrame) -> None:
    fit = rn.cox(cohort, "Surv(dfs_months, dfs_event) ~ margin_positive + age + sex")
    found = rn.tipping_point(fit, term="margin_positive")
    shown = found.display()
    first = shown["Confounder"].tolist()
    assert [name.startswith("like the measured") for name in first[:3]] == [True, True, False]
    pairs = first[2:]
    assert 1 < len(pairs) <= 6
    assert all(pair.endswith("10 % of unexposed") for pair in pairs)
    other = found.display(other_prevalence=0.3)["Confounder"].tolist()[2:]
    assert all(pair.endswith("30 % of unexposed") for pair in other)
    assert len(found.to_frame()) == 7 * 7 * 6
    # a protective ratio: the exposed are held
    below = rn.tipping_point(0.4, 0.2, 0.8, measure="hr").display()["Confounder"]
    assert below.str.startswith("10 % of exposed").all()
    assert len(below) <= 6
    # few pairs are all shown
    few = rn.tipping_point(
        2.0, 1.2, 3.3, measure="rr", prevalence_exposed=[0.6, 0.9], prevalence_unexposed=[0.1, 0.2]
    )
    assert len(few.display()) == 4
