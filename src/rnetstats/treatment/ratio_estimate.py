"""A ratio with its limits, as the verbs of unmeasured confounding take it: given, or from a fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.options import effect_measure, real
from rnetstats._core.result import Result
from rnetstats.errors import ConvergenceError, DataError, OptionError, closest
from rnetstats.formatting import fmt_percent
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.spec import Term
from rnetstats.regression.model import RegressionResult
from rnetstats.tables.counts import count_table
from rnetstats.tables.two_proportions import miettinen_nurminen_limits

__all__ = ["MEASURES", "RARE", "RatioEstimate", "is_rare", "ratio_estimate"]

Flags = NDArray[np.bool_]

MEASURES = ("rr", "or", "hr")
NAMES = {"rr": "risk ratio", "or": "odds ratio", "hr": "hazard ratio"}
RARE = 0.15  # share of events below which odds and hazard ratios stand for risk ratios


@dataclass(frozen=True)
class RatioEstimate:
    """A ratio, its limits (missing where not given) and what is known of where it comes from."""

    estimate: float
    low: float
    high: float
    measure: str
    label: str
    share: float | None = None
    n_events: float = math.nan
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    row: int = -1


def ratio_estimate(
    source: Any,
    low: float | None,
    high: float | None,
    *,
    measure: str | None,
    term: str | None,
    level: str | None,
) -> RatioEstimate:
    """Read a ratio from a number with limits, a logistic or Cox fit, or a 2x2 table of counts.

    Raises
    ------
    OptionError
        If options are missing or do not fit the source.
    DataError
        If the limits do not hold the estimate, or a number is no ratio.
    """
    if isinstance(source, RegressionResult):
        _refuse({"conf_low": low, "conf_high": high, "measure": measure}, "a fit")
        return _of_fit(source, term, level)
    if isinstance(source, Result):
        raise OptionError(
            f"There is no single ratio to take from {type(source).__name__}: give a logistic or "
            "Cox fit, or the estimate with its limits."
        )
    _refuse({"term": term, "level": level}, "numbers")
    if isinstance(source, Real) and not isinstance(source, bool):
        return _of_numbers(float(source), low, high, measure)
    _refuse({"conf_low": low, "conf_high": high}, "counts")
    if measure is not None and effect_measure(measure, MEASURES) != "rr":
        raise OptionError("A table of counts gives the risk ratio: leave measure= out.")
    return _of_counts(source)


def _refuse(options: dict[str, Any], source: str) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise OptionError(f"{given[0]}= has no meaning beside {source}; leave it out.")


def _of_numbers(
    estimate: float, low: float | None, high: float | None, measure: str | None
) -> RatioEstimate:
    if measure is None:
        raise OptionError(
            "Say what the estimate is: measure='rr' (risk ratio), 'or' (odds ratio) or 'hr' "
            "(hazard ratio)."
        )
    measure = effect_measure(measure, MEASURES)
    point = _ratio("estimate", estimate)
    if not 0.0 < point < math.inf:
        raise DataError(
            f"The estimate must be a finite ratio above 0, not {estimate!r}; without a finite "
            "estimate (separation), fit with penalty='firth'."
        )
    below = math.nan if low is None else _ratio("conf_low", low)
    above = math.nan if high is None else _ratio("conf_high", high)
    if below > point or above < point:
        raise DataError(
            f"The limits ({below:g} to {above:g}) do not hold the estimate {point:g}. They must be "
            "those of the same estimate, on the same scale (ratios, not logarithms)."
        )
    return RatioEstimate(point, below, above, measure, NAMES[measure])


def _ratio(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or math.isnan(float(value)):
        raise OptionError(f"{name} must be a number, not {value!r}.")
    if float(value) < 0.0:
        raise DataError(
            f"{name} is {value:g}, but a ratio is not negative. If it is a coefficient, give its "
            "exponential."
        )
    return float(value)


def _of_counts(table: Any) -> RatioEstimate:
    read = count_table(table)
    if read.counts.shape != (2, 2):
        raise DataError("The counts must be a 2x2 table: exposed first, the event first.")
    (a, b), (c, d) = read.counts.tolist()
    if a == 0 or c == 0:
        empty = read.rows[0 if a == 0 else 1]
        raise DataError(
            f"{empty!r} has no event: there is no risk ratio. exact_table() gives its bound, which "
            "may be given as the estimate of the most that confounding would have to explain."
        )
    low, high = miettinen_nurminen_limits(a, a + b, c, c + d, measure="ratio")
    ratio = (a / (a + b)) / (c / (c + d))
    note = (
        "The risk ratio of the counts with score limits (Miettinen-Nurminen). Its null is that of "
        "the risk difference too."
    )
    n = a + b + c + d
    return RatioEstimate(
        ratio, float(low), float(high), "rr", NAMES["rr"], (a + c) / n, a + c, notes=(note,)
    )


def _of_fit(fit: RegressionResult, term: str | None, level: str | None) -> RatioEstimate:
    table = fit.coefficients
    terms = [name for name in table["term"].unique().tolist() if name != "(Intercept)"]
    if term is None:
        if len(terms) > 1:
            raise OptionError(f"The fit has several terms; choose by term=: {', '.join(terms)}.")
        term = terms[0]
    if term not in terms:
        raise OptionError(
            f"The fit has no term {term!r}; its terms are {', '.join(terms)}.{closest(term, terms)}"
        )
    of = next(part for part in fit.design.terms if part.name == term)
    _check_single(fit, of)
    rows = table[table["term"] == term]
    levels = rows["level"].astype(str).tolist()
    if level is None and len(rows) > 1:
        raise OptionError(f"{term!r} has several levels; choose by level=: {', '.join(levels)}.")
    if level is not None and str(level) not in levels:
        raise OptionError(f"{term!r} has no level {level!r}; it has {', '.join(levels)}.")
    place = 0 if level is None else levels.index(str(level))
    row = rows.iloc[place]
    values = [float(row[name]) for name in ("estimate", "conf_low", "conf_high")]
    if not 0.0 < values[0] < math.inf or any(map(math.isnan, values)):
        raise ConvergenceError(
            f"The estimate of {term!r} is not finite, or has no limits: fit with penalty='firth'."
        )
    measure = str(row["measure"]).lower()
    if measure not in MEASURES:
        raise OptionError(
            f"The fit's measure is {row['measure']}, not a risk, odds or hazard ratio; give the "
            "numbers themselves if one of these is meant."
        )
    events, n = float(fit.summary["n_events"]), float(fit.summary["n"])
    index = int(rows.index[place])
    name = fit.label(term) + (f": {row['level']}" if row["level"] else "")
    counted = "start-stop rows" if _start_stop(fit) else "patients"
    share, weighted = _share(fit)
    return RatioEstimate(
        values[0],
        values[1],
        values[2],
        measure,
        name,
        share,
        events,
        fit.synthetic,
        (
            f"The fit rests on {events:g} events of {n:g} {counted}{_by_exposure(fit, index)}.",
            *weighted,
            *_per_unit(fit, of),
        ),
        row=index,
    )


def _check_single(fit: RegressionResult, term: Term) -> None:
    """Refuse a coefficient that is no effect of one thing against another."""
    variable = term.variables[0]
    if term.kind == "spline":
        raise OptionError(
            f"{term.name!r} is a spline: its columns are no ratios between two values. Give such a "
            f"ratio with its limits, that of effect({variable!r}, values=[...], reference=...)."
        )
    joint = [t for t in fit.design.terms if t.kind == "interaction" and term.name in t.parts]
    if term.kind == "interaction" or joint:
        where = "" if term.kind == "interaction" else f" ({joint[0].name})"
        raise OptionError(
            f"{term.name!r} {'has' if where else 'is'} an interaction{where}: it has no single "
            "effect that confounding could explain. Give the ratio where the other variable is "
            f"held, with its limits: that of effect({variable!r}, values=[...], at={{...}})."
        )


def _per_unit(fit: RegressionResult, term: Term) -> tuple[str, ...]:
    """Say of what step the ratio of a number is, while the rows are at hand."""
    if fit.engine is None or term.kind != "numeric":
        return ()
    if np.isin(fit.engine.X[:, term.columns], (0.0, 1.0)).all():
        return ()
    return (
        f"The ratio is that of one unit of {fit.label(term.name)}: over a longer step it lies "
        "further from 1.",
    )


def _start_stop(fit: RegressionResult) -> bool:
    """Whether the rows are intervals of time at risk, which are no patients."""
    left = parse_formula(str(fit.options["formula"])).outcome
    return left is not None and len(left.times) == 2


def _share(fit: RegressionResult) -> tuple[float | None, tuple[str, ...]]:
    """Share with the event of the patients for whom the rows stand, and how it was counted.

    None where the fit does not tell: a patient may have several start-stop rows, and a fit read
    back with a sandwich variance may have had sampling weights.
    """
    if _start_stop(fit):
        return None, ()
    plain = float(fit.summary["n_events"]) / float(fit.summary["n"])
    if fit.engine is None:
        return (None if fit.options.get("robust") else plain), ()
    frame = fit.engine.frame
    event = _event_of(fit)
    if frame.sampling_weights is None or event is None:
        return plain, ()
    weight = fit.engine.patient_weights
    share = float(weight @ event / weight.sum())
    return share, (f"Of those for whom the sampling weights stand {fmt_percent(share)} have it.",)


def _event_of(fit: RegressionResult) -> Flags | None:
    """Rows with the event (n,), while they are at hand."""
    if fit.engine is None or fit.engine.frame.outcome is None:
        return None
    outcome = fit.engine.frame.outcome
    return outcome.event if outcome.y is None else np.asarray(outcome.y == 1.0)


def _by_exposure(fit: RegressionResult, row: int) -> str:
    """Events among those with and without a two-valued exposure, while the rows are at hand."""
    event = _event_of(fit)
    if fit.engine is None or event is None:
        return ""
    term = next(t for t in fit.engine.spec.terms if t.start <= row < t.stop)
    columns = fit.engine.X[:, term.columns]
    if term.kind not in ("numeric", "factor"):
        return ""
    if not np.isin(columns, (0.0, 1.0)).all():
        return ""
    frame = fit.engine.frame  # patients are counted: sampling weights have no part here
    weight = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    with_it, without = columns[:, row - term.start] == 1.0, np.all(columns == 0.0, axis=1)
    counts = [(weight[rows] @ event[rows], weight[rows].sum()) for rows in (with_it, without)]
    (a, m), (b, n) = counts
    return f" ({a:g} of {m:g} exposed, {b:g} of {n:g} unexposed)"


def is_rare(found: RatioEstimate, rare: bool | None, outcome_share: float | None) -> bool:
    """Decide whether odds and hazard ratios stand for risk ratios, or say what must be told.

    Raises
    ------
    OptionError
        If nothing says how frequent the outcome is, or two answers contradict each other.
    """
    share = found.share
    if outcome_share is not None:
        share = real("outcome_share", outcome_share, low=0.0, high=1.0)
    if rare is not None and not isinstance(rare, (bool, np.bool_)):
        raise OptionError(f"rare must be True or False, not {rare!r}.")
    if found.measure == "rr":
        return False
    if rare is None and share is None:
        raise OptionError(
            f"Say how frequent the outcome is by the end of follow-up: outcome_share= (a share of "
            f"1), or rare=True (below {100 * RARE:g} %) or rare=False. Odds and hazard ratios are "
            "further from 1 than risk ratios where the outcome is common."
        )
    if rare is None:
        assert share is not None
        return share < RARE
    if outcome_share is not None and bool(rare) != (outcome_share < RARE):
        raise OptionError(
            f"rare={rare} contradicts outcome_share={outcome_share:g}: rare means below {RARE:g}."
        )
    return bool(rare)
