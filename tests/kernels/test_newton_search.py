"""Searches for higher maxima: they end where they lead nowhere new, and miss nothing that is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.newton import OK, FloatArray, Found, IntArray, Known, maximise
from rnetstats.kernels.newton_search import JOINED, shortened

LOW, HIGH = -4.0, 3.0


class TwoHills:
    """Logarithm of two normal densities, the one about 3 higher; of one coefficient."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, beta: FloatArray, index: IntArray) -> Found:
        self.asked += len(beta)
        x = beta[:, 0]
        logs = -0.5 * (x - LOW) ** 2, np.log(2.0) - 0.5 * (x - HIGH) ** 2
        value = np.logaddexp(*logs)
        share = np.exp(logs[1] - value)
        score = share * (HIGH - x) + (1.0 - share) * (LOW - x)
        information = 1.0 - share * (1.0 - share) * (HIGH - LOW) ** 2
        return value, score[:, None], information[:, None, None]


def known(hills: TwoHills, at: float, size: int) -> Known:
    top = maximise(hills, np.array([[at]]))
    return Known(top.coef, top.information, np.zeros(size, dtype=np.int64))


def test_a_search_finds_the_other_maximum_and_stops_beside_the_known_one() -> None:
    hills, start = TwoHills(), np.linspace(-6.0, 5.0, 23)[:, None]
    below = known(hills, LOW, len(start))
    hills.asked = 0
    alone = maximise(hills, start, retry=False)
    asked, hills.asked = hills.asked, 0
    found = maximise(hills, start, retry=False, known=below)
    assert hills.asked < 0.9 * asked
    higher = alone.coef[:, 0] > 0.0
    assert 8 <= higher.sum() <= 15
    np.testing.assert_array_equal(found.status == OK, higher)
    np.testing.assert_array_equal(found.status == JOINED, ~higher)
    np.testing.assert_allclose(found.coef[higher], alone.coef[higher], rtol=1e-12)
    away = np.abs(found.coef[~higher] - below.points)
    assert (away < 0.1 * (1.0 + 1e-6)).all()


def test_where_it_is_flat_nothing_seems_near() -> None:
    far = Known(np.array([[50.0]]), np.array([[[1.0]]]), np.zeros(2, dtype=np.int64))
    flat = np.array([[[1e-9]], [[1.0]]])
    near = far.joined(np.arange(2), np.array([[0.0], [49.95]]), flat)
    np.testing.assert_array_equal(near, [False, True])
    flat_top = Known(far.points, flat[:1], far.which)
    assert not flat_top.joined(np.arange(1), np.array([[0.0]]), flat[1:]).any()


def test_each_replicate_has_its_own_maximum() -> None:
    both = Known(np.array([[0.0], [5.0]]), np.ones((2, 1, 1)), np.array([1, 0, 1]))
    point = np.array([[5.0], [5.0]])
    np.testing.assert_array_equal(
        both.joined(np.array([0, 1]), point, np.ones((2, 1, 1))), [True, False]
    )


@given(length=st.floats(1e-6, 1e18), turn=st.floats(-1.0, 1.0))
def test_long_steps_are_halved_and_short_ones_taken(length: float, turn: float) -> None:
    step = np.array([[length, turn * length], [turn, 1.0]])
    found = shortened(step)
    np.testing.assert_array_equal(found[1], step[1])
    if length <= 100.0:
        np.testing.assert_array_equal(found[0], step[0])
    else:
        assert 50.0 < np.abs(found[0]).max() <= 100.0
        halvings = np.log2(step[0, 0] / found[0, 0])
        assert halvings == pytest.approx(round(halvings), abs=1e-12)
        assert found[0, 1] == pytest.approx(turn * found[0, 0], rel=1e-12)
