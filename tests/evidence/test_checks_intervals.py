"""Limits, P values and 2x2 tables: by hand, from the printed studies, and from real tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from audit_sheets import line, verdicts
from rnetstats.errors import FactsError
from rnetstats.evidence.checks_tests import p_values

LIMITS = {"kind": "interval", "low": "low", "high": "high"}


def limits(
    estimate: str,
    low: str,
    high: str,
    p: str = "",
    unit: str = "",
    part: str = "",
    **options: object,
) -> dict[str, object]:
    values = {"estimate": estimate, "low": low, "high": high}
    check: dict[str, object] = {**LIMITS, "estimate": "estimate", **options}
    if p:
        values["p"] = p
        check["p"] = "p"
    units = {**dict.fromkeys(values, unit), "p": ""}
    return line(values, units, part=part, **check)


@pytest.mark.parametrize(
    ("figures", "scale", "verdict"),
    [
        (("0.89", "0.40", "2.02"), "log", "consistent"),
        (("15.56", "2.94", "82.35"), "log", "consistent"),
        (("3.60", "1.02", "14.52"), "log", "inconsistent"),
        (("11.529", "2.377", "55.922"), "log", "consistent"),
        (("3.696", "1.528", "8.938"), "log", "consistent"),
        (("-6.3", "-18.0", "5.5"), "identity", "consistent"),
        (("0.25", "0.12", "0.40"), "arcsine", "consistent"),
        (("0.25", "0.12", "0.40"), "identity", "consistent"),
        (("0.25", "0.12", "0.40"), "logit", "inconsistent"),
        (("0.25", "0.12", "0.40"), "log", "inconsistent"),
        (("25.0", "12.0", "40.0"), "logit", "inconsistent"),
        (("25.0", "12.0", "40.0"), "arcsine", "rounding"),
        (("1.2", "1.5", "2.0"), "log", "inconsistent"),
        (("1.2", "2.0", "1.1"), "log", "inconsistent"),
        (("1.0", "1.0", "1.0"), "log", "consistent"),
        (("1.2", "-0.1", "2.0"), "log", "inconsistent"),
        (("50", "10", "120"), "logit", "inconsistent"),
        (("1.2", "< 0.1", "2.0"), "log", "cannot be checked"),
        (("", "0.5", "2.0"), "log", "cannot be checked"),
        (("1.2", "", "2.0"), "log", "cannot be checked"),
    ],
)
def test_symmetry_by_hand(figures: tuple[str, str, str], scale: str, verdict: str) -> None:
    share = scale in ("arcsine", "logit") and figures[0] in ("25.0", "50")
    row = limits(*figures, unit="%" if share else "", scale=scale)
    assert row["verdict"] == verdict


@pytest.mark.parametrize(
    ("figures", "scale", "told"),
    [
        (("1.2", "1.5", "2.0"), "log", "The estimate, 1.2, lies outside its limits."),
        (("2.1", "1.5", "2.0"), "log", "The estimate, 2.1, lies outside its limits."),
        (("1.2", "2.0", "1.1"), "log", "The lower limit, 2.0, is above the upper, 1.1."),
        (("1.2", "-0.1", "2.0"), "log", "On the log scale limits lie above 0; these do not."),
        (("50", "10", "120"), "logit", "limits lie between 0 and 100 per cent"),
    ],
)
def test_impossible_limits_are_told_as_such(
    figures: tuple[str, str, str], scale: str, told: str
) -> None:
    row = limits(*figures, unit="%" if scale == "logit" else "", scale=scale)
    assert row["verdict"] == "inconsistent"
    assert told in str(row["sentence"])


def test_the_middle_is_given_and_other_scales_are_named() -> None:
    row = limits("0.89", "0.40", "2.02")
    low, high = (float(word) for word in str(row["recomputed"]).split(" to "))
    assert low < math.sqrt(0.40 * 2.02) < high
    told = str(limits("0.25", "0.12", "0.40", scale="log")["sentence"])
    assert "even on the plain and the arcsine scale" in told
    assert "profile likelihood" in str(limits("3.60", "1.02", "14.52")["sentence"])
    assert "trailing zeros" in str(
        limits("25.0", "12.0", "40.0", unit="%", scale="arcsine")["sentence"]
    )
    row = line({"low": "0.5", "high": "2.0"}, {}, **LIMITS)
    assert (row["verdict"], row["recomputed"]) == ("cannot be checked", "0.94 to 1.06")


@pytest.mark.parametrize(
    ("figures", "p", "options", "verdict"),
    [
        (("11.529", "2.377", "55.922"), "0.002", {}, "consistent"),
        (("3.696", "1.528", "8.938"), "0.004", {}, "consistent"),
        (("15.56", "2.94", "82.35"), "0.002", {}, "inconsistent"),
        (("15.56", "2.94", "82.35"), "0.001", {}, "consistent"),
        (("0.89", "0.40", "2.02"), "n.s.", {}, "consistent"),
        (("0.89", "0.40", "2.02"), "0.75", {"df": 8}, "consistent"),
        (("0.89", "0.40", "2.02"), "0.75", {}, "inconsistent"),
        (("0.89", "0.40", "2.02"), "0.78", {}, "consistent"),
        (("2.00", "1.00", "4.00"), "0.05", {}, "consistent"),
        (("2.00", "1.00", "4.00"), "< 0.05", {}, "consistent"),
        (("2.00", "1.00", "4.00"), "< 0.04", {}, "inconsistent"),
        (("2.00", "1.00", "4.00"), "0.04", {}, "rounding"),
        (("3.60", "1.02", "14.52"), "0.043", {}, "cannot be checked"),
        (("3.60", "1.02", "14.52"), "0.43", {}, "inconsistent"),
        (("3.60", "0.52", "14.52"), "0.03", {}, "inconsistent"),
        (("0.25", "0.12", "0.40"), "0.03", {"scale": "arcsine"}, "cannot be checked"),
    ],
)
def test_p_against_limits_by_hand(
    figures: tuple[str, str, str], p: str, options: dict[str, object], verdict: str
) -> None:
    row = limits(*figures, p=p, part="P", **options)
    assert row["verdict"] == verdict, row["sentence"]


def test_p_from_the_limits_alone() -> None:
    values = {"low": "0.40", "high": "2.02", "p": "0.79"}
    row = line(values, {}, part="P", **LIMITS, p="p")
    assert row["verdict"] == "consistent"
    values = {"low": "0.40", "high": "2.02", "p": ""}
    assert line(values, {}, part="P", **LIMITS, p="p")["verdict"] == "cannot be checked"
    values = {"low": "0.00", "high": "2.0", "p": "0.1"}
    assert line(values, {}, part="P", **LIMITS, p="p")["verdict"] == "consistent"


@pytest.mark.parametrize(
    ("p", "shown"),
    [("P = 0.79", "P 0.79"), ("p<0.9", "P <0.9"), ("n.s.", "P n.s."), ("", "P ?")],
)
def test_p_is_shown_once(p: str, shown: str) -> None:
    row = line({"low": "0.40", "high": "2.02", "p": p}, {}, part="P", **LIMITS, p="p")
    assert row["printed"] == f"0.40 to 2.02, {shown}"


def test_degrees_of_freedom_may_be_a_figure() -> None:
    values = {"low": "0.40", "high": "2.02", "p": "0.77", "df": "8"}
    check = {**LIMITS, "p": "p", "df": "df"}
    row = line(values, {}, part="P", **check)
    assert "Student's t with 8 degrees of freedom" in row["sentence"]
    row = line({**values, "df": ""}, {}, part="P", **check)
    assert "degrees of freedom unknown" in row["sentence"]
    with pytest.raises(FactsError, match="are no degrees of freedom"):
        line({**values, "df": "0"}, {}, part="P", **check)
    with pytest.raises(FactsError, match="'5' is no P value"):
        line({**values, "p": "5"}, {}, part="P", **check)
    with pytest.raises(FactsError, match="different units"):
        line(
            {"low": "12", "high": "40", "estimate": "0.25"},
            {"low": "%", "high": "%"},
            **LIMITS,
            estimate="estimate",
            scale="logit",
        )


@given(
    coef=st.floats(-3, 3),
    error=st.floats(0.05, 1.5),
    places=st.integers(1, 3),
    df=st.sampled_from([None, 1, 4, 30]),
    scale=st.sampled_from(["log", "identity"]),
)
def test_wald_limits_as_printed_are_consistent(
    coef: float, error: float, places: int, df: int | None, scale: str
) -> None:
    law = stats.norm() if df is None else stats.t(df)
    reach = law.ppf(0.975) * error
    back = np.exp if scale == "log" else float
    shown = [f"{back(coef + step):.{places}f}" for step in (0.0, -reach, reach)]
    assume(len(shown[2]) < 28)
    p = f"{2 * law.sf(abs(coef) / error):.3f}"
    p = "< 0.001" if p == "0.000" else p
    check = {**LIMITS, "estimate": "estimate", "p": "p", "scale": scale}
    if df is not None:
        check["df"] = df
    values = dict(zip(("estimate", "low", "high", "p"), (*shown, p), strict=True))
    assert verdicts(values, {}, **check) == ["consistent", "consistent"]


@given(low=st.floats(0.01, 0.5), width=st.floats(0.05, 0.4), places=st.integers(0, 2))
def test_limits_of_shares_as_printed_are_consistent(low: float, width: float, places: int) -> None:
    high = low + width
    for scale, forward, back in (
        ("logit", lambda p: math.log(p / (1 - p)), lambda x: 1 / (1 + math.exp(-x))),
        ("arcsine", lambda p: math.asin(math.sqrt(p)), lambda x: math.sin(x) ** 2),
    ):
        middle = back((forward(low) + forward(high)) / 2)
        shown = [f"{100 * value:.{places}f}" for value in (middle, low, high)]
        assert limits(*shown, unit="%", scale=scale)["verdict"] == "consistent"


@pytest.mark.parametrize(
    ("estimate", "p", "recomputed"),
    [
        ("0.096", "0.002", "0.0217 to 0.424"),
        ("0.04", "0.001", "0.00588 to 0.272"),
        ("61.971", "< 0.001", "lower limit at least 5.31"),
        ("75.993", "< 0.001", "lower limit at least 5.76"),
        ("13.203", "0.001", "2.84 to 61.4"),
        ("0.5", "0.000", "upper limit at most 0.739"),
        ("0.5", "n.s.", "at least from 0.250 to 1.00"),
        ("1", "1", "–"),
        ("1.00", "0.001", "–"),
        ("0", "0.01", "–"),
        ("", "0.01", "–"),
    ],
)
def test_limits_that_estimate_and_p_imply(estimate: str, p: str, recomputed: str) -> None:
    row = line({"e": estimate, "p": p}, {}, kind="estimate_p", estimate="e", p="p")
    assert (row["verdict"], row["recomputed"]) == ("cannot be checked", recomputed)


def test_an_exact_null_has_no_small_p() -> None:
    row = line(
        {"e": "0", "p": "0.01"}, {}, kind="estimate_p", estimate="e", p="p", scale="identity"
    )
    assert row["verdict"] == "cannot be checked"  # 0 may be 0.4


TABLE = {"kind": "test", "events_1": "a", "n_1": "n", "events_2": "c", "n_2": "m"}


def compared(
    counts: tuple[int, int, int, int], part: str = "", **printed: str
) -> dict[str, object]:
    values = dict(zip("ancm", map(str, counts), strict=True)) | printed
    return line(values, {}, part=part, **TABLE, **{name: name for name in printed})


def test_p_values_of_a_table_by_hand() -> None:
    found = p_values(8, 181, 4, 346)
    table = np.array([[8, 173], [4, 342]])
    assert found["Fisher"] == pytest.approx(stats.fisher_exact(table)[1], rel=1e-8)
    for name, correction in (("Pearson", False), ("Yates", True)):
        expected = stats.chi2_contingency(table, correction=correction)[1]
        assert found[name] == pytest.approx(expected, rel=1e-8)
    p, q = 8 / 181, 4 / 346
    z = (p - q) / math.sqrt(p * (1 - p) / 181 + q * (1 - q) / 346)
    assert found["unpooled z"] == pytest.approx(2 * stats.norm.sf(z), rel=1e-8)
    tail = stats.hypergeom(527, 12, 181)
    greater = tail.sf(7)
    assert found["Fisher, one-sided"] == pytest.approx(greater, rel=1e-8)
    assert found["Fisher, twice the smaller tail"] == pytest.approx(2 * greater, rel=1e-8)
    assert found["mid-P"] == pytest.approx(2 * (greater - tail.pmf(8) / 2), rel=1e-8)
    assert found["normal, one-sided"] == pytest.approx(found["Pearson"] / 2)
    assert set(p_values(0, 44, 0, 98).index) == {
        "Fisher",
        "Fisher, twice the smaller tail",
        "mid-P",
        "Fisher, one-sided",
    }


@pytest.mark.parametrize(
    ("p", "verdict", "told"),
    [
        ("0.027", "consistent", "that of Fisher 0.0274; not of"),
        ("0.017", "consistent", "that of Pearson 0.0171"),
        ("0.038", "consistent", "that of Yates 0.0377"),
        ("0.0455", "consistent", "that of unpooled z 0.0455"),
        ("0.037", "rounding", "that of Yates 0.0377; not of"),
        ("< 0.05", "consistent", "agrees with Fisher 0.0274, Fisher, twice"),
        ("0.0085", "inconsistent", "it is one-sided (normal, one-sided 0.0085)"),
        ("0.5", "inconsistent", "No two-sided test of this table gives P = 0.5"),
        ("< 0.001", "inconsistent", "gives P < 0.001"),
        ("", "cannot be checked", "the table gives Fisher 0.0274"),
    ],
)
def test_which_test_is_behind_a_printed_p(p: str, verdict: str, told: str) -> None:
    row = compared((8, 181, 4, 346), p=p)
    assert row["verdict"] == verdict
    assert told in str(row["sentence"])


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [((8, 5, 2, 346), "inconsistent"), ((0, 0, 2, 346), "cannot be checked")],
)
def test_tables_that_cannot_be(counts: tuple[int, int, int, int], verdict: str) -> None:
    assert compared(counts, p="0.02")["verdict"] == verdict
    assert line({"a": "", "n": "5", "c": "1", "m": "5"}, {}, **TABLE)["verdict"] == (
        "cannot be checked"
    )


@pytest.mark.parametrize(
    ("ratio", "verdict", "told"),
    [
        ("3.95", "consistent", "sample odds ratio (Woolf)"),
        ("3.94", "consistent", "conditional (exact, central)"),
        ("3.729", "consistent", "0.5 added to each cell"),
        ("0.253", "consistent", "the other way round"),
        ("0.2536", "consistent", "conditional (exact, central), the groups the other way round"),
        ("2.0", "inconsistent", "an adjusted one need not"),
        ("", "cannot be checked", "Not known"),
    ],
)
def test_which_odds_ratio_is_printed(ratio: str, verdict: str, told: str) -> None:
    row = compared((8, 181, 4, 346), part="odds ratio", odds_ratio=ratio)
    assert row["verdict"] == verdict
    assert told in str(row["sentence"])


@pytest.mark.parametrize(
    ("low", "high", "verdict", "told"),
    [
        ("1.17", "13.31", "consistent", "Woolf"),
        ("1.17", "13.32", "inconsistent", "nearest: sample odds ratio (Woolf)"),
        ("1.106", "14.258", "consistent", "Blaker"),
        ("1.0", "30.0", "inconsistent", "those of an adjusted ratio need not"),
        ("", "", "cannot be checked", "Not known"),
    ],
)
def test_which_limits_are_printed(low: str, high: str, verdict: str, told: str) -> None:
    row = compared((8, 181, 4, 346), part="limits", low=low, high=high)
    assert row["verdict"] == verdict
    assert told in str(row["sentence"])


@pytest.mark.parametrize(
    ("ratio", "low", "high", "verdict", "told"),
    [
        # by hand, Woolf: log(0.2529) -+ 1.96 sqrt(1/8 + 1/173 + 1/4 + 1/342)
        ("0.253", "0.075", "0.852", "consistent", "(Woolf), the groups the other way round"),
        ("", "0.075", "0.852", "consistent", "(Woolf), the groups the other way round"),
        ("0.253", "0.070", "0.904", "consistent", "(Blaker), the groups the other way round"),
        # R: fisher.test(matrix(c(4, 8, 342, 173), 2))
        ("0.2536", "0.0551", "0.9625", "consistent", "central), the groups the other way round"),
        ("3.95", "0.075", "0.852", "inconsistent", "nearest: "),
        ("0.253", "1.17", "13.31", "inconsistent", "the groups the other way round"),
        ("0.8", "0.5", "1.3", "inconsistent", "nearest: "),
    ],
)
def test_limits_run_the_way_of_their_odds_ratio(
    ratio: str, low: str, high: str, verdict: str, told: str
) -> None:
    counts = (8, 181, 4, 346)
    row = compared(counts, part="limits", odds_ratio=ratio, low=low, high=high)
    assert row["verdict"] == verdict
    assert told in str(row["sentence"])
    if ratio in ("3.95", "0.8"):
        assert "other way round" not in str(row["sentence"])


def test_an_odds_ratio_of_an_empty_cell_may_stand_the_other_way_round() -> None:
    """0.5 added: (3.5 / 101.5) / (0.5 / 46.5) = 3.2069, its inverse 0.3118."""
    row = compared((0, 46, 3, 104), part="odds ratio", odds_ratio="3.2069")
    assert row["verdict"] == "consistent"
    assert "the other way round" in str(row["sentence"])


def test_a_double_zero_table_has_no_odds_ratio() -> None:
    row = compared((0, 44, 0, 98), part="odds ratio", odds_ratio="1.0")
    assert row["verdict"] == "inconsistent"
    assert "nan" not in str(row)
    assert compared((0, 44, 0, 98), part="P", odds_ratio="", p="1.0")["verdict"] == "consistent"


@pytest.mark.slow
@given(
    n=st.integers(1, 120),
    m=st.integers(1, 120),
    data=st.data(),
    places=st.integers(2, 4),
)
def test_whatever_is_printed_of_a_real_table_is_consistent(
    n: int, m: int, data: st.DataObject, places: int
) -> None:
    a, c = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = p_values(a, n, c, m)
    name = data.draw(st.sampled_from([k for k in found.index if "one-sided" not in k]))
    p = f"{found[name]:.{places}f}"
    p = f"< {10**-places:.{places}f}" if float(p) == 0 else p
    assert compared((a, n, c, m), p=p)["verdict"] == "consistent"
    if 0 < a < n and 0 < c < m:
        ratio = a * (m - c) / ((n - a) * c)
        error = math.sqrt(1 / a + 1 / (n - a) + 1 / c + 1 / (m - c))
        if data.draw(st.booleans()):  # printed for the groups the other way round
            ratio = 1.0 / ratio
        ends = [ratio * math.exp(sign * stats.norm.ppf(0.975) * error) for sign in (-1, 1)]
        shown = [f"{value:.{places}f}" for value in (ratio, *ends)]
        printed = dict(zip(("odds_ratio", "low", "high"), shown, strict=True))
        values = dict(zip("ancm", map(str, (a, n, c, m)), strict=True)) | printed
        check = {**TABLE, **{k: k for k in printed}}
        assert verdicts(values, {}, **check) == ["consistent", "consistent"]


@pytest.mark.parametrize(
    ("ratio", "low", "high", "verdicts_"),
    [
        ("Inf", "2.17", "Inf", ["consistent", "consistent"]),  # as R's fisher.test prints them
        ("\u221e", "1.11", "\u221e", ["consistent", "inconsistent"]),
        ("27.43", "2.17", "Inf", ["consistent", "consistent"]),
        ("Inf", "2.17", "507", ["consistent", "inconsistent"]),
    ],
)
def test_infinite_ratios_and_limits_are_held_against_the_table(
    ratio: str, low: str, high: str, verdicts_: list[str]
) -> None:
    values = {"a": "5", "n": "44", "c": "0", "m": "98", "or": ratio, "l": low, "h": high}
    found = verdicts(values, {}, **TABLE, odds_ratio="or", low="l", high="h")
    assert found == verdicts_


def test_an_interval_without_an_end_cannot_be_even() -> None:
    row = line(
        {"e": "3.1", "l": "1.2", "h": "\u221e"},
        {},
        kind="interval",
        estimate="e",
        low="l",
        high="h",
    )
    assert (row["verdict"], row["printed"]) == ("cannot be checked", "3.1 (1.2 to \u221e)")
