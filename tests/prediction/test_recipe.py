"""Recipes: each batched step against a loop of single fits, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import chi2

import rnetstats as rn
from rnetstats._core.random import chunk_generators
from rnetstats.errors import (
    DataError,
    FormulaError,
    OptionError,
    ReadError,
    RnetError,
    TooFewEventsError,
)
from rnetstats.kernels.maxstat import best_cut
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.kernels.risksets import prepare
from rnetstats.kernels.roc import auc
from rnetstats.prediction.indices import UNCORRECTED
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.recipe_model import refit_of_recipe
from rnetstats.prediction.recipe_shrinkage import ridge_slopes
from support import read


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.read_cohort(
        __import__("support").data_path("rnet_like_a.csv"), codebook="duan2024"
    ).query("method != 'other'")


def counts_of(n: int, size: int = 5) -> np.ndarray:
    rng = np.random.default_rng(8)
    return np.array(
        [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(size)], dtype=float
    )


def sample_of(data: pd.DataFrame, row: np.ndarray) -> pd.DataFrame:
    return data.iloc[np.repeat(np.arange(len(data)), row.astype(int))]


@pytest.mark.parametrize("penalty", ["firth", None])
def test_plain_recipe_is_the_fit_itself(cohort: pd.DataFrame, penalty: str | None) -> None:
    formula = "margin_positive ~ location + size_mm + lvi"
    by_recipe = rn.validate(rn.recipe(formula, penalty=penalty), cohort, resamples=8, seed=1)
    by_fit = rn.validate(rn.logistic(cohort, formula, penalty=penalty), resamples=8, seed=1)
    pd.testing.assert_frame_equal(by_recipe.to_frame(), by_fit.to_frame(), rtol=1e-7, atol=1e-9)


def test_cut_offs_are_searched_in_every_resample(cohort: pd.DataFrame) -> None:
    made = rn.recipe(
        "margin_positive ~ nlr + size_mm + lvi", cut={"nlr": "youden", "size_mm": 10}, penalty=None
    )
    refit = refit_of_recipe(made, cohort, None)
    counts = counts_of(refit.n)
    again = refit.again(counts, np.arange(5))
    y, x = cohort["margin_positive"].to_numpy(float), cohort["nlr"].to_numpy(float)
    cuts = best_cut(y, x, counts, report="below")
    np.testing.assert_array_equal(again.choices["cut-off of nlr"], cuts)
    np.testing.assert_array_equal(again.choices["cut-off of size_mm"], 10.0)
    for row, cut, risk in zip(counts, cuts.tolist(), again.risk, strict=True):
        fit = rn.logistic(
            sample_of(cohort, row),
            f"margin_positive ~ I(nlr > {cut!r}) + I(size_mm > 10.0) + lvi",
            penalty=None,
        )
        np.testing.assert_allclose(risk, fit.predict(cohort), rtol=1e-7)


def test_knots_are_placed_in_every_resample(cohort: pd.DataFrame) -> None:
    formula = "margin_positive ~ rcs(size_mm, 3)*lvi + ns(nlr, 2)"
    refit = refit_of_recipe(rn.recipe(formula, penalty=None), cohort, None)
    counts = counts_of(refit.n, 3)
    again = refit.again(counts, np.arange(3))
    for row, risk in zip(counts, again.risk, strict=True):
        fit = rn.logistic(sample_of(cohort, row), formula, penalty=None)
        np.testing.assert_allclose(risk, fit.predict(cohort), rtol=1e-6)


@pytest.mark.parametrize("penalty", ["firth", None])
def test_univariable_screening_is_that_of_single_fits(
    cohort: pd.DataFrame, penalty: str | None
) -> None:
    terms = ("method", "location", "nlr", "size_mm", "lvi", "age")
    made = rn.recipe(
        f"margin_positive ~ {' + '.join(terms)}", select="univariable", penalty=penalty
    )
    refit = refit_of_recipe(made, cohort, None)
    counts = counts_of(refit.n)
    again = refit.again(counts, np.arange(5))
    for b, row in enumerate(counts):
        sample, kept = sample_of(cohort, row), []
        for term in terms:
            fit = rn.logistic(sample, f"margin_positive ~ {term}", penalty=penalty)
            p = fit.term_tests()["p_value"].iloc[0]
            assert again.choices[f"selected: {term}"][b] == float(p <= 0.05), term
            kept += [term] if p <= 0.05 else []
        final = rn.logistic(sample, f"margin_positive ~ {' + '.join(kept) or '1'}", penalty=penalty)
        eta = np.log(again.risk[b] / (1 - again.risk[b]))
        raw = final.predict(cohort)
        shift = eta - np.log(raw / (1 - raw))
        np.testing.assert_allclose(shift, shift.iloc[0], atol=1e-7)  # FLIC moves the intercept


@pytest.mark.parametrize("alpha", [0.05, 0.5, None])
def test_backward_elimination_is_that_of_single_fits(
    cohort: pd.DataFrame, alpha: float | None
) -> None:
    terms = ["method", "location", "nlr", "size_mm", "lvi", "age"]
    made = rn.recipe(
        f"margin_positive ~ {' + '.join(terms)}",
        select={"method": "backward", "alpha": alpha},
        penalty=None,
    )
    refit = refit_of_recipe(made, cohort, None)
    counts = counts_of(refit.n, 4)
    again = refit.again(counts, np.arange(4))
    for b, row in enumerate(counts):
        sample, kept = sample_of(cohort, row), list(terms)
        while kept:
            formula = f"margin_positive ~ {' + '.join(kept)}"
            joint = rn.logistic(sample, formula, penalty=None, ci="wald").joint.set_index("term")
            if alpha is None:
                short = 2.0 * joint["df"] - joint["statistic"]
            else:
                short = chi2.sf(joint["statistic"], joint["df"]) - alpha
                short = pd.Series(short, index=joint.index)
            if short.max() <= 0:
                break
            kept.remove(short.idxmax())
        chosen = [t for t in terms if again.choices[f"selected: {t}"][b] == 1.0]
        assert chosen == kept


def test_an_interaction_keeps_its_parts(cohort: pd.DataFrame) -> None:
    made = rn.recipe(
        "margin_positive ~ size_mm*lvi + age", select={"method": "backward", "alpha": 0.3}
    )
    refit = refit_of_recipe(made, cohort, None)
    chosen = refit.again(counts_of(refit.n, 60), np.arange(60)).choices
    both = chosen["selected: size_mm:lvi"] == 1.0
    assert 0 < both.sum() < 60
    assert (chosen["selected: size_mm"][both] == 1.0).all()
    assert (chosen["selected: lvi"][both] == 1.0).all()


def test_heuristic_shrinkage_by_its_formula(cohort: pd.DataFrame) -> None:
    formula = "margin_positive ~ size_mm + nlr + lvi"
    fit = rn.logistic(cohort, formula, penalty=None)
    ratio = 2 * (fit.glance()["log_likelihood"] - fit.glance()["log_likelihood_null"]).iloc[0]
    model = rn.recipe(formula, penalty=None, shrink="heuristic").fit(cohort, seed=1)
    np.testing.assert_allclose(
        model.coef[1:], fit.coef.to_numpy()[1:] * (ratio - 3) / ratio, rtol=1e-9
    )
    risk = model.predict(cohort, outside="extrapolate")["risk"]
    np.testing.assert_allclose(risk.mean(), cohort["margin_positive"].mean(), rtol=1e-9)


def test_bootstrap_shrinkage_is_between_none_and_all(cohort: pd.DataFrame) -> None:
    formula = "margin_positive ~ size_mm + nlr + lvi + age"
    plain = rn.recipe(formula, penalty=None).fit(cohort, seed=1)
    shrunken = rn.recipe(formula, penalty=None, shrink="bootstrap").fit(cohort, seed=1)
    factor = shrunken.coef[1:] / plain.coef[1:]
    np.testing.assert_allclose(factor, factor[0], rtol=1e-9)
    assert 0.3 < factor[0] < 1.0
    again = rn.recipe(formula, penalty=None, shrink="bootstrap").fit(cohort, seed=1)
    np.testing.assert_array_equal(again.coef, shrunken.coef)


@pytest.mark.parametrize(("method", "timed"), [("ridge-aic", False), ("ridge-cv", True)])
def test_ridge_of_shared_columns_is_that_of_each_replicates_own(method: str, timed: bool) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 2))
    y = (rng.random(50) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    sets = prepare(None, rng.exponential(np.exp(-X[:, 0])).round(2) + 0.01, y) if timed else None
    counts, seeds = rng.multinomial(50, np.full(50, 1 / 50), 2).astype(float), np.arange(2)
    shared = ridge_slopes(method, X, y, counts, seeds, sets=sets)
    own = ridge_slopes(method, np.repeat(X[None], 2, axis=0), y, counts, seeds, sets=sets)
    np.testing.assert_allclose(shared, own, rtol=1e-8, atol=1e-12)
    assert (shared[0] != shared[1]).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ridge-aic", "ridge-cv"])
def test_ridge_is_chosen_in_every_resample(cohort: pd.DataFrame, method: str) -> None:
    formula = "margin_positive ~ size_mm + nlr + lvi + age"
    made = rn.recipe(formula, shrink=method)
    refit = refit_of_recipe(made, cohort, None)
    counts = counts_of(refit.n, 3)
    again = refit.again(counts, np.arange(3))
    alone = [refit.again(counts[[b]], np.array([b])).risk[0] for b in range(3)]
    np.testing.assert_allclose(again.risk, alone, rtol=1e-8)
    share = (counts * refit.events).sum(axis=1) / counts.sum(axis=1)
    np.testing.assert_allclose((counts * again.risk).sum(axis=1) / counts.sum(axis=1), share)
    plain = refit_of_recipe(rn.recipe(formula), cohort, None).again(counts, np.arange(3))
    assert (again.risk.std(axis=1) < plain.risk.std(axis=1)).all()


def test_imputation_is_repeated_in_every_resample() -> None:
    data = read("rnet_like_a_missing.csv")
    made = rn.recipe("margin_positive ~ size_mm + nlr + lvi", impute=3)
    found = rn.validate(made, data, resamples=6, seed=1)
    assert found.glance()["n"].iloc[0] == data["margin_positive"].notna().sum()
    model = made.fit(data, seed=1)
    assert any("values imputed" in note for note in model.notes)
    assert any("means over 3 imputations" in note for note in model.notes)
    known = found.to_frame().set_index("index").drop(list(UNCORRECTED))
    assert np.isfinite(known["corrected"]).all()
    again = rn.validate(made, data, resamples=6, seed=1)
    pd.testing.assert_frame_equal(found.to_frame(), again.to_frame())


@pytest.mark.parametrize("method", ["boot", "632", "cv"])
def test_apparent_is_of_the_values_that_the_model_was_made_of(method: str) -> None:
    """As training is in a resample: maximum likelihood has slope 1 there, and so it has here."""
    data = read("rnet_like_a_missing.csv")
    made = rn.recipe("margin_positive ~ size_mm + nlr + lvi", impute=1, penalty=None)
    found = rn.validate(
        made, data, method=method, folds=2, resamples=2, seed=1, indices=["slope", "intercept"]
    ).to_frame()
    np.testing.assert_allclose(found["apparent"], [1.0, 0.0], atol=1e-8)
    if method == "boot":
        np.testing.assert_allclose(found["training"], [1.0, 0.0], atol=1e-8)


def with_holes(n: int, seed: int) -> pd.DataFrame:
    """Patients of whom two predictors are often missing, one of them where a third is high."""
    rng = np.random.default_rng(seed)
    x = rng.multivariate_normal(np.zeros(3), 0.3 + 0.7 * np.eye(3), n)
    data = pd.DataFrame(x, columns=["a", "b", "c"])
    data["y"] = (rng.random(n) < expit(-0.9 + 0.8 * data["a"] + 0.5 * data["b"])).astype(int)
    data.loc[rng.random(n) < expit(-0.6 + 0.8 * data["c"]), "a"] = np.nan
    data.loc[rng.random(n) < 0.2, "b"] = np.nan
    return data


def test_the_monte_carlo_error_holds_that_of_imputing() -> None:
    """The same patients under other seeds: values differ as far as the error says."""
    data, made = with_holes(250, 8), rn.recipe("y ~ a + b + c", impute=4, penalty=None)
    runs = [
        rn.validate(made, data, resamples=20, indices=["auc"], seed=seed).to_frame().iloc[0]
        for seed in range(16)
    ]
    seen = np.std([run["corrected"] for run in runs], ddof=1)
    told = np.sqrt(np.mean([run["mcse"] ** 2 for run in runs]))
    assert 0.6 < told / seen < 1.6


def test_apparent_and_test_of_a_recipe_that_imputes_by_hand() -> None:
    data, made = with_holes(200, 3), rn.recipe("y ~ a + b + c", impute=3, penalty=None)
    found = rn.validate(made, data, resamples=2, indices=["auc"], seed=5)
    refit = refit_of_recipe(made, data, None)
    assert refit.complete is not None
    ones, y = np.ones(refit.n), data["y"].to_numpy(float)

    def area(fitted: pd.DataFrame, judged: pd.DataFrame, counts: np.ndarray) -> float:
        fit = rn.logistic(fitted.assign(w=counts), made.formula, penalty=None, freq_weights="w")
        return float(auc(y, fit.predict(judged).to_numpy())[0])

    tables = [refit.complete(ones, 5 + j) for j in range(3)]
    by_hand = np.mean([area(table, table, ones) for table in tables])
    row = found.to_frame().iloc[0]
    np.testing.assert_allclose(row["apparent"], by_hand, rtol=1e-9)
    tests = []
    for part, rng in chunk_generators(5, 2):
        for b, counts in enumerate(bootstrap_counts(rng, refit.n, part.stop - part.start)):
            own, others = refit.complete(counts, 5 + b), refit.complete(ones, (1 << 62) + 5 + b)
            tests.append(area(own, others, counts))
    np.testing.assert_allclose(found.replicates["test"][:, 0], tests, rtol=1e-9)
    assert any("patients whose values are all known" in note for note in found.notes)


def test_what_the_imputations_agree_on_is_what_the_model_has() -> None:
    data = with_holes(250, 1)
    made = rn.recipe("y ~ a + b + c", impute=5, cut={"a": "youden"}, select="backward")
    for seed in range(4):
        table = rn.validate(made, data, resamples=3, indices=["auc"], seed=seed).inclusion()
        chosen = table.set_index("choice")["original"]
        formula = made.fit(data, seed=seed).design.formula
        right = formula.partition("~")[2]
        kept = [name for name in ("a", "b", "c") if chosen[name] == 1.0]
        assert [name for name in ("a", "b", "c") if name in right] == kept
        assert "a" not in kept or f"a > {chosen['cut-off of a']}" in right


def test_a_single_imputation_leaves_its_error_out_and_says_so() -> None:
    data = with_holes(120, 2)
    for times, said in ((1, True), (2, False)):
        made = rn.recipe("y ~ a + b + c", impute=times)
        found = rn.validate(made, data, resamples=3, indices=["auc"], seed=1)
        assert any("single imputation" in note for note in found.notes) is said


@pytest.mark.parametrize("method", ["boot", "cv"])
def test_resamples_without_a_value_to_learn_from_give_no_model(method: str) -> None:
    """A column known in three patients: some resamples hold none of them."""
    data = with_holes(60, 4).assign(k=np.nan)
    data.loc[[10, 20, 30], "k"] = [0.0, 1.0, 1.0]
    made = rn.recipe("y ~ b + k", impute=2)
    options: dict[str, Any] = {"method": method, "resamples": 80, "folds": 4}
    found = rn.validate(made, data, indices=["auc"], seed=1, **options)
    refit = refit_of_recipe(made, data, None)
    failed = 0
    for part, rng in chunk_generators(1, 80):
        drawn = bootstrap_counts(rng, refit.n, part.stop - part.start)
        failed += int((drawn[:, [10, 20, 30]].sum(axis=1) == 0).sum())
    assert failed
    if method == "boot":
        assert found.glance()["n_failed"].item() == failed
    assert np.isfinite(found.corrected("auc"))


def test_nothing_is_imputed_where_nothing_is_missing() -> None:
    data = with_holes(150, 6).dropna().reset_index(drop=True)
    plain, filled = rn.recipe("y ~ a + b + c"), rn.recipe("y ~ a + b + c", impute=4)
    found = [rn.validate(made, data, resamples=5, seed=2) for made in (plain, filled)]
    pd.testing.assert_frame_equal(found[0].to_frame(), found[1].to_frame())
    assert f"0 of {len(data)} rows had values imputed." in found[1].notes
    assert not any("outcome known" in note for note in found[1].notes)
    models = [made.fit(data, seed=2) for made in (plain, filled)]
    np.testing.assert_array_equal(models[0].coef, models[1].coef)
    assert not any("means over" in note for note in models[1].notes)


def test_fit_says_what_was_chosen(cohort: pd.DataFrame) -> None:
    made = rn.recipe(
        "margin_positive ~ location + nlr + size_mm + age",
        cut={"nlr": "youden"},
        select="univariable",
    )
    model = made.fit(cohort, seed=3)
    cut = best_cut(
        cohort["margin_positive"].to_numpy(float), cohort["nlr"].to_numpy(float), report="below"
    )[0]
    chosen = model.design.formula
    assert f"nlr > {cut}" in chosen
    assert any(f"nlr > {cut}" in note for note in model.notes)
    assert any("Selected of 4 candidates" in note for note in model.notes)
    assert any("repeats" in note for note in model.notes)
    risk = refit_of_recipe(made, cohort, None).original().risk[0]
    np.testing.assert_allclose(
        model.predict(cohort, outside="extrapolate")["risk"], risk, rtol=1e-9
    )


def test_survival_recipe_cuts_selects_and_shrinks() -> None:
    data = read("veteran.csv")
    made = rn.recipe(
        "Surv(time, status) ~ karno + age + diagtime",
        cut={"karno": "maxstat"},
        select="backward",
        shrink="heuristic",
        horizon=180,
    )
    model = made.fit(data, seed=1)
    assert model.horizon == 180
    risk = refit_of_recipe(made, data, 180).original().risk[0]
    np.testing.assert_allclose(model.predict(data, outside="extrapolate")["risk"], risk, rtol=1e-8)
    found = rn.validate(made, data, resamples=12, seed=1)
    assert "auc_t" in list(found.to_frame()["index"])
    assert found.inclusion()["frequency"].max() == 1.0


def test_selection_of_nothing_predicts_the_share() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.integers(0, 2, 200), "x": rng.normal(size=200)})
    made = rn.recipe("y ~ x", select={"method": "univariable", "alpha": 1e-9})
    model = made.fit(data, seed=1)
    np.testing.assert_allclose(model.predict(data, outside="extrapolate")["risk"], data["y"].mean())


def test_recipe_goes_to_json_and_back() -> None:
    made = rn.recipe(
        "y ~ a + rcs(b, 4) + c", cut={"a": "youden", "c": 3}, select="backward", shrink="heuristic"
    )
    back = Recipe.from_dict(json.loads(json.dumps(made.to_dict())))
    assert back == made
    assert made.steps() == back.steps()
    stored = made.to_dict()
    stored["schema_version"] = 99
    with pytest.raises(RnetError, match="newer"):
        Recipe.from_dict(stored)
    with pytest.raises(RnetError, match="not a Recipe"):
        Recipe.from_dict({"type": "RiskModel"})


@pytest.mark.parametrize(
    ("formula", "options", "error", "said"),
    [
        ("~ x", {}, FormulaError, "needs an outcome"),
        ("y ~ 1", {}, FormulaError, "at least one candidate"),
        ("y ~ x + strata(s)", {}, FormulaError, "no strata"),
        ("Surv(a, b, c) ~ x", {}, FormulaError, "without late entry"),
        ("y ~ x", {"cut": {"z": "youden"}}, OptionError, "no plain term"),
        ("y ~ log(x)", {"cut": {"x": "youden"}}, OptionError, "no plain term"),
        ("y ~ x", {"cut": {"x": "best"}}, OptionError, "not allowed"),
        ("y ~ x", {"cut": {"x": True}}, OptionError, "finite number"),
        ("y ~ x", {"cut": ["x"]}, OptionError, "mapping"),
        ("Surv(t, e) ~ x", {"cut": {"x": "youden"}}, OptionError, "maxstat"),
        ("y ~ x", {"select": "forward"}, OptionError, "not allowed"),
        ("y ~ x", {"select": {"alpha": 0.1}}, OptionError, "mapping of method"),
        ("y ~ x", {"select": {"method": "univariable", "alpha": None}}, OptionError, "Akaike"),
        ("y ~ x", {"select": {"method": "backward", "alpha": 1.5}}, OptionError, "alpha"),
        ("y ~ x", {"shrink": "lasso"}, OptionError, "not allowed"),
        ("y ~ x", {"impute": 0}, OptionError, "impute"),
        ("y ~ x", {"horizon": 12}, OptionError, "belongs to a model of a time"),
        ("Surv(t, e) ~ x", {"horizon": -1}, OptionError, "horizon"),
    ],
)
def test_bad_recipes_are_refused(formula: str, options: Any, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        rn.recipe(formula, **options)


def test_data_that_no_recipe_can_use() -> None:
    separated = pd.DataFrame({"y": [0] * 10 + [1] * 10, "x": np.arange(20.0)})
    with pytest.raises(TooFewEventsError, match="gives no model"):
        rn.recipe("y ~ x", penalty=None).fit(separated)
    with pytest.raises(OptionError, match="holds categories"):
        rn.recipe("y ~ g", cut={"g": "youden"}).fit(separated.assign(g=list("abcd") * 5))
    survival = read("veteran.csv")
    with pytest.raises(OptionError, match="by a horizon"):
        rn.recipe("Surv(time, status) ~ karno").fit(survival)


def test_shrinkage_is_kept_when_values_are_imputed(cohort: pd.DataFrame) -> None:
    holes = cohort.copy()
    holes["nlr"] = holes["nlr"].where(np.arange(len(holes)) % 7 > 0)
    plain = rn.recipe("margin_positive ~ nlr + size_mm", impute=2).fit(holes, seed=1)
    for how in ("heuristic", "ridge-aic"):
        shrunken = rn.recipe("margin_positive ~ nlr + size_mm", impute=2, shrink=how).fit(
            holes, seed=1
        )
        assert (np.abs(shrunken.coef[1:]) < 0.999 * np.abs(plain.coef[1:])).all()


@pytest.mark.slow
@pytest.mark.parametrize("shrink", ["bootstrap", "ridge-cv"])
def test_the_model_is_what_validate_repeats(cohort: pd.DataFrame, shrink: str) -> None:
    made_by = rn.recipe("margin_positive ~ method + nlr + size_mm", shrink=shrink)
    risk = made_by.fit(cohort, seed=4).predict(cohort, outside="extrapolate")["risk"]
    np.testing.assert_allclose(risk, made_by.refit(cohort).original(4).risk[0], rtol=1e-9)


def test_knots_that_coincide_are_refused_in_words(cohort: pd.DataFrame) -> None:
    few = cohort.assign(k=np.where(np.arange(len(cohort)) % 20 > 0, 1.0, cohort["nlr"]))
    made_by = rn.recipe("margin_positive ~ rcs(k, 4)")
    with pytest.raises(TooFewEventsError, match="knot"):
        made_by.fit(few)
    with pytest.raises(TooFewEventsError, match="knot"):
        rn.validate(made_by, few, resamples=5)
    imputed = rn.recipe("margin_positive ~ rcs(k, 4)", impute=1)
    holes = few.assign(k=few["k"].where(np.arange(len(few)) % 9 > 0))
    with pytest.raises(TooFewEventsError, match="knot"):
        rn.validate(imputed, holes, resamples=5)


@pytest.mark.parametrize("impute", [None, 1])
def test_knots_that_coincide_in_some_resamples_are_counted(impute: int | None) -> None:
    rng = np.random.default_rng(2)
    k = np.append(np.ones(20), np.arange(2.0, 47.0))  # a third of the rows: the first knot of ns
    data = pd.DataFrame({"y": rng.integers(0, 2, size=65), "k": k})
    found = rn.validate(
        rn.recipe("y ~ ns(k, 3)", select="univariable", impute=impute),
        data,
        resamples=20,
        seed=1,
        indices="brier",
    )
    assert 0 < found.glance()["n_failed"].iloc[0] < 20
    assert np.isfinite(found.corrected("brier"))
    assert found.inclusion()["choice"].str.startswith("knot 1").any()


def test_a_cut_off_that_parts_nobody_is_refused(cohort: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="constant"):
        rn.validate(rn.recipe("margin_positive ~ nlr", cut={"nlr": 1e3}), cohort, resamples=5)


@pytest.mark.parametrize("m", [None, 4.0])
def test_log_f_priors_in_a_recipe_are_those_of_the_fit(
    cohort: pd.DataFrame, m: float | None
) -> None:
    formula = "margin_positive ~ location + size_mm + lvi"
    made = rn.recipe(formula, penalty="log-f", m=m)
    assert made.m == (m or 1.0)
    fit = rn.logistic(cohort, formula, penalty="log-f", m=m)
    model = made.fit(cohort, seed=1)
    np.testing.assert_allclose(model.coef, fit.coef, rtol=1e-7)
    assert f"log-F({made.m:g}, {made.m:g})" in model.method
    assert any("priors stand on location, size_mm, lvi" in note for note in model.notes)
    by_recipe = rn.validate(made, cohort, resamples=8, seed=1).to_frame()
    by_fit = rn.validate(fit, resamples=8, seed=1).to_frame()
    pd.testing.assert_frame_equal(by_recipe, by_fit, rtol=1e-7, atol=1e-9)
    assert made.steps()[1].startswith(f"Fit: log-F({made.m:g}, {made.m:g}) priors")
    back = Recipe.from_dict(json.loads(json.dumps(made.to_dict())))
    assert back == made
    assert "m" not in rn.recipe(formula).to_dict()["fields"]
    kept = rn.RiskModel.from_dict(model.to_dict()).options["recipe"]["fields"]
    assert kept["m"] == made.m


def test_log_f_priors_of_a_time_and_with_selection(cohort: pd.DataFrame) -> None:
    data = read("veteran.csv")
    formula = "Surv(time, status) ~ karno + age + trt"
    made = rn.recipe(formula, penalty="log-f", m=2, horizon=180)
    fit = rn.cox(data, formula, penalty="log-f", m=2)
    np.testing.assert_allclose(made.fit(data, seed=1).coef, fit.coef, rtol=1e-7)
    chosen = rn.recipe(
        "margin_positive ~ lvi + size_mm + age", penalty="log-f", m=2, select="univariable"
    )
    counts = counts_of(len(cohort), 3)
    again = refit_of_recipe(chosen, cohort, None).again(counts, np.arange(3))
    for b, row in enumerate(counts):
        sample = sample_of(cohort, row)
        for term in ("lvi", "size_mm", "age"):
            one = rn.logistic(sample, f"margin_positive ~ {term}", penalty="log-f", m=2)
            p = float(one.to_frame()["p_value"].iloc[-1])
            assert (p <= 0.05) == bool(again.choices[f"selected: {term}"][b])


def test_log_f_options_are_checked() -> None:
    with pytest.raises(OptionError, match="add penalty='log-f'"):
        rn.recipe("y ~ x", m=2)
    with pytest.raises(OptionError, match="one number for all terms"):
        rn.recipe("y ~ x", penalty="log-f", m={"x": 2.0})  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="m"):
        rn.recipe("y ~ x", penalty="log-f", m=0.0)


def test_a_recipe_of_a_time_has_no_intercept_to_speak_of() -> None:
    for penalty, told in (
        ("firth", "Cox regression, Firth's penalised likelihood."),
        (None, "Cox regression, maximum likelihood."),
        ("log-f", "Cox regression, log-F(1, 1) priors on every coefficient."),
    ):
        made = rn.recipe("Surv(t, e) ~ x", horizon=12, penalty=penalty)
        assert made.steps()[-1] == f"Fit: {told}"


def test_univariable_selection_of_an_interaction_is_refused() -> None:
    """It kept an interaction without its parts, and then asked for x*g, which stood there."""
    with pytest.raises(FormulaError, match="no univariable test"):
        rn.recipe("y ~ x*g + z", select="univariable")
    rng = np.random.default_rng(3)
    x, g = rng.normal(size=200), rng.integers(0, 2, 200)
    y = (rng.random(200) < 1.0 / (1.0 + np.exp(-2.0 * x * (2 * g - 1)))).astype(int)
    kept = rn.recipe("y ~ x*g", select="backward").fit({"x": x, "g": g, "y": y}, seed=1)
    assert {"x", "g", "x:g"} <= {name.split("[")[0] for name in kept.to_frame()["term"]}


@pytest.mark.parametrize("timed", [False, True])
def test_shrinkage_without_a_single_resampled_model_is_no_bare_error(timed: bool) -> None:
    """Separated but for two patients: maximum likelihood exists in hardly any resample."""
    x = np.arange(24.0)
    y = (x > 11.5).astype(int)
    y[[11, 12]] = 1, 0
    data = {"x": x, "y": y, "t": 30.0 - x + 0.1 * (x == 12.0)}
    left, more = ("Surv(t, y)", {"horizon": 20.0}) if timed else ("y", {})
    recipe = rn.recipe(f"{left} ~ rcs(x, 5)", penalty=None, shrink="bootstrap", **more)
    with pytest.raises(TooFewEventsError, match="all resamples that a shrinkage is taken from"):
        recipe.fit(data, seed=1)


@pytest.mark.parametrize(
    "edit",
    [
        lambda stored: stored.update(schema_version="x"),
        lambda stored: stored.update(schema_version=float("inf")),
        lambda stored: stored.update(fields=-1),
        lambda stored: stored["fields"].pop("formula"),
        lambda stored: stored["fields"].update(unheard_of=1),
    ],
)
def test_a_damaged_recipe_is_named(edit: Callable[[dict[str, Any]], Any]) -> None:
    stored = json.loads(json.dumps(rn.recipe("low ~ lwt").to_dict()))
    edit(stored)
    with pytest.raises(ReadError, match="This Recipe is damaged"):
        Recipe.from_dict(stored)
    with pytest.raises(RnetError, match="holds a 'list', not a Recipe"):
        Recipe.from_dict([])  # type: ignore[arg-type]
