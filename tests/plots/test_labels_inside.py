"""Labels within the sentence of an axis: small first letters, abbreviations as they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import rnetstats as rn


@cache
def cohort(label: str) -> pd.DataFrame:
    """Return a cohort whose event and marker are called by a label."""
    draw, n = np.random.default_rng(5), 120
    x = draw.normal(size=n)
    event = (draw.random(n) < 1.0 / (1.0 + np.exp(-x))).astype(int)
    frame = pd.DataFrame({"t": np.round(draw.exponential(30, n) + 1, 1), "e": event, "x": x})
    frame["arm"] = draw.integers(0, 2, n)
    frame["risk"] = 1.0 / (1.0 + np.exp(-x))
    frame.attrs["rnetstats"] = {"labels": {"e": label, "x": label, "arm": "Arm"}}
    return frame


FIGURES: dict[str, Callable[[pd.DataFrame], Axes]] = {
    "nomogram": lambda d: rn.risk_model(rn.logistic(d, "e ~ x + arm"), resamples=0).plot(),
    "nomogram at a time": lambda d: rn.risk_model(
        rn.cox(d, "Surv(t, e) ~ x + arm"), horizon=20, resamples=0
    ).plot(),
    "calibration": lambda d: rn.calibration(d, "e ~ risk").plot(),
    "calibration at a time": lambda d: rn.calibration(d, "Surv(t, e) ~ risk", time=20).plot(),
    "clinical impact": lambda d: rn.decision_curve(d, "e ~ risk", thresholds=[0.2, 0.5]).plot(
        kind="impact"
    ),
    "standardised risks": lambda d: rn.logistic(d, "e ~ x + arm").risks("arm").plot(),
    "cut-off": lambda d: rn.cutpoint(d, "arm ~ x", method="maxstat").plot(),
    "dichotomising": lambda d: rn.dichotomising_cost(d, "e ~ x", cuts={"x": 0.5}).plot(),
    "Kaplan-Meier": lambda d: rn.kaplan_meier(d, "Surv(t, e) ~ arm").plot(),
    "restricted means": lambda d: rn.rmst(d, "Surv(t, e) ~ arm", tau=20).plot(),
    "weighted risks": lambda d: (
        rn.propensity(d, "arm ~ x").risk("Surv(t, e)", horizon=20, resamples=0).plot()
    ),
    "weighted hazards": lambda d: rn.propensity(d, "arm ~ x").cox("Surv(t, e)", resamples=0).plot(),
    "milestone": lambda d: rn.milestone(d, "Surv(t, e) ~ arm", times=20).plot(),
    "adjusted survival": lambda d: rn.adjusted_survival(
        d, "Surv(t, e) ~ arm + x", times=20, resamples=0
    ).plot(),
}


def words(axes: Any) -> str:
    """Return all that the axes of a figure, their ticks and keys say."""
    found = []
    for one in axes.figure.axes:
        found += [one.get_xlabel(), one.get_ylabel()]
        found += [tick.get_text() for tick in one.get_yticklabels()]
        if one.get_legend() is not None:
            found += [text.get_text() for text in one.get_legend().get_texts()]
    return " | ".join(text.replace("\\n", " ").replace("\n", " ") for text in found)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize(
    ("label", "written"), [("Positive margin", "positive margin"), ("DFS event", "DFS event")]
)
def test_a_label_within_a_sentence(figure: str, label: str, written: str) -> None:
    said = words(FIGURES[figure](cohort(label)))
    plt.close("all")
    assert any(f"{before} {written}" in said for before in ("of", "Free of", "these:")), said
    assert "of Positive" not in said
