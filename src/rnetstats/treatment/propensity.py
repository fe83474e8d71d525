"""Propensity scores: weights that balance the arms, what they rest on, and effects by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import choice
from rnetstats.formatting import fmt_count, fmt_number
from rnetstats.formula.terms import Formula
from rnetstats.regression.logistic import LogisticResult
from rnetstats.treatment.balance import BalanceResult
from rnetstats.treatment.score_fit import ScoreFit, fit_score
from rnetstats.treatment.score_rows import ESTIMAND_WORDS, ScoreRows
from rnetstats.treatment.weighted_comparisons import WeightedComparisons

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PropensityResult", "propensity"]

_BALANCED = 0.1


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PropensityResult(WeightedComparisons):
    """A propensity score with its weights; see :func:`propensity`.

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

        return love_plot(self.balances, ax=ax, synthetic=self.synthetic)

    def plot_overlap(self, ax: Axes | None = None) -> Axes:
        """Draw the scores of both arms, back to back, before and after weighting.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        """
        from rnetstats.plots.propensity import score_overlap

        fit: ScoreFit = self._need("fit", "The overlap of the scores")
        return score_overlap(
            fit.score,
            fit.weights,
            fit.rows.treated,
            fit.rows.freq,
            arms=(self.arms[0], self.arms[1]),
            ax=ax,
            synthetic=self.synthetic,
        )

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


def propensity(
    data: Data,
    formula: str | Formula,
    *,
    weights: str = "ate",
    penalty: str | None = "firth",
    stabilised: bool = False,
    truncate: tuple[float, float] | None = None,
    positivity: str = "refuse",
    freq_weights: Any = None,
    missing: str = "drop",
) -> PropensityResult:
    """Fit a propensity score and weight the arms by it.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        One row a patient; never changed.
    formula : str
        ``"treat ~ x1 + x2"``: the treatment is a 0/1 column or ``column == literal``. With
        ``cluster(id)`` the bootstrap draws clusters and robust variances are by cluster.
    weights : {"ate", "att", "atc", "overlap"}
        For whom the weighted arms stand: everybody, e the probability of treatment, 1/e and
        1/(1 - e); the treated, 1 and e/(1 - e); the controls, (1 - e)/e and 1; those whom either
        arm might have taken, 1 - e and e.
    penalty : {"firth", None}
        Of the score model: Firth's, or maximum likelihood (with overlap weights the latter
        balances the means exactly).
    stabilised : bool
        Multiply ATE weights by the arm's share of the patients.
    truncate : pair of float, optional
        Quantiles at which weights are cut, as ``(0.01, 0.99)``, over the patients of both arms.
        It trades bias for variance, and is named in the notes.
    positivity : {"refuse", "flag"}
        What the effects do where positivity is violated: raise, or say so in a note.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    missing : {"drop", "raise"}

    Returns
    -------
    PropensityResult
        ``to_frame()`` is the balance, ``glance()`` counts, effective sizes and the verdict on
        positivity. :meth:`~PropensityResult.effect`, :meth:`~PropensityResult.cox`,
        :meth:`~PropensityResult.risk` and :meth:`~PropensityResult.kaplan_meier` compare
        outcomes.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used: a treatment with one or more than two arms, a
        constant covariate.
    OptionError
        If an option is not allowed.

    Notes
    -----
    Weights make the arms alike in the covariates named, and in nothing else: what was not
    measured stays a confounder. Positivity is judged by published rules, see
    :func:`rnetstats.treatment.positivity.judge_positivity`. Limits that take the score as known
    are mostly too wide for ATE weights (Lunceford & Davidian); the bootstrap repeats the score
    model in each resample.

    References
    ----------
    Rosenbaum PR, Rubin DB (1983). The central role of the propensity score in observational
    studies for causal effects. Biometrika 70:41-55.
    Li F, Morgan KL, Zaslavsky AM (2018). Balancing covariates via propensity score weighting.
    Journal of the American Statistical Association 113:390-400.
    Austin PC (2009). Balance diagnostics for comparing the distribution of baseline covariates
    between treatment groups in propensity-score matched samples. Statistics in Medicine
    28:3083-3107.
    Lunceford JK, Davidian M (2004). Stratification and weighting via the propensity score in
    estimation of causal treatment effects. Statistics in Medicine 23:2937-2960.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> score = rn.propensity(cohort, 'method == "ESD" ~ age + size_mm', weights="overlap")
    >>> score.glance()[["n_treated", "n_control", "positivity"]]
       n_treated  n_control          positivity
    0        113        414  no sign against it
    >>> hazard = score.cox("Surv(dfs_months, dfs_event)", resamples=200, seed=1)
    >>> hazard.to_frame()[["measure", "estimate", "conf_low", "conf_high"]].round(2)
            measure  estimate  conf_low  conf_high
    0  hazard ratio      1.07      0.62       1.86
    1  hazard ratio      1.07      0.59       1.78
    """
    fit = fit_score(
        data,
        formula,
        estimand=weights,
        penalty=penalty,
        stabilised=stabilised,
        truncate=truncate,
        freq_weights=freq_weights,
        missing=missing,
    )
    choice("positivity", positivity, ("refuse", "flag"))
    balances = fit.balance(fit.model.labels, "unweighted")
    return PropensityResult(
        summary=fit.summary,
        balances=balances,
        levels=fit.levels,
        reasons=fit.positivity.reasons,
        model=fit.model,
        arms=fit.arms,
        fit=fit,
        synthetic=fit.model.synthetic,
        notes=(*fit.notes, *_balance_notes(balances), *_notes(fit)),
        options={
            "formula": fit.model.options["formula"],
            "weights": weights,
            "penalty": penalty,
            "stabilised": bool(stabilised),
            "truncate": truncate,
            "positivity": positivity,
            "missing": missing,
        },
    )


def _notes(fit: ScoreFit) -> list[str]:
    rows: ScoreRows = fit.rows
    said = [
        f"Effects are those in {ESTIMAND_WORDS[rows.estimand]}, and causal only if the covariates "
        "hold every confounder.",
    ]
    if rows.truncate is not None:
        low, high = rows.truncate
        said.append(
            f"Weights are cut at their {100 * low:g} % and {100 * high:g} % quantiles "
            f"({fit.n_cut} patients): less variance for some bias."
        )
    return said


def _balance_notes(balances: pd.DataFrame) -> list[str]:
    size = balances["smd_after"].abs()
    left = balances.loc[(size > _BALANCED) | size.isna(), "label"].tolist()
    if not left:
        return []
    return [
        f"After weighting the arms still differ by more than {_BALANCED:g} standard deviations (or "
        f"cannot be compared) in: {', '.join(map(str, left))}."
    ]
