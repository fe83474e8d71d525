"""On which scales limits lie evenly about their estimate: the mark of the method behind them."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from rnetstats.evidence.checks_interval import check_interval
from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    OPEN,
    ROUNDING,
    CheckLine,
    Figures,
    at_edge,
    begun,
)
from rnetstats.evidence.checks_scale import SCALES
from rnetstats.evidence.facts import Check
from rnetstats.formatting import listed

__all__ = ["check_symmetry"]

_EDGE = "edge"


def check_symmetry(figures: Figures) -> list[CheckLine]:
    """Try every scale that is named; limits need to be even on one of them only."""
    tried = {name: check_interval(_on(figures, name))[0] for name in figures.option("scales")}
    first = next(iter(tried.values()))
    verdicts = [line.verdict for line in tried.values()]
    if OPEN in verdicts:
        return [first]
    middles = "; ".join(
        f"{SCALES[name].name} {line.recomputed}"
        for name, line in tried.items()
        if line.part == "symmetry"
    )
    if not middles:
        return [first]  # the limits are out of order on every scale
    verdict = next(v for v in (CONSISTENT, ROUNDING, INCONSISTENT) if v in verdicts)
    return [CheckLine(first.printed, f"middle: {middles}", verdict, _sentence(tried))]


def _on(figures: Figures, scale: str) -> Figures:
    """Return the same figures as a check of the limits on one scale."""
    check = figures.check
    named = {name: check.fields[name] for name in ("low", "high", "estimate")}
    fields = MappingProxyType({**named, "p": None, "df": None, "scale": scale})
    return Figures(
        Check("interval", fields, check.label, check.number), figures.sheet, figures.conf_level
    )


def _sentence(tried: dict[str, CheckLine]) -> str:
    """Say on which scales the limits are even, from the surest to the least sure."""
    names: dict[str, list[str]] = {what: [] for what in (CONSISTENT, _EDGE, ROUNDING, INCONSISTENT)}
    for name, line in tried.items():
        names[_EDGE if at_edge(line) else line.verdict].append(SCALES[name].name)
    even = "the limits are even about the estimate on"
    told = []
    if names[CONSISTENT]:
        told.append(f"rounding allowed for, {even} {_listed(names[CONSISTENT])}")
    if names[_EDGE]:
        scales, only = _listed(names[_EDGE]), "consistent only at the edge of rounding"
        told.append(f"on {scales} {only}" if told else f"{only}, {even} {scales}")
    if names[ROUNDING]:
        on = f"on {_listed(names[ROUNDING])}" if told else f"{even} {_listed(names[ROUNDING])}"
        told.append(f"{on} only if digits were cut off or trailing zeros are no digits")
    if names[INCONSISTENT]:
        not_even = even.replace("are even", "are not even")
        told.append(f"{'not on' if told else not_even} {_listed(names[INCONSISTENT])}")
    return f"{begun('; '.join(told))}."


def _listed(names: Sequence[str]) -> str:
    return f"the {listed(names)} {'scale' if len(names) == 1 else 'scales'}"
