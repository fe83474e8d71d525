"""Survival or risk at fixed times, compared between groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice, level
from rnetstats.errors import OptionError
from rnetstats.survival.curve_tables import time_points
from rnetstats.survival.milestone_fit import (
    FEW,
    Point,
    alike,
    contrast_records,
    group_record,
    points_at,
    resolve_ci,
)
from rnetstats.survival.milestone_result import MilestoneResult
from rnetstats.survival.rmst_fit import whole_numbers
from rnetstats.survival.rows import emptied_notes, group_rows, refuse_strata

if TYPE_CHECKING:
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
        late entry. With ``cluster(id)`` standard errors are robust, and contrasts count that a
        cluster may have rows in several groups.
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
    conf_level = level(conf_level)
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
    if rows.start is not None:
        for code, label in enumerate(rows.labels):
            curve = rows.of_group(code).curve()
            notes += emptied_notes(label, curve.time, curve.survival, float(points[-1]))
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
    left = (
        "the standard error is missing, and the limits are beta product limits."
        if kind == "bpcp"
        else "no limits and no P."
    )
    tied = [point.label for point in points[1:] if alike(point, points[0])]
    if tied:
        notes.append(
            f"At {points[0].time:g}: within clusters {', '.join(tied)} and {points[0].label} err "
            "alike, so that a contrast has an estimated variance of 0, which is no certainty: its "
            "limits and P are missing."
        )
    return notes + [
        f"{point.label} at {point.time:g}: "
        + f"{_undefined(point)}, so that the variance is not defined: {left}"
        for point in points
        if not np.isfinite(point.std_error)
    ]


def _undefined(point: Point) -> str:
    """Say why a point has no standard error."""
    if not point.n_events:
        return "no event"
    return "one cluster" if point.survival > 0.0 else "the curve has reached 0"
