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


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


@pytest.fixture(scope="module")
def margin(cohort: pd.DataFrame) -> LogisticResult:
    return rn.logistic(cohort, MARGIN)


@pytest.mark.parametrize("intercept", ["flic", "flac"])
def test_the_mean_risk_is_the_share_of_events(
    cohort: pd.DataFrame, margin: LogisticResult, intercept: str
) -> None:
    model = rn.risk_model(margin, intercept=intercept)
    share = cohort["margin_positive"].mean()
    np.testing.assert_allclose(model.predict(cohort)["risk"].mean(), share, rtol=1e-9)
    assert rn.risk_model(margin, intercept="model").summary["mean_risk"] > share


def test_flic_keeps_slopes_and_leaves_maximum_likelihood_alone(
    cohort: pd.DataFrame, margin: LogisticResult
) -> None:
    model = rn.risk_model(margin)
    np.testing.assert_array_equal(model.coef[1:], margin.coef.to_numpy()[1:])
    plain = rn.logistic(cohort, "margin_positive ~ nlr + size_mm", penalty=None)
    np.testing.assert_allclose(rn.risk_model(plain).coef, plain.coef, rtol=1e-9)
    with pytest.raises(OptionError, match="penalty='firth'"):
        rn.risk_model(plain, intercept="flac")


@pytest.mark.parametrize("intercept", ["flic", "flac"])
def test_frequency_weights_are_replicated_rows(cohort: pd.DataFrame, intercept: str) -> None:
    data = cohort.head(200)
    freq = np.random.default_rng(1).integers(0, 4, 200)
    formula = "margin_positive ~ size_mm + nlr"
    rows = np.repeat(np.arange(200), freq)
    models = [
        rn.risk_model(fit, intercept=intercept, resamples=30, seed=5)
        for fit in (
            rn.logistic(data, formula, freq_weights=freq),
            rn.logistic(data.iloc[rows], formula),
        )
    ]
    first, second = (m.predict(data, outside="extrapolate") for m in models)
    # the copies are drawn as rows would be: the same resamples, and the same limits
    for name in ("risk", "conf_low", "conf_high"):
        np.testing.assert_allclose(first[name], second[name], rtol=1e-9)
    assert models[0].leverage is not None
    assert models[1].leverage is not None
    for name in ("inverse", "largest"):
        np.testing.assert_allclose(models[0].leverage[name], models[1].leverage[name], rtol=1e-8)


def test_wald_limits_are_those_of_the_information(
    cohort: pd.DataFrame, margin: LogisticResult
) -> None:
    some = cohort[cohort["method"] != "other"]  # a level without events has no limits
    found = rn.risk_model(margin, conf_level=0.9).predict(some)
    X, everyone = margin.design.matrix(some), margin.design.matrix(cohort)
    p = found["risk"].to_numpy()
    q = expit(everyone @ rn.risk_model(margin).coef)
    V = np.linalg.inv(everyone.T @ (everyone * (q * (1 - q))[:, None]))
    se = np.sqrt(np.einsum("ij,jk,ik->i", X, V, X))
    eta = np.log(p / (1 - p))
    np.testing.assert_allclose(found["conf_low"], expit(eta - 1.6448536269514722 * se), rtol=1e-8)
    np.testing.assert_allclose(found["conf_high"], expit(eta + 1.6448536269514722 * se), rtol=1e-8)


def test_bootstrap_limits_are_percentiles_of_the_whole_fit_repeated(cohort: pd.DataFrame) -> None:
    formula = "margin_positive ~ nlr + size_mm"
    fit = rn.logistic(cohort, formula)
    model = rn.risk_model(fit, resamples=25, seed=3)
    assert model.seed == 3
    assert "25 resamples" in model.limits
    new = cohort.head(5)
    rng = np.random.default_rng(np.random.SeedSequence(3).spawn(1)[0])
    risks = []
    for _ in range(25):
        rows = rng.integers(0, len(cohort), len(cohort))
        again = rn.risk_model(rn.logistic(cohort.iloc[rows], formula, ci="wald"))
        risks.append(again.predict(new, outside="extrapolate")["risk"].to_numpy())
    low, high = np.quantile(risks, [0.025, 0.975], axis=0)
    found = model.predict(new)
    np.testing.assert_allclose(found["conf_low"], low, rtol=1e-7)
    np.testing.assert_allclose(found["conf_high"], high, rtol=1e-7)
    shorter = rn.risk_model(fit, resamples=10, seed=3)
    np.testing.assert_allclose(shorter.draws, model.draws[:10], rtol=1e-9)  # type: ignore[index]


def test_lost_levels_and_failures_are_counted(cohort: pd.DataFrame) -> None:
    model = rn.risk_model(rn.logistic(cohort, "margin_positive ~ method"), resamples=200, seed=1)
    assert any("lost in" in note and "contributes 0" in note for note in model.notes)
    assert any("method = other: 0 patients" in note for note in model.notes)
    lost = np.isclose(model.draws[:, 3], 0.0)  # type: ignore[index]
    assert 10 <= lost.sum() <= 50  # two patients of 527: (1 - 2/527)**527 = 13.5 %
    assert f"lost in {lost.sum()} of 200" in " ".join(model.notes)


def test_levels_with_too_few_events_have_no_limits(cohort: pd.DataFrame) -> None:
    fit = rn.logistic(cohort, "margin_positive ~ method + lvi")
    other = (cohort["method"] == "other").to_numpy()
    assert 0 < other.sum() < 5
    for resamples in (0, 20):
        model = rn.risk_model(fit, resamples=resamples, seed=1)
        found = model.predict(cohort)
        assert found["in_domain"].all()
        np.testing.assert_array_equal(found["conf_low"].isna(), other)
        np.testing.assert_array_equal(found["reason"] != "", other)
        assert "method = other" in found["reason"][other].iloc[0]
        assert found["risk"].notna().all()
        again = rn.RiskModel.from_dict(model.to_dict())
        pd.testing.assert_frame_equal(again.predict(cohort), found)


def test_a_thin_arm_of_a_cox_model_keeps_wald_limits_only() -> None:
    rng = np.random.default_rng(7)
    data = pd.DataFrame({"arm": np.repeat([0, 1], 60), "t": rng.exponential(10, 120)})
    data["e"] = 0
    data.loc[data.index[:20], "e"] = 1
    data.loc[data.index[60:63], "e"] = 1  # three events in the second arm
    fit = rn.cox(data, "Surv(t, e) ~ arm")
    horizon = float(data["t"].quantile(0.95))
    events = data[(data["e"] == 1) & (data["t"] <= horizon)].groupby("arm").size()
    assert events[0] >= 5
    assert 0 < events[1] < 5
    wald = rn.risk_model(fit, horizon=horizon).predict(data)
    assert wald["conf_low"].notna().all()
    drawn = rn.risk_model(fit, horizon=horizon, resamples=20, seed=1)
    lost = drawn.predict(data)["conf_low"].isna()
    np.testing.assert_array_equal(lost, data["arm"] == 1)
    assert any("arm = 1" in note for note in drawn.notes)


def test_clusters_are_resampled_whole() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"x": np.repeat(rng.normal(size=60), 3), "id": np.repeat(range(60), 3)})
    data["y"] = np.repeat(rng.random(60) < 0.4, 3).astype(int)  # rows of a patient agree
    plain = rn.risk_model(rn.logistic(data, "y ~ x"), resamples=100, seed=1)
    whole = rn.risk_model(rn.logistic(data, "y ~ x + cluster(id)"), resamples=100, seed=1)
    assert whole.draws is not None
    assert plain.draws is not None
    assert whole.draws[:, 0].std() > 1.4 * plain.draws[:, 0].std()


def test_a_cox_model_gives_one_minus_survival(cohort: pd.DataFrame) -> None:
    formula = "Surv(dfs_months, dfs_event) ~ margin_positive + rcs(size_mm, 3) + age"
    for options in ({}, {"penalty": None, "ties": "breslow"}):
        fit = rn.cox(cohort, formula, **options)
        model = rn.risk_model(fit, horizon=36)
        found = model.predict(cohort)
        survival = fit.survival(cohort, [36])
        np.testing.assert_allclose(found["risk"], survival["risk"], rtol=1e-10)
        # limits on the log cumulative hazard, of the same standard error as survival()
        H = -np.log(survival["survival"].to_numpy())
        se = survival["std_error"].to_numpy() / survival["survival"].to_numpy()
        low = 1 - np.exp(-H * np.exp(-1.959963984540054 * se / H))
        np.testing.assert_allclose(found["conf_low"], low, rtol=1e-8)
        assert (found["conf_high"] > found["risk"]).all()


def test_a_cox_model_with_strata_has_a_baseline_each(cohort: pd.DataFrame) -> None:
    fit = rn.cox(cohort, "Surv(dfs_months, dfs_event) ~ age + strata(location)")
    model = rn.risk_model(fit, horizon=36, resamples=20, seed=1)
    np.testing.assert_allclose(
        model.predict(cohort)["risk"], fit.survival(cohort, [36])["risk"], rtol=1e-10
    )
    new = cohort.head(2).astype({"location": object})
    new.loc[new.index[1], "location"] = "anus"
    found = model.predict(new, outside="flag")
    assert found["in_domain"].tolist() == [True, False]
    assert "no baseline hazard" in found["reason"].iloc[1]


def test_cox_bootstrap_refits_the_baseline(cohort: pd.DataFrame) -> None:
    formula = "Surv(dfs_months, dfs_event) ~ age + size_mm"
    fit = rn.cox(cohort, formula)
    model = rn.risk_model(fit, horizon=36, resamples=12, seed=2)
    new = cohort.head(3)
    rng = np.random.default_rng(np.random.SeedSequence(2).spawn(1)[0])
    risks = []
    for _ in range(12):
        rows = rng.integers(0, len(cohort), len(cohort))
        again = rn.cox(cohort.iloc[rows], formula, ci="wald")
        risks.append(again.survival(new, [36])["risk"].to_numpy())
    low, high = np.quantile(risks, [0.025, 0.975], axis=0)
    found = model.predict(new)
    np.testing.assert_allclose(found["conf_low"], low, rtol=1e-6)
    np.testing.assert_allclose(found["conf_high"], high, rtol=1e-6)


def test_an_offset_is_a_variable_of_the_model(cohort: pd.DataFrame) -> None:
    data = cohort.assign(shift=np.linspace(-0.5, 0.5, len(cohort)))
    model = rn.risk_model(rn.logistic(data, "margin_positive ~ nlr + offset(shift)"))
    assert "shift" in model.variables
    share = data["margin_positive"].mean()
    np.testing.assert_allclose(model.predict(data)["risk"].mean(), share, rtol=1e-9)
    with pytest.raises(ValueError, match=r"shift is 2, outside -0\.5 to 0\.5"):
        model.predict(data.head(1).assign(shift=2.0))


def test_a_model_is_judged_as_apparent_on_its_own_rows(
    cohort: pd.DataFrame, margin: LogisticResult
) -> None:
    model = rn.risk_model(margin)
    found = judge(cohort, "margin_positive ~ 1", models={"m": model})
    assert found.apparent == {"m": True}
    np.testing.assert_allclose(found.risk[0], model.predict(cohort)["risk"])
    assert judge(cohort.head(300), "margin_positive ~ 1", models={"m": model}).apparent == {
        "m": False
    }


def test_what_cannot_be_a_risk_model(cohort: pd.DataFrame, margin: LogisticResult) -> None:
    separated = rn.logistic(cohort, "margin_positive ~ method", penalty=None)
    with pytest.raises(ConvergenceError, match=r"method\[other\].*firth"):
        rn.risk_model(separated)
    with pytest.raises(DataNotKeptError):
        rn.risk_model(LogisticResult.from_dict(margin.to_dict()))
    cox = rn.cox(cohort, "Surv(dfs_months, dfs_event) ~ age")
    with pytest.raises(OptionError, match="name it, as in horizon=36"):
        rn.risk_model(cox)
    with pytest.raises(OptionError, match="beyond the end of follow-up"):
        rn.risk_model(cox, horizon=1e4)
    for wrong in (-1, 0, float("nan"), "36"):
        with pytest.raises(OptionError, match="horizon"):
            rn.risk_model(cox, horizon=wrong)  # type: ignore[arg-type]
    with pytest.raises(TooFewEventsError, match="no event by horizon"):
        rn.risk_model(cox, horizon=1e-6)
    with pytest.raises(OptionError, match="no time axis"):
        rn.risk_model(margin, horizon=36)
    with pytest.raises(OptionError, match="has no intercept"):
        rn.risk_model(cox, horizon=36, intercept="flac")
    for options in ({"resamples": -1}, {"resamples": 10**6, "seed": 1}, {"intercept": "none"}):
        with pytest.raises(OptionError):
            rn.risk_model(margin, **options)
    with pytest.raises(OptionError, match="from_estimator"):
        rn.risk_model("margin")  # type: ignore[arg-type]


def test_few_events_get_no_resampling_limits() -> None:
    data = pd.DataFrame({"y": [1] * 4 + [0] * 60, "x": np.linspace(0, 1, 64)})
    fit = rn.logistic(data, "y ~ x")
    with pytest.raises(TooFewEventsError, match="fewer than 5"):
        rn.risk_model(fit, resamples=100, seed=1)
    assert np.isfinite(rn.risk_model(fit).predict(data)["conf_low"]).all()


def test_a_horizon_after_the_last_event_is_noted() -> None:
    data = pd.DataFrame(
        {"t": [1, 2, 3, 4, 5, 9, 9, 9.0], "e": [1, 1, 1, 0, 1, 0, 0, 0], "x": range(8)}
    )
    fit = rn.cox(data, "Surv(t, e) ~ x")
    model = rn.risk_model(fit, horizon=8)
    assert any("last event was at 5" in note for note in model.notes)
    assert any("Only 3 patients" in note for note in model.notes)
    np.testing.assert_allclose(
        model.predict(data)["risk"], rn.risk_model(fit, horizon=5).predict(data)["risk"]
    )


def test_a_model_without_terms_gives_the_share(cohort: pd.DataFrame) -> None:
    model = rn.risk_model(rn.logistic(cohort, "margin_positive ~ 1"))
    share = cohort["margin_positive"].mean()
    np.testing.assert_allclose(model.predict(cohort.head(3))["risk"], share, rtol=1e-10)
    with pytest.raises(OptionError, match="no variable"):
        model.nomogram()


def test_truth_values_and_unused_categories_are_read() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame(
        {
            "flag": rng.random(80) < 0.5,
            "g": pd.Categorical(rng.choice(["a", "b"], 80), categories=["b", "c", "a"]),
        }
    )
    data["y"] = rng.random(80) < 0.4
    model = rn.risk_model(rn.logistic(data, "y == True ~ flag + g"))
    found = model.predict(data)
    assert found["in_domain"].all()
    np.testing.assert_allclose(found["risk"].mean(), data["y"].mean(), rtol=1e-9)
    again = rn.RiskModel.from_dict(model.to_dict())
    new = {"flag": [1, 0], "g": ["a", "c"]}
    assert again.predict(new, outside="flag")["in_domain"].tolist() == [True, False]


def test_flic_needs_both_outcomes() -> None:
    data = read("rnet_zero_events.csv")
    with pytest.raises(TooFewEventsError, match="No row has the outcome"):
        rn.risk_model(rn.logistic(data, "recurrence ~ margin_positive"))


@pytest.mark.slow
def test_wald_limits_cover_at_their_level_with_many_events() -> None:
    """Some 300 events among 800 patients: 0.95 within three Monte Carlo errors."""
    rng = np.random.default_rng(1)
    new, beta = pd.DataFrame({"a": [1.0], "b": [1.0]}), np.array([-0.8, 0.7, 0.5])
    truth, inside, repeats = float(expit(beta.sum())), 0, 400
    for _ in range(repeats):
        a, b = rng.normal(size=800), (rng.random(800) < 0.4).astype(float)
        y = (rng.random(800) < expit(beta[0] + a * beta[1] + b * beta[2])).astype(float)
        fit = rn.logistic({"a": a, "b": b, "y": y}, "y ~ a + b", ci="wald")
        row = rn.risk_model(fit).predict(new).iloc[0]
        inside += int(row["conf_low"] <= truth <= row["conf_high"])
    assert abs(inside / repeats - 0.95) < 3 * np.sqrt(0.95 * 0.05 / repeats)


def test_a_ratio_too_large_to_be_written_is_infinite() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    data = {"x": 1e-6 * x, "y": (x + rng.normal(size=60) > 0).astype(int)}
    table = rn.risk_model(rn.logistic(data, "y ~ x", ci="wald")).to_frame().set_index("term")
    assert table.loc["x", "coef"] > 1e5
    assert np.isinf(table.loc["x", "estimate"])


def few_in_a_stratum() -> tuple[pd.DataFrame, np.ndarray]:
    """Patients of three strata, and the events of each by 5."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"x": rng.normal(size=180), "part": np.repeat(["a", "b", "c"], 60)})
    data["t"] = rng.exponential(20, 180)
    data["e"] = (data["t"] < 6).astype(int)
    data.loc[data.index[124:], "e"] = 0
    by_five = data[(data["e"] == 1) & (data["t"] <= 5)]
    return data, by_five.groupby("part").size().reindex(["a", "b", "c"]).to_numpy()


def test_a_stratum_with_few_events_has_no_limits_by_resampling() -> None:
    data, events = few_in_a_stratum()
    assert (events[:2] >= 5).all()
    assert 0 < events[2] < 5
    fit = rn.cox(data, "Surv(t, e) ~ x + strata(part)")
    wald = rn.risk_model(fit, horizon=5).predict(data)
    assert wald["conf_low"].notna().all()
    drawn = rn.risk_model(fit, horizon=5, resamples=40, seed=1)
    found = drawn.predict(data)
    bare = (data["part"] == "c").to_numpy()
    np.testing.assert_array_equal(found["conf_low"].isna(), bare)
    assert found["risk"].notna().all()
    assert set(found["reason"][bare]) == {
        "no limits: too few events by the horizon in the stratum 'c'"
    }
    counted = f"{events[2]} event{'s' * int(events[2] != 1)} by the horizon"
    assert f"Stratum 'c': {counted}, so that risks there are given without limits." in drawn.notes
    again = rn.RiskModel.from_dict(drawn.to_dict())
    pd.testing.assert_frame_equal(again.predict(data), found)


def test_events_of_strata_count_replicated_rows_and_older_files_lack_them() -> None:
    data, events = few_in_a_stratum()
    data["w"] = 5
    fit = rn.cox(data, "Surv(t, e) ~ x + strata(part)", freq_weights="w")
    model = rn.risk_model(fit, horizon=5, resamples=20, seed=1)
    assert model.baseline is not None
    np.testing.assert_array_equal(model.baseline["events"], 5 * events)
    assert model.predict(data)["conf_low"].notna().all()
    stored = model.to_dict()
    del stored["fields"]["baseline"]["events"]
    older = rn.RiskModel.from_dict(stored).predict(data)
    pd.testing.assert_frame_equal(older, model.predict(data))
