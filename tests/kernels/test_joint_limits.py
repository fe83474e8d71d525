"""Limits by joint Newton steps: where the profile has one branch also far from quadratic."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.kernels.joint_limits import Wanted, joint_limits
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.search import alone
from rnetstats.kernels.unit import standardised
from rnetstats.kernels.walk import FOUND, walk_outward

HALF_CHI2_95 = 3.841458820694124 / 2


@pytest.mark.parametrize("firth", [False, True])
@pytest.mark.parametrize("events", [(2, 6), (1, 9), (3, 40)])
def test_few_events_have_the_limits_of_the_walk(events: tuple[int, int], firth: bool) -> None:
    group = np.repeat([0.0, 1.0], 60)
    y = np.zeros(120)
    y[: events[0]], y[60 : 60 + events[1]] = 1.0, 1.0
    X = np.column_stack([np.ones(120), group])
    fit = fit_logistic(X, y, firth=firth)
    unit = standardised(LogisticLikelihood(X, y, firth=firth), fit.coef[0])
    assert not unit.several()
    target = unit.value - HALF_CHI2_95
    wanted = Wanted(np.repeat([0, 1], 2), np.tile([-1.0, 1.0], 2), target)
    found, points = alone(unit.evaluate, joint_limits(unit, wanted, HALF_CHI2_95))
    walked, status = walk_outward(
        unit.evaluate, unit.centre, wanted.column, wanted.side, target=target
    )
    assert (status == FOUND).all()
    np.testing.assert_allclose(found, walked, rtol=1e-9)
    value, score, _ = unit.evaluate(points, np.arange(4))
    np.testing.assert_allclose(value, target, atol=1e-8)
    nuisance = 1 - wanted.column
    np.testing.assert_allclose(score[np.arange(4), nuisance], 0.0, atol=1e-6)
