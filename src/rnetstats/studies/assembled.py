"""The result of a study, put together from what its analyses gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.facts import FactSheet
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.study_result import StudyResult

__all__ = ["assembled"]


def assembled(
    sheet: FactSheet,
    attempts: Attempts,
    *,
    source: str,
    synthetic: bool,
    answer: Iterable[str],
    claims: pd.DataFrame,
    estimates: pd.DataFrame,
    exhibits: Iterable[Exhibit | None],
    fits: Mapping[str, Result],
    notes: Iterable[str],
    seed: int,
    facts: Mapping[str, Any] | None = None,
    citation: str = "",
) -> StudyResult:
    """Put a study's result together.

    Parameters
    ----------
    sheet : FactSheet
        The study's printed figures, with its name, title and citation.
    attempts : Attempts
        What was left out, and why.
    source, synthetic, answer, notes, seed
        As in :class:`StudyResult`.
    claims, estimates : DataFrame
        As from :func:`rnetstats.studies.finding.frames`.
    exhibits : iterable of Exhibit or None
        In the report's order; None where one could not be made.
    fits : mapping
        The results behind the tables, by name.
    facts : mapping, optional
        Numbers that the report's sentences are made from.
    citation : str
        The citation with the design, by default.
    """
    return StudyResult(
        study=sheet.name,
        title=sheet.title,
        citation=citation or f"{sheet.citation} {sheet.design}",
        source=source,
        synthetic=synthetic,
        answer=tuple(answer),
        claims=claims,
        estimates=estimates,
        exhibits=tuple(exhibit for exhibit in exhibits if exhibit is not None),
        names=tuple(fits),
        analyses=tuple(fits.values()),
        facts=dict(facts or {}),
        skipped=tuple(attempts.skipped),
        notes=tuple(notes),
        seed=seed,
    )
