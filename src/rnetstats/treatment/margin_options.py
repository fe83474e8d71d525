"""The margin and the other options of equivalence and non-inferiority, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rnetstats._core.options import choice, effect_measure, real
from rnetstats.errors import OptionError
from rnetstats.kernels.same_times import as_observed
from rnetstats.treatment.two_arms import TwoArms

__all__ = ["MEASURES", "Question", "check_times", "margin_zone"]

MEASURES = ("risk difference", "rmst", "hr")

_HOW_TO_CHOOSE = (
    "{verb}() needs margin=: the largest difference that would still not matter to a patient. "
    "There is no default, because no statistic can tell it. Choose it on clinical grounds, before "
    "seeing the data: what patients and clinicians would give up for the new treatment's "
    "advantages, or a share of the reference treatment's proven benefit. {unit}"
)
_UNITS = {
    "risk difference": "For a risk difference write 0.05 for 5 percentage points.",
    "rmst": "For a restricted mean survival time give it in the unit of the times.",
    "hr": "For a hazard ratio write 1.5, say, for 1/1.5 to 1.5.",
}


@dataclass(frozen=True)
class Question:
    """What is asked: equivalence or non-inferiority, of which measure, within which margins.

    Attributes
    ----------
    low, high : float
        The margins on the measure's scale; the side that is not asked for is infinite (0 for the
        lower one of a ratio).
    better : str
        ``""`` for equivalence; else which values of the measure are better, lower or higher.
    """

    aim: str
    measure: str
    low: float
    high: float
    better: str
    alpha: float

    @property
    def ratio(self) -> bool:
        """Whether the measure is a ratio."""
        return self.measure == "hr"

    def scaled(self, value: float) -> float:
        """A value on the contrast's scale: the logarithm of a ratio."""
        if not self.ratio:
            return value
        return math.log(value) if value > 0.0 else -math.inf

    @property
    def nearest(self) -> float:
        """The margin nearer to no difference, on the contrast's scale."""
        return min(abs(self.scaled(self.low)), abs(self.scaled(self.high)))


def margin_zone(
    margin: Any, *, measure: str, aim: str, better: str | None, alpha: float
) -> Question:
    """Check margin, measure, direction and level.

    Raises
    ------
    OptionError
        If the margin is missing (with a word on how to choose one) or cannot be one.
    """
    measure = effect_measure(measure, MEASURES)
    level = real("alpha", alpha, low=0.001, high=0.499)
    verb = "equivalence" if aim == "equivalence" else "noninferiority"
    if margin is None:
        raise OptionError(_HOW_TO_CHOOSE.format(verb=verb, unit=_UNITS[measure]))
    if aim == "equivalence":
        low, high = _two_margins(margin, measure)
        return Question(aim, measure, low, high, "", level)
    if better is None:
        raise OptionError(
            "noninferiority() needs better=: 'lower' if lower values of the measure are better "
            "(the risk or hazard of a harmful event), 'higher' if higher ones are (a restricted "
            "mean survival time, the risk of a wanted event)."
        )
    choice("better", better, ("lower", "higher"))
    value = _one_margin(margin, measure, better)
    if better == "lower":
        return Question(aim, measure, 0.0 if measure == "hr" else -math.inf, value, better, level)
    low = value if measure == "hr" else -value
    return Question(aim, measure, low, math.inf, better, level)


def _one_margin(margin: Any, measure: str, better: str) -> float:
    if isinstance(margin, (tuple, list)):
        raise OptionError("Non-inferiority has one margin, not two; equivalence() takes a pair.")
    value = real("margin", margin)
    if measure == "hr":
        if value <= 0.0 or value == 1.0 or (value > 1.0) != (better == "lower"):
            side = "above 1" if better == "lower" else "between 0 and 1"
            turned = f" Did you mean {1.0 / value:.4g}?" if value > 0.0 and value != 1.0 else ""
            raise OptionError(
                f"With better={better!r} the margin of a hazard ratio lies {side}, not at "
                f"{value:g}.{turned}"
            )
        return value
    return _difference(value, measure)


def _two_margins(margin: Any, measure: str) -> tuple[float, float]:
    if isinstance(margin, (tuple, list)):
        if len(margin) != 2:
            raise OptionError(f"margin takes one number or a pair (low, high), not {margin!r}.")
        low, high = real("margin", margin[0]), real("margin", margin[1])
        null = 1.0 if measure == "hr" else 0.0
        if not low < null < high or (measure == "hr" and low <= 0.0):
            raise OptionError(
                f"The margins {low:g} and {high:g} must lie on both sides of {null:g}."
            )
        if measure == "risk difference" and (low < -1.0 or high > 1.0):
            raise OptionError(f"Risk differences lie between -1 and 1, not {low:g} to {high:g}.")
        return low, high
    value = real("margin", margin)
    if measure == "hr":
        if value <= 1.0:
            hint = f": write {1.0 / value:.4g} for {value:g} to its inverse" if value > 0 else ""
            hint = hint if value != 1.0 else ""
            raise OptionError(f"The margin of a hazard ratio must be above 1, not {value:g}{hint}.")
        return 1.0 / value, value
    value = _difference(value, measure)
    return -value, value


def _difference(value: float, measure: str) -> float:
    if value <= 0.0:
        raise OptionError(
            f"The margin must be above 0, not {value:g}: it is a distance from no difference; with "
            "no margin nothing can be shown to be equivalent."
        )
    if measure == "risk difference" and value > 1.0:
        raise OptionError(
            f"A risk difference is at most 1, the margin is {value:g}; write {value / 100:g} for "
            f"{value:g} percentage points."
        )
    return value


def check_times(arms: TwoArms, measure: str, horizon: Any, tau: Any) -> float | None:
    """Return the time up to which the measure looks; None for a binary outcome and a ratio.

    Raises
    ------
    OptionError
        If the time is missing, not above 0, or has no meaning for the measure.
    """
    survival = arms.stop is not None
    if measure in ("rmst", "hr") and not survival:
        raise OptionError(
            f"measure={measure!r} needs times on the left side, Surv(time, event); the left side "
            f"{arms.endpoint!r} is a binary outcome, which has a risk difference."
        )
    wanted = "tau" if measure == "rmst" else "horizon" if survival and measure != "hr" else ""
    for name, value in (("horizon", horizon), ("tau", tau)):
        if value is not None and name != wanted:
            raise OptionError(f"{name}= has no meaning for this outcome and measure={measure!r}.")
    if not wanted:
        return None
    if arms.start is not None:
        raise OptionError("Late entry, Surv(start, stop, event), is taken by measure='hr' only.")
    value = tau if wanted == "tau" else horizon
    if value is None:
        raise OptionError(
            f"measure={measure!r} of {arms.endpoint} needs {wanted}=, the time (in the unit of the "
            "data) up to which the arms are compared, chosen beforehand like the margin."
        )
    assert arms.stop is not None
    return float(as_observed(real(wanted, value, low=0.0, high=math.inf, closed=False), arms.stop))
