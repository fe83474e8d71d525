"""From the columns of studies to one effect and its standard error each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import normal_quantile
from rnetstats.errors import TooFewEventsError
from rnetstats.evidence.effect_sizes import EffectSizes, from_means, from_rates, from_tables
from rnetstats.evidence.meta_checks import some_studies
from rnetstats.evidence.meta_columns import StudyTable
from rnetstats.evidence.meta_measures import BY_ESTIMATE, Measure

__all__ = ["Effects", "effects_of"]

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

_SKEW = 0.15  # of half an interval: how far an estimate may lie off the middle


@dataclass(frozen=True, eq=False)
class Effects:
    """One effect a study on the scale of analysis.

    Attributes
    ----------
    coef, variance : (k,)
        Missing where a study is not used.
    used : (k,) of bool
    remarks : tuple of str
        What was done to a study, or why it is left out; "" for most.
    notes : tuple of str
        The same for all of them, in sentences.
    """

    coef: Floats
    variance: Floats
    used: Flags
    remarks: tuple[str, ...]
    notes: tuple[str, ...]


def effects_of(
    table: StudyTable, measure: Measure, *, correction: float, limits_level: float
) -> Effects:
    """Compute the effect of each study that can give one.

    Raises
    ------
    TooFewEventsError
        If none can.
    """
    fine = table.complete
    part = table.given[fine]
    if table.layout in BY_ESTIMATE:
        sizes, notes = _from_estimates(part, table, measure, limits_level)
    else:
        sizes, notes = _from_arms(part, measure, correction), []
    k = len(table.names)
    coef, variance = np.full(k, np.nan), np.full(k, np.nan)
    coef[fine], variance[fine] = sizes.coef, sizes.variance
    remarks = np.array([f"left out: {what}" if what else "" for what in table.lacking], object)
    corrected = np.zeros(k, dtype=bool)
    corrected[fine] = sizes.corrected
    remarks[fine] = [f"left out: {why}" if why else "" for why in sizes.left_out]
    remarks[corrected] = f"{correction:g} added"
    used = np.isfinite(coef)
    if not used.any():
        _refuse(table, measure, remarks[fine].tolist())
    notes += _said(table, measure, correction, corrected, remarks)
    return Effects(coef, variance, used, tuple(remarks.tolist()), tuple(notes))


def _from_arms(part: pd.DataFrame, measure: Measure, correction: float) -> EffectSizes:
    values = [part[column].to_numpy(dtype=float) for column in part.columns]
    if measure.arms == "means":
        return from_means(measure.name, *values)
    if measure.arms == "rates":
        return from_rates(measure.name, *values, correction=correction)
    return from_tables(measure.name, *values, correction=correction)


def _from_estimates(
    part: pd.DataFrame, table: StudyTable, measure: Measure, limits_level: float
) -> tuple[EffectSizes, list[str]]:
    """Effects as given; standard errors from the limits where there are no others."""
    ahead = np.log if measure.log else np.asarray
    notes: list[str] = []
    if table.layout == "coef":
        coef, error = part["coef"].to_numpy(), part["std_error"].to_numpy()
    else:
        coef = ahead(part["estimate"].to_numpy())
        error = np.full(len(part), np.nan)
        if "std_error" in part:
            error = part["std_error"].to_numpy(copy=True)
            if measure.log:
                notes.append(
                    f"estimate was taken for the {measure.words} and std_error for the standard "
                    "error of its logarithm; log estimates go to the column coef."
                )
        by_limits = np.isnan(error)
        if by_limits.any():
            low, high = ahead(part["conf_low"].to_numpy()), ahead(part["conf_high"].to_numpy())
            half = (high - low) / 2.0
            error[by_limits] = (half / normal_quantile(limits_level))[by_limits]
            notes += _limit_notes(coef, low, high, by_limits, table, limits_level)
    none = np.zeros(len(coef), dtype=bool)
    return EffectSizes(coef, np.square(error), none, ("",) * len(coef)), notes


def _limit_notes(
    coef: Floats, low: Floats, high: Floats, by_limits: Flags, table: StudyTable, level: float
) -> list[str]:
    count = int(by_limits.sum())
    notes = [
        f"The standard error of {count} stud{'y' if count == 1 else 'ies'} is that of the "
        f"{100 * level:g} % limits, taken as normal on the scale of analysis."
    ]
    off = np.abs(coef - (low + high) / 2.0) > _SKEW * (high - low) / 2.0
    skewed = np.zeros(len(table.names), dtype=bool)
    skewed[table.complete] = off & by_limits
    if skewed.any():
        notes.append(
            "The estimate does not lie in the middle of its limits on the scale of analysis in "
            f"{some_studies(table.names, skewed)}: a misprint, or limits by another method."
        )
    return notes


def _refuse(table: StudyTable, measure: Measure, remarks: list[str]) -> None:
    why = "; ".join(dict.fromkeys(remark.removeprefix("left out: ") for remark in remarks))
    hint = ""
    if measure.arms == "table" and measure.name != "RD":
        hint = " Take measure='RD', which such studies inform, or bound the risks (exact_table)."
    count = len(table.names)
    which = "The one study gives no" if count == 1 else f"None of the {count} studies gives"
    article = "" if count == 1 else f"{measure.article} "
    raise TooFewEventsError(f"{which} {article}{measure.words}: {why}.{hint}")


def _said(
    table: StudyTable,
    measure: Measure,
    correction: float,
    corrected: Flags,
    remarks: NDArray[np.object_],
) -> list[str]:
    """What was corrected and what left out, in sentences."""
    notes = []
    if corrected.any():
        where = "to both counts" if measure.arms == "rates" else "to all four cells"
        cause = "a count of zero" if measure.arms == "rates" else "a zero cell"
        notes.append(
            f"{correction:g} was added {where} of "
            f"{int(corrected.sum())} of {len(table.names)} studies, those with {cause}."
        )
    silent = [r for r in remarks[table.complete].tolist() if r.startswith("left out: ")]
    for remark in dict.fromkeys(silent):
        flagged, why = remarks == remark, remark.removeprefix("left out: ")
        cause = f"they tell nothing of the {measure.words}"
        if "no correction" in why:  # other methods learn from them
            cause = f"inverse variance cannot weigh their {measure.words}"
        notes.append(
            f"{int(flagged.sum())} of {len(table.names)} studies left out, as {cause} ({why}): "
            f"{some_studies(table.names, flagged)}."
        )
    return notes
