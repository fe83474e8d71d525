"""The ratio of two event rates: exact, given the events of both groups together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from rnetstats._core.options import level, positive_int, real
from rnetstats.tables.exact_family import CountFamily, binomial_family
from rnetstats.tables.exact_inference import exact_limits, exact_p_values, one_sided_limits
from rnetstats.tables.exact_rate import in_reach
from rnetstats.tables.limits_result import (
    LimitsByMethod,
    LimitsRow,
    gap_notes,
    limits_frame,
    two_sided_rows,
)

__all__ = ["ExactRateRatioResult", "exact_rate_ratio"]

_MEASURE = "rate ratio"
_METHODS = ("central", "mid-p", "minlike", "blaker")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExactRateRatioResult(LimitsByMethod):
    """Limits of a rate ratio, group 1 over group 2, by each method.

    Attributes
    ----------
    events_1, events_2 : int
        Events of each group.
    time_1, time_2 : float
        Person-time of each group, in one unit.
    null : float
        The ratio that the P values test.
    """

    events_1: int
    time_1: float
    events_2: int
    time_2: float
    null: float = 1.0

    labels: ClassVar[dict[str, str]] = {
        "central": "exact conditional, central",
        "mid-p": "exact conditional, mid-P",
        "minlike": "exact conditional, minimum likelihood",
        "blaker": "exact conditional, Blaker",
        "one-sided lower": "exact conditional, one-sided lower",
        "one-sided upper": "exact conditional, one-sided upper",
    }

    def glance(self) -> pd.DataFrame:
        """Return one row: events, rates, their ratio and its central limits."""
        counts = {
            "events_1": self.events_1,
            "time_1": self.time_1,
            "rate_1": self.events_1 / self.time_1,
            "events_2": self.events_2,
            "time_2": self.time_2,
            "rate_2": self.events_2 / self.time_2,
        }
        return self._central(counts, self.null)


def exact_rate_ratio(
    events_1: int,
    time_1: float,
    events_2: int,
    time_2: float,
    *,
    null: float = 1.0,
    conf_level: float = 0.95,
) -> ExactRateRatioResult:
    """Exact limits and P of the ratio of two Poisson rates, group 1 over group 2.

    Given the events of both groups, those of group 1 are binomial with a probability that depends
    on the ratio alone.

    Parameters
    ----------
    events_1, events_2 : int
        Events of each group.
    time_1, time_2 : float
        Person-time of each group, positive and in one unit.
    null : float
        The ratio to test.
    conf_level : float
        Level of the limits, and of each one-sided limit.

    Returns
    -------
    ExactRateRatioResult
        Methods ``central``, ``mid-p``, ``minlike``, ``blaker``, ``one-sided lower`` and
        ``one-sided upper``.

    Raises
    ------
    OptionError
        If an option is not allowed, or a rate would be larger or smaller than any number that can
        be held: the person-times are then to be given in another unit.
    BudgetError
        If the events are more than 20 million.

    References
    ----------
    Przyborowski J, Wilenski H (1940) Homogeneity of results in testing samples from Poisson
    series. Biometrika 31:313-323.

    Examples
    --------
    >>> import rnetstats as rn
    >>> ratio = rn.exact_rate_ratio(8, 1055.0, 4, 1892.0)
    >>> row = ratio.method("central")
    >>> [round(float(row[name]), 3) for name in ("estimate", "conf_low", "conf_high", "p_value")]
    [3.587, 0.961, 16.277, 0.059]
    """
    events_1 = positive_int("events_1", events_1, minimum=0)
    events_2 = positive_int("events_2", events_2, minimum=0)
    time_1 = real("time_1", time_1, low=0.0, closed=False)
    time_2 = real("time_2", time_2, low=0.0, closed=False)
    null = real("null", null, low=0.0, closed=False)
    conf_level = level(conf_level)
    in_reach("time_1", time_1)
    in_reach("time_2", time_2)
    rows, notes = _rows((events_1, events_2), (time_1, time_2), null, conf_level)
    return ExactRateRatioResult(
        limits=limits_frame(rows),
        conf_level=conf_level,
        events_1=events_1,
        time_1=time_1,
        events_2=events_2,
        time_2=time_2,
        null=null,
        notes=tuple(notes),
        options={"null": null, "conf_level": conf_level},
    )


def _rows(
    events: tuple[int, int], times: tuple[float, float], null: float, conf_level: float
) -> tuple[list[LimitsRow], list[str]]:
    (x1, x2), (t1, t2) = events, times
    if x1 + x2 == 0:
        names = (*_METHODS, "one-sided lower", "one-sided upper")
        note = (
            "There are no events in either group: every ratio is possible, none can be estimated."
        )
        return [(_MEASURE, name, math.nan, 0.0, math.inf, 1.0) for name in names], [note]
    family: CountFamily = binomial_family(x1 + x2)
    alpha = 1.0 - conf_level
    found = exact_limits(family, x1, alpha)
    one = one_sided_limits(family, x1, alpha)
    limits = {name: (_ratio(x.low, t1, t2), _ratio(x.high, t1, t2)) for name, x in found.items()}
    p = exact_p_values(family, x1, math.log(null) + math.log(t1) - math.log(t2))
    estimate = x1 / x2 * (t2 / t1) if x2 else math.inf
    rows = two_sided_rows(
        _MEASURE,
        estimate,
        limits,
        one_sided=(_ratio(one.low, t1, t2), _ratio(one.high, t1, t2)),
        p_values=p,
        ends=(0.0, math.inf),
    )
    notes = gap_notes(found)
    if 0 in (x1, x2):
        group, bound = ("1", "lower limit is 0") if x1 == 0 else ("2", "upper limit is infinite")
        notes.append(f"Group {group} has no events: the {bound}, and the other limit is a bound.")
    return rows, notes


def _ratio(theta: float, t1: float, t2: float) -> float:
    """The rate ratio of a log odds of belonging to group 1."""
    return math.inf if theta == math.inf else math.exp(theta) * (t2 / t1)
