"""The result of equivalence and non-inferiority: an interval, a margin and a verdict by rule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import (
    fmt_count,
    fmt_interval,
    fmt_number,
    fmt_p,
    fmt_percent,
    group_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["VERDICT_RULES", "MarginResult", "verdict_words"]

VERDICT_RULES = (
    ("equivalence", True, "equivalent", "both one-sided P below alpha: the interval is inside"),
    ("equivalence", False, "not shown to be equivalent", "else, whatever the reason"),
    ("non-inferiority", True, "non-inferior", "the one-sided P below alpha: the limit is inside"),
    ("non-inferiority", False, "not shown to be non-inferior", "else, whatever the reason"),
)


def verdict_words(aim: str, *, shown: bool) -> str:
    """Look a verdict up in the table of rules."""
    return next(words for name, holds, words, _ in VERDICT_RULES if (name, holds) == (aim, shown))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MarginResult(Result):
    """Equivalence or non-inferiority of two arms; see :func:`rnetstats.equivalence`.

    Attributes
    ----------
    contrasts : DataFrame
        ``measure, method, decides, estimate, conf_low, conf_high, p_lower, p_upper, p_value``, a
        row a method; ``p_lower`` is against the lower margin, ``p_upper`` against the upper one
        (missing where not asked for, or where the events allow none), ``p_value`` the larger.
    arms : DataFrame
        ``group, role, n, n_events, value``: risk or restricted mean; missing for a hazard ratio.
        Events are those by the horizon or ``tau``.
    aim, measure, better, endpoint, group : str
        ``group`` is the column of the arms as printed.
    margin_low, margin_high : float
        On the measure's scale; infinite (0 for a ratio) on a side that was not asked for.
    alpha : float
        Level of each one-sided test; the interval has level 1 - 2 alpha.
    verdict, reason : str
        By :data:`VERDICT_RULES`, and why nothing was shown ("" where it was).
    smallest_margin : float
        The margin at which the same data would just have shown it: a description of the data,
        never a margin to be used on them. Infinite where no margin would do.
    patients_per_arm : float
        Patients an arm would need for this margin.
    assumed : str
        Under which assumptions, in words.
    n_missing : int
    """

    contrasts: pd.DataFrame
    arms: pd.DataFrame
    aim: str
    measure: str
    better: str
    endpoint: str
    group: str
    margin_low: float
    margin_high: float
    alpha: float
    verdict: str
    reason: str
    smallest_margin: float
    patients_per_arm: float
    assumed: str
    n_missing: int

    @property
    def shown(self) -> bool:
        """Whether equivalence or non-inferiority was shown."""
        return self.verdict == verdict_words(self.aim, shown=True)

    @property
    def conf_level(self) -> float:
        """Level of the interval."""
        return 1.0 - 2.0 * self.alpha

    def to_frame(self) -> pd.DataFrame:
        """Return the contrasts, one row a method, the deciding one first (a copy)."""
        return self.contrasts.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: events per arm, estimate, interval, margins, P and verdict."""
        first = self.contrasts.iloc[0]
        new, reference = self.arms.iloc[0], self.arms.iloc[1]
        return pd.DataFrame(
            {
                "aim": [self.aim],
                "endpoint": self.endpoint,
                "new": new["group"],
                "reference": reference["group"],
                "n_new": new["n"],
                "events_new": new["n_events"],
                "n_reference": reference["n"],
                "events_reference": reference["n_events"],
                "measure": self.measure,
                "estimate": first["estimate"],
                "conf_low": first["conf_low"],
                "conf_high": first["conf_high"],
                "margin_low": self.margin_low,
                "margin_high": self.margin_high,
                "p_value": first["p_value"],
                "alpha": self.alpha,
                "verdict": self.verdict,
                "smallest_margin": self.smallest_margin,
                "patients_per_arm": self.patients_per_arm,
                "method": first["method"],
                "n_missing": self.n_missing,
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text: events per arm, estimate, interval, margin, P, verdict."""
        counts = [
            f"{fmt_count(row['n_events'])} / {fmt_count(row['n'])}"
            for row in self.arms.to_dict("records")
        ]
        rows = [
            {
                "Method": row["method"],
                f"Events / n, {self.arms['group'][0]}": counts[0],
                f"Events / n, {self.arms['group'][1]}": counts[1],
                self.measure_name: self._number(row["estimate"]),
                f"{100 * self.conf_level:g} % CI": self._interval(
                    row["conf_low"], row["conf_high"]
                ),
                "Margin": self.margin_text,
                "P": fmt_p(row["p_value"]),
                "Verdict": self.verdict if row["decides"] else "",
            }
            for row in self.contrasts.to_dict("records")
        ]
        return pd.DataFrame(rows)

    @property
    def measure_name(self) -> str:
        """The measure as printed."""
        names = {"rmst": "Difference in RMST", "hr": "Hazard ratio"}
        return names.get(self.measure, "Risk difference")

    @property
    def margin_text(self) -> str:
        """The margins as printed."""
        if self.aim == "equivalence":
            return self._interval(self.margin_low, self.margin_high)
        if self.better == "lower":
            return f"below {self._number(self.margin_high)}"
        return f"above {self._number(self.margin_low)}"

    def _number(self, value: float) -> str:
        if self.measure == "risk difference":
            return f"{fmt_number(100.0 * value, 1)} %"
        return fmt_number(value)

    def _interval(self, low: float, high: float) -> str:
        if self.measure == "risk difference":
            return f"{fmt_interval(100.0 * low, 100.0 * high, 1)} %"
        return fmt_interval(low, high)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the intervals against the margins."""
        from rnetstats.plots.margins import margin_intervals
        from rnetstats.plots.style import marked

        percent = 100.0 if self.measure == "risk difference" else 1.0
        columns = ["estimate", "conf_low", "conf_high"]
        rows = self.contrasts[columns].astype(float) * percent
        rows.insert(0, "label", self.contrasts["method"])
        unit = " (percentage points)" if percent > 1.0 else ""
        called = group_names(self.arms["group"])
        new, reference = (called.get(arm, arm) for arm in self.arms["group"])
        names = f"{self.group}, {new} against {reference}"
        axes = margin_intervals(
            rows,
            zone=(percent * self.margin_low, percent * self.margin_high),
            xlabel=f"{self.measure_name}{unit}, {100 * self.conf_level:g} % CI",
            title=f"{names}: {self.verdict}",
            log=self.measure == "hr",
            ax=ax,
        )
        return marked(axes, self.synthetic)


def reason_why_not(result_row: dict[str, Any], *, zone: tuple[float, float], few: str) -> str:
    """Say why nothing was shown: the events, the estimate or the width of the interval."""
    if few:
        return few
    estimate = result_row["estimate"]
    if not zone[0] < estimate < zone[1]:
        return "The estimate itself lies beyond the margin."
    if math.isnan(result_row["p_value"]):
        return "No test can be made."
    return "The estimate is within the margin, but the interval reaches beyond it."


def size_note(patients: float, assumed: str) -> str:
    """The remark on how many patients would be needed."""
    if math.isnan(patients):
        return f"Patients needed for this margin: {assumed}."
    return f"About {fmt_count(patients)} patients per arm are needed for this margin ({assumed})."


def smallest_note(value: float, measure: str) -> str:
    """The remark on the smallest margin that these data support."""
    if math.isinf(value):
        return "No margin, however wide, is supported by these data."
    shown = fmt_percent(value) if measure == "risk difference" else fmt_number(value, 3)
    return (
        f"The smallest margin that these data support is {shown}; a margin chosen after seeing "
        "this number proves nothing."
    )
