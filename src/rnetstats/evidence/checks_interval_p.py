"""P against limits, and the limits that an estimate with its P implies."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import ndtri, stdtr, stdtrit

from rnetstats._core.distributions import normal_quantile
from rnetstats.errors import FactsError
from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    ROUNDING,
    CheckLine,
    Figures,
    gap,
    judged,
    open_line,
)
from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.checks_scale import SCALES, Scale
from rnetstats.evidence.checks_spans import Span, outward

__all__ = [
    "check_estimate_p",
    "limit_text",
    "ndtri_tail",
    "p_line",
    "p_of",
    "p_range",
    "p_text",
    "p_words",
]


def p_line(figures: Figures, printed: str, scale: Scale, *, even: bool = True) -> CheckLine:
    """Hold a printed P against the one that estimate and limits give by Wald's test.

    Without an estimate the centre of the limits stands for it. Limits that are not ``even`` about
    the estimate are not Wald's: only the side of the null value is then held against P.
    """
    part = "P"
    if not figures.known("p"):
        return open_line(printed, f"{figures.missing('p')}.", part=part)
    if math.isnan(scale.null):
        why = f"Limits on the {scale.name} scale are those of one proportion: no P belongs to them."
        return open_line(printed, why, part=part)
    low, high, p = figures.printed("low"), figures.printed("high"), p_of(figures)
    given = [low, high]
    if figures.known("estimate") and not figures.printed("estimate").relation:
        given.append(figures.printed("estimate"))
    df = _df(figures)
    quantile = _quantile(0.5 + figures.conf_level / 2.0, df)

    def p_value(spans: Sequence[Span]) -> Span:
        return _p_of_z(_z(spans, scale, quantile), df)

    found = p_value([item.nearest for item in given])
    if not even:
        return _by_side(figures, printed, scale, p_range(found))
    verdict = judged(p_value, given, p)
    recomputed = p_range(found)
    law = _law(figures, df)
    said = f"estimate and limits give P {recomputed} by {law}"
    told = {
        CONSISTENT: f"Rounding allowed for, {said}, which agrees with {p_words(p)}.",
        ROUNDING: f"Only if digits were cut off: {said}, not {p_words(p)}.",
        INCONSISTENT: f"Rounding allowed for, {said}, not {p_words(p)}: P and limits come from "
        "different methods, or one of them is misprinted.",
    }[verdict]
    return CheckLine(printed, f"P {recomputed}", verdict, told, part, gap=gap(found, p))


def _by_side(figures: Figures, printed: str, scale: Scale, wald: str) -> CheckLine:
    """Ask only whether limits and P agree on which side of the level they are."""
    low, high, p = figures.printed("low"), figures.printed("high"), p_of(figures)
    null, alpha = scale.back(scale.null), 1.0 - figures.conf_level
    outside = low.nearest.low > null or high.nearest.high < null
    inside = low.nearest.high < null < high.nearest.low
    small, large = p.nearest.high < alpha, p.nearest.low > alpha
    if (outside and large) or (inside and small):
        told = (
            f"The limits {'exclude' if outside else 'hold'} {null:g}, the value of no effect, yet "
            f"{p_words(p)}: by any method the two must agree."
        )
        return CheckLine(printed, f"P {wald}", INCONSISTENT, told, "P")
    why = (
        "The limits are not even, so not Wald's, and their P cannot be computed from them; with "
        f"{null:g} {'outside' if outside else 'inside' if inside else 'at their edge'} they "
        "do not contradict it."
    )
    return open_line(printed, why, f"P {wald} if Wald", "P")


def check_estimate_p(figures: Figures) -> list[CheckLine]:
    """Say which limits an estimate with its P implies by Wald's test; there are none to check."""
    printed = _estimate_printed(figures)
    if not figures.known("estimate") or not figures.known("p"):
        return [open_line(printed, f"{figures.missing('estimate', 'p')}.")]
    estimate, p, scale = figures.printed("estimate"), p_of(figures), SCALES[figures.option("scale")]
    if estimate.relation or estimate.number <= scale.low:
        return [open_line(printed, f"The estimate is no number on the {scale.name} scale.")]
    effect = scale.forward(estimate.number)
    largest = p.nearest.high
    if effect == 0.0 and largest < 1.0 and not _may_be_an_effect(estimate, scale):
        told = "An estimate of no effect has a P of 1."
        return [CheckLine(printed, "\u2013", INCONSISTENT, told)]
    bound = p.relation in ("<", "\u2264") or p.value == 0
    value = largest if bound else p.number
    z = -float(ndtri(min(value, 1.0) / 2.0))
    if z <= 0.0 or effect == 0.0:
        return [open_line(printed, "A P of 1, or no effect, implies no limits.")]
    reach = normal_quantile(figures.conf_level) * abs(effect) / z
    low, high = limit_text(scale.back(effect - reach)), limit_text(scale.back(effect + reach))
    text = f"{low} to {high}"
    if bound:
        text = f"lower limit at least {low}" if effect > 0 else f"upper limit at most {high}"
    elif p.relation:
        text = f"at least from {text}"
    level = f"{100 * figures.conf_level:g} %"
    told = f"No limits are printed; by Wald's test estimate and P imply {level} limits: {text}."
    return [open_line(printed, told, text)]


def p_of(figures: Figures) -> Printed:
    """Return the printed P, which must be a probability."""
    p = figures.printed("p")
    if not 0 <= p.value <= 1:
        fact = figures.fact("p")
        raise FactsError(
            f"{figures.sheet.source}, [facts.{fact.key}], value: {fact.value!r} is no P value; it "
            "lies between 0 and 1."
        )
    return p


def p_text(p: float) -> str:
    """Write a recomputed P with enough digits to be compared."""
    if p < 1e-6:
        return "<0.000001"
    return f"{p:.4f}" if p >= 0.001 else f"{p:.6f}"


def _may_be_an_effect(estimate: Printed, scale: Scale) -> bool:
    """Whether an estimate that prints as no effect may be a small one."""
    span = scale.of(estimate.nearest)
    return span.low < 0.0 < span.high


def _z(spans: Sequence[Span], scale: Scale, quantile: float) -> Span:
    """Return the size of estimate over standard error; the standard error from the limits."""
    low, high = scale.of(spans[0]), scale.of(spans[1])
    width = (high - low).within(0.0, math.inf)
    if len(spans) == 3:
        return scale.of(spans[2]).size.times(2.0 * quantile).over(width)
    corners = [
        1.0 if math.isinf(b - a) else abs(b + a) / (b - a) if b > a else math.inf
        for a in (low.low, low.high)
        for b in (high.low, high.high)
    ]
    crosses = low.low + high.low <= 0.0 <= low.high + high.high
    return outward(0.0 if crosses else min(corners), max(corners)).times(quantile)


def _quantile(share: float, df: float) -> float:
    return float(ndtri(share) if math.isinf(df) else stdtrit(df, share))


def _p_of_z(z: Span, df: float) -> Span:
    def p_value(value: float) -> float:
        tail = ndtri_tail(value) if math.isinf(df) else float(stdtr(df, -value))
        return min(1.0, 2.0 * tail)

    return z.falling(p_value).within(0.0, 1.0)


def ndtri_tail(value: float) -> float:
    """Return the upper tail of the normal distribution."""
    return 0.5 * math.erfc(value / math.sqrt(2.0))


def _df(figures: Figures) -> float:
    """Return the degrees of freedom: a number, a figure, or infinity for the normal."""
    given = figures.option("df")
    if given is None:
        return math.inf
    if isinstance(given, int):
        return float(given)
    if not figures.known("df"):
        return math.inf
    df = figures.printed("df")
    if df.relation or df.value <= 0:
        fact = figures.fact("df")
        raise FactsError(
            f"{figures.sheet.source}, [facts.{fact.key}], value: {fact.value!r} are no degrees of "
            "freedom; they are a number above 0."
        )
    return df.number


def _law(figures: Figures, df: float) -> str:
    if not math.isinf(df):
        return f"Student's t with {df:g} degrees of freedom"
    unknown = figures.option("df") is not None
    return "the normal distribution" + (" (degrees of freedom unknown)" if unknown else "")


def p_range(span: Span) -> str:
    """Write the P values that the printed figures allow."""
    low, high = p_text(span.low), p_text(span.high)
    return low if low == high else f"{low} to {high}"


def p_words(p: Printed) -> str:
    """Write a printed P."""
    return f"P {p.relation} {p.value}" if p.relation else f"P = {p.value}"


def limit_text(value: float) -> str:
    """Write a limit in three significant digits."""
    if math.isinf(value):
        return "\u221e" if value > 0 else "\u2212\u221e"
    return f"{value:#.3g}".rstrip(".").replace("-", "\u2212")


def _estimate_printed(figures: Figures) -> str:
    return f"{figures.fact('estimate').value or '?'}, {figures.p_shown()}"
