"""A claim with its evidence, and the frames that a report reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.studies.verdict_table import Verdict
from rnetstats.studies.verdicts import Evidence, events_text, holm, judge

__all__ = ["Contrast", "Finding", "estimate_text", "frames"]


@dataclass(frozen=True)
class Contrast:
    """One estimated ratio, group 1 against group 0, with its counts."""

    label: str
    measure: str
    estimate: float
    conf_low: float
    conf_high: float
    events_1: int
    n_1: int
    events_0: int
    n_0: int

    @classmethod
    def of(
        cls,
        row: Mapping[str, Any],
        label: str,
        group_1: tuple[int, int],
        group_0: tuple[int, int],
        measure: str = "OR",
    ) -> Contrast:
        """Take estimate and limits from a row of a fit.

        Parameters
        ----------
        row : mapping
            ``estimate, conf_low, conf_high``.
        label : str
        group_1, group_0 : tuple of int
            Events and patients of each.
        measure : str
        """
        estimate, low, high = (float(row[key]) for key in ("estimate", "conf_low", "conf_high"))
        return cls(label, measure, estimate, low, high, *group_1, *group_0)

    @property
    def interval(self) -> tuple[float, float]:
        """The limits."""
        return (self.conf_low, self.conf_high)


@dataclass(frozen=True)
class Finding:
    """What one claim says, and what the data hold on it.

    Attributes
    ----------
    key, statement, endpoint, estimand, method : str
    events : str
        Events per arm, in words; they name their endpoint.
    said : str
        What the data show, as a sentence.
    direction : {"greater", "less", "any"}
        Side of no effect that the claim asserts.
    n_events, smallest, fewest : int
        Events in total, patients in the smallest group, events of the arm with fewest.
    contrasts : tuple of Contrast
    p_value, p_exact : float
        By the method of the limits, and by an exact test where an arm has few events.
    fixed : Verdict or None
        A verdict that no estimate decides: not judged, or a check of a printed figure.
    in_family : bool
        Of a fixed verdict: an estimate would have decided it, but these data give none. The claim
        stays in the family whose P values are adjusted together.
    """

    key: str
    statement: str
    endpoint: str
    estimand: str
    method: str
    events: str
    said: str
    direction: str = "any"
    n_events: int = 0
    smallest: int = 0
    fewest: int = 0
    contrasts: tuple[Contrast, ...] = field(default=())
    p_value: float = math.nan
    p_exact: float = math.nan
    fixed: Verdict | None = None
    shown: str = ""
    in_family: bool = False

    @property
    def evidence(self) -> Evidence:
        """What the rules look at."""
        intervals = tuple(c.interval for c in self.contrasts)
        return Evidence(
            direction=self.direction,
            n_events=self.n_events,
            smallest_group=self.smallest,
            intervals=intervals,
            p_value=self.p_value,
            fewest_events=self.fewest,
            p_exact=self.p_exact,
        )


def estimate_text(contrasts: Sequence[Contrast], *, named: bool) -> str:
    """Return ``HR 3.10 (1.02 to 10.4)``, one after the other."""
    parts = []
    for c in contrasts:
        text = f"{c.measure} {fmt_number(c.estimate)} ({fmt_interval(c.conf_low, c.conf_high)})"
        parts.append(f"{c.label}: {text}" if named else text)
    return "; ".join(parts)


def frames(findings: Sequence[Finding], *, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge the findings together and return the frames ``claims`` and ``estimates``.

    Parameters
    ----------
    findings : sequence of Finding
    where : str
        How a verdict's sentence begins: ``"In these data"``.
    """
    judged = [finding for finding in findings if _judged(finding)]
    adjusted = holm({finding.key: finding.evidence.p_judged for finding in judged})
    by_model = holm({finding.key: finding.p_value for finding in judged})
    rows = []
    for finding in findings:
        p = adjusted.get(finding.key, math.nan)
        model = by_model.get(finding.key, math.nan)
        verdict = finding.fixed or judge(finding.evidence, p, model)
        rows.append(_row(finding, verdict, p, where))
    contrasts = [
        {"claim": finding.key, "contrast": c.label, **_numbers(c)}
        for finding in findings
        for c in finding.contrasts
    ]
    columns = ["claim", "contrast", *_NUMBERS]
    return pd.DataFrame(rows), pd.DataFrame(contrasts, columns=columns)


def _judged(finding: Finding) -> bool:
    """Whether a claim is of the family whose P values are adjusted together."""
    return finding.fixed is None or finding.in_family


_NUMBERS = (
    "measure",
    "estimate",
    "conf_low",
    "conf_high",
    "events_1",
    "n_1",
    "events_0",
    "n_0",
)


def _numbers(contrast: Contrast) -> dict[str, Any]:
    return {name: getattr(contrast, name) for name in _NUMBERS}


def _row(finding: Finding, verdict: Verdict, p: float, where: str) -> dict[str, Any]:
    several = len(finding.contrasts) > 1
    text = finding.shown or estimate_text(finding.contrasts, named=several) or "none"
    closing = _closing(finding, verdict, where)
    return {
        "claim": finding.key,
        "statement": finding.statement,
        "endpoint": finding.endpoint,
        "estimand": finding.estimand,
        "events": finding.events,
        "n_events": finding.n_events,
        "fewest_events": finding.fewest,
        "estimate_text": text,
        "p_value": finding.p_value,
        "p_text": fmt_p(finding.p_value),
        "p_exact": finding.p_exact,
        "p_exact_text": fmt_p(finding.p_exact),
        "p_adjusted": p,
        "p_adjusted_text": fmt_p(p),
        "method": finding.method,
        "verdict": verdict.words,
        "rule": verdict.rule,
        "because": verdict.because,
        "judged": _judged(finding),
        "sentence": f"{finding.said} {closing}".strip(),
    }


def _closing(finding: Finding, verdict: Verdict, where: str) -> str:
    """Return the sentence of a verdict that the rules gave."""
    if finding.fixed is not None:
        return ""
    if verdict.rule in ("confirmed", "contradicted"):
        return f"{where} the claim is {verdict.rule}{_size(finding)}."
    if verdict.rule == "sparse arm":
        return (
            f"{where} the claim is suggested only{_pointing(finding)}: one arm has too few events, "
            "and no exact test agrees."
        )
    if verdict.rule == "compatible":
        return f"{where} the claim is possible but not shown{_pointing(finding)}."
    return f"{where} the claim cannot be judged: there are too few events."


def _size(finding: Finding) -> str:
    """Say what few events in one arm leave open."""
    if not finding.evidence.sparse:
        return ""
    counted = events_text(finding.fewest)
    exact = "an exact test" if finding.fewest == 0 else "an exact test too"
    low, high = finding.contrasts[0].interval if finding.contrasts else (math.nan, math.nan)
    if low == 0.0 or math.isinf(high):
        return f", by {exact}; with {counted} in one arm the size has one bound only"
    return f", by {exact}; with {counted} in one arm the size of the effect is not known"


def _pointing(finding: Finding) -> str:
    if finding.direction == "any" or not finding.contrasts:
        return ""
    estimate = finding.contrasts[0].estimate
    claimed = estimate > 1.0 if finding.direction == "greater" else estimate < 1.0
    return "" if claimed else "; the estimate points the other way"
