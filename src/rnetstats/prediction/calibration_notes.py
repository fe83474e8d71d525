"""What a reader must know beside the numbers of a calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.prediction.calibration_levels import ENOUGH_EVENTS, FEWEST_EVENTS
from rnetstats.prediction.judged import Judged

__all__ = ["general_notes", "model_notes"]

Floats = NDArray[np.float64]

_SMALL = 20


def general_notes(
    measures: dict[str, Any], time: float | None, smoother: str, *, competing: bool = False
) -> list[str]:
    """Return the notes that hold for every model: few patients, few events, censoring."""
    n, events = measures["n"], measures["n_events"]
    others = n - events
    notes = []
    if n < _SMALL:
        many = "patient" if n == 1 else "patients"
        notes.append(
            f"Only {n:g} {many}: curves, distances and tests of so few say next to nothing."
        )
    if events == 0 or others == 0:
        what = "No patient had" if events == 0 else "Every patient had"
        notes.append(
            f"{what} the event: slope, scaled scores and likelihood-ratio tests are undefined "
            "(missing), and the intercept is infinite."
            if time is None
            else f"{what} the event by time {time:g}."
        )
    if 0 < min(events, others) < FEWEST_EVENTS:
        few = _few(events, others)
        notes.append(
            f"All rests on {few}: limits of intercept and slope say next to nothing"
            + (
                "; those of O/E are exact (Poisson)"
                if time is None and events < FEWEST_EVENTS
                else ""
            )
            + ". Of the levels only the mean one is judged."
        )
    if 0 < min(events, others) < ENOUGH_EVENTS:
        notes.append(
            f"A flexible curve takes some {ENOUGH_EVENTS} events and as many patients without "
            f"(Van Calster et al. 2016); here there are {events:g} and {others:g}. The distances "
            "from it (ICI, E50, E90, Emax) are then too large on average, even for right risks."
        )
    if time is not None:
        notes.append(
            "Nagelkerke's R2 and Spiegelhalter's test are not defined for censored times and are "
            "missing. Scaled Brier is the index of prediction accuracy (IPA), with inverse "
            "probability of censoring weights. Intercepts are those of pseudo-values on the "
            "complementary log-log scale."
        )
    if time is not None and not competing:
        what = "The slope comes"
        if smoother in ("rcs", "cloglog"):
            what = "The slope, and the curve with the distances from it, come"
        notes.append(
            f"{what} from a Cox regression over the whole follow-up, past time {time:g} too: where "
            "hazards are not proportional right risks may seem wrong there. The intercepts, and "
            "the tests of intercept and slope together and of a spline, rest on the risks by time "
            f"{time:g} alone."
        )
    if smoother in ("logistic", "cloglog"):
        notes.append(
            f"smoother={smoother!r} is a straight line on its scale: it can show weak "
            "calibration, no more."
        )
    return notes


def _few(events: float, others: float) -> str:
    """Say how many patients have the rarer outcome."""
    if events <= others:
        return "a single event" if events == 1 else f"{events:g} events"
    return "a single patient without the event" if others == 1 else f"{others:g} without the event"


def model_notes(
    label: str, measures: dict[str, Any], risk: Floats, judged: Judged, found: list[str]
) -> list[str]:
    """Return the notes on one model, its label in front."""
    notes = list(found)
    both = 0 < measures["n_events"] < measures["n"]
    weight = np.ones(len(risk)) if judged.freq is None else judged.freq
    edge = (risk == 0.0) | (risk == 1.0)
    if edge.any():
        many = weight[edge].sum()
        notes.append(
            f"a risk of exactly 0 or 1 ({many:g} patient{'' if many == 1 else 's'}), which the "
            "outcome agrees with, fits every rising line and is left out of intercept and slope"
        )
    if judged.horizon is None and both:
        assert judged.outcome.y is not None
        notes += _slope_notes(measures, risk, judged.outcome.y, edge)
    if judged.horizon is None and not np.isfinite(measures["spiegelhalter_z"]):
        notes.append("Spiegelhalter's test is undefined: every risk is 0, 1/2 or 1")
    if judged.apparent.get(label):
        notes.append(
            "the model was fitted on these very patients: this is its apparent calibration, good "
            "by construction (validate() corrects for optimism)"
        )
    return [note if note[0].isupper() else f"{label}: {note}." for note in notes]


def _slope_notes(
    measures: dict[str, Any], risk: Floats, y: Floats, edge: NDArray[np.bool_]
) -> list[str]:
    slope = measures["slope"]
    if np.isinf(slope):
        way = "events from non-events" if slope > 0 else "events from non-events the wrong way"
        return [
            f"the risks separate {way}: the slope is infinite and the joint intercept undefined "
            "(missing)"
        ]
    if np.isfinite(slope):
        return []
    inner = risk[~edge]
    if not inner.size:
        return ["every risk is 0 or 1: slope and joint intercept are undefined (missing)"]
    if np.ptp(inner) <= 1e-12:
        return ["the risks are all the same: slope and joint intercept are undefined (missing)"]
    if np.ptp(y[~edge]) == 0.0:
        return [
            "patients with a risk within (0, 1) all have one outcome: slope and joint intercept "
            "are undefined (missing)"
        ]
    if edge.any():
        return [
            "beside risks of exactly 0 or 1 only a rising line fits, and among the others events "
            "do not become more frequent with the risk: slope and joint intercept are undefined "
            "(missing)"
        ]
    return ["slope and joint intercept are undefined among risks within (0, 1) (missing)"]
