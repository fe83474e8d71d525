"""Shrinkage of Cox models: factors by their formulas, ridge by its criterion, their resamples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import ConvergenceError, OptionError, TooFewEventsError
from rnetstats.kernels.cox_ridge import ridge_cox, ridge_cox_deviance
from rnetstats.kernels.ridge import PENALTIES
from rnetstats.kernels.risksets import prepare
from rnetstats.prediction.tuning_folds import deal_folds
from rnetstats.regression.cox_result import CoxResult
from support import assert_close, read

FORMULA = "Surv(time, status) ~ karno + age + C(celltype) + trt"
QUICK = {"horizon": 180.0, "resamples": 24, "seed": 5}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return read("veteran.csv")


@pytest.fixture(scope="module")
def plain(data: pd.DataFrame) -> CoxResult:
    return rn.cox(data, FORMULA, penalty=None, ci="wald")


def parts(fit: CoxResult, data: pd.DataFrame):
    X = fit.design.matrix(data)
    event = data["status"].to_numpy() == 1
    return X, prepare(None, data["time"].to_numpy(float), event), event.astype(float)


def test_the_heuristic_factor_is_that_of_the_likelihood_ratio(
    data: pd.DataFrame, plain: CoxResult
) -> None:
    found = rn.shrink(plain, method="heuristic", **QUICK)
    row = plain.glance().iloc[0]
    chi2 = 2 * (row["log_likelihood"] - row["log_likelihood_null"])
    factor = (chi2 - 6) / chi2
    assert_close(found.amount, factor)
    assert_close(found.model.coef, factor * plain.coef)
    assert_close(found.df, 6 * factor)
    # the baseline hazard is Breslow's or Efron's of the shrunken predictor, held as it is
    base = found.model.baseline
    assert base is not None
    predictor = (plain.design.matrix(data) - base["centre"]) @ found.model.coef
    fit = rn.cox(data.assign(lp=predictor), "Surv(time, status) ~ lp", ties="breslow", ci="wald")
    risk, time, event = np.exp(predictor), data["time"].to_numpy(), data["status"].to_numpy() == 1
    breslow = sum(1.0 / risk[time >= t].sum() for t in time[event & (time <= 180)])
    assert float(base["hazard"][0]) == pytest.approx(breslow, rel=0.02)
    assert fit.coef.iloc[0] == pytest.approx(1.0 / factor, rel=0.05)
    assert "Van Calster" in found.notes[0]
    assert found.glance().loc[0, "factor_low"] < found.amount < 1.0
    assert found.plot().has_data()


def test_a_factor_of_one_is_the_fit_itself(data: pd.DataFrame, plain: CoxResult) -> None:
    found = rn.shrink(plain, method="ridge-aic", penalties=[0.0, 1e-12], **QUICK)
    want = rn.risk_model(plain, horizon=180.0).predict(data, outside="extrapolate")
    risk = found.model.predict(data, outside="extrapolate")
    assert_close(risk["risk"], want["risk"], rel=1e-7)
    assert (risk["conf_low"] < risk["conf_high"]).all()


def test_the_bootstrap_factor_is_the_mean_slope(data: pd.DataFrame, plain: CoxResult) -> None:
    found = rn.shrink(plain, method="bootstrap", **QUICK)
    rng = np.random.default_rng(np.random.SeedSequence(5).spawn(1)[0])
    slopes = []
    for _ in range(24):
        rows = rng.integers(0, len(data), len(data))
        again = rn.cox(data.iloc[rows], FORMULA, penalty=None, ci="wald")
        eta = again.design.matrix(data) @ again.coef.to_numpy()
        table = data.assign(eta=eta - eta.mean())
        fit = rn.cox(table, "Surv(time, status) ~ eta", penalty=None, ci="wald")
        slopes.append(float(fit.coef.iloc[0]))
    assert_close(found.tuning["amount"], slopes, rel=1e-6)
    assert_close(found.amount, np.mean(slopes), rel=1e-6)
    assert_close(found.model.coef, found.amount * plain.coef, rel=1e-6)


def test_ridge_takes_the_smallest_aic(data: pd.DataFrame, plain: CoxResult) -> None:
    found = rn.shrink(plain, method="ridge-aic", **QUICK)
    X, sets, _ = parts(plain, data)
    fit = ridge_cox(X, sets, PENALTIES)
    place = int(np.argmin(-2 * fit.log_likelihood[0] + 2 * fit.df[0]))
    assert found.amount == PENALTIES[place] > 0.0
    assert_close(found.model.coef, fit.coef[0, place])
    assert_close(found.df, fit.df[0, place])
    rng = np.random.default_rng(np.random.SeedSequence(5).spawn(1)[0])
    rows = rng.integers(0, len(data), len(data))
    drawn = data.iloc[rows]
    X, sets, _ = parts(plain, drawn)
    first = ridge_cox(X, sets, PENALTIES)
    place = int(np.argmin(first.aic[0]))
    assert found.tuning["amount"].iloc[0] == PENALTIES[place]
    assert found.model.draws is not None
    assert_close(found.model.draws[0], first.coef[0, place], rel=1e-6)
    assert found.model.draw_hazard is not None
    assert found.model.baseline is not None
    risk = np.exp((X - found.model.baseline["centre"]) @ found.model.draws[0])
    time, event = drawn["time"].to_numpy(), drawn["status"].to_numpy() == 1
    breslow = sum(1.0 / risk[time >= t].sum() for t in time[event & (time <= 180)])
    assert found.model.draw_hazard[0, 0] == pytest.approx(breslow, rel=0.05)


def test_ridge_takes_the_smallest_cross_validated_deviance(
    data: pd.DataFrame, plain: CoxResult
) -> None:
    levels = [1.0, 10.0, 100.0, 1000.0]
    found = rn.shrink(plain, method="ridge-cv", penalties=levels, folds=5, repeats=2, **QUICK)
    X, sets, event = parts(plain, data)
    folds = deal_folds(np.random.default_rng(np.random.SeedSequence([5, 1])), event, 5, 2)
    deviance = sum(ridge_cox_deviance(X, sets, f, levels)[0] for f in folds.whole())
    assert found.amount == levels[int(np.argmin(deviance))]
    assert found.options["folds"] == 5


def test_strata_weights_and_offsets_are_kept(data: pd.DataFrame) -> None:
    formula = "Surv(time, status) ~ karno + age + strata(trt)"
    freq = np.arange(len(data)) % 3
    fit = rn.cox(data, formula, penalty=None, ci="wald", freq_weights=freq)
    many = rn.cox(data.loc[data.index.repeat(freq)], formula, penalty=None, ci="wald")
    one, two = (
        rn.shrink(f, method="ridge-aic", horizon=100.0, resamples=20, seed=1) for f in (fit, many)
    )
    assert_close(one.model.coef, two.model.coef, rel=1e-6)
    assert one.model.baseline is not None
    assert one.model.baseline["hazard"].shape == (2,)
    risks = [m.model.predict(data, outside="extrapolate")["risk"] for m in (one, two)]
    assert_close(risks[0], risks[1], rel=1e-6)  # the baselines are those of other mean patients


def test_it_is_a_risk_model_like_any(data: pd.DataFrame, plain: CoxResult) -> None:
    model = rn.shrink(plain, method="ridge-aic", **QUICK).model
    again = rn.RiskModel.from_dict(model.to_dict())
    pd.testing.assert_frame_equal(again.predict(data), model.predict(data))
    found = rn.validate(model, external=data, resamples=10, seed=1).to_frame().set_index("index")
    assert found.loc["c", "test"] > 0.7
    assert "shrunken (ridge-aic" in model.method


def test_few_events_by_the_horizon_give_no_limits(data: pd.DataFrame, plain: CoxResult) -> None:
    early = float(data.loc[data["status"] == 1, "time"].nsmallest(4).iloc[-1])
    found = rn.shrink(plain, method="heuristic", **{**QUICK, "horizon": early})
    assert found.model.draws is None
    assert found.model.predict(data)["conf_low"].isna().all()
    assert any("fewer than five events by the horizon" in note for note in found.notes)


def test_what_cannot_be_shrunk(data: pd.DataFrame, plain: CoxResult) -> None:
    with pytest.raises(OptionError, match="horizon"):
        rn.shrink(plain)
    with pytest.raises(OptionError, match="horizon"):
        rn.shrink(rn.logistic(data.assign(y=data["trt"] - 1), "y ~ age"), horizon=5.0)
    few = pd.DataFrame({"t": np.arange(1.0, 41.0), "e": np.arange(40) % 10 == 0, "x": 0.0})
    few["x"] = np.sin(few["t"])
    with pytest.raises(TooFewEventsError, match="4 patients have the event"):
        rn.shrink(rn.cox(few, "Surv(t, e) ~ x"), horizon=30.0)
    six = few.assign(e=np.arange(40) % 7 == 0)
    with pytest.raises(OptionError, match="folds=10 is too many"):
        rn.shrink(rn.cox(six, "Surv(t, e) ~ x"), horizon=30.0, method="ridge-cv")
    apart = six.assign(x=six["e"].astype(float))
    with pytest.raises(ConvergenceError, match="rests on maximum likelihood"):
        rn.shrink(rn.cox(apart, "Surv(t, e) ~ x"), **QUICK | {"horizon": 30.0})
    exact = rn.cox(data, FORMULA, penalty=None, ties="exact", ci="wald")
    with pytest.raises(OptionError, match="exact"):
        rn.shrink(exact, horizon=180.0)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ridge-aic", "ridge-cv", "bootstrap", "heuristic"])
def test_a_recipe_shrinks_as_shrink_does(data: pd.DataFrame, method: str) -> None:
    formula = "Surv(time, status) ~ karno + age + trt"
    made = rn.recipe(formula, shrink=method, penalty=None, horizon=180.0)
    model = made.fit(data, seed=4)
    fit = rn.cox(data, formula, penalty=None, ci="wald")
    if method in ("ridge-aic", "heuristic"):
        same = rn.shrink(fit, method=method, **QUICK).model
        assert_close(model.coef, same.coef, rel=1e-7)
        risks = [m.predict(data, outside="extrapolate")["risk"] for m in (model, same)]
        assert_close(risks[0], risks[1], rel=1e-7)
    assert np.abs(model.coef).sum() < np.abs(fit.coef).sum()
    risk = made.refit(data).original(4).risk[0]
    assert_close(model.predict(data, outside="extrapolate")["risk"], risk, rel=1e-7)
    refit = made.refit(data)
    rng = np.random.default_rng(2)
    counts = rng.multinomial(refit.n, np.full(refit.n, 1 / refit.n), size=3).astype(float)
    again = refit.again(counts, np.arange(3))
    alone = [refit.again(counts[[b]], np.array([b])).risk[0] for b in range(3)]
    np.testing.assert_allclose(again.risk, alone, rtol=1e-7)
    assert len(rn.validate(made, data, resamples=4, seed=1).to_frame())
