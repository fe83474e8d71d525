"""A propensity score: balance, overlap, positivity, scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.options import choice
from rnetstats.formatting import fmt_count, fmt_number
from rnetstats.regression.logistic import LogisticResult
from rnetstats.treatment.balance import BalanceResult
from rnetstats.treatment.score_fit import ScoreFit
from rnetstats.treatment.weighted_comparisons import WeightedComparisons

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PropensityResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PropensityResult(WeightedComparisons):
    """A propensity score with its weights; see :func:`rnetstats.propensity`.

    Attributes
    ----------
    summary : dict
        The fields of :meth:`glance`.
    balances : DataFrame
        As in :meth:`balance`, with unweighted variances.
    levels : DataFrame
        Both arms in each level of the covariates, see :meth:`positivity`.
    reasons : tuple of str
        What speaks against positivity.
    model : LogisticResult
        The score model.
    arms : tuple of str
        The control arm and the treated arm.
    fit : ScoreFit or None
        Scores, weights and rows; never written.
    """

    balances: pd.DataFrame
    levels: pd.DataFrame
    model: LogisticResult
    arms: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the balance of every covariate before and after weighting (a copy)."""
        return self.balances.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, weights, effective sizes, the verdict on positivity."""
        return pd.DataFrame([self.summary])

    def display(self) -> pd.DataFrame:
        """Return one row an arm as text: patients, effective size, weights, balance, verdict."""
        s = self.summary
        balance = {
            "Largest SMD before": fmt_number(float(self.balances["smd_before"].abs().max()), 3),
            "Largest SMD after": fmt_number(float(self.balances["smd_after"].abs().max()), 3),
            "Positivity": s["positivity"],
        }
        return pd.DataFrame(
            [
                {
                    "Arm": arm,
                    "N": fmt_count(s[f"n_{name}"]),
                    "Effective N": fmt_number(s[f"ess_{name}"], 1),
                    "Largest weight": fmt_number(s[f"max_weight_{name}"]),
                    **balance,
                }
                for arm, name in zip(self.arms, ("control", "treated"), strict=True)
            ]
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the love plot: standardised differences before and after weighting."""
        from rnetstats.plots.propensity import love_plot
        from rnetstats.plots.style import marked

        return marked(love_plot(self.balances, ax=ax), self.synthetic)

    def plot_overlap(self, ax: Axes | None = None) -> Axes:
        """Draw the scores of both arms, back to back, before and after weighting.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        """
        from rnetstats.plots.propensity import score_overlap
        from rnetstats.plots.style import marked

        fit: ScoreFit = self._need("fit", "The overlap of the scores")
        axes = score_overlap(
            fit.score,
            fit.weights,
            fit.rows.treated,
            fit.rows.freq,
            arms=(self.arms[0], self.arms[1]),
            ax=ax,
        )
        return marked(axes, self.synthetic)

    def balance(self, *, variances: str = "unweighted") -> BalanceResult:
        """Return the balance of the covariates, level by level, before and after weighting.

        Parameters
        ----------
        variances : {"unweighted", "weighted"}
            Which standard deviations divide the differences after weighting: those of the arms
            as they are, so that only the means change, or the weighted ones.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON, for weighted variances.
        OptionError
            If there are no such variances.

        References
        ----------
        Austin PC (2009). Balance diagnostics for comparing the distribution of baseline
        covariates between treatment groups in propensity-score matched samples. Statistics in
        Medicine 28:3083-3107.
        """
        choice("variances", variances, ("unweighted", "weighted"))
        table = self.balances
        if variances == "weighted":
            fit: ScoreFit = self._need("fit", "Balance with weighted variances")
            table = fit.balance(self.model.labels, variances)
        return BalanceResult(
            table=table.copy(),
            arms=self.arms,
            synthetic=self.synthetic,
            options={"variances": variances},
        )

    def positivity(self) -> pd.DataFrame:
        """Return both arms in each level: ``variable, level, n, n_treated, n_control, finding``.

        ``finding`` is "one arm", "nearly one arm" (less than 5 % of at least 20 patients in the
        rarer arm) or "both arms".
        """
        return self.levels.copy()

    def scores(self) -> pd.DataFrame:
        """Return ``row, treated, score, weight`` of the patients used, one row a row of the data.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        """
        fit: ScoreFit = self._need("fit", "A score")
        return pd.DataFrame(
            {
                "row": fit.rows.positions,
                "treated": fit.rows.treated.astype(int),
                "score": fit.score,
                "weight": fit.weights,
            }
        )
