"""The claim on the model's accuracy, judged by its own table of rules, and its sentences."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.studies.duan2024.prediction_models import PredictionModels, evidence
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
from rnetstats.studies.verdicts import Verdict

__all__ = ["in_new_patients", "model_claim", "model_facts", "pairs"]


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
    slopes = [r.slope for r in readings if not math.isnan(r.slope)]
    if slopes:
        low, high = min(slopes), max(slopes)
        between = f"{low:.2f}" if len(slopes) == 1 else f"{low:.2f} and {high:.2f}"
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
    if models.instability is not None:
        about = models.instability.summary
        facts["mape"] = float(about["mape"])
        facts["width_median"] = float(about["width_median"])
    return facts


def pairs(facts: dict[str, Any]) -> str:
    """Say what the AUC means: pairs of one patient with and one without a positive margin."""
    ways = facts["ways"]
    first = ways.get("printed") or ways.get("repeated")
    own = first["auc"]["apparent"]
    return (
        f"Of 100 pairs of a patient with and a patient without a positive margin, the model gives "
        f"the first the higher risk in {100 * own:.0f} on the patients it was made from; "
        f"{in_new_patients(ways)}; a coin gives 50."
    )


def in_new_patients(ways: dict[str, Any]) -> str:
    """Say how many pairs in new patients, under both readings of the cut-offs."""
    fixed, again = (
        ways[way]["auc"].get("corrected") if way in ways else None
        for way in ("printed", "repeated")
    )
    known = [value for value in (fixed, again) if value is not None]
    word = f" ({auc_word(max(known))} discrimination in the usual words)" if known else ""
    if fixed is None or again is None:
        if not known:
            return "how often in new patients is not known"
        return f"in new patients in about {100 * known[0]:.0f}{word}"
    if round(100 * fixed) == round(100 * again):
        return (
            f"in new patients in about {100 * fixed:.0f}, whether its cut-offs were fixed "
            f"beforehand or searched in these patients{word}"
        )
    return (
        f"in new patients in about {100 * fixed:.0f} if its cut-offs were fixed beforehand, and in "
        f"about {100 * again:.0f} if they and the predictors were searched in these patients{word}"
    )
