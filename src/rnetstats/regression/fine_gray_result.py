"""A Fine-Gray regression: ratios of subdistribution hazards, the baseline, incidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rnetstats._core.frame import Data
from rnetstats.errors import ConvergenceError
from rnetstats.kernels.fine_gray_influence import FittedFineGray
from rnetstats.regression.engine import Engine
from rnetstats.regression.fine_gray_fit import at_estimate
from rnetstats.regression.fine_gray_incidence import baseline_frame, incidence_frame
from rnetstats.regression.model import RegressionResult

__all__ = ["FineGrayResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FineGrayResult(RegressionResult):
    """A fitted Fine-Gray regression; see :func:`rnetstats.fine_gray`.

    Attributes
    ----------
    outcome : str
        The left side of the formula.
    cause : str
        The cause of interest, as its code.
    event_counts : dict
        Patients with each event, the cause of interest first, and censored.
    meaning : dict
        What each cause means.
    unbounded : tuple of int
        Columns whose coefficients are infinite under maximum likelihood.
    """

    outcome: str
    cause: str
    event_counts: dict[str, int]
    meaning: dict[str, str]
    unbounded: tuple[int, ...] = ()

    def predict(self, data: Data) -> pd.Series:
        """Return each patient's log subdistribution hazard ratio against covariates of zero, (m,).

        The linear predictor, offset included; not centred. :meth:`cumulative_incidence` gives
        risks.

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
        """Return the cumulative baseline subdistribution hazard, all covariates zero.

        Returns
        -------
        DataFrame
            Columns ``time, cumulative_hazard, incidence``, one row a time with an event of the
            cause (Breslow's estimator).

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        """
        fitted, _ = self._at_estimate("A baseline hazard")
        return baseline_frame(fitted)

    def cumulative_incidence(self, data: Data, times: Sequence[float]) -> pd.DataFrame:
        """Return the cumulative incidence of the cause for new patients at given times.

        Parameters
        ----------
        data : DataFrame or mapping of columns
            The model's variables and its offset, one row a patient.
        times : sequence of float
            In the unit of the fit, up to the end of follow-up.

        Returns
        -------
        DataFrame
            Columns ``row, time, incidence, std_error, conf_low, conf_high``; limits on the scale
            log(-log(1 - F)), the baseline's uncertainty included. They are missing before the
            first event, and for a level without events.

        Raises
        ------
        ColumnError, DataError
            If a variable or a value is missing, or a level was not in the data of the fit.
        OptionError
            If a time is negative or past follow-up.
        ConvergenceError
            If a coefficient is infinite.
        DataNotKeptError
            After reading back from JSON.
        """
        fitted, _ = self._at_estimate("A cumulative incidence")
        return incidence_frame(self, fitted, data, times)

    def _at_estimate(self, purpose: str) -> tuple[FittedFineGray, Engine]:
        engine: Engine = self._need("engine", purpose)
        if engine.separated:
            raise ConvergenceError(
                f"{purpose} needs finite coefficients: fit with penalty='firth'."
            )
        return at_estimate(engine), engine
