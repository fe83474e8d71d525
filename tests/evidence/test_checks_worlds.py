"""Checks of possible tables: which splits, counts and 2x2 tables the print allows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_sheets import line, verdicts
from rnetstats.evidence.checks_tests import p_values

SPLIT = {"kind": "split", "events": "events", "n_1": "n_1", "n_2": "n_2"}
MARGINS = {"events": "12", "n_1": "181", "n_2": "346"}


@pytest.mark.parametrize(
    ("conclusion", "recomputed"),
    [
        ("worse", "8 to 12 of 12 in group 1 (5 of 13 splits)"),
        ("better", "0 of 12 in group 1 (1 of 13 splits)"),
        ("different", "0 or 8 to 12 of 12 in group 1 (6 of 13 splits)"),
        ("same", "1 to 7 of 12 in group 1 (7 of 13 splits)"),
    ],
)
def test_the_splits_of_twelve_recurrences(conclusion: str, recomputed: str) -> None:
    row = line(MARGINS, {}, **SPLIT, conclusion=conclusion)
    assert (row["verdict"], row["recomputed"]) == ("consistent", recomputed)


def test_the_logrank_test_and_deaths_are_told() -> None:
    told = line(MARGINS, {}, **SPLIT)["sentence"]
    assert "7 of the 12 would do if group 1 holds at most 31.9 % of the time at risk" in told
    told = line({**MARGINS, "deaths": ""}, {}, **SPLIT, deaths="deaths")["sentence"]
    assert told.endswith("whose number is not known, there is no such bound.")
    told = line({**MARGINS, "deaths": "30"}, {}, **SPLIT, deaths="deaths")["sentence"]
    assert "with the 30 deaths" in told
    told = line(MARGINS, {}, **SPLIT, conclusion="better")["sentence"]
    assert "1 of the 12 would do if group 1 holds at least" in told


@pytest.mark.parametrize(
    ("events", "n_1", "n_2", "verdict"),
    [
        ("999", "181", "346", "inconsistent"),
        ("0", "181", "346", "cannot be checked"),
        ("5", "0", "346", "cannot be checked"),
        ("", "181", "346", "cannot be checked"),
    ],
)
def test_splits_that_cannot_be(events: str, n_1: str, n_2: str, verdict: str) -> None:
    row = line({"events": events, "n_1": n_1, "n_2": n_2}, {}, **SPLIT)
    assert row["verdict"] == verdict


def test_more_deaths_than_patients_cannot_be() -> None:
    values = {"events": "5", "n_1": "10", "n_2": "10", "deaths": "16"}
    row = line(values, {}, **SPLIT, deaths="deaths")
    assert row["verdict"] == "inconsistent"
    assert row["sentence"] == "5 events and 16 deaths are more than the 20 patients."


def test_without_a_significant_split_only_time_can_help() -> None:
    row = line({"events": "2", "n_1": "181", "n_2": "346"}, {}, **SPLIT)
    assert (row["verdict"], row["recomputed"]) == ("consistent", "0 of 3 splits")
    assert row["sentence"] == (
        "By Fisher's test no split of the 2 events makes group 1 significantly worse; by the "
        "log-rank test 2 of the 2 would do if group 1 holds at most 34.2 % of the time at risk."
    )
    row = line({"events": "2", "n_1": "181", "n_2": "346"}, {}, **SPLIT, conclusion="same")
    assert row["recomputed"] == "0 to 2 of 2 in group 1 (3 of 3 splits)"


SHARE = {"kind": "share", "percent": "percent", "at_most": "at_most"}


@pytest.mark.parametrize(
    ("percent", "at_most", "verdict", "recomputed"),
    [
        ("71.4", "12", "consistent", "5/7"),
        ("71.4", "30", "consistent", "5/7, 10/14, 15/21, ..."),
        ("2.2", "100", "consistent", "1/(44 to 46), 2/(87 to 93)"),
        ("71.4", "6", "inconsistent", "no count"),
        ("66.6", "4", "rounding", "2/3"),
        ("66.6", "0", "cannot be checked", "–"),
        ("120", "10", "inconsistent", "–"),
        ("-1", "10", "inconsistent", "–"),
        ("", "5", "cannot be checked", "–"),
    ],
)
def test_counts_behind_a_share(percent: str, at_most: str, verdict: str, recomputed: str) -> None:
    row = line({"percent": percent, "at_most": at_most}, {"percent": "%"}, **SHARE)
    assert (row["verdict"], row["recomputed"]) == (verdict, recomputed)


def test_five_of_seven_has_wide_limits() -> None:
    row = line({"percent": "71.4", "at_most": "12"}, {"percent": "%"}, **SHARE)
    assert row["sentence"].endswith("its exact 95 % limits are 29.0 % to 96.3 %.")
    row = line({"percent": "71.4", "at_most": "6"}, {"percent": "%"}, **SHARE)
    assert row["sentence"] == "No count has 71.4 % and at most 6 patients together."
    row = line({"percent": "0.714", "at_most": "12"}, {"percent": ""}, **SHARE)
    assert row["verdict"] == "cannot be checked"


RATES = {"kind": "two_rates", "percent_1": "a", "percent_2": "b", "at_most": "n"}
UNITS = {"a": "%", "b": "%"}


def test_the_counts_behind_two_crude_rates() -> None:
    values = {"a": "0.96", "b": "2.96", "p": "0.003", "n": "2279"}
    row = line(values, UNITS, **RATES, p="p")
    assert row["verdict"] == "consistent"
    assert "with 7 to 19 of 726 to 1,975 patients in group 1" in row["sentence"]
    assert "odds ratio of 0.32;" in row["sentence"]
    assert row["recomputed"].startswith("2,176 tables; ")


@pytest.mark.parametrize(
    ("values", "verdict", "told"),
    [
        ({"a": "1.2", "b": "8.9", "p": "0.02", "n": "150"}, "consistent", "1 table prints so"),
        ({"a": "1.2", "b": "8.9", "p": "< 0.001", "n": "150"}, "inconsistent", "No pair of groups"),
        ({"a": "", "b": "8.9", "p": "0.02", "n": "150"}, "cannot be checked", "Not known: a"),
        ({"a": "1.2", "b": "8.9", "p": "0.02", "n": "1"}, "cannot be checked", "at least two"),
        ({"a": "66.6", "b": "33.3", "p": "", "n": "6"}, "rounding", "digits were cut off"),
        ({"a": "5.0", "b": "120", "p": "", "n": "6"}, "inconsistent", "is no share"),
        (
            {"a": "5.0", "b": "4.0", "p": "0.04", "n": "20000"},
            "cannot be checked",
            "Too many tables",
        ),
        ({"a": "0", "b": "0", "p": "1", "n": "9"}, "consistent", "by Fisher), with 0 of 1 to 8"),
    ],
)
def test_two_rates_by_hand(values: dict[str, str], verdict: str, told: str) -> None:
    row = line(values, UNITS, **RATES, p="p")
    assert row["verdict"] == verdict
    assert told in row["sentence"]
    assert line(values, {}, **RATES, p="p")["verdict"] == "cannot be checked"


@pytest.mark.slow
@settings(max_examples=15)
@given(
    data=st.data(), places=st.integers(1, 2), name=st.sampled_from(["Pearson", "Yates", "Fisher"])
)
def test_what_a_real_table_prints_has_a_possible_world(
    data: st.DataObject, places: int, name: str
) -> None:
    n, m = data.draw(st.integers(2, 40)), data.draw(st.integers(2, 40))
    a, c = data.draw(st.integers(1, n)), data.draw(st.integers(0, m - 1))
    p = f"{p_values(a, n, c, m)[name]:.3f}"
    p = "< 0.001" if p == "0.000" else p
    values = {
        "a": f"{100 * a / n:.{places}f}",
        "b": f"{100 * c / m:.{places}f}",
        "p": p,
        "n": str(n + m + data.draw(st.integers(0, 20))),
    }
    assert verdicts(values, UNITS, **RATES, p="p") == ["consistent"]
    share = {"percent": values["a"], "at_most": str(n)}
    assert verdicts(share, {"percent": "%"}, **SHARE) == ["consistent"]
    sizes = {"events": str(a + c), "n_1": str(n), "n_2": str(m)}
    side = "worse" if a / n > c / m else "better" if a / n < c / m else "same"
    significant = p_values(a, n, c, m)["Fisher"] < 0.05
    conclusion = side if significant else "same"
    assert verdicts(sizes, {}, **SPLIT, conclusion=conclusion) == ["consistent"]


TABLES = {"kind": "odds_ratio_tables", "odds_ratio": "ratio", "n": "n", "events": "events"}


def test_a_table_whose_p_is_that_of_yates_is_possible() -> None:
    # 52/70 and 1/3: odds ratio 5.778; P by Yates 0.370, by other tests 0.119 to 0.181
    values = {"ratio": "5.778", "p": "0.370", "n": "73", "events": "53"}
    row = line(values, {}, **TABLES, p="p")
    assert row["verdict"] == "consistent"
    assert row["sentence"].startswith("1 table prints so")


def test_no_table_has_the_printed_odds_ratio() -> None:
    values = {"ratio": "61.971", "p": "< 0.001", "n": "30", "events": "12"}
    row = line(values, {}, **TABLES, p="p")
    assert row["verdict"] == "inconsistent"
    assert row["sentence"].startswith("No table of 30 patients has odds ratio 61.971. Nearest is")
    row = line(values, {}, **TABLES, p="p", adjusted=True)
    assert row["verdict"] == "cannot be checked"
    assert row["sentence"].endswith("need not be that of any table.")
    assert len(row["world"].nearest)


@pytest.mark.parametrize(
    ("values", "verdict", "told"),
    [
        ({"ratio": "3.95", "n": "527", "events": "12", "p": ""}, "consistent", "print so, with"),
        ({"ratio": "0", "n": "527", "events": "12"}, "cannot be checked", "above 0"),
        ({"ratio": "< 2", "n": "527", "events": "12"}, "cannot be checked", "above 0"),
        ({"ratio": "3.95", "n": "527", "events": "527"}, "cannot be checked", "and without"),
        ({"ratio": "3.95", "n": "527", "events": "0"}, "cannot be checked", "and without"),
        ({"ratio": "3.95", "n": "1", "events": ""}, "cannot be checked", "and without"),
        ({"ratio": "", "n": "527", "events": "12"}, "cannot be checked", "Not known: ratio"),
    ],
)
def test_odds_ratios_by_hand(values: dict[str, str], verdict: str, told: str) -> None:
    check = {**TABLES, "p": "p"} if "p" in values else TABLES
    row = line(values, {}, **check)
    assert row["verdict"] == verdict
    assert told in row["sentence"]


def test_the_odds_ratio_of_a_real_table_has_a_world() -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        n, m = rng.integers(5, 40, 2)
        a, c = rng.integers(1, n), rng.integers(1, m)
        ratio = a * (m - c) / ((n - a) * c)
        p = max(p_values(int(a), int(n), int(c), int(m))["Pearson"], 0.0005)
        values = {"ratio": f"{ratio:.2f}", "n": str(n + m), "events": str(a + c), "p": f"{p:.3f}"}
        if float(values["ratio"]) > 0.0:
            assert verdicts(values, {}, **TABLES, p="p") == ["consistent"]
