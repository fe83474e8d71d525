"""What a validation says of itself: what was repeated, what failed, what has no value or limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.formatting import listed
from rnetstats.kernels.percentiles import MOST_UNDEFINED
from rnetstats.prediction.corrected import LIMITLESS, enough_runs, outside_limits
from rnetstats.prediction.indices import UNCORRECTED
from rnetstats.prediction.judged import Judged
from rnetstats.prediction.judges import Judge
from rnetstats.prediction.refit import Refit
from rnetstats.prediction.validation_tables import FEW

__all__ = ["curve_note", "external_notes", "resampling_notes", "stability_notes"]

_SMALL = 20
_ENOUGH = 100
_PERCENTILES = 200
_WHY = "predictions are all alike, outcomes are separated by them, or of one kind only"


def resampling_notes(
    refit: Refit,
    judge: Judge,
    table: Mapping[str, Any],
    *,
    method: str,
    runs: int,
    failed: int,
    lost: int,
    curve: str,
    benefit: Mapping[str, Any],
) -> tuple[str, ...]:
    """Say what was repeated, what failed and what has no limits.

    Parameters
    ----------
    table : mapping
        The columns of the validation's table.
    runs, failed, lost : int
        Repetitions with a value, fits without a model, and fits that lost a level.
    curve : str
        Why a calibration curve that was asked for cannot be drawn; empty if it can.
    benefit : mapping
        The columns of net benefit; may be empty.
    """
    notes = list(refit.notes)
    if refit.fixed:
        notes.append(
            "The design was held fixed: if terms, cut-offs or knots were chosen on these data, "
            "the true optimism is larger. A recipe repeats those choices in every resample."
        )
    else:
        what = "resample" if method in ("boot", "632") else "fit"
        notes.append(f"Every {what} repeated the whole recipe.")
    if refit.searched and method in ("boot", "632"):
        notes.append(
            "A resample holds patients of the data more than once, which helps a search for "
            "cut-offs: the bootstrap takes off somewhat too little optimism, and its limits lie "
            "too high. Compare method='cv'."
        )
    if refit.imputed:
        notes.append(
            "Missing values were imputed with the outcome known, in tests too: the indices are "
            "those of patients whose values are all known. For patients who lack one a model in "
            "use, which does not know their outcome, does worse."
        )
    if refit.imputed and refit.imputations < 2 and method in ("boot", "632"):
        notes.append(
            "The apparent indices are of a single imputation: the Monte Carlo error leaves out how "
            "far they would differ in another. Give the recipe several, impute=5 or more."
        )
    notes += _failures(failed, lost, "resample" if method in ("boot", "632") else "fit")
    notes += _few(judge, refit.n)
    if method != "boot":
        notes.append("Limits are given with method='boot' alone.")
    elif judge.rarer >= FEW:
        notes.append(
            "Calibration slope, intercept and U have no limits: each resample's own fit brings "
            "them to their ideal, so that they do not vary there; Spiegelhalter's z likewise. Nor "
            "have ICI, E50, E90 and Emax: resampling adds a distance of its own to a distance."
        )
        if runs < _PERCENTILES and np.isfinite(np.asarray(table["conf_low"], dtype=float)).any():
            notes.append(f"Limits from {runs} resamples are rough; they want some 1,000.")
        notes += _too_often_undefined(table, runs, failed, LIMITLESS)
        notes += _outside(table)
    if UNCORRECTED.intersection(judge.names):
        several = "patients who stand several times in a resample, and with "
        repeatedly = several if method in ("boot", "632") else ""
        notes.append(
            f"The Hosmer-Lemeshow statistic grows with {repeatedly}the number of patients: "
            "resampling cannot correct it, other patients can (external=)."
        )
    if runs < 2:
        notes.append("A single repetition has no Monte Carlo error.")
    notes += _undefined(table, runs)
    notes += _smoothers(judge)
    if curve:
        notes.append(curve)
    notes += _without_benefit(benefit)
    if not judge.has_curves:
        notes.append("Without time= there is no calibration or net benefit, which need a horizon.")
    return tuple(notes)


def curve_note(
    grid: NDArray[np.float64],
    curve: Mapping[str, Any],
    repeated: tuple[NDArray[np.float64], ...] = (),
    what: str = "resamples",
) -> str:
    """Say why there is no calibration curve, or how many replicates have none; else empty.

    Parameters
    ----------
    grid : array of shape (q,)
        The risks at which a curve was asked for; none where all are alike.
    curve : mapping
        The columns of the curve; may be empty.
    repeated : tuple of arrays of shape (b, q)
        The curves of the replicates, each kind that the corrected one is made of.
    what : str
        What a replicate is.
    """
    if curve:
        if not repeated:
            return ""
        have = np.all([np.isfinite(part).any(axis=1) for part in repeated], axis=0)
        if have.all():
            return ""
        return (
            f"The corrected calibration curve rests on {int(have.sum())} of {have.size} {what}: no "
            "curve can be fitted to the risks of the others (they separate the outcomes, or take "
            "too few values)."
        )
    if not grid.size:
        return "All predicted risks are alike: there is no calibration curve."
    return (
        "No calibration curve can be fitted to these risks (they separate the outcomes, or take "
        "too few values): there is none."
    )


def external_notes(
    read: Judged,
    judge: Judge,
    table: Mapping[str, Any],
    resamples: int,
    apparent: str,
    curve: str,
    benefit: Mapping[str, Any],
) -> tuple[str, ...]:
    """Say that the model was judged as it is, on whom, and what that can tell.

    Parameters
    ----------
    apparent : str
        Why the apparent indices are not known; empty if they are.
    curve : str
        Why there is no calibration curve; empty if there is one.
    benefit : mapping
        The columns of net benefit; may be empty.
    """
    notes = [
        *read.notes,
        "The model was judged as it is; limits resample the patients. Nothing is corrected, so "
        "that there is no training index and no Monte Carlo error.",
    ]
    if read.apparent["model"]:
        notes.append(
            "These are the very patients that the model was made from: this is its apparent "
            "performance, not an external validation."
        )
    if apparent:
        notes.append(f"The apparent indices are not known: {apparent}")
    if curve:
        notes.append(curve)
    few = _few(judge, read.n)
    notes += few
    if judge.rarer < _ENOUGH and judge.rarer >= FEW:
        notes.append(
            f"There are {judge.rarer} patients of the rarer outcome; an external validation needs "
            "about 100 or more to tell a calibration slope (Collins, Ogundimu & Altman 2016)."
        )
    notes += _without_benefit(benefit)
    if judge.rarer >= FEW:
        notes += _too_often_undefined(table, resamples, 0, frozenset())
    return (*notes, *_undefined(table, resamples), *_smoothers(judge))


def stability_notes(refit: Refit, judge: Judge, failed: int, lost: int) -> tuple[str, ...]:
    """Say what was repeated in the resamples, and what failed."""
    notes = list(refit.notes)
    if refit.fixed:
        notes.append(
            "The design was held fixed; choices made on these data (terms, cut-offs, knots) make "
            "the true instability larger. A recipe repeats them."
        )
    notes += _failures(failed, lost, "resample")
    if judge.rarer < FEW:
        notes.append(
            f"Patients of the rarer outcome: {judge.rarer}. Resamples of so few cannot show how "
            "far the predictions of other samples would lie."
        )
    if refit.n < _SMALL:
        notes.append(f"{refit.n} patients are too few to make any model.")
    return tuple(notes)


def _outside(table: Mapping[str, Any]) -> list[str]:
    names = outside_limits(table)
    if not names:
        return []
    return [
        f"Corrected, but outside their own limits: {listed(names)}. Models made of resamples "
        "look better in them than this one does here, and the shift by the optimism leaves that "
        "in: these limits flatter."
    ]


def _too_often_undefined(
    table: Mapping[str, Any], runs: int, failed: int, bare: frozenset[str]
) -> list[str]:
    """Name the indices that have no limits because resamples lack them; ``bare`` never have any."""
    drawn = runs + failed
    enough = enough_runs(table["n_runs"], drawn)
    known = np.isfinite(np.asarray(table["corrected"], dtype=float))
    names = [
        str(name)
        for name, some, value in zip(table["index"], enough, known, strict=True)
        if value and not some and name not in bare
    ]
    if not names:
        return []
    included = ", those without a model included" if failed else ""
    return [
        f"No limits of {listed(names)}: undefined in more than {100 * MOST_UNDEFINED:g} % of "
        f"{drawn} resamples{included}."
    ]


def _failures(failed: int, lost: int, what: str) -> list[str]:
    notes = []
    if failed:
        many = f"{failed} {what}s" if failed > 1 else f"One {what}"
        notes.append(f"{many} gave no model and {'were' if failed > 1 else 'was'} left out.")
    if lost:
        many = f"{lost} {what}s" if lost > 1 else f"One {what}"
        notes.append(
            f"{many} lost a level or a column of the design, which then contributed nothing to "
            "predictions."
        )
    return notes


def _few(judge: Judge, n: int) -> list[str]:
    notes = []
    if judge.rarer < FEW:
        notes.append(
            f"Patients of the rarer outcome: {judge.rarer}. With fewer than {FEW} there are no "
            "resampling limits."
        )
    if n < _SMALL:
        notes.append(f"{n} patients are too few to validate any model.")
    return notes


def _undefined(table: Mapping[str, Any], runs: int) -> list[str]:
    """Name the indices without a value on the data, and those that resamples lack."""
    notes = []
    values = np.asarray(table["corrected"], dtype=float)
    known = np.asarray(table["apparent"], dtype=float)  # of what is not corrected, enough
    lacking = [
        name
        for name, value, first in zip(table["index"], values, known, strict=True)
        if np.isnan(value) and (name not in UNCORRECTED or np.isnan(first))
    ]
    if lacking:
        notes.append(f"No value: {', '.join(lacking)}; {_WHY}.")
    short = [
        f"{name} ({count})"
        for name, count in zip(table["index"], table["n_runs"], strict=True)
        if count < runs and name not in lacking
    ]
    if short:
        notes.append(f"Of {runs} resamples fewer have a value of {', '.join(short)}: {_WHY}.")
    return notes


def _without_benefit(benefit: Mapping[str, Any]) -> list[str]:
    """Name the thresholds without net benefit."""
    if not benefit:
        return []
    at = np.asarray(benefit["threshold"])
    lost = at[np.isnan(np.asarray(benefit["apparent"]) + np.asarray(benefit["corrected"]))]
    if not lost.size:
        return []
    shown = ", ".join(f"{value:g}" for value in lost[:5]) + (", ..." if lost.size > 5 else "")
    return [
        f"No net benefit at the thresholds {shown}: of the few patients above them none was "
        "followed to the horizon and some were lost before."
    ]


def _smoothers(judge: Judge) -> list[str]:
    """Name the curve behind the calibration errors, which calibration() draws otherwise."""
    if not {"ici", "e50", "e90", "emax"} & set(judge.names):
        return []
    how = judge.smoother
    return [f"ICI, E50, E90 and Emax rest on {how}; another smoother gives other values."]
