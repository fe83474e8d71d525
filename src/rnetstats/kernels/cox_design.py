"""The columns of a Cox design over sorted rows, shared by all replicates or one set each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rnetstats.kernels.packing import packing
from rnetstats.kernels.risksets import Floats, Ints, RiskSets

_CHUNK = 1 << 18  # numbers in a temporary of weighted columns
_PRODUCTS = 1 << 22  # numbers in the stored products of columns


@dataclass(frozen=True, eq=False)
class CoxDesign:
    """Columns of m kept rows, centred and scaled, behind a leading column of ones.

    Attributes
    ----------
    columns
        (p + 1, m), shared by all replicates, or (B, p + 1, m).
    centre, scale
        (p,) what was taken off the columns, and what they were then divided by; the scale is 1
        for a constant column, which is held as zeros.
    stacked
        (m, 1 + p + p (p + 1) / 2) ones, columns and the products of two columns, for batches; None
        where a design is not shared or they would be too large.
    """

    columns: Floats
    centre: Floats
    scale: Floats
    stacked: Floats | None

    @property
    def shared(self) -> bool:
        """Whether one design serves all replicates."""
        return self.columns.ndim == 2

    @cached_property
    def p(self) -> int:
        """Number of columns without the ones."""
        return int(self.columns.shape[-2]) - 1

    @cached_property
    def x(self) -> Floats:
        """The columns (..., p, m) without the ones."""
        return self.columns[..., 1:, :]

    def take(self, index: Ints) -> CoxDesign:
        """The design of the replicates named by `index`."""
        return self if self.shared else replace(self, columns=self.columns[index])

    def linear_predictor(self, beta: Floats) -> Floats:
        """(A, m) from coefficients (A, p) of the scaled columns."""
        if self.shared:
            return beta @ self.x
        eta: Floats = np.matmul(beta[:, None, :], self.x)[:, 0]
        return eta

    def sums(self, values: Floats) -> Floats:
        """Sum over rows of values (A, m) times x, (A, p)."""
        if self.shared:
            return values @ self.x.T
        sums: Floats = np.matmul(self.x, values[..., None])[..., 0]
        return sums

    def cross(self, values: Floats) -> Floats:
        """Sum over rows of values (A, m) times x x', (A, p, p)."""
        if self.stacked is not None and len(values) >= 4:
            return self.unpack(values @ self.stacked[:, 1 + self.p :])
        x, m = self.x, values.shape[-1]
        size = max(1, _CHUNK // max(1, len(values) * (self.p + 1)))
        if m <= size:
            return _weighted_products(x, values)
        total = np.zeros((len(values), self.p, self.p))
        for begin in range(0, m, size):
            rows = slice(begin, begin + size)
            total += _weighted_products(x[..., rows], values[:, rows])
        return total

    def quadratic_forms(self, matrix: Floats) -> Floats:
        """Quadratic form x' V x per row, (A, m), of matrices V (A, p, p)."""
        if self.stacked is not None and len(matrix) >= 4:
            parts = packing(self.p)
            packed = matrix[:, parts.first, parts.second] * parts.times
            return packed @ self.stacked[:, 1 + self.p :].T
        m = self.columns.shape[-1]
        if len(matrix) * self.p * m <= _CHUNK:
            along: Floats = np.matmul(matrix, self.x)
            along *= self.x
            return np.asarray(along.sum(axis=1))
        forms = np.zeros((len(matrix), m))
        for j in range(self.p):
            forms += self.x[..., j, :] * self.linear_predictor(matrix[:, j])
        return forms

    def unpack(self, packed: Floats) -> Floats:
        """Symmetric (A, p, p) from sums of products (A, p (p + 1) / 2)."""
        return packed[:, packing(self.p).place]

    def segment_sums(self, values: Floats, sets: RiskSets) -> Floats | None:
        """Sums of values (A, m) times all that is stacked, over the rows between event times.

        One matrix product a segment, (E, A, 1 + p + p (p + 1) / 2); None where segments are too
        short to be worth it, or rows leave again.
        """
        size, n_times = len(values), sets.n_times
        if self.stacked is None or size < 4 or sets.intervals is not None:
            return None
        if n_times * 5000 >= (self.p + 1) * size * (values.shape[-1] + 6 * n_times):
            return None
        sums = np.empty((n_times, size, self.stacked.shape[1]))
        for k, (begin, end) in enumerate(sets.segments):
            np.matmul(values[:, begin:end], self.stacked[begin:end], out=sums[k])
        return sums

    def risk_sums(self, values: Floats, sets: RiskSets) -> Floats:
        """Sums of values (A, m) times 1 and x over each risk set, (A, p + 1, E)."""
        size, q = len(values), self.p + 1
        if values.size * q <= _CHUNK // 4:
            return sets.risk_sums(values[:, None, :] * self.columns)
        sums = np.zeros((size, q, sets.n_times))
        for j in range(q):
            sums[:, j] = sets.join_sums(self._weighted(values, j))
        sums = sets.accumulate(sums)
        if sets.intervals is not None:
            for j in range(q):
                sets.add_leavers(sums[:, j], self._weighted(values, j))
        return sums

    def _weighted(self, values: Floats, j: int) -> Floats:
        return values * self.columns[..., j, :] if j else values

    def death_sums(self, values: Floats, sets: RiskSets) -> Floats:
        """Sums of values (A, D) times 1 and x over the event rows of each time, (A, p + 1, E)."""
        return sets.death_sums(values[:, None, :] * self.columns[..., sets.deaths])


def _weighted_products(x: Floats, values: Floats) -> Floats:
    """Sum over rows of values (A, m) times x x' (..., p, m), (A, p, p)."""
    total: Floats = (x * values[:, None, :]) @ x.swapaxes(-1, -2)
    return total


def build_design(X: Floats, sets: RiskSets, *, batch: bool = True) -> CoxDesign:
    """Sort, centre and scale the columns of a design.

    Parameters
    ----------
    X
        (n, p), or (B, n, p) with a design per replicate.
    sets
        The risk sets of its rows.
    batch
        Whether many replicates share it, so that the products of columns are worth storing.

    Returns
    -------
    CoxDesign
    """
    p, m = X.shape[-1], sets.rows.size
    columns = np.ones((*X.shape[:-2], p + 1, m))
    x = columns[..., 1:, :]
    x[...] = X.take(sets.rows, axis=-2).swapaxes(-1, -2)
    over = -1 if X.ndim == 2 else (0, 2)
    if m:
        largest = np.abs(x).max(axis=over)
        centre = x.mean(axis=over)
        x -= centre[:, None]
        scale = np.sqrt(np.square(x).mean(axis=over))
    else:
        largest = centre = scale = np.zeros(p)
    constant = scale <= 1e-12 * largest
    if constant.any():
        scale[constant] = 1.0
        x[..., constant, :] = 0.0
    x /= scale[:, None]
    stacked = _stack(columns) if batch and X.ndim == 2 else None
    return CoxDesign(columns, centre, scale, stacked)


def _stack(columns: Floats) -> Floats | None:
    parts = packing(len(columns) - 1)
    if parts.times.size * columns.shape[-1] > _PRODUCTS:
        return None
    products = columns[1 + parts.first] * columns[1 + parts.second]
    return np.ascontiguousarray(np.concatenate((columns, products)).T)
