"""Salvage as a treatment that begins on its day: what valid analyses of these patients can say."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import listed
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import Cohort
from rnetstats.studies.duan2024.incidence import COURSE, course_of
from rnetstats.studies.duan2024.outcomes import ENDPOINTS
from rnetstats.studies.duan2024.salvage import UNTREATED, delay_months
from rnetstats.studies.duan2024.salvage_margins import MONTHS, compare_kinds, horizon_within
from rnetstats.studies.records import records
from rnetstats.studies.treatment_verdicts import TreatmentEvidence
from rnetstats.treatment.detectable_effect import DetectableEffectResult, detectable_effect
from rnetstats.treatment.e_value import e_value
from rnetstats.treatment.effect import TreatmentEffectResult, treatment_effect
from rnetstats.treatment.equivalence import MarginResult
from rnetstats.treatment.immortal_biases import ImmortalBiases
from rnetstats.treatment.immortal_time import DELAYS, ImmortalTimeResult, immortal_time
from rnetstats.treatment.propensity import PropensityResult, propensity
from rnetstats.treatment.swimmer import SwimmerResult, swimmer
from rnetstats.treatment.words import TIME_DEPENDENT

__all__ = [
    "CONFOUNDERS",
    "EARLIEST",
    "GRACE",
    "RESAMPLES",
    "SalvageEffects",
    "adjusted_for",
    "salvage_effects",
]

GRACE = 6.0
EARLIEST = 12.0  # month at which risks are compared, beyond those of grace
RESAMPLES = 500
COHORTS, PATIENTS = 20, 10_000  # of the simulated biases; fewer cohorts with fewer resamples
_OUTCOME = ["dfs_months", "recurrence", "dfs_event"]
CONFOUNDERS = {"size_mm": "tumour size", "lvi": "lymphovascular invasion", "age": "age"}


@dataclass(frozen=True)
class SalvageEffects:
    """What the chapter is made from; None where these data refuse.

    Attributes
    ----------
    n, n_treated : int
        Patients with a positive margin whose salvage, and its day, is known; the salvaged ones.
    n_undated : int
        Others, salvaged on a day that is not known: left out.
    horizon : float or None
        Months by which risks are compared; None where nobody is followed long enough for any.
    median_delay : float
        Months from the first resection to salvage, of the salvaged; missing without any.
    lanes : SwimmerResult or None
    effects : dict of str to TreatmentEffectResult
        By the endpoint's key.
    immortal : ImmortalTimeResult or None
    biases : ImmortalBiases or None
    score : PropensityResult or None
        Of salvage, on the confounders.
    kinds : dict of str to tuple of MarginResult
        Endoscopic against radical salvage from the day of salvage, one a margin.
    detectable : DetectableEffectResult or None
        Of the recurrences, by the share of person-time after salvage.
    confounders : tuple of str
        What the analyses were adjusted for.
    """

    n: int
    n_treated: int
    n_undated: int
    horizon: float | None
    median_delay: float
    lanes: SwimmerResult | None
    effects: dict[str, TreatmentEffectResult]
    immortal: ImmortalTimeResult | None
    biases: ImmortalBiases | None
    score: PropensityResult | None
    kinds: dict[str, tuple[MarginResult, ...]]
    detectable: DetectableEffectResult | None
    confounders: tuple[str, ...]

    def results(self) -> dict[str, Result]:
        """Return the analyses that exist, named for the report."""
        found: dict[str, Result | None] = {
            "salvage_lanes": self.lanes,
            "salvage_immortal": self.immortal,
            "salvage_biases": self.biases,
            "salvage_score": self.score,
            "salvage_detectable": self.detectable,
        }
        found |= {f"salvage_effect_{key}": effect for key, effect in self.effects.items()}
        for key, margins in self.kinds.items():
            found |= {
                f"salvage_kinds_{key}_{100 * result.margin_high:g}": result for result in margins
            }
        return {name: result for name, result in found.items() if result is not None}

    def evidence(self, key: str) -> TreatmentEvidence | None:
        """Return what the claim on salvage is judged by, for an endpoint."""
        effect = self.effects.get(key)
        if effect is None:
            return None
        row = next(r for r in records(effect.to_frame()) if r["method"] == TIME_DEPENDENT)
        low, high = float(row["conf_low"]), float(row["conf_high"])
        strength = math.nan
        if not math.isnan(low):
            share = float(effect.glance()["n_events"].iloc[0] / effect.glance()["n"].iloc[0])
            found = e_value(row["estimate"], low, high, measure="hr", outcome_share=share)
            strength = float(found.glance()["e_value_limit"].iloc[0])
        return TreatmentEvidence(
            events_treated=int(row["events_treated"]),
            events_untreated=int(row["events_untreated"]),
            estimate=float(row["estimate"]),
            conf_low=low,
            conf_high=high,
            e_value=strength,
        )


def adjusted_for(chapter: SalvageEffects) -> str:
    """Name the confounders in words."""
    return listed([CONFOUNDERS[name] for name in chapter.confounders])


def salvage_effects(
    cohort: Cohort, *, seed: int, resamples: int, attempts: Attempts
) -> SalvageEffects | None:
    """Analyse salvage among positive margins; None without salvage or its day."""
    rows = _rows(cohort, attempts)
    if rows is None:
        return None
    known = _confounders(cohort, rows, attempts)
    right = " + ".join(known) or "1"
    longest = float(rows.dropna(subset=_OUTCOME)["dfs_months"].max())
    horizon = horizon_within(longest, EARLIEST)
    effects: dict[str, TreatmentEffectResult] = {}
    immortal, biases = None, None
    if horizon is None:
        attempts.skip(
            "Salvage as it began, and immortal time",
            "no patient with a positive margin is followed, free of recurrence, for more than "
            f"{EARLIEST:g} months; salvage is given {GRACE:g} months to begin, and risks are "
            f"compared at {EARLIEST:g} months at the earliest",
        )
    else:
        immortal, biases = _immortal(rows, horizon, seed, resamples, attempts)
        effects = _effects(rows, right, horizon, seed, min(resamples, RESAMPLES), attempts)
    lanes = attempts.run("Course of each patient", lambda: _lanes(rows))
    treated = rows["salvaged"] == 1
    return SalvageEffects(
        n=len(rows),
        n_treated=int(treated.sum()),
        n_undated=_undated(cohort.positives),
        horizon=horizon,
        median_delay=float(rows.loc[treated, MONTHS].median()) if treated.any() else math.nan,
        lanes=lanes,
        effects=effects,
        immortal=immortal,
        biases=biases,
        score=attempts.run("Reasons for salvage", lambda: _score(rows, right)) if known else None,
        kinds=compare_kinds(rows, attempts),
        detectable=None
        if lanes is None
        else attempts.run("What effect of salvage could be shown", lambda: _detectable(lanes)),
        confounders=known,
    )


def _confounders(cohort: Cohort, rows: pd.DataFrame, attempts: Attempts) -> tuple[str, ...]:
    """Return the factors to adjust for: those that vary where nothing else is missing."""
    known = [name for name in CONFOUNDERS if cohort.has(name) and rows[name].dropna().nunique() > 1]
    followed = rows.dropna(subset=_OUTCOME)
    while known:
        complete = followed.dropna(subset=known)
        alike = [name for name in known if complete[name].nunique() < 2]
        if not alike:
            break
        # one at a time: without the least known of them more patients are complete
        dropped = str(followed[alike].isna().sum().idxmax())
        known.remove(dropped)
        attempts.skip(
            f"Adjusting the analyses of salvage for {CONFOUNDERS[dropped]}",
            f"it does not vary among the patients of whom everything else is known "
            f"({len(complete)} of {len(rows)})",
        )
    return tuple(known)


def _immortal(
    rows: pd.DataFrame, horizon: float, seed: int, resamples: int, attempts: Attempts
) -> tuple[ImmortalTimeResult | None, ImmortalBiases | None]:
    """Return what immortal time does to a comparison by salvage, and the larger biases."""
    cohorts = min(COHORTS, max(3, resamples // 10))
    immortal = attempts.run(
        "Immortal time",
        lambda: immortal_time(
            rows,
            ENDPOINTS[0].surv,
            treatment_time=MONTHS,
            treatment="salvage",
            delays=[delay for delay in DELAYS if delay < horizon],
            cohorts=cohorts,
            patients=PATIENTS,
            horizon=horizon,
            seed=seed,
        ),
    )
    if immortal is None:
        return None, None
    return immortal, attempts.run(
        "Biases of a comparison by salvage",
        lambda: immortal.biases(cohorts=cohorts, patients=PATIENTS),
    )


def _rows(cohort: Cohort, attempts: Attempts) -> pd.DataFrame | None:
    """Return the positive margins with a known salvage, and its month."""
    if not cohort.has("salvage"):
        return None  # said by the naive comparison
    rows = cohort.positives
    rows = rows[rows["salvage"].notna()].copy()
    rows.attrs = copy.deepcopy(cohort.everyone.attrs)
    salvaged = rows["salvage"].astype(object) != UNTREATED
    if not cohort.has("salvage_days") and not cohort.has(MONTHS):
        attempts.skip("Salvage as it began", "the column 'salvage_days' is not there or empty")
        return None
    rows[MONTHS] = delay_months(rows)
    without = salvaged & rows[MONTHS].isna()
    if without.any():
        many = int(without.sum())
        attempts.skip(
            f"{many} salvaged patient{'s' * (many > 1)} in the analyses of salvage as it began",
            "the day of salvage is not known",
        )
        rows = rows[~without]
        salvaged = salvaged[~without]
    rows, salvaged = _after_time_zero(rows, salvaged, attempts)
    rows, salvaged = _before_the_event(rows, salvaged, attempts)
    rows["salvaged"] = salvaged.astype(int)
    rows["salvage"] = rows["salvage"].astype("category").cat.remove_unused_categories()
    labels = rows.attrs.setdefault("rnetstats", {}).setdefault("labels", {})
    labels[MONTHS] = "Salvage (months)"
    labels["salvaged"] = "Salvage"
    return rows


def _undated(rows: pd.DataFrame) -> int:
    """Count the salvaged whose day of salvage is not known."""
    salvaged = rows["salvage"].notna() & (rows["salvage"].astype(object) != UNTREATED)
    return int((salvaged & np.isnan(delay_months(rows))).sum())


def _after_time_zero(
    rows: pd.DataFrame, salvaged: pd.Series, attempts: Attempts
) -> tuple[pd.DataFrame, pd.Series]:
    """Leave out whose follow-up ends on day 0: nobody is at risk before it."""
    at_once = rows["dfs_months"] == 0.0
    if not at_once.any():
        return rows, salvaged
    many = int(at_once.sum())
    attempts.skip(
        f"{many} patient{'s' * (many > 1)} in the analyses of salvage as it began",
        "the last visit, or the event, is dated on the day of the resection (dfs_months = 0), "
        "before which nobody is at risk",
    )
    return rows[~at_once].copy(), salvaged[~at_once]


def _before_the_event(
    rows: pd.DataFrame, salvaged: pd.Series, attempts: Attempts
) -> tuple[pd.DataFrame, pd.Series]:
    """Count a salvage after the end of the time free of disease as none: it treats what came."""
    late = salvaged & (rows[MONTHS] > rows["dfs_months"])
    if not late.any():
        return rows, salvaged
    many = int(late.sum())
    who = f"{many} patient{'s' * (many > 1)}"
    attempts.skip(
        f"The salvage of {who} in the analyses of salvage as it began",
        "it came after the recurrence, or after the end of the time free of disease; there "
        f"{who} {'count' if many > 1 else 'counts'} as not salvaged",
    )
    made = rows.copy()
    made.loc[late, MONTHS] = math.nan
    made["salvage"] = made["salvage"].astype(object).where(~late, UNTREATED)
    return made, salvaged & ~late


def _lanes(rows: pd.DataFrame) -> SwimmerResult:
    frame = rows.assign(course=course_of(rows))
    frame.attrs = rows.attrs
    several = frame["salvage"].nunique() > 1
    return swimmer(
        frame,
        f"Surv(dfs_months, course) ~ {'salvage' if several else '1'}",
        treatment_time=MONTHS,
        events=COURSE,
    )


def _detectable(lanes: SwimmerResult) -> DetectableEffectResult:
    sums = lanes.glance().iloc[0]
    share = float(sums["time_after"] / (sums["time_before"] + sums["time_after"]))
    events = int(sums.get("n_recurrence", 0))
    return detectable_effect(events=events, allocation=share)


def _effects(
    rows: pd.DataFrame,
    right: str,
    horizon: float,
    seed: int,
    resamples: int,
    attempts: Attempts,
) -> dict[str, TreatmentEffectResult]:
    found = {}
    for endpoint in ENDPOINTS[:2]:
        effect = attempts.run(
            f"Salvage as it began: {endpoint.name.lower()}",
            lambda endpoint=endpoint: treatment_effect(  # type: ignore[misc]
                rows,
                f"{endpoint.surv} ~ {right}",
                treatment_time=MONTHS,
                grace=GRACE,
                horizon=horizon,
                resamples=resamples,
                seed=seed,
            ),
        )
        if effect is not None:
            found[endpoint.key] = effect
    return found


def _score(rows: pd.DataFrame, right: str) -> PropensityResult:
    return propensity(rows, f"salvaged ~ {right}")
