"""The options of a search for a cut-off, checked."""

from __future__ import annotations

from rnetstats._core.options import choice, real
from rnetstats.errors import OptionError
from rnetstats.kernels.same_times import as_observed
from rnetstats.prediction.cutpoint_rows import CutpointInput
from rnetstats.prediction.cutpoint_search import Plan

__all__ = [
    "METHODS",
    "check_plan",
    "checked_direction",
    "checked_horizon",
    "checked_p_method",
    "checked_shares",
]

METHODS = ("youden", "maxstat", "minimum-p")
PVALUES = {
    "youden": ("permutation",),
    "maxstat": ("lau94", "lau92", "exact-gauss", "hothorn-lausen", "permutation"),
    "minimum-p": ("permutation",),
}


def checked_p_method(method: str, p_method: str | None) -> str:
    """Return how P is adjusted, by default the method's own way."""
    allowed = PVALUES[method]
    if p_method is None:
        return allowed[0]
    choice("p_method", p_method, PVALUES["maxstat"])
    if p_method not in allowed:
        raise OptionError(
            f"p_method={p_method!r} is that of a maximally selected rank statistic; "
            f"method={method!r} takes p_method='permutation'."
        )
    return p_method


def checked_shares(
    minprop: float | None, maxprop: float | None
) -> tuple[float | None, float | None]:
    """Return the shares of the rows, each within 0 and 1."""
    low = None if minprop is None else real("minprop", minprop, low=0.0, high=1.0)
    high = None if maxprop is None else real("maxprop", maxprop, low=0.0, high=1.0)
    return low, high


def check_plan(plan: Plan) -> None:
    """Refuse shares that leave no cut-off."""
    if plan.minprop >= plan.maxprop:
        raise OptionError(
            f"minprop={plan.minprop:g} must be below maxprop={plan.maxprop:g}: they are shares of "
            "the rows at or below the cut-off."
        )


def checked_direction(method: str, direction: str | None) -> str | None:
    """Return the direction of Youden's index."""
    if direction is None:
        return None
    choice("direction", direction, (">=", "<="))
    if method != "youden":
        raise OptionError(
            f"direction={direction!r} goes with method='youden'; method={method!r} is two-sided."
        )
    return direction


def checked_horizon(read: CutpointInput, method: str, time: float | None) -> float | None:
    """Return the horizon of Youden's index of a time."""
    if read.rows.y is not None or method != "youden":
        if time is not None:
            raise OptionError(
                f"time={time!r} is the horizon of Youden's index of a time, Surv(...); leave it "
                "out."
            )
        return None
    if time is None:
        raise OptionError(
            "Youden's index of a time needs a horizon: time=36 takes sensitivity and specificity "
            "for an event by then. method='maxstat' uses the whole follow-up."
        )
    assert read.rows.stop is not None
    return float(as_observed(real("time", time, low=0.0, closed=False), read.rows.stop))
