"""The study reproduced on a reference cohort, once for all tests of one run."""

from __future__ import annotations

from functools import cache

import pandas as pd

import rnetstats as rn
from rnetstats.studies.study_result import StudyResult
from support import data_path

__all__ = ["raw", "reproduced", "reproduced_synthetic"]


@cache
def reproduced(name: str) -> StudyResult:
    """Return the study on a cohort by its file's name, with few resamples."""
    return rn.reproduce("duan2024", data=data_path(f"{name}.csv"), resamples=30)


@cache
def reproduced_synthetic(name: str, truth: str | None = None) -> StudyResult:
    """Return a study by its name, on its own synthetic cohort or its printed figures."""
    return rn.reproduce(name, truth=truth)


def raw(name: str = "rnet_like_a") -> pd.DataFrame:
    """Return a reference cohort as it is written, without the study's codebook."""
    return pd.read_csv(data_path(f"{name}.csv"), keep_default_na=False, na_values=[""])
