"""The published table of rules for claims that no patient row can decide.

Most papers come without their data. What can be asked of them is whether a claim follows from what
is printed, whether it could, or whether the design leaves it open whatever the numbers are. The
rules name which of these holds; none of them says that a claim is true of patients.

References
----------
Manski CF (2003) Partial Identification of Probability Distributions. Springer (what printed
figures leave open is a set, and a claim holds in all of it, in none of it, or in a part).
"""

from __future__ import annotations

from rnetstats.studies.verdict_table import Verdict, VerdictRule, verdict_by

__all__ = ["EVIDENCE_RULES", "evidence_verdict", "judge_worlds"]

EVIDENCE_RULES = (
    VerdictRule(
        "not in print",
        "not in print",
        "The claim is stated in words only, or the figure that would decide it is not printed.",
        "Nothing can be checked. The claim may be right or wrong.",
    ),
    VerdictRule(
        "not comparable",
        "the groups cannot be compared",
        "Which group a patient is in was almost determined by what was known beforehand, so that "
        "patients alike in everything but the group hardly exist (a c statistic of at least 0.8, "
        "or an arm that is worth less than half of its patients after weighting).",
        "No adjustment can repair this; a difference, or the lack of one, says nothing of the "
        "treatment.",
    ),
    VerdictRule(
        "design",
        "cannot be judged: the design decides",
        "The comparison mixes in time in which nobody could have had the event, patients seen only "
        "because they had it, or groups that differ in how they were observed.",
        "The result would look alike whether the claim is true or not; the sentence names the "
        "reason.",
    ),
    VerdictRule(
        "bound only",
        "a bound, no comparison",
        "No event in one arm, or in any.",
        "The risk has an upper bound. No difference, and no equality, has been shown.",
    ),
    VerdictRule(
        "conflicts",
        "conflicts with the print",
        "The claim fails in every table of counts that agrees with the printed figures.",
        "Either the claim or one of the figures is wrong.",
    ),
    VerdictRule(
        "follows",
        "follows from the print",
        "The claim holds in every table of counts that agrees with the printed figures.",
        "The figures carry the claim as a statement on these patients; nothing is said on causes.",
    ),
    VerdictRule(
        "left open",
        "left open by the print",
        "Everything else: the claim holds in some tables that agree with the printed figures, and "
        "fails in others.",
        "A reader cannot know. The sentence says what would have to be printed.",
    ),
)


def evidence_verdict(name: str, because: str) -> Verdict:
    """Return the verdict of the rule with this name, and why."""
    return verdict_by(EVIDENCE_RULES, name, because)


def judge_worlds(holds: int, worlds: int, because: str) -> Verdict:
    """Judge a claim that holds in ``holds`` of all ``worlds`` tables that agree with the print.

    Without any such table the printed figures contradict each other, so the claim conflicts too.
    """
    counted = f"It holds in {holds:,} of {worlds:,} possible tables. {because}"
    if worlds == 0 or holds == 0:
        return evidence_verdict("conflicts", counted)
    return evidence_verdict("follows" if holds == worlds else "left open", counted)
