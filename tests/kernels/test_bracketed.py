"""Roots between two points of different signs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from rnetstats.kernels.bracketed import bracketed_root


@given(st.floats(-30.0, 30.0), st.floats(0.01, 20.0), st.floats(0.01, 20.0), st.floats(0.01, 50.0))
def test_as_brents_method(root: float, below: float, above: float, steep: float) -> None:
    def function(x: float) -> float:
        return math.atan(steep * (x - root)) + 0.2 * (x - root)

    low, high = root - below, root + above
    found = bracketed_root(function, low, high)
    known = brentq(function, low, high, xtol=1e-15, rtol=1e-15, maxiter=500)
    assert found == pytest.approx(known, rel=1e-13, abs=1e-13)
    falling = bracketed_root(lambda x: -function(x), low, high)
    assert falling == pytest.approx(known, rel=1e-13, abs=1e-13)


def test_few_evaluations() -> None:
    asked: list[float] = []

    def function(x: float) -> float:
        asked.append(x)
        return math.exp(x) - 2.0

    assert bracketed_root(function, -20.0, 20.0) == pytest.approx(math.log(2.0), rel=1e-15)
    assert len(asked) < 30
    assert all(-20.0 <= x <= 20.0 for x in asked)


def test_ends_that_are_roots() -> None:
    assert bracketed_root(lambda x: x, 0.0, 3.0) == 0.0
    assert bracketed_root(lambda x: x - 3.0, 0.0, 3.0) == 3.0


def test_a_jump_is_found() -> None:
    found = bracketed_root(lambda x: 1.0 if x > math.pi else -1.0, 0.0, 10.0)
    assert found == pytest.approx(math.pi, rel=1e-14)


def test_a_triple_root() -> None:
    assert bracketed_root(lambda x: (x - 1.0) ** 3, -4.0, 9.0) == pytest.approx(1.0, abs=1e-12)


def test_tolerance() -> None:
    asked: list[float] = []

    def function(x: float) -> float:
        asked.append(x)
        return float(np.tanh(x - 0.3))

    assert bracketed_root(function, -5.0, 5.0, tolerance=1e-3) == pytest.approx(0.3, abs=1e-3)
    rough = len(asked)
    asked.clear()
    assert bracketed_root(function, -5.0, 5.0) == pytest.approx(0.3, rel=1e-14)
    assert rough < len(asked)


def test_same_signs_are_refused() -> None:
    with pytest.raises(ValueError, match="same sign at 1 and at 2"):
        bracketed_root(lambda x: x, 1.0, 2.0)
