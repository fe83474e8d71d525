"""The hazard that changes at salvage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from rnetstats.simulation.hazards import cumulative, inverse

positive = st.floats(0.05, 20)


@given(st.floats(0.1, 150), st.floats(-9, 0), st.floats(0.5, 2), st.floats(0.1, 150), positive)
def test_inverse_undoes_cumulative(time, eta, shape, change, factor):
    args = (np.array([eta]), shape, np.array([change]), np.array([factor]))
    total = cumulative(np.array([time]), *args)
    assert inverse(total, *args)[0] == pytest.approx(time, rel=1e-8)


def test_cumulative_is_the_integral():
    eta, shape, change, factor = -6.0, 1.2, 5.0, 0.25

    def hazard(t):
        return np.exp(eta) * shape * t ** (shape - 1) * (factor if t > change else 1.0)

    expected = quad(hazard, 0, change)[0] + quad(hazard, change, 40)[0]
    got = cumulative(
        np.array([40.0]), np.array([eta]), shape, np.array([change]), np.array([factor])
    )
    assert got[0] == pytest.approx(expected, rel=1e-8)


def test_without_change_the_law_is_weibull():
    got = cumulative(np.array([10.0]), np.array([0.0]), 2.0, np.array([np.inf]), np.array([9.0]))
    assert got[0] == pytest.approx(100.0)
