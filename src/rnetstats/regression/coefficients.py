"""From a fitted model to the tidy table of coefficients and the reference levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnetstats._core.distributions import chi_square_p, normal_quantile, two_sided_p
from rnetstats.formula.spec import INTERCEPT, Column
from rnetstats.regression.engine import Engine
from rnetstats.regression.wald import missing_joint_tests
from rnetstats.regression.workings import Known

__all__ = ["Inference", "infer", "reference_levels"]

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Inference:
    """Coefficients, joint tests of terms, and the test of the whole model."""

    table: dict[str, Any]
    joint: dict[str, Any]
    statistic: float
    df: int
    notes: tuple[str, ...]

    @property
    def p_value(self) -> float:
        """Of the whole model against none."""
        return float(chi_square_p(self.statistic, self.df)) if self.df else float("nan")


def infer(
    engine: Engine,
    event: np.ndarray,
    *,
    measure: str,
    conf_level: float,
    known: Known | None = None,
) -> Inference:
    """Return limits and tests of a fitted model; all refits of its tests are one batch.

    Parameters
    ----------
    engine : Engine
    event : bool array of shape (n,)
    measure : str
        What ``exp(coef)`` is: ``"OR"`` or ``"HR"``.
    conf_level : float
    known : Known, optional
        What the fit has found, if it needed no other columns than those of the engine.

    Returns
    -------
    Inference
        ``table`` in the shared schema, P and limits by the same method; ``joint`` with columns
        ``term, kind, df, statistic, p_value``, one row a term.
    """
    columns, terms = engine.spec.columns, engine.spec.terms
    everything = range(int(engine.spec.intercept), len(columns))
    single = [] if engine.wald else [(j,) for j in range(len(columns))]
    sets = [tuple(range(term.start, term.stop)) for term in terms]
    asked = [*single, *sets, *([tuple(everything)] if everything else [])]
    n, n_events = _counts(engine, event)
    coef = engine.coef
    error = np.sqrt(engine.covariance.diagonal())
    tests, (low, high), (statistic, p_value), notes = _answers(engine, asked, conf_level, known)
    logs = np.array([coef, low, high])
    with np.errstate(over="ignore"):
        ratios = np.exp(logs)
    notes += _beyond_numbers(columns, logs, ratios)
    estimate, conf_low, conf_high = ratios
    table = {
        "term": [column.term for column in columns],
        "level": [column.level for column in columns],
        "n": n,
        "n_events": n_events,
        "measure": [measure if c.term != INTERCEPT else "odds" for c in columns],
        "estimate": estimate,
        "conf_low": conf_low,
        "conf_high": conf_high,
        "coef": coef,
        "std_error": error,
        "statistic": statistic,
        "p_value": p_value,
        "method": [engine.fit_method] * len(columns),
    }
    df, values = [term.df for term in terms], tests[len(single) : len(single) + len(terms)]
    overall = float(tests[-1]) if everything else float("nan")
    undetermined = [terms[k].name for k in np.flatnonzero(np.isnan(values))]
    if everything and math.isnan(overall):
        undetermined.append("the whole model")
    if undetermined and not engine.separated:
        notes += (missing_joint_tests(undetermined, engine.robust),)
    joint = {
        "term": [term.name for term in terms],
        "kind": [term.kind for term in terms],
        "df": df,
        "statistic": values,
        "p_value": chi_square_p(values, df),
    }
    return Inference(table, joint, overall, len(everything), notes)


def _answers(
    engine: Engine, asked: list[tuple[int, ...]], conf_level: float, known: Known | None
) -> tuple[np.ndarray, Pair, Pair, tuple[str, ...]]:
    """Joint statistics of the sets asked for; limits (p,), statistics and P (p,) by one method."""
    columns = engine.spec.columns
    if engine.wald:
        coef, error = engine.coef, np.sqrt(engine.covariance.diagonal())
        reach = normal_quantile(conf_level) * error
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.where(np.isfinite(coef), coef / error, np.nan)
        limits = coef - reach, coef + reach
        return engine.test(asked), limits, (statistic, two_sided_p(statistic)), ()
    tests, (low, high, lost) = engine.tests_and_limits(asked, conf_level, known)
    statistic = tests[: len(columns)]
    notes: tuple[str, ...] = ()
    if lost:
        names = ", ".join(columns[j].name for j in lost)
        notes = (f"A profile limit was not found for {names}; it is missing.",)
    return tests, (low, high), (statistic, chi_square_p(statistic, 1)), notes


def _beyond_numbers(
    columns: Sequence[Column], logs: np.ndarray, ratios: np.ndarray
) -> tuple[str, ...]:
    """Say whose ratio or limit (3, p) is finite but too large or small to be written."""
    beyond = np.isfinite(logs) & (np.isinf(ratios) | (ratios == 0.0))
    if not beyond.any():
        return ()
    lost = beyond.any(axis=0)
    names = ", ".join(column.name for column, one in zip(columns, lost, strict=True) if one)
    return (
        f"The ratio for one unit of {names}, or a limit of it, is finite but beyond the range of "
        "numbers, and shown as 0 or infinite: measure the column in larger units.",
    )


def reference_levels(engine: Engine, event: np.ndarray) -> dict[str, Any]:
    """Return ``term, level, n, n_events`` of each factor's reference level."""
    rows = []
    factors = [term for term in engine.spec.terms if term.reference is not None]
    if factors:
        weight, events = _weights(engine, event)
    for term in factors:
        outside = 1.0 - engine.X[:, term.columns].sum(axis=1)
        rows.append((term.name, term.reference, float(weight @ outside), float(events @ outside)))
    names = ("term", "level", "n", "n_events")
    return {name: [row[k] for row in rows] for k, name in enumerate(names)}


def _weights(engine: Engine, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    freq = engine.frame.freq_weights
    weight = np.ones(engine.frame.n) if freq is None else freq
    return weight, weight * event


def _counts(engine: Engine, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Patients and events behind each column: those of the level, or all."""
    X, spec, freq = engine.X, engine.spec, engine.frame.freq_weights
    n = np.full(X.shape[1], float(engine.frame.n if freq is None else freq.sum()))
    n_events = np.full(X.shape[1], float(event.sum() if freq is None else freq @ event))
    factors = {term.name for term in spec.terms if term.kind == "factor"}
    if factors:
        weight, events = _weights(engine, event)
    for term in spec.terms:  # of a factor, or an interaction of factors, the columns mark levels
        if factors.issuperset(term.parts):
            n[term.columns] = weight @ X[:, term.columns]
            n_events[term.columns] = events @ X[:, term.columns]
    return n, n_events
