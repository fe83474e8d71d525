"""The treatment threshold: hand cases, numerical integration, a Markov model, a simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.studies.management.threshold_model import (
    hazard_of,
    threshold_probability,
    years,
)
from rnetstats.studies.management.vocabulary import ADVICE

FATAL = 1.0 - math.exp(-1.0)  # within 10 years: a hazard of 0.1 a year
HAND: dict[str, Any] = {
    "fatal": FATAL,
    "fatal_within": 10,
    "efficacy": 1.0,
    "operative_mortality": 0.05,
    "utility_loss": 0.0,
    "death_rate": 0.1,
}
RANGES: dict[str, Any] = {
    "fatal": (0.2, 0.4, 0.6),
    "fatal_within": 10,
    "efficacy": (0.8, 0.95),
    "operative_mortality": (0.01, 0.02),
    "utility_loss": (0.02, 0.1),
    "life_expectancy": (8, 12),
}


# by hand


def test_by_hand() -> None:
    """Half of the years are lost with a residual; 5 % of them with surgery: 0.05 / 0.5."""
    assert rn.treatment_threshold(**HAND).threshold == pytest.approx(0.1, rel=1e-12)
    # without competing deaths nearly all years are lost, and the threshold is the harm itself
    few = rn.treatment_threshold(**{**HAND, "death_rate": 1e-9})
    assert few.threshold == pytest.approx(0.05, rel=1e-7)
    # three times as many competing deaths: a quarter is lost, 0.05 / 0.25
    assert rn.treatment_threshold(**{**HAND, "death_rate": 0.3}).threshold == pytest.approx(0.2)
    # surgery that removes half of the residuals: 0.05 / (0.5 (1 - 0.95 / 2))
    half = rn.treatment_threshold(**{**HAND, "efficacy": 0.5})
    assert half.threshold == pytest.approx(0.05 / (0.5 * 0.525))
    # utility and mortality act alike: 1 - 0.95 x 0.9
    both = rn.treatment_threshold(**{**HAND, "utility_loss": 0.1})
    assert both.threshold == pytest.approx(0.145 / 0.5)


def test_mortality_in_three_forms_is_one() -> None:
    without = {name: value for name, value in HAND.items() if name != "death_rate"}
    by_rate = rn.treatment_threshold(**HAND).threshold
    by_years = rn.treatment_threshold(**without, life_expectancy=10.0).threshold
    by_q = rn.treatment_threshold(**without, death_probability=1.0 - math.exp(-0.1)).threshold
    assert by_years == pytest.approx(by_rate, rel=1e-14)
    assert by_q == pytest.approx(by_rate, rel=1e-12)


def test_where_there_is_no_threshold() -> None:
    never = rn.treatment_threshold(**{**HAND, "death_rate": 10.0})
    assert math.isinf(never.threshold)
    assert any("even a certain residual" in note for note in never.notes)
    harmless = rn.treatment_threshold(**{**HAND, "operative_mortality": 0.0})
    assert harmless.threshold == 0.0
    nothing = rn.treatment_threshold(**{**HAND, "operative_mortality": 0.0, "efficacy": 0.0})
    assert math.isnan(nothing.threshold)
    assert any("neither harms nor helps" in note for note in nothing.notes)
    assert math.isinf(rn.treatment_threshold(**{**HAND, "fatal": 0.0}).threshold)
    assert never.display()["Central"].iloc[-2] == "none high enough"


# against other computations

CASES = [
    (0.05, 0.1, 0.9, 0.03, 0.05, math.inf),
    (0.12, 0.02, 0.7, 0.01, 0.00, math.inf),
    (0.12, 0.20, 0.95, 0.06, 0.10, 5.0),
    (0.02, 0.05, 1.0, 0.00, 0.02, 15.0),
]


@pytest.mark.parametrize(("m", "k", "e", "d", "u", "horizon"), CASES)
def test_numerical_integration_finds_the_same(
    m: float, k: float, e: float, d: float, u: float, horizon: float
) -> None:
    def lived(hazard: float) -> float:
        return quad(lambda t: math.exp(-hazard * t), 0.0, horizon, epsabs=1e-13)[0]

    def gain(p: float) -> float:
        watched = p * lived(m + k) + (1.0 - p) * lived(m)
        cured = (1.0 - p * (1.0 - e)) * lived(m) + p * (1.0 - e) * lived(m + k)
        return (1.0 - d) * (1.0 - u) * cured - watched

    found = threshold_probability(
        death_rate=m,
        residual_rate=k,
        efficacy=e,
        operative_mortality=d,
        utility_loss=u,
        horizon=horizon,
    )
    assert float(found) == pytest.approx(brentq(gain, 0.0, 1.0, xtol=1e-13), rel=1e-7)


def test_a_markov_model_in_small_steps_finds_the_same() -> None:
    """Cohorts of two states walked through time; each step lives, dies of either cause."""
    m, k, e, d, u, step = 0.1, 0.05, 0.8, 0.02, 0.04, 0.01
    stay = np.exp(-step * np.array([m, m + k]))  # without, with a residual

    def lived(start: np.ndarray) -> float:
        alive, total = start.astype(float), 0.0
        for _ in range(round(200.0 / step)):
            after = alive * stay
            total += step * (alive + after).sum() / 2.0
            alive = after
        return total

    without, residual = lived(np.array([1, 0])), lived(np.array([0, 1]))
    operated = (1.0 - d) * (1.0 - u) * np.array([without, e * without + (1.0 - e) * residual])
    harm, benefit = without - operated[0], operated[1] - residual
    found = threshold_probability(
        death_rate=m, residual_rate=k, efficacy=e, operative_mortality=d, utility_loss=u
    )
    assert float(found) == pytest.approx(harm / (harm + benefit), rel=1e-5)


def test_simulated_patients_are_indifferent_at_the_threshold() -> None:
    m, k, e, d, u, horizon = 0.09, 0.08, 0.85, 0.03, 0.05, 12.0
    p = float(
        threshold_probability(
            death_rate=m,
            residual_rate=k,
            efficacy=e,
            operative_mortality=d,
            utility_loss=u,
            horizon=horizon,
        )
    )
    rng, n = np.random.default_rng(1), 400_000
    other, own = rng.exponential(1.0 / m, n), rng.exponential(1.0 / k, n)
    residual = rng.random(n) < p
    left = residual & (rng.random(n) >= e)
    survived = rng.random(n) >= d

    def lived(with_residual: np.ndarray) -> np.ndarray:
        death = np.where(with_residual, np.minimum(other, own), other)
        return np.minimum(death, horizon)

    gain = survived * (1.0 - u) * lived(left) - lived(residual)
    assert abs(gain.mean()) < 3.0 * gain.std() / math.sqrt(n)


# properties

share = st.floats(0.0, 1.0)
rates = st.floats(1e-3, 2.0)


@given(rates, rates, share, share, share, st.sampled_from([math.inf, 2.0, 20.0]), st.data())
def test_the_threshold_moves_one_way_with_each_input(
    m: float, k: float, e: float, d: float, u: float, horizon: float, data: st.DataObject
) -> None:
    at = {
        "death_rate": m,
        "residual_rate": k,
        "efficacy": e,
        "operative_mortality": d,
        "utility_loss": u,
    }
    rises = {"death_rate", "operative_mortality", "utility_loss"}
    name = data.draw(st.sampled_from(sorted(at)))
    other = data.draw(rates if name.endswith("rate") else share)
    low, high = sorted([at[name], other])
    first = float(threshold_probability(**{**at, name: low}, horizon=horizon))
    second = float(threshold_probability(**{**at, name: high}, horizon=horizon))
    if math.isnan(first) or math.isnan(second):
        return
    if name not in rises:
        first, second = second, first
    assert first <= second or first == pytest.approx(second, rel=1e-9)


def test_corners_are_the_extremes_of_the_ranges() -> None:
    result = rn.treatment_threshold(**RANGES)
    rng = np.random.default_rng(2)
    drawn = {
        row.input: rng.uniform(row.low, row.high, 20_000) for row in result.inputs.itertuples()
    }
    found = result.at(**drawn)
    assert found.min() >= result.threshold_low
    assert found.max() <= result.threshold_high
    corners = [np.array([row.low, row.high]) for row in result.inputs.itertuples()]
    grid = np.meshgrid(*corners)
    ends = result.at(**dict(zip(result.inputs["input"], grid, strict=True)))
    assert ends.min() == pytest.approx(result.threshold_low, rel=1e-12)
    assert ends.max() == pytest.approx(result.threshold_high, rel=1e-12)
    assert result.at() == pytest.approx(result.threshold, rel=1e-15)


def test_years_and_hazards() -> None:
    assert float(years(0.1)) == pytest.approx(10.0)
    assert float(years(0.0, 7.0)) == 7.0
    assert float(years(0.1, 10.0)) == pytest.approx(10.0 * (1.0 - math.exp(-1.0)))
    assert float(hazard_of(FATAL, 10.0)) == pytest.approx(0.1)
    rate = np.array([0.05, 0.2])
    both = threshold_probability(
        death_rate=rate[:, None],
        residual_rate=rate[None, :],
        efficacy=0.9,
        operative_mortality=0.01,
        utility_loss=0.0,
    )
    assert both.shape == (2, 2)
    assert both[1, 0] > both[0, 0] > both[0, 1]


# the result


def test_every_input_is_named_and_the_tornado_is_in_order() -> None:
    result = rn.treatment_threshold(**RANGES, probability=(0.1, 0.3), horizon=15)
    assert set(result.inputs["input"]) == set(RANGES) - {"fatal_within"}
    assert result.inputs.set_index("input").loc["fatal", "central"] == 0.4
    assert "within 10 years" in result.inputs.set_index("input").loc["fatal", "label"]
    spread = (result.tornado["threshold_at_high"] - result.tornado["threshold_at_low"]).abs()
    assert spread.is_monotonic_decreasing
    row = result.tornado.set_index("input").loc["efficacy"]
    assert row["threshold_at_low"] == pytest.approx(float(result.at(efficacy=0.8)))
    told = next(note for note in result.notes if "middle of the range" in note)
    assert "efficacy" in told
    assert "fatal" not in told
    assert result.notes[-1] == result.display().iloc[-1, 0] == ADVICE
    assert result.glance()["probability_high"].iloc[0] == 0.3
    assert result.horizon == 15


def test_a_region_along_each_input() -> None:
    result = rn.treatment_threshold(**RANGES)
    for name in result.inputs["input"]:
        region = result.region(name)
        assert (region["threshold_low"] <= region["threshold"]).all()
        assert (region["threshold"] <= region["threshold_high"]).all()
        assert region["threshold_low"].min() == pytest.approx(result.threshold_low)
    fixed = rn.treatment_threshold(**HAND)
    assert fixed.to_frame()["threshold_at_low"].eq(fixed.threshold).all()
    for name in fixed.inputs["input"]:
        region = fixed.region(name)
        assert region[name].min() > 0.0
        assert region["threshold_low"].equals(region["threshold_high"])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"death_rate": None}, "none is given. There is no default"),
        ({"life_expectancy": 10}, "death_rate and life_expectancy are given"),
        ({"death_rate": 0}, "above 0"),
        ({"death_rate": -0.1}, "above 0"),
        ({"death_rate": math.inf}, "must be a number"),
        ({"death_rate": math.nan}, "must be a number"),
        ({"efficacy": 90}, "Write 0.05 for 5 %"),
        ({"efficacy": "high"}, "must be a number"),
        ({"efficacy": True}, "must be a number"),
        ({"efficacy": (0.9, 0.8)}, "not in order"),
        ({"efficacy": (0.1, 0.2, 0.3, 0.4)}, "has 4 numbers"),
        ({"efficacy": ()}, "has 0 numbers"),
        ({"efficacy": (0.5, None)}, "must be a number"),
        ({"fatal": 1.0}, "below 1"),
        ({"fatal": (0.1, 1.2)}, "below 1"),
        ({"fatal_within": 0}, "fatal_within must be above"),
        ({"horizon": -1}, "horizon must be above"),
        ({"operative_mortality": -0.01}, "at least 0"),
        ({"utility_loss": 1.5}, "at most 1"),
        ({"probability": 1.5}, "probability must lie"),
        ({"probability": (0.4, 0.2)}, "not in order"),
        ({"probability": (0.1, 0.2, 0.3)}, "a number or"),
    ],
)
def test_bad_input_is_refused_in_words(change: dict[str, Any], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        rn.treatment_threshold(**{**HAND, **change})


def test_what_is_left_out_has_no_default() -> None:
    for name in ("fatal", "fatal_within", "efficacy", "operative_mortality", "utility_loss"):
        given = {key: value for key, value in HAND.items() if key != name}
        with pytest.raises(TypeError, match=name):
            rn.treatment_threshold(**given)


def test_methods_refuse_in_words() -> None:
    result = rn.treatment_threshold(**HAND)
    with pytest.raises(OptionError, match="Did you mean 'efficacy'"):
        result.at(eficacy=0.5)
    with pytest.raises(OptionError, match="along='age'"):
        result.region("age")
    with pytest.raises(OptionError, match="No input has a range"):
        result.plot_tornado()
    with pytest.raises(OptionError, match="name two"):
        result.plot_two_way("fatal", "fatal")
