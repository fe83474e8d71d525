"""How many patients, and events, the development of a prediction model needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.options import positive_int
from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_number
from rnetstats.prediction.sample_size_formulas import (
    ceiling,
    incidence,
    incidence_limits,
    optimism_shrinkage,
    shrinkage_at,
    size_for_incidence,
    size_for_risk,
    size_for_shrinkage,
)
from rnetstats.prediction.sample_size_inputs import (
    OutcomeModel,
    assumptions,
    outcome_model,
    targets,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SampleSizeResult", "sample_size"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SampleSizeResult(Result):
    """The size that each criterion needs.

    Attributes
    ----------
    table : DataFrame
        ``criterion, n, events, binding``; for development also ``events_per_parameter,
        shrinkage`` (that the criterion asks for or implies; the third does not bear on it and
        repeats the target) and ``expected_shrinkage`` (of a model fitted to so many). Events are
        those expected and need not be whole.
    summary : dict
        What :meth:`glance` shows.
    """

    table: pd.DataFrame
    summary: dict[str, Any]

    @property
    def n(self) -> int:
        """The size that meets every criterion."""
        return int(self.table["n"].max())

    def to_frame(self) -> pd.DataFrame:
        """Return a row a criterion."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the size that meets all criteria, and what it was reckoned from."""
        return pd.DataFrame([self.summary])

    def display(self) -> pd.DataFrame:
        """Return the criteria as text; the binding one is marked."""
        shown = pd.DataFrame(
            {
                "Criterion": self.table["criterion"],
                "N": [fmt_count(n) for n in self.table["n"]],
                "Events": [fmt_number(events, 1) for events in self.table["events"]],
            }
        )
        if "events_per_parameter" in self.table:
            shown["Events per parameter"] = [
                fmt_number(value, 2) for value in self.table["events_per_parameter"]
            ]
            shown["Shrinkage"] = [fmt_number(value, 3) for value in self.table["shrinkage"]]
        shown["Binding"] = ["yes" if binding else "" for binding in self.table["binding"]]
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the size that each criterion needs."""
        from rnetstats.plots.sample_size import required_sizes

        return required_sizes(self.table, value="n", label="Patients needed", ax=ax)


def sample_size(
    *,
    outcome: str,
    parameters: int,
    prevalence: float | None = None,
    rate: float | None = None,
    timepoint: float | None = None,
    mean_follow_up: float | None = None,
    r2_cs: float | None = None,
    r2_nagelkerke: float | None = None,
    c_statistic: float | None = None,
    shrinkage: float = 0.9,
    optimism: float = 0.05,
    margin: float = 0.05,
    r2_digits: int | None = 3,
) -> SampleSizeResult:
    """Return the smallest size for developing a prediction model, by Riley's criteria.

    Parameters
    ----------
    outcome : {"binary", "survival"}
    parameters : int
        Candidate coefficients without the intercept: every level, spline term and interaction
        that was looked at, not only those kept.
    prevalence : float
        Of a binary outcome.
    rate, timepoint, mean_follow_up : float
        Of a time: events per unit of person-time, the time of the prediction, and the mean
        follow-up in development, all in one unit.
    r2_cs, r2_nagelkerke, c_statistic : float
        Exactly one: the expected performance (adjusted for optimism) as Cox and Snell's R2, as
        Nagelkerke's, or (binary) as the C statistic.
    shrinkage : float
        Criterion 1: the expected uniform shrinkage is at least this.
    optimism : float
        Criterion 2: apparent and adjusted Nagelkerke R2 differ by at most this.
    margin : float
        Criterion 3: the overall risk (by ``timepoint``) is estimated to within this.
    r2_digits : int or None
        Digits to which a Cox-Snell R2 from Nagelkerke's is rounded, as published software does;
        None leaves it.

    Returns
    -------
    SampleSizeResult

    Raises
    ------
    OptionError
        For options that are absent, out of range or do not go together.

    References
    ----------
    Riley RD et al. (2019). Statistics in Medicine 38, 1276-1296. Riley RD et al. (2020).
    Calculating the sample size required for developing a clinical prediction model. BMJ 368, m441.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = rn.sample_size(
    ...     outcome="binary", parameters=6, prevalence=181 / 527, c_statistic=0.7
    ... )
    >>> found.to_frame()[["criterion", "n", "binding"]]
                                          criterion    n  binding
    0                  1. shrinkage of at least 0.9  460     True
    1  2. optimism in Nagelkerke R2 of at most 0.05  154    False
    2                   3. overall risk within 0.05  347    False
    """
    p = positive_int("parameters", parameters)
    about = outcome_model(
        outcome,
        prevalence=prevalence,
        rate=rate,
        timepoint=timepoint,
        mean_follow_up=mean_follow_up,
    )
    known = assumptions(
        about,
        r2_cs=r2_cs,
        r2_nagelkerke=r2_nagelkerke,
        c_statistic=c_statistic,
        r2_digits=r2_digits,
    )
    target, delta, width = targets(known.r2, shrinkage, optimism, margin)
    implied = optimism_shrinkage(known.r2, about.max_r2, delta)
    rows = [
        (f"1. shrinkage of at least {target:g}", size_for_shrinkage(p, known.r2, target), target),
        (
            f"2. optimism in Nagelkerke R2 of at most {delta:g}",
            size_for_shrinkage(p, known.r2, implied),
            implied,
        ),
        (f"3. overall risk within {width:g}", risk_size(about, width), target),
    ]
    table = _table(rows, about, p, known.r2)
    return SampleSizeResult(
        table=table,
        summary=_summary(table, about, p, known.r2),
        notes=(*known.notes, *_notes(table)),
        options={
            "outcome": outcome,
            "parameters": p,
            "shrinkage": target,
            "optimism": delta,
            "margin": width,
            "r2_digits": r2_digits,
        },
    )


def risk_size(about: OutcomeModel, margin: float) -> float:
    """Size of the third criterion, of either outcome."""
    if about.prevalence is not None:
        return size_for_risk(about.prevalence, margin)
    assert about.rate is not None and about.timepoint is not None
    assert about.mean_follow_up is not None
    return size_for_incidence(about.rate, about.timepoint, about.mean_follow_up, margin)


def _table(
    rows: list[tuple[str, float, float]], about: OutcomeModel, p: int, r2: float
) -> pd.DataFrame:
    sizes = [max(ceiling(size), 1) for _, size, _ in rows]
    largest = max(sizes)
    events = [n * about.per_person for n in sizes]
    return pd.DataFrame(
        {
            "criterion": [name for name, _, _ in rows],
            "n": sizes,
            "events": events,
            "events_per_parameter": [e / p for e in events],
            "shrinkage": [s for _, _, s in rows],
            "expected_shrinkage": [shrinkage_at(n, p, r2) for n in sizes],
            "binding": [n == largest for n in sizes],
        }
    )


def _summary(table: pd.DataFrame, about: OutcomeModel, p: int, r2: float) -> dict[str, Any]:
    row = table[table["binding"]].to_dict("records")[0]
    n = int(row["n"])
    summary: dict[str, Any] = {
        "n": n,
        "events": float(row["events"]),
        "events_per_parameter": float(row["events_per_parameter"]),
        "shrinkage": float(row["shrinkage"]),
        "parameters": p,
        "r2_cs": r2,
        "r2_nagelkerke": r2 / about.max_r2,
        "max_r2": about.max_r2,
    }
    if about.prevalence is not None:
        return {**summary, "prevalence": about.prevalence}
    assert about.rate is not None and about.timepoint is not None
    assert about.mean_follow_up is not None
    low, high = incidence_limits(about.rate, about.timepoint, n, about.mean_follow_up)
    return {
        **summary,
        "rate": about.rate,
        "timepoint": about.timepoint,
        "mean_follow_up": about.mean_follow_up,
        "person_time": n * about.mean_follow_up,
        "incidence": incidence(about.rate, about.timepoint),
        "incidence_low": low,
        "incidence_high": high,
    }


def _notes(table: pd.DataFrame) -> list[str]:
    notes = [
        "The sizes are minimal, and for a model fitted once with all its parameters named "
        "beforehand; selection of predictors, cut-offs searched on the data and missing values "
        "need more."
    ]
    if float(table["expected_shrinkage"].max()) < 0.9 - 1e-9:
        notes.append("At the binding size the expected shrinkage is below 0.9.")
    return notes
