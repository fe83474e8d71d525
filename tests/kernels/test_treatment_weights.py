"""Weights from a treatment model, and what they leave of each arm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.treatment_weights import (
    ESTIMANDS,
    effective_size,
    freq_quantiles,
    probability,
    treatment_weights,
)
from rnetstats.kernels.weighted_balance import arm_moments, standardised_difference


def drawn(seed: int, n: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    treated = rng.random(n) < 0.4
    return rng.normal(size=(4, n)) * 2, treated, rng.integers(1, 4, (4, n)).astype(float)


@given(st.integers(0, 10_000))
def test_weights_are_the_definitions(seed: int) -> None:
    predictor, z, freq = drawn(seed)
    e = 1.0 / (1.0 + np.exp(-predictor))
    by_hand = {
        "ate": np.where(z, 1 / e, 1 / (1 - e)),
        "att": np.where(z, 1.0, e / (1 - e)),
        "atc": np.where(z, (1 - e) / e, 1.0),
        "overlap": np.where(z, 1 - e, e),
    }
    for estimand in ESTIMANDS:
        found = treatment_weights(predictor, z, estimand)
        np.testing.assert_allclose(found, by_hand[estimand], rtol=1e-10)
    share = (freq * z).sum(axis=1, keepdims=True) / freq.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        treatment_weights(predictor, z, "ate", freq=freq, stabilised=True),
        by_hand["ate"] * np.where(z, share, 1 - share),
        rtol=1e-10,
    )


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_other_names_of_the_arms_change_no_weight(estimand: str) -> None:
    predictor, z, _ = drawn(1)
    other = {"att": "atc", "atc": "att"}.get(estimand, estimand)
    np.testing.assert_allclose(
        treatment_weights(predictor, z, estimand),
        treatment_weights(-predictor, ~z, other),
        rtol=1e-14,
    )


@given(st.integers(0, 10_000))
def test_truncation_is_at_the_quantiles_of_the_patients(seed: int) -> None:
    predictor, z, freq = drawn(seed)
    whole = treatment_weights(predictor, z, "ate")
    found = treatment_weights(predictor, z, "ate", freq=freq, truncate=(0.1, 0.83))
    for line, cut, copies in zip(whole, found, freq, strict=True):
        low, high = np.quantile(np.repeat(line, copies.astype(int)), [0.1, 0.83])
        np.testing.assert_allclose(cut, np.clip(line, low, high), rtol=1e-12)
    np.testing.assert_allclose(
        freq_quantiles(whole, (0.0, 0.5, 1.0)), np.quantile(whole, [0, 0.5, 1], axis=1).T
    )


def test_tails_of_the_score_keep_their_digits() -> None:
    far = np.array([[-400.0, 40.0]])
    assert probability(far)[0, 0] == pytest.approx(np.exp(-400.0))
    weights = treatment_weights(far, np.array([False, True]), "overlap")
    np.testing.assert_allclose(weights[0], [np.exp(-400.0), np.exp(-40.0)], rtol=1e-12)
    assert np.isinf(treatment_weights(np.array([[-800.0]]), np.array([True]), "ate")).all()


def test_effective_size() -> None:
    weights = np.array([[1.0, 1.0, 1.0], [3.0, 0.0, 0.0], [2.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(effective_size(weights), [3.0, 1.0, 16 / 6, 0.0])
    freq = np.array([1.0, 2.0, 3.0])
    again = np.repeat(weights, [1, 2, 3], axis=1)
    np.testing.assert_allclose(effective_size(weights, freq), effective_size(again))


def test_balance_by_hand() -> None:
    columns = np.array([[1.0, 0.0], [3.0, 1.0], [5.0, 1.0]])
    mean, variance = arm_moments(
        columns, np.array([1.0, 1.0, 2.0]), np.ones(3), np.array([False, True])
    )
    np.testing.assert_allclose(mean, [3.5, 0.75])
    square = (2.5**2 + 0.5**2 + 2 * 1.5**2) / 4
    np.testing.assert_allclose(variance, [square * 3 / 2, 0.75 * 0.25])
    np.testing.assert_allclose(
        standardised_difference(
            (np.array([2.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0])),
            (np.array([4.0, 0.0, 0.0]), np.array([4.0, 0.0, 0.0])),
        ),
        [0.5, 0.0, np.inf],
    )


def test_an_arm_of_one_value_has_no_variance_whatever_its_sum_rounds_to() -> None:
    weights = np.linspace(0.3, 1.7, 31)
    mean, variance = arm_moments(
        np.full((31, 2), [0.1, 1.0]), weights, np.ones(31), np.array([False, True])
    )
    assert mean.tolist() == [0.1, 1.0]
    assert variance.tolist() == [0.0, 0.0]
