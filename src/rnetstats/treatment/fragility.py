"""The fragility index: how many patients' outcomes a verdict of significance hangs on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, level, positive_int
from rnetstats._core.result import Result
from rnetstats.errors import DataError, OptionError
from rnetstats.formatting import fmt_count, fmt_p, fmt_percent
from rnetstats.tables.exact_two_by_two import ExactTableResult
from rnetstats.treatment.fragility_path import (
    TESTS,
    changed_tables,
    direction,
    table_p_values,
    turns,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FragilityResult", "fragility"]

CAVEAT = (
    "The fragility index restates P and the sample size: among tables of one size it says nothing "
    "that P does not (Carter, McKie and Storlie 2017), and it knows nothing of how the events came "
    "about. Read it as a reminder of how few patients a verdict hangs on, not as evidence."
)
_FURTHEST = 1000  # changes that are tried in other ways than the index's own


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FragilityResult(Result):
    """A fragility index, or a reverse one; see :func:`fragility`.

    Attributes
    ----------
    table : DataFrame
        ``changed, events_1, n_1, events_2, n_2, p_value``: the table as it is and after each
        change, up to the one that turns the verdict (or to the last possible).
    index : float
        Patients whose outcome is changed until the verdict turns; missing if it cannot.
    kind : str
        ``"fragility"`` of a significant table, ``"reverse fragility"`` of one that is not.
    changed_arm : int
        1 or 2: the arm with fewer events.
    fewest : float
        The fewest changes in either one arm, in either direction, that turn the verdict.
    """

    table: pd.DataFrame
    index: float
    kind: str
    changed_arm: int
    fewest: float

    @property
    def p_value(self) -> float:
        """P of the table as it is."""
        return float(self.table["p_value"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a change of one patient's outcome, the table as it is first."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the table, its P, the index, and the index over the patients."""
        first = self.table.iloc[0]
        counts = {name: int(first[name]) for name in ("events_1", "n_1", "events_2", "n_2")}
        return pd.DataFrame(
            {
                **{name: [value] for name, value in counts.items()},
                "p_value": [self.p_value],
                "alpha": [self.options["alpha"]],
                "kind": [self.kind],
                "index": [self.index],
                "quotient": [self.index / (counts["n_1"] + counts["n_2"])],
                "p_changed": [float(self.table["p_value"].iloc[-1])],
                "fewest": [self.fewest],
                "test": [self.options["test"]],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the index as one line of text, with the table before and after."""
        first, last = self.table.iloc[0], self.table.iloc[-1]
        row = self.glance().iloc[0]
        known = not math.isnan(self.index)
        return pd.DataFrame(
            {
                "Events": [_events(first)],
                f"P ({self.options['test']})": [fmt_p(self.p_value)],
                self.kind.capitalize() + " index": [
                    fmt_count(self.index) if known else "cannot be reached"
                ],
                "Of all patients": [fmt_percent(row["quotient"], 2)],
                "After the change": [_events(last)],
                "P then": [fmt_p(float(last["p_value"]))],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw P over the number of outcomes changed."""
        from rnetstats.plots.fragility import fragility_path
        from rnetstats.plots.style import marked

        axes = fragility_path(
            self.table["changed"].to_numpy(),
            self.table["p_value"].to_numpy(),
            alpha=self.options["alpha"],
            arm=f"outcomes changed in arm {self.changed_arm}",
            ax=ax,
        )
        return marked(axes, self.synthetic)


def fragility(
    events_1: int | ExactTableResult,
    n_1: int | None = None,
    events_2: int | None = None,
    n_2: int | None = None,
    *,
    alpha: float = 0.05,
    test: str = "fisher",
) -> FragilityResult:
    """Count the outcomes that would have to differ for a 2x2 table to change its verdict.

    In the arm with fewer events (of two with as many, the one with the lower risk) outcomes are
    changed one patient at a time: from a significant table towards equal risks until P is no longer
    below alpha, from any other away from them until it is (the reverse index).

    Parameters
    ----------
    events_1 : int or result of :func:`rnetstats.exact_table`
        Events of arm 1; or a 2x2 table that holds all four numbers.
    n_1, events_2, n_2 : int
        Patients of arm 1; events and patients of arm 2.
    alpha : float
        P below it counts as significant.
    test : {"fisher", "mid-p"}
        Fisher's exact test, two-sided, or its mid-P version.

    Returns
    -------
    FragilityResult

    Raises
    ------
    OptionError
        If a count is not a whole number, or one is missing.
    DataError
        If there are more events than patients.
    BudgetError
        If the tables to go through are too many.

    References
    ----------
    Walsh M et al. (2014) The statistical significance of randomized controlled trial results is
    frequently fragile: a case for a Fragility Index. J Clin Epidemiol 67:622-628. Khan MS et al.
    (2020) Application of the reverse fragility index to statistically nonsignificant randomized
    clinical trial results. JAMA Netw Open 3:e2012469. Carter RE, McKie PM, Storlie CB (2017) The
    Fragility Index: a P-value in sheep's clothing? Eur Heart J 38:346-348. Potter GE (2020)
    Dismantling the Fragility Index. Stat Med 39:3720-3731.

    Examples
    --------
    Of 12 recurrences 8 among 181 patients are significant; one outcome more and they are not:

    >>> import rnetstats as rn
    >>> found = rn.fragility(8, 181, 4, 346)
    >>> found.index
    1.0
    >>> found.to_frame()[["changed", "events_1", "events_2", "p_value"]].round(4)
       changed  events_1  events_2  p_value
    0        0         8         4   0.0274
    1        1         8         5   0.0707
    """
    synthetic = False
    if isinstance(events_1, ExactTableResult):
        if not (n_1 is None and events_2 is None and n_2 is None):
            raise OptionError("Give fragility() a table or four counts, not both.")
        row, synthetic = events_1.glance().iloc[0], events_1.synthetic
        counts = [int(row[name]) for name in ("events_1", "n_1", "events_2", "n_2")]
    elif isinstance(events_1, Result):
        raise OptionError(
            f"fragility() takes a 2x2 table of exact_table(), not a {type(events_1).__name__}."
        )
    else:
        counts = _counts(events_1, n_1, events_2, n_2)
    alpha = level(alpha, "alpha")
    choice("test", test, tuple(TESTS))
    a, n, c, m = counts
    significant = table_p_values(np.array([a]), n, np.array([c]), m, test)[0] < alpha
    arm = 1 if (a, a / n) <= (c, c / m) else 2
    own = (arm, direction(counts, arm, bool(significant)))
    table = changed_tables(counts, *own, alpha=alpha, test=test)
    turned = turns(table, alpha)
    most = len(table) if turned else _FURTHEST  # another way is of interest if it is no longer
    others = [way for way in ((1, -1), (1, 1), (2, -1), (2, 1)) if way != own]
    paths = [changed_tables(counts, *way, alpha=alpha, test=test, most=most) for way in others]
    lengths = [len(path) - 1.0 for path in (table, *paths) if turns(path, alpha)]
    kind = "fragility" if significant else "reverse fragility"
    return FragilityResult(
        table=table,
        index=len(table) - 1.0 if turned else math.nan,
        kind=kind,
        changed_arm=arm,
        fewest=min(lengths, default=math.nan),
        synthetic=synthetic,
        notes=_notes(kind, arm, turned, significant=bool(significant)),
        options={"alpha": alpha, "test": test},
    )


def _counts(*given: int | None) -> list[int]:
    names = ("events_1", "n_1", "events_2", "n_2")
    found = []
    for name, value in zip(names, given, strict=True):
        if value is None:
            raise OptionError(f"fragility() needs {name}: events and patients of both arms.")
        found.append(positive_int(name, value, minimum=int(name[0] == "n")))
    for arm, (events, n) in enumerate((found[:2], found[2:]), start=1):
        if events > n:
            raise DataError(f"events_{arm}={events} is more than the n_{arm}={n} patients.")
    return found


def _events(row: pd.Series) -> str:
    shown = [fmt_count(row[name]) for name in ("events_1", "n_1", "events_2", "n_2")]
    return "{}/{} and {}/{}".format(*shown)


def _notes(kind: str, arm: int, turned: bool, *, significant: bool) -> tuple[str, ...]:
    if turned:
        return (CAVEAT,)
    wanted = "stops being" if significant else "becomes"
    return (
        f"However many outcomes are changed in arm {arm}, the table never {wanted} significant: "
        f"the {kind} index is missing (fewest counts changes in the other arm too).",
        CAVEAT,
    )
