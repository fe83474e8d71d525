"""The numbers that the sentences of the salvage chapter are made from."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.formatting import fmt_number
from rnetstats.studies.duan2024.salvage_effects import (
    CONFOUNDERS,
    SalvageEffects,
    adjusted_for,
)
from rnetstats.studies.duan2024.salvage_words import plain_reason, sparse
from rnetstats.studies.records import records
from rnetstats.treatment.detectable_effect import DetectableEffectResult
from rnetstats.treatment.effect import TreatmentEffectResult
from rnetstats.treatment.equivalence import MarginResult
from rnetstats.treatment.immortal_time import ImmortalTimeResult
from rnetstats.treatment.words import CLONE, TIME_DEPENDENT

__all__ = ["HALVED", "salvage_facts"]

HALVED = 0.5


def salvage_facts(chapter: SalvageEffects | None) -> dict[str, Any] | None:
    """Return the numbers that the paragraphs are made from; None without the day of salvage."""
    if chapter is None or chapter.n_treated == 0:
        return None
    facts: dict[str, Any] = {
        "n": chapter.n,
        "n_treated": chapter.n_treated,
        "n_undated": chapter.n_undated,
        "median_delay": chapter.median_delay,
        "confounders": adjusted_for(chapter),
        "effects": {key: _effect_facts(effect) for key, effect in chapter.effects.items()},
        "kinds": {key: _kinds(results) for key, results in chapter.kinds.items()},
    }
    if chapter.immortal is not None:
        facts["delay_sentence"] = _delay_sentence(chapter.immortal)
    if chapter.biases is not None:
        facts["bias_sentence"] = chapter.biases.sentence
    if chapter.detectable is not None:
        facts["detectable"] = _power(chapter.detectable)
    if chapter.score is not None:
        factors = records(chapter.score.balance().to_frame())
        known = not any(math.isnan(row["smd_before"]) for row in factors)
        if known:  # unlike where one patient alone was salvaged
            worst = max(factors, key=lambda row: abs(row["smd_before"]))
            facts["most_unlike"] = {
                "name": CONFOUNDERS[worst["variable"]],
                "smd": fmt_number(round(worst["smd_before"], 2)),
            }
    return facts


def _delay_sentence(found: ImmortalTimeResult) -> str:
    """Say what immortal time does; where salvage came on the first day there is none."""
    table = found.to_frame()
    own = float(table.loc[table["law"] != "fixed", "delay"].iloc[0])
    if own > 0.0:
        return found.sentence
    rest = found.sentence.split(". With a delay", 1)[-1]
    return (
        "Here every salvage is dated on the day of the first resection, so there is none. With a "
        f"delay{rest}"
    )


def _kinds(results: tuple[MarginResult, ...]) -> dict[str, Any]:
    """Return the counts of both kinds and, where the events allow one, the smallest margin."""
    glance = results[0].glance().iloc[0]
    new, reference = int(glance["events_new"]), int(glance["events_reference"])
    return {
        "events_new": new,
        "n_new": int(glance["n_new"]),
        "events_reference": reference,
        "n_reference": int(glance["n_reference"]),
        "sparse": sparse(new, reference),
        "estimate": float(glance["estimate"]),
        "smallest_margin": float(glance["smallest_margin"]),
        "horizon": results[0].options["horizon"],
        "needed": _needed(results),
    }


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
    """Return the patients needed in each arm for a margin of 5 of 100; empty if not computed."""
    at = {round(100 * result.margin_high): result.patients_per_arm for result in results}
    return f"{at[5]:,.0f}" if math.isfinite(at.get(5, math.nan)) else ""


def _effect_facts(effect: TreatmentEffectResult) -> dict[str, Any]:
    rows = records(effect.to_frame())
    by_measure = {row["measure"]: row for row in rows if row["method"] == CLONE}
    changing = next(row for row in rows if row["method"] == TIME_DEPENDENT)
    difference = by_measure["risk difference"]
    glance = effect.glance().iloc[0]
    return {
        "n": int(glance["n"]),
        "events_treated": int(changing["events_treated"]),
        "events_untreated": int(changing["events_untreated"]),
        "risk_treated": float(by_measure["risk, treated"]["estimate"]),
        "risk_untreated": float(by_measure["risk, untreated"]["estimate"]),
        "difference": float(difference["estimate"]),
        "conf_low": float(difference["conf_low"]),
        "conf_high": float(difference["conf_high"]),
        "reason": plain_reason(str(difference["reason"])),
        "horizon": float(glance["horizon"]),
        "grace": float(glance["grace"]),
    }
