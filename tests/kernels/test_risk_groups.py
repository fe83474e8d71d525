"""Hosmer and Lemeshow's statistic in batches, against single ones and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.ordered import in_order
from rnetstats.kernels.risk_groups import hosmer_lemeshow_of
from rnetstats.prediction.calibration_groups import binary_groups, hosmer_lemeshow


@given(
    st.integers(0, 10_000), st.integers(4, 60), st.sampled_from([1, 2, 6]), st.sampled_from([2, 10])
)
def test_agrees_with_the_table_of_groups(seed: int, n: int, digits: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=n) < 0.4).astype(float)
    risk = np.clip(rng.uniform(size=(3, n)).round(digits), 0.01, 0.99)
    freq = rng.integers(0, 3, size=(3, n)).astype(float)
    freq[:, :2] += 1.0
    found = hosmer_lemeshow_of(in_order(y, risk, freq), groups=groups)
    for b in range(3):
        again = np.repeat(np.arange(n), freq[b].astype(int))
        table = binary_groups(y[again], risk[b][again], None, groups, 0.95)
        assert found[b] == pytest.approx(hosmer_lemeshow(table, fitted=False)[0], rel=1e-9)


def test_statistic_by_hand() -> None:
    # Two groups: (.1, .2) with one event, expected .3; (.4, .6) with one event, expected 1.
    by_hand = 0.7**2 / 0.3 + 0.7**2 / 1.7
    found = hosmer_lemeshow_of(in_order([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.6]), groups=2)
    assert found[0] == pytest.approx(by_hand)


def test_an_event_of_risk_nil_is_infinitely_unlikely() -> None:
    assert hosmer_lemeshow_of(in_order([1, 0], [0.0, 0.0]))[0] == np.inf
    assert hosmer_lemeshow_of(in_order([0, 1], [0.0, 1.0]), groups=2)[0] == 0.0
