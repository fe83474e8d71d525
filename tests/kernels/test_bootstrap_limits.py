"""Bootstrap limits: every number of R's boot.ci, and what must hold for any replicates."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.bootstrap_limits import (
    acceleration,
    bca_levels,
    jackknife_influence,
    quantiles,
    regression_influence,
)
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.risksets import prepare
from rnetstats.kernels.roc import auc
from support import assert_close, case, data_path, read

LEVELS = np.array([0.025, 0.975])


def _area() -> Any:
    data = read("aSAH.csv")
    y, score = (data["outcome"] == "Poor").to_numpy(float), data["s100b"].to_numpy(float)
    return lambda counts: auc(y, score, counts.astype(int))


def _difference() -> Any:
    data = read("aml.csv")
    time, kept = data["time"].to_numpy(float), (data["x"] == "Maintained").to_numpy(float)

    def means(counts: np.ndarray, group: np.ndarray) -> np.ndarray:
        return np.asarray((counts @ (time * group)) / (counts @ group))

    return lambda counts: means(counts, kept) - means(counts, 1.0 - kept)


def _hazard(file: str, terms: list[str], ties: str) -> Any:
    data = read(file)
    X, sets = data[terms].to_numpy(float), prepare(None, data["time"], data["status"])
    return lambda counts: fit_cox(X, sets, freq=counts, ties=ties).coef[:, 0]


CASES: dict[str, tuple[str, Any]] = {
    "asah_auc": ("asah", _area),
    "aml_mean_difference": ("aml", _difference),
    "veteran_cox_karno": (
        "veteran",
        lambda: _hazard("veteran.csv", ["karno", "trt"], "efron"),
    ),
    "kidney_cox_sex": ("kidney", lambda: _hazard("kidney.csv", ["sex"], "breslow")),
}


@pytest.mark.parametrize("name", list(CASES))
def test_every_limit_of_boot_ci(name: str) -> None:
    golden = case("bootstrap", name)["values"]
    index, statistic = CASES[name]
    rows = np.loadtxt(data_path(f"boot_index_{index}.csv"), delimiter=",", dtype=int) - 1
    n = golden["n"]
    counts = np.stack([np.bincount(row, minlength=n) for row in rows]).astype(float)
    value = statistic()
    t, t0 = value(counts), value(np.ones((1, n)))[0]
    assert len(t) == golden["R"]
    assert_close(t0, golden["t0"])
    assert_close(t[:10], golden["replicates_first10"])
    bias, spread = t.mean() - t0, t.std(ddof=1)
    assert_close(bias, golden["bias"], rel=1e-7)
    assert_close(spread, golden["sd"])
    half = NormalDist().inv_cdf(0.975) * spread
    assert_close([t0 - bias - half, t0 - bias + half], golden["normal_ci"])
    assert_close(2.0 * t0 - quantiles(t, LEVELS[::-1], "normal"), golden["basic_ci"])
    assert_close(quantiles(t, LEVELS, "normal"), golden["percentile_ci"])
    assert_close(quantiles(t, LEVELS, "linear"), golden["percentile_ci_type7"])
    z0 = NormalDist().inv_cdf(float((t < t0).mean()))
    assert_close(z0, golden["z0"])
    ways = {
        "bca_regression_a": regression_influence(t, counts),
        "bca_jackknife_a": jackknife_influence(value(1.0 - np.eye(n))),
    }
    for way, influence in ways.items():
        expected = golden[way]
        a = acceleration(influence)
        levels = bca_levels(z0, a, LEVELS)
        assert_close(a, expected["a"])
        assert_close(levels, expected["adjusted_alpha"])
        found = quantiles(t, levels, "normal")
        assert_close(found, [expected["lower"], expected["upper"]])
        found = quantiles(t, levels, "linear")
        assert_close(found, [expected["lower_type7"], expected["upper_type7"]])


@given(
    seed=st.integers(0, 999),
    scale=st.floats(0.01, 100.0),
    shift=st.floats(-50.0, 50.0),
    kind=st.sampled_from(["normal", "linear"]),
)
def test_quantiles_move_with_the_replicates(
    seed: int, scale: float, shift: float, kind: str
) -> None:
    t = np.random.default_rng(seed).normal(size=57)
    levels = np.array([0.001, 0.025, 0.31, 0.5, 0.975, 0.9999])
    found = quantiles(t, levels, kind)
    assert (np.diff(found) >= 0.0).all()
    assert t.min() <= found[0]
    assert found[-1] <= t.max()
    assert_close(quantiles(shift + scale * t, levels, kind), shift + scale * found, rel=1e-9)
    assert_close(-quantiles(-t, 1.0 - levels[::-1], kind)[::-1], found, rel=1e-9)


def test_by_hand() -> None:
    """Of 99 replicates 1 to 99 the level 0.025 lies between the 2nd and the 3rd."""
    t = np.arange(1.0, 100.0)
    inverse = NormalDist().inv_cdf
    share = (inverse(0.025) - inverse(0.02)) / (inverse(0.03) - inverse(0.02))
    assert_close(quantiles(t, np.array([0.025, 0.05]), "normal"), [2.0 + share, 5.0])
    assert_close(quantiles(t, np.array([0.025]), "linear"), [1.0 + 98 * 0.025])
    # no bias, no acceleration: the plain levels
    assert_close(bca_levels(0.0, 0.0, LEVELS), LEVELS)
    # influence -1, -1, 2: the sum of cubes 6, of squares 6
    assert_close(acceleration(np.array([-1.0, -1.0, 2.0])), 6.0 / (6.0 * 6.0**1.5))
    assert_close(jackknife_influence(np.array([1.0, 2.0, 6.0])), [4.0, 2.0, -6.0])


def test_what_is_unknown_is_missing() -> None:
    assert np.isnan(bca_levels(np.inf, 0.0, LEVELS)).all()
    assert np.isnan(bca_levels(0.0, np.nan, LEVELS)).all()
    assert np.isnan(bca_levels(3.0, 0.5, LEVELS)[1])
    assert np.isnan(acceleration(np.zeros(4)))
    assert np.isnan(regression_influence(np.ones(3), np.ones((3, 3)))).all()
    assert np.isnan(quantiles(np.arange(5.0), np.array([np.nan]), "normal")).all()
    assert np.isnan(quantiles(np.arange(5.0), np.array([np.nan]), "linear")).all()
