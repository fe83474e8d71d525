"""Models of published numbers: typed in, they predict what the paper's formula gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.prediction.model import RiskModel

FORMULA = "margin ~ method + I(nlr > 4.44) + size_mm"
BASE: dict[str, Any] = {
    "intercept": -2.0,
    "levels": {"method": ["cEMR", "mEMR", "ESD"]},
    "ranges": {"nlr": (0.5, 12.0), "size_mm": (2.0, 20.0)},
}
COEFFICIENTS = {"method": {"mEMR": 0.3, "ESD": -0.6}, "nlr > 4.44": 1.1, "size_mm": 0.05}


def test_a_published_logistic_model_worked_by_hand() -> None:
    model = RiskModel.from_coefficients(FORMULA, COEFFICIENTS, **BASE)
    new = {"method": ["ESD", "cEMR"], "nlr": [5.0, 4.44], "size_mm": [10.0, 20.0]}
    risk = model.predict(new)["risk"]
    # -2 - 0.6 + 1.1 + 0.5 = -1; -2 + 1 = -1
    np.testing.assert_allclose(risk, [1 / (1 + np.e)] * 2, rtol=1e-14)
    assert model.predict(new)["conf_low"].isna().all()
    assert any("no limits" in note for note in model.notes)
    with pytest.raises(DataError, match="size_mm is 60, outside 2 to 20"):
        model.predict({"method": ["ESD"], "nlr": [5.0], "size_mm": [60.0]})
    with pytest.raises(DataError, match="method is 'laser'"):
        model.predict({"method": ["laser"], "nlr": [5.0], "size_mm": [6.0]})


def test_ratios_and_other_spellings_are_the_same_model() -> None:
    first = RiskModel.from_coefficients(FORMULA, COEFFICIENTS, **BASE)
    flat = {"method[mEMR]": 0.3, "method[ESD]": -0.6, "I(nlr > 4.44)": 1.1, "size_mm": 0.05}
    ratios = {name: float(np.exp(value)) for name, value in flat.items()}
    second = RiskModel.from_coefficients(FORMULA, ratios, scale="ratio", **BASE)
    np.testing.assert_allclose(second.coef, first.coef, rtol=1e-14)


def test_centred_columns_and_limits_from_a_covariance() -> None:
    V = np.diag([0.04, 0.01])
    model = RiskModel.from_coefficients(
        "y ~ age",
        {"age": 0.1},
        intercept=-1.0,
        centre={"age": 50},
        covariance=V,
        ranges={"age": (20, 80)},
    )
    found = model.predict({"age": [50.0, 60.0]})
    np.testing.assert_allclose(found["risk"], 1 / (1 + np.exp([1.0, 0.0])), rtol=1e-13)
    # log odds -1 with variance 0.04, and 0 with 0.04 + 10^2 * 0.01: the intercept is that at 50
    half = 1.959963984540054 * np.sqrt([0.04, 1.04])
    for column, side in (("conf_low", -half), ("conf_high", half)):
        np.testing.assert_allclose(
            found[column], 1 / (1 + np.exp(-(np.array([-1.0, 0.0]) + side))), rtol=1e-12
        )


def test_a_centred_fit_typed_in_has_the_limits_of_the_fit() -> None:
    data = rn.load_cohort("duan2024")
    means = {"size_mm": float(data["size_mm"].mean()), "lvi": float(data["lvi"].mean())}
    shifted = data.assign(**{name: data[name] - mean for name, mean in means.items()})
    formula = "margin_positive ~ size_mm + lvi"
    fit = rn.logistic(shifted, formula, penalty=None, ci="wald")
    coef = fit.to_frame().set_index("term")["coef"]
    typed = RiskModel.from_coefficients(
        formula,
        {name: coef[name] for name in means},
        intercept=coef["(Intercept)"],
        centre=means,
        covariance=np.asarray(fit.vcov),
    )
    expected = rn.risk_model(
        rn.logistic(data, formula, penalty=None, ci="wald"), intercept="model"
    ).predict(data)
    pd.testing.assert_frame_equal(typed.predict(data), expected, rtol=1e-9)


def test_a_published_cox_model_worked_by_hand() -> None:
    model = RiskModel.from_coefficients(
        "Surv(months, relapse) ~ age + rcs(size, knots=[5, 10, 20])",
        {"age": 0.02, "rcs(size, knots=[5, 10, 20])": [0.1, -0.05]},
        baseline_survival=0.9,
        horizon=60,
        centre={"age": 60.0, "rcs(size, knots=[5, 10, 20])[1]": 8.0},
        ranges={"age": (20, 90), "size": (1, 40)},
    )
    assert model.horizon == 60
    cube = (3.0**3) / 15**2  # size 8 is beyond the first knot alone
    expected = 1 - 0.9 ** np.exp(0.02 * 10 + 0.1 * 0 - 0.05 * cube)
    found = model.predict({"age": [70.0], "size": [8.0]})
    np.testing.assert_allclose(found["risk"], expected, rtol=1e-12)


def test_numbers_of_a_fit_typed_in_give_its_risks() -> None:
    data = rn.load_cohort("duan2024")
    fit = rn.logistic(data, "margin_positive ~ location + lvi*nlr + rcs(size_mm, 4)", ci="wald")
    flic = rn.risk_model(fit)
    knots = list(flic.spec["learnt"]["rcs(size_mm, 4)"]["knots"])
    text = f"rcs(size_mm, knots={knots})"
    names = [c.name.replace("rcs(size_mm, 4)", text) for c in flic.design.columns]
    typed = RiskModel.from_coefficients(
        f"margin_positive ~ location + lvi*nlr + {text}",
        dict(zip(names[1:], flic.coef[1:].tolist(), strict=True)),
        intercept=float(flic.coef[0]),
        levels={"location": list(flic.variables["location"]["values"]), "lvi": [0, 1]},
    )
    np.testing.assert_allclose(typed.predict(data)["risk"], flic.predict(data)["risk"], rtol=1e-12)
    assert sum("no range was given" in note for note in typed.notes) == 2
    again = RiskModel.from_dict(typed.to_dict())
    pd.testing.assert_frame_equal(again.predict(data), typed.predict(data))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intercept": None}, "has intercept="),
        ({"horizon": 3}, "no baseline_survival or horizon"),
        ({"levels": {}}, "'method' is no column|is no column of the model"),
        ({"levels": {"method": ["a"]}}, "at least two different levels"),
        ({"levels": {"method": None}}, "at least two different levels"),
        ({"levels": {"method": {"a", "b"}}}, "at least two different levels"),
        ({"levels": {"metod": ["a", "b"]}}, "Did you mean 'method'"),
        ({"ranges": {"nrl": (0, 1)}}, "Did you mean 'nlr'"),
        ({"ranges": {"nlr": (5, 1)}}, "must rise"),
        ({"ranges": {"nlr": 5}}, "is a pair"),
        ({"scale": "odds"}, "scale='odds'"),
        ({"scale": "ratio"}, "a ratio is positive"),
        ({"centre": {"x": 1}}, "centre: 'x' is no column"),
        ({"covariance": np.eye(3)}, "5 by 5"),
        ({"covariance": -np.eye(5)}, "negative eigenvalues"),
        ({"intercept": float("nan")}, "intercept must be a finite number"),
        ({"levels": ["cEMR", "mEMR"]}, "levels is a mapping of names to values"),
        ({"levels": {"method": ["cEMR", float("nan")]}}, "at least two different levels"),
        ({"ranges": [1, 2]}, "ranges is a mapping of names to values"),
        ({"centre": [1, 2]}, "centre is a mapping of names to values"),
        ({"labels": ["a"]}, "labels is a mapping of names to values"),
        ({"labels": {"nlr": 3}}, r"labels\['nlr'\] is a text"),
        ({"source": 3}, "source is a text"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        RiskModel.from_coefficients(FORMULA, COEFFICIENTS, **{**BASE, **changes})


def test_coefficients_are_named_once_and_all() -> None:
    for wrong, message in [
        ({**COEFFICIENTS, "sex": 1.0}, "'sex' is no column"),
        (
            {"method": {"mEMR": 0.3, "ESD": -0.6}, "size_mm": 0.05},
            r"I\(nlr > 4.44\)' has no number",
        ),
        ({**COEFFICIENTS, "I(nlr > 4.44)": 1.0}, "given twice"),
        ({**COEFFICIENTS, "size_mm": "big"}, "finite number"),
        ({**COEFFICIENTS, "method": [0.1]}, "must have 2 numbers"),
        ([1.0], "is a mapping"),
    ]:
        with pytest.raises(OptionError, match=message):
            RiskModel.from_coefficients(FORMULA, wrong, **BASE)  # type: ignore[arg-type]


def test_formulas_that_say_too_little() -> None:
    with pytest.raises(FormulaError, match="outcome ~ terms"):
        RiskModel.from_coefficients("~ x", {"x": 1}, intercept=0)
    with pytest.raises(OptionError, match="write the published knots"):
        RiskModel.from_coefficients("y ~ rcs(x, 3)", {"rcs(x, 3)": [1, 1]}, intercept=0)
    with pytest.raises(OptionError, match="name its levels"):
        RiskModel.from_coefficients("y ~ I(g == 'a')", {"g == 'a'": 1}, intercept=0)
    with pytest.raises(OptionError, match="baseline_survival= and horizon="):
        RiskModel.from_coefficients("Surv(t, e) ~ x", {"x": 1}, intercept=0)
    for survival in (0.0, 1.0, 1.2):
        with pytest.raises(OptionError, match="baseline_survival"):
            RiskModel.from_coefficients(
                "Surv(t, e) ~ x", {"x": 1}, baseline_survival=survival, horizon=5
            )


def test_a_range_below_a_logarithm_is_refused() -> None:
    for term in ("log(x)", "rcs(log(x), knots=[0, 1, 2])"):
        slopes = {term: 1.0 if term == "log(x)" else [1.0, 2.0]}
        options: dict[str, Any] = {"intercept": 0.0}
        model = RiskModel.from_coefficients(f"y ~ {term}", slopes, ranges={"x": (1, 9)}, **options)
        assert model.predict({"x": [0.0]}, outside="flag")["reason"][0] == "x is 0, outside 1 to 9"
        with pytest.raises(OptionError, match="begins at 0, where log"):
            RiskModel.from_coefficients(f"y ~ {term}", slopes, ranges={"x": (0, 9)}, **options)
