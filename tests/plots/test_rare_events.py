from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rnetstats.plots.rare_events import draw_rare_events

ROWS = pd.DataFrame(
    {
        "label": ["Mantel-Haenszel", "Exact", "CM.EL", "Beta-binomial", "Crude sums"],
        "kind": ["common", "common", "random", "marginal", "crude"],
        "k": [6, 6, 6, 8, 8],
        "estimate": [0.31, 0.0, 0.3, np.nan, 0.32],
        "conf_low": [0.13, 0.0, 0.0001, np.nan, np.nan],
        "conf_high": [0.73, 1.23, 900.0, np.nan, np.nan],
        "profile_low": [np.nan, np.nan, 0.1, np.nan, np.nan],
        "profile_high": [np.nan, np.nan, 0.7, np.nan, np.nan],
        "double_zeros": ["weigh nothing"] * 3 + ["counted"] * 2,
    }
)


def texts(ax: object) -> list[str]:
    return [text.get_text() for text in ax.texts]  # type: ignore[attr-defined]


def test_rows_stand_under_what_they_estimate() -> None:
    ax = draw_rare_events(ROWS, measure="OR", name="odds ratio", log=True)
    heights = {text.get_text(): text.xy[1] for text in ax.texts}
    order = [
        "One effect in all studies",
        "Mantel-Haenszel",
        "Exact",
        "Effects vary between studies",
        "CM.EL",
        "Mean risks compared",
        "Beta-binomial",
        "All patients together",
        "Crude sums",
    ]
    assert sorted(order, key=lambda name: -heights[name]) == order
    assert "0.31 (0.13 to 0.73)" in heights
    assert "not estimable" in heights
    assert "0.32 (no limits)" in heights
    assert ax.get_xscale() == "log"


def test_limits_that_leave_the_axis_end_in_arrows() -> None:
    ax = draw_rare_events(ROWS, measure="OR", name="odds ratio", log=True)
    left, right = ax.get_xlim()
    marks = [(line.get_marker(), line.get_xdata()[0]) for line in ax.lines]
    assert ("<", left) in marks  # an estimate of 0, and a far lower limit
    assert (">", right) in marks
    assert left > 0.0001
    assert right < 900.0


def test_differences_have_a_plain_axis_that_holds_all_limits() -> None:
    rows = ROWS.assign(
        estimate=[-0.03, -0.02, 0.01, np.nan, -0.03],
        conf_low=[-0.05, -0.04, -0.02, np.nan, -0.05],
        conf_high=[-0.01, 0.01, 0.05, np.nan, -0.01],
    ).drop(index=3)
    rows[["profile_low", "profile_high"]] = np.nan
    ax = draw_rare_events(rows, measure="RD", name="risk difference", log=False)
    assert ax.get_xlim()[0] < -0.05
    assert ax.get_xlim()[1] > 0.05
    assert "Mean risks compared" not in texts(ax)
    assert "−0.0300 (−0.0500 to −0.0100)" in texts(ax)


@pytest.mark.parametrize("log", [True, False])
def test_nothing_estimable_is_drawn_without_warnings(log: bool) -> None:
    rows = ROWS.assign(estimate=np.nan, conf_low=np.nan, conf_high=np.nan)
    rows[["profile_low", "profile_high"]] = np.nan
    ax = draw_rare_events(rows, measure="OR", name="odds ratio", log=log)
    ax.figure.canvas.draw()
    assert texts(ax).count("not estimable") == 5
