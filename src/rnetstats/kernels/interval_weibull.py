"""Weibull proportional hazards from interval-censored times, the baseline profiled out.

The cumulative hazard is exp(a + k log t + x b). In these coordinates the log-likelihood is concave:
each row's is that of a log-concave law over an interval.

References
----------
Burridge J (1981). A note on maximum likelihood estimation for regression models using grouped data.
JRSS B 43:41-45.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.newton import (
    OK,
    BoolArray,
    FloatArray,
    Found,
    IntArray,
    NewtonFit,
    maximise,
)

__all__ = ["WeibullIntervals", "weibull_intervals"]

_FAR = 300.0  # log cumulative hazards beyond this are no better than this


@dataclass(frozen=True, eq=False)
class WeibullIntervals:
    """Rows (left, right] with their log times, ready to be evaluated.

    Called as an ``Evaluate``, it gives the profile log-likelihood of b, its score and its
    information; :meth:`full` that of (a, k, b), :meth:`fit_all` the maximum of all.

    Attributes
    ----------
    X : array of shape (n, p)
        Centred columns.
    log_left, log_right : arrays of shape (n,)
        Log times less `shift`; 0 where there is no such end.
    has_left, has_right, exact : bool arrays of shape (n,)
    freq : array of shape (1, n) or (B, n)
    offset : array of shape (n,)
    shift : float
        Mean log time.
    prior : LogF or None
    """

    X: FloatArray
    log_left: FloatArray
    log_right: FloatArray
    has_left: BoolArray
    has_right: BoolArray
    exact: BoolArray
    freq: FloatArray
    offset: FloatArray
    shift: float
    prior: LogF | None = None

    def __call__(self, beta: FloatArray, index: IntArray) -> Found:
        """Profile log-likelihood (A,), score (A, p) and information (A, p, p)."""
        inner = self.baseline(beta, index)
        full = np.where((inner.status == OK)[:, None], inner.coef, 0.0)
        parts = [self._recentred(full[i], index[i : i + 1]) for i in range(len(beta))]
        score = np.array([part[0] for part in parts]).reshape(beta.shape)
        information = np.array([part[1] for part in parts])
        nuisance = information[:, :2, :2]
        across = information[:, :2, 2:]
        own = information[:, 2:, 2:]
        good = inner.status == OK
        safe = np.where(good[:, None, None], nuisance, np.eye(2))
        profile = own - np.swapaxes(across, 1, 2) @ np.linalg.solve(safe, across)
        value = np.where(good, inner.log_likelihood, -np.inf)
        found = value, score, profile
        return found if self.prior is None else self.prior.add(found, beta)

    def _recentred(self, theta: FloatArray, index: IntArray) -> tuple[FloatArray, FloatArray]:
        """Score of b (p,) and information at (a, k, b), columns from their mean over those at risk.

        A shift of the columns is the baseline's; from that mean the terms of the profile do not
        cancel, however far out a coefficient is.
        """
        beta = theta[2:]
        eta = theta[0] + self._eta(beta[None, :])[0]
        last = np.where(self.has_right, self.log_right, self.log_left)
        weight = self._freq(index)[0] * np.exp(np.clip(eta + theta[1] * last, -_FAR, _FAR))
        centre = weight @ self.X / max(float(weight.sum()), 1e-300)
        moved = replace(self, X=self.X - centre)
        at = np.concatenate([[theta[0] + centre @ beta], theta[1:]])
        _, score, information = moved.full(at[None, :], index)
        return score[0, 2:], information[0]

    def baseline(self, beta: FloatArray, index: IntArray) -> NewtonFit:
        """Maximise over (a, k) at given b (A, p): a fit of (a, k, b) with b held."""
        start = np.concatenate([self._start(beta, index), beta], axis=1)
        free = np.zeros(start.shape, dtype=bool)
        free[:, :2] = True

        def evaluate(theta: FloatArray, rows: IntArray) -> Found:
            return self.full(theta, index[rows])

        return maximise(evaluate, start, free=free, retry=False)

    def fit_all(self, size: int = 1, start: FloatArray | None = None) -> NewtonFit:
        """Maximise over (a, k, b) for each of B replicates, without the prior.

        The ascent begins at `start` (2 + p,), or at the exponential model.
        """
        if start is not None:
            return maximise(self.full, np.tile(start, (size, 1)))
        index = np.arange(size)
        beta = np.zeros((size, self.X.shape[1]))
        return maximise(self.full, np.concatenate([self._start(beta, index), beta], axis=1))

    def _start(self, beta: FloatArray, index: IntArray) -> FloatArray:
        """Begin at the exponential model: as many events as it expects."""
        freq = self._freq(index)
        middle = np.where(
            self.has_left & self.has_right,
            0.5 * (self.log_left + self.log_right),
            np.where(self.has_right, self.log_right, self.log_left),
        )
        with np.errstate(over="ignore"):
            expected = (freq * np.exp(np.clip(middle + self._eta(beta), -_FAR, _FAR))).sum(axis=1)
        events = (freq * (self.has_right | self.exact)).sum(axis=1)
        a = np.log(np.maximum(events, 0.5) / np.maximum(expected, 1e-300))
        return np.stack([a, np.ones_like(a)], axis=1)

    def _freq(self, index: IntArray) -> FloatArray:
        return self.freq if len(self.freq) == 1 else self.freq[index]

    def _eta(self, beta: FloatArray) -> FloatArray:
        return beta @ self.X.T + self.offset

    def full(self, theta: FloatArray, index: IntArray) -> Found:
        """Log-likelihood of (a, k, b) (A, 2 + p), its score and information.

        `a` and `k` belong to log times less `shift` and to centred columns.
        """
        freq = self._freq(index)
        a, k = theta[:, :1], theta[:, 1:2]
        eta = a + self._eta(theta[:, 2:])
        left = np.where(self.has_left, np.exp(np.clip(eta + k * self.log_left, -_FAR, _FAR)), 0.0)
        right = np.exp(np.clip(eta + k * self.log_right, -_FAR, _FAR))
        value, s_left, s_right, j_left, j_cross, j_right = self._pieces(left, right)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_k = np.where(k > 0.0, np.log(k), -np.inf)
        density = log_k + eta + k * self.log_left - self.log_left - self.shift
        value = np.where(self.exact, density - left, value)
        s_left = np.where(self.exact, 1.0 - left, s_left)
        j_left = np.where(self.exact, left, j_left)
        d = (freq * self.exact).sum(axis=1)

        n_columns = theta.shape[1]
        Z_left = self._columns(self.log_left)
        Z_right = self._columns(self.log_right)
        score = (freq * s_left) @ Z_left + (freq * s_right) @ Z_right
        information = np.empty((len(theta), n_columns, n_columns))
        for i in range(len(theta)):
            w = freq[i if len(freq) > 1 else 0][:, None]
            cross = Z_left.T @ (w * j_cross[i][:, None] * Z_right)
            information[i] = (
                Z_left.T @ (w * j_left[i][:, None] * Z_left)
                + Z_right.T @ (w * j_right[i][:, None] * Z_right)
                + cross
                + cross.T
            )
        if d.any():
            score[:, 1] += d / theta[:, 1]
            information[:, 1, 1] += d / theta[:, 1] ** 2
        total = np.where(freq > 0.0, freq * value, 0.0).sum(axis=1)
        return np.where(np.isnan(total), -np.inf, total), score, information

    def _columns(self, log_time: FloatArray) -> FloatArray:
        return np.column_stack([np.ones(len(log_time)), log_time, self.X])

    def _pieces(self, left: FloatArray, right: FloatArray) -> tuple[FloatArray, ...]:
        """Value, and derivatives with respect to the log cumulative hazards at both ends."""
        between = np.where(self.has_right, right - left, np.inf)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            value = np.where(between > 0.0, np.log(-np.expm1(-between)), -np.inf) - left
            c = np.where(between > 0.0, 1.0 / np.expm1(between), np.nan)
        right = np.where(self.has_right, right, 0.0)
        s_left, s_right = -left * (1.0 + c), c * right
        j_left = left * (1.0 + c) * (1.0 + c * left)
        j_right = c * right * ((1.0 + c) * right - 1.0)
        return value, s_left, s_right, j_left, -c * (1.0 + c) * left * right, j_right


def weibull_intervals(
    X: FloatArray,
    *,
    left: FloatArray,
    right: FloatArray,
    freq: FloatArray | None = None,
    offset: FloatArray | None = None,
    prior: LogF | None = None,
) -> WeibullIntervals:
    """Prepare rows (left, right] for evaluation.

    Parameters
    ----------
    X : array of shape (n, p)
    left, right : arrays of shape (n,)
        ``right`` infinite for right-censored rows; equal for an event that was seen, then positive.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers.
    offset : array of shape (n,), optional
    prior : LogF, optional
        On the coefficients of X.
    """
    exact = left == right
    has_left, has_right = left > 0.0, np.isfinite(right) & ~exact
    weight = np.ones((1, len(left))) if freq is None else np.atleast_2d(np.asarray(freq, float))
    with np.errstate(divide="ignore"):
        log_left = np.where(has_left, np.log(np.where(has_left, left, 1.0)), 0.0)
        log_right = np.log(np.where(has_right, right, 1.0))
    share = weight.sum(axis=0)
    both = np.concatenate([log_left[has_left], log_right[has_right]])
    shift = float(
        np.average(both, weights=np.concatenate([share[has_left], share[has_right]]) + 1e-12)
    )
    centre = (share @ X) / share.sum()
    return WeibullIntervals(
        X=X - centre,
        log_left=np.where(has_left, log_left - shift, 0.0),
        log_right=np.where(has_right, log_right - shift, 0.0),
        has_left=has_left,
        has_right=has_right,
        exact=exact,
        freq=weight,
        offset=np.zeros(len(left)) if offset is None else offset,
        shift=shift,
        prior=prior,
    )
