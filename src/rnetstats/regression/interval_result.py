"""A regression of interval-censored times: hazard and time ratios, survival, the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame
from rnetstats.errors import ConvergenceError, OptionError
from rnetstats.regression.interval_survival import cox_survival, moments_of, weibull_survival
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.variables import new_offset

__all__ = ["IntervalRegressionResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class IntervalRegressionResult(RegressionResult):
    """A fitted regression of interval-censored times; see :func:`rnetstats.interval_regression`.

    Attributes
    ----------
    outcome : str
        The left side of the formula.
    model : str
        ``"weibull"`` or ``"cox"``.
    base : dict
        Weibull: ``intercept, shape, shape_std_error, log_time, centre, covariance``; Cox: ``left,
        right, jump, centre, excess``, the jumps of the cumulative baseline hazard.
    ratios : dict
        The columns of :meth:`time_ratios`; empty unless it is a Weibull model by maximum likelihood
        with finite estimates.
    last_time : float
        The largest finite end of an interval.
    """

    outcome: str
    model: str
    base: dict[str, Any]
    ratios: dict[str, Any]
    last_time: float

    def predict(self, data: Data) -> pd.Series:
        """Return each patient's log hazard ratio against covariates of zero, shape (m,).

        Parameters
        ----------
        data : DataFrame or mapping of columns
            The model's variables and its offset, one row a patient.

        Raises
        ------
        ColumnError, DataError
            If a variable or a value is missing, or a level was not in the data of the fit.
        ConvergenceError
            If a coefficient is infinite.
        """
        return self._linear_predictor(data, "A linear predictor")

    def survival(self, data: Data, times: float | Sequence[float]) -> pd.DataFrame:
        """Return the survival of new patients at given times.

        Parameters
        ----------
        data : DataFrame or mapping of columns
            The model's variables and its offset, one row a patient.
        times : float or sequence of float
            In the unit of the fit, up to the last finite end of an interval.

        Returns
        -------
        DataFrame
            Weibull: ``row, time, survival, risk, std_error, conf_low, conf_high``, limits on the
            scale of the log cumulative hazard. Cox: ``row, time, survival_low, survival_high``,
            the bounds that the estimate leaves within an interval.

        Raises
        ------
        ColumnError, DataError
            If a variable or a value is missing, or a level was not in the data of the fit.
        OptionError
            If a time is negative or past the last finite end of an interval.
        ConvergenceError
            If a coefficient is infinite.
        """
        moments = moments_of(times, self.last_time)
        table = as_frame(data)
        self._linear_predictor(data, "A survival probability")
        X, coef = self.design.matrix(table), self.coefficients["coef"].to_numpy()
        offset = new_offset(self.design, table)
        if self.model == "cox":
            found = cox_survival(self.base, coef, X, offset, moments)
        else:
            conf_level = self.options["conf_level"]
            found = weibull_survival(self.base, coef, X, offset, moments, conf_level)
        return pd.DataFrame(
            {
                "row": np.repeat(table.index.to_numpy(), moments.size),
                "time": np.tile(moments, len(table)),
                **{name: values.ravel() for name, values in found.items()},
            }
        )

    def time_ratios(self) -> pd.DataFrame:
        """Return the Weibull model's time ratios, exp(-b / shape), in the shared schema.

        A time ratio of 0.5 says that the event comes in half the time. Limits are of the profile
        likelihood of the time ratio; P is that of the hazard ratio (one hypothesis).

        Raises
        ------
        OptionError
            For ``model="cox"``, or with a penalty.
        ConvergenceError
            If a coefficient is infinite.
        """
        if self.model != "weibull":
            raise OptionError("Time ratios belong to model='weibull'.")
        if not self.ratios:
            if self.options["penalty"] is not None:
                raise OptionError("Time ratios are those of maximum likelihood: penalty=None.")
            raise ConvergenceError(
                f"The time ratio of {self._first_infinite()} is 0 or infinite (monotone "
                "likelihood); read the finite limit of the hazard ratio."
            )
        return pd.DataFrame(self.ratios)

    def baseline(self) -> pd.DataFrame:
        """Return the baseline, at the mean of each column of the design.

        Returns
        -------
        DataFrame
            Cox: ``left, right, cumulative_hazard``, which holds from ``right`` on; it rises to it
            somewhere in (left, right]. Weibull: one row, ``shape, std_error, scale``; the
            cumulative hazard is (t / scale)^shape.
        """
        if self.model == "cox":
            parts = {name: self.base[name] for name in ("left", "right")}
            return pd.DataFrame({**parts, "cumulative_hazard": np.cumsum(self.base["jump"])})
        shape = self.base["shape"]
        scale = np.exp(self.base["log_time"] - self.base["intercept"] / shape)
        error = self.base["shape_std_error"]
        return pd.DataFrame({"shape": [shape], "std_error": [error], "scale": [scale]})
