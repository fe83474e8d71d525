"""Bars of answers: widths are shares, groups have names, nothing is left out."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.plots.guidelines import stacked_answers

COUNTS = pd.DataFrame(
    {
        "group": ["small", "small", "large"],
        "label": ["A", "A", "A"],
        "answer": ["local resection", "no rule", "radical resection"],
        "n": [30, 10, 5],
    }
)


def test_widths_are_shares_of_each_bar() -> None:
    axes = stacked_answers(COUNTS, notes={"small": ": told"})
    widths = [patch.get_width() for patch in axes.patches if patch.get_width() > 0]
    assert widths == pytest.approx([0.75, 0.25, 1.0])
    texts = [text.get_text() for text in axes.texts]
    assert {"30", "10", "5", "40", "small: told", "large"} <= set(texts)
    legend = axes.get_legend()
    assert legend is not None
    assert [t.get_text() for t in legend.get_texts()] == [
        "local resection",
        "radical resection",
        "no rule",
    ]


def test_given_axes_are_used_and_synthetic_cohorts_marked() -> None:
    _, axes = plt.subplots()
    result = rn.classify(rn.load_cohort("duan2024"))
    assert result.plot(ax=axes) is axes
    assert any("Synthetic" in text.get_text() for text in axes.texts)


def test_bands_without_any_rule_are_left_out_of_the_comparison() -> None:
    told = rn.guideline_disagreement(
        {"size_mm": [8, 15]}, guidelines=["jnets", "nccn2025"], situation="1-2 cm"
    )
    words = [text.get_text() for text in told.plot().texts]
    assert not any(word.startswith("< 10 mm") for word in words)
    assert any("10 to 20 mm: steps differ in 1 of 1" in word for word in words)
    silent = rn.guideline_disagreement(
        {"size_mm": [8]}, guidelines=["jnets", "nccn2025"], situation="1-2 cm"
    )
    assert any("no two steps" in text.get_text() for text in silent.plot().texts)
