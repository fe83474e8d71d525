"""What differs between curative and non-curative resections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnetstats.evidence.facts import FactSheet
from rnetstats.formatting import fmt_percent, inside
from rnetstats.regression.logistic import logistic
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.cha2019.cohort import Cohort
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.finding import Contrast, Finding
from rnetstats.studies.records import records
from rnetstats.studies.verdicts import MINIMUM, not_judged
from rnetstats.tables.fisher import fisher_p
from rnetstats.tables.table_one import table_one

__all__ = ["comparison_findings", "table_one_exhibit"]

_COLUMNS = (
    "age",
    "sex",
    "size_mm",
    "detection",
    "first_method",
    "grade",
    "margin",
    "lvi",
    "node_metastasis",
)
_MEASURED = ("age", "size_mm")


@dataclass(frozen=True)
class _Claim:
    key: str
    column: str
    level: str
    words: str
    noun: str
    fact: str


_CLAIMS = (
    _Claim("polyp", "detection", "polyp", "Resection as a polyp", "resected as a polyp", "polyp_p"),
    _Claim(
        "conventional",
        "first_method",
        "cEMR",
        "Conventional EMR",
        "conventional EMR",
        "conventional_emr_p",
    ),
)


def table_one_exhibit(cohort: Cohort) -> Exhibit:
    """Describe the patients by whether the resection was curative."""
    columns = [name for name in _COLUMNS if cohort.has(name)]
    label = cohort.definition.label
    measured = {name: "both" for name in columns if name in _MEASURED}
    alike = cohort.one_class
    patients = cohort.everyone[[*columns, "resection"]]
    table = table_one(
        patients, by=None if alike else "resection", columns=columns, summaries=measured
    )
    return Exhibit(
        name="table_one",
        title="Table 1. Patients" if alike else "Table 1. Patients by resection",
        caption=alike or f"Not curative: {inside(label)}.",
        numbers=table.to_frame(),
        shown=table.display(),
        notes=table.notes,
    )


def comparison_findings(cohort: Cohort, sheet: FactSheet, attempts: Attempts) -> list[Finding]:
    """Return the claims that a factor is more frequent when the resection is not curative."""
    return [_finding(cohort, sheet, claim, attempts) for claim in _CLAIMS]


def _finding(cohort: Cohort, sheet: FactSheet, claim: _Claim, attempts: Attempts) -> Finding:
    frame = cohort.everyone
    values = frame[claim.column]
    known = frame[values.notna()]
    has = (known[claim.column].astype(object) == claim.level).to_numpy()
    no = (known["not_curative"] == 1).to_numpy()
    a, n_1 = int((has & no).sum()), int(no.sum())
    c, n_0 = int((has & ~no).sum()), int((~no).sum())
    alike = cohort.one_class
    row = (
        None if alike else attempts.run(f"{claim.words} by resection", lambda: _odds(known, claim))
    )
    contrasts = () if row is None else (_contrast(row, claim, a, n_1, c, n_0),)
    fewest = min(a, n_1 - a, c, n_0 - c)
    exact = float(fisher_p(a, n_1 - a, c, n_0 - c)) if fewest < MINIMUM else float("nan")
    printed = sheet[claim.fact]
    return Finding(
        key=claim.key,
        statement=f"{claim.words} is more frequent when the resection is not curative",
        endpoint="The resection, as defined above",
        estimand="Not curative against curative, not adjusted for anything",
        method="Logistic regression, Firth’s penalty, profile limits",
        events=(f"{claim.noun}: {a} of {n_1} not curative, {c} of {n_0} curative"),
        said=(
            f"{claim.words}: {_share(a, n_1)} of the resections that were not curative and "
            f"{_share(c, n_0)} of the others. The paper prints P = {printed.value}."
        ),
        direction="greater",
        n_events=min(a + c, n_1 + n_0 - a - c),
        smallest=min(n_1, n_0),
        fewest=fewest,
        contrasts=contrasts,
        p_value=float("nan") if row is None else float(row["p_value"]),
        p_exact=exact,
        fixed=None if row is not None else not_judged(alike or f"{claim.words} does not vary."),
        in_family=True,
    )


def _share(some: int, every: int) -> str:
    """Count some of several, with their share where there are any."""
    return f"{some} of {every}" + (f" ({fmt_percent(some / every)})" if every else "")


def _odds(frame: pd.DataFrame, claim: _Claim) -> dict[str, Any]:
    """Odds of the factor, not curative against curative (the same either way round)."""
    fit = logistic(frame, f'not_curative ~ I({claim.column} == "{claim.level}")')
    return records(fit.to_frame())[-1]


def _contrast(row: dict[str, Any], claim: _Claim, a: int, n_1: int, c: int, n_0: int) -> Contrast:
    return Contrast.of(row, f"{claim.words}: not curative against curative", (a, n_1), (c, n_0))
