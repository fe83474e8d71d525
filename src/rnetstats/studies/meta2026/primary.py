"""The rows of the meta-analysis's Table 1, and counts by arm put together from the primary studies.

Both tables hold only what is at hand; an empty cell is a figure that is not, never a zero. The
counts by arm stand in the primary studies that ``source`` names. That they are the counts which
the meta-analysis pooled is our reading, so that a result pooled from them is ours too.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import pandas as pd

__all__ = ["COUNTS", "included_studies", "primary_studies"]

_FOLDER = "rnetstats.studies.meta2026"

COUNTS = (
    "n_total",
    "incomplete_n",
    "salvage_n",
    "salvage_residual",
    "salvage_recurrences",
    "observation_n",
    "observation_recurrences",
    "recurrences_all",
)


def included_studies() -> pd.DataFrame:
    """Return the included studies as Table 1 of the meta-analysis lists them.

    Returns
    -------
    DataFrame of shape (34, 11)
        ``ref``, ``n``: whole numbers (``Int64``), missing when not at hand. ``first_author,
        country, period``: text as printed. ``digits``: the counts by method of resection, as they
        are printed, run together. ``split``: their decomposition that sums to ``n`` (ours), the
        order being conventional EMR, modified EMR, ESD, hybrid ESD, cold snare, cold forceps,
        cap, missing, with blank methods left out; ``split_alternative``: others that do, or all
        of them when none is natural. ``standing`` of the row, ``split_standing``, ``note``. Text
        that is not at hand is empty. The last 12 rows are unknown.

    Examples
    --------
    >>> from rnetstats.studies.meta2026.primary import included_studies
    >>> table = included_studies().set_index("ref")
    >>> table.loc[27, "split"], int(table.loc[27, "n"])
    ('213/199/113/2', 527)
    """
    return _read("included_studies.csv", ("ref", "n"))


def primary_studies() -> pd.DataFrame:
    """Return counts by arm, put together from the primary studies.

    Returns
    -------
    DataFrame of shape (20, 16)
        One row a study. ``key``: a short name. ``study``, ``follow_up``, ``source``, ``note``:
        text. ``ref``: its row in Table 1, if one is known. ``in_meta``: whether the meta-analysis
        holds it, one of ``yes, likely, possible, unknown, no``. Counts of patients (``Int64``,
        missing when unknown or, for residual tumour, when nobody was salvaged): ``n_total``,
        ``incomplete_n``, ``salvage_n``, ``salvage_residual`` (tumour found at salvage),
        ``salvage_recurrences``, ``observation_n``, ``observation_recurrences`` (local, nodal or
        distant), ``recurrences_all`` (of the whole study). ``standing``: ``printed`` when the
        counts stand so in the primary study, ``inferred`` when placing them is our reading;
        ``note`` says how.

    Examples
    --------
    >>> from rnetstats.studies.meta2026.primary import primary_studies
    >>> table = primary_studies().set_index("key")
    >>> table.loc["lee", ["salvage_n", "observation_n"]].astype(int).tolist()
    [7, 74]
    """
    return _read("primary_studies.csv", ("ref", *COUNTS))


def _read(name: str, whole: Sequence[str]) -> pd.DataFrame:
    """Read one of the study's tables: text as it stands, whole numbers nullable."""
    with files(_FOLDER).joinpath(name).open("r", encoding="utf-8") as file:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    for column in whole:
        table[column] = pd.to_numeric(table[column].replace("", pd.NA)).astype("Int64")
    return table
