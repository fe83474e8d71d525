"""What the reanalysis of a study returns: the answer, the claims, the tables, the fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import OptionError, closest
from rnetstats.studies.exhibit import Exhibit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["StudyResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StudyResult(Result):
    """A study, reanalysed on one cohort.

    Attributes
    ----------
    study, title, citation : str
    source : str
        Where the cohort comes from, in words.
    synthetic : bool
        Whether the cohort was drawn rather than observed.
    answer : tuple of str
        The answer, one sentence after the other.
    claims : DataFrame
        One row a claim: ``claim, statement, endpoint, estimand, events, n_events,
        fewest_events, estimate_text, p_value, p_exact, p_adjusted, method, verdict, rule,
        because, judged, sentence``; ``p_exact`` is missing unless an arm has few events, and
        ``p_text, p_exact_text, p_adjusted_text`` are the P values as printed. ``judged`` says
        whether the claim is one of those whose P values are adjusted together.
    estimates : DataFrame
        One row a contrast of a claim: ``claim, contrast, measure, estimate, conf_low, conf_high,
        events_1, n_1, events_0, n_0``.
    exhibits : tuple of Exhibit
        The report's tables, in its order.
    names : tuple of str
        Names of ``analyses``.
    analyses : tuple of Result
        The curves and fits behind the tables and figures.
    facts : dict
        Numbers that the report's sentences are made from.
    skipped : tuple of str
        What was left out, and why.
    """

    study: str
    title: str
    citation: str
    source: str
    synthetic: bool
    answer: tuple[str, ...]
    claims: pd.DataFrame
    estimates: pd.DataFrame
    exhibits: tuple[Exhibit, ...]
    names: tuple[str, ...]
    analyses: tuple[Result, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The numbers of each table, by name."""
        return {exhibit.name: exhibit.to_frame() for exhibit in self.exhibits}

    def table(self, name: str) -> Exhibit:
        """Return one table with its title, text and notes.

        Raises
        ------
        OptionError
            If the report has no such table.
        """
        found = {exhibit.name: exhibit for exhibit in self.exhibits}
        if name not in found:
            raise OptionError(f"This report has no table {name!r}.{closest(name, found)}")
        return found[name]

    def analysis(self, name: str) -> Result | None:
        """Return a fit or curve by its name, or None where it could not be made."""
        return dict(zip(self.names, self.analyses, strict=True)).get(name)

    def to_frame(self) -> pd.DataFrame:
        """Return the claims (a copy)."""
        return self.claims.copy()

    def glance(self) -> pd.DataFrame:
        """Count the verdicts."""
        counts = self.claims["rule"].value_counts()
        return pd.DataFrame(
            {
                "study": [self.study],
                "synthetic": [self.synthetic],
                "claims": [len(self.claims)],
                "confirmed": [int(counts.get("confirmed", 0))],
                "contradicted": [int(counts.get("contradicted", 0))],
                "not_judged": [int(counts.get("not judged", 0))],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return claim, events, estimate and verdict as text."""
        columns = {
            "statement": "claim",
            "endpoint": "endpoint",
            "events": "events",
            "estimate_text": "estimate (95 % CI)",
            "verdict": "verdict",
        }
        return self.claims[list(columns)].rename(columns=columns)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the estimate behind each judged claim as a forest plot."""
        from rnetstats.plots.forest import forest
        from rnetstats.plots.style import marked

        rows = self.estimates.rename(columns={"contrast": "label"})
        return marked(forest(rows, measure="Ratio (odds or hazard)", ax=ax), self.synthetic)
