"""What cutting a number in two costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from scipy.special import expit, ndtri

import rnetstats as rn
from rnetstats.errors import ColumnError, FormulaError, OptionError, TooFewEventsError
from support import read


def test_a_normal_number_cut_at_its_median_keeps_two_of_pi() -> None:
    x = ndtri((np.arange(400) + 0.5) / 400)
    risk = expit(0.1 * x - 0.5)
    data = pd.DataFrame(
        {
            "x": np.tile(x, 2),
            "y": np.repeat([1, 0], 400),
            "w": np.round(1e7 * np.concatenate([risk, 1 - risk])),
        }
    )
    found = rn.dichotomising_cost(data, "y ~ x", cuts={"x": 0.0}, freq_weights="w")
    assert found.glance()["efficiency"][0] == pytest.approx(2 / np.pi, abs=0.004)
    assert found.glance()["effective_n"][0] == pytest.approx(
        found.n * found.glance()["efficiency"][0]
    )


def test_models_are_those_of_logistic() -> None:
    data = read("rnet_like_a.csv")
    found = rn.dichotomising_cost(
        data,
        "margin_positive ~ nlr + location + size_mm",
        cuts={"nlr": 3.0},
        thresholds=[0.25, 0.4],
    )
    assert found.to_frame()["df"].tolist() == [1, 1, 3]
    base = rn.logistic(data, "margin_positive ~ location + size_mm", penalty=None, ci="wald")
    for name, term in (("cut", "I(nlr > 3)"), ("linear", "nlr"), ("spline", "rcs(nlr, 4)")):
        row = found.to_frame().set_index("model").loc[name]
        fit = rn.logistic(
            data, f"margin_positive ~ {term} + location + size_mm", penalty=None, ci="wald"
        )
        ll = fit.glance()["log_likelihood"][0] - base.glance()["log_likelihood"][0]
        assert row["lr_chi2"] == pytest.approx(2 * ll, rel=1e-9)
        risk, y = fit.predict(data).to_numpy(float).ravel(), data["margin_positive"].to_numpy()
        pairs = risk[y == 1][:, None] - risk[y == 0]
        assert row["auc"] == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)))
        positive = risk >= 0.25
        by_hand = (positive & (y == 1)).mean() - (positive & (y == 0)).mean() / 3
        assert row["net_benefit_0.25"] == pytest.approx(by_hand)
        assert row["brier"] == pytest.approx(np.mean((y - risk) ** 2))


def test_rows_are_the_same_in_all_models_and_weights_replicate() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"x": rng.normal(size=90), "z": rng.normal(size=90)})
    data["y"] = (rng.random(90) < expit(data["x"])).astype(int)
    data.loc[[3, 5], "z"] = np.nan
    data["w"] = rng.integers(0, 3, 90)
    weighted = rn.dichotomising_cost(data, "y ~ x + z", cuts={"x": 0.2}, freq_weights="w")
    again = data.loc[np.repeat(np.arange(90), data["w"])].reset_index(drop=True)
    plain = rn.dichotomising_cost(again, "y ~ x + z", cuts={"x": 0.2})
    pd.testing.assert_frame_equal(weighted.to_frame(), plain.to_frame(), rtol=1e-8)
    assert weighted.n_missing == 2 and plain.n == weighted.n


def test_risk_functions_jump_only_where_cut() -> None:
    data = read("rnet_like_a.csv")
    found = rn.dichotomising_cost(
        data, "margin_positive ~ nlr + size_mm", cuts={"nlr": 3.0, "size_mm": 9.75}
    )
    curves = found.curves[(found.curves["variable"] == "nlr") & (found.curves["model"] == "cut")]
    assert curves["risk"].nunique() == 2
    low = curves.loc[curves["x"] <= 3.0, "risk"]
    assert low.nunique() == 1
    assert found.plot(variable="size_mm").has_data()
    with pytest.raises(OptionError, match="is not cut"):
        found.plot(variable="age")
    plt.close("all")


@pytest.mark.parametrize(
    ("formula", "options", "error", "match"),
    [
        ("y ~ x", {"cuts": {}}, OptionError, "cuts="),
        ("y ~ x", {"cuts": {"z": 1}}, OptionError, "no term of its own"),
        ("y ~ x", {"cuts": {"x": "high"}}, OptionError, "finite number"),
        ("y ~ x", {"cuts": {"x": 0}, "thresholds": [1.2]}, OptionError, "thresholds"),
        ("y ~ x * z", {"cuts": {"x": 0}}, FormulaError, "to be cut"),
        ("y ~ x", {"cuts": {"x": 99}}, ColumnError, "x > 99"),
    ],
)
def test_refusals(
    formula: str, options: dict[str, object], error: type[Exception], match: str
) -> None:
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=50), "z": rng.normal(size=50), "y": np.arange(50) % 2}
    with pytest.raises(error, match=match):
        rn.dichotomising_cost(data, formula, **options)  # type: ignore[arg-type]


def test_a_constant_outcome_has_nothing_to_lose() -> None:
    with pytest.raises(TooFewEventsError, match="'y' is 0 in all 30 rows used"):
        rn.dichotomising_cost({"y": np.zeros(30), "x": np.arange(30.0)}, "y ~ x", cuts={"x": 9.0})


def test_models_without_a_maximum_are_named_as_in_a_sentence() -> None:
    x = np.arange(40.0)
    data = {"x": x, "y": (x > 25.5).astype(int)}
    note = rn.dichotomising_cost(data, "y ~ x", cuts={"x": 20.5}).notes[-1]
    assert note.startswith("The likelihoods of the cut, linear and spline models have no maximum")
    assert "their figures" in note
