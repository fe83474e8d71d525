from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from rnetstats.missing.hazard import nelson_aalen
from rnetstats.missing.level_draws import _augmented, draw_binary, draw_nominal, draw_ordered
from rnetstats.missing.linear_draws import draw_normal, draw_pmm, linear_model, nearest_donors


def design(n: int, p: int = 3, seed: int = 1) -> tuple[np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
    return X, rng


def test_frequency_weights_are_replicated_rows():
    X, rng = design(60)
    y = X @ [1.0, 0.5, -0.5] + rng.normal(size=60)
    code = rng.integers(0, 3, 60).astype(float)
    freq = np.bincount(rng.integers(0, 60, 60), minlength=60).astype(float)
    rows = np.repeat(np.arange(60), freq.astype(int))
    used = freq > 0
    X_new, _ = design(9, seed=2)

    def both(draw, outcome, *rest):
        weighted = draw(outcome[used], X[used], X_new, freq[used], np.random.default_rng(4), *rest)
        copied = draw(outcome[rows], X[rows], X_new, None, np.random.default_rng(4), *rest)
        np.testing.assert_allclose(weighted, copied, rtol=1e-10)

    both(draw_pmm, y, 5)
    both(draw_normal, y)
    binary = (code > 0).astype(float)
    for draw, outcome, levels in (
        (draw_binary, binary, ()),
        (draw_nominal, code, (3,)),
        (draw_ordered, code, (3,)),
    ):
        memories = [{}, {}]
        parts = [(outcome[used], X[used], freq[used]), (outcome[rows], X[rows], None)]
        for (part, Z, weight), memory in zip(parts, memories, strict=True):
            draw(part, Z, X_new, weight, np.random.default_rng(4), memory, *levels)
        (one,), (other,) = (list(memory.values()) for memory in memories)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


def test_the_linear_model_is_least_squares_with_its_posterior():
    X, rng = design(400)
    y = X @ [1.0, 0.5, -0.5] + 2.0 * rng.normal(size=400)
    want = np.linalg.lstsq(X, y, rcond=None)[0]
    draws = [linear_model(y, X, None, rng) for _ in range(4000)]
    np.testing.assert_allclose(draws[0][0], want, atol=1e-3)
    residual = y - X @ want
    variance = residual @ residual / 397
    spread = np.cov(np.array([drawn for _, drawn, _ in draws]), rowvar=False)
    expected = variance * np.linalg.inv(X.T @ X) * 397 / 395  # of a t law with 397 df
    se = np.sqrt(2.0 / 4000)
    np.testing.assert_allclose(np.diag(spread) / np.diag(expected), 1.0, atol=4 * se)
    sigma = np.array([s**2 for _, _, s in draws])
    assert sigma.mean() == pytest.approx(variance * 397 / 395, rel=4 * se)


def test_collinear_and_empty_columns_do_no_harm():
    X, rng = design(50)
    y = X @ [1.0, 0.5, -0.5] + rng.normal(size=50)
    wide = np.column_stack([X, X[:, 1], np.zeros(50)])
    new = np.column_stack([X[:5], X[:5, 1], np.ones(5)])
    plain, _, _ = linear_model(y, X, None, rng)
    beta, drawn, _ = linear_model(y, wide, None, rng)
    np.testing.assert_allclose(wide @ beta, X @ plain, atol=0.01)
    assert beta[4] == drawn[4] == 0.0
    assert np.isfinite(draw_normal(y, wide, new, None, rng)).all()


@given(st.integers(0, 5000), st.integers(2, 40), st.integers(1, 12))
def test_donors_are_among_the_nearest(seed, n, k):
    rng = np.random.default_rng(seed)
    fitted, wanted = rng.normal(size=n).round(1), rng.normal(size=7).round(2)
    chosen = nearest_donors(fitted, wanted, k, rng)
    gaps = np.abs(fitted[None] - wanted[:, None])
    limit = np.sort(gaps, axis=1)[:, min(k, n) - 1]
    assert (gaps[np.arange(7), chosen] <= limit + 1e-12).all()


def test_each_of_the_nearest_is_chosen_as_often():
    fitted = np.array([0.0, 1.0, 2.0, 3.0, 10.0])
    rng = np.random.default_rng(1)
    chosen = nearest_donors(fitted, np.full(9000, 1.4), 3, rng)
    counts = np.bincount(chosen, minlength=5)
    assert counts[[3, 4]].tolist() == [0, 0]
    np.testing.assert_allclose(counts[:3] / 9000, 1 / 3, atol=4 * np.sqrt(2 / 9 / 9000))
    tied = [int(nearest_donors(np.zeros(6), np.zeros(1), 2, rng)[0]) for _ in range(6000)]
    np.testing.assert_allclose(np.bincount(tied) / 6000, 1 / 6, atol=4 * np.sqrt(5 / 36 / 6000))


def test_matching_is_of_type_one():
    # one recipient whose row is that of a donor: with drawn coefficients it is not always matched
    X, rng = design(30)
    y = X @ [0.0, 1.0, 1.0] + rng.normal(size=30)
    drawn = {float(draw_pmm(y, X, X[:1], None, rng, 1)[0]) for _ in range(200)}
    assert len(drawn) > 3
    assert drawn <= set(y)


def likelihood(beta, y, X, weight, kind):
    if kind == "ordered":
        K = len(np.unique(y)) - 1
        below = expit(beta[:K] - (X[:, 1:] @ beta[K:])[:, None])
        shares = np.diff(below, axis=1, prepend=0.0, append=1.0)
    else:
        eta = np.column_stack([np.zeros(len(X)), X @ beta])
        shares = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
    return weight @ np.log(shares[np.arange(len(y)), y.astype(int)])


@pytest.mark.parametrize("kind", ["binary", "nominal", "ordered"])
def test_estimates_maximise_the_augmented_likelihood(kind):
    X, rng = design(150)
    levels = 2 if kind == "binary" else 4
    y = np.clip(np.round(1 + X[:, 1] + rng.normal(size=150)), 0, levels - 1)
    memory = {}
    if kind == "binary":
        draw_binary(y, X, X[:1], None, rng, memory)
    else:
        draw = draw_nominal if kind == "nominal" else draw_ordered
        draw(y, X, X[:1], None, rng, memory, levels)
    beta = memory[kind]
    augmented = _augmented(y, X, None, levels)
    top = likelihood(beta, *augmented, kind)
    for place in np.ndindex(beta.shape):
        for step in (-0.02, 0.02):
            moved = beta.copy()
            moved[place] += step
            assert likelihood(moved, *augmented, kind) < top


def test_two_levels_are_one_model_whatever_it_is_called():
    X, rng = design(120)
    y = (rng.random(120) < expit(X @ [0.2, 1.0, -1.0])).astype(float)
    memory = {}
    draw_binary(y, X, X[:1], None, rng, memory)
    draw_nominal(y, X, X[:1], None, rng, memory, 2)
    draw_ordered(y, X, X[:1], None, rng, memory, 2)
    np.testing.assert_allclose(memory["nominal"][:, 0], memory["binary"], atol=1e-4)
    np.testing.assert_allclose(memory["ordered"] * [-1, 1, 1], memory["binary"], atol=1e-4)


@pytest.mark.parametrize("draw", [draw_nominal, draw_ordered])
def test_shares_of_levels_are_those_of_the_model(draw):
    rng = np.random.default_rng(8)
    X = np.column_stack([np.ones(3000), rng.normal(size=3000)])
    below = expit(np.array([-0.5, 1.0]) - 1.2 * X[:, 1:])
    true = np.diff(below, axis=1, prepend=0.0, append=1.0)
    y = (rng.random((3000, 1)) > np.cumsum(true, axis=1)[:, :-1]).sum(axis=1).astype(float)
    new = np.column_stack([np.ones(20000), np.full(20000, 0.3)])
    wanted = np.diff(expit(np.array([-0.5, 1.0]) - 0.36), prepend=0.0, append=1.0)
    drawn = np.mean(
        [
            np.bincount(draw(y, X, new, None, rng, {}, 3).astype(int), minlength=3) / 20000
            for _ in range(20)
        ],
        axis=0,
    )
    assert np.abs(drawn - wanted).max() < 3 * np.sqrt(0.25 * 4 / 3000)


@pytest.mark.parametrize("levels", [2, 3])
def test_perfect_prediction_stays_finite(levels):
    x = np.repeat(np.linspace(-1.5, 1.5, levels), 30)
    y = np.repeat(np.arange(levels, dtype=float), 30)
    X = np.column_stack([np.ones(len(x)), (x - x.mean()) / x.std()])
    rng = np.random.default_rng(1)
    for draw in (draw_nominal, draw_ordered):
        memory = {}
        hits = np.mean([draw(y, X, X, None, rng, memory, levels) == y for _ in range(20)])
        assert np.abs(next(iter(memory.values()))).max() < 30
        assert hits > 0.9
    if levels == 2:
        memory = {}
        hits = np.mean([draw_binary(y, X, X, None, rng, memory) == y for _ in range(20)])
        assert np.abs(memory["binary"]).max() < 30
        assert 0.9 < hits < 1.0


def test_a_sample_without_one_of_the_levels_still_draws():
    X, rng = design(40)
    for draw, rest in ((draw_binary, ()), (draw_nominal, (3,)), (draw_ordered, (3,))):
        drawn = draw(np.zeros(40), X, X, None, rng, {}, *rest)
        assert (drawn == 0).mean() > 0.6


def test_cumulative_hazard_worked_by_hand():
    stop = np.array([1.0, 2.0, 2.0, 3.0, 5.0])
    event = np.array([True, True, False, True, False])
    # at risk 5, 4 and 2
    want = [1 / 5, 1 / 5 + 1 / 4, 1 / 5 + 1 / 4, 1 / 5 + 1 / 4 + 1 / 2, 1 / 5 + 1 / 4 + 1 / 2]
    np.testing.assert_allclose(nelson_aalen(stop, event), want)
    # the fourth enters at 2: not at risk at 1 nor at 2, its own entry time
    start = np.array([0.0, 0.0, 0.0, 2.0, 0.0])
    late = [1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3, 1 / 2, 1 / 4 + 1 / 3 + 1 / 2]
    np.testing.assert_allclose(nelson_aalen(stop, event, start), late)
    assert (nelson_aalen(stop, np.zeros(5, dtype=bool)) == 0).all()


@given(st.integers(0, 1000))
def test_cumulative_hazard_counts_rows_by_weight(seed):
    rng = np.random.default_rng(seed)
    stop = rng.integers(1, 12, 25).astype(float)
    start = stop - rng.integers(1, 5, 25)
    event = rng.random(25) < 0.5
    freq = rng.integers(0, 4, 25).astype(float)
    rows = np.repeat(np.arange(25), freq.astype(int))
    weighted = nelson_aalen(stop, event, start, freq)[rows]
    np.testing.assert_allclose(weighted, nelson_aalen(stop[rows], event[rows], start[rows]))
