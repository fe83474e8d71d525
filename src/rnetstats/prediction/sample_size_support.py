"""The reverse of a sample size: how many parameters a given cohort supports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.options import choice, positive_int, real
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_number
from rnetstats.prediction.sample_size import risk_size
from rnetstats.prediction.sample_size_formulas import (
    ceiling,
    optimism_shrinkage,
    parameters_for,
    reckonable,
)
from rnetstats.prediction.sample_size_inputs import (
    OutcomeModel,
    assumptions,
    outcome_model,
    targets,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SupportedParametersResult", "supported_parameters"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SupportedParametersResult(Result):
    """How many parameters a cohort supports.

    Attributes
    ----------
    table : DataFrame
        ``criterion, parameters`` (whole), ``exact, binding``. The third criterion is met or not,
        whatever the parameters: its row has no number, and ``met`` says which. The rules of
        thumb of 10 and 20 events per parameter stand below for comparison and never bind.
    summary : dict
    """

    table: pd.DataFrame
    summary: dict[str, Any]

    @property
    def parameters(self) -> int:
        """Parameters that every criterion allows."""
        return int(self.summary["parameters"])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a criterion."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the cohort and the number of parameters that all criteria allow."""
        return pd.DataFrame([self.summary])

    def display(self) -> pd.DataFrame:
        """Return the criteria as text."""
        words = []
        for row in self.table.to_dict("records"):
            if math.isnan(row["exact"]):
                words.append("met" if row["met"] else "not met")
            else:
                words.append(f"{row['parameters']:.0f} ({fmt_number(row['exact'], 1)})")
        return pd.DataFrame(
            {
                "Criterion": self.table["criterion"],
                "Parameters (exact)": words,
                "Binding": ["yes" if binding else "" for binding in self.table["binding"]],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the number of parameters that each criterion allows."""
        from rnetstats.plots.sample_size import required_sizes

        return required_sizes(
            self.table[self.table["exact"].notna()],
            value="exact",
            label="Parameters supported",
            ax=ax,
        )


def supported_parameters(
    n: int,
    events: int,
    *,
    outcome: str = "binary",
    mean_follow_up: float | None = None,
    timepoint: float | None = None,
    r2_cs: float | None = None,
    r2_nagelkerke: float | None = None,
    c_statistic: float | None = None,
    shrinkage: float = 0.9,
    optimism: float = 0.05,
    margin: float = 0.05,
    r2_digits: int | None = 3,
) -> SupportedParametersResult:
    """Return how many parameters a cohort supports by Riley's criteria.

    Parameters
    ----------
    n, events : int
        Patients, and events of one named endpoint.
    outcome : {"binary", "survival"}
    mean_follow_up, timepoint : float
        For a time, in one unit: the rate is ``events / (n * mean_follow_up)``.
    r2_cs, r2_nagelkerke, c_statistic : float
        Exactly one: the performance to be expected of such a model, adjusted for optimism; not
        the apparent one of a model fitted to this very cohort.
    shrinkage, optimism, margin, r2_digits
        As for :func:`rnetstats.sample_size`.

    Returns
    -------
    SupportedParametersResult
        ``parameters`` is 0 if the cohort is too small for one, or if it does not even give the
        overall risk to within the margin.

    Raises
    ------
    OptionError
        For options that are absent, out of range or do not go together.

    References
    ----------
    Riley RD et al. (2019). Statistics in Medicine 38, 1276-1296. Peduzzi P et al. (1996). A
    simulation study of the number of events per variable in logistic regression analysis. J Clin
    Epidemiol 49, 1373-1379.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = rn.supported_parameters(527, 12, c_statistic=0.75)
    >>> found.to_frame()[["criterion", "parameters", "binding"]]
                                          criterion  parameters  binding
    0                  1. shrinkage of at least 0.9         1.0     True
    1  2. optimism in Nagelkerke R2 of at most 0.05         5.0    False
    2                   3. overall risk within 0.05         NaN    False
    3       10 events per parameter (rule of thumb)         1.0    False
    4       20 events per parameter (rule of thumb)         0.0    False
    """
    about, fewer = _cohort(n, events, outcome, mean_follow_up, timepoint)
    known = assumptions(
        about,
        r2_cs=r2_cs,
        r2_nagelkerke=r2_nagelkerke,
        c_statistic=c_statistic,
        r2_digits=r2_digits,
    )
    target, delta, width = targets(known.r2, shrinkage, optimism, margin)
    implied = optimism_shrinkage(known.r2, about.max_r2, delta)
    first = parameters_for(n, known.r2, target)
    second = parameters_for(n, known.r2, implied)
    precise = n >= ceiling(risk_size(about, width))
    table = _table(first, second, precise, fewer, (target, delta, width))
    allowed = int(min(_whole(first), _whole(second))) if precise else 0
    return SupportedParametersResult(
        table=table,
        summary={
            "n": n,
            "events": events,
            "outcome": outcome,
            "parameters": allowed,
            "events_per_parameter": events / allowed if allowed else float("nan"),
            "r2_cs": known.r2,
            "r2_nagelkerke": known.r2 / about.max_r2,
            "max_r2": about.max_r2,
            "risk_precise": precise,
        },
        notes=(*known.notes, *_notes(allowed, n, events, precise, width)),
        options={
            "outcome": outcome,
            "shrinkage": target,
            "optimism": delta,
            "margin": width,
            "r2_digits": r2_digits,
        },
    )


def _cohort(
    n: int, events: int, outcome: str, mean_follow_up: float | None, timepoint: float | None
) -> tuple[OutcomeModel, int]:
    """How common the outcome is, and the number of events that limits (the rarer outcome)."""
    choice("outcome", outcome, ("binary", "survival"))
    size, count = positive_int("n", n, minimum=2), positive_int("events", events)
    if count >= size:
        raise OptionError(f"events={count} must be fewer than n={size}.")
    reckonable("events / n", count / size)
    share = rate = None
    if outcome == "binary":
        share = count / size
    elif mean_follow_up is not None:
        rate = count / (size * real("mean_follow_up", mean_follow_up, low=0.0, closed=False))
    else:
        raise OptionError("outcome='survival' needs mean_follow_up= and timepoint=.")
    about = outcome_model(
        outcome, prevalence=share, rate=rate, timepoint=timepoint, mean_follow_up=mean_follow_up
    )
    return about, min(count, size - count) if outcome == "binary" else count


def _whole(exact: float) -> int:
    """Whole parameters, taking what is whole but for rounding errors as whole."""
    return math.floor(exact * (1.0 + 1e-9))


def _table(
    first: float, second: float, precise: bool, fewer: int, options: tuple[float, float, float]
) -> pd.DataFrame:
    target, delta, width = options
    names = (
        f"1. shrinkage of at least {target:g}",
        f"2. optimism in Nagelkerke R2 of at most {delta:g}",
        f"3. overall risk within {width:g}",
        "10 events per parameter (rule of thumb)",
        "20 events per parameter (rule of thumb)",
    )
    exact = [first, second, float("nan"), fewer / 10.0, fewer / 20.0]
    whole = [float("nan") if math.isnan(value) else float(_whole(value)) for value in exact]
    least = min(whole[:2])
    return pd.DataFrame(
        {
            "criterion": names,
            "parameters": whole,
            "exact": exact,
            "met": [first >= 1.0, second >= 1.0, precise, fewer >= 10, fewer >= 20],
            "binding": [
                *(precise and value == least for value in whole[:2]),
                not precise,
                *[False] * 2,
            ],
        }
    )


def _notes(allowed: int, n: int, events: int, precise: bool, margin: float) -> list[str]:
    notes = [
        "A parameter is a coefficient: every level, spline term, interaction and cut-off that was "
        "looked at counts, not only those kept. The third criterion does not depend on the "
        "parameters and has no number."
    ]
    if not precise:
        notes.append(
            f"{n} patients with {events} events do not give the overall risk itself to within "
            f"{margin:g}: no model is supported."
        )
    elif allowed == 0:
        notes.append(
            f"{n} patients with {events} events support no parameter at all: not even one "
            "predictor named beforehand meets the criteria."
        )
    return notes
