"""Time-dependent AUC: reference values, the influence function, frequencies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.roc import auc
from rnetstats.kernels.time_roc import CONTROLS, time_auc, time_groups
from support import assert_close, case, case_ids, numbers, read

CASES = [name for name in case_ids("discrimination") if name.startswith("troc_")]


def prepared(name: str, data: pd.DataFrame) -> pd.DataFrame:
    """What the reference script derives before the call."""
    if "karno" in name:
        return data.assign(minus_karno=-data["karno"])
    if "mgus2" in name:
        data = data[data["mspike"].notna()]
        progressed = data["pstat"] == 1
        return data.assign(
            etime=np.where(progressed, data["ptime"], data["futime"]),
            etype=np.where(progressed, 1, np.where(data["death"] == 1, 2, 0)),
        )
    return data


def horizons(name: str, golden: dict) -> list[float]:
    """The times of a case; those of competing risks stand in the script alone."""
    if "times" in golden["values"]:
        return golden["values"]["times"]
    return [60.5, 120.5] if "mgus2" in name else [24.05, 60.05, 90.05]


@pytest.mark.parametrize("name", CASES)
def test_reference(name: str) -> None:
    golden = case("discrimination", name)
    spec, values = golden["spec"], golden["values"]
    data = prepared(name, read(golden["data"]))
    stop, code = data[spec["time"]].to_numpy(float), data[spec["status"]].to_numpy()
    score = data[spec["marker"]].to_numpy(float)
    rows = {
        kind: [time_auc(stop, code == 1, code != 0, score, t, controls=kind) for t in times]
        for kind in CONTROLS
        for times in [horizons(name, golden)]
    }
    if "auc" in values:
        keys = {"event-free": ("auc", "se")}
        assert_close([r.cases for r in rows["event-free"]], values["cases"])
        assert_close([r.controls for r in rows["event-free"]], values["controls"])
    else:
        keys = {
            "event-free": ("auc_controls_event_free", "se_event_free"),
            "all non-cases": ("auc_controls_all_non_cases", "se_all_non_cases"),
        }
        assert_close([r.cases for r in rows["event-free"]], values["stats_cases"])
        assert_close([r.controls for r in rows["event-free"]], values["stats_survivors"])
        both = numbers(values["stats_survivors"]) + numbers(values["stats_other_events"])
        assert_close([r.controls for r in rows["all non-cases"]], both)
    for kind, (area, error) in keys.items():
        assert_close([r.auc for r in rows[kind]], values[area])
        # timeROC puts the martingale of the censoring into the variance in row order and to first
        # order; the infinitesimal jackknife is the exact derivative (tested below).
        assert_close([r.std_error for r in rows[kind]], values[error], rel=1e-4)


ROWS = st.lists(
    st.tuples(st.integers(1, 8), st.integers(0, 2), st.integers(-2, 2), st.integers(0, 3)),
    min_size=4,
    max_size=30,
)
Rows = list[tuple[int, int, int, int]]


def columns(rows: Rows) -> tuple[np.ndarray, ...]:
    stop, code, score, freq = (np.array(column) for column in zip(*rows, strict=True))
    return stop.astype(float), code, score.astype(float), freq


@given(ROWS, st.sampled_from(CONTROLS), st.sampled_from([3.0, 4.5]))
def test_influence_is_the_derivative(rows: Rows, controls: str, horizon: float) -> None:
    stop, code, score, freq = columns(rows)
    freq = freq + 1.0

    def value(weights: np.ndarray) -> float:
        found = time_auc(stop, code == 1, code > 0, score, horizon, controls=controls, freq=weights)
        return found.auc

    result = time_auc(stop, code == 1, code > 0, score, horizon, controls=controls, freq=freq)
    if np.isnan(result.auc):
        return
    step = 1e-6 * np.eye(stop.size)
    slopes = [(value(freq + e) - value(freq - e)) / 2e-6 for e in step]
    np.testing.assert_allclose(result.influence, slopes, atol=1e-7)
    assert freq @ result.influence == pytest.approx(0.0, abs=1e-10)


@given(ROWS, st.sampled_from(CONTROLS), st.sampled_from([3.0, 4.5]))
def test_frequencies_are_replicated_rows(rows: Rows, controls: str, horizon: float) -> None:
    stop, code, score, freq = columns(rows)
    again = np.repeat(np.arange(stop.size), freq)
    if not again.size:
        return
    found = time_auc(stop, code == 1, code > 0, score, horizon, controls=controls, freq=freq)
    alone = time_auc(
        stop[again], code[again] == 1, code[again] > 0, score[again], horizon, controls=controls
    )
    for name in ("auc", "std_error", "cases", "controls"):
        np.testing.assert_allclose(getattr(found, name), getattr(alone, name), rtol=1e-10)
    np.testing.assert_allclose(found.influence[again], alone.influence, rtol=1e-10, atol=1e-12)


@given(ROWS)
def test_without_censoring_it_is_the_binary_auc(rows: Rows) -> None:
    stop, code, score, _ = columns(rows)
    code = np.where(code == 0, 1, code)
    for controls in CONTROLS:
        kept = np.ones(stop.size, dtype=bool)
        if controls == "event-free":
            kept = (code == 1) | (stop > 4)
        found = time_auc(stop, code == 1, code > 0, score, 4.0, controls=controls)
        case_by_time = (stop <= 4) & (code == 1)
        expected = auc(case_by_time[kept], score[kept])[0]
        np.testing.assert_allclose(found.auc, expected, rtol=1e-12)


def test_a_case_at_the_horizon_counts_and_a_censoring_does_not() -> None:
    stop, code = np.array([2.0, 2.0, 3.0, 1.0]), np.array([1, 0, 0, 2])
    case_rows, control = time_groups(stop, code == 1, code > 0, 2.0)
    np.testing.assert_array_equal(case_rows, [True, False, False, False])
    np.testing.assert_array_equal(control, [False, False, True, False])
    _, control = time_groups(stop, code == 1, code > 0, 2.0, "all non-cases")
    np.testing.assert_array_equal(control, [False, False, True, True])


def test_nothing_to_compare_gives_nan() -> None:
    stop, event = np.array([1.0, 2.0, 3.0]), np.array([True, False, False])
    for horizon in (0.5, 3.0):
        result = time_auc(stop, event, event, [1.0, 2.0, 3.0], horizon)
        assert np.isnan([result.auc, result.std_error]).all()
        assert np.isnan(result.influence).all()
