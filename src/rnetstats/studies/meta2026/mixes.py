"""What pooled rates give on a study's mix of methods, beside what the study saw."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from rnetstats.evidence.facts import FactSheet
from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.meta2026.primary import included_studies

__all__ = ["mix_table"]


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
    numbers = _numbers(sheet, duan, cha)
    logs = np.log(numbers["odds_factor"].to_numpy())
    spread = float(logs.std(ddof=1))
    return Exhibit(
        name="mixes",
        title="Do the pooled rates describe single studies?",
        caption="Each study’s patients by method (our reading of run-together digits) times the "
        "printed pooled rates, beside what that study saw.",
        numbers=numbers,
        shown=_shown(numbers),
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


def _numbers(sheet: FactSheet, duan: FactSheet, cha: FactSheet) -> pd.DataFrame:
    """One row a study: what is expected of its patients at the pooled rates, and what was seen."""
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
    return pd.DataFrame(rows)


def _shown(numbers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
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


def _name(ref: int, author: str) -> str:
    return f"{author} [{ref}]"


def _shift(counts: np.ndarray, rates: np.ndarray, events: int) -> float:
    """The log odds ratio, the same for all methods, at which as many are expected as were seen."""
    start = logit(rates)

    def off(shift: float) -> float:
        return float(counts @ expit(start + shift)) - events

    return float(brentq(off, -10.0, 10.0, xtol=1e-12))
