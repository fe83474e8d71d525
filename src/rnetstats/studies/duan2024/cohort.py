"""The cohort as the analyses take it: who is in, which groups, which columns there are."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rnetstats._core.frame import column, is_synthetic

__all__ = ["EXCLUDED_METHOD", "MARGIN_NAMES", "Cohort", "prepare"]

EXCLUDED_METHOD = "other"
MARGIN_NAMES = {"0": "negative margin", "1": "positive margin"}
NEEDED = (
    "margin_positive",
    "method",
    "location",
    "nlr",
    "size_mm",
    "dfs_months",
    "recurrence",
    "dfs_event",
    "os_months",
    "death",
)


@dataclass(frozen=True)
class Cohort:
    """A cohort with what the analyses share.

    Attributes
    ----------
    everyone : DataFrame
        All patients; survival, Table 1 and follow-up are of these.
    modelled : DataFrame
        Without the patients whose method is "other": for the models of a positive margin.
    excluded : int
        How many patients the models leave out for their method.
    synthetic : bool
    notes : tuple of str
        What reading the cohort had to say.
    """

    everyone: pd.DataFrame
    modelled: pd.DataFrame
    excluded: int
    synthetic: bool
    notes: tuple[str, ...]

    def has(self, *names: str) -> bool:
        """Say whether all these columns are there and hold values."""
        frame = self.everyone
        return all(name in frame.columns and bool(frame[name].notna().any()) for name in names)

    @property
    def positives(self) -> pd.DataFrame:
        """The patients with a positive margin."""
        return self.everyone[self.everyone["margin_positive"] == 1]

    def margin_counts(self, event: str) -> dict[str, int]:
        """Count patients and events of ``event`` by margin, where both are known."""
        known = self.everyone[["margin_positive", event]].dropna()
        counts = {}
        for code, name in ((1, "positive"), (0, "negative")):
            group = known.loc[known["margin_positive"] == code, event]
            counts[f"n_{name}"] = len(group)
            counts[f"events_{name}"] = int(group.sum())
        return counts


def prepare(frame: pd.DataFrame) -> Cohort:
    """Check that the columns are there, and set the excluded method aside.

    Raises
    ------
    ColumnError
        If a column that every analysis needs is missing.
    """
    for name in NEEDED:
        column(frame, name)
    other = (frame["method"].astype(object) == EXCLUDED_METHOD).to_numpy(dtype=bool)
    modelled = frame[~other].copy()
    for name in ("method", "location"):
        if isinstance(modelled[name].dtype, pd.CategoricalDtype):
            modelled[name] = modelled[name].cat.remove_unused_categories()
    modelled.attrs = dict(frame.attrs)
    stored = frame.attrs.get("rnetstats", {})
    notes = tuple(stored.get("notes", ())) if isinstance(stored, dict) else ()
    return Cohort(
        everyone=frame,
        modelled=modelled,
        excluded=int(other.sum()),
        synthetic=is_synthetic(frame),
        notes=notes,
    )
