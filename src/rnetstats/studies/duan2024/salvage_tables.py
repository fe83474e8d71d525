"""The tables of the salvage chapter."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.studies.duan2024.outcomes import ENDPOINTS
from rnetstats.studies.duan2024.salvage_bias_tables import (
    biases_table,
    detectable_table,
    immortal_table,
    inputs_table,
)
from rnetstats.studies.duan2024.salvage_comparisons import effects_table, risks_table
from rnetstats.studies.duan2024.salvage_effects import SalvageEffects
from rnetstats.studies.duan2024.salvage_words import fewer_or_more, limits_of_100
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.records import records
from rnetstats.studies.verdicts import MINIMUM

__all__ = ["salvage_exhibits"]

_NAMES = {endpoint.key: endpoint.name for endpoint in ENDPOINTS}


def salvage_exhibits(chapter: SalvageEffects | None) -> list[Exhibit]:
    """Return the tables that the chapter has the numbers for."""
    if chapter is None:
        return []
    made = (
        effects_table(chapter),
        risks_table(chapter),
        _kinds(chapter),
        detectable_table(chapter),
        immortal_table(chapter),
        biases_table(chapter),
        inputs_table(chapter),
        _reasons(chapter),
    )
    return [table for table in made if table is not None]


def _kinds(chapter: SalvageEffects) -> Exhibit | None:
    """Return what each margin would have shown."""
    parts = [
        result.glance().assign(reading=_NAMES[key])
        for key, results in chapter.kinds.items()
        for result in results
    ]
    if not parts:
        return None
    horizon = next(iter(chapter.kinds.values()))[0].options["horizon"]
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
        caption=f"Risks by month {horizon:g} after salvage, endoscopic less radical, not adjusted. "
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
            f"that was given, {_worth(glance, 'treated', 'salvaged')}, and "
            f"{_worth(glance, 'control', 'not salvaged')} ({fmt_percent(_left(glance))} of all).",
        ),
    )


def _worth(glance: pd.Series[Any], arm: str, words: str) -> str:
    """Say how many patients a weighted arm is worth."""
    n, worth = int(glance[f"n_{arm}"]), fmt_number(glance[f"ess_{arm}"], 0)
    if n == 1:
        return f"the 1 patient {words} is worth {worth}"
    return f"the {n} patients {words} are worth {worth}"


def _left(glance: pd.Series) -> float:
    return float((glance["ess_treated"] + glance["ess_control"]) / glance["n"])


def _factor(row: dict[str, Any]) -> str:
    return f"{row['label']}: {row['level']}" if row["level"] else str(row["label"])


def _mean(row: dict[str, Any], arm: str) -> str:
    value = row[f"mean_{arm}_before"]
    return fmt_percent(value) if row["binary"] else fmt_number(value, 1)
