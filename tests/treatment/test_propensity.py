"""Propensity scores: balance, invariants, the bootstrap, positivity, few events, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import (
    ColumnError,
    DataError,
    DataNotKeptError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.treatment import weighted_cox
from rnetstats.treatment.covariate_columns import plain_term
from rnetstats.treatment.score_fit import _checked_weights
from rnetstats.treatment.weighted_bootstrap import resampled
from rnetstats.treatment.weighted_outcome import weighted_rows
from support import assert_close

TIMES = "Surv(time, event)"
RATIOS = ("risk ratio", "odds ratio")


def drawn(seed: int = 0, n: int = 160, *, effect: float = 0.5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=n), rng.choice(["a", "b", "c"], n)
    z = rng.random(n) < 1 / (1 + np.exp(-(0.7 * x + 0.5 * (g == "b"))))
    time = rng.exponential(10 / np.exp(effect * z + 0.5 * x))
    y = rng.random(n) < 1 / (1 + np.exp(-(x + effect * z)))
    return pd.DataFrame(
        {
            "x": x,
            "g": g,
            "z": z.astype(int),
            "other": 1 - z,
            "y": y.astype(int),
            "time": np.ceil(np.minimum(time, 15)),
            "event": (time < 15).astype(int),
            "id": np.arange(n) // 2,
        }
    )


def by_measure(result) -> pd.DataFrame:
    frame = result.to_frame()
    return frame.assign(key=frame["measure"] + frame["arm"]).set_index(["key", "method"])


# Balance -------------------------------------------------------------------------------------


@given(st.integers(0, 5_000))
def test_overlap_weights_balance_the_columns_exactly(seed: int) -> None:
    fit = rn.propensity(drawn(seed), "z ~ x * g", weights="overlap", penalty=None)
    assert fit.to_frame()["smd_after"].abs().max() < 1e-9
    assert (fit.to_frame()["smd_before"].abs() > 1e-3).any()
    sums = fit.glance().iloc[0]
    assert sums["sum_weights_treated"] == pytest.approx(sums["sum_weights_control"])


def test_covariates_that_are_balanced_already_have_weights_of_one() -> None:
    data = pd.DataFrame({"x": [1.0, 2.0, 4.0, 8.0] * 6, "z": [1] * 8 + [0] * 16})
    fit = rn.propensity(data, "z ~ x", stabilised=True, penalty=None)
    np.testing.assert_allclose(fit.scores()["weight"], 1.0, rtol=1e-12)
    plain = rn.propensity(data, "z ~ x", penalty=None)
    np.testing.assert_allclose(plain.scores()["weight"], np.where(data["z"] == 1, 3.0, 1.5))


def test_every_level_is_compared_and_splines_by_the_variable() -> None:
    data = drawn()
    fit = rn.propensity(data, "z ~ rcs(x, 3) + g + I(x > 1)")
    frame = fit.to_frame()
    assert list(frame["label"]) == ["x", "g: a", "g: b", "g: c", "x > 1"]
    row = frame.iloc[0]
    treated, control = data["x"][data["z"] == 1], data["x"][data["z"] == 0]
    assert row["variance_ratio_before"] == pytest.approx(treated.var() / control.var())
    assert row["mean_treated_before"] == pytest.approx(treated.mean())
    share = (data["g"][data["z"] == 1] == "a").mean()
    assert frame.iloc[1]["mean_treated_before"] == pytest.approx(share)
    shown = fit.balance(variances="weighted")
    assert list(shown.display()["SMD after"]) != list(fit.balance().display()["SMD after"])
    counts = fit.positivity().set_index(["variable", "level"])
    assert counts.loc[("g", "b"), "n_treated"] == ((data["g"] == "b") & (data["z"] == 1)).sum()
    assert (counts["n"] == counts["n_treated"] + counts["n_control"]).all()


# Invariants ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("weights", "turned"), [("ate", "ate"), ("att", "atc")])
def test_other_names_of_the_arms_turn_the_effects_round(weights: str, turned: str) -> None:
    data = drawn(1)
    one = rn.propensity(data, "z ~ x + g", weights=weights)
    two = rn.propensity(data, "other ~ x + g", weights=turned)
    for make in (
        lambda fit: fit.effect("y", resamples=200, seed=3),
        lambda fit: fit.cox(TIMES, resamples=200, seed=3),
        lambda fit: fit.risk(TIMES, horizon=8, resamples=200, seed=3),
    ):
        first, second = make(one).to_frame(), make(two).to_frame()
        contrast = (first["arm"] == "").to_numpy()
        a, b = first[contrast].reset_index(drop=True), second[contrast].reset_index(drop=True)
        ratio = a["measure"].str.endswith("ratio")
        for name, mirror in (
            ("estimate", "estimate"),
            ("conf_low", "conf_high"),
            ("conf_high", "conf_low"),
        ):
            expected = np.where(ratio, 1 / b[mirror].where(ratio, 1.0), -b[mirror])
            np.testing.assert_allclose(a[name], expected, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(a["p_value"], b["p_value"], rtol=1e-7)


def test_frequency_weights_are_replicated_rows() -> None:
    data = drawn(2, 90)
    freq = np.random.default_rng(5).integers(1, 4, len(data))
    again = data.loc[data.index.repeat(freq)].reset_index(drop=True)
    options = {"truncate": (0.02, 0.97), "penalty": "firth"}
    one = rn.propensity(data, "z ~ x + g", freq_weights=freq, **options)
    two = rn.propensity(again, "z ~ x + g", **options)
    pd.testing.assert_frame_equal(one.glance(), two.glance(), rtol=1e-10)
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame(), rtol=1e-10, atol=1e-12)
    assert one.notes == two.notes
    for make in (
        lambda fit: fit.effect("y", resamples=60, seed=3),
        lambda fit: fit.cox(TIMES, resamples=60, seed=3),
        lambda fit: fit.risk(TIMES, horizon=8, resamples=60, seed=3),
    ):
        first, second = make(one), make(two)
        pd.testing.assert_frame_equal(first.to_frame(), second.to_frame(), rtol=1e-8, atol=1e-10)
        pd.testing.assert_frame_equal(first.arms, second.arms, rtol=1e-10)
    curves = [fit.kaplan_meier(TIMES).to_frame() for fit in (one, two)]
    pd.testing.assert_frame_equal(*curves, rtol=1e-9)


def test_the_order_of_the_rows_does_not_matter() -> None:
    data = drawn(3)
    mixed = data.sample(frac=1.0, random_state=1)
    one, two = (rn.propensity(d, "z ~ x + g") for d in (data, mixed))
    pd.testing.assert_frame_equal(one.glance(), two.glance(), rtol=1e-9)
    pd.testing.assert_frame_equal(
        one.cox(TIMES, resamples=0).to_frame(), two.cox(TIMES, resamples=0).to_frame(), rtol=1e-8
    )


# Effects -------------------------------------------------------------------------------------


def test_risks_are_those_of_the_weighted_curves() -> None:
    data = drawn(4)
    fit = rn.propensity(data, "z ~ x + g", weights="att")
    risk = fit.risk(TIMES, horizon=8.5, resamples=0).to_frame()
    curves = fit.kaplan_meier(TIMES).at(8.5)
    np.testing.assert_allclose(risk["estimate"][:2], 1 - curves["survival"], rtol=1e-12)
    np.testing.assert_allclose(risk["std_error"][:2], curves["std_error"], rtol=1e-10)
    counted = fit.kaplan_meier(TIMES).to_frame().groupby("group")["n_event"].sum()
    assert counted.tolist() == [data["event"][data["z"] == a].sum() for a in (0, 1)]
    assert risk["estimate"][2] == pytest.approx(risk["estimate"][1] - risk["estimate"][0])
    assert risk["estimate"][3] == pytest.approx(risk["estimate"][1] / risk["estimate"][0])
    assert risk["std_error"][2] == pytest.approx(np.hypot(*curves["std_error"]))


def test_clusters_are_the_units_of_the_robust_variance() -> None:
    data = drawn(5, 120)
    single = rn.propensity(data, "z ~ x", penalty=None)
    twice = pd.concat([data.assign(id=np.arange(120))] * 2)
    both = rn.propensity(twice, "z ~ x + cluster(id)", penalty=None)
    for make in (
        lambda fit: fit.cox(TIMES, resamples=40, seed=1, ties="breslow"),
        lambda fit: fit.risk(TIMES, horizon=8, resamples=40, seed=1),
        lambda fit: fit.effect("y", resamples=40, seed=1),
    ):
        one, two = make(single).to_frame(), make(both).to_frame()
        names = ["estimate", "conf_low", "conf_high", "std_error"]
        np.testing.assert_allclose(two[names], one[names], rtol=1e-7)


def test_two_clusters_have_no_variance() -> None:
    data = drawn().assign(id=lambda d: (d["x"] > 0).astype(int))
    with pytest.raises(DataError, match="only 2 clusters"):
        rn.propensity(data, "z ~ x + cluster(id)").effect("y", resamples=0)


@pytest.mark.parametrize("penalty", ["firth", None])
def test_each_resample_is_the_analysis_of_its_rows(penalty: str | None) -> None:
    data = drawn(6, 130)
    options = {"penalty": penalty, "truncate": (0.05, 0.95), "stabilised": True}
    fit = rn.propensity(data, "z ~ x + g", **options)
    rows = weighted_rows(fit, TIMES, "survival")
    seen = []

    def keep(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
        seen.append((counts, weights))
        return np.zeros((len(counts), 1))

    resampled(rows, keep, 1, resamples=300, seed=9)
    counts = np.concatenate([part for part, _ in seen])
    assert counts.shape == (300, 130)
    assert (counts.sum(axis=1) == 130).all()
    draws = fit.cox(TIMES, resamples=300, seed=9)
    sets = weighted_cox.prepare(rows.start, rows.stop, rows.event)
    for k in (0, 17, 290):
        again = data.loc[data.index.repeat(counts[k].astype(int))]
        alone = rn.propensity(again, "z ~ x + g", **options)
        weights = np.concatenate([part for _, part in seen])[k]
        np.testing.assert_allclose(
            np.repeat(weights, counts[k].astype(int)), alone.scores()["weight"], rtol=1e-7
        )
        value = weighted_cox._log_ratios(
            rows, sets, counts[k : k + 1], weights[None], ties="efron", start=0.0
        )
        expected = alone.cox(TIMES, resamples=0).to_frame()["estimate"][0]
        assert np.exp(value[0, 0]) == pytest.approx(expected, rel=1e-7)
    assert draws.counted["resamples"] == 300
    assert draws.seed == 9
    again = fit.cox(TIMES, resamples=300, seed=9)
    pd.testing.assert_frame_equal(draws.to_frame(), again.to_frame())


def test_weighting_finds_the_truth_where_the_crude_contrast_does_not() -> None:
    """Treatment follows x; risks by a logistic law in x, hazards without any treatment effect."""
    rng = np.random.default_rng(20)
    size, n = 25, 700
    grid = np.linspace(-6, 6, 2001)
    law = np.exp(-(grid**2) / 2) / np.exp(-(grid**2) / 2).sum()

    def p(x: np.ndarray, z: float | np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(x - 0.7 * z)))

    truth = float(law @ (p(grid, 1.0) - p(grid, 0.0)))
    found, crude, hazards, crude_hazards = np.empty((4, size))
    for k in range(size):
        x = rng.normal(size=n)
        z = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int)
        time = rng.exponential(np.exp(-0.8 * x))
        data = {
            "x": x,
            "z": z,
            "y": (rng.random(n) < p(x, z)).astype(int),
            "time": np.minimum(time, 2.0),
            "event": (time < 2.0).astype(int),
        }
        fit = rn.propensity(data, "z ~ x")
        found[k] = fit.effect("y", resamples=0).to_frame()["estimate"][2]
        crude[k] = data["y"][z == 1].mean() - data["y"][z == 0].mean()
        hazards[k] = np.log(fit.cox("Surv(time, event)", resamples=0).to_frame()["estimate"][0])
        exposure = [data["event"][z == a].sum() / data["time"][z == a].sum() for a in (0, 1)]
        crude_hazards[k] = np.log(exposure[1] / exposure[0])
    for values, other, expected in ((found, crude, truth), (hazards, crude_hazards, 0.0)):
        error = values.std(ddof=1) / np.sqrt(size)
        assert abs(values.mean() - expected) < 3 * error
        assert abs(other.mean() - expected) > 10 * error


# Few events ----------------------------------------------------------------------------------


def test_fewer_than_five_events_in_an_arm_give_no_limits() -> None:
    data = drawn(7)
    control = data.index[data["z"] == 0]
    data["rare"] = data["event"].where(data["z"] == 1, 0)
    data.loc[control[:4], "rare"] = 1
    fit = rn.propensity(data, "z ~ x + g")
    for result in (
        fit.cox("Surv(time, rare)", seed=1),
        fit.effect("rare", seed=1),
        fit.risk("Surv(time, rare)", horizon=15, seed=1),
    ):
        frame = result.to_frame()
        assert frame[["conf_low", "conf_high", "std_error", "p_value"]].isna().all(axis=None)
        assert np.isfinite(frame["estimate"]).all()
        assert "4 in 'z = 0'" in result.reason
        assert any("No limits and no P" in note for note in result.notes)
        assert result.arms["n_events"].tolist() == [4, int(data["rare"].sum()) - 4]
    assert fit.kaplan_meier("Surv(time, rare)").to_frame()["conf_low"].isna().all()
    data.loc[control[4], "rare"] = 1
    again = rn.propensity(data, "z ~ x + g").effect("rare", resamples=100, seed=1)
    assert again.to_frame()["conf_low"].notna().all()


def test_events_after_the_horizon_do_not_count() -> None:
    data = drawn(8)
    fit = rn.propensity(data, "z ~ x")
    result = fit.risk(TIMES, horizon=2, resamples=0)
    early = data["event"] * (data["time"] <= 2)
    assert result.arms["n_events"].tolist() == [int(early[data["z"] == a].sum()) for a in (0, 1)]


def test_resamples_without_events_in_an_arm_take_the_limits_away() -> None:
    data = drawn(9, 120).assign(id=np.arange(120))
    treated = data.index[data["z"] == 1]
    data["rare"] = data["event"].where(data["z"] == 0, 0)
    data.loc[treated[:6], ["rare", "id"]] = [1, 200]  # six events in one household
    result = rn.propensity(data, "z ~ x + cluster(id)").effect("rare", resamples=200, seed=1)
    share = result.counted["n_without_events"] / 200
    assert 0.25 < share < 0.5  # (1 - 1/G)^G
    assert "no event in" in result.reason
    assert result.to_frame()["conf_low"].isna().all()


def test_resamples_without_events_in_an_arm_have_an_infinite_ratio() -> None:
    rows = weighted_rows(rn.propensity(drawn(6, 130), "z ~ x"), TIMES, "survival")
    sets = weighted_cox.prepare(rows.start, rows.stop, rows.event)
    treated, event = rows.treated, rows.event
    without = (treated & event, ~treated & event, event, treated)
    counts = np.ones((4, 130))
    for replicate, left_out in zip(counts, without, strict=True):
        replicate[left_out] = 0.0
    weights = np.ones_like(counts)
    found = weighted_cox._log_ratios(rows, sets, counts, weights, ties="efron", start=0.0)
    np.testing.assert_array_equal(found[:, 0], [-np.inf, np.inf, np.nan, np.nan])


def test_lost_levels_and_failed_fits_are_counted() -> None:
    data = drawn(16)
    data["g"] = "a"
    data.loc[[3, 90], "g"] = "b"
    data.loc[3, "z"], data.loc[90, "z"] = 0, 1
    firth = rn.propensity(data, "z ~ x + g").effect("y", resamples=300, seed=1)
    share = firth.counted["n_lost_level"] / 300
    assert abs(share - (1 - 2 / 160) ** 160) < 0.07
    assert firth.counted["n_failed"] == 0
    assert any("a level was not drawn" in note for note in firth.notes)
    plain = rn.propensity(data, "z ~ x + g", penalty=None).effect("y", resamples=300, seed=1)
    assert plain.counted["n_failed"] > 0.05 * 300  # one of the two alone: separated
    assert "resamples have no estimate" in plain.reason
    assert plain.to_frame()["conf_low"].isna().all()


def test_resamples_without_an_arm_have_no_estimate() -> None:
    data = drawn(17).assign(id=lambda d: np.where(d["z"] == 1, d.index % 2, np.arange(160) + 2))
    fit = rn.propensity(data, "z ~ x + cluster(id)", weights="att")
    result = fit.cox(TIMES, resamples=1000, seed=1)
    share = result.counted["n_failed"] / 1000
    assert 0.1 < share < 0.17  # neither of the two clusters drawn: (1 - 2/75)^75 = 0.13
    assert result.to_frame()["conf_low"].isna().all()


def test_resamples_that_nobody_of_an_arm_follows_to_the_horizon_have_no_estimate() -> None:
    data = drawn(2, n=120)
    last = data.index[(data["z"] == 1)].to_series().loc[lambda i: data["time"][i] == 15]
    data.loc[last[2:], ["time", "event"]] = (14.5, 0)  # two patients of the arm are left at 15
    found = rn.propensity(data, "z ~ x").risk(TIMES, horizon=15, resamples=400, seed=1)
    share = found.glance()["n_failed"].item() / 400
    assert abs(share - (1 - 2 / 120) ** 120) < 4 * np.sqrt(0.13 * 0.87 / 400)
    assert "or nobody of it followed long enough" in " ".join(found.notes)


def test_an_arm_without_events_has_an_infinite_ratio() -> None:
    data = drawn(10)
    data["only"] = data["event"] * data["z"]
    fit = rn.propensity(data, "z ~ x")
    assert fit.cox("Surv(time, only)").to_frame()["estimate"][0] == np.inf
    turned = rn.propensity(data, "other ~ x").cox("Surv(time, only)").to_frame()
    assert turned["estimate"][0] == 0.0
    odds = fit.effect("only").to_frame().set_index("measure")["estimate"]
    assert odds["odds ratio"] == np.inf
    with pytest.raises(TooFewEventsError, match="No patient of either arm"):
        rn.propensity(data.assign(none=0), "z ~ x").cox("Surv(time, none)")


# Positivity ----------------------------------------------------------------------------------


def test_a_level_with_one_arm_is_named_and_refused() -> None:
    data = drawn(11)
    data["z"] = np.where(data["g"] == "a", 1, data["z"])
    fit = rn.propensity(data, "z ~ x + g")
    n = int((data["g"] == "a").sum())
    row = fit.glance().iloc[0]
    assert row["positivity"] == "violated"
    assert row["separation"] == "quasi"
    assert row["n_determined"] == n
    assert f"g = a ({n} treated, 0 controls)" in " ".join(fit.notes)
    assert "No adjustment can compare the arms there" in " ".join(fit.notes)
    for make in (
        lambda: fit.effect("y"),
        lambda: fit.cox(TIMES),
        lambda: fit.risk(TIMES, horizon=8),
        lambda: fit.kaplan_meier(TIMES),
    ):
        with pytest.raises(DataError, match="no counterpart"):
            make()
    flagged = rn.propensity(data, "z ~ x + g", positivity="flag").effect("y", resamples=0)
    assert flagged.notes[0] == "Positivity is violated."
    overlap = rn.propensity(data, "z ~ x + g", weights="overlap", penalty=None)
    assert overlap.glance()["positivity"][0] == "doubtful"
    outside = overlap.scores()["weight"][data["g"] == "a"]
    assert outside.max() < 1e-6
    assert overlap.effect("y", resamples=0).notes[0] == "Positivity is doubtful."
    assert rn.propensity(data, "z ~ x + g", weights="att").summary["positivity"] == "violated"
    assert rn.propensity(data, "z ~ x + g", weights="atc").summary["positivity"] == "doubtful"


@pytest.mark.parametrize("weights", ["ate", "att", "atc", "overlap"])
@pytest.mark.parametrize("penalty", ["firth", None])
def test_a_separated_score_compares_nobody(weights: str, penalty: str | None) -> None:
    data = drawn(12).assign(sep=lambda d: (d["x"] > 0.1).astype(int))
    fit = rn.propensity(data, "sep ~ x + g", weights=weights, penalty=penalty)
    assert fit.glance()["positivity"][0] == "violated"
    with pytest.raises(DataError, match="no adjustment can compare the arms") as caught:
        fit.cox(TIMES)
    assert "overlap" not in str(caught.value)
    by_factor = rn.propensity({"h": ["u", "v"] * 30, "z": [0, 1] * 30}, "z ~ h")
    assert "h = u (0 treated, 30 controls)" in " ".join(by_factor.notes)
    assert "-fold" not in " ".join(by_factor.notes)  # said once is enough


def test_a_treatment_that_a_level_almost_determines_is_flagged() -> None:
    rng = np.random.default_rng(1)
    level = np.repeat(["plain", "surgical"], [300, 100])
    z = rng.random(400) < 0.5
    z[300:] = True
    z[300:302] = False  # an odds ratio of 49
    data = {"level": level, "z": z, "y": rng.random(400) < 0.3, "x": rng.normal(size=400)}
    fit = rn.propensity(data, "z ~ level + x")
    assert fit.glance()["positivity"][0] == "doubtful"
    assert "level = surgical (98 treated, 2 controls)" in " ".join(fit.notes)
    assert fit.positivity()["finding"].tolist() == ["both arms", "nearly one arm"]
    assert fit.effect("y", resamples=0).notes[0] == "Positivity is doubtful."


def test_a_strong_determinant_is_flagged_though_both_arms_are_there() -> None:
    level = np.repeat([0, 1], 200)
    z = np.concatenate((np.arange(200) < 14, np.arange(200) < 164)).astype(int)
    x = np.random.default_rng(2).normal(size=400)
    fit = rn.propensity({"level": level, "z": z, "x": x}, "z ~ level + x")
    odds = (164 / 36) / (14 / 186)  # about 60
    assert fit.glance()["positivity"][0] == "doubtful"
    (note,) = [n for n in fit.notes if "-fold" in n]
    assert note.startswith("level changes the odds of treatment")
    assert abs(int(note.split("treatment ")[1].split("-fold")[0]) - odds) < 4
    assert fit.positivity()["finding"].tolist() == ["both arms"] * 2


def test_the_overlap_of_the_scores_is_drawn_in_shares() -> None:
    ax = rn.propensity(drawn(), "z ~ x + g").plot_overlap()
    heights = np.array([patch.get_height() for patch in ax.patches if hasattr(patch, "get_height")])
    assert heights[heights > 0].sum() == pytest.approx(1.0)
    assert heights[heights < 0].sum() == pytest.approx(-1.0)
    n = drawn()["z"].sum()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [
        f"z = 1 (n = {n})",
        "the same, weighted",
        f"z = 0 (n = {160 - n})",
        "the same, weighted",
    ]


def test_weights_without_an_end_or_without_weight_are_refused() -> None:
    data = drawn(15)
    arms = ("z = 0", "z = 1")
    for weights, far, words in (
        ("ate", -800.0, r"infinite in rows .*against the arm received"),
        ("overlap", 800.0, r"All weights in the arm 'z = 1' are 0"),
    ):
        rows = rn.propensity(data, "z ~ x", weights=weights).fit.rows
        predictor = np.where(rows.treated, far, 0.0)
        with pytest.raises(DataError, match=words):
            _checked_weights(rows, predictor, arms)


# Treatments of two levels ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "category", "unused level", "missing"])
def test_two_levels_are_compared_with_the_first(kind: str) -> None:
    data = drawn()
    words = data["z"].map({0: "EMR", 1: "ESD"})
    levels = ["surgery", "ESD", "EMR"] if kind == "unused level" else ["ESD", "EMR"]
    if kind in ("category", "unused level"):  # the first level is another than the alphabet's
        words = pd.Categorical(words, categories=levels)
    elif kind == "missing":
        words = words.where(data.index > 4, None)
    data = data.assign(way=words)
    treated = "ESD" if kind in ("text", "missing") else "EMR"
    first = "EMR" if treated == "ESD" else "ESD"
    found = rn.propensity(data, "way ~ x")
    plain = rn.propensity(data, f'way == "{treated}" ~ x')
    pd.testing.assert_frame_equal(found.glance(), plain.glance())
    pd.testing.assert_frame_equal(found.to_frame(), plain.to_frame())
    assert found.options["formula"] == f'way == "{treated}" ~ x'
    note = f'The treated are those with way == "{treated}"; {first!r}, the first level'
    assert any(note in said for said in found.notes)
    assert not any("first level" in said for said in plain.notes)
    hazard = found.cox(TIMES, resamples=20, seed=1).to_frame()["estimate"]
    assert_close(hazard, plain.cox(TIMES, resamples=20, seed=1).to_frame()["estimate"])


# Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "error", "words"),
    [
        ("g ~ x", ColumnError, r"3 categories .* g == \"c\""),
        ("id ~ x", ColumnError, r"must be 0 or 1; it holds 0, 1, 2"),
        ("one ~ x", DataError, r"arm 'one = 0' is empty"),
        ("z ~ one", ColumnError, "'one' is 1 in all"),
        ("z ~ 1", FormulaError, "names no covariate"),
        ("~ x", FormulaError, "must be the treatment"),
        ("Surv(time, event) ~ x", FormulaError, "must be the treatment"),
        ("zz ~ x", ColumnError, "Did you mean 'z'"),
        ("z ~ x + z", FormulaError, "right side"),
    ],
)
def test_treatments_that_cannot_be_weighted(formula: str, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        rn.propensity(drawn().assign(one=1), formula)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": "iptw"}, "weights='iptw'"),
        ({"penalty": "lasso"}, "penalty='lasso'"),
        ({"weights": "att", "stabilised": True}, "belongs to weights='ate'"),
        ({"stabilised": [True, True]}, "True or False"),
        ({"truncate": 0.99}, "two quantile levels"),
        ({"truncate": (0.9, 0.1)}, "two quantile levels"),
        ({"truncate": (0.1, 1.1)}, "two quantile levels"),
        ({"positivity": "ignore"}, "positivity='ignore'"),
    ],
)
def test_options_that_are_refused(options: dict, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        rn.propensity(drawn(), "z ~ x", **options)


def test_outcomes_that_are_refused() -> None:
    fit = rn.propensity(drawn().assign(lost=np.nan), "z ~ x")
    for outcome, error, words in (
        ("y ~ z", FormulaError, "Name the outcome alone"),
        ("z", DataError, "column of the treatment"),
        ("I", ColumnError, "no column"),
        ("x", DataError, "column of the score"),
        (TIMES, FormulaError, "does not fit"),
        ("g", ColumnError, "say which one"),
    ):
        with pytest.raises(error, match=words):
            fit.effect(outcome)
    with pytest.raises(DataError, match="the last follow-up is 15"):
        fit.risk(TIMES, horizon=16)
    with pytest.raises(OptionError, match="horizon"):
        fit.risk(TIMES, horizon=0)
    with pytest.raises(OptionError, match="ties"):
        fit.cox(TIMES, ties="exact")
    with pytest.raises(OptionError, match="conf_level"):
        fit.cox(TIMES, conf_level=95)
    for resamples in (-1, 5):
        with pytest.raises(OptionError, match="resamples"):
            fit.cox(TIMES, resamples=resamples)


def test_missing_values_are_counted_on_both_sides() -> None:
    data = drawn(13)
    data.loc[:9, "x"] = np.nan
    data.loc[5:24, "y"] = np.nan
    fit = rn.propensity(data, "z ~ x")
    assert fit.glance()[["n", "n_missing"]].iloc[0].tolist() == [150, 10]
    result = fit.effect("y", resamples=50, seed=1)
    assert result.arms["n"].sum() == 135
    assert any("15 of 150 rows of the score model lack the outcome" in n for n in result.notes)
    whole = rn.propensity(drawn(13), "z ~ x").cox(TIMES, resamples=0)
    assert not any("lack the outcome" in note for note in whole.notes)
    assert any("hazard ratio is marginal" in note for note in whole.notes)
    whole = fit.scores()["weight"].to_numpy()[15:]
    kept = data.loc[25:]
    z, y = kept["z"].to_numpy() == 1, kept["y"].to_numpy()
    assert result.to_frame()["estimate"][0] == pytest.approx(np.average(y[~z], weights=whole[~z]))
    with pytest.raises(DataError, match="missing"):
        rn.propensity(data, "z ~ x", missing="raise")
    data["y"] = data["y"].where(data["z"] == 1)
    with pytest.raises(DataError, match="No patient of the arm 'z = 0' has y recorded"):
        rn.propensity(data, "z ~ x").effect("y")


def test_rows_are_needed_for_effects_and_never_written() -> None:
    fit = rn.propensity(drawn(), "z ~ x + g")
    again = type(fit).from_dict(fit.to_dict())
    pd.testing.assert_frame_equal(again.balance().to_frame(), fit.balance().to_frame())
    for make in (
        lambda: again.effect("y"),
        again.scores,
        again.plot_overlap,
        lambda: again.balance(variances="weighted"),
    ):
        with pytest.raises(DataNotKeptError):
            make()


def test_late_entry_is_read() -> None:
    data = drawn(14)
    data["start"] = data["time"] * 0.5
    fit = rn.propensity(data, "z ~ x")
    late = fit.cox("Surv(start, time, event)", resamples=0).to_frame()
    expected = rn.cox(
        data,
        "Surv(start, time, event) ~ z",
        sampling_weights=fit.scores()["weight"].to_numpy(),
        penalty=None,
    ).to_frame()
    np.testing.assert_allclose(late["estimate"], expected["estimate"], rtol=1e-9)
    np.testing.assert_allclose(late["std_error"], expected["std_error"], rtol=1e-8)
    np.testing.assert_allclose(late["conf_low"], expected["conf_low"], rtol=1e-8)


@pytest.mark.parametrize(
    ("term", "plain"),
    [
        ("C(detection)", "detection"),
        ("C(`how found`) = biopsy", "how found = biopsy"),
        ("I(size_mm > 10)", "size_mm > 10"),
        ("I(`size (mm)` > 10)", "size (mm) > 10"),
        ("C(a):C(b) = x:y", "a:b = x:y"),
        ("log(x)", "log(x)"),
        ("CC(x)", "CC(x)"),
    ],
)
def test_terms_as_a_reader_would_say_them(term: str, plain: str) -> None:
    assert plain_term(term) == plain


def test_notes_and_labels_are_free_of_the_formula_s_own_words() -> None:
    rng = np.random.default_rng(1)
    n = 200
    data = pd.DataFrame({"z": rng.integers(0, 2, n), "found": rng.choice(list("abc"), n)})
    data["size"] = rng.normal(10.0, 3.0, n)
    data.loc[data["found"] == "c", "z"] = 1
    fit = rn.propensity(data, 'z ~ C(found, ref="a") + I(size > 10)')
    notes = [note for note in fit.notes if "almost determine" in note]
    assert notes
    assert all("found = c" in note and "C(" not in note for note in notes)
    assert fit.balances["label"].tolist() == ["found: a", "found: b", "found: c", "size > 10"]
