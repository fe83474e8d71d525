"""Proportional hazards from interval-censored times with any baseline, which is profiled out.

The cumulative baseline hazard is a step function with jumps at the right ends of the innermost
intervals. For given coefficients the log-likelihood is concave in the jumps, and their maximum
is certified by its gradient; what is left is the profile likelihood, concave in the coefficients.
Rows with exact times contribute their jump, so that exact and right-censored data give Breslow's
partial likelihood.

References
----------
Finkelstein DM (1986). A proportional hazards model for interval-censored failure time data.
Biometrics 42:845-854. Zeng D, Mao L, Lin DY (2016). Maximum likelihood estimation for
semiparametric transformation models with interval-censored data. Biometrika 103:253-271. Murphy
SA, van der Vaart AW (2000). On profile likelihood. JASA 95:449-465.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.newton import BoolArray, FloatArray, Found, IntArray
from rnetstats.kernels.nonnegative import ascend
from rnetstats.kernels.turnbull import innermost

__all__ = ["CoxIntervals", "Jumps", "cox_intervals"]

_EM_STEPS = 15
_TOLERANCE = 1e-14
_GOOD = 1e-9
_FAR = 80.0  # log hazard ratios beyond this are not evaluated
_STEPS = 60
_FLAT = 1e-60  # no jump is flat: each costs the events that it brings


@dataclass(frozen=True)
class Jumps:
    """The baseline at given coefficients.

    Attributes
    ----------
    size : array of shape (K,)
        Jumps of the cumulative baseline hazard.
    log_likelihood : float
    excess : float
        Certificate of the maximum, over the number of patients.
    """

    size: FloatArray
    log_likelihood: float
    excess: float


@dataclass(frozen=True, eq=False)
class CoxIntervals:
    """Distinct rows with the jumps before and within their intervals.

    Called as an ``Evaluate``, it gives the profile log-likelihood of b, its score and its
    information.

    Attributes
    ----------
    X : array of shape (m, p)
        Centred columns.
    before, within : arrays of shape (m, K)
        0/1: jumps at or before the left end, and within the interval (none if right-censored). For
        an exact time `before` holds the jumps up to that time, its own included.
    exact : bool array of shape (m,)
    freq, offset : arrays of shape (m,)
    left, right : arrays of shape (K,), or (K + 1,) if `certain`
        The innermost intervals.
    certain : bool
        Nobody is free of the event after the last of them, where the hazard jumps to infinity.
    centre : array of shape (p,)
        What was taken from the columns.
    """

    X: FloatArray
    before: FloatArray
    within: FloatArray
    exact: BoolArray
    freq: FloatArray
    offset: FloatArray
    left: FloatArray
    right: FloatArray
    certain: bool
    centre: FloatArray
    prior: LogF | None = None
    last: list[Any] = field(default_factory=list)

    def __call__(self, beta: FloatArray, index: IntArray) -> Found:
        """Profile log-likelihood (A,), score (A, p) and information (A, p, p)."""
        size, p = beta.shape
        value = np.full(size, -np.inf)
        score, information = np.zeros((size, p)), np.zeros((size, p, p))
        for i, b in enumerate(beta):
            if not np.isfinite(b).all() or np.abs(self.X @ b).max(initial=0.0) > _FAR:
                continue
            jumps = self.baseline(b)
            if jumps.excess > _GOOD:
                continue
            value[i] = jumps.log_likelihood
            score[i], information[i] = self._profile(b, jumps.size)
        found = value, score, information
        return found if self.prior is None else self.prior.add(found, beta)

    def baseline(self, beta: FloatArray) -> Jumps:
        """Maximise over the jumps at given coefficients (p,)."""
        risk = np.exp(self.X @ beta + self.offset)
        before = (self.freq * risk) @ self.before
        seen = self.freq[self.exact] @ self.within[self.exact]
        rows = ~self.exact & (self.within.sum(axis=1) > 0.0)
        weight, jumping = self.freq[rows], seen > 0.0
        # jumps are measured in the events that they bring to those at risk: far out they differ by
        # many powers of ten, which no Gram matrix holds
        unit = 1.0 / np.maximum(before, 1e-300)
        inside = risk[rows][:, None] * self.within[rows] * unit
        height = float(seen[jumping] @ np.log(unit[jumping]))

        def value(events: FloatArray) -> float:
            between = inside @ events
            if not (between > 0.0).all() or not (events[jumping] > 0.0).all():
                return -np.inf
            total = weight @ np.log(-np.expm1(-between)) - events.sum()
            return float(total + seen[jumping] @ np.log(events[jumping]) + height)

        def slope(events: FloatArray) -> tuple[FloatArray, FloatArray]:
            c = _odds(inside @ events)
            gradient = (weight * c) @ inside - 1.0
            gradient[jumping] += seen[jumping] / events[jumping]
            information = inside.T @ ((weight * c * (1.0 + c))[:, None] * inside)
            information[jumping, jumping] += seen[jumping] / events[jumping] ** 2
            return gradient, information

        mass = float(self.freq.sum())
        events, excess = np.zeros(0), np.inf
        starts = [self._near, self._start] if self.last else [self._start]
        for begin in starts:  # the last maximum may lie too far away
            start = begin(risk, before) / unit
            events, excess, _ = ascend(
                value,
                slope,
                start,
                mass=mass,
                tolerance=_TOLERANCE,
                max_iter=_STEPS,
                flat=_FLAT,
            )
            if excess <= _GOOD:
                break
        size = events * unit
        if (
            excess <= _GOOD and before @ size > 0.0
        ):  # kept with the events that it expects, which change little
            self.last[:] = [size, before @ size]
        total = value(events) + float(self.freq[self.exact] @ np.log(risk[self.exact]))
        return Jumps(size, total, excess)

    def _near(self, risk: FloatArray, before: FloatArray) -> FloatArray:
        """Begin at the last maximum, scaled to as many expected events."""
        size, hazard = self.last
        return np.asarray(size * (hazard / max(float(before @ size), 1e-300)))

    def _start(self, risk: FloatArray, before: FloatArray) -> FloatArray:
        """Begin by steps of the EM algorithm from equal jumps."""
        inside = self.within.sum(axis=1) > 0.0
        exposed = (self.freq * risk) @ np.minimum(self.before + self.within, 1.0)
        events = float(self.freq[inside].sum())
        jump = np.full(len(exposed), max(events, 0.5) / float(exposed.sum()))
        for _ in range(_EM_STEPS):
            share = jump * self.within
            mean = np.where(self.exact, 1.0, risk * share.sum(axis=1))
            with np.errstate(divide="ignore", invalid="ignore"):
                expected = np.where(self.exact | (mean == 0.0), 1.0, mean / -np.expm1(-mean))
                part = share / share.sum(axis=1, keepdims=True)
            part = np.where(inside[:, None], part, 0.0)
            jump = ((self.freq * expected) @ part) / exposed
        return np.asarray(np.maximum(jump, 1e-12 * jump.max(initial=1e-300)))

    def _profile(self, beta: FloatArray, jump: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Score and information of the profile log-likelihood at its jumps."""
        risk = np.exp(self.X @ beta + self.offset)
        positive = jump > 0.0
        hazard = risk * (self.before @ jump)
        between = np.where(self.exact, 0.0, risk * (self.within @ jump))
        has = between > 0.0
        c = np.zeros_like(between)
        c[has] = _odds(between[has])
        first = np.where(self.exact, 1.0, c * between) - hazard
        bend = c * (1.0 + c) * between**2 - c * between + hazard
        before, within = self.before[:, positive], self.within[:, positive]
        w, e = self.freq, risk
        # a shift of the columns is the baseline's; from their mean among those at risk the terms
        # below do not cancel, however far out a coefficient is
        weight = w * bend
        X = self.X - weight @ self.X / max(float(weight.sum()), 1e-300)
        curve = np.where(has, c * (1.0 + c) * e * e, 0.0)
        jumps = within.T @ ((w * curve)[:, None] * within)
        seen = (w[self.exact] @ within[self.exact]) / jump[positive] ** 2
        jumps[np.diag_indices_from(jumps)] += seen
        across_within = np.where(has, (c * (1.0 + c) * between - c) * e, 0.0)
        cross = X.T @ ((w * across_within)[:, None] * within + (w * e)[:, None] * before)
        own = X.T @ (weight[:, None] * X)
        scale = np.sqrt(np.maximum(np.diag(jumps), 1e-300))
        inverse = np.linalg.pinv(jumps / np.outer(scale, scale), rcond=1e-12, hermitian=True)
        cross = cross / scale
        return X.T @ (w * first), own - cross @ inverse @ cross.T


def _odds(between: FloatArray) -> FloatArray:
    """Return 1 / (exp(x) - 1); 0 where that is too small to be told from it."""
    return np.asarray(1.0 / np.expm1(np.minimum(between, 700.0)))


def cox_intervals(
    X: FloatArray,
    *,
    left: FloatArray,
    right: FloatArray,
    freq: FloatArray | None = None,
    offset: FloatArray | None = None,
    prior: LogF | None = None,
) -> CoxIntervals:
    """Prepare rows (left, right] for evaluation; see :func:`weibull_intervals` for the arguments.

    Rows of weight 0 are left out, and equal rows are put together.
    """
    n = len(left)
    weight = np.ones(n) if freq is None else np.asarray(freq, dtype=float)
    shift = np.zeros(n) if offset is None else np.asarray(offset, dtype=float)
    kept = weight > 0.0
    X, left, right, weight, shift = (part[kept] for part in (X, left, right, weight, shift))
    inner = innermost(left, right)
    exact = left == right
    finite = np.isfinite(inner.right)
    centre = (weight @ X) / weight.sum()
    keys = np.column_stack([inner.first, inner.last, exact, np.isinf(right), shift, X - centre])
    rows, inverse = np.unique(keys, axis=0, return_inverse=True)
    n_jumps = int(finite.sum())
    first, last = rows[:, :1], rows[:, 1:2]
    is_exact, is_open = rows[:, 2] == 1.0, rows[:, 3] == 1.0
    # nobody is known to be free of the event after the last interval: its jump is infinite, and a
    # row that covers it has the event for certain once it is free at its left end
    certain = n_jumps > 0 and not (rows[:, 0] >= n_jumps).any()
    certain = certain and not (is_exact & (rows[:, 0] == n_jumps - 1)).any()
    if certain:
        n_jumps -= 1
        is_open = is_open | (rows[:, 1] >= n_jumps)
    columns = np.arange(n_jumps)
    before = (columns < first) | (is_exact[:, None] & (columns == first))
    within = (columns >= first) & (columns <= last) & ~is_open[:, None]
    total = np.zeros(len(rows))
    np.add.at(total, inverse.ravel(), weight)
    return CoxIntervals(
        X=rows[:, 5:],
        before=before.astype(float),
        within=within.astype(float),
        exact=is_exact,
        freq=total,
        offset=rows[:, 4],
        left=inner.left[finite],
        right=inner.right[finite],
        certain=certain,
        centre=centre,
        prior=prior,
    )
