"""Proportions at the ends of what can be pooled, in groups, and input that cannot be read."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, chi2

import rnetstats as rn
from rnetstats.errors import (
    ColumnError,
    ConvergenceError,
    DataError,
    OptionError,
    RnetError,
    TooFewEventsError,
)
from rnetstats.evidence.proportions_transforms import TRANSFORMS
from support import assert_close

GOOD = {"study": ["A", "B", "C"], "events": [1, 3, 0], "n": [20, 30, 25]}


def pooled(events: Any, n: Any, **options: Any) -> Any:
    data = {"study": [f"S{i}" for i in range(len(n))], "events": events, "n": n}
    return rn.meta_proportions(data, **options)


@pytest.mark.parametrize("transform", ["glmm", *TRANSFORMS])
def test_no_event_at_all_is_an_exact_bound(transform: str) -> None:
    found = pooled([0, 0, 0], [44, 98, 180], transform=transform)
    assert (found.estimate, found.conf_low) == (0.0, 0.0)
    assert_close(found.conf_high, 1.0 - 0.025 ** (1 / 322))
    assert found.heterogeneity.isna().all(axis=None)
    assert "no event in any of 3 series" in found.notes[0]
    assert found.display()["Study"].iloc[-2] == "Pooled: all series taken as one, exact limits"
    every = pooled([44, 98], [44, 98], transform=transform)
    assert (every.estimate, every.conf_high) == (1.0, 1.0)
    assert_close(every.conf_low, 0.025 ** (1 / 142))


@pytest.mark.parametrize("transform", ["glmm", *TRANSFORMS])
def test_one_series_keeps_its_exact_limits(transform: str) -> None:
    found = pooled([12], [527], transform=transform)
    limits = [beta.ppf(0.025, 12, 516), beta.ppf(0.975, 13, 515)]
    assert_close([found.conf_low, found.conf_high], limits)
    assert found.notes[0].startswith("One series alone (12 of 527)")
    plt.close(found.plot().figure)


def test_corrections_are_said_of_each_series() -> None:
    found = rn.meta_proportions(GOOD, transform="logit")
    assert found.studies["note"].tolist() == ["", "", "0.5 added to both counts"]
    assert_close(found.studies["coef"].iloc[2], np.log(0.5 / 25.5))
    assert any("1 of 3 series" in note for note in found.notes)
    bare = rn.meta_proportions(GOOD, transform="logit", correction=0)
    assert bare.studies["used"].tolist() == [True, True, False]
    assert any("left out" in note for note in bare.notes)
    for transform in ("glmm", "arcsine", "freeman-tukey"):
        assert not any(rn.meta_proportions(GOOD, transform=transform).studies["note"])
    with pytest.raises(TooFewEventsError, match="glmm"):
        pooled([0, 10], [10, 10], transform="logit", correction=0)


def test_missing_counts_are_reported() -> None:
    found = pooled([1, None, 4], [20, 30, 40], transform="logit")
    assert found.studies["used"].tolist() == [True, False, True]
    assert "left out (1 of 3 series)" in found.notes[0]
    assert found.glance()["n"][0] == 60
    assert found.studies["weight"][1] == 0.0
    with pytest.raises(DataError, match="row 2"):
        pooled([1, None, 4], [20, 30, 40], missing="raise")


def test_groups_are_pooled_apart_and_tested() -> None:
    data = {"study": list("ABCDE"), "events": [3, 5, 1, 2, 9], "n": [30, 60, 40, 50, 90]}
    by = {**data, "way": ["x", "x", "y", "y", None]}
    found = rn.meta_proportions(by, by="way", tau2=0.0, ci="wald")
    assert found.groups["group"].tolist() == ["x", "y"]
    assert_close(found.groups["estimate"], [8 / 90, 3 / 90])
    # With no variance between series the test is that of a 2x2 table, 8/90 against 3/90.
    x, n = np.array([8.0, 3.0]), np.array([90.0, 90.0])
    own = (x * np.log(x / n) + (n - x) * np.log1p(-x / n)).sum()
    one = 11 * np.log(11 / 180) + 169 * np.log1p(-11 / 180)
    assert_close(found.test["statistic"], [2 * (own - one)], rel=1e-7)
    assert_close(found.test["p_value"], [chi2.sf(2 * (own - one), 1)], rel=1e-7)
    assert any("way is missing in 1 of 5" in note for note in found.notes)
    logits = rn.meta_proportions(by, by="way", transform="logit", tau2=0.0, ci="wald")
    alone = rn.meta_proportions(
        {k: v[:2] for k, v in data.items()}, transform="logit", tau2=0.0, ci="wald"
    )
    assert_close(logits.groups["estimate"].iloc[0], alone.estimate)
    se, coef = logits.groups["std_error_wald"], logits.groups["coef"]
    z2 = (coef[0] - coef[1]) ** 2 / (se**2).sum()
    assert_close(logits.test["statistic"], [z2])
    assert "p_groups" in logits.glance()
    plt.close(logits.plot().figure)


def test_a_group_without_events_is_bounded_and_tested() -> None:
    data = {"events": [0, 0, 9, 6], "n": [60, 80, 100, 70], "way": ["x", "x", "y", "y"]}
    found = rn.meta_proportions(data, by="way", tau2=0.0)
    assert_close(found.groups["conf_high"].iloc[0], 1.0 - 0.025 ** (1 / 140))
    own = 15 * np.log(15 / 170) + 155 * np.log1p(-15 / 170)
    one = 15 * np.log(15 / 310) + 295 * np.log1p(-15 / 310)
    assert_close(found.test["statistic"], [2 * (own - one)], rel=1e-7)
    assert any(note.startswith("Group x: There is no event") for note in found.notes)
    lost = rn.meta_proportions(data, by="way", transform="logit", correction=0)
    assert lost.test["p_value"].isna().all()
    assert any("no test between the groups" in note for note in lost.notes)
    none = rn.meta_proportions({**data, "events": [0, 0, 0, 0]}, by="way")
    assert none.test["p_value"][0] == 1.0


def test_a_group_without_an_estimate_leaves_the_others() -> None:
    data = {"events": [0, 20, 9, 6], "n": [20, 20, 100, 70], "way": ["x", "x", "y", "y"]}
    found = rn.meta_proportions(data, by="way", transform="logit", correction=0)
    assert found.groups["estimate"].isna().tolist() == [True, False]
    assert any(note.startswith("Group x has no estimate") for note in found.notes)
    assert found.display()["Study"].tolist()[4:6] == ["way: x", "way: y"]
    plt.close(found.plot().figure)


BAD: list[tuple[dict[str, Any], dict[str, Any], type[RnetError], str]] = [
    ({"events": [1, 31, 0]}, {}, DataError, "more than n in row 2"),
    ({"events": [1, -3, 0]}, {}, DataError, "negative"),
    ({"events": [1, 2.5, 0]}, {}, DataError, "no whole number"),
    ({"n": [20, 0, 25]}, {}, DataError, "not above 0"),
    ({"n": [20, np.inf, 25]}, {}, RnetError, "n "),
    ({"n": [1e300, 30, 25]}, {}, DataError, "too large"),
    ({"events": [np.nan] * 3}, {}, DataError, "no values"),
    ({"events": [1, None, 3], "n": [None, 20, None]}, {}, DataError, "No series"),
    ({"events": ["one", "3", "0"]}, {}, RnetError, "events"),
    ({"events": [1, 3]}, {}, DataError, "length"),
    ({}, {"columns": {"events": "xi"}}, ColumnError, "xi"),
    ({}, {"columns": {"event": "n"}}, OptionError, "events"),
    ({}, {"columns": {"events": "n", "n": "n"}}, OptionError, "twice"),
    ({}, {"columns": "events"}, OptionError, "mapping"),
    ({}, {"transform": "probit"}, OptionError, "transform"),
    ({}, {"tau2": "DL"}, OptionError, "maximum likelihood"),
    ({}, {"tau2": -1.0}, OptionError, "tau2"),
    ({}, {"tau2": 1e6}, OptionError, "225"),
    ({}, {"ci": "exact"}, OptionError, "ci"),
    ({}, {"prediction": "t"}, OptionError, "prediction"),
    ({}, {"correction": -0.5}, OptionError, "correction"),
    ({}, {"conf_level": 95}, OptionError, "conf_level"),
    ({}, {"points": 0}, OptionError, "points"),
    ({}, {"points": 1000}, OptionError, "points"),
    ({}, {"points": 7, "transform": "logit"}, OptionError, "points"),
    ({}, {"back_n": "arithmetic"}, OptionError, "back_n"),
    ({}, {"by": "way"}, ColumnError, "way"),
    ({}, {"by": "n"}, ColumnError, "different number"),
    ({}, {"by": 3}, OptionError, "by"),
    ({"way": ["x"] * 3}, {"by": "way"}, ColumnError, "one group"),
    ({}, {"missing": "keep"}, OptionError, "missing"),
    ({"events": [0, 20, 0], "n": [20, 20, 25]}, {}, ConvergenceError, "arcsine"),
]


@pytest.mark.parametrize(("change", "options", "error", "words"), BAD)
def test_bad_input_is_refused(
    change: dict[str, Any], options: dict[str, Any], error: type[RnetError], words: str
) -> None:
    with pytest.raises(error, match=words):
        rn.meta_proportions({**GOOD, **change}, **options)


def test_a_table_that_is_none_is_refused() -> None:
    with pytest.raises(DataError):
        rn.meta_proportions([1, 2])  # type: ignore[arg-type]
    with pytest.raises(DataError):
        rn.meta_proportions(pd.DataFrame({"events": [], "n": []}))
    with pytest.raises(ColumnError, match="'n'"):
        rn.meta_proportions({"events": [1, 2]})


def test_large_series_and_many() -> None:
    big = pooled([3_000_000, 1], [10**9, 2], tau2=0.0)
    assert 0.0 < big.estimate < 1.0
    many = pooled([1, 0] * 20, [50, 40] * 20)
    assert_close(many.estimate, 20 / 1800, rel=1e-7)  # less spread than chance alone: tau2 = 0
    assert many.glance()["k"][0] == 40
