"""The published table of rules that turns an estimate into a verdict's words.

The rules are applied in the order of the table; the first that fits decides. Claims are judged
together: P values are adjusted by Holm (1979) over the whole family of claims of the report, the
ones that could not be estimated included, so that under a truth in which nothing holds a report
confirms *any* claim in at most 5 % of cohorts.

References
----------
Holm S (1979) A simple sequentially rejective multiple test procedure. Scand J Stat 6:65-70.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rnetstats.formatting import fmt_p
from rnetstats.studies.verdict_table import Verdict, VerdictRule, verdict_by
from rnetstats.tables.p_adjust import p_adjust

__all__ = [
    "FAMILY_LEVEL",
    "MINIMUM",
    "RULES",
    "Evidence",
    "compare_print",
    "events_text",
    "holm",
    "judge",
    "not_judged",
]

FAMILY_LEVEL = 0.05
MINIMUM = 5
HALVING, DOUBLING = 0.5, 2.0


RULES = (
    VerdictRule(
        "not judged",
        "not judged here",
        "The claim needs an analysis that this report does not contain, or the study printed no "
        "result that could be checked.",
        "Nothing follows from this report, in either direction.",
    ),
    VerdictRule(
        "agrees",
        "agrees with the print",
        "A printed figure, checked by arithmetic or against the file, is met at the printed number "
        "of decimals.",
        "The print is consistent; nothing is said about causes.",
    ),
    VerdictRule(
        "differs",
        "differs from the print",
        "A printed figure is not met at the printed number of decimals.",
        "The sentence says how it differs; a file of other patients will differ, too.",
    ),
    VerdictRule(
        "too few",
        "cannot be judged: too few events",
        f"Fewer than {MINIMUM} events in total, or fewer than {MINIMUM} patients in a group that "
        "is compared, or no estimate exists.",
        "A study of this size could not have answered the question.",
    ),
    VerdictRule(
        "confirmed",
        "confirmed",
        "The interval lies wholly on the claimed side of no effect, and the P value, adjusted for "
        f"all claims judged together (Holm), is below {FAMILY_LEVEL:g}. A claim about several "
        "levels has no side: its joint test decides. "
        f"Where an arm has fewer than {MINIMUM} events, an exact test must agree: the larger of "
        "its P value and the model's is the one adjusted.",
        "In these data the difference is larger than chance among all claims would produce.",
    ),
    VerdictRule(
        "contradicted",
        "contradicted",
        "The interval lies wholly on the other side of no effect, and the adjusted P value is "
        f"below {FAMILY_LEVEL:g}, with an exact test where an arm has fewer than {MINIMUM} events.",
        "In these data the difference runs the other way, beyond chance.",
    ),
    VerdictRule(
        "sparse arm",
        "suggested only: too few events in one arm",
        f"An arm has fewer than {MINIMUM} events. The interval lies wholly on one side of no "
        f"effect (or the joint test decides), with the model's adjusted P value below "
        f"{FAMILY_LEVEL:g}, but no exact test agrees.",
        "The estimate points one way. What it rests on, an approximation for many events, does not "
        "hold with so few, and the size is not known.",
    ),
    VerdictRule(
        "too wide",
        "cannot be judged: too few events",
        "The interval contains no effect, a halving and a doubling "
        f"(it reaches from {HALVING:g} or below to {DOUBLING:g} or above).",
        "The data agree with a strong benefit, with none, and with a strong harm.",
    ),
    VerdictRule(
        "compatible",
        "compatible, not shown",
        "Everything else.",
        "The data neither show the claim nor speak against it beyond chance.",
    ),
)


@dataclass(frozen=True)
class Evidence:
    """What a claim is judged by.

    Attributes
    ----------
    direction : {"greater", "less", "any"}
        Side of no effect (a ratio of 1) that the claim asserts; "any" for a joint test.
    n_events : int
        Events in total (for a binary outcome, the rarer outcome).
    smallest_group : int
        Patients in the smallest group compared.
    intervals : tuple of (low, high)
        Limits on the ratio scale, one pair a contrast.
    p_value : float
        By the same method as the limits; missing when there is none.
    fewest_events : int
        Events of the arm that has fewest (for a binary outcome, of either outcome).
    p_exact : float
        P of an exact test of the same question; missing when there is none.
    """

    direction: str
    n_events: int
    smallest_group: int
    intervals: tuple[tuple[float, float], ...]
    p_value: float
    fewest_events: int
    p_exact: float = math.nan

    @property
    def sparse(self) -> bool:
        """Whether an arm has too few events for approximations that need many."""
        return self.fewest_events < MINIMUM

    @property
    def p_judged(self) -> float:
        """The P value to be adjusted: where an arm is sparse, the larger of both tests.

        It is as rarely small by chance as that of the exact test, whatever the other does.
        """
        if math.isnan(self.p_value) or not self.sparse:
            return self.p_value
        return 1.0 if math.isnan(self.p_exact) else max(self.p_value, self.p_exact)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust a family of P values by Holm's step-down method.

    A missing P value counts as 1: a claim that cannot be estimated stays in the family, so that
    the family's size does not depend on the data.

    Parameters
    ----------
    p_values : mapping of str to float

    Returns
    -------
    dict
        Adjusted P values, in the order given; missing ones stay missing.
    """
    filled = [1.0 if math.isnan(p) else p for p in p_values.values()]
    adjusted = dict(zip(p_values, p_adjust(filled, "holm").tolist(), strict=True))
    return {key: math.nan if math.isnan(p) else adjusted[key] for key, p in p_values.items()}


def not_judged(because: str) -> Verdict:
    """Return the verdict of a claim that this report leaves alone."""
    return _verdict("not judged", because)


def compare_print(agrees: bool, because: str) -> Verdict:
    """Return the verdict on a printed figure that was checked."""
    return _verdict("agrees" if agrees else "differs", because)


def judge(evidence: Evidence, p_adjusted: float, p_model: float = math.nan) -> Verdict:
    """Apply the table of rules to one claim.

    Parameters
    ----------
    evidence : Evidence
    p_adjusted : float
        Its ``p_judged``, adjusted for all claims judged together.
    p_model : float
        Its ``p_value``, adjusted likewise; looked at where an arm is sparse.
    """
    if evidence.n_events < MINIMUM:
        counted = events_text(evidence.n_events)
        return _verdict("too few", f"{counted[0].upper()}{counted[1:]} in total.")
    if evidence.smallest_group < MINIMUM:
        size = f"{evidence.smallest_group} patient{'s' * (evidence.smallest_group != 1)}"
        return _verdict("too few", f"{size} in the smallest group.")
    if math.isnan(p_adjusted) or not evidence.intervals:
        return _verdict("too few", "No estimate exists.")
    family = f"adjusted P {_p(p_adjusted)}"
    side = _side(evidence)
    if p_adjusted < FAMILY_LEVEL and side != "none":
        name = "contradicted" if side == "other" else "confirmed"
        return _verdict(name, f"{family}; {_SIDES[side]}{_exact(evidence, agrees=True)}.")
    if evidence.sparse and p_model < FAMILY_LEVEL and side != "none":
        return _verdict("sparse arm", f"{_SIDES[side]}{_exact(evidence, agrees=False)}.")
    if all(low <= HALVING and high >= DOUBLING for low, high in evidence.intervals):
        return _verdict("too wide", "The interval contains no effect, a halving and a doubling.")
    return _verdict("compatible", f"{family}{_near(evidence)}.")


_SIDES = {
    "claimed": "the interval lies wholly on the claimed side",
    "other": "the interval lies wholly on the other side",
    "joint": "joint test over all levels",
}


def events_text(number: int) -> str:
    """Write ``no event``, ``1 event`` or ``4 events``."""
    return "no event" if number == 0 else f"{number} event{'s' * (number != 1)}"


def _exact(evidence: Evidence, *, agrees: bool) -> str:
    """Say what the exact test adds where an arm has few events."""
    if not evidence.sparse:
        return ""
    fewest = f"; {events_text(evidence.fewest_events)} in one arm"
    if math.isnan(evidence.p_exact):
        return f"{fewest}, and no exact test can be had"
    agreed = "an exact test agrees" if agrees else "an exact test does not agree"
    return f"{fewest}, and {agreed} (P {_p(evidence.p_exact)})"


def _side(evidence: Evidence) -> str:
    if evidence.direction == "any":
        return "joint"
    low, high = evidence.intervals[0]
    above, below = low > 1.0, high < 1.0
    if evidence.direction == "less":
        above, below = below, above
    return "claimed" if above else ("other" if below else "none")


def _near(evidence: Evidence) -> str:
    if evidence.direction == "any" or _side(evidence) == "none":
        return ""
    return "; the interval taken alone leaves no effect out, but not after allowance for all claims"


def _p(value: float) -> str:
    text = fmt_p(value)
    return text if text.startswith(("<", ">")) else f"= {text}"


def _verdict(name: str, because: str) -> Verdict:
    return verdict_by(RULES, name, because)
