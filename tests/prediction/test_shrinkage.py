"""Shrinkage: factors by their formulas, ridge by its criterion, and the instability told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import ConvergenceError, OptionError, TooFewEventsError
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.ridge import PENALTIES, ridge_deviance, ridge_logistic
from rnetstats.kernels.shrinkage import heuristic_shrinkage, recalibration_slopes, shrunken
from rnetstats.prediction.tuning_folds import deal_folds
from rnetstats.regression.logistic import LogisticResult

FORMULA = "margin_positive ~ location + nlr + size_mm"


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


@pytest.fixture(scope="module")
def plain(cohort: pd.DataFrame) -> LogisticResult:
    return rn.logistic(cohort, FORMULA, penalty=None)


def test_the_heuristic_factor_is_that_of_the_likelihood_ratio(
    cohort: pd.DataFrame, plain: LogisticResult
) -> None:
    found = rn.shrink(plain, method="heuristic", resamples=30, seed=1)
    row = plain.glance().iloc[0]
    chi2 = 2 * (row["log_likelihood"] - row["log_likelihood_null"])
    factor = (chi2 - 4) / chi2
    np.testing.assert_allclose(found.amount, factor, rtol=1e-9)
    np.testing.assert_allclose(found.model.coef[1:], factor * plain.coef[1:], rtol=1e-9)
    share = cohort["margin_positive"].mean()
    np.testing.assert_allclose(found.model.predict(cohort)["risk"].mean(), share, rtol=1e-9)
    assert len(found.tuning) == 30
    assert "Van Calster" in found.notes[0]
    assert f"{found.amount:.3g}" in found.notes[0]


def test_heuristic_shrinkage_by_hand() -> None:
    found = heuristic_shrinkage([-90.0, -99.0, np.nan], [-100.0, -100.0, -100.0], 4)
    np.testing.assert_allclose(found, [0.8, 0.0, np.nan])  # (20 - 4) / 20; 2 < 4; no estimate


def test_the_bootstrap_factor_is_the_mean_slope(
    cohort: pd.DataFrame, plain: LogisticResult
) -> None:
    found = rn.shrink(plain, method="bootstrap", resamples=20, seed=4)
    rng = np.random.default_rng(np.random.SeedSequence(4).spawn(1)[0])
    slopes = []
    for _ in range(20):
        rows = rng.integers(0, len(cohort), len(cohort))
        again = rn.logistic(cohort.iloc[rows], FORMULA, penalty=None, ci="wald")
        eta = again.design.matrix(cohort) @ again.coef.to_numpy()
        data = {"y": cohort["margin_positive"], "eta": eta}
        slopes.append(rn.logistic(data, "y ~ eta", penalty=None, ci="wald").coef.iloc[1])
    np.testing.assert_allclose(found.tuning["amount"], slopes, rtol=1e-7)
    np.testing.assert_allclose(found.amount, np.mean(slopes), rtol=1e-7)


def test_ridge_takes_the_smallest_aic(cohort: pd.DataFrame, plain: LogisticResult) -> None:
    found = rn.shrink(plain, method="ridge-aic", resamples=20, seed=1)
    X, y = plain.design.matrix(cohort), cohort["margin_positive"].to_numpy(float)
    fit = ridge_logistic(X, y, PENALTIES)
    place = int(np.argmin(fit.aic[0]))
    assert found.amount == PENALTIES[place]
    np.testing.assert_allclose(found.model.coef, fit.coef[0, place], rtol=1e-9)
    np.testing.assert_allclose(found.df, fit.df[0, place], rtol=1e-9)
    table = found.to_frame()
    np.testing.assert_allclose(table["shrunken"], fit.coef[0, place], rtol=1e-9)
    np.testing.assert_allclose(table["ratio"], fit.coef[0, place] / plain.coef, rtol=1e-9)
    share = y.mean()
    np.testing.assert_allclose(found.model.predict(cohort)["risk"].mean(), share, rtol=1e-8)
    assert np.abs(found.model.coef[1:]).sum() < np.abs(plain.coef[1:]).sum()


def test_ridge_takes_the_smallest_cross_validated_deviance(plain: LogisticResult) -> None:
    data = rn.load_cohort("duan2024").head(150)
    fit = rn.logistic(data, "margin_positive ~ nlr + size_mm", ci="wald")
    levels = [0.0, 3.0, 30.0, 300.0]
    found = rn.shrink(
        fit, method="ridge-cv", penalties=levels, folds=5, repeats=2, resamples=20, seed=6
    )
    y = data["margin_positive"].to_numpy(float)
    folds = deal_folds(np.random.default_rng(np.random.SeedSequence([6, 1])), y, 5, 2)
    X = fit.design.matrix(data)
    deviance = sum(ridge_deviance(X, y, f, levels)[0] for f in folds.whole())
    assert found.amount == levels[int(np.argmin(deviance))]


def test_shrunken_fits_repeat_in_resamples(cohort: pd.DataFrame, plain: LogisticResult) -> None:
    found = rn.shrink(plain, method="ridge-aic", resamples=20, seed=2)
    rng = np.random.default_rng(np.random.SeedSequence(2).spawn(1)[0])
    rows = rng.integers(0, len(cohort), len(cohort))
    X, y = plain.design.matrix(cohort)[rows], cohort["margin_positive"].to_numpy(float)[rows]
    fit = ridge_logistic(X, y, PENALTIES)
    place = int(np.argmin(fit.aic[0]))
    assert found.tuning["amount"].iloc[0] == PENALTIES[place]
    np.testing.assert_allclose(found.model.draws[0], fit.coef[0, place], rtol=1e-7)  # type: ignore[index]
    new = found.model.predict(cohort.head(4))
    assert (new["conf_low"] < new["conf_high"]).all()


@given(st.integers(0, 2**32 - 1))
def test_folds_are_even_within_each_outcome(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = (rng.random(67) < 0.3).astype(float)
    for folds in deal_folds(rng, y, 5, 3).whole():
        for outcome in (0.0, 1.0):
            counts = np.bincount(folds[y == outcome], minlength=5)
            assert counts.max() - counts.min() <= 1


def test_shrunken_coefficients_and_slopes_by_definition() -> None:
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(80), rng.normal(size=(80, 2))])
    y = (rng.random(80) < 0.4).astype(float)
    fit = fit_logistic(X, y)
    np.testing.assert_allclose(shrunken(X, y, fit.coef, [1.0])[0], fit.coef[0], rtol=1e-8)
    none = shrunken(X, y, fit.coef, [0.0])[0]
    np.testing.assert_allclose(none, [np.log(y.mean() / (1 - y.mean())), 0, 0], atol=1e-12)
    # the slope of a maximum-likelihood fit in its own data is 1, of half its slopes 2
    both = np.vstack([fit.coef, fit.coef / 2, np.full((1, 3), np.nan)])
    np.testing.assert_allclose(recalibration_slopes(X, y, both), [1.0, 2.0, np.nan], rtol=1e-8)


def test_a_model_of_noise_shrinks_to_the_share() -> None:
    rng = np.random.default_rng(9)
    data = pd.DataFrame(rng.normal(size=(60, 6)), columns=list("abcdef"))
    data["y"] = np.repeat([0, 1], 30)
    fit = rn.logistic(data, "y ~ a + b + c + d + e + f", penalty=None)
    row = fit.glance().iloc[0]
    assert 2 * (row["log_likelihood"] - row["log_likelihood_null"]) < 6
    found = rn.shrink(fit, resamples=20, seed=1)
    assert found.amount == 0.0
    assert any("predicts no better" in note for note in found.notes)
    np.testing.assert_allclose(found.model.predict(data)["risk"], 0.5, rtol=1e-9)


def test_a_shrunken_model_is_a_risk_model_like_any(
    cohort: pd.DataFrame, plain: LogisticResult
) -> None:
    model = rn.shrink(plain, resamples=20, seed=1).model
    again = rn.RiskModel.from_dict(model.to_dict())
    pd.testing.assert_frame_equal(again.predict(cohort), model.predict(cohort))
    assert "shrunken (heuristic" in model.method
    assert model.fingerprint == rn.risk_model(plain).fingerprint


def test_what_cannot_be_shrunk(cohort: pd.DataFrame, plain: LogisticResult) -> None:
    separated = rn.logistic(cohort, "margin_positive ~ method + nlr")
    with pytest.raises(ConvergenceError, match="rests on maximum likelihood"):
        rn.shrink(separated, seed=1, resamples=20)
    few = pd.DataFrame({"y": [1] * 4 + [0] * 40, "x": np.linspace(0, 1, 44)})
    with pytest.raises(TooFewEventsError, match="no amount of shrinkage"):
        rn.shrink(rn.logistic(few, "y ~ x"))
    seven = pd.DataFrame({"y": [1] * 7 + [0] * 40, "x": np.linspace(0, 1, 47) % 0.3})
    with pytest.raises(OptionError, match="folds=10"):
        rn.shrink(rn.logistic(seven, "y ~ x"), method="ridge-cv")
    for options in (
        {"method": "lasso"},
        {"folds": 1},
        {"resamples": 5},
        {"penalties": [1.0], "method": "ridge-aic"},
        {"penalties": [-1.0, 2.0], "method": "ridge-aic"},
    ):
        with pytest.raises(OptionError):
            rn.shrink(plain, **options)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="takes a fit"):
        rn.shrink("fit")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["logistic", "cox"])
def test_cross_validation_leaves_out_patients_not_rows_that_stand_for_many(kind: str) -> None:
    """Eight rows of 277 patients: with a row went all patients of one kind."""
    table = pd.DataFrame(
        {
            "x": [0, 0, 0, 0, 1, 1, 1, 1],
            "z": [0, 0, 1, 1, 0, 0, 1, 1],
            "y": [0, 1, 0, 1, 0, 1, 0, 1],
            "w": [60, 12, 50, 20, 40, 25, 30, 40],
            "t": [9, 4, 7, 3, 8, 2, 6, 1],
        }
    )
    written = table.loc[table.index.repeat(table["w"])]
    options: dict[str, Any] = {"method": "ridge-cv", "resamples": 20, "seed": 3}
    if kind == "logistic":
        one = rn.shrink(rn.logistic(table, "y ~ x + z", freq_weights="w"), **options)
        two = rn.shrink(rn.logistic(written, "y ~ x + z"), **options)
        assert one.amount < 100.0  # a penalty of 10,000, the largest, by rows
    else:
        formula = "Surv(t, y) ~ x + z"
        one = rn.shrink(rn.cox(table, formula, freq_weights="w"), horizon=5, **options)
        two = rn.shrink(rn.cox(written, formula), horizon=5, **options)
    assert one.amount == two.amount
    assert one.options["folds"] == two.options["folds"] == 10
    np.testing.assert_allclose(one.to_frame()["shrunken"], two.to_frame()["shrunken"], rtol=1e-7)
    chosen = np.log10(np.column_stack([one.tuning["amount"], two.tuning["amount"]]))
    assert abs(np.subtract(*chosen.mean(axis=0))) < 0.7  # the same patients in other folds


@given(st.integers(0, 2**32 - 1))
def test_copies_of_a_row_of_many_patients_are_dealt_as_they_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    freq, y = rng.integers(0, 9, 12).astype(float), (np.arange(12) < 5).astype(float)
    freq[0] = 7.0
    dealt = deal_folds(rng, y, 4, 2, freq=freq)
    for held in dealt.whole():
        np.testing.assert_array_equal(held[:, 0].sum(axis=0), freq)
        events = held[:, 0] @ y
        assert events.max() - events.min() <= 1
    counts = np.where(freq > 0, rng.integers(0, 30, (3, 12)), 0).astype(float)
    (drawn,) = dealt.among(counts)
    np.testing.assert_array_equal(drawn.sum(axis=0), counts)
    assert not drawn[:, :, 0][(dealt.place[0, :, 0] == 0)].any()  # no copy where no patient is


def test_clusters_are_left_out_whole() -> None:
    rng = np.random.default_rng(4)
    centre = rng.integers(0, 9, 120)
    data = pd.DataFrame({"x": rng.normal(size=120), "c": centre, "y": rng.random(120) < 0.4})
    dealt = deal_folds(rng, data["y"].to_numpy(float), 3, 5, cluster=centre)
    for place in dealt.whole():
        assert all(len(np.unique(place[centre == c])) == 1 for c in range(9))
    found = rn.shrink(
        rn.logistic(data, "y ~ x + cluster(c)"), method="ridge-cv", resamples=20, seed=1
    )
    assert found.amount > 0.0
    data["y"] &= centre == 1
    with pytest.raises(OptionError, match="all events lie in one"):
        rn.shrink(rn.logistic(data, "y ~ x + cluster(c)"), method="ridge-cv", folds=2, seed=1)


def test_shrinking_by_resamples_does_not_depend_on_where_a_variable_begins() -> None:
    rng = np.random.default_rng(1)
    since = rng.normal(size=120)
    risk = 1.0 / (1.0 + np.exp(-0.2 * since))
    data = pd.DataFrame({"since": since, "year": 2015.0 + since, "w": np.arange(120) % 2})
    data["y"] = (rng.random(120) < risk).astype(int)
    found = [
        rn.shrink(rn.logistic(data, f"y ~ {x} * w"), method="bootstrap", resamples=20, seed=1)
        for x in ("year", "since")
    ]
    factors = [one.glance()["factor"].item() for one in found]
    assert factors[1] < 0.9
    np.testing.assert_allclose(factors[0], factors[1], rtol=1e-8)
    risks = [one.model.predict(data)["risk"].to_numpy() for one in found]
    np.testing.assert_allclose(risks[0], risks[1], rtol=1e-8)
