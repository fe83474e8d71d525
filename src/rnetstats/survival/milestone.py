"""Survival or risk at fixed times, compared between groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice, level
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p
from rnetstats.kernels.pseudo_values import pseudo_values
from rnetstats.survival.curve_tables import time_points
from rnetstats.survival.milestone_fit import (
    FEW,
    Point,
    contrast_records,
    group_record,
    points_at,
    resolve_ci,
)
from rnetstats.survival.rmst_fit import whole_numbers
from rnetstats.survival.rows import SurvivalRows, group_rows, refuse_strata

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["MilestoneResult", "milestone"]

CI = ("auto", "log-log", "plain", "bpcp")
_CONTRASTS = (
    "group",
    "reference",
    "time",
    "measure",
    "estimate",
    "conf_low",
    "conf_high",
    "p_value",
    "method",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MilestoneResult(Result):
    """Survival (or risk) at fixed times; see :func:`milestone`.

    Attributes
    ----------
    estimates : DataFrame
        ``group, time, n, n_risk, n_events, measure, estimate, std_error, conf_low, conf_high,
        method``; ``n_risk`` is counted just before the time, ``n_events`` up to it.
    contrast_table : DataFrame
    labels : dict
    n_missing : int
    rows : SurvivalRows or None
        Patient rows; never written.
    positions : array (n,) or None
        Their places in the data.
    """

    estimates: pd.DataFrame
    contrast_table: pd.DataFrame
    labels: dict[str, str]
    n_missing: int = 0
    rows: SurvivalRows | None = field(default=None, metadata={"rows": True})
    positions: np.ndarray | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group and time."""
        return self.estimates.copy()

    def contrasts(self) -> pd.DataFrame:
        """Return each group against the first at each time.

        Returns
        -------
        DataFrame
            ``group, reference, time, measure, estimate, conf_low, conf_high, p_value, method``;
            the difference, the ratio and, with log-log limits, the ratio of cumulative hazards.
        """
        return self.contrast_table.copy()

    def pseudo_values(self) -> pd.DataFrame:
        """Return each patient's jack-knife pseudo-value at each time, from the curve of all.

        Returns
        -------
        DataFrame
            ``row, group, time, pseudo_value``, of survival or of the risk; ``row`` counts the rows
            of the data from 0.

        Raises
        ------
        DataNotKeptError
            After reading the result back from JSON.
        OptionError
            With late entry or weights of sampling, for which they are not defined.

        References
        ----------
        Andersen PK, Klein JP, Rosthoj S. Biometrika 2003;90:15-27.
        """
        rows = self._need("rows", "pseudo_values()")
        if rows.start is not None or rows.robust:
            raise OptionError(
                "Pseudo-values are defined neither with late entry nor with cluster() or "
                "sampling_weights."
            )
        parts = []
        for time in self.estimates["time"].unique():
            risk = pseudo_values(rows.stop, rows.event, float(time), rows.weights)
            value = risk if self.options["scale"] == "risk" else 1.0 - risk
            group = np.asarray(rows.labels, dtype=object)[rows.group]
            columns = {"row": self.positions, "group": group, "time": time, "pseudo_value": value}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, the number of times, the endpoint."""
        first = self.estimates[self.estimates["time"] == self.estimates["time"].iloc[0]]
        last = self.estimates[self.estimates["time"] == self.estimates["time"].max()]
        return pd.DataFrame(
            {
                "n": [first["n"].sum()],
                "n_missing": self.n_missing,
                "n_events": last["n_events"].sum(),
                "n_groups": len(first),
                "n_times": self.estimates["time"].nunique(),
                "endpoint": self.labels["event"],
                "scale": self.options["scale"],
                "conf_level": self.options["conf_level"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return a row a time and group, with the difference from the first group."""
        percent = f"{100 * self.options['conf_level']:g} % CI"
        table, scale = self.estimates, self.options["scale"]
        shown = pd.DataFrame(
            {
                "Time": [f"{time:g}" for time in table["time"]],
                self.labels["group"] or "Group": table["group"].astype(str),
                "N": [fmt_count(n) for n in table["n"]],
                "At risk": [fmt_count(n) for n in table["n_risk"]],
                "Events": [fmt_count(n) for n in table["n_events"]],
                f"{scale.capitalize()} ({percent})": [_cell(row) for row in _records(table)],
            }
        )
        if len(self.contrast_table):
            rows = self.contrast_table
            rows = rows[rows["measure"] == f"{scale} difference"]
            found = {(row["time"], row["group"]): row for row in _records(rows)}
            keys = list(zip(table["time"], table["group"], strict=True))
            shown[f"Difference ({percent})"] = [
                _cell(found[key]) if key in found else "reference" for key in keys
            ]
            shown["P"] = [fmt_p(found[key]["p_value"]) if key in found else "" for key in keys]
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw estimates with limits, a colour a group."""
        from rnetstats.plots.milestone import points_over_time

        return points_over_time(
            self.estimates,
            labels=self.labels,
            conf_level=self.options["conf_level"],
            synthetic=self.synthetic,
            ax=ax,
        )


def _records(table: pd.DataFrame) -> list[dict[str, float]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _cell(row: dict[str, float]) -> str:
    limits = fmt_interval(row["conf_low"], row["conf_high"], 3)
    return f"{fmt_number(row['estimate'], 3)} ({limits})"


def milestone(
    data: Data,
    formula: str,
    *,
    times: float | Sequence[float],
    scale: str = "survival",
    ci: str = "auto",
    conf_level: float = 0.95,
    freq_weights: str | ArrayLike | None = None,
    sampling_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> MilestoneResult:
    """Estimate survival (or risk) at fixed times and compare groups there.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, event) ~ group"``, or ``~ 1`` for one curve; ``Surv(start, stop, event)`` for
        late entry. With ``cluster(id)`` standard errors are robust.
    times : float or sequence of float
        Above 0, in the unit of the data, within every group's follow-up.
    scale : {"survival", "risk"}
        Survival S(t), or the risk 1 - S(t), which is a risk only where nothing competes.
    ci : {"auto", "log-log", "plain", "bpcp"}
        Limits of a group: Greenwood's on the complementary log-log or on the plain scale, or beta
        product limits, which hold with few events and with none. ``"auto"`` takes the last at
        times by which a group has fewer than 5 events (or has reached 0), else log-log. Contrasts:
        normal limits with ``"plain"``; otherwise the groups' limits are squared and added.
    conf_level : float
    freq_weights, sampling_weights : str or array, optional
        Frequency weights stand for replicated rows; sampling weights give standard errors by the
        infinitesimal jackknife, and no beta product limits.
    missing : {"drop", "raise"}

    Returns
    -------
    MilestoneResult
        Each P is by the method of its limits: it is below 1 - ``conf_level`` where, and only
        where, they leave out no difference.

    Raises
    ------
    OptionError
        If a time is not above 0, or an option does not go with the data.
    DataError
        If a time lies past the follow-up of a group; the message names the largest time.
    FormulaError, ColumnError
        For a formula that cannot be used.

    References
    ----------
    Klein JP, Logan B, Harhoff M, Andersen PK. Analyzing survival curves at a fixed point in time.
    Stat Med 2007;26:4505-19. Fay MP, Brittain EH, Proschan MA. Biostatistics 2013;14:723-36.
    Zou GY, Donner A. Stat Med 2008;27:1693-702.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> found = rn.milestone(cohort, "Surv(dfs_months, recurrence) ~ margin_positive", times=36)
    >>> found.to_frame()[["group", "n_risk", "n_events", "estimate", "conf_low"]].round(3)
      group  n_risk  n_events  estimate  conf_low
    0     0     261         0     1.000     0.986
    1     1     133         4     0.974     0.933
    >>> found.contrasts()[["measure", "estimate", "conf_low", "conf_high", "p_value"]].round(3)
                   measure  estimate  conf_low  conf_high  p_value
    0  survival difference    -0.026    -0.067     -0.003    0.026
    1       survival ratio     0.974     0.933      0.997    0.026
    """
    choice("scale", scale, ("survival", "risk"))
    choice("ci", ci, CI)
    level(conf_level)
    points = np.unique(time_points(times))
    if points[0] <= 0.0:
        raise OptionError("times must lie above 0.")
    frame = as_frame(data)
    rows, info = group_rows(
        frame,
        formula,
        freq_weights=freq_weights,
        sampling_weights=sampling_weights,
        missing=missing,
    )
    refuse_strata(rows)
    exact = rows.start is None and not rows.robust
    if ci == "bpcp" and not exact:
        raise OptionError(
            "ci='bpcp' counts patients and takes neither late entry, sampling_weights nor "
            "cluster(); choose 'log-log' or 'plain'."
        )
    estimates, contrasts, notes = [], [], []
    for found in points_at(rows, points):
        kind = resolve_ci(ci, found, exact=exact)
        estimates += [group_record(point, kind, conf_level, scale) for point in found]
        contrasts += contrast_records(found, kind, conf_level, scale)
        notes += _notes(found, ci, kind)
    return MilestoneResult(
        estimates=whole_numbers(pd.DataFrame(estimates)),
        contrast_table=pd.DataFrame(contrasts, columns=list(_CONTRASTS)),
        labels=info.labels,
        n_missing=info.n_missing,
        synthetic=is_synthetic(frame),
        rows=rows,
        positions=info.positions,
        notes=(*info.notes, *notes),
        options={
            "formula": formula,
            "times": [float(point) for point in points],
            "scale": scale,
            "ci": ci,
            "conf_level": conf_level,
            "missing": missing,
        },
    )


def _notes(points: list[Point], ci: str, kind: str) -> list[str]:
    """Say which limits were chosen for want of events, and which are missing or weak."""
    few = [point for point in points if point.n_events < FEW]
    listed = ", ".join(f"{point.label} ({point.n_events:g})" for point in few)
    notes = []
    if few and ci == "auto" and kind == "bpcp":
        notes.append(
            f"At {points[0].time:g}: fewer than {FEW} events in {listed}; limits are beta product "
            "limits, and contrasts are made of them."
        )
    elif few and kind != "bpcp":
        notes.append(
            f"At {points[0].time:g}: fewer than {FEW} events in {listed}; the normal limits are "
            "not to be relied on."
        )
    if kind != "bpcp":
        lost = [point for point in points if not np.isfinite(point.std_error)]
        notes += [
            f"{point.label} at {point.time:g}: "
            + ("no event" if not point.n_events else "the curve has reached 0")
            + ", so that Greenwood's variance is not defined: no limits and no P."
            for point in lost
        ]
    return notes
