"""Incomplete resection by method: printed rates, and counts of single studies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from rnetstats.evidence.facts import Fact, FactSheet
from rnetstats.formatting import fmt_interval, fmt_percent
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.meta2026.proportions import FEWEST, PooledShare, pool_shares

__all__ = ["LABELS", "counts_table", "method_counts", "pool_methods", "rate_table"]

LABELS = {
    "cold_snare": "Cold snare",
    "conventional_emr": "Conventional EMR",
    "modified_emr": "Modified EMR",
    "esd": "ESD",
}


@dataclass(frozen=True)
class _Row:
    """One method in one study: keys of its facts."""

    study: str
    method: str
    n: str
    incomplete: str = ""
    complete: str = ""
    complete_percent: str = ""
    in_meta: str = "unknown"


_ROWS = (
    _Row("Cha B 2022", "esd", "cha_b_esd", incomplete="cha_b_esd_incomplete", in_meta="yes"),
    _Row(
        "Cha B 2022",
        "modified_emr",
        "cha_b_ligation",
        incomplete="cha_b_ligation_incomplete",
        in_meta="yes",
    ),
    _Row("EMR-L matched to ESD", "esd", "matched_esd_n", complete_percent="matched_esd_percent"),
    _Row(
        "EMR-L matched to ESD",
        "modified_emr",
        "matched_emr_l_n",
        complete_percent="matched_emr_l_percent",
    ),
    _Row("Hindawi 8425157", "esd", "hindawi_esd", complete_percent="hindawi_esd_percent"),
    _Row(
        "Hindawi 8425157",
        "modified_emr",
        "hindawi_emr_l",
        complete_percent="hindawi_emr_l_percent",
    ),
    _Row("EMR-P, Asan", "modified_emr", "asan_patients", complete="asan_complete"),
    _Row("Tip-in EMR (trial)", "modified_emr", "tip_in_n", complete_percent="tip_in_percent"),
    _Row(
        "EMR-P (the same trial)",
        "modified_emr",
        "tip_in_control_n",
        complete_percent="tip_in_control_percent",
    ),
    _Row(
        "SNUH 2018, dual channel",
        "modified_emr",
        "snuh_dual_channel",
        complete_percent="snuh_complete_dual_channel",
    ),
    _Row(
        "SNUH 2018, precut",
        "modified_emr",
        "snuh_precut",
        complete_percent="snuh_complete_precut",
    ),
    _Row(
        "SNUH 2018",
        "conventional_emr",
        "snuh_conventional_emr",
        complete_percent="snuh_complete_conventional_emr",
    ),
)


def method_counts(sheet: FactSheet) -> pd.DataFrame:
    """Return single studies whose counts by method are known, or follow from a percentage.

    Returns
    -------
    DataFrame
        ``study, method, events, events_low, events_high, n, standing, in_meta``: incomplete
        resections. Where a percentage allows several counts, ``events`` is the middle one, and
        ``standing`` says "not unique".
    """
    made = []
    for row in _ROWS:
        n = sheet[row.n].count
        if row.incomplete:
            low = high = sheet[row.incomplete].count
        elif row.complete:
            low = high = n - sheet[row.complete].count
        else:
            counts = _counts(sheet[row.complete_percent], n)
            low, high = n - counts[-1], n - counts[0]
        exact = "derived" if row.complete_percent else "printed"
        made.append(
            {
                "study": row.study,
                "method": row.method,
                "events": (low + high + 1) // 2,
                "events_low": low,
                "events_high": high,
                "n": n,
                "standing": exact if low == high else "not unique",
                "in_meta": row.in_meta,
            }
        )
    return pd.DataFrame(made)


def _counts(percent: Fact, n: int) -> list[int]:
    """All counts of n that print as this percentage."""
    half = 0.5 * 10.0**-percent.decimals + 1e-9
    return [k for k in range(n + 1) if abs(100.0 * k / n - percent.number) <= half]


def pool_methods(counts: pd.DataFrame) -> dict[str, PooledShare]:
    """Pool the incomplete share of each method; one study stands alone with exact limits."""
    return {str(method): pool_shares(rows) for method, rows in counts.groupby("method", sort=False)}


def counts_table(counts: pd.DataFrame) -> Exhibit:
    """Return the single series whose counts are known."""
    return Exhibit(
        name="method_counts",
        title="Single series whose counts by method are known",
        caption="Incomplete resections. Derived: the only count that prints as the percentage of "
        "the series. Whether the meta-analysis holds a series is known of few.",
        numbers=counts,
        shown=pd.DataFrame(
            {
                "Series": counts["study"],
                "Method": counts["method"].map(LABELS),
                "Incomplete": [
                    f"{e} of {n} ({fmt_percent(e / n)})"
                    for e, n in zip(counts["events"], counts["n"], strict=True)
                ],
                "Standing": counts["standing"],
                "In the meta-analysis": counts["in_meta"],
            }
        ),
        from_print=True,
    )


def rate_table(sheet: FactSheet, counts: pd.DataFrame, pooled: dict[str, PooledShare]) -> Exhibit:
    """Return the printed rate of each method with ours beside it; unknown stays unknown."""
    rows, shown = [], []
    for method, label in LABELS.items():
        printed = sheet[f"incomplete_{method}"]
        ours = pooled.get(method)
        rows.append(
            {
                "method": method,
                "label": label,
                "printed": printed.number / 100.0,
                "k": 0 if ours is None else ours.k,
                "events": math.nan if ours is None else ours.events,
                "n": math.nan if ours is None else ours.n,
                "estimate": math.nan if ours is None else ours.estimate,
                "conf_low": math.nan if ours is None else ours.low,
                "conf_high": math.nan if ours is None else ours.high,
                "pi_low": math.nan if ours is None else ours.pi_low,
                "pi_high": math.nan if ours is None else ours.pi_high,
                "i2": math.nan if ours is None else ours.i2,
            }
        )
        shown.append(
            {
                "Method": label,
                "Printed, no limits": printed.text,
                "Series at hand": "none" if ours is None else str(ours.k),
                "Incomplete": "unknown" if ours is None else f"{ours.events} of {ours.n}",
                "Ours (95 % CI)": "–" if ours is None else _share(ours),
                "Prediction interval": "–" if ours is None else _pi(ours),
            }
        )
    loose = counts[counts["standing"] == "not unique"]
    notes = [
        "Ours is pooled from other studies than the meta-analysis’s "
        f"{sheet['method_studies'].value}: which these are, and their counts, is unknown. It is no "
        "check of the printed rates; it shows what single series look like.",
        "Series that compare new techniques need not be like routine practice, and “complete” may "
        "mean the margin alone there: the meta-analysis counts lymphovascular invasion as "
        "incomplete, too.",
    ]
    notes += [
        f"{row['study']}: {row['events_low']} or {row['events_high']} of {row['n']} print "
        f"alike; {row['events']} is taken."
        for row in loose.to_dict("records")
    ]
    return Exhibit(
        name="methods",
        title="Incomplete resection by method",
        caption="Printed: pooled rates of the meta-analysis. Ours: logits, REML, the wider of "
        "Hartung-Knapp and classical limits; one study by exact limits.",
        numbers=pd.DataFrame(rows),
        shown=pd.DataFrame(shown),
        from_print=True,
        notes=tuple(notes),
    )


def _share(pooled: PooledShare) -> str:
    limits = fmt_interval(100 * pooled.low, 100 * pooled.high, 1)
    return f"{fmt_percent(pooled.estimate)} ({limits})"


def _pi(pooled: PooledShare) -> str:
    if pooled.k < FEWEST:
        return "too few series"
    return f"{fmt_interval(100 * pooled.pi_low, 100 * pooled.pi_high, 1)} %"
