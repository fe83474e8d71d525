"""Maller and Zhou's test: by hand, invariants, and when it does not speak."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import FormulaError, OptionError


def by_hand_data() -> pd.DataFrame:
    """Events at 1, ..., 20, then censored at 22 (30 patients): the window is (18, 20]."""
    time = [float(t) for t in range(1, 21)] + [22.0] * 30
    return pd.DataFrame({"t": time, "e": [1] * 20 + [0] * 30})


def test_by_hand() -> None:
    row = rn.sufficient_follow_up(by_hand_data(), "Surv(t, e) ~ 1").to_frame().iloc[0]
    assert (row["last_event"], row["last_time"], row["plateau"]) == (20, 22, 2)
    assert (row["window_start"], row["window_events"]) == (18, 2)
    assert row["q"] == pytest.approx(2 / 50)
    assert row["alpha"] == pytest.approx((1 - 2 / 50) ** 50)
    assert row["plateau_survival"] == pytest.approx(0.6)
    assert row["verdict"] == "not shown"


def test_a_longer_plateau_is_sufficient() -> None:
    data = by_hand_data()
    data.loc[data["e"] == 0, "t"] = 26.0
    row = rn.sufficient_follow_up(data, "Surv(t, e) ~ 1").to_frame().iloc[0]
    assert row["window_events"] == 6
    assert row["alpha"] == pytest.approx((1 - 6 / 50) ** 50)
    assert row["verdict"] == "sufficient"


def test_no_plateau_gives_no_evidence() -> None:
    data = by_hand_data()
    data.loc[data["e"] == 0, "t"] = 10.0
    row = rn.sufficient_follow_up(data, "Surv(t, e) ~ 1").to_frame().iloc[0]
    assert (row["plateau"], row["window_events"], row["alpha"]) == (0, 0, 1)
    assert row["verdict"] == "not shown"
    assert row["plateau_survival"] == 0.0


def test_a_plateau_longer_than_the_time_of_events_holds_them_all() -> None:
    data = by_hand_data()
    told = "the window holds all events"
    assert not any(told in note for note in rn.sufficient_follow_up(data, "Surv(t, e) ~ 1").notes)
    data.loc[data["e"] == 0, "t"] = 50.0
    result = rn.sufficient_follow_up(data, "Surv(t, e) ~ 1")
    row = result.to_frame().iloc[0]
    assert (row["window_start"], row["window_events"]) == (0, 20)
    assert any(told in note for note in result.notes)


def test_few_events_and_none() -> None:
    data = by_hand_data().assign(arm=["a", "b"] * 25)
    data.loc[data["arm"] == "b", "e"] = 0
    result = rn.sufficient_follow_up(data, "Surv(t, e) ~ arm")
    frame = result.to_frame()
    assert frame["verdict"].tolist() == ["cannot be said"] * 2
    assert frame["q"].isna().all() and frame["alpha"].isna().all()
    assert frame["last_event"].isna().tolist() == [False, True]
    assert any("Fewer than 20 events in a (10), b (0)" in note for note in result.notes)
    assert "nan" not in result.display().to_string()
    lower = rn.sufficient_follow_up(data, "Surv(t, e) ~ arm", min_events=10)
    assert lower.to_frame()["alpha"].notna().tolist() == [True, False]
    for kept in (result, rn.sufficient_follow_up(data[data["arm"] == "b"], "Surv(t, e) ~ 1")):
        kept.plot()
    plt.close("all")


def test_rescaling_and_weights() -> None:
    data = by_hand_data()
    plain = rn.sufficient_follow_up(data, "Surv(t, e) ~ 1").to_frame()
    days = rn.sufficient_follow_up(data.assign(t=data["t"] * 30.4375), "Surv(t, e) ~ 1").to_frame()
    assert days["alpha"].iloc[0] == pytest.approx(plain["alpha"].iloc[0])
    grouped = data.groupby(["t", "e"], as_index=False).size()
    weighted = rn.sufficient_follow_up(grouped, "Surv(t, e) ~ 1", freq_weights="size").to_frame()
    pd.testing.assert_frame_equal(weighted, plain)


def test_tells_a_cure_from_a_slow_hazard() -> None:
    """400 patients: half cured and early events, or events at a slow rate beyond follow-up."""
    rng = np.random.default_rng(4)
    cured = np.where(rng.uniform(size=400) < 0.5, np.inf, rng.exponential(6.0, 400))
    slow = rng.exponential(80.0, 400)
    censor = rng.uniform(40.0, 60.0, 400)
    verdicts = []
    for time in (cured, slow):
        data = {"t": np.minimum(time, censor), "e": (time <= censor).astype(int)}
        verdicts.append(rn.sufficient_follow_up(data, "Surv(t, e) ~ 1").table["verdict"].iloc[0])
    assert verdicts == ["sufficient", "not shown"]


def test_what_is_refused() -> None:
    data = by_hand_data().assign(s=0.0, g=[1, 2] * 25)
    with pytest.raises(FormulaError, match="from time 0"):
        rn.sufficient_follow_up(data, "Surv(s, t, e) ~ 1")
    with pytest.raises(FormulaError, match="strata"):
        rn.sufficient_follow_up(data, "Surv(t, e) ~ strata(g)")
    with pytest.raises(OptionError, match="at least 3"):
        rn.sufficient_follow_up(data, "Surv(t, e) ~ 1", min_events=2)


def test_an_event_at_the_start_of_the_window_is_outside() -> None:
    # 2 * 12.6 - 24.3 is less than 0.9 by rounding
    data = {"t": [0.9, 5.0, 9.1, 12.6, 24.3], "e": [1, 1, 1, 1, 0]}
    row = rn.sufficient_follow_up(data, "Surv(t, e) ~ 1", min_events=3).to_frame().iloc[0]
    assert row["window_events"] == 3
