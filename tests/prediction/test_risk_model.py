"""Risk models of fits: FLIC and FLAC, limits, Cox at a horizon."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import rnetstats as rn
from rnetstats.errors import (
    ConvergenceError,
    DataNotKeptError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.prediction.judged import judge
from rnetstats.regression.logistic import LogisticResult
from support import assert_close, case, case_ids, read

BOTH = [name for name in case_ids("logistic_firth") if name != "rnet_zero_events"]
MARGIN = "margin_positive ~ method + location + rcs(size_mm, 3)"


def fit_case(name: str) -> tuple[LogisticResult, pd.DataFrame, dict[str, Any]]:
    """The reference case fitted through the formula language."""
    found = case("logistic_firth", name)
    spec, data = found["spec"], read(found["data"])
    if "rows" in spec:
        data = data[data["nlr"].notna()].reset_index(drop=True)
    terms = list(spec["terms"])
    for factor, levels in spec.get("factor_levels_first_is_reference", {}).items():
        data[factor] = pd.Categorical(data[factor], categories=levels)
        terms[terms.index(factor)] = f"C({factor})"
    formula = f"{spec['outcome']} ~ {' + '.join(terms)}"
    fit = rn.logistic(data, formula, ci="wald", freq_weights=spec.get("frequency_weights"))
    return fit, data, found["values"]


@pytest.mark.parametrize("name", BOTH)
def test_flic_is_the_reference(name: str) -> None:
    fit, data, values = fit_case(name)
    model = rn.risk_model(fit)
    assert_close(model.coef, values["flic_coef"])
    risk = model.predict(data)["risk"]
    assert_close(risk[:10], values["flic_fitted_first10"])
    assert_close(model.summary["mean_risk"], values["flic_mean_fitted"])
    assert_close(model.summary["event_share"], values["flic_mean_fitted"])


@pytest.mark.parametrize("name", BOTH)
def test_flac_is_the_reference(name: str) -> None:
    fit, data, values = fit_case(name)
    model = rn.risk_model(fit, intercept="flac")
    assert_close(model.coef, values["flac_coef"])
    risk = model.predict(data)["risk"]
    assert_close(risk[:10], values["flac_fitted_first10"])
    assert_close(model.summary["mean_risk"], values["flac_mean_fitted"])
    # The reference's standard errors are those of glm.fit's last step but one; tests/kernels/
    # test_flic.py reproduces them to the last digit.
    assert model.covariance is not None
    assert_close(np.sqrt(np.diag(model.covariance)), values["flac_se_fisher"], rel=1e-6)
