"""What is to be said beside the law of right-truncated intervals."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from rnetstats.formatting import fmt_count, fmt_number, fmt_p
from rnetstats.kernels.quasi_independence import ConditionalTau
from rnetstats.survival.right_truncation_fit import exhausted

__all__ = ["truncation_notes", "two_sided"]

_FEW = 10
_DOUBT = 0.05


def two_sided(z: float) -> float:
    """Return P of a standardised score; missing where it is."""
    return float("nan") if np.isnan(z) else 2.0 * NormalDist().cdf(-abs(z))


def truncation_notes(
    groups: pd.DataFrame, curves: pd.DataFrame, within: float, beyond: int, tau: ConditionalTau
) -> list[str]:
    """Return what the numbers mean, what they suppose, and what they cannot say.

    Parameters
    ----------
    groups, curves : DataFrame
        As in the result.
    within : float
        The condition.
    beyond : int
        Rows with a longer interval.
    tau : ConditionalTau
    """
    notes = [
        f"This describes those alone who had the event within {within:g}. How many have it later "
        "or never cannot be known from them, so it cannot say how long patients without the event "
        "should be watched.",
        "The naive median takes the intervals seen as they are; long ones are seen only in long "
        "windows, so that it is too short wherever windows are short.",
    ]
    if beyond:
        noun = "row" if beyond == 1 else "rows"
        notes.append(
            f"{fmt_count(beyond)} {noun} with an interval longer than {within:g} left out."
        )
    notes += _gaps(groups, curves, within)
    if tau.variance == 0.0:
        notes.append(
            "No two rows with different windows can be compared: whether interval and window are "
            "independent, as supposed, is open."
        )
    else:
        p_value = two_sided(tau.z)
        doubt = p_value < _DOUBT
        notes.append(
            f"Intervals and windows are supposed independent: conditional tau "
            f"{fmt_number(tau.tau, 2)}, P {fmt_p(p_value)}"
            f"{', which speaks against it' if doubt else ''}."
        )
    return notes


def _gaps(groups: pd.DataFrame, curves: pd.DataFrame, within: float) -> list[str]:
    """What the curves of the groups do not say, and why."""
    notes = [
        "From a group's longest interval on the share is 1 by the condition, and its limits are "
        "missing."
    ]
    single = len(groups) == 1
    for row in groups.to_dict("records"):
        name = "" if single else f"{row['group']}: "
        curve = curves[curves["group"] == row["group"]]
        top = exhausted(curve)
        if not np.isnan(top):
            below = curve.loc[curve["time"] < top, "time"].max()
            notes.append(
                f"{name}at {top:g} all whose interval was at most, and whose window at least, this "
                f"long had this interval: below, the estimate is 0 although shorter ones were "
                f"seen. within={below:g} describes those."
            )
        if row["longest_window"] < within:
            notes.append(
                f"{name}the longest window is {row['longest_window']:g}, so its law is that of "
                f"intervals up to there: within={row['longest_window']:g} compares like with like."
            )
        if row["n"] < _FEW:
            notes.append(f"{name}{fmt_count(row['n'])} patients; limits by Greenwood are rough.")
    if groups["conf_high"].isna().any() or groups["conf_low"].isna().any():
        notes.append("A limit of the median that is not reached within the window is missing.")
    return notes
