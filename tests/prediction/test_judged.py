"""What the judging verbs read."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, FormulaError, OptionError
from rnetstats.prediction.judged import fingerprint, judge
from support import read


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return read("rnet_like_a.csv")


def test_columns_and_models_are_judged_on_the_same_rows(cohort: pd.DataFrame) -> None:
    data = cohort.assign(risk=np.linspace(0.1, 0.9, len(cohort)))
    fit = rn.logistic(data, "margin_positive ~ size_mm + lvi")
    data.loc[3, "risk"] = np.nan
    data.loc[7, "size_mm"] = np.nan
    found = judge(data, "margin_positive ~ risk", models={"fit": fit})
    assert found.labels == ("risk", "fit")
    assert found.risk.shape == (2, len(cohort) - 2)
    assert found.n_missing == 2
    assert "2 of" in found.notes[0]
    kept = data.iloc[found.positions]
    np.testing.assert_allclose(found.risk[1], fit.predict(kept), rtol=0, atol=0)
    assert found.apparent == {"risk": False, "fit": False}


def test_a_fit_on_the_same_rows_is_apparent(cohort: pd.DataFrame) -> None:
    fit = rn.logistic(cohort, "margin_positive ~ size_mm + rcs(age, 3)")
    assert judge(cohort, "margin_positive ~ 1", models={"m": fit}).apparent == {"m": True}
    half = cohort.iloc[::2]
    assert judge(half, "margin_positive ~ 1", models={"m": fit}).apparent == {"m": False}
    swapped = cohort.assign(margin_positive=1 - cohort["margin_positive"])
    assert judge(swapped, "margin_positive ~ 1", models={"m": fit}).apparent == {"m": False}


def test_a_survival_model_gives_risk_not_survival(cohort: pd.DataFrame) -> None:
    fit = rn.cox(cohort, "Surv(os_months, death) ~ age")
    formula = "Surv(os_months, death) ~ 1"
    found = judge(cohort, formula, models={"m": fit}, horizon=60)
    survival = fit.survival(cohort, [60])["survival"].to_numpy()
    np.testing.assert_allclose(found.risk[0], 1 - survival, rtol=1e-12)
    score = judge(cohort, formula, models={"m": fit}, scale="score")
    np.testing.assert_allclose(score.risk[0], fit.predict(cohort))
    with pytest.raises(OptionError, match="needs a horizon, time="):
        judge(cohort, formula, models={"m": fit})


def test_fingerprint_holds_no_rows_and_sees_each_change(cohort: pd.DataFrame) -> None:
    found = judge(cohort, "margin_positive ~ size_mm", scale="score")
    mark = fingerprint(found.outcome, found.risk.T)
    assert len(mark) == 32
    changed = found.risk.T.copy()
    changed[5, 0] += 0.5
    assert fingerprint(found.outcome, changed) != mark
    assert json.dumps(mark)


@pytest.mark.parametrize(
    ("formula", "options", "error", "said"),
    [
        ("~ p", {}, FormulaError, "no left side"),
        ("y ~ log(p)", {}, FormulaError, "no column of predictions"),
        ("y ~ p*q", {}, FormulaError, "no column of predictions"),
        ("y ~ p + offset(q)", {}, FormulaError, "have no place there"),
        ("y ~ 1", {}, OptionError, "nothing to judge"),
        ("y ~ bad", {}, DataError, r"1\.4 is outside \[0, 1\] in row 2"),
        ("y ~ p", {"models": [1]}, OptionError, "mapping of labels"),
        ("y ~ p", {"models": {"m": 3}}, OptionError, "is a int"),
        ("y ~ nothere", {}, ColumnError, "no column 'nothere'"),
        ("y ~ p", {"horizon": -1}, OptionError, "time"),
        ("y ~ p", {"missing": "raise"}, DataError, "missing"),
        ("y ~ p", {"freq_weights": [1, -1, 1, 1]}, DataError, "negative"),
    ],
)
def test_bad_input_is_named(formula: str, options: dict, error: type, said: str) -> None:
    data = {
        "y": [0, 1, 0, 1],
        "p": [0.1, 0.9, 0.4, np.nan],
        "q": [0.2, 0.3, 0.4, 0.5],
        "bad": [0.2, 1.4, 0.3, 0.1],
    }
    with pytest.raises(error, match=said):
        judge(data, formula, **options)


def test_a_score_may_be_any_number() -> None:
    data = {"y": [0, 1, 0, 1], "x": [-3.0, 14.0, 2.0, 8.0]}
    np.testing.assert_array_equal(
        judge(data, "y ~ x", scale="score").risk, [[-3.0, 14.0, 2.0, 8.0]]
    )


def test_a_model_and_a_column_do_not_share_a_label(cohort: pd.DataFrame) -> None:
    fit = rn.logistic(cohort, "margin_positive ~ size_mm")
    with pytest.raises(OptionError, match="both a column and a model's label"):
        judge(cohort, "margin_positive ~ nlr", models={"nlr": fit}, scale="score")


def test_a_model_of_another_event_is_told(cohort: pd.DataFrame) -> None:
    fit = rn.logistic(cohort, "margin_positive ~ size_mm")
    assert judge(cohort, "margin_positive == 1 ~ 1", models={"m": fit}).notes == ()
    other = judge(cohort, "lvi ~ 1", models={"a": fit, "b": rn.risk_model(fit)})
    assert other.notes == tuple(
        f"{label} was made to predict margin_positive; here it is judged by lvi." for label in "ab"
    )
    times = rn.cox(cohort, "Surv(dfs_months, recurrence) ~ size_mm")
    same = judge(cohort, "Surv(dfs_months, recurrence) ~ 1", models={"m": times}, horizon=36)
    assert same.notes == ()
    free = cohort.assign(dfs_event=cohort["recurrence"] | (cohort["age"] > 75))
    conflated = judge(free, "Surv(dfs_months, dfs_event) ~ 1", models={"m": times}, horizon=36)
    assert conflated.notes == (
        "m was made to predict Surv(dfs_months, recurrence); here it is judged by "
        "Surv(dfs_months, dfs_event).",
    )


def test_models_of_different_levels_of_one_column_are_told_apart() -> None:
    rng = np.random.default_rng(3)
    data = {"x": rng.normal(size=90), "g": rng.choice(["a", "b", "c"], 90)}
    fit = rn.logistic(data, "g == 'a' ~ x")
    assert judge(data, "g == 'a' ~ 1", models={"m": fit}).notes == ()
    told = judge(data, "g == 'b' ~ 1", models={"m": fit}).notes
    assert told == ('m was made to predict g == "a"; here it is judged by g == "b".',)
