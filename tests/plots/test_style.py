"""What every figure shares."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import rnetstats as rn
from rnetstats.plots.style import as_text, title_above


def test_title_above_stands_where_matplotlib_puts_it() -> None:
    figure = Figure(figsize=(5.0, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set_title("Recurrence, by group", fontsize=11, loc="left")
    title_above(right, "Recurrence, by group", fontsize=11, loc="left")
    figure.canvas.draw()
    one, two = (ax.get_tightbbox().extents[[1, 3]] for ax in (left, right))
    np.testing.assert_allclose(one, two)
    assert right.get_title(loc="left") == "Recurrence, by group"


def test_names_are_shown_as_they_are() -> None:
    assert as_text("a\tb\x0b\nc $1") == "a b \nc \\$1"
    rows = {"t": [1, 2, 3, 4, 5, 6], "e": [1, 0, 1, 1, 0, 1], "arm": ["_a", "_b"] * 3}
    curve = rn.kaplan_meier(rows, "Surv(t, e) ~ arm")
    ends = {"left": [1, 2, 3, 4, 5, 6], "right": [2, 3, 4, 5, 6, 7], "arm": rows["arm"]}
    innermost = rn.turnbull(ends, "Interval(left, right) ~ arm", resamples=20, seed=1)
    for drawn in (curve, innermost):
        told = " ".join(
            text.get_text()
            for ax in drawn.plot().figure.axes
            if ax.get_legend()
            for text in ax.get_legend().texts
        )
        assert told.count("_a") == told.count("_b") == 1
    risks = {"y": [0, 1, 0, 1, 1, 0], "_risk": [0.1, 0.8, 0.4, 0.3, 0.9, 0.2]}
    legend = rn.discrimination(risks, "y ~ _risk").plot().get_legend()
    assert any("_risk" in text.get_text() for text in legend.texts)
    plt.close("all")
