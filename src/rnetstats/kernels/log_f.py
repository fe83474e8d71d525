"""Log-F(m, m) priors on coefficients: a weak belief in no effect, worth m patients.

Half the patients of the prior have the event and half have not, in otherwise empty rows that
differ by one unit of the covariate: the log-density is (m / 2) b - m log(1 + exp(b)), up to a
constant. In logistic regression that is maximum likelihood on two more rows of weight m / 2 each;
in Cox regression the same term stands beside the partial likelihood.

References
----------
Greenland S, Mansournia MA (2015). Penalization, bias reduction, and default priors in logistic and
related categorical and survival regressions. Statistics in Medicine 34:3133-3143.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.newton import FloatArray, Found

__all__ = ["LogF"]


@dataclass(frozen=True, eq=False)
class LogF:
    """Independent log-F(m, m) priors on k sums of the p coefficients.

    Attributes
    ----------
    rows : array of shape (k, p)
        The prior's pseudo-rows: rows of the identity, for priors on single coefficients.
    strength : array of shape (k,)
        m, positive: the prior is worth as many patients.
    """

    rows: FloatArray
    strength: FloatArray

    def turned(self, turn: FloatArray) -> LogF:
        """Return the same prior for coefficients c of other columns, where b = turn @ c."""
        return LogF(self.rows @ turn, self.strength)

    def evaluate(self, beta: FloatArray, scale: FloatArray | None = None) -> Found:
        """Return log-prior (A,), score (A, p) and information (A, p, p).

        Parameters
        ----------
        beta : array of shape (A, p)
        scale : array of shape (1, p) or (A, p), optional
            `beta` are coefficients of the columns divided by this.
        """
        rows = self.rows if scale is None else self.rows / scale[:, None, :]
        eta = (rows @ beta[:, :, None])[:, :, 0]
        with np.errstate(over="ignore", invalid="ignore"):
            # (m/2) eta - m log(1 + exp(eta)), in a form that is symmetric and does not overflow
            value = -self.strength * (0.5 * np.abs(eta) + np.log1p(np.exp(-np.abs(eta))))
            half = np.tanh(0.5 * eta)
        slope = -0.5 * self.strength * half
        bend = 0.25 * self.strength * (1.0 - half**2)
        score = (slope[:, None, :] @ rows)[:, 0, :]
        information = np.swapaxes(rows, -1, -2) @ (bend[:, :, None] * rows)
        return value.sum(axis=1), score, information

    def add(self, found: Found, beta: FloatArray, scale: FloatArray | None = None) -> Found:
        """Add the prior to a log-likelihood, its score and its information."""
        value, score, information = self.evaluate(beta, scale)
        return found[0] + value, found[1] + score, found[2] + information

    def log_density(self, beta: FloatArray) -> FloatArray:
        """Return what the prior adds to the log-likelihood at coefficients (A, p), (A,)."""
        return self.evaluate(beta)[0]
