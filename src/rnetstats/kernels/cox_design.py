"""The columns of a Cox design over sorted rows, shared by all replicates or one set each."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    products
        (p (p + 1) / 2, m) products of two columns, or None where they would be too large.
    """

    columns: Floats
    centre: Floats
    scale: Floats
    products: Floats | None

    @property
    def shared(self) -> bool:
        """Whether one design serves all replicates."""
        return self.columns.ndim == 2

    @property
    def p(self) -> int:
        """Number of columns without the ones."""
        return int(self.columns.shape[-2]) - 1

    @property
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
        if self.products is not None and len(values) >= 4:
            return (values @ self.products.T)[:, packing(self.p).place]
        size = max(1, _CHUNK // (len(values) * (self.p + 1)))
        total = np.zeros((len(values), self.p, self.p))
        for begin in range(0, values.shape[-1], size):
            rows = slice(begin, begin + size)
            part = self.x[..., rows]
            total += np.matmul(part * values[:, None, rows], np.swapaxes(part, -1, -2))
        return total

    def quadratic_forms(self, matrix: Floats) -> Floats:
        """Quadratic form x' V x per row, (A, m), of matrices V (A, p, p)."""
        if self.products is not None and len(matrix) >= 4:
            parts = packing(self.p)
            return (matrix[:, parts.first, parts.second] * parts.times) @ self.products
        forms = np.zeros((len(matrix), self.columns.shape[-1]))
        for j in range(self.p):
            forms += self.x[..., j, :] * self.linear_predictor(matrix[:, j])
        return forms

    def risk_sums(self, values: Floats, sets: RiskSets) -> Floats:
        """Sums of values (A, m) times 1 and x over each risk set, (A, p + 1, E).

        Where segments between event times are long, each is one matrix product.
        """
        size, q, n_times = len(values), self.p + 1, sets.n_times
        if values.size * q <= _CHUNK // 4:
            return sets.risk_sums(values[:, None, :] * self.columns)
        sums = np.zeros((size, q, n_times))
        if self.shared and n_times * 5000 < q * size * (values.shape[-1] + 6 * n_times):
            ends = np.append(sets.join_bounds[1:], sets.n_staying)
            for k, begin, end in zip(sets.join_columns, sets.join_bounds, ends, strict=True):
                sums[:, :, k] = values[:, begin:end] @ self.columns[:, begin:end].T
        else:
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
    np.copyto(x, np.moveaxis(np.take(X, sets.rows, axis=-2), -1, -2))
    over = tuple(axis for axis in range(x.ndim) if axis != x.ndim - 2)
    if m:
        largest = np.abs(x).max(axis=over)
        centre = x.mean(axis=over)
        x -= centre[:, None]
        scale = np.sqrt(np.mean(np.square(x), axis=over))
    else:
        largest = centre = scale = np.zeros(p)
    constant = scale <= 1e-12 * largest
    scale = np.where(constant, 1.0, scale)
    x /= scale[:, None]
    x[..., constant, :] = 0.0
    return CoxDesign(
        columns, centre, scale, _products(columns[1:]) if batch and X.ndim == 2 else None
    )


def _products(x: Floats) -> Floats | None:
    parts = packing(len(x))
    if parts.times.size * x.shape[-1] > _PRODUCTS:
        return None
    return x[parts.first] * x[parts.second]
