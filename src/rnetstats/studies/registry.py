"""The studies that can be reproduced."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from rnetstats.errors import OptionError, closest

__all__ = ["STUDIES", "StudyEntry", "study"]


@dataclass(frozen=True)
class StudyEntry:
    """A study's name, one line about it, and where its analysis lives.

    Attributes
    ----------
    name, summary : str
    package : str
    seed : int
        Of the embedded cohort.
    cohort : str
        The synthetic cohort that is analysed without a file; empty where the printed figures are
        all there is.
    codebook : str
        The built-in codebook that a file is read by.
    truths : tuple of str
        Under which the synthetic cohort can be drawn.
    """

    name: str
    summary: str
    package: str
    seed: int
    cohort: str = ""
    codebook: str = ""
    truths: tuple[str, ...] = ()

    def part(self, module: str, name: str) -> Any:
        """Return a part of the study: ``analyse``, ``figures``, ``sections``, ``glossary``."""
        return getattr(import_module(f"{self.package}.{module}"), name)


_ENTRIES = (
    StudyEntry(
        name="duan2024",
        summary="Positive margins after endoscopic resection of rectal neuroendocrine tumours "
        "(527 patients, 181 positive margins, 12 recurrences)",
        package="rnetstats.studies.duan2024",
        seed=527,
        cohort="duan2024",
        codebook="duan2024",
        truths=("as_published", "smooth", "null"),
    ),
    StudyEntry(
        name="cha2019",
        summary="Additional treatment after endoscopic resection (322 patients, 142 resections "
        "not curative, no recurrence)",
        package="rnetstats.studies.cha2019",
        seed=527,
        cohort="cha2019",
        codebook="cha2019",
        truths=("as_published", "null", "duan_rate"),
    ),
    StudyEntry(
        name="management",
        summary="One case after endoscopic resection by a page of advice and by guidelines; a "
        "cohort through their rules",
        package="rnetstats.studies.management",
        seed=527,
        cohort="duan2024",
        codebook="management",
        truths=("as_published", "smooth", "null"),
    ),
    StudyEntry(
        name="nelm2024",
        summary="Liver metastases of neuroendocrine tumours of pancreas and rectum (81 patients, "
        "two countries)",
        package="rnetstats.studies.nelm2024",
        seed=527,
        cohort="nelm2024",
        codebook="nelm2024",
        truths=("as_published", "null"),
    ),
    StudyEntry(
        name="meta2026",
        summary="Meta-analysis of salvage against observation after incomplete resection (34 "
        "studies; printed figures, or a table of studies of your own)",
        package="rnetstats.studies.meta2026",
        seed=527,
        codebook="meta2026",
    ),
)
STUDIES = {entry.name: entry for entry in _ENTRIES}


def study(name: str) -> StudyEntry:
    """Return a study by its name."""
    if not isinstance(name, str) or name not in STUDIES:
        listed = ", ".join(sorted(STUDIES))
        hint = closest(str(name), STUDIES)
        raise OptionError(f"There is no study {name!r}.{hint} The studies are: {listed}.")
    return STUDIES[name]
