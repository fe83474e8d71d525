"""Models for rare events, as they stand beside inverse variance."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from rnetstats.evidence.meta_result import MetaAnalysisResult

__all__ = ["rare_rows"]


def rare_rows(result: MetaAnalysisResult) -> pd.DataFrame:
    """Return ``label, estimate, conf_low, conf_high, p_value`` of each model."""
    if find_spec("rnetstats.evidence.rare_events") is None:
        return pd.DataFrame()
    found: pd.DataFrame = result.rare_events().to_frame()
    return found
