"""The result of classifying a cohort by a guideline."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import MISSING, fmt_count, fmt_percent
from rnetstats.studies.management.vocabulary import ADVICE, CANNOT, NO_RULE, STEP

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ClassificationResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ClassificationResult(Result):
    """A cohort by a guideline's rules; see :func:`rnetstats.classify`.

    Attributes
    ----------
    guideline, name, situation : str
    rules : DataFrame
        One row an answer: ``answer`` (``"step"``, ``"no rule"``, ``"cannot be applied"``), ``step,
        words, rule, cell, open`` (what must still be established), ``alternative, follow_up,
        evidence, standing, source, note, omits, why`` (there is no rule), ``needs`` (what is
        missing), ``n, share``.
    bands : DataFrame
        ``band, answer, n``: by size of the tumour.
    patients : DataFrame or None
        The same columns for each patient, without the counts, by the cohort's index; never
        written.
    """

    guideline: str
    name: str
    situation: str
    rules: pd.DataFrame
    bands: pd.DataFrame
    patients: pd.DataFrame | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return one row an answer, with its rule and the number of patients (a copy)."""
        return self.rules.copy()

    def _count(self, answer: str) -> int:
        return int(self.rules.loc[self.rules["answer"] == answer, "n"].sum())

    def glance(self) -> pd.DataFrame:
        """Return one row: how many have a step, no rule, or cannot be classified."""
        return pd.DataFrame(
            {
                "guideline": [self.guideline],
                "situation": self.situation,
                "n": int(self.rules["n"].sum()),
                "n_step": self._count(STEP),
                "n_no_rule": self._count(NO_RULE),
                "n_cannot": self._count(CANNOT),
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the answers as text; the last row says what they are for."""
        rows = [
            self._shown({str(k): v for k, v in row.items()})
            for row in self.rules.to_dict("records")
        ]
        rows.append({**dict.fromkeys(rows[0], ""), self.name: ADVICE})
        return pd.DataFrame(rows)

    def _shown(self, row: dict[str, Any]) -> dict[str, str]:
        said = {
            STEP: row["words"],
            NO_RULE: f"no rule: {row['why']}",
            CANNOT: f"cannot be applied: needs {row['needs']}",
        }[row["answer"]]
        return {
            self.name: said,
            "Code": row["step"] or MISSING,
            "Rule": row["rule"] or MISSING,
            "Patients": f"{fmt_count(row['n'])} ({fmt_percent(row['share'])})",
            "First": row["open"] or MISSING,
            "Evidence": row["evidence"] or MISSING,
            "Standing": row["standing"] or MISSING,
        }

    def explain(self, patient: Any) -> pd.DataFrame:
        """Return all that the guideline says of one patient, as text.

        Parameters
        ----------
        patient : label
            Of the cohort's index.

        Returns
        -------
        DataFrame
            ``what, says``; what is empty is left out.

        Raises
        ------
        OptionError
            If the cohort has no such patient, or several.
        DataNotKeptError
            After reading back from JSON.
        """
        rows: pd.DataFrame = self._need("patients", "One patient's answer")
        found = rows.loc[rows.index == patient] if isinstance(patient, Hashable) else rows.iloc[:0]
        if len(found) != 1:
            raise OptionError(
                f"patient={patient!r} is the label of {len(found)} rows; give one label of the "
                "cohort's index."
            )
        told = {_NAMES[name]: str(text) for name, text in found.iloc[0].items() if name in _NAMES}
        told = {"guideline": f"{self.name}, {self.situation}", **told, "note": ADVICE}
        told = {name: text for name, text in told.items() if text}
        return pd.DataFrame({"what": list(told), "says": list(told.values())})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the share of patients with each answer, by size of the tumour."""
        from rnetstats.plots.guidelines import stacked_answers
        from rnetstats.plots.style import marked

        axes = stacked_answers(
            self.bands.rename(columns={"band": "label"}).assign(group=""),
            title=f"{self.name}, {self.situation}",
            ax=ax,
        )
        return marked(axes, self.synthetic)


_NAMES = {
    "answer": "answer",
    "step": "next step",
    "words": "in words",
    "open": "to be established first",
    "alternative": "alternative",
    "follow_up": "follow-up",
    "rule": "rule",
    "cell": "cell",
    "evidence": "grade of evidence",
    "standing": "standing",
    "source": "source",
    "omits": "left out by the source",
    "note": "on the rule",
    "why": "why there is no rule",
    "needs": "needs",
}
