"""An estimate with its standard error (the figure after a ±): the limits and the P that follow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnetstats._core.distributions import normal_quantile
from rnetstats.errors import FactsError
from rnetstats.evidence.checks_interval_p import limit_text, ndtri_tail, p_of, p_range, p_words
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
from rnetstats.evidence.checks_scale import SCALES, Scale
from rnetstats.evidence.checks_spans import Span

__all__ = ["check_std_error"]


def check_std_error(figures: Figures) -> list[CheckLine]:
    """Hold P against estimate and standard error by Wald's test.

    A standard error that is ``reported`` on the scale of an odds or hazard ratio is brought to the
    log scale by the delta method: it is divided by the estimate.

    References
    ----------
    Oehlert GW (1992) A note on the delta method. Am Stat 46:27-29.
    """
    printed = _printed(figures)
    if not figures.known("estimate") or not figures.known("std_error"):
        return [open_line(printed, f"{figures.missing('estimate', 'std_error')}.")]
    estimate, error = figures.printed("estimate"), figures.printed("std_error")
    scale = SCALES[figures.option("scale")]
    if estimate.relation or error.relation:
        return [open_line(printed, "A figure is printed as a bound, not as a number.")]
    if estimate.number <= scale.low:
        return [open_line(printed, f"The estimate is no number on the {scale.name} scale.")]
    if error.value < 0:
        fact = figures.fact("std_error")
        raise FactsError(
            f"{figures.sheet.source}, [facts.{fact.key}], value: {fact.value!r} is no standard "
            "error; it is 0 or above."
        )
    delta = figures.option("reported") == "estimate" and scale.name == "log"

    def p_value(spans: Sequence[Span]) -> Span:
        size = scale.of(spans[0]).size
        spread = spans[1].within(0.0, math.inf)
        z = size.over(spread.over(spans[0]) if delta else spread)
        return z.falling(lambda value: 2.0 * ndtri_tail(value)).within(0.0, 1.0)

    spread = error.number / estimate.number if delta else error.number
    limits = _limits(scale, estimate.number, spread, figures.conf_level)
    said = _said(figures, spread, limits, delta=delta)
    found = p_value([estimate.nearest, error.nearest])
    recomputed = f"{limits}, P {p_range(found)}"
    if not figures.known("p"):
        why = f"{figures.missing('p')}; {said} and P {p_range(found)}."
        return [open_line(printed, why, recomputed)]
    p = p_of(figures)
    verdict = judged(p_value, [estimate, error], p)
    told = {
        CONSISTENT: f"which agrees with {p_words(p)}",
        ROUNDING: f"not {p_words(p)} unless digits were cut off",
        INCONSISTENT: f"not {p_words(p)}: the figure is no standard error on this scale, P comes "
        "from another method, or one of them is misprinted",
    }[verdict]
    told = f"Rounding allowed for, {said} and P {p_range(found)}, {told}."
    return [CheckLine(printed, recomputed, verdict, told, gap=gap(found, p))]


def _limits(scale: Scale, estimate: float, spread: float, conf_level: float) -> str:
    reach = normal_quantile(conf_level) * spread
    centre = scale.forward(estimate)
    ends = [limit_text(scale.back(centre + side * reach)) for side in (-1.0, 1.0)]
    return " to ".join(ends)


def _said(figures: Figures, spread: float, limits: str, *, delta: bool) -> str:
    on_log = figures.option("scale") == "log"
    where = " on the log scale" if on_log else ""
    how = ", divided by the estimate," if delta else ""
    return (
        f"the standard error{how} is {spread:.2g}{where}, which gives "
        f"{100 * figures.conf_level:g} % limits {limits}"
    )


def _printed(figures: Figures) -> str:
    """Estimate, standard error and P as they stand in print."""
    text = (
        f"{figures.fact('estimate').value or '?'} \u00b1 {figures.fact('std_error').value or '?'}"
    )
    return f"{text}, {figures.p_shown()}" if figures.given("p") else text
