"""Table 1: what is shown, in which order, what is counted as missing, and what is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.errors import BudgetError, ColumnError, DataError, OptionError, RnetError
from rnetstats.tables.table_one import TableOneResult, table_one
from support import assert_close, case, read


def cohort() -> pd.DataFrame:
    """Twelve rows whose statistics are plain to see."""
    return pd.DataFrame(
        {
            "arm": ["b", "a"] * 6,
            "age": [40.0, 50, 60, 70, 80, 90, 45, 55, 65, 75, 85, np.nan],
            "male": [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1],
            "grade": pd.Categorical(
                ["G2", "G1"] * 5 + ["G1", "G1"], categories=["G3", "G2", "G1"], ordered=True
            ),
        }
    )


def numbers(result: TableOneResult, variable: str, group: str, level: str = "") -> pd.Series:
    rows = result.to_frame().query("variable == @variable and group == @group and level == @level")
    return rows.set_index("statistic")["value"]


def test_statistics_by_hand() -> None:
    data = cohort()
    result = table_one(data, by="arm")
    a = data.loc[data["arm"] == "a", "age"].dropna()
    found = numbers(result, "age", "a")
    assert (found["n"], found["n_missing"]) == (5, 1)
    assert_close(found[["mean", "sd", "median"]], [a.mean(), a.std(), 70.0])
    assert_close(found[["q1", "q3", "min", "max"]], [55.0, 75.0, 50.0, 90.0])
    assert numbers(result, "male", "b", "1").to_dict() == {"count": 5.0, "share": 5 / 6}
    assert numbers(result, "grade", "Overall", "G1")["count"] == 7


def test_display_as_printed() -> None:
    shown = table_one(cohort(), by="arm", summaries={"age": "mean"}).display()
    assert shown.columns.tolist() == [
        "Characteristic",
        "Overall (n = 12)",
        "arm: a (n = 6)",
        "arm: b (n = 6)",
        "Missing",
        "SMD",
    ]
    assert shown["Characteristic"].tolist() == [
        "age, mean (SD)",
        "male, n (%)",
        "grade, n (%)",
        "\u2003G3",
        "\u2003G2",
        "\u2003G1",
    ]
    assert shown["arm: b (n = 6)"].tolist() == [
        "62.5 (18.1)",
        "5 (83.3 %)",
        "",
        "0 (0.0 %)",
        "5 (83.3 %)",
        "1 (16.7 %)",
    ]
    assert shown["Missing"].tolist() == ["1", "0", "0", "", "", ""]


def test_no_p_values_unless_asked_for() -> None:
    plain = table_one(cohort(), by="arm")
    assert "P" not in plain.display().columns
    assert plain.comparisons["p_value"].isna().all()
    assert plain.glance()["n_tests"].item() == 0
    tested = table_one(cohort(), by="arm", tests="auto")
    assert {"P", "Test"} <= set(tested.display().columns)
    assert tested.comparisons["p_value"].notna().all()
    assert any("not adjusted" in note for note in tested.notes)


def test_tests_and_their_corrections_are_named() -> None:
    data = read("birthwt.csv")
    options: dict[str, Any] = {"by": "low", "columns": ["lwt", "smoke", "race", "ht"]}
    plain = table_one(data, tests="auto", **options).comparisons["test"].tolist()
    assert plain == ["Welch t test", *["chi-square, no correction"] * 2, "Fisher exact"]
    yates = table_one(data, tests="auto", continuity=True, **options).comparisons["test"].tolist()
    # A correction exists for 2x2 tables only, and the race table is larger.
    assert yates[1:3] == ["chi-square, Yates' correction", "chi-square, no correction"]
    by_name = table_one(
        data, tests={"continuous": "wilcoxon-uncorrected", "ht": "chi-square"}, **options
    ).comparisons
    assert by_name["test"].tolist() == [
        "Wilcoxon rank-sum, no continuity correction",
        "",
        "",
        "chi-square, no correction",
    ]
    ranked = table_one(data, tests="auto", summaries="median", **options).comparisons
    assert ranked["test"][0] == "Wilcoxon rank-sum, continuity correction"


def test_results_are_those_of_the_reference() -> None:
    values = case("tests_table1", "birthwt_lwt_low")["values"]
    data = read("birthwt.csv")
    row = table_one(data, by="low", columns=["lwt"], tests="auto").comparisons.iloc[0]
    assert_close(row[["statistic", "df_1", "p_value"]], list(values["t_welch"].values())[:3])
    assert_close(row["smd"], values["smd_group1_minus_group2"])
    for test, key in {
        "t": "t_equal_variance",
        "wilcoxon": "wilcoxon_p_normal_corrected",
        "wilcoxon-exact": "wilcoxon_p_exact_conditional_on_ties",
    }.items():
        found = table_one(data, by="low", columns=["lwt"], tests={"lwt": test}).comparisons
        expected = values[key]["p"] if isinstance(values[key], dict) else values[key]
        assert_close(found["p_value"], [expected])
    race = case("tests_table1", "birthwt_race_low")["values"]
    row = table_one(data, by="low", columns=["race"], tests="auto").comparisons.iloc[0]
    assert_close([row["p_value"], row["smd"]], [race["p_uncorrected"], race["smd"]])


def test_three_groups_give_every_pair_and_their_mean() -> None:
    values = case("tests_table1", "birthwt_bwt_race")["values"]
    data = read("birthwt.csv").assign(race=lambda d: d["race"].astype(str))
    tests = {"welch-anova": "welch_p", "anova": "anova_p", "kruskal": "kruskal_p"}
    for test, key in tests.items():
        result = table_one(data, by="race", columns=["bwt"], tests={"bwt": test})
        assert_close(result.comparisons["p_value"], [values[key]])
    assert_close(result.pairwise["smd"], values["pairwise_smd"]["smd"])
    assert result.pairwise["group_1"].tolist() == values["pairwise_smd"]["group_1"]
    mean = np.abs(values["pairwise_smd"]["smd"]).mean()
    assert_close(result.comparisons["smd"], [mean])
    refused = table_one(data, by="race", columns=["bwt"], tests={"bwt": "welch"})
    assert refused.comparisons["p_value"].isna().all()
    assert any("compares two groups, not 3" in note for note in refused.notes)


def test_columns_give_the_order() -> None:
    for order in (["grade", "age", "male"], ["male", "grade"]):
        result = table_one(cohort(), by="arm", columns=order)
        assert result.comparisons["variable"].tolist() == order
        assert result.to_frame()["variable"].unique().tolist() == order


def test_without_groups_there_is_one_column() -> None:
    result = table_one(cohort())
    assert list(result.group_sizes) == ["Overall"]
    assert result.display().columns.tolist() == ["Characteristic", "Overall (n = 12)", "Missing"]
    assert result.comparisons["variable"].tolist() == ["arm", "age", "male", "grade"]
    assert math.isnan(result.glance()["max_smd"].item())
    with pytest.raises(OptionError, match="no differences to draw"):
        result.plot()


def test_rows_without_a_group_are_counted() -> None:
    data = cohort()
    data.loc[[0, 5], "arm"] = None
    result = table_one(data, by="arm")
    assert result.group_sizes == {"Overall": 10, "a": 5, "b": 5}
    assert result.glance()[["n", "n_missing_group"]].to_numpy().tolist() == [[10, 2]]
    assert "2 rows without 'arm' are in no group and left out." in result.notes
    clash = table_one(data.replace({"arm": {"a": "Overall"}}), by="arm")
    assert list(clash.group_sizes) == ["Overall (all groups)", "Overall", "b"]


def test_unused_levels_stay_in_the_variable_and_leave_the_groups() -> None:
    data = cohort()
    assert table_one(data, columns=["grade"]).to_frame()["level"].unique().tolist() == [
        "",
        "G3",
        "G2",
        "G1",
    ]
    assert list(table_one(data, by="grade").group_sizes) == ["Overall", "G2", "G1"]


def test_text_levels_are_sorted_and_that_is_said() -> None:
    result = table_one({"x": ["b", "a", "b"], "y": [1.5, 2.5, 3.5]})
    assert result.to_frame().query("variable == 'x'")["level"].unique().tolist() == ["", "a", "b"]
    assert any("order of their text" in note and "'x'" in note for note in result.notes)


def coded() -> pd.DataFrame:
    data = pd.DataFrame({"kind": [0, 1, 2] * 10, "visits": range(30), "arm": [0, 1] * 15})
    data.attrs["rnetstats"] = {
        "codes": {"kind": {"0": "censored", "1": "recurrence", "2": "death"}},
        "labels": {"kind": "First event", "visits": "Visits"},
        "units": {"visits": "a year"},
    }
    return data


def test_codes_are_categories_with_the_names_that_the_codebook_gives() -> None:
    result = table_one(coded(), by="arm", columns=["kind", "visits"], summaries="mean")
    assert result.comparisons["kind"].tolist() == ["categorical", "continuous"]
    assert result.display()["Characteristic"].tolist() == [
        "First event, n (%)",
        "\u2003censored",
        "\u2003recurrence",
        "\u2003death",
        "Visits (a year), mean (SD)",
    ]
    assert result.notes == ()


def test_losing_the_codebook_changes_labels_and_no_number() -> None:
    data = coded()
    bare = data.copy()
    bare.attrs = {}
    with_codes, without = (table_one(frame, by="arm") for frame in (data, bare))
    np.testing.assert_array_equal(with_codes.to_frame()["value"], without.to_frame()["value"])
    np.testing.assert_array_equal(with_codes.comparisons["smd"], without.comparisons["smd"])
    assert any("taken for codes of levels: 'kind'" in note for note in without.notes)
    measured = table_one(bare, by="arm", summaries={"kind": "mean"})
    assert measured.comparisons["kind"].tolist() == ["continuous", "continuous"]
    few_rows = table_one(bare.head(9), by="arm")
    assert few_rows.comparisons["kind"].tolist() == ["continuous", "continuous"]
    named = table_one(bare.head(9), by="arm", categorical=["kind"])
    assert named.comparisons["kind"].tolist() == ["categorical", "continuous"]


def applicable() -> pd.DataFrame:
    """Days to a treatment that only the first six rows had; one of them is truly missing."""
    data = cohort().assign(days=[1.0, 2, 3, 4, 5, np.nan] + [np.nan] * 6)
    data.attrs["rnetstats"] = {"structural": {"days": 6}, "missing": {"days": 1}}
    return data


def test_what_cannot_exist_is_not_called_missing() -> None:
    result = table_one(applicable(), columns=["days", "age"])
    assert result.display()["Missing"].tolist() == ["1 (6 not applicable)", "", "1", ""]
    assert result.comparisons["n_missing"].tolist() == [7, 1]
    assert result.comparisons["n_not_applicable"].tolist() == [6, 0]
    assert any("Not applicable, and so not missing" in note for note in result.notes)
    # After rows were dropped the two kinds cannot be told apart any more.
    part = table_one(applicable().iloc[:8], columns=["days"])
    assert part.display()["Missing"].tolist()[0] == "3"
    only = applicable()
    only.attrs["rnetstats"]["missing"] = {}
    assert (
        table_one(only.iloc[6:8].assign(days=[np.nan, 1.0]), columns=["days"])
        .display()["Missing"]
        .tolist()[0]
        == "0 (1 not applicable)"
    )


def test_differences_that_are_infinite_or_undefined_are_explained() -> None:
    data = {"g": [0, 0, 0, 1, 1, 1], "x": list("aabccd"), "y": [1.5, 2.5, 3.5] + [np.nan] * 3}
    result = table_one(data, by="g")
    smd = result.comparisons.set_index("variable")["smd"]
    assert smd["x"] == math.inf
    assert math.isnan(smd["y"])
    assert any("do not overlap at all" in note and note.endswith("x.") for note in result.notes)
    assert any("too few values" in note and note.endswith("y.") for note in result.notes)
    shared = table_one({"g": [0, 0, 1, 1], "x": list("abbc")}, by="g")
    assert np.isfinite(shared.comparisons["smd"]).all()
    assert not any("SMD" in note for note in shared.notes)


def test_groups_of_one_value_differ_by_nothing_or_by_infinitely_many_standard_deviations() -> None:
    # 0.1 summed three and seven times rounds to two different means.
    data = {"g": ["a"] * 3 + ["b"] * 7 + ["c"] * 6, "dose": [0.1] * 10 + [0.3] * 6}
    found = table_one(data, by="g", summaries={"dose": "mean"}).pairwise["smd"]
    assert found.tolist() == [0.0, -math.inf, -math.inf]


def test_columns_that_cannot_be_described_are_named_in_plain_words() -> None:
    data = cohort().assign(
        when=pd.Timestamp("2020-01-01"), code=[f"P{i}" for i in range(12)], empty=np.nan
    )
    wide = pd.concat([data] * 3, ignore_index=True).assign(code=[f"P{i}" for i in range(36)])
    result = table_one(wide, by="arm")
    assert result.comparisons["variable"].tolist() == ["age", "male", "grade"]
    notes = " ".join(result.notes)
    assert "Not in the table: Column 'when' holds dates" in notes
    assert "Column 'code' has 36 different values, more than the 20" in notes
    assert "Column 'empty'" in notes
    assert "formula" not in notes
    for name, message in {"when": "holds dates", "code": "36 different", "empty": "empty"}.items():
        with pytest.raises(ColumnError, match=message):
            table_one(wide, columns=[name])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"by": "none"}, ColumnError, "no column 'none'"),
        ({"columns": ["agee"]}, ColumnError, "age"),
        ({"by": "one"}, ColumnError, "one level only"),
        ({"by": "age"}, ColumnError, "make no groups"),
        ({"columns": "age"}, OptionError, "list of names"),
        ({"columns": ["age", "age"]}, OptionError, "twice"),
        ({"by": "arm", "columns": ["arm"]}, OptionError, "twice"),
        ({"columns": []}, ColumnError, "no column to describe"),
        ({"tests": "auto"}, OptionError, "give by="),
        ({"by": "arm", "tests": "all"}, OptionError, "tests"),
        ({"by": "arm", "tests": {"age": "fisher"}}, OptionError, "age"),
        ({"by": "arm", "tests": {"weight": "t"}}, OptionError, "weight"),
        ({"summaries": "mode"}, OptionError, "summaries"),
        ({"summaries": {"grade": "mean"}}, OptionError, "summaries"),
        ({"categorical": ["weight"]}, ColumnError, "weight"),
        ({"digits": -1}, OptionError, "digits"),
    ],
)
def test_bad_input_is_named(options: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        table_one(cohort().assign(one="x"), **options)


def test_names_that_are_numbers_are_refused() -> None:
    data = pd.DataFrame([[1.5, 0], [2.5, 1], [3.5, 0]])
    for options in ({}, {"by": 1}, {"columns": [0]}):
        with pytest.raises(ColumnError, match=r"name [01] is no text; rename"):
            table_one(data, **options)


def test_infinite_values_and_empty_data_are_refused() -> None:
    with pytest.raises(DataError, match="age"):
        table_one({"age": [1.0, math.inf, 3.0]})
    with pytest.raises(RnetError, match="no rows"):
        table_one(cohort().head(0))


def test_data_are_not_changed() -> None:
    data = applicable()
    before, attrs = data.copy(deep=True), json.dumps(data.attrs)
    table_one(data, by="arm", tests="auto").display()
    pd.testing.assert_frame_equal(data, before)
    assert json.dumps(data.attrs) == attrs


NAMES = ["a b", "x<y", "$cost$", "c++", "Größe", "`tick`", "n"]


def test_strange_names_and_text_are_shown_as_they_are() -> None:
    rng = np.random.default_rng(1)
    data: dict[str, Any] = {name: rng.normal(size=20) for name in NAMES}
    data |= {"statistic": ["<b>bold</b>", "&amp;"] * 10, "group": ["<script>", "$x$"] * 10}
    result = table_one(data, by="group", tests="auto")
    assert result.comparisons["variable"].tolist() == [*NAMES, "statistic"]
    html = result._repr_html_()
    assert "<script>" not in html
    assert "<b>bold" not in html
    assert "&lt;b&gt;bold" in html
    assert "&amp;amp;" in html
    ax = result.plot()
    ax.figure.canvas.draw()
    assert "\\$cost\\$" in [label.get_text() for label in ax.get_yticklabels()]


def test_results_survive_json() -> None:
    data = {"g": [0, 0, 0, 1, 1, 1], "x": list("aabccd"), "y": [1.5, 2.5, 3.5] + [np.nan] * 3}
    for result in (
        table_one(cohort(), by="arm", tests="auto"),
        table_one(cohort()),
        table_one(data, by="g", tests={"x": "fisher-monte-carlo"}, seed=5),
    ):
        stored = json.loads(json.dumps(result.to_dict(), allow_nan=False))
        again = TableOneResult.from_dict(stored)
        pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())
        pd.testing.assert_frame_equal(again.display(), result.display())
        pd.testing.assert_frame_equal(again.glance(), result.glance())
        assert again.notes == result.notes


def test_the_plot_ranks_the_differences_and_marks_synthetic_data() -> None:
    data = cohort()
    result = table_one(data, by="arm")
    ax = result.plot()
    ranked = result.comparisons.assign(size=result.comparisons["smd"].abs()).sort_values("size")
    assert [label.get_text() for label in ax.get_yticklabels()] == ranked["label"].tolist()
    assert not [text for text in ax.texts if text.get_gid() == "synthetic-mark"]
    data.attrs["rnetstats"] = {"synthetic": True}
    marked = table_one(data, by="arm").plot(threshold=None)
    assert [text.get_text() for text in marked.texts if text.get_gid() == "synthetic-mark"]


@given(st.permutations(range(12)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    data = cohort()
    there = table_one(data, by="arm", tests="auto")
    back = table_one(data.iloc[order], by="arm", tests="auto")
    np.testing.assert_allclose(there.to_frame()["value"], back.to_frame()["value"], rtol=1e-12)
    np.testing.assert_allclose(there.comparisons["p_value"], back.comparisons["p_value"], rtol=1e-9)


def test_exchanging_the_groups_turns_signed_differences_only() -> None:
    data = cohort()
    there = table_one(data, by="arm").pairwise["smd"].to_numpy()
    swapped = data.assign(arm=data["arm"].map({"a": "b", "b": "a"}))
    back = table_one(swapped, by="arm").pairwise["smd"].to_numpy()
    np.testing.assert_allclose(back, [-there[0], there[1], there[2]], rtol=1e-12)


def test_a_test_that_some_group_is_too_small_for_names_the_group() -> None:
    data = {"x": [1.0, 2.0, 3.0, 4.0, np.nan], "g": ["a", "a", "b", "b", "last"]}
    for test, least in (("kruskal", "a value"), ("anova", "2 values")):
        table = table_one(data, by="g", tests={"x": test})
        assert f"x: no test. Each group needs {least} at least: 'last' has 0." in table.notes


def test_an_exact_test_that_takes_too_long_says_what_to_write() -> None:
    rng = np.random.default_rng(1)
    data = {"x": rng.permutation(np.arange(800.0)), "g": np.repeat(["a", "b"], 400)}
    with pytest.raises(BudgetError, match=r"x: the test 'wilcoxon-exact' of 800 rows .*'wilcoxon'"):
        table_one(data, by="g", tests={"x": "wilcoxon-exact"})


def test_means_have_the_decimals_asked_for() -> None:
    data = {
        "platelets": [243_517.0, 187_204.0, 301_999.0],
        "change": [-0.02, 0.7, -0.68],
        "grams": [0.0021, 0.0023, 0.0025],
    }
    cells = table_one(data, columns=list(data), summaries="mean").display().iloc[:, 1].tolist()
    assert cells == ["244,240 (57,401)", "0.0 (0.7)", "0.0023 (0.0002)"]
