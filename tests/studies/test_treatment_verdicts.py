"""The rules for treatments that doctors chose: none of them confirms."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.studies.treatment_verdicts import (
    TREATMENT_RULES,
    TreatmentEvidence,
    judge_treatment,
)
from rnetstats.studies.verdict_table import as_markdown


@pytest.mark.parametrize(
    ("events", "ratio", "rule"),
    [
        ((4, 30), (0.3, 0.1, 0.8), "too few"),
        ((30, 4), (0.3, 0.1, 0.8), "too few"),
        ((6, 6), (1.0, 0.4, 2.5), "too wide"),
        ((30, 30), (1.9, 1.2, 3.1), "association against"),
        ((30, 30), (0.5, 0.3, 0.8), "association only"),
        ((30, 30), (0.8, 0.51, 1.3), "compatible"),
        ((30, 30), (0.8, float("nan"), float("nan")), "not judged"),
        ((30, 30), (0.8, 0.4, float("nan")), "not judged"),
        ((30, 30), (0.8, float("nan"), 2.5), "not judged"),
        # at the bounds that the published table names
        ((5, 5), (0.5, 0.3, 0.8), "association only"),
        ((6, 6), (1.0, 0.5, 2.0), "too wide"),
        ((6, 6), (1.0, 0.501, 2.0), "compatible"),
        ((6, 6), (1.0, 0.5, 1.999), "compatible"),
        ((30, 30), (1.5, 1.0, 1.9), "compatible"),
        ((30, 30), (0.8, 0.6, 1.0), "compatible"),
    ],
)
def test_first_rule_that_fits(
    events: tuple[int, int], ratio: tuple[float, float, float], rule: str
) -> None:
    verdict = judge_treatment(TreatmentEvidence(*events, *ratio, e_value=1.7))
    assert verdict.rule == rule
    assert verdict.words == next(r.words for r in TREATMENT_RULES if r.name == rule)
    assert f"{events[0]} events after treatment" in verdict.because
    assert ("E-value 1.70" in verdict.because) == (rule == "association only")


def test_without_treatment_nothing_is_judged() -> None:
    assert judge_treatment(None).rule == "not judged"


@given(
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.floats(0.001, 100.0),
    st.floats(0.0, 3.0),
    st.floats(0.0, 3.0),
)
def test_nothing_confirms_or_refutes(a: int, b: int, ratio: float, down: float, up: float) -> None:
    evidence = TreatmentEvidence(a, b, ratio, ratio / (1.0 + down), ratio * (1.0 + up))
    assert judge_treatment(evidence).words not in {"confirmed", "contradicted"}


def test_the_page_holds_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "verdicts.md"
    assert as_markdown(TREATMENT_RULES) in page.read_text(encoding="utf-8")
