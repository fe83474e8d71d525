"""The claim on the model's accuracy, judged by its own table of rules, and its sentences."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.formatting import fmt_interval, fmt_number, inside, listed
from rnetstats.studies.duan2024.prediction_models import JUDGED, PredictionModels, evidence
from rnetstats.studies.duan2024.prediction_recipes import WAYS
from rnetstats.studies.finding import Finding
from rnetstats.studies.model_verdicts import (
    HIGH,
    SLOPES,
    ModelEvidence,
    auc_word,
    judge_model,
)
from rnetstats.studies.records import records
from rnetstats.studies.verdict_table import Verdict

__all__ = ["model_claim", "model_facts", "pairs"]


def model_claim(models: PredictionModels, *, where: str) -> Finding:
    """Return the claim that the model has high accuracy, with its verdict.

    It stands outside the family of claims whose P values are adjusted together: it is judged by
    limits of its performance, which under no effect practically never reach what it asks for.
    """
    readings = evidence(models)
    verdict = judge_model(readings, rarer=models.rarer)
    return Finding(
        key="model_accuracy",
        statement="The prediction model built on the four predictors has high accuracy",
        endpoint="Positive margin (at the first resection)",
        estimand="Discrimination, calibration and net benefit in new patients of the same kind, "
        f"which the model has not seen (other centres may differ); complete cases, {models.n}",
        method=f"Optimism by the bootstrap, {models.resamples:,} resamples; in each the model is "
        "made again by Firth’s penalty (FLIC), once with the printed cut-offs as fixed and once "
        "with cut-offs and predictors searched again",
        events=f"positive margins: {models.n_events} of {models.n}",
        said=_said(models, readings, verdict, where),
        n_events=models.rarer,
        smallest=models.rarer,
        fewest=models.rarer,
        fixed=verdict,
        shown="; ".join(_estimate(reading) for reading in readings),
    )


def _estimate(reading: ModelEvidence) -> str:
    interval = fmt_interval(reading.conf_low, reading.conf_high)
    return f"corrected AUC {fmt_number(reading.auc)} ({interval}) {reading.reading}"


def _said(
    models: PredictionModels,
    readings: tuple[ModelEvidence, ...],
    verdict: Verdict,
    where: str,
) -> str:
    """Return the sentences of the claim: ranking, calibration, and what follows."""
    if not readings:
        return "No model could be made and validated in these data; the claim is not judged."
    sentences = [pairs(model_facts(models))]
    slopes = {r.reading: r.slope for r in readings if not math.isnan(r.slope)}
    if slopes:
        low, high = min(slopes.values()), max(slopes.values())
        between = " and ".join(f"{slope:.2f} {reading}" for reading, slope in slopes.items())
        ideal = "" if SLOPES[0] <= low and high <= SLOPES[1] else _too_far(low, high)
        sentences.append(f"The calibration slope in new patients is about {between}{ideal}.")
    endings = {
        "confirmed": f"{where} the claim is confirmed.",
        "contradicted": f"{where} the claim is contradicted: an AUC of {HIGH:g} lies above all "
        "limits.",
        "too few": f"{where} the claim cannot be judged: there are too few events.",
        "compatible": f"{where} the claim is possible but not shown.",
    }
    return " ".join([*sentences, endings.get(verdict.rule, "")]).strip()


def _too_far(low: float, high: float) -> str:
    if low < SLOPES[0]:
        return " (1 would be right): high risks are predicted too high, low ones too low"
    return " (1 would be right): predicted risks differ too little" if high > SLOPES[1] else ""


def model_facts(models: PredictionModels) -> dict[str, Any]:
    """Return the numbers that sentences are made from; missing figures are left out."""
    facts: dict[str, Any] = {
        "n": models.n,
        "n_events": models.n_events,
        "resamples": models.resamples,
        "candidates": list(models.candidates),
        "alike": list(models.alike),
        "ways": {},
    }
    for way in WAYS:
        made = models.validations.get(way)
        if made is None:
            continue
        by = {row["index"]: row for row in records(made.to_frame())}
        ends = {}
        for index in ("auc", "slope", "brier_scaled"):
            if index in by:
                ends[index] = {
                    name: float(by[index][name])
                    for name in ("apparent", "optimism", "corrected")
                    if not math.isnan(by[index][name])
                }
        facts["ways"][way] = ends
    if not any(way in facts["ways"] for way in JUDGED):
        facts["ways"] = {}  # the model of the claim could not be judged
    if models.instability is not None:
        about = models.instability.summary
        facts["mape"] = float(about["mape"])
        facts["width_median"] = float(about["width_median"])
    return facts


def pairs(facts: dict[str, Any]) -> str:
    """Say what the AUC means: pairs of one patient with and one without a positive margin."""
    ways = {way: ends["auc"] for way, ends in facts["ways"].items() if way in _IF}
    corrected = sorted(ends["corrected"] for ends in ways.values() if "corrected" in ends)
    usual = " to ".join(dict.fromkeys(map(auc_word, corrected)))
    word = f" ({usual} discrimination in the usual words)" * bool(usual)
    return (
        "Of 100 pairs of a patient with and a patient without a positive margin, the model gives "
        f"the first the higher risk in {_readings(ways)}{word}; a coin gives 50."
        f"{_without(facts.get('alike', []))}"
    )


def _without(alike: list[str]) -> str:
    """Say which printed predictors the model lacks, since all patients are alike in them."""
    if not alike:
        return ""
    vary = f"{'do' if len(alike) > 1 else 'does'} not vary in these patients"
    rest = f"one of the other{'s' * (4 - len(alike) > 1)} alone"
    names = listed([alike[0], *map(inside, alike[1:])])
    return f" {names} {vary}, so that the printed model is {rest}."


_IF = {
    "printed": "if its cut-offs were fixed beforehand",
    "repeated": "if they and the predictors were searched in these patients",
}


def _readings(ways: dict[str, dict[str, float]]) -> str:
    """Say in how many pairs, on its own and in new patients, under each reading."""
    counts = {way: _counts(ends) for way, ends in ways.items()}
    if len(counts) == 1:
        return _own_and_new(*next(iter(counts.values())))
    fixed, again = counts["printed"], counts["repeated"]
    if fixed == again:
        return (
            f"{_own_and_new(*fixed)}, whether its cut-offs were fixed beforehand or searched in "
            "these patients"
        )
    return (
        f"{_own_and_new(*fixed)} {_IF['printed']}, and in {again[0]} and {again[1]} "
        f"{_IF['repeated']}"
    )


def _counts(ends: dict[str, float]) -> tuple[str, str]:
    new = ends.get("corrected")
    return f"{100 * ends['apparent']:.0f}", "?" if new is None else f"about {100 * new:.0f}"


def _own_and_new(own: str, new: str) -> str:
    return f"{own} on the patients it was made from and in {new} in new patients"
