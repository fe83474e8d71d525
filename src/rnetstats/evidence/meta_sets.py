"""The same studies pooled many times: without each in turn, or one after another."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import DataError, OptionError
from rnetstats.evidence.meta_display import digits_of
from rnetstats.evidence.meta_empty import NO_LIMITS, arms_of
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.evidence.meta_pooling import pool_sets, pools_frame
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.formula.variables import read_variable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.evidence.meta_result import MetaAnalysisResult

__all__ = ["CumulativeResult", "LeaveOneOutResult", "PooledSets", "cumulative", "leave_one_out"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PooledSets(Result):
    """Several poolings of one set of studies.

    Attributes
    ----------
    measure : str
    sets : DataFrame
        One row a pooling: ``study`` (the one left out, or added last), ``k``, the pooled effect
        with its limits, prediction interval and heterogeneity as in a meta-analysis.
    overall : float
        The effect of all studies together.
    """

    measure: str
    sets: pd.DataFrame
    overall: float

    @property
    @abstractmethod
    def heading(self) -> str:
        """What is said of each study."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pooling (a copy)."""
        return self.sets.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the range of the estimates and of P."""
        estimate, p = self.sets["estimate"], self.sets["p_value"]
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "k_used": len(self.sets),
                "estimate": self.overall,
                "estimate_lowest": float(estimate.min()),
                "estimate_highest": float(estimate.max()),
                "p_lowest": float(p.min()),
                "p_highest": float(p.max()),
            }
        )

    def display(self) -> pd.DataFrame:
        """Return one row a pooling as text."""
        digits, rows = digits_of(self.measure), self.sets.to_dict("records")
        return pd.DataFrame(
            {
                self.heading: [str(row["study"]) for row in rows],
                "Studies": [fmt_count(row["k"]) for row in rows],
                self.measure: [fmt_number(row["estimate"], digits) for row in rows],
                f"{100 * self.options['conf_level']:g} % CI": [
                    fmt_interval(row["conf_low"], row["conf_high"], digits) for row in rows
                ],
                "P": [fmt_p(row["p_value"]) for row in rows],
                "tau²": [fmt_number(row["tau2"], 3) for row in rows],
                "I²": [fmt_percent(row["i2"], 0) for row in rows],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw one estimate a pooling; the dashed line is that of all studies."""
        from rnetstats.plots.intervals import draw_intervals
        from rnetstats.plots.style import marked

        rows = self.sets.assign(label=[f"{self.heading} {s}" for s in self.sets["study"]])
        measure = MEASURES[self.measure]
        axes = draw_intervals(
            rows,
            ax=ax,
            xlabel=f"{measure.words.capitalize()}, {100 * self.options['conf_level']:g} % CI",
            log=measure.log,
            reference=self.overall,
        )
        return marked(axes, self.synthetic)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LeaveOneOutResult(PooledSets):
    """The pooled effect without each study in turn."""

    @property
    def heading(self) -> str:
        """What is said of each study."""
        return "Without"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CumulativeResult(PooledSets):
    """The pooled effect after each study, in an order."""

    @property
    def heading(self) -> str:
        """What is said of each study."""
        return "After"


def leave_one_out(result: MetaAnalysisResult) -> LeaveOneOutResult:
    """Pool all studies but one, for each in turn, as one batch.

    Raises
    ------
    DataError
        If there is one study only.
    """
    used = result.used_studies()
    if len(used) < 2:
        raise DataError("Leaving a study out takes at least two.")
    held = ~np.eye(len(used), dtype=bool)
    return LeaveOneOutResult(**_pooled(result, used, held))


def cumulative(
    result: MetaAnalysisResult, order: str | Sequence[Any] | None, *, ascending: bool
) -> CumulativeResult:
    """Pool the first study, the first two, and so on, as one batch.

    Raises
    ------
    OptionError, ColumnError, DataError
        If the order is no column or not one value a study.
    """
    if not isinstance(ascending, bool):
        raise OptionError(f"ascending must be True or False, not {ascending!r}.")
    place, notes = _order(result, order, ascending)
    used = result.used_studies().iloc[place]
    held = np.tri(len(used), dtype=bool)
    if not len(used):
        raise DataError("No study has a place in the order.")
    found = _pooled(result, used, held)
    bounded = bool(found["sets"]["conf_low"].notna().iloc[0])
    limits = f", with {result.pooling.alone_text}" if bounded else ""
    first = f"The first row is the first study alone{limits}."
    found["notes"] = (*notes, first, *found["notes"])
    return CumulativeResult(**found)


def _order(
    result: MetaAnalysisResult, order: str | Sequence[Any] | None, ascending: bool
) -> tuple[np.ndarray, list[str]]:
    """Places of the used studies in their order; those without a value are left out."""
    used = result.studies["used"].to_numpy()
    if order is None:
        places = np.arange(int(used.sum()))
        return (places if ascending else places[::-1]), []
    if isinstance(order, str):
        variable, name = read_variable(result.columns_for("cumulative(order=)"), order), order
    else:
        if not isinstance(order, Iterable):
            raise OptionError(f"order must be a column's name or one value a study, not {order!r}.")
        values = list(order)
        if len(values) != len(used):
            raise OptionError(
                f"order has {len(values)} values; the meta-analysis has {len(used)} studies."
            )
        variable, name = read_variable(pd.DataFrame({"order": values}), "order"), "order"
    codes = variable.as_factor()[0][used]
    known = np.flatnonzero(codes >= 0)
    keys = codes[known] if ascending else -codes[known]
    lost = len(codes) - len(known)
    notes = [f"{name} is missing in {lost} of {len(codes)} studies: left out."] if lost else []
    if len(np.unique(keys)) < len(keys):
        notes.append(f"Studies of equal {name} stand in the order of the data.")
    return known[np.argsort(keys, kind="stable")], notes


def _pooled(result: MetaAnalysisResult, used: pd.DataFrame, held: np.ndarray) -> dict[str, Any]:
    y, v = used["coef"].to_numpy(), np.square(used["std_error"].to_numpy())
    pools, notes = pool_sets(y, v, result.pooling, held), []
    arms = arms_of(used)
    if arms is not None and (empty := arms.empty(held)).any():
        pools = pools.without_limits(empty)
        notes.append(NO_LIMITS)
    table = pools_frame(pools, MEASURES[result.measure], result.pooling)
    table.insert(0, "study", used["study"].tolist())
    if result.options["prediction"] is not None and (table["k"] < 3).any():
        notes.append("No prediction interval where there are fewer than three studies.")
    return {
        "measure": result.measure,
        "sets": table,
        "overall": result.estimate,
        "notes": tuple(notes),
        "options": result.pooling.as_dict(),
        "synthetic": result.synthetic,
    }
