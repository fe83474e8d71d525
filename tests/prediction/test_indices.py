"""Indices of many models at once, against their definitions row by row."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.kernels.logistic import fit_logistic
from rnetstats.prediction.indices import BINARY, binary_indices

RNG = np.random.default_rng(4)
N, B = 60, 3
LATENT = RNG.normal(size=N)
Y = (RNG.random(N) < 1 / (1 + np.exp(0.7 - LATENT))).astype(float)
PREDICTOR = np.round(LATENT * RNG.uniform(0.4, 1.6, (B, 1)) + RNG.normal(size=(B, N)) / 2, 1) - 0.3
FREQ = RNG.multinomial(N, np.full(N, 1 / N), B)


def log_likelihood(y: np.ndarray, p: np.ndarray) -> float:
    return float(np.sum(y * np.log(p) + (1 - y) * np.log1p(-p)))


def differences(values: np.ndarray) -> float:
    """Gini's mean difference: of all pairs of rows."""
    n = len(values)
    return float(np.abs(values[:, None] - values).sum() / (n * (n - 1)))


def by_definition(y: np.ndarray, predictor: np.ndarray) -> dict[str, float]:
    n, p = len(y), 1 / (1 + np.exp(-predictor))
    above = predictor[y == 1][:, None] - predictor[y == 0]
    auc = np.mean((above > 0) + 0.5 * (above == 0))
    X = np.column_stack([np.ones(n), predictor])
    line = fit_logistic(X, y).coef[0]
    level = fit_logistic(np.ones((n, 1)), y, offset=predictor).coef[0, 0]
    again = X @ line
    q = 1 / (1 + np.exp(-again))
    null = log_likelihood(y, np.full(n, y.mean()))
    raw, best = log_likelihood(y, p), log_likelihood(y, q)
    largest = 1 - np.exp(2 * null / n)
    d, u = (2 * (best - null) - 1) / n, (2 * (best - raw) - 2) / n
    brier = np.mean((p - y) ** 2)
    return {
        "auc": auc,
        "dxy": 2 * auc - 1,
        "brier": brier,
        "brier_scaled": 1 - brier / (y.mean() * (1 - y.mean())),
        "nagelkerke_r2": (1 - np.exp(2 * (null - raw) / n)) / largest,
        "intercept": level,
        "slope": line[1],
        "joint_intercept": line[0],
        "spiegelhalter_z": np.sum((y - p) * (1 - 2 * p))
        / np.sqrt(np.sum((1 - 2 * p) ** 2 * p * (1 - p))),
        "r2": (1 - np.exp(2 * (null - best) / n)) / largest,
        "d": d,
        "u": u,
        "q": d - u,
        "g": differences(again),
        "gp": differences(q),
    }


@pytest.mark.parametrize("freq", [None, FREQ], ids=["rows", "resamples"])
def test_indices_are_those_of_their_definitions(freq: np.ndarray | None) -> None:
    risk = 1 / (1 + np.exp(-PREDICTOR))
    found = binary_indices(Y, risk, PREDICTOR, freq)
    alone = [binary_indices(Y, risk, PREDICTOR, freq, (name,))[:, 0] for name in BINARY]
    np.testing.assert_allclose(np.column_stack(alone), found, rtol=1e-9, atol=1e-12)
    for b in range(B):
        rows = np.arange(N) if freq is None else np.repeat(np.arange(N), freq[b])
        at = dict(zip(BINARY, found[b], strict=True))
        for name, value in by_definition(Y[rows], PREDICTOR[b, rows]).items():
            np.testing.assert_allclose(at[name], value, rtol=1e-7, atol=1e-9, err_msg=name)
        assert 0 < at["ici"] < at["e90"] <= at["emax"]
        assert 0 < at["e50"] < at["e90"]
