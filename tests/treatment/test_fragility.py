"""The fragility index: worked tables, its definition step by step, and its symmetries."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

import rnetstats as rn
from rnetstats.errors import DataError, OptionError
from support import assert_close, at_once


def p(a: int, n: int, c: int, m: int) -> float:
    return float(fisher_exact([[a, n - a], [c, m - c]])[1])


def test_twelve_events_by_hand() -> None:
    """Of 12 events in 181 : 346, 8 : 4 is significant, 7 : 5 is not (Fisher)."""
    found = rn.fragility(8, 181, 4, 346)
    assert (found.kind, found.index, found.changed_arm, found.fewest) == ("fragility", 1.0, 2, 1.0)
    assert_close(found.p_value, 0.0274, rel=5e-3)
    assert_close(found.to_frame()["p_value"], [p(8, 181, 4, 346), p(8, 181, 5, 346)])
    reverse = rn.fragility(7, 181, 5, 346)
    assert (reverse.kind, reverse.index) == ("reverse fragility", 2.0)
    assert reverse.to_frame()["events_2"].tolist() == [5, 4, 3]
    assert reverse.to_frame()["p_value"].iloc[-1] < 0.05 <= p(7, 181, 4, 346)


def brute(a: int, n: int, c: int, m: int, alpha: float) -> float:
    """Walk in the arm with fewer events, one patient at a time."""
    first = p(a, n, c, m) < alpha
    arm = 1 if (a, a / n) <= (c, c / m) else 2
    lower = a / n <= c / m if arm == 1 else c / m <= a / n
    step, changed = (1 if lower == first else -1), 0
    while (p(a, n, c, m) < alpha) == first:
        a, c = (a + step, c) if arm == 1 else (a, c + step)
        changed += 1
        if not (0 <= a <= n and 0 <= c <= m):
            return np.nan
    return changed


@given(
    data=st.data(), n=st.integers(1, 25), m=st.integers(1, 25), alpha=st.sampled_from([0.05, 0.2])
)
def test_definition(data: st.DataObject, n: int, m: int, alpha: float) -> None:
    a, c = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = rn.fragility(a, n, c, m, alpha=alpha)
    assert_close(found.index, brute(a, n, c, m, alpha))
    assert not found.fewest > found.index
    other = rn.fragility(c, m, a, n, alpha=alpha)
    if (a, a / n) != (c, c / m):
        assert_close(other.index, found.index)
    assert_close(other.fewest, found.fewest)
    assert (found.kind == "fragility") == (p(a, n, c, m) < alpha)


def test_a_verdict_that_cannot_turn() -> None:
    found = rn.fragility(0, 44, 0, 98)
    assert np.isnan(found.index)
    assert found.fewest == 3.0
    assert "never becomes significant" in found.notes[0]
    assert found.display().iloc[0]["Reverse fragility index"] == "cannot be reached"
    assert any("restates P" in note for note in found.notes)


def test_takes_a_table() -> None:
    table = rn.exact_table([[8, 173], [4, 342]])
    assert rn.fragility(table).index == 1.0
    with pytest.raises(OptionError, match="not both"):
        rn.fragility(table, 181)


def test_mid_p_is_less_strict() -> None:
    assert rn.fragility(7, 181, 5, 346, test="mid-p").index <= 2.0


def test_large_trials_end() -> None:
    with at_once(5.0):
        found = rn.fragility(500, 100_000, 650, 100_000)
    assert found.kind == "fragility"
    assert found.index > 50


@pytest.mark.parametrize(
    ("counts", "error"),
    [
        ((-1, 10, 2, 10), OptionError),
        ((11, 10, 2, 10), DataError),
        ((1, 0, 2, 10), OptionError),
        ((1.5, 10, 2, 10), OptionError),
        ((1, 10, 2), OptionError),
    ],
)
def test_bad_counts(counts: tuple, error: type) -> None:
    with pytest.raises(error):
        rn.fragility(*counts)


@pytest.mark.parametrize("name", ["n_1", "events_2", "n_2"])
def test_a_count_that_is_not_given_is_named(name: str) -> None:
    counts = {"n_1": 10, "events_2": 2, "n_2": 10} | {name: None}
    with pytest.raises(OptionError, match=f"needs {name}: events and patients of both arms"):
        rn.fragility(1, **counts)


def test_the_table_of_synthetic_data_is_marked() -> None:
    cohort = rn.load_cohort("duan2024")
    table = rn.exact_table(cohort, "recurrence ~ margin_positive")
    assert rn.fragility(table).synthetic
    assert not rn.fragility(8, 181, 4, 346).synthetic


def test_bad_options() -> None:
    with pytest.raises(OptionError, match="2x2"):
        rn.fragility(rn.exact_table([[1, 2, 3], [3, 4, 5]]))
    with pytest.raises(OptionError, match="alpha"):
        rn.fragility(1, 10, 2, 10, alpha=1.2)
    with pytest.raises(OptionError, match="test"):
        rn.fragility(1, 10, 2, 10, test="wald")


def test_plot_shows_the_path() -> None:
    axes = rn.fragility(7, 181, 5, 346).plot()
    assert axes.lines[1].get_xdata().tolist() == [0, 1, 2]
    plt.close("all")


def test_counts_are_shown_in_full() -> None:
    shown = rn.fragility(1, 1_000_000, 12, 1_000_000).display()
    assert shown["Events"].iloc[0] == "1/1,000,000 and 12/1,000,000"
