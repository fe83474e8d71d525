"""Where the embedded cohorts stand: in the wheel, or in a checkout under data/synthetic."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

__all__ = ["cohort_files", "embedded_origin", "folders"]

_CHECKOUT = Path(__file__).resolve().parents[3] / "data" / "synthetic"


def folders() -> list[Traversable]:
    """Places of the cohorts: the installed package first, then the checkout."""
    return [files("rnetstats").joinpath("_cohorts"), _CHECKOUT]


def cohort_files(name: str) -> dict[str, Traversable]:
    """Per truth the file of a study's cohort."""
    pattern = re.compile(rf"{re.escape(name)}_(?P<truth>\w+)\.csv")
    for folder in folders():
        if folder.is_dir():
            named = {entry.name: entry for entry in folder.iterdir()}
            matches = [match for entry in sorted(named) if (match := pattern.fullmatch(entry))]
            if matches:
                return {match["truth"]: named[match[0]] for match in matches}
    return {}


def embedded_origin(sha256: str, studies: tuple[str, ...]) -> dict[str, object]:
    """Return the mark of an embedded cohort that was read as a plain file, else nothing."""
    return _digests(studies).get(sha256, {})


@cache
def _digests(studies: tuple[str, ...]) -> dict[str, dict[str, object]]:
    return {
        hashlib.sha256(file.read_bytes()).hexdigest(): {
            "synthetic": True,
            "study": study,
            "truth": truth,
        }
        for study in studies
        for truth, file in cohort_files(study).items()
    }
