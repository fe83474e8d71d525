"""When each patient was treated during follow-up: read from a column, and checked.

Everything in this room that compares groups known only later begins here: a time that is missing
stands for a patient who was never treated, and a time after the event or the last visit is
refused, since whoever was treated must have been under observation and free of the event then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import column, label_of
from rnetstats.errors import DataError
from rnetstats.formula.variables import read_variable

__all__ = ["TreatmentTimes", "patients_text", "treatment_times"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_SHOWN = 5
_IDENTIFIERS = ("patient_id", "patient", "id")


@dataclass(frozen=True, eq=False)
class TreatmentTimes:
    """The start of treatment of n patients.

    Attributes
    ----------
    name, label : str
        The column, and its label with the unit.
    time : array of shape (n,)
        From the start of follow-up, in the unit of the data; infinite for the never treated.
    treated : bool array of shape (n,)
        Treated at any time.
    at_end : bool array of shape (n,)
        Treated on the very day of the event or last visit: no time under treatment follows.
    """

    name: str
    label: str
    time: Floats
    treated: Flags
    at_end: Flags


def treatment_times(
    frame: pd.DataFrame, name: str, stop: Floats, positions: NDArray[np.intp]
) -> TreatmentTimes:
    """Read the times of treatment and check them against the follow-up.

    Parameters
    ----------
    frame : DataFrame
        The data as given, one row a patient.
    name : str
        The column with the time from the start of follow-up to treatment, in the unit of the
        follow-up; missing for the never treated.
    stop : array of shape (n,)
        End of follow-up of the rows used.
    positions : int array of shape (n,)
        Places of these rows in `frame`, from 0.

    Returns
    -------
    TreatmentTimes

    Raises
    ------
    ColumnError
        If there is no such column, or it does not hold numbers.
    DataError
        If nobody is treated, or a time is negative, infinite, or later than the event or last
        visit.
    """
    if column(frame, name).iloc[positions].isna().all():
        raise DataError(f"Nobody is treated: {name!r} is empty in all rows used.")
    given = read_variable(frame, name).take(positions).numbers("a time of treatment")
    treated = ~np.isnan(given)
    time = np.where(treated, given, np.inf)
    _refuse(
        frame,
        positions,
        treated & (given < 0.0),
        f"{name!r} is negative",
        "times of treatment count from the start of follow-up",
    )
    _refuse(
        frame,
        positions,
        treated & (given > stop),
        f"{name!r} is later than the event or last visit",
        "treatment after the event belongs to its treatment: leave such a time empty, or correct "
        "the follow-up",
    )
    return TreatmentTimes(
        name=name,
        label=label_of(frame, name),
        time=time,
        treated=treated,
        at_end=treated & (time == stop),
    )


def patients_text(frame: pd.DataFrame, places: NDArray[np.intp]) -> str:
    """Name the first few patients by their identifier where there is one, else by row."""
    own = next((name for name in _IDENTIFIERS if name in frame.columns), None)
    names = [str(k + 1) if own is None else str(frame[own].iloc[k]) for k in places[:_SHOWN]]
    noun = "row" if own is None else "patient"
    more = f" (and {len(places) - _SHOWN} more)" if len(places) > _SHOWN else ""
    return f"{noun}{'' if len(places) == 1 else 's'} {', '.join(names)}{more}"


def _refuse(
    frame: pd.DataFrame, positions: NDArray[np.intp], wrong: Flags, what: str, advice: str
) -> None:
    if wrong.any():
        raise DataError(f"{what} in {patients_text(frame, positions[wrong])}; {advice}.")
