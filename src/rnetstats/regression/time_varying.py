"""A hazard ratio that changes over time: by steps, or with a function of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats._core.result import Result
from rnetstats._core.schema import coefficient_frame
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p
from rnetstats.formula.design import model_frame
from rnetstats.formula.terms import Formula
from rnetstats.regression.cox import cox
from rnetstats.regression.time_split import checked_cuts, interval_words
from rnetstats.regression.time_varying_fit import (
    change_curves,
    change_notes,
    change_table,
    constancy_test,
    event_times,
    term_of,
    with_function,
    with_steps,
)
from rnetstats.regression.variables import labels_of, outcome_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["TimeVaryingResult", "time_varying_effect"]

FUNCTIONS = ("log", "identity")


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
    labels : dict
        Printed names of the other terms.
    """

    table: dict[str, Any]
    intervals: pd.DataFrame
    test: pd.DataFrame
    curves: pd.DataFrame
    summary: dict[str, Any]
    label: str
    time_label: str
    labels: dict[str, str] = field(default_factory=dict)

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
                "term": [self._printed(str(term)) for term in rows["term"]],
                "level": [interval_words(str(name)) for name in rows["level"]],
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

    def _printed(self, term: str) -> str:
        """Return the label of a term, or of ``term:g(t)``."""
        own = str(self.options["term"])
        if term.startswith(f"{own}:") and term not in self.labels:
            return self.label + term.removeprefix(own)
        return self.labels.get(term, term)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the hazard ratio over time with its limits."""
        from rnetstats.plots.style import marked
        from rnetstats.plots.time_varying import ratio_over_time

        axes = ratio_over_time(
            self.curves,
            label=self.label,
            time_label=self.time_label,
            constancy=fmt_p(float(self.test["p_value"].iloc[0])),
            conf_level=self.options["conf_level"],
            ax=ax,
        )
        return marked(axes, self.synthetic)


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
    conf_level = level(conf_level)
    choice("penalty", penalty, ("firth", None))
    choice("ties", ties, ("efron", "breslow"))
    _check_change(cuts, function)
    frame = model_frame(
        data,
        formula,
        kind="survival",
        weights={"freq_weights": freq_weights},
        missing=missing,
        intercept=False,
    )
    chosen = term_of(frame, term)
    moments = event_times(frame)
    if function is not None:
        made = with_function(frame, chosen, moments, function)
    else:
        assert cuts is not None
        made = with_steps(frame, chosen, checked_cuts(cuts, float(moments[-1])))
    fit = cox(
        made.data,
        made.formula,
        penalty=penalty,
        ties=ties,
        freq_weights="weight",
        conf_level=conf_level,
    )
    test = constancy_test(fit, made)
    labels = labels_of(data, frame)
    outcome = frame.outcome
    assert outcome is not None
    return TimeVaryingResult(
        table=change_table(fit, made),
        intervals=made.intervals,
        test=test,
        curves=change_curves(fit, made, moments, function, conf_level),
        summary={
            "n": float(made.weight.sum()),
            "n_missing": frame.n_missing,
            "n_events": fit.summary["n_events"],
            "term": chosen.name,
            "change": function or "steps",
            **{name: fit.summary[name] for name in ("log_likelihood", "log_likelihood_penalized")},
            **{name: test[name].iloc[0] for name in ("statistic", "df", "p_value")},
            "endpoint": outcome_name(frame),
        },
        label=labels.get(chosen.name, chosen.name),
        time_label=labels.get(outcome.time_name, outcome.time_name),
        labels=labels,
        synthetic=is_synthetic_data(data),
        notes=(*frame.notes, *fit.notes, *change_notes(made)),
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


def _check_change(cuts: float | Sequence[float] | None, function: str | None) -> None:
    if (cuts is None) == (function is None):
        raise OptionError(
            "Give cuts=[...] for steps, or function='log' or 'identity'; one of them."
        )
    if function is not None:
        choice("function", function, FUNCTIONS)
