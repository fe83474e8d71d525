"""Overall survival by resection of the primary and of the liver metastases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_interval, fmt_number, listed
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.nelm2024.cohort import Cohort
from rnetstats.studies.records import records
from rnetstats.treatment.effect import treatment_effect
from rnetstats.treatment.effect_result import TreatmentEffectResult

__all__ = [
    "COX",
    "RESECTIONS",
    "Resection",
    "resection_table",
    "resections",
    "results",
]

LANDMARKS = (6.0, 12.0)
COX = "time-dependent Cox"
METHODS = ("naive", COX, "landmark")


@dataclass(frozen=True)
class _Kind:
    key: str
    what: str
    who: str
    time: str
    flag: str
    claim: str
    same: bool = False


RESECTIONS = (
    _Kind(
        "primary",
        "the primary",
        "patients whose metastases were found with the primary",
        "primary_resection_months",
        "primary_resected",
        "Overall survival is longer when the primary is resected",
    ),
    _Kind(
        "liver",
        "the liver metastases",
        "patients",
        "liver_resection_months",
        "liver_resected",
        "Overall survival is the same whether or not the liver metastases are radically resected",
        same=True,
    ),
)


@dataclass(frozen=True)
class Resection:
    """One kind of resection: who, how many, and what each method says.

    ``unknown`` counts those of whom it is not known whether they died, ``unplaced`` those of whom
    it is not known whether they were resected.
    """

    kind: _Kind
    n: int
    resected: int
    deaths: int
    unknown: int
    unplaced: int
    effect: TreatmentEffectResult | None
    why_not: str = ""

    def row(self, method: str) -> dict[str, Any] | None:
        """Return the first row of a method, or None."""
        if self.effect is None:
            return None
        table = self.effect.to_frame()
        found = records(table[table["method"] == method])
        return _bounded(found[0]) if found else None


def _bounded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without its ratio where an arm has no event: it would be the penalty's."""
    if min(row["events_treated"], row["events_untreated"]) > 0:
        return row
    return row | dict.fromkeys(("estimate", "conf_low", "conf_high"), math.nan)


def resections(cohort: Cohort, attempts: Attempts) -> list[Resection]:
    """Compare survival by each kind of resection, its time taken into account."""
    found = []
    for kind in RESECTIONS:
        frame = cohort.synchronous if kind.key == "primary" else cohort.everyone
        resected, deaths = int((frame[kind.flag] == 1).sum()), int(frame["death"].sum())
        unplaced = int(frame[kind.flag].isna().sum())
        what = f"urvival by resection of {kind.what}"
        why_not = _refused(
            kind,
            resected,
            deaths,
            everybody=resected == len(frame) - unplaced,
            dated=cohort.has(kind.time),
        )
        effect = None
        if why_not:
            attempts.skip(f"S{what}", why_not)
        else:
            known = _known(frame, kind, attempts)
            effect = attempts.run(
                f"S{what}",
                lambda f=known, k=kind: _effect(f, k),  # type: ignore[misc]
            )
        if effect is not None and effect.simon is None:
            attempts.skip(
                f"Curves of s{what}", "nobody is at risk resected, or nobody not (yet) resected"
            )
        unknown = int(frame["death"].isna().sum())
        found.append(
            Resection(kind, len(frame), resected, deaths, unknown, unplaced, effect, why_not)
        )
    return found


def _refused(kind: _Kind, resected: int, deaths: int, *, everybody: bool, dated: bool) -> str:
    """Say why there is no comparison; empty where there may be one."""
    if not resected:
        return f"Nobody had {kind.what} resected, so that there is nothing to compare."
    if everybody:
        return (
            f"Everybody had {kind.what} resected, so that there is nobody to compare with; whoever "
            "died before a resection is not in such data, so that the time before it cannot stand "
            "in."
        )
    if not deaths:
        return "Nobody died, so that no risks can be compared."
    if not dated:
        return (
            f"The file has no months in {kind.time}: without the month of the resection nobody can "
            "say which deaths came after it."
        )
    return ""


def _known(frame: pd.DataFrame, kind: _Kind, attempts: Attempts) -> pd.DataFrame:
    """Leave out, and count, who cannot be placed: resection or its month unknown, or no time."""
    resected = frame[kind.flag]
    unknown = resected.isna() | ((resected == 1) & frame[kind.time].isna())
    at_once = ~unknown & (frame["os_months"] == 0.0)
    for left_out, why in (
        (unknown, "whether, or in which month, it was resected is not known"),
        (
            at_once,
            "follow-up ends on the day of the diagnosis (os_months = 0), before which nobody is "
            "at risk",
        ),
    ):
        if many := int(left_out.sum()):
            attempts.skip(
                f"{many} patient{'s' * (many > 1)} in survival by resection of {kind.what}", why
            )
    return frame[~(unknown | at_once)]


def _effect(frame: pd.DataFrame, kind: _Kind) -> TreatmentEffectResult:
    types = frame["metastasis_type"].astype(object)
    type_iii = (types == "III").astype(float).where(types.notna())
    adjusted = "type_III" if type_iii.nunique() > 1 else "1"
    return treatment_effect(
        frame.assign(type_III=type_iii),
        f"Surv(os_months, death) ~ {adjusted}",
        treatment_time=kind.time,
        ever_treated=kind.flag,
        methods=METHODS,
        landmarks=LANDMARKS,
        resamples=0,
        seed=0,
    )


def results(found: list[Resection]) -> dict[str, Result]:
    """Return the comparisons by name."""
    return {f"os_{r.kind.key}": r.effect for r in found if r.effect is not None}


def resection_table(found: list[Resection]) -> Exhibit | None:
    """Return each comparison by each method, with its estimand."""
    parts = [
        r.effect.to_frame().assign(resection=r.kind.what) for r in found if r.effect is not None
    ]
    if not parts:
        return None
    numbers = pd.DataFrame(map(_bounded, records(pd.concat(parts, ignore_index=True))))
    named = numbers["method"].where(
        numbers["landmark"].isna(), "landmark at " + numbers["landmark"].map("{:g} months".format)
    )
    pairs = zip(numbers["conf_low"], numbers["conf_high"], strict=True)
    shown = pd.DataFrame(
        {
            "Resection of": numbers["resection"],
            "Method": named,
            "Deaths, resected": numbers["events_treated"].astype(int).astype(str),
            "Deaths, not": numbers["events_untreated"].astype(int).astype(str),
            "Hazard ratio": [fmt_number(value) for value in numbers["estimate"]],
            "95 % CI": [fmt_interval(low, high) for low, high in pairs],
            "Question": numbers["estimand"],
        }
    )
    return Exhibit(
        name="survival_by_resection",
        title="Overall survival by resection",
        caption="From the diagnosis of the metastases; adjusted for type III where it varies. "
        "Methods that ask different questions are no rivals.",
        numbers=numbers,
        shown=shown,
        notes=_notes([r for r in found if r.effect is not None]),
    )


def _notes(found: list[Resection]) -> tuple[str, ...]:
    """Return the notes of all comparisons; what is not said of each names the resection."""
    by = {
        r.kind.what: [note for note in r.effect.notes if not note.startswith("Row")]
        for r in found
        if r.effect is not None
    }
    every = [note for notes in by.values() for note in notes]
    common = [note for note in every if all(note in notes for notes in by.values())]
    own = [
        f"Resection of {what}: {note}"
        for what, notes in by.items()
        for note in notes
        if note not in common
    ]
    empty = [r.kind.what for r in found if r.effect is not None and _empty_arm(r.effect)]
    if empty:
        own.append(
            f"Resection of {listed(empty)}: no hazard ratio where an arm has no death; a finite "
            "one would be the penalty’s."
        )
    return (*own, *dict.fromkeys(common))


def _empty_arm(effect: TreatmentEffectResult) -> bool:
    counts = effect.to_frame()[["events_treated", "events_untreated"]]
    return bool((counts == 0).any(axis=None))
