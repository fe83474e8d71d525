"""The studies that are pooled here: a table of the reader's, or those whose counts are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats._core.frame import column, is_synthetic
from rnetstats.errors import DataError
from rnetstats.evidence.meta_checks import some_studies
from rnetstats.studies.meta2026.primary import primary_studies

__all__ = ["COUNTS", "StudyTable", "known_studies", "read_table"]

COUNTS = ("events_1", "n_1", "events_2", "n_2")
LVI_ONLY = "lvi_korea"
"""The study in which incomplete means lymphovascular invasion, whatever the margin."""

_SHORT = {"cha_jh": "Cha JH 2019", "lee": "Lee, five hospitals", LVI_ONLY: "PMC8924811, LVI only"}


@dataclass(frozen=True)
class StudyTable:
    """Counts by study and arm; arm 1 was salvaged, arm 2 observed.

    Attributes
    ----------
    frame : DataFrame
        ``study, events_1, n_1, events_2, n_2``, patients 0 where a study has no such arm, and
        ``residual``, ``method`` where known.
    own : bool
        Whether the reader gave it.
    synthetic : bool
    notes : tuple of str
    """

    frame: pd.DataFrame
    own: bool
    synthetic: bool = False
    notes: tuple[str, ...] = ()

    @property
    def both(self) -> pd.DataFrame:
        """The studies with both arms."""
        rows = self.frame[(self.frame["n_1"] > 0) & (self.frame["n_2"] > 0)]
        return rows.reset_index(drop=True)

    @property
    def events(self) -> int:
        """Recurrences in the studies with both arms."""
        return int(self.both[["events_1", "events_2"]].to_numpy().sum())

    @property
    def patients(self) -> int:
        """Patients in the studies with both arms."""
        return int(self.both[["n_1", "n_2"]].to_numpy().sum())

    @property
    def words(self) -> str:
        """What the studies with both arms are called in a sentence."""
        k = len(self.both)
        if not k:
            return "no study with both arms"
        if self.own:
            return f"the {k} studies of your table" if k != 1 else "the one study of your table"
        return f"the {k} studies whose counts are known"

    @property
    def own_residuals(self) -> bool:
        """Whether the reader's table tells of residual tumour."""
        return self.own and "residual" in self.frame

    def arm(self, number: int) -> tuple[int, int]:
        """Return events and patients of an arm, over the studies with both."""
        return int(self.both[f"events_{number}"].sum()), int(self.both[f"n_{number}"].sum())


def known_studies() -> StudyTable:
    """Return the studies whose recurrences by arm are known from their own publications.

    Studies that the meta-analysis does not hold (mixed sites) are left out; whether it holds the
    others is known of some, and likely or unknown of others.
    """
    rows = primary_studies()
    rows = rows[rows["in_meta"] != "no"]
    made = pd.DataFrame(
        {
            "study": rows["key"].map(_SHORT).fillna(rows["study"]),
            **_arm(rows, 1, "salvage_n", "salvage_recurrences"),
            **_arm(rows, 2, "observation_n", "observation_recurrences"),
            "key": rows["key"],
            "in_meta": rows["in_meta"],
        }
    )
    made = made[(made["n_1"] > 0) | (made["n_2"] > 0)]
    return StudyTable(made.reset_index(drop=True), own=False)


def _arm(rows: pd.DataFrame, arm: int, n: str, events: str) -> dict[str, pd.Series]:
    """Patients and events of an arm, none where either is unknown."""
    known = rows[n].notna() & rows[events].notna()
    return {
        f"events_{arm}": rows[events].where(known, 0).astype(int),
        f"n_{arm}": rows[n].where(known, 0).astype(int),
    }


def read_table(frame: pd.DataFrame) -> StudyTable:
    """Check the reader's table of studies.

    Parameters
    ----------
    frame : DataFrame
        As from :func:`rnetstats.read_cohort` with the study's codebook; not changed.

    Raises
    ------
    ColumnError
        If a column is missing.
    DataError
        If a count is no whole number, events are more than patients, residual tumours more than
        the salvaged, or no study has a patient.
    """
    names = [str(name) for name in column(frame, "study")]
    made, notes = pd.DataFrame({"study": names}), list(_said(frame))
    for arm in (1, 2):
        n = _counts(frame, f"n_{arm}", names)
        events = _counts(frame, f"events_{arm}", names)
        _refuse((events > 0) & np.isnan(n), names, f"n_{arm} is missing where events_{arm} is not")
        _refuse(events > np.nan_to_num(n), names, f"events_{arm} is more than n_{arm}")
        open_ = (np.nan_to_num(n) > 0) & np.isnan(events)
        if open_.any():
            notes.append(
                f"events_{arm} is unknown in {some_studies(names, open_)}: this arm is left out."
            )
        made[f"events_{arm}"] = np.where(open_, 0, np.nan_to_num(events)).astype(int)
        made[f"n_{arm}"] = np.where(open_, 0, np.nan_to_num(n)).astype(int)
        made[f"all_{arm}"] = np.nan_to_num(n).astype(int)
    if "residual" in frame and frame["residual"].notna().any():
        residual = _counts(frame, "residual", names)
        _refuse(residual > made["all_1"].to_numpy(), names, "residual is more than n_1")
        made["residual"] = residual
    if "method" in frame and frame["method"].notna().any():
        made["method"] = frame["method"].astype(object).where(frame["method"].notna(), "unknown")
        made["method"] = made["method"].astype(str)
    kept = made[(made["n_1"] > 0) | (made["n_2"] > 0)]
    if kept.empty:
        raise DataError("No study has an arm with patients and known events: check n_1 and n_2.")
    if len(kept) < len(made):
        lost = ~made.index.isin(kept.index)
        notes.append(f"Left out, as no arm is known: {some_studies(names, lost)}.")
    return StudyTable(made.reset_index(drop=True), True, is_synthetic(frame), tuple(notes))


def _said(frame: pd.DataFrame) -> list[str]:
    """What reading the file noted."""
    return [str(note) for note in frame.attrs.get("rnetstats", {}).get("notes", [])]


def _counts(frame: pd.DataFrame, name: str, names: list[str]) -> np.ndarray:
    values = column(frame, name).astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    _refuse(values < 0, names, f"{name} is negative")
    _refuse((values != np.floor(values)) & ~np.isnan(values), names, f"{name} is no whole number")
    return values


def _refuse(wrong: np.ndarray, names: list[str], what: str) -> None:
    flagged = np.asarray(wrong, dtype=bool)
    if flagged.any():
        raise DataError(f"{what} in {some_studies(names, flagged)}. Correct the table of studies.")
