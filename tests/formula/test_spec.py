"""The description of a design: X again for new data, and through JSON."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import ColumnError, DataError
from rnetstats.formula.design import model_frame
from rnetstats.formula.spec import Spec
from support import read

FORMULA = (
    'margin_positive ~ rcs(size_mm, 4)*lvi + ns(log(nlr), 3) + C(method, ref="cEMR")*sex'
    " + C(lvi) + I(age >= 60) + location"
)


def cohort() -> pd.DataFrame:
    return read("rnet_like_a.csv").query("method != 'other'")


def learnt() -> Spec:
    return model_frame(cohort(), FORMULA, check=False).design.spec


def test_json_there_and_back() -> None:
    spec = learnt()
    stored = json.dumps(spec.to_dict(), allow_nan=False)
    again = Spec.from_dict(json.loads(stored))
    assert again == spec
    assert again.columns == spec.columns
    assert again.terms == spec.terms
    np.testing.assert_array_equal(again.matrix(cohort()), spec.matrix(cohort()))


def test_rows_are_made_one_by_one_as_together() -> None:
    data, spec = cohort(), learnt()
    X = spec.matrix(data)
    np.testing.assert_allclose(model_frame(data, FORMULA, check=False).design.X, X)
    for place in (0, 100, 500):
        row = data.iloc[[place]]
        np.testing.assert_allclose(spec.matrix(row)[0], X[place], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(spec.matrix(dict(row.items()))[0], X[place], atol=1e-12)


def test_setting_a_variable_moves_all_its_columns() -> None:
    spec = learnt()
    data = cohort().assign(method="mEMR", lvi=0)
    X = pd.DataFrame(spec.matrix(data), columns=[c.name for c in spec.columns])
    assert (X["C(method)[mEMR]"] == 1).all()
    assert (X["C(method)[ESD]"] == 0).all()
    assert (X.filter(like=":lvi") == 0).all(axis=None)
    assert (X["C(method):sex[mEMR:M]"] == (data["sex"] == "M").to_numpy()).all()


def test_variables_are_those_of_the_right_side() -> None:
    assert learnt().variables == ("size_mm", "lvi", "nlr", "method", "sex", "age", "location")


def test_new_levels_are_refused_with_their_rows() -> None:
    data = cohort().iloc[:6].assign(location=["lower", "rectum", "upper", "rectum", "lower", "x"])
    with pytest.raises(DataError, match=r"level 'rectum' in rows 2, 4, 6.*knows 'lower', 'middle'"):
        learnt().matrix(data)


def test_levels_of_another_order_or_type() -> None:
    spec = model_frame({"y": [0, 1, 1, 0], "g": list("abca")}, "y ~ g").design.spec
    column = pd.Categorical(["c", "a"], categories=["c", "z", "a"])
    np.testing.assert_array_equal(spec.matrix({"g": column}), [[1, 0, 1], [1, 0, 0]])
    with pytest.raises(DataError, match="level 1 in rows 1, 2"):
        spec.matrix({"g": [1, 2]})
    coded = model_frame({"y": [0, 1, 1, 0], "g": [1, 2, 3, 1]}, "y ~ C(g)").design.spec
    np.testing.assert_array_equal(coded.matrix({"g": [3.0, 1.0]}), [[1, 0, 1], [1, 0, 0]])


def test_missing_values_are_refused() -> None:
    data = (
        cohort()
        .iloc[:4]
        .assign(nlr=[1.0, np.nan, 2, 3], location=["lower", "upper", None, "upper"])
    )
    with pytest.raises(DataError, match="'nlr' is missing in row 2"):
        learnt().matrix(data)


def test_missing_and_mistyped_columns() -> None:
    with pytest.raises(ColumnError, match="no column 'nlr'"):
        learnt().matrix(cohort().drop(columns="nlr"))
    with pytest.raises(ColumnError, match="takes numbers"):
        learnt().matrix(cohort().assign(size_mm="large"))


def test_an_intercept_alone() -> None:
    spec = model_frame({"y": [0, 1]}, "y ~ 1").design.spec
    np.testing.assert_array_equal(spec.matrix({"z": [1, 2, 3]}), np.ones((3, 1)))
    assert Spec.from_dict(spec.to_dict()) == spec
    assert model_frame({"y": [0, 1]}, "y ~ 1", intercept=False).design.X.shape == (2, 0)
