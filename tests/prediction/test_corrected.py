"""Corrected indices from what replicates gave, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.prediction.corrected import corrected_curve, corrected_table
from rnetstats.prediction.resampling_schemes import Runs

NAMES = ("auc", "slope")
APPARENT = np.array([0.8, 1.0])
# the third replicate has no slope when tested, the fourth no index at all
TRAINING = np.array([[0.84, 1.0], [0.80, 1.0], [0.86, 1.0], [np.nan, np.nan]])
TEST = np.array([[0.76, 0.7], [0.78, 0.9], [0.74, np.nan], [np.nan, np.nan]])
NOTHING = np.empty((4, 0))
RUNS = Runs(TRAINING, TEST, NOTHING, NOTHING, NOTHING, NOTHING)


def table(
    method: str, *, runs: Runs = RUNS, limits: bool = True, apparent: np.ndarray = APPARENT[None]
) -> dict[str, np.ndarray]:
    return corrected_table(NAMES, apparent, runs, method=method, conf_level=0.5, limits=limits)


def test_the_bootstrap_takes_off_the_mean_of_training_less_test() -> None:
    found = table("boot")
    np.testing.assert_allclose(found["training"], [2.5 / 3, 1.0])
    np.testing.assert_allclose(found["test"], [0.76, 0.8])
    gaps = np.array([0.08, 0.02, 0.12])
    np.testing.assert_allclose(found["optimism"], [gaps.mean(), 0.2])
    np.testing.assert_allclose(found["corrected"], [0.8 - gaps.mean(), 0.8])
    np.testing.assert_allclose(found["mcse"][0], gaps.std(ddof=1) / np.sqrt(3))
    np.testing.assert_allclose(found["n_runs"], [3, 2])


def test_limits_are_percentiles_of_training_shifted_by_the_optimism() -> None:
    made = Runs(TRAINING[:3], TEST[:3], NOTHING, NOTHING, NOTHING, NOTHING)
    found = table("boot", runs=made)
    # quartiles of 0.80, 0.84 and 0.86, shifted; the slope is 1 in every training set
    optimism = np.mean([0.08, 0.02, 0.12])
    np.testing.assert_allclose(found["conf_low"], [0.82 - optimism, np.nan])
    np.testing.assert_allclose(found["conf_high"], [0.85 - optimism, np.nan])
    assert np.isnan(table("boot", runs=made, limits=False)["conf_low"]).all()


@pytest.mark.parametrize(
    ("undefined", "failed", "given"),
    [(1, 0, True), (2, 0, False), (0, 1, True), (1, 1, False)],
)
def test_limits_need_a_value_in_19_of_20_resamples(
    undefined: int, failed: int, given: bool
) -> None:
    """Resamples without a model count as those without a value."""
    done = 20 - failed
    training, test = np.full((done, 2), 0.8), np.full((done, 2), 0.7)
    test[:undefined, 0] = np.nan
    made = Runs(training, test, NOTHING, NOTHING, NOTHING, NOTHING, failed=failed)
    found = table("boot", runs=made)
    np.testing.assert_allclose(found["corrected"][0], 0.7)
    want = 0.7 if given else np.nan
    np.testing.assert_allclose([found["conf_low"][0], found["conf_high"][0]], want)


def test_the_other_schemes_weigh_the_test_index() -> None:
    found = table("632")
    np.testing.assert_allclose(found["corrected"], [0.368 * 0.8 + 0.632 * 0.76, 0.368 + 0.5056])
    np.testing.assert_allclose(found["optimism"], APPARENT - found["corrected"])
    np.testing.assert_allclose(found["mcse"][0], 0.632 * 0.02 / np.sqrt(3))
    found = table("cv")
    np.testing.assert_allclose(found["corrected"], [0.76, 0.8])
    np.testing.assert_allclose(found["optimism"], [0.04, 0.2])
    np.testing.assert_allclose(found["mcse"][0], 0.02 / np.sqrt(3))


@pytest.mark.parametrize(("method", "weight"), [("boot", 1.0), ("632", 0.368), ("cv", 0.0)])
def test_imputations_of_the_data_add_to_the_error(method: str, weight: float) -> None:
    spread = np.array([[-0.03, 0.0], [0.01, 0.0], [0.02, 0.0]])
    one, several = table(method), table(method, apparent=APPARENT + spread)
    for name in ("apparent", "corrected", "optimism"):
        np.testing.assert_allclose(several[name], one[name])
    own = weight * spread[:, 0].std(ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(several["mcse"][0], np.hypot(one["mcse"][0], own))
    np.testing.assert_allclose(several["mcse"][1], one["mcse"][1])


@pytest.mark.parametrize("method", ["boot", "632", "cv"])
def test_a_curve_is_corrected_as_an_index_is(method: str) -> None:
    curve = corrected_curve(APPARENT, TRAINING, TEST, method)
    np.testing.assert_allclose(curve, table(method)["corrected"])
