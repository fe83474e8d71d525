"""Limits of an AUC at the ends of its range."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.prediction.auc_limits import auc_limits

KNOWN = {"constant": False, "method": "DeLong"}


def test_plain_limits_end_at_0_and_1() -> None:
    low = auc_limits(0.1, 0.1, pairs=5, **KNOWN)
    assert (low.low, round(low.high, 3)) == (0.0, 0.296)
    high = auc_limits(0.9, 0.1, pairs=5, **KNOWN)
    assert (round(high.low, 3), high.high) == (0.704, 1.0)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_where_all_pairs_agree_limits_are_exact(value: float) -> None:
    found = auc_limits(value, 0.0, pairs=4, **KNOWN)
    inner = 0.025 ** (1 / 4)
    expected = (inner, 1.0) if value else (0.0, 1.0 - inner)
    np.testing.assert_allclose((found.low, found.high), expected)
    assert ("rightly" if value else "wrongly") in found.note
