"""One proportion: exact and approximate limits by each named method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr

from rnetstats._core.options import level, positive_int, real
from rnetstats.errors import DataError
from rnetstats.tables.exact_family import binomial_family
from rnetstats.tables.exact_inference import exact_limits, exact_p_values
from rnetstats.tables.limits_result import (
    LimitsByMethod,
    LimitsRow,
    gap_notes,
    limits_frame,
    two_sided_rows,
)
from rnetstats.tables.proportion_limits import (
    agresti_coull_limits,
    clopper_pearson_limits,
    jeffreys_limits,
    wald_limits,
    wilson_limits,
)

__all__ = ["ExactProportionResult", "exact_proportion"]

_MEASURE = "proportion"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExactProportionResult(LimitsByMethod):
    """Limits of a proportion by each method.

    Attributes
    ----------
    events, n : int
        Events and their number of trials.
    null : float or None
        The proportion that the P values test.
    """

    events: int
    n: int
    null: float | None = None

    labels: ClassVar[dict[str, str]] = {
        "central": "exact, central (Clopper-Pearson)",
        "mid-p": "exact, mid-P",
        "minlike": "exact, minimum likelihood (Sterne)",
        "blaker": "exact, Blaker",
        "one-sided lower": "exact, one-sided lower",
        "one-sided upper": "exact, one-sided upper",
        "wilson": "score (Wilson)",
        "wilson-continuity": "score, continuity correction",
        "jeffreys": "Jeffreys",
        "jeffreys-closed": "Jeffreys, closed at 0 and n events",
        "agresti-coull": "Agresti-Coull",
        "wald": "Wald",
        "rule-of-three": "rule of three, one-sided upper",
    }
    digits: ClassVar[int] = 4

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, the proportion and its Clopper-Pearson limits."""
        return self._central({"events": self.events, "n": self.n}, self.null)


def exact_proportion(
    events: int, n: int, *, null: float | None = None, conf_level: float = 0.95
) -> ExactProportionResult:
    """Exact limits of a proportion, with the usual approximations beside them.

    Parameters
    ----------
    events, n : int
        ``events`` among ``n``.
    null : float, optional
        A proportion to test; without it P is missing.
    conf_level : float
        Level of the limits, and of each one-sided limit.

    Returns
    -------
    ExactProportionResult
        Methods ``central`` (Clopper-Pearson), ``mid-p``, ``minlike``, ``blaker``, ``one-sided
        lower``, ``one-sided upper``, ``wilson``, ``wilson-continuity``, ``jeffreys``,
        ``jeffreys-closed``, ``agresti-coull``, ``wald`` (not without events or non-events), and
        ``rule-of-three`` (no events, 95 %).

    Raises
    ------
    OptionError
        If a number is not allowed: a count that is no whole number, or no patient.
    DataError
        If there are more events than patients.
    BudgetError
        If the counts to go through are more than 20 million.

    References
    ----------
    See :mod:`rnetstats.tables.exact_inference` and :mod:`rnetstats.tables.proportion_limits`.

    Examples
    --------
    No event among 44 patients is compatible with a risk of 8 %:

    >>> import rnetstats as rn
    >>> round(float(rn.exact_proportion(0, 44).method("central")["conf_high"]), 4)
    0.0804
    """
    n = positive_int("n", n)
    events = positive_int("events", events, minimum=0)
    if events > n:
        raise DataError(f"There cannot be more events ({events}) than trials ({n}).")
    conf_level = level(conf_level)
    if null is not None:
        null = real("null", null, low=0.0, high=1.0, closed=False)
    family = binomial_family(n)
    found = exact_limits(family, events, 1.0 - conf_level)
    limits = {name: (float(expit(x.low)), float(expit(x.high))) for name, x in found.items()}
    limits["central"] = _floats(clopper_pearson_limits(events, n, conf_level))
    one_sided = _floats(clopper_pearson_limits(events, n, 2.0 * conf_level - 1.0))
    p = None
    if null is not None:
        p = exact_p_values(family, events, math.log(null) - math.log1p(-null))
    rows = two_sided_rows(
        _MEASURE, events / n, limits, one_sided=one_sided, p_values=p, ends=(0.0, 1.0)
    )
    rows += _approximate(events, n, null, conf_level)
    return ExactProportionResult(
        limits=limits_frame(rows),
        conf_level=conf_level,
        events=events,
        n=n,
        null=null,
        notes=tuple(gap_notes(found) + _notes(events, n)),
        options={"null": null, "conf_level": conf_level},
    )


def _floats(pair: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])


def _approximate(events: int, n: int, null: float | None, conf_level: float) -> list[LimitsRow]:
    share = events / n
    pairs = {
        "wilson": wilson_limits(events, n, conf_level),
        "wilson-continuity": wilson_limits(events, n, conf_level, continuity=True),
        "jeffreys": jeffreys_limits(events, n, conf_level),
        "jeffreys-closed": jeffreys_limits(events, n, conf_level, closed_ends=True),
        "agresti-coull": agresti_coull_limits(events, n, conf_level),
    }
    if 0 < events < n:
        pairs["wald"] = wald_limits(events, n, conf_level)
    p = {} if null is None else _score_p(events, n, null)
    rows: list[LimitsRow] = [
        (_MEASURE, name, share, *_floats(pair), p.get(name, math.nan))
        for name, pair in pairs.items()
    ]
    if events == 0 and math.isclose(conf_level, 0.95):
        rows.append((_MEASURE, "rule-of-three", 0.0, 0.0, min(1.0, 3.0 / n), math.nan))
    return rows


def _score_p(events: int, n: int, null: float) -> dict[str, float]:
    distance = abs(events - n * null)
    spread = math.sqrt(n * null * (1.0 - null))
    corrected = max(0.0, distance - min(0.5, distance))
    return {
        "wilson": float(2.0 * ndtr(-distance / spread)),
        "wilson-continuity": float(2.0 * ndtr(-corrected / spread)),
    }


def _notes(events: int, n: int) -> list[str]:
    if 0 < events < n:
        return []
    what = "no events" if events == 0 else "no non-events"
    return [f"There are {what}: Wald limits do not exist, and the exact limits are one bound."]
