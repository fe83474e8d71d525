"""Columns that follow from each other and are missing together do not get stuck at the start."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rnetstats.missing.impute import impute
from rnetstats.missing.imputer import imputer
from rnetstats.missing.pool import pool
from rnetstats.regression.logistic import logistic

N = 400


def cohort(seed: int = 3) -> pd.DataFrame:
    """A complete predictor u, and what follows from it with noise."""
    rng = np.random.default_rng(seed)
    u = rng.normal(size=N)
    size = 5.0 + u + 0.4 * rng.normal(size=N)
    parts = [u + rng.normal(size=N) for _ in range(2)]
    grade = np.digitize(1.2 * u + 0.6 * rng.logistic(size=N), [-0.7, 0.9])
    return pd.DataFrame(
        {
            "u": u,
            "y": (rng.random(N) < 1.0 / (1.0 + np.exp(-(size - 5.0)))).astype(int),
            "mm": size,
            "cm": np.round(size / 10.0, 2),
            "part_a": parts[0],
            "part_b": parts[1],
            "total": parts[0] + parts[1],
            "grade": pd.Categorical(np.array(["G1", "G2", "G3"])[grade]),
            "high": (grade == 2).astype(float),
        }
    )


def gaps(columns: list[str], seed: int = 4) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    full = cohort()[["u", "y", *columns]]
    missing = np.random.default_rng(seed).random(N) < 0.4
    lacking = full.copy()
    lacking.loc[missing, columns] = np.nan
    return full, lacking, missing


def number(column: pd.Series) -> np.ndarray:  # type: ignore[type-arg]
    values = column == "G3" if isinstance(column.dtype, pd.CategoricalDtype) else column
    return values.to_numpy(dtype=float)


@pytest.mark.parametrize(
    "columns", [["mm", "cm"], ["cm", "mm"], ["part_a", "part_b", "total"], ["grade", "high"]]
)
def test_imputed_values_keep_their_correlation_with_a_complete_predictor(
    columns: list[str],
) -> None:
    """Stuck at the start, they had a correlation of 0 (of half for the grades)."""
    full, lacking, missing = gaps(columns)
    imputed = impute(lacking, imputations=10, seed=1)
    u = full["u"].to_numpy()[missing]
    for name in columns:
        true = np.corrcoef(number(full[name])[missing], u)[0, 1]
        found = [np.corrcoef(number(part[name])[missing], u)[0, 1] for part in imputed]
        assert np.mean(found) == pytest.approx(true, abs=0.12), name  # sampling
    last = columns[-1]
    assert f"{last} does not predict {columns[0]}" in " ".join(imputed.notes)
    assert f"{last} is imputed from what is drawn for {columns[0]}" in " ".join(imputed.notes)


def test_imputed_parts_add_up_to_their_total() -> None:
    _, lacking, missing = gaps(["part_a", "part_b", "total"])
    first = impute(lacking, imputations=1, seed=1)[0][missing]
    assert np.corrcoef(first["part_a"] + first["part_b"], first["total"])[0, 1] > 0.98


def test_a_copy_does_not_pull_an_effect_towards_none() -> None:
    _, lacking, _ = gaps(["mm", "cm"])
    formula = "y ~ mm"
    alone, both = (
        pool(
            [logistic(part, formula, penalty=None) for part in impute(data, imputations=10, seed=1)]
        )
        for data in (lacking.drop(columns="cm"), lacking)
    )
    assert both.coefs.mean(axis=0)[1] == pytest.approx(alone.coefs.mean(axis=0)[1], abs=0.12)


def test_the_column_with_fewer_gaps_is_imputed_first_whatever_the_order() -> None:
    _, lacking, missing = gaps(["mm", "cm"])
    lacking.loc[np.flatnonzero(missing)[0], "cm"] = 0.5
    for columns in (["u", "mm", "cm"], ["cm", "mm", "u"]):
        made = imputer(lacking[columns])
        assert [target.name for target in made.targets] == ["cm", "mm"]
        assert "mm does not predict cm" in " ".join(made.notes)


def test_other_columns_predict_each_other_as_before() -> None:
    """Missing apart there is no circle, and related columns are no copies."""
    _, lacking, _ = gaps(["part_a", "part_b"])
    chain = imputer(lacking).chain
    assert chain is not None
    assert not chain.notes
    assert [len(target.predictors) for target in chain.targets] == [4, 4]
    _, apart, missing = gaps(["mm"])
    apart["cm"] = cohort()["cm"].mask(~missing & (np.arange(N) % 3 == 0))
    chain = imputer(apart).chain
    assert chain is not None
    assert not chain.notes


def test_copies_that_are_missing_in_other_rows_are_told() -> None:
    _, lacking, missing = gaps(["mm", "cm"])
    lacking.loc[np.flatnonzero(missing)[:5], "cm"] = 0.5
    lacking.loc[np.flatnonzero(~missing)[:4], "cm"] = np.nan
    notes = " ".join(imputer(lacking).notes)
    assert "cm and mm follow from each other nearly or wholly, but are not missing in the same" in (
        notes
    )
