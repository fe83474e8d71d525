"""Survival against numbers at risk, and rates from a median follow-up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import rnetstats as rn
from audit_sheets import line, verdicts
from rnetstats.errors import FactsError

PERCENT = {"s1": "%", "s2": "%"}
ONE = {"kind": "survival", "n": "n", "survival": ["s1"], "at_risk": ["r1"]}
TWO = {"kind": "survival", "n": "n", "survival": ["s1", "s2"], "at_risk": ["r1", "r2"]}


@pytest.mark.parametrize(
    ("survival", "at_risk", "events", "verdict", "recomputed"),
    [
        ("95.0", "90", "", "consistent", "90.00 % to 100.00 %"),
        ("90.0", "95", "", "cannot be checked", "95.00 % to 100.00 %"),  # 5 events at that time
        ("90.0", "95", "4", "inconsistent", "95.00 % to 96.00 %"),
        ("96.0", "90", "5", "inconsistent", "90.00 % to 95.00 %"),
        ("95.0", "90", "5", "consistent", "90.00 % to 95.00 %"),
        ("95.1", "90", "5", "inconsistent", "90.00 % to 95.00 %"),
        ("89.9", "90", "", "cannot be checked", "90.00 % to 100.00 %"),
        ("89.9", "90", "0", "rounding", "90.00 % to 100.00 %"),
        ("> 96", "90", "5", "inconsistent", "90.0 % to 95.0 %"),
        ("< 85", "90", "4", "inconsistent", "90.0 % to 96.0 %"),
        ("95.0", "101", "", "inconsistent", "–"),
        ("95.0", "90", "101", "inconsistent", "–"),
        ("", "90", "", "cannot be checked", "–"),
        ("95.0", "", "", "cannot be checked", "–"),
    ],
)
def test_survival_at_one_time(
    survival: str, at_risk: str, events: str, verdict: str, recomputed: str
) -> None:
    values = {"n": "100", "s1": survival, "r1": at_risk, "d1": events}
    row = line(values, PERCENT, **ONE, events=["d1"])
    assert (row["verdict"], row["recomputed"]) == (verdict, recomputed)


def test_the_reason_says_what_would_save_it() -> None:
    row = line({"n": "100", "s1": "0.90", "r1": "95"}, {"s1": ""}, **ONE)
    assert row["verdict"] == "cannot be checked"
    assert "at least 5 events fell exactly on it." in row["sentence"]
    row = line({"n": "100", "s1": "93", "r1": "95", "d1": "0"}, PERCENT, **ONE, events=["d1"])
    assert "at least 2 events fell exactly on it, where none can have." in row["sentence"]
    row = line({"n": "100", "s1": "95.0", "r1": "90"}, {"s1": ""}, **ONE)
    assert 'the unit of a percentage is "%"' in row["sentence"]
    row = line({"n": "100", "s1": "96.0", "r1": "90", "d1": "5"}, PERCENT, **ONE, events=["d1"])
    assert "at most 95.00 %" in row["sentence"]


@pytest.mark.parametrize(
    ("values", "part", "verdict"),
    [
        ({"s1": "95.0", "s2": "90.0", "r1": "80", "r2": "40"}, "survival", "consistent"),
        ({"s1": "90.0", "s2": "95.0", "r1": "80", "r2": "40"}, "survival", "inconsistent"),
        ({"s1": "95", "s2": "95.4", "r1": "80", "r2": "40"}, "survival", "consistent"),
        ({"s1": "\u2265 95", "s2": "99.2", "r1": "80", "r2": "40"}, "survival", "consistent"),
        ({"s1": "< 95", "s2": "99.2", "r1": "80", "r2": "40"}, "survival", "inconsistent"),
        ({"s1": "95.0", "s2": "90.0", "r1": "40", "r2": "80"}, "at risk", "inconsistent"),
        ({"s1": "95.0", "s2": "90.0", "r1": "80", "r2": "40"}, "at risk", "consistent"),
    ],
)
def test_neither_rises(values: dict[str, str], part: str, verdict: str) -> None:
    row = line({"n": "100", **values}, PERCENT, part=f"order: {part}", **TWO)
    assert row["verdict"] == verdict


def test_events_do_not_fall() -> None:
    values = {"n": "100", "s1": "94.0", "s2": "90.0", "r1": "80", "r2": "40", "d1": "6", "d2": "4"}
    row = line(values, PERCENT, part="order: events", **TWO, events=["d1", "d2"])
    assert row["verdict"] == "inconsistent"
    assert "From 6 to 4 the number of events falls, which it cannot" in row["sentence"]


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(FactsError, match="a figure for each time, so as many each"):
        line({"n": "9", "s1": "9", "r1": "9"}, PERCENT, **{**ONE, "at_risk": ["r1", "r1"]})
    assert line({"n": "", "s1": "9", "r1": "9"}, PERCENT, **ONE)["verdict"] == "cannot be checked"
    assert line({"n": "0", "s1": "9", "r1": "0"}, PERCENT, **ONE)["verdict"] == "cannot be checked"


@given(seed=st.integers(0, 10_000), n=st.integers(2, 80), places=st.integers(0, 2))
def test_curves_of_real_patients_are_consistent(seed: int, n: int, places: int) -> None:
    rng = np.random.default_rng(seed)
    time, event = rng.exponential(40.0, n), rng.integers(0, 2, n)
    times = np.array([10.0, 30.0, 60.0])
    order = np.argsort(time)
    t, d = time[order], event[order]
    factors = 1.0 - d / (n - np.arange(n))
    values, keys = {"n": str(n)}, {"survival": [], "at_risk": [], "events": []}
    for place, when in enumerate(times):
        survival = factors[t <= when].prod()
        row = {
            "survival": f"{100 * survival:.{places}f}",
            "at_risk": str(int((t >= when).sum())),
            "events": str(int(d[t <= when].sum())),
        }
        for name, text in row.items():
            values[f"{name}_{place}"] = text
            keys[name].append(f"{name}_{place}")
    units = dict.fromkeys(keys["survival"], "%")
    assert set(verdicts(values, units, kind="survival", n="n", **keys)) == {"consistent"}


def test_patients_at_risk_may_have_the_event_at_that_time() -> None:
    values = {"n": "12", "s1": "91.7", "s2": "91.7", "r1": "12", "r2": "9", "d1": "1", "d2": "1"}
    found = {**TWO, "events": ["d1", "d2"]}
    row = line(values, PERCENT, part="s1", **found)
    assert (row["verdict"], row["recomputed"]) == ("consistent", "91.67 % to 91.67 %")
    row = line({**values, "r2": "12"}, PERCENT, part="s1", **found)
    assert row["verdict"] == "inconsistent"
    assert "1 would have the event at that very time, where nobody can" in row["sentence"]


@pytest.mark.parametrize(("late", "verdict"), [("92", "cannot be checked"), ("93", "inconsistent")])
def test_events_at_the_very_time_have_left_before_the_next(late: str, verdict: str) -> None:
    values = {"n": "100", "s1": "92.0", "s2": "91.5", "r1": "95", "r2": late}
    assert line(values, PERCENT, part="s1", **TWO)["verdict"] == verdict


@given(seed=st.integers(0, 10_000), n=st.integers(2, 200), told=st.booleans())
def test_curves_in_whole_months_are_never_impossible(seed: int, n: int, told: bool) -> None:
    rng = np.random.default_rng(seed)
    lasting, followed = np.ceil(rng.exponential(60.0, n)), np.ceil(rng.uniform(10.0, 60.0, n))
    data = pd.DataFrame({"time": np.minimum(lasting, followed), "event": lasting <= followed})
    times = np.array([6.0, 12.0, 24.0])[: 1 + seed % 3]
    at = rn.kaplan_meier(data, "Surv(time, event) ~ 1").at(times[times <= data["time"].max()])
    values, keys = {"n": str(n)}, {"survival": [], "at_risk": [], "events": []}
    for place, row in enumerate(at.itertuples()):
        gone = int((data["event"] & (data["time"] <= row.time)).sum())
        texts = (f"{100 * row.survival:.1f}", f"{row.n_risk:.0f}", str(gone) if told else "")
        for (name, listed), text in zip(keys.items(), texts, strict=True):
            values[f"{name}_{place}"] = text
            listed.append(f"{name}_{place}")
    units = dict.fromkeys(keys["survival"], "%")
    found = verdicts(values, units, kind="survival", n="n", **keys)
    assert not set(found) & {"inconsistent", "rounding"}


def test_a_fitted_curve_is_consistent() -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"time": rng.exponential(50.0, 200), "event": rng.integers(0, 2, 200)})
    at = rn.kaplan_meier(data, "Surv(time, event) ~ 1").at([12.0, 36.0])
    values = {"n": "200"}
    for place, row in enumerate(at.itertuples(), start=1):
        values |= {f"s{place}": f"{100 * row.survival:.1f}", f"r{place}": f"{row.n_risk:.0f}"}
    assert set(verdicts(values, PERCENT, **TWO)) == {"consistent"}


RATE = {"kind": "rate", "events": "events", "n": "n", "months": "months"}


def test_the_rate_of_a_study_without_recurrence() -> None:
    row = line({"events": "0", "n": "322", "months": "40.49"}, {"months": "months"}, **RATE)
    years = 161 * 40.49 / 12
    upper = 100 * stats.chi2.ppf(0.975, 2) / 2 / years
    assert (round(years), round(upper, 2)) == (543, 0.68)
    assert row["verdict"] == "cannot be checked"
    assert row["recomputed"] == "at least 543 patient-years, rate at most 0.68 per 100"
    assert "the share at most 1.1 %" in row["sentence"]


@pytest.mark.parametrize(
    ("rate", "verdict"),
    [
        ("0.9", "consistent"),
        ("1.0", "consistent"),
        ("1.5", "inconsistent"),
        ("", "cannot be checked"),
    ],
)
def test_a_printed_rate_is_bounded(rate: str, verdict: str) -> None:
    values = {"events": "10", "n": "100", "months": "240", "rate": rate}  # 1,000 patient-years
    found = line(values, {"months": "months"}, **RATE, rate="rate")
    assert found["verdict"] == verdict
    assert "digits were cut off" not in found["sentence"]
    assert "no rate is printed" not in found["sentence"]


def test_without_a_printed_rate_its_bound_is_told() -> None:
    values = {"events": "10", "n": "100", "months": "240"}
    told = line(values, {"months": "months"}, **RATE)["sentence"]
    assert told.endswith("; no rate is printed to be checked.")


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"events": "11", "n": "10", "months": "5"}, "inconsistent"),
        ({"events": "", "n": "10", "months": "5"}, "cannot be checked"),
        ({"events": "1", "n": "0", "months": "5"}, "cannot be checked"),
        ({"events": "1", "n": "10", "months": "0"}, "cannot be checked"),
        ({"events": "1", "n": "10", "months": "> 5"}, "cannot be checked"),
    ],
)
def test_rates_that_cannot_be_bounded(values: dict[str, str], verdict: str) -> None:
    assert line(values, {"months": "months"}, **RATE)["verdict"] == verdict
