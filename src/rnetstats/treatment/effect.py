"""Effects of a treatment during follow-up, by methods that each answer their own question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice, flag, items_of, level, real
from rnetstats._core.random import resolve_seed
from rnetstats._core.resamples import checked_resamples
from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.formula.terms import Formula
from rnetstats.treatment.clone_censor import CloneOptions
from rnetstats.treatment.effect_cloned import Cloned, cloned
from rnetstats.treatment.effect_curves import landmark_curves, simon_makuch
from rnetstats.treatment.effect_notes import (
    common_notes,
    few_note,
    misclassified,
)
from rnetstats.treatment.effect_result import (
    TreatmentEffectResult,
    above_zero,
    landmark_times,
)
from rnetstats.treatment.effect_table import COLUMNS, hazard_rows, numbered
from rnetstats.treatment.patients import Patients, read_patients
from rnetstats.treatment.words import CLONE, LANDMARK, METHODS, Words

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["TreatmentEffectResult", "treatment_effect"]

UNTREATED = ("never", "not within grace")
_RECORDED = ("grace", "horizon", "hazard_ratio", "max_weight", "resamples", "conf_level")


def treatment_effect(
    data: Data,
    formula: str | Formula,
    *,
    treatment_time: str,
    methods: Sequence[str] = METHODS,
    landmarks: Sequence[float] = (3.0, 6.0, 12.0),
    grace: float = 6.0,
    untreated: str = "never",
    horizon: float = 60.0,
    hazard_ratio: bool = False,
    max_weight: float | None = None,
    resamples: int = 1000,
    seed: int | None = None,
    conf_level: float = 0.95,
    ever_treated: str | None = None,
    id: str | None = None,
    freq_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> TreatmentEffectResult:
    """Compare treated with untreated patients where treatment comes during follow-up.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        One row a patient; never changed.
    formula : str
        ``"Surv(time, event) ~ x1 + x2"``; the right side names baseline confounders, or is 1.
    treatment_time : str
        Column with the time from the start of follow-up to treatment, in the unit of ``time``;
        missing for patients never treated. A treatment at the very end of follow-up does not
        count; a later one is an error.
    methods : sequence of str
        Of the following, each with an estimand of its own:

        ``"naive"``: hazard ratio of ever against never treated, from time zero. It counts the time
        before treatment as treated (immortal time).

        ``"time-dependent Cox"``: hazard ratio of already against not yet treated.

        ``"landmark"``: hazard ratio of treated by the landmark against not, among patients free of
        the event and followed beyond it.

        ``"clone-censor-weight"``: risks by the horizon, their difference and ratio, and restricted
        mean survival times, if everybody were treated by the end of the grace period at the latest
        against if nobody were.
    landmarks : sequence of float
        Fixed beforehand; in the unit of ``time``.
    grace : float
        Length of the grace period, above 0.
    untreated : {"never", "not within grace"}
        The other strategy: never treated, or not by the end of the grace period and afterwards as
        it happened.
    horizon : float
        Time by which risks and mean survival times are taken, above ``grace``.
    hazard_ratio : bool
        Give a hazard ratio of the two strategies up to the horizon too.
    max_weight : float, optional
        Larger weights are set to this.
    resamples : int
        Of patients, for percentile limits of the strategies, the weights modelled anew in each; 20
        at least, or 0 for none.
    seed : int, optional
        Drawn and recorded if not given.
    conf_level : float
    ever_treated : str, optional
        Column 0/1 that says who was treated: a treated patient without a time, who would count as
        never treated, is then an error.
    id : str, optional
        Column that names the patient, once; for messages.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    missing : {"drop", "raise"}

    Returns
    -------
    TreatmentEffectResult
        With fewer than 5 events in an arm, more than 5 % of resamples with an arm without events,
        or weights that bring back less than 80 % of the patients at risk after the grace period:
        estimate, counts and the reason, but no limits and no P.

    Raises
    ------
    FormulaError, ColumnError
        If the formula or a column cannot be used.
    DataError
        If a treatment is before time zero or after the end of follow-up, an event at time 0,
        nobody treated, or a covariate tells exactly who was treated.
    TooFewEventsError
        If there is no event at all.
    OptionError
        If an option is not allowed, or the horizon is beyond all follow-up.

    Notes
    -----
    Hazard ratios are adjusted by the covariates in Firth's penalised Cox regression, with profile
    limits. In the weighted comparison each patient has a clone in both arms, which is censored when
    the patient departs from it; the others are weighted by one over their probability of staying.
    Treated arm: by a logistic model of treatment by the end of the grace period, among patients at
    risk then. Untreated arm: by a Cox model of the time to treatment. P is that at which the
    percentile limits reach no effect.

    References
    ----------
    Anderson JR, Cain KC, Gelber RD (1983). Analysis of survival by tumor response. Journal of
    Clinical Oncology 1:710-9. Simon R, Makuch RW (1984). A non-parametric graphical representation
    of the relationship between survival and the occurrence of an event. Statistics in Medicine
    3:35-44. Suissa S (2008). Immortal time bias in pharmacoepidemiology. American Journal of
    Epidemiology 167:492-9. Hernan MA, Robins JM (2016). Using big data to emulate a target trial
    when a randomized trial is not available. American Journal of Epidemiology 183:758-64.
    Hernan MA (2018). How to estimate the effect of treatment duration on survival outcomes using
    observational data. BMJ 360:k182. Maringe C, et al (2020). Reflection on modern methods: trial
    emulation in the presence of immortal-time bias. International Journal of Epidemiology
    49:1719-29. van Houwelingen HC, Putter H (2012). Dynamic Prediction in Clinical Survival
    Analysis. Chapman & Hall.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> positive = cohort[cohort["margin_positive"] == 1]
    >>> effect = rn.treatment_effect(
    ...     positive,
    ...     "Surv(dfs_months, dfs_event) ~ age + size_mm",
    ...     treatment_time="salvage_months",
    ...     methods=["naive", "time-dependent Cox"],
    ... )
    >>> effect.to_frame()[["method", "events_treated", "events_untreated", "estimate"]].round(2)
                   method  events_treated  events_untreated  estimate
    0               naive               9                22      0.75
    1  time-dependent Cox               9                22      0.75

    Recurrences are too few for an interval, and the table says so:

    >>> effect = rn.treatment_effect(
    ...     positive, "Surv(dfs_months, recurrence) ~ 1", treatment_time="salvage_months"
    ... )
    >>> print(effect.to_frame()["reason"].iloc[1])
    2 events in the treated arm, fewer than 5: no interval and no P
    """
    asked = _methods(methods)
    by_landmark = landmark_times(landmarks) if LANDMARK in asked else ()
    settings = CloneOptions(
        grace=above_zero("grace", grace),
        horizon=above_zero("horizon", horizon),
        ever=choice("untreated", untreated, UNTREATED) == "never",
        hazard_ratio=flag("hazard_ratio", hazard_ratio),
        resamples=checked_resamples(resamples),
        conf_level=level(conf_level),
        seed=resolve_seed(seed),
        max_weight=None if max_weight is None else real("max_weight", max_weight, low=1.0),
    )
    if CLONE in asked and settings.horizon <= settings.grace:
        raise OptionError(f"horizon={horizon!r} must be after the grace period, {grace!r}.")
    table = as_frame(data)
    patients = read_patients(
        table,
        formula,
        treatment_time,
        ever_treated=ever_treated,
        id=id,
        freq_weights=freq_weights,
        missing=missing,
    )
    settings, by_landmark = _as_observed(settings, by_landmark, patients)
    _check(patients, settings, asked)
    words = Words(patients, settings.grace, ever=settings.ever)
    rows, arms, notes = _compared(patients, words, asked, by_landmark, settings)
    synthetic = is_synthetic(table)
    curves: dict[str, Any] = {"conf_level": settings.conf_level, "synthetic": synthetic}
    after = {time: landmark_curves(patients, time, **curves) for time in by_landmark}
    drawn = {time: found for time, found in after.items() if found is not None}
    time = misclassified(patients)
    table_of_rows = pd.DataFrame(rows, columns=list(COLUMNS))
    return TreatmentEffectResult(
        table=table_of_rows,
        person_time=time,
        weights=arms.weights,
        positivity=arms.positivity,
        strategies=arms.strategies,
        simon=simon_makuch(patients, since=0.0, **curves),
        after_landmarks=tuple(drawn.values()),
        labels=patients.labels,
        summary=_summary(patients, settings, time),
        patients=patients,
        synthetic=synthetic,
        notes=(*numbered(table_of_rows), *dict.fromkeys(notes)),
        seed=settings.seed,
        options={
            "formula": str(formula),
            "treatment_time": treatment_time,
            "methods": asked,
            "landmarks": by_landmark,
            "landmark_curves": tuple(drawn),
            "untreated": untreated,
            **{name: getattr(settings, name) for name in _RECORDED},
            "missing": missing,
        },
    )


def _compared(
    patients: Patients,
    words: Words,
    asked: tuple[str, ...],
    by_landmark: tuple[float, ...],
    settings: CloneOptions,
) -> tuple[list[dict[str, Any]], Cloned, list[str]]:
    """One row an effect, what the two strategies add, and what is to be said of all."""
    found = list(hazard_rows(patients, words, asked, by_landmark, settings.conf_level))
    rows = [row for row, _ in found]
    notes = [*patients.notes, *(note for _, told in found for note in told)]
    notes += common_notes(patients, words, asked)
    arms = cloned(patients, settings, words) if CLONE in asked else Cloned()
    rows += arms.rows
    notes += [*arms.notes, *few_note(rows)]
    return rows, arms, notes


def _summary(
    patients: Patients, settings: CloneOptions, time: Mapping[str, float]
) -> dict[str, Any]:
    """Return the row of ``glance()``."""
    return {
        "n": patients.n,
        "n_missing": patients.n_missing,
        "n_treated": int(patients.treated.sum()),
        "n_events": int(patients.event.sum()),
        "median_delay": time["median_delay"],
        "person_time_before": time["before"],
        "share_before": time["share"],
        "grace": settings.grace,
        "horizon": settings.horizon,
    }


def _methods(methods: Sequence[str]) -> tuple[str, ...]:
    if methods is None:
        raise OptionError("methods must be a list of names, not None.")
    given = items_of(methods)
    if not given:
        raise OptionError(f"methods= needs at least one of {', '.join(METHODS)}.")
    chosen = [choice("methods", method, METHODS) for method in given]
    return tuple(method for method in METHODS if method in chosen)


def _as_observed(
    settings: CloneOptions, landmarks: tuple[float, ...], patients: Patients
) -> tuple[CloneOptions, tuple[float, ...]]:
    """Return the times asked for, each as the one of the data it differs from by rounding."""
    if not patients.n:
        return settings, landmarks
    grace, horizon = patients.moments([settings.grace, settings.horizon]).tolist()
    moved = patients.moments(landmarks).tolist()
    return replace(settings, grace=grace, horizon=horizon), tuple(dict.fromkeys(moved))


def _check(patients: Patients, settings: CloneOptions, methods: tuple[str, ...]) -> None:
    """Refuse what no method can answer."""
    if not patients.n:
        raise DataError("No patient is followed beyond time 0.")
    if not patients.event.any():
        raise TooFewEventsError(
            f"No patient has the event of {patients.labels['endpoint']}: no comparison. "
            "exact_rate() bounds the rate of each arm."
        )
    if not patients.treated.any():
        raise DataError("Nobody is treated before the end of follow-up: there is no comparison.")
    last = float(patients.stop.max())
    if CLONE in methods and settings.horizon > last:
        raise OptionError(
            f"horizon={settings.horizon:g} is beyond all follow-up, which ends at {last:g}; "
            "choose an earlier one."
        )
