"""What no event (or a few) still says: upper bounds on risk, rate and survival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, level, positive_int, real
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_count, fmt_number, fmt_percent, group_names, inside
from rnetstats.survival.potential import UNIT_DAYS
from rnetstats.treatment.bounds import BOUND_COLUMNS, Followed, bounds_of
from rnetstats.treatment.bounds_from_rows import followed_rows
from rnetstats.treatment.bounds_from_summary import followed_summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NoEventsResult", "no_events"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NoEventsResult(Result):
    """Bounds where nothing, or little, happened; see :func:`no_events`.

    Attributes
    ----------
    table : DataFrame
        ``group, measure, method, sides, time, n, events, person_time, estimate, conf_low,
        conf_high``: `person_time` in patient-years; `n` those that the bound rests on; `sides` is
        two-sided or one-sided (then the other end is that of the range).
    group : str
        The column of the groups as printed, "" for one group.
    """

    table: pd.DataFrame
    group: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a bound."""
        return self.table.copy()

    def bound(self, measure: str, *, sides: str = "two-sided", group: str | None = None) -> float:
        """Return one bound: the upper limit of a risk or rate, the lower one of survival.

        Parameters
        ----------
        measure : {"risk", "rate", "survival"}
        sides : {"two-sided", "one-sided"}
            Of the exact method.
        group : str, optional
            By default the first.

        Raises
        ------
        OptionError
            If there is no such measure, side or group.
        """
        choice("measure", measure, tuple(self.table["measure"].unique()))
        choice("sides", sides, ("two-sided", "one-sided"))
        groups = self.table["group"].tolist()
        chosen = (
            groups[0] if group is None else choice("group", group, tuple(dict.fromkeys(groups)))
        )
        mine = self.table["group"] == chosen
        mine &= (self.table["measure"] == measure) & (self.table["sides"] == sides)
        row = self.table[mine & (self.table["method"] != "rule of three")].iloc[0]
        return float(row["conf_low" if measure == "survival" else "conf_high"])

    def glance(self) -> pd.DataFrame:
        """Return one row: the counts of all groups together."""
        first = self.table.drop_duplicates("group")
        return pd.DataFrame(
            {
                "n_groups": [len(first)],
                "n": [first["n"].sum(min_count=1)],
                "events": [int(first["events"].sum())],
                "person_time": [first["person_time"].sum(min_count=len(first))],
                "conf_level": [self.options["conf_level"]],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the bounds as text."""
        unit = str(self.options["unit"])
        rows = []
        records: list[dict[str, Any]] = self.table.to_dict("records")  # type: ignore[assignment]
        for row in records:
            shown = _shown(row, unit)
            if len(self.table["group"].unique()) > 1:
                shown = {"Group": str(row["group"]), **shown}
            rows.append(shown)
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None, *, measure: str | None = None) -> Axes:
        """Draw the bounds of one measure (the first by default), one line a method and group."""
        from rnetstats.plots.intervals import draw_intervals
        from rnetstats.plots.style import marked

        measures = tuple(self.table["measure"].unique())
        name = measures[0] if measure is None else choice("measure", measure, measures)
        rows = self.table[self.table["measure"] == name].reset_index(drop=True)
        several = rows["group"].nunique() > 1
        names = group_names(rows["group"])
        labels = [
            (f"{names.get(row.group, row.group)}: " if several else "")
            + (f"at {row.time:g} {self.options['unit']}, " if name == "survival" else "")
            + f"{row.method}, {row.sides}"
            for row in rows.itertuples(index=False)
        ]
        percent = f"{100 * self.options['conf_level']:g} % limits"
        words = {"risk": "Risk", "rate": "Events per 100 patient-years", "survival": "Survival"}
        axes = draw_intervals(
            rows.assign(label=labels),
            ax=ax,
            xlabel=f"{words[name]}, {percent}" + (f"\nby {inside(self.group)}" if several else ""),
        )
        return marked(axes, self.synthetic)


def no_events(
    data: Data | None = None,
    formula: str | None = None,
    *,
    n: int | None = None,
    person_time: float | None = None,
    median_follow_up: float | None = None,
    shortest_follow_up: float = 0.0,
    events: int = 0,
    times: float | Sequence[float] | None = None,
    unit: str = "months",
    conf_level: float = 0.95,
    missing: str = "drop",
) -> NoEventsResult:
    """Bound what may have been missed where no event, or a few, were seen.

    From patient rows, or from what a paper prints: the number of patients, and the person-time or
    the median follow-up.

    Parameters
    ----------
    data : DataFrame or mapping, optional
    formula : str, optional
        ``"Surv(time, event) ~ group"`` (or ``~ 1``), or ``"y ~ group"`` for risks alone.
    n : int, optional
        Without data: patients.
    person_time : float, optional
        Without data: time at risk, in the unit.
    median_follow_up : float, optional
        Without data: the median of the patients' observed times. At least half of the patients
        have at least that, so that the person-time is at least ceil(n / 2) times the median.
    shortest_follow_up : float
        The least that every patient has; it adds to the person-time of the other half.
    events : int
        Without data: how many happened, 0 by default.
    times : float or sequence of float, optional
        When survival is wanted. From data by default the median of the observed times; from
        counts the median follow-up, and no time beyond it.
    unit : {"days", "weeks", "months", "years"}
        Of the times. Rates are per 100 patient-years throughout.
    conf_level : float
        Of the two-sided limits, and of each one-sided one.
    missing : {"drop", "raise"}

    Returns
    -------
    NoEventsResult
        Risk: Clopper-Pearson, with the rule of three beside it where nothing happened. Rate: exact
        Poisson (Garwood). Survival at a time: the beta product confidence procedure.

    Raises
    ------
    OptionError
        If neither data nor counts are given, or both; or a count, time or level cannot be.
    ColumnError, DataError
        If the data cannot be used; if there are more events than patients, or nobody has any time
        at risk.
    FormulaError
        For late entry or strata.

    References
    ----------
    Hanley JA, Lippman-Hand A (1983) If nothing goes wrong, is everything all right? JAMA
    249:1743-1745. Garwood F (1936) Biometrika 28:437-442. Fay MP, Brittain EH, Proschan MA (2013)
    Pointwise confidence intervals for a survival distribution with small samples or heavy
    censoring. Biostatistics 14:723-736.

    Examples
    --------
    No recurrence among 322 patients with a median follow-up of 40.49 months: there are at least
    161 times 40.49 / 12 = 543 patient-years, and the data are compatible with a risk of 1.1 %.

    >>> import rnetstats as rn
    >>> found = rn.no_events(n=322, median_follow_up=40.49)
    >>> round(found.bound("risk"), 4), round(found.bound("rate"), 2)
    (0.0114, 0.68)
    >>> round(float(found.glance()["person_time"].iloc[0]), 1)
    543.2
    """
    conf_level = level(conf_level)
    choice("unit", unit, tuple(UNIT_DAYS))
    printed = {"n": n, "person_time": person_time, "median_follow_up": median_follow_up}
    given = [name for name, value in printed.items() if value is not None]
    if (data is None) != (formula is None):
        raise OptionError("no_events() takes data together with a formula.")
    if (data is None) == (not given):
        raise OptionError(
            "Give no_events() either data and a formula, or n=, person_time= or median_follow_up=."
        )
    parts: list[Followed]
    notes: tuple[str, ...]
    if data is not None and formula is not None:
        counted = positive_int("events", events, minimum=0)
        if counted or real("shortest_follow_up", shortest_follow_up):
            raise OptionError(
                "events= and shortest_follow_up= come from the data if there are any."
            )
        parts, group, notes, synthetic = followed_rows(data, formula, times, missing, conf_level)
    else:
        found, notes = followed_summary(
            n, person_time, median_follow_up, shortest_follow_up, events, times, conf_level
        )
        parts, group, synthetic = [found], "", False
    rows = [row for part in parts for row in bounds_of(part, UNIT_DAYS[unit], conf_level)]
    return NoEventsResult(
        table=pd.DataFrame(rows, columns=list(BOUND_COLUMNS)),
        group=group,
        synthetic=synthetic,
        notes=notes,
        options={"formula": formula, "unit": unit, "conf_level": conf_level, "missing": missing},
    )


def _shown(row: dict[str, Any], unit: str) -> dict[str, str]:
    rate, survival = row["measure"] == "rate", row["measure"] == "survival"

    def write(value: float) -> str:
        return fmt_number(value, 2) if rate else fmt_percent(value, 1 if survival else 2)

    what = "rate per 100 patient-years" if rate else str(row["measure"])
    low, high = write(row["conf_low"]), write(row["conf_high"])
    limits = f"{low} to {high}"
    if row["sides"] == "one-sided":
        limits = f"≥ {low}" if survival else f"≤ {high}"
    return {
        "Measure": f"{what} at {row['time']:g} {unit}" if survival else what,
        "N": fmt_count(row["n"]),
        "Events": fmt_count(row["events"]),
        "Patient-years": fmt_number(row["person_time"], 1),
        "Estimate": write(row["estimate"]),
        "Limits": limits,
        "Method": f"{row['method']}, {row['sides']}",
    }
