from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.two_risks import nuisance_of, two_risks
from support import assert_close

MEASURES = ("OR", "RR", "RD")
risk = st.floats(1e-4, 1 - 1e-4)


def effect_of(measure: str, p1: float, p2: float) -> float:
    if measure == "RD":
        return p1 - p2
    odds = p1 * (1 - p2) / (p2 * (1 - p1))
    return float(np.log(p1 / p2 if measure == "RR" else odds))


@pytest.mark.parametrize("measure", MEASURES)
@given(p1=risk, p2=risk)
def test_risks_come_back(measure: str, p1: float, p2: float) -> None:
    found = two_risks(measure, effect_of(measure, p1, p2), nuisance_of(measure, p1, p2))
    assert found is not None
    assert_close([found[0].value, found[1].value], [p1, p2], rel=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("p1", "p2"), [(0.01, 0.04), (0.3, 0.05), (0.9, 0.97), (0.5, 0.5)])
def test_derivatives_are_those_of_the_risks(measure: str, p1: float, p2: float) -> None:
    at = np.array([effect_of(measure, p1, p2), nuisance_of(measure, p1, p2)])
    found = two_risks(measure, *at)
    step = 1e-6 * np.eye(2)
    near = [(two_risks(measure, *(at + h)), two_risks(measure, *(at - h))) for h in step]
    assert found is not None
    for arm in (0, 1):
        pairs = [(a[arm], b[arm]) for a, b in near if a is not None and b is not None]
        slope = [(a.value - b.value) / 2e-6 for a, b in pairs]
        curve = [(a.slope - b.slope) / 2e-6 for a, b in pairs]
        assert_close(found[arm].slope, slope, rel=1e-6, floor=1e-8)
        assert_close(found[arm].curve, curve, rel=1e-5, floor=1e-7)


def test_there_are_no_risks_further_apart_than_one() -> None:
    assert two_risks("RD", 1.0, 0.0) is None
    assert two_risks("RD", -1.2, 0.0) is None
    assert two_risks("OR", 0.0, 900.0) is None
