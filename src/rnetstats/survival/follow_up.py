"""How long, and how completely, patients were followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice, level
from rnetstats._core.result import Result
from rnetstats.errors import FormulaError
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_percent
from rnetstats.survival.curve_fit import CurveOptions, fit_curves
from rnetstats.survival.kaplan_meier import KaplanMeierResult
from rnetstats.survival.potential import UNIT_DAYS, potential_times
from rnetstats.survival.rows import RowsInfo, SurvivalRows, group_rows, refuse_strata

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["FollowUpResult", "follow_up"]

_NO_POTENTIAL = (
    "The completeness index needs the follow-up that was possible: give enrolled= (a column of "
    "dates) and closing= (a date), or potential=."
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FollowUpResult(Result):
    """Follow-up of all patients and by group.

    Attributes
    ----------
    table : DataFrame
        ``group, n, n_events, person_time, median, conf_low, conf_high, q25, q75,
        naive_median_censored, completeness, n_completeness``; the median and quartiles are those
        of the reverse Kaplan-Meier curve, and ``n_completeness`` the patients whose possible
        follow-up is known.
    reverse : KaplanMeierResult
        The reverse Kaplan-Meier curves: censoring is the event.
    unit : str
        Unit of the times as given, for conversion of dates.
    """

    table: pd.DataFrame
    reverse: KaplanMeierResult
    unit: str

    def to_frame(self) -> pd.DataFrame:
        """Return the table of follow-up, all patients first."""
        return self.table.copy()

    def followed(self, times: float | Sequence[float]) -> pd.DataFrame:
        """Return how many were followed to given times.

        Parameters
        ----------
        times : float or sequence of float
            In the unit of the data.

        Returns
        -------
        DataFrame
            ``group, time, n, n_observed, n_event, share_followed``: under observation just before
            the time, with the event before it, and the share of patients with one or the other.

        Raises
        ------
        OptionError
            If a time is no number, or below 0.
        """
        risk = self.reverse.risk_table(times)
        n = risk["group"].map(self.table.set_index("group")["n"])
        return pd.DataFrame(
            {
                "group": risk["group"],
                "time": risk["time"],
                "n": n,
                "n_observed": risk["n_risk"],
                # in the reverse curve the event itself is what ends observation early
                "n_event": risk["n_censor"],
                "share_followed": (risk["n_risk"] + risk["n_censor"]) / n,
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return the row of all patients, with the rows left out."""
        frame = self.table.iloc[[0]].drop(columns="group").reset_index(drop=True)
        frame.insert(1, "n_missing", self.reverse.n_missing)
        return frame

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        percent = f"{100 * self.options['conf_level']:g} % CI"
        records = self.table.to_dict("records")
        return pd.DataFrame(
            {
                self.reverse.labels["group"] or "Group": [row["group"] for row in records],
                "N": [fmt_count(row["n"]) for row in records],
                "Events": [fmt_count(row["n_events"]) for row in records],
                f"Person-{self.unit}": [fmt_count(round(row["person_time"])) for row in records],
                f"Median, reverse Kaplan-Meier ({percent})": [
                    f"{fmt_number(row['median'], 1)} "
                    f"({fmt_interval(row['conf_low'], row['conf_high'], 1)})"
                    for row in records
                ],
                "Quartiles": [fmt_interval(row["q25"], row["q75"], 1) for row in records],
                "Median of censored times (naive)": [
                    fmt_number(row["naive_median_censored"], 1) for row in records
                ],
                "Completeness": [fmt_percent(row["completeness"]) for row in records],
            }
        )

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the reverse Kaplan-Meier curves."""
        return self.reverse.plot(ax, **options)


def follow_up(
    data: Data,
    formula: str,
    *,
    enrolled: str | None = None,
    closing: str | date | None = None,
    potential: str | float | ArrayLike | None = None,
    unit: str = "months",
    conf_level: float = 0.95,
    missing: str = "drop",
) -> FollowUpResult:
    """Describe follow-up by the reverse Kaplan-Meier method, person-time and completeness.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, event) ~ group"`` or ``~ 1``. Take as the event what ends follow-up for good,
        death as a rule: ``Surv(os_months, death)``. Where deaths are censored, as for recurrence,
        they count as losses to follow-up.
    enrolled : str, optional
        A column with the date at which follow-up began; with ``closing`` it gives the follow-up
        that was possible. Rows without a date are left out of the completeness index, and counted
        in a note.
    closing : str or date, optional
        The last date of the study, ISO text or a date.
    potential : str, float or array, optional
        Instead: the possible follow-up in the unit of the times, as a column, an array, or one
        time for everybody (follow-up is then cut there).
    unit : {"days", "weeks", "months", "years"}
        Unit of the times; a month has 30.4375 days.
    conf_level : float
        Level of the limits of the median (log-log).
    missing : {"drop", "raise"}

    Returns
    -------
    FollowUpResult
        ``completeness`` is the person-time observed over the person-time possible, where a patient
        with the event could be followed up to it.

    Raises
    ------
    FormulaError
        For late entry or strata.
    OptionError, DataError, ColumnError
        For options or dates that cannot be used.

    References
    ----------
    Schemper M, Smith TL. A note on quantifying follow-up in studies of failure time. Control Clin
    Trials 1996;17:343-6. Clark TG, Altman DG, De Stavola BL. Quantification of the completeness of
    follow-up. Lancet 2002;359:1309-10.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> followed = rn.follow_up(
    ...     cohort, "Surv(os_months, death) ~ 1", enrolled="enrolment_date", closing="2024-03-31"
    ... )
    >>> followed.to_frame()[["group", "n", "median", "completeness"]].round(2)
      group    n  median  completeness
    0   all  527    72.0          0.93
    """
    choice("unit", unit, tuple(UNIT_DAYS))
    conf_level = level(conf_level)
    frame = as_frame(data)
    rows, info = group_rows(frame, formula, missing=missing)
    if rows.start is not None:
        raise FormulaError("Follow-up is counted from time 0: write Surv(time, event).")
    refuse_strata(rows)
    options = {
        "formula": formula,
        "closing": None if closing is None else str(closing),
        "enrolled": enrolled,
        "unit": unit,
        "conf_level": conf_level,
        "missing": missing,
    }
    possible, cut, notes = potential_times(
        frame,
        info.positions,
        rows,
        enrolled=enrolled,
        closing=closing,
        potential=potential,
        unit=unit,
    )
    dated = possible is not None
    if not dated:
        notes = (_NO_POTENTIAL,)
    both = _with_all(rows)
    reverse = _reverse(both, info, options, is_synthetic(frame))
    table = _table(both, reverse, possible, cut)
    return FollowUpResult(
        table=table,
        reverse=reverse,
        unit=unit,
        notes=(*info.notes, *notes, *_gaps(table, dated)),
        options=options,
    )


def _with_all(rows: SurvivalRows) -> SurvivalRows:
    """Return the rows with a first group that holds everybody."""
    if len(rows.labels) == 1:
        return rows
    everybody = "all" if "all" not in rows.labels else "all groups"
    return replace(
        rows,
        stop=np.tile(rows.stop, 2),
        event=np.tile(rows.event, 2),
        group=np.concatenate([np.zeros_like(rows.group), rows.group + 1]),
        labels=(everybody, *rows.labels),
        cluster=None if rows.cluster is None else np.tile(rows.cluster, 2),
    )


def _reverse(
    rows: SurvivalRows, info: RowsInfo, options: dict[str, Any], synthetic: bool
) -> KaplanMeierResult:
    settings = CurveOptions("log-log", options["conf_level"], False)
    curves, groups, entries, _ = fit_curves(replace(rows, event=~rows.event), settings)
    return KaplanMeierResult(
        curves=curves,
        groups=groups,
        entries=entries,
        labels=info.labels,
        n_missing=info.n_missing,
        synthetic=synthetic,
        options={**options, "ci": "log-log", "mid_p": False, "reverse": True},
    )


def _table(
    rows: SurvivalRows,
    reverse: KaplanMeierResult,
    possible: NDArray[np.float64] | None,
    cut: float,
) -> pd.DataFrame:
    quantiles = reverse.quantile((0.25, 0.5, 0.75)).set_index(["group", "q"])
    lines = []
    for code, label in enumerate(rows.labels):
        mine = rows.group == code
        stop, event = rows.stop[mine], rows.event[mine]
        wanted = (
            np.full(len(stop), np.nan) if possible is None else np.resize(possible, len(mine))[mine]
        )
        lines.append(
            {
                "group": label,
                "n": int(mine.sum()),
                "n_events": int(event.sum()),
                "person_time": float(stop.sum()),
                "median": quantiles.loc[(label, 0.5), "estimate"],
                "conf_low": quantiles.loc[(label, 0.5), "conf_low"],
                "conf_high": quantiles.loc[(label, 0.5), "conf_high"],
                "q25": quantiles.loc[(label, 0.25), "estimate"],
                "q75": quantiles.loc[(label, 0.75), "estimate"],
                "naive_median_censored": float(np.median(stop[~event]))
                if (~event).any()
                else np.nan,
                "completeness": _completeness(stop, wanted, cut),
                "n_completeness": int((~np.isnan(wanted)).sum()),
            }
        )
    return pd.DataFrame(lines)


def _gaps(table: pd.DataFrame, dated: bool) -> list[str]:
    """Say for which groups the median, a quartile or a limit is not reached, or no date known."""
    notes = []
    for row in table.to_dict("records"):
        if dated and not row["n_completeness"]:
            notes.append(
                f"{row['group']}: no patient has a date of enrolment: no completeness index."
            )
        if row["n_events"] == row["n"]:
            notes.append(f"{row['group']}: nobody is censored, so follow-up has no estimate.")
            continue
        words = {"median": "the median", "q25": "the lower quartile", "q75": "the upper quartile"}
        words |= {"conf_low": "the lower limit", "conf_high": "the upper limit"}
        lacking = [word for name, word in words.items() if np.isnan(row[name])]
        if lacking:
            notes.append(f"{row['group']}: {', '.join(lacking)} of follow-up not reached.")
    return notes


def _completeness(stop: NDArray[np.float64], possible: NDArray[np.float64], cut: float) -> float:
    """Person-time seen of that possible (n,), over the patients of whom this is known."""
    known = ~np.isnan(possible)
    wanted = possible[known].sum()
    return float(np.minimum(stop[known], cut).sum() / wanted) if wanted > 0.0 else float("nan")
