"""What an audit found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.checks_line import VERDICTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AuditResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AuditResult(Result):
    """The checks of a document's printed figures; see :func:`rnetstats.audit`.

    Attributes
    ----------
    lines : DataFrame
        ``number`` (of the check in the file), ``check, kind, facts, printed, recomputed, verdict,
        sentence, gap_low, gap_high``: one row a line; the gap is the recomputed value less the
        printed one, in units of the last printed digit, missing where there is no such number.
    facts : DataFrame
        ``key, label, value, unit, standing, where, depends_on, note``: the figures as printed.
    study : dict
        ``name, title, short_title, citation, design``.
    reporting : DataFrame
        ``instrument, item, question, answer, basis, facts``: items of reporting and risk of bias.
    world_checks : tuple of str
        The checks that asked which tables are possible, and
    worlds : tuple of Result
        what was found for each.
    """

    lines: pd.DataFrame
    facts: pd.DataFrame
    study: dict[str, str]
    reporting: pd.DataFrame
    world_checks: tuple[str, ...] = ()
    worlds: tuple[Any, ...] = field(default=())

    columns: ClassVar[tuple[str, ...]] = (
        "number",
        "check",
        "kind",
        "facts",
        "printed",
        "recomputed",
        "verdict",
        "sentence",
        "gap_low",
        "gap_high",
    )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a check: figures, verdict, and the reasoning in a sentence."""
        return self.lines[list(self.columns[1:8])].copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: how many checks came to each verdict."""
        counts = self.lines["verdict"].value_counts()
        return pd.DataFrame(
            {
                "study": [self.study["name"]],
                "n_facts": [len(self.facts)],
                "n_unknown": [int((self.facts["standing"] == "unknown").sum())],
                "n_checks": [len(self.lines)],
                **{name.replace(" ", "_"): [int(counts.get(name, 0))] for name in VERDICTS},
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the checks as text."""
        frame = self.to_frame()
        return pd.DataFrame(
            {
                "Check": frame["check"],
                "Printed": frame["printed"],
                "Recomputed": frame["recomputed"],
                "Verdict": frame["verdict"],
                "Why": frame["sentence"],
            },
            dtype=object,
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how far each recomputed value is from the printed one."""
        from rnetstats.plots.audit import audit_gaps
        from rnetstats.plots.style import marked

        return marked(audit_gaps(self.lines, ax=ax), self.synthetic)
