"""Incomplete resection by method: printed rates, counts of single studies, and mixes of methods."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from rnetstats.evidence.facts import Fact, FactSheet
from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.meta2026.primary import included_studies
from rnetstats.studies.meta2026.proportions import FEWEST, PooledShare, pool_shares

__all__ = ["LABELS", "method_counts", "mix_table", "pool_methods", "rate_table"]

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


_MIXES = {
    27: ("conventional_emr", "modified_emr", "esd", "esd"),
    20: ("conventional_emr", "modified_emr", "esd"),
    19: ("conventional_emr", "modified_emr", "esd"),
    39: ("conventional_emr", "modified_emr", "esd"),
    23: ("conventional_emr", "esd"),
    24: ("modified_emr", "esd"),
}
"""Rows of the meta-analysis's table with the methods of their counts (our reading)."""


def mix_table(sheet: FactSheet, duan: FactSheet, cha: FactSheet) -> Exhibit:
    """Return what the pooled rates give on the mix of methods of six studies, and what was seen."""
    seen = {
        27: (duan["positive_margin"].count, "positive margin"),
        20: (cha["not_curative"].count, "not curative"),
        19: (sheet["cha_b_incomplete"].count, "incomplete"),
        39: (sheet["lee_high_risk"].count, "high-risk group"),
        23: (sheet["cho_incomplete"].count, "incomplete"),
        24: (sheet["ryu_incomplete"].count, "incomplete"),
    }
    table = included_studies().set_index("ref")
    rows = []
    for ref, methods in _MIXES.items():
        counts = np.array([int(part) for part in str(table.loc[ref, "split"]).split("/")], float)
        rates = np.array([sheet[f"incomplete_{m}"].number / 100.0 for m in methods])
        events, words = seen[ref]
        rows.append(
            {
                "study": _name(ref, str(table.loc[ref, "first_author"])),
                "means": words,
                "n": int(counts.sum()),
                "expected": float(counts @ rates),
                "seen": events,
                "odds_factor": math.exp(_shift(counts, rates, events)),
            }
        )
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Study": numbers["study"],
            "Counted": numbers["means"],
            "Patients": [str(n) for n in numbers["n"]],
            "Expected at the pooled rates": [
                f"{fmt_number(e, 0)} ({fmt_percent(e / n)})"
                for e, n in zip(numbers["expected"], numbers["n"], strict=True)
            ],
            "Seen": [
                f"{e} ({fmt_percent(e / n)})"
                for e, n in zip(numbers["seen"], numbers["n"], strict=True)
            ],
            "Odds against the pooled ones": [fmt_number(x) for x in numbers["odds_factor"]],
        }
    )
    logs = np.log(numbers["odds_factor"].to_numpy())
    spread = float(logs.std(ddof=1))
    return Exhibit(
        name="mixes",
        title="Do the pooled rates describe single studies?",
        caption="Each study’s patients by method (our reading of run-together digits) times the "
        "printed pooled rates, beside what that study saw.",
        numbers=numbers,
        shown=shown,
        from_print=True,
        notes=(
            "The last column multiplies the odds of every method alike until the expected number "
            "is the one seen.",
            f"The logarithms of these factors have a standard deviation of {fmt_number(spread)}: "
            "studies differ by more than their mixes of methods. They count different things "
            "(margin, invasion, grade), so part of it is definition.",
            "Without limits and heterogeneity in print nobody can say how far from a pooled rate a "
            "study may lie.",
        ),
    )


def _name(ref: int, author: str) -> str:
    return f"{author} [{ref}]"


def _shift(counts: np.ndarray, rates: np.ndarray, events: int) -> float:
    """The log odds ratio, the same for all methods, at which as many are expected as were seen."""
    start = logit(rates)

    def off(shift: float) -> float:
        return float(counts @ expit(start + shift)) - events

    return float(brentq(off, -10.0, 10.0, xtol=1e-12))
