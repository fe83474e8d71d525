"""Time-dependent AUC: reference values, the influence function, frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discrimination_cases import horizons, ids_with, prepared
from rnetstats.kernels.roc import auc
from rnetstats.kernels.time_roc import CONTROLS, time_auc, time_groups
from support import assert_close, case, numbers


@pytest.mark.parametrize("name", ids_with("auc_controls_event_free") + ids_with("cases"))
def test_reference(name: str) -> None:
    golden = case("discrimination", name)
    spec, values = golden["spec"], golden["values"]
    data = prepared(golden)
    stop, code = data[spec["time"]].to_numpy(float), data[spec["status"]].to_numpy()
    score = data[spec["marker"]].to_numpy(float)
    rows = {
        kind: [time_auc(stop, code == 1, code != 0, score, t, controls=kind) for t in times]
        for kind in CONTROLS
        for times in [horizons(golden)]
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
        assert_close([r.std_error for r in rows[kind]], values[error])


ROWS = st.lists(
    st.tuples(st.integers(1, 8), st.integers(0, 2), st.integers(-2, 2), st.integers(0, 3)),
    min_size=4,
    max_size=30,
)
Rows = list[tuple[int, int, int, int]]


def columns(rows: Rows) -> tuple[np.ndarray, ...]:
    stop, code, score, freq = (np.array(column) for column in zip(*rows, strict=True))
    return stop.astype(float), code, score.astype(float), freq


@pytest.mark.parametrize("controls", CONTROLS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_influence_is_near_the_derivative(controls: str, seed: int) -> None:
    """Taken to first order, it differs from the exact derivative by terms of order 1 / n."""
    rng = np.random.default_rng(seed)
    n = 300
    score = rng.normal(size=n)
    times = rng.exponential(np.exp(-score) * 10), rng.exponential(15, n), rng.uniform(2, 20, n)
    stop, code = np.min(times, axis=0), np.array([1, 2, 0])[np.argmin(times, axis=0)]

    def value(weights: np.ndarray) -> float:
        found = time_auc(
            stop, code == 1, code > 0, score, 6.0, controls=controls, freq=weights, error=False
        )
        return found.auc

    result = time_auc(stop, code == 1, code > 0, score, 6.0, controls=controls)
    step = 1e-4 * np.eye(n)
    slopes = np.array([(value(1 + e) - value(1 - e)) / 2e-4 for e in step])
    np.testing.assert_allclose(result.influence, slopes, atol=0.02 * np.abs(slopes).max())
    assert np.corrcoef(result.influence, slopes)[0, 1] > 0.9999
    assert result.influence.sum() == pytest.approx(0.0, abs=1e-12)
    assert result.std_error == pytest.approx(np.sqrt(slopes @ slopes * n / (n - 1)), rel=1e-3)


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
        np.testing.assert_allclose(
            getattr(found, name), getattr(alone, name), rtol=1e-10, atol=1e-15
        )
    np.testing.assert_allclose(found.influence, alone.influence, rtol=1e-10, atol=1e-12)


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
