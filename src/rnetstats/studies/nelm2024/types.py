"""Types of asynchronous metastases by primary, with a handful of rectal patients."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.formatting import fmt_p, fmt_percent
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.evidence_verdicts import evidence_verdict
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.finding import Contrast, Finding
from rnetstats.studies.nelm2024.cohort import Cohort
from rnetstats.studies.verdicts import MINIMUM, not_judged
from rnetstats.tables.exact_proportion import exact_proportion
from rnetstats.tables.exact_table import exact_table
from rnetstats.tables.exact_two_by_two import ExactTableResult
from rnetstats.tables.fisher import fisher_p

__all__ = ["Types", "grade_finding", "support_table", "type_finding", "type_table", "types_of"]

LEVELS = ("I", "II", "III")
LEVEL = 0.05


@dataclass(frozen=True)
class Types:
    """Counts of types by primary among asynchronous patients, and their exact tests.

    ``counts`` has one row a primary (rectum, pancreas) and one column a type.
    """

    counts: pd.DataFrame
    p_value: float
    p_three: float
    odds_ratio: tuple[float, float, float]

    def three(self, primary: str) -> tuple[int, int]:
        """Return how many have type III, of how many."""
        row = self.counts.loc[[primary]].to_numpy()[0]
        return int(row[LEVELS.index("III")]), int(row.sum())


def types_of(cohort: Cohort, attempts: Attempts) -> Types | None:
    """Count and test the types; None where a primary has no asynchronous patient."""
    frame = cohort.asynchronous
    counts = (
        pd.crosstab(frame["primary"].astype(object), frame["metastasis_type"].astype(object))
        .reindex(index=["rectum", "pancreas"], columns=list(LEVELS), fill_value=0)
        .astype(int)
    )
    if (counts.sum(axis=1) == 0).any():
        attempts.skip("Types by primary", "a primary has no asynchronous patient")
        return None
    seen = counts.loc[:, counts.sum() > 0].to_numpy()
    several = seen.shape[1] > 1
    if not several:
        attempts.skip("Test of the types by primary", "all patients have the same type")
    whole = attempts.run("Types by primary", lambda: exact_table(seen)) if several else None
    (a, n_1), (c, n_0) = ((int(row[-1]), int(row.sum())) for row in counts.to_numpy())
    two = exact_table([[a, n_1 - a], [c, n_0 - c]])
    assert isinstance(two, ExactTableResult)
    odds = two.method("central", "odds ratio")
    return Types(
        counts=counts,
        p_value=float("nan") if whole is None else _p(whole.glance()),
        p_three=float(fisher_p(a, n_1 - a, c, n_0 - c)),
        odds_ratio=(float(odds["estimate"]), float(odds["conf_low"]), float(odds["conf_high"])),
    )


def _p(glance: pd.DataFrame) -> float:
    name = "fisher_p" if "fisher_p" in glance.columns else "p_value"
    return float(glance[name].iloc[0])


def type_table(types: Types) -> Exhibit:
    """Return the counts with the exact tests."""
    total = types.counts.sum(axis=1)
    shown = pd.DataFrame(
        {
            "Primary": list(types.counts.index),
            "Patients": [str(n) for n in total],
            **{
                f"Type {name}": [
                    f"{k} ({fmt_percent(k / n)})"
                    for k, n in zip(types.counts[name], total, strict=True)
                ]
                for name in LEVELS
            },
        }
    )
    return Exhibit(
        name="types",
        title="Types of liver metastases, asynchronous patients",
        caption="All patients have the same type: there is nothing to test."
        if math.isnan(types.p_value)
        else f"Exact test of all types (Freeman-Halton): P {fmt_p(types.p_value)}; of type III "
        f"against the others (Fisher): P {fmt_p(types.p_three)}.",
        numbers=types.counts.rename_axis("primary").reset_index(),
        shown=shown,
        notes=(
            "Type I: a single metastasis. Type II: one bulk with smaller deposits in both lobes. "
            "Type III: disseminated.",
        ),
    )


def support_table(sheet: FactSheet, types: Types) -> Exhibit:
    """Return which counts of type III among the rectal patients would be significant at all."""
    rectal = sheet["rectal_asynchronous"].count
    _, others = types.three("pancreas")
    k = np.arange(rectal + 1)
    rows = []
    shares: dict[int, float] = {}
    for share in (0.2, 0.3, 0.4, 0.5, 0.6):
        shares.setdefault(round(share * others), share)
    for c, share in shares.items():
        p = fisher_p(k, rectal - k, np.full_like(k, c), np.full_like(k, others - c))
        more = k / rectal > c / others
        hits = k[more & (p < LEVEL)]
        fewest = int(hits[0]) if hits.size else 0
        rows.append((share, c, others, fewest, rectal))
    columns = ["share", "others_type_iii", "others", "fewest", "rectal"]
    numbers = pd.DataFrame(rows, columns=columns)
    return Exhibit(
        name="support",
        title=f"What {rectal} rectal patients can show",
        caption="How many of them must have type III before Fisher’s test calls it more often than "
        "in the others.",
        numbers=numbers,
        shown=pd.DataFrame(
            {
                "Type III in the others": [
                    f"{row[1]} of {row[2]} ({fmt_percent(row[1] / row[2])})" for row in rows
                ],
                "Needed in the rectal": [
                    f"{row[3]} of {rectal}" if row[3] else "no number suffices" for row in rows
                ],
            }
        ),
    )


def type_finding(types: Types | None) -> Finding:
    """Return the claim that rectal metastases are more often disseminated."""
    statement = "Asynchronous rectal metastases are more often of type III than pancreatic ones"
    endpoint = "Type of liver metastases at their diagnosis, asynchronous patients"
    if types is None:
        return Finding(
            key="types",
            statement=statement,
            endpoint=endpoint,
            estimand="Odds ratio",
            method="Exact tests",
            events="none",
            said="There are no asynchronous patients of both primaries.",
            fixed=not_judged("Nothing to compare."),
        )
    (a, n_1), (c, n_0) = types.three("rectum"), types.three("pancreas")
    estimate, low, high = types.odds_ratio
    fewest = min(a, n_1 - a, c, n_0 - c)
    return Finding(
        key="types",
        statement=statement,
        endpoint=endpoint,
        estimand="Odds ratio of type III, rectal against pancreatic",
        method="Exact conditional odds ratio, central limits; Fisher’s test",
        events=f"type III: {a} of {n_1} rectal, {c} of {n_0} pancreatic",
        said=(
            f"{a} of {n_1} rectal and {c} of {n_0} pancreatic patients have type III "
            f"({fmt_percent(a / n_1)} and {fmt_percent(c / n_0)}); {_tested(types.p_value)}."
        ),
        direction="greater",
        n_events=min(a + c, n_1 + n_0 - a - c),
        smallest=min(n_1, n_0),
        fewest=fewest,
        contrasts=(
            Contrast(
                "Type III: rectal against pancreatic", "OR", estimate, low, high, a, n_1, c, n_0
            ),
        ),
        p_value=types.p_three,
        p_exact=types.p_three if fewest < MINIMUM else math.nan,
    )


def _tested(p_value: float) -> str:
    if math.isnan(p_value):
        return "all have the same type, so that there is nothing to test"
    return f"over all types the exact P is {fmt_p(p_value)}"


def grade_finding(cohort: Cohort, sheet: FactSheet) -> Finding:
    """Return the check of the printed share of G2: the counts that it allows, and their limits."""
    printed = sheet["rectal_g2_percent"]
    k, n = sheet["rectal_g2"].count, sheet["rectal_asynchronous"].count
    row = exact_proportion(k, n).method("central", "proportion")
    frame = cohort.asynchronous
    rectal = frame[frame["primary"].astype(object) == "rectum"]
    unknown = int(rectal["grade"].isna().sum())
    here, graded = int((rectal["grade"].astype(object) == "G2").sum()), len(rectal) - unknown
    limits = (
        f"{fmt_percent(float(row['conf_low']), 0)} to {fmt_percent(float(row['conf_high']), 0)}"
    )
    said = (
        f"With at most {sheet['rectum'].value} rectal patients, {printed.text} can only be {k} of "
        f"{n}; its 95 % limits are {limits}. "
    )
    said += (
        f"In the data at hand {here} of {graded} {'is' if graded == 1 else 'are'} G2."
        if graded
        else "The data at hand hold no asynchronous rectal patient of known grade."
        if unknown
        else "The data at hand hold no asynchronous rectal patient."
    )
    said += f" The grade of {unknown} more is not known." * bool(unknown and graded)
    return Finding(
        key="grade",
        statement=f"{printed.text} of the asynchronous rectal tumours are G2",
        endpoint="Grade of the primary, asynchronous rectal patients",
        estimand="Share of G2",
        method="Every count of at most the printed number of patients; Clopper-Pearson limits",
        events=f"G2: {k} of {n} in print, {here} of {graded} in the data",
        said=said,
        n_events=k,
        fixed=evidence_verdict("follows", f"Only {k}/{n} prints as {printed.text}."),
        shown=f"{printed.text} ({limits})",
    )
