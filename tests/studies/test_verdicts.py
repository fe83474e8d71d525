"""The table of rules: what it says, and that the words follow from it."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.studies.verdict_table import as_markdown
from rnetstats.studies.verdicts import (
    RULES,
    Evidence,
    compare_print,
    events_text,
    holm,
    judge,
    not_judged,
)

NAN = math.nan


def evidence(
    low: float = 1.2,
    high: float = 4.0,
    *,
    direction: str = "greater",
    n_events: int = 12,
    smallest: int = 100,
    fewest: int = 5,
    p_exact: float = NAN,
) -> Evidence:
    return Evidence(direction, n_events, smallest, ((low, high),), 0.01, fewest, p_exact)


@pytest.mark.parametrize(
    ("case", "p", "rule"),
    [
        (evidence(), 0.049, "confirmed"),
        (evidence(), 0.05, "compatible"),
        (evidence(0.2, 0.8), 0.01, "contradicted"),
        (evidence(0.2, 0.8, direction="less"), 0.01, "confirmed"),
        (evidence(1.2, 4.0, direction="less"), 0.01, "contradicted"),
        (evidence(0.2, 3.0), 0.6, "too wide"),
        (evidence(0.5, 2.0), 0.9, "too wide"),
        (evidence(0.51, 9.0), 0.2, "compatible"),
        (evidence(0.2, 1.9), 0.2, "compatible"),
        (evidence(n_events=4), 0.001, "too few"),
        (evidence(n_events=5), 0.001, "confirmed"),
        (evidence(smallest=4), 0.001, "too few"),
        (evidence(), NAN, "too few"),
        (evidence(0.0, 0.9, direction="any"), 0.01, "confirmed"),
        (evidence(0.4, 0.9, direction="any"), 0.3, "compatible"),
        (evidence(1.2, math.inf), 0.001, "confirmed"),
    ],
)
def test_the_first_rule_that_fits_decides(case: Evidence, p: float, rule: str) -> None:
    verdict = judge(case, p)
    assert verdict.rule == rule
    assert verdict.words == next(r.words for r in RULES if r.name == rule)
    assert verdict.because


@pytest.mark.parametrize(
    ("case", "p", "p_model", "rule"),
    [
        (evidence(fewest=4), 0.2, 0.001, "sparse arm"),
        (evidence(fewest=5), 0.2, 0.001, "compatible"),
        (evidence(fewest=1, p_exact=0.001), 0.006, 0.001, "confirmed"),
        (evidence(fewest=1, p_exact=0.03), 0.18, 0.001, "sparse arm"),
        (evidence(fewest=1, p_exact=0.03), 0.18, 0.06, "compatible"),
        (evidence(0.2, 0.8, fewest=0, p_exact=0.001), 0.01, 0.01, "contradicted"),
        (evidence(0.2, 0.8, fewest=4, p_exact=0.03), 0.18, 0.01, "sparse arm"),
        (evidence(0.2, 3.0, fewest=4, p_exact=0.03), 0.18, 0.01, "too wide"),
        (evidence(0.9, 3.0, fewest=4, p_exact=0.001), 0.01, 0.01, "compatible"),
        (evidence(0.4, 0.9, direction="any", fewest=2), 1.0, 0.01, "sparse arm"),
        (evidence(0.4, 0.9, direction="any", fewest=2, p_exact=0.001), 0.01, 0.01, "confirmed"),
        (evidence(fewest=1, n_events=4, p_exact=0.0001), 0.001, 0.001, "too few"),
    ],
)
def test_a_sparse_arm_needs_an_exact_test(
    case: Evidence, p: float, p_model: float, rule: str
) -> None:
    verdict = judge(case, p, p_model)
    assert verdict.rule == rule
    if rule in ("confirmed", "contradicted"):
        assert "an exact test agrees" in verdict.because
    if rule == "sparse arm":
        assert f"{events_text(case.fewest_events)} in one arm" in verdict.because
        assert ("no exact test can be had" in verdict.because) is math.isnan(case.p_exact)


ON = "the interval lies wholly on the claimed side"
OFF = "the interval lies wholly on the other side"
WIDE = "The interval contains no effect, a halving and a doubling."


@pytest.mark.parametrize(
    ("case", "p", "p_model", "because"),
    [
        (evidence(), 0.049, NAN, f"adjusted P = 0.049; {ON}."),
        (evidence(0.2, 0.8), 0.00001, NAN, f"adjusted P <0.001; {OFF}."),
        (evidence(0.2, 0.8, direction="any"), 0.01, NAN, "adjusted P = 0.010; joint test over all "
         "levels."),
        (evidence(), 0.2, NAN, "adjusted P = 0.20; the interval taken alone leaves no effect out, "
         "but not after allowance for all claims."),
        (evidence(0.51, 9.0), 0.2, NAN, "adjusted P = 0.20."),
        (evidence(1.0, 9.0), 0.2, NAN, "adjusted P = 0.20."),
        (evidence(0.1, 1.0), 0.2, NAN, "adjusted P = 0.20."),
        (evidence(0.4, 0.9, direction="any"), 0.3, NAN, "adjusted P = 0.30."),
        (evidence(n_events=4), 0.01, NAN, "4 events in total."),
        (evidence(n_events=1), 0.01, NAN, "1 event in total."),
        (evidence(n_events=0), 0.01, NAN, "No event in total."),
        (evidence(smallest=4), 0.01, NAN, "4 patients in the smallest group."),
        (evidence(smallest=1), 0.01, NAN, "1 patient in the smallest group."),
        (evidence(), NAN, NAN, "No estimate exists."),
        (evidence(0.2, 3.0), 0.6, NAN, WIDE),
        (evidence(fewest=1, p_exact=0.03), 0.18, 0.001, f"{ON}; 1 event in one arm, and an exact "
         "test does not agree (P = 0.030)."),
        (evidence(fewest=0), 0.18, 0.001, f"{ON}; no event in one arm, and no exact test can be "
         "had."),
        (evidence(fewest=4, p_exact=0.001), 0.006, 0.001, f"adjusted P = 0.006; {ON}; 4 events in "
         "one arm, and an exact test agrees (P = 0.001)."),
    ],
)  # fmt: skip
def test_the_reason_is_said_in_full(case: Evidence, p: float, p_model: float, because: str) -> None:
    assert judge(case, p, p_model).because == because


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0) | st.just(NAN), st.integers(0, 12))
def test_the_judged_p_is_never_below_the_exact_one_where_it_counts(
    p: float, p_exact: float, fewest: int
) -> None:
    case = Evidence("greater", 12, 100, ((1.2, 4.0),), p, fewest, p_exact)
    assert case.p_judged >= p
    if fewest < 5:
        assert case.p_judged >= (1.0 if math.isnan(p_exact) else p_exact)
    else:
        assert case.p_judged == p
    assert math.isnan(Evidence("greater", 12, 100, (), NAN, fewest, p_exact).p_judged)


def test_a_claim_without_an_estimate_is_not_judged_by_one() -> None:
    assert judge(Evidence("greater", 50, 50, (), NAN, 25), NAN).rule == "too few"
    assert not_judged("why").words == "not judged here"
    assert compare_print(True, "why").rule == "agrees"
    assert compare_print(False, "why").rule == "differs"


def test_holm_by_hand_with_a_missing_claim() -> None:
    found = holm({"a": 0.01, "b": 0.04, "c": NAN, "d": 0.005})
    assert found["d"] == pytest.approx(0.02)
    assert found["a"] == pytest.approx(0.03)
    assert found["b"] == pytest.approx(0.08)
    assert math.isnan(found["c"])


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p: list[float]) -> None:
    found = holm({str(k): value for k, value in enumerate(p)})
    values = list(found.values())
    assert all(new >= old for new, old in zip(values, p, strict=True))
    assert all(0.0 <= value <= 1.0 for value in values)
    order = sorted(range(len(p)), key=p.__getitem__)
    assert all(values[i] <= values[j] for i, j in pairwise(order))


@given(
    st.floats(0.01, 50.0),
    st.floats(1.0, 50.0),
    st.floats(0.0, 1.0),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_nothing_is_confirmed_against_its_interval(
    low: float, width: float, p: float, n_events: int, smallest: int
) -> None:
    case = evidence(low, low * width, n_events=n_events, smallest=smallest)
    verdict = judge(case, p)
    if verdict.rule == "confirmed":
        assert low > 1.0
        assert p < 0.05
        assert min(n_events, smallest) >= 5
    if verdict.rule == "contradicted":
        assert low * width < 1.0
        assert p < 0.05
    mirrored = Evidence("less", n_events, smallest, ((1 / (low * width), 1 / low),), p, 5)
    assert judge(mirrored, p).rule == verdict.rule


def test_the_documentation_holds_the_same_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "verdicts.md"
    if not page.exists():
        pytest.skip("the documentation stands in the checkout only")
    text = page.read_text(encoding="utf-8")
    assert as_markdown(RULES) in text


@pytest.mark.parametrize(("n", "said"), [(0, "No event"), (1, "1 event"), (4, "4 events")])
def test_few_events_are_counted_in_words(n: int, said: str) -> None:
    few = Evidence("greater", n, 100, ((1.5, 3.0),), 0.01, n)
    assert judge(few, 0.01).because == f"{said} in total."
    alone = Evidence("greater", 50, 1, ((1.5, 3.0),), 0.01, 20)
    assert judge(alone, 0.01).because == "1 patient in the smallest group."
