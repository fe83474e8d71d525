"""The result of the exact verbs: an estimate with limits and P by each named method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from rnetstats._core.options import choice, row_of_method
from rnetstats._core.result import Result
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.tables.exact_inference import Limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLUMNS", "GAP_NOTE", "LimitsByMethod", "LimitsRow", "limits_frame", "two_sided_rows"]

COLUMNS = ("measure", "method", "estimate", "conf_low", "conf_high", "p_value")
LimitsRow = tuple[str, str, float, float, float, float]

GAP_NOTE = (
    "{method}: some values between the limits are rejected (the values not rejected do not form an "
    "interval); the limits enclose all that are not."
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LimitsByMethod(Result):
    """Limits and P values of one or more measures, one row a method.

    Attributes
    ----------
    limits : DataFrame
        Columns measure, method, estimate, conf_low, conf_high, p_value. One-sided rows have the
        end of the range on their open side; P is missing where no null value was asked for or the
        method has no test of its own.
    conf_level : float
        Level of the two-sided limits, and of each one-sided limit.
    synthetic : bool
        Whether the counts come from a synthetic cohort; figures say so.
    """

    limits: pd.DataFrame
    conf_level: float
    synthetic: bool = False

    labels: ClassVar[dict[str, str]] = {}
    digits: ClassVar[int] = 3

    def to_frame(self) -> pd.DataFrame:
        """Return the limits as numbers, one row a measure and method."""
        return self.limits.copy()

    def method(self, method: str, measure: str | None = None) -> pd.Series:
        """Return the row of one method (of the first measure that has it, unless named).

        Raises
        ------
        OptionError
            If there is no such measure, or it has no such method.
        """
        return row_of_method(self.limits, method, measure)

    def _central(self, counts: dict[str, float], null: float | None) -> pd.DataFrame:
        """One row: the counts, then the estimate with its limits and P by the central method."""
        row = self.method("central")
        return pd.DataFrame(
            {
                **{name: [value] for name, value in counts.items()},
                **{name: [row[name]] for name in COLUMNS[2:]},
                "method": ["central"],
                "null": [math.nan if null is None else null],
                "conf_level": [self.conf_level],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the limits as text."""
        level = f"{100 * self.conf_level:g} % limits"
        rows = [
            {
                "Measure": row["measure"],
                "Method": self.labels.get(row["method"], row["method"]),
                "Estimate": fmt_number(row["estimate"], self.digits),
                level: fmt_interval(row["conf_low"], row["conf_high"], self.digits),
                "P": fmt_p(row["p_value"]),
            }
            for _, row in self.limits.iterrows()
        ]
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None, *, measure: str | None = None) -> Axes:
        """Draw the limits of one measure (the first by default), one line a method."""
        from rnetstats.plots.intervals import draw_intervals
        from rnetstats.plots.style import marked

        name = str(self.limits["measure"].iloc[0]) if measure is None else measure
        choice("measure", name, self.limits["measure"].unique().tolist())
        rows = self.limits[self.limits["measure"] == name].reset_index(drop=True)
        shown = rows.assign(label=[self.labels.get(m, m) for m in rows["method"]])
        # An open side is drawn as such: its end of the range would stretch the axis for nothing.
        shown.loc[rows["method"] == "one-sided lower", "conf_high"] = math.inf
        shown.loc[rows["method"] == "one-sided upper", "conf_low"] = -math.inf
        log = name.endswith("ratio")
        axes = draw_intervals(
            shown,
            ax=ax,
            xlabel=f"{name[:1].upper()}{name[1:]}, {100 * self.conf_level:g} % limits",
            log=log,
            reference=self._reference(name),
        )
        return marked(axes, self.synthetic)

    @staticmethod
    def _reference(measure: str) -> float | None:
        """The value of no difference between two groups."""
        if measure.endswith("ratio"):
            return 1.0
        return 0.0 if measure.endswith("difference") else None


def limits_frame(rows: list[LimitsRow]) -> pd.DataFrame:
    """Build the frame of a result from its rows."""
    return pd.DataFrame(rows, columns=list(COLUMNS))


def two_sided_rows(
    measure: str,
    estimate: float,
    limits: dict[str, tuple[float, float]],
    *,
    one_sided: tuple[float, float],
    p_values: dict[str, float] | None,
    ends: tuple[float, float],
) -> list[LimitsRow]:
    """Rows of the exact methods in their order, with the one-sided limits after them.

    Parameters
    ----------
    limits : dict
        Two-sided limits on the measure's scale, by method.
    one_sided : tuple of float
        Lower and upper one-sided limit.
    p_values : dict or None
        As :func:`~rnetstats.tables.exact_inference.exact_p_values` gives them; None without null.
    ends : tuple of float
        The range of the measure.
    """
    p = p_values or {}
    rows: list[LimitsRow] = [
        (measure, name, estimate, low, high, p.get(name, math.nan))
        for name, (low, high) in limits.items()
    ]
    rows.append(
        (measure, "one-sided lower", estimate, one_sided[0], ends[1], p.get("greater", math.nan))
    )
    rows.append(
        (measure, "one-sided upper", estimate, ends[0], one_sided[1], p.get("less", math.nan))
    )
    return rows


def gap_notes(limits: dict[str, Limits]) -> list[str]:
    """A note for each method whose values not rejected do not form an interval."""
    return [GAP_NOTE.format(method=name) for name, found in limits.items() if found.gap]
