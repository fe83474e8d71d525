from __future__ import annotations

import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import (
    ColumnError,
    DataError,
    DataNotKeptError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.kernels.clone_censor import Clones, treated_weights, untreated_weights
from rnetstats.kernels.clone_weights import staying_hazard
from rnetstats.treatment.clone_censor import CloneOptions, _effect, _judge_draws
from rnetstats.treatment.clone_tables import count_cut
from rnetstats.treatment.effect import TreatmentEffectResult
from rnetstats.treatment.patients import read_patients
from treatment_cohorts import SIX, draw

METHODS = ("naive", "time-dependent Cox", "landmark", "clone-censor-weight")
STRATEGIES = [
    "risk, treated",
    "risk, untreated",
    "risk difference",
    "risk ratio",
    "RMST, treated",
    "RMST, untreated",
    "RMST difference",
]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def effect(data, formula="Surv(months, event) ~ x", **options):
    options = {"treatment_time": "treated_at", "resamples": 0, "seed": 1} | options
    return rn.treatment_effect(data, formula, **options)


def six(**options):
    options = {"treatment_time": "salvage", "grace": 5, "horizon": 12, "landmarks": 5} | options
    return effect(SIX, "Surv(months, event) ~ 1", **options)


def row(result, method, measure="HR"):
    frame = result.to_frame()
    return frame[(frame["method"] == method) & (frame["measure"] == measure)].iloc[0]


def many(seed=1, n=400, **options):
    return draw(np.random.default_rng(seed), n, **options)


def test_six_patients_by_hand():
    result = six()
    counts = ["n_treated", "n_untreated", "n_excluded", "events_treated", "events_untreated"]
    by_hand = {
        "naive": [3, 3, 0, 2, 2],  # B, C, F against A, D, E
        "time-dependent Cox": [3, 6, 0, 2, 2],
        "landmark": [2, 3, 1, 1, 2],  # B, C against D, E, F; A is gone
    }
    for method, want in by_hand.items():
        assert row(result, method)[counts].tolist() == want
    # clones that stay: treated A (4 months), B, C; untreated A, D, E
    found = row(result, "clone-censor-weight", "risk difference")
    assert found[counts].tolist() == [3, 3, 0, 2, 2]
    assert found["estimate"] == pytest.approx(7 / 12 - 7 / 15)
    values = [row(result, "clone-censor-weight", m)["estimate"] for m in STRATEGIES]
    want = [7 / 12, 7 / 15, 7 / 60, 5 / 4, 4 + 5 + 5 / 6, 8.8, 59 / 6 - 8.8]
    np.testing.assert_allclose(values, want, rtol=1e-12)
    weights = result.weights.set_index(["group", "time"])
    assert weights.loc[("treated by month 5", 5.0), "total"] == pytest.approx(5.0)
    assert weights.loc[("never treated", 5.0), "mean"] == pytest.approx(8 / 5)
    assert weights.loc[("never treated", 12.0), "ess"] == pytest.approx(1.0)
    # of the four events by hand, A's is in both arms
    assert "besides 1 that stand in both arms" in found["reason"]
    assert result.person_time["before"] == 2 + 5 + 8
    assert result.person_time["share"] == pytest.approx(15 / 42)


def test_simon_makuch_curves_by_hand():
    curves = six().simon_makuch()
    steps = curves[curves["n_event"] > 0][["group", "time", "n_risk", "survival"]]
    want = [
        ("not yet treated", 4, 5, 4 / 5),
        ("not yet treated", 6, 3, 4 / 5 * 2 / 3),
        ("treated", 10, 3, 2 / 3),
        ("treated", 20, 1, 0.0),
    ]
    for found, expected in zip(steps.itertuples(index=False), want, strict=True):
        assert found[0] == expected[0]
        np.testing.assert_allclose(found[1:], expected[1:])


def test_simon_makuch_curves_from_a_later_start():
    curves = six().simon_makuch(since=5.0)
    steps = curves[curves["n_event"] > 0][["group", "time", "n_risk", "survival"]]
    # D, E, F not yet treated at 6; B, C, F treated at 10
    want = [("not yet treated", 6, 3, 2 / 3), ("treated", 10, 3, 2 / 3), ("treated", 20, 1, 0)]
    for found, expected in zip(steps.itertuples(index=False), want, strict=True):
        assert found[0] == expected[0]
        np.testing.assert_allclose(found[1:], expected[1:])
    with pytest.raises(DataError, match="at risk after 16"):
        six().simon_makuch(since=16.0)


def test_who_was_treated_must_agree_with_the_times():
    flags = SIX.assign(ever=[0, 1, 1, 0, 0, 1])
    options = {"treatment_time": "salvage", "ever_treated": "ever", "grace": 5, "horizon": 12}
    formula = "Surv(months, event) ~ 1"
    assert row(effect(flags, formula, **options), "naive")["n_treated"] == 3
    with pytest.raises(DataError, match=r"^E: treated by 'ever', but without a time in 'salvage'"):
        effect(flags.assign(ever=[0, 1, 1, 0, 1, 1]), formula, **options)
    with pytest.raises(DataError, match=r"^F: not treated by 'ever', but with a time"):
        effect(flags.assign(ever=[0, 1, 1, 0, 0, 0]), formula, **options)
    with pytest.raises(DataError, match="by 0 or 1"):
        effect(flags.assign(ever=[0, 1, 1, 0, 0, 2]), formula, **options)


def test_hazard_ratios_are_those_of_cox_on_the_same_rows():
    data = many(confounding=0.5)
    result = effect(data, landmarks=[18])
    split = rn.split_at_treatment(data, "Surv(months, event)", treatment_time="treated_at")
    at = data[data["months"] > 18]
    fits = {
        "naive": rn.cox(
            data.assign(t=data["treated_at"].notna().astype(int)), "Surv(months, event) ~ t + x"
        ),
        "time-dependent Cox": rn.cox(split, "Surv(start, stop, event) ~ treated + x"),
        "landmark": rn.cox(
            at.assign(t=(at["treated_at"] <= 18).astype(int)), "Surv(months, event) ~ t + x"
        ),
    }
    names = ["estimate", "conf_low", "conf_high", "p_value"]
    for method, fit in fits.items():
        want = fit.to_frame().iloc[0][names].astype(float)
        np.testing.assert_allclose(row(result, method)[names].astype(float), want, rtol=1e-6)
        assert row(result, method)["reason"] == ""


def mean_over_cohorts(cohorts, formula, **options):
    found = []
    for seed in range(cohorts):
        kind = {k: options[k] for k in ("log_hr", "confounding", "delay")}
        data = draw(np.random.default_rng(seed), 1500, **kind)
        result = effect(data, formula, grace=options["grace"], landmarks=[options["grace"]])
        frame = result.to_frame()
        found.append(frame["estimate"].set_axis(frame["method"] + ": " + frame["measure"]))
    table = pd.DataFrame(found)
    return table.mean(), table.std() / np.sqrt(cohorts)


def test_without_effect_only_the_naive_comparison_shows_a_benefit():
    mean, error = mean_over_cohorts(
        6, "Surv(months, event) ~ 1", log_hr=0.0, confounding=0.0, delay=(12, 24), grace=24.0
    )
    assert mean["naive: HR"] + 10 * error["naive: HR"] < 0.75
    for name, none in {
        "time-dependent Cox: HR": 1.0,
        "landmark: HR": 1.0,
        "clone-censor-weight: risk difference": 0.0,
        "clone-censor-weight: RMST difference": 0.0,
    }.items():
        assert abs(mean[name] - none) < 3 * error[name] + 0.01
        assert error[name] < (0.05 if "HR" in name else 0.4)


@pytest.mark.slow
def test_weights_recover_the_risks_of_both_strategies_under_confounding():
    kind = {"log_hr": -0.7, "confounding": 1.0, "delay": (0.0, 12.0)}
    truth = {
        name: draw(np.random.default_rng(9), 200_000, **kind, strategy=by)["months"].to_numpy()
        for name, by in (("treated", 12.0), ("untreated", np.inf))
    }
    risk = {name: (time <= 60.0).mean() for name, time in truth.items()}
    rmst = {name: np.minimum(time, 60.0).mean() for name, time in truth.items()}
    mean, error = mean_over_cohorts(6, "Surv(months, event) ~ x", **kind, grace=12.0)
    for name in truth:
        key = f"clone-censor-weight: risk, {name}"
        assert abs(mean[key] - risk[name]) < 3 * error[key] + 0.005
        key = f"clone-censor-weight: RMST, {name}"
        assert abs(mean[key] - rmst[name]) < 3 * error[key] + 0.2
    difference = risk["treated"] - risk["untreated"]
    key = "clone-censor-weight: risk difference"
    assert abs(mean[key] - difference) < 3 * error[key] + 0.005
    # without the confounder the same weights do not
    crude, _ = mean_over_cohorts(2, "Surv(months, event) ~ 1", **kind, grace=12.0)
    assert abs(crude[key] - difference) > 0.05


@pytest.mark.slow
def test_percentile_limits_cover_the_risk_difference():
    kind = {"log_hr": -0.7, "confounding": 1.0, "delay": (0.0, 12.0)}
    both = [
        (draw(np.random.default_rng(9), 400_000, **kind, strategy=by)["months"] <= 60.0).mean()
        for by in (12.0, np.inf)
    ]
    truth, held, cohorts = both[0] - both[1], 0, 100
    for seed in range(cohorts):
        data = draw(np.random.default_rng(1000 + seed), 300, **kind)
        found = row(
            effect(data, grace=12, methods="clone-censor-weight", resamples=200, seed=seed),
            "clone-censor-weight",
            "risk difference",
        )
        held += found["conf_low"] <= truth <= found["conf_high"]
    assert abs(held / cohorts - 0.95) < 3 * np.sqrt(0.95 * 0.05 / cohorts)


@pytest.mark.slow
def test_estimates_do_not_depend_on_unit_order_or_layout():
    data = many(n=300, confounding=0.5)
    options = {"hazard_ratio": True, "landmarks": [18.0], "grace": 18.0, "horizon": 60.0}
    want = effect(data, **options).to_frame()["estimate"].to_numpy()
    shuffled = data.sample(frac=1.0, random_state=2)
    np.testing.assert_allclose(effect(shuffled, **options).to_frame()["estimate"], want, rtol=1e-8)
    days = data.assign(months=data["months"] * 30.0, treated_at=data["treated_at"] * 30.0)
    other = effect(days, hazard_ratio=True, landmarks=[540.0], grace=540.0, horizon=1800.0)
    scale = np.where(other.to_frame()["measure"].str.startswith("RMST"), 30.0, 1.0)
    np.testing.assert_allclose(other.to_frame()["estimate"] / scale, want, rtol=1e-8)
    freq = np.random.default_rng(5).integers(0, 3, len(data))
    weighted = effect(data.assign(w=freq), **options, freq_weights="w").to_frame()
    again = effect(data.iloc[np.repeat(np.arange(len(data)), freq)], **options).to_frame()
    pd.testing.assert_frame_equal(weighted, again)
    doubled = effect(pd.concat([data, data]), **options).to_frame()
    twice = effect(data, **options, freq_weights=np.full(len(data), 2)).to_frame()
    np.testing.assert_allclose(twice["estimate"], doubled["estimate"], rtol=1e-9)
    assert (twice["n_treated"] == 2 * effect(data, **options).to_frame()["n_treated"]).all()


def test_same_seed_same_limits():
    data = many(n=250, confounding=0.5)
    one = effect(data, resamples=300, seed=7, grace=18, landmarks=[18])
    two = effect(data, resamples=300, seed=7, grace=18, landmarks=[18])
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())
    found = row(one, "clone-censor-weight", "risk difference")
    assert found["conf_low"] < found["estimate"] < found["conf_high"]
    assert 0.0 < found["p_value"] <= 1.0
    assert found["limits"] == "percentiles of 300 resamples of patients"
    assert one.seed == 7
    assert effect(data, seed=None).seed is not None


def test_rows_name_their_estimands_and_notes_say_that_they_are_no_rivals():
    result = six(hazard_ratio=True)
    frame = result.to_frame()
    assert frame["method"].drop_duplicates().tolist() == list(METHODS)
    assert frame["estimand"].is_unique
    text = " ".join(frame["estimand"])
    assert "counted from time zero" in text
    assert "not yet treated" in text
    assert "followed at month 5" in text
    assert "treated by month 5 at the latest, against if nobody were ever treated" in text
    notes = " ".join(result.notes)
    assert "no rivals for one truth" in notes
    assert "death included where it is no event of this endpoint, is censored" in notes
    assert "death too where it is no event, are assumed to have nothing to do with" in notes
    assert "15 months before treatment, 35.7 % of the treated patients' follow-up" in notes
    assert notes.startswith("Row 1: Hazard of ")
    for number, words in enumerate(frame["estimand"], start=1):
        assert f"Row {number}: {words}." in result.notes
    within = six(untreated="not within grace").to_frame()["estimand"]
    assert any("nobody were treated by month 5 (afterwards as it happened)" in e for e in within)


def test_the_short_table_has_numbers_in_place_of_sentences():
    result = six()
    short, full = result.display(), result.display(short=False)
    assert short["Row"].tolist() == [str(k + 1) for k in range(len(full))]
    assert "What is compared" not in short
    assert full["What is compared"].tolist() == result.to_frame()["estimand"].tolist()
    shared = [name for name in short.columns if name not in ("Row", "Why not more")]
    pd.testing.assert_frame_equal(short[shared], full[shared])
    assert short.map(len).max().max() < 60
    clone = six(methods="clone-censor-weight")
    assert "Left out" not in clone.display()
    assert "Left out" in clone.display(short=False)


def test_covariates_are_named_by_their_labels():
    cohort = rn.load_cohort("duan2024")
    result = rn.treatment_effect(
        cohort[cohort["margin_positive"] == 1],
        "Surv(dfs_months, dfs_event) ~ age + size_mm",
        treatment_time="salvage_months",
        methods="naive",
    )
    labels = cohort.attrs["rnetstats"]["labels"]
    words = result.to_frame()["estimand"].iloc[0]
    assert labels["size_mm"] != "size_mm"
    assert f"adjusted for {labels['age']}" in words
    assert labels["size_mm"] in words
    assert "size_mm" not in words


def test_few_events_give_counts_and_the_reason_but_no_limits():
    cohort = rn.load_cohort("duan2024")
    positive = cohort[cohort["margin_positive"] == 1]
    result = rn.treatment_effect(
        positive, "Surv(dfs_months, recurrence) ~ 1", treatment_time="salvage_months", seed=1
    )
    frame = result.to_frame()
    assert frame[["conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    assert frame["reason"].str.contains("fewer than 5").all()
    assert frame["estimate"].notna().all()
    assert (frame["events_treated"] + frame["events_untreated"] > 0).all()
    shown = " ".join(result.display().to_numpy().ravel())
    assert "2/59" in shown
    assert any("few_events() has exact tests, profile limits" in note for note in result.notes)
    with pytest.raises(TooFewEventsError, match="needs 20 events or more; there are 11"):
        result.landmark_curve()
    with pytest.raises(TooFewEventsError):
        result.plot(kind="landmarks")
    either = rn.treatment_effect(
        positive, "Surv(dfs_months, dfs_event) ~ 1", treatment_time="salvage_months", seed=1
    )
    assert either.to_frame()["reason"].eq("").all()
    assert "Why not more" not in either.display()
    assert not any("few_events()" in note for note in either.notes)
    assert len(either.landmark_curve([1, 3, 6])) == 3


def test_five_events_an_arm_are_needed_for_an_interval():
    rng = np.random.default_rng(2)
    n = 120
    data = pd.DataFrame(
        {
            "months": rng.uniform(61, 90, n),
            "event": 0,
            "treated_at": np.where(np.arange(n) < 60, 1.0, np.nan),
        }
    )
    data.loc[[0, 1, 2, 3, 4, 60, 61, 62, 63, 64], "event"] = 1
    data.loc[[0, 60], "months"] = 20.0
    data.loc[[1, 2, 3, 4, 61, 62, 63, 64], "months"] = [30.0, 30.5, 31, 32, 30, 31, 33, 34]
    options = {"methods": "clone-censor-weight", "resamples": 400}
    given = effect(data, "Surv(months, event) ~ 1", **options)
    found = row(given, "clone-censor-weight", "risk difference")
    assert found["reason"] == ""  # about exp(-5) of the resamples lose all of an arm's events
    assert np.isfinite(found["conf_low"])
    few = data.drop(index=[4]).reset_index(drop=True)
    found = row(
        effect(few, "Surv(months, event) ~ 1", **options), "clone-censor-weight", "risk difference"
    )
    assert "4 events in the treated arm" in found["reason"]
    assert np.isnan(found["conf_low"])
    assert np.isfinite(found["estimate"])


def test_resamples_that_end_before_the_horizon_withhold_the_interval():
    data = many(n=200, delay=(0.0, 12.0))
    treated = data["treated_at"].notna()
    # one treated patient alone is followed beyond month 60: a third of the resamples miss him
    data["event"] = data["event"].mask(treated & (data["months"] > 55), 0)
    data["months"] = data["months"].mask(treated & (data["months"] > 55), 55.0)
    data.loc[data.index[treated][0], ["months", "event"]] = [70.0, 0]
    found = row(
        effect(data, grace=12, methods="clone-censor-weight", resamples=200),
        "clone-censor-weight",
        "risk difference",
    )
    assert re.search(r"in 3\d\.\d % of 200 resamples an arm's follow-up ends", found["reason"])
    assert np.isnan(found["conf_low"])
    assert np.isfinite(found["estimate"])


def test_a_grace_period_ends_at_the_treatment_from_which_rounding_alone_parts_it():
    """Months as parts of a year: 7 x (1 / 12) is below 7 / 12 to a computer."""
    months = many(n=200, delay=(0.0, 12.0))
    months[["months", "treated_at"]] = np.ceil(months[["months", "treated_at"]])
    months["months"] = np.maximum(months["months"], months["treated_at"].fillna(0.0) + 1.0)
    years = months.assign(months=months["months"] / 12, treated_at=months["treated_at"] / 12)
    assert (years["treated_at"] > 7 * (1 / 12)).sum() > (months["treated_at"] > 7).sum()
    options = {"methods": "clone-censor-weight", "resamples": 0}
    by_month = effect(months, grace=7, horizon=47, **options).to_frame()
    by_year = effect(years, grace=7 * (1 / 12), horizon=47 / 12, **options).to_frame()
    risks = by_month["measure"].str.startswith("risk")
    assert by_year["n_treated"].tolist() == by_month["n_treated"].tolist()
    np.testing.assert_allclose(by_year["estimate"][risks], by_month["estimate"][risks], rtol=1e-9)


def test_resamples_without_events_withhold_the_interval():
    draws = {"risk difference": np.zeros(200)}
    options = CloneOptions(6.0, 60.0, True, False, 200, 0.95, 1, None)
    assert _judge_draws(draws, 0.0, options) == ("", ())
    reason, notes = _judge_draws(draws, 0.05, options)
    assert reason == ""
    assert notes[0].startswith("In 5.0 % of 200 resamples an arm has no event of its own; they")
    reason, notes = _judge_draws(draws, 0.055, options)
    assert reason.startswith("5.5 % of 200 resamples have an arm without events of its own")
    assert notes == ()


def test_infinite_ratios_of_resamples_count_and_undefined_ones_are_told():
    ratios = np.array([*np.linspace(0.5, 2.0, 39), np.inf, np.inf])
    found = _effect("risk ratio", 1.2, ratios, "", 0.95)
    assert found.conf_high == np.inf  # 39 of 41 finite: the last but one is the upper limit
    assert found.conf_low == ratios[1]
    assert found.p_value == pytest.approx(2 * (1 + (ratios <= 1.0).sum()) / 42)
    draws = {"risk difference": np.zeros(200), "risk ratio": np.array([np.nan] + [1.0] * 199)}
    options = CloneOptions(6.0, 60.0, True, False, 200, 0.95, 1, None)
    reason, notes = _judge_draws(draws, 0.005, options)
    assert reason == ""
    assert notes[1].startswith("In 0.5 % of 200 resamples neither arm has an event that the risk")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"grace": 0}, OptionError, "grace must be above 0"),
        ({"grace": -1}, OptionError, "grace must be above 0"),
        ({"horizon": 0}, OptionError, "horizon must be above 0"),
        ({"grace": 12, "horizon": 12}, OptionError, "must be after the grace period"),
        ({"horizon": 21}, OptionError, "beyond all follow-up, which ends at 20"),
        ({"landmarks": [0]}, OptionError, "landmarks must be above 0"),
        ({"landmarks": [float("nan")]}, OptionError, "landmarks"),
        ({"landmarks": [-3]}, OptionError, "landmarks must be above 0"),
        ({"methods": []}, OptionError, "at least one"),
        ({"methods": None}, OptionError, "methods must be a list"),
        ({"landmarks": None}, OptionError, "landmarks must be a list"),
        ({"landmarks": np.array(-3.0)}, OptionError, "landmarks must be above 0"),
        ({"methods": np.array("landmarks")}, OptionError, "Did you mean 'landmark'"),
        ({"ever_treated": SIX["salvage"]}, ColumnError, "A Series names no column"),
        ({"methods": ["landmarks"]}, OptionError, "Did you mean 'landmark'"),
        ({"untreated": "ever"}, OptionError, "untreated"),
        ({"hazard_ratio": "yes"}, OptionError, "True or False"),
        ({"max_weight": 0.5}, OptionError, "max_weight"),
        ({"resamples": 1}, OptionError, "resamples=1 are too few for limits"),
        ({"resamples": 19}, OptionError, "resamples=19 are too few for limits"),
        ({"resamples": -1}, OptionError, "resamples"),
        ({"conf_level": 95}, OptionError, "0.95"),
        ({"treatment_time": "salvag"}, ColumnError, "Did you mean 'salvage'"),
    ],
)
def test_options_that_cannot_be(change, error, words):
    with pytest.raises(error, match=words):
        six(**change)


def test_data_that_cannot_be():
    late = SIX.assign(salvage=[5.0, 2, 5, np.nan, np.nan, 8])
    with pytest.raises(DataError, match=r"after the end of follow-up .* for A"):
        effect(late, "Surv(months, event) ~ 1", treatment_time="salvage", id="patient")
    with pytest.raises(DataError, match="for A"):  # known by the name of the column
        effect(late, "Surv(months, event) ~ 1", treatment_time="salvage")
    with pytest.raises(DataError, match="Nobody is treated"):
        six_with(salvage=np.nan)
    with pytest.raises(DataError, match="Nobody is treated"):
        six_with(salvage=SIX["months"])
    with pytest.raises(TooFewEventsError, match="exact_rate"):
        six_with(event=0)
    with pytest.raises(FormulaError, match="start and stop"):
        effect(SIX.assign(a=0.0), "Surv(a, months, event) ~ 1", treatment_time="salvage")
    with pytest.raises(FormulaError, match="cluster"):
        effect(SIX, "Surv(months, event) ~ cluster(patient)", treatment_time="salvage")
    with pytest.raises(DataError, match="more than one row"):
        effect(
            pd.concat([SIX, SIX]), "Surv(months, event) ~ 1", treatment_time="salvage", id="patient"
        )


def test_the_treatment_itself_is_no_baseline_covariate():
    """As one, who is treated later adjusted a hazard ratio of 1: 22.7 (3.1 to 2904)."""
    cohort = many()
    ever = cohort["treated_at"].notna()
    cohort["salvaged"] = ever.astype(int)
    cohort["kind"] = np.where(ever, np.where(cohort["x"] > 0, "surgery", "ESD"), "none")
    with pytest.raises(FormulaError, match=r"'treated_at' .* says when a patient was treated"):
        effect(cohort, "Surv(months, event) ~ x + treated_at")
    with pytest.raises(FormulaError, match=r"'salvaged' .* says whether"):
        effect(cohort, "Surv(months, event) ~ salvaged", ever_treated="salvaged")
    for name in ("salvaged", "C(salvaged)", "kind", "I(salvaged == 0)"):
        with pytest.raises(DataError, match="tells exactly who was treated at some time"):
            effect(cohort, f"Surv(months, event) ~ x + {name}")
    cohort.loc[cohort.index[ever][0], "salvaged"] = 0  # one patient apart: a covariate
    assert len(effect(cohort, "Surv(months, event) ~ salvaged", methods="naive").to_frame()) == 1


def test_covariates_that_order_the_treatments_leave_no_weights():
    """The sums behind the weights are beyond a number: events were passed over in silence."""
    cohort = many(n=250, delay=(0.5, 12.0))
    rng = np.random.default_rng(2)
    at, noise = cohort["treated_at"], rng.normal(size=(2, 250))
    cohort["decided"] = np.where(at.notna(), at + 0.01 * noise[0], 60.0 + noise[1])
    found = effect(
        cohort, "Surv(months, event) ~ decided", hazard_ratio=True, resamples=20, horizon=36
    )
    for measure in ("risk, untreated", "risk difference", "risk ratio", "RMST difference", "HR"):
        own = row(found, "clone-censor-weight", measure)
        assert np.isnan(own["estimate"]), measure
        assert "order of the treatments: the untreated arm has no weights" in own["reason"]
    assert any("are left, without weights" in note for note in found.notes)
    found.display()
    found.plot(kind="clone-censor-weight")


@pytest.mark.parametrize("method", ["naive", "time-dependent Cox", "landmark"])
def test_only_the_methods_asked_for_are_made(method):
    assert set(six(methods=method).to_frame()["method"]) == {method}
    assert method not in set(six(methods="clone-censor-weight", resamples=0).to_frame()["method"])


def six_with(**change):
    return effect(
        SIX.assign(**change),
        "Surv(months, event) ~ 1",
        treatment_time="salvage",
        grace=5,
        horizon=12,
        landmarks=[5, 18, 30],
    )


def test_arms_that_are_empty_give_reasons():
    everybody = six_with(salvage=1.0)
    assert "no untreated patient" in row(everybody, "naive")["reason"]
    assert "no event" in row(everybody, "time-dependent Cox")["reason"] or np.isnan(
        row(everybody, "time-dependent Cox")["estimate"]
    )
    assert row(everybody, "time-dependent Cox")["reason"]
    found = row(everybody, "clone-censor-weight", "risk difference")
    assert "follow-up of the untreated arm ends at month 1" in found["reason"]
    assert np.isnan(found["estimate"])
    late = six_with(salvage=[np.nan, 9.0, np.nan, np.nan, np.nan, np.nan])
    found = row(late, "clone-censor-weight", "risk, treated")
    assert "nobody treated by month 5 is followed beyond it" in found["reason"]
    assert row(late, "clone-censor-weight", "risk, untreated")["estimate"] > 0
    landmark = late.to_frame().query("method == 'landmark'").set_index("landmark")
    assert "no treated patient" in landmark.loc[5.0, "reason"]
    assert "no patient is free of the event and followed at 30" in landmark.loc[30.0, "reason"]
    for result in (everybody, late):
        frame = result.to_frame()
        assert (frame["reason"] != "")[frame["estimate"].isna()].all()
        assert "nan" not in " ".join(result.display().to_numpy().ravel()).split()


def test_events_in_one_arm_alone():
    data = many(n=200)
    data["event"] = data["event"].where(data["treated_at"].isna(), 0)
    result = effect(data, landmarks=[24], grace=24)
    for method in ("naive", "time-dependent Cox", "landmark"):
        found = row(result, method)
        assert found["events_treated"] == 0
        assert 0.0 < found["estimate"] < 1.0  # Firth's penalty
        assert "no event in the treated arm, fewer than 5" in found["reason"]
    found = row(result, "clone-censor-weight", "risk difference")
    assert "no event in the treated arm" in found["reason"]


def test_covariates_without_information_after_a_landmark_are_left_out_with_a_note():
    data = many(n=300, delay=(0.0, 12.0))
    data["early"] = (data["months"] < 10).astype(int)
    result = effect(data, "Surv(months, event) ~ x + early", landmarks=[12], grace=24)
    assert any("landmark at month 12: 1 covariate column" in note for note in result.notes)
    assert np.isfinite(row(result, "landmark")["conf_low"])


def test_positivity_and_large_weights_are_told():
    data = many(n=400)
    data["centre"] = np.where(np.arange(400) % 4 == 0, "B", "A")
    other = data["centre"] == "B"
    nobody = data.assign(treated_at=data["treated_at"].mask(other))
    result = effect(nobody, "Surv(months, event) ~ centre", grace=24)
    assert any("Positivity: of the" in n and "centre = B" in n for n in result.notes)
    assert result.positivity.query("level == 'B'")["n_treated"].item() == 0
    found = row(result, "clone-censor-weight", "risk difference")
    assert re.search(r"positivity: the \d+ patients left in the treated arm", found["reason"])
    one = data.index[other & (data["months"] > 60) & data["treated_at"].notna()][0]
    single = data.assign(treated_at=data["treated_at"].mask(other & (data.index != one)))
    result = effect(single, "Surv(months, event) ~ centre", grace=24)
    assert result.weights["max"].max() > 20
    assert any("The largest weight is" in note for note in result.notes)
    capped = effect(single, "Surv(months, event) ~ centre", grace=24, max_weight=10)
    assert capped.weights["max"].max() == 10
    assert np.isfinite(row(capped, "clone-censor-weight", "risk difference")["estimate"])


def test_a_cap_on_the_weights_is_told_and_is_not_called_positivity():
    data = many(n=400)
    free = effect(data, grace=24)
    largest = free.weights.query("group.str.startswith('treated') and time == 24")["max"].item()
    cap = 0.5 * (1.0 + largest)
    capped = effect(data, grace=24, max_weight=cap)
    told = next(note for note in capped.notes if "max_weight=" in note)
    left = capped.weights.query("group.str.startswith('treated') and time == 24")
    assert f"of the {left['n'].item()} patients left in the treated arm after" in told
    assert "less variance for some bias" in told
    assert not any("max_weight=" in note for note in free.notes)
    assert not any("are set to it" in note for note in effect(data, grace=24, max_weight=1e6).notes)
    reason = row(capped, "clone-censor-weight", "risk difference")["reason"]
    assert re.match(
        rf"max_weight={cap:g} cuts the weights: the \d+ patients left in the \w+ arm at month 24 "
        r"stand for \d+ of \d+ at risk: no interval and no P$",
        reason,
    )
    found = row(free, "clone-censor-weight", "risk difference")
    assert found["reason"] == "resamples=0: no interval and no P"
    assert found["limits"] == "none"


def test_the_cap_counts_each_weight_that_it_changes():
    data = many(n=300)
    patients = read_patients(data, "Surv(months, event) ~ x", "treated_at")
    clones = Clones(
        stop=patients.stop,
        event=patients.event,
        treated_at=patients.treated_at,
        X=patients.X,
        grace=24.0,
        ever=True,
    )
    freq = np.ones((1, patients.n))
    own = treated_weights(clones, freq)[0]
    held = (patients.stop > 24.0) & (patients.treated_at <= 24.0)
    # the untreated arm: each patient's weight just before leaving it, by 60 at the latest
    times = np.minimum(np.minimum(patients.stop, patients.treated_at), 60.0)
    weights = np.empty(patients.n)
    for i, time in enumerate(times):
        hazard, risk = staying_hazard(clones, freq, np.array([time]))
        weights[i] = untreated_weights(hazard, risk, int(hazard.places[0]))[0, i]
    cap = float(np.median(weights))
    want = (int((own[held] > cap).sum()), int(held.sum())), (int((weights > cap).sum()), 300)
    assert count_cut(clones, 60.0, cap) == want
    assert want[1][0] > 0


def test_a_patient_treated_at_time_zero_is_treated_from_the_start():
    data = many(n=200).assign(treated_at=lambda d: np.where(d.index % 2 == 0, 0.0, np.nan))
    result = effect(data, landmarks=[6])
    want = rn.kaplan_meier(data.assign(t=data["treated_at"].notna()), "Surv(months, event) ~ t")
    at = 1.0 - want.at(60)["survival"].to_numpy()
    crude = effect(data, "Surv(months, event) ~ 1", methods="clone-censor-weight")
    # nobody departs later: the untreated arm is the untreated patients
    assert row(crude, "clone-censor-weight", "risk, untreated")["estimate"] == pytest.approx(at[0])
    assert row(result, "naive")["estimate"] == pytest.approx(
        row(result, "time-dependent Cox")["estimate"]
    )
    assert result.person_time["before"] == 0.0


def test_figures_and_json():
    cohort = rn.load_cohort("duan2024")
    result = rn.treatment_effect(
        cohort[cohort["margin_positive"] == 1],
        "Surv(dfs_months, dfs_event) ~ age",
        treatment_time="salvage_months",
        resamples=100,
        seed=1,
    )
    for kind, options in {
        "simon-makuch": {},
        "landmark": {"landmark": 6},
        "clone-censor-weight": {},
        "landmarks": {},
        "table": {},
    }.items():
        assert result.plot(kind=kind, **options).has_data()
    texts = [t.get_text() for t in result.plot().texts]
    assert "181" in texts  # at risk, not yet treated, at time 0
    with pytest.raises(OptionError, match="those at 3, 6, 12 have"):
        result.plot(kind="landmark", landmark=5)
    with pytest.raises(OptionError, match="do not include"):
        six(methods="naive").plot(kind="clone-censor-weight")
    again = TreatmentEffectResult.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again.plot(kind="landmark").has_data()
    pd.testing.assert_frame_equal(again.simon_makuch(), result.simon_makuch(), check_dtype=False)
    with pytest.raises(DataNotKeptError):
        again.landmark_curve()
