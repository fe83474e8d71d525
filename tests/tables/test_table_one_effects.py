"""Effects beside the tests of Table 1, and the tests of pairs, asked for through the verb."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import ColumnError, OptionError
from support import assert_close, read
from table_one_cases import CASES, TABLES, TWO, frame, groups

EFFECT = ["estimate", "conf_low", "conf_high"]


def compared(data: Any, test: str, **options: Any) -> pd.Series:
    options = {"columns": ["outcome"], "summaries": {"outcome": "mean"}} | options
    table = rn.table_one(data, by="group", tests={"outcome": test}, **options)
    return table.comparisons.iloc[0]


def two(name: str) -> pd.DataFrame:
    """The rows of a case, its groups in the reference's order."""
    arrays, names = groups(name), CASES[name]["groups"]
    return pd.DataFrame(
        {
            "outcome": np.concatenate(arrays),
            "group": pd.Categorical(np.repeat(names, [len(a) for a in arrays]), categories=names),
        }
    )


@pytest.mark.parametrize("name", TWO)
def test_measurements_have_the_effect_of_their_test(name: str) -> None:
    values, data = CASES[name], two(name)
    for test, key in (("welch", "t_welch"), ("t", "t_equal_variance")):
        row, expected = compared(data, test), values[key]
        assert row["effect"] == "mean difference"
        wanted = [expected["mean_difference"], expected["ci_lower"], expected["ci_upper"]]
        assert_close(row[EFFECT].astype(float), wanted)
    assert_close(compared(data, "variance-f")["p_value"], values["variance_f_test_p"])
    if "hodges_lehmann_exact" in values:
        row, shift = compared(data, "wilcoxon-exact"), values["hodges_lehmann_exact"]
        assert row["effect"] == "location shift"
        wanted = [shift["estimate"], shift["ci_lower"], shift["ci_upper"]]
        assert_close(row[EFFECT].astype(float), wanted)
    assert compared(data, "wilcoxon")[EFFECT].isna().all()


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_cramers_v(name: str) -> None:
    data = frame(name).astype({"outcome": str, "group": str})
    for yates in (False, True):
        row = compared(data, "chi-square", summaries="both", continuity=yates)
        assert row["effect"] == "Cramer's V"
        assert_close(row["estimate"], CASES[name]["cramers_v"])
        assert row[["conf_low", "conf_high"]].isna().all()


def test_ties_leave_the_shift_without_limits() -> None:
    data = {"outcome": [1.5, 2.0, 3.0, 5.0, 2.0, 6.5], "group": ["a"] * 3 + ["b"] * 3}
    row = compared(data, "wilcoxon-exact")
    assert row["estimate"] == -3.0  # of -5, -4.5, -3.5, -3.5, -3, -2, -0.5, 0, 1
    assert row[["conf_low", "conf_high"]].isna().all()


@pytest.mark.parametrize(
    ("level", "low", "high"),  # var.test of R 4.2.2
    [(0.95, 2.94212696682307, 85.7712857541505), (0.9, 3.89541708706679, 63.3504306449018)],
)
def test_the_ratio_of_variances_has_limits_of_the_level_asked_for(
    level: float, low: float, high: float
) -> None:
    x, y = [1.1, 2.3, 0.7, 4.4, 3.9, 2.2, 5.8], [2.0, 2.1, 2.6, 1.7, 2.9, 2.4, 1.9, 3.0]
    data = {"outcome": x + y, "group": ["x"] * len(x) + ["y"] * len(y)}
    row = compared(data, "variance-f", conf_level=level)
    assert row["effect"] == "ratio of variances"
    assert_close(row[EFFECT].astype(float), [15.0595611285266, low, high])


def pairs() -> pd.DataFrame:
    """The reference's pairs, one row a value, in no order."""
    values = CASES["paired"]
    weight = read("birthwt.csv")["bwt"].to_numpy() / 1000.0
    sides = [weight[np.array(values[f"row_{side}"]) - 1] for side in "xy"]
    size = len(sides[0])
    data = pd.DataFrame(
        {
            "outcome": np.concatenate(sides),
            "group": np.repeat(["x", "y"], size),
            "pair": [f"p{k}" for k in [*range(size), *range(size)]],
        }
    )
    return data.sample(frac=1.0, random_state=3)


def test_pairs_are_compared_as_pairs() -> None:
    values = CASES["paired"]
    t = compared(pairs(), "paired-t", pairs="pair")
    assert_close(
        t[["statistic", "df_1", "p_value", *EFFECT]].astype(float),
        [values[k] for k in ("t", "df", "p_t", "mean_difference", "ci_lower", "ci_upper")],
    )
    for test, key in (("signed-rank", "normal_corrected"), ("signed-rank-exact", "exact")):
        row = compared(pairs(), test, pairs="pair")
        assert_close(row["statistic"], values["V"])
        assert_close(row["p_value"], values[f"p_signed_rank_{key}"])


def test_rows_without_their_pair_are_left_out_and_told() -> None:
    alone = pd.DataFrame(
        {
            "outcome": [9.0, np.nan, 8.0, 7.0],
            "group": ["x", "x", "y", "y"],
            "pair": ["alone", "q", "q", None],
        }
    )
    data = pd.concat([pairs(), alone], ignore_index=True)
    table = rn.table_one(data, "group", tests={"outcome": "paired-t"}, pairs="pair")
    assert table.comparisons["variable"].tolist() == ["outcome"]
    assert_close(table.comparisons["p_value"].iloc[0], CASES["paired"]["p_t"])
    assert any("4 rows without a value or without their pair's" in n for n in table.notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pair": ["a"] * 2 + ["b"] * 4}, "Pairs with several rows in 'x': 1"),
        ({"group": ["x", "y", "z"] * 2}, "compares two groups, not 3"),
        ({"pair": list("abcdef")}, "Pairs with both values: 0"),
        ({"pair": list("abcade")}, "Pairs with both values: 1"),
    ],
)
def test_pairs_that_are_none_have_no_test_and_a_note(change: dict[str, Any], words: str) -> None:
    data = {
        "outcome": [1.0, 2.5, 3.5, 4.0, 5.5, 7.0],
        "group": ["x", "x", "x", "y", "y", "y"],
        "pair": list("abcabc"),
    }
    table = rn.table_one(data | change, "group", tests={"outcome": "paired-t"}, pairs="pair")
    assert np.isnan(table.comparisons["p_value"].iloc[0])
    assert any("no test" in note and words in note for note in table.notes)


def test_pairs_and_paired_tests_go_together() -> None:
    with pytest.raises(OptionError, match="compares pairs: give pairs= too"):
        compared(pairs(), "paired-t")
    with pytest.raises(OptionError, match="belongs to the paired tests: paired-t, signed-rank"):
        compared(pairs(), "welch", pairs="pair")
    with pytest.raises(ColumnError, match=r"no column \['pair'\]"):
        compared(pairs(), "paired-t", pairs=["pair"])


def test_rows_without_a_name_of_their_pair_are_no_pair() -> None:
    data = pairs().reset_index(drop=True)
    unnamed = pd.DataFrame({"outcome": [1.0, 9.0], "group": ["x", "y"], "pair": [None, None]})
    row = compared(pd.concat([data, unnamed], ignore_index=True), "paired-t", pairs="pair")
    assert_close(row["p_value"], CASES["paired"]["p_t"])
    complete = rn.table_one(data, "group", tests={"outcome": "paired-t"}, pairs="pair")
    assert not any("not tested" in note for note in complete.notes)


@pytest.mark.parametrize("test", ["t", "welch", "wilcoxon-exact", "paired-t"])
def test_limits_are_of_the_level_asked_for(test: str) -> None:
    options = {"pairs": "pair"} if test == "paired-t" else {}
    wide, narrow = (compared(pairs(), test, conf_level=level, **options) for level in (0.95, 0.5))
    assert wide["estimate"] == narrow["estimate"]
    assert wide["conf_low"] < narrow["conf_low"] < narrow["conf_high"] < wide["conf_high"]


def test_a_group_of_one_value_has_no_variance_to_compare() -> None:
    data = {"outcome": [1.0, 2.0, 4.0], "group": ["x", "x", "y"]}
    table = rn.table_one(data, "group", tests={"outcome": "variance-f"})
    assert any("Each group needs 2 values" in note for note in table.notes)
