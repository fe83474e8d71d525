"""The hazard ratio of two arms by Firth's profile likelihood: limits and P at any margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from rnetstats.errors import ConvergenceError, TooFewEventsError
from rnetstats.kernels.cox import CoxLikelihood, cox_likelihood, fit_cox
from rnetstats.kernels.newton import OK
from rnetstats.kernels.profile import profile_limits
from rnetstats.kernels.risksets import prepare
from rnetstats.treatment.two_arms import TwoArms

__all__ = ["ProfileHazard", "profile_hazard"]


@dataclass(frozen=True, eq=False)
class ProfileHazard:
    """The log hazard ratio, new against reference."""

    estimate: float
    maximum: float
    likelihood: CoxLikelihood
    method: str = "Firth, profile penalized likelihood"

    def limits(self, alpha: float) -> tuple[float, float]:
        """Profile limits."""
        found = profile_limits(self.likelihood, np.array([self.estimate]), level=1.0 - 2.0 * alpha)
        return float(found.lower[0]), float(found.upper[0])

    def _signed_root(self, value: float) -> float:
        at = np.array([[value]])
        height = float(self.likelihood(at, np.zeros(1, np.int64))[0][0])
        root = math.sqrt(max(2.0 * (self.maximum - height), 0.0))
        return math.copysign(root, self.estimate - value)

    def p_above(self, value: float) -> float:
        """Upper tail of the signed root of the likelihood ratio at ``value``."""
        return float(ndtr(-self._signed_root(value)))

    def p_below(self, value: float) -> float:
        """Lower tail of the same."""
        return float(ndtr(self._signed_root(value)))


def profile_hazard(arms: TwoArms) -> ProfileHazard:
    """Fit the Cox model of the two arms by Firth's penalised likelihood.

    Raises
    ------
    TooFewEventsError
        If neither arm has an event.
    ConvergenceError
        If the fit does not converge, or nobody of one arm is at risk when the other has events.
    """
    if not arms.event.any():
        raise TooFewEventsError(
            f"Neither arm has an event of {arms.endpoint}: there is no hazard ratio. Ask for "
            "measure='risk difference' with horizon=, which bounds the difference."
        )
    assert arms.stop is not None
    X = arms.is_new.astype(float)[:, None]
    sets = prepare(arms.start, arms.stop, arms.event, None)
    fit = fit_cox(X, sets, firth=True)
    if int(fit.status[0]) != OK:
        raise ConvergenceError(
            "The hazard ratio cannot be estimated: at no event are patients of both arms at risk."
        )
    likelihood = cox_likelihood(X, sets, firth=True)
    assert isinstance(likelihood, CoxLikelihood)
    estimate = float(fit.coef[0, 0])
    maximum = float(likelihood(np.array([[estimate]]), np.zeros(1, np.int64))[0][0])
    return ProfileHazard(estimate, maximum, likelihood)
