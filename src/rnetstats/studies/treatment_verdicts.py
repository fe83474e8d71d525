"""The published table of rules for a claim that a treatment, chosen by doctors, has an effect.

No rule confirms such a claim, and none refutes it. A time-dependent comparison takes away the time
in which nobody could have been treated; it cannot take away the reasons for which patients were
treated. What the data can show is an association, with the strength that an unmeasured reason
would need to explain it (the E-value), or that they are too few.

References
----------
Hernan MA, Robins JM (2016) Using big data to emulate a target trial when a randomized trial is not
available. Am J Epidemiol 183:758-764. VanderWeele TJ, Ding P (2017) Sensitivity analysis in
observational research: introducing the E-value. Ann Intern Med 167:268-274.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.studies.verdict_table import Verdict, VerdictRule, verdict_by
from rnetstats.studies.verdicts import DOUBLING, HALVING, MINIMUM, events_text

__all__ = ["ASSOCIATION_RULES", "TREATMENT_RULES", "TreatmentEvidence", "judge_treatment"]

TREATMENT_RULES = (
    VerdictRule(
        "not judged",
        "not judged here",
        "No patient was treated, the day of treatment is not known, or no estimate exists.",
        "Nothing follows from this report, in either direction.",
    ),
    VerdictRule(
        "too few",
        "cannot be judged: too few events",
        f"Fewer than {MINIMUM} events after treatment, or fewer than {MINIMUM} before or without "
        "it.",
        "A study of this size could not have answered the question.",
    ),
    VerdictRule(
        "too wide",
        "cannot be judged: too few events",
        "The interval of the time-dependent hazard ratio contains no effect, a halving and a "
        f"doubling (it reaches from {HALVING:g} or below to {DOUBLING:g} or above).",
        "The data agree with a strong benefit, with none, and with a strong harm.",
    ),
    VerdictRule(
        "association against",
        "an association the other way, not an effect",
        "The interval lies wholly above a hazard ratio of 1.",
        "Treated patients fared worse than those not yet or never treated. That they were at "
        "higher risk to begin with may explain it, so it does not show harm either.",
    ),
    VerdictRule(
        "association only",
        "an association, not an effect",
        "The interval lies wholly below a hazard ratio of 1.",
        "Treated patients fared better than those not yet or never treated. Doctors chose whom to "
        "treat: a reason that was not measured may explain it, and the E-value says how strong it "
        "would have to be.",
    ),
    VerdictRule(
        "compatible",
        "compatible, not shown",
        "Everything else.",
        "The data neither show the claim nor speak against it beyond chance.",
    ),
)

ASSOCIATION_RULES = tuple(
    replace(rule, when=rule.when.replace("a hazard ratio", "an odds ratio"))
    for rule in TREATMENT_RULES
    if rule.name.startswith("association")
)
"""Where studies are compared by an odds ratio: what stands for "confirmed" and "contradicted"."""


@dataclass(frozen=True)
class TreatmentEvidence:
    """What a claim on a treatment's benefit is judged by.

    Attributes
    ----------
    events_treated, events_untreated : int
        Events after treatment, and before or without it.
    estimate, conf_low, conf_high : float
        The time-dependent hazard ratio; missing where there is none.
    e_value : float
        Of the limit nearer to no effect; 1 where the interval contains it, missing without one.
    """

    events_treated: int
    events_untreated: int
    estimate: float
    conf_low: float
    conf_high: float
    e_value: float = math.nan


def judge_treatment(evidence: TreatmentEvidence | None, *, missing: str = "") -> Verdict:
    """Apply the table of rules; without evidence ``missing`` says why there is none."""
    if evidence is None:
        why = missing or "No treatment, or no day of treatment, in these data."
        return _verdict("not judged", why)
    counts = (
        f"{events_text(evidence.events_treated)} after treatment, "
        f"{events_text(evidence.events_untreated)} before or without it"
    )
    if min(evidence.events_treated, evidence.events_untreated) < MINIMUM:
        return _verdict("too few", f"{counts}.")
    low, high = evidence.conf_low, evidence.conf_high
    if math.isnan(low) or math.isnan(high):
        return _verdict("not judged", f"{counts}; no interval exists.")
    ratio = f"hazard ratio {fmt_number(evidence.estimate)} ({fmt_interval(low, high)})"
    if low <= HALVING and high >= DOUBLING:
        return _verdict("too wide", f"{counts}; {ratio}.")
    if low > 1.0:
        return _verdict("association against", f"{counts}; {ratio}.")
    if high < 1.0:
        strength = "" if math.isnan(evidence.e_value) else f"; E-value {evidence.e_value:.2f}"
        return _verdict("association only", f"{counts}; {ratio}{strength}.")
    return _verdict("compatible", f"{counts}; {ratio}.")


def _verdict(name: str, because: str) -> Verdict:
    return verdict_by(TREATMENT_RULES, name, because)
