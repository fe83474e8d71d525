"""The rules for a claim of high accuracy: bounds, readings, and the documented table."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.studies.model_verdicts import (
    MODEL_RULES,
    ModelEvidence,
    auc_word,
    judge_model,
)
from rnetstats.studies.verdict_table import as_markdown

NAN = math.nan


def reading(
    auc: float = 0.85,
    low: float = 0.81,
    high: float = 0.89,
    *,
    slope: float = 1.0,
    gain: float = 0.05,
) -> ModelEvidence:
    return ModelEvidence("as read", auc, low, high, slope, gain)


GOOD = reading()
POOR = reading(0.65, 0.6, 0.7)


@pytest.mark.parametrize(
    ("readings", "rarer", "rule"),
    [
        ((), 181, "not judged"),
        ((GOOD, GOOD), 19, "too few"),
        ((GOOD, GOOD), 20, "confirmed"),
        ((GOOD, reading(low=0.8)), 181, "confirmed"),
        ((GOOD, reading(low=0.799)), 181, "compatible"),
        ((GOOD, reading(0.79, 0.81)), 181, "compatible"),
        ((GOOD, reading(slope=0.79)), 181, "compatible"),
        ((GOOD, reading(slope=1.26)), 181, "compatible"),
        ((GOOD, reading(slope=NAN)), 181, "compatible"),
        ((GOOD, reading(gain=0.004)), 181, "compatible"),
        ((GOOD, reading(gain=0.005)), 181, "confirmed"),
        ((GOOD, reading(slope=0.8)), 181, "confirmed"),
        ((GOOD, reading(slope=1.25)), 181, "confirmed"),
        ((GOOD, reading(gain=NAN)), 181, "compatible"),
        ((GOOD,), 181, "compatible"),
        ((POOR, POOR), 181, "contradicted"),
        ((POOR, reading(0.78, 0.7, 0.8)), 181, "compatible"),
        ((POOR, reading(0.8, 0.6, 0.79)), 181, "compatible"),
        ((POOR, GOOD), 181, "compatible"),
        ((POOR,), 181, "compatible"),
        ((POOR, reading(low=NAN)), 181, "too few"),
    ],
)
def test_the_first_rule_that_fits_decides(
    readings: tuple[ModelEvidence, ...], rarer: int, rule: str
) -> None:
    verdict = judge_model(readings, rarer=rarer)
    assert verdict.rule == rule
    assert verdict.words == next(r.words for r in MODEL_RULES if r.name == rule)
    assert verdict.because


unit = st.floats(0.0, 1.0)


@given(st.tuples(unit, unit, unit), st.floats(-1.0, 3.0), st.floats(-0.2, 0.3), st.integers(0, 60))
def test_nothing_is_confirmed_unless_every_reading_is_high(
    auc: tuple[float, float, float], slope: float, gain: float, rarer: int
) -> None:
    other = reading(*auc, slope=slope, gain=gain)
    verdict = judge_model((GOOD, other), rarer=rarer)
    assert judge_model((other, GOOD), rarer=rarer).rule == verdict.rule, "no order of readings"
    if verdict.rule == "confirmed":
        assert min(auc[:2]) >= 0.8
        assert 0.8 <= slope <= 1.25
        assert gain >= 0.005
        assert rarer >= 20
    assert verdict.rule != "contradicted", "one reading alone cannot contradict"


def test_the_words_for_an_auc() -> None:
    assert [auc_word(a) for a in (0.5, 0.699, 0.7, 0.799, 0.8, 1.0)] == [
        "poor",
        "poor",
        "acceptable",
        "acceptable",
        "excellent",
        "excellent",
    ]


def test_the_documentation_holds_the_same_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "verdicts.md"
    if not page.exists():
        pytest.skip("the documentation stands in the checkout only")
    assert as_markdown(MODEL_RULES) in page.read_text(encoding="utf-8")
