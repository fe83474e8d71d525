"""The result of the search for tables behind an odds ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.worlds_display import first_rows
from rnetstats.evidence.worlds_figures import OddsRatioFigures, p_value
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.kernels.two_by_two import log_odds_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TablesResult", "candidate_frame"]

_WORDS = {
    "odds_ratio": "odds ratio",
    "conf_low": "lower limit",
    "conf_high": "upper limit",
    "p": "P",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TablesResult(Result):
    """2x2 tables behind an odds ratio; see :func:`rnetstats.tables_from_odds_ratio`.

    Attributes
    ----------
    worlds : DataFrame
        The first 20,000 tables that reproduce every figure: ``events_1, n_1, events_2, n_2``;
        ``added`` (0, or 0.5 to each cell); ``odds_ratio, conf_low, conf_high`` (Woolf); P by each
        test (``p_wald`` and so on, Wald's with what is added); ``reproduces``, the figures that
        it prints, and ``by_test``, the tests that print the P.
    nearest : DataFrame
        The same of the nearest tables, where none reproduces every figure: those that reproduce
        most, of these the closest odds ratio.
    solutions : DataFrame
        Tables of real numbers from the algebra, where the sizes of the groups are known: ``basis,
        events_1, events_2``.
    implied : DataFrame
        Standard errors and limits that the printed limits and P imply by Wald's formula: ``basis,
        std_error_low, std_error_high, conf_low_least, conf_low_most, conf_high_least,
        conf_high_most``.
    count : int
        Tables that reproduce every figure, as they are and with 0.5 added each counted.
    looked_at : int
        Tables that were held against the figures.
    conflict : str
        The smallest set of figures that conflict, in words; empty when there are worlds.
    """

    worlds: pd.DataFrame
    nearest: pd.DataFrame
    solutions: pd.DataFrame
    implied: pd.DataFrame
    count: int
    looked_at: int
    conflict: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a table that reproduces every figure."""
        return self.worlds.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: how many tables there are, their ranges, and what the figures imply."""
        rows = self.worlds
        ranges = {}
        for name in ("n_1", "events_1", "n_2", "events_2", "conf_low", "conf_high"):
            ranges[f"{name}_from"] = rows[name].min() if len(rows) else np.nan
            ranges[f"{name}_to"] = rows[name].max() if len(rows) else np.nan
        error = self.implied[["std_error_low", "std_error_high"]]
        return pd.DataFrame(
            [
                {
                    "odds_ratio": self.options["odds_ratio"],
                    "p": self.options["p"] or "",
                    "tables": self.count,
                    "unchanged": int((rows["added"] == 0).sum()),
                    **ranges,
                    "std_error_low": error["std_error_low"].max(),
                    "std_error_high": error["std_error_high"].min(),
                    "looked_at": self.looked_at,
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the tables as text, of more than 100 the first 20.

        Where none fits: the nearest ones, and why.
        """
        shown = first_rows(self.worlds if len(self.worlds) else self.nearest)
        if shown.empty:
            return pd.DataFrame({"No possible world": [self.conflict]})
        limits = f"{100 * self.options['conf_level']:g} % limits"
        rows = [
            {
                "Group 1": f"{row['events_1']:,} of {row['n_1']:,}",
                "Group 2": f"{row['events_2']:,} of {row['n_2']:,}",
                "Added": "0.5" if row["added"] else "–",
                "Odds ratio": fmt_number(row["odds_ratio"], 3),
                limits: fmt_interval(row["conf_low"], row["conf_high"]),
                **{
                    f"P, {name.removeprefix('p_')}": fmt_p(row[name])
                    for name in shown.columns
                    if name.startswith("p_")
                },
                "Reproduces": row["reproduces"] if len(self.worlds) else _nearly(row["reproduces"]),
            }
            for row in shown.to_dict("records")
        ]
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the tables on the scale of the odds ratio, with the printed figures."""
        from rnetstats.plots.worlds_candidates import draw_candidates

        return draw_candidates(
            self.worlds if len(self.worlds) else self.nearest,
            printed=self.options["printed"],
            fits=len(self.worlds) > 0,
            conf_level=self.options["conf_level"],
            nothing=self.conflict,
            ax=ax,
        )


def candidate_frame(tables: np.ndarray, figures: OddsRatioFigures) -> pd.DataFrame:
    """Return one row a table ``a, b, c, d, 2 * added``, closest P first by nothing: as given."""
    cells = tables[:4]
    a, b, c, d = cells
    added = tables[4] / 2.0
    frame = pd.DataFrame({"events_1": a, "n_1": a + b, "events_2": c, "n_2": c + d, "added": added})
    parts = {half: np.flatnonzero(added == half) for half in (0.0, 0.5)}
    values = {name: np.full(a.size, np.nan) for name in ("odds_ratio", "conf_low", "conf_high")}
    p = {test: np.full(a.size, np.nan) for test in figures.tests}
    reproduces, by_test = np.full(a.size, "", dtype=object), np.full(a.size, "", dtype=object)
    for half, rows in parts.items():
        ratio, error = log_odds_ratio(*cells[:, rows], add=half)
        usable = np.isfinite(error)
        values["odds_ratio"][rows] = np.exp(ratio)
        for name, sign in (("conf_low", -1.0), ("conf_high", 1.0)):
            end = np.where(usable, ratio, np.nan) + sign * figures.z * np.where(usable, error, 0.0)
            values[name][rows] = np.exp(end)
        for test in figures.tests:
            p[test][rows] = p_value(test, cells[:, rows], half)
        reproduces[rows] = _names(
            [_WORDS[name] for name in figures.windows], figures.reproduced(cells[:, rows], half)
        )
        if "p" in figures.windows:
            names, fits = zip(*figures.by_test(cells[:, rows], half), strict=True)
            by_test[rows] = _names(list(names), np.stack(fits))
    frame = frame.assign(**values, **{f"p_{test}": x for test, x in p.items()})
    return frame.assign(reproduces=reproduces, by_test=by_test)


def _names(names: list[str], true: np.ndarray) -> list[str]:
    """For each column the names whose row is True."""
    return [
        ", ".join(name for name, is_true in zip(names, column, strict=True) if is_true)
        for column in true.T
    ]


def _nearly(reproduces: str) -> str:
    return f"nearest only: {reproduces or 'none of the figures'}"
