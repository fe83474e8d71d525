"""What the page says of its case, sentence by sentence, with a verdict by the table of rules."""

from __future__ import annotations

from rnetstats.evidence.facts import FactSheet
from rnetstats.studies.finding import Finding
from rnetstats.studies.management.decide import Answer
from rnetstats.studies.management.page_verdicts import judge_step, page_verdict
from rnetstats.studies.management.vocabulary import STEP
from rnetstats.studies.verdict_table import Verdict

__all__ = ["page_findings"]


def page_findings(sheet: FactSheet, answers: dict[str, Answer]) -> list[Finding]:
    """Return the page's sentences with their verdicts.

    Parameters
    ----------
    sheet : FactSheet
    answers : dict
        What the page (first) and the guidelines say of the case, by name.
    """
    (_, page), *others = answers.items()
    return [_step(sheet, page, dict(others)), _adjuvant(sheet), _follow_up(sheet, page)]


def _step(sheet: FactSheet, page: Answer, others: dict[str, Answer]) -> Finding:
    verdict = judge_step(page, others)
    told = [
        f"{name}: {answer.words}" if answer.answer == STEP else f"{name}: no step"
        for name, answer in others.items()
    ]
    return _finding(
        "tme",
        "The next step for this patient is completion TME",
        "Applied to the same patient, the rules at hand say: "
        f"{'; '.join(told)}. The page leaves out the {page.omits}. Whether the patient, who "
        f"{sheet['case_preference'].value}, is fit for it no rule settles.",
        verdict,
    )


def _adjuvant(sheet: FactSheet) -> Finding:
    return _finding(
        "adjuvant",
        "Adjuvant treatment follows if nodes are positive",
        f"The page’s words: {sheet['page_answer'].value}. None of the rules at hand speaks of "
        "adjuvant treatment.",
        page_verdict("no rule", "No rule sheet has a cell for it."),
    )


def _follow_up(sheet: FactSheet, page: Answer) -> Finding:
    source = sheet["page_follow_up_source"]
    return _finding(
        "follow_up",
        f"Follow-up by “{sheet['page_guideline'].value}”: {sheet['page_follow_up'].value}",
        f"The schedule {source.value} ({source.where}). It stands here as “"
        f"{sheet['page_label'].value}”. Intervals after resection of a neuroendocrine tumour are "
        f"not known from the guidelines at hand. The rule sheet has: {page.follow_up}.",
        page_verdict("transferred", f"{source.label}: it {source.value}."),
    )


def _finding(key: str, statement: str, said: str, verdict: Verdict) -> Finding:
    return Finding(
        key=key,
        statement=statement,
        endpoint="None: a step, not an outcome",
        estimand="The step that guideline rules give the page’s patient",
        method="Rules as data, applied to the case",
        events="none: rules count no events",
        said=said,
        fixed=verdict,
        shown="none",
    )
