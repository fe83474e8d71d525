"""Contrasts of groups that share clusters: variances by brute force, and pairs that err alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import rnetstats as rn
from rnetstats.errors import DataError, FormulaError
from rnetstats.survival.mover import difference_limits, ratio_limits, square_and_add_p

CENTRES = 9
FORMULA = "Surv(time, event) ~ arm + cluster(centre)"


def cohort(seed: int = 1, n: int = 140) -> pd.DataFrame:
    """Patients of both arms in each centre, whose patients are alike."""
    rng = np.random.default_rng(seed)
    centre = rng.integers(0, CENTRES, n)
    frailty = rng.normal(0.0, 0.8, CENTRES)[centre]
    time = np.ceil(rng.exponential(30.0, n) * np.exp(-frailty))
    end = np.ceil(rng.uniform(20.0, 60.0, n))
    return pd.DataFrame(
        {
            "time": np.minimum(time, end),
            "event": (time <= end).astype(int),
            "arm": rng.integers(0, 2, n),
            "centre": centre,
            "x": rng.normal(size=n).round(2) + 0.5 * frailty,
            "w": rng.uniform(0.3, 3.0, n).round(2),
        }
    )


def jackknifed(statistic: Callable[[np.ndarray], np.ndarray], centre: np.ndarray) -> np.ndarray:
    """Infinitesimal jackknife over centres, each weight moved a little by brute force."""
    total, step = 0.0, 1e-4
    for code in np.unique(centre):
        up = np.where(centre == code, 1.0 + step, 1.0)
        down = np.where(centre == code, 1.0 - step, 1.0)
        total = total + ((statistic(up) - statistic(down)) / (2.0 * step)) ** 2
    return np.sqrt(total)


def width(row: pd.Series, *, log: bool) -> float:
    """Standard error behind symmetric limits."""
    low, high = (np.log(row[n]) if log else row[n] for n in ("conf_low", "conf_high"))
    return float(high - low) / (2.0 * norm.ppf(0.975))


def survival(data: pd.DataFrame, weights: np.ndarray, time: float) -> float:
    """Weighted product-limit estimate, written out."""
    left = 1.0
    t, e = data["time"].to_numpy(), data["event"].to_numpy() == 1
    for at in np.unique(t[e & (t <= time)]):
        left *= 1.0 - weights[e & (t == at)].sum() / weights[t >= at].sum()
    return left


def test_restricted_means_of_arms_that_share_centres() -> None:
    data = cohort()
    centre = data["centre"].to_numpy()

    def means(factor: np.ndarray) -> np.ndarray:
        found = rn.rmst(
            data, "Surv(time, event) ~ arm", tau=24, sampling_weights=data["w"] * factor
        )
        one, two = found.to_frame()["rmst"]
        return np.array([two - one, np.log(two / one), np.log((24 - two) / (24 - one))])

    found = rn.rmst(data, FORMULA, tau=24, sampling_weights="w")
    want = jackknifed(means, centre)
    rows = found.contrasts().set_index("measure")
    got = [width(row, log=name != "RMST difference") for name, row in rows.iterrows()]
    np.testing.assert_allclose(got, want, rtol=1e-6)
    apart = float(np.hypot(*found.to_frame()["std_error"]))
    assert abs(got[0] / apart - 1.0) > 0.05  # the arms of a centre are not independent
    window = found.window([12.0, 24.0]).to_frame()
    assert window["std_error"].iloc[-1] == pytest.approx(want[0], rel=1e-6)
    assert any("only 9 clusters of centre" in note for note in found.notes)


@pytest.mark.parametrize("scale", ["survival", "risk"])
def test_milestones_of_arms_that_share_centres(scale: str) -> None:
    data = cohort(2)
    centre = data["centre"].to_numpy()
    arms = [data["arm"].to_numpy() == code for code in (0, 1)]

    def at(factor: np.ndarray) -> np.ndarray:
        one, two = (survival(data[a], factor[a], 20.0) for a in arms)
        if scale == "risk":
            one, two = 1.0 - one, 1.0 - two
        return np.array([two - one, np.log(two / one)])

    plain = rn.milestone(data, FORMULA, times=20, scale=scale, ci="plain").contrasts()
    rows = plain.set_index("measure")
    got = [
        width(rows.loc[f"{scale} difference"], log=False),
        width(rows.loc[f"{scale} ratio"], log=True),
    ]
    np.testing.assert_allclose(got, jackknifed(at, centre), rtol=1e-6)


def test_square_and_add_of_arms_that_share_centres() -> None:
    data = cohort(2)
    centre = data["centre"].to_numpy()
    arms = [data["arm"].to_numpy() == code for code in (0, 1)]

    def logs(factor: np.ndarray) -> np.ndarray:
        return np.array([np.log(survival(data[a], factor[a], 20.0)) for a in arms])

    step, moved = 1e-4, []
    for code in range(CENTRES):
        up, down = (np.where(centre == code, 1.0 + d, 1.0) for d in (step, -step))
        moved.append((logs(up) - logs(down)) / (2.0 * step))
    covariance = np.transpose(moved) @ np.array(moved)
    r = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert r > 0.2
    found = rn.milestone(data, FORMULA, times=20, ci="log-log")
    one, two = (
        tuple(row[["estimate", "conf_low", "conf_high"]]) for _, row in found.to_frame().iterrows()
    )
    rows = found.contrasts().set_index("measure")
    limits = rows[["conf_low", "conf_high"]]
    np.testing.assert_allclose(
        limits.loc["survival difference"], difference_limits(two, one, r), rtol=1e-5
    )
    np.testing.assert_allclose(limits.loc["survival ratio"], ratio_limits(two, one, r), rtol=1e-5)
    hazards = np.log(-logs(np.ones(len(data))))
    scaled = covariance / np.outer(np.exp(hazards), np.exp(hazards))
    error = np.sqrt(scaled[0, 0] + scaled[1, 1] - 2.0 * scaled[0, 1])
    row = rows.loc["cumulative hazard ratio"]
    assert width(row, log=True) == pytest.approx(error, rel=1e-5)


def test_correlated_limits_of_normal_estimates() -> None:
    """Symmetric limits give the normal limits of a difference; a ratio's meet them at 0."""
    z, r = norm.ppf(0.975), 0.6
    a, b = (0.8, 0.8 - z * 0.05, 0.8 + z * 0.05), (0.7, 0.7 - z * 0.04, 0.7 + z * 0.04)
    error = np.sqrt(0.05**2 + 0.04**2 - 2 * r * 0.05 * 0.04)
    np.testing.assert_allclose(difference_limits(a, b, r), [0.1 - z * error, 0.1 + z * error])
    for end, ratio in enumerate(ratio_limits(a, b, r)):
        scaled = tuple(ratio * value for value in b)
        assert difference_limits(a, scaled, r)[end] == pytest.approx(0.0, abs=1e-9)

    def limits(level: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        q = norm.ppf(0.5 + level / 2)
        return (0.8, 0.8 - q * 0.05, 0.8 + q * 0.05), (0.7, 0.7 - q * 0.04, 0.7 + q * 0.04)

    assert square_and_add_p(limits, r) == pytest.approx(2 * norm.sf(0.1 / error), rel=1e-6)


def test_clusters_within_groups_change_nothing() -> None:
    data = cohort(3).assign(centre=lambda d: 20 * d["arm"] + d["centre"])
    found = rn.rmst(data, FORMULA, tau=24)
    row = found.contrasts().iloc[0]
    apart = float(np.hypot(*found.to_frame()["std_error"]))
    assert width(row, log=False) == pytest.approx(apart, rel=1e-12)
    stone = rn.milestone(data, FORMULA, times=20, ci="plain")
    apart = float(np.hypot(*stone.to_frame()["std_error"]))
    assert width(stone.contrasts().iloc[0], log=False) == pytest.approx(apart, rel=1e-12)


def test_pairs_that_err_alike_leave_no_limits() -> None:
    """Each patient stands in both arms with the same course: no difference, and no certainty."""
    half = cohort(4).assign(centre=lambda d: np.arange(len(d)))
    pairs = pd.concat([half.assign(arm=0), half.assign(arm=1)], ignore_index=True)
    found = rn.rmst(pairs, FORMULA, tau=24)
    contrasts = found.contrasts()
    assert contrasts["estimate"].iloc[0] == 0.0
    assert contrasts[["conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    assert any("err alike" in note for note in found.notes)
    for ci in ("plain", "log-log"):
        stone = rn.milestone(pairs, FORMULA, times=20, ci=ci)
        assert stone.contrasts()[["conf_low", "conf_high", "p_value"]].isna().all(axis=None)
        assert any("err alike" in note for note in stone.notes)


def test_one_cluster_is_refused_and_few_are_told() -> None:
    data = cohort()
    with pytest.raises(DataError, match="one value in the rows used"):
        rn.kaplan_meier(data.assign(centre=1), FORMULA)
    assert any("only 9 clusters" in note for note in rn.kaplan_meier(data, FORMULA).notes)
    many = rn.kaplan_meier(data.assign(centre=np.arange(len(data))), FORMULA)
    assert not any("clusters" in note for note in many.notes)


def test_weighted_risks_of_arms_that_share_centres() -> None:
    data = cohort(5)
    score = rn.propensity(data, "arm ~ x + cluster(centre)", weights="overlap")
    weights = score.scores()["weight"].to_numpy()
    arms = [data["arm"].to_numpy() == code for code in (0, 1)]

    def risks(factor: np.ndarray) -> np.ndarray:
        total = weights * factor
        one, two = (1.0 - survival(data[a], total[a], 24.0) for a in arms)
        return np.array([one, two, two - one, np.log(two / one)])

    found = score.risk("Surv(time, event)", horizon=24, resamples=0)
    table = found.to_frame()
    np.testing.assert_allclose(
        table["std_error"], jackknifed(risks, data["centre"].to_numpy()), rtol=1e-6
    )
    apart = float(np.hypot(*table["std_error"].iloc[:2]))
    assert abs(table["std_error"].iloc[2] / apart - 1.0) > 0.05
    told = "only 9 clusters of centre"
    assert any(told in note for note in found.notes)
    assert any(told in note for note in score.cox("Surv(time, event)", resamples=0).notes)
    curves = score.kaplan_meier("Surv(time, event)")
    assert sum(told in note for note in curves.notes) == 1
    alone = rn.propensity(data, "arm ~ x", weights="overlap")
    free = alone.risk("Surv(time, event)", horizon=24, resamples=0).to_frame()["std_error"]
    np.testing.assert_allclose(free, jackknifed(risks, np.arange(len(data))), rtol=1e-6)


@pytest.mark.parametrize("verb", ["cox", "risk", "effect", "kaplan_meier"])
def test_weighted_arms_of_two_clusters_are_refused(verb: str) -> None:
    data = cohort(5).assign(centre=lambda d: d["centre"] % 2)
    score = rn.propensity(data, "arm ~ x + cluster(centre)")
    options = {"risk": {"horizon": 24, "resamples": 0}, "kaplan_meier": {}}
    given = options.get(verb, {"resamples": 0})
    outcome = "event" if verb == "effect" else "Surv(time, event)"
    with pytest.raises(DataError, match="only 2 clusters of centre"):
        getattr(score, verb)(outcome, **given)


def coded(seed: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return cohort(seed).assign(code=lambda d: d["event"] * rng.integers(1, 3, len(d)))


@pytest.mark.parametrize(
    "call",
    [
        lambda d: rn.cumulative_incidence(d, "Surv(time, code) ~ arm + cluster(centre)"),
        lambda d: rn.fine_gray(d, "Surv(time, code) ~ x + cluster(centre)", cause=1),
    ],
)
def test_one_cluster_is_refused_where_events_compete(
    call: Callable[[pd.DataFrame], Any],
) -> None:
    with pytest.raises(DataError, match=r"cluster\(centre\) has one value in the rows used"):
        call(coded().assign(centre=1))
    found = call(coded())
    assert any("only 9 clusters of centre" in note for note in found.notes)


def test_a_group_in_one_cluster_has_no_limits() -> None:
    """Influences sum to nothing within a single cluster: that is no standard error of 0."""
    data = coded().assign(centre=lambda d: np.where(d["arm"] == 1, 99, d["centre"]))
    told = "All rows of 1 are in one cluster of centre"
    curves = rn.kaplan_meier(data, FORMULA)
    frame = curves.to_frame().set_index("group")
    assert frame.loc["1", ["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
    assert frame.loc["0", "std_error"].notna().any()
    states = rn.cumulative_incidence(data, "Surv(time, code) ~ arm + cluster(centre)")
    at = states.at(24).set_index("group")
    assert at.loc["1", ["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
    assert (at.loc["0", "std_error"] > 0.01).all()
    stone = rn.milestone(data, FORMULA, times=20)
    row = stone.to_frame().set_index("group").loc["1"]
    assert np.isnan(row["conf_low"])
    assert any("1 at 20: one cluster, so that the variance" in note for note in stone.notes)
    mean = rn.rmst(data, FORMULA, tau=24)
    assert np.isnan(mean.to_frame().set_index("group").loc["1", "conf_low"])
    assert mean.contrasts()["conf_low"].isna().all()
    for result in (curves, states, stone, mean):
        assert any(told in note for note in result.notes)
    score = rn.propensity(data, "arm ~ x + cluster(centre)")
    with pytest.raises(DataError, match="arm 'arm = 1' are in one cluster of centre"):
        score.risk("Surv(time, event)", horizon=24, resamples=0)


def test_follow_up_counts_clusters_in_groups_as_it_does_in_all() -> None:
    data = cohort()
    groups = rn.follow_up(data, FORMULA).to_frame().set_index("group")
    alone = rn.follow_up(data[data["arm"] == 1], "Surv(time, event) ~ 1 + cluster(centre)")
    whole = rn.follow_up(data, "Surv(time, event) ~ 1 + cluster(centre)")
    for label, one in (("1", alone), ("all", whole)):
        for name in ("median", "conf_low", "conf_high"):
            assert groups.loc[label, name] == one.to_frame()[name].iloc[0]
    independent = rn.follow_up(data, "Surv(time, event) ~ arm").to_frame().set_index("group")
    assert independent.loc["all", "conf_high"] != groups.loc["all", "conf_high"]
    with pytest.raises(FormulaError, match="leave cluster"):
        rn.sufficient_follow_up(data, FORMULA)


def test_clusters_of_a_changing_effect_have_their_name() -> None:
    formula = "Surv(time, event) ~ arm + x + cluster(centre)"
    fit = rn.time_varying_effect(cohort(), formula, term="arm", cuts=12)
    assert any("9 clusters of centre" in note for note in fit.notes)
    assert not any("cluster code" in note for note in fit.notes)
    with pytest.raises(DataError, match=r"cluster\(centre\) has one value"):
        rn.time_varying_effect(cohort().assign(centre=1), formula, term="arm", cuts=12)
