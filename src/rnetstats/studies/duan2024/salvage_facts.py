"""The numbers that the sentences of the salvage chapter are made from."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.formatting import fmt_number
from rnetstats.studies.duan2024.salvage_effects import SalvageEffects, adjusted_for
from rnetstats.studies.records import records
from rnetstats.treatment.detectable_effect import DetectableEffectResult
from rnetstats.treatment.effect import TreatmentEffectResult
from rnetstats.treatment.equivalence import MarginResult
from rnetstats.treatment.words import CLONE, TIME_DEPENDENT

__all__ = ["HALVED", "salvage_facts"]

HALVED = 0.5


def salvage_facts(chapter: SalvageEffects | None) -> dict[str, Any] | None:
    """Return the numbers that the paragraphs are made from; None without the analyses."""
    if chapter is None or not chapter.effects:
        return None
    first = next(iter(chapter.effects.values())).glance().iloc[0]
    facts: dict[str, Any] = {
        "n": int(first["n"]),
        "n_treated": int(first["n_treated"]),
        "median_delay": float(first["median_delay"]),
        "confounders": adjusted_for(chapter) or "factors (none is recorded)",
        "effects": {key: _effect_facts(effect) for key, effect in chapter.effects.items()},
        "kinds": {},
    }
    if chapter.immortal is not None:
        facts["delay_sentence"] = chapter.immortal.sentence
    if chapter.biases is not None:
        facts["bias_sentence"] = chapter.biases.sentence
    for key, results in chapter.kinds.items():
        glance = results[0].glance().iloc[0]
        facts["kinds"][key] = {
            "events_new": int(glance["events_new"]),
            "events_reference": int(glance["events_reference"]),
            "smallest_margin": float(glance["smallest_margin"]),
            "horizon": results[0].options["horizon"],
        }
        facts["kinds_needed"] = _needed(results)
    if chapter.detectable is not None:
        facts["detectable"] = _power(chapter.detectable)
    if chapter.score is not None:
        worst = max(records(chapter.score.balance().to_frame()), key=lambda r: abs(r["smd_before"]))
        facts["most_unlike"] = f"{worst['label'].lower()} (SMD {fmt_number(worst['smd_before'])})"
    return facts


def _power(found: DetectableEffectResult) -> dict[str, float]:
    halved = next(row for row in records(found.to_frame()) if row["hazard_ratio"] == HALVED)
    return {
        "events": found.events,
        "share": found.share,
        "low": found.detectable_low,
        "wanted": float(found.options["power"]),
        "power": float(halved["power"]),
        "type_m": float(halved["type_m"]),
    }


def _needed(results: tuple[MarginResult, ...]) -> str:
    at = {round(100 * result.margin_high): result.patients_per_arm for result in results}
    return f"{at[5]:,.0f}" if math.isfinite(at.get(5, math.nan)) else "more than can be computed"


def _effect_facts(effect: TreatmentEffectResult) -> dict[str, Any]:
    rows = records(effect.to_frame())
    by_measure = {row["measure"]: row for row in rows if row["method"] == CLONE}
    changing = next(row for row in rows if row["method"] == TIME_DEPENDENT)
    difference = by_measure["risk difference"]
    glance = effect.glance().iloc[0]
    return {
        "events_treated": int(changing["events_treated"]),
        "events_untreated": int(changing["events_untreated"]),
        "risk_treated": float(by_measure["risk, treated"]["estimate"]),
        "risk_untreated": float(by_measure["risk, untreated"]["estimate"]),
        "difference": float(difference["estimate"]),
        "conf_low": float(difference["conf_low"]),
        "conf_high": float(difference["conf_high"]),
        "reason": str(difference["reason"]),
        "horizon": float(glance["horizon"]),
        "grace": float(glance["grace"]),
    }
