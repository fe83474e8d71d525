"""A hazard ratio that changes over time: by steps, or with a function of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.distributions import chi_square_p, normal_quantile
from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats._core.result import Result
from rnetstats._core.schema import coefficient_frame
from rnetstats.errors import DataError, OptionError, TooFewEventsError, closest
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.spec import Term
from rnetstats.formula.terms import Formula, quote
from rnetstats.regression.cox import CoxResult, cox
from rnetstats.regression.time_split import (
    Split,
    checked_cuts,
    events_by_interval,
    split_rows,
    step_columns,
)
from rnetstats.regression.variables import labels_of, outcome_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["TimeVaryingResult", "time_varying_effect"]

FUNCTIONS = ("log", "identity")
_POINTS = 101
_FEW = 5


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TimeVaryingResult(Result):
    """A Cox model with a coefficient that changes over time; see :func:`time_varying_effect`.

    Attributes
    ----------
    table : dict
        The columns of :meth:`to_frame`.
    intervals : DataFrame
        ``interval, arm, n_risk, n_events``; with a function of time one interval.
    test : DataFrame
        Of constancy: ``statistic, df, p_value, method``, one row.
    curves : DataFrame
        ``column, start, stop, estimate, conf_low, conf_high``: the hazard ratio over time.
    summary : dict
        The fields of :meth:`glance`.
    label : str
        The term's printed name.
    time_label : str
    """

    table: dict[str, Any]
    intervals: pd.DataFrame
    test: pd.DataFrame
    curves: pd.DataFrame
    summary: dict[str, Any]
    label: str
    time_label: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient in the shared schema; those of the term stand first.

        By steps, a row's level ends with its interval, and ``n``, ``n_events`` are of it. With a
        function g, the row of the term is the log hazard ratio where g(t) is 0, and ``term:g(t)``
        its change per unit of g(t).
        """
        return coefficient_frame(self.table)

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, log-likelihood, the test of constancy."""
        return pd.DataFrame([self.summary])

    def display(self) -> pd.DataFrame:
        """Return one row a coefficient as text."""
        rows = self.to_frame()
        return pd.DataFrame(
            {
                "term": rows["term"],
                "level": rows["level"].astype(str),
                "n": [fmt_count(n) for n in rows["n"]],
                "events": [fmt_count(n) for n in rows["n_events"]],
                "HR": [fmt_number(v) for v in rows["estimate"]],
                f"{100 * self.options['conf_level']:g} % CI": [
                    fmt_interval(low, high)
                    for low, high in zip(rows["conf_low"], rows["conf_high"], strict=True)
                ],
                "P": [fmt_p(p) for p in rows["p_value"]],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the hazard ratio over time with its limits."""
        from rnetstats.plots.time_varying import ratio_over_time

        return ratio_over_time(
            self.curves,
            label=self.label,
            time_label=self.time_label,
            constancy=fmt_p(float(self.test["p_value"].iloc[0])),
            conf_level=self.options["conf_level"],
            synthetic=self.synthetic,
            ax=ax,
        )


def time_varying_effect(
    data: Data,
    formula: str | Formula,
    *,
    term: str,
    cuts: float | Sequence[float] | None = None,
    function: str | None = None,
    penalty: str | None = "firth",
    ties: str = "efron",
    freq_weights: str | ArrayLike | None = None,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> TimeVaryingResult:
    """Let the coefficient of one term of a Cox model change over time.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        As for ``cox``; the other terms keep constant coefficients.
    term : str
        The term as the formula writes it.
    cuts : float or sequence of float
        The coefficient has a value of its own in each interval between these times, (low, high].
    function : {"log", "identity"}
        In place of cuts: the coefficient is ``b0 + b1 g(t)`` with g(t) = log t or t. Rows are split
        at every event time, so that the fit is exact.
    penalty : {"firth", None}
    ties : {"efron", "breslow"}
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    TimeVaryingResult
        Limits and P by (penalised) profile likelihood, Wald with ``cluster()``; the test of
        constancy is of the same kind. The band of ``function=`` is pointwise and Wald.

    Raises
    ------
    OptionError
        If neither or both of cuts and function are given, or the term is not in the formula.
    TooFewEventsError
        If an interval has no event.
    FormulaError, ColumnError, DataError, ConvergenceError
        As for ``cox``.

    Notes
    -----
    Cuts are to be chosen before the data are seen: the best of many has no valid P.

    References
    ----------
    Therneau TM, Grambsch PM (2000). Modeling Survival Data: Extending the Cox Model. Springer,
    section 6.5. Heinze G, Dunkler D (2008). Avoiding infinite estimates of time-dependent effects
    in small-sample survival studies. Stat Med 27:6455-69.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> fit = rn.time_varying_effect(
    ...     cohort,
    ...     "Surv(dfs_months, dfs_event) ~ margin_positive + age",
    ...     term="margin_positive",
    ...     cuts=[36],
    ... )
    >>> fit.to_frame()[["term", "level", "n_events", "estimate", "conf_low"]].round(2)
                  term      level  n_events  estimate  conf_low
    0  margin_positive    (0, 36]      33.0      1.60      0.80
    1  margin_positive  (36, inf)      39.0      1.20      0.63
    2              age                 72.0      1.07      1.04
    """
    level(conf_level)
    choice("penalty", penalty, ("firth", None))
    choice("ties", ties, ("efron", "breslow"))
    if (cuts is None) == (function is None):
        raise OptionError(
            "Give cuts=[...] for steps, or function='log' or 'identity'; one of them."
        )
    if function is not None:
        choice("function", function, FUNCTIONS)
    frame = model_frame(
        data,
        formula,
        kind="survival",
        weights={"freq_weights": freq_weights},
        missing=missing,
        intercept=False,
    )
    chosen = _term(frame, term)
    moments = _event_times(frame)
    if cuts is None:
        assert function is not None
        made = _with_function(frame, chosen, moments, function)
    else:
        made = _with_steps(frame, chosen, checked_cuts(cuts, float(moments[-1])))
    fit = cox(
        made.data,
        made.formula,
        penalty=penalty,
        ties=ties,
        freq_weights="weight",
        conf_level=conf_level,
    )
    test = _constancy(fit, made)
    labels = labels_of(data, frame)
    outcome = frame.outcome
    assert outcome is not None
    name = function or "steps"
    return TimeVaryingResult(
        table=_table(fit, frame, made),
        intervals=made.intervals,
        test=test,
        curves=_curves(fit, made, moments, function, conf_level),
        summary={
            "n": float(made.weight.sum()),
            "n_missing": frame.n_missing,
            "n_events": fit.summary["n_events"],
            "term": chosen.name,
            "change": name,
            "log_likelihood": fit.summary["log_likelihood"],
            "log_likelihood_penalized": fit.summary["log_likelihood_penalized"],
            "statistic": test["statistic"].iloc[0],
            "df": test["df"].iloc[0],
            "p_value": test["p_value"].iloc[0],
            "endpoint": outcome_name(frame),
        },
        label=labels.get(chosen.name, chosen.name),
        time_label=labels.get(outcome.time_name, outcome.time_name),
        synthetic=is_synthetic_data(data),
        notes=(*frame.notes, *fit.notes, *_notes(made)),
        options={
            "formula": frame.formula,
            "term": chosen.name,
            "cuts": None if cuts is None else made.cuts.tolist(),
            "function": function,
            "penalty": penalty,
            "ties": ties,
            "conf_level": conf_level,
            "missing": missing,
        },
    )


@dataclass(frozen=True, eq=False)
class _Made:
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


def _term(frame: ModelFrame, name: str) -> Term:
    found = {term.name: term for term in frame.design.terms}
    if name not in found:
        raise OptionError(
            f"term={name!r} is not in the formula, which has {', '.join(found) or 'none'}."
            f"{closest(str(name), found)}"
        )
    term = found[name]
    joined = [t.name for t in frame.design.terms if t.kind == "interaction" and name in t.parts]
    if joined and name not in joined:
        raise OptionError(f"{name!r} takes part in {joined[0]!r}; leave the interaction out.")
    return term


def _event_times(frame: ModelFrame) -> np.ndarray:
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


def _with_steps(frame: ModelFrame, term: Term, cuts: np.ndarray) -> _Made:
    split = split_rows(frame, cuts)
    weight = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    intervals = events_by_interval(split, frame, term, cuts, weight)
    blocks = step_columns(split, frame.design.X[:, term.columns], cuts)
    sums = intervals.groupby("interval", sort=False)[["n_risk", "n_events"]].sum()
    counts = [(float(n), float(d)) for n, d in sums.to_numpy()]
    return _assembled(frame, term, split, blocks, counts, cuts, intervals)


def _with_function(frame: ModelFrame, term: Term, moments: np.ndarray, function: str) -> _Made:
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
) -> _Made:
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
            columns[f"{what} code"] = np.array([f"{c:06d}" for c in groups.codes])[split.source]
            right.append(f"{what}(`{what} code`)")
    if frame.offset is not None:
        columns["offset value"] = frame.offset[split.source]
        right.append("offset(`offset value`)")
    return _Made(
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


def _table(fit: CoxResult, frame: ModelFrame, made: _Made) -> dict[str, Any]:
    """Name the coefficients by term, level and interval, with counts of patients, not of rows."""
    rows = fit.to_frame()
    total, events = float(made.weight.sum()), float(fit.summary["n_events"])
    counts = [count or (total, events) for count in made.counts]
    rows["term"] = [term for term, _ in made.names]
    rows["level"] = [text for _, text in made.names]
    rows["n"], rows["n_events"] = [n for n, _ in counts], [d for _, d in counts]
    return {str(name): rows[name].to_numpy() for name in rows.columns}


def _constancy(fit: CoxResult, made: _Made) -> pd.DataFrame:
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


def _curves(
    fit: CoxResult, made: _Made, moments: np.ndarray, function: str | None, conf_level: float
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


def _notes(made: _Made) -> list[str]:
    notes = []
    few = made.intervals[made.intervals["n_events"] < _FEW]
    if len(few):
        listed = ", ".join(
            f"{row.interval}, {row.arm} ({row.n_events:g})" for row in few.itertuples()
        )
        notes.append(f"Fewer than {_FEW} events in an arm of an interval: {listed}.")
    notes.append(
        "Cuts or a function chosen after a look at these data make P and limits too optimistic."
    )
    return notes
