"""Percentages, means and sums against whole numbers: by hand, by brute force, from real tables."""

from __future__ import annotations

import itertools
import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_sheets import line, verdicts
from rnetstats.errors import FactsError
from rnetstats.evidence.checks_denominators import (
    counts_of,
    denominators_of,
    smallest_fractions,
)
from rnetstats.evidence.checks_mean import squares_exist
from rnetstats.evidence.checks_printed import read_printed

PERCENT = {"percent": "%"}
OF = {"kind": "percentage", "percent": "percent", "count": "count", "total": "total"}


def share(percent: str, count: str = "", total: str = "", **others: str) -> dict[str, object]:
    values = {"percent": percent, "count": count, "total": total, **others}
    return line(values, PERCENT, **OF)


@pytest.mark.parametrize(
    ("count", "total", "percent", "verdict"),
    [
        ("12", "527", "2.2", "rounding"),
        ("181", "527", "34.3", "consistent"),
        ("4", "346", "1.1", "rounding"),
        ("7", "81", "8.6", "consistent"),
        ("8", "411", "1.9", "consistent"),
        ("5", "67", "1.5", "inconsistent"),
        ("23", "76", "32.4", "inconsistent"),
        ("5", "7", "71.4", "consistent"),
        ("1", "8", "12", "consistent"),
        ("1", "8", "13", "consistent"),
        ("1", "327", "< 1", "consistent"),
        ("0", "25", "0", "consistent"),
        ("9", "8", "112.5", "inconsistent"),
        ("9", "8", "99.0", "inconsistent"),
        ("3", "0", "12", "inconsistent"),
    ],
)
def test_percentages_by_hand(count: str, total: str, percent: str, verdict: str) -> None:
    assert share(percent, count, total)["verdict"] == verdict


def test_a_share_of_no_patients() -> None:
    row = share("34.1", "41", "0")
    assert row["verdict"] == "inconsistent"
    assert "41 of no patients cannot be" in str(row["sentence"])
    assert share("0.0", "0", "0")["verdict"] == "cannot be checked"


def test_the_reason_names_the_rounding() -> None:
    row = share("2.2", "12", "527")
    assert row["recomputed"] == "2.277 %"
    assert row["sentence"] == (
        "12 of 527 is 2.277 %; the print cuts digits off, where rounding to the nearest gives "
        "2.3 %."
    )
    assert "rounded to the even digit" in str(share("12", "1", "8")["sentence"])
    assert "9 is more than the 8" in str(share("99.0", "9", "8")["sentence"])
    assert "agrees with < 1" in str(share("< 1", "1", "327")["sentence"])


def test_denominators_that_would_make_it_true() -> None:
    told = str(share("1.5", "5", "67", complete="344", all="411")["sentence"])
    assert "5 is 1.5 % of any total from 323 to 344, among them 344 (complete)" in told
    assert "411" not in told
    told = str(share("32.4", "23", "76")["sentence"])
    assert told.endswith("23 is 32.4 % of 71, which is not among the counts stated.")
    assert "23 is 32.4 % of 71 (other)" in str(share("32.4", "23", "76", other="71")["sentence"])


def test_a_percentage_without_denominator_cannot_be_checked() -> None:
    row = share("1.5", "5", "", complete="344")
    assert (row["verdict"], row["recomputed"]) == ("cannot be checked", "5 / (323 to 344)")
    assert "Not known: total" in str(row["sentence"])
    row = line({"percent": "71.4"}, PERCENT, kind="percentage", percent="percent")
    assert (row["verdict"], row["recomputed"]) == ("cannot be checked", "5/7, 10/14, 15/21")
    row = line(
        {"percent": "71.4", "n": "12", "m": "14"},
        PERCENT,
        kind="percentage",
        percent="percent",
        candidates=["n", "m"],
    )
    assert "of the named totals 14 (m): 10/14 would do" in row["sentence"]
    assert share("", "5", "7")["verdict"] == "cannot be checked"
    row = share("5.0", "0", "")
    assert (row["verdict"], row["sentence"]) == (
        "inconsistent",
        "Not known: total, but no denominator makes 0 equal to 5.0 %.",
    )


@pytest.mark.parametrize(
    ("percent", "total", "verdict", "recomputed"),
    [
        ("34.3", "527", "consistent", "181/527"),
        ("71.4", "12", "inconsistent", "no count"),
        ("2.2", "527", "rounding", "12/527"),
        ("66.6", "3", "rounding", "2/3"),
        ("40", "2279", "consistent", "901/2279, 902/2279, 903/2279, 904/2279, ..."),
        ("120", "10", "inconsistent", "–"),
        ("-3", "10", "inconsistent", "–"),
    ],
)
def test_percentages_without_count(percent: str, total: str, verdict: str, recomputed: str) -> None:
    row = share(percent, "", total)
    assert (row["verdict"], row["recomputed"]) == (verdict, recomputed)


def test_shares_of_one_are_read_by_their_unit() -> None:
    row = line({"percent": "0.34", "count": "181", "total": "527"}, {"percent": ""}, **OF)
    assert (row["verdict"], row["recomputed"]) == ("consistent", "0.3435")
    row = line({"percent": "34.3", "count": "181", "total": "527"}, {"percent": ""}, **OF)
    assert 'the unit of a percentage is "%"' in row["sentence"]


@given(total=st.integers(1, 60), percent=st.decimals(0, 100, places=1))
def test_counts_are_those_of_brute_force(total: int, percent: Decimal) -> None:
    printed = read_printed(str(percent), "it")
    modes = {
        count: set(printed.roundings(Fraction(100 * count, total))) for count in range(total + 1)
    }
    proper = [count for count, found in modes.items() if found & {"half-up", "half-even"}]
    assert list(counts_of(printed, total, 100)) == proper
    loose = [count for count, found in modes.items() if found]
    assert set(loose) <= set(counts_of(printed, total, 100, loosely=True))


@given(
    count=st.integers(0, 30),
    text=st.one_of(
        st.decimals(0, 100, places=1).map(str),
        st.decimals(1, 60, places=0).map(lambda d: f"< {d}"),
        st.decimals(1, 60, places=0).map(lambda d: f"> {d}"),
    ),
)
def test_denominators_are_those_of_brute_force(count: int, text: str) -> None:
    printed = read_printed(text, "it")
    most = 20_000 if count else 5
    fits = [
        total
        for total in range(max(count, 1), min(most, 40 * max(count, 1)))
        if {"half-up", "half-even"} & set(printed.roundings(Fraction(100 * count, total)))
    ]
    first, last = denominators_of(printed, count, 100)
    if fits:
        assert first == fits[0]
        assert last is None or last >= fits[-1]
    elif first is not None:
        assert first >= min(most, 40 * max(count, 1))


def test_the_smallest_fractions_are_in_order() -> None:
    assert smallest_fractions(read_printed("71.4", "it"), 100) == [(5, 7), (10, 14), (15, 21)]
    assert smallest_fractions(read_printed("0.01", "it"), 100) == [(0, 1)] * 0


def rounded(value: Fraction, places: int, mode: str) -> str:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return str(exact.quantize(Decimal(1).scaleb(-places), rounding=mode))


MODES = st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN])


@pytest.mark.parametrize(
    ("percent", "total", "told"),
    [
        ("35.0", "20", "Only 7 of 20 prints so."),
        ("50", "1000", "11 counts of 1000, from 495 to 505, print so"),
        ("34.5", "20", "(6 of 20 is 30.000 %, 7 of 20 is 35.000 %)"),
        ("0.4", "20", "(0 of 20 is 0.000 %, 1 of 20 is 5.000 %)"),
        ("99.9", "20", "(19 of 20 is 95.000 %, 20 of 20 is 100.000 %)"),
    ],
)
def test_counts_that_may_stand_behind_a_percentage(percent: str, total: str, told: str) -> None:
    row = share(percent, "", total)
    assert told in row["sentence"]


@given(data=st.data(), places=st.integers(0, 3), mode=MODES)
def test_percentages_of_real_tables_are_consistent(
    data: st.DataObject, places: int, mode: str
) -> None:
    total = data.draw(st.integers(1, 3000))
    count = data.draw(st.integers(0, total))
    percent = rounded(Fraction(100 * count, total), places, mode)
    assert share(percent, str(count), str(total))["verdict"] == "consistent"
    assert share(percent, "", str(total))["verdict"] == "consistent"
    first, last = denominators_of(read_printed(percent, "it"), count, 100)
    assert first is not None
    assert first <= total <= (last or total)


@pytest.mark.parametrize(
    ("mean", "n", "verdict"),
    [
        ("5.19", "28", "inconsistent"),  # Brown and Heathers' example
        ("5.18", "28", "consistent"),
        ("5.17", "28", "rounding"),
        ("-5.17", "28", "rounding"),
        ("3.45", "27", "inconsistent"),  # 93/27 = 3.444 and 94/27 = 3.481: cut off, 3.44 and 3.48
        ("-3.45", "27", "inconsistent"),
        ("3.46", "50", "consistent"),
        ("3.45", "50", "inconsistent"),  # 3.44 and 3.46: not even cut off
        ("0.0", "3", "consistent"),
        ("2.5", "2", "consistent"),
        ("38.1", "5000", "consistent"),
        ("", "28", "cannot be checked"),
        ("5.19", "0", "cannot be checked"),
    ],
)
def test_means_by_hand(mean: str, n: str, verdict: str) -> None:
    assert line({"mean": mean, "n": n}, kind="mean", mean="mean", n="n")["verdict"] == verdict


def test_a_mean_of_items_is_finer() -> None:
    check = {"kind": "mean", "mean": "mean", "n": "n"}
    values = {"mean": "3.27", "n": "10"}
    assert line(values, **check)["verdict"] == "inconsistent"
    row = line(values, **check, items=4)
    assert (row["verdict"], row["recomputed"]) == ("consistent", "131/40")


SD = {"kind": "mean", "mean": "mean", "n": "n", "sd": "sd"}


@pytest.mark.parametrize(
    ("mean", "sd", "n", "verdict"),
    [
        ("3.44", "1.92", "18", "consistent"),
        ("3.44", "2.47", "18", "rounding"),  # Anaya's example; 2.4787 cut off
        ("3.44", "2.49", "18", "inconsistent"),
        ("2.50", "0.708", "2", "inconsistent"),  # 0.7071 is no digit up
        ("2.50", "0.70", "2", "rounding"),
        ("3.44", "0.10", "18", "inconsistent"),  # less than numbers as near as can be
        ("2.5", "0.71", "2", "consistent"),
        ("2.5", "1.00", "2", "inconsistent"),
        ("2.5", "-1.00", "2", "inconsistent"),
        ("5.19", "1.00", "28", "cannot be checked"),
        ("5.18", "", "28", "cannot be checked"),
        ("5.00", "0.00", "1", "cannot be checked"),
    ],
)
def test_standard_deviations_by_hand(mean: str, sd: str, n: str, verdict: str) -> None:
    row = line({"mean": mean, "n": n, "sd": sd}, part="SD", **SD)
    assert row["verdict"] == verdict


def test_a_standard_deviation_over_n_is_recognised() -> None:
    row = line({"mean": "2.5", "n": "4", "sd": "1.12"}, part="SD", **SD)  # 1, 2, 3, 4
    assert row["verdict"] == "inconsistent"
    assert "divided by n, not by n - 1, would" in row["sentence"]


@cache
def sums_of_squares(n: int, reach: int) -> set[tuple[int, int]]:
    numbers = itertools.combinations_with_replacement(range(-reach, reach + 1), n)
    return {(sum(c), sum(x * x for x in c)) for c in numbers}


@pytest.mark.parametrize(("n", "reach"), [(1, 6), (2, 6), (3, 6), (4, 6), (5, 4)])
def test_sums_and_squares_are_those_of_brute_force(n: int, reach: int) -> None:
    found = sums_of_squares(n, reach)
    for total, squares in itertools.product(range(-n, n + 1), range(reach * reach + 1)):
        assert squares_exist(n, total, squares) == ((total, squares) in found)


@given(
    values=st.lists(st.integers(0, 9), min_size=2, max_size=40),
    items=st.integers(1, 3),
    places=st.integers(1, 3),
    mode=MODES,
)
def test_means_of_real_answers_are_consistent(
    values: list[int], items: int, places: int, mode: str
) -> None:
    mean = rounded(Fraction(sum(values), items * len(values)), places, mode)
    sd = f"{np.std(np.array(values) / items, ddof=1):.{places}f}"
    printed = {"mean": mean, "n": str(len(values)), "sd": sd}
    assert verdicts(printed, **SD, items=items) == ["consistent", "consistent"]


@pytest.mark.parametrize(
    ("values", "units", "verdict", "told"),
    [
        ({"a": "76", "b": "126", "total": "205"}, {}, "inconsistent", "202, 3 fewer than"),
        ({"a": "21", "b": "25", "total": "36"}, {}, "inconsistent", "46, 10 more than"),
        ({"a": "213 / 199 / 113 / 2", "total": "527"}, {}, "consistent", "add up to 527"),
        ({"a": "34.3", "b": "65.6", "total": "100"}, "%", "consistent", "99.9"),
        ({"a": "34.3", "b": "65.5", "total": "100.0"}, "%", "rounding", "digits cut off"),
        ({"a": "34.3", "b": "67.5", "total": "100.0"}, "%", "inconsistent", "not to 100.0"),
        ({"a": "33", "b": "33", "c": "33", "total": "100"}, "%", "consistent", "99"),
        ({"a": "5", "b": "", "total": "12"}, {}, "cannot be checked", "7 is left"),
        ({"a": "15", "b": "", "total": "12"}, {}, "inconsistent", "more than the total"),
        ({"a": "5", "b": "7", "total": ""}, {}, "cannot be checked", "add up to 12"),
        ({"a": "< 5", "b": "7", "total": "12"}, {}, "cannot be checked", "as a bound"),
        ({"a": "5", "b": "7", "total": "> 12"}, {}, "cannot be checked", "as a bound"),
    ],
)
def test_sums_by_hand(
    values: dict[str, str], units: dict[str, str] | str, verdict: str, told: str
) -> None:
    if isinstance(units, str):
        units = dict.fromkeys(values, units)
    parts = [key for key in values if key != "total"]
    row = line(values, units, kind="sum", parts=parts, total="total")
    assert row["verdict"] == verdict
    assert told in row["sentence"]


@given(counts=st.lists(st.integers(0, 500), min_size=2, max_size=6), places=st.integers(0, 2))
def test_parts_of_real_tables_add_up(counts: list[int], places: int) -> None:
    total = sum(counts)
    values = {f"part_{i}": str(count) for i, count in enumerate(counts)} | {"total": str(total)}
    check = {"kind": "sum", "parts": [k for k in values if k != "total"], "total": "total"}
    assert line(values, **check)["verdict"] == "consistent"
    if total:
        shares = {
            key: rounded(Fraction(100 * int(value), total), places, ROUND_HALF_UP)
            for key, value in values.items()
        }
        row = line(shares, dict.fromkeys(shares, "%"), **check)
        assert row["verdict"] == "consistent"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"percent": "worse", "count": "1", "total": "2"}, r"\[facts.percent\], value is 'worse'"),
        ({"percent": "1", "count": "1.5", "total": "2"}, "'1.5' is no count; the percentage check"),
        ({"percent": "1", "count": "-1", "total": "2"}, "'-1' is no count"),
        ({"percent": "1", "count": "1", "total": "1e12"}, "is no count"),
        ({"percent": "1", "count": "1", "total": "2000000000"}, "at most 1,000,000,000"),
    ],
)
def test_figures_of_the_wrong_kind_are_refused(values: dict[str, str], told: str) -> None:
    with pytest.raises(FactsError, match=told):
        line(values, PERCENT, **OF)


def test_negative_counts_add_up_to_nothing() -> None:
    with pytest.raises(FactsError, match="is negative"):
        line({"a": "-5", "total": "5"}, kind="sum", parts=["a"], total="total")


def prints_as(text: str, count: int, total: int) -> bool:
    """Whether a share prints so to the nearest digit, halves up or to the even digit."""
    digits = len(text.partition(".")[2])
    exact = Fraction(100 * count, total) * 10**digits
    up, even = math.floor(exact + Fraction(1, 2)), round(exact)
    return Fraction(text) * 10**digits in (up, even)


@pytest.mark.parametrize("text", ["0", "0.0", "0.5", "12.5", "50", "100"])
def test_counts_and_denominators_by_trying_all(text: str) -> None:
    percent = read_printed(text, "percent")
    for total in range(1, 50):
        fits = [k for k in range(total + 1) if prints_as(text, k, total)]
        assert list(counts_of(percent, total, 100)) == fits, total
    for count in range(6):
        fits = [n for n in range(max(count, 1), 1200) if prints_as(text, count, n)]
        first, last = denominators_of(percent, count, 100)
        if not fits:
            assert first is None or first >= 1200
        else:
            assert first == fits[0]
            assert (last is None or last >= 1200) if fits[-1] == 1199 else last == fits[-1]
    fractions = [
        (next(k for k in range(n + 1) if prints_as(text, k, n)), n)
        for n in range(1, 45)
        if any(prints_as(text, k, n) for k in range(n + 1))
    ]
    found = [pair for pair in smallest_fractions(percent, 100) if pair[1] < 45]
    assert found == fractions[:3]


@pytest.mark.parametrize("counts", [(7, 5, 1, 9), (1, 9, 7, 5)])
def test_more_events_than_patients_in_either_group(counts: tuple[int, ...]) -> None:
    names = ("events_1", "n_1", "events_2", "n_2")
    values = dict(zip(names, map(str, counts), strict=True))
    row = line({**values, "p": "0.04"}, {}, kind="test", p="p", **{n: n for n in names})
    assert row["verdict"] == "inconsistent"
    assert "more events than patients" in row["sentence"]
