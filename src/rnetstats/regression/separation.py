"""Separation: which coefficients run to infinity under maximum likelihood, and which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.result import Result
from rnetstats.errors import FormulaError, TooFewEventsError
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import Formula
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.risksets import prepare
from rnetstats.regression.fitting import (
    carrying_weight,
    idle_notes,
    refuse_lost_columns,
    refuse_strata,
)
from rnetstats.regression.recession import Recession, binary_separation, monotone_likelihood

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Recession",
    "SeparationResult",
    "binary_separation",
    "find_separation",
    "monotone_likelihood",
    "separation",
]

_WORDS = {
    "finite": "finite",
    "+inf": "+∞",
    "-inf": "−∞",
    "either": "infinite, sign undetermined",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SeparationResult(Result):
    """Where each coefficient of a model goes under maximum likelihood.

    Attributes
    ----------
    coefficients : DataFrame
        Columns ``term, level, direction``; `direction` is finite, +inf, -inf or either.
    kind : str
        ``complete``, ``quasi`` or ``none``.
    outcome : str
        The left side of the formula.
    model : str
        ``binary`` or ``survival``.
    n, n_missing, n_events : int
        Rows used, rows left out for missing values, events (frequency weights counted).
    """

    coefficients: pd.DataFrame
    kind: str
    outcome: str
    model: str
    n: int
    n_missing: int
    n_events: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient: ``term, level, direction``."""
        return self.coefficients.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, the kind of separation, the number of infinite coefficients."""
        infinite = int((self.coefficients["direction"] != "finite").sum())
        return pd.DataFrame(
            [
                {
                    "n": self.n,
                    "n_missing": self.n_missing,
                    "n_events": self.n_events,
                    "separation": self.kind,
                    "n_infinite": infinite,
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        table = self.coefficients.copy()
        table["direction"] = table["direction"].map(_WORDS)
        return table.rename(columns={"direction": "maximum-likelihood coefficient"})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw one line a coefficient: a dot for a finite one, an arrow for an infinite one."""
        from rnetstats.plots.directions import directions_plot
        from rnetstats.plots.style import marked

        names = [
            f"{row.term} {row.level}".strip() for row in self.coefficients.itertuples(index=False)
        ]
        axes = directions_plot(names, list(self.coefficients["direction"]), ax=ax)
        return marked(axes, self.synthetic)


def separation(
    data: Data,
    formula: str | Formula,
    *,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    missing: str = "drop",
) -> SeparationResult:
    """Look for separation of a binary outcome, or for a monotone partial likelihood.

    Nothing is fitted that could mislead: whether a maximum exists is decided by linear programs
    on the design. Firth's penalty gives finite estimates in every case.

    Parameters
    ----------
    data
        A DataFrame or a mapping of columns.
    formula
        ``"y ~ ..."`` for logistic, ``"Surv(time, event) ~ ..."`` for Cox regression.
    freq_weights, sampling_weights
        A column's name or an array; rows of weight 0 are left out.
    missing : {"drop", "raise"}

    Returns
    -------
    SeparationResult

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used; a time-to-event outcome needs a term, and no
        column that never varies among those at risk at an event.
    TooFewEventsError
        A time-to-event outcome without events.
    OptionError
        If an option is not allowed.

    References
    ----------
    Konis K (2007). Linear programming algorithms for detecting separated data in binary logistic
    regression models. DPhil thesis, University of Oxford.
    Bryson MC, Johnson ME (1981). The incidence of monotone likelihood in the Cox model.
    Technometrics 23:381-383.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = rn.separation({"y": [0, 0, 1, 1], "x": [1, 2, 3, 4]}, "y ~ x")
    >>> found.to_frame()
              term level direction
    0  (Intercept)            -inf
    1            x            +inf
    """
    parsed = as_formula(formula)
    survival = parsed.outcome is not None and bool(parsed.outcome.times)
    frame = model_frame(
        data,
        parsed,
        weights={"freq_weights": freq_weights, "sampling_weights": sampling_weights},
        missing=missing,
        intercept=not survival,
    )
    if not survival:
        refuse_strata(frame)
    elif not frame.design.columns:
        raise FormulaError(
            f"{frame.formula!r} has no terms: there is no coefficient that could be infinite."
        )
    found = find_separation(frame)
    if survival:
        _refuse_lost(frame)
    outcome = frame.outcome
    assert outcome is not None
    seen = outcome.y == 1 if outcome.y is not None else outcome.event
    count = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    columns = frame.design.columns
    table = pd.DataFrame(
        {
            "term": [column.term for column in columns],
            "level": [column.level for column in columns],
            "direction": list(found.direction),
        }
    )
    return SeparationResult(
        coefficients=table,
        kind=found.kind,
        outcome=outcome.name,
        model=outcome.kind,
        n=int(count.sum()),
        n_missing=frame.n_missing,
        n_events=int(count[seen].sum()),
        synthetic=is_synthetic_data(data),
        notes=(*frame.notes, *idle_notes(frame), *_notes(table, found.kind)),
        options={"formula": frame.formula, "missing": missing},
    )


def find_separation(frame: ModelFrame) -> Recession:
    """Look for separation in a model frame, before anything is fitted to it.

    Raises
    ------
    TooFewEventsError
        A time-to-event outcome without events.
    """
    outcome, X = frame.outcome, frame.design.X
    assert outcome is not None
    if outcome.y is not None:
        return binary_separation(X, outcome.y, frame.weights)
    assert outcome.stop is not None
    assert outcome.event is not None
    if not carrying_weight(frame, outcome.event).any():
        idle = " in a row with a weight above 0" if outcome.event.any() else ""
        raise TooFewEventsError(
            f"{outcome.name} has no event{idle}: there is no partial likelihood to look at."
        )
    strata = None if frame.strata is None else frame.strata.codes
    return monotone_likelihood(
        X, outcome.start, outcome.stop, outcome.event, strata, weights=frame.weights
    )


def _refuse_lost(frame: ModelFrame) -> None:
    """Refuse a column that the partial likelihood does not depend on: it has no coefficient.

    Such a column varies, but not among those at risk at an event; cox() refuses it as well.
    """
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    strata = None if frame.strata is None else frame.strata.codes
    sets = prepare(outcome.start, outcome.stop, outcome.event, strata)
    fit = fit_cox(
        frame.design.X,
        sets,
        freq=frame.freq_weights,
        case=frame.sampling_weights,
        offset=frame.offset,
        ties="breslow",
    )
    refuse_lost_columns(frame, fit.lost[0])


def _notes(table: pd.DataFrame, kind: str) -> list[str]:
    if kind == "none":
        return []
    rows = table[table["direction"] != "finite"].itertuples(index=False)
    names = ", ".join(
        f"{row.term} {row.level}".strip() + f" ({_WORDS[str(row.direction)]})" for row in rows
    )
    word = "complete" if kind == "complete" else "quasi-complete"
    return [
        f"The data are separated ({word}): no finite maximum-likelihood estimate of {names}. "
        "Firth's penalty gives finite estimates and limits."
    ]
