"""What every figure shares."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rnetstats.plots.style import title_above


def test_title_above_stands_where_matplotlib_puts_it() -> None:
    figure = Figure(figsize=(5.0, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set_title("Recurrence, by group", fontsize=11, loc="left")
    title_above(right, "Recurrence, by group", fontsize=11, loc="left")
    figure.canvas.draw()
    one, two = (ax.get_tightbbox().extents[[1, 3]] for ax in (left, right))
    np.testing.assert_allclose(one, two)
    assert right.get_title(loc="left") == "Recurrence, by group"
