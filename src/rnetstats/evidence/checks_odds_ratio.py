"""A printed odds ratio and its limits against the 2x2 table."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    VERDICTS,
    CheckLine,
    Figures,
    compared,
    gap,
    open_line,
)
from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.checks_spans import Span, outward
from rnetstats.tables.exact_table import exact_table
from rnetstats.tables.exact_two_by_two import ExactTableResult
from rnetstats.tables.odds_ratio import haldane_anscombe, sample_odds_ratio, woolf_limits

__all__ = ["limits_line", "odds_ratio_line", "too_large"]

Counts = tuple[int, int, int, int]
Pair = tuple[float, Printed]
Method = tuple[str, float, float, float]
_MOST_COUNTS = 100_000
_TURNED = "the groups the other way round"
_NAMES = {
    "woolf": "sample odds ratio (Woolf)",
    "central": "conditional (exact, central)",
    "mid-p": "conditional (mid-P)",
    "minlike": "conditional (exact, minlike)",
    "blaker": "conditional (Blaker)",
    "haldane-anscombe": "0.5 added to each cell",
}


def odds_ratio_line(figures: Figures, printed: str, counts: Counts) -> CheckLine:
    """Hold a printed odds ratio against the estimates that its table gives."""
    part = "odds ratio"
    if not figures.known("odds_ratio"):
        return open_line(printed, f"{figures.missing('odds_ratio')}.", part=part)
    given = figures.printed("odds_ratio")
    found: dict[str, list[Pair]] = {}
    for name, estimate, _, _ in _both_ways(counts, figures.conf_level):
        if not any(estimate == pair[0][0] for pair in found.values()):
            found[name] = [(estimate, given)]
        if _best(found)[1] == CONSISTENT:
            break
    name, verdict = _best(found)
    value, digits = found[name][0][0], given.decimals + 2
    turned = [key for key in found if key.endswith(_TURNED)]
    listed = ", ".join(
        f"{key} {_number(pair[0][0], digits)}"
        for key, pair in found.items()
        if key not in turned[1:]
    )
    told = (
        f"No estimate from this table prints as {given.text}: {listed} (an adjusted one need not)."
        if verdict == INCONSISTENT
        else f"{given.text} is the odds ratio of the table: {name}, {_number(value, digits)}"
        + ("." if verdict == CONSISTENT else ", its digits cut off.")
    )
    distance = gap(Span(value, value), given)
    return CheckLine(printed, _number(value, digits), verdict, told, part, gap=distance)


def limits_line(figures: Figures, printed: str, counts: Counts) -> CheckLine:
    """Hold printed limits of an odds ratio against those of each method."""
    part = "limits"
    names = [name for name in ("low", "high") if figures.known(name)]
    if not names:
        return open_line(printed, f"{figures.missing('low', 'high')}.", part=part)
    given = {name: figures.printed(name) for name in names}
    found: dict[str, list[Pair]] = {}
    for method, _, low, high in _directed(figures, counts):
        ends = {"low": low, "high": high}
        found[method] = [(ends[name], given[name]) for name in names]
        if _best(found)[1] == CONSISTENT:
            break
    name, verdict = _best(found)
    digits = max(item.decimals for item in given.values()) + 2
    text = " to ".join(_number(value, digits) for value, _ in found[name])
    level = f"{100 * figures.conf_level:g} %"
    told = (
        f"No {level} limits of this table print so; nearest: {name}, {text} (those of an adjusted "
        "ratio need not)."
        if verdict == INCONSISTENT
        else f"These are the {level} limits of the table: {name}, {text}"
        + ("." if verdict == CONSISTENT else ", digits cut off.")
    )
    return CheckLine(printed, text, verdict, told, part)


def _methods(counts: Counts, conf_level: float) -> Iterator[Method]:
    """Estimate and limits by each method, those in closed form first; undefined ones are left out.

    The exact ones take time: they are asked for only where the others do not agree.
    """
    a, n, c, m = counts
    cells = (a, n - a, c, m - c)
    if 0 not in cells:
        ratio, error = sample_odds_ratio(*cells)
        yield _NAMES["woolf"], ratio, *woolf_limits(ratio, error, conf_level)
    ratio, error = haldane_anscombe(*cells)
    yield _NAMES["haldane-anscombe"], ratio, *woolf_limits(ratio, error, conf_level)
    if too_large(counts):
        return
    limits = exact_table([[a, n - a], [c, m - c]], conf_level=conf_level)
    assert isinstance(limits, ExactTableResult)
    for name in ("central", "mid-p", "minlike", "blaker"):
        row = limits.method(name, "odds ratio")
        if not math.isnan(row["estimate"]):
            ends = float(row["conf_low"]), float(row["conf_high"])
            yield _NAMES[name], float(row["estimate"]), *ends


def _both_ways(counts: Counts, conf_level: float) -> Iterator[Method]:
    """The methods, then the same for the groups the other way round."""
    methods = list[Method]()
    for method in _methods(counts, conf_level):
        methods.append(method)
        yield method
    yield from map(_turned, methods)


def _turned(method: Method) -> Method:
    name, estimate, low, high = method
    return f"{name}, {_TURNED}", _inverse(estimate), _inverse(high), _inverse(low)


def _directed(figures: Figures, counts: Counts) -> Iterator[Method]:
    """The methods for the groups in the direction of the printed ratio; without one, for both."""
    methods = _methods(counts, figures.conf_level)
    direct = [next(methods)]
    if not _agrees(figures, direct):
        direct += methods
    turned = [_turned(method) for method in direct]
    if _agrees(figures, direct) or not _agrees(figures, turned):
        yield from direct
        for method in methods:  # none is left if the first did not agree
            yield method
            turned.append(_turned(method))
    if _agrees(figures, turned):
        yield from turned


def _agrees(figures: Figures, methods: list[Method]) -> bool:
    """Whether an odds ratio of these may be the printed one, as any may where none is printed."""
    if not figures.known("odds_ratio"):
        return True
    given = figures.printed("odds_ratio")
    return any(_verdict(ratio, given) != INCONSISTENT for _, ratio, _, _ in methods)


def _inverse(ratio: float) -> float:
    return 1.0 / ratio if ratio else math.inf


def too_large(counts: Counts) -> bool:
    """Whether exact methods are left out, as more than 100,000 counts are possible in a group.

    Tails are then added up over all of them, for numbers that normal ones agree with.
    """
    a, n, c, m = counts
    return min(n, m, a + c, n + m - a - c) > _MOST_COUNTS


def _best(pairs: dict[str, list[Pair]]) -> tuple[str, str]:
    """Return the method that agrees best with the print, and its verdict."""

    def judged(name: str) -> tuple[int, float]:
        worst = max(VERDICTS.index(_verdict(*pair)) for pair in pairs[name])
        return worst, max(_distance(*pair) for pair in pairs[name])

    best = min(pairs, key=judged)
    return best, VERDICTS[judged(best)[0]]


def _verdict(value: float, given: Printed) -> str:
    return INCONSISTENT if math.isnan(value) else compared(outward(value, value), given)


def _distance(value: float, given: Printed) -> float:
    if not math.isfinite(value) or value <= 0.0 or given.number <= 0.0:
        return 0.0 if value == given.number else math.inf
    return abs(math.log(value / given.number))


def _number(value: float, digits: int) -> str:
    return "\u221e" if math.isinf(value) else f"{value:.{digits}f}"
