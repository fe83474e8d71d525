"""Rules for claims that no patient row can decide."""

from __future__ import annotations

import pytest

from guides import DOCS, beside
from rnetstats.studies.evidence_verdicts import EVIDENCE_RULES, evidence_verdict, judge_worlds
from rnetstats.studies.verdict_table import as_markdown


@pytest.mark.parametrize(
    ("holds", "worlds", "rule"),
    [
        (0, 0, "conflicts"),
        (0, 9, "conflicts"),
        (1, 9, "left open"),
        (8, 9, "left open"),
        (1, 1, "follows"),
    ],
)
def test_a_claim_is_judged_by_the_worlds_in_which_it_holds(
    holds: int, worlds: int, rule: str
) -> None:
    verdict = judge_worlds(holds, worlds, "Counted by hand.")
    assert verdict.rule == rule
    assert verdict.because.startswith(f"It holds in {holds} of {worlds} possible tables.")


def test_no_rule_calls_a_claim_true_of_patients() -> None:
    words = {rule.words for rule in EVIDENCE_RULES}
    assert len(words) == len(EVIDENCE_RULES)
    assert not words & {"confirmed", "contradicted"}
    assert evidence_verdict("design", "Immortal time.").because == "Immortal time."


@beside(DOCS / "verdicts.md")
def test_the_rules_stand_in_the_documentation() -> None:
    page = (DOCS / "verdicts.md").read_text(encoding="utf-8")
    assert as_markdown(EVIDENCE_RULES) in page
