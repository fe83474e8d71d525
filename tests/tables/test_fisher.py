"""Fisher's test for arrays, and the exact test of larger tables."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, factorial, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.errors import BudgetError, DataError, OptionError
from rnetstats.tables.exact_family import hypergeometric_family
from rnetstats.tables.exact_inference import exact_p_values
from rnetstats.tables.exact_table import ExactContingencyResult, exact_table
from rnetstats.tables.fisher import ALTERNATIVES, fisher_p
from rnetstats.tables.freeman_halton import freeman_halton_p
from rnetstats.tables.random_tables import monte_carlo_p

cell = st.integers(0, 300)


def fisher_by_fractions(a: int, b: int, c: int, d: int) -> float:
    n1, n2, events = a + b, c + d, a + c
    ways = [
        comb(n1, k) * comb(n2, events - k) for k in range(max(0, events - n2), min(n1, events) + 1)
    ]
    observed = comb(n1, a) * comb(n2, c)
    return float(Fraction(sum(w for w in ways if w <= observed), sum(ways)))


def test_twelve_recurrences_over_the_margin_groups() -> None:
    a = np.arange(12, 3, -1)
    p = fisher_p(a, 181 - a, 12 - a, 346 - 12 + a)
    shown = [f"{value:.4f}" for value in p]
    assert shown == [
        "0.0000",
        "0.0001",
        "0.0006",
        "0.0044",
        "0.0274",
        "0.1197",
        "0.3556",
        "0.5565",
        "1.0000",
    ]
    assert int(a[p < 0.05].min()) == 8


def test_the_lady_tasting_tea() -> None:
    assert fisher_p(3, 1, 1, 3) == pytest.approx(34 / 70, rel=1e-14)
    assert fisher_p(3, 1, 1, 3, alternative="greater") == pytest.approx(17 / 70, rel=1e-14)
    assert fisher_p(3, 1, 1, 3, alternative="less") == pytest.approx(69 / 70, rel=1e-14)
    assert fisher_p(3, 1, 1, 3, alternative="mid-p") == pytest.approx(18 / 70, rel=1e-14)
    assert fisher_p(4, 0, 0, 4) == pytest.approx(2 / 70, rel=1e-14)


@given(cell, cell, cell, cell)
def test_agrees_with_whole_number_arithmetic(a: int, b: int, c: int, d: int) -> None:
    assert fisher_p(a, b, c, d) == pytest.approx(fisher_by_fractions(a, b, c, d), rel=1e-12)


@pytest.mark.parametrize("table", [(3, 99_997, 9, 99_991), (120, 880, 85, 915)])
def test_stays_exact_for_large_groups(table: tuple[int, int, int, int]) -> None:
    assert fisher_p(*table) == pytest.approx(fisher_by_fractions(*table), rel=1e-12)


def test_every_alternative_agrees_with_the_family_of_counts() -> None:
    rng = np.random.default_rng(7)
    tables = rng.integers(0, 30, (60, 4))
    for alternative in ALTERNATIVES:
        p = fisher_p(*tables.T, alternative=alternative)
        key = "minlike" if alternative == "two-sided" else alternative
        for (a, b, c, d), found in zip(tables.tolist(), p, strict=True):
            family = hypergeometric_family(a + b, c + d, a + c)
            assert found == pytest.approx(exact_p_values(family, a, 0.0)[key], rel=1e-11)


def test_shapes_broadcast_and_order_does_not_matter() -> None:
    a, c = np.meshgrid(np.arange(20), np.arange(31), indexing="ij")
    p = fisher_p(a, 19 - a, c, 30 - c)
    assert p.shape == (20, 31)
    assert ((p > 0) & (p <= 1)).all()
    np.testing.assert_array_equal(fisher_p(a[::-1], (19 - a)[::-1], c[::-1], 30 - c), p[::-1])
    np.testing.assert_allclose(fisher_p(c, 30 - c, a, 19 - a), p, rtol=1e-12)
    np.testing.assert_allclose(fisher_p(a, c, 19 - a, 30 - c), p, rtol=1e-12)
    assert fisher_p([], [], [], []).shape == (0,)


@pytest.mark.parametrize("bad", [-1, 0.5, np.nan])
def test_what_is_not_a_count_is_refused(bad: float) -> None:
    with pytest.raises(DataError, match="Cell counts"):
        fisher_p(bad, 1, 1, 1)
    with pytest.raises(OptionError, match="alternative"):
        fisher_p(1, 1, 1, 1, alternative="both")


def freeman_halton_by_enumeration(table: np.ndarray) -> float:
    """All tables, one by one, in whole numbers."""
    rows, columns = table.sum(axis=1).tolist(), table.sum(axis=0).tolist()

    def fillings(totals: list[int], left: list[int]) -> list[list[list[int]]]:
        if not totals:
            return [[]] if not any(left) else []
        found = []
        for row in product(*(range(min(totals[0], x) + 1) for x in left)):
            if sum(row) == totals[0]:
                rest = [x - y for x, y in zip(left, row, strict=True)]
                found += [[list(row), *more] for more in fillings(totals[1:], rest)]
        return found

    def chance(cells: list[list[int]]) -> Fraction:
        return Fraction(1, prod(factorial(x) for row in cells for x in row))

    observed = chance(table.tolist())
    chances = [chance(cells) for cells in fillings(rows, columns)]
    return float(sum(p for p in chances if p <= observed) / sum(chances))


small = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=3, max_size=4)


@given(small)
def test_larger_tables_agree_with_enumeration_in_whole_numbers(cells: list[list[int]]) -> None:
    table = np.array(cells)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape, default=0) < 2 or table.sum() > 14:
        return
    expected = freeman_halton_by_enumeration(table)
    assert freeman_halton_p(table) == pytest.approx(expected, rel=1e-11)
    assert freeman_halton_p(table.T) == pytest.approx(expected, rel=1e-11)
    assert freeman_halton_p(table[::-1, ::-1]) == pytest.approx(expected, rel=1e-11)


def test_two_by_two_is_fishers_test() -> None:
    for a, b, c, d in [(9, 172, 3, 343), (0, 57, 15, 234), (3, 1, 1, 3)]:
        p = freeman_halton_p(np.array([[a, b], [c, d]]))
        assert p == pytest.approx(float(fisher_p(a, b, c, d)), rel=1e-10)


def test_random_tables_have_the_right_p_within_their_error() -> None:
    table = np.array([[3, 5, 0], [40, 25, 12], [7, 1, 2]])
    exact = freeman_halton_p(table)
    p, error = monte_carlo_p(table, resamples=20_000, seed=3)
    assert abs(p - exact) < 3 * error
    assert error == pytest.approx(np.sqrt(p * (1 - p) / 20_000))
    result = exact_table(table, method="monte-carlo", resamples=2_000, seed=3)
    again = exact_table(table, method="monte-carlo", resamples=2_000, seed=3)
    assert isinstance(result, ExactContingencyResult)
    assert result.p_value == again.p_value  # type: ignore[union-attr]
    assert result.p_value * 2001 == pytest.approx(round(result.p_value * 2001), abs=1e-9)
    assert result.seed == 3


def test_a_shorter_run_is_a_prefix_of_a_longer_one() -> None:
    table = np.array([[3, 5, 0], [40, 25, 12], [7, 1, 2]])
    short, _ = monte_carlo_p(table, resamples=300, seed=1)
    long, _ = monte_carlo_p(table, resamples=600, seed=1)
    assert 301 * short - 1 <= 601 * long - 1 + 1e-9


def test_a_table_over_the_budget_names_the_way_out() -> None:
    rng = np.random.default_rng(1)
    table = rng.integers(5, 30, (6, 6))
    with pytest.raises(BudgetError, match='method="monte-carlo"'):
        exact_table(table)
    with pytest.raises(BudgetError, match="more than 10 half tables"):
        exact_table([[3, 5, 0], [40, 25, 12], [7, 1, 2]], budget=10)
