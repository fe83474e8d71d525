"""Detectable effects: laws against scipy, levels by enumeration, the normal case by integration."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binom, binomtest, fisher_exact, hypergeom, nchypergeom_wallenius, norm

import rnetstats as rn
from rnetstats.errors import BudgetError, DataError, OptionError, TooFewEventsError
from rnetstats.treatment.sequence_power import Sequences, _firth
from rnetstats.treatment.split_laws import Arms, split_p_values, split_probabilities
from rnetstats.treatment.split_power import schoenfeld_power
from support import assert_close

TWELVE = {"events": 12, "allocation": (181, 346)}


def test_twelve_events_by_hand() -> None:
    """Of 12 events in 181 : 346 the splits 8, 9, ... 12 and 0 are significant, 7 is not."""
    found = rn.detectable_effect(**TWELVE)
    assert found.regions.query("significant")["events_1"].tolist() == [0, 8, 9, 10, 11, 12]
    expected = [fisher_exact([[a, 181 - a], [12 - a, 334 + a]])[1] for a in range(13)]
    assert_close(found.regions["p_value"], expected)
    table = found.to_frame().set_index("hazard_ratio")
    level = hypergeom(527, 12, 181).pmf([0, 8, 9, 10, 11, 12]).sum()
    assert_close(table.loc[1.0, "power"], level)
    assert level < 0.05
    law = nchypergeom_wallenius(527, 181, 12, 4.0).pmf([0, 8, 9, 10, 11, 12])
    assert_close(table.loc[4.0, "power"], law.sum(), rel=1e-6)
    assert 5.2 < found.detectable_high < 5.3
    assert 0.035 < found.detectable_low < 0.036


def test_type_s_and_m_are_sums_over_the_significant_splits() -> None:
    found = rn.detectable_effect(**TWELVE, hazard_ratios=[0.7, 1.3]).to_frame()
    a = np.array([0, 8, 9, 10, 11, 12])
    estimate = np.log((a + 0.5) / (12.5 - a)) - np.log(181 / 346)
    for ratio, row in zip((0.7, 1.3), found.to_dict("records"), strict=True):
        law = nchypergeom_wallenius(527, 181, 12, ratio).pmf(a)
        wrong = law[1:] if ratio < 1 else law[:1]
        assert_close(row["type_s"], wrong.sum() / law.sum(), rel=1e-6)
        size = (law * np.abs(estimate)).sum() / law.sum()
        assert_close(row["type_m"], size / abs(np.log(ratio)), rel=1e-6)


def test_many_events_and_the_level_are_noted() -> None:
    few = rn.detectable_effect(**TWELVE, hazard_ratios=[2.0]).notes
    many = rn.detectable_effect(events=54, allocation=(181, 346), hazard_ratios=[1.0, 2.0]).notes
    for told in ("More than a tenth", "the power is the level"):
        assert not any(told in note for note in few)
        assert any(told in note for note in many)


def test_type_m_below_1_is_explained() -> None:
    found = rn.detectable_effect(**TWELVE, hazard_ratios=[0.01, 4, 100])
    below = found.to_frame()["type_m"] < 1
    assert below.tolist() == [True, False, True]
    assert any("Type M is below 1 at hazard ratios of 0.01, 100:" in n for n in found.notes)
    mild = rn.detectable_effect(**TWELVE, hazard_ratios=[2, 4])
    assert not any("Type M is below 1" in note for note in mild.notes)
    one = rn.detectable_effect(events=11, allocation=(59, 122), hazard_ratios=[0.01, 0.5])
    assert any("Type M is below 1 at a hazard ratio of 0.01:" in note for note in one.notes)


@given(
    n_1=st.integers(1, 30),
    n_2=st.integers(1, 30),
    share=st.floats(0, 1),
    ratio=st.floats(0.05, 20),
)
def test_the_law_is_wallenius(n_1: int, n_2: int, share: float, ratio: float) -> None:
    events = 1 + int(share * (n_1 + n_2 - 1))
    arms = Arms(n_1 / (n_1 + n_2), n_1, n_2)
    law = split_probabilities(arms, events, np.array([ratio, 1.0]))
    assert_close(law.sum(axis=1), 1.0)
    k = np.arange(events + 1)
    expected = nchypergeom_wallenius(n_1 + n_2, n_1, events, ratio).pmf(k)
    np.testing.assert_allclose(law[0], expected, rtol=1e-6, atol=1e-8)
    assert_close(law[1], hypergeom(n_1 + n_2, events, n_1).pmf(k), floor=1e-12)


def test_a_share_gives_the_binomial_law() -> None:
    k = np.arange(13)
    law = split_probabilities(Arms(0.3), 12, np.array([2.0]))[0]
    assert_close(law, binom(12, 0.6 / 1.3).pmf(k))
    p = split_p_values(Arms(0.3), 12, "binomial")
    assert_close(p, [binomtest(int(a), 12, 0.3).pvalue for a in k])
    large = Arms(0.3, 300_000, 700_000)
    assert_close(split_probabilities(large, 12, np.array([2.0]))[0], law, rel=1e-3)


def test_firths_p_of_splits_is_that_of_the_regression() -> None:
    p = split_p_values(Arms(0.4, 8, 12), 10, "firth")
    assert np.isnan(p[9:]).all()  # nine events among eight patients
    for a in (0, 3, 8):
        y = np.repeat([1, 0, 1, 0], [a, 8 - a, 10 - a, 2 + a])
        fit = rn.logistic({"y": y, "z": np.repeat([1, 0], [8, 12])}, "y ~ z")
        assert_close(p[a], fit.to_frame()["p_value"].iloc[-1], rel=1e-6)
    # the share alone: the limit of many patients
    many = split_p_values(Arms(0.3, 3_000_000, 7_000_000), 6, "firth")
    assert_close(split_p_values(Arms(0.3), 6, "firth"), many, rel=1e-4)


@pytest.mark.slow
@given(events=st.integers(1, 60), n_1=st.integers(30, 300), n_2=st.integers(30, 300))
def test_the_level_holds_exactly(events: int, n_1: int, n_2: int) -> None:
    options = {"events": events, "allocation": (n_1, n_2), "hazard_ratios": [1.0]}
    for test in ("fisher", "binomial"):
        arms = Arms(n_1 / (n_1 + n_2), n_1, n_2)
        law = split_probabilities(arms, events, np.ones(1))[0]
        p = split_p_values(arms, events, test)
        if test == "fisher":
            assert law[p < 0.05].sum() <= 0.05
    assert rn.detectable_effect(**options).to_frame()["power"][0] <= 0.05


@pytest.mark.slow
@given(events=st.integers(4, 40), ratio=st.floats(0.1, 10), n_1=st.integers(50, 200))
def test_swapping_the_arms_inverts_the_ratio(events: int, ratio: float, n_1: int) -> None:
    one = rn.detectable_effect(events=events, allocation=(n_1, 120), hazard_ratios=[ratio])
    two = rn.detectable_effect(events=events, allocation=(120, n_1), hazard_ratios=[1 / ratio])
    columns = ["power", "type_s", "type_m"]
    assert_close(one.to_frame()[columns], two.to_frame()[columns], rel=1e-7)
    assert_close(one.detectable_high, 1 / two.detectable_low, rel=1e-7)


@pytest.mark.parametrize("method", ["exact", "schoenfeld", "simulation"])
def test_the_detectable_ratios_have_the_power(method: str) -> None:
    options = {"events": 40, "allocation": (181, 346), "method": method, "resamples": 2000}
    found = rn.detectable_effect(seed=3, hazard_ratios=[2.0], **options)
    ends = [found.detectable_low, found.detectable_high]
    options["seed"] = 3
    at = rn.detectable_effect(hazard_ratios=ends, **options).to_frame()["power"]
    assert_close(at, [0.8, 0.8], rel=2e-3)
    assert ends[0] < 1 < ends[1]


def test_schoenfeld_by_integration() -> None:
    """Power, type S and type M of a normal estimate, and Gelman and Carlin's two examples."""
    z = float(norm.ppf(0.975))

    def beyond(f: Callable[[float], float], sign: float, shift: float) -> float:
        return quad(lambda x: f(sign * x) * norm.pdf(sign * x - shift), z, 40)[0]

    for shift in (-2.5, -0.3, 0.1 / 3.28, 1.0, 2.8):
        events = 48
        ratio = np.exp(shift / np.sqrt(events * 0.25))
        found = schoenfeld_power(Arms(0.5), events, np.array([ratio]), alpha=0.05)
        above, below = beyond(np.ones_like, 1.0, shift), beyond(np.ones_like, -1.0, shift)
        power, wrong = above + below, below if shift > 0 else above
        size = beyond(abs, 1.0, shift) + beyond(abs, -1.0, shift)
        assert_close(found.power, [power], rel=1e-6)
        assert_close(found.type_s, [wrong / power], rel=1e-6)
        assert_close(found.type_m, [size / power / abs(shift)], rel=1e-6)
        middle = np.log(found.estimate[0]) * np.sqrt(events * 0.25)
        below = norm(shift).cdf(middle) - (0.0 if middle < 0 else 1.0 - power)
        assert_close(below / power, 0.5, rel=1e-6)
    ratio = np.exp(0.1 / 3.28 / np.sqrt(12.0))
    found = schoenfeld_power(Arms(0.5), 48, np.array([ratio]), alpha=0.05)
    assert round(float(found.power[0]), 2) == 0.05
    assert round(float(found.type_s[0]), 2) == 0.46
    assert 75 < found.type_m[0] < 79


def test_schoenfeld_is_the_formula() -> None:
    found = rn.detectable_effect(events=100, allocation=0.5, method="schoenfeld")
    expected = np.exp((norm.ppf(0.975) + norm.ppf(0.8)) / np.sqrt(25))
    assert_close(found.detectable_high, expected, rel=1e-6)
    assert_close(found.detectable_low, 1 / expected, rel=1e-6)


@pytest.mark.slow
def test_methods_agree_where_events_are_many() -> None:
    options = {"events": 400, "allocation": (5000, 5000), "hazard_ratios": [1.2, 1.4]}
    exact = rn.detectable_effect(**options).to_frame()
    normal = rn.detectable_effect(method="schoenfeld", **options).to_frame()
    np.testing.assert_allclose(exact["power"], normal["power"], atol=0.03)
    np.testing.assert_allclose(exact["type_m"], normal["type_m"], rtol=0.03)


def test_simulation_agrees_with_enumeration() -> None:
    """A split decides the log-rank test of rare events but for ties of splits at the margin."""
    options = {**TWELVE, "hazard_ratios": [0.25, 2.0, 4.0]}
    exact = rn.detectable_effect(**options).to_frame()
    drawn = rn.detectable_effect(method="simulation", seed=5, **options)
    error = np.sqrt(exact["power"] * (1 - exact["power"]) / 10_000)
    assert (np.abs(drawn.to_frame()["power"] - exact["power"]) < 3 * error + 0.005).all()
    np.testing.assert_allclose(drawn.to_frame()["type_m"], exact["type_m"], rtol=0.03)
    again = rn.detectable_effect(method="simulation", seed=5, **options)
    assert_close(again.to_frame(), drawn.to_frame())


def test_simulated_permutation_test_holds_its_level() -> None:
    options = {"events": 20, "allocation": (60, 60), "hazard_ratios": [1.0], "seed": 2}
    found = rn.detectable_effect(method="simulation", test="logrank-exact", **options)
    assert found.to_frame()["power"][0] < 0.05


def test_significant_estimates_exaggerate() -> None:
    table = rn.detectable_effect(**TWELVE).to_frame().set_index("hazard_ratio")
    assert table.loc[1.5, "type_m"] > 3
    assert table.loc[2.0, "estimate_significant"] > 3.5
    assert table.loc[0.9, "type_s"] > 0.5
    assert np.isnan(table.loc[1.0, "type_m"])


def test_the_observed_split_is_not_looked_at() -> None:
    base = pd.DataFrame({"g": [0] * 30 + [1] * 20, "y": 0})
    one, two = base.copy(), base.copy()
    one.loc[[0, 1, 2, 3, 4], "y"] = 1
    two.loc[[30, 31, 32, 33, 34], "y"] = 1
    first, second = (rn.detectable_effect(d, "y ~ g") for d in (one, two))
    assert_close(first.to_frame(), second.to_frame())
    direct = rn.detectable_effect(events=5, allocation=(20, 30))
    assert_close(first.to_frame(), direct.to_frame())
    names = inspect.signature(rn.detectable_effect).parameters
    assert not {"estimate", "observed", "hazard_ratio", "effect"} & set(names)


def test_what_cannot_be_detected_is_missing() -> None:
    found = rn.detectable_effect(events=3, allocation=(181, 346))
    assert np.isnan(found.detectable_low)
    assert any("No hazard ratio below 1" in note for note in found.notes)
    nothing = rn.detectable_effect(events=1, allocation=(181, 346))
    assert (nothing.to_frame()["power"] == 0).all()
    assert any("no result can be significant" in note for note in nothing.notes)
    assert (nothing.display().to_numpy() != "nan").all()
    json.dumps(nothing.to_dict())


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"events": -1}, OptionError),
        ({"events": 528}, DataError),
        ({"events": 0}, TooFewEventsError),
        ({"allocation": 0}, OptionError),
        ({"allocation": 1.0}, OptionError),
        ({"allocation": (181, 0)}, OptionError),
        ({"allocation": (181,)}, OptionError),
        ({"allocation": "181:346"}, OptionError),
        ({"allocation": None}, OptionError),
        ({"power": 1.2}, OptionError),
        ({"power": 0.04}, OptionError),
        ({"alpha": 0}, OptionError),
        ({"hazard_ratios": []}, OptionError),
        ({"hazard_ratios": [0.0]}, OptionError),
        ({"hazard_ratios": [-2.0]}, OptionError),
        ({"hazard_ratios": 2.0}, OptionError),
        ({"hazard_ratios": object()}, OptionError),
        ({"method": "guess"}, OptionError),
        ({"method": "schoenfeld", "test": "fisher"}, OptionError),
        ({"method": "simulation", "test": "fisher"}, OptionError),
        ({"test": "logrank"}, OptionError),
        ({"test": "fisher", "allocation": 0.4}, OptionError),
        ({"resamples": 10}, OptionError),
        ({"events": 5000, "allocation": (40_000, 40_000)}, BudgetError),
        ({"events": 1000, "allocation": (4000, 4000), "method": "simulation"}, BudgetError),
    ],
)
def test_bad_input(options: dict, error: type) -> None:
    with pytest.raises(error):
        rn.detectable_effect(**{**TWELVE, **options})
    with pytest.raises(OptionError, match="not both"):
        rn.detectable_effect({"y": [0, 1], "g": [0, 1]}, "y ~ g", events=3)


def test_the_plot_has_power_and_exaggeration() -> None:
    axes = rn.detectable_effect(**TWELVE).plot()
    labels = [a.get_ylabel() for a in axes.figure.axes]
    assert labels == ["Power", "Exaggeration if significant (type M)"]
    plt.close("all")


def test_drawn_estimates_are_those_of_firths_cox_regression() -> None:
    """Events in a row without censoring before the last: the regression's own risk sets."""
    drawn = Sequences(Arms(0.4, 8, 12), 6, alpha=0.05, test="logrank", draws=5, seed=1)
    hit, odds = drawn.drawn(2.0)
    estimates = _firth(hit, odds)
    for column in range(5):
        arm = [int(x) for x in hit[:, column]]
        rest = [1] * (8 - sum(arm)) + [0] * (12 - (6 - sum(arm)))
        data = {
            "t": [*range(1, 7), *[7] * len(rest)],
            "e": [1] * 6 + [0] * len(rest),
            "arm": arm + rest,
        }
        assert_close(estimates[column], rn.cox(data, "Surv(t, e) ~ arm").coef["arm"], rel=1e-7)
        chi2 = rn.logrank(data, "Surv(t, e) ~ arm").statistic
        distance, variance = drawn._distance(hit, odds)
        assert_close(distance[column] ** 2 / variance[column], chi2)


def test_the_first_note_says_which_ratios_are_shown_and_nothing_of_others() -> None:
    both = rn.detectable_effect(events=12, allocation=(181, 346)).notes[0]
    assert both == (
        "12 events show with 80 % power a hazard ratio of 5.26 or more, or of 0.0353 or less."
    )
    above = rn.detectable_effect(events=3, allocation=(181, 346)).notes[0]
    assert above == "3 events show with 80 % power a hazard ratio of 24.9 or more."
    none = rn.detectable_effect(events=1, allocation=0.3).notes[0]
    assert none == "1 event shows with 80 % power no hazard ratio."
