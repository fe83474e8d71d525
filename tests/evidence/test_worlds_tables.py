"""Two printed percentages and their P."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import rnetstats as rn
from rnetstats.errors import BudgetError, DataError, FactsError, OptionError
from rnetstats.evidence.facts import read_facts
from rnetstats.evidence.worlds_tables_result import MatchingTablesResult
from rnetstats.tables.fisher import fisher_p

FACTS = read_facts("rnetstats.studies.meta2026")
MOST = 18  # patients of the small worlds that are gone through by loops


def text(value: float, decimals: int) -> str:
    """A rounded number; the ties of the cases here are none."""
    return f"{value:.{decimals}f}"


@lru_cache
def small_worlds() -> np.ndarray:
    """Every table of at most so many patients, with P by each test."""
    tables = np.array(
        [
            (a, m, c, n)
            for m in range(1, MOST)
            for n in range(1, MOST + 1 - m)
            for a in range(m + 1)
            for c in range(n + 1)
        ]
    )
    a, m, c, n = tables.T
    b, d, total = m - a, n - c, m + n
    spread = m * n * (a + c) * (b + d)
    found = []
    for less in (0.0, 0.5):
        away = np.maximum(np.abs(a * d - b * c) - less * total, 0.0)
        chi = total * away**2 / np.where(spread > 0, spread, np.inf)
        found.append(np.where(spread > 0, stats.chi2.sf(chi, 1), np.nan))
    found.append(fisher_p(a, b, c, d))
    return np.vstack([tables.T, found]).T


def listed(found: MatchingTablesResult) -> set[tuple[int, ...]]:
    columns = ["events_1", "n_1", "events_2", "n_2"]
    return set(map(tuple, found.tables[columns].to_numpy().tolist()))


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        ("33.3", "66.7", "0.16"),
        ("25", "80", "0.02"),
        ("0", "50", "< 0.05"),
        ("0.0", "100.0", "0.002"),
        ("40", "40", "1.00"),
        ("50", "20", "> 0.3"),
        ("100", "71", None),
    ],
)
def test_every_small_table_by_loops(first: str, second: str, p: str | None) -> None:
    worlds = small_worlds()
    a, m, c, n = worlds[:, :4].T
    shares = [100 * a / m, 100 * c / n]
    keep = np.ones(len(worlds), dtype=bool)
    for share, figure in zip(shares, (first, second), strict=True):
        unit = 10.0 ** -len(figure.partition(".")[2])
        keep &= (share >= float(figure) - unit / 2) & (share <= float(figure) + unit / 2)
    by_test = np.ones((len(worlds), 3), dtype=bool)
    if p is not None:
        value = float(p.strip("<> "))
        unit = 10.0 ** -len(p.partition(".")[2])
        ps = worlds[:, 4:]
        if p[0] == "<":
            by_test = ps < value
        elif p[0] == ">":
            by_test = ps > value
        else:
            by_test = np.abs(ps - value) <= unit / 2
        keep &= by_test.any(axis=1)
    found = rn.matching_tables(first, second, p=p, at_most=MOST)
    assert listed(found) == set(map(tuple, worlds[keep, :4].astype(int).tolist()))
    row = found.glance().iloc[0]
    assert row["tables"] == keep.sum() > 0
    if p is not None:
        for k, name in enumerate(("pearson", "yates", "fisher")):
            assert row[f"tables_{name}"] == by_test[keep, k].sum()


def test_the_counts_behind_the_crude_rates() -> None:
    """As the remarks on the meta-analysis have them; and further than their summary goes."""
    found = rn.matching_tables(
        FACTS["crude_salvage"].value,
        FACTS["crude_observation"].value,
        p=FACTS["crude_p"].value,
        at_most=FACTS["incomplete_cases"].count,
    )
    frame = found.to_frame()
    by_events = frame.groupby("events_1").agg(
        {"n_1_low": "min", "n_1_high": "max", "events_2": ["min", "max"], "n_2_high": "max"}
    )
    remarks = {7: (726, 732, 33, 46), 8: (830, 837, 23, 42), 9: (933, 942, 18, 33)}
    for events, expected in remarks.items():
        assert tuple(by_events.loc[events])[:4] == expected
    assert by_events.index.min() == 7
    assert by_events.loc[10, ("n_1_low", "min")] == 1037
    assert by_events.loc[10, ("n_1_high", "max")] == 1047
    sizes = {25: (844, 846), 30: (1012, 1015), 35: (1181, 1184), 40: (1350, 1353), 46: (1552, 1553)}
    for events, (low, high) in sizes.items():
        rows = frame[frame["events_2"] == events]
        assert (rows["n_2_low"].min(), rows["n_2_high"].max()) == (low, high)
    assert found.exhaustive
    # Not only about 730 to 1,050 salvaged against 600 to 1,550 observed.
    row = found.glance().iloc[0]
    assert (row["n_1_high"], row["n_2_low"], row["events_1_high"]) == (1975, 304, 19)
    assert 0.31 < row["odds_ratio_low"] < row["odds_ratio_high"] < 0.33
    pearson = rn.matching_tables("0.96", "2.96", p="0.003", at_most=2279, tests="pearson")
    assert pearson.to_frame()["tables"].sum() == row["tables_pearson"]


def test_ranges_are_those_of_the_tables_listed() -> None:
    found = rn.matching_tables("1.2", "4.5", p="0.04", at_most=400)
    tables, row = found.tables, found.glance().iloc[0]
    assert len(tables) == row["tables"] > 50
    for name, column, end in [
        ("n_1_low", "n_1", "min"),
        ("n_2_high", "n_2", "max"),
        ("odds_ratio_low", "odds_ratio", "min"),
        ("odds_ratio_conf_high", "odds_ratio_conf_high", "max"),
        ("difference_low", "risk_difference", "min"),
        ("difference_conf_low", "difference_conf_low", "min"),
    ]:
        assert row[name] == pytest.approx(tables[column].agg(end), rel=1e-12)
    first = tables.iloc[0]
    cells = [int(first[k]) for k in ("events_1", "n_1", "events_2", "n_2")]
    counts = [[cells[0], cells[1] - cells[0]], [cells[2], cells[3] - cells[2]]]
    limits = rn.exact_table(counts).to_frame().set_index(["measure", "method"])
    woolf, newcombe = (
        limits.loc[("odds ratio", "woolf")],
        limits.loc[("risk difference", "newcombe")],
    )
    assert first["odds_ratio_conf_low"] == pytest.approx(woolf["conf_low"], rel=1e-10)
    assert first["difference_conf_high"] == pytest.approx(newcombe["conf_high"], rel=1e-10)
    assert first["p_fisher"] == pytest.approx(stats.fisher_exact(counts)[1], rel=1e-9)
    assert first["p_yates"] == pytest.approx(stats.chi2_contingency(counts)[1], rel=1e-9)


@settings(max_examples=8)
@given(
    sizes=st.tuples(st.integers(1, 120), st.integers(1, 120)),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    test=st.sampled_from(["pearson", "yates", "fisher"]),
)
def test_the_table_that_was_printed_is_found_and_figures_narrow(
    sizes: tuple[int, int], shares: tuple[float, float], test: str
) -> None:
    events = [round(share * n) for share, n in zip(shares, sizes, strict=True)]
    counts = [[e, n - e] for e, n in zip(events, sizes, strict=True)]
    row = rn.evidence.worlds_summary.table_frame(
        np.array([[counts[0][0]], [counts[0][1]], [counts[1][0]], [counts[1][1]]]), 0.95
    ).iloc[0]
    printed = [text(100 * e / n, 2) for e, n in zip(events, sizes, strict=True)]
    options = {"at_most": sum(sizes), "rounding": ("half-up", "half-even")}
    every = rn.matching_tables(*printed, **options)
    own = (events[0], sizes[0], events[1], sizes[1])
    assert own in listed(every)
    if not np.isnan(row[f"p_{test}"]):
        with_p = rn.matching_tables(*printed, p=text(row[f"p_{test}"], 3), tests=test, **options)
        assert own in listed(with_p)
        assert listed(with_p) <= listed(every)


def test_beyond_the_budget_the_ranges_are_a_bound() -> None:
    arguments = {"p": "0.01", "at_most": 250}
    full = rn.matching_tables("3", "12", **arguments)
    bound = rn.matching_tables("3", "12", budget=100, **arguments)
    assert full.exhaustive
    assert not bound.exhaustive
    assert "bound" in bound.notes[0]
    assert bound.tables.empty
    hull = bound.to_frame().set_index(["events_1", "events_2"])
    for key, row in full.to_frame().set_index(["events_1", "events_2"]).iterrows():
        held = hull.loc[key]
        assert held["n_1_low"] <= row["n_1_low"] <= row["n_1_high"] <= held["n_1_high"]
        assert held["n_2_low"] <= row["n_2_low"] <= row["n_2_high"] <= held["n_2_high"]
        assert held["tables"] >= row["tables"]
    assert np.isnan(bound.glance()["odds_ratio_low"].iloc[0])
    assert "Odds ratio" not in bound.display().columns


def test_rows_beyond_the_list_are_still_counted() -> None:
    found = rn.matching_tables("5", "8", at_most=450)
    assert found.glance()["tables"].iloc[0] > len(found.tables) == 20_000
    assert re.search("first 20,000 are listed", " ".join(found.notes))


@pytest.mark.parametrize(
    ("first", "second", "p", "most", "words"),
    [
        ("0.96", "2.96", "0.003", 700, ["0.96 %", "2.96 %", "P = 0.003", "700 patients"]),
        ("0.96", "2.96", "0.003", 150, ["0.96 %", "2.96 %", "at most 150"]),
        ("0.96", "50", None, 60, ["0.96 % in group 1", "at most 60"]),
        ("33.33", "50.0", "0.9", 4, ["P = 0.9", "at most 4"]),
        ("50", "50", "< 0.001", 12, ["50 % in group 1", "50 % in group 2", "P < 0.001"]),
    ],
)
def test_the_smallest_conflict_is_named(
    first: str, second: str, p: str | None, most: int, words: list[str]
) -> None:
    found = rn.matching_tables(first, second, p=p, at_most=most)
    assert found.to_frame().empty
    assert found.glance()["tables"].iloc[0] == 0
    for word in words:
        assert word in found.conflict
    assert found.conflict.count("%") == sum("%" in word for word in words)
    assert ("P " in found.conflict) == any(word.startswith("P") for word in words)
    assert found.notes == (found.conflict,)
    assert found.display().iloc[0, 0] == found.conflict


def test_truncation_widens() -> None:
    narrow = rn.matching_tables("0.96", "2.96", p="0.003", at_most=1700)
    wide = rn.matching_tables(
        "0.96", "2.96", p="0.003", at_most=1700, rounding=("half-up", "half-even", "truncate")
    )
    assert listed(narrow) < listed(wide)
    assert "truncate" in narrow.notes[-1]


def test_p_values_of_more_decimals_than_percentages_have_are_searched() -> None:
    p = stats.fisher_exact([[30, 10], [5, 55]])[1]  # 4.35e-12
    found = rn.matching_tables("75.0", "8.3", p=f"{p:.1e}", at_most=100, tests="fisher")
    assert listed(found) == {(30, 40, 5, 60)}
    assert rn.matching_tables("75.0", "8.3", p="5.4e-12", at_most=100, tests="fisher").conflict


def test_no_events_at_all() -> None:
    found = rn.matching_tables("0", "0", p="> 0.9", at_most=30)
    row = found.glance().iloc[0]
    assert (row["tables_pearson"], row["tables_fisher"]) == (0, 29 * 30 / 2)
    assert np.isnan(row["odds_ratio_low"])
    assert "no odds ratio" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (("x", "2"), {"at_most": 9}, FactsError, "percent_1"),
        (("2", "101"), {"at_most": 9}, DataError, "percent_2"),
        (("2", "-1"), {"at_most": 9}, DataError, "percent_2"),
        ((2.0, "3"), {"at_most": 9}, OptionError, "text as printed"),
        (("2", "3"), {"at_most": 1}, OptionError, "at_most"),
        (("2", "3"), {"at_most": 9, "p": "1.2"}, DataError, "at most 1"),
        (("2", "3"), {"at_most": 9, "p": 0.05}, OptionError, "text as printed"),
        (("2", "3"), {"at_most": 9, "p": "small"}, FactsError, "p is 'small'"),
        (("2", "3"), {"at_most": 9, "tests": "chi"}, OptionError, "tests"),
        (("2", "3"), {"at_most": 9, "tests": []}, OptionError, "names none"),
        (("2", "3"), {"at_most": 9, "budget": 0}, OptionError, "budget"),
        (("50", "50"), {"at_most": 10**6}, BudgetError, "smaller limit"),
    ],
)
def test_bad_input(arguments: tuple, options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        rn.matching_tables(*arguments, **options)


def test_the_region_is_drawn_within_the_patients() -> None:
    found = rn.matching_tables("0.96", "2.96", p="0.003", at_most=2279, tests="pearson")
    axes = found.plot()
    (boxes,) = axes.collections
    assert len(boxes.get_paths()) == len(found.to_frame())
    labels = [text.get_text() for text in axes.texts]
    assert labels == [str(e) for e in sorted(set(found.to_frame()["events_1"]))]
    nothing = rn.matching_tables("0.96", "50", at_most=60).plot()
    assert "No possible world" in [text.get_text() for text in nothing.texts]
