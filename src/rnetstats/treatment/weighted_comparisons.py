"""What weighted arms are compared by: a score's methods, each a call into this room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rnetstats._core.result import Result
from rnetstats.survival.kaplan_meier import KaplanMeierResult
from rnetstats.treatment.score_fit import ScoreFit
from rnetstats.treatment.weighted_result import WeightedEffectResult

__all__ = ["WeightedComparisons"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WeightedComparisons(Result):
    """A result that holds weights, and compares outcomes by them.

    Attributes
    ----------
    summary : dict
        Holds ``n``, ``n_determined`` and ``positivity``.
    reasons : tuple of str
        What speaks against positivity.
    fit : ScoreFit or None
        Scores, weights and rows; never written.
    """

    summary: dict[str, Any]
    reasons: tuple[str, ...]
    fit: ScoreFit | None = field(default=None, metadata={"rows": True})

    def effect(
        self,
        outcome: str,
        *,
        resamples: int = 1000,
        seed: int | None = None,
        conf_level: float = 0.95,
    ) -> WeightedEffectResult:
        """Compare a binary outcome: weighted risks, their difference and ratio, the odds ratio.

        Parameters
        ----------
        outcome : str
            A 0/1 column or ``column == literal``.
        resamples : int
            Of the bootstrap by patient, which repeats the score model; 0 for none.
        seed : int, optional
        conf_level : float

        Returns
        -------
        WeightedEffectResult
            Each measure by the sandwich variance, the score taken as known (n / (n - 1) times
            HC0, t on n - 2 degrees of freedom, as a design-based regression), and by bootstrap.

        Raises
        ------
        DataError
            If positivity is violated, or an arm is empty.
        DataNotKeptError
            After reading back from JSON.
        FormulaError, ColumnError
            If the outcome cannot be used.
        OptionError
            If an option is not allowed.

        References
        ----------
        Lunceford JK, Davidian M (2004). Stratification and weighting via the propensity score in
        estimation of causal treatment effects. Statistics in Medicine 23:2937-2960.
        """
        from rnetstats.treatment.weighted_binary import binary_effect

        return binary_effect(self, outcome, resamples=resamples, seed=seed, conf_level=conf_level)

    def cox(
        self,
        surv: str,
        *,
        resamples: int = 1000,
        seed: int | None = None,
        ties: str = "efron",
        conf_level: float = 0.95,
    ) -> WeightedEffectResult:
        """Compare the hazards by a weighted Cox regression on the treatment alone.

        Parameters
        ----------
        surv : str
            ``"Surv(time, event)"`` or ``"Surv(start, stop, event)"``.
        resamples : int
            Of the bootstrap by patient, which repeats the score model; 0 for none.
        seed : int, optional
        ties : {"efron", "breslow"}
        conf_level : float

        Returns
        -------
        WeightedEffectResult
            The marginal hazard ratio with robust limits (the score taken as known) and bootstrap
            limits.

        Raises
        ------
        TooFewEventsError
            If there is no event at all.
        DataError
            If positivity is violated, or an arm is empty.
        DataNotKeptError
            After reading back from JSON.
        FormulaError, ColumnError
            If the outcome cannot be used.
        OptionError
            If an option is not allowed.

        References
        ----------
        Austin PC (2016). Variance estimation when using inverse probability of treatment
        weighting (IPTW) with survival analysis. Statistics in Medicine 35:5642-5655.
        """
        from rnetstats.treatment.weighted_cox import cox_effect

        return cox_effect(
            self, surv, resamples=resamples, seed=seed, ties=ties, conf_level=conf_level
        )

    def risk(
        self,
        surv: str,
        *,
        horizon: float,
        resamples: int = 1000,
        seed: int | None = None,
        conf_level: float = 0.95,
    ) -> WeightedEffectResult:
        """Compare the risks at a time by weighted Kaplan-Meier curves.

        Parameters
        ----------
        surv : str
            ``"Surv(time, event)"`` or ``"Surv(start, stop, event)"``. Other events count as
            censorings.
        horizon : float
            In the unit of the times, within the follow-up of both arms.
        resamples : int
            Of the bootstrap by patient, which repeats the score model; 0 for none.
        seed : int, optional
        conf_level : float

        Returns
        -------
        WeightedEffectResult
            Both risks, their difference and ratio; robust limits by the infinitesimal jackknife.

        Raises
        ------
        DataError
            If positivity is violated, an arm is empty or not followed to the horizon.
        DataNotKeptError
            After reading back from JSON.
        FormulaError, ColumnError
            If the outcome cannot be used.
        OptionError
            If an option is not allowed.

        References
        ----------
        Xie J, Liu C (2005). Adjusted Kaplan-Meier estimator and log-rank test with inverse
        probability of treatment weighting for survival data. Statistics in Medicine 24:3089-3110.
        """
        from rnetstats.treatment.weighted_risk import risk_effect

        return risk_effect(
            self, surv, horizon=horizon, resamples=resamples, seed=seed, conf_level=conf_level
        )

    def kaplan_meier(
        self, surv: str, *, ci: str = "log-log", conf_level: float = 0.95
    ) -> KaplanMeierResult:
        """Estimate weighted survival curves of both arms.

        Parameters
        ----------
        surv : str
            ``"Surv(time, event)"`` or ``"Surv(start, stop, event)"``.
        ci : {"log-log", "log", "plain"}
            Pointwise limits on the infinitesimal jackknife, the score taken as known; none where
            an arm has fewer than 5 events.
        conf_level : float

        Returns
        -------
        KaplanMeierResult
            Survival is weighted; patients at risk and events are counted as they are.

        Raises
        ------
        DataError
            If positivity is violated, or an arm is empty.
        DataNotKeptError
            After reading back from JSON.
        FormulaError, ColumnError
            If the outcome cannot be used.
        OptionError
            If an option is not allowed.
        """
        from rnetstats.treatment.weighted_risk import weighted_curves

        return weighted_curves(self, surv, ci=ci, conf_level=conf_level)
