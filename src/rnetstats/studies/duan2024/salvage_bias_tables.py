"""Tables of the salvage chapter: what could be shown, immortal time, and the larger biases."""

from __future__ import annotations

import re

import pandas as pd

from rnetstats.formatting import fmt_number
from rnetstats.studies.duan2024.outcomes import ENDPOINTS
from rnetstats.studies.duan2024.salvage_effects import SalvageEffects
from rnetstats.studies.exhibit import Exhibit

__all__ = ["biases_table", "detectable_table", "immortal_table", "inputs_table"]

_RATIOS = (0.05, 0.1, 0.25, 0.5, 0.7, 0.9, 1.1, 1.5, 2.0, 4.0)  # shown; the file holds more


def detectable_table(chapter: SalvageEffects) -> Exhibit | None:
    """Return the power of such a study, and its errors, at ratios supposed beforehand."""
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
        notes=found.notes,
    )


def immortal_table(chapter: SalvageEffects) -> Exhibit | None:
    """Return what immortal time alone does, by the delay."""
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


def biases_table(chapter: SalvageEffects) -> Exhibit | None:
    """Return the biases by size."""
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


def inputs_table(chapter: SalvageEffects) -> Exhibit | None:
    """Return what the simulated biases assume."""
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
