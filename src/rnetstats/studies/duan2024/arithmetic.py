"""What the printed numbers of the study allow, by arithmetic alone: no patient is needed.

Every number is computed from ``facts.toml``; none is typed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache

import numpy as np
import pandas as pd

from rnetstats.evidence import worlds_shares
from rnetstats.evidence.facts import FactSheet
from rnetstats.evidence.worlds_splits import event_splits as every_split
from rnetstats.evidence.worlds_splits_result import first_worse
from rnetstats.tables.fisher import fisher_p

__all__ = [
    "PrintedNumbers",
    "at_most",
    "ceiling",
    "event_splits",
    "needed_salvages",
    "percent_check",
    "share_at_which",
    "share_curve",
]

LEVEL = 0.05


@dataclass(frozen=True)
class PrintedNumbers:
    """The counts that everything below follows from."""

    patients: int
    positive: int
    recurrences: int
    percent: str

    @property
    def negative(self) -> int:
        """Patients with a negative margin."""
        return self.patients - self.positive

    @classmethod
    def of(cls, facts: FactSheet) -> PrintedNumbers:
        """Take the counts from the study's facts."""
        return cls(
            patients=facts["patients"].count,
            positive=facts["positive_margin"].count,
            recurrences=facts["recurrences"].count,
            percent=facts["recurrence_percent"].value,
        )


def percent_check(printed: PrintedNumbers) -> dict[str, float | str | bool]:
    """Compare the printed percentage of recurrences with the printed counts.

    Returns
    -------
    dict
        ``exact`` (per cent), ``printed``, ``rounded`` and ``truncated`` to as many decimals as
        printed, and whether the print ``is_rounded`` or ``is_truncated``.
    """
    exact = Decimal(100 * printed.recurrences) / Decimal(printed.patients)
    unit = Decimal(1).scaleb(-len(printed.percent.partition(".")[2]))
    rounded = exact.quantize(unit, rounding=ROUND_HALF_UP)
    truncated = exact.quantize(unit, rounding=ROUND_DOWN)
    return {
        "exact": float(exact),
        "printed": printed.percent,
        "rounded": str(rounded),
        "truncated": str(truncated),
        "is_rounded": Decimal(printed.percent) == rounded,
        "is_truncated": Decimal(printed.percent) == truncated != rounded,
    }


def ceiling(printed: PrintedNumbers) -> dict[str, float]:
    """Return the most that salvage can have to prevent, were every recurrence a positive's.

    If all recurrences fell among the positive margins, ``free`` of ``positive`` patients had none
    whatever was done. Had all of them been salvaged, and had every salvage worked, ``recurrences``
    would have been prevented by ``positive`` salvages: one per ``salvages_per_prevented``.
    """
    free = printed.positive - printed.recurrences
    return {
        "positive": printed.positive,
        "recurrences": printed.recurrences,
        "free": free,
        "free_share": free / printed.positive,
        "risk": printed.recurrences / printed.positive,
        "salvages_per_prevented": printed.positive / printed.recurrences,
    }


def event_splits(printed: PrintedNumbers) -> pd.DataFrame:
    """Go through every split of the recurrences over the margin groups.

    Returns
    -------
    DataFrame
        ``positive_events, negative_events, risk_positive, risk_negative, fisher_p, verdict,
        share_logrank, share_exact``: one row a split. The shares are the largest share of the
        follow-up time that the positives may hold for the split to be significantly worse (see
        :func:`share_at_which`); 0 when none does.
    """
    splits = every_split(printed.recurrences, printed.positive, printed.negative, alpha=LEVEL)
    names = {
        "events_1": "positive_events",
        "events_2": "negative_events",
        "risk_1": "risk_positive",
        "risk_2": "risk_negative",
    }
    kept = [*names, "fisher_p", "verdict", "share_logrank", "share_exact"]
    return splits.to_frame()[kept].rename(columns=names)


def first_significant(splits: pd.DataFrame) -> int:
    """Return the fewest recurrences among positives that Fisher's test calls worse at 5 %."""
    return int(first_worse(splits.rename(columns={"positive_events": "events_1"})))


def share_at_which(events: int, total: int) -> float:
    """Return the largest share of follow-up at which ``events`` of ``total`` are too many.

    By the log-rank test at 5 %; see :mod:`rnetstats.evidence.worlds_shares`.
    """
    return float(worlds_shares.share_at_which(events, total, level=LEVEL))


def at_most(share: float) -> str:
    """Return an upper bound as text, cut off and not rounded: ``0.31955 -> '31.9 %'``."""
    return f"{math.floor(1000.0 * share) / 10.0:.1f} %"


def share_curve(printed: PrintedNumbers, events: int, shares: np.ndarray) -> np.ndarray:
    """Return the two-sided log-rank P at each share of follow-up held by the positives."""
    return worlds_shares.share_curve(events, printed.recurrences, shares)


def needed_salvages(printed: PrintedNumbers) -> pd.DataFrame:
    """Return how many salvages a "significant" benefit needs, by Fisher's exact test.

    All tables are searched: ``recurrences`` of the ``positive`` patients recur (every possible
    total up to the printed one), ``salvaged_events`` of them among ``salvages`` salvaged.

    Returns
    -------
    DataFrame
        ``recurrences, salvaged_events, salvages, risk_salvaged, risk_unsalvaged, fisher_p``: the
        fewest salvages at which the salvaged fare significantly better, missing (0 salvages) where
        no number does.
    """
    return _needed(printed.positive, printed.recurrences).copy()


@cache
def _needed(positive: int, recurrences: int) -> pd.DataFrame:
    """Judge every table, and keep of each split the first that is significantly better."""
    i, j, k = (axis.ravel() for axis in np.indices((recurrences, recurrences + 1, positive - 1)))
    total, hits, salvages = recurrences - i, j, k + 1
    rest = positive - salvages
    possible = (hits <= total) & (hits <= salvages) & (total - hits <= rest)
    total, hits, salvages, rest = (x[possible] for x in (total, hits, salvages, rest))
    p = fisher_p(hits, salvages - hits, total - hits, rest - (total - hits))
    tables = pd.DataFrame(
        {
            "recurrences": total,
            "salvaged_events": hits,
            "salvages": salvages,
            "risk_salvaged": hits / salvages,
            "risk_unsalvaged": (total - hits) / rest,
            "fisher_p": p,
        }
    )
    split = ["recurrences", "salvaged_events"]
    better = (tables["risk_salvaged"] < tables["risk_unsalvaged"]) & (tables["fisher_p"] < LEVEL)
    fewest = tables[better].drop_duplicates(split)
    found = tables[split].drop_duplicates().merge(fewest, how="left", on=split)
    found["salvages"] = found["salvages"].fillna(0).astype(int)
    return found
