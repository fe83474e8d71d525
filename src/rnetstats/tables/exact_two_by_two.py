"""All that is said of one 2x2 table: odds ratio, risk difference and risk ratio, by each method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import ndtr

from rnetstats.tables.counts import CountTable
from rnetstats.tables.exact_family import hypergeometric_family
from rnetstats.tables.exact_inference import exact_limits, exact_p_values, one_sided_limits
from rnetstats.tables.limits_result import (
    LimitsByMethod,
    LimitsRow,
    gap_notes,
    limits_frame,
    two_sided_rows,
)
from rnetstats.tables.odds_ratio import haldane_anscombe, sample_odds_ratio, woolf_limits
from rnetstats.tables.proportion_limits import Pair
from rnetstats.tables.two_proportions import (
    agresti_caffo_limits,
    katz_limits,
    miettinen_nurminen_limits,
    newcombe_limits,
    score_z,
    wald_difference_limits,
)

__all__ = ["ExactTableResult", "two_by_two"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExactTableResult(LimitsByMethod):
    """A 2x2 table: conditional odds ratio, risk difference and risk ratio, by each method.

    Attributes
    ----------
    table : DataFrame
        Columns group, and the counts of the event and of its absence.
    null : float
        The odds ratio that the exact P values test (the other measures test equality).
    """

    table: pd.DataFrame
    null: float = 1.0

    labels: ClassVar[dict[str, str]] = {
        "central": "exact conditional, central (Fisher)",
        "mid-p": "exact conditional, mid-P",
        "minlike": "exact conditional, minimum likelihood (Fisher)",
        "blaker": "exact conditional, Blaker",
        "one-sided lower": "exact conditional, one-sided lower",
        "one-sided upper": "exact conditional, one-sided upper",
        "woolf": "sample odds ratio, Woolf",
        "haldane-anscombe": "0.5 added to each cell (Haldane-Anscombe)",
        "newcombe": "square-and-add (Newcombe)",
        "newcombe-continuity": "square-and-add, continuity correction",
        "miettinen-nurminen": "score (Miettinen-Nurminen)",
        "agresti-caffo": "Agresti-Caffo",
        "wald": "Wald",
        "katz": "log normal (Katz)",
    }

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, the conditional odds ratio by the central method, Fisher's P."""
        row = self.method("central", "odds ratio")
        counts = self.table.iloc[:, 1:].to_numpy()
        sizes = counts.sum(axis=1)
        return pd.DataFrame(
            {
                "events_1": [int(counts[0, 0])],
                "n_1": [int(sizes[0])],
                "events_2": [int(counts[1, 0])],
                "n_2": [int(sizes[1])],
                "measure": ["odds ratio"],
                "estimate": [row["estimate"]],
                "conf_low": [row["conf_low"]],
                "conf_high": [row["conf_high"]],
                "p_value": [row["p_value"]],
                "method": ["central"],
                "fisher_p": [self.method("minlike", "odds ratio")["p_value"]],
                "null": [self.null],
                "conf_level": [self.conf_level],
            }
        )


def two_by_two(table: CountTable, null: float, conf_level: float) -> ExactTableResult:
    """Work out every measure of a checked 2x2 table by every method."""
    a, b, c, d = (int(x) for x in table.counts.ravel())
    rows, notes = _conditional_rows([a, b, c, d], null, conf_level)
    rows += _sample_rows(a, b, c, d, conf_level)
    rows += _difference_rows(a, a + b, c, c + d, conf_level)
    rows += _ratio_rows(a, a + b, c, c + d, conf_level)
    return ExactTableResult(
        limits=limits_frame(rows),
        conf_level=conf_level,
        table=table.frame(),
        null=null,
        synthetic=table.synthetic,
        notes=(*table.notes, *notes, *_cell_notes(table)),
        options={"null": null, "conf_level": conf_level},
    )


def _exp(theta: float) -> float:
    return math.inf if theta > 709.0 else math.exp(theta)


def _conditional_rows(
    counts: list[int], null: float, conf_level: float
) -> tuple[list[LimitsRow], list[str]]:
    """The odds ratio given the margins (noncentral hypergeometric)."""
    a, b, c, d = counts
    family = hypergeometric_family(a + b, c + d, a + c)
    alpha = 1.0 - conf_level
    found = exact_limits(family, a, alpha)
    one = one_sided_limits(family, a, alpha)
    rows = two_sided_rows(
        "odds ratio",
        _exp(family.mle(a)),
        {name: (_exp(x.low), _exp(x.high)) for name, x in found.items()},
        one_sided=(_exp(one.low), _exp(one.high)),
        p_values=exact_p_values(family, a, math.log(null)),
        ends=(0.0, math.inf),
    )
    return rows, gap_notes(found)


def _normal_p(z: float) -> float:
    return math.nan if math.isnan(z) else float(2.0 * ndtr(-abs(z)))


def _sample_rows(a: int, b: int, c: int, d: int, conf_level: float) -> list[LimitsRow]:
    """Closed-form odds ratios; Woolf's limits do not exist with an empty cell."""
    pairs = {"haldane-anscombe": haldane_anscombe(a, b, c, d)}
    if 0 not in (a, b, c, d):
        pairs = {"woolf": sample_odds_ratio(a, b, c, d), **pairs}
    return [
        (
            "odds ratio",
            name,
            ratio,
            *woolf_limits(ratio, std_error, conf_level),
            _normal_p(math.log(ratio) / std_error),
        )
        for name, (ratio, std_error) in pairs.items()
    ]


def _difference_rows(x1: int, n1: int, x2: int, n2: int, conf_level: float) -> list[LimitsRow]:
    counts = (x1, n1, x2, n2)
    pairs: dict[str, Pair] = {
        "newcombe": newcombe_limits(*counts, conf_level),
        "newcombe-continuity": newcombe_limits(*counts, conf_level, continuity=True),
        "miettinen-nurminen": miettinen_nurminen_limits(*counts, conf_level),
        "agresti-caffo": agresti_caffo_limits(*counts, conf_level),
    }
    if 0 < x1 < n1 and 0 < x2 < n2:
        pairs["wald"] = wald_difference_limits(*counts, conf_level)
    p = {"miettinen-nurminen": _score_p(*counts)}
    return _limit_rows("risk difference", x1 / n1 - x2 / n2, pairs, p)


def _ratio_rows(x1: int, n1: int, x2: int, n2: int, conf_level: float) -> list[LimitsRow]:
    counts = (x1, n1, x2, n2)
    pairs = {"miettinen-nurminen": miettinen_nurminen_limits(*counts, conf_level, measure="ratio")}
    if x1 and x2:
        pairs["katz"] = katz_limits(*counts, conf_level)
    infinite = math.inf if x1 else math.nan
    estimate = (x1 / n1) / (x2 / n2) if x2 else infinite
    return _limit_rows("risk ratio", estimate, pairs, {"miettinen-nurminen": _score_p(*counts)})


def _limit_rows(
    measure: str, estimate: float, pairs: dict[str, Pair], p: dict[str, float]
) -> list[LimitsRow]:
    return [
        (measure, name, estimate, float(low), float(high), p.get(name, math.nan))
        for name, (low, high) in pairs.items()
    ]


def _score_p(x1: int, n1: int, x2: int, n2: int) -> float:
    """P of equal risks by the score test (1 if nobody, or everybody, has the event)."""
    if x1 + x2 in (0, n1 + n2):
        return 1.0
    return _normal_p(float(score_z(x1, n1, x2, n2, 0.0)))


def _cell_notes(table: CountTable) -> list[str]:
    counts = table.counts
    if (counts > 0).all():
        return []
    if (counts.sum(axis=0) == 0).any():
        absent = table.columns[int(np.argmin(counts.sum(axis=0)))]
        return [
            f"Nobody has {absent!r}: the odds ratio is undefined and every value is possible; only "
            "the risk difference is bounded."
        ]
    ends = "infinite" if 0 in (counts[0, 1], counts[1, 0]) else "zero"
    return [
        f"A cell is empty: the estimated odds ratio is {ends} and its limit on that side too; the "
        "other limit is the bound that the data give. Limits by Woolf, Wald or Katz do not exist."
    ]
