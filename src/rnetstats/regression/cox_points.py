"""A Cox model at given coefficients: its estimate, and that of maximum likelihood."""

from __future__ import annotations

import numpy as np

from rnetstats.errors import ConvergenceError
from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.cox_residuals import FittedCox, fitted_cox
from rnetstats.kernels.newton import OK
from rnetstats.regression.engine import Engine

__all__ = ["at_maximum_likelihood", "fitted_at"]


def fitted_at(engine: Engine, coef: np.ndarray, *, firth: bool) -> FittedCox:
    """Evaluate the model at coefficients (p,), with Firth's penalty or without."""
    options = {**engine.likelihood_options, "firth": firth}
    return fitted_cox(cox_likelihood(engine.X, **options), coef)


def at_maximum_likelihood(engine: Engine) -> tuple[FittedCox, np.ndarray]:
    """Fit a penalised model anew without its penalty; return it there, and its covariance (p, p).

    Raises
    ------
    ConvergenceError
        If the likelihood is monotone.
    """
    plain = fit_cox(engine.X, **{**engine.likelihood_options, "firth": False, "prior": None})
    if plain.status[0] != OK:
        raise ConvergenceError(
            "The likelihood is monotone: the test of proportional hazards rests on maximum "
            "likelihood, which has no estimate here."
        )
    return fitted_at(engine, plain.coef[0], firth=False), plain.covariance[0]
