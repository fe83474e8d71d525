"""Patient-level data from a published survival curve and its numbers at risk."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, column, is_synthetic_data
from rnetstats._core.options import positive_int, real
from rnetstats.errors import DataError, OptionError, closest
from rnetstats.evidence.reconstruct_arms import Arm, reconstruct_arm
from rnetstats.evidence.reconstruct_points import CleanCurve, clean_curve, is_percent, number_column
from rnetstats.evidence.reconstruct_result import LIMITS, ReconstructedSurvival
from rnetstats.evidence.reconstruct_risk import AtRisk, at_risk_table, only_total
from rnetstats.formula.variables import level_text

__all__ = ["ReconstructedSurvival", "reconstruct_survival"]

COLUMNS = ("time", "survival", "group", "risk_time", "n_risk")
_ONE = "all"
_MOST = 200_000


def reconstruct_survival(
    points: Data,
    at_risk: Data | None = None,
    *,
    total: int | Mapping[str, int] | None = None,
    events: int | Mapping[str, int] | None = None,
    percent: bool | None = None,
    iterate: bool = True,
    tolerance: float = 0.01,
    columns: Mapping[str, str] | None = None,
) -> ReconstructedSurvival:
    """Reconstruct patient-level data from digitised Kaplan-Meier curves (Guyot's algorithm).

    Parameters
    ----------
    points : DataFrame or mapping
        ``time, survival``: points along each curve in their order, at the top and the bottom of
        its steps, the last one at its end; with a column ``group`` where there are several arms.
    at_risk : DataFrame or mapping, optional
        ``time, n_risk`` (and ``group``): the numbers printed below the curve, from time 0.
    total : int or dict, optional
        Patients at the start, where no at-risk table is printed; of several arms ``{arm: n}``.
    events : int or dict, optional
        The total of events, where it is known.
    percent : bool, optional
        Whether survival is in per cent; by default it is if a value lies above 1.
    iterate : bool
        Meet the total of events as nearly as can be, by changing the censorings after the last
        at-risk time. Without iteration all who do not have the event are taken to be censored,
        evenly, before the curve's end, and the total is in general not met.
    tolerance : float
        Noise of digitising, as a share of the vertical axis: rises up to it are levelled; larger
        ones are refused.
    columns : mapping, optional
        Names of the columns ``time``, ``survival``, ``group``, ``risk_time`` (the time of the
        at-risk table) and ``n_risk``, where they differ.

    Returns
    -------
    ReconstructedSurvival
        ``data`` holds the pseudo-patients (``group, time, event``), ``at_risk_table`` the numbers
        given and reached, ``groups`` the largest distance between the two curves; ``fit()`` gives
        the Kaplan-Meier curves of the pseudo-patients.

    Raises
    ------
    OptionError
        If neither an at-risk table nor a total is given, or options do not go with the arms.
    ColumnError
        If a column is missing or holds no numbers.
    DataError
        If a curve rises, its times are out of order, survival lies above 1 (or 100) or below 0,
        there is one point only; if numbers at risk rise, do not begin at time 0, or go on beyond
        the curve's last point.

    Notes
    -----
    Cleaning is sparing. A point at time 0, or before it by a slip, becomes (0, 1); a point above an
    earlier one is lowered to it; of more than two points at one time the highest and the lowest
    stay; no point is left out for lying far from its neighbours. The notes count what was changed.

    A curve cannot give covariates, the times of censoring, or who had two events.

    References
    ----------
    Guyot P, Ades AE, Ouwens MJNM, Welton NJ. Enhanced secondary analysis of survival data:
    reconstructing the data from published Kaplan-Meier survival curves. BMC Med Res Methodol
    2012;12:9. Liu N, Zhou Y, Lee JJ. IPDfromKM: reconstruct individual patient data from published
    Kaplan-Meier survival curves. BMC Med Res Methodol 2021;21:111.

    Examples
    --------
    Curves of a cohort, as if they had been digitised, with the numbers at risk every two years:

    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> formula = "Surv(dfs_months, dfs_event) ~ margin_positive"
    >>> printed = rn.kaplan_meier(cohort, formula)
    >>> table = printed.risk_table([0, 24, 48, 72])
    >>> pseudo = rn.reconstruct_survival(printed.to_frame(), table)
    >>> pseudo.groups[["group", "n", "n_events", "largest_distance"]].round(4)
      group    n  n_events  largest_distance
    0     0  346        41            0.0017
    1     1  181        32            0.0056

    The arms together go into any model of survival, without covariates:

    >>> rn.cox(pseudo.data, "Surv(time, event) ~ group").to_frame()["estimate"].round(2).item()
    1.42
    >>> rn.cox(cohort, formula).to_frame()["estimate"].round(2).item()
    1.4
    """
    real("tolerance", tolerance, low=0.0, high=0.2)
    if not (percent is None or isinstance(percent, bool | np.bool_)):
        raise OptionError(f"percent must be True, False or None, not {percent!r}.")
    frame = as_frame(points)
    names = _names(columns)
    time = number_column(frame, names["time"], "the times of a curve")
    survival = number_column(frame, names["survival"], "survival")
    if is_percent(survival, percent, tolerance):
        survival = survival / 100.0
    labels = _labels(frame, names["group"], columns)
    arms = list(dict.fromkeys(labels))
    totals, wanted = _per_arm("total", total, arms), _per_arm("events", events, arms)
    tables = _tables(at_risk, names, arms, columns)
    done = []
    for label in arms:
        name = f"{label}: " if len(arms) > 1 else ""
        rows = np.flatnonzero(labels == label)
        curve = clean_curve(time[rows], survival[rows], rows + 1, name, tolerance)
        risk = _risk(tables.get(label), totals[label], names, name, curve)
        _check_events(wanted[label], risk, name)
        arm = Arm(label, curve, risk, wanted[label])
        done.append(reconstruct_arm(arm, name, iterate=bool(iterate)))
    data = pd.concat([arm.data for arm in done], ignore_index=True)
    return ReconstructedSurvival(
        data=data.assign(group=pd.Categorical(data["group"], categories=arms)),
        curve=pd.concat([arm.curve for arm in done], ignore_index=True),
        at_risk_table=pd.concat([arm.at_risk for arm in done], ignore_index=True),
        groups=pd.DataFrame([arm.summary for arm in done]),
        synthetic=is_synthetic_data(points),
        notes=(*(note for arm in done for note in arm.notes), *LIMITS),
        options={
            "total": totals,
            "events": wanted,
            "percent": percent,
            "iterate": bool(iterate),
            "tolerance": float(tolerance),
            "columns": names,
        },
    )


def _names(columns: Mapping[str, str] | None) -> dict[str, str]:
    """The columns' names, as given or by default."""
    names = {name: name for name in COLUMNS} | {"risk_time": "time"}
    if columns is None:
        return names
    if not isinstance(columns, Mapping):
        raise OptionError("columns must be a mapping, as {'survival': 'V2'}.")
    for name in columns:
        if name not in COLUMNS:
            listed = ", ".join(COLUMNS)
            raise OptionError(
                f"columns has {name!r}, which is none of {listed}.{closest(str(name), COLUMNS)}"
            )
    return names | {str(name): str(given) for name, given in columns.items()}


def _labels(frame: pd.DataFrame, group: str, columns: Mapping[str, str] | None) -> np.ndarray:
    """Each row's arm; one arm without a column of groups."""
    if group not in frame.columns and not (columns and "group" in columns):
        return np.full(len(frame), _ONE, dtype=object)
    values = column(frame, group)
    if values.isna().any():
        row = int(np.flatnonzero(values.isna())[0]) + 1
        raise DataError(f"Column {group!r} is missing in row {row}; each point belongs to an arm.")
    return np.array([level_text(value) for value in values.tolist()], dtype=object)


def _per_arm(
    name: str, given: int | Mapping[str, int] | None, arms: list[str]
) -> dict[str, int | None]:
    """Counts of each arm, from a number or a mapping."""
    found: dict[str, int | None] = dict.fromkeys(arms)
    if given is None:
        return found
    if not isinstance(given, Mapping):
        if len(arms) > 1:
            shown = ", ".join(f"{arm!r}: ..." for arm in arms)
            raise OptionError(f"There are {len(arms)} arms; give {name} as {{{shown}}}.")
        given = {arms[0]: given}
    for key, value in given.items():
        label = level_text(key)
        if label not in found:
            raise OptionError(f"{name} names an arm {label!r}; the arms are {', '.join(arms)}.")
        found[label] = positive_int(name, value, minimum=0 if name == "events" else 1)
        if name == "total" and (found[label] or 0) > _MOST:
            raise DataError(f"{name}={value} is more than {_MOST:,} patients, the most of an arm.")
    return found


def _tables(
    at_risk: Data | None,
    names: dict[str, str],
    arms: list[str],
    columns: Mapping[str, str] | None,
) -> dict[str, pd.DataFrame]:
    """The rows of each arm in the at-risk table."""
    if at_risk is None:
        return {}
    frame = as_frame(at_risk)
    labels = _labels(frame, names["group"], columns if len(arms) > 1 else None)
    if len(arms) == 1:
        if len(set(labels)) > 1:
            raise DataError("The at-risk table has several arms, and the points are of one.")
        return {arms[0]: frame}
    unknown = [label for label in dict.fromkeys(labels) if label not in arms]
    absent = [arm for arm in arms if arm not in set(labels)]
    if unknown or absent:
        raise DataError(
            f"The arms of the points ({', '.join(arms)}) and of the at-risk table "
            f"({', '.join(dict.fromkeys(labels))}) differ."
        )
    return {arm: frame[labels == arm] for arm in arms}


def _risk(
    table: pd.DataFrame | None,
    total: int | None,
    names: dict[str, str],
    name: str,
    curve: CleanCurve,
) -> AtRisk:
    """An arm's numbers at risk, from its table or its total alone."""
    if table is None and total is None:
        raise OptionError(
            f"{name}Give the at-risk table, or the number of patients at the start as total=."
        )
    if table is None:
        assert total is not None
        risk = only_total(total)
    else:
        risk = at_risk_table(table, names, name, float(curve.time[-1]))
    if total is not None and total != risk.number[0]:
        raise DataError(
            f"{name}total={total}, but {risk.number[0]} patients are at risk at time 0."
        )
    if risk.number[0] > _MOST:
        raise DataError(f"{name}{risk.number[0]} patients are more than {_MOST} at time 0.")
    return risk


def _check_events(events: int | None, risk: AtRisk, name: str) -> None:
    if events is not None and events > risk.number[0]:
        raise DataError(
            f"{name}events={events} is more than the {risk.number[0]} patients at the start."
        )
