"""The equation in words, evaluated as written, gives what predict() gives."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.prediction.model import RiskModel


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


def by_hand(equation: str, patient: dict[str, Any]) -> float:
    """Evaluate the text of an equation for one patient, knowing nothing of the model."""

    def condition(found: re.Match[str]) -> str:
        name, sign, literal = re.fullmatch(
            r"`?(.+?)`? (=|is not|<=|>=|<|>) (.+)", found.group(1)
        ).groups()  # type: ignore[union-attr]
        value = patient[name]
        if sign in {"=", "is not"}:
            same = str(value) == literal or (
                not isinstance(value, str) and str(float(value)) == str(float(literal))
            )
            return str(int(same == (sign == "=")))
        return str(int(eval(f"{float(value)} {sign} {literal}")))

    lines = equation.splitlines()
    risk = next(i for i, line in enumerate(lines) if line.startswith("risk of"))
    total = " ".join(line.strip() for line in lines[1:risk])
    total = re.sub(r"\[([^\]]+)\]", condition, total).replace("^", "**").replace("`", "")
    scope = {"max": max, "log": math.log, "exp": math.exp, **patient}
    predictor = eval(total, {"__builtins__": {}}, scope)
    last = lines[risk].split(" = ", 1)[1]
    name = "(log odds)" if "log odds" in last else "log relative hazard"
    last = last.replace(name, f"({predictor!r})")
    if "H0 by" in last:
        last = last.split(", with")[0]
        stratum = next(iter(lines[risk].split("H0 by ")[1].split(":")))
        table = dict(line.strip().split(": ") for line in lines[risk + 1 :] if ": " in line)
        last = last.replace("H0", table[str(patient[stratum])])
    return float(eval(last, {"__builtins__": {}}, {"exp": math.exp}))


@pytest.mark.parametrize(
    "right",
    [
        "method + location + I(nlr > 4.44) + I(size_mm > 14.89)",
        "lvi + rcs(nlr, 4) + rcs(size_mm, 5)",
        "ns(nlr, 4) + log(size_mm) + I(location == 'upper') + C(lvi)",
        "ns(age, 1) + rcs(log(nlr), 3)",
        "location*nlr + lvi:age + lvi + age",
        "lvi*rcs(nlr, 3) + location*ns(size_mm, 2)",
        "I(size_mm <= 10) + I(lvi != 1) + I(age >= 60) + offset(shift)",
    ],
)
def test_the_equation_of_a_logistic_model(cohort: pd.DataFrame, right: str) -> None:
    data = cohort.assign(shift=np.linspace(-1, 1, len(cohort)))
    model = rn.risk_model(rn.logistic(data, f"margin_positive ~ {right}", ci="wald"))
    part = data.sample(25, random_state=1)
    text = model.equation()
    expected = model.predict(part)["risk"].to_numpy()
    found = [by_hand(text, row) for row in part.to_dict("records")]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "right", ["margin_positive + rcs(size_mm, 3) + age", "age + strata(location)"]
)
def test_the_equation_of_a_cox_model(cohort: pd.DataFrame, right: str) -> None:
    fit = rn.cox(cohort, f"Surv(dfs_months, dfs_event) ~ {right}", ci="wald")
    model = rn.risk_model(fit, horizon=36)
    part = cohort.sample(25, random_state=2)
    text = model.equation(digits=15)
    assert "by 36 = 1 - exp(-" in text
    found = [by_hand(text, row) for row in part.to_dict("records")]
    np.testing.assert_allclose(found, model.predict(part)["risk"], rtol=1e-9)


def test_the_equation_of_published_numbers_reads_as_printed() -> None:
    model = RiskModel.from_coefficients(
        "relapse ~ method + I(nlr > 4.44) + `size (mm)`",
        {"method[ESD]": -0.5, "nlr > 4.44": 1.25, "size (mm)": 0.04},
        intercept=-2.0,
        levels={"method": ["EMR", "ESD"]},
        ranges={"nlr": (0, 20), "size (mm)": (1, 30)},
    )
    assert model.equation().splitlines() == [
        "log odds of relapse =",
        "  -2",
        "  - 0.5 * [method = ESD]",
        "  + 1.25 * [nlr > 4.44]",
        "  + 0.04 * `size (mm)`",
        "risk of relapse = 1 / (1 + exp(-(log odds)))",
        "where [condition] is 1 if the condition holds and 0 if not.",
    ]
    with pytest.raises(OptionError, match="digits"):
        model.equation(digits=0)


@pytest.mark.parametrize("spline", ["rcs(z, 5)", "ns(z, 4)"])
def test_splines_of_skewed_variables_are_written_out_exactly(spline: str) -> None:
    """Knots within a thousandth of the range: large pieces that cancel need their digits."""
    rng = np.random.default_rng(1)
    z = np.exp(2.0 * rng.normal(size=300))
    y = (rng.random(300) < 1.0 / (1.0 + np.sqrt(z))).astype(int)
    model = rn.risk_model(rn.logistic({"y": y, "z": z}, f"y ~ {spline}"))
    values = np.append(z[:20], [z.min(), z.max()])
    expected = model.predict({"z": values}, outside="extrapolate")["risk"]
    for digits in (8, 10):
        found = [by_hand(model.equation(digits), {"z": float(value)}) for value in values]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
