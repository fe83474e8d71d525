"""Cut-offs found on data: reference values, P values, resamples, refusals."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, FormulaError, OptionError
from rnetstats.kernels.maxstat import logrank_rank_scores
from rnetstats.prediction.cutpoint_pvalues import exact_gauss_p, lau92_p, lau94_p
from support import assert_close, golden, read

CASES = golden("cutpoint")
RANK = [c for c in CASES if c["call"].startswith("maxstat")]
YOUDEN = [c for c in CASES if c["call"].startswith("cutpointr")]


def ids(cases: list[dict[str, Any]]) -> list[str]:
    return [c["id"] for c in cases]


def rank_call(case: dict[str, Any]) -> tuple[pd.DataFrame, str, dict[str, Any]]:
    spec = case["spec"]
    marker, time, outcome = spec["marker"], spec["time"], spec["outcome"]
    data = read(case["data"]).dropna(subset=[c for c in (marker, time, outcome) if c])
    left = f"Surv({time}, {outcome})" if time else outcome
    shares = dict(re.findall(r"(minprop|maxprop) = ([\d.]+)", case["call"]))
    options = {"method": "maxstat", **{name: float(v) for name, v in shares.items()}}
    return data, f"{left} ~ {marker}", options


@pytest.mark.parametrize("case", RANK, ids=ids(RANK))
def test_maximally_selected_statistic(case: dict[str, Any]) -> None:
    data, formula, options = rank_call(case)
    v = case["values"]
    found = rn.cutpoint(data, formula, **options)
    row = found.to_frame().iloc[0]
    assert_close(row["statistic"], v["statistic"])
    assert_close(row["estimate"], v["estimate"])
    assert row["n"] == v["n"]
    assert_close(row["p_value"], v["p_lau94"])
    lau92 = rn.cutpoint(data, formula, p_method="lau92", **options)
    assert_close(lau92.to_frame()["p_value"][0], v["p_lau92"])
    if "curve" in v:
        assert_close(found.curve()["cut"], v["curve"]["cutpoint"])
        assert_close(found.curve()["statistic"], v["curve"]["statistic"])
    if "scores_first10" in v:
        scores = logrank_rank_scores(data[case["spec"]["time"]], data[case["spec"]["outcome"]])[0]
        assert_close(scores[:10], v["scores_first10"])
        assert_close(scores @ scores, v["scores_sum_squares"])


@pytest.mark.parametrize("case", RANK, ids=ids(RANK))
def test_simulated_p_values(case: dict[str, Any]) -> None:
    data, formula, options = rank_call(case)
    v = case["values"]
    gauss = rn.cutpoint(data, formula, p_method="exact-gauss", **options).to_frame()["p_value"][0]
    expected = v["p_exact_gauss"]
    assert abs(gauss - expected["value"]) <= 3 * expected["mc_se"]
    row = rn.cutpoint(data, formula, p_method="permutation", seed=1, **options).to_frame().iloc[0]
    expected = v["p_cond_mc"]
    error = np.hypot(row["p_value_mcse"], expected["mc_se"])
    assert abs(row["p_value"] - expected["value"]) <= 3 * error


@pytest.mark.parametrize("case", YOUDEN, ids=ids(YOUDEN))
def test_youden_reference(case: dict[str, Any]) -> None:
    spec, v = case["spec"], case["values"]
    data = read(case["data"])
    data = data.assign(positive=(data[spec["outcome"]] == spec["positive"]).astype(int))
    direction = re.search(r'direction = "(..)"', case["call"]).group(1)  # type: ignore[union-attr]
    found = rn.cutpoint(
        data, f"positive ~ {spec['marker']}", direction=direction, permutations=99, seed=1
    )
    row = found.to_frame().iloc[0]
    assert_close(found.optimal["cut"], v["optimal_all"])
    for ours, theirs in {
        "estimate": "optimal_cutpoint",
        "midpoint": "optimal_cutpoint_midpoint",
        "statistic": "youden_j",
        "sensitivity": "sensitivity",
        "specificity": "specificity",
        "accuracy": "accuracy",
        "auc": "auc",
        "prevalence": "prevalence",
    }.items():
        assert_close(row[ours], v[theirs])


def test_gaussian_limit_agrees_with_the_multivariate_normal() -> None:
    from scipy.stats import multivariate_normal

    below, total, b = np.array([10.0, 25.0, 30.0]), 40.0, 1.9
    m = np.minimum.outer(below, below), np.maximum.outer(below, below)
    corr = np.sqrt(m[0] * (total - m[1]) / (m[1] * (total - m[0])))
    inside = multivariate_normal(cov=corr).cdf([b] * 3, lower_limit=[-b] * 3)
    assert exact_gauss_p(b, below, total) == pytest.approx(1 - inside, abs=1e-4)


def test_one_split_needs_no_adjustment() -> None:
    for p in (exact_gauss_p(1.96, np.array([20.0]), 40.0), lau94_p(1.96, np.array([20.0]), 40.0)):
        assert p == pytest.approx(0.0499957903, abs=1e-9)
    assert lau92_p(0.9, 0.1, 0.9) == 1.0


def cohort(n: int = 200, seed: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.round(rng.gamma(4, 2, n) * 2) / 2
    y = (rng.random(n) < 1 / (1 + np.exp(1.5 - 0.2 * x))).astype(int)
    time = np.round(rng.exponential(20, n), 1) + 0.1
    return {"x": x, "y": y, "time": time, "event": (rng.random(n) < 0.6).astype(int)}


@pytest.mark.parametrize(
    ("left", "options"),
    [
        ("y", {"permutations": 199, "seed": 1}),
        ("y", {"method": "maxstat"}),
        ("Surv(time, event)", {"method": "maxstat"}),
        ("Surv(time, event)", {"time": 20, "permutations": 199, "seed": 1}),
        ("y", {"method": "minimum-p", "permutations": 199, "seed": 1}),
    ],
)
def test_weights_are_replicated_rows(left: str, options: dict[str, Any]) -> None:
    data = cohort(60)
    weight = np.random.default_rng(1).integers(0, 4, 60)
    again = {name: np.repeat(values, weight) for name, values in data.items()}
    weighted = rn.cutpoint({**data, "w": weight}, f"{left} ~ x", freq_weights="w", **options)
    plain = rn.cutpoint(again, f"{left} ~ x", **options)
    pd.testing.assert_frame_equal(weighted.to_frame(), plain.to_frame(), rtol=1e-10)
    pd.testing.assert_frame_equal(weighted.curve(), plain.curve(), rtol=1e-10)


def test_minimum_p_is_a_demonstration() -> None:
    found = rn.cutpoint(cohort(), "y ~ x", method="minimum-p", permutations=1999, seed=2)
    row = found.to_frame().iloc[0]
    assert row["p_unadjusted"] < row["p_value"]
    assert row["type_one_error"] > 0.15
    share = row["type_one_error"] * (1 - row["type_one_error"])
    assert_close(row["type_one_error_mcse"], np.sqrt(share / 1999))
    assert found.notes[0].startswith("DEMONSTRATION, NOT A RESULT")
    same = rn.cutpoint(cohort(), "y ~ x", method="maxstat")
    assert same.estimate == found.estimate


@pytest.mark.slow
def test_permutation_p_keeps_its_level() -> None:
    rng = np.random.default_rng(9)
    p = []
    for _ in range(200):
        data = {"x": rng.normal(size=50), "y": np.arange(50) % 2}
        p.append(rn.cutpoint(data, "y ~ x", permutations=99, seed=1).to_frame()["p_value"][0])
    assert abs(np.mean(np.array(p) <= 0.1) - 0.1) <= 3 * np.sqrt(0.1 * 0.9 / 200)


def test_bound_above_one_is_said() -> None:
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=300), "y": np.tile([0, 1], 150)}
    found = [
        rn.cutpoint({**data, "y": rng.permutation(data["y"])}, "y ~ x", method="maxstat")
        for _ in range(20)
    ]
    over = [f for f in found if f.to_frame()["p_value"][0] > 1]
    assert over
    assert all(any("there is no evidence" in note for note in f.notes) for f in over)
    assert over[0].display().iloc[0, -1] == ">0.99"


def test_equally_good_cuts_are_all_reported() -> None:
    data = {"x": [1, 2, 3, 4, 5, 6], "y": [0, 1, 0, 1, 0, 1]}
    found = rn.cutpoint(data, "y ~ x", direction=">=", permutations=19, seed=1)
    assert found.optimal["cut"].tolist() == [2, 4, 6]
    assert found.estimate == 4
    assert any("3 cut-offs are equally good (2, 4, 6)" in note for note in found.notes)


def test_direction_is_chosen_by_the_data_unless_given() -> None:
    data = {"x": np.arange(20.0), "y": (np.arange(20) < 8).astype(int)}
    found = rn.cutpoint(data, "y ~ x", permutations=99, seed=1)
    assert found.to_frame()["rule"][0] == "x <= 7"
    assert found.to_frame()["statistic"][0] == 1.0
    wrong = rn.cutpoint(data, "y ~ x", direction=">=", permutations=99, seed=1)
    assert any("nowhere above 0" in note for note in wrong.notes)


def test_rates_of_every_split_by_hand() -> None:
    data = {"x": [1, 2, 3, 4], "y": [0, 0, 1, 0]}
    options: dict[str, Any] = {"permutations": 19, "seed": 1}
    above = rn.cutpoint(data, "y ~ x", direction=">=", **options).splits
    assert above["cut"].tolist() == [2, 3, 4]
    assert_close(above["sensitivity"], [1, 1, 0])
    assert_close(above["specificity"], [1 / 3, 2 / 3, 2 / 3])
    assert_close(above["statistic"], [1 / 3, 2 / 3, -1 / 3])
    below = rn.cutpoint(data, "y ~ x", direction="<=", **options).splits
    assert below["cut"].tolist() == [1, 2, 3]
    assert_close(below["sensitivity"], 1 - above["sensitivity"], floor=1e-12)
    assert_close(below["specificity"], 1 - above["specificity"])


@pytest.mark.parametrize("direction", [">=", "<=", None])
def test_permutation_p_of_a_direction_by_enumeration(direction: str | None) -> None:
    # three events among eight, splits of at least half below: not the same from either side
    x, seen = np.arange(1.0, 9.0), [0, 2, 5]

    def largest(chosen: Any) -> float:
        y = np.isin(np.arange(8), chosen)
        differences = [y[m:].sum() / 3 - (~y)[m:].sum() / 5 for m in (4, 5, 6, 7)]
        if direction is None:
            return float(np.abs(differences).max())
        return max(differences) if direction == ">=" else -min(differences)

    reached = [largest(some) >= largest(seen) - 1e-9 for some in combinations(range(8), 3)]
    data = {"x": x, "y": np.isin(np.arange(8), seen).astype(int)}
    found = rn.cutpoint(
        data, "y ~ x", direction=direction, minprop=0.5, permutations=1999, seed=3
    ).table.iloc[0]
    assert_close(found["statistic"], largest(seen))
    exact = float(np.mean(reached))
    assert 0.1 < exact < 0.9
    assert abs(found["p_value"] - exact) < 3.5 * np.sqrt(exact * (1 - exact) / 1999)


def test_permutations_are_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"x": [1, 2, 3, 4, 5, 6], "y": [0, 0, 1, 0, 1, 1]}
    whole = rn.cutpoint(data, "y ~ x", permutations=300, seed=1).to_frame()
    monkeypatch.setattr("rnetstats.prediction.cutpoint_pvalues._CELLS", 60)
    pd.testing.assert_frame_equal(
        rn.cutpoint(data, "y ~ x", permutations=300, seed=1).to_frame(), whole
    )


def test_resampling_gives_limits_only_by_subsampling() -> None:
    found = rn.cutpoint(cohort(), "y ~ x", permutations=19, seed=1)
    boot = found.resampling(resamples=300, seed=3)
    assert boot.to_frame()["count"].sum() == 300
    assert np.isnan(boot.glance()["conf_low"][0])
    sub = found.resampling(resamples=300, fraction=0.3, seed=3)
    row = sub.glance().iloc[0]
    assert row["conf_low"] < row["conf_high"]
    assert row["size"] == 60
    assert boot.plot() is not sub.plot()
    plt.close("all")


def test_resamples_of_a_longer_run_begin_like_the_shorter() -> None:
    found = rn.cutpoint(cohort(), "y ~ x", permutations=19, seed=1)
    few, more = (found.resampling(resamples=k, seed=3).to_frame() for k in (100, 500))
    joined = more.set_index("cut")["count"].reindex(few["cut"])
    assert (joined.to_numpy() >= few["count"].to_numpy()).all()


def test_few_events_get_no_limits() -> None:
    data = read("rnet_like_a.csv")
    found = rn.cutpoint(data, "Surv(dfs_months, recurrence) ~ size_mm", method="maxstat")
    sub = found.resampling(resamples=50, fraction=0.2, seed=1)
    assert np.isnan(sub.glance()["conf_low"][0])
    assert any(note.startswith("No limits") for note in sub.notes)
    assert any("12 events" in note for note in found.notes)


@pytest.mark.parametrize(
    ("formula", "options", "error", "match"),
    [
        ("y ~ x + time", {}, FormulaError, "one column"),
        ("y ~ log(x)", {}, FormulaError, "one column"),
        ("y ~ x", {"method": "best"}, OptionError, "method"),
        ("y ~ x", {"p_method": "lau94"}, OptionError, "permutation"),
        ("y ~ x", {"method": "maxstat", "direction": ">="}, OptionError, "two-sided"),
        ("y ~ x", {"time": 3}, OptionError, "horizon"),
        ("y ~ x", {"method": "maxstat", "minprop": 0.6, "maxprop": 0.4}, OptionError, "below"),
        ("y ~ x", {"method": "maxstat", "minprop": 0, "p_method": "lau92"}, OptionError, "lau92"),
        ("Surv(time, event) ~ x", {}, OptionError, "horizon"),
        ("Surv(time, event) ~ x", {"time": 1e6}, DataError, "followed beyond"),
        ("y ~ same", {}, ColumnError, "nothing to cut"),
        ("none ~ x", {}, DataError, "No row has the event"),
        ("Surv(entry, time, event) ~ x", {"method": "maxstat"}, FormulaError, "late entry"),
    ],
)
def test_refusals(
    formula: str, options: dict[str, Any], error: type[Exception], match: str
) -> None:
    data = cohort()
    n = len(data["x"])
    data |= {"same": np.ones(n), "none": np.zeros(n), "entry": np.zeros(n)}
    with pytest.raises(error, match=match):
        rn.cutpoint(data, formula, **options)


def test_events_of_a_horizon_are_those_by_then() -> None:
    """Few by then are said to be few, whatever comes later."""
    data = pd.DataFrame(cohort())
    by = float(np.sort(data.loc[data["event"] == 1, "time"])[11])
    case = (data["event"] == 1) & (data["time"] <= by)
    found = rn.cutpoint(data, "Surv(time, event) ~ x", time=by, permutations=19, seed=1)
    row, curve = found.table.iloc[0], found.curve()
    high = data["x"] >= row["estimate"] if ">=" in row["rule"] else data["x"] > row["estimate"]
    assert row["n_events"] == case.sum() < data["event"].sum()
    assert (row["events_above"], row["events_below"]) == (case[high].sum(), case[~high].sum())
    assert (curve["events_below"] + curve["events_above"] == case.sum()).all()
    assert f"{case.sum()} events by time {by:g} is hardly more than chance" in found.notes[-1]
