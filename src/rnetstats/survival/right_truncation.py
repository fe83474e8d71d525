"""Intervals known only because the event was seen: right truncation, in reverse time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, column, is_synthetic, label_of
from rnetstats._core.options import choice, level, real
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.formula.groups import GroupFrame, group_frame
from rnetstats.formula.variables import read_variable, row_numbers
from rnetstats.kernels.same_times import as_observed, merged_times
from rnetstats.survival.logrank_methods import MethodOptions, Outcome, logrank_rows
from rnetstats.survival.right_truncation_fit import (
    TruncatedRows,
    fit_group,
    independence,
    reverse_rows,
)
from rnetstats.survival.right_truncation_notes import truncation_notes, two_sided
from rnetstats.survival.right_truncation_result import RightTruncatedResult

__all__ = ["RightTruncatedResult", "right_truncated"]

Floats = NDArray[np.float64]

CI = ("log-log", "log", "plain")


def right_truncated(
    data: Data,
    formula: str,
    *,
    truncation: str,
    within: float | None = None,
    ci: str = "log-log",
    conf_level: float = 0.95,
    missing: str = "drop",
) -> RightTruncatedResult:
    """Estimate the law of an interval that is seen only in those who had the event in time.

    Months from the primary tumour to the metastasis, say, in a series of patients with metastases:
    a long interval is seen only in who was observed long enough, so that the intervals seen are
    too short. The reverse-time product-limit estimate puts this right, up to the longest window.

    Parameters
    ----------
    data : DataFrame or mapping
        A row a patient who had the event.
    formula : str
        ``"interval_months ~ group"``, or ``~ 1``.
    truncation : str
        The column of windows: the longest interval that could have been seen in each patient,
        such as the months from the primary tumour to the end of data collection.
    within : float, optional
        The condition: the law among those with an interval up to this. By default the longest
        window; of several groups the longest interval that each of them could have shown, so that
        their laws can be compared.
    ci : {"log-log", "log", "plain"}
        Scale of the pointwise limits, from Greenwood's variance in reverse time.
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    RightTruncatedResult
        P(interval <= t | interval <= within), its quantiles, a log-rank test of the groups in
        reverse time, and the naive median with its bias.

    Raises
    ------
    FormulaError
        If the left side is no column of numbers, or the right side has strata or clusters.
    ColumnError, DataError
        If a column cannot be used, an interval is negative, or longer than its window: such a row
        could not have been seen.
    OptionError
        For an option that is not allowed.

    Notes
    -----
    Only F(t) / F(within) is identifiable: nothing is learnt of those who never have the event, or
    have it later, and so nothing of how many will. Intervals and windows are supposed to be
    independent among those with the event; ``tau_p_value`` tests it. An interval as long as its
    window counts as seen.

    References
    ----------
    Lagakos SW, Barraj LM, De Gruttola V. Nonparametric analysis of truncated survival data, with
    application to AIDS. Biometrika 1988;75:515-23. Tsai WY. Biometrika 1990;77:169-77 (test of
    independence).

    Examples
    --------
    Months to a metastasis, seen because the metastasis came before the data were collected:

    >>> import rnetstats as rn
    >>> seen = {"months": [4, 9, 12, 20, 31, 48], "window": [10, 62, 15, 80, 35, 90]}
    >>> found = rn.right_truncated(seen, "months ~ 1", truncation="window")
    >>> found.groups[["n", "naive_median", "median", "bias"]].round(1)
       n  naive_median  median  bias
    0  6          16.0    31.0 -15.0
    >>> found.at([12, 36])[["time", "probability"]].round(2)
       time  probability
    0  12.0         0.22
    1  36.0         0.67
    """
    choice("ci", ci, CI)
    conf_level = level(conf_level)
    choice("missing", missing, ("drop", "raise"))
    if not isinstance(truncation, str):
        raise OptionError(f"truncation must name a column, not {truncation!r}.")
    frame = as_frame(data)
    windows, dropped = _windows(frame, truncation, missing)
    read = group_frame(frame[~dropped], formula, kind="numeric", missing=missing)
    places = np.flatnonzero(~dropped)[read.rows]
    rows = _rows(read, windows[places], places, truncation)
    condition = _condition(rows, within)
    rows, beyond = _up_to(rows, condition)
    parts = [
        fit_group(label, *rows.of_group(code), ci, conf_level)
        for code, label in enumerate(rows.labels)
    ]
    curves = pd.concat([curve for curve, _, _ in parts], ignore_index=True)
    groups = pd.DataFrame([summary for _, _, summary in parts])
    tau, test = independence(rows), _compare(rows)
    labels = _labels(frame, read, truncation)
    return RightTruncatedResult(
        curves=curves,
        naive=pd.concat([naive for _, naive, _ in parts], ignore_index=True),
        groups=groups,
        within=condition,
        statistic=float("nan") if test is None else test.statistic,
        df=0 if test is None else test.df,
        p_value=float("nan") if test is None else test.p_value,
        tau=tau.tau,
        tau_p_value=two_sided(tau.z),
        labels=labels,
        n_missing=read.n_missing + int(dropped.sum()),
        n_beyond=beyond,
        synthetic=is_synthetic(frame),
        notes=(
            *_lost(dropped, truncation),
            *read.notes,
            *([] if test is None else test.notes),
            *truncation_notes(groups, curves, condition, beyond, tau),
        ),
        options={
            "formula": formula,
            "truncation": truncation,
            "within": within,
            "ci": ci,
            "conf_level": conf_level,
            "missing": missing,
        },
    )


def _windows(frame: pd.DataFrame, name: str, missing: str) -> tuple[Floats, NDArray[np.bool_]]:
    """The column of windows, and which rows have none."""
    column(frame, name)
    values = read_variable(frame, name).numbers("windows of observation")
    lost = np.isnan(values)
    if lost.any() and missing == "raise":
        raise DataError(
            f"Values are missing ({name}: {row_numbers(lost)}). missing='drop' leaves these rows "
            "out."
        )
    if lost.all():
        raise DataError(f"Column {name!r} has no values; each patient needs a window.")
    return values, lost


def _lost(dropped: NDArray[np.bool_], name: str) -> list[str]:
    """Say how many rows are left out for want of a window; the others are counted elsewhere."""
    many = int(np.count_nonzero(dropped))
    return [f"{many} of {dropped.size} rows left out for missing values: {name} ({many})."] * (
        many > 0
    )


def _rows(read: GroupFrame, window: Floats, places: NDArray[np.intp], name: str) -> TruncatedRows:
    """The rows used, checked; ``places`` are their positions in the data as given.

    Times that differ by rounding alone are one.
    """
    if read.strata is not None or read.cluster is not None:
        raise FormulaError("right_truncated() takes neither strata() nor cluster().")
    interval, what = read.outcome.y, read.outcome.columns[0]
    if read.outcome.name not in (what, f"`{what}`"):
        raise FormulaError(
            f"The left side, {read.outcome.name}, is a condition; right_truncated() needs a column "
            "of numbers."
        )
    assert interval is not None
    if np.any(interval < 0.0):
        raise DataError(f"Column {what!r} is negative in {row_numbers(interval < 0.0, places)}.")
    interval, window = merged_times([interval, window])
    late = interval > window
    if late.any():
        at = int(np.flatnonzero(late)[0])
        raise DataError(
            f"{what} is longer than {name} in {row_numbers(late, places)} "
            f"({interval[at]:g} against {window[at]:g}): the event could not have been seen. The "
            "window reaches to the end of data collection, not to the event."
        )
    return TruncatedRows(interval, window, read.groups.codes, read.groups.labels)


def _condition(rows: TruncatedRows, within: float | None) -> float:
    """The condition asked for, or the longest interval that every group could have shown."""
    longest = [rows.of_group(code)[1].max() for code in range(len(rows.labels))]
    if within is None:
        return float(min(longest))
    observed = np.concatenate([rows.interval, rows.window])
    asked = float(as_observed(real("within", within, low=0.0), observed))
    if asked > max(longest):
        raise OptionError(
            f"within={asked:g} is beyond the longest window, {max(longest):g}: no interval of that "
            "length could have been seen."
        )
    return asked


def _up_to(rows: TruncatedRows, condition: float) -> tuple[TruncatedRows, int]:
    """The rows whose interval meets the condition, and the number of the others."""
    kept = rows.interval <= condition
    empty = sorted(set(range(len(rows.labels))) - set(rows.group[kept].tolist()))
    if empty:
        who = f" of group {rows.labels[empty[0]]!r}" if len(rows.labels) > 1 else ""
        shortest = rows.of_group(empty[0])[0].min()
        raise DataError(
            f"No interval{who} is as short as {condition:g}; the shortest is {shortest:g}."
        )
    chosen = TruncatedRows(rows.interval[kept], rows.window[kept], rows.group[kept], rows.labels)
    return chosen, int(np.count_nonzero(~kept))


def _compare(rows: TruncatedRows) -> Outcome | None:
    if len(rows.labels) < 2:
        return None
    options = MethodOptions(method="asymptotic", rho=0.0, draws=1, seed=0)
    return replace(logrank_rows(reverse_rows(rows), options), censoring_p_value=float("nan"))


def _labels(frame: pd.DataFrame, read: GroupFrame, truncation: str) -> dict[str, str]:
    return {
        "time": label_of(frame, read.outcome.columns[0]),
        "window": label_of(frame, truncation),
        "group": ", ".join(label_of(frame, name) for name in read.groups.columns),
    }
