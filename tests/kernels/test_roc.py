"""AUC, DeLong's covariance and ROC points on arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.roc import auc, delong, roc_points
from support import assert_close, case, data_path, read

ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 3)),
    min_size=2,
    max_size=25,
)
Rows = list[tuple[bool, int, int, int]]


def arrays(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, a, b, freq = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return y, np.array([a, b]), freq


def by_pairs(y: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The kernel of each pair of a case and a control."""
    difference = score[y == 1][:, None] - score[y == 0]
    return (difference > 0) + 0.5 * (difference == 0)


def slow_delong(y: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kernels = [by_pairs(y, score) for score in scores]
    of_cases = np.atleast_2d(np.cov([k.mean(axis=1) for k in kernels]))
    of_controls = np.atleast_2d(np.cov([k.mean(axis=0) for k in kernels]))
    m, n = kernels[0].shape
    return np.array([k.mean() for k in kernels]), of_cases / m + of_controls / n


def test_by_hand() -> None:
    # Pairs: 3 > 1, 3 > 2, 2 > 1, 2 = 2: 3.5 of 4. Placements: cases 1 and 3/4, controls 1 and 3/4.
    y, score = [1, 0, 1, 0], [3.0, 1.0, 2.0, 2.0]
    assert auc(y, score) == 0.875
    area, covariance = delong(y, score)
    np.testing.assert_allclose(area, 0.875)
    np.testing.assert_allclose(covariance, 0.03125 / 2 + 0.03125 / 2)


@given(ROWS)
def test_delong_is_that_of_the_pairs(rows: Rows) -> None:
    y, scores, _ = arrays(rows)
    if not 2 <= y.sum() <= y.size - 2:
        return
    expected = slow_delong(y, scores)
    for found in (delong(y, scores), delong(y, scores, np.ones(y.size))):
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-10, atol=1e-14)
    area, variance = delong(y, scores[0])
    np.testing.assert_allclose(area[0], expected[0][0], rtol=1e-12)
    np.testing.assert_allclose(variance[0, 0], expected[1][0, 0], rtol=1e-10, atol=1e-14)


@given(ROWS, st.sampled_from([1.0, 1e-3, 1e300, 1e-310, 0.1]))
def test_the_single_sort_agrees_on_every_scale(rows: Rows, scale: float) -> None:
    y, scores, _ = arrays(rows)
    y[:4] = [0, 1, 0, 1][: y.size]
    if y.size < 4:
        return
    for score in (scores[0] * scale, scores[0] + 1e-300, -np.abs(scores[0]) * 0.0):
        one, two = delong(y, score), delong(y, score, np.ones(y.size))
        np.testing.assert_allclose(one[0], two[0], rtol=1e-12)
        np.testing.assert_allclose(one[1], two[1], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("n", [(1 << 16) - 1, 1 << 16, (1 << 16) + 1, (1 << 17) + 5])
@pytest.mark.parametrize("decimals", [3, 17])
def test_long_samples_are_the_same_in_pieces(n: int, decimals: int) -> None:
    rng = np.random.default_rng(n)
    score = np.round(rng.random(n), decimals) if decimals < 17 else rng.random(n)
    y = rng.random(n) < score
    one, two = delong(y, score), delong(y, score, np.ones(n))
    np.testing.assert_allclose(one[0], two[0], rtol=1e-13)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-12)


def test_scores_without_end_keep_their_places() -> None:
    y = [0, 1, 0, 1, 1, 0]
    infinite = delong(y, [0.1, np.inf, 0.2, 0.3, 0.15, -np.inf])
    for found, wanted in zip(infinite, delong(y, [0.1, 9.0, 0.2, 0.3, 0.15, -9.0]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_perfect_order_varies_by_nothing() -> None:
    y = np.repeat([0.0, 1.0], [70_001, 70_003])
    area, variance = delong(y, np.arange(y.size, dtype=float))
    assert (area[0], variance[0, 0]) == (1.0, 0.0)
    area, variance = delong(1.0 - y, np.arange(y.size, dtype=float))
    assert (area[0], variance[0, 0]) == (0.0, 0.0)


def test_neighbouring_floats_are_not_tied() -> None:
    score = np.array([0.5, np.nextafter(0.5, 1.0), np.nextafter(0.5, 0.0), 0.5])
    y = np.array([0.0, 1.0, 0.0, 1.0])
    assert delong(y, score)[0][0] == auc(y, score)[0] == 0.875


@given(ROWS)
def test_frequencies_are_replicated_rows(rows: Rows) -> None:
    y, scores, freq = arrays(rows)
    again = np.repeat(np.arange(y.size), freq.astype(int))
    batch = np.stack((np.ones(y.size), freq, np.zeros(y.size)))
    shared = auc(y, scores[0], batch)
    own = auc(y, np.stack((scores[0], scores[0], scores[1])), batch)
    np.testing.assert_allclose(shared, own, rtol=1e-12)
    assert np.isnan(shared[2])
    if not 2 <= y[again].sum() <= again.size - 2:
        return
    expected = delong(y[again], scores[:, again])
    np.testing.assert_allclose(shared[1], expected[0][0], rtol=1e-10)
    found = delong(y, scores, freq)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-10)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-10, atol=1e-14)
    points, alone = roc_points(y, scores[0], freq), roc_points(y[again], scores[0][again])
    for name, values in vars(alone).items():
        np.testing.assert_allclose(getattr(points, name), values, rtol=1e-12)


@given(ROWS)
def test_an_increasing_change_of_scale_changes_nothing_and_a_decreasing_one_mirrors(
    rows: Rows,
) -> None:
    y, scores, _ = arrays(rows)
    if not 2 <= y.sum() <= y.size - 2:
        return
    area, covariance = delong(y, scores)
    again = delong(y, np.exp(scores) + 7)
    np.testing.assert_allclose(again[0], area, rtol=1e-12)
    np.testing.assert_allclose(again[1], covariance, atol=1e-14)
    mirrored = delong(y, -scores)
    np.testing.assert_allclose(mirrored[0], 1 - area, atol=1e-12)
    np.testing.assert_allclose(mirrored[1], covariance, atol=1e-14)


@given(ROWS)
def test_trapezoids_under_the_points_are_the_area(rows: Rows) -> None:
    y, scores, _ = arrays(rows)
    if not 1 <= y.sum() <= y.size - 1:
        return
    points = roc_points(y, scores[0])
    area = -np.trapezoid(
        points.true_positive / points.cases, points.false_positive / points.controls
    )
    np.testing.assert_allclose(area, auc(y, scores[0])[0], rtol=1e-12)


@pytest.mark.parametrize("y", [[1, 1, 1], [0, 0, 0], []])
def test_one_outcome_alone_gives_nan(y: list[int]) -> None:
    score = np.arange(len(y), dtype=float)
    assert np.isnan(auc(y, score)).all()
    for freq in (None, np.ones(len(y))):
        area, covariance = delong(y, score, freq)
        assert np.isnan(area).all()
        assert np.isnan(covariance).all()


def test_one_case_has_an_area_but_no_variance() -> None:
    for freq in (None, np.ones(4)):
        area, covariance = delong([0, 1, 0, 0], [1.0, 2.0, 3.0, 0.0], freq)
        np.testing.assert_allclose(area, 2 / 3)
        assert np.isnan(covariance).all()


@pytest.mark.parametrize("digits", [1, 17])
def test_rows_left_out_are_as_if_not_there(digits: int) -> None:
    rng = np.random.default_rng(8)
    y, score = (rng.random(60) < 0.4) * 1.0, np.round(rng.random((5, 60)), digits)
    freq = np.zeros((5, 60))
    for row in freq:
        row[rng.choice(60, 45, replace=False)] = 1.0
    wanted = [auc(y[kept], one[kept])[0] for one, kept in zip(score, freq > 0, strict=True)]
    np.testing.assert_allclose(auc(y, score, freq), wanted, rtol=1e-12)
    every = [by_pairs(y[kept], one[kept]).mean() for one, kept in zip(score, freq > 0, strict=True)]
    np.testing.assert_allclose(wanted, every, rtol=1e-12)


def test_many_replicates_are_the_same_in_blocks() -> None:
    rng = np.random.default_rng(5)
    y = (rng.random(150) < 0.3).astype(float)
    scores = np.round(rng.normal(size=(900, 150)) + y, 1)
    freq = rng.integers(0, 3, size=(900, 150))
    found = auc(y, scores, freq)
    for b in (0, 435, 436, 437, 899):
        np.testing.assert_allclose(found[b], delong(y, scores[b], freq[b])[0][0], rtol=1e-12)
    np.testing.assert_allclose(auc(y, scores)[899], auc(y, scores[899])[0], rtol=1e-12)


def test_bootstrap_replicates_of_the_reference() -> None:
    """Resamples as frequencies give the values of R's boot() on replicated rows."""
    golden = case("bootstrap", "asah_auc")["values"]
    data = read("aSAH.csv")
    y, score = (data["outcome"] == "Poor").to_numpy(float), data["s100b"].to_numpy(float)
    rows = np.loadtxt(data_path("boot_index_asah.csv"), delimiter=",", dtype=int) - 1
    n = golden["n"]
    assert rows.shape == (golden["R"], n)
    freq = np.stack([np.bincount(row, minlength=n) for row in rows])
    replicates = auc(y, score, freq)
    assert_close(auc(y, score)[0], golden["t0"])
    assert_close(replicates[:10], golden["replicates_first10"])
    assert_close(replicates.mean() - golden["t0"], golden["bias"])
    assert_close(replicates.std(ddof=1), golden["sd"])
    assert_close(np.quantile(replicates, [0.025, 0.975]), golden["percentile_ci_type7"])
