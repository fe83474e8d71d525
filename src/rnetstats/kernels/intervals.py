"""Sums over rows that cover an interval of columns, and over the columns of each row.

A difference of two running sums would lose all digits where a large value has come and gone. Here
an interval is split into at most 2 log2(E) blocks of a binary tree over the columns, and nothing
is ever subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Intervals", "build_intervals"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals [first, end) of L rows over E columns, as blocks of a binary tree.

    The nodes of the tree are numbered from the root, 1, downwards, the children of node i being
    2 i and 2 i + 1; the columns are the leaves `size` ... `size` + E - 1.

    Attributes
    ----------
    n_columns, size
        E, and the number of leaves, a power of 2.
    node_rows, nodes, node_bounds
        Rows of all blocks in order of their node; the distinct nodes; the first block of each.
    row_nodes, row_bounds
        Nodes of all blocks in order of their row; the first block of each row.
    """

    n_columns: int
    size: int
    node_rows: Ints
    nodes: Ints
    node_bounds: Ints
    row_nodes: Ints
    row_bounds: Ints

    def column_sums(self, values: Floats) -> Floats:
        """Sum of values (..., L) over the rows that cover each column, (..., E)."""
        tree = np.zeros((*values.shape[:-1], 2 * self.size))
        blocks = np.take(values, self.node_rows, axis=-1)
        tree[..., self.nodes] = np.add.reduceat(blocks, self.node_bounds, axis=-1)
        begin = 1
        while begin < self.size:
            above = tree[..., begin : 2 * begin]
            tree[..., 2 * begin : 4 * begin] += np.repeat(above, 2, axis=-1)
            begin *= 2
        return tree[..., self.size : self.size + self.n_columns]

    def row_sums(self, steps: Floats) -> Floats:
        """Sum of steps (..., E) over the columns of each row, (..., L)."""
        tree = np.zeros((*steps.shape[:-1], 2 * self.size))
        tree[..., self.size : self.size + self.n_columns] = steps
        end = self.size
        while end > 1:
            below = tree[..., end : 2 * end]
            tree[..., end // 2 : end] = below[..., ::2] + below[..., 1::2]
            end //= 2
        sums: Floats = np.add.reduceat(np.take(tree, self.row_nodes, axis=-1), self.row_bounds, -1)
        return sums


def build_intervals(first: Ints, end: Ints, n_columns: int) -> Intervals:
    """Split intervals [first, end), none empty, into blocks.

    Parameters
    ----------
    first, end
        (L,) columns, first < end <= E.
    n_columns
        E.
    """
    size = 1 << max(0, n_columns - 1).bit_length()
    low, high = first + size, end + size
    everyone = np.arange(first.size)
    rows, nodes = [everyone[:0]], [everyone[:0]]
    while (low < high).any():
        within = low < high
        left, right = within & (low % 2 == 1), within & (high % 2 == 1)
        rows += [everyone[left], everyone[right]]
        nodes += [low[left], high[right] - 1]
        low, high = (low + left) // 2, (high - right) // 2
    block_rows, block_nodes = np.concatenate(rows), np.concatenate(nodes)
    by_node = np.argsort(block_nodes, kind="stable")
    by_row = np.argsort(block_rows, kind="stable")
    used, node_bounds = np.unique(block_nodes[by_node], return_index=True)
    return Intervals(
        n_columns=n_columns,
        size=size,
        node_rows=block_rows[by_node],
        nodes=used,
        node_bounds=node_bounds,
        row_nodes=block_nodes[by_row],
        row_bounds=np.searchsorted(block_rows[by_row], everyone),
    )
