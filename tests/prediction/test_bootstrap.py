"""`bootstrap` and `bootstrap_limits` as a user calls them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, OptionError
from rnetstats.kernels.bootstrap_limits import acceleration, jackknife_influence
from support import assert_close, case, data_path, read


def test_limits_from_given_replicates_are_those_of_boot_ci() -> None:
    golden = case("bootstrap", "aml_mean_difference")["values"]
    data = read("aml.csv")
    rows = np.loadtxt(data_path("boot_index_aml.csv"), delimiter=",", dtype=int) - 1

    def difference(part: pd.DataFrame) -> float:
        means = part.groupby("x")["time"].mean()
        return float(means["Maintained"] - means["Nonmaintained"])

    t = [difference(data.iloc[row]) for row in rows]
    counts = np.stack([np.bincount(row, minlength=len(data)) for row in rows])
    without = [difference(data.drop(index=i)) for i in data.index]
    for options, way in (
        ({"counts": counts}, "bca_regression_a"),
        ({"jackknife": without}, "bca_jackknife_a"),
    ):
        found = rn.bootstrap_limits(t, difference(data), **options)
        table = found.to_frame().set_index("method")[["conf_low", "conf_high"]]
        assert_close(table.loc["normal"], golden["normal_ci"])
        assert_close(table.loc["basic"], golden["basic_ci"])
        assert_close(table.loc["percentile"], golden["percentile_ci"])
        assert_close(table.loc["BCa"], [golden[way]["lower"], golden[way]["upper"]])
        summary = found.glance().iloc[0]
        assert_close(
            summary[["bias", "std_error", "z0"]], [golden[k] for k in ("bias", "sd", "z0")]
        )
        assert_close(summary["acceleration"], golden[way]["a"])
        assert found.notes == ()


def test_a_run_repeats_and_begins_a_longer_one() -> None:
    data = {"x": np.random.default_rng(2).exponential(3.0, 40)}
    one, two = (rn.bootstrap(data, lambda d: d["x"].mean(), resamples=300, seed=4) for _ in "ab")
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())
    short = rn.bootstrap(data, lambda d: d["x"].mean(), resamples=100, seed=4)
    assert_close(short.replicates, one.replicates[:100])
    # The mean's standard error, and the acceleration of a mean: skewness / (6 sqrt n).
    x = data["x"]
    assert one.summary["std_error"] == pytest.approx(x.std() / np.sqrt(40), rel=0.15)
    centred = x - x.mean()
    skew = (centred**3).mean() / (centred**2).mean() ** 1.5
    assert_close(one.summary["acceleration"], skew / (6.0 * np.sqrt(40)))


def test_clusters_are_drawn_and_left_out_whole() -> None:
    data = pd.DataFrame({"centre": list("aabbccddee"), "x": np.arange(10.0)})
    seen: list[pd.DataFrame] = []

    def mean(part: pd.DataFrame) -> float:
        seen.append(part)
        return float(part["x"].mean())

    found = rn.bootstrap(data, mean, resamples=30, seed=1, cluster="centre")
    for part in seen:
        assert set(part["centre"].value_counts() % 2) == {0}
    without = [data.loc[data["centre"] != c, "x"].mean() for c in "abcde"]
    expected = acceleration(jackknife_influence(np.array(without)))
    assert_close(found.summary["acceleration"], expected)


def test_what_cannot_be_had_is_noted() -> None:
    data = {"x": [0.0] * 11 + [1.0, 5.0]}

    def above(part: pd.DataFrame) -> float:
        positive = part["x"][part["x"] > 0]
        return float(positive.mean()) if len(positive) else float("nan")

    found = rn.bootstrap(data, above, resamples=200, seed=1)
    failed = found.summary["failed"]
    assert failed == 200 - len(found.replicates) > 5
    assert f"On {failed} of 200 resamples the statistic has no value" in found.notes[0]
    few = rn.bootstrap_limits(np.arange(30.0), 15.0)
    assert any("30 replicates are too few" in note for note in few.notes)
    assert any("jackknife or counts" in note for note in few.notes)
    beyond = rn.bootstrap_limits(np.arange(99.0), -1.0, jackknife=[1.0, 2.0, 4.0])
    assert beyond.notes == ("No BCa limits: the estimate lies beyond nearly all replicates.",)
    assert np.isnan(beyond.to_frame().set_index("method").loc["BCa", "conf_low"])
    flat = rn.bootstrap({"x": np.ones(30)}, lambda d: d["x"].mean(), resamples=99, seed=1)
    assert any("No BCa limits" in note for note in flat.notes)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda d: rn.bootstrap(d, lambda p: "a"), OptionError, "return one number, not str"),
        (lambda d: rn.bootstrap(d, lambda p: np.nan), DataError, "no finite value on the data"),
        (lambda d: rn.bootstrap(d, len, resamples=5), OptionError, "at least 20"),
        (lambda d: rn.bootstrap(d, len, cluster="c"), OptionError, "names no column"),
        (lambda d: rn.bootstrap(d, len, quantile="seven"), OptionError, "quantile"),
        (lambda d: rn.bootstrap(d, len, conf_level=95), OptionError, "0.95 for 95 %"),
        (lambda d: rn.bootstrap_limits([1.0] * 5, 1.0), DataError, "5 of 5 replicates"),
        (lambda d: rn.bootstrap_limits(["a"] * 30, 1.0), OptionError, "list of numbers"),
        (lambda d: rn.bootstrap_limits(np.ones((30, 2)), 1.0), OptionError, "shape"),
        (lambda d: rn.bootstrap_limits(np.ones(30), np.nan), OptionError, "finite number"),
        (
            lambda d: rn.bootstrap_limits(np.ones(30), 1.0, counts=np.ones((3, 2))),
            OptionError,
            "a row for each of the 30 replicates",
        ),
        (
            lambda d: rn.bootstrap_limits(
                np.ones(30), 1.0, counts=np.ones((30, 2)), jackknife=[1.0]
            ),
            OptionError,
            "either jackknife or counts",
        ),
    ],
)
def test_bad_input(call: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call({"x": [1.0, 2.0, 4.0, 8.0]})


def test_a_missing_cluster_is_named() -> None:
    data = pd.DataFrame({"c": ["a", None, "b"], "x": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match="no value in row 2: fill it"):
        rn.bootstrap(data, len, cluster="c")
