"""The bound of Hothorn and Lausen: R's number, enumeration, refusals."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import BudgetError
from rnetstats.prediction.cutpoint_bound import hothorn_lausen_p, whole_scores
from rnetstats.prediction.cutpoints import CutpointResult
from support import assert_close, golden, read

CASES = [c for c in golden("cutpoint") if "p_hothorn_lausen" in c["values"]]


def bounded(case: dict[str, Any]) -> CutpointResult:
    spec = case["spec"]
    data = read(case["data"]).dropna(subset=[spec["marker"], spec["time"], spec["outcome"]])
    low = 0.2 if "minprop = 0.2" in case["call"] else 0.1
    return rn.cutpoint(
        data,
        f"Surv({spec['time']}, {spec['outcome']}) ~ {spec['marker']}",
        method="maxstat",
        p_method="hothorn-lausen",
        minprop=low,
        maxprop=1 - low,
    )


@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_reference_values(case: dict[str, Any]) -> None:
    row = bounded(case).to_frame().iloc[0]
    v = case["values"]
    assert row["p_method"] == "hothorn-lausen"
    assert_close(row["p_hothorn_lausen"], v["p_hothorn_lausen"])
    assert_close(row["statistic"], v["statistic"])  # of the scores as they are
    assert row["statistic_whole"] == pytest.approx(v["statistic"], rel=0.01)
    assert v["p_hothorn_lausen"] < row["p_value"] < 1.1 * v["p_hothorn_lausen"]


# maxstat 0.7-25 on rows of which it takes off less than the paper: where adding the largest (or
# the smallest) score makes no sum of so many scores, and where the statistics of two sums differ
# by rounding alone.
PRINTED = {
    ("aSAH", 50, 70, "poor ~ s100b"): 0.002822100500119076,
    ("aSAH", 65, 91, "poor ~ age"): 0.6041781428290379,
    ("aSAH", 70, 96, "poor ~ age"): 0.294473764222048,
    ("lung", 196, 220, "Surv(time, status == 2) ~ `pat.karno`"): 0.1397079582821271,
    ("lung", 196, 228, "Surv(time, status == 2) ~ age"): 0.4051369613185596,
    ("lung", 196, 228, "Surv(time, status == 2) ~ `pat.karno`"): 0.2380645941602287,
}


@pytest.mark.parametrize("rows", PRINTED, ids=str)
def test_the_number_of_r_is_the_one_it_prints(rows: tuple[str, int, int, str]) -> None:
    name, first, last, formula = rows
    data = read(f"{name}.csv").iloc[first:last]
    data = data.assign(poor=data["outcome"] == "Poor") if name == "aSAH" else data
    found = rn.cutpoint(data, formula, method="maxstat", p_method="hothorn-lausen")
    assert_close(found.to_frame()["p_hothorn_lausen"][0], PRINTED[rows])


@given(
    st.lists(st.integers(0, 6), min_size=5, max_size=6).filter(lambda s: len(set(s)) > 1),
    st.sets(st.integers(1, 4), min_size=1),
)
def test_never_below_the_exact_p_value(scores: list[int], splits: set[int]) -> None:
    values, below = np.array(scores, dtype=float), np.array(sorted(splits))
    orders = np.array(list(permutations(whole_scores(values))), dtype=float)
    n = len(scores)
    sums = np.cumsum(orders, axis=1)[:, below - 1]
    largest = (np.abs(sums - below * orders[0].mean()) / np.sqrt(below * (n - below))).max(axis=1)
    exact = np.mean(largest >= largest[0] - 1e-9)  # the first order is that of the data
    found = hothorn_lausen_p(values, below)
    assert exact <= found["p_value"] + 1e-12
    assert found["p_value"] <= 1.0
    if len(splits) == 1:
        assert found["p_value"] == pytest.approx(exact, rel=1e-12)
        assert found["p_hothorn_lausen"] == found["p_value"]
    spread = values.std(ddof=1) if np.ptp(values) == n else orders[0].std(ddof=1)
    assert found["statistic_whole"] == pytest.approx(largest[0] * np.sqrt(n) / spread, abs=1e-12)


def test_two_splits_by_hand() -> None:
    found = hothorn_lausen_p(np.array([0.0, 1.0, 2.0, 4.0]), np.array([1, 2]))
    # Mean 1.75, variance of one score 35/16 (of a sum of two 35/12). The first two have the sum
    # 1 and the statistic 2.5 / 1.708 = 1.46; {2, 4} has the same. Of the first score alone only
    # 4 exceeds it (2.25 / 1.479 = 1.52), and the second split may lie within bounds after 4.
    assert found["statistic_whole"] == pytest.approx(2.5 / np.sqrt(35 / 12), rel=1e-12)
    assert found["p_value"] == pytest.approx(1 / 4 + 2 / 6, rel=1e-12)  # exact: 1/2


def test_two_splits_of_r() -> None:
    """maxstat 0.7-25: maxstat.test(y ~ x, smethod = "Wilcoxon", pmethod = "HL"), x of 4, 3, 3."""
    found = hothorn_lausen_p(np.array([1, 5, 2, 9, 4, 7, 10, 3, 8, 6.0]), np.array([4, 7]))
    assert found["p_hothorn_lausen"] == pytest.approx(0.485714285714286, rel=1e-12)
    assert found["statistic_whole"] == pytest.approx(1.06600358177805, rel=1e-12)


def test_said_what_it_bounds() -> None:
    found = bounded(CASES[0])
    assert "upper bound" in " ".join(found.notes)
    again = type(found).from_dict(found.to_dict())
    assert again.to_frame().equals(found.to_frame())


def test_binary_outcome_and_weights() -> None:
    rng = np.random.default_rng(3)
    data = {"x": rng.integers(0, 8, 40), "y": rng.integers(0, 2, 40), "w": rng.integers(0, 3, 40)}
    again = {name: np.repeat(values, data["w"]) for name, values in data.items()}
    options: dict[str, Any] = {"method": "maxstat", "p_method": "hothorn-lausen"}
    weighted = rn.cutpoint(data, "y ~ x", freq_weights="w", **options).to_frame().iloc[0]
    plain = rn.cutpoint(again, "y ~ x", **options).to_frame().iloc[0]
    assert weighted["p_value"] == pytest.approx(plain["p_value"], rel=1e-12)
    assert weighted["statistic_whole"] == pytest.approx(weighted["statistic"], rel=1e-12)


def test_too_many_rows_are_refused() -> None:
    for n in (900, 2000):
        with pytest.raises(BudgetError, match="permutation"):
            hothorn_lausen_p(np.arange(float(n)), np.arange(n // 10, n // 2))
    assert hothorn_lausen_p(np.ones(5), np.array([2]))["p_value"] == 1.0
