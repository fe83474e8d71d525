"""Every case of the reference topic ``tests_table1``, on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import DataError
from rnetstats.tables.categorical_tests import (
    chi_square,
    cramers_v,
    expected_counts,
    fisher_test,
)
from rnetstats.tables.p_adjust import p_adjust
from rnetstats.tables.rank_tests import (
    hodges_lehmann,
    kruskal_wallis,
    signed_rank_test,
    wilcoxon_test,
)
from rnetstats.tables.smd import smd_categorical, smd_numeric
from rnetstats.tables.test_result import TestResult
from rnetstats.tables.two_groups import (
    anova,
    paired_t_test,
    t_test,
    variance_f_test,
    welch_anova,
)
from support import assert_close, read
from table_one_cases import CASES, MANY, TABLES, TWO, frame, groups


def test_every_case_is_covered() -> None:
    assert sorted([*TWO, *MANY, *TABLES, "paired", "p_adjust"]) == sorted(CASES)
    assert len(CASES) == 17


@pytest.mark.parametrize("name", TWO)
def test_two_groups(name: str) -> None:
    values = CASES[name]
    x, y = groups(name)
    assert_close([x.mean(), y.mean()], values["mean"])
    assert_close([x.std(ddof=1), y.std(ddof=1)], values["sd"])
    assert_close([np.median(x), np.median(y)], values["median"])
    assert_close([np.quantile(x, 0.25), np.quantile(y, 0.25)], values["q1_type7"])
    assert_close([np.quantile(x, 0.75), np.quantile(y, 0.75)], values["q3_type7"])
    assert_t(t_test(x, y), values["t_welch"])
    assert_t(t_test(x, y, equal_variance=True), values["t_equal_variance"])
    assert_close(variance_f_test(x, y).p_value, values["variance_f_test_p"])
    assert_close(smd_numeric(x, y), values["smd_group1_minus_group2"])


def assert_t(found: TestResult, expected: dict[str, float]) -> None:
    assert_close(
        [found.statistic, *found.df, found.p_value],
        [expected["t"], expected["df"], expected["p"]],
    )
    assert_close(
        [found.estimate, found.conf_low, found.conf_high],
        [expected["mean_difference"], expected["ci_lower"], expected["ci_upper"]],
    )


@pytest.mark.parametrize("name", TWO)
def test_two_groups_by_ranks(name: str) -> None:
    values = CASES[name]
    x, y = groups(name)
    assert (len(np.unique(np.concatenate([x, y]))) < len(x) + len(y)) is values["ties"]
    corrected, plain = wilcoxon_test(x, y), wilcoxon_test(x, y, continuity=False)
    assert corrected.statistic == plain.statistic == values["wilcoxon_W"]
    assert_close(corrected.p_value, values["wilcoxon_p_normal_corrected"])
    assert_close(plain.p_value, values["wilcoxon_p_normal_uncorrected"])
    if "wilcoxon_p_exact_conditional_on_ties" in values:
        exact = wilcoxon_test(x, y, method="exact")
        assert_close(exact.p_value, values["wilcoxon_p_exact_conditional_on_ties"])
        assert ("given ties" in exact.name) is values["ties"]
    if "wilcoxon_p_exact" in values:
        exact = wilcoxon_test(x, y, method="exact")
        assert_close(exact.p_value, values["wilcoxon_p_exact"])
    if "hodges_lehmann_exact" in values:
        shift = values["hodges_lehmann_exact"]
        expected = [shift["estimate"], shift["ci_lower"], shift["ci_upper"]]
        assert_close(hodges_lehmann(x, y), expected)


@pytest.mark.parametrize("name", MANY)
def test_several_groups(name: str) -> None:
    values = CASES[name]
    arrays = groups(name)
    for found, prefix, statistic in (
        (kruskal_wallis(arrays), "kruskal", "chi2"),
        (anova(arrays), "anova", "f"),
        (welch_anova(arrays), "welch", "f"),
    ):
        df = ["df"] if statistic == "chi2" else ["df1", "df2"]
        assert_close(found.statistic, values[f"{prefix}_{statistic}"])
        assert_close(found.df, [values[f"{prefix}_{key}"] for key in df])
        assert_close(found.p_value, values[f"{prefix}_p"])
    expected = values["pairwise_smd"]
    by_name = dict(zip(values["groups"], arrays, strict=True))
    for one, two, smd in zip(*expected.values(), strict=True):
        assert_close(smd_numeric(by_name[one], by_name[two]), smd)
    assert len(expected["smd"]) == len(arrays) * (len(arrays) - 1) // 2


@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str) -> None:
    values = CASES[name]
    data = frame(name)
    crossed = pd.crosstab(data["outcome"].astype(str), data["group"].astype(str))
    table = crossed.loc[values["row_levels"], values["column_levels"]].to_numpy()
    assert table.tolist() == values["table"]
    assert_close(expected_counts(table), values["expected"])
    assert_close(expected_counts(table).min(), values["min_expected"])
    plain = chi_square(table)
    assert_close(plain.statistic, values["chi2_uncorrected"])
    assert plain.df == (values["df"],)
    assert_relative(plain.p_value, values["p_uncorrected"])
    if "chi2_yates" in values:
        yates = chi_square(table, continuity=True)
        assert_close([yates.statistic, yates.p_value], [values["chi2_yates"], values["p_yates"]])
        assert "Yates" in yates.name
    assert_relative(fisher_test(table).p_value, values["fisher_p"])
    assert_close(cramers_v(table), values["cramers_v"])
    assert_close(smd_categorical(*table.T), values["smd"])


def assert_relative(actual: float, expected: float) -> None:
    """P values far below the absolute floor still agree in their leading digits."""
    assert_close(actual, expected)
    assert actual == pytest.approx(expected, rel=1e-6)


def test_pairs() -> None:
    values: dict[str, Any] = CASES["paired"]
    bwt = read("birthwt.csv")["bwt"].to_numpy() / 1000.0
    x, y = bwt[np.array(values["row_x"]) - 1], bwt[np.array(values["row_y"]) - 1]
    t = paired_t_test(x, y)
    assert_close([t.statistic, *t.df, t.p_value], [values["t"], values["df"], values["p_t"]])
    assert_close(
        [t.estimate, t.conf_low, t.conf_high],
        [values["mean_difference"], values["ci_lower"], values["ci_upper"]],
    )
    exact, normal = signed_rank_test(x, y, method="exact"), signed_rank_test(x, y)
    assert exact.statistic == normal.statistic == values["V"]
    assert_close(exact.p_value, values["p_signed_rank_exact"])
    assert_close(normal.p_value, values["p_signed_rank_normal_corrected"])


@pytest.mark.parametrize("method", ["holm", "hochberg", "bonferroni", "BH", "BY"])
def test_adjusted_p_values(method: str) -> None:
    values = CASES["p_adjust"]
    assert_close(p_adjust(values["p"], method), values[method])
    for wrong in ([0.5, 1.2], [-0.1, 0.5]):
        with pytest.raises(DataError, match="between 0 and 1"):
            p_adjust(wrong, method)
