"""Statistics of 2x2 tables, and the boxes that a search may leave out."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr, ndtri

from rnetstats.kernels.two_by_two import (
    likelihood_ratio_z,
    log_odds_ratio,
    pearson_z,
    wald_z,
    yates_z,
)
from rnetstats.kernels.two_by_two_boxes import Boxes, Wanted, meets, prints
from rnetstats.kernels.two_by_two_fisher import fisher_two_sided, tail_bounds
from rnetstats.tables.fisher import fisher_p, log_factorials
from support import golden

LOGS = np.asarray(log_factorials(3000), dtype=float)
CELL = st.integers(0, 40)
SMALL = np.array([t for t in product(range(6), range(9), range(6), range(9)) if t[0] + t[1]]).T
SMALL = SMALL[:, SMALL[2] + SMALL[3] > 0]
GOLDEN = [c for c in golden("exact") if c["id"].startswith("t_")]


def exact_p(a: int, b: int, c: int, d: int) -> Fraction:
    """Two-sided P in whole numbers."""
    m, n, events = a + b, c + d, a + c
    ways = {k: math.comb(m, k) * math.comb(n, events - k) for k in range(events + 1)}
    return Fraction(sum(w for w in ways.values() if w <= ways[a]), math.comb(m + n, events))


@given(CELL, CELL, CELL, CELL)
def test_fisher_is_that_of_whole_numbers(a: int, b: int, c: int, d: int) -> None:
    cells = [np.array([x]) for x in (a, b, c, d)]
    if a + b and c + d:
        found = fisher_two_sided(*cells, LOGS)[0]
        assert found == pytest.approx(float(exact_p(a, b, c, d)), rel=1e-11)


@pytest.mark.parametrize("case", GOLDEN, ids=[c["id"] for c in GOLDEN])
def test_two_by_two_tables_of_the_reference(case: dict) -> None:
    values = case["values"]
    (a, b), (c, d) = values["table"]
    cells = [np.array([x]) for x in (a, b, c, d)]
    assert fisher_two_sided(*cells, LOGS)[0] == pytest.approx(values["fisher_p"], rel=1e-8)
    if min(a, b, c, d) > 0:
        ratio, error = log_odds_ratio(a, b, c, d)
        assert np.exp(ratio) == pytest.approx(values["sample_odds_ratio"], rel=1e-8)
        assert error == pytest.approx(values["woolf_log_or_se"], rel=1e-8)
    ratio, error = log_odds_ratio(a, b, c, d, add=0.5)
    assert np.exp(ratio) == pytest.approx(values["haldane_anscombe_or"], rel=1e-8)
    assert error == pytest.approx(values["haldane_anscombe_log_or_se"], rel=1e-8)


def test_fisher_agrees_for_tables_of_all_sizes() -> None:
    rng = np.random.default_rng(1)
    n = rng.integers(1, 1400, (2, 400))
    events = rng.binomial(n, rng.choice([0.01, 0.03, 0.5, 0.9], (2, 400)))
    cells = events[0], n[0] - events[0], events[1], n[1] - events[1]
    old = fisher_p(*cells)
    large = old > 1e-290
    np.testing.assert_allclose(fisher_two_sided(*cells, LOGS)[large], old[large], rtol=1e-10)


@given(*[st.integers(1, 60)] * 4)
def test_statistics_are_those_of_scipy(a: int, b: int, c: int, d: int) -> None:
    table = [[a, b], [c, d]]
    for statistic, options in (
        (pearson_z, {"correction": False}),
        (yates_z, {"correction": True}),
        (likelihood_ratio_z, {"correction": False, "lambda_": "log-likelihood"}),
    ):
        expected = stats.contingency.chi2_contingency(table, **options).statistic
        assert statistic(a, b, c, d) ** 2 == pytest.approx(expected, rel=1e-8, abs=1e-9)
        assert np.sign(statistic(a, b, c, d)) in (0.0, np.sign(c * b - a * d))
    ratio, error = math.log(a * d / (b * c)), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    assert wald_z(a, b, c, d) == pytest.approx(-ratio / error, rel=1e-12, abs=1e-12)


def test_empty_margins_and_cells_are_no_news() -> None:
    assert pearson_z(0, 5, 0, 7) == 0.0
    assert yates_z(0, 5, 0, 7) == 0.0
    assert likelihood_ratio_z(5, 0, 7, 0) == 0.0
    assert wald_z(0, 5, 3, 7) == 0.0
    assert wald_z(0, 5, 3, 7, add=0.5) == pytest.approx(
        -math.log(0.5 * 7.5 / (5.5 * 3.5)) / math.sqrt(2 + 1 / 5.5 + 1 / 3.5 + 1 / 7.5)
    )
    ratio, error = log_odds_ratio(0, 5, 0, 7)
    assert np.isnan(ratio)
    assert np.isinf(error)


@pytest.mark.parametrize("statistic", [pearson_z, yates_z])
def test_statistics_rise_with_one_size_and_fall_with_the_other(statistic) -> None:
    a, b, c, d = SMALL
    z = statistic(a, b, c, d)
    assert (statistic(a, b + 1, c, d) >= z - 1e-12).all()
    assert (statistic(a, b, c, d + 1) <= z + 1e-12).all()


def test_one_sided_tails_are_ordered_too() -> None:
    a, b, c, d = SMALL
    less = fisher_p(a, b, c, d, alternative="less")
    assert (fisher_p(a, b + 1, c, d, alternative="less") <= less + 1e-12).all()
    assert (fisher_p(a, b, c, d + 1, alternative="less") >= less - 1e-12).all()


def test_bounds_enclose_the_tails_and_the_two_sided_p() -> None:
    bounds = tail_bounds(*SMALL, LOGS)
    less = fisher_p(*SMALL, alternative="less")
    greater = fisher_p(*SMALL, alternative="greater")
    for tail, least, most in (
        (less, bounds.lower_least, bounds.lower_most),
        (greater, bounds.upper_least, bounds.upper_most),
    ):
        assert (least <= tail + 1e-12).all()
        assert (tail <= most + 1e-12).all()
    p = fisher_p(*SMALL)
    assert (np.minimum(less, greater) <= p + 1e-12).all()
    assert (p <= (SMALL[0] + SMALL[2] + 1) * bounds.point + 1e-12).all()


def wanted(p_low: float, p_high: float, *tests: str) -> Wanted:
    z_high = -ndtri(p_low / 2) if p_low > 0 else np.inf
    return Wanted(tests, p_low, p_high, -ndtri(p_high / 2), z_high, LOGS)


@given(
    corner=st.tuples(*[st.integers(0, 25)] * 4),
    sides=st.tuples(st.integers(0, 25), st.integers(0, 25)),
    low=st.floats(0.0, 0.9),
    width=st.floats(0.0, 0.1),
    test=st.sampled_from(["pearson", "yates", "fisher"]),
)
def test_no_box_with_a_wanted_table_is_left_out(
    corner: tuple[int, ...], sides: tuple[int, int], low: float, width: float, test: str
) -> None:
    a, b, c, d = corner[0], corner[1] + 1, corner[2], corner[3] + 1
    ends = a, b, b + sides[0], c, d, d + sides[1]
    box = Boxes(*(np.array([x]) for x in ends))
    look = wanted(low, min(low + width, 1.0), test)
    cells = [np.concatenate(part) for part in zip(*box.chunks(), strict=True)]
    assert cells[0].size == box.tables[0] == (sides[0] + 1) * (sides[1] + 1)
    found = prints(*cells, look)[0]
    z = {"pearson": pearson_z, "yates": yates_z}
    p = 2 * ndtr(-abs(z[test](*cells))) if test in z else fisher_p(*cells)
    if test in z:
        p = np.where(cells[0] + cells[2] > 0, p, -1.0)
    sure = np.minimum(np.abs(p - look.p_low), np.abs(p - look.p_high)) > 1e-8
    np.testing.assert_array_equal(found[sure], ((p >= look.p_low) & (p <= look.p_high))[sure])
    if found.any():
        assert meets(box, look).all()


def test_boxes_are_cut_in_two_and_to_the_patients() -> None:
    box = Boxes(*(np.array([x]) for x in (2, 10, 20, 3, 5, 9)))
    halves = box.halves()
    assert halves.tables.sum() == box.tables.sum() == 55
    np.testing.assert_array_equal(halves.b_high, [15, 20])
    cut = box.within(25)
    assert (cut.b_high[0], cut.d_high[0]) == (15, 9)
    assert len(box.within(19)) == 0
    assert box.within(20).tables.sum() == 1
