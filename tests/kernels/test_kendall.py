"""Kendall's score under independence, by every order of one series."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from rnetstats.kernels.kendall import kendall_score, kendall_variance
from support import assert_close


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([1, 1, 2, 3, 4], [1, 2, 2, 3, 3]),
        ([1, 1, 1, 2, 2, 3], [1, 1, 1, 1, 2, 3]),
    ],
)
def test_the_variance_is_that_of_all_orders(x: list[int], y: list[int]) -> None:
    scores = np.array([kendall_score(x, order) for order in permutations(y)])
    assert_close(scores.mean(), 0.0, floor=1e-12)
    assert_close(kendall_variance(x, y), scores.var())
