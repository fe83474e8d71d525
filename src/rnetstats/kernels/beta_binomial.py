"""Beta-binomial regression of two arms with one dispersion, for rare events in few studies.

Each arm of each study has a risk drawn from a beta law with mean mu (of its arm) and intraclass
correlation rho, common to both arms. With gamma = rho/(1 - rho) an arm's log-likelihood is

    sum_{r<y} log(mu + r gamma) + sum_{r<n-y} log(1 - mu + r gamma) - sum_{r<n} log(1 + r gamma),

which has no singularity at gamma = 0, the binomial law. The parameters are the effect, a nuisance
(see :mod:`rnetstats.kernels.two_risks`), and psi with gamma = psi squared.

References
----------
Kuss O (2015) Statistical methods for meta-analyses including information from studies without any
events - add nothing to nothing and succeed nevertheless. Stat Med 34:1097-1116. Griffiths DA (1973)
Maximum likelihood estimation for the beta-binomial distribution. Biometrics 29:637-648.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.glmm_rows import log_choose
from rnetstats.kernels.mantel_haenszel import Tables
from rnetstats.kernels.newton import Evaluate
from rnetstats.kernels.scaled import ScaledFit, fit_scaled
from rnetstats.kernels.two_risks import nuisance_of, two_risks

__all__ = ["BetaBinomial", "fit_beta_binomial"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_STARTS = (0.05, 0.2, 0.6)


@dataclass(frozen=True, eq=False)
class BetaBinomial:
    """Arms of k studies, counted by how many reach each number of events.

    Attributes
    ----------
    tables : Tables
        One set of k studies.
    measure : {"OR", "RR", "RD"}
        The effect: of the mean risks, log of a ratio or difference.
    """

    tables: Tables
    measure: str = "OR"

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of coefficients (effect, nuisance) and of scales."""
        return 2, 1

    @property
    def constant(self) -> float:
        """Logs of the binomial coefficients."""
        t = self.tables
        return float((log_choose(t.n1, t.a) + log_choose(t.n2, t.c)).sum())

    @property
    def evaluate(self) -> Evaluate:
        """Log-likelihood, score and observed information of (effect, nuisance, psi)."""
        t = self.tables
        arms = [_reaching(t.a, t.b), _reaching(t.c, t.d)]

        def at(parameters: Floats, _: Ints) -> tuple[Floats, Floats, Floats]:
            size = len(parameters)
            value, score = np.full(size, -np.inf), np.zeros((size, 3))
            information = np.broadcast_to(np.eye(3), (size, 3, 3)).copy()
            for i, row in enumerate(parameters):
                value[i], score[i], information[i] = self._at(arms, row)
            return value, score, information

        return at

    def _at(self, arms: list[_Reaching], row: Floats) -> tuple[float, Floats, Floats]:
        risks = two_risks(self.measure, row[0], row[1])
        value, score, hessian = 0.0, np.zeros(3), np.zeros((3, 3))
        if risks is None:
            return -np.inf, score, np.eye(3)
        for arm, mean in zip(arms, risks, strict=True):
            own = _arm(arm, mean.value, row[2] ** 2)
            inner = np.zeros((3, 2))  # of (mu, gamma) by the parameters
            inner[:2, 0], inner[2, 1] = mean.slope, 2.0 * row[2]
            value += own.value
            score += inner @ own.slope
            hessian += inner @ own.curve @ inner.T
            hessian[:2, :2] += own.slope[0] * mean.curve
            hessian[2, 2] += 2.0 * own.slope[1]
        return value, score, -hessian


def fit_beta_binomial(model: BetaBinomial) -> ScaledFit:
    """Maximise the likelihood; the scale is psi, and rho = psi^2/(1 + psi^2).

    Parameters
    ----------
    model : BetaBinomial

    Returns
    -------
    ScaledFit
        Not converged where an arm has no event, or nothing else.
    """
    t = model.tables
    p1, p2 = ((y.sum() + 0.5) / (n.sum() + 1.0) for y, n in ((t.a, t.n1), (t.c, t.n2)))
    odds = np.log(p1 / (1 - p1)) - np.log(p2 / (1 - p2))
    effect = {"OR": odds, "RR": np.log(p1 / p2), "RD": p1 - p2}[model.measure]
    start = np.array([effect, nuisance_of(model.measure, p1, p2), 0.0])
    return fit_scaled(model, start, _STARTS)


class _Reaching(NamedTuple):
    """For r = 0, 1, ...: how many studies of an arm have more events, others, patients than r."""

    events: Floats
    others: Floats
    patients: Floats


def _reaching(y: Floats, m: Floats) -> _Reaching:
    def more(counts: Floats) -> Floats:
        width = int(counts.max(initial=0.0))
        tally = np.bincount(counts.astype(np.int64), minlength=width + 1)
        return np.asarray(tally[::-1].cumsum()[::-1][1:], dtype=float)

    return _Reaching(more(y), more(m), more(y + m))


class _Curve(NamedTuple):
    """A function with its first and second derivatives."""

    value: float
    slope: Floats
    curve: Floats


def _arm(arm: _Reaching, mu: float, gamma: float) -> _Curve:
    """One arm's log-likelihood by (mu, gamma)."""
    value, slope, curve = 0.0, np.zeros(2), np.zeros((2, 2))
    for tally, base, sign, weight in (
        (arm.events, mu, 1.0, 1.0),
        (arm.others, 1.0 - mu, -1.0, 1.0),
        (arm.patients, 1.0, 0.0, -1.0),
    ):
        r = np.arange(len(tally), dtype=float)
        inside = base + r * gamma
        first = weight * tally / inside
        second = first / inside
        value += weight * float(tally @ np.log(inside))
        slope += first.sum() * sign, first @ r
        mixed = sign * float(second @ r)
        curve -= [[sign**2 * second.sum(), mixed], [mixed, second @ r**2]]
    return _Curve(value, slope, curve)
