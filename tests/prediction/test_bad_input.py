"""What the judging verbs and the models of risk refuse, or take in its odd form."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import rnetstats as rn
from rnetstats.errors import DataError, OptionError, TooFewEventsError

VERBS = (rn.discrimination, rn.calibration, rn.decision_curve)


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    risk = rng.uniform(0.05, 0.9, 120)
    return pd.DataFrame(
        {
            "y": (rng.random(120) < risk).astype(int),
            "p": risk,
            "time": rng.exponential(10.0, 120),
            "code": np.arange(120) % 3,
        }
    )


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("options", [{"cause": 1}, {"censor": 9}])
def test_codes_of_competing_risks_are_not_ignored(verb: Any, options: dict[str, Any], data) -> None:
    with pytest.raises(OptionError, match=r"competing risks|Surv"):
        verb(data, "y ~ p", **options)


@pytest.mark.parametrize("verb", VERBS)
def test_labels_are_words_of_their_own(verb: Any, data) -> None:
    fit = rn.logistic(data, "y ~ p")
    for models in ({"": fit}, {3: fit, "3": fit}):
        with pytest.raises(OptionError, match="label of its own"):
            verb(data, "y ~ 1", models=models)


@pytest.mark.parametrize("verb", VERBS)
def test_a_single_resample_gives_no_limits(verb: Any, data) -> None:
    with pytest.raises(OptionError, match="resamples=1"):
        verb(data, "y ~ p", resamples=1)
    assert any("only 20 resamples" in note for note in verb(data, "y ~ p", resamples=20).notes)
    fit = rn.logistic(data, "y ~ p")
    with pytest.raises(OptionError, match="resamples=1"):
        rn.risk_model(fit, resamples=1)
    assert any("only 20" in note for note in rn.risk_model(fit, resamples=20, seed=1).notes)


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_censoring_code_is_told(verb: Any, data) -> None:
    found = verb(data, "Surv(time, code) ~ p", cause=1, censor=7, time=8.0)
    assert any("No row has the censoring code 7" in note for note in found.notes)
    usual = verb(data, "Surv(time, code) ~ p", cause=1, time=8.0)
    assert not any("censoring code" in note for note in usual.notes)


@pytest.mark.parametrize(
    "thresholds", [(x / 10 for x in (2, 1)), {0.1, 0.2}, {1: 0.1, 2: 0.2}.values(), (0.1, 0.2)]
)
def test_thresholds_are_anything_to_go_through(thresholds: Any, data) -> None:
    found = rn.decision_curve(data, "y ~ p", thresholds=thresholds).to_frame()
    assert found["threshold"].unique().tolist() == [0.1, 0.2]


@pytest.mark.parametrize("thresholds", ["0.2", True, ["a"], [0.5 + 0j], [[0.1], [0.1, 0.2]]])
def test_thresholds_are_numbers(thresholds: Any, data) -> None:
    with pytest.raises(OptionError, match="thresholds must be"):
        rn.decision_curve(data, "y ~ p", thresholds=thresholds)


def test_penalties_are_anything_to_go_through_but_numbers(data) -> None:
    fit = rn.logistic(data, "y ~ p")
    options: dict[str, Any] = {"method": "ridge-aic", "resamples": 20, "seed": 1}
    by_list = rn.shrink(fit, penalties=[0.0, 1.0, 10.0], **options)
    by_generator = rn.shrink(fit, penalties=(x for x in (0.0, 1.0, 10.0)), **options)
    assert by_generator.amount == by_list.amount
    for wrong in ("a", ["a", "b"], [1.0, np.nan], 3.0):
        with pytest.raises(OptionError, match="penalties must be"):
            rn.shrink(fit, penalties=wrong, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("covariance", ["a", [[1.0, 2.0], [2.0]], 3.0])
def test_a_covariance_is_a_matrix(covariance: Any) -> None:
    with pytest.raises(OptionError, match="covariance must be"):
        rn.RiskModel.from_coefficients(
            "y ~ a", {"a": 0.1}, intercept=-1.0, ranges={"a": (0, 1)}, covariance=covariance
        )


def test_an_estimator_that_fails_is_named(data) -> None:
    class Words:
        def predict_proba(self, X: Any) -> Any:
            return np.full((len(X), 2), "low")

    with pytest.raises(DataError, match=r"Words.predict_proba\(\) failed"):
        rn.RiskModel.from_estimator(Words(), data, "y ~ p")


def test_a_degree_is_a_whole_number(data) -> None:
    with pytest.raises(OptionError, match="degree"):
        rn.calibration(data, "y ~ p", degree=2.0)  # type: ignore[arg-type]


def test_the_event_is_named_by_its_column_and_code(data) -> None:
    times = rn.decision_curve(data.assign(e=data["code"] == 1), "Surv(time, e) ~ p", time=8.0)
    assert any(note.startswith("Event: e by time = 8;") for note in times.notes)
    competing = rn.decision_curve(data, "Surv(time, code) ~ p", cause=2, time=8.0)
    assert any(note.startswith("Event: code = 2 by time = 8;") for note in competing.notes)


@pytest.mark.parametrize("events", [1, 3])
def test_few_events_bound_the_mean_and_judge_no_line(events: int) -> None:
    risk = np.linspace(0.01, 0.2, 100)
    y = np.zeros(100)
    y[[99, 80, 60][:events]] = 1
    found = rn.calibration({"y": y, "p": risk}, "y ~ p")
    row = found.to_frame().iloc[0]
    low, high = stats.chi2.ppf([0.025, 0.975], [2 * events, 2 * events + 2]) / 2.0 / risk.sum()
    assert np.allclose([row["oe_low"], row["oe_high"]], [low, high], rtol=1e-10)
    verdicts = found.levels().set_index("level")["verdict"]
    assert (verdicts[["weak", "moderate"]] == "cannot be judged").all()
    assert any("All rests on" in note for note in found.notes)


def test_a_model_fitted_on_the_rows_is_called_apparent_in_tables_and_figures(data) -> None:
    fit = rn.logistic(data, "y ~ p")
    found = rn.calibration(data, "y ~ p", models={"fit": fit})
    assert found.to_frame()["apparent"].tolist() == [False, True]
    assert found.display()["Model"].tolist() == ["p", "fit (apparent)"]
    figures = (found, rn.discrimination(data, "y ~ p", models={"fit": fit}))
    for figure in figures:
        legend = figure.plot().get_legend()
        assert legend is not None
        assert any("fit (apparent)" in text.get_text() for text in legend.get_texts())
    plt.close("all")


def test_a_constant_outcome_of_a_recipe_is_named(data) -> None:
    with pytest.raises(TooFewEventsError, match=r"'y' is 0 in all 120 rows"):
        rn.recipe("y ~ p").fit(data.assign(y=0))
    with pytest.raises(TooFewEventsError, match=r"no event of 'Surv\(time, e\)' in the 120 rows"):
        rn.validate(rn.recipe("Surv(time, e) ~ p", horizon=5), data.assign(e=0), resamples=2)


@pytest.mark.parametrize("verb", [rn.validate, rn.stability])
def test_what_cannot_be_made_again_is_named(verb: Any) -> None:
    with pytest.raises(
        OptionError, match="can be made again in resamples; this is of type NoneType"
    ):
        verb(None)


@pytest.mark.parametrize("censoring", [0.0, 1000.0])
def test_a_validation_beyond_all_follow_up_has_no_size(censoring: float) -> None:
    with pytest.raises(OptionError, match="same unit of time"):
        rn.sample_size_validation(
            outcome="survival", rate=5, timepoint=500, lp_sd=1, censoring_rate=censoring
        )


def test_a_single_event_or_pair_is_one() -> None:
    one = {"y": [0, 1], "p": [0.2, 0.7]}
    assert any("a single pair." in note for note in rn.discrimination(one, "y ~ p").notes)
    found = rn.cutpoint(one, "y ~ p", permutations=19, seed=1)
    assert any("searched on a single event" in note for note in found.notes)
