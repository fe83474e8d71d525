from __future__ import annotations

import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from rnetstats.survival.mover import difference_limits, ratio_limits, square_and_add_p
from support import assert_close

Z = 1.959963984540054


@st.composite
def proportions(draw):
    low, middle, high = sorted(draw(st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3)))
    assume(low < middle < high)
    return middle, low, high


def wilson(x, n, level):
    from scipy.stats import norm

    z = norm.isf((1 - level) / 2)
    middle = (x + z * z / 2) / (n + z * z)
    reach = z / (n + z * z) * math.sqrt(x * (n - x) / n + z * z / 4)
    return x / n, middle - reach, middle + reach


def test_newcombes_worked_example():
    """Newcombe (1998), Stat Med 17:873-90, table II, method 10: 56/70 against 48/80."""
    low, high = difference_limits(wilson(56, 70, 0.95), wilson(48, 80, 0.95))
    assert_close([low, high], [0.0524, 0.3339], rel=0.0, floor=5e-5)
    low, high = difference_limits(wilson(10, 10, 0.95), wilson(0, 20, 0.95))
    assert_close([low, high], [0.6791, 1.0], rel=0.0, floor=5e-5)


@given(proportions(), proportions())
def test_swapping_mirrors_the_difference_and_inverts_the_ratio(a, b):
    low, high = difference_limits(a, b)
    assert low < a[0] - b[0] < high
    assert_close(difference_limits(b, a), [-high, -low])
    low, high = ratio_limits(a, b)
    assert low < a[0] / b[0] < high
    assert_close(ratio_limits(b, a), [1 / high, 1 / low], rel=1e-7)


@given(proportions(), proportions())
def test_at_a_ratio_limit_the_difference_has_the_limit_zero(a, b):
    low, high = ratio_limits(a, b)
    for ratio, end in ((low, 0), (high, 1)):
        if 1e-6 < ratio < 1e6:
            scaled = tuple(ratio * value for value in b)
            assert abs(difference_limits(a, scaled)[end]) < 1e-7 * max(1.0, ratio)


def test_ratios_of_zero_estimates():
    none, some = (0.0, 0.0, 0.05), (0.1, 0.04, 0.2)
    low, high = ratio_limits(none, some)
    assert low == 0.0
    assert_close(high, 0.05 / math.sqrt(0.04 * (2 * 0.1 - 0.04)))
    low, high = ratio_limits(some, none)
    assert high == math.inf
    assert_close(low, math.sqrt(0.04 * (2 * 0.1 - 0.04)) / 0.05)


def test_p_of_normal_limits_is_the_normal_p():
    from scipy.stats import norm

    def limits(level):
        z = norm.isf((1 - level) / 2)
        return (0.8, 0.8 - z * 0.03, 0.8 + z * 0.03), (0.7, 0.7 - z * 0.04, 0.7 + z * 0.04)

    assert_close(square_and_add_p(limits), 2 * norm.sf(0.1 / 0.05), rel=1e-7)
    assert square_and_add_p(lambda level: (limits(level)[0],) * 2) == 1.0
    assert square_and_add_p(lambda level: ((0.8, 0.0, 1.0), (0.7, 0.0, 1.0))) == 1.0


@given(st.integers(0, 30), st.integers(0, 30), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_p_and_limits_agree(x, y, level):
    p = square_and_add_p(lambda c: (wilson(x, 30, c), wilson(y, 30, c)))
    a, b = wilson(x, 30, level), wilson(y, 30, level)
    assume(abs(p - (1 - level)) > 1e-9)
    excluded = not (difference_limits(a, b)[0] <= 0.0 <= difference_limits(a, b)[1])
    assert excluded == (p < 1 - level)
    low, high = ratio_limits(a, b)
    if x and y:
        assert (not low <= 1.0 <= high) == excluded
    assert np.isfinite(p)
