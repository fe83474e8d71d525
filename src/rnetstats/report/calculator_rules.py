"""The rules that a model must meet before a calculator is made of it.

They look at the performance attached to the model, corrected for optimism, and at nothing else.
They stand in one table, are printed on every page, and ``docs/calculator.md`` is tested against
them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rnetstats.errors import OptionError, closest
from rnetstats.formatting import digits_beside, fmt_number, fmt_percent

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["RULES", "Judged", "Rule", "checked_force", "judge_model", "rules_markdown"]

SLOPE_LOW, SLOPE_HIGH = 0.80, 1.25
LARGE_LOW, LARGE_HIGH = 0.80, 1.25
ICI_OF_SHARE = 0.25
ICI_WITHOUT_SHARE = 0.02
NO_BETTER_THAN_CHANCE = 0.5


@dataclass(frozen=True)
class Rule:
    """One rule: its name, by which it is forced, when it is met, and why it is asked."""

    name: str
    when: str
    why: str


RULES: Final = (
    Rule(
        "performance",
        "A validation's corrected performance is attached to the model.",
        "How a model does in the very patients it was made of says little about others. Without "
        "a validation nothing else here can be judged.",
    ),
    Rule(
        "slope",
        f"The corrected calibration slope lies between {SLOPE_LOW:.2f} and {SLOPE_HIGH:.2f}.",
        "Below, high risks are too high and low risks too low (overfitting); above, the reverse.",
    ),
    Rule(
        "calibration",
        f"The corrected integrated calibration index (ICI) is at most {ICI_OF_SHARE:g} of the "
        "share with the rarer outcome (for a time-to-event model, of the patients with an event "
        f"by the horizon); at most {ICI_WITHOUT_SHARE:g} where that share is not known.",
        "The ICI is the mean distance between predicted and observed risk. An error of 2 in 100 "
        "is small where 35 in 100 have the event, and large where 3 have.",
    ),
    Rule(
        "in-the-large",
        "Observed over expected, corrected, lies between "
        f"{LARGE_LOW:.2f} and {LARGE_HIGH:.2f}; for a binary outcome, the exponential of "
        "calibration-in-the-large.",
        "The risks are right on average.",
    ),
    Rule(
        "discrimination",
        f"The lower limit of the corrected AUC (or C) is above {NO_BETTER_THAN_CHANCE:g}; a "
        "validation without limits does not meet it.",
        "Otherwise the model may order patients no better than chance.",
    ),
)

_NAMES = tuple(rule.name for rule in RULES)


@dataclass(frozen=True)
class Judged:
    """A rule beside a model: what was found, and whether it is met (None: not to be judged)."""

    rule: Rule
    met: bool | None
    found: str


def rules_markdown() -> str:
    """Return the table of rules as it stands in the documentation."""
    head = "| name | a calculator is made if | why |\n| --- | --- | --- |\n"
    return head + "".join(f"| `{r.name}` | {r.when} | {r.why} |\n" for r in RULES)


def checked_force(force: Sequence[str] | str) -> tuple[str, ...]:
    """Return the names of rules to be forced.

    Raises
    ------
    OptionError
        If there is no such rule.
    """
    if not isinstance(force, Iterable):
        raise OptionError(
            f"force= names the rules to be forced, of {', '.join(_NAMES)}; it is not {force!r}."
        )
    names = (force,) if isinstance(force, str) else tuple(force)
    for name in names:
        if name not in _NAMES:
            raise OptionError(
                f"There is no rule {name!r} to force; the rules are {', '.join(_NAMES)}."
                f"{closest(str(name), _NAMES)}"
            )
    return names


def judge_model(model: RiskModel) -> tuple[Judged, ...]:
    """Hold a model against each rule, in the order of the table."""
    if not model.performance:
        words = "no validation is attached to the model"
        first = Judged(RULES[0], False, words)
        return (first, *(Judged(rule, None, words) for rule in RULES[1:]))
    found = {
        "slope": _slope(model),
        "calibration": _calibration(model),
        "in-the-large": _in_the_large(model),
        "discrimination": _discrimination(model),
    }
    first = Judged(RULES[0], True, "a validation is attached")
    return (first, *(Judged(rule, *found[rule.name]) for rule in RULES[1:]))


def _number(model: RiskModel, index: str, name: str = "corrected") -> float:
    """One number of the performance; missing where it was not attached."""
    return float((model.performance or {}).get(index, {}).get(name, math.nan))


def _between(value: float, low: float, high: float) -> bool:
    return low <= value <= high


def _beside(value: float, *bounds: float, digits: int = 2) -> str:
    """Write a number with digits enough to stand on its side of each bound."""
    return fmt_number(value, digits_beside(value, *bounds, digits=digits))


def _slope(model: RiskModel) -> tuple[bool, str]:
    value = _number(model, "slope")
    if math.isnan(value):
        return False, "no corrected calibration slope is attached"
    words = f"the corrected calibration slope is {_beside(value, SLOPE_LOW, SLOPE_HIGH)}"
    return _verdict(_between(value, SLOPE_LOW, SLOPE_HIGH), words, SLOPE_LOW, SLOPE_HIGH)


def _verdict(met: bool, words: str, low: float, high: float) -> tuple[bool, str]:
    return met, f"{words}, {'within' if met else 'outside'} {low:.2f} to {high:.2f}"


def _share(model: RiskModel) -> float:
    """Share of patients with the rarer outcome, or with an event by the horizon, if known."""
    summary = model.summary
    if "event_share" in summary:
        share = float(summary["event_share"])
    elif summary.get("n") and "n_events_by_horizon" in summary:
        share = float(summary["n_events_by_horizon"]) / float(summary["n"])
    else:
        return math.nan
    return min(share, 1.0 - share)


def _calibration(model: RiskModel) -> tuple[bool, str]:
    value, share = _number(model, "ici"), _share(model)
    if math.isnan(value):
        return False, "no corrected ICI is attached"
    known = not math.isnan(share)
    bound = ICI_OF_SHARE * share if known else ICI_WITHOUT_SHARE
    met = value <= bound
    beside = f" ({ICI_OF_SHARE:g} of {fmt_percent(share)})" if known else ""
    side = "at most" if met else "above"
    words = f"the corrected ICI is {_beside(value, bound, digits=4)}"
    return met, f"{words}, {side} {fmt_number(bound, 4)}{beside}"


def _in_the_large(model: RiskModel) -> tuple[bool, str]:
    value = _number(model, "oe")
    if math.isnan(value):
        value = math.exp(min(_number(model, "intercept"), 700.0))
    if math.isnan(value):
        return False, "no corrected calibration-in-the-large is attached"
    words = f"observed over expected, corrected, is {_beside(value, LARGE_LOW, LARGE_HIGH)}"
    return _verdict(_between(value, LARGE_LOW, LARGE_HIGH), words, LARGE_LOW, LARGE_HIGH)


def _discrimination(model: RiskModel) -> tuple[bool, str]:
    names = {"auc": "AUC", "auc_t": "AUC at the horizon", "c": "C"}
    index = next((i for i in names if not math.isnan(_number(model, i))), None)
    if index is None:
        return False, "no corrected AUC or C is attached"
    low = _number(model, index, "conf_low")
    if math.isnan(low):
        return False, f"the corrected {names[index]} has no lower limit"
    met = low > NO_BETTER_THAN_CHANCE
    side = "above" if met else "not above"
    shown = _beside(low, NO_BETTER_THAN_CHANCE, digits=3)
    words = f"the lower limit of the corrected {names[index]} is {shown}"
    return met, f"{words}, {side} {NO_BETTER_THAN_CHANCE:g}"
