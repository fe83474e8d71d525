"""The exact likelihood against enumeration of all subsets."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.risksets import prepare
from support import assert_close

ZERO = np.zeros(1, dtype=int)


def enumerated(start, stop, event, strata, X, beta):
    """Log-likelihood by summing over all subsets of each risk set."""
    value = 0.0
    for s in np.unique(strata):
        for t in np.unique(stop[event & (strata == s)]):
            died = np.flatnonzero(event & (stop == t) & (strata == s))
            risk = np.flatnonzero((start < t) & (stop >= t) & (strata == s))
            sums = [np.exp((X[list(c)] @ beta).sum()) for c in combinations(risk, died.size)]
            value += (X[died] @ beta).sum() - np.log(np.sum(sums))
    return value


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("n_strata", [1, 2])
def test_value_score_and_information(late, n_strata):
    rng = np.random.default_rng(11)
    n = 22
    X = rng.normal(size=(n, 2))
    stop = rng.integers(2, 6, n).astype(float)
    start = stop - rng.integers(1, 5, n) if late else np.full(n, -1.0)
    event = rng.random(n) < 0.6
    strata = rng.integers(0, n_strata, n)
    beta, step = np.array([0.4, -0.7]), 1e-5
    sets = prepare(start if late else None, stop, event, strata)
    likelihood = cox_likelihood(X, sets, ties="exact")
    value, score, information = likelihood(beta[None], ZERO)

    def direct(b):
        return enumerated(start, stop, event, strata, X, b)

    assert_close(value[0], direct(beta), rel=1e-10)
    assert_close(likelihood.null_log_likelihood()[0], direct(np.zeros(2)), rel=1e-10)
    for j, e in enumerate(step * np.eye(2)):
        assert_close(score[0, j], (direct(beta + e) - direct(beta - e)) / (2 * step), rel=1e-6)
        up, down = (likelihood((beta + d)[None], ZERO)[1][0] for d in (e, -e))
        assert_close(information[0, j], (down - up) / (2 * step), rel=1e-6)


def test_frequencies_repeat_rows_and_offsets_shift():
    rng = np.random.default_rng(3)
    X, stop = rng.normal(size=(30, 2)), rng.integers(1, 6, 30).astype(float)
    event, copies = rng.random(30) < 0.5, np.arange(30) % 3
    rows = np.repeat(np.arange(30), copies)
    short = fit_cox(X, prepare(None, stop, event), freq=copies, ties="exact")
    long = fit_cox(X[rows], prepare(None, stop[rows], event[rows]), ties="exact")
    assert_close(short.coef, long.coef, rel=1e-9)
    assert_close(short.log_likelihood, long.log_likelihood, rel=1e-10)
    free = fit_cox(X, prepare(None, stop, event), ties="exact")
    moved = fit_cox(X, prepare(None, stop, event), ties="exact", offset=0.5 * X[:, 0] + 30)
    assert_close(moved.coef[0] + [0.5, 0], free.coef[0], rel=1e-8)


def test_many_ties_stay_within_range():
    rng = np.random.default_rng(8)
    n = 700
    x, late = rng.integers(0, 2, n).astype(float), np.arange(n) >= 60
    sets = prepare(None, np.where(late, 2.0, 1.0), ~late)
    value, score, information = cox_likelihood(x[:, None], sets, ties="exact")([[0.8]], ZERO)
    # With one binary column the number exposed among the tied events is noncentral
    # hypergeometric.
    exposed, d = x.sum(), 60
    k = np.arange(0, d + 1)
    steps = np.log((exposed - k[:-1]) / (k[1:]) * (d - k[:-1]) / (n - exposed - d + k[1:]))
    logs = np.concatenate([[0.0], np.cumsum(steps)]) + 0.8 * k
    weights = np.exp(logs - logs.max())
    mean = weights @ k / weights.sum()
    variance = weights @ (k - mean) ** 2 / weights.sum()
    assert_close(score[0, 0], x[~late].sum() - mean, rel=1e-9)
    assert_close(information[0, 0, 0], variance, rel=1e-9)
    assert np.isfinite(value[0])
