"""The tables of the salvage chapter."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.studies.duan2024.outcomes import ENDPOINTS
from rnetstats.studies.duan2024.salvage_effects import HORIZON, SalvageEffects, adjusted_for
from rnetstats.studies.duan2024.salvage_words import fewer_or_more, limits_of_100, plain_reason
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.records import records
from rnetstats.studies.verdicts import MINIMUM
from rnetstats.treatment.effect import TreatmentEffectResult

__all__ = ["salvage_exhibits"]

_NAMES = {endpoint.key: endpoint.name for endpoint in ENDPOINTS}
_QUESTIONS = {
    "naive": "Ever against never salvaged, counted from the first resection: wrong by "
    "construction, shown for comparison",
    "time-dependent Cox": "At each moment, patients already salvaged against those not (yet)",
    "landmark": "From month {landmark:g} on, salvaged by then against not",
}
_RATIOS = (0.05, 0.1, 0.25, 0.5, 0.7, 0.9, 1.1, 1.5, 2.0, 4.0)  # shown; the file holds more
_MEASURES = {
    "risk difference": "Of 100 patients: how many more have the event by month {horizon:g} if all "
    "are salvaged within {grace:g} months rather than none",
    "risk ratio": "Ratio of these two risks",
    "RMST difference": "Event-free months gained by month {horizon:g}",
}


def salvage_exhibits(chapter: SalvageEffects | None) -> list[Exhibit]:
    """Return the tables that the chapter has the numbers for."""
    if chapter is None:
        return []
    made = (
        _effects(chapter),
        _risks(chapter),
        _kinds(chapter),
        _detectable(chapter),
        _immortal(chapter),
        _biases(chapter),
        _inputs(chapter),
        _reasons(chapter),
    )
    return [table for table in made if table is not None]


def _effects(chapter: SalvageEffects) -> Exhibit | None:
    """Return every comparison with its own question."""
    if not chapter.effects:
        return None
    parts = []
    for key, effect in chapter.effects.items():
        frame = effect.to_frame()
        frame = frame[(frame["measure"] == "HR") | frame["measure"].isin(_MEASURES)]
        grace = float(effect.glance()["grace"].iloc[0])
        parts.append(frame.assign(reading=_NAMES[key], grace=grace))
    numbers = pd.concat(parts, ignore_index=True)
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


def _risks(chapter: SalvageEffects) -> Exhibit | None:
    """Return absolute risks under both strategies, of 100 patients."""
    rows = [
        row | {"reading": _NAMES[key]}
        for key, effect in chapter.effects.items()
        for row in _strategies(effect)
    ]
    if not rows:
        return None
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Endpoint": numbers["reading"],
            "If": numbers["strategy"],
            "Events seen": [f"{row['n_events']:g} of {row['n']:g}" for row in rows],
            f"Of 100 patients, with the event by month {HORIZON:g} (95 % CI)": [
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


def _kinds(chapter: SalvageEffects) -> Exhibit | None:
    """Return what each margin would have shown."""
    parts = [
        result.glance().assign(reading=_NAMES[key])
        for key, results in chapter.kinds.items()
        for result in results
    ]
    if not parts:
        return None
    numbers = _without_few(pd.concat(parts, ignore_index=True))
    rows = records(numbers)
    shown = pd.DataFrame(
        {
            "Endpoint": numbers["reading"],
            "Events: endoscopic, radical": [
                f"{row['events_new']:g} of {row['n_new']:g}, "
                f"{row['events_reference']:g} of {row['n_reference']:g}"
                for row in rows
            ],
            "Of 100, after endoscopic salvage (95 % CI)": [_more(row) for row in rows],
            "If so many more of 100 would not matter": [
                fmt_number(100.0 * row["margin_high"], 0) for row in rows
            ],
            "Endoscopic salvage is": numbers["verdict"],
            "Patients needed in each arm": [_needed(row["patients_per_arm"]) for row in rows],
        }
    )
    return Exhibit(
        name="salvage_margins",
        title="Is endoscopic salvage no worse than radical surgery?",
        caption=f"Risks by month {HORIZON:g} after salvage, endoscopic less radical, not adjusted. "
        "The margins are ours, for demonstration: the study prints none, and one that is chosen "
        "after seeing the data proves nothing.",
        numbers=numbers,
        shown=shown,
        notes=(
            "Time counts from the day of salvage, so that no immortal time is left. Limits by "
            "Newcombe’s square-and-add from beta product limits where an arm has fewer than 10 "
            f"events, else Greenwood’s; with fewer than {MINIMUM} events in an arm there are none, "
            "and nothing is shown. Patients needed: 80 % power at a one-sided level of 0.025 if "
            "there is no true difference and the risk is that of all salvaged patients here (its "
            "upper 95 % bound where nobody had the event).",
        ),
    )


def _without_few(numbers: pd.DataFrame) -> pd.DataFrame:
    """Take interval, P and verdict from rows in which an arm has few events."""
    few = numbers[["events_new", "events_reference"]].min(axis=1) < MINIMUM
    made = numbers.assign(few=few)
    made.loc[few, ["conf_low", "conf_high", "p_value"]] = math.nan
    made.loc[few, "smallest_margin"] = math.inf
    made.loc[few, "verdict"] = "too few events to say"
    return made


def _more(row: dict[str, Any]) -> str:
    """Write the difference as patients of 100 with its interval, if it has one."""
    text = fewer_or_more(row["estimate"], 1)
    if row["few"]:
        return f"{text} (no interval)"
    return f"{text} ({limits_of_100(row['conf_low'], row['conf_high'], 1)})"


def _needed(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else "–"


def _detectable(chapter: SalvageEffects) -> Exhibit | None:
    found = chapter.detectable
    if found is None:
        return None
    return Exhibit(
        name="salvage_detectable",
        title="What these recurrences could have shown",
        caption="For hazard ratios supposed beforehand, never for the one observed: how often a "
        "study with these recurrences would call the difference significant, and by how much the "
        "significant ones would exaggerate.",
        numbers=found.to_frame(),
        shown=found.display()[found.to_frame()["hazard_ratio"].isin(_RATIOS)],
        notes=tuple(note for note in found.notes if " of none or " not in note),  # said in the text
    )


def _immortal(chapter: SalvageEffects) -> Exhibit | None:
    found = chapter.immortal
    if found is None:
        return None
    return Exhibit(
        name="salvage_immortal",
        title="Immortal time alone, by the delay of salvage",
        caption="Simulated: salvage has no effect, and no other bias is at work. A hazard ratio "
        "below 1 is what the naive comparison makes of it.",
        numbers=found.to_frame(),
        shown=found.display(),
        notes=tuple(note.replace(ENDPOINTS[0].surv, "recurrence") for note in found.notes),
    )


def _biases(chapter: SalvageEffects) -> Exhibit | None:
    found = chapter.biases
    if found is None:
        return None
    return Exhibit(
        name="salvage_biases",
        title="The biases of a comparison by salvage, and their size",
        caption="Simulated: each bias alone, then all together, under no effect of salvage on "
        "recurrence.",
        numbers=found.to_frame(),
        shown=found.display().assign(Assumes=lambda shown: shown["Assumes"].map(_assumed)),
        notes=found.notes,
    )


def _assumed(text: str) -> str:
    """Write what a bias assumes with its units."""
    text = re.sub(r"(\d)%", r"\1 %", text)
    text = re.sub(r"every (\S+) \(treated\)", r"every \1 months (treated)", text)
    return re.sub(r"delays of (\S+) on", r"delays of \1 months on", text)


def _inputs(chapter: SalvageEffects) -> Exhibit | None:
    if chapter.biases is None:
        return None
    inputs = chapter.biases.inputs
    shown = pd.DataFrame(
        {
            "Assumption": [
                f"{text} (months)" if text.startswith("time ") else text
                for text in inputs["meaning"]
            ],
            "Value": [fmt_number(value, 2) for value in inputs["value"]],
            "Where it comes from": inputs["source"],
        }
    )
    return Exhibit(
        name="salvage_bias_inputs",
        title="What the simulated biases assume",
        caption="No such figure is printed in the study. Change them, and the order may change.",
        numbers=inputs,
        shown=shown,
    )


def _reasons(chapter: SalvageEffects) -> Exhibit | None:
    """Return how the salvaged differed from the others before, and after weighting."""
    found = chapter.score
    if found is None:
        return None
    numbers = found.balance().to_frame()
    rows = records(numbers)
    shown = pd.DataFrame(
        {
            "Factor": [_factor(row) for row in rows],
            "Salvaged": [_mean(row, "treated") for row in rows],
            "Not salvaged": [_mean(row, "control") for row in rows],
            "SMD before": [fmt_number(round(row["smd_before"], 2)) for row in rows],
            "SMD after weighting": [fmt_number(round(row["smd_after"], 2)) for row in rows],
        }
    )
    glance = found.glance().iloc[0]
    return Exhibit(
        name="salvage_reasons",
        title="Who was salvaged",
        caption="Means (shares for factors) among positive margins. "
        f"C statistic of salvage given these factors: {fmt_number(glance['c_statistic'])}. "
        f"Positivity: {glance['positivity']}.",
        numbers=numbers,
        shown=shown,
        notes=(
            "SMD: standardised mean difference; weighted by the inverse probability of the salvage "
            f"that was given, the {glance['n_treated']:g} salvaged are worth "
            f"{fmt_number(glance['ess_treated'], 0)} patients and the {glance['n_control']:g} "
            "others "
            f"{fmt_number(glance['ess_control'], 0)} ({fmt_percent(_left(glance))} of all).",
        ),
    )


def _left(glance: pd.Series) -> float:
    return float((glance["ess_treated"] + glance["ess_control"]) / glance["n"])


def _factor(row: dict[str, Any]) -> str:
    return f"{row['label']}: {row['level']}" if row["level"] else str(row["label"])


def _mean(row: dict[str, Any], arm: str) -> str:
    value = row[f"mean_{arm}_before"]
    return fmt_percent(value) if row["binary"] else fmt_number(value, 1)
