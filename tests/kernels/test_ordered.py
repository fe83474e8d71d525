"""Rows in the order of their predictions: those of weight 0 are out, nothing else is lost."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.kernels.calibration_error import ici, ici_of
from rnetstats.kernels.ordered import in_order
from rnetstats.kernels.roc import auc


def test_by_hand() -> None:
    y = np.array([1.0, 0.0, 1.0, 0.0])
    rows = in_order(y, [0.4, 0.1, 0.3, 0.2], [[1, 2, 0, 1], [0, 0, 3, 0], [0, 0, 0, 0]])
    assert rows.n == 4
    np.testing.assert_array_equal(rows.x, [[0.1, 0.2, 0.4], [0.3, 0.3, 0.3], [0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(rows.w, [[2, 1, 1], [3, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(rows.y[0], [0, 0, 1])
    assert rows.y[1, 0] == 1


@pytest.mark.parametrize("shared", ["scores", "weights"])
def test_what_replicates_share_is_as_each_alone(shared: str) -> None:
    rng = np.random.default_rng(4)
    y, score = (rng.random(40) < 0.4) * 1.0, rng.random((3, 40))
    freq = rng.integers(0 if shared == "weights" else 1, 4, (3, 40))
    if shared == "scores":
        score = score[:1]
    else:
        freq = freq[:1]
    rows = in_order(y, score, freq)
    for b in range(3):
        alone = in_order(y, score[b % len(score)], freq[b % len(freq)])
        for name in ("x", "y", "w"):
            np.testing.assert_array_equal(getattr(rows, name)[b], getattr(alone, name)[0])


@pytest.mark.parametrize("n", [1, 2, 40, 5000])
@pytest.mark.parametrize("shift", [0.0, -0.5])
def test_scores_that_differ_in_their_last_bits_keep_their_order(n: int, shift: float) -> None:
    rng = np.random.default_rng(n)
    score = rng.random((3, n)) + shift
    score[1] = 0.3 + shift + 1e-16 * rng.integers(0, 4, n)
    score[2, ::2] = rng.choice([-0.0, 0.0, 0.1], score[2, ::2].size)
    y = (rng.random(n) < 0.5) * 1.0
    for freq in (None, rng.integers(0, 3, (3, n)) + (np.arange(n) == 0)):
        rows = in_order(y, score, freq)
        for b in range(3):
            held = rows.w[b] > 0
            kept = np.full(n, True) if freq is None else freq[b] > 0
            np.testing.assert_array_equal(rows.x[b, held], np.sort(score[b, kept]))
            assert (rows.x[b, ~held] == rows.x[b, held][-1]).all()
            # outcomes and weights stay with their score
            weight = np.ones(n) if freq is None else freq[b] * 1.0
            for value in np.unique(score[b]):
                here, there = rows.x[b] == value, score[b] == value
                assert rows.w[b, here].sum() == weight[there].sum()
                assert (rows.w * rows.y)[b, here].sum() == (weight * y)[there].sum()
            if n < 100:
                continue
            break
        values = score if freq is None else np.where(freq > 0, score, np.nan)
        several = [np.unique(v[~np.isnan(v)]).size < (~np.isnan(v)).sum() for v in values]
        assert rows.tied >= any(several)


def test_places_left_over_change_nothing() -> None:
    rng = np.random.default_rng(5)
    y, score = (rng.random(60) < 0.4) * 1.0, rng.random((2, 60))
    freq = np.array([rng.integers(0, 3, 60), rng.integers(0, 2, 60) * (np.arange(60) < 30)])
    for b in range(2):
        again = np.repeat(np.arange(60), freq[b])
        np.testing.assert_allclose(
            auc(y, score, freq)[b], auc(y[again], score[b, again])[0], rtol=1e-12
        )


def test_scores_of_any_size_have_an_area() -> None:
    y, score = np.array([1, 0, 1, 0]), [[np.inf, 0.0, 1.0, -np.inf], [np.inf, np.inf, 0.0, 0.0]]
    np.testing.assert_allclose(auc(y, score, [[2, 1, 1, 0], [1, 1, 1, 1]]), [1.0, 0.5])


def test_the_mean_distance_needs_no_quantiles() -> None:
    rng = np.random.default_rng(6)
    y, risk = (rng.random(80) < 0.4) * 1.0, rng.random((4, 80))
    freq = rng.integers(0, 3, (4, 80))
    found = ici_of(in_order(y, risk, freq), quantiles=False)
    np.testing.assert_allclose(found[:, 0], ici(y, risk, freq)[:, 0], rtol=1e-13)
    assert np.isnan(found[:, 1:]).all()
