"""The censoring distribution and its inverse probability weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.censoring import censoring_survival, ipcw_weights
from rnetstats.survival.product_limit import product_limit

ROWS = st.lists(
    st.tuples(st.integers(1, 8), st.booleans(), st.integers(0, 3)), min_size=2, max_size=25
)


def test_curve_by_hand() -> None:
    # At 2 the event leaves first: one censoring among 3. At 4 one among 1.
    curve = censoring_survival([1.0, 2.0, 2.0, 3.0, 4.0], [True, True, False, True, False])
    np.testing.assert_array_equal(curve.time, [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(curve.survival, [1.0, 2 / 3, 2 / 3, 0.0])
    np.testing.assert_allclose(curve.before([0.5, 2.0, 2.5, 4.0, 9.0]), [1, 1, 2 / 3, 2 / 3, 0])
    np.testing.assert_allclose(curve.at([0.5, 2.0, 3.9, 4.0]), [1, 2 / 3, 2 / 3, 0])


def test_weights_by_hand() -> None:
    stop, event = np.array([1.0, 2.0, 2.0, 3.0, 4.0]), [True, True, False, True, False]
    curve = censoring_survival(stop, event)
    np.testing.assert_allclose(ipcw_weights(stop, event, 3.0, curve), [1, 1, 0, 1.5, 1.5])
    np.testing.assert_allclose(ipcw_weights(stop, event, 1.5, curve), [1, 1, 1, 1, 1])
    np.testing.assert_allclose(ipcw_weights(stop, event, 9.0, curve), [1, 1, 0, 1.5, 0])


@given(ROWS)
def test_curve_is_that_of_the_reversed_product_limit(rows: list[tuple[int, bool, int]]) -> None:
    """Moving censorings just past the events at their time makes the two conventions one."""
    stop = np.array([t for t, _, _ in rows], dtype=float)
    event = np.array([e for _, e, _ in rows])
    curve = censoring_survival(stop, event)
    moved = np.where(event, stop, stop + 0.5)
    limit = product_limit(moved, ~event)
    passed = np.searchsorted(limit.time, curve.time + 0.75)
    expected = np.append(1.0, limit.survival)[passed]
    np.testing.assert_allclose(curve.survival, expected, atol=1e-12)


@given(ROWS, st.integers(1, 8))
def test_frequencies_are_replicated_rows(rows: list[tuple[int, bool, int]], horizon: int) -> None:
    stop = np.array([t for t, _, _ in rows], dtype=float)
    event = np.array([e for _, e, _ in rows])
    freq = np.array([w for _, _, w in rows])
    if not freq.sum():
        return
    batch = censoring_survival(stop, event, np.stack((np.ones(len(rows)), freq)))
    again = np.repeat(np.arange(len(rows)), freq)
    alone = censoring_survival(stop[again], event[again])
    grid = np.arange(0, 10, 0.5)
    np.testing.assert_allclose(batch.at(grid)[1], alone.at(grid), atol=1e-12)
    np.testing.assert_allclose(batch.before(grid)[1], alone.before(grid), atol=1e-12)
    np.testing.assert_allclose(batch.at(grid)[0], censoring_survival(stop, event).at(grid))
    weights = ipcw_weights(stop, event, horizon, batch)
    expected = ipcw_weights(stop[again], event[again], horizon, alone)
    np.testing.assert_allclose(weights[1][again], expected, atol=1e-12)


@given(ROWS)
def test_weights_sum_to_the_number_of_rows(rows: list[tuple[int, bool, int]]) -> None:
    """The weights of all whose status is known stand for everybody (if somebody is left)."""
    stop = np.array([t for t, _, _ in rows], dtype=float)
    event = np.array([e for _, e, _ in rows])
    curve = censoring_survival(stop, event)
    for horizon in (1.5, 4.5):
        if (stop > horizon).any():
            weights = ipcw_weights(stop, event, horizon, curve)
            assert weights.sum() == pytest.approx(len(rows), rel=1e-12)
            assert ((weights == 0) | (weights >= 1 - 1e-12)).all()
