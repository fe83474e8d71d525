"""One event rate: exact limits by each named method, from a Poisson count."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
from scipy.special import gammainccinv, gammaincinv, ndtri

from rnetstats._core.options import level, positive_int, real
from rnetstats.errors import OptionError
from rnetstats.tables.exact_family import poisson_family
from rnetstats.tables.exact_inference import exact_limits, exact_p_values
from rnetstats.tables.limits_result import (
    LimitsByMethod,
    gap_notes,
    limits_frame,
    two_sided_rows,
)

__all__ = ["ExactRateResult", "exact_rate", "in_reach"]

_MEASURE = "rate"
_REACH = 1e140  # its square, times any count, is still a number


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExactRateResult(LimitsByMethod):
    """Limits of a rate by each method, per unit of the person-time given.

    Attributes
    ----------
    events : int
        Events.
    person_time : float
        Time at risk, in the unit that the rate is per.
    null : float or None
        The rate that the P values test.
    """

    events: int
    person_time: float
    null: float | None = None

    labels: ClassVar[dict[str, str]] = {
        "central": "exact, central (Garwood)",
        "mid-p": "exact, mid-P",
        "minlike": "exact, minimum likelihood",
        "blaker": "exact, Blaker",
        "one-sided lower": "exact, one-sided lower",
        "one-sided upper": "exact, one-sided upper",
        "byar": "Byar's approximation",
    }
    digits: ClassVar[int] = 5

    def glance(self) -> pd.DataFrame:
        """Return one row: events, person-time, the rate and its central limits."""
        return self._central({"events": self.events, "person_time": self.person_time}, self.null)


def exact_rate(
    events: int, person_time: float, *, null: float | None = None, conf_level: float = 0.95
) -> ExactRateResult:
    """Exact limits of an event rate.

    Parameters
    ----------
    events : int
        Events, 0 included: the upper limits are then what the data say.
    person_time : float
        Time at risk, positive; the rate is per unit of it.
    null : float, optional
        A rate to test; without it P is missing.
    conf_level : float
        Level of the limits, and of each one-sided limit.

    Returns
    -------
    ExactRateResult
        Methods ``central`` (Garwood), ``mid-p``, ``minlike``, ``blaker``, ``one-sided lower``,
        ``one-sided upper`` and ``byar``.

    Raises
    ------
    OptionError
        If an option is not allowed, or the rates would be larger or smaller than any number that
        can be held: the person-time is then to be given in another unit.
    BudgetError
        If the counts to go through are more than 20 million.

    References
    ----------
    Garwood F (1936) Fiducial limits for the Poisson distribution. Biometrika 28:437-442. Breslow
    NE, Day NE (1987) Statistical methods in cancer research II, p. 69 (Byar).

    Examples
    --------
    12 recurrences in 2947.4 patient-years, per 1000 of them:

    >>> import rnetstats as rn
    >>> row = rn.exact_rate(12, 2.9474).method("central")
    >>> [round(float(row[name]), 2) for name in ("estimate", "conf_low", "conf_high")]
    [4.07, 2.1, 7.11]
    """
    events = positive_int("events", events, minimum=0)
    person_time = real("person_time", person_time, low=0.0, closed=False)
    conf_level = level(conf_level)
    alpha = 1.0 - conf_level
    in_reach("person_time", person_time)
    family = poisson_family(events, 1e-6 * alpha)
    found = exact_limits(family, events, alpha)
    limits = {
        name: (math.exp(x.low) / person_time, math.exp(x.high) / person_time)
        for name, x in found.items()
    }
    limits["central"] = _garwood(events, person_time, alpha / 2.0)
    p = None
    if null is not None:
        null = real("null", null, low=0.0, closed=False)
        in_reach("null", null)
        p = _p_values(events, null * person_time)
    rate = events / person_time
    rows = two_sided_rows(
        _MEASURE,
        rate,
        limits,
        one_sided=_garwood(events, person_time, alpha),
        p_values=p,
        ends=(0.0, math.inf),
    )
    rows.append((_MEASURE, "byar", rate, *_byar(events, person_time, alpha), math.nan))
    notes = gap_notes(found)
    if events == 0:
        notes.append("There are no events: the exact limits are one bound on the rate.")
    return ExactRateResult(
        limits=limits_frame(rows),
        conf_level=conf_level,
        events=events,
        person_time=person_time,
        null=null,
        notes=tuple(notes),
        options={"null": null, "conf_level": conf_level},
    )


def in_reach(name: str, value: float) -> None:
    """Refuse what would make a rate, or a mean, infinite or zero."""
    if not 1.0 / _REACH <= value <= _REACH:
        raise OptionError(
            f"{name}={value:g} is beyond {1.0 / _REACH:g} to {_REACH:g}, where rates can be "
            "computed; give the person-time in another unit."
        )


def _p_values(events: int, mean: float) -> dict[str, float]:
    """P values of a mean count; the family is cut off far beyond both it and the count."""
    largest = max(float(events), mean)
    family = poisson_family(math.ceil(largest), 1e-12)
    return exact_p_values(family, events, math.log(mean))


def _garwood(events: int, person_time: float, alpha: float) -> tuple[float, float]:
    low = float(gammaincinv(events, alpha)) if events else 0.0
    return low / person_time, float(gammainccinv(events + 1, alpha)) / person_time


def _byar(events: int, person_time: float, alpha: float) -> tuple[float, float]:
    z = float(ndtri(1.0 - alpha / 2.0))

    def side(x: int, sign: float) -> float:
        root = 1.0 - 1.0 / (9.0 * x) + sign * z / (3.0 * math.sqrt(x))
        return x * max(root, 0.0) ** 3 / person_time

    return (side(events, -1.0) if events else 0.0), side(events + 1, 1.0)
