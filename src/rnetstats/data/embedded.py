"""Embedded synthetic cohorts: in the wheel as package files, in a checkout under data/synthetic."""

from __future__ import annotations

from importlib.resources import as_file

import pandas as pd

from rnetstats.data.builtin import builtin_names
from rnetstats.data.cohort_files import cohort_files
from rnetstats.data.read import read_cohort
from rnetstats.errors import OptionError, ReadError, closest

__all__ = ["load_cohort"]


def load_cohort(name: str, *, truth: str = "as_published") -> pd.DataFrame:
    """Load an embedded synthetic cohort: no patient is behind its rows.

    Parameters
    ----------
    name
        The study, e.g. ``"duan2024"``.
    truth
        What was assumed when it was drawn: ``"as_published"``, ``"smooth"`` or ``"null"``.

    Returns
    -------
    DataFrame
        As from :func:`rnetstats.data.read.read_cohort` with the study's built-in codebook; in
        ``attrs["rnetstats"]`` also ``synthetic`` (True), ``study`` and ``truth``.

    Raises
    ------
    OptionError
        If there is no such study or truth.
    ReadError
        If the cohort's file is not installed.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> len(cohort), int(cohort["margin_positive"].sum()), int(cohort["recurrence"].sum())
    (527, 181, 12)
    >>> cohort.attrs["rnetstats"]["synthetic"]
    True
    """
    if not isinstance(name, str) or name not in builtin_names():
        raise OptionError(
            f"there is no embedded cohort {name!r}.{closest(str(name), builtin_names())} "
            f"There are: {', '.join(n for n in builtin_names() if cohort_files(n))}."
        )
    found = cohort_files(name)
    if not found:
        raise ReadError(
            f"the files of a cohort {name!r} are not installed; either the study has no patients, "
            "or the package must be installed again."
        )
    if not isinstance(truth, str) or truth not in found:
        raise OptionError(
            f"{name!r} has no truth {truth!r}.{closest(str(truth), found)} "
            f"There are: {', '.join(found)}."
        )
    with as_file(found[truth]) as path:
        frame = read_cohort(path, codebook=name)
    about = frame.attrs["rnetstats"]
    about.update(synthetic=True, study=name, truth=truth)
    about["notes"].insert(
        0, f"Synthetic: drawn to resemble {name} under the truth {truth!r}; no patient is in it."
    )
    return frame
