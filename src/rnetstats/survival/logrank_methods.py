"""One log-rank test on rows: the table of observed and expected events, and P by each method."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_p
from rnetstats.kernels.ranks import logrank_chi2, logrank_scores, logrank_table
from rnetstats.kernels.risksets import RiskSets, prepare
from rnetstats.survival.logrank_combination import max_combo
from rnetstats.survival.logrank_exact import exact_p_value
from rnetstats.survival.logrank_network import network
from rnetstats.survival.logrank_permutation import permutation_p, permutation_statistic
from rnetstats.survival.logrank_unequal import unequal_p
from rnetstats.survival.rows import SurvivalRows

__all__ = ["METHODS", "MethodOptions", "Outcome", "chi2_p", "logrank_rows", "p_text"]

METHODS = ("asymptotic", "permutation", "permutation-unequal", "exact", "max-combo")

Floats = NDArray[np.float64]

_NAN = float("nan")


@dataclass(frozen=True)
class MethodOptions:
    """How P is found."""

    method: str
    rho: float
    draws: int
    seed: int
    gamma: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """A test; ``observed`` and ``expected`` have shape (k,), ``variance`` (k, k)."""

    observed: Floats
    expected: Floats
    variance: Floats
    df: int
    statistic: float
    p_value: float
    mcse: float
    slack: float
    censoring_p_value: float
    notes: tuple[str, ...]
    components: pd.DataFrame | None = None


@dataclass(frozen=True)
class _P:
    statistic: float
    p_value: float
    mcse: float = _NAN
    slack: float = _NAN
    notes: tuple[str, ...] = ()
    components: pd.DataFrame | None = None


def logrank_rows(rows: SurvivalRows, options: MethodOptions) -> Outcome:
    """Test unweighted rows of two or more groups.

    Without events, or where no two groups are at risk together, P is missing with a note.

    Raises
    ------
    OptionError
        If a weight is infinite: rho below 0, and a common curve that reaches 0 before late entries.
    """
    sets = prepare(rows.start, rows.stop, rows.event, rows.strata)
    k = len(rows.labels)
    try:
        table = logrank_table(sets, rows.group, k, rho=options.rho, gamma=options.gamma)
    except ValueError as error:  # a weight that is infinite
        raise OptionError(f"{str(error).capitalize()}.") from error
    chi2, df = logrank_chi2(table)
    censoring = _censoring_p(rows, k)
    if df == 0:
        found = _P(_NAN, _NAN, notes=(_nothing(rows, options.rho, options.gamma),))
    else:
        found = _p_value(rows, sets, options, chi2, df)
        if options.method not in ("asymptotic", "max-combo"):
            note = _censoring_note(censoring, options.method)
            found = replace(found, notes=(*found.notes, note))
    if 0 < df < k - 1:
        found = replace(found, notes=(*found.notes, _not_compared(rows, table.variance, df)))
    return Outcome(
        observed=table.observed,
        expected=table.expected,
        variance=table.variance,
        df=df,
        statistic=found.statistic,
        p_value=found.p_value,
        mcse=found.mcse,
        slack=found.slack,
        censoring_p_value=censoring,
        notes=found.notes,
        components=found.components,
    )


def chi2_p(statistic: float, df: int) -> float:
    """Return the upper tail of chi-square; missing without degrees of freedom."""
    from scipy.special import chdtrc

    return float(chdtrc(df, statistic)) if df else _NAN


def _censoring_p(rows: SurvivalRows, k: int) -> float:
    """Return P of the log-rank comparison of censoring."""
    sets = prepare(rows.start, rows.stop, ~rows.event, rows.strata)
    return chi2_p(*logrank_chi2(logrank_table(sets, rows.group, k)))


def p_text(p_value: float) -> str:
    """Write ``P = 0.03`` or ``P <0.001``."""
    text = fmt_p(p_value)
    return f"P {text}" if text[:1] in "<>" else f"P = {text}"


def _nothing(rows: SurvivalRows, rho: float, gamma: float) -> str:
    if not rows.event.any():
        return "No event: there is nothing to compare, and P is missing."
    if gamma > 0.0:
        return (
            "With gamma above 0 the first event time has no weight, and no later event happened "
            "while two groups were at risk, with somebody left after it: P is missing."
        )
    if rows.start is not None and rho > 0.0:
        return (
            "No event with a weight above 0 happened while two groups were at risk, with somebody "
            "left after it: P is missing. With rho above 0 events have no weight once the common "
            "curve has reached 0, before others enter."
        )
    return (
        "No event happened while two groups were at risk, with somebody left after it: "
        "P is missing."
    )


def _not_compared(rows: SurvivalRows, variance: Floats, df: int) -> str:
    """Say why there are fewer degrees of freedom than groups less one."""
    alone = [label for label, row in zip(rows.labels, variance, strict=True) if not row.any()]
    who = f" ({', '.join(alone)}: with no other group at all)" if alone else ""
    return (
        f"The test has df = {df} instead of {len(rows.labels) - 1}: not all groups were at risk "
        f"together when an event happened{who}."
    )


def _censoring_note(p_value: float, method: str) -> str:
    unequal = method == "permutation-unequal"
    text = (
        "Each row keeps its own follow-up while survival times are permuted. "
        if unequal
        else "Permuting labels takes censoring to be the same in the groups. "
    )
    if np.isnan(p_value):
        return text + "Nobody was censored while two groups were followed up."
    text += f"The log-rank comparison of censoring (reverse Kaplan-Meier) gives {p_text(p_value)}"
    if p_value < 0.1 and not unequal:
        return text + "; method='permutation-unequal' keeps each group's own follow-up."
    return text + "."


def _p_value(
    rows: SurvivalRows, sets: RiskSets, options: MethodOptions, chi2: float, df: int
) -> _P:
    if options.method == "asymptotic":
        return _P(chi2, chi2_p(chi2, df))
    if options.method == "permutation-unequal":
        drawn = unequal_p(
            rows.stop,
            rows.event,
            rows.group,
            rows.strata,
            observed=chi2,
            rho=options.rho,
            gamma=options.gamma,
            draws=options.draws,
            seed=options.seed,
        )
        return _P(chi2, drawn.p_value, drawn.mcse)
    if options.method == "max-combo":
        combined = max_combo(sets, rows.group)
        return _P(combined.statistic, combined.p_value, components=combined.components)
    scores = logrank_scores(sets, rho=options.rho, gamma=options.gamma)
    statistic = permutation_statistic(scores, rows.group, rows.strata)
    if options.method == "exact":
        return _exact(rows, scores, options, statistic)
    shuffled = permutation_p(
        scores, rows.group, rows.strata, draws=options.draws, seed=options.seed
    )
    return _P(statistic, shuffled.p_value, shuffled.mcse)


def _exact(rows: SurvivalRows, scores: Floats, options: MethodOptions, statistic: float) -> _P:
    member = rows.group == 1
    strata = np.zeros(len(member), np.intp) if rows.strata is None else rows.strata
    parts = []
    for code in np.unique(strata):
        mine = strata == code
        arrays = rows.stop[mine], rows.event[mine], member[mine]
        parts.append(network(*arrays, options.rho, options.gamma))
    found = exact_p_value(parts, float(scores[member].sum()))
    if found.slack == 0.0:
        return _P(statistic, found.p_value, slack=0.0)
    note = (
        f"The exact P lies between {found.p_value - found.slack:.6g} and {found.p_value:.6g}: "
        "sums were rounded to a grid, and the upper bound is given."
    )
    return _P(statistic, found.p_value, slack=found.slack, notes=(note,))
