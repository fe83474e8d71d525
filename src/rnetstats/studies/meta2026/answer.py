"""The sentences that a reader of the meta-analysis sees first."""

from __future__ import annotations

import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.evidence.information_size_result import InformationSizeResult
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.meta2026.comparison import Comparison, span_words
from rnetstats.studies.meta2026.crude import (
    by_part,
)
from rnetstats.studies.meta2026.gap import Gap
from rnetstats.studies.meta2026.sizes import EFFECT
from rnetstats.studies.verdicts import DOUBLING, HALVING

__all__ = ["answer_of"]


def answer_of(
    sheet: FactSheet,
    parts: pd.DataFrame,
    found: Comparison,
    gap: Gap,
    size: InformationSizeResult,
    mixes: pd.DataFrame,
) -> tuple[str, ...]:
    """Return the sentences that a reader sees first."""
    line = by_part(parts)
    within = line["within"]
    need = size.to_frame()
    first = (
        f"Recurrence of {sheet['crude_salvage'].text} after salvage against "
        f"{sheet['crude_observation'].text} under observation is no evidence that salvage works: "
        f"the crude odds ratio of {fmt_number(line['crude']['odds_ratio'])} becomes "
        f"{fmt_number(within['odds_ratio'])} "
        f"({fmt_interval(within['low'], within['high'])}) within the studies that compare, and "
        f"{fmt_percent(line['between']['share'], 0)} of its logarithm is a difference between "
        "studies."
    )
    low, high = need.iloc[0], need.iloc[-1]
    second = (
        f"Nor is it shown that salvage does nothing. To settle an odds ratio of {EFFECT:g} takes "
        f"{fmt_count(low['patients'])} to {fmt_count(high['patients'])} patients in comparative "
        "studies, by heterogeneity; all cases of all studies, comparative or not, are "
        f"{fmt_count(sheet['incomplete_cases'].count)}."
    )
    table = found.table
    (a, n_1), (c, n_2) = table.arm(1), table.arm(2)
    counts = f"{table.words}: {a} of {n_1} against {c} of {n_2}"
    if table.both.empty:
        third = "No study of your table has both arms, so that nothing can be compared within one."
    elif table.own:
        third = f"Pooled from {counts}: {_own_words(found)}."
    else:
        third = f"What can be pooled again ({counts}) says still less: {_own_words(found)}."
    product = gap.product(gap.residual[1])
    fourth = (
        f"Residual tumour in {sheet['residual_percent'].text} and recurrence in "
        f"{sheet['crude_observation'].text} mean that about one residual in "
        f"{fmt_number(1.0 / product, 0)} grows to a recurrence that is found, or that the observed "
        "had less residual tumour than the salvaged. "
    )
    duan = mixes.iloc[0]
    fourth += (
        f"Pooled rates do not carry over to a study: they give {fmt_number(duan['expected'], 0)} "
        f"incomplete resections on the mix of methods of one that saw {duan['seen']}."
    )
    return (first, second, third, fourth)


def _own_words(found: Comparison) -> str:
    if found.pooled is None:
        return "no odds ratio can be given"
    if found.rare is not None:
        words = f"the odds ratio is {span_words(found.rare)}"
        rows = found.rare.to_frame().dropna(subset=["conf_low", "conf_high"])
        wide = (rows["conf_low"] <= HALVING) & (rows["conf_high"] >= DOUBLING)
        if len(rows) and wide.all():
            words += ", each time with limits that hold a halving and a doubling of the odds"
        return words
    row = found.pooled.glance().iloc[0]
    limits = fmt_interval(float(row["conf_low"]), float(row["conf_high"]))
    return f"odds ratio {fmt_number(float(row['estimate']))} ({limits})"
