"""A caller's own way of making a model, repeated on resampled rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame
from rnetstats.errors import OptionError, RnetError
from rnetstats.kernels.links import cloglog, logit
from rnetstats.kernels.newton import IntArray
from rnetstats.prediction.judged import is_risk_model, judge
from rnetstats.prediction.refit import Floats, Refit, Refitted

__all__ = ["CallableRefit"]


class CallableRefit(Refit):
    """Calls ``make(data)``, which returns a RiskModel, on the rows of each resample.

    Parameters
    ----------
    make : callable
        From a DataFrame to a RiskModel. An error of this package counts as a failed resample;
        any other error is passed on.
    data : DataFrame or mapping
        Complete in the outcome.
    horizon : float, optional

    Raises
    ------
    OptionError
        If what it returns is no RiskModel, or says nothing of its outcome.
    """

    fixed = False

    def __init__(
        self, make: Callable[[pd.DataFrame], Any], data: Data, *, horizon: float | None = None
    ) -> None:
        self.make, table = make, as_frame(data)
        first = make(table.copy())
        if not (is_risk_model(first) and hasattr(first, "outcome")):
            raise OptionError(
                f"The callable returned a {type(first).__name__}; it must return a RiskModel, as "
                "risk_model(fit) does."
            )
        if not first.outcome:
            raise OptionError(
                "The RiskModel does not say what its outcome is; make it by risk_model(fit), or "
                "give outcome= when typing coefficients in."
            )
        self.horizon = first.horizon if horizon is None else horizon
        judged = judge(table, f"{first.outcome} ~ 1", models={"m": first}, horizon=self.horizon)
        self.outcome, self.positions = judged.outcome, judged.positions
        self.table = table.iloc[judged.positions].reset_index(drop=True)
        self.formula = f"callable {getattr(make, '__name__', 'model')}"

    def again(self, counts: Floats, seeds: IntArray) -> Refitted:
        """Make a model from each replicate, one after the other; see :meth:`Refit.again`."""
        del seeds
        risk = np.full(counts.shape, 0.5)
        usable = np.zeros(len(counts), dtype=bool)
        for b, row in enumerate(counts):
            again = np.repeat(np.arange(self.n), row.astype(np.intp))
            sample = self.table.iloc[again].reset_index(drop=True)
            sample.attrs = dict(self.table.attrs)
            try:
                model = self.make(sample)
                found = model.predict(self.table, outside="extrapolate")["risk"].to_numpy()
            except RnetError:
                continue
            if np.isfinite(found).all():
                risk[b], usable[b] = found, True
        predictor = cloglog(risk) if self.outcome.y is None else logit(risk)
        return Refitted(risk, predictor, usable, np.zeros(len(counts), dtype=bool))
