"""Monotone likelihoods through the front door: the limit that the supremum has."""

from __future__ import annotations

import numpy as np
import pytest

import rnetstats as rn


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 200])
@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_a_marker_that_foretells_every_event(n: int, ties: str) -> None:
    data = {"x": np.arange(n, 0, -1.0), "time": np.arange(1.0, n + 1), "event": np.ones(n, int)}
    fit = rn.cox(data, "Surv(time, event) ~ x", penalty=None, ties=ties)
    glance, row = fit.glance().iloc[0], fit.to_frame().iloc[0]
    assert glance["log_likelihood"] == pytest.approx(0.0, abs=1e-8)
    assert glance["separation"] == "complete"
    null = -np.log(np.arange(1.0, n + 1)).sum()
    assert row["statistic"] == pytest.approx(-2.0 * null, rel=1e-9)
    assert row["coef"] == row["conf_high"] == np.inf
    q = 1.0 / row["conf_low"]
    value = np.log((1.0 - q ** np.arange(1, n + 1)) / (1.0 - q)).sum()
    assert 2.0 * value == pytest.approx(3.841458820694124, rel=1e-7)
    robust = rn.cox(data, "Surv(time, event) ~ x", penalty=None, robust=ties != "exact", ci="wald")
    assert np.isnan(robust.to_frame()["conf_low"].iloc[0])


@pytest.mark.slow
@pytest.mark.parametrize("ties", ["efron", "exact"])
@pytest.mark.parametrize("seed", range(2))
def test_a_factor_of_many_levels_with_few_events(seed: int, ties: str) -> None:
    group = np.random.default_rng(seed).choice(list("abcdefghij"), 30)
    data = {"t": np.arange(1, 31) // 2 + 1, "e": [1, 0, 0] * 10, "g": group}
    fit = rn.cox(data, "Surv(t, e) ~ g", penalty=None, ties=ties)
    table = fit.to_frame()
    infinite = np.isinf(table["coef"]).to_numpy()
    assert infinite.any()
    assert fit.glance()["separation"].iloc[0] == "quasi"
    finite = np.where(table["coef"] > 0, table["conf_low"], table["conf_high"])[infinite]
    missing = np.isnan(finite)
    assert (np.isfinite(finite) | missing).all()
    assert not missing.any() or any("limit was not found" in note for note in fit.notes)
