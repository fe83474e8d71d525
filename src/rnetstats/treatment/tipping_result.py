"""The result of a tipping-point analysis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.options import real
from rnetstats._core.result import Result
from rnetstats.formatting import MISSING, fmt_interval, fmt_number, fmt_percent
from rnetstats.treatment.ratio_estimate import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TippingPointResult"]

_MOST_PAIRS = 10  # that display() shows without a choice


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TippingPointResult(Result):
    """An estimate under unmeasured confounders; see :func:`rnetstats.tipping_point`.

    Attributes
    ----------
    grid : DataFrame
        ``prevalence_exposed, prevalence_unexposed, effect, bias_factor, estimate, conf_low,
        conf_high, moved``: estimate and limits after taking the confounder out; ``moved`` is
        ``"limit"`` where the limit nearer 1 has reached it, ``"estimate"`` where the estimate has
        too, else ``""``.
    tipping : DataFrame
        ``prevalence_exposed, prevalence_unexposed, effect_limit, effect_estimate``: the least
        effect that moves each to 1; missing where no effect, however strong, does at these
        prevalences.
    benchmarks : DataFrame
        ``term, effect, prevalence_exposed, prevalence_unexposed, bias_factor, estimate, conf_low,
        conf_high``: each measured covariate of the fit, and what one more like it would leave of
        the estimate. Empty without a fit.
    estimate, conf_low, conf_high : float
        As given.
    factor_estimate, factor_limit : float
        Bias factors that move the estimate, and the limit nearer 1, to 1 (1 for a limit beyond).
    label, measure : str
    """

    grid: pd.DataFrame
    tipping: pd.DataFrame
    benchmarks: pd.DataFrame
    estimate: float
    conf_low: float
    conf_high: float
    factor_estimate: float
    factor_limit: float
    label: str
    measure: str

    def to_frame(self) -> pd.DataFrame:
        """Return the grid: one row a combination of prevalences and effect (a copy)."""
        return self.grid.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: estimate, bias factors needed, the strongest measured one.

        That is the covariate, one more like which would move the estimate furthest toward 1; ``""``
        where all would move it away.
        """
        factors = self.benchmarks["bias_factor"].to_numpy(float)
        toward = factors if self.estimate >= 1.0 else 1.0 / factors
        strongest = int(np.argmax(toward)) if (toward > 1.0).any() else -1
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "estimate": self.estimate,
                "conf_low": self.conf_low,
                "conf_high": self.conf_high,
                "factor_estimate": self.factor_estimate,
                "factor_limit": self.factor_limit,
                "strongest_measured": self.benchmarks["term"][strongest] if strongest >= 0 else "",
                "strongest_factor": factors[strongest] if strongest >= 0 else math.nan,
            }
        )

    def display(self, *, other_prevalence: float = 0.1) -> pd.DataFrame:
        """Return the measured covariates for comparison, then the effects needed, as text.

        Parameters
        ----------
        other_prevalence : float
            Of more than ten pairs of prevalences those are shown in which this share of the
            unexposed (for a ratio below 1, of the exposed) has the confounder, or the nearest one
            of the grid, and the confounder raises the risk. ``tipping`` has all pairs,
            :meth:`to_frame` all combinations.
        """
        columns = ("Confounder", "Effect for the limit", "Effect for the estimate")
        after = ("Bias factor", f"{NAMES[self.measure].capitalize()} after it")
        rows = []
        for row in self.benchmarks.to_dict("records"):
            limits = fmt_interval(row["conf_low"], row["conf_high"])
            rows.append(
                {
                    columns[0]: f"like the measured {row['term']}",
                    columns[1]: MISSING,
                    columns[2]: MISSING,
                    after[0]: fmt_number(row["bias_factor"]),
                    after[1]: f"{fmt_number(row['estimate'])} ({limits})",
                }
            )
        rows += [
            {
                columns[0]: f"{fmt_percent(row['prevalence_exposed'], 0)} of exposed, "
                f"{fmt_percent(row['prevalence_unexposed'], 0)} of unexposed",
                columns[1]: fmt_number(row["effect_limit"]),
                columns[2]: fmt_number(row["effect_estimate"]),
                after[0]: MISSING,
                after[1]: MISSING,
            }
            for row in self._shown_pairs(other_prevalence).to_dict("records")
        ]
        if not rows:
            none = "any effect, at the prevalences asked for"
            rows.append({columns[0]: none, **dict.fromkeys([*columns[1:], *after], MISSING)})
        return pd.DataFrame(rows, columns=[*columns, *after])

    def _shown_pairs(self, other_prevalence: float) -> pd.DataFrame:
        """Return the pairs of prevalences at which an effect tips, all of them if they are few."""
        wanted = real("other_prevalence", other_prevalence, low=0.0, high=1.0)
        limit = self.tipping["effect_limit"] if self.factor_limit != 1.0 else math.nan
        needed = self.tipping.assign(effect_limit=limit)
        known = np.isfinite(needed[["effect_limit", "effect_estimate"]].to_numpy(float)).any(axis=1)
        tips: pd.DataFrame = self.tipping.loc[known]
        if len(tips) <= _MOST_PAIRS:
            return tips
        held = "prevalence_" + ("unexposed" if self.estimate >= 1.0 else "exposed")
        away = (tips[held] - wanted).abs()
        raises = (tips[["effect_limit", "effect_estimate"]] >= 1.0).any(axis=1)
        chosen: pd.DataFrame = tips.loc[(away <= away.min() + 1e-12) & raises]
        return chosen

    def plot(self, ax: Axes | None = None, *, other_prevalence: float = 0.1) -> Axes:
        """Draw the estimate left over, by prevalence and effect, with the tipping lines.

        Parameters
        ----------
        ax : Axes, optional
        other_prevalence : float
            The prevalence that is held: among the unexposed for a ratio above 1, among the exposed
            for one below 1.
        """
        from rnetstats.plots.style import marked
        from rnetstats.plots.tipping import tipping_contours

        held = real("other_prevalence", other_prevalence, low=0.0, high=1.0)
        above = self.estimate >= 1.0
        lines = {"estimate": self.factor_estimate}
        if not math.isnan(self.factor_limit):
            lines["limit"] = self.factor_limit
        axes = tipping_contours(
            estimate=self.estimate,
            held=held,
            lines=lines,
            benchmarks=self.benchmarks[["term", "bias_factor"]],
            varied="exposed" if above else "unexposed",
            measure=NAMES[self.measure],
            title=self.label,
            ax=ax,
        )
        return marked(axes, self.synthetic)
