"""Survival at named times against the numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil

from rnetstats.errors import FactsError
from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    ROUNDING,
    CheckLine,
    Figures,
    open_line,
)
from rnetstats.evidence.checks_percentage import impossible_share, possible_share
from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.facts import Fact

__all__ = ["check_survival"]


def check_survival(figures: Figures) -> list[CheckLine]:
    """Hold survival at several times, in order, against the patients at risk then.

    Whoever is at risk has survived, so survival is at least their share of all; whoever has had
    the event has not, so it is at most one less their share. Neither rises. Numbers at risk are
    often counted just before a time: then they hold the patients with the event at that very time,
    of whom there can be no more than leave the risk set before the next time, or than events were
    added since the last.

    References
    ----------
    Kaplan EL, Meier P (1958) Nonparametric estimation from incomplete observations. J Am Stat
    Assoc 53:457-481.
    """
    survival, at_risk = figures.facts("survival"), figures.facts("at_risk")
    events = figures.facts("events") or (None,) * len(survival)
    if len({len(survival), len(at_risk), len(events)}) > 1:
        raise FactsError(
            f"{figures.sheet.source}, [[checks]] number {figures.check.number} (survival): "
            "survival, at_risk and events must name a figure for each time, so as many each."
        )
    if not figures.known("n"):
        return [open_line("", f"{figures.missing('n')}.")]
    n = figures.count("n")
    if n == 0:
        return [open_line("", "Survival of no patients is not defined.")]
    rows = zip(survival, at_risk, events, _most_ties(figures), strict=True)
    lines = [_at_time(figures, n, *row) for row in rows]
    return [*lines, *_order(figures)]


def _most_ties(figures: Figures) -> list[int | None]:
    """The most events that can have fallen on each time; None where nothing bounds them."""

    def counts(name: str) -> list[int | None]:
        found = figures.facts(name) or (None,) * len(figures.facts("at_risk"))
        return [figures.count_of(fact) if fact and fact.known else None for fact in found]

    at_risk, events = counts("at_risk"), counts("events")
    most = []
    for place, (here, gone) in enumerate(zip(at_risk, events, strict=True)):
        later = next((number for number in at_risk[place + 1 :] if number is not None), 0)
        before = next((number for number in events[:place][::-1] if number is not None), 0)
        left = None if here is None else here - later
        added = None if gone is None else gone - before
        known = [max(number, 0) for number in (left, added) if number is not None]
        most.append(min(known, default=None))
    return most


def _at_time(
    figures: Figures, n: int, survival: Fact, at_risk: Fact, events: Fact | None, most: int | None
) -> CheckLine:
    """Bounds of survival at one time, at which at most so many events can have fallen."""
    printed = f"{survival.text or '?'}, {at_risk.value or '?'} of {n} at risk"
    part = survival.label
    if not survival.known or not at_risk.known:
        unknown = [fact.label for fact in (survival, at_risk) if not fact.known]
        return open_line(printed, f"Not known: {', '.join(unknown)}.", part=part)
    value, scale = figures.number(survival), 100 if "%" in survival.text else 1
    if not possible_share(value, scale):
        return replace(impossible_share(printed, survival.text, scale), part=part)
    staying = figures.count_of(at_risk)
    gone = figures.count_of(events) if events is not None and events.known else 0
    if events is not None and events.known:
        printed += f", {gone} events"
    if staying > n or gone > n:
        told = f"There are more patients at risk, or with events, than the {n} of the start."
        return CheckLine(printed, "\u2013", INCONSISTENT, told, part)
    both = max(staying + gone - n, 0)
    if most is not None and both > most:
        can = f"no more than {most}" if most else "nobody"
        told = f"{staying} at risk and {gone} events are more than the {n} patients: {both} would "
        told += f"have the event at that very time, where {can} can."
        return CheckLine(printed, "\u2013", INCONSISTENT, told, part)
    low, high = Fraction(scale * (staying - both), n), Fraction(scale * (n - gone), n)
    shown = f"{_text(low, value, scale)} to {_text(high, value, scale)}"
    verdict = _bounded(value, low, high)
    if verdict == CONSISTENT:
        told = f"Those at risk and the events bound survival to {shown}, and it lies there."
        return CheckLine(printed, shown, verdict, told, part)
    ties = ceil(staying - Fraction(min(value.nearest.high, float(scale))) * n / scale)
    tied = (
        f"they are counted just before that time and at least {ties} event{'s' * (ties != 1)} "
        "fell exactly on it"
    )
    share = _text(Fraction(scale * staying, n), value, scale)
    least = f"Those still at risk are {share} of all, and survival cannot be "
    if ties > 0 and (most is None or ties <= most):
        return open_line(printed, f"{least}lower, unless {tied}.", shown, part)
    if verdict == ROUNDING:
        told = f"Survival lies within {shown} only if its digits were cut off."
    elif ties <= 0:
        told = f"With so many events survival is at most {_text(high, value, scale)}, whoever was "
        told += "censored."
    else:
        can = f"no more than {most}" if most else "none"
        told = f"{least}lower, unless {tied}, where {can} can have."
    return CheckLine(printed, shown, verdict, told, part)


def _bounded(value: Printed, low: Fraction, high: Fraction) -> str:
    """Whether a printed survival may lie between two bounds."""
    for verdict, span in ((CONSISTENT, value.nearest), (ROUNDING, value.loose)):
        if span.low <= high and low <= span.high:
            return verdict
    return INCONSISTENT


_COUNTED = {
    "survival": "survival",
    "at_risk": "the number at risk",
    "events": "the number of events",
}


def _order(figures: Figures) -> list[CheckLine]:
    """Ask whether survival or numbers at risk rise, or events fall, from one time to the next."""
    lines = []
    for name, falls in (("survival", True), ("at_risk", True), ("events", False)):
        known = [fact for fact in figures.facts(name) if fact.known]
        if len(known) < 2:
            continue
        values = [figures.number(fact) for fact in known]
        wrong = _first_wrong(values, falls=falls)
        printed = ", ".join(value.text for value in values)
        what = name.replace("_", " ")
        if wrong is None:
            told = f"From time to time {_COUNTED[name]} never {'rises' if falls else 'falls'}."
            lines.append(CheckLine(printed, "\u2013", CONSISTENT, told, f"order: {what}"))
        else:
            before, after = values[wrong].text, values[wrong + 1].text
            told = (
                f"From {before} to {after} {_COUNTED[name]} {'rises' if falls else 'falls'}, "
                "which it cannot."
            )
            lines.append(CheckLine(printed, "\u2013", INCONSISTENT, told, f"order: {what}"))
    return lines


def _first_wrong(values: Sequence[Printed], *, falls: bool) -> int | None:
    """The place before the first step in the wrong direction, rounding allowed for."""
    for place in range(len(values) - 1):
        before, after = values[place], values[place + 1]
        if before.relation or after.relation:  # bounds, of which the spans may overlap
            higher, lower = (after, before) if falls else (before, after)
            if higher.nearest.low > lower.nearest.high:
                return place
            continue
        room = Decimal(0) if before.decimals == after.decimals else max(before.unit, after.unit)
        step = after.value - before.value
        if (step > room) if falls else (-step > room):
            return place
    return None


def _text(exact: Fraction, like: Printed, scale: int) -> str:
    shown = f"{float(exact):.{like.decimals + 1}f}"
    return f"{shown} %" if scale == 100 else shown
