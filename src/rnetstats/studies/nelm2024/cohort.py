"""The cohort as the analyses take it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rnetstats._core.frame import is_synthetic
from rnetstats.studies.needed import require_columns

__all__ = ["Cohort", "prepare"]

NEEDED = (
    "country",
    "primary",
    "grade",
    "timing",
    "metastasis_type",
    "primary_resected",
    "liver_resected",
    "os_months",
    "death",
)
ASYNCHRONOUS = "asynchronous"


@dataclass(frozen=True)
class Cohort:
    """A cohort with what the analyses share."""

    everyone: pd.DataFrame
    synthetic: bool
    notes: tuple[str, ...]

    def has(self, *names: str) -> bool:
        """Say whether all these columns are there and hold values."""
        frame = self.everyone
        return all(name in frame.columns and bool(frame[name].notna().any()) for name in names)

    @property
    def asynchronous(self) -> pd.DataFrame:
        """Patients whose metastases were found after the primary."""
        return self.everyone[self.everyone["timing"].astype(object) == ASYNCHRONOUS]

    @property
    def synchronous(self) -> pd.DataFrame:
        """Patients whose metastases were found with the primary."""
        return self.everyone[self.everyone["timing"].astype(object) == "synchronous"]


def prepare(frame: pd.DataFrame) -> Cohort:
    """Check that the columns are there.

    Raises
    ------
    ColumnError
        If a column that every analysis needs is missing.
    """
    require_columns(frame, NEEDED)
    stored = frame.attrs.get("rnetstats", {})
    notes = tuple(str(note) for note in stored.get("notes", ()))
    return Cohort(frame, is_synthetic(frame), notes)
