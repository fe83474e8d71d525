"""Validation at its edges: what is refused, what is left without a value and said to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, OptionError, RnetError, TooFewEventsError
from rnetstats.prediction.judges import judge_of
from rnetstats.prediction.refit import take_rows
from rnetstats.prediction.resampling_schemes import bootstrap, cross_validate, folds_of
from rnetstats.prediction.validation_rows import refit_of


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x = rng.normal(size=120)
    y = (rng.uniform(size=120) < 1 / (1 + np.exp(0.8 - x))).astype(int)
    return pd.DataFrame(
        {
            "y": y,
            "x": x,
            "z": rng.normal(size=120),
            "months": rng.exponential(20, size=120).round(1) + 0.1,
            "centre": rng.choice(list("abcdef"), 120),
        }
    )


@pytest.fixture(scope="module")
def fit(patients: pd.DataFrame) -> Any:
    return rn.logistic(patients, "y ~ x + z")


@pytest.mark.parametrize("verb", ["validate", "stability"])
@pytest.mark.parametrize("time", [1e6, "last"])
def test_horizon_past_follow_up_is_refused(patients: pd.DataFrame, verb: str, time: Any) -> None:
    cox = rn.cox(patients, "Surv(months, y) ~ x")
    time = patients["months"].max() if time == "last" else time
    with pytest.raises(DataError, match="Nobody is followed past"):
        getattr(rn, verb)(cox, time=time, resamples=5)
    made_by = rn.recipe("Surv(months, y) ~ x", horizon=time)
    with pytest.raises(DataError, match="Nobody is followed past"):
        getattr(rn, verb)(made_by, patients, resamples=5)


def test_horizon_before_the_first_event_is_refused(patients: pd.DataFrame) -> None:
    with pytest.raises(TooFewEventsError, match="the first is at"):
        rn.validate(rn.cox(patients, "Surv(months, y) ~ x"), time=0.01, resamples=5)


@pytest.mark.parametrize(
    "options",
    [
        {"thresholds": "a"},
        {"thresholds": ["0.1"]},
        {"thresholds": {"a": 1}},
        {"thresholds": [[0.1], [0.2]]},
        {"thresholds": [0.1, [0.2]]},
        {"thresholds": []},
        {"thresholds": True},
        {"thresholds": [float("nan")]},
        {"indices": 3},
        {"indices": []},
        {"by": "centre"},
        {"method": "internal-external", "by": 3},
        {"folds": "10"},
        {"conf_level": True},
        {"time": "12"},
        {"seed": "a"},
    ],
)
def test_options_of_a_wrong_kind_are_refused(fit: Any, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        rn.validate(fit, resamples=5, **options)


@pytest.mark.parametrize("thresholds", ["a", [[0.1], [0.2]], [], [0.0]])
def test_stability_reads_thresholds_alike(fit: Any, thresholds: Any) -> None:
    with pytest.raises(OptionError, match="above 0 and below 1"):
        rn.stability(fit, resamples=5, thresholds=thresholds)


def test_options_that_do_not_suit_the_model_are_refused(fit: Any, patients: pd.DataFrame) -> None:
    made_by = rn.recipe("y ~ x")
    with pytest.raises(OptionError, match="intercept="):
        rn.validate(made_by, patients, intercept="model", resamples=5)
    with pytest.raises(OptionError, match="no meaning for a binary"):
        rn.validate(made_by, patients, time=12, resamples=5)
    with pytest.raises(OptionError, match="leave by="):
        rn.validate(fit, external=patients, by="centre", resamples=5)


def test_a_fit_takes_its_own_rows_and_no_others(fit: Any, patients: pd.DataFrame) -> None:
    own = rn.validate(fit, patients, resamples=5, seed=1)
    pd.testing.assert_frame_equal(own.to_frame(), rn.validate(fit, resamples=5, seed=1).to_frame())
    with pytest.raises(DataError, match="given by external="):
        rn.validate(fit, patients.head(80), resamples=5)
    with pytest.raises(DataError, match="given by external="):
        rn.validate(
            fit, patients.assign(x=0.1), method="internal-external", by="centre", resamples=5
        )


def test_seeds_of_any_size(patients: pd.DataFrame) -> None:
    made_by = rn.recipe("y ~ x + z", shrink="bootstrap")
    for seed in (2**63 - 1, 2**70):
        found = rn.validate(made_by, patients, resamples=3, seed=seed, indices="auc")
        assert np.isfinite(found.corrected("auc"))


def test_survival_without_censoring_has_limits() -> None:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"t": rng.exponential(size=60), "e": 1, "x": rng.normal(size=60)})
    found = rn.validate(rn.cox(data, "Surv(t, e) ~ x"), resamples=30, seed=1)
    assert found.to_frame().set_index("index").loc["c", ["conf_low", "conf_high"]].notna().all()


def test_clusters_are_left_out_whole(patients: pd.DataFrame) -> None:
    codes = pd.factorize(patients["centre"])[0].astype(np.int64)
    folds = folds_of(patients["y"].to_numpy(float), 3, 4, 1, codes)
    assert pd.DataFrame(folds.T).groupby(codes).nunique().to_numpy().max() == 1
    assert all(len(np.unique(row)) == 3 for row in folds)
    clustered = rn.logistic(patients, "y ~ x + cluster(centre)")
    assert np.isfinite(
        rn.validate(clustered, method="cv", folds=3, resamples=9, seed=1).corrected("auc")
    )
    with pytest.raises(OptionError, match="exceeds the 6 clusters"):
        rn.validate(clustered, method="cv", folds=10, resamples=20)


def test_cross_validation_in_blocks_is_one_repetition_after_the_other(
    patients: pd.DataFrame,
) -> None:
    fit = rn.logistic(patients, "y ~ x + z")
    many = rn.validate(fit, method="cv", folds=50, resamples=600, seed=1, indices=["auc", "brier"])
    few = rn.validate(fit, method="cv", folds=50, resamples=150, seed=1, indices=["auc", "brier"])
    assert len(many.replicates["test"]) == 12
    np.testing.assert_allclose(many.replicates["test"][:3], few.replicates["test"], rtol=1e-12)
    np.testing.assert_allclose(
        many.replicates["training"][:3], few.replicates["training"], rtol=1e-12
    )


@pytest.mark.parametrize("horizon", [None, 15.0])
def test_counts_are_replicated_rows_for_every_survival_index(
    patients: pd.DataFrame, horizon: float | None
) -> None:
    refit = refit_of(rn.cox(patients, "Surv(months, y) ~ x + z"), None, horizon, "flic")
    counts = np.random.default_rng(1).integers(0, 4, size=(2, refit.n))
    made = refit.again(counts.astype(float), np.arange(2))
    together = judge_of(refit.outcome, horizon).indices(
        made.risk, made.predictor, counts.astype(float)
    )
    for b, row in enumerate(counts):
        rows = np.repeat(np.arange(refit.n), row)
        alone = judge_of(take_rows(refit.outcome, rows), horizon).indices(
            made.risk[b, rows][None], made.predictor[b, rows][None], None
        )
        np.testing.assert_allclose(together[b], alone[0], rtol=1e-7, atol=1e-9)


def test_what_has_no_value_is_said(patients: pd.DataFrame) -> None:
    alike = rn.validate(rn.logistic(patients, "y ~ 1"), resamples=10, seed=1)
    assert np.isnan(alike.corrected("slope"))
    assert any(note.startswith("No value: slope") for note in alike.notes)
    assert any("no calibration curve" in note for note in alike.notes)
    model = rn.risk_model(rn.logistic(patients, "y ~ x"))
    other = rn.validate(model, external=patients.assign(x=lambda d: d["x"] + 0.1), resamples=10)
    assert other.to_frame()["apparent"].isna().all()
    assert any("apparent indices are not known" in note for note in other.notes)
    assert any("no Monte Carlo error" in note for note in other.notes)
    one = rn.validate(
        rn.logistic(patients, "y ~ x"), patients, method="internal-external", by="centre", seed=1
    )
    assert any("no Monte Carlo error" in note for note in one.notes)


def test_a_stratified_fit_is_judged_on_others(patients: pd.DataFrame) -> None:
    stratified = rn.cox(patients.assign(arm=patients["z"] > 0), "Surv(months, y) ~ x + strata(arm)")
    others = patients.assign(arm=patients["z"] > 0.5)
    found = rn.validate(stratified, external=others, resamples=10, seed=1)
    assert np.isfinite(found.corrected("c"))
    assert any("has a baseline a stratum" in note for note in found.notes)


def test_no_external_risks_but_one_give_no_curve(patients: pd.DataFrame) -> None:
    found = rn.validate(rn.logistic(patients, "y ~ 1"), external=patients, resamples=5, seed=1)
    assert found.calibration_curve().empty


@pytest.mark.parametrize("outcome", [0, 1])
def test_patients_of_one_outcome_have_the_scores_that_need_no_other(
    fit: Any, patients: pd.DataFrame, outcome: int
) -> None:
    model, others = rn.risk_model(fit), patients[patients["y"] == outcome]
    found = rn.validate(model, external=others, resamples=20, seed=1)
    risk = model.predict(others)["risk"].to_numpy()
    spread = ((1 - 2 * risk) ** 2 * risk * (1 - risk)).sum()
    z = ((outcome - risk) * (1 - 2 * risk)).sum() / np.sqrt(spread)
    assert found.corrected("brier") == pytest.approx(((outcome - risk) ** 2).mean(), rel=1e-12)
    assert found.corrected("spiegelhalter_z") == pytest.approx(z, rel=1e-12)
    table = found.to_frame().set_index("index")
    known = {"brier", "spiegelhalter_z", "hosmer_lemeshow"}
    assert set(table.index[table["corrected"].notna()]) == known
    missing = next(note for note in found.notes if note.startswith("No value"))
    assert not any(name in missing.split(";")[0] for name in (" brier,", *sorted(known)[1:]))


def test_callables_are_called_by_their_faults(patients: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="returned a LogisticResult"):
        rn.validate(lambda d: rn.logistic(d, "y ~ x"), patients, resamples=3)

    def broken(data: pd.DataFrame) -> Any:
        raise ZeroDivisionError(len(data))

    with pytest.raises(ZeroDivisionError):
        rn.validate(broken, patients, resamples=3)


@pytest.mark.parametrize("method", ["boot", "cv", "internal-external"])
def test_progress_ends(
    fit: Any, patients: pd.DataFrame, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    by = "centre" if method == "internal-external" else None
    data = patients if by else None
    quiet = rn.validate(fit, data, method=method, by=by, resamples=25, seed=1, indices="auc")
    assert capsys.readouterr().err == ""
    shown = rn.validate(
        fit, data, method=method, by=by, resamples=25, seed=1, indices="auc", progress=True
    )
    assert "validate" in capsys.readouterr().err
    pd.testing.assert_frame_equal(quiet.to_frame(), shown.to_frame())


def test_stability_says_how_few_there_are() -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"y": [1, 1, 1] + [0] * 12, "x": rng.normal(size=15)})
    notes = rn.stability(rn.logistic(data, "y ~ x"), resamples=20, seed=1).notes
    assert any("rarer outcome: 3" in note for note in notes)
    assert any("15 patients are too few" in note for note in notes)


def test_centres_that_hold_all_events_are_said() -> None:
    data = pd.DataFrame({"y": [1, 1, 0, 0, 0, 0] * 4, "x": np.arange(24.0) % 7})
    data["where"] = np.where(data["y"] == 1, "here", "there")
    fit = rn.logistic(data, "y ~ x")
    with pytest.raises(RnetError, match="outside some fold"):
        rn.validate(fit, data, method="internal-external", by="where")


def test_entry_times_count_in_the_concordance(patients: pd.DataFrame) -> None:
    late = patients.assign(entry=lambda d: (d["months"] * 0.7).round(1))
    fit = rn.cox(late, "Surv(entry, months, y) ~ x + z")
    found = rn.validate(fit, resamples=5, seed=1).to_frame().set_index("index")
    expected = fit.glance()["concordance"].iloc[0]
    np.testing.assert_allclose(found.loc["c", "apparent"], expected, rtol=1e-12)


def test_curves_end_where_a_model_predicts_nobody(patients: pd.DataFrame) -> None:
    y = patients["y"].to_numpy(float)
    rng = np.random.default_rng(1)
    risk = np.vstack([rng.uniform(0.3, 0.4, 120), rng.uniform(0.1, 0.9, 120)])
    outcome = refit_of(rn.logistic(patients, "y ~ x"), None, None, "flic").outcome
    curve = judge_of(outcome, None).curve(risk, None, np.array([0.2, 0.35, 0.8]))
    assert np.isnan(curve[0]).tolist() == [True, False, True]
    assert np.isfinite(curve[1]).all()
    left = (np.arange(120) % 2 == 0).astype(float)
    risk[0, 1] = 0.95  # a row that is left out widens no range
    assert np.isnan(judge_of(outcome, None).curve(risk[:1], left, np.array([0.9])))[0, 0]
    assert y.sum() > 0


def test_the_corrected_curve_of_a_weak_cox_model_stays_near_the_incidence() -> None:
    cohort = rn.load_cohort("duan2024")
    fit = rn.cox(cohort, "Surv(dfs_months, dfs_event) ~ margin_positive + nlr")
    curve = rn.validate(fit, time=36, resamples=60, seed=1).calibration_curve()
    assert (curve["corrected"] - curve["apparent"]).abs().max() < 0.03


def test_external_figures_call_nothing_corrected(fit: Any, patients: pd.DataFrame) -> None:
    import matplotlib.pyplot as plt

    found = rn.validate(fit, external=patients, resamples=5, seed=1)
    for kind in ("calibration", "net_benefit", "indices"):
        legend = found.plot(kind=kind).get_legend()
        assert legend is not None
        texts = [text.get_text() for text in legend.get_texts()]
        assert "External data" in texts
        assert "Corrected" not in texts
    plt.close("all")


def test_thresholds_without_net_benefit_are_named() -> None:
    cohort = rn.load_cohort("duan2024")
    fit = rn.cox(cohort, "Surv(dfs_months, dfs_event) ~ margin_positive + nlr")
    for found in (
        rn.validate(fit, time=36, resamples=10, seed=1),
        rn.validate(fit, time=36, resamples=10, seed=1, external=cohort),
    ):
        lost = found.decision_curve().query("apparent != apparent")["threshold"]
        assert len(lost)
        assert any(f"No net benefit at the thresholds {lost.iloc[0]:g}" in n for n in found.notes)


def test_centres_without_indices_are_named(fit: Any, patients: pd.DataFrame) -> None:
    small = patients.assign(centre=np.where(np.arange(120) < 8, "tiny", patients["centre"]))
    found = rn.validate(fit, small, method="internal-external", by="centre", seed=1)
    frame = found.by_centre().set_index("centre")
    assert np.isnan(frame.loc["tiny", "auc"])
    assert any("no indices for" in note and "tiny" in note for note in found.notes)


def test_of_very_many_centres_the_first_are_named(fit: Any, patients: pd.DataFrame) -> None:
    """A column of numbers that all differ, taken for the centres, made a note of pages."""
    each = patients.assign(centre=[f"c{i:03d}" for i in range(len(patients))])
    found = rn.validate(fit, each, method="internal-external", by="centre", seed=1, indices=["auc"])
    (note,) = [note for note in found.notes if "no indices for" in note]
    assert "c000, c001, c002" in note and f"c019 and {len(patients) - 20} more centres" in note
    assert "c020" not in note


def noise() -> pd.DataFrame:
    """Patients of whom nothing tells anything, so that no term is kept."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(150, 4)), columns=list("abcd"))
    return frame.assign(y=(rng.random(150) < 0.3).astype(int))


@pytest.mark.parametrize("method", ["cv", "632"])
def test_an_index_is_counted_where_it_is_used(method: str) -> None:
    recipe = rn.recipe("y ~ a + b + c + d", select={"method": "univariable", "alpha": 0.2})
    found = rn.validate(recipe, noise(), method=method, resamples=60, folds=5, seed=1)
    table = found.to_frame().set_index("index")
    counted = np.isfinite(found.replicates["test"]).sum(axis=0)
    np.testing.assert_array_equal(table["n_runs"], counted)
    assert (table["n_runs"] > 0)[["auc", "slope"]].all()


def test_a_model_without_a_term_is_said_to_be_none() -> None:
    data = noise()
    recipe = rn.recipe("y ~ a + b + c + d", select={"method": "univariable", "alpha": 0.01})
    found = rn.validate(recipe, data, resamples=20, seed=1)
    assert found.to_frame().set_index("index").loc["auc", "apparent"] == 0.5
    assert any("tells no patient from another" in note for note in found.notes)
    kept = rn.validate(rn.recipe("y ~ a"), data, resamples=20, seed=1)
    assert not any("tells no patient from another" in note for note in kept.notes)


def test_what_is_not_corrected_by_design_is_not_said_to_be_undefined(patients) -> None:
    fit = rn.logistic(patients, "y ~ x")
    usual = rn.validate(fit, resamples=10, seed=1)
    assert np.isfinite(usual.to_frame().set_index("index").loc["hosmer_lemeshow", "apparent"])
    assert not any(note.startswith("No value") for note in usual.notes)
    alike = rn.validate(rn.logistic(patients, "y ~ 1"), resamples=10, seed=1)
    assert any(note.startswith("No value") for note in alike.notes)


def test_resamples_of_which_none_gives_a_model() -> None:
    """One patient with the event, told apart by every resample that holds him."""
    data = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 2.5], "y": [0, 0, 0, 0, 0, 1, 1]})
    recipe = rn.recipe("y ~ x", penalty=None)
    with pytest.raises(TooFewEventsError, match="None of 3 resamples gave a model"):
        rn.validate(recipe, data, resamples=3, seed=1)


def test_limits_that_leave_the_corrected_index_out_are_called_flattering() -> None:
    # a search that finds nothing here finds something in most resamples
    rng = np.random.default_rng(6)
    names = [f"x{i}" for i in range(12)]
    noise = pd.DataFrame(rng.normal(size=(150, 12)), columns=names)
    noise["y"] = rng.permutation(np.repeat([0, 1], [98, 52]))
    made = rn.recipe(f"y ~ {' + '.join(names)}", select="univariable")
    found = rn.validate(made, noise, resamples=30, seed=1)
    row = found.to_frame().set_index("index").loc["auc"]
    assert row["corrected"] < row["conf_low"]
    (said,) = [note for note in found.notes if "outside their own limits" in note]
    assert "auc" in said
    calm = rn.validate(rn.logistic(noise, "y ~ x0"), resamples=200, seed=1)
    inside = calm.to_frame().set_index("index").loc["auc"]
    assert inside["conf_low"] <= inside["corrected"] <= inside["conf_high"]
    assert not any("outside their own limits" in note and "auc" in note for note in calm.notes)


def test_risks_that_separate_the_outcomes_have_no_calibration_curve() -> None:
    data = pd.DataFrame({"a": np.repeat([0, 1], 60), "y": np.repeat([0, 1], 60)})
    fit = rn.logistic(data, "y ~ a")
    for found in (
        rn.validate(fit, resamples=20, seed=1),
        rn.validate(fit, external=data, resamples=20, seed=1),
    ):
        assert len(found.calibration_curve()) == 0
        assert sum("No calibration curve can be fitted" in note for note in found.notes) == 1
        with pytest.raises(OptionError, match="no calibration curve"):
            found.plot(kind="calibration")


def test_limits_of_an_index_that_many_resamples_lack_are_refused() -> None:
    """One patient alone overlaps: where he is not drawn, the outcomes are separated."""
    x = np.array([*np.linspace(-2.0, -0.5, 20), *np.linspace(0.5, 2.0, 12)])
    others = pd.DataFrame({"x": x, "y": np.repeat([0, 1], [20, 12])})
    others.loc[0, "x"] = 1.0
    rng = np.random.default_rng(3)
    made = pd.DataFrame({"x": rng.normal(size=300)})
    made["y"] = (made["x"] + rng.normal(size=300) > 0.0).astype(int)
    found = rn.validate(rn.logistic(made, "y ~ x"), external=others, resamples=400, seed=1)
    table = found.to_frame().set_index("index")
    assert np.isfinite(table.loc["slope", "corrected"])
    assert 200 < table.loc["slope", "n_runs"] < 300  # 1 - exp(-1) of 400
    assert table.loc["slope", ["conf_low", "conf_high"]].isna().all()
    assert table.loc[["auc", "brier"], ["conf_low", "conf_high"]].notna().all(axis=None)
    (said,) = [note for note in found.notes if note.startswith("No limits of")]
    assert "slope" in said and "auc" not in said
    assert "more than 5 % of 400 resamples" in said
    # the bootstrap's own limits likewise; the slope never has any there, which is said apart
    own = rn.validate(rn.logistic(others, "y ~ x"), resamples=200, seed=1)
    table = own.to_frame().set_index("index")
    assert np.isfinite(table.loc["r2", "corrected"]) and np.isnan(table.loc["r2", "conf_low"])
    assert np.isfinite(table.loc["auc", "conf_low"])
    (said,) = [note for note in own.notes if note.startswith("No limits of")]
    assert "r2" in said and "slope" not in said


def test_where_many_resamples_give_no_model_no_index_has_limits() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"x": rng.normal(size=40)})
    data["y"] = (data["x"] + 0.3 * rng.normal(size=40) > 1.0).astype(int)
    found = rn.validate(rn.recipe("y ~ x", penalty=None), data, resamples=100, seed=1)
    row = found.glance().iloc[0]
    assert 5 < row["n_failed"] < 50  # separated, so that there is no maximum
    assert found.to_frame()[["conf_low", "conf_high"]].isna().all(axis=None)
    (said,) = [note for note in found.notes if note.startswith("No limits of")]
    assert "auc" in said and "of 100 resamples, those without a model included" in said
    assert not any("Limits from" in note for note in found.notes)


@pytest.mark.parametrize("method", ["boot", "632", "cv"])
def test_replicates_without_a_calibration_curve_are_counted(method: str) -> None:
    """Ten events: the spline of many resamples separates them from the others."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=90)
    y = np.zeros(90, dtype=int)
    y[np.argsort(-x - 0.9 * rng.normal(size=90))[:10]] = 1
    fit = rn.logistic({"x": x, "z": rng.normal(size=90), "y": y}, "y ~ x + z")
    found = rn.validate(fit, method=method, resamples=40, folds=4, seed=2)
    refit = refit_of(fit, None, None, "flic")
    judge = judge_of(refit.outcome, None)
    grid = found.calibration_curve()["predicted"].to_numpy()
    common: dict[str, Any] = {"seed": 2, "grid": grid, "thresholds": np.empty(0)}
    said = [note for note in found.notes if "corrected calibration curve rests" in note]
    if method == "cv":  # on all patients together there is one
        runs = cross_validate(refit, judge, folds_of(judge.events, 4, 10, 2), **common)
        assert np.isfinite(runs.curve_test).any(axis=1).all()
        assert not said
        return
    runs = bootstrap(refit, judge, resamples=40, left_out=method == "632", **common)
    have = np.isfinite(runs.curve_test).any(axis=1)
    if method == "boot":
        have &= np.isfinite(runs.curve_training).any(axis=1)
    assert 0 < have.sum() < have.size
    assert len(said) == 1
    assert said[0].startswith(
        f"The corrected calibration curve rests on {have.sum()} of {have.size} resamples"
    )


def test_only_a_bootstrap_speaks_of_resamples_with_patients_twice() -> None:
    data = rn.load_cohort("duan2024")
    recipe = rn.recipe("margin_positive ~ nlr")
    drawn = rn.validate(recipe, data, resamples=5, seed=1).notes
    dealt = rn.validate(recipe, data, method="cv", folds=5, resamples=10, seed=1).notes
    assert "Every resample repeated the whole recipe." in drawn
    assert "Every fit repeated the whole recipe." in dealt
    assert any("stand several times in a resample, and with the number" in note for note in drawn)
    assert any("Hosmer-Lemeshow statistic grows with the number of" in note for note in dealt)
