"""Whether follow-up was long enough to speak of patients who never have the event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import positive_int
from rnetstats._core.result import Result
from rnetstats.errors import FormulaError
from rnetstats.formatting import fmt_count, fmt_number, fmt_p
from rnetstats.survival.curve_fit import CurveOptions, fit_curves
from rnetstats.survival.rows import SurvivalRows, group_rows, refuse_strata

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["SufficientFollowUpResult", "sufficient_follow_up"]

_LEVEL = 0.05


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SufficientFollowUpResult(Result):
    """Maller and Zhou's test of sufficient follow-up; see :func:`sufficient_follow_up`.

    Attributes
    ----------
    table : DataFrame
        A row a group: ``group, n, n_events``; ``last_event`` and ``last_time``, the largest time
        with the event and of all; ``plateau``, the time between them; ``plateau_survival``, the
        Kaplan-Meier estimate there; ``window_start`` and ``window_events``: the events in
        (window_start, last_event], a window as long as the plateau; ``q``, their share of n;
        ``alpha``, the test's P; ``verdict``.
    labels : dict
    n_missing : int
    """

    table: pd.DataFrame
    labels: dict[str, str]
    n_missing: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, the largest times, and how many groups have which verdict."""
        verdicts = self.table["verdict"]
        return pd.DataFrame(
            {
                "n": [self.table["n"].sum()],
                "n_missing": self.n_missing,
                "n_events": self.table["n_events"].sum(),
                "last_event": self.table["last_event"].max(),
                "last_time": self.table["last_time"].max(),
                "n_sufficient": int((verdicts == "sufficient").sum()),
                "n_not_shown": int((verdicts == "not shown").sum()),
                "n_cannot_be_said": int((verdicts == "cannot be said").sum()),
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        rows = self.table.to_dict("records")
        return pd.DataFrame(
            {
                self.labels["group"] or "Group": [row["group"] for row in rows],
                "N": [fmt_count(row["n"]) for row in rows],
                "Events": [fmt_count(row["n_events"]) for row in rows],
                "Last event": [fmt_number(row["last_event"], 1) for row in rows],
                "Last follow-up": [fmt_number(row["last_time"], 1) for row in rows],
                "Plateau": [fmt_number(row["plateau"], 1) for row in rows],
                "Survival there": [fmt_number(row["plateau_survival"], 3) for row in rows],
                "q": [fmt_number(row["q"], 3) for row in rows],
                "P": [fmt_p(row["alpha"]) for row in rows],
                "Sufficient follow-up": [row["verdict"] for row in rows],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each group's window of events, its last event and its plateau."""
        from rnetstats.plots.intervals import draw_intervals
        from rnetstats.plots.style import marked

        about = [
            f"{row['group']} ({row['n_events']} events): {row['verdict']}"
            for row in self.table.to_dict("records")
        ]
        rows = pd.DataFrame(
            {
                "label": about,
                "estimate": self.table["last_event"],
                "conf_low": self.table["window_start"].fillna(self.table["last_event"]),
                "conf_high": self.table["last_time"],
            }
        ).dropna(subset=["estimate"])
        label = f"{self.labels['time']}\n(window before the last event, and plateau after it)"
        if rows.empty:
            rows = pd.DataFrame({"label": about}).assign(
                estimate=self.table["last_time"],
                conf_low=0.0,
                conf_high=self.table["last_time"],
            )
        return marked(draw_intervals(rows, ax=ax, xlabel=label), self.synthetic)


def sufficient_follow_up(
    data: Data,
    formula: str,
    *,
    min_events: int = 20,
    freq_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> SufficientFollowUpResult:
    """Test whether follow-up is long enough for the plateau of a curve to mean a cure.

    The null hypothesis is that follow-up is insufficient: that those who will have the event may
    have it later than anybody was followed. Let t* be the largest time with the event, t the
    largest of all. If events may go on after t, the last event is not far before t; a long
    plateau after many events speaks against it. Of n patients, q n have the event in
    (2 t* - t, t*], a window as long as the plateau, and P is (1 - q)^n.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, event) ~ group"`` or ``~ 1``. What censors must be the end of follow-up and
        independent losses; death before a recurrence is neither (a note says so).
    min_events : int
        Groups with fewer events get no q, P or verdict, only the times: P is about exp(-N) for N
        events in the window, below 0.05 from the third on, whatever comes after.
    freq_weights : str or array, optional
        Whole numbers that stand for replicated rows.
    missing : {"drop", "raise"}

    Returns
    -------
    SufficientFollowUpResult
        ``verdict`` is ``sufficient`` (P below 0.05), ``not shown`` or ``cannot be said``.

    Raises
    ------
    FormulaError
        For late entry or strata.
    DataError, ColumnError, OptionError
        For data or options that cannot be used.

    References
    ----------
    Maller RA, Zhou S (1992). Estimating the proportion of immunes in a censored sample. Biometrika
    79:731-739. Maller RA, Zhou S (1994). Testing for sufficient follow-up and outliers in survival
    data. JASA 89:1499-1506. Maller RA, Zhou X (1996). Survival Analysis with Long-Term Survivors.
    Wiley.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> found = rn.sufficient_follow_up(cohort, "Surv(dfs_months, recurrence) ~ 1")
    >>> found.to_frame()[["n_events", "last_event", "last_time", "verdict"]].round(1)
       n_events  last_event  last_time         verdict
    0        12       116.4      135.9  cannot be said
    """
    fewest = positive_int("min_events", min_events, minimum=3)
    frame = as_frame(data)
    rows, info = group_rows(frame, formula, freq_weights=freq_weights, missing=missing)
    refuse_strata(rows)
    if rows.cluster is not None:
        raise FormulaError("The test takes patients as independent: leave cluster() out.")
    if rows.start is not None:
        raise FormulaError("Follow-up is counted from time 0: write Surv(time, event).")
    table = pd.DataFrame([_of_group(rows, code, fewest) for code in range(len(rows.labels))])
    return SufficientFollowUpResult(
        table=table,
        labels=info.labels,
        n_missing=info.n_missing,
        synthetic=is_synthetic(frame),
        notes=(*info.notes, *_notes(table, fewest)),
        options={"formula": formula, "min_events": fewest, "missing": missing},
    )


def _of_group(rows: SurvivalRows, code: int, fewest: int) -> dict[str, Any]:
    mine = rows.of_group(code)
    weight = np.ones(len(mine.stop)) if mine.weights is None else mine.weights
    n, events = float(weight.sum()), float(weight @ mine.event)
    last_time = float(mine.stop.max())
    about: dict[str, Any] = {"group": rows.labels[code], "n": int(n), "n_events": int(events)}
    if not events:
        gaps = ("last_event", "plateau", "plateau_survival", "window_start", "q", "alpha")
        return {
            **about,
            **dict.fromkeys(gaps, np.nan),
            "last_time": last_time,
            "window_events": 0,
            "verdict": "cannot be said",
        }
    last_event = float(mine.stop[mine.event].max())
    start = 2.0 * last_event - last_time
    # the window is open at its start: rounding must not put an event there inside
    inside = mine.event & (mine.stop > start + 1e-12 * last_time) & (mine.stop <= last_event)
    if last_event == last_time:  # no plateau: rounding must not put the last event inside
        inside = np.zeros_like(mine.event)
    count = float(weight @ inside)
    curve = fit_curves(mine.relabelled((code,)), CurveOptions("log-log", 0.95, False))[0]
    enough = events >= fewest
    alpha = (1.0 - count / n) ** n
    verdict = "sufficient" if alpha < _LEVEL else "not shown"
    return {
        **about,
        "last_event": last_event,
        "last_time": last_time,
        "plateau": last_time - last_event,
        "plateau_survival": float(curve["survival"].iloc[-1]),
        "window_start": max(start, 0.0),
        "window_events": int(count),
        "q": count / n if enough else np.nan,
        "alpha": alpha if enough else np.nan,
        "verdict": verdict if enough else "cannot be said",
    }


def _notes(table: pd.DataFrame, fewest: int) -> list[str]:
    notes = []
    few = table[table["verdict"] == "cannot be said"]
    if len(few):
        listed = ", ".join(f"{r['group']} ({r['n_events']})" for r in few.to_dict("records"))
        notes.append(
            f"Fewer than {fewest} events in {listed}: whether follow-up was sufficient cannot be "
            "said. The plateau is described, not tested: three events in the window would give P "
            "below 0.05 whatever is still to come."
        )
    if (table["verdict"] != "cannot be said").any():
        notes.append(
            "P tests that follow-up is insufficient; a small one supports, and does not prove, "
            "that no event comes later. The test rejects too often where events grow rare slowly. "
            "'not shown' is no proof of insufficient follow-up."
        )
    if (table["window_start"] <= 0.0).any():
        notes.append(
            "Where the plateau is longer than the time to the last event, the window holds all "
            "events."
        )
    notes.append(
        "What censors is taken as the end of follow-up or an independent loss. Where deaths are "
        "censored, a plateau is not a share of cured patients."
    )
    return notes
