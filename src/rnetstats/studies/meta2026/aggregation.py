"""Why crude recurrence rates differ more than the arms do within studies: an exact decomposition.

The crude comparison sums patients over studies. Where some studies only salvaged and others only
observed, it compares different centres, patients and follow-up, whatever salvage does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import as_frame
from rnetstats.errors import ColumnError, DataError, rows_text
from rnetstats.kernels.mantel_haenszel import Tables, mantel_haenszel

__all__ = ["CrudeDecomposition", "decompose_crude"]

Floats: TypeAlias = NDArray[np.float64]

COUNTS = ("events_1", "n_1", "events_2", "n_2")
PARTS = {
    "within": "within the studies that have both arms",
    "comparative": "between those studies: unequal shares of the arms where risks differ",
    "only_1": "studies with arm 1 alone",
    "only_2": "studies with arm 2 alone",
}


@dataclass(frozen=True)
class CrudeDecomposition:
    """The parts of a crude odds ratio.

    Attributes
    ----------
    parts : DataFrame
        ``part, label, studies, log_odds_ratio, odds_ratio, share`` in the order ``within``,
        ``comparative``, ``only_1``, ``only_2``, then ``between`` (the sum of the three before it)
        and ``crude`` (the sum of all). Odds ratios multiply where logarithms add; ``share`` is of
        the crude log odds ratio.
    arms : DataFrame
        ``group, studies, events_1, n_1, risk_1, events_2, n_2, risk_2``: summed counts of the
        studies with both arms, with one alone, and of all.
    notes : tuple of str
        What is undefined, and why.
    """

    parts: pd.DataFrame
    arms: pd.DataFrame
    notes: tuple[str, ...]


def decompose_crude(studies: pd.DataFrame | Mapping[str, Any]) -> CrudeDecomposition:
    """Split the odds ratio of summed counts into what is within studies and what between them.

    The crude log odds ratio is the difference of two logits, one an arm, each of a risk summed
    over studies. With R the risk in the studies that have both arms and T that in all studies,

        crude = within + (crude in comparative studies - within)
                + (logit T1 - logit R1) - (logit T2 - logit R2),

    an identity, whatever the counts. The last two terms are what the studies with one arm alone
    bring in; the second is confounding by study among the others (and, if events are not rare, the
    odds ratio's own non-collapsibility).

    Parameters
    ----------
    studies : DataFrame or mapping
        ``events_1, n_1, events_2, n_2``, one row a study; ``n_i`` is 0 (or missing) where a study
        has no such arm.

    Returns
    -------
    CrudeDecomposition

    Raises
    ------
    ColumnError
        If a column is missing or holds no numbers.
    DataError
        If a count is no whole number, there are more events than patients, or an arm has no
        patient in any study.

    References
    ----------
    Simpson EH (1951) The interpretation of interaction in contingency tables. J R Stat Soc B
    13:238-241. Bravata DM, Olkin I (2001) Simple pooling versus combining in meta-analysis. Eval
    Health Prof 24:218-230.

    Examples
    --------
    One study with both arms and no difference, one that only salvaged, one that only observed:

    >>> from rnetstats.studies.meta2026.aggregation import decompose_crude
    >>> salvaged = {"events_1": [2, 3, 0], "n_1": [100, 500, 0]}
    >>> observed = {"events_2": [2, 0, 24], "n_2": [100, 0, 700]}
    >>> found = decompose_crude(salvaged | observed)
    >>> found.parts[["part", "studies", "odds_ratio"]].round(3)
              part  studies  odds_ratio
    0       within        1       1.000
    1  comparative        1       1.000
    2       only_1        1       0.412
    3       only_2        1       0.608
    4      between        3       0.250
    5        crude        3       0.250
    """
    a, n1, c, n2 = _counts(studies)
    both = (n1 > 0) & (n2 > 0)
    groups = {
        "both": both,
        "only_1": (n1 > 0) & ~both,
        "only_2": (n2 > 0) & ~both,
        "all": (n1 > 0) | (n2 > 0),
    }
    arms = _arms(a, n1, c, n2, groups)
    if min(arms["n_1"].iloc[-1], arms["n_2"].iloc[-1]) == 0:
        raise DataError("One arm has no patient in any study: there is no crude comparison.")
    logit = {
        (row["group"], arm): _logit(row[f"events_{arm}"], row[f"n_{arm}"])
        for row in arms.to_dict("records")
        for arm in (1, 2)
    }
    inside = _within(a[both], n1[both], c[both], n2[both])
    only = {
        1: logit["all", 1] - logit["both", 1] if groups["only_1"].any() else 0.0,
        2: logit["both", 2] - logit["all", 2] if groups["only_2"].any() else 0.0,
    }
    values = {
        "within": inside,
        "comparative": logit["both", 1] - logit["both", 2] - inside,
        "only_1": only[1],
        "only_2": only[2],
    }
    crude = logit["all", 1] - logit["all", 2]
    values |= {"between": crude - inside, "crude": crude}
    counts = {name: int(mask.sum()) for name, mask in groups.items()}
    return CrudeDecomposition(_parts(values, counts), arms, _notes(values))


def _within(a: Floats, n1: Floats, c: Floats, n2: Floats) -> float:
    if not len(a):
        return math.nan
    return float(mantel_haenszel(Tables.of(a, n1, c, n2), "OR").coef)


def _counts(studies: pd.DataFrame | Mapping[str, Any]) -> list[Floats]:
    frame = as_frame(studies)
    lacking = [name for name in COUNTS if name not in frame]
    if lacking:
        raise ColumnError(f"The decomposition needs the columns {', '.join(lacking)}.")
    try:
        found = [_numbers(frame[name]) for name in COUNTS]
    except (TypeError, ValueError):
        raise ColumnError("The counts hold something that is no number.") from None
    a, n1, c, n2 = found
    whole = np.all([np.isfinite(x) & (x == np.rint(x)) & (x >= 0.0) for x in found], axis=0)
    wrong = (a > n1) | (c > n2) | ~whole
    if wrong.any():
        where = rows_text((np.flatnonzero(wrong) + 1).tolist())
        raise DataError(f"Counts are whole numbers, and no more events than patients; see {where}.")
    return found


def _numbers(values: pd.Series) -> Floats:
    """Counts as floats, 0 where they are missing."""
    numbers = np.asarray(values.astype("Float64").to_numpy(dtype=float, na_value=0.0), float)
    return np.where(np.isnan(numbers), 0.0, numbers)


def _arms(a: Floats, n1: Floats, c: Floats, n2: Floats, groups: dict[str, Any]) -> pd.DataFrame:
    rows = []
    for name, mask in groups.items():
        sums = [float(x[mask].sum()) for x in (a, n1, c, n2)]
        rows.append(
            {
                "group": name,
                "studies": int(mask.sum()),
                "events_1": sums[0],
                "n_1": sums[1],
                "risk_1": sums[0] / sums[1] if sums[1] else math.nan,
                "events_2": sums[2],
                "n_2": sums[3],
                "risk_2": sums[2] / sums[3] if sums[3] else math.nan,
            }
        )
    return pd.DataFrame(rows)


def _logit(events: float, n: float) -> float:
    if n == 0.0:
        return math.nan
    others = n - events
    if events == 0.0 or others == 0.0:
        return -math.inf if events == 0.0 else math.inf
    return math.log(events / others)


def _parts(values: dict[str, float], counts: dict[str, int]) -> pd.DataFrame:
    labels = {**PARTS, "between": "between studies, all together", "crude": "crude"}
    studies = {
        "within": counts["both"],
        "comparative": counts["both"],
        "only_1": counts["only_1"],
        "only_2": counts["only_2"],
        "between": counts["all"],
        "crude": counts["all"],
    }
    logs = np.array(list(values.values()))
    crude = values["crude"]
    with np.errstate(invalid="ignore"):
        shares = logs / crude + 0.0 if math.isfinite(crude) and crude != 0.0 else logs * math.nan
    return pd.DataFrame(
        {
            "part": list(values),
            "label": [labels[name] for name in values],
            "studies": [studies[name] for name in values],
            "log_odds_ratio": logs,
            "odds_ratio": np.exp(logs),
            "share": shares,
        }
    )


def _notes(values: dict[str, float]) -> tuple[str, ...]:
    notes = []
    if math.isnan(values["within"]):
        notes.append(
            "No study with both arms tells anything of the odds ratio: nothing is known within "
            "studies, and the parts cannot be told apart."
        )
    elif not all(math.isfinite(value) for value in values.values()):
        notes.append(
            "An arm without events (or with nothing else) makes an odds ratio 0 or infinite, and "
            "differences of such parts are missing; give within= to keep the sum of the others."
        )
    if values["crude"] == 0.0:
        notes.append("The crude odds ratio is 1: its parts have no shares.")
    return tuple(notes)
