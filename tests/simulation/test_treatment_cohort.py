"""Cohorts with a treatment: the hazards that were drawn are those that were asked for."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, norm

from rnetstats.simulation.treatment_cohort import (
    DEATH,
    FOLLOW_UP,
    LEVELS,
    SHAPE,
    SUBDISTRIBUTION_MONTHS,
    Delay,
    Scene,
    draw_patients,
    draw_subdistribution,
    treatment_hazard,
    treatment_share,
)

DELAY = Delay(median=4.0, spread=0.5, share=0.6)
LATER = Scene("effect", 40_000, 0.0, np.log(0.5), DELAY)
START = dataclasses.replace(LATER, delay=None)
RATE = -6.5


def rates(arrays, kept, begin, end):
    """Events and cumulative hazard at the law's rate, without the factors."""
    mass = np.exp(RATE) * (end**SHAPE - begin**SHAPE)
    return arrays["recurrence"][kept].sum(), mass[kept].sum()


def drawn(scene, seed=1):
    return draw_patients(scene, RATE, np.random.default_rng(seed))


@pytest.mark.parametrize("level", [0, 1])
def test_the_hazard_of_recurrence_changes_at_treatment_and_nowhere_else(level):
    found = drawn(LATER)
    at = np.where(np.isnan(found["treated_at"]), np.inf, found["treated_at"])
    here, after = found["x"] == level, np.isfinite(at)
    factor = np.exp(LATER.confounding * level)
    # given the total hazard a person was exposed to, the count is Poisson with that mean
    seen, mass = rates(found, here & after, np.minimum(at, found["months"]), found["months"])
    expected = mass * factor * np.exp(LATER.log_hazard_ratio)
    assert abs(seen - expected) < 4 * np.sqrt(expected)
    untreated = np.minimum(at, found["months"])
    mass = (np.exp(RATE) * untreated**SHAPE)[here].sum() * factor
    seen = found["recurrence"][here & ~after].sum()
    assert abs(seen - mass) < 4 * np.sqrt(mass)


def test_delays_are_log_normal_for_a_share_without_the_confounder():
    calm = dataclasses.replace(LATER, patients=20_000)
    found = draw_patients(calm, -30.0, np.random.default_rng(2))  # nobody recurs
    assert found["recurrence"].sum() == 0
    at = found["treated_at"][found["x"] == 0]
    seen = at[~np.isnan(at)]
    assert abs(seen.size / at.size - DELAY.share) < 0.02  # the few dead before are not treated
    law = norm(np.log(DELAY.median), DELAY.spread).cdf
    assert kstest(np.log(seen[seen < 20]), law).pvalue > 1e-3


def test_hazards_of_treatment_are_proportional_and_integrate_the_log_normal_law():
    times = np.array([2.0, 4.0, 9.0])
    low, high = treatment_hazard(LATER, times)
    assert high == pytest.approx(np.exp(LATER.choice) * low)

    def hazard(t):
        z = (np.log(t) - np.log(DELAY.median)) / DELAY.spread
        density = DELAY.share * norm.pdf(z) / (DELAY.spread * t)
        return density / (1.0 - DELAY.share * norm.cdf(z))

    assert low == pytest.approx([quad(hazard, 1e-9, t)[0] for t in times], rel=1e-7)


def test_a_treatment_chosen_at_the_start_depends_on_the_confounder():
    found = drawn(START)
    shares = treatment_share(START)
    for level in (0, 1):
        here = found["treated"][found["x"] == level]
        assert abs(here.mean() - shares[level]) < 4 * np.sqrt(0.25 / here.size)
    odds = shares / (1.0 - shares)
    assert odds[1] / odds[0] == pytest.approx(np.exp(START.choice))
    assert abs(found["x"].mean() - LEVELS[1]) < 0.01


def test_deaths_and_the_end_of_follow_up_come_at_their_rates():
    found = drawn(LATER)
    deaths, months = (found["code"] == 2).sum(), found["months"].sum()
    assert abs(deaths - DEATH * months) < 4 * np.sqrt(DEATH * months)
    ends = found["months"][found["code"] == 0]
    assert ends.min() >= FOLLOW_UP[0] and ends.max() <= FOLLOW_UP[1]
    assert ((found["code"] == 1) == (found["recurrence"] == 1)).all()
    assert not (found["treated_at"] >= found["months"]).any()


def test_hazards_of_the_subdistribution_are_proportional():
    share = 0.3
    found = draw_subdistribution(START, share, np.random.default_rng(3))
    first, months = found["code"] == 1, 30.0  # before anybody's follow-up ends
    for level in (0.0, 1.0):
        for treated in (0.0, 1.0):
            here = (found["x"] == level) & (found["treated"] == treated)
            ratio = np.exp(START.confounding * level + START.log_hazard_ratio * treated)
            base = share * -np.expm1(-months / SUBDISTRIBUTION_MONTHS)
            expected = 1.0 - (1.0 - base) ** ratio
            got = (first & (found["months"] <= months))[here].mean()
            assert abs(got - expected) < 4 * np.sqrt(expected / here.sum())
