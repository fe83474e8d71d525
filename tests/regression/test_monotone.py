"""Monotone likelihoods through the front door: the limit that the supremum has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from support import assert_close


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


def test_exact_ties_are_monotone_where_efrons_are_not() -> None:
    """Two tied events with the largest x: their pair tends to certainty, apart as they are."""
    x = np.array([2.0, 1.0, 0.0, 0.5, 0.0, 0.2])
    data = {"t": [1, 1, 2, 2, 2, 3], "e": [1, 1, 0, 0, 0, 0], "x": x}
    fit = rn.cox(data, "Surv(t, e) ~ x", penalty=None, ties="exact")
    row, glance = fit.to_frame().iloc[0], fit.glance().iloc[0]
    assert row["coef"] == row["conf_high"] == np.inf
    assert glance["separation"] == "complete"
    assert glance["log_likelihood"] == pytest.approx(0.0, abs=1e-8)
    pairs = np.triu_indices(len(x), 1)
    deviance = 2.0 * np.log(np.exp(np.log(row["conf_low"]) * (x[pairs[0]] + x[pairs[1]] - 3)).sum())
    assert deviance == pytest.approx(3.841458820694124, rel=1e-7)
    for ties in ("efron", "breslow"):
        finite = rn.cox(data, "Surv(t, e) ~ x", penalty=None, ties=ties)
        assert np.isfinite(finite.to_frame()["coef"].iloc[0])


def test_exact_ties_pass_over_times_at_which_all_have_the_event() -> None:
    """The last time says nothing on b: all who are left have the event at once."""
    data = {"t": [1, 2, 2, 2, 3, 3], "e": [1, 1, 0, 0, 1, 1], "a": [1, 1, 0, 0, 1, 0]}
    fit = rn.cox(data, "Surv(t, e) ~ a", penalty=None, ties="exact")
    assert fit.to_frame()["coef"].iloc[0] == np.inf
    assert fit.glance()["separation"].iloc[0] == "quasi"
    assert fit.glance()["log_likelihood"].iloc[0] == pytest.approx(-np.log(3 * 2), abs=1e-8)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_patient_with_the_first_event_and_a_column_of_their_own_changes_nothing_else(seed):
    """Their coefficient is infinite, their event certain, and no other risk set holds them."""
    rng = np.random.default_rng(seed)
    n = 150
    data = pd.DataFrame(
        {
            "time": rng.exponential(30, n).round(1) + 1,
            "event": rng.integers(0, 2, n),
            "z": rng.integers(0, 2, n),
            "first": 0,
        }
    )
    data.loc[0, ["time", "event", "first"]] = [0.5, 1, 1]
    fit = rn.cox(data, "Surv(time, event) ~ z + first", penalty=None).to_frame()
    without = rn.cox(data[1:], "Surv(time, event) ~ z", penalty=None).to_frame()
    assert fit["coef"].tolist()[1] == np.inf
    for name in ("coef", "conf_low", "conf_high", "p_value"):
        assert_close(fit.loc[0, name], without.loc[0, name], rel=1e-6)
