"""Cox regression's directions of recession: each event stays ahead of its risk set.

One condition for each row in each risk set would be too many; variables for the largest linear
predictor at each event time, and a binary tree above them, make it a few a row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from rnetstats.regression.cone import Cone

__all__ = ["Spans", "centred", "compared", "risk_set_cone", "spans"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Spans(NamedTuple):
    """Event times, numbered through the strata, at which the rows are at risk.

    Attributes
    ----------
    first, last : int arrays of shape (n,)
        The first and the last; none at all where first > last.
    n_times : int
    """

    first: Ints
    last: Ints
    n_times: int


def spans(start: Floats | None, stop: Floats, event: Bools, strata: Ints) -> Spans:
    """Number the event times and find each row's span of them."""
    first = np.zeros(len(stop), dtype=np.int64)
    last = np.zeros(len(stop), dtype=np.int64)
    n_times = 0
    for code in np.unique(strata):
        mine = strata == code
        times = np.unique(stop[mine & event])
        entry = 0 if start is None else np.searchsorted(times, start[mine], side="right")
        first[mine] = n_times + entry
        last[mine] = n_times + np.searchsorted(times, stop[mine], side="right") - 1
        n_times += len(times)
    return Spans(first, last, n_times)


def compared(start: Floats | None, stop: Floats, event: Bools, strata: Ints) -> Bools:
    """Mark the events beside which somebody at risk has none.

    Where everybody at risk has the event at once the exact likelihood is 1 whatever the
    coefficients are.
    """
    marked = np.zeros(len(stop), dtype=bool)
    for code in np.unique(strata):
        mine = np.flatnonzero(strata == code)
        times, which = np.unique(stop[mine], return_inverse=True)
        at_risk = len(mine) - np.searchsorted(np.sort(stop[mine]), times, side="left")
        if start is not None:
            at_risk -= len(mine) - np.searchsorted(np.sort(start[mine]), times, side="left")
        events = np.bincount(which, weights=event[mine], minlength=len(times))
        marked[mine] = event[mine] & (events < at_risk)[which]
    return marked


def centred(X: Floats, at_risk: Spans) -> Floats:
    """Take from each row the mean of the rows that it is compared with, however indirectly.

    A constant within such a set of rows is invisible to the partial likelihood.
    """
    first, last, n_times = at_risk
    bridges = np.zeros(n_times + 1, dtype=np.int64)  # rows at risk both at a time and the next
    np.add.at(bridges, first, 1)
    np.add.at(bridges, last, -1)
    group_of_time = np.append(0, np.cumsum(np.cumsum(bridges)[: n_times - 1] == 0))
    group = group_of_time[first]
    size = np.maximum(np.bincount(group), 1)
    centred = X.copy()
    for j in range(X.shape[1]):
        centred[:, j] -= (np.bincount(group, weights=X[:, j]) / size)[group]
    return centred


def risk_set_cone(
    rows: Floats, event: Bools, at_risk: Spans, *, discrete: bool = False
) -> tuple[Cone, Floats]:
    """Build the conditions that each event has the largest linear predictor of its risk set.

    With ``discrete`` no row without the event has a larger one; events at one time may differ.

    The largest one at each event time (of those without the event) is a variable, a leaf of a
    binary tree whose inner nodes lie below their children: a row that is at risk over a span of
    times is held below the few nodes that cover it.

    Returns
    -------
    Cone
        Its first variables are the direction.
    strict : array of shape (m,)
        1 for the rows that compare a row of the data with an event.
    """
    first, last, n_times = at_risk
    r = rows.shape[1]
    who, node = _cover(first, last - event, n_times)
    held = np.unique(np.column_stack([node, rows[who]]), axis=0)
    node, held = held[:, 0].astype(np.int64), held[:, 1:]
    inner = np.repeat(np.arange(1, n_times), 2)
    children = np.arange(2, 2 * n_times)
    order = scipy.sparse.vstack(
        [
            scipy.sparse.hstack([scipy.sparse.csr_array(held), -_indicator(node, 2 * n_times)]),
            scipy.sparse.hstack(
                [
                    scipy.sparse.csr_array((len(inner), r)),
                    _indicator(inner, 2 * n_times) - _indicator(children, 2 * n_times),
                ]
            ),
        ],
        format="csr",
    )
    strict = np.append(np.ones(len(held)), np.zeros(len(inner)))
    leaves = _indicator(n_times + last[event], 2 * n_times)
    equal = scipy.sparse.hstack([scipy.sparse.csr_array(rows[event]), -leaves], format="csr")
    if not discrete:
        return Cone(order, equal), strict
    ahead = scipy.sparse.vstack([order, -equal], format="csr")
    return Cone(ahead, None), np.append(strict, np.zeros(equal.shape[0]))


def _cover(first: Ints, last: Ints, n_times: int) -> tuple[Ints, Ints]:
    """Nodes of a binary tree (root 1, leaves from n_times) that cover each span of leaves."""
    left, right = first + n_times, last + n_times + 1
    who, node = [], []
    while (left < right).any():
        take = (left < right) & (left % 2 == 1)
        who.append(np.flatnonzero(take))
        node.append(left[take])
        left = left + take
        take = (left < right) & (right % 2 == 1)
        right = right - take
        who.append(np.flatnonzero(take))
        node.append(right[take])
        left, right = left // 2, right // 2
    if not who:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(who), np.concatenate(node)


def _indicator(columns: Ints, size: int) -> scipy.sparse.csr_array:
    places = (np.arange(len(columns)), columns)
    return scipy.sparse.coo_array(
        (np.ones(len(columns)), places), shape=(len(columns), size)
    ).tocsr()
