from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats._core.schema import COEFFICIENT_COLUMNS
from rnetstats.errors import DataError, OptionError
from support import data_path

FORMULA = "margin_positive ~ log(nlr) + location"


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.read_cohort(data_path("rnet_like_a_missing.csv"), codebook="duan2024")


def test_both_analyses_stand_side_by_side(cohort):
    imputed = rn.impute(cohort, outcome="margin_positive", imputations=4, seed=1)
    both = rn.complete_and_imputed(cohort, FORMULA, imputed, penalty=None)
    frame = both.to_frame()
    assert frame.columns[0] == "analysis"
    assert tuple(frame.columns[1:14]) == COEFFICIENT_COLUMNS
    plain = rn.logistic(cohort, FORMULA, penalty=None)
    pooled = rn.pool([rn.logistic(d, FORMULA, penalty=None) for d in imputed])
    for name, fit in (("complete cases", plain), ("imputed", pooled)):
        part = frame[frame["analysis"] == name].reset_index(drop=True)
        want = fit.to_frame()
        pd.testing.assert_frame_equal(
            part[list(COEFFICIENT_COLUMNS)], want[list(COEFFICIENT_COLUMNS)], check_dtype=False
        )
    assert frame.loc[frame["analysis"] == "complete cases", "fmi"].isna().all()
    glance = both.glance().iloc[0]
    assert glance["n_complete"] == 506
    assert glance["n_imputed"] == 527
    shown = both.display()
    assert shown["level"].tolist() == ["", "middle", "upper", "lower"]
    assert shown["n, complete cases"].tolist()[0] == "506"
    assert shown["n, imputed"].tolist()[0] == "527"
    assert "4.0 % left out" in both.notes[0]


def test_times_give_a_cox_model(cohort):
    imputed = rn.impute(cohort, outcome="Surv(os_months, death)", imputations=3, seed=1)
    both = rn.complete_and_imputed(
        cohort, "Surv(os_months, death) ~ log(nlr) + age", imputed, model="cox"
    )
    assert set(both.to_frame()["measure"]) == {"HR"}
    assert len(both.plot().get_yticks()) == 4


def test_refusals(cohort):
    imputed = rn.impute(cohort, imputations=2, seed=1)
    with pytest.raises(DataError, match="Imputation 1 has 500 rows, the data 527"):
        rn.complete_and_imputed(cohort, FORMULA, [d.iloc[:500] for d in imputed])
    for wrong in (None, 3, [1, 2], []):
        with pytest.raises(OptionError, match="must be completed data sets"):
            rn.complete_and_imputed(cohort, FORMULA, wrong)
    with pytest.raises(OptionError, match="does not fit the left side"):
        rn.complete_and_imputed(cohort, FORMULA, imputed, model="cox")
    with pytest.raises(DataError, match="at least two"):
        rn.complete_and_imputed(cohort, FORMULA, imputed[:1])
    mapping = {name: np.asarray(cohort[name]) for name in ("margin_positive", "nlr")}
    both = rn.complete_and_imputed(mapping, "margin_positive ~ nlr", imputed)
    assert both.glance()["n_complete"].iloc[0] == 506
