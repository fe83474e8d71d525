"""What a printed cut-off can be, given how values were recorded."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

import rnetstats as rn
from rnetstats.errors import DataError, OptionError

HALVES = np.array([14.0, 14.5, 15.0, 16.5])


def test_half_millimetres_cannot_give_14_89() -> None:
    for found in (rn.cut_resolution(HALVES, 14.89), rn.cut_resolution(None, "14.89", step=0.5)):
        assert not found.possible
        assert found.step == 0.5
        assert (found.below, found.above) == (14.5, 15.0)
        assert "neither an observed value" in found.sentence
        assert "14.75" in found.sentence
        assert not found.to_frame()["agrees"].any()


@pytest.mark.parametrize(
    ("cut", "possible"),
    [
        (14.5, True),
        (14.75, True),  # midpoint of neighbours
        ("14.8", True),  # the midpoint 14.75, printed to one decimal
        ("14.80", False),
        (14.625, False),
        (15.25, True),  # the mean of the midpoints 14.75 and 15.75
        (15.4, False),
        (15.75, True),
    ],
)
def test_what_is_possible(cut: float | str, possible: bool) -> None:
    found = rn.cut_resolution(HALVES, cut)
    assert found.possible is possible


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (14.5, "14.5 can be an observed value."),
        (14.75, "14.75 can be a midpoint of such values."),
        (15.25, "15.25 can be a mean of two midpoints of such values."),
    ],
)
def test_what_a_possible_cut_off_can_be_is_said(cut: float, said: str) -> None:
    assert rn.cut_resolution(HALVES, cut).sentence.endswith(said)


def test_means_of_two_midpoints_are_searched_in_full() -> None:
    rng = np.random.default_rng(3)
    values = np.unique(np.round(rng.gamma(5, 2, 30), 1))
    middles = (values[1:] + values[:-1]) / 2
    for cut in (4.11, 8.37, 13.93):
        every = (middles[:, None] + middles) / 2
        nearest = np.abs(every - cut).min()
        table = rn.cut_resolution(values, cut).to_frame()
        row = table[(table["basis"] == "data") & (table["candidate"] == "mean of two midpoints")]
        assert row["distance"].iloc[0] == pytest.approx(nearest, abs=1e-9)


def test_step_of_the_values() -> None:
    assert rn.cut_resolution([0.1, 0.3, 0.7], 0.3).step == pytest.approx(0.1)
    assert rn.cut_resolution([2, 4, 10], 4).step == 2.0
    assert rn.cut_resolution([0.47, 2.08, 9.92], 4.44).step == pytest.approx(0.01)


def test_of_a_result() -> None:
    rng = np.random.default_rng(1)
    data = {"x": np.round(rng.gamma(6, 2, 200) * 2) / 2, "y": rng.integers(0, 2, 200)}
    found = rn.cutpoint(data, "y ~ x", method="maxstat")
    assert found.resolution().possible
    assert not found.resolution("14.89").possible
    found.resolution("14.89").plot()
    plt.close("all")


def test_refusals() -> None:
    with pytest.raises(OptionError, match="no number"):
        rn.cut_resolution(HALVES, "big")
    with pytest.raises(OptionError, match="values, or the step"):
        rn.cut_resolution(None, 14.89)
    with pytest.raises(OptionError, match="step"):
        rn.cut_resolution(HALVES, 14.89, step=0)
    with pytest.raises(DataError, match="no multiple of step"):
        rn.cut_resolution([14.3, 14.5], 14.89, step=0.5)
    with pytest.raises(DataError, match="finite"):
        rn.cut_resolution([np.nan], 14.89)
