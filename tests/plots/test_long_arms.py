"""Figures of two arms whose names are as long as those of real treatments."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import rnetstats as rn
from rnetstats.plots.style import in_lines

ONE = "Cap-assisted endoscopic mucosal resection"
TWO = "Endoscopic submucosal dissection with countertraction"
SURV = "Surv(months, event)"


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def patients() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 160
    return pd.DataFrame(
        {
            "months": np.ceil(rng.exponential(20.0, n)),
            "event": (rng.random(n) < 0.5).astype(int),
            "age": rng.normal(60.0, 9.0, n).round(),
            "arm": rng.choice([ONE, TWO], n),
            "y": rng.integers(0, 2, n),
        }
    )


FIGURES: dict[str, Callable[[pd.DataFrame], Axes]] = {
    "few events": lambda d: rn.few_events(d, f"{SURV} ~ arm", seed=1, resamples=50).plot(),
    "equivalence": lambda d: rn.equivalence(d, f"{SURV} ~ arm", margin=0.1, horizon=10).plot(),
    "noninferiority": lambda d: rn.noninferiority(
        d, f"{SURV} ~ arm", margin=1.5, measure="hr", better="lower"
    ).plot(),
    "tipping point": lambda d: rn.tipping_point(
        rn.cox(d, f"{SURV} ~ arm + age"), term="arm"
    ).plot(),
    "schedules": lambda d: rn.schedule_sensitivity(
        visits={ONE: 12, TWO: 3}, n=100, replicates=3, seed=1
    ).plot(),
    "incidence": lambda d: rn.cumulative_incidence(
        d.assign(code=d["event"] * (1 + d["y"])), "Surv(months, code) ~ arm"
    ).plot(),
    "lanes": lambda d: rn.swimmer(d, f"{SURV} ~ arm").plot(),
    "balance": lambda d: rn.propensity(d, "y ~ arm + age").plot(),
    "overlap": lambda d: rn.propensity(d, "arm ~ age").plot_overlap(),
}


@pytest.mark.parametrize("name", FIGURES)
def test_words_stay_inside_the_figure(name: str) -> None:
    axes = FIGURES[name](patients())
    figure = axes.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    legend = axes.get_legend()
    words = [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.get_yticklabels()]
    words += [] if legend is None else legend.get_texts()
    low, high = axes.get_ylim()
    for text in words:
        if text in axes.get_yticklabels() and not low <= text.get_position()[1] <= high:
            continue  # a tick beyond the axis is not drawn
        if text.get_text():
            box = text.get_window_extent(renderer)
            assert box.x0 >= -1.0 and box.x1 <= figure.bbox.width + 1.0, text.get_text()
    assert axes.get_window_extent(renderer).width > 0.25 * figure.bbox.width


def test_lines_given_stay() -> None:
    assert in_lines("one\ntwo words", 5) == "one\ntwo\nwords"
    assert in_lines("short") == "short"
