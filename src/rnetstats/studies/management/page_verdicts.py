"""The published table of rules for what a page of advice says of one case.

Nothing on such a page is an estimate. What can be asked is whether the guidelines at hand give the
same step to the same patient, what they ask for first, and whether a sentence is one of theirs. No
rule says that a step is right.
"""

from __future__ import annotations

from collections.abc import Iterable

from rnetstats.studies.management.decide import Answer
from rnetstats.studies.management.vocabulary import STEP
from rnetstats.studies.verdict_table import Verdict, VerdictRule, verdict_by

__all__ = ["PAGE_RULES", "judge_step", "page_verdict"]

PAGE_RULES = (
    VerdictRule(
        "transferred",
        "transferred from another disease",
        "The sentence equals one of a guideline for another disease, and no guideline for this one "
        "that is at hand has it.",
        "It may be sensible; it was not made for these patients.",
    ),
    VerdictRule(
        "no rule",
        "no rule at hand",
        "No guideline at hand has a rule for it.",
        "Nothing follows: the sources at hand are second-hand and not complete.",
    ),
    VerdictRule(
        "another step",
        "another step by a guideline",
        "At least one guideline with a rule for the case gives another step.",
        "Guidelines differ on such a patient.",
    ),
    VerdictRule(
        "more comes first",
        "the same step, but more comes first",
        "Every guideline with a rule for the case gives the same step, and at least one asks for "
        "something to be established before it that the page does not ask for.",
        "The page is in line with them on what to do, not on what to know before.",
    ),
    VerdictRule(
        "same step",
        "the same step",
        "Every guideline with a rule for the case gives the same step, and asks for nothing else.",
        "The page is in line with the guidelines; whether they are right is another question.",
    ),
)


def page_verdict(name: str, because: str) -> Verdict:
    """Return the verdict of the rule with this name, and why."""
    return verdict_by(PAGE_RULES, name, because)


def judge_step(page: Answer, others: dict[str, Answer]) -> Verdict:
    """Judge the page's step by those that guidelines give the same patient.

    Parameters
    ----------
    page : Answer
    others : dict
        By the guideline's name.
    """
    with_step = {name: answer for name, answer in others.items() if answer.answer == STEP}
    if page.answer != STEP or not with_step:
        return page_verdict("no rule", "No guideline at hand has a step for this patient.")
    different = {n: a.step for n, a in with_step.items() if a.step != page.step}
    if different:
        told = "; ".join(f"{name}: {step}" for name, step in different.items())
        return page_verdict("another step", f"The page: {page.step}; {told}.")
    first = _first(with_step.values(), page)
    by = " and ".join(with_step)
    if first:
        return page_verdict("more comes first", f"{by} give it, too, but first: {first}.")
    return page_verdict("same step", f"{by} give it, too.")


def _first(others: Iterable[Answer], page: Answer) -> str:
    """Return what others ask for first and the page does not."""
    asked = [item for answer in others for item in answer.open.split("; ") if item]
    return ", ".join(dict.fromkeys(item for item in asked if item not in page.open))
