"""The result of comparing guidelines across a cohort."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_count, fmt_percent
from rnetstats.studies.management.vocabulary import ADVICE, NO_RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EVERYBODY", "DisagreementResult"]

EVERYBODY = "all sizes"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DisagreementResult(Result):
    """Guidelines against each other; see :func:`rnetstats.guideline_disagreement`.

    Attributes
    ----------
    situation : str
    guidelines, names : tuple of str
        Their keys, and what they are called.
    pairs : DataFrame
        One row a pair and band of size: ``guideline_1, guideline_2, band, n, n_one`` (only one
        gives a step), ``n_both`` (both do), ``n_disagree, share`` of those with both; missing
        where there are none.
    bands : DataFrame
        ``band, n, n_compared`` (at least two guidelines give a step), ``n_disagree`` (these are
        not all the same), ``share`` of those compared.
    answers : DataFrame
        ``guideline, band, answer, n``.
    cross : DataFrame
        ``guideline_1, answer_1, guideline_2, answer_2, n``: every pair's answers.
    patients : DataFrame or None
        A column a guideline with each patient's answer, and ``differ``; never written.
    """

    situation: str
    guidelines: tuple[str, ...]
    names: tuple[str, ...]
    pairs: pd.DataFrame
    bands: pd.DataFrame
    answers: pd.DataFrame
    cross: pd.DataFrame
    patients: pd.DataFrame | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pair of guidelines and band of size (a copy)."""
        return self.pairs.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row over all sizes and guidelines."""
        row = self.bands.loc[self.bands["band"] == EVERYBODY].iloc[0]
        return pd.DataFrame(
            {
                "situation": [self.situation],
                "guidelines": len(self.guidelines),
                "n": int(row["n"]),
                "n_compared": int(row["n_compared"]),
                "n_disagree": int(row["n_disagree"]),
                "share": float(row["share"]),
            }
        )

    def cross_table(self, first: str, second: str) -> pd.DataFrame:
        """Return the answers of one guideline (rows) against those of another (columns).

        Parameters
        ----------
        first, second : str
            Two of ``guidelines``.

        Returns
        -------
        DataFrame
            Counts of patients.

        Raises
        ------
        OptionError
            If a guideline was not asked, or both are the same.
        """
        choice("first", first, self.guidelines)
        choice("second", second, self.guidelines)
        if first == second:
            raise OptionError(f"first and second are both {first!r}; name two guidelines.")
        pair = self.cross
        chosen = pair[(pair["guideline_1"] == first) & (pair["guideline_2"] == second)]
        names = ("answer_1", "answer_2")
        if chosen.empty:
            chosen = pair[(pair["guideline_1"] == second) & (pair["guideline_2"] == first)]
            names = ("answer_2", "answer_1")
        rows = list(dict.fromkeys(chosen[names[0]]))
        columns = list(dict.fromkeys(chosen[names[1]]))
        table = chosen.pivot_table(
            index=names[0], columns=names[1], values="n", aggfunc="sum", fill_value=0
        )
        table = table.reindex(index=rows, columns=columns).astype(int)
        return table.rename_axis(index=first, columns=second)

    def display(self) -> pd.DataFrame:
        """Return the pairs over all sizes, then the bands, as text; the last row is a reminder."""
        called = dict(zip(self.guidelines, self.names, strict=True))
        everybody = self.pairs[self.pairs["band"] == EVERYBODY]
        rows = [
            _shown(f"{called[str(first)]} / {called[str(second)]}", *counts)
            for first, second, *counts in zip(*(everybody[name] for name in _PAIR), strict=True)
        ]
        rows += [
            _shown(f"any two, {name}", *counts)
            for name, *counts in zip(*(self.bands[name] for name in _BAND), strict=True)
        ]
        rows.append({**dict.fromkeys(rows[0], ""), "Guidelines": ADVICE})
        return pd.DataFrame(rows)

    def bars(self) -> pd.DataFrame:
        """Return what :meth:`plot` draws: ``group`` (band of size), ``label, answer, n``.

        Bands in which no guideline has a rule are left out, unless there is no other.
        """
        called = dict(zip(self.guidelines, self.names, strict=True))
        bands = {name: place for place, name in enumerate(dict.fromkeys(self.bands["band"]))}
        order = self.answers["band"].map(bands)
        counts = self.answers.iloc[order.argsort(kind="stable")]
        silent = counts.groupby("band")["answer"].agg(set) == {NO_RULE}
        if not silent.all():
            counts = counts[~counts["band"].map(silent).astype(bool)]
        return pd.DataFrame(
            {
                "group": counts["band"],
                "label": counts["guideline"].map(called),
                "answer": counts["answer"],
                "n": counts["n"],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each guideline's answers, by size of the tumour, where any has a rule."""
        from rnetstats.plots.guidelines import stacked_answers
        from rnetstats.plots.style import marked

        counts = self.bars()
        notes = {
            name: f": steps differ in {differ:,} of {compared:,} with at least two"
            if compared
            else ": no two steps to compare"
            for name, _, compared, differ, _ in zip(*(self.bands[c] for c in _BAND), strict=True)
        }
        axes = stacked_answers(
            counts,
            title=f"What guidelines say, {self.situation}",
            notes=notes,
            ax=ax,
        )
        return marked(axes, self.synthetic)


_PAIR = ("guideline_1", "guideline_2", "n", "n_both", "n_disagree", "share")
_BAND = ("band", "n", "n_compared", "n_disagree", "share")


def _shown(name: str, n: int, compared: int, differ: int, share: float) -> dict[str, str]:
    return {
        "Guidelines": name,
        "Patients": fmt_count(n),
        "With two steps": fmt_count(compared),
        "Steps differ": fmt_count(differ),
        "Share": fmt_percent(share),
    }
