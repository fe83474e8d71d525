"""2x2 tables behind a printed odds ratio."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import rnetstats as rn
from rnetstats.errors import BudgetError, DataError, FactsError, OptionError
from rnetstats.evidence.facts import read_facts
from rnetstats.evidence.worlds_algebra import events_from_total, events_from_variance
from rnetstats.evidence.worlds_conflict import listed as listed_words
from rnetstats.evidence.worlds_odds_ratio_result import TablesResult
from rnetstats.evidence.worlds_totals import Totals
from rnetstats.evidence.worlds_universe import Universe

CHA = read_facts("rnetstats.studies.cha2019")
Z = stats.norm.ppf(0.975)


def woolf(a: float, b: float, c: float, d: float) -> tuple[float, float, float, float]:
    """Odds ratio, limits and Wald's P by hand."""
    error = math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    log = math.log(a * d / (b * c))
    return (
        a * d / (b * c),
        math.exp(log - Z * error),
        math.exp(log + Z * error),
        math.erfc(abs(log) / error / math.sqrt(2)),
    )


@pytest.mark.parametrize("added", [0.0, 0.5])
@pytest.mark.parametrize("totals", [{"n_1": 17}, {"events": 9}, {"n_1": 12, "events": 14}, {}])
def test_near_an_odds_ratio_are_all_tables_that_have_it(
    totals: dict[str, int], added: float
) -> None:
    known = {"n_1": None, "events": None, **totals}
    whole = Universe.of(Totals(30, known["events"], known["n_1"]))
    low, high = 1.7, 2.3
    near = {tuple(cells) for chunk in whole.near(low, high).chunks() for cells in chunk.T.tolist()}
    every = np.concatenate([chunk.T for chunk in whole.chunks()])
    a, b, c, d = every.T + added
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = a * d / (b * c)
    wanted = {tuple(cells) for cells in every[(ratio >= low) & (ratio <= high)].tolist()}
    assert wanted
    assert wanted <= near
    assert len(near) < len(every) or totals
    with np.errstate(divide="ignore"):
        variance = (1 / np.array([a, b, c, d])).sum(axis=0)
    kept = whole.of_variance(0.55, 0.6)
    inside = every[(variance >= 0.55) & (variance <= 0.6)]
    assert set(zip(inside[:, 0], inside[:, :2].sum(axis=1), strict=True)) <= set(
        zip(kept.a, kept.n_1, strict=True)
    )
    assert len(kept.a) < len(whole.a)


def loops(n: int, odds_ratio: str, p: str | None, added: float) -> set[tuple[int, ...]]:
    """Every table of n patients whose odds ratio and Wald P round to these."""
    decimals = len(odds_ratio.partition(".")[2])
    low = Fraction(odds_ratio) - Fraction(1, 2 * 10**decimals)
    high = Fraction(odds_ratio) + Fraction(1, 2 * 10**decimals)
    extra = Fraction(added)
    found = set()
    for m in range(1, n):
        for a in range(m + 1):
            for c in range(n - m + 1):
                w, x, y, z = a + extra, m - a + extra, c + extra, n - m - c + extra
                if x * y == 0 or not low <= w * z / (x * y) <= high:
                    continue
                if p is not None:
                    if 0 in (w, x, y, z):
                        continue
                    if f"{woolf(*map(float, (w, x, y, z)))[3]:.{len(p) - 2}f}" != p:
                        continue
                found.add((a, m, c, n - m))
    return found


def listed(found: TablesResult, added: float | None = None) -> set[tuple[int, ...]]:
    rows = found.to_frame()
    rows = rows if added is None else rows[rows["added"] == added]
    columns = ["events_1", "n_1", "events_2", "n_2"]
    return set(map(tuple, rows[columns].to_numpy().tolist()))


@pytest.mark.parametrize(("n", "odds_ratio", "p"), [(14, "3.5", None), (20, "2.25", "0.37")])
def test_every_small_table_by_loops(n: int, odds_ratio: str, p: str | None) -> None:
    found = rn.tables_from_odds_ratio(odds_ratio, p=p, n=n, tests="wald")
    for added in (0.0, 0.5):
        assert listed(found, added) == loops(n, odds_ratio, p, added)
    assert found.count == len(found.to_frame()) > 0


def test_an_odds_ratio_of_an_empty_cell_is_told() -> None:
    """0 of 20 against 5 of 30, with 0.5 added: 0.5 x 25.5 / (20.5 x 5.5) = 0.113."""
    found = rn.tables_from_odds_ratio("0.11", n=50, n_1=20, events=5)
    assert listed(found, 0.5) == listed(found) == {(0, 20, 5, 30)}
    assert "The odds ratio comes about only with 0.5 added to each cell." in found.notes
    plain = rn.tables_from_odds_ratio("2.2", n=30, n_1=12, events=14)
    assert not any("only with 0.5" in note for note in plain.notes)


def test_an_odds_ratio_on_the_edge_of_a_rounding() -> None:
    """10/3 and 5/4 = 1.25 exactly: to one decimal 1.3 by half-up, 1.2 by half-even."""
    both = {"n_1": 9, "n_2": 9, "events": 9}
    edge = (5, 9, 4, 9)  # 25/16 = 1.5625: to three decimals a tie
    for text, rule, hit in [
        ("1.563", "half-up", True),
        ("1.562", "half-even", True),
        ("1.563", "half-even", False),
        ("1.562", "truncate", True),
        ("1.562", "half-up", False),
    ]:
        found = rn.tables_from_odds_ratio(text, rounding=rule, **both)
        assert (edge in listed(found, 0.0)) == hit


@pytest.mark.slow
@settings(max_examples=8)
@given(
    cells=st.tuples(*[st.integers(1, 25)] * 4),
    added=st.sampled_from([0.0, 0.5]),
    test=st.sampled_from(["wald", "lr", "pearson", "yates", "fisher"]),
)
def test_the_table_that_was_printed_is_found_and_figures_narrow(
    cells: tuple[int, ...], added: float, test: str
) -> None:
    a, b, c, d = cells
    estimate, low, high, wald = woolf(*(x + added for x in cells))
    counts = [[a, b], [c, d]]
    p = {
        "wald": lambda: wald,
        "lr": lambda: stats.chi2_contingency(counts, correction=False, lambda_=0)[1],
        "pearson": lambda: stats.chi2_contingency(counts, correction=False)[1],
        "yates": lambda: stats.chi2_contingency(counts)[1],
        "fisher": lambda: stats.fisher_exact(counts)[1],
    }[test]()
    own = (a, a + b, c, c + d)
    margins = {"n_1": a + b, "n_2": c + d}
    figures = {"conf_low": f"{low:.2f}", "conf_high": f"{high:.2f}", "p": f"{p:.3f}"}
    text = f"{estimate:.2f}"
    before = rn.tables_from_odds_ratio(text, **margins)
    for name, value in figures.items():
        kept = {key: figures[key] for key in list(figures)[: list(figures).index(name)]}
        after = rn.tables_from_odds_ratio(text, **margins, **kept, **{name: value}, tests=test)
        assert own in listed(after, added)
        assert listed(after, added) <= listed(before, added)
        before = after
    one = rn.tables_from_odds_ratio(text, **margins, events=a + c)
    assert own in listed(one, added)


def test_columns_are_those_of_the_table() -> None:
    found = rn.tables_from_odds_ratio(
        "3.65", conf_low="1.30", conf_high="10.20", p="0.014", n_1=40, n_2=60
    )
    row = found.to_frame().iloc[0]
    assert (row["events_1"], row["events_2"], row["added"]) == (13, 7, 0.0)
    estimate, low, high, wald = woolf(13, 27, 7, 53)
    assert row["odds_ratio"] == pytest.approx(estimate, rel=1e-12)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((low, high), rel=1e-12)
    counts = [[13, 27], [7, 53]]
    assert row["p_wald"] == pytest.approx(wald, rel=1e-10)
    assert row["p_fisher"] == pytest.approx(stats.fisher_exact(counts)[1], rel=1e-9)
    assert row["p_lr"] == pytest.approx(
        stats.chi2_contingency(counts, correction=False, lambda_=0)[1], rel=1e-9
    )
    assert row["by_test"] == "wald"
    assert row["reproduces"] == "odds ratio, lower limit, upper limit, P"
    near = found.solutions.set_index("basis").loc["odds ratio and limits"].iloc[0]
    assert (near["events_1"], near["events_2"]) == pytest.approx((13, 7), abs=0.1)


@pytest.mark.parametrize("key", ["lvi", pytest.param("margin_positive", marks=pytest.mark.slow)])
def test_near_separation_is_no_crude_table_of_the_study(key: str) -> None:
    """No 2x2 table of 142 patients has these odds ratios, with or without 0.5 added."""
    ratio, p = CHA[f"or_{key}"].value, CHA[f"p_{key}"].value
    n, events = CHA["not_curative"].count, CHA["salvage"].count
    found = rn.tables_from_odds_ratio(ratio, p=p, n=n, events=events)
    assert found.to_frame().empty
    assert found.conflict == f"No table of {n} patients has odds ratio {ratio}."
    near = found.nearest
    assert len(near) == 10
    assert (near["events_1"] + near["events_2"] == events).all()
    distance = np.abs(np.log(near["odds_ratio"] / float(ratio)))
    assert distance.max() < 0.02
    assert distance.is_monotonic_increasing
    assert any("need not be that of any 2x2 table" in note for note in found.notes)


def test_limits_implied_by_odds_ratio_and_p() -> None:
    """Those that the facts of the study derive, by Wald's formula."""
    printed = [("0.096", "0.002", 0.022, 0.424), ("0.04", "0.001", 0.006, 0.272)]
    printed.append(("13.203", "0.001", 2.84, 61.4))
    for ratio, p, low, high in printed:
        row = rn.tables_from_odds_ratio(ratio, p=p, n=2).implied.iloc[0]
        assert row["conf_low_least"] <= low <= row["conf_low_most"]
        assert row["conf_high_least"] <= high <= row["conf_high_most"]
    for ratio, least in [("61.971", 5.3), ("75.993", 5.8)]:
        row = rn.tables_from_odds_ratio(ratio, p="< 0.001", n=2).implied.iloc[0]
        assert row["conf_low_least"] == pytest.approx(least, abs=0.05)
    both = rn.tables_from_odds_ratio(
        "2.0", conf_low="1.0", conf_high="4.0", p="0.05", n_1=50, n_2=50
    ).implied.set_index("basis")
    error = math.log(4) / (2 * Z)
    assert both.loc["limits", "std_error_low"] < error < both.loc["limits", "std_error_high"]


@given(a=st.floats(1, 200), b=st.floats(1, 200), c=st.floats(1, 200), d=st.floats(1, 200))
def test_the_algebra_takes_tables_back(a: float, b: float, c: float, d: float) -> None:
    theta = a * d / (b * c)
    variance = 1 / a + 1 / b + 1 / c + 1 / d
    solutions = events_from_variance(theta, variance, a + b, c + d)
    assert len(solutions) in (1, 2)
    assert min(abs(x - a) + abs(y - c) for x, y in solutions) < 1e-3 * (a + c)
    for x, y in solutions:
        again = 1 / x + 1 / (a + b - x) + 1 / y + 1 / (c + d - y)
        assert again == pytest.approx(variance, rel=1e-6)
        assert x * (c + d - y) / (y * (a + b - x)) == pytest.approx(theta, rel=1e-6)
    assert events_from_total(theta, a + b, c + d, a + c) == pytest.approx((a, c), rel=1e-7)


def test_the_algebra_at_its_edges() -> None:
    assert events_from_total(1.0, 40, 60, 20) == (8, 12)
    assert events_from_variance(2.0, 0.01, 50, 50) == []
    assert events_from_total(3.0, 40, 60, 100) == pytest.approx((40, 60))


def test_too_many_tables_are_looked_at_near_the_ratio_only() -> None:
    arguments = {"p": "0.02", "n": 60}
    full = rn.tables_from_odds_ratio("3.6", **arguments)
    near = rn.tables_from_odds_ratio("3.6", budget=30_000, **arguments)
    assert near.looked_at < full.looked_at
    assert "too many tables" in near.notes[0]
    key = ["n_1", "events_1", "events_2", "added"]
    pd.testing.assert_frame_equal(
        near.to_frame().sort_values(key).reset_index(drop=True),
        full.to_frame().sort_values(key).reset_index(drop=True),
    )
    with pytest.raises(BudgetError, match="larger budget"):
        rn.tables_from_odds_ratio("3.6", budget=100, **arguments)
    with pytest.raises(BudgetError, match="sizes of both groups"):
        rn.tables_from_odds_ratio("3.6", n=5000)


def test_limits_narrow_what_is_looked_at_in_large_groups() -> None:
    """The width of the limits leaves few tables of thousands; none that fits is lost."""
    figures = {"conf_low": "1.62", "conf_high": "2.45", "n_1": 900, "n_2": 1100}
    full = rn.tables_from_odds_ratio("1.99", **figures)
    near = rn.tables_from_odds_ratio("1.99", budget=40_000, **figures)
    assert near.looked_at < full.looked_at / 20
    assert full.count > 0
    assert listed(near) == listed(full)
    ratio, low, high, _ = (f"{x:.2f}" for x in woolf(900, 19_100, 600, 19_400))
    sizes = {"n_1": 20_000, "n_2": 20_000}
    large = rn.tables_from_odds_ratio(ratio, conf_low=low, conf_high=high, **sizes)
    assert (900, 20_000, 600, 20_000) in listed(large)


def test_figures_out_of_order_conflict_whatever_the_totals() -> None:
    found = rn.tables_from_odds_ratio("2.0", conf_low="3.0", conf_high="2.7", n_1=3000, n_2=3000)
    assert found.conflict == (
        "No table of 6,000 patients has lower limit 3.0 and odds ratio 2.0 together. Nor has any "
        "lower limit 3.0 and upper limit 2.7."
    )


def test_the_conflict_is_smallest_and_true() -> None:
    """Of 20 patients: three printed figures and two totals against every table by loops."""
    figures = {"odds_ratio": "3.33", "conf_low": "0.52", "p": "0.04"}
    labels = ["odds ratio 3.33", "lower limit 0.52", "P = 0.04 (wald)", "9 events"]
    labels.append("8 patients in group 1")
    has = set()
    for m in range(1, 20):
        for a in range(m + 1):
            for c in range(21 - m):
                for added in (0.0, 0.5):
                    cells = [x + added for x in (a, m - a, c, 20 - m - c)]
                    told = [False] * 3
                    if 0 not in cells:
                        ratio, low, _, p = woolf(*cells)
                        printed = [f"{x:.2f}" for x in (ratio, low, p)]
                        told = [x == t for x, t in zip(printed, figures.values(), strict=True)]
                    elif cells[1] * cells[2] > 0:
                        told[0] = f"{cells[0] * cells[3] / (cells[1] * cells[2]):.2f}" == "3.33"
                    has.add((*told, a + c == 9, m == 8))
    for size in range(1, 6):
        missing = [
            kept
            for kept in combinations(range(5), size)
            if not any(all(table[k] for k in kept) for table in has)
        ]
        if missing:
            break
    found = rn.tables_from_odds_ratio(**figures, n=20, events=9, n_1=8, tests="wald")
    assert found.count == 0
    first = [labels[k] for k in missing[0]]
    assert found.conflict.startswith(f"No table of 20 patients has {listed_words(first)}")
    assert found.conflict.count(" nor ") + found.conflict.count("Nor") == min(len(missing) - 1, 2)


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        ({"n": 99, "n_1": 40, "n_2": 60}, "n = 99, n_1 = 40 and n_2 = 60 cannot all be true"),
        ({"n": 50, "n_1": 60}, "n = 50 and n_1 = 60 cannot all be true"),
        ({"n": 50, "n_2": 50}, "n = 50 and n_2 = 50 cannot all be true"),
        ({"n": 9, "events": 10}, "10 events and 9 patients cannot both be true"),
        ({"n_1": 0, "n_2": 5}, "at least one patient"),
    ],
)
def test_contradictory_totals_are_a_conflict(totals: dict, words: str) -> None:
    found = rn.tables_from_odds_ratio("2.0", **totals)
    assert found.to_frame().empty
    assert words in found.conflict
    assert found.display().iloc[0, 0] == found.conflict
    assert "No possible world" in [text.get_text() for text in found.plot().texts]


def test_zero_and_infinite_ratios() -> None:
    zero = rn.tables_from_odds_ratio("0.00", n_1=5, n_2=6, events=3)
    assert listed(zero, 0.0) == {(0, 5, 3, 6)}
    large = rn.tables_from_odds_ratio("> 100", n_1=5, n_2=6, events=5)
    assert listed(large) == {(5, 5, 0, 6)}
    assert set(large.to_frame()["added"]) == {0.0, 0.5}
    assert np.isnan(large.to_frame().set_index("added").loc[0.0, "conf_low"])


@pytest.mark.parametrize(
    ("ratio", "options", "error", "words"),
    [
        ("x", {"n": 9}, FactsError, "odds_ratio"),
        ("-2", {"n": 9}, DataError, "cannot be negative"),
        (2.5, {"n": 9}, OptionError, "text as printed"),
        ("2", {}, OptionError, "number of patients"),
        ("2", {"n_1": 5}, OptionError, "number of patients"),
        ("2", {"events": 5}, OptionError, "number of patients"),
        ("2", {"n": 9.5}, OptionError, "n must be"),
        ("2", {"n": 10**40}, BudgetError, "At most 5,000,000 patients"),
        ("2", {"n": 9, "events": -1}, OptionError, "events"),
        ("2", {"n": 9, "p": "2"}, DataError, "at most 1"),
        ("2", {"n": 9, "conf_low": 1.2}, OptionError, "conf_low must be text"),
        ("2", {"n": 9, "conf_high": "-1"}, DataError, "conf_high"),
        ("2", {"n": 9, "tests": "z"}, OptionError, "tests"),
        ("2", {"n": 9, "rounding": "down"}, OptionError, "rounding"),
        ("2", {"n": 9, "conf_level": 95}, OptionError, "0.95"),
        ("2", {"n": 9, "nearest": -1}, OptionError, "nearest"),
    ],
)
def test_bad_input(ratio: str, options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        rn.tables_from_odds_ratio(ratio, **options)


def test_figures_show_tables_and_print() -> None:
    few = rn.tables_from_odds_ratio("0.04", p="0.001", n=142, events=44)
    axes = few.plot()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[0] == "1/39 vs 43/103"
    assert 0.04 in [np.asarray(line.get_xdata()).max(initial=0.0) for line in axes.lines]
    many = rn.tables_from_odds_ratio("3.6", p="0.02", n=60).plot()
    assert re.search(r"\d+ tables", many.get_ylabel())
    none = rn.tables_from_odds_ratio("61.971", n=142, events=44).plot()
    assert "none fits" in none.get_xlabel()


@pytest.mark.parametrize(("ratio", "least"), [("1", 0.0), ("2.0", math.inf)])
def test_a_p_of_one_that_was_cut_off_is_one(ratio, least):
    """Cut off, 1.000 can only be 1: the odds ratio is 1, or nothing is known of it."""
    options = {"n_1": 10, "n_2": 10, "rounding": "truncate", "tests": ["wald"]}
    found = rn.tables_from_odds_ratio(ratio, p="1.000", **options)
    frame = found.to_frame()
    assert len(frame) == (0 if least else 20)
    assert (frame["events_1"] == frame["events_2"]).all()
    implied = found.implied.iloc[0]
    assert implied[["std_error_low", "std_error_high"]].tolist() == [least, math.inf]
