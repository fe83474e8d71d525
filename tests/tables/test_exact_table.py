"""The verb for tables of counts: shapes, names, symmetry, empty cells, the risk measures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.special import xlog1py, xlogy
from scipy.stats import norm

from rnetstats.errors import ColumnError, DataError, FormulaError, OptionError
from rnetstats.tables.exact_table import ExactContingencyResult, ExactTableResult, exact_table
from rnetstats.tables.proportion_limits import wilson_limits
from rnetstats.tables.two_proportions import (
    agresti_caffo_limits,
    katz_limits,
    miettinen_nurminen_limits,
    newcombe_limits,
    score_z,
)
from support import read

tables = st.tuples(*[st.integers(0, 30)] * 4).filter(lambda t: t[0] + t[1] > 0 and t[2] + t[3] > 0)


def numbers(result: Any, measure: str) -> pd.DataFrame:
    frame = result.to_frame()
    return frame[frame["measure"] == measure].set_index("method")


@pytest.mark.slow
@settings(max_examples=15)
@given(tables)
def test_relabelling_turns_the_measures_around(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    one = exact_table([[a, b], [c, d]])
    swapped = exact_table([[c, d], [a, b]])
    two_sided = ["central", "mid-p", "minlike", "blaker", "haldane-anscombe"]
    x, y = numbers(one, "odds ratio"), numbers(swapped, "odds ratio")
    with np.errstate(divide="ignore"):
        for here, there in (("conf_low", "conf_high"), ("estimate", "estimate")):
            np.testing.assert_allclose(
                x.loc[two_sided, here], 1.0 / y.loc[two_sided, there], rtol=1e-9
            )
    np.testing.assert_allclose(x.loc[two_sided, "p_value"], y.loc[two_sided, "p_value"], rtol=1e-8)
    x, y = numbers(one, "risk difference"), numbers(swapped, "risk difference")
    np.testing.assert_allclose(x["conf_low"], -y["conf_high"], atol=1e-10)
    frame = one.to_frame()
    p = frame["p_value"].dropna()
    assert ((p >= 0) & (p <= 1)).all()
    inside = frame[~frame["method"].str.contains("one-sided|agresti|mid-p")].dropna(
        subset=["estimate"]
    )
    assert (inside["conf_low"] <= inside["estimate"] + 1e-12).all()
    assert (inside["conf_high"] >= inside["estimate"] - 1e-12).all()


@pytest.mark.slow
@settings(max_examples=15)
@given(tables.filter(lambda t: t[0] + t[2] > 0 and t[1] + t[3] > 0))
def test_transposing_keeps_the_odds_ratio(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    x = numbers(exact_table([[a, b], [c, d]]), "odds ratio")
    y = numbers(exact_table([[a, c], [b, d]]), "odds ratio")
    pd.testing.assert_frame_equal(x, y, rtol=1e-9)


def test_newcombe_and_score_limits_of_the_published_table() -> None:
    """Newcombe (1998), Table II: methods 5 (Miettinen-Nurminen) and 10 of contrasts a, b, d, e."""
    published = {
        (56, 70, 48, 80): ((0.0528, 0.3382), (0.0524, 0.3339)),
        (9, 10, 3, 10): ((0.1700, 0.8406), (0.1705, 0.8090)),
        (5, 56, 0, 29): ((-0.0326, 0.1933), (-0.0381, 0.1926)),
        (0, 10, 0, 10): ((-0.2879, 0.2879), (-0.2775, 0.2775)),
        (10, 10, 0, 10): ((0.6636, 1.0000), (0.6075, 1.0000)),
    }
    for counts, (score, square_and_add) in published.items():
        assert np.round(miettinen_nurminen_limits(*counts), 4) == pytest.approx(score, abs=1e-9)
        assert np.round(newcombe_limits(*counts), 4) == pytest.approx(square_and_add, abs=1e-9)


@pytest.mark.parametrize("counts", [(9, 181, 3, 346), (0, 57, 15, 249), (7, 15, 2, 18)])
@pytest.mark.parametrize("measure", ["difference", "ratio"])
def test_score_statistic_uses_the_restricted_maximum(
    counts: tuple[int, int, int, int], measure: str
) -> None:
    """The closed-form restricted risks maximise the likelihood, found here by search."""
    a, m, c, n = counts
    for value in (0.05, 0.2) if measure == "difference" else (0.5, 3.0):

        def first(p2: float, value: float = value) -> float:
            return p2 + value if measure == "difference" else p2 * value

        def loss(p2: float) -> float:
            p1 = first(p2)
            return -(
                a * math.log(p1)
                + (m - a) * math.log(1 - p1)
                + c * math.log(p2)
                + (n - c) * math.log(1 - p2)
            )

        top = 1 - value if measure == "difference" else min(1.0, 1 / value)
        p2 = minimize_scalar(loss, bounds=(1e-12, top - 1e-12), options={"xatol": 1e-13}).x
        p1 = first(p2)
        weight = 1.0 if measure == "difference" else value
        variance = (p1 * (1 - p1) / m + weight**2 * p2 * (1 - p2) / n) * (m + n) / (m + n - 1)
        distance = a / m - c / n - value if measure == "difference" else a / m - value * c / n
        z = distance / math.sqrt(variance)
        assert float(score_z(*counts, value, measure=measure)) == pytest.approx(z, rel=1e-5)


@pytest.mark.parametrize(
    "counts", [(9, 181, 3, 346), (8, 18, 2, 22), (5, 56, 0, 29), (0, 10, 4, 12)]
)
def test_score_limits_of_a_ratio_are_roots_found_by_search(
    counts: tuple[int, int, int, int],
) -> None:
    """Where the score statistic, at risks found by search, is the normal quantile."""
    a, m, c, n = counts

    def z(ratio: float) -> float:
        def loss(p2: float) -> float:
            p1 = p2 * ratio
            return -float(xlogy(a, p1) + xlog1py(m - a, -p1) + xlogy(c, p2) + xlog1py(n - c, -p2))

        top = min(1.0, 1 / ratio)
        p2 = minimize_scalar(loss, bounds=(0.0, top), method="bounded", options={"xatol": 1e-12}).x
        p1 = p2 * ratio
        variance = (p1 * (1 - p1) / m + ratio**2 * p2 * (1 - p2) / n) * (m + n) / (m + n - 1)
        return (a / m - ratio * c / n) / math.sqrt(variance)

    low, high = (float(end) for end in miettinen_nurminen_limits(*counts, measure="ratio"))
    quantile, guess = norm.ppf(0.975), (a + 0.5) / m / ((c + 0.5) / n)
    if a:
        assert low == pytest.approx(brentq(lambda r: z(r) - quantile, 1e-4, guess), rel=1e-5)
    else:
        assert low == 0.0
    if c:
        assert high == pytest.approx(brentq(lambda r: z(r) + quantile, guess, 1e4), rel=1e-5)
    else:
        assert high == math.inf


@pytest.mark.slow
@given(tables, st.sampled_from(["difference", "ratio"]))
def test_score_limits_solve_their_equation(table: tuple[int, int, int, int], measure: str) -> None:
    a, b, c, d = table
    counts = (a, a + b, c, c + d)
    ends = (-1.0, 1.0) if measure == "difference" else (0.0, math.inf)
    for limit, sign in zip(
        miettinen_nurminen_limits(*counts, measure=measure), (1, -1), strict=True
    ):
        value = float(limit)
        if ends[0] < value < ends[1] and abs(abs(value) - 1.0) > 1e-9:
            z = float(score_z(*counts, value, measure=measure))
            assert z == pytest.approx(sign * norm.ppf(0.975), abs=1e-6)


def test_katz_by_hand() -> None:
    low, high = katz_limits(9, 181, 3, 346)
    half = norm.ppf(0.975) * math.sqrt(1 / 9 - 1 / 181 + 1 / 3 - 1 / 346)
    ratio = (9 / 181) / (3 / 346)
    assert (float(low), float(high)) == pytest.approx(
        (ratio * math.exp(-half), ratio * math.exp(half)), rel=1e-12
    )


def test_wilson_by_hand() -> None:
    """Both limits solve |p - 3/10| = z sqrt(p (1 - p) / 10)."""
    for limit in map(float, wilson_limits(3, 10)):
        assert abs(limit - 0.3) == pytest.approx(
            norm.ppf(0.975) * math.sqrt(limit * (1 - limit) / 10), rel=1e-12
        )


def test_rows_of_a_cohort_are_counted_as_a_model_compares_them() -> None:
    cohort = read("rnet_like_a.csv")
    before = cohort.copy(deep=True)
    by_formula = exact_table(cohort, "recurrence ~ margin_positive")
    by_table = exact_table([[9, 172], [3, 343]])
    pd.testing.assert_frame_equal(by_formula.to_frame(), by_table.to_frame())
    pd.testing.assert_frame_equal(cohort, before)
    assert by_formula.notes == (
        "margin_positive '1' is compared with margin_positive '0'; the event is 'recurrence'.",
    )
    assert isinstance(by_formula, ExactTableResult)
    assert by_formula.table["group"].tolist() == ["1", "0"]
    levels = exact_table(cohort, "grade ~ margin_positive")
    condition = exact_table(cohort, "grade == 'G2' ~ margin_positive")
    pd.testing.assert_frame_equal(levels.to_frame(), condition.to_frame())


def test_levels_of_outcome_and_group_make_a_larger_table() -> None:
    cohort = read("rnet_like_a.csv").head(120)
    result = exact_table(cohort, "location ~ method")
    assert isinstance(result, ExactContingencyResult)
    counts = pd.crosstab(cohort["method"], cohort["location"])
    np.testing.assert_array_equal(result.table.iloc[:, 1:], counts)
    assert result.table["group"].tolist() == counts.index.tolist()
    assert result.p_value == pytest.approx(exact_table(counts).p_value)  # type: ignore[union-attr]


def test_incomplete_rows_are_counted_or_refused() -> None:
    cohort = read("rnet_like_a.csv").assign(recurrence=lambda d: d["recurrence"].astype(float))
    cohort.loc[[3, 10], "recurrence"] = np.nan
    result = exact_table(cohort, "recurrence ~ margin_positive")
    assert int(result.table.iloc[:, 1:].to_numpy().sum()) == 525
    assert any("2 of 527 rows" in note for note in result.notes)
    with pytest.raises(DataError, match="rows 4, 11"):
        exact_table(cohort, "recurrence ~ margin_positive", missing="raise")


def test_empty_cells_give_honest_ends_and_no_wald_limits() -> None:
    result = exact_table([[0, 57], [15, 234]])
    row = result.method("central")  # type: ignore[union-attr]
    assert (row["estimate"], row["conf_low"]) == (0.0, 0.0)
    assert row["conf_high"] == pytest.approx(1.18832724980989)
    assert {"wald", "woolf", "katz"}.isdisjoint(result.to_frame()["method"])
    assert any("A cell is empty" in note for note in result.notes)
    full = exact_table([[5, 0], [0, 6]])
    assert full.method("central")["estimate"] == math.inf  # type: ignore[union-attr]
    assert full.method("central")["conf_high"] == math.inf  # type: ignore[union-attr]
    assert "∞" in full.display().to_string()


def test_a_level_that_nobody_has_leaves_the_larger_tests() -> None:
    with_empty = exact_table([[3, 0, 5], [4, 0, 2], [1, 0, 6]])
    without = exact_table([[3, 5], [4, 2], [1, 6]])
    assert with_empty.p_value == pytest.approx(without.p_value)  # type: ignore[union-attr]
    assert any("nobody has" in note for note in with_empty.notes)
    same = exact_table([[3, 0, 0], [4, 0, 0], [1, 0, 0]])
    assert same.p_value == 1.0  # type: ignore[union-attr]
    assert any("by definition" in note for note in same.notes)


def test_another_null_and_level() -> None:
    result = exact_table([[9, 172], [3, 343]], null=1.46352929374992, conf_level=0.9)
    assert result.method("central")["p_value"] == pytest.approx(0.05, rel=1e-8)  # type: ignore[union-attr]
    wide = exact_table([[9, 172], [3, 343]]).method("one-sided lower")  # type: ignore[union-attr]
    assert result.method("central")["conf_low"] == pytest.approx(wide["conf_low"], rel=1e-10)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1, 2]],), DataError, "at least two groups"),
        (([1, 2, 3],), DataError, "rows and columns"),
        (([[1, -2], [3, 4]],), DataError, "row 1, column 2 holds -2"),
        (([[1, 2.5], [3, 4]],), DataError, "holds 2.5"),
        (([[1, np.nan], [3, 4]],), DataError, "holds nan"),
        (([[0, 0], [3, 4]],), DataError, "Nobody is in 'group 1'"),
        ((pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}),), DataError, "counts only"),
        (({"y": [0, 1, 1], "x": [1, 2, 3]}, "y ~ x"), ColumnError, "different numbers"),
        (({"y": [0, 1, 1], "x": [0, 0, 1]}, "y ~ 1"), FormulaError, "one group"),
        (({"y": [0, 1, 1], "x": [0, 0, 1]}, "z ~ x"), ColumnError, "no column 'z'"),
        (({"y": [0, 1, 1], "x": [0, 0, 1]}, "y ~ x + strata(x)"), FormulaError, "strata"),
        (({"y": range(30), "x": [0, 1] * 15}, "y ~ x"), ColumnError, "make a condition"),
        (({"y": ["a"] * 4, "x": [0, 1] * 2}, "y ~ x"), ColumnError, "one level only"),
    ],
)
def test_bad_input_is_named(arguments: tuple[Any, ...], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        exact_table(*arguments)


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match="always exact"):
        exact_table([[1, 2], [3, 4]], method="monte-carlo")
    with pytest.raises(OptionError, match="method="):
        exact_table([[1, 2], [3, 4]], method="network")
    with pytest.raises(OptionError, match="choose one of"):
        exact_table([[1, 2], [3, 4]]).method("centrl")  # type: ignore[union-attr]


@pytest.mark.parametrize("table", [[[9, 172], [3, 343]], [[0, 5], [4, 6]], [[0, 3], [0, 4]]])
def test_results_print_draw_and_survive_json(table: list[list[int]]) -> None:
    for result in (exact_table(table), exact_table([*table, [3, 3]])):
        again = type(result).from_dict(result.to_dict())
        pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())
        pd.testing.assert_frame_equal(again.display(), result.display())
        assert len(result.glance()) == 1
        assert result.plot().has_data()
    assert result.glance()["n"].item() == np.sum(table) + 6


def test_normal_limits_of_a_difference_end_at_one() -> None:
    # 6/7 - 1/7 with one event and one other more in each group: beyond 1 on paper
    z = norm.ppf(0.975)
    assert 5 / 7 + z * math.sqrt(2 * 6 / 7**3) > 1.0
    low, high = agresti_caffo_limits(5, 5, 0, 5)
    np.testing.assert_allclose([low, high], [5 / 7 - z * math.sqrt(2 * 6 / 7**3), 1.0])
    low, high = agresti_caffo_limits(0, 5, 5, 5)
    np.testing.assert_allclose([low, high], [-1.0, -5 / 7 + z * math.sqrt(2 * 6 / 7**3)])


def test_each_measure_can_be_drawn() -> None:
    result = exact_table([[0, 57], [15, 234]])
    assert isinstance(result, ExactTableResult)
    for measure in ("odds ratio", "risk difference", "risk ratio"):
        ax = result.plot(measure=measure)
        assert ax.get_xlabel() == f"{measure.capitalize()}, 95 % limits"
        assert ax.get_xscale() == ("linear" if measure == "risk difference" else "log")
    with pytest.raises(OptionError, match="measure="):
        result.plot(measure="hazard ratio")
