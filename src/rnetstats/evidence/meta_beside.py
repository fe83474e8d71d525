"""Models for rare events, as they stand beside inverse variance."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.evidence.rare_models import beta_binomial_row, inverse_variance_row, mixed_row
from rnetstats.evidence.rare_rows import RareRow, closed_rows
from rnetstats.evidence.rare_words import METHODS
from rnetstats.kernels.mantel_haenszel import Tables

if TYPE_CHECKING:
    from rnetstats.evidence.meta_result import MetaAnalysisResult

__all__ = ["rare_rows"]

_COUNTS = ["events_1", "n_1", "events_2", "n_2"]
_MANY = 1000  # events from which the exact conditional law takes long, and is not needed

_Counts = tuple[tuple[float, ...], ...]


def rare_rows(result: MetaAnalysisResult) -> pd.DataFrame:
    """Return the models that a table of rare events shows beside inverse variance.

    Mantel-Haenszel without correction; where that has no limits, the exact ones (of the risk
    difference the crude one with score limits); a binomial-normal model, given each study's number
    of events where these are few; beta-binomial; and, unless the result itself has it, inverse
    variance with the ad-hoc floor under Hartung and Knapp's standard error.

    Returns
    -------
    DataFrame
        ``label, estimate, conf_low, conf_high, p_value, note``.
    """
    counts = result.studies.dropna(subset=_COUNTS)[_COUNTS].to_numpy(dtype=float)
    keys = tuple(tuple(row) for row in counts.tolist())
    rows = _models(keys, result.measure, result.options["conf_level"])
    own = result.options["ci"] == "hartung-knapp-adhoc" and result.options["tau2"] == "REML"
    back = MEASURES[result.measure].back
    return pd.DataFrame(
        [
            {
                "label": METHODS[row.method].label,
                "estimate": float(back(row.coef)),
                "conf_low": float(back(row.low)),
                "conf_high": float(back(row.high)),
                "p_value": row.p_value,
                "note": row.note,
            }
            for row in rows
            if not (own and row.method == "inverse-variance")
        ]
    )


@lru_cache(maxsize=32)
def _models(counts: _Counts, measure: str, conf_level: float) -> tuple[RareRow, ...]:
    """The models for a table of counts, kept, as a result may be displayed often."""
    t = Tables.of(*np.array(counts).T)
    closed = {row.method: row for row in closed_rows(t, measure, conf_level)}
    rows = [closed["mantel-haenszel"]]
    if math.isnan(rows[0].std_error):  # of an arm without events there are bounds
        rows.append(closed["crude" if measure == "RD" else "exact"])
    if measure == "OR":
        few = float(t.a.sum() + t.c.sum()) <= _MANY
        rows.append(mixed_row(t, "CM.EL" if few else "UM.FS", conf_level))
    elif measure == "RR":
        rows.append(mixed_row(t, "CM.AL", conf_level))
    rows.append(beta_binomial_row(t, measure, conf_level))
    rows.append(inverse_variance_row(t, measure, conf_level))
    return tuple(rows)
