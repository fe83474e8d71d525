"""The cohort as the analyses take it: who is curative, who was treated."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rnetstats._core.frame import is_synthetic
from rnetstats.errors import DataError
from rnetstats.formatting import fmt_count, listed
from rnetstats.studies.cha2019.definitions import DEFAULT, DEFINITIONS, Definition, by_definition
from rnetstats.studies.levels import require_levels
from rnetstats.studies.needed import require_columns

__all__ = ["Cohort", "prepare"]

NEEDED = (
    "margin",
    "lvi",
    "detection",
    "first_method",
    "additional_treatment",
    "recurrence",
    "follow_up_months",
)
KNOWN_LEVELS = {
    "margin": ("negative", "indeterminate", "positive"),
    "additional_treatment": ("none", "endoscopic", "radical"),
}


@dataclass(frozen=True)
class Cohort:
    """A cohort with what the analyses share.

    Attributes
    ----------
    everyone : DataFrame
        All patients with a known class, with columns ``treated`` and ``not_curative`` (0/1) and
        ``resection`` in words.
    definition : Definition
    whole : DataFrame
        All patients, those whose class is not known among them, with the column ``treated``.
    synthetic : bool
    notes : tuple of str
    """

    everyone: pd.DataFrame
    definition: Definition
    whole: pd.DataFrame
    synthetic: bool
    notes: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Say whether a column is there and holds values."""
        return name in self.everyone.columns and bool(self.everyone[name].notna().any())

    @property
    def recurrences(self) -> int:
        """Recurrences in the whole file."""
        return int(self.whole["recurrence"].sum())

    @property
    def followed(self) -> int:
        """The patients of the whole file of whom it is known whether they recurred."""
        return int(self.whole["recurrence"].notna().sum())

    @property
    def one_class(self) -> str:
        """Why there is nobody to compare with, where all resections are alike; else empty."""
        found = self.everyone["resection"].unique()
        if len(found) > 1:
            return ""
        return (
            f"By the definition “{self.definition.label}” every resection is {found[0]}: there is "
            "nobody to compare with."
        )

    @property
    def open_ended(self) -> pd.DataFrame:
        """The patients whose resection was not curative."""
        return self.everyone[self.everyone["not_curative"] == 1]


def prepare(frame: pd.DataFrame, definition: Definition | None = None) -> Cohort:
    """Check the cohort and classify each resection.

    Parameters
    ----------
    frame : DataFrame
        As from :func:`rnetstats.read_cohort` with the study's codebook; not changed.
    definition : Definition, optional
        By default the widest of :data:`DEFINITIONS` whose columns are there.

    Raises
    ------
    ColumnError
        If a column is missing, or levels have names that the analyses do not know.
    DataError
        If of nobody it is known whether the resection was curative.
    """
    require_columns(frame, NEEDED)
    for name, levels in KNOWN_LEVELS.items():
        require_levels(frame, name, levels)
    chosen = definition or next(
        d for d in (DEFAULT, *DEFINITIONS[::-1]) if all(name in frame.columns for name in d.columns)
    )
    flag = by_definition(frame, chosen)
    known = flag.notna()
    treated = frame["additional_treatment"].astype(object)
    whole = frame.assign(treated=(treated != "none").astype(int).where(treated.notna()))
    whole.attrs = frame.attrs
    work = whole[known].copy()
    work.attrs = frame.attrs
    work["not_curative"] = flag[known].astype(int)
    words = work["not_curative"].map({0: "curative", 1: "not curative"})
    work["resection"] = pd.Categorical(words, categories=["curative", "not curative"])
    if work.empty:
        raise DataError(
            f"By the definition “{chosen.label}” of no patient it is known whether the resection "
            f"was curative: no row holds all of {listed(chosen.columns)} or a value that decides "
            "alone. Fill in what is missing."
        )
    provenance = frame.attrs.get("rnetstats", {})
    notes = [str(note) for note in provenance.get("notes", [])]
    if chosen is not DEFAULT and definition is None:
        notes.append(f"Size or grade is not in the file: not curative is read as “{chosen.label}”.")
    unclassified = int((~known).sum())
    if unclassified:
        notes.append(
            f"{_patients(unclassified)} left out: margin, invasion, size or grade is missing, so "
            "that their class is not known. Their recurrences count in the whole file. One "
            "known reason makes a resection not curative, curative takes them all: those left out "
            "are no random sample."
        )
    if unknown := int(frame["recurrence"].isna().sum()):
        notes.append(
            f"{_patients(unknown)} left out wherever recurrences are counted: whether they had one "
            "is not known."
        )
    return Cohort(work, chosen, whole, is_synthetic(frame), tuple(notes))


def _patients(many: int) -> str:
    return f"{fmt_count(many)} patient{'s are' if many != 1 else ' is'}"
