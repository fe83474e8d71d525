"""The published table of rules for a claim that a prediction model is highly accurate.

The bounds were chosen before any data were read. "High" begins at an area under the curve (AUC) of
0.8, where Hosmer, Lemeshow and Sturdivant (2013) begin to say "excellent"; Swets (1988) asks for
0.9. A calibration slope between 0.8 and 1.25 means that predicted differences between patients are
right to within a quarter. All are of performance corrected for optimism.

References
----------
Hosmer DW, Lemeshow S, Sturdivant RX (2013) Applied logistic regression, 3rd ed. Wiley. Swets JA
(1988) Measuring the accuracy of diagnostic systems. Science 240:1285-1293.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.studies.verdict_table import Verdict, VerdictRule, verdict_by

__all__ = [
    "ACCEPTABLE",
    "ENOUGH",
    "GAIN",
    "HIGH",
    "MODEL_RULES",
    "SLOPES",
    "THRESHOLDS",
    "ModelEvidence",
    "auc_word",
    "judge_model",
]

HIGH, ACCEPTABLE = 0.8, 0.7
SLOPES = (0.8, 1.25)
THRESHOLDS = (0.1, 0.6)
GAIN = 0.005
ENOUGH = 20
_WANTED = 2  # readings that must agree before the claim is confirmed or contradicted

MODEL_RULES = (
    VerdictRule(
        "not judged",
        "not judged here",
        "No model could be made and validated.",
        "Nothing follows from this report, in either direction.",
    ),
    VerdictRule(
        "too few",
        "cannot be judged: too few events",
        f"Fewer than {ENOUGH} patients with the outcome, or without it, or no limits exist.",
        "With so few the correction for optimism is itself a guess.",
    ),
    VerdictRule(
        "confirmed",
        "confirmed",
        f"The corrected AUC and its lower limit are {HIGH:g} or more, the corrected calibration "
        f"slope is between {SLOPES[0]:g} and {SLOPES[1]:g}, and at some threshold from "
        f"{100 * THRESHOLDS[0]:g} % to {100 * THRESHOLDS[1]:g} % the corrected net benefit is at "
        f"least {GAIN:g} above treating all and treating none: all three, with the printed "
        "cut-offs taken as fixed and with every step of the study repeated.",
        "The model would rank, and predict, new patients of this kind well.",
    ),
    VerdictRule(
        "contradicted",
        "contradicted",
        f"The corrected AUC and its upper limit are below {HIGH:g}, both with the printed cut-offs "
        "taken as fixed and with every step repeated.",
        "In new patients of this kind the model would not be highly accurate.",
    ),
    VerdictRule(
        "compatible",
        "compatible, not shown",
        "Everything else.",
        "The data neither show high accuracy nor rule it out.",
    ),
)


@dataclass(frozen=True)
class ModelEvidence:
    """Corrected performance of the model under one reading of how it was made.

    Attributes
    ----------
    reading : str
        In words: how the model was made.
    auc, conf_low, conf_high, slope : float
        Corrected; missing where they are undefined.
    gain : float
        Largest corrected net benefit above the better of treating all and none, over thresholds
        in ``THRESHOLDS``.
    """

    reading: str
    auc: float
    conf_low: float
    conf_high: float
    slope: float
    gain: float

    @property
    def high(self) -> bool:
        """Whether all three conditions of high accuracy are met."""
        return (
            min(self.auc, self.conf_low) >= HIGH
            and SLOPES[0] <= self.slope <= SLOPES[1]
            and self.gain >= GAIN
        )

    @property
    def ruled_out(self) -> bool:
        """Whether high accuracy is ruled out."""
        return max(self.auc, self.conf_high) < HIGH


def auc_word(auc: float) -> str:
    """Return Hosmer and Lemeshow's word for an AUC."""
    if auc >= HIGH:
        return "excellent"
    return "acceptable" if auc >= ACCEPTABLE else "poor"


def judge_model(readings: tuple[ModelEvidence, ...], *, rarer: int) -> Verdict:
    """Apply the table of rules.

    Parameters
    ----------
    readings : tuple of ModelEvidence
        One a way of making the model, those that could be validated.
    rarer : int
        Patients of the rarer outcome.
    """
    if not readings:
        return _verdict("not judged", "No model could be made and validated.")
    if rarer < ENOUGH:
        return _verdict("too few", f"{rarer} patient{'s' * (rarer != 1)} of the rarer outcome.")
    if any(math.isnan(r.conf_low) or math.isnan(r.conf_high) for r in readings):
        return _verdict("too few", "The corrected AUC has no limits.")
    because = "; ".join(_words(reading) for reading in readings) + "."
    if len(readings) >= _WANTED:
        if all(reading.high for reading in readings):
            return _verdict("confirmed", because)
        if all(reading.ruled_out for reading in readings):
            return _verdict("contradicted", because)
    return _verdict("compatible", because)


def _words(reading: ModelEvidence) -> str:
    interval = fmt_interval(reading.conf_low, reading.conf_high)
    return (
        f"{reading.reading}: corrected AUC {fmt_number(reading.auc)} ({interval}), calibration "
        f"slope {fmt_number(reading.slope)}, largest gain in net benefit "
        f"{fmt_number(reading.gain, 3)}"
    )


def _verdict(name: str, because: str) -> Verdict:
    return verdict_by(MODEL_RULES, name, because)
