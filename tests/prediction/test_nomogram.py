"""The nomogram reads what predict() computes, and its texts do not cover each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Annotation

import rnetstats as rn
from rnetstats.errors import DataError, OptionError
from rnetstats.prediction.model import RiskModel
from rnetstats.prediction.nomogram_ticks import nice_ticks

BINARY = [
    "method + location + I(nlr > 4.44) + I(size_mm > 14.89)",
    "method + location + rcs(nlr, 4) + rcs(size_mm, 4)",
    "lvi + log(nlr) + ns(age, 4) + size_mm",
    "method*nlr + lvi*location + rcs(age, 3)",
    "nlr + I(nlr >= 3) + I(size_mm <= 10) + I(size_mm > 15) + I(age != 60) + location",
]


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


def domain(model: RiskModel, count: int = 4000) -> pd.DataFrame:
    """Patients all over the domain of each variable, its ends and jumps among them."""
    rng = np.random.default_rng(0)
    columns: dict[str, object] = {}
    for name, about in model.variables.items():
        if about["values"]:
            columns[name] = rng.choice(np.array(about["values"], dtype=object), count)
            continue
        ends = [about["low"], about["high"], 4.44, 14.89, 3.0, 10.0, 15.0, 60.0]
        inside = [v for v in ends if about["low"] <= v <= about["high"]]
        inside += [float(np.nextafter(v, 0)) for v in inside[2:]]
        columns[name] = np.concatenate(
            [rng.uniform(about["low"], about["high"], count - 800), rng.choice(inside, 800)]
        )
    return pd.DataFrame(columns)


@pytest.mark.slow
@pytest.mark.parametrize("right", BINARY)
def test_the_chart_agrees_with_predict_over_the_domain(cohort: pd.DataFrame, right: str) -> None:
    model = rn.risk_model(rn.logistic(cohort, f"margin_positive ~ {right}", ci="wald"))
    chart = model.nomogram()
    new = domain(model)
    expected = model.predict(new, outside="extrapolate")["risk"]  # leverage is not for charts
    assert np.abs(chart.read(new)["risk"] - expected).max() < 0.001
    frame = chart.to_frame()
    assert frame["points"].min() == 0.0
    np.testing.assert_allclose(frame["points"].max(), 100.0)
    assert chart.totals["risk"].is_monotonic_increasing


@pytest.mark.parametrize("right", ["age + rcs(size_mm, 3)", "margin_positive + log(age)"])
def test_a_cox_nomogram_agrees_too(cohort: pd.DataFrame, right: str) -> None:
    fit = rn.cox(cohort, f"Surv(dfs_months, dfs_event) ~ {right}", ci="wald")
    model = rn.risk_model(fit, horizon=36)
    new = domain(model)
    expected = model.predict(new, outside="extrapolate")["risk"]
    assert np.abs(model.nomogram().read(new)["risk"] - expected).max() < 0.001


def test_skewed_variables_and_wide_ranges_agree_too() -> None:
    """Knots that lie within a hundredth of the range, and a predictor that runs over 500."""
    rng = np.random.default_rng(1)
    z = np.exp(2.0 * rng.normal(size=300))
    y = (rng.random(300) < 1.0 / (1.0 + np.sqrt(z))).astype(int)
    model = rn.risk_model(rn.logistic({"y": y, "z": z}, "y ~ rcs(z, 4)"))
    patients = {"z": np.concatenate([z, rng.uniform(z.min(), z.max(), 500)])}
    wide = rn.RiskModel.from_coefficients(
        "y ~ x", {"x": 0.05}, intercept=-200.0, ranges={"x": (0, 10_000)}
    )
    for made, table in ((model, patients), (wide, {"x": rng.uniform(3900.0, 4100.0, 500)})):
        read = made.nomogram().read(table)["risk"]
        expected = made.predict(table, outside="extrapolate")["risk"]
        np.testing.assert_allclose(read, expected, rtol=0, atol=0.001)


def test_a_skewed_variable_has_marks_where_its_patients_are() -> None:
    """Half the points of a logarithm of 0.01 to 100 lie below 1, where even ticks have none."""
    model = rn.RiskModel.from_coefficients(
        "y ~ log(x)", {"log(x)": 1.0}, intercept=0.0, ranges={"x": (0.01, 100)}
    )
    table = model.nomogram().to_frame()
    marks = table[table["tick"] != ""]
    assert list(marks["tick"]) == ["0.01", "0.05", "0.5", "5", "20", "40", "60", "80", "100"]
    assert np.diff(np.sort(marks["points"])).max() <= 100 / 3
    even = rn.RiskModel.from_coefficients(
        "y ~ log(x)", {"log(x)": 1.0}, intercept=0.0, ranges={"x": (50, 100)}
    )
    ticks = even.nomogram().to_frame()["tick"]
    assert [tick for tick in ticks if tick] == ["50", "60", "70", "80", "90", "100"]


def test_points_worked_by_hand() -> None:
    model = RiskModel.from_coefficients(
        "y ~ g + x + I(z > 5)",
        {"g[b]": -1.0, "x": 0.2, "z > 5": 0.5},
        intercept=-2.0,
        levels={"g": ["a", "b"]},
        ranges={"x": (0, 10), "z": (0, 9)},
    )
    chart = model.nomogram()
    # x spans 2 on the log odds: 100 points; g spans 1: 50, z 0.5: 25
    points = chart.read({"g": ["a", "b", "b"], "x": [0.0, 10.0, 5.0], "z": [0.0, 5.0, 6.0]})
    np.testing.assert_allclose(points["points"], [50.0, 100.0, 75.0])
    np.testing.assert_allclose(points["risk"], 1 / (1 + np.exp([2.0, 1.0, 1.5])), atol=1e-5)
    frame = chart.to_frame()
    steps = frame[(frame["term"] == "z") & (frame["tick"] != "")]
    assert steps["tick"].tolist() == ["≤ 5", "> 5"]
    assert chart.glance()["total_points"].iloc[0] == pytest.approx(175.0)
    halved = model.nomogram(points=10).read({"g": ["b"], "x": [5.0], "z": [6.0]})
    np.testing.assert_allclose(halved["points"], [7.5])


def test_intervals_are_named_by_their_conditions() -> None:
    model = RiskModel.from_coefficients(
        "y ~ I(x >= 10) + I(x > 20)",
        {"x >= 10": 1, "x > 20": 1},
        intercept=0,
        ranges={"x": (0, 40)},
    )
    frame = model.nomogram().to_frame()
    ticks = frame.loc[frame["tick"] != "", "tick"].tolist()
    assert ticks == ["< 10", "≥ 10 and ≤ 20", "> 20"]
    single = RiskModel.from_coefficients(
        "y ~ I(x == 10)", {"x == 10": 1}, intercept=0, ranges={"x": (0, 40)}
    )
    frame = single.nomogram().to_frame()
    assert frame.loc[frame["tick"] != "", "tick"].tolist() == ["< 10", "10", "> 10"]


def test_the_risk_axis_names_the_event(cohort: pd.DataFrame) -> None:
    fit = rn.cox(cohort, "Surv(dfs_months, dfs_event) ~ age + size_mm")
    names = [t.get_text() for t in rn.risk_model(fit, horizon=36).plot().get_yticklabels()]
    assert "Surv" not in names[-1]
    assert "by 36" in names[-1].replace("\n", " ")


def test_what_has_no_chart(cohort: pd.DataFrame) -> None:
    def model(right: str, data: pd.DataFrame = cohort) -> RiskModel:
        return rn.risk_model(rn.logistic(data, f"margin_positive ~ {right}", ci="wald"))

    with pytest.raises(OptionError, match="nlr and size_mm interact"):
        model("nlr*size_mm").nomogram()
    shifted = cohort.assign(shift=np.linspace(0, 1, len(cohort)))
    with pytest.raises(OptionError, match="offset has no axis"):
        model("nlr + offset(shift)", shifted).nomogram()
    cox = rn.cox(cohort, "Surv(dfs_months, dfs_event) ~ age + strata(location)")
    with pytest.raises(OptionError, match="Strata"):
        rn.risk_model(cox, horizon=36).nomogram()
    bare = RiskModel.from_coefficients("y ~ x", {"x": 1.0}, intercept=0.0)
    with pytest.raises(OptionError, match="no range"):
        bare.nomogram()
    flat = RiskModel.from_coefficients("y ~ x", {"x": 0.0}, intercept=0.0, ranges={"x": (0, 1)})
    with pytest.raises(OptionError, match="nothing to draw"):
        flat.nomogram()
    with pytest.raises(OptionError, match="points"):
        model("nlr").nomogram(points=0)
    with pytest.raises(DataError, match="Row 2"):
        model("nlr").nomogram().read({"nlr": [3.0, 99.0]})


@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(1e-3, 1e6, allow_nan=False),
)
def test_ticks_are_round_few_and_inside(low: float, width: float) -> None:
    high = low + width
    ticks = nice_ticks(low, high)
    assert 1 <= len(ticks) <= 12
    room = 1e-6 * width + 1e-9 * max(abs(low), abs(high))
    assert all(low - room <= tick <= high + room for tick in ticks)
    steps = np.diff(ticks)
    if len(steps) > 1:
        np.testing.assert_allclose(steps, steps[0], rtol=1e-4, atol=1e-9 * abs(high))


@pytest.mark.slow
@pytest.mark.parametrize("right", BINARY)
def test_texts_do_not_overlap(cohort: pd.DataFrame, right: str) -> None:
    model = rn.risk_model(rn.logistic(cohort, f"margin_positive ~ {right}", ci="wald"))
    axes = model.nomogram().plot()
    figure = axes.figure
    figure.canvas.draw()
    texts = [t for t in axes.texts if isinstance(t, Annotation) and t.get_text()]
    names = [t for t in axes.get_yticklabels() if t.get_text()]
    assert len(names) >= 4
    boxes = [(t.get_text(), t.get_window_extent()) for t in [*texts, *names]]
    for (one, a), (two, b) in itertools.combinations(boxes, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 1 or high <= 3, f"{one!r} and {two!r} overlap"
    inside = figure.bbox
    assert all(box.x0 >= inside.x0 - 1 and box.x1 <= inside.x1 + 1 for _, box in boxes)


def test_drawn_cohorts_are_marked_and_real_ones_not(cohort: pd.DataFrame) -> None:
    model = rn.risk_model(rn.logistic(cohort, "margin_positive ~ nlr + size_mm"))
    assert "Synthetic data" in [t.get_text() for t in model.plot().texts]
    plain = RiskModel.from_coefficients("y ~ x", {"x": 1.0}, intercept=0.0, ranges={"x": (0, 1)})
    assert "Synthetic data" not in [t.get_text() for t in plain.plot().texts]


def test_odd_names_are_shown_as_they_are() -> None:
    model = RiskModel.from_coefficients(
        "y ~ `cost ($)` + g",
        {"cost ($)": 1.0, "g": {"a $ long level of many words": 1.0, "another $ level": 1.01}},
        intercept=0.0,
        levels={"g": ["none", "a $ long level of many words", "another $ level"]},
        ranges={"cost ($)": (0, 1)},
    )
    axes = model.plot()
    axes.figure.canvas.draw()
    assert any("cost (\\$)" in t.get_text() for t in axes.get_yticklabels())


@pytest.mark.parametrize("kind", [float, "Int64"])
def test_a_missing_condition_is_refused_in_words(cohort: pd.DataFrame, kind: Any) -> None:
    chart = rn.risk_model(rn.logistic(cohort, "margin_positive ~ size_mm * lvi")).nomogram()
    new = cohort.head(3).astype({"lvi": kind})
    assert len(chart.read(new)) == 3
    new.loc[new.index[1], "lvi"] = pd.NA if kind == "Int64" else np.nan
    with pytest.raises(DataError, match="Row 2 has a value that is on no axis"):
        chart.read(new)
