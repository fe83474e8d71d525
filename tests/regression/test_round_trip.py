"""Every regression result survives strict JSON, and answers afterwards what needs no rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats._core.result import Result
from rnetstats.errors import ConvergenceError, DataNotKeptError
from support import read


def written(result: Result) -> Any:
    return type(result).from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))


def results() -> dict[str, Result]:
    data = read("birthwt.csv").assign(black=lambda d: d["race"] == 2)
    times = read("veteran.csv")
    logit = rn.logistic(data, "low ~ rcs(lwt, 3)*smoke + C(race, ref=2) + ht")
    return {
        "spline": logit,
        "truth values": rn.logistic(data, "low ~ black + I(age > 30)", conf_level=0.9),
        "offset": rn.cox(times, "Surv(time, status) ~ ns(karno, 3) + offset(age) + strata(trt)"),
        "univariable": rn.univariable(data, "low ~ C(race) + ns(lwt, 2)"),
        "separation": rn.separation(data, "low ~ smoke + C(race)"),
        "effect": logit.effect("race"),
        "risks": logit.risks("smoke"),
        "hazards": rn.cox(times, "Surv(time, status) ~ karno + celltype").proportional_hazards(),
        "separated": rn.logistic(
            {"y": [0, 1] * 6 + [0] * 4, "x": [0] * 12 + [1] * 4}, "y ~ x", penalty=None
        ),
    }


RESULTS = results()


@pytest.mark.parametrize("name", RESULTS)
def test_numbers_text_and_writing_are_the_same_after_reading_back(name: str) -> None:
    result = RESULTS[name]
    back = written(result)
    pd.testing.assert_frame_equal(back.to_frame(), result.to_frame(), check_dtype=False)
    pd.testing.assert_frame_equal(back.glance(), result.glance(), check_dtype=False)
    pd.testing.assert_frame_equal(back.display(), result.display())
    assert back.notes == result.notes
    assert json.dumps(written(back).to_dict()) == json.dumps(result.to_dict())


@pytest.mark.parametrize("name", ["spline", "truth values", "offset"])
def test_predictions_and_effects_are_the_same_after_reading_back(name: str) -> None:
    fit = RESULTS[name]
    back = written(fit)
    data = read("veteran.csv" if name == "offset" else "birthwt.csv")
    if name == "truth values":
        data["black"] = data["race"] == 2
    np.testing.assert_allclose(back.predict(data), fit.predict(data), rtol=1e-12)
    for variable in fit.variables:
        same = back.effect(variable)
        pd.testing.assert_frame_equal(
            same.to_frame(), fit.effect(variable).to_frame(), check_dtype=False
        )
    with pytest.raises(DataNotKeptError, match="patient rows"):
        back.term_tests()


def test_separated_fits_refuse_predictions_in_words_before_and_after() -> None:
    for fit in (RESULTS["separated"], written(RESULTS["separated"])):
        for ask in (lambda fit=fit: fit.predict({"x": [0]}), lambda fit=fit: fit.effect("x")):
            with pytest.raises(ConvergenceError, match=r"'x'.*firth"):
                ask()
