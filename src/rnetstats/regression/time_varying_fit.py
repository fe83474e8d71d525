"""Cox models with a coefficient that changes over time: split data, the test, tables and curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.distributions import chi_square_p, normal_quantile
from rnetstats.errors import DataError, OptionError, TooFewEventsError, closest
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.spec import Term
from rnetstats.formula.terms import quote
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.time_split import (
    Split,
    events_by_interval,
    interval_words,
    split_rows,
    step_columns,
)

__all__ = [
    "SplitModel",
    "change_curves",
    "change_notes",
    "change_table",
    "constancy_test",
    "event_times",
    "term_of",
    "with_function",
    "with_steps",
]

_POINTS = 101
_FEW = 5


@dataclass(frozen=True, eq=False)
class SplitModel:
    """The split data and what its columns mean: ``names`` are term and level of each."""

    data: pd.DataFrame
    formula: str
    names: list[tuple[str, str]]
    counts: list[tuple[float, float] | None]
    width: int
    blocks: int
    cuts: np.ndarray
    intervals: pd.DataFrame
    weight: np.ndarray
    last: float


def term_of(frame: ModelFrame, name: str) -> Term:
    """Return the term of this name, which is in no interaction of the formula."""
    found = {term.name: term for term in frame.design.terms}
    if not isinstance(name, str) or name not in found:
        raise OptionError(
            f"term={name!r} is not in the formula, which has {', '.join(found) or 'none'}."
            f"{closest(name, found)}"
        )
    term = found[name]
    joined = [t.name for t in frame.design.terms if t.kind == "interaction" and name in t.parts]
    if joined and name not in joined:
        raise OptionError(f"{name!r} takes part in {joined[0]!r}; leave the interaction out.")
    return term


def event_times(frame: ModelFrame) -> np.ndarray:
    """Return the distinct event times, ascending; refuse data without events."""
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    if not outcome.event.any():
        raise TooFewEventsError(
            f"No row of the {frame.n} used has the event of {outcome.name}: no hazard ratio can be "
            "estimated."
        )
    return np.unique(outcome.stop[outcome.event])


def with_steps(frame: ModelFrame, term: Term, cuts: np.ndarray) -> SplitModel:
    """Give the term a coefficient in each interval between cuts."""
    split = split_rows(frame, cuts)
    weight = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    intervals = events_by_interval(split, frame, term, cuts, weight)
    blocks = step_columns(split, frame.design.X[:, term.columns], cuts)
    sums = intervals.groupby("interval", sort=False)[["n_risk", "n_events"]].sum()
    counts = [(float(n), float(d)) for n, d in sums.to_numpy()]
    return _assembled(frame, term, split, blocks, counts, cuts, intervals)


def with_function(frame: ModelFrame, term: Term, moments: np.ndarray, function: str) -> SplitModel:
    """Give the term a coefficient that is linear in a function of time."""
    if function == "log" and moments[0] <= 0.0:
        raise DataError("function='log' needs event times above 0; use 'identity'.")
    split = split_rows(frame, moments)
    weight = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    intervals = events_by_interval(split, frame, term, np.empty(0), weight)
    # what happens between event times has no part in the likelihood: rows end at one or after all
    at = np.minimum(split.stop, moments[-1])
    with np.errstate(divide="ignore"):
        g = np.where(at > 0.0, np.log(at), 0.0) if function == "log" else at
    values = frame.design.X[:, term.columns][split.source]
    text = "log(t)" if function == "log" else "t"
    blocks = [("", values), (text, values * g[:, None])]
    return _assembled(frame, term, split, blocks, [None, None], np.empty(0), intervals)


def _assembled(
    frame: ModelFrame,
    term: Term,
    split: Split,
    blocks: list[tuple[str, np.ndarray]],
    counts: Sequence[tuple[float, float] | None],
    cuts: np.ndarray,
    intervals: pd.DataFrame,
) -> SplitModel:
    """Write the split rows as data and the model of them as a formula."""
    weight = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    # only the order of times matters: ranks take a time of 0 and lose nothing to rounding
    edges = np.unique(np.concatenate([split.start, split.stop]))
    columns: dict[str, np.ndarray] = {
        "start": np.searchsorted(edges, split.start),
        "stop": np.searchsorted(edges, split.stop),
        "event": split.event.astype(int),
        "weight": weight[split.source],
    }
    terms, names, each = [], [], []
    own = frame.design.columns[term.start : term.stop]
    for (text, values), count in zip(blocks, counts, strict=True):
        for column, part in zip(own, values.T, strict=True):
            columns[_free(f"{column.name} {text}".strip(), columns)] = part
            terms.append(list(columns)[-1])
            stepped = bool(len(cuts)) and text
            title = term.name if stepped or not text else f"{term.name}:{text}"
            names.append((title, ": ".join(filter(None, [column.level, text if stepped else ""]))))
            each.append(count)
    for other in frame.design.terms:
        if other.name == term.name:
            continue
        for j in range(other.start, other.stop):
            column = frame.design.columns[j]
            columns[_free(column.name, columns)] = frame.design.X[split.source, j]
            terms.append(list(columns)[-1])
            names.append((column.term, column.level))
            each.append(None)
    right = [quote(name) for name in terms]
    for what, groups in (("strata", frame.strata), ("cluster", frame.cluster)):
        if groups is not None:
            named = _free(groups.name, columns)  # as messages are to call it
            columns[named] = np.array([f"{c:06d}" for c in groups.codes])[split.source]
            right.append(f"{what}({quote(named)})")
    if frame.offset is not None:
        columns["offset value"] = frame.offset[split.source]
        right.append("offset(`offset value`)")
    return SplitModel(
        data=pd.DataFrame(columns),
        formula=f"Surv(start, stop, event) ~ {' + '.join(right)}",
        names=names,
        counts=each,
        width=len(own),
        blocks=len(blocks),
        cuts=cuts,
        intervals=intervals,
        weight=weight,
        last=float(split.stop.max()),
    )


def _free(name: str, taken: dict[str, np.ndarray]) -> str:
    """Return a column's name without backquotes that is not taken yet."""
    plain = name.replace("`", "")
    while plain in taken:
        plain += "'"
    return plain


def change_table(fit: CoxResult, made: SplitModel) -> dict[str, Any]:
    """Name the coefficients by term, level and interval, with counts of patients, not of rows."""
    rows = fit.to_frame()
    total, events = float(made.weight.sum()), float(fit.summary["n_events"])
    counts = [count or (total, events) for count in made.counts]
    rows["term"] = [term for term, _ in made.names]
    rows["level"] = [text for _, text in made.names]
    rows["n"], rows["n_events"] = [n for n, _ in counts], [d for _, d in counts]
    return {str(name): rows[name].to_numpy() for name in rows.columns}


def constancy_test(fit: CoxResult, made: SplitModel) -> pd.DataFrame:
    """Test that the coefficient does not change, by the fit's own kind of test."""
    engine = fit._need("engine", "A test of constancy")
    size, q = engine.X.shape[1], made.width
    turn = np.eye(size)
    if len(made.cuts):  # the first interval's columns become those of the whole term
        for k in range(1, made.blocks):
            turn[np.arange(k * q, (k + 1) * q), np.arange(q)] = 1.0
    columns = list(range(q, q * made.blocks))
    statistic = float(engine.test([columns], turn)[0])
    df = len(columns)
    return pd.DataFrame(
        {
            "statistic": [statistic],
            "df": df,
            "p_value": float(chi_square_p(statistic, df)),
            "method": engine.test_method,
        }
    )


def change_curves(
    fit: CoxResult, made: SplitModel, moments: np.ndarray, function: str | None, conf_level: float
) -> pd.DataFrame:
    """The hazard ratio over time: steps with their own limits, or a curve with a Wald band."""
    q, rows = made.width, fit.to_frame()
    if function is None:
        edges = [0.0, *made.cuts.tolist(), made.last]
        parts = rows.iloc[: q * made.blocks].reset_index(drop=True)
        names = [made.names[j][1].rpartition(": ")[0] for j in range(len(parts))]
        interval = np.arange(len(parts)) // q
        return pd.DataFrame(
            {
                "column": names,
                "start": np.array(edges)[interval],
                "stop": np.array(edges)[interval + 1],
                **{name: parts[name] for name in ("estimate", "conf_low", "conf_high")},
            }
        )
    times = np.linspace(float(moments[0]), float(moments[-1]), _POINTS)
    g = np.log(times) if function == "log" else times
    coef, z = rows["coef"].to_numpy(float), normal_quantile(conf_level)
    found = []
    for j in range(q):
        pair = [j, q + j]
        block = fit.covariance[np.ix_(pair, pair)]
        value = coef[j] + coef[q + j] * g
        error = np.sqrt(block[0, 0] + 2.0 * g * block[0, 1] + g**2 * block[1, 1])
        with np.errstate(over="ignore"):
            ends = {
                "estimate": np.exp(value),
                "conf_low": np.exp(value - z * error),
                "conf_high": np.exp(value + z * error),
            }
        found.append(
            pd.DataFrame({"column": made.names[j][1], "start": times, "stop": times} | ends)
        )
    return pd.concat(found, ignore_index=True)


def change_notes(made: SplitModel) -> list[str]:
    """Say where events are few, and what choosing cuts on the data does."""
    notes = []
    few = made.intervals[made.intervals["n_events"] < _FEW]
    if len(few):
        listed = ", ".join(
            f"{interval_words(str(row.interval))}, {row.arm} ({row.n_events:g})"
            for row in few.itertuples()
        )
        notes.append(f"Fewer than {_FEW} events in an arm of an interval: {listed}.")
    notes.append(
        "Cuts or a function chosen after a look at these data make P and limits too optimistic."
    )
    return notes
