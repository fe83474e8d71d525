"""Limits and P of the exact verbs: coverage, duality and symmetry."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnetstats.errors import DataError, OptionError
from rnetstats.tables.exact_family import (
    CountFamily,
    binomial_family,
    hypergeometric_family,
    poisson_family,
)
from rnetstats.tables.exact_hull import _Pieces, minlike_break
from rnetstats.tables.exact_inference import exact_limits, exact_p_values, one_sided_limits
from rnetstats.tables.exact_proportion import exact_proportion
from rnetstats.tables.exact_rate import exact_rate
from rnetstats.tables.exact_rate_ratio import exact_rate_ratio

EXACT_METHODS = ("central", "minlike", "blaker")


def covered(family: CountFamily, counts: range, alpha: float, grid: np.ndarray) -> dict[str, float]:
    """The lowest coverage over the grid, by exact method."""
    inside = {name: np.zeros((len(counts), len(grid)), dtype=bool) for name in EXACT_METHODS}
    for i, count in enumerate(counts):
        found = exact_limits(family, count, alpha)
        for name, table in inside.items():
            table[i] = (found[name].low <= grid) & (grid <= found[name].high)
    p = np.column_stack([family.pmf(theta) for theta in grid])[: len(counts)]
    return {name: float((p * table).sum(axis=0).min()) for name, table in inside.items()}


@pytest.mark.parametrize("n", [1, 4, 9])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_binomial_limits_cover_at_least_nominally(n: int, alpha: float) -> None:
    lowest = covered(binomial_family(n), range(n + 1), alpha, np.linspace(-6, 6, 401))
    assert min(lowest.values()) >= 1.0 - alpha - 1e-12, lowest


@pytest.mark.parametrize("margins", [(5, 6, 4), (3, 9, 6), (8, 8, 5)])
def test_odds_ratio_limits_cover_at_least_nominally(margins: tuple[int, int, int]) -> None:
    family = hypergeometric_family(*margins)
    counts = range(family.low, family.high + 1)
    lowest = covered(family, counts, 0.05, np.linspace(-7, 7, 401))
    assert min(lowest.values()) >= 0.95 - 1e-12, lowest


@pytest.mark.slow
def test_poisson_limits_cover_at_least_nominally() -> None:
    grid = np.log(np.linspace(0.05, 12.0, 300))
    inside = {name: np.zeros((60, len(grid)), dtype=bool) for name in EXACT_METHODS}
    for count in range(60):
        found = exact_limits(poisson_family(count, 5e-8), count, 0.05)
        for name, table in inside.items():
            table[count] = (found[name].low <= grid) & (grid <= found[name].high)
    p = np.column_stack([poisson_family(60, 1e-12).pmf(theta) for theta in grid])[:60]
    for name, table in inside.items():
        assert (p * table).sum(axis=0).min() >= 0.95 - 1e-12, name


@pytest.mark.parametrize("method", EXACT_METHODS)
@pytest.mark.parametrize("count", [0, 1, 3, 7, 12])
def test_limits_enclose_exactly_what_is_not_rejected(method: str, count: int) -> None:
    """The hull of all thetas with P above alpha, by brute force on a fine grid."""
    family = hypergeometric_family(14, 19, 12)
    grid = np.linspace(-8.0, 8.0, 8001)
    kept = grid[[exact_p_values(family, count, t)[method] > 0.05 for t in grid]]
    low, high, _ = exact_limits(family, count, 0.05)[method]
    step = grid[1] - grid[0]
    assert kept[0] - step <= max(low, grid[0]) <= kept[0] + 1e-9
    assert kept[-1] - 1e-9 <= min(high, grid[-1]) <= kept[-1] + step


def test_blaker_never_is_wider_than_the_central_limits() -> None:
    for n in (7, 12):
        family = binomial_family(n)
        for count in range(n + 1):
            found = exact_limits(family, count, 0.05)
            assert found["central"].low <= found["blaker"].low + 1e-12
            assert found["blaker"].high <= found["central"].high + 1e-12


def test_a_disconnected_set_is_reported() -> None:
    """1 of 30: between the minlike limits lie values that are rejected."""
    family = binomial_family(30)
    low, high, gap = exact_limits(family, 1, 0.05)["minlike"]
    p = [exact_p_values(family, 1, t)["minlike"] for t in np.linspace(low, high, 10001)[1:-1]]
    assert gap
    assert min(p) < 0.05
    assert any("do not form an interval" in note for note in exact_proportion(1, 30).notes)
    assert not any("do not form an interval" in note for note in exact_proportion(2, 30).notes)


def test_notes_say_which_outcome_is_missing() -> None:
    words = "Wald limits do not exist, and the exact limits are one bound."
    assert exact_proportion(5, 5).notes == (f"There are no non-events: {words}",)
    assert exact_proportion(0, 5).notes == (f"There are no events: {words}",)
    assert exact_proportion(2, 5).notes == ()


tables = st.tuples(*[st.integers(0, 40)] * 4).filter(lambda t: t[0] + t[1] > 0 and t[2] + t[3] > 0)


@given(tables, st.floats(-2.0, 2.0))
def test_tests_and_limits_agree(table: tuple[int, int, int, int], theta: float) -> None:
    a, b, c, d = table
    family = hypergeometric_family(a + b, c + d, a + c)
    p = exact_p_values(family, a, theta)
    assert all(0.0 <= value <= 1.0 for value in p.values())
    assert p["blaker"] <= p["central"] + 1e-12
    found = exact_limits(family, a, 0.1)
    estimate = family.mle(a)
    for name, limits in found.items():
        assert limits.low <= limits.high
        assert math.isnan(estimate) or limits.low <= estimate <= limits.high
        if p[name] > 0.1 + 1e-9:
            assert limits.low <= theta <= limits.high, name
    for name in ("central", "mid-p"):
        low, high, _ = found[name]
        if p[name] < 0.1 - 1e-9:
            assert not low <= theta <= high, name
    one = one_sided_limits(family, a, 0.05)
    assert one.low == pytest.approx(found["central"].low, abs=1e-12)


@settings(max_examples=20)
@given(tables)
def test_reflection_turns_the_limits_around(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    there = exact_limits(hypergeometric_family(a + b, c + d, a + c), a, 0.05)
    back = exact_limits(hypergeometric_family(c + d, a + b, a + c), c, 0.05)
    for name, limits in there.items():
        assert limits.low == pytest.approx(-back[name].high, abs=1e-10)
        assert limits.high == pytest.approx(-back[name].low, abs=1e-10)
        assert limits.gap == back[name].gap


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.5, 20.0), st.floats(0.1, 10.0))
def test_rate_ratio_is_free_of_the_unit_and_turns_over(
    x1: int, x2: int, time: float, factor: float
) -> None:
    one = exact_rate_ratio(x1, time, x2, 2.0 * time).to_frame()
    scaled = exact_rate_ratio(x1, factor * time, x2, 2.0 * factor * time).to_frame()
    turned = exact_rate_ratio(x2, 2.0 * time, x1, time).to_frame()
    for column in ("estimate", "conf_low", "conf_high", "p_value"):
        np.testing.assert_allclose(one[column], scaled[column], rtol=1e-8)
    np.testing.assert_allclose(one["p_value"][:4], turned["p_value"][:4], rtol=1e-8)
    if x1 + x2:
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(one["conf_low"][:4], 1 / turned["conf_high"][:4], rtol=1e-9)


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 80), st.integers(1, 80), st.floats(0.02, 0.98))
def test_proportion_turns_over(events: int, others: int, null: float) -> None:
    n = events + others
    one = exact_proportion(events, n, null=null).to_frame().set_index("method")
    turned = exact_proportion(others, n, null=1.0 - null).to_frame().set_index("method")
    both = ["central", "mid-p", "minlike", "blaker", "wilson", "wilson-continuity", "jeffreys"]
    np.testing.assert_allclose(
        one.loc[both, "conf_low"], 1.0 - turned.loc[both, "conf_high"], atol=1e-10
    )
    np.testing.assert_allclose(
        one.loc[both, "p_value"], turned.loc[both, "p_value"], rtol=1e-8, atol=1e-12
    )
    exact = ["central", "mid-p", "minlike", "blaker", "wilson", "jeffreys-closed"]
    assert (one.loc[exact, "conf_low"] <= events / n + 1e-15).all()
    assert (one.loc[exact, "conf_high"] >= events / n - 1e-15).all()


def test_bounds_without_events_by_hand() -> None:
    for n in (1, 3, 20, 322):
        result = exact_proportion(0, n)
        assert result.method("central")["conf_high"] == pytest.approx(1 - 0.025 ** (1 / n), 1e-12)
        upper = result.method("one-sided upper")["conf_high"]
        assert upper == pytest.approx(1 - 0.05 ** (1 / n), 1e-12)
    rate = exact_rate(0, 2.0)
    assert rate.method("central")["conf_high"] == pytest.approx(-math.log(0.025) / 2, 1e-12)
    assert rate.method("one-sided upper")["conf_high"] == pytest.approx(-math.log(0.05) / 2, 1e-12)
    assert rate.method("mid-p")["conf_high"] == pytest.approx(-math.log(0.05) / 2, 1e-12)
    assert rate.method("central")["conf_low"] == 0.0
    assert any("no events" in note for note in rate.notes)


def test_garwood_limits_as_printed_in_tables() -> None:
    """Limits of a Poisson mean as tables of statistics print them."""
    printed = {1: (0.0253, 5.5716), 3: (0.6187, 8.7673), 10: (4.7954, 18.3904)}
    for events, (low, high) in printed.items():
        row = exact_rate(events, 1.0).method("central")
        assert (round(row["conf_low"], 4), round(row["conf_high"], 4)) == (low, high)


def test_rate_ratio_without_any_event_bounds_nothing() -> None:
    result = exact_rate_ratio(0, 10.0, 0, 20.0)
    row = result.method("central")
    assert (row["conf_low"], row["conf_high"], row["p_value"]) == (0.0, math.inf, 1.0)
    assert math.isnan(row["estimate"])
    assert "no events in either group" in result.notes[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: exact_proportion(5, 4), "more events"),
        (lambda: exact_proportion(-1, 4), "at least 0"),
        (lambda: exact_proportion(1, 0), "at least 1"),
        (lambda: exact_proportion(1.5, 4), "whole number"),
        (lambda: exact_proportion(1, 4, conf_level=95), "Write 0.95"),
        (lambda: exact_proportion(1, 4, null=0.0), "null must lie"),
        (lambda: exact_rate(3, 0.0), "person_time must be above"),
        (lambda: exact_rate(3, math.nan), "finite"),
        (lambda: exact_rate_ratio(3, 1.0, 2, -1.0), "time_2"),
    ],
)
def test_bad_input_is_named(call: object, message: str) -> None:
    with pytest.raises((DataError, OptionError), match=message):
        call()  # type: ignore[operator]


def test_an_impossible_count_is_refused() -> None:
    with pytest.raises(DataError, match="impossible"):
        exact_p_values(hypergeometric_family(5, 5, 3), 4, 0.0)


def test_where_a_piece_is_lowest() -> None:
    family = hypergeometric_family(30, 41, 17)
    for count, other, low, high in ((12, 4, -0.5, 2.0), (9, 6, -1.0, 1.0), (12, 4, 1.0, 2.0)):
        pieces = _Pieces(family, count, 0.05, minlike_break, low, high)

        def total(theta: float, pieces: _Pieces = pieces, other: int = other) -> float:
            return pieces.tails(theta, other, theta)

        lowest = total(pieces.lowest(other, low, high))
        tried = min(map(total, np.linspace(low, high, 1001)))
        assert tried * (1.0 - 1e-4) < lowest <= tried + 1e-15
