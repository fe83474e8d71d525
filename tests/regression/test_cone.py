"""Cones of very many rows, of which a linear program begins with some."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from rnetstats.regression import cone
from rnetstats.regression.cone import Bound, Cone
from rnetstats.regression.recession import binary_separation


def outcomes(seed: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(400), rng.normal(size=(400, 3)), rng.random(400) < 0.02])
    score = X[:, 1] - 2.0 * X[:, 2]
    if kind == "complete":
        return X, (score > 0.5).astype(float)
    y = (rng.random(400) < 0.2).astype(float)
    if kind == "quasi":
        y[X[:, 4] == 1.0] = 0.0
    else:
        X[:, 4] = rng.normal(size=400)
    return X, y


@pytest.mark.parametrize("kind", ["none", "quasi", "complete"])
@pytest.mark.parametrize("seed", range(3))
def test_some_rows_lead_to_what_all_rows_say(
    kind: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = outcomes(seed, kind)
    whole = binary_separation(X, y)
    monkeypatch.setattr(cone, "_MANY", 50)
    monkeypatch.setattr(cone, "_SOME", 10)
    assert binary_separation(X, y) == whole
    assert whole.kind == kind


def test_a_program_of_some_rows_grows_until_all_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 901)
    rows = np.column_stack([np.cos(angle), np.sin(angle), -np.ones(901)])
    wide = Cone(scipy.sparse.csr_array(rows), None)  # nearly a round one
    objective = np.array([0.8, 0.6, 0.0])
    bounds: list[Bound] = [(-1.0, 1.0)] * 3
    whole = wide.furthest(objective, bounds)
    monkeypatch.setattr(cone, "_MANY", 50)
    monkeypatch.setattr(cone, "_SOME", 3)
    sizes: list[int] = []
    program = Cone._furthest

    def counted(self: Cone, *args: object) -> np.ndarray:
        sizes.append(self.rows.shape[0])
        return program(self, *args)

    monkeypatch.setattr(Cone, "_furthest", counted)
    found = wide.furthest(objective, bounds)
    np.testing.assert_allclose(found, whole, atol=1e-9)
    assert (rows @ found).max() < 1e-9
    assert objective @ found == pytest.approx(1.0, abs=1e-4)
    assert len(sizes) > 1
    assert max(sizes) < 50
    # A variable without bounds could run away in a program of some rows.
    sizes.clear()
    wide.furthest(objective, [(None, 1.0), *bounds[1:]])
    assert sizes == [901]
