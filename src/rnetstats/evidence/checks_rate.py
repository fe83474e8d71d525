"""Events, patients and a median follow-up: the least time at risk, and the largest rate."""

from __future__ import annotations

import math

from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    ROUNDING,
    CheckLine,
    Figures,
    compared,
    open_line,
)
from rnetstats.evidence.checks_spans import Span
from rnetstats.formatting import fmt_count, fmt_number, fmt_percent
from rnetstats.tables.exact_rate import exact_rate
from rnetstats.tables.proportion_limits import clopper_pearson_limits

__all__ = ["check_rate"]

_MONTHS = 12.0
_PER = 100.0  # patient-years


def check_rate(figures: Figures) -> list[CheckLine]:
    """Bound the rate of events, given that at least half the patients reached the median.

    A rate that is printed, per 100 patient-years, can be no larger than the events over the least
    possible time at risk.

    References
    ----------
    Garwood F (1936) Fiducial limits for the Poisson distribution. Biometrika 28:437-442.
    """
    names = ("events", "n", "months")
    if not all(figures.known(name) for name in names):
        return [open_line(_printed(figures), f"{figures.missing(*names)}.")]
    events, n = figures.count("events"), figures.count("n")
    months = figures.printed("months")
    if n == 0 or months.value <= 0 or months.relation:
        return [open_line(_printed(figures), "A rate needs patients and a median above 0.")]
    if events > n:
        told = f"{events} patients with events are more than the {n} followed."
        return [CheckLine(_printed(figures), "\u2013", INCONSISTENT, told)]
    years = math.ceil(n / 2) * months.number / _MONTHS
    upper = exact_rate(events, years, conf_level=figures.conf_level).method("central")["conf_high"]
    share = float(clopper_pearson_limits(events, n, figures.conf_level)[1])
    level = f"{100 * figures.conf_level:g} %"
    recomputed = (
        f"at least {fmt_count(round(years))} patient-years, rate at most "
        f"{fmt_number(_PER * float(upper), 2)} per 100"
    )
    told = (
        f"If at least half of {n} were followed for {months.text} months, the time at risk is at "
        f"least {fmt_count(round(years))} patient-years, so the rate is at most "
        f"{fmt_number(_PER * float(upper), 2)} per 100 patient-years and the share at most "
        f"{fmt_percent(share)} (upper {level} limits)"
    )
    if not figures.known("rate"):
        why = "; no rate is printed to be checked" if not figures.given("rate") else ""
        return [open_line(_printed(figures), f"{told}{why}.", recomputed)]
    return [_against(figures, events, years, told, recomputed)]


def _against(figures: Figures, events: int, years: float, told: str, recomputed: str) -> CheckLine:
    """Hold a printed rate against the largest that the least time at risk allows."""
    rate, months = figures.printed("rate"), figures.printed("months")
    least = years * months.nearest.low / months.number
    largest = _PER * events / least if least > 0.0 else math.inf
    verdict = compared(Span(0.0, largest), rate)
    told += f"; the printed rate is {'possible' if verdict == CONSISTENT else 'not possible'}"
    told += f", being at most {fmt_number(largest, 2)} with {events} events"
    told += ", if digits were cut off." if verdict == ROUNDING else "."
    return CheckLine(_printed(figures), recomputed, verdict, told)


def _printed(figures: Figures) -> str:
    values = [figures.fact(name).value or "?" for name in ("events", "n", "months")]
    text = "{} of {}, median {} months".format(*values)
    if figures.given("rate"):
        text += f", {figures.fact('rate').text or '?'}"
    return text
