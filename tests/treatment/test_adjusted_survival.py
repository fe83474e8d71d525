"""Adjusted survival curves: the g-formula by its definition, invariants, few events, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import (
    ColumnError,
    ConvergenceError,
    DataError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)

FORMULA = "Surv(time, event) ~ z + x + g"


def drawn(seed: int = 0, n: int = 150, *, effect: float = 0.6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=n), rng.choice(["a", "b", "c"], n)
    z = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int)
    time = rng.exponential(12 / np.exp(effect * z + 0.6 * x))
    return pd.DataFrame(
        {
            "x": x,
            "g": g,
            "z": z,
            "other": 1 - z,
            "time": np.ceil(np.minimum(time, 15)),
            "event": (time < 15).astype(int),
        }
    )


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("penalty", ["firth", None])
@pytest.mark.parametrize("formula", [FORMULA, "Surv(time, event) ~ rcs(x, 3) + z * g"])
def test_curves_average_the_model_over_the_cohort(
    formula: str, penalty: str | None, ties: str
) -> None:
    data = drawn(1)
    found = rn.adjusted_survival(
        data, formula, treatment="z", times=[4, 9.5], penalty=penalty, ties=ties, resamples=0
    )
    model = rn.cox(data, formula, penalty=penalty, ties=ties, ci="wald")
    for value in (0, 1):
        own = found.to_frame().query("group == @name", local_dict={"name": str(value)})
        each = model.survival(data.assign(z=value), own["time"].tolist())
        mean = each.groupby("time")["survival"].mean()
        np.testing.assert_allclose(own["survival"], mean, rtol=1e-10)
    curve = found.to_frame().set_index(["group", "time"])["survival"]
    rows = found.measures().set_index(["measure", "group", "time"])["estimate"]
    assert rows[("risk", "1", 9.5)] == pytest.approx(1 - curve[("1", 9.0)])
    difference = curve[("0", 4.0)] - curve[("1", 4.0)]
    assert rows[("risk difference", "1", 4.0)] == pytest.approx(difference)
    ratio = (1 - curve[("1", 4.0)]) / (1 - curve[("0", 4.0)])
    assert rows[("risk ratio", "1", 4.0)] == pytest.approx(ratio)
    steps = curve["1"][curve["1"].index < 9.5]
    times = np.concatenate(([0.0], steps.index, [9.5]))
    area = np.append(1.0, steps) @ np.diff(times)
    assert rows[("RMST", "1", 9.5)] == pytest.approx(area)
    assert rows[("RMST difference", "1", 9.5)] == pytest.approx(area - rows[("RMST", "0", 9.5)])


def test_without_covariates_it_is_the_model_itself() -> None:
    data = drawn(2)
    found = rn.adjusted_survival(data, "Surv(time, event) ~ g", times=8, resamples=0)
    each = rn.cox(data, "Surv(time, event) ~ g").survival({"g": ["a", "b", "c"]}, [8.0])
    risks = found.measures().query("measure == 'risk'")["estimate"]
    np.testing.assert_allclose(risks, 1 - each["survival"], rtol=1e-10)
    assert list(found.contrasts()["group"].unique()) == ["b", "c"]
    assert set(found.contrasts()["reference"]) == {"a"}


@pytest.mark.slow
@settings(max_examples=8)
@given(st.integers(0, 3_000))
def test_other_names_of_the_groups_turn_the_contrast_round(seed: int) -> None:
    data = drawn(seed)
    one = rn.adjusted_survival(data, FORMULA, times=5, resamples=20, seed=seed)
    two = rn.adjusted_survival(
        data, FORMULA.replace("z", "other"), times=5, resamples=20, seed=seed
    )
    a, b = (result.contrasts().set_index("measure") for result in (one, two))
    for name in ("risk difference", "RMST difference"):
        np.testing.assert_allclose(
            a.loc[name, ["estimate", "conf_low", "conf_high"]].astype(float),
            -b.loc[name, ["estimate", "conf_high", "conf_low"]].astype(float),
            rtol=1e-6,
            atol=1e-9,
        )
    assert a.loc["risk ratio", "estimate"] == pytest.approx(1 / b.loc["risk ratio", "estimate"])


def test_frequency_weights_are_replicated_rows() -> None:
    data = drawn(3, 90)
    freq = np.random.default_rng(1).integers(1, 4, len(data))
    again = data.loc[data.index.repeat(freq)]
    options = {"times": [3, 8], "tau": 10, "resamples": 40, "seed": 2}
    one = rn.adjusted_survival(data, FORMULA, freq_weights=freq, **options)
    two = rn.adjusted_survival(again, FORMULA, **options)
    for name in ("to_frame", "measures", "glance"):
        pd.testing.assert_frame_equal(
            getattr(one, name)(), getattr(two, name)(), rtol=1e-8, atol=1e-10
        )
    pd.testing.assert_frame_equal(one.at_risk, two.at_risk)


def test_each_resample_is_the_analysis_of_its_rows() -> None:
    from rnetstats.treatment.adjusted_rows import adjusted_rows
    from rnetstats.treatment.draws import patient_counts
    from rnetstats.treatment.standardised import resampled_curves

    data = drawn(4)
    model = rn.cox(data, FORMULA, ci="wald")
    adjusted = adjusted_rows(model, "z", [5.0], 5.0)
    draws, curves = resampled_curves(adjusted.rows, resamples=6, seed=3)
    (_, counts), *_ = patient_counts(len(data), 3, 6)
    for k in (0, 5):
        again = data.loc[data.index.repeat(counts[k].astype(int))]
        alone = rn.adjusted_survival(again, FORMULA, times=5, resamples=0)
        scale = [1 / (1 + np.exp(-v)) for v in draws.values[k, :2]]
        found = alone.measures()["estimate"].to_numpy()
        np.testing.assert_allclose(scale, found[:2], rtol=1e-7)
        np.testing.assert_allclose(draws.values[k, 4:], found[4:], rtol=1e-7)
    assert curves.shape == (6, 2, adjusted.rows.grid.size)


def test_the_bootstrap_is_reproducible_and_counted() -> None:
    data = drawn(5)
    one, two = (rn.adjusted_survival(data, FORMULA, resamples=300, seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(one.measures(), two.measures())
    row = one.glance().iloc[0]
    assert row["resamples"] == 300
    assert row["reason"] == ""
    frame = one.to_frame()
    assert (frame["conf_low"] <= frame["survival"]).mean() > 0.95
    assert (frame["conf_high"] >= frame["survival"]).mean() > 0.95
    assert frame["n_event"].sum() == row["n_events"] == data["event"].sum()


@pytest.mark.slow
def test_standardising_finds_the_truth_where_the_crude_contrast_does_not() -> None:
    rng = np.random.default_rng(8)
    size, n, effect, horizon = 40, 500, -0.7, 1.0
    grid = np.linspace(-6, 6, 2001)
    law = np.exp(-(grid**2) / 2) / np.exp(-(grid**2) / 2).sum()

    def risk(z: float) -> float:
        return float(law @ (1 - np.exp(-0.5 * horizon * np.exp(grid + effect * z))))

    truth = risk(1.0) - risk(0.0)
    found, crude = np.empty((2, size))
    for k in range(size):
        x = rng.normal(size=n)
        z = (rng.random(n) < 1 / (1 + np.exp(-1.2 * x))).astype(int)
        time = rng.exponential(2.0 / np.exp(x + effect * z))
        data = {"x": x, "z": z, "time": np.minimum(time, 1.5), "event": (time < 1.5).astype(int)}
        fit = rn.adjusted_survival(
            data, "Surv(time, event) ~ z + x", times=horizon, resamples=0, ties="breslow"
        )
        found[k] = fit.contrasts()["estimate"][0]
        crude[k] = (time[z == 1] <= horizon).mean() - (time[z == 0] <= horizon).mean()
    error = found.std(ddof=1) / np.sqrt(size)
    assert abs(found.mean() - truth) < 3 * error
    assert abs(crude.mean() - truth) > 10 * error


def test_few_events_in_a_group_leave_no_limits() -> None:
    data = drawn(6)
    control = data.index[data["z"] == 0]
    data["event"] = data["event"].where(data["z"] == 1, 0)
    data.loc[control[:4], "event"] = 1
    result = rn.adjusted_survival(data, FORMULA, times=5, seed=1)
    assert "4 in '0'" in result.reason
    assert result.measures()[["conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    assert result.to_frame()["conf_low"].isna().all()
    assert np.isfinite(result.measures()["estimate"]).all()
    assert result.groups["n_events"].tolist()[0] == 4
    data.loc[control[:4], "event"] = 0
    firth = rn.adjusted_survival(data, FORMULA, times=5)
    assert np.isfinite(firth.measures()["estimate"]).all()
    with pytest.raises(ConvergenceError, match="penalty='firth'"):
        rn.adjusted_survival(data, FORMULA, times=5, penalty=None)
    with pytest.raises(TooFewEventsError):
        rn.adjusted_survival(data.assign(event=0), FORMULA)


@pytest.mark.parametrize(
    ("formula", "options", "error", "words"),
    [
        (FORMULA, {"treatment": "zz"}, OptionError, "Did you mean 'z'"),
        (FORMULA, {"treatment": "x"}, OptionError, "'x' is a number"),
        (FORMULA, {"times": 16}, DataError, "beyond"),
        (FORMULA, {"tau": 16}, DataError, "tau=16 lies beyond"),
        (FORMULA, {"times": "5"}, OptionError, "finite number"),
        (FORMULA, {"times": []}, OptionError, "list of numbers"),
        (FORMULA, {"times": -1}, OptionError, "times"),
        (FORMULA, {"resamples": 1.5}, OptionError, "resamples"),
        (FORMULA, {"ties": "exact", "penalty": None}, OptionError, "ties='exact'"),
        (f"{FORMULA} + strata(g)", {}, FormulaError, "strata"),
        ("Surv(time, event) ~ z + offset(x)", {}, FormulaError, r"offset\(\)"),
        ("Surv(time, event) ~ z + cluster(g)", {}, FormulaError, r"cluster\(\)"),
        ("Surv(time, event) ~ one + x", {}, ColumnError, "'one' is 1 in all"),
        ("event ~ z + x", {}, FormulaError, "Surv"),
    ],
)
def test_bad_input(formula: str, options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        rn.adjusted_survival(drawn().assign(one=1), formula, **options)


def test_a_condition_makes_two_groups() -> None:
    data = drawn(9).assign(is_b=lambda d: (d["g"] == "b").astype(int))
    one = rn.adjusted_survival(
        data, 'Surv(time, event) ~ I(g == "b") * z + x', times=5, resamples=30, seed=1
    )
    two = rn.adjusted_survival(
        data, "Surv(time, event) ~ is_b * z + x", times=5, resamples=30, seed=1
    )
    assert one.groups["group"].tolist() == ['g != "b"', 'g == "b"']
    names = ["estimate", "conf_low", "conf_high"]
    np.testing.assert_allclose(one.measures()[names], two.measures()[names], rtol=1e-9)
    assert one.groups["n_events"].tolist() == two.groups["n_events"].tolist()
    high = rn.adjusted_survival(data, "Surv(time, event) ~ z + I(x > 0.2)", treatment="x", times=5)
    assert high.groups["group"].tolist() == ["x <= 0.2", "x > 0.2"]
    assert high.groups["n"].tolist()[1] == (data["x"] > 0.2).sum()


def test_missing_values_and_unused_levels_are_said() -> None:
    data = drawn(7)
    data["g"] = pd.Categorical(data["g"], categories=["c", "b", "a", "d"])
    data.loc[:7, "x"] = np.nan
    result = rn.adjusted_survival(data, FORMULA, treatment="g", times=5, resamples=0)
    assert result.glance()[["n", "n_missing"]].iloc[0].tolist() == [142, 8]
    assert result.groups["group"].tolist() == ["c", "b", "a"]
    assert any("missing" in note for note in result.notes)
    late = drawn(7).assign(start=lambda d: 0.4 * d["time"])
    formula = FORMULA.replace("time", "start, time")
    found = rn.adjusted_survival(late, formula, times=5, resamples=0)
    each = rn.cox(late, formula).survival(late.assign(z=1), [5.0])
    assert found.measures()["estimate"][1] == pytest.approx(1 - each["survival"].mean())


def test_before_any_event_there_are_no_limits() -> None:
    data = drawn(9).assign(time=lambda d: d["time"] + 5)
    found = rn.adjusted_survival(data, FORMULA, times=[1, 12], tau=2, resamples=20, seed=1)
    table = found.measures()
    early = table["time"] < 6
    limits = table[["std_error", "conf_low", "conf_high", "p_value"]]
    assert limits[early].isna().all(axis=None)
    assert limits[~early][["std_error", "conf_low", "conf_high"]].notna().all(axis=None)
    assert table.loc[early & (table["measure"] == "risk"), "estimate"].eq(0.0).all()
    assert any(note.startswith("No event by 1, 2: the risk there is 0") for note in found.notes)
