"""Exact methods at the edges: no events, huge groups, extreme levels, and printed bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from rnetstats.errors import BudgetError, OptionError
from rnetstats.tables.exact_family import CountFamily, binomial_family
from rnetstats.tables.exact_hull import Break, blaker_break, minlike_break
from rnetstats.tables.exact_inference import exact_limits
from rnetstats.tables.exact_proportion import exact_proportion
from rnetstats.tables.exact_rate import exact_rate
from rnetstats.tables.exact_rate_ratio import exact_rate_ratio
from rnetstats.tables.exact_table import ExactContingencyResult, ExactTableResult, exact_table
from rnetstats.tables.fisher import fisher_p
from rnetstats.tables.limits_result import LimitsByMethod
from support import at_once

EXACT = ["central", "mid-p", "minlike", "blaker"]


def limits(result: LimitsByMethod, name: str) -> tuple[float, float]:
    row = result.method(name)
    return row["conf_low"], row["conf_high"]


@pytest.mark.parametrize(("n", "percent"), [(44, 8.0), (98, 3.7), (322, 1.1)])
def test_upper_limits_of_groups_without_events(n: int, percent: float) -> None:
    """Two-sided 95 % limits: 1 - 0.025^(1/n)."""
    low, high = limits(exact_proportion(0, n), "central")
    assert low == 0.0
    assert round(100 * high, 1) == percent
    assert high == pytest.approx(1 - 0.025 ** (1 / n), rel=1e-12)


@pytest.mark.parametrize("conf_level", [0.001, 0.5, 0.95, 0.999999, 1 - 1e-12])
def test_limits_hold_the_estimate_at_every_level(conf_level: float) -> None:
    results: list[LimitsByMethod] = [
        exact_proportion(3, 10, conf_level=conf_level),
        exact_rate(3, 10.0, conf_level=conf_level),
        exact_rate_ratio(3, 10.0, 5, 3.0, conf_level=conf_level),
    ]
    table = exact_table([[9, 172], [3, 343]], conf_level=conf_level)
    assert isinstance(table, ExactTableResult)
    for result in (*results, table):
        # At a level near 0 mid-P limits close on the median-unbiased estimate, another value.
        names = ["central", "blaker", *(["mid-p"] if conf_level >= 0.5 else [])]
        for name in names:
            low, high = limits(result, name)
            estimate = result.method(name)["estimate"]
            assert 0.0 <= low <= estimate * (1 + 1e-12), (type(result).__name__, name)
            assert high >= estimate * (1 - 1e-12), (type(result).__name__, name)


def test_limits_widen_with_the_level() -> None:
    levels = [0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.999999]
    for name in EXACT:
        found = [limits(exact_rate(7, 2.0, conf_level=value), name) for value in levels]
        low, high = np.array(found).T
        assert (np.diff(low) <= 1e-12).all()
        assert (np.diff(high) >= -1e-12).all()


def test_limits_rise_with_the_events() -> None:
    tables = [exact_table([[x, 9 - x], [8 - x, 5 + x]]) for x in range(9)]
    series: list[list[LimitsByMethod]] = [
        [exact_proportion(x, 15) for x in range(16)],
        [exact_rate(x, 1.0) for x in range(16)],
        [table for table in tables if isinstance(table, ExactTableResult)],
    ]
    for results in series:
        for name in EXACT:
            found = np.array([limits(result, name) for result in results])
            assert (found[:, 0] <= found[:, 1]).all(), name
            assert (np.diff(found[:, 0]) >= -1e-10).all(), name
            finite = found[np.isfinite(found[:, 1]), 1]
            assert (np.diff(finite) >= -1e-10).all(), name
            assert len(finite) >= len(found) - 1


def test_huge_groups_agree_with_the_poisson_and_normal_limits() -> None:
    million = exact_proportion(3, 1_000_000)
    rate = exact_rate(3, 1_000_000.0)
    for name in EXACT:
        assert limits(million, name) == pytest.approx(limits(rate, name), rel=1e-4)
    low, high = limits(exact_proportion(0, 1_000_000), "central")
    assert (low, high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 1_000_000), rel=1e-8))
    mirrored = limits(exact_proportion(999_997, 1_000_000), "blaker")
    there = limits(million, "blaker")
    assert mirrored == pytest.approx((1 - there[1], 1 - there[0]), rel=1e-12)
    many = exact_rate(10_000, 1.0)
    for name in EXACT:
        low, high = limits(many, name)
        assert (high - low) / (2 * 1.959964 * math.sqrt(10_000)) == pytest.approx(1.0, abs=6e-3)


def test_long_families_cut_short_give_the_limits_of_whole_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = [(0, 600), (3, 600), (300, 600), (599, 600)]
    whole = [exact_proportion(x, n).to_frame() for x, n in cases]
    monkeypatch.setattr("rnetstats.tables.exact_inference._LONG", 10)
    for (x, n), expected in zip(cases, whole, strict=True):
        cut = exact_proportion(x, n).to_frame()
        np.testing.assert_allclose(cut["conf_low"], expected["conf_low"], rtol=1e-10)
        np.testing.assert_allclose(cut["conf_high"], expected["conf_high"], rtol=1e-10)


def test_one_patient_a_group_says_next_to_nothing() -> None:
    table = exact_table([[1, 0], [0, 1]])
    assert isinstance(table, ExactTableResult)
    assert limits(table, "central") == (pytest.approx(1 / 39, rel=1e-10), math.inf)
    assert table.method("minlike")["p_value"] == 1.0
    assert limits(exact_proportion(0, 1), "central") == (0.0, pytest.approx(0.975))
    assert limits(exact_proportion(1, 1), "central") == (pytest.approx(0.025), 1.0)


@pytest.mark.parametrize("null", [1e-300, 1e300])
def test_absurd_null_values_are_rejected_without_a_warning(null: float) -> None:
    table = exact_table([[9, 172], [3, 343]], null=null)
    assert isinstance(table, ExactTableResult)
    p = table.to_frame().query("measure == 'odds ratio' and method in @EXACT")["p_value"]
    assert (p < 1e-12).all()
    ratio = exact_rate_ratio(3, 1.0, 5, 1.0, null=null).to_frame()["p_value"][:4]
    assert (ratio < 1e-12).all()


def test_what_is_too_large_is_refused_at_once() -> None:
    with pytest.raises(BudgetError, match="too many counts"):
        exact_rate(12, 500.0, null=1e7)
    with pytest.raises(BudgetError, match="too many"):
        exact_proportion(5, 10**9)
    rng = np.random.default_rng(2)
    table = rng.integers(5, 40, (5, 6))
    with pytest.raises(BudgetError, match="monte-carlo"):
        exact_table(table)
    result = exact_table(table, method="monte-carlo", resamples=999, seed=1)
    assert isinstance(result, ExactContingencyResult)
    assert result.p_value_mcse > 0.0


def test_fisher_is_exact_to_twelve_digits_over_a_whole_grid() -> None:
    """Every table of two groups of 25 and 14, in whole numbers."""
    n1, n2 = 25, 14
    a, c = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
    found = fisher_p(a, n1 - a, c, n2 - c)
    for events in range(n1 + n2 + 1):
        low, high = max(0, events - n2), min(n1, events)
        ways = {k: comb(n1, k) * comb(n2, events - k) for k in range(low, high + 1)}
        for k, own in ways.items():
            exact = Fraction(sum(w for w in ways.values() if w <= own), sum(ways.values()))
            assert found[k, events - k] == pytest.approx(float(exact), rel=1e-12)


def test_half_a_million_tables_in_one_call() -> None:
    rng = np.random.default_rng(3)
    a, c = rng.integers(0, 40, (2, 500_000))
    p = fisher_p(a, 181 - a, c, 346 - c)
    assert ((p > 0.0) & (p <= 1.0)).all()
    few = rng.integers(0, 500_000, 5)
    again = [float(fisher_p(a[i], 181 - a[i], c[i], 346 - c[i])) for i in few]
    np.testing.assert_allclose(p[few], again, rtol=1e-12)


def test_mid_p_lies_below_the_central_p() -> None:
    a = np.arange(13)
    counts = (a, 181 - a, 12 - a, 334 + a)
    assert (fisher_p(*counts, alternative="mid-p") < fisher_p(*counts, alternative="central")).all()


def test_figures_of_synthetic_counts_say_so() -> None:
    data = pd.DataFrame({"y": [0, 1] * 10, "x": [0, 0, 1, 1] * 5, "z": list("abcab") * 4})
    for synthetic in (True, False):
        data.attrs["rnetstats"] = {"synthetic": synthetic}
        for formula in ("y ~ x", "z ~ x"):
            result = exact_table(data, formula)
            ax = result.plot()
            marks = [text for text in ax.texts if text.get_gid() == "synthetic-mark"]
            assert bool(marks) is synthetic
            assert result.synthetic is synthetic


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "counts"),
    [
        (exact_rate, (1_000_000, 10.0)),
        (exact_rate_ratio, (1_000_000, 10.0, 1_000_000, 10.0)),
        (exact_rate_ratio, (900_000, 10.0, 100_000, 10.0)),
    ],
)
def test_a_million_events_take_no_time(
    verb: Callable[..., LimitsByMethod], counts: tuple[float, ...]
) -> None:
    """The pieces near the limits are thousands; bounds settle all but a few of them."""
    with at_once(2.0):
        result = verb(*counts)
    # Each limit by its own test: rejected just outside, kept just inside.
    for name in ("minlike", "blaker"):
        low, high = limits(result, name)
        for inside, outside in ((low * (1 + 1e-7), low * (1 - 1e-6)), (high, high * (1 + 1e-6))):
            kept = verb(*counts, null=inside).method(name)["p_value"]
            rejected = verb(*counts, null=outside).method(name)["p_value"]
            assert rejected < 0.05, (name, inside)
            assert kept >= 0.05 - 1e-4, (name, inside)
            assert kept > rejected - 1e-4


def test_searched_hull_is_the_one_walked_piece_by_piece() -> None:
    """Every piece looked at in turn, without bounds, for counts small enough."""
    for n, count in ((30, 1), (60, 4), (60, 31), (400, 7), (400, 201)):
        family = binomial_family(n)
        for alpha in (0.01, 0.05, 0.3):
            found = exact_limits(family, count, alpha)
            for name, next_break in (("minlike", minlike_break), ("blaker", blaker_break)):
                assert walked(family, count, alpha, next_break) == pytest.approx(
                    found[name].low, abs=1e-9
                )


def walked(family: CountFamily, count: int, alpha: float, next_break: Break) -> float:
    """The smallest theta not rejected, from the edges of all pieces."""
    edges = [next_break(family, count, other) for other in range(count)] + [family.mle(count)]
    for other in range(count):
        low, high = edges[other], edges[other + 1]

        def excess(theta: float, other: int = other) -> float:
            tails = family.upper_tail(count, theta) + family.lower_tail(other, theta)
            return tails - alpha

        if other == 0 and family.upper_tail(count, low) >= alpha:  # no second tail so far
            return float(brentq(lambda t: family.upper_tail(count, t) - alpha, low - 40.0, low))
        if excess(low) > 0.0:
            return low
        if excess(high) >= 0.0:
            return float(brentq(excess, low, high, xtol=1e-14))
    return math.nan


@pytest.mark.parametrize("months", [1e-320, 1e-300, 1e300])
def test_person_times_without_a_rate_are_refused(months: float) -> None:
    with pytest.raises(OptionError, match="another unit"):
        exact_rate(5, months)
    with pytest.raises(OptionError, match="another unit"):
        exact_rate(5, 1.0, null=months)
    with pytest.raises(OptionError, match=r"time_1=.*another unit"):
        exact_rate_ratio(5, months, 6, 1.0)
    with pytest.raises(OptionError, match=r"time_2=.*another unit"):
        exact_rate_ratio(5, 1.0, 6, months)


def test_far_units_scale_the_rate() -> None:
    usual = exact_rate(5, 1.0, null=2.0).to_frame()
    for unit in (1e-130, 1e130):
        found = exact_rate(5, unit, null=2.0 / unit).to_frame()
        for name in ("estimate", "conf_low", "conf_high"):
            np.testing.assert_allclose(found[name] * unit, usual[name], rtol=1e-12)
        np.testing.assert_allclose(found["p_value"], usual["p_value"], rtol=1e-9)
        ratio = exact_rate_ratio(5, unit, 6, 2.0 * unit).to_frame()
        pd.testing.assert_frame_equal(ratio, exact_rate_ratio(5, 1.0, 6, 2.0).to_frame())
