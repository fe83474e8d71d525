"""Limits against their estimate: order, and symmetry on the scale on which they were made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from rnetstats.errors import FactsError
from rnetstats.evidence.checks_interval_p import p_line
from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    ROUNDING,
    CheckLine,
    Figures,
    at_edge,
    begun,
    gap,
    judged,
    open_line,
)
from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.checks_scale import SCALES, Scale
from rnetstats.evidence.checks_spans import Span

__all__ = ["check_interval"]

_CAUSE = "limits of another kind (profile likelihood, exact, bootstrap) or a misprint"


def check_interval(figures: Figures) -> list[CheckLine]:
    """Hold an estimate against its limits, and P against both.

    Every printed figure stands for all values that round to it, and these are carried through the
    arithmetic.

    References
    ----------
    Altman DG, Bland JM (2011) How to obtain the P value from a confidence interval. BMJ 343:d2304.
    """
    printed = _printed(figures)
    if not figures.known("low") or not figures.known("high"):
        return [open_line(printed, f"{figures.missing('low', 'high')}.")]
    low, high = figures.printed("low"), figures.printed("high")
    if low.relation or high.relation:
        return [open_line(printed, "A limit is printed as a bound, not as a number.")]
    scale = SCALES[figures.option("scale")]
    _same_units(figures, scale)
    wrong = _disorder(figures, low, high, scale)
    if wrong:
        return [CheckLine(printed, "\u2013", INCONSISTENT, wrong, "order")]
    lines = [_symmetry(figures, low, high, scale)]
    if figures.given("p"):
        even = lines[0].verdict != INCONSISTENT
        lines.append(p_line(figures, printed, scale, even=even))
    return lines


def _disorder(figures: Figures, low: Printed, high: Printed, scale: Scale) -> str:
    """Say what is impossible whatever the scale's arithmetic."""
    if low.value > high.value:
        return f"The lower limit, {low.shown}, is above the upper, {high.shown}."
    per = _per(figures, "low", scale)
    if low.number / per < scale.low or high.number / per > scale.high:
        if scale.of_shares:
            return (
                f"On the {scale.name} scale limits lie between 0 and 100 per cent; these do not "
                '(the unit of percentages is "%").'
            )
        return f"On the {scale.name} scale limits lie above 0; these do not."
    if figures.known("estimate"):
        estimate = figures.printed("estimate")
        if not estimate.relation and not low.value <= estimate.value <= high.value:
            return f"The estimate, {estimate.shown}, lies outside its limits."
    return ""


def _same_units(figures: Figures, scale: Scale) -> None:
    names = [name for name in ("low", "high", "estimate") if figures.known(name)]
    if len({_per(figures, name, scale) for name in names}) > 1:
        raise FactsError(
            f"{figures.sheet.source}, [[checks]] number {figures.check.number} (interval): the "
            "estimate and its limits have different units; give all of them in %, or none."
        )


def _symmetry(figures: Figures, low: Printed, high: Printed, scale: Scale) -> CheckLine:
    """Hold the centre of the limits against the estimate."""
    per = _per(figures, "low", scale)

    def centre(spans: Sequence[Span]) -> Span:
        middle = (scale.of(spans[0].times(1 / per)) + scale.of(spans[1].times(1 / per))).times(0.5)
        return scale.undone(middle).times(per)

    found = centre([low.nearest, high.nearest])
    if not figures.known("estimate") or figures.printed("estimate").relation:
        why = figures.missing("estimate") or "The estimate is printed as a bound"
        told = f"{why}; the middle of the limits is {_range(found, low)}."
        return open_line(_printed(figures), told, _range(found, low), "symmetry")
    estimate = figures.printed("estimate")
    verdict = judged(centre, [low, high], estimate)
    where = f"the middle of the limits on the {scale.name} scale is {_range(found, estimate)}"
    if verdict == CONSISTENT:
        told = f"Rounding allowed for, {where}, which can print as {estimate.shown}."
    elif verdict == ROUNDING:
        told = f"{begun(where)}, which prints as {estimate.shown} only if digits were cut off."
    elif _coarse(centre, low, high, estimate):
        verdict = ROUNDING
        told = (
            f"{begun(where)}, not {estimate.shown}; but if the trailing zeros are no digits, and "
            "the figures rounded more coarsely, the limits can be even."
        )
    else:
        other = _other(figures, low, high, estimate)
        told = f"{begun(where)}, not {estimate.shown}: {other}."
    line = CheckLine(
        _printed(figures), _range(found, estimate), verdict, told, "symmetry", gap(found, estimate)
    )
    if not at_edge(line):
        return line
    return replace(
        line,
        sentence=f"Consistent only at the edge of rounding: {where}, which can print as "
        f"{estimate.shown} if every figure was rounded as far as it can be.",
    )


def _coarse(centre: object, low: Printed, high: Printed, estimate: Printed) -> bool:
    """Whether the limits are even if figures that end in 0 were rounded one step earlier."""
    shorter = [item.coarser() for item in (low, high, estimate)]
    if any(item is None for item in shorter):
        return False
    first, second, third = (item for item in shorter if item is not None)
    return judged(centre, [first, second], third) == CONSISTENT  # type: ignore[arg-type]


def _other(figures: Figures, low: Printed, high: Printed, estimate: Printed) -> str:
    """Name the scales on which the limits are even, or what else may explain them."""
    fits = []
    for name, scale in SCALES.items():
        if name == figures.option("scale") or _disorder(figures, low, high, scale):
            continue
        per = _per(figures, "low", scale)
        if scale.of_shares and (per == 1.0) and high.number > 1.0:
            continue
        middle = scale.of(low.nearest.times(1 / per)) + scale.of(high.nearest.times(1 / per))
        if scale.undone(middle.times(0.5)).times(per).meets(estimate.nearest):
            fits.append(scale.name)
    if fits:
        return f"they are even on the {' and the '.join(fits)} scale"
    return _CAUSE


def _per(figures: Figures, name: str, scale: Scale) -> float:
    """What a figure is divided by to come to the scale: 100 for a proportion in per cent."""
    return 100.0 if scale.of_shares and "%" in figures.fact(name).text else 1.0


def _range(span: Span, like: Printed) -> str:
    """Write a span with a digit more than the print."""
    digits = like.decimals + 1
    low, high = f"{span.low:.{digits}f}", f"{span.high:.{digits}f}"
    if not math.isfinite(span.low) or not math.isfinite(span.high):
        return f"{span.low:g} to {span.high:g}".replace("inf", "\u221e").replace("-", "\u2212")
    return (low if low == high else f"{low} to {high}").replace("-", "\u2212")


def _printed(figures: Figures) -> str:
    """Estimate, limits and P as they stand in print."""
    low, high = figures.fact("low"), figures.fact("high")
    text = f"{low.value or '?'} to {high.value or '?'}"
    if figures.given("estimate"):
        text = f"{figures.fact('estimate').value or '?'} ({text})"
    if figures.given("p"):
        text += f", {figures.p_shown()}"
    return text
