"""Effect sizes: by hand, as metafor gives them, zero cells, and what swapping arms does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.evidence.effect_sizes import from_means, from_rates, from_tables, hedges_factor
from support import assert_close


def floats(*columns: list[float]) -> list[np.ndarray]:
    return [np.array(column, dtype=float) for column in columns]


def test_two_by_two_by_hand() -> None:
    table = floats([10], [100], [20], [110])  # 10 of 100 against 20 of 110
    odds = from_tables("OR", *table, correction=0.5)
    assert_close(odds.coef, np.log([10 * 90 / (90 * 20)]))
    assert_close(odds.variance, [1 / 10 + 1 / 90 + 1 / 20 + 1 / 90])
    risk = from_tables("RR", *table, correction=0.5)
    assert_close(risk.coef, np.log([0.1 / (20 / 110)]))
    assert_close(risk.variance, [1 / 10 - 1 / 100 + 1 / 20 - 1 / 110])
    difference = from_tables("RD", *table, correction=0.5)
    assert_close(difference.coef, [0.1 - 20 / 110])
    assert_close(difference.variance, [0.1 * 0.9 / 100 + (20 / 110) * (90 / 110) / 110])


def test_a_half_is_added_to_studies_with_a_zero_cell_alone() -> None:
    table = floats([0, 10, 0, 5], [9, 100, 8, 5], [4, 20, 0, 6], [12, 110, 7, 6])
    found = from_tables("OR", *table, correction=0.5)
    assert found.corrected.tolist() == [True, False, False, False]
    assert_close(found.coef[0], np.log(0.5 * 8.5 / (9.5 * 4.5)))
    assert_close(found.coef[1], np.log(10 * 90 / (90 * 20)))
    assert np.isnan(found.coef[2:]).all()
    assert found.left_out == (
        "",
        "",
        "no event in either arm",
        "events in all patients of both arms",
    )
    kept = from_tables("RD", *table, correction=0.5)
    assert kept.left_out == ("", "", "", "")
    assert_close(kept.coef[2], 0.5 / 9 - 0.5 / 8)
    bare = from_tables("OR", *table, correction=0.0)
    assert bare.left_out[0] == "a zero cell, and no correction asked for"
    assert not bare.corrected.any()


def test_means_rates_and_ratios_as_in_metafor() -> None:
    means = floats([10, 12], [2, 3], [12, 30], [8, 12.5], [2.5, 2], [10, 28])
    hedges = from_means("SMD", *means)  # escalc("SMD", ...) etc.
    assert_close(hedges.coef, [0.859315872873029, -0.192160539293962])
    assert_close(hedges.variance, [0.200115691728141, 0.069365943813669], rel=1e-12)
    plain = from_means("MD", *means)
    assert_close(plain.coef, [2.0, -0.5])
    assert_close(plain.variance, [4 / 12 + 6.25 / 10, 9 / 30 + 4 / 28])
    times = floats([3, 0, 0], [100, 50, 20], [7, 2, 0], [110, 60, 30])
    ratio = from_rates("IRR", *times, correction=0.5)
    assert_close(ratio.coef[:2], [np.log(3 / 100 / (7 / 110)), np.log(0.5 / 50 / (2.5 / 60))])
    assert_close(ratio.variance[:2], [1 / 3 + 1 / 7, 1 / 0.5 + 1 / 2.5])
    assert ratio.left_out == ("", "", "no event in either arm")
    difference = from_rates("IRD", *times, correction=0.5)
    assert_close(difference.coef, [3 / 100 - 7 / 110, 0.5 / 50 - 2.5 / 60, 0.5 / 20 - 0.5 / 30])
    assert_close(difference.variance[0], 3 / 100**2 + 7 / 110**2)
    none = from_means("MD", *floats([1], [0], [5], [2], [0], [5]))
    assert none.left_out == ("both standard deviations are 0",)


def test_hedges_factor_is_near_its_usual_approximation() -> None:
    df = np.array([4.0, 20.0, 200.0])
    assert_close(hedges_factor(df), 1 - 3 / (4 * df - 1), rel=3e-3)
    assert_close(hedges_factor(np.array([2.0])), 1 / np.sqrt(np.pi))  # gamma(1)/gamma(1/2)


COUNT = st.integers(0, 30)


@given(COUNT, COUNT, COUNT, COUNT)
def test_swapping_the_arms_inverts(a: int, b: int, c: int, d: int) -> None:
    one = floats([a], [a + b + 1], [c], [c + d + 1])
    other = [*one[2:], *one[:2]]
    for measure in ("OR", "RR", "RD"):
        left = from_tables(measure, *one, correction=0.5)
        right = from_tables(measure, *other, correction=0.5)
        assert_close(left.coef, -right.coef)
        assert_close(left.variance, right.variance)
        assert left.left_out == right.left_out


@given(COUNT, COUNT, COUNT, COUNT)
def test_counting_what_did_not_happen_inverts_the_odds_ratio(
    a: int, b: int, c: int, d: int
) -> None:
    events = from_tables("OR", *floats([a], [a + b + 1], [c], [c + d + 1]), correction=0.5)
    others = from_tables("OR", *floats([b + 1], [a + b + 1], [d + 1], [c + d + 1]), correction=0.5)
    assert_close(events.coef, -others.coef)
    assert_close(events.variance, others.variance)


@given(st.floats(0.001, 1000.0), st.floats(-50.0, 50.0))
def test_units_scale_the_mean_difference_and_leave_the_standardised_one(
    scale: float, shift: float
) -> None:
    means = floats([10, 12], [2, 3], [12, 30], [8, 12.5], [2.5, 2], [10, 28])
    moved = [
        values * (1.0 if name.startswith("n") else scale) + shift * name.startswith("m")
        for name, values in zip(("m", "s", "n") * 2, means, strict=True)
    ]
    before, after = from_means("MD", *means), from_means("MD", *moved)
    assert_close(after.coef, scale * before.coef, rel=1e-7)
    assert_close(after.variance, scale**2 * before.variance)
    assert_close(from_means("SMD", *moved).coef, from_means("SMD", *means).coef, rel=1e-7)
