"""Groups, strata and their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import ColumnError, FormulaError
from rnetstats.formula.groups import GroupFrame, group_frame
from support import read


def cohort() -> pd.DataFrame:
    return read("rnet_like_a.csv")


def groups_of(right: str, **changes: Any) -> GroupFrame:
    return group_frame(cohort().assign(**changes), f"Surv(dfs_months, recurrence) ~ {right}")


@pytest.mark.parametrize(
    ("right", "name", "labels", "counts"),
    [
        ("1", "", ["all"], [527]),
        ("margin_positive", "margin_positive", ["0", "1"], [346, 181]),
        ("method", "method", ["ESD", "cEMR", "mEMR", "other"], [113, 213, 199, 2]),
        ("C(method, ref='other')", "method", ["other", "ESD", "cEMR", "mEMR"], [2, 113, 213, 199]),
        ("I(nlr > 4.44)", "nlr", ["nlr <= 4.44", "nlr > 4.44"], [512, 15]),
        ("I(sex == 'F')", "sex", ['sex != "F"', 'sex == "F"'], [281, 246]),
        (
            "sex + margin_positive",
            "sex, margin_positive",
            [f"sex={s}, margin_positive={m}" for s in "FM" for m in (0, 1)],
            [165, 81, 181, 100],
        ),
        (
            "I(nlr > 4.44) + grade",
            "nlr, grade",
            [f"nlr {s} 4.44, grade={g}" for s in ("<=", ">") for g in ("G1", "G2")],
            None,
        ),
    ],
)
def test_groups(right: str, name: str, labels: list[str], counts: list[int] | None) -> None:
    groups = groups_of(right).groups
    assert groups.name == name
    assert list(groups.labels) == labels
    assert counts is None or groups.counts.tolist() == counts
    assert groups.counts.sum() == 527


def test_crossings_without_rows_are_left_out() -> None:
    groups = groups_of("method + lvi").groups
    assert "method=other, lvi=1" not in groups.labels
    assert (groups.counts > 0).all()
    table = cohort().groupby(["method", "lvi"]).size()
    assert groups.counts.tolist() == table.tolist()
    assert list(groups.labels) == [f"method={m}, lvi={v}" for m, v in table.index]


def test_order_of_categories_and_lost_levels() -> None:
    ordered = pd.Categorical(cohort()["grade"], categories=["G3", "G2", "G1"])
    frame = groups_of("grade", grade=ordered)
    assert frame.groups.labels == ("G2", "G1")
    assert frame.notes == ("grade: no row has the level 'G3', which is left out.",)


def test_strata_cluster_weights_and_missing() -> None:
    data = cohort().assign(w=2)
    data.loc[data.index[:7], "sex"] = None
    frame = group_frame(
        data,
        "Surv(dfs_months, recurrence) ~ margin_positive + strata(grade, sex) + cluster(patient_id)",
        weights={"freq_weights": "w"},
    )
    assert frame.n == 520
    assert frame.n_missing == 7
    assert any("7 of 527 rows left out" in n and "sex (7)" in n for n in frame.notes)
    assert frame.strata is not None
    assert frame.cluster is not None
    assert frame.strata.labels[0] == "grade=G1, sex=F"
    assert len(frame.cluster.labels) == 520
    assert frame.freq_weights is not None
    assert frame.freq_weights.sum() == 1040
    assert frame.outcome.stop is not None
    np.testing.assert_array_equal(frame.outcome.stop, data["dfs_months"].iloc[7:])
    np.testing.assert_array_equal(frame.rows, np.arange(7, 527))


def test_strata_of_one_column_are_named_by_the_level() -> None:
    frame = groups_of("margin_positive + strata(age)")
    assert frame.strata is not None
    assert frame.strata.labels[0] == str(cohort()["age"].min())


@pytest.mark.parametrize(
    ("right", "changes", "error", "message"),
    [
        ("age", {}, ColumnError, r"57 different numbers.*I\(age > 53\) for two groups, or C\(age"),
        ("sex*grade", {}, FormulaError, r"crossed by '\+': sex \+ grade"),
        ("rcs(age, 3)", {}, FormulaError, r"forms no groups; I\(age > value\)"),
        ("log(age)", {}, FormulaError, "forms no groups"),
        ("sex + offset(age)", {}, FormulaError, "no meaning"),
        ("sex", {"sex": "F"}, ColumnError, "single level, 'F'.*write '~ 1'"),
        ("lvi", {"lvi": 0}, ColumnError, "single level, 0"),
        ("I(age > 200)", {}, ColumnError, "the same in all rows used"),
        ("C(sex, ref='f')", {}, ValueError, "no level 'f'.*Did you mean 'F'"),
        ("C(sex, ref='X')", {}, ValueError, "no level 'X'"),
    ],
)
def test_groups_that_are_refused(
    right: str, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        groups_of(right, **changes)


def test_many_columns_cross_without_overflow() -> None:
    rng = np.random.default_rng(1)
    data = {f"c{i}": rng.integers(0, 50, 300) for i in range(15)}
    data |= {"t": np.arange(1.0, 301), "e": np.ones(300)}
    formula = f"Surv(t, e) ~ {' + '.join(f'C(c{i})' for i in range(15))}"
    groups = group_frame(data, formula).groups
    assert len(groups.labels) == 300
    assert groups.labels[int(groups.codes[0])].startswith(f"c0={data['c0'][0]}, c1=")
