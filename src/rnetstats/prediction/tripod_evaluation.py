"""What a validation can say to the items of TRIPOD+AI."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.prediction.indices import LABELS
from rnetstats.prediction.tripod_evidence import Evidence

__all__ = [
    "building",
    "centres",
    "clusters",
    "counts",
    "differences",
    "measures",
    "performance",
    "piece",
    "use_of_data",
]

_SHOWN: Final = ("auc", "c", "auc_t", "slope", "intercept", "ici", "brier", "ipa", "nagelkerke_r2")


def use_of_data(found: Evidence) -> str:
    """Item 12a."""
    if found.validation is None:
        return ""
    if found.same_patients:
        return "The model was judged on the very patients that it was made from, uncorrected."
    if found.method == "external":
        return "The model was judged on other patients, as it is."
    if found.method == "internal-external":
        return (
            "All patients were used for the final model; each centre was left out in turn, to "
            "judge a model of the others on it."
        )
    return "All patients were used for development; performance was corrected by resampling."


def piece(found: Evidence) -> str:
    """What a validation fits a model to."""
    return "resample" if found.method in ("boot", "632") else "fit"


def building(found: Evidence) -> str:
    """Item 12c."""
    steps = " ".join(found.recipe.steps()) if found.recipe else f"{found.model.method}."
    if found.validation is None:
        return steps
    about = found.validation.summary
    runs = f"{about['resamples']:,}"
    whom = "The patients that it was made from" if found.same_patients else "Other patients"
    names = {
        "boot": f"Bootstrap, optimism ({runs} resamples)",
        "632": f"Bootstrap, .632 ({runs} resamples)",
        "cv": f"Repeated cross-validation ({_repetitions(about)})",
        "internal-external": "Internal-external cross-validation by centre",
        "external": f"{whom} ({runs} resamples of them for limits)",
    }
    repeated = {
        "repeated": f"every step repeated in each {piece(found)}",
        "fixed": "the model as it is" if found.method == "external" else "the design held fixed",
    }[about["design"]]
    return f"{steps} Validation: {names[found.method]}, {repeated}."


def _repetitions(about: dict[str, Any]) -> str:
    many = about["resamples"]
    return f"{many:,} repetition{'s' * (many != 1)}"


def clusters(found: Evidence) -> str:
    """Item 12d."""
    if found.method == "internal-external":
        return "Each centre was left out in turn."
    return ""


def measures(found: Evidence) -> str:
    """Item 12e."""
    if found.validation is None:
        return ""
    names = [LABELS[name] for name in found.validation.table["index"]]
    if len(found.validation.benefit_table):
        names += ["calibration curve", "decision curve"]
    return ", ".join(names) + "."


def differences(found: Evidence) -> str:
    """Item 16."""
    if found.method in ("", "external"):
        return ""
    if found.method == "internal-external":
        return "Those between the centre left out and the others; by centre under item 23b."
    return "None: performance was corrected on the development data by resampling."


def counts(found: Evidence) -> str:
    """Item 21."""
    parts = [f"Development: {found.counts}"] if found.counts else []
    if found.validation is not None:
        about = found.validation.summary
        horizon = about.get("horizon")
        by = "" if horizon is None else f" by {horizon:g}"
        parts.append(
            f"validation: {about['n']:,} patients, {about['n_events']:,} with the outcome{by}"
            + _runs(found.method, about)
        )
    return "; ".join(parts) + "." if parts else ""


def _runs(method: str, about: dict[str, Any]) -> str:
    """How often a model was made again for the validation, and how often that failed."""
    if method == "external":
        return ""
    if method in ("boot", "632"):
        return f", {about['resamples']:,} resamples, {about['n_failed']:,} without a model"
    times = f", {_repetitions(about)}" if method == "cv" else ""
    return f"{times}, {about['n_failed']:,} fits without a model"


def performance(found: Evidence) -> str:
    """Item 23a."""
    if found.validation is None:
        return ""
    rows = {row["index"]: row for row in found.validation.to_frame().to_dict("records")}
    parts = []
    for name in _SHOWN:
        row = rows.get(name)
        if row is None or not np.isfinite(row["corrected"]):
            continue
        text = f"{LABELS[name]} {fmt_number(row['corrected'], 3)}"
        if np.isfinite(row["conf_low"]):
            text += f" ({fmt_interval(row['conf_low'], row['conf_high'], 3)})"
        if np.isfinite(row["apparent"]) and found.method != "external":
            text += f", apparent {fmt_number(row['apparent'], 3)}"
        parts.append(text)
    how = {
        "external": "On other patients",
        "cv": "Cross-validated",
        "internal-external": "In centres that were left out",
    }.get(found.method, "Corrected for optimism")
    if found.same_patients:
        how = "Apparent, on the patients that the model was made from"
    return f"{how}: {'; '.join(parts)}. Subgroups: the authors' to give."


def centres(found: Evidence) -> str:
    """Item 23b."""
    if found.validation is None or not len(found.validation.centre_table):
        return ""
    frame = found.validation.by_centre()
    shown = [
        f"{row['centre']} ({row['n']} patients, {row['n_events']} events)"
        for row in frame.to_dict("records")
    ]
    return f"By centre left out: {'; '.join(shown)}; indices in ValidationResult.by_centre()."
