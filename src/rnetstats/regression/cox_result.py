"""A fitted Cox regression: what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data
from rnetstats.errors import ConvergenceError, OptionError
from rnetstats.kernels.cox_residuals import FittedCox
from rnetstats.kernels.risksets import RiskSets
from rnetstats.regression.cox_fit import concordance_frame
from rnetstats.regression.cox_points import at_maximum_likelihood, fitted_at
from rnetstats.regression.cox_survival import baseline_frame, survival_frame
from rnetstats.regression.engine import Engine
from rnetstats.regression.hazards_check import (
    ProportionalHazardsResult,
    check_proportional_hazards,
    residual_values,
)
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.overall_tests import TestedAsWhole

__all__ = ["CoxResult"]

_ABSOLUTE = ("A survival probability", "A risk")  # what a cause-specific hazard does not give


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CoxResult(TestedAsWhole, RegressionResult):
    """A fitted Cox regression; see :func:`rnetstats.cox`.

    Attributes
    ----------
    outcome : str
        The left side of the formula.
    sets : RiskSets
        The risk sets of the rows used; never written.
    """

    outcome: str
    sets: RiskSets | None = field(default=None, metadata={"rows": True})

    def predict(self, data: Data) -> pd.Series:
        """Return each patient's log hazard ratio against covariates of zero, shape (m,).

        The linear predictor, offset included; not centred. :meth:`survival` gives risks.

        Parameters
        ----------
        data : DataFrame or mapping of columns
            The model's variables and its offset, one row a patient.

        Raises
        ------
        ColumnError
            If a variable is missing.
        DataError
            If a value is missing, or a level was not in the data of the fit.
        ConvergenceError
            If a coefficient is infinite.
        """
        return self._linear_predictor(data, "A linear predictor")

    def baseline(self) -> pd.DataFrame:
        """Return the cumulative baseline hazard, all covariates zero.

        Returns
        -------
        DataFrame
            Columns ``stratum, time, cumulative_hazard, survival``; Breslow's or Efron's
            estimator, as the ties of the fit.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        """
        fitted, engine = self._at_estimate("A baseline hazard")
        return baseline_frame(fitted, engine)

    def survival(self, data: Data, times: Sequence[float]) -> pd.DataFrame:
        """Return the survival probability (and risk) of new patients at given times.

        Parameters
        ----------
        data : DataFrame or mapping of columns
            The model's variables, its strata and offset, one row a patient.
        times : sequence of float
            In the unit of the fit.

        Returns
        -------
        DataFrame
            Columns ``row, time, survival, risk, std_error, conf_low, conf_high``; limits on
            the log scale of survival.

        Raises
        ------
        ColumnError
            If a variable, a stratum's column or the offset is missing from the data.
        DataError
            If a value is missing, or a level or stratum was not in the data of the fit.
        OptionError
            If a time is negative or past follow-up, or the fit is of one cause or of exact ties.
        ConvergenceError
            If a coefficient is infinite.
        DataNotKeptError
            After reading back from JSON.
        """
        fitted, _ = self._at_estimate("A survival probability")
        return survival_frame(self, fitted, data, times)

    def proportional_hazards(self, transform: str = "km") -> ProportionalHazardsResult:
        """Test each term for a hazard ratio that changes over time.

        Parameters
        ----------
        transform : {"km", "rank", "identity", "log"}
            Of time.

        Raises
        ------
        ConvergenceError
            If maximum likelihood, on which the test rests, has no estimate.
        DataError
            If an event at time 0 has no logarithm.
        OptionError
            If there is no such transform.
        DataNotKeptError
            After reading back from JSON.
        """
        fitted, engine = self._at_estimate("A test of proportional hazards")
        covariance = engine.model_covariance
        if engine.penalised:
            fitted, covariance = at_maximum_likelihood(engine)
        found = check_proportional_hazards(
            fitted, engine, covariance, transform, conf_level=self.options["conf_level"]
        )
        return replace(found, synthetic=self.synthetic)

    def concordance(self) -> pd.DataFrame:
        """Return Harrell's concordance with its standard error and the pairs it rests on.

        Returns
        -------
        DataFrame
            One row: ``concordance, std_error`` (infinitesimal jackknife, of the model's clusters
            where it has any) and the weights of pairs within strata: ``concordant, discordant,
            tied_score`` are comparable; ``tied_time, tied_both`` are pairs of two events at one
            time, with different and with equal scores, and are not. It is apparent: on the data of
            the fit. :func:`rnetstats.validate` corrects it.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        """
        engine: Engine = self._need("engine", "The standard error of the concordance")
        return concordance_frame(engine.frame, engine.reached)

    def residuals(self, kind: str = "martingale") -> np.ndarray | pd.DataFrame:
        """Return residuals.

        Parameters
        ----------
        kind : {"martingale", "deviance", "score", "schoenfeld", "scaledsch", "dfbeta"}
            The first two are an array (n,) in the order of the rows used; score and dfbeta a
            frame (n, p); Schoenfeld residuals a frame with ``time``, one row an event. They are
            those of one patient of the row. Scaled ones are multiplied by the total weight of the
            events, so that their weighted mean is the estimate whatever the weights' unit (R takes
            the number of rows with an event).

        Raises
        ------
        OptionError
            If there is no such kind, or the fit is of exact ties.
        ConvergenceError
            If a coefficient is infinite.
        DataNotKeptError
            After reading back from JSON.
        """
        fitted, engine = self._at_estimate("A residual")
        return residual_values(fitted, engine, kind)

    def _at_estimate(self, purpose: str) -> tuple[FittedCox, Engine]:
        engine: Engine = self._need("engine", purpose)
        if self.options.get("cause") is not None and purpose in _ABSOLUTE:
            raise OptionError(
                f"{purpose} does not follow from the hazard of one cause alone, since the other "
                "events prevent it: fine_gray(...).cumulative_incidence() gives it."
            )
        if self.options["ties"] == "exact":
            raise OptionError(f"{purpose} is not defined with ties='exact'; fit with 'efron'.")
        if engine.separated:
            raise ConvergenceError(
                f"{purpose} needs finite coefficients: fit with penalty='firth'."
            )
        return fitted_at(engine, engine.reached, firth=engine.firth), engine
