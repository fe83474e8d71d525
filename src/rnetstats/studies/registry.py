"""The studies that can be reproduced."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from rnetstats.errors import OptionError, closest

__all__ = ["STUDIES", "StudyEntry", "study"]


@dataclass(frozen=True)
class StudyEntry:
    """A study's name, one line about it, and where its analysis lives."""

    name: str
    summary: str
    package: str
    truths: tuple[str, ...]
    seed: int

    def part(self, module: str, name: str) -> Any:
        """Return a part of the study: ``analyse``, ``figures``, ``sections``, ``glossary``."""
        return getattr(import_module(f"{self.package}.{module}"), name)


STUDIES = {
    "duan2024": StudyEntry(
        name="duan2024",
        summary="Positive margins after endoscopic resection of rectal neuroendocrine tumours "
        "(527 patients, 181 positive margins, 12 recurrences)",
        package="rnetstats.studies.duan2024",
        truths=("as_published", "smooth", "null"),
        seed=527,
    )
}


def study(name: str) -> StudyEntry:
    """Return a study by its name."""
    if not isinstance(name, str) or name not in STUDIES:
        listed = ", ".join(sorted(STUDIES))
        hint = closest(str(name), STUDIES)
        raise OptionError(f"There is no study {name!r}.{hint} The studies are: {listed}.")
    return STUDIES[name]
