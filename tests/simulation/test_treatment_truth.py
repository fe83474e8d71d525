"""True values of the methods for a treatment: by closed forms, hand and simulation."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from rnetstats.simulation.treatment_answers import at_start, during, grace_of
from rnetstats.simulation.treatment_cohort import (
    DEATH,
    LEVELS,
    SHAPE,
    Delay,
    Scene,
    draw_patients,
    draw_subdistribution,
    treatment_share,
)
from rnetstats.simulation.treatment_truth import (
    World,
    least_false,
    subdistribution_share,
    world_of,
)

EFFECT = Scene("effect", 800, 220.0, np.log(0.5), Delay(4.0, 0.5, 0.6))
NULL = Scene("null", 800, 220.0, 0.0, Delay(17.0, 0.18, 0.6))


def start(scene):
    return dataclasses.replace(scene, delay=None)


def test_least_false_is_the_ratio_of_proportional_hazards():
    at_risk = np.array([[5.0, 3.0, 1.0], [4.0, 3.0, 2.5], [1.0, 0.5, 0.1]])
    design = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    coef = np.array([-0.7, 1.1])
    events = at_risk * np.exp(design @ coef)[:, None] * np.array([0.1, 0.4, 0.2])
    assert least_false(at_risk, events, design) == pytest.approx(coef, abs=1e-10)


@pytest.mark.parametrize("scene", [EFFECT, NULL, start(EFFECT), start(NULL)])
def test_the_rate_gives_the_recurrences_asked_for(scene):
    world = world_of(scene)
    assert world.recurrences() == pytest.approx(220.0, abs=1e-6)
    many = dataclasses.replace(scene, patients=60_000)
    seen = draw_patients(many, world.log_rate, np.random.default_rng(1))["recurrence"].mean()
    assert abs(seen - 220 / 800) < 4 * np.sqrt(0.2 / 60_000)


def test_everybody_is_treated_or_not_and_falls_by_the_hazards():
    world = world_of(NULL)
    both = world.untreated + world.treated
    assert both == pytest.approx(np.exp(-world.hazard), abs=1e-9)
    chosen = world_of(start(EFFECT))
    assert (chosen.untreated + chosen.treated)[:, 0] == pytest.approx([1.0, 1.0])
    assert chosen.treated[:, 0] == pytest.approx(treatment_share(EFFECT))


def test_under_no_effect_every_comparison_of_like_with_like_is_null():
    world, chosen = world_of(NULL), world_of(start(NULL))
    assert world.landmark(24.0) == pytest.approx(0.0, abs=1e-9)
    for mean in (False, True):
        assert world.difference(world.strategies(24.0), 60.0, mean=mean) == pytest.approx(0.0)
        assert chosen.difference(chosen.assigned(), 60.0, mean=mean) == pytest.approx(0.0)
    assert chosen.marginal() == pytest.approx(0.0, abs=1e-9)
    # those who chose treatment are at higher risk: the groups as they are differ
    assert chosen.difference(chosen.observed(), 60.0) > 0.02


def test_assigned_risks_are_the_closed_form():
    world = world_of(start(EFFECT))
    base = np.exp(world.log_rate) * 60.0**SHAPE * np.array([1.0, np.exp(EFFECT.confounding)])
    untreated, treated = (float(np.dot(LEVELS, np.exp(-base * f))) for f in (1.0, 0.5))
    got = world.difference(world.assigned(), 60.0)
    assert got == pytest.approx(untreated - treated, abs=1e-12)
    # a marginal ratio is nearer to 1 than the conditional one (non-collapsibility)
    assert np.log(0.5) < world.marginal() < 0.97 * np.log(0.5)


def test_restricted_means_are_areas():
    world = World(dataclasses.replace(start(EFFECT), confounding=0.0), -7.0)
    curves = world.assigned()
    grid = np.linspace(0.0, 60.0, 600_001)
    gap = np.exp(-0.5 * np.exp(-7.0) * grid**SHAPE) - np.exp(-np.exp(-7.0) * grid**SHAPE)
    expected = float(((gap[1:] + gap[:-1]) * np.diff(grid)).sum() / 2)
    assert world.difference(curves, 60.0, mean=True) == pytest.approx(expected, rel=1e-6)


def test_strategies_agree_with_simulating_them_without_censoring():
    """Everybody left untreated at the end of the grace period is treated then."""
    world, rng, n = world_of(EFFECT), np.random.default_rng(5), 200_000
    level = (rng.random(n) < LEVELS[1]).astype(int)
    given = -np.expm1(-rng.standard_exponential(n) * np.exp(-EFFECT.choice * level)) / 0.6
    at = np.where(given < 1, 4.0 * np.exp(0.5 * norm.ppf(np.minimum(given, 1.0))), np.inf)
    at = np.minimum(at, 6.0)
    rate = np.exp(world.log_rate + EFFECT.confounding * level)
    exposed = 60.0**SHAPE - 0.5 * (60.0**SHAPE - at**SHAPE)
    treated = (rng.standard_exponential(n) < rate * exposed).mean()
    untreated = -np.expm1(-np.exp(world.log_rate + EFFECT.levels) * 60.0**SHAPE) @ LEVELS
    error = np.sqrt(treated * (1 - treated) / n)
    got = world.difference(world.strategies(6.0), 60.0)
    assert abs(got - (treated - untreated)) < 4 * error


def test_incidence_counts_recurrences_before_death():
    world, n = world_of(start(EFFECT)), 200_000
    rng = np.random.default_rng(6)
    share = treatment_share(EFFECT) * LEVELS
    level = (rng.random(n) < share[1] / share.sum()).astype(int)
    rate = 0.5 * np.exp(world.log_rate + EFFECT.confounding * level)
    recurs = (rng.standard_exponential(n) / rate) ** (1 / SHAPE)
    dies = rng.standard_exponential(n) / DEATH
    seen = ((recurs < dies) & (recurs < 60.0)).mean()
    assert abs(world.incidence(60.0) - seen) < 4 * np.sqrt(seen * (1 - seen) / n)


def test_the_subdistribution_has_the_recurrences_asked_for():
    scene = dataclasses.replace(start(EFFECT), patients=100_000, recurrences=27_500.0)
    share = subdistribution_share(scene)
    found = draw_subdistribution(scene, share, np.random.default_rng(7))
    assert abs((found["code"] == 1).sum() - 27_500) < 4 * np.sqrt(27_500)


def test_methods_approach_their_own_values_in_a_large_cohort():
    """One cohort of 8,000: each estimate within four of its own errors of its own target."""
    big = {"patients": 8_000, "recurrences": 2_200.0}
    for base, analyse in ((EFFECT, during), (start(EFFECT), at_start)):
        scene = dataclasses.replace(base, **big)
        arrays = draw_patients(scene, world_of(scene).log_rate, np.random.default_rng(8))
        for question, (estimate, low, high) in analyse(scene, arrays, 1, 0):
            if question.role == "naive":
                continue
            assert abs(estimate - question.target) < 4 * (high - low) / 3.92, question
    assert (grace_of(EFFECT), grace_of(NULL)) == (6.0, 24.0)


def test_the_landmark_ratio_is_diluted_by_later_treatment():
    world = world_of(EFFECT)
    values = [world.landmark(time) for time in (3.0, 6.0, 12.0)]
    assert values[0] > values[1] > values[2] > np.log(0.5)
    assert pd.Series(values).between(np.log(0.5), 0.0).all()
