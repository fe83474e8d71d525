"""The answer: a few sentences, made from the claims' verdicts and the printed numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rnetstats.formatting import fmt_number, fmt_percent, listed
from rnetstats.studies.duan2024.arithmetic import (
    PrintedNumbers,
    at_most,
    ceiling,
    event_splits,
    first_significant,
    share_at_which,
)
from rnetstats.studies.duan2024.model_claim import pairs
from rnetstats.studies.records import records
from rnetstats.studies.verdicts import FAMILY_LEVEL, MINIMUM, events_text

__all__ = ["answer"]

_DFS = ("margin_recurrence", "margin_dfs")
_PREDICTORS = ("method", "lower", "nlr", "size")
_NAMES = {
    "method": "resection method",
    "lower": "lower rectum",
    "nlr": "NLR above the printed cut-off",
    "size": "size above the printed cut-off",
}
_SHORT = {
    "confirmed": "confirmed",
    "contradicted": "contradicted",
    "sparse arm": "suggested only (too few events in one arm)",
    "compatible": "compatible with the data but not shown",
    "too few": "beyond judging (too few events)",
    "too wide": "beyond judging (too few events)",
    "not judged": "not judged here",
    "association only": "an association (not an effect)",
    "association against": "met by an association the other way (no effect either)",
}


def answer(
    claims: pd.DataFrame,
    printed: PrintedNumbers,
    model: dict[str, Any],
    *,
    synthetic: bool,
) -> tuple[str, ...]:
    """Return the sentences that a reader sees first."""
    rows = {row["claim"]: row for row in records(claims)}
    where = "in this synthetic cohort" if synthetic else "in these data"
    sentences = [
        _margin(rows, where),
        " ".join(_numbers(rows[key]) for key in _DFS),
        _predictors(rows, where),
        _model(rows["model_accuracy"], model, where),
        _salvage(rows),
        _fragile(printed),
    ]
    if synthetic:
        sentences.append(
            "The cohort behind these figures was drawn by a computer in the shape of the study. "
            "It shows what a study of this size can and cannot support; it says nothing about "
            "patients."
        )
    return tuple(sentences)


def _margin(rows: dict[str, dict[str, Any]], where: str) -> str:
    """Say what becomes of the claim on disease-free survival under both readings."""
    first, second = (rows[key] for key in _DFS)
    if _SHORT[first["rule"]] == _SHORT[second["rule"]]:
        verdict = f"is {_SHORT[first['rule']]}, whichever way disease-free survival is read"
    else:
        verdict = (
            f"is {_SHORT[first['rule']]} for the time to recurrence, and {_SHORT[second['rule']]} "
            "for recurrence or death"
        )
    start = where[0].upper() + where[1:]
    return f"{start}, the claim that a positive margin worsens disease-free survival {verdict}."


def _numbers(row: dict[str, Any]) -> str:
    """Return a claim's counts and estimate as a sentence."""
    counts = str(row["events"])
    estimate = "" if row["estimate_text"] == "none" else f": {row['estimate_text']}"
    if estimate and row["fewest_events"] < MINIMUM:
        estimate += f"; {_few(row)}"
    elif estimate and row["rule"] == "compatible" and row["p_value"] < FAMILY_LEVEL:
        estimate += f"; {_alone(row)}"
    return f"{counts[0].upper()}{counts[1:]}{estimate}."


def _alone(row: dict[str, Any]) -> str:
    """Say why an interval that leaves no effect out shows nothing."""
    exact = row.get("p_exact_text", "–")
    tested = f" (exact test {exact})" if exact not in ("–", row["p_text"]) else ""
    adjusted = row["p_adjusted_text"]
    return f"P {row['p_text']}{tested} taken alone, {adjusted} after allowance for all claims"


def _few(row: dict[str, Any]) -> str:
    """Say what an estimate is worth that rests on few events in one arm."""
    few = f"with {events_text(row['fewest_events'])} in one arm"
    if row["rule"] in ("confirmed", "contradicted"):
        if row["fewest_events"] == 0 and row["estimate_text"].startswith("rate ratio"):
            return f"{few} an exact test shows the direction, and the size has one bound only"
        return f"{few} an exact test shows the direction, but the size is not known"
    if row["rule"] == "sparse arm":
        return f"{few} the direction is suggested, and the size is not known"
    if row["p_value"] < FAMILY_LEVEL:
        return f"{_alone(row)}, and {few} the size is not known"
    return f"{few} neither the direction nor the size is known"


def _predictors(rows: dict[str, dict[str, Any]], where: str) -> str:
    groups: dict[str, list[str]] = {}
    for key in _PREDICTORS:
        groups.setdefault(_SHORT[rows[key]["rule"]], []).append(_NAMES[key])
    if len(groups) == 1:
        (verdict,) = groups
        what = f"All four printed predictors of a positive margin are {verdict}"
        return f"{what}." if verdict == _SHORT["not judged"] else f"{what} {where}."
    parts = [
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} {verdict}"
        for verdict, names in groups.items()
    ]
    return f"Of the four printed predictors of a positive margin, {'; '.join(parts)}."


def _model(row: dict[str, Any], model: dict[str, Any], where: str) -> str:
    """Say what the prediction model is worth, in pairs of patients."""
    if not model["ways"]:
        return "These data do not carry a prediction model, so its accuracy is not judged."
    verdict = _SHORT.get(row["rule"], row["verdict"])
    judged = "" if row["rule"] == "not judged" else f" {where}"
    return f"That the prediction model is highly accurate is {verdict}{judged}. {pairs(model)}"


def _salvage(rows: dict[str, dict[str, Any]]) -> str:
    both = [rows[f"salvage_{key}"] for key in ("recurrence", "dfs")]
    first, second = both
    verdict = _SHORT[first["rule"]]
    if _SHORT[second["rule"]] != verdict:
        verdict = (
            f"{verdict} for the time to recurrence, and {_SHORT[second['rule']]} for "
            "recurrence or death"
        )
    counts = "; ".join(dict.fromkeys(str(row["events"]) for row in both))
    counts = f"{counts[0].upper()}{counts[1:]}"
    reasons = (
        " Doctors chose whom to salvage, and no such comparison can take their reasons away."
        if any(row["n_events"] for row in both)
        else ""
    )
    return (
        f"That salvage improves disease-free survival is {verdict}. {counts}.{reasons} Whether "
        "endoscopic salvage is as good as surgery is "
        f"{rows['salvage_kinds']['verdict']}: “no worse” needs a margin that nobody has stated."
    )


def _fragile(printed: PrintedNumbers) -> str:
    """Say what the printed numbers alone allow, whatever the patients were."""
    top = ceiling(printed)
    least = first_significant(event_splits(printed))
    below = least - 1
    share = share_at_which(below, printed.recurrences)
    return (
        f"From the printed numbers alone: even if all {printed.recurrences} recurrences had "
        f"fallen among the {printed.positive} positive margins, {top['free']:g} of "
        f"{printed.positive} ({fmt_percent(top['free_share'])}) stayed free of recurrence, so "
        "salvaging all of them could have prevented at best one recurrence per "
        f"{fmt_number(top['salvages_per_prevented'], 1)} salvages. And one patient decides: "
        f"{least} of {printed.recurrences} recurrences among positives is significant by Fisher’s "
        f"test, {below} is not, unless the positives hold {at_most(share)} or less of the "
        "follow-up and the log-rank test is used."
    )
