"""Cumulative hazard at a horizon, against single fits and replicated rows."""

from __future__ import annotations

import numpy as np
import pytest

import rnetstats as rn
from rnetstats.kernels.cox_horizon import hazard_until
from rnetstats.kernels.risksets import prepare
from support import read


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("horizon", [50.0, 100.0, 250.5])
def test_agrees_with_the_survival_of_a_fit(ties: str, horizon: float) -> None:
    data = read("veteran.csv")
    fit = rn.cox(data, "Surv(time, status) ~ karno + age", ties=ties, penalty=None)
    sets = prepare(None, data["time"], data["status"] == 1)
    predictor = data[["karno", "age"]].to_numpy() @ fit.coef.to_numpy()
    hazard = hazard_until(sets, predictor[None, :], horizon, ties=ties)
    expected = -np.log(fit.survival(data.iloc[:1], [horizon])["survival"].iloc[0])
    np.testing.assert_allclose(hazard * np.exp(predictor[0]), expected, rtol=1e-10)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_weights_are_replicated_rows_and_blocks_do_not_matter(ties: str) -> None:
    data = read("veteran.csv")
    rng = np.random.default_rng(2)
    freq = rng.integers(0, 4, size=(3, len(data))).astype(float)
    predictor = rng.normal(size=(3, len(data)))
    sets = prepare(None, data["time"], data["status"] == 1)
    together = hazard_until(sets, predictor, 120.0, freq=freq, ties=ties)
    for b in range(3):
        again = np.repeat(np.arange(len(data)), freq[b].astype(int))
        rows = data.iloc[again]
        alone = prepare(None, rows["time"], rows["status"] == 1)
        expected = hazard_until(alone, predictor[b][again][None, :], 120.0, ties=ties)
        np.testing.assert_allclose(together[b], expected[0], rtol=1e-12)
