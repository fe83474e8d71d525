"""Effects and standardised risks of pooled models, against loops of the test's own."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from scipy import stats
from scipy.special import expit, logit

import rnetstats as rn
from rnetstats.errors import DataNotKeptError, OptionError
from rnetstats.missing.pooled_result import PooledResult
from rnetstats.missing.rubin import pool_numbers
from support import assert_close

M = 6
MODEL = "y ~ x + g + z"


@cache
def holes(n: int = 300) -> pd.DataFrame:
    """Values of x and levels of g that are missing by the outcome."""
    rng = np.random.default_rng(3)
    z, x = rng.normal(size=(2, n))
    g = rng.choice(["low", "mid", "top"], n)
    y = (rng.random(n) < expit(-0.5 + 0.5 * x + 0.8 * (g == "top") + 0.4 * z)).astype(float)
    t = rng.exponential(np.exp(-0.5 * x))
    gone = rng.random((2, n)) < expit(y - 1.5)
    data = pd.DataFrame({"y": y, "x": x, "g": g, "z": z, "t": t, "w": 1.0 + np.arange(n) % 3})
    data["g"] = data["g"].astype("category")
    return data.assign(x=data["x"].mask(gone[0]), g=data["g"].mask(gone[1]))


@cache
def filled() -> list[pd.DataFrame]:
    made = rn.impute(holes(), columns=["x", "g", "z", "y"], imputations=M, seed=1)
    return list(made)


def fitted(formula: str = MODEL, **options: Any) -> PooledResult:
    result = rn.pool([rn.logistic(d, formula, **options) for d in filled()])
    assert isinstance(result, PooledResult)
    return result


def rubin(Q, U, dfcom, conf_level=0.95):
    """Rubin's rules and Barnard and Rubin's degrees of freedom, written out."""
    m = len(Q)
    between = np.var(Q, ddof=1)
    total = np.mean(U) + (1 + 1 / m) * between
    share = max((1 + 1 / m) * between / total, 1e-4)
    old, seen = (m - 1) / share**2, (dfcom + 1) / (dfcom + 3) * dfcom * (1 - share)
    df = old * seen / (old + seen)
    centre, error = np.mean(Q), np.sqrt(total)
    reach = stats.t.ppf(0.5 + conf_level / 2, df) * error
    p_value = 2 * stats.t.sf(abs(centre) / error, df)
    return centre, error, centre - reach, centre + reach, p_value


def risk_and_gradient(fit, data, value, weight, variable="g"):
    """A standardised risk and its derivatives, by finite differences of the coefficients."""
    spec = fit.design
    X = spec.matrix(data.assign(**{variable: value}))

    def risk(b):
        return np.average(expit(X @ b), weights=weight)

    b, step = fit.coef.to_numpy(), 1e-5
    sides = [(risk(b + step * e), risk(b - step * e)) for e in np.eye(len(b))]
    return risk(b), np.array([(up - down) / (2 * step) for up, down in sides])


@pytest.mark.parametrize(
    ("options", "conf_level"),
    [
        ({}, None),
        ({"penalty": None}, 0.8),
        ({"freq_weights": "w", "ci": "wald"}, None),
        ({"sampling_weights": "w", "penalty": None}, None),
    ],
)
def test_risks_are_rubins_rules_on_each_fits_own(options, conf_level):
    fits = [rn.logistic(d, MODEL, **options) for d in filled()]
    result = rn.pool(fits, conf_level=conf_level)
    weight = holes()["w"] if "w" in options.values() else np.ones(300)
    got = result.risks("g", reference="top").to_frame()
    assert got["value"].tolist() == ["low", "mid", "top", "low", "low", "mid", "mid"]
    assert set(got["reference"]) == {"top"}
    each = [
        {v: risk_and_gradient(f, d, v, weight) for v in ("low", "mid", "top")}
        for f, d in zip(fits, filled(), strict=True)
    ]
    level = conf_level or 0.95
    n = float(np.sum(weight)) if "freq_weights" in options else 300
    for row in got.to_dict("records"):
        Q, U = [], []
        for fit, found in zip(fits, each, strict=True):
            (p, a), (q, b) = found[row["value"]], found["top"]
            if row["measure"] == "risk":
                value, slope = logit(p), a / (p * (1 - p))
            elif row["measure"] == "risk difference":
                value, slope = p - q, a - b
            else:
                value, slope = np.log(p / q), a / p - b / q
            Q.append(value)
            U.append(slope @ fit.covariance @ slope)
        centre, error, low, high, p_value = rubin(Q, U, n - 5, level)
        if row["measure"] == "risk":
            centre, low, high = expit([centre, low, high])
            error *= centre * (1 - centre)
            assert np.isnan(row["p_value"])
        else:
            assert_close(row["p_value"], p_value, rel=1e-6)
        if row["measure"] == "risk ratio":
            centre, low, high = np.exp([centre, low, high])
        numbers = [row["estimate"], row["conf_low"], row["conf_high"], row["std_error"]]
        assert_close(numbers, [centre, low, high, error], rel=1e-6)


def test_effect_is_rubins_rules_on_each_fits_own_contrasts():
    formula = "y ~ rcs(z, knots=[-1, 0, 1]) * x + g"
    fits = [rn.logistic(d, formula) for d in filled()]
    result = rn.pool(fits)
    asked = {"values": [-1.5, 0.2, 2.0], "reference": 0.5, "at": {"x": 1.0}}
    got = result.effect("z", **asked).to_frame()
    each = [fit.effect("z", **asked).to_frame() for fit in fits]
    assert list(got) == list(each[0])
    for k in range(3):
        Q, U = [e["coef"][k] for e in each], [e["std_error"][k] ** 2 for e in each]
        centre, error, low, high, _ = rubin(Q, U, 300 - len(result.coef))
        want = [*np.exp([centre, low, high]), centre, error]
        assert_close(got.iloc[k, 1:].to_numpy(dtype=float), want)


def test_effect_of_a_level_is_the_row_of_the_table():
    for result in (fitted(), rn.pool([rn.cox(d, "Surv(t, y) ~ x + g") for d in filled()])):
        effect = result.effect("g")
        rows = result.to_frame().set_index("level").loc[["mid", "top"]]
        for name in ("estimate", "conf_low", "conf_high", "coef", "std_error"):
            assert_close(effect.to_frame()[name][1:], rows[name])
        first = effect.to_frame().iloc[0]
        assert first[["estimate", "conf_low", "conf_high", "std_error"]].tolist() == [1, 1, 1, 0]
        assert effect.measure == rows["measure"].iloc[0]


def test_equal_fits_pool_to_their_own_risks_and_effects():
    fit = rn.logistic(filled()[0], MODEL)
    result = rn.pool([fit, fit, fit])
    one, pooled = fit.risks("x"), result.risks("x")
    kept = ["variable", "value", "reference", "measure"]
    pd.testing.assert_frame_equal(one.to_frame()[kept], pooled.to_frame()[kept])
    for name in ("estimate", "std_error"):
        assert_close(pooled.to_frame()[name], one.to_frame()[name])
        assert_close(result.effect("x").to_frame()[name], fit.effect("x").to_frame()[name])
    assert list(pooled.to_frame()) == list(one.to_frame())
    assert (one.n, one.label, one.outcome) == (pooled.n, pooled.label, pooled.outcome)
    assert result.effect("x").reference == fit.effect("x").reference
    # the t distribution of nearly n less p degrees of freedom, where the fit has the normal one
    ratio = pooled.to_frame().iloc[3]
    reach = np.log(ratio["conf_high"] / ratio["estimate"])
    assert_close(reach / ratio["std_error"], stats.t.ppf(0.975, 293), rel=1e-5)


def test_what_the_risks_do_not_depend_on():
    fits = [rn.logistic(d, MODEL) for d in filled()]
    one = rn.pool(fits).risks("g").to_frame()
    turned = rn.pool(fits[::-1]).risks("g").to_frame()
    assert_close(turned["estimate"], one["estimate"])
    assert_close(turned["conf_low"], one["conf_low"])
    no = [rn.logistic(d.assign(y=1 - d["y"]), MODEL) for d in filled()]
    other = rn.pool(no).risks("g").to_frame()
    risk, difference = one["measure"] == "risk", one["measure"] == "risk difference"
    assert_close(other["estimate"][risk], 1 - one["estimate"][risk])
    assert_close(other["conf_low"][risk], 1 - one["conf_high"][risk])
    assert_close(other["estimate"][difference], -one["estimate"][difference])
    back = rn.pool(fits).risks("g", values=["low", "top"], reference="top").to_frame()
    there = one[(one["value"] == "top") & (one["measure"] == "risk ratio")].iloc[0]
    again = back[back["measure"] == "risk ratio"].iloc[0]
    assert_close(again["estimate"], 1 / there["estimate"])
    assert_close(again["conf_low"], 1 / there["conf_high"])
    assert_close(again["p_value"], there["p_value"])


def test_an_imputed_variable_is_looked_at_where_all_imputations_can_be():
    result = fitted()
    medians = sorted(d["x"].median() for d in filled())
    effect = result.effect("x")
    assert effect.reference == medians[2]
    assert_close(effect.to_frame()["value"].iloc[[0, -1]], _range("x"))
    shown = result.risks("x").to_frame()["value"].tolist()
    quartiles = [sorted(d["x"].quantile(q) for d in filled())[2] for q in (0.25, 0.75)]
    assert_close(shown[:2], quartiles)


def _range(name: str) -> list[float]:
    return [min(d[name].min() for d in filled()), max(d[name].max() for d in filled())]


def test_notes_say_how_the_numbers_were_pooled_and_what_is_missing():
    result = fitted()
    risks = result.risks("g")
    assert any("as observed or imputed" in note for note in risks.notes)
    each = [fit.risks("g").to_frame().iloc[[3, 5]] for fit in result.fits]
    Q, U = [e["estimate"] for e in each], [e["std_error"] ** 2 for e in each]
    some = pool_numbers(Q, U, 295)
    said = next(note for note in risks.notes if "missing information" in note)
    assert int(said.split("up to ")[1].split(" ")[0]) >= np.floor(100 * some.fmi.max())
    assert "logit" in said
    effect = result.effect("x")
    x = result.to_frame().set_index("term").loc["x", "fmi"]
    assert any(f"up to {100 * x:.0f} %" in note for note in effect.notes)


def test_caveats_of_the_fits_are_said_once():
    data = [d.assign(h=((d.index % 29 == 0) & (d["y"] == 1)).astype(float)) for d in filled()]
    data[0] = data[0].assign(h=(data[0].index % 29 == 0).astype(float))
    notes = rn.pool([rn.logistic(d, "y ~ h") for d in data]).risks("h").notes
    separated = [note for note in notes if note.startswith("The data are separated")]
    assert len(separated) == 1
    assert "(In 5 of 6 imputations.)" in separated[0]
    few = [d.assign(y=(d.index % 50 == 0).astype(float)) for d in filled()]
    pooled = rn.pool([rn.logistic(d, MODEL) for d in few])
    predicted = np.mean([fit.predict(d).mean() for fit, d in zip(pooled.fits, few, strict=True)])
    said = [note for note in pooled.risks("g").notes if "draws risks towards a half" in note]
    assert len(said) == 1
    assert f"{100 * predicted:.1f} % on average, where 2.0 % had the event" in said[0]


def test_risks_far_outside_the_data_have_no_limits():
    found = fitted().risks("x", values=[0, -1e6])
    near, far, difference, ratio = found.to_frame().to_dict("records")
    assert near["conf_low"] < near["estimate"] < near["conf_high"]
    assert far["estimate"] == 0.0
    assert_close(difference["estimate"], -near["estimate"], rel=0.01)
    assert np.isfinite(difference["conf_low"])
    assert np.isnan([far["conf_low"], far["conf_high"], ratio["estimate"], ratio["p_value"]]).all()
    assert any("0 or 1 to the last digit" in note for note in found.notes)


def test_effects_survive_json_and_risks_need_the_fits():
    result = fitted()
    back = PooledResult.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    for name in ("x", "g"):
        pd.testing.assert_frame_equal(
            back.effect(name).to_frame(), result.effect(name).to_frame(), check_dtype=False
        )
    with pytest.raises(DataNotKeptError, match="standardised risk"):
        back.risks("g")


def test_what_cannot_be_asked_is_refused_in_words():
    result = fitted()
    for method in (result.risks, result.effect):
        with pytest.raises(OptionError, match=r"'gg' is not in the model"):
            method("gg")
        with pytest.raises(OptionError, match=r"no level 'lo'.*Did you mean 'low'"):
            method("g", values=["lo", "mid"])
        with pytest.raises(OptionError, match=r"no level 4"):
            method("g", reference=4)
    with pytest.raises(OptionError, match="at least two values"):
        result.risks("g", values=["low"])
    with pytest.raises(OptionError, match=r"'x' is not in the model\. It has no variables\."):
        fitted("y ~ 1").effect("x")
    times = rn.pool([rn.cox(d, "Surv(t, y) ~ x + g") for d in filled()])
    with pytest.raises(OptionError, match=r"logistic models; these fits are CoxResult\. effect"):
        times.risks("g")


def test_values_are_shown_without_digits_that_say_nothing():
    for result in (fitted(), rn.logistic(filled()[0], MODEL)):
        values = result.risks("x").display()["x"]
        assert values.str.fullmatch(r"-?\d\.\d{1,4}").all()
    assert fitted().risks("x", values=[0.5, 2.0]).display()["x"].tolist()[:2] == ["0.5", "2"]


def test_effects_and_risks_are_drawn():
    result = fitted()
    for axes in (result.plot_effect("x"), result.plot_effect("g"), result.risks("g").plot()):
        assert axes.has_data()
    plt.close("all")


@pytest.mark.slow
def test_pooled_risks_hold_the_truth():
    """Values missing by the outcome: 300 data sets, the true risks by the law they come from."""
    rng = np.random.default_rng(20)
    b, replicates, n = np.array([-0.8, 0.9, 0.6]), 300, 300
    z = np.random.default_rng(0).normal(size=400_000)
    p1, p0 = (float(expit(b[0] + b[1] * v + b[2] * z).mean()) for v in (1, 0))
    truth = np.array([p0, p1, p1 - p0, p1 / p0])
    inside = np.zeros((replicates, 4))
    for k in range(replicates):
        z = rng.normal(size=n)
        x = (rng.random(n) < 0.4).astype(float)
        y = (rng.random(n) < expit(b[0] + b[1] * x + b[2] * z)).astype(float)
        gone = rng.random(n) < expit(-1.5 + 1.5 * y)
        data = pd.DataFrame({"y": y, "x": np.where(gone, np.nan, x), "z": z})
        made = rn.impute(data, imputations=10, seed=k)
        pooled = rn.pool([rn.logistic(d, "y ~ x + z", penalty=None, ci="wald") for d in made])
        found = pooled.risks("x").to_frame()
        inside[k] = (found["conf_low"] < truth) & (truth < found["conf_high"])
    assert (inside.mean(axis=0) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / replicates)).all()
