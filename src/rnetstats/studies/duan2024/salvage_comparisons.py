"""Tables of the salvage chapter: each comparison with its question, and risks of 100 patients."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.studies.duan2024.outcomes import ENDPOINTS
from rnetstats.studies.duan2024.salvage_effects import SalvageEffects, adjusted_for
from rnetstats.studies.duan2024.salvage_words import plain_reason
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.records import records
from rnetstats.treatment.effect import TreatmentEffectResult

__all__ = ["effects_table", "risks_table"]

_NAMES = {endpoint.key: endpoint.name for endpoint in ENDPOINTS}
_QUESTIONS = {
    "naive": "Ever against never salvaged, counted from the first resection: wrong by "
    "construction, shown for comparison",
    "time-dependent Cox": "At each moment, patients already salvaged against those not (yet)",
    "landmark": "From month {landmark:g} on, salvaged by then against not",
}
_MEASURES = {
    "risk difference": "Of 100 patients: how many more have the event by month {horizon:g} if all "
    "are salvaged within {grace:g} months rather than none",
    "risk ratio": "Ratio of these two risks",
    "RMST difference": "Event-free months gained by month {horizon:g}",
}


def effects_table(chapter: SalvageEffects) -> Exhibit | None:
    """Return every comparison with its own question."""
    if not chapter.effects:
        return None
    parts = []
    for key, effect in chapter.effects.items():
        frame = effect.to_frame()
        frame = frame[(frame["measure"] == "HR") | frame["measure"].isin(_MEASURES)]
        grace = float(effect.glance()["grace"].iloc[0])
        parts.append(frame.assign(reading=_NAMES[key], grace=grace))
    numbers = _without_empty_arms(pd.concat(parts, ignore_index=True))
    rows = records(numbers)
    shown = pd.DataFrame(
        {
            "Endpoint": numbers["reading"],
            "Method": [_method(row) for row in rows],
            "The question it answers": [_question(row) for row in rows],
            "Events: salvaged, not": [
                f"{row['events_treated']:g} of {row['n_treated']:g}, "
                f"{row['events_untreated']:g} of {row['n_untreated']:g}"
                for row in rows
            ],
            "Estimate (95 % CI)": [_estimate(row) for row in rows],
            "P": [fmt_p(row["p_value"]) for row in rows],
        }
    )
    reasons = tuple(
        dict.fromkeys(
            f"{row['reading']}: {plain_reason(row['reason'])}, so no "
            f"{'estimate' if math.isnan(row['estimate']) else 'interval and no P'}."
            for row in rows
            if row["reason"]
        )
    )
    return Exhibit(
        name="salvage_effects",
        title="Salvage as it began: each method with its own question",
        caption="The rows answer different questions: where they differ, none of them is refuted. "
        f"{_adjusted(chapter)}",
        numbers=numbers,
        shown=shown,
        notes=(*reasons, *_notes(chapter)),
    )


def _without_empty_arms(numbers: pd.DataFrame) -> pd.DataFrame:
    """Take the hazard ratio from rows with an arm without events: it is that of the penalty."""
    empty = numbers[["events_treated", "events_untreated"]].min(axis=1) == 0
    made = numbers.copy()
    made.loc[empty & (made["measure"] == "HR"), "estimate"] = math.nan
    return made


def _adjusted(chapter: SalvageEffects) -> str:
    adjusted = adjusted_for(chapter)
    if not adjusted:
        return "Adjusted for nothing: no factor is recorded."
    return f"Adjusted for {adjusted}, as recorded at the first resection, and for nothing else."


def _notes(chapter: SalvageEffects) -> tuple[str, ...]:
    first = next(iter(chapter.effects.values()))
    return (
        "Hazard ratios: Cox regression with Firth’s penalty and profile limits. "
        "Clone-censor-weight (Hernan 2018): each patient has a copy in both strategies, which is "
        "censored when the patient departs from it; those who stay are weighted by one over their "
        f"probability of staying. Limits from {first.options['resamples']:,} resamples of "
        "patients, the weights modelled anew in each.",
        "Patients are those compared. In the time-dependent rows a patient is among those not "
        "(yet) salvaged until the day of salvage, so the two numbers overlap. In the weighted rows "
        "they are those whose course agreed with the strategy: whoever had the event or left "
        "within the grace period, before any salvage, agreed with both. Events in these rows are "
        "those by the horizon.",
    )


def _method(row: dict[str, Any]) -> str:
    if row["method"].startswith("landmark"):
        return f"landmark, {row['landmark']:g} months"
    return str(row["method"])


def _question(row: dict[str, Any]) -> str:
    words = _MEASURES.get(row["measure"]) or _QUESTIONS[row["method"].split(" at ")[0]]
    return words.format(**row)


def _estimate(row: dict[str, Any]) -> str:
    scale, digits, sign = 1.0, 2, ""
    if row["measure"] == "risk difference":
        scale, digits, sign = 100.0, 1, "+" if row["estimate"] > 0 else ""
    if row["measure"] == "RMST difference":
        digits = 1
    if math.isnan(row["estimate"]):
        return "–"
    name = f"{row['measure']} " if row["measure"] == "HR" else ""
    text = f"{name}{sign}{fmt_number(scale * row['estimate'], digits)}"
    if math.isnan(row["conf_low"]):
        return f"{text} (no interval)"
    return f"{text} ({fmt_interval(scale * row['conf_low'], scale * row['conf_high'], digits)})"


def risks_table(chapter: SalvageEffects) -> Exhibit | None:
    """Return absolute risks under both strategies, of 100 patients."""
    rows = [
        row | {"reading": _NAMES[key]}
        for key, effect in chapter.effects.items()
        for row in _strategies(effect)
    ]
    if not rows:
        return None
    numbers = pd.DataFrame(rows)
    horizon = float(next(iter(chapter.effects.values())).glance()["horizon"].iloc[0])
    shown = pd.DataFrame(
        {
            "Endpoint": numbers["reading"],
            "If": numbers["strategy"],
            "Events seen": [f"{row['n_events']:g} of {row['n']:g}" for row in rows],
            f"Of 100 patients, with the event by month {horizon:g} (95 % CI)": [
                _of_100(row) for row in rows
            ],
        }
    )
    return Exhibit(
        name="salvage_risks",
        title="Of 100 patients with a positive margin",
        caption="Weighted risks under two strategies that every patient could have followed. They "
        + (
            f"hold only if {adjusted} explain who was salvaged."
            if (adjusted := adjusted_for(chapter))
            else "hold only if salvage was given by chance: no factor is recorded."
        ),
        numbers=numbers,
        shown=shown,
        notes=(
            "The events are out of the patients whose course agreed with the strategy."
            + " Risks of recurrence are those if nobody died of something else first."
            * ("recurrence" in chapter.effects),
        ),
    )


def _strategies(effect: TreatmentEffectResult) -> list[dict[str, Any]]:
    by_measure = {row["measure"]: row for row in records(effect.to_frame())}
    grace = float(effect.glance()["grace"].iloc[0])
    found = []
    for arm, strategy in (
        ("treated", f"all are salvaged within {grace:g} months"),
        ("untreated", "nobody is salvaged"),
    ):
        row = by_measure[f"risk, {arm}"]
        found.append(
            {
                "strategy": strategy,
                "n": int(row[f"n_{arm}"]),
                "n_events": int(row[f"events_{arm}"]),
                "risk": float(row["estimate"]),
                "conf_low": float(row["conf_low"]),
                "conf_high": float(row["conf_high"]),
                "reason": str(row["reason"]),
            }
        )
    return found


def _of_100(row: dict[str, Any]) -> str:
    text = fmt_number(100.0 * row["risk"], 1)
    if math.isnan(row["risk"]):
        return f"no estimate: {plain_reason(row['reason'])}"
    if math.isnan(row["conf_low"]):
        return f"{text} (no interval: {plain_reason(row['reason'])})"
    return f"{text} ({fmt_interval(100.0 * row['conf_low'], 100.0 * row['conf_high'], 1)})"
