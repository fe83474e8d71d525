"""The cohort as the analyses take it: who is in, which groups, which columns there are."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import pandas as pd

from rnetstats._core.frame import is_synthetic
from rnetstats.errors import ColumnError, DataError
from rnetstats.studies.levels import require_levels
from rnetstats.studies.needed import require_columns

__all__ = ["EXCLUDED_METHOD", "LOWER", "MARGIN_LEVELS", "Cohort", "prepare", "with_group"]

EXCLUDED_METHOD = "other"
MANY = 50  # patients among whom a whole column of small numbers is a question of its unit
LOWER = "lower"
LOCATIONS = ("middle", "upper", LOWER)
SALVAGE_LEVELS = ("none", "endoscopic", "radical", "not_applicable")
MARGIN_LEVELS = ("negative margin", "positive margin")
NEEDED = (
    "margin_positive",
    "method",
    "location",
    "nlr",
    "size_mm",
    "dfs_months",
    "recurrence",  # dfs_event follows from it and from death
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

    def by_margin(self) -> pd.DataFrame:
        """Everybody, with a labelled column ``margin``: negative is the reference."""
        positive = self.everyone["margin_positive"]
        return with_group(self.everyone, "margin", "Margin", positive, MARGIN_LEVELS)


def with_group(
    frame: pd.DataFrame, name: str, label: str, mask: pd.Series, levels: tuple[str, str]
) -> pd.DataFrame:
    """Return the frame with a labelled column of two groups, the reference first.

    Parameters
    ----------
    frame : DataFrame
        Not changed.
    name, label : str
    mask : Series
        1 or True for the second level, 0 for the first, missing where it is not known.
    levels : (str, str)
    """
    codes = mask.astype("float64").fillna(-1.0).astype(int).tolist()
    group = pd.Categorical.from_codes(codes, categories=pd.Index(levels))
    made = frame.assign(**{name: group})
    attrs = copy.deepcopy(frame.attrs)
    attrs.setdefault("rnetstats", {}).setdefault("labels", {})[name] = label
    made.attrs = attrs
    return made


def prepare(frame: pd.DataFrame) -> Cohort:
    """Check that the columns are there, and set the excluded method aside.

    Raises
    ------
    ColumnError
        If a column that every analysis needs is missing, levels have names that the analyses do
        not know, or all margins are the same.
    DataError
        If every patient has the method that the models leave out.
    """
    frame, derived = _with_dfs_event(frame)
    require_columns(frame, NEEDED)
    require_levels(frame, "salvage", SALVAGE_LEVELS)
    if not (frame["location"].astype(object) == LOWER).any():
        require_levels(frame, "location", LOCATIONS)
    margins = frame["margin_positive"].dropna().unique().tolist()
    if len(margins) < 2:
        only = {1: "positive", 0: "negative"}.get(margins[0], "unknown") if margins else "unknown"
        raise ColumnError(
            f"Column 'margin_positive': all margins are {only}, so there is nothing to compare. "
            "Give patients with positive and with negative margins."
        )
    other = (frame["method"].astype(object) == EXCLUDED_METHOD).to_numpy(dtype=bool)
    if other.all():
        raise DataError(
            f"Column 'method': every patient has the method {EXCLUDED_METHOD!r}, which the models "
            "of a positive margin leave out. Give the methods by name."
        )
    modelled = frame[~other].copy()
    for name in ("method", "location"):
        if isinstance(modelled[name].dtype, pd.CategoricalDtype):
            modelled[name] = modelled[name].cat.remove_unused_categories()
    # a 0/1 column, so that risks can be standardised over it whatever levels a file has
    lower = (modelled["location"].astype(object) == LOWER).astype("float64")
    modelled["lower_rectum"] = lower.where(modelled["location"].notna())
    modelled.attrs = copy.deepcopy(frame.attrs)
    labels = modelled.attrs.setdefault("rnetstats", {}).setdefault("labels", {})
    labels["lower_rectum"] = "Lower rectum"
    stored = frame.attrs.get("rnetstats", {})
    notes = tuple(stored.get("notes", ())) if isinstance(stored, dict) else ()
    return Cohort(
        everyone=frame,
        modelled=modelled,
        excluded=int(other.sum()),
        synthetic=is_synthetic(frame),
        notes=(*_doubts(frame), *notes, *derived),
    )


def _doubts(frame: pd.DataFrame) -> tuple[str, ...]:
    """Ask about columns whose numbers look like those of another unit; nothing is converted."""
    asked = (
        ("size_mm", 3.0, "mm", "centimetres", "cm"),
        ("os_months", 20.0, "months", "years", "years"),
    )
    found = []
    for name, least, unit, other, written in asked:
        largest = pd.to_numeric(frame[name], errors="coerce").max()
        if len(frame) >= MANY and largest < least:
            found.append(
                f"Please check: the largest {name} of {len(frame)} patients is {largest:g} {unit}. "
                f'If the file gives {other}, write unit_in = "{written}" in [columns.{name}] of '
                "the codebook; nothing was converted."
            )
    return tuple(found)


def _with_dfs_event(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the frame with ``dfs_event``, derived from recurrence and death if it is not there."""
    sources = ("recurrence", "death")
    if "dfs_event" in frame.columns or not all(name in frame.columns for name in sources):
        return frame, ()
    either = (frame["recurrence"] == 1) | (frame["death"] == 1)
    known = frame["recurrence"].notna() & frame["death"].notna()
    made = frame.assign(dfs_event=either.astype("float64").where(known | either))
    made.attrs = copy.deepcopy(frame.attrs)
    note = "dfs_event was derived: 1 where recurrence or death is 1 (the first of either)."
    return made, (note,)
